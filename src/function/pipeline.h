// SPDX-License-Identifier: Apache-2.0
/* The writers of the pipeline topology (protocol.md "Pipeline", H23 to H26), the paper's: requests of each session go
 * through a FIFO group of their own, many writers run at once. A writer locks what its operation looks at, plans
 * against the accepted state, pushes the attempt to the distributor, and accepts it; the distributor (distributor.h)
 * makes accepted attempts visible one after the other and answers. A writer keeps nothing between invocations, and may
 * die anywhere: its message comes again, and the next attempt fences the one before.
 *
 * What goes through the session's group, and why: requests and closeSession, whose order is the session's; attach and
 * expire, because they end an epoch, or the session, of the accepted state: they lock the accepted session, so that
 * every attempt of the old epoch is either accepted before, and then pushed before, or fenced for good. A gateway is
 * declared dead by the distributor alone, in the order of its queue, as that touches nothing that writers plan against.
 * An attach is accepted only while its gateway is alive; should the gateway be declared dead before the attach is
 * visible, the session's time begins anew at that moment (distributor.c). Sweeps of nodes and dead gateways are
 * messages of group 0, which no session has. */
#ifndef FK_FUNCTION_PIPELINE_H
#define FK_FUNCTION_PIPELINE_H

#include "function/cloud.h"

/* The one group of the distributor's queue. */
enum {
    FK_GROUP_DISTRIBUTOR = 0,
};

/* Takes `count` request messages of one group in order. Results are as of fk_single_hop_run; a message is done when all
 * its operations are accepted, or dropped for good. */
enum fk_err fk_pipeline_writer_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                                   const struct fk_bytes *messages, size_t count, size_t *done);

/* Statistics of quotas that one change counts in a transaction of `items` items at most: a writer leaves room for them,
 * as quotas may be set before its change becomes visible. */
#define FK_QUOTAS_OF_CHANGE(items) ((items) < 16 ? (size_t)1 : (size_t)4)

#endif
