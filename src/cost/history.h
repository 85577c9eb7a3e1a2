// SPDX-License-Identifier: Apache-2.0
/* The history of a run (sim/history_file.c: NDJSON, what clients sent and received as frames) as operations of the
 * table of units. What a request carries is read from it, what a read gave from its answer; pings and what gateways
 * answer themselves are left out. Renewals and heartbeats are counted by the time that the run took, one gateway at
 * least. */
#ifndef FK_COST_HISTORY_H
#define FK_COST_HISTORY_H

#include "cost/recorded.h"

#include <stdio.h>

/* True where the text is the beginning of a history. */
bool fk_history_is(const char *text);

/* Line by line; O(open connections) of memory. USAGE: it is no history, or a line of it is not what it should be (it
 * is named); IO; NOMEM. */
enum fk_err fk_history_read(FILE *file, struct fk_recorded *recorded, struct fk_diag *diag);

#endif
