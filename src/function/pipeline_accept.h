// SPDX-License-Identifier: Apache-2.0
/* Accepting an attempt (protocol.md H25): one transaction on the condition that all its tokens still stand in the
 * records that it has locked, which puts the accepted records, adds the step to its session's, and frees the locks.
 * Writers do it for their own attempts, the distributor on behalf of writers that are slow or dead; whoever comes
 * second finds it done. */
#ifndef FK_FUNCTION_PIPELINE_ACCEPT_H
#define FK_FUNCTION_PIPELINE_ACCEPT_H

#include "function/cloud.h"
#include "function/pipeline_entry.h"
#include "function/pipeline_record.h"

enum fk_fate {
    FK_FATE_UNDECIDED = 0,
    FK_FATE_ACCEPTED = 1,
    FK_FATE_LOST = 2, /* some token is gone, and with it the attempt, for good */
};

/* Who asks, for marks and mutants. */
enum fk_accepter {
    FK_ACCEPTER_WRITER,
    FK_ACCEPTER_DISTRIBUTOR,
};

/* Accepts the attempt if it can be, and says what became of it. `visible` is the session's record as it was read before
 * (NULL: none): what it shows is taken off the list of accepted steps. TOO_LARGE, FULL: nothing was accepted; other
 * errors: its fate is not known. */
enum fk_err fk_accept(const struct fk_cloud_options *options, const struct fk_ports *ports, struct fk_arena *arena,
                      const struct fk_entry *entry, const struct fk_session_record *visible, enum fk_accepter accepter,
                      enum fk_fate *fate);

#endif
