// SPDX-License-Identifier: Apache-2.0
/* The distributor of the pipeline topology: one FIFO group, in whose order accepted attempts become visible. It gives
 * the zxids, fires watches on the visible records, commits as the single-hop function does, and answers. Any number of
 * instances may run at once, die anywhere and be repeated: the conditional commit is the only fence.
 *
 * It never passes an entry whose fate it does not know (H26): a later change may stand on it. */
#ifndef FK_FUNCTION_DISTRIBUTOR_H
#define FK_FUNCTION_DISTRIBUTOR_H

#include "function/cloud.h"

/* Takes `count` entries of writers in order. Results are as of fk_single_hop_run; an entry is done when it is visible
 * and answered, or lost for good. */
enum fk_err fk_distributor_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                               const struct fk_bytes *messages, size_t count, size_t *done);

#endif
