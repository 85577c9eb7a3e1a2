// SPDX-License-Identifier: Apache-2.0
/* The write function of the single-hop topology: writer and distributor in one invocation over a batch of one FIFO
 * group (protocol.md section 1, "Function"). It keeps nothing between invocations. Any number of instances may run at
 * once, die anywhere and be repeated: the conditional commit is the only fence. */
#ifndef FK_FUNCTION_SINGLE_HOP_H
#define FK_FUNCTION_SINGLE_HOP_H

#include "function/cloud.h"

/* Decides `count` request messages in order and answers them. *done says how many from the front are decided or dropped
 * for good: delete these from the queue, and return the rest to it. A message that can't be read is dropped, with a
 * line in the log. OK only where all are done; otherwise the reason why it stopped: BUSY, UNKNOWN, REFUSED (out of
 * time), FULL, NOMEM, or VERSION where newer code wrote a record. */
enum fk_err fk_single_hop_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                              const struct fk_bytes *messages, size_t count, size_t *done);

#endif
