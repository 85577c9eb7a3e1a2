// SPDX-License-Identifier: Apache-2.0
/* A planned change put into the overlay: its records, the watch events that it fires, and their places in the chains of
 * the gateways (protocol.md H7, H11, H13). */
#ifndef FK_FUNCTION_APPLY_H
#define FK_FUNCTION_APPLY_H

#include "function/overlay.h"
#include "model/plan.h"

/* Items that the change would add to the commit, the session's record not counted; an upper bound that is exact but for
 * events. */
size_t fk_apply_cost(struct fk_overlay *overlay, const struct fk_change *change);

/* Applies the puts of a change in order and fires its events. `session_id` owns the ephemeral nodes it creates. */
void fk_apply_change(struct fk_overlay *overlay, const struct fk_change *change);

/* Adds an event that is no node's: a session has a new owner or none, its connection of this epoch ends. */
void fk_apply_session_gone(struct fk_overlay *overlay, int64_t zxid, int64_t gateway, int64_t session_id, int64_t epoch,
                           enum fk_gone gone);

#endif
