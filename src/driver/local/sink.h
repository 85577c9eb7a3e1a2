// SPDX-License-Identifier: Apache-2.0
/* Who takes the state that the engine recovers: first the rows of the checkpoint (sessions, then nodes, parents before
 * children), then its zxid, then every change of the log after it. Views are valid during the call. An error ends the
 * recovery; DAMAGED means that the record does not fit what came before. */
#ifndef FK_DRIVER_LOCAL_SINK_H
#define FK_DRIVER_LOCAL_SINK_H

#include "model/change.h"

struct fk_engine_sink {
    void *context;
    enum fk_err (*node)(void *context, const struct fk_node *node);
    enum fk_err (*session)(void *context, const struct fk_session *session);
    enum fk_err (*change)(void *context, const struct fk_change *change);
    enum fk_err (*zxid)(void *context, int64_t zxid);
};

#endif
