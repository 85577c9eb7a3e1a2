// SPDX-License-Identifier: Apache-2.0
/* What the server must know: every change that the store accepted, and the state after each of them. It is built from
 * the puts as the planner made them (whole records), not by the code that keeps, logs and replays them. */
#ifndef SIM_LOCAL_LEDGER_H
#define SIM_LOCAL_LEDGER_H

#include "port/store.h"
#include "sim/bump.h"
#include "sim/world.h"

struct sim_ledger;

/* Starts with the tree of a fresh server; everything is in `bump`. */
struct sim_ledger *sim_ledger_new(struct sim_world *world, struct sim_bump *bump);

/* A store that notes what `inner` accepts; freeing it does not free that. Valid until the next call of this. */
struct fk_store *sim_ledger_watch(struct sim_ledger *ledger, struct fk_store *inner);

/* Of the newest change. */
int64_t sim_ledger_zxid(const struct sim_ledger *ledger);
/* Forgets the changes after a zxid: they were lost, as they may be. */
void sim_ledger_cut(struct sim_ledger *ledger, int64_t zxid);
/* Compares the ledger's newest state with what a store shows. A difference is a violation; `when` says where we are. */
void sim_ledger_compare(struct sim_ledger *ledger, struct fk_store *store, const char *when);

/* Path of the i-th node that ever was, and whether it is there; a null view behind the last. */
struct fk_bytes sim_ledger_path(const struct sim_ledger *ledger, size_t index, bool *exists);

#endif
