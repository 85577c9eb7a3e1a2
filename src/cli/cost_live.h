// SPDX-License-Identifier: Apache-2.0
/* faaskeeper cost live: what a running server would have cost on AWS, from its admin port. */
#ifndef FK_CLI_COST_LIVE_H
#define FK_CLI_COST_LIVE_H

#include "cost/ensemble.h"
#include "cost/live.h"

#include <stdio.h>

enum {
    FK_COST_LIVE_SESSIONS_MAX = 64, /* that are read of an answer */
};

struct fk_cost_live_session {
    int64_t id;
    int64_t operations;
    struct fk_cost_use use;
};

/* What a server has answered. */
struct fk_cost_live_answer {
    bool pipeline;
    bool tcp;
    struct fk_recorded since_start;
    struct fk_recorded last_hour;
    struct fk_cost_live_session sessions[FK_COST_LIVE_SESSIONS_MAX]; /* those that cost most */
    size_t session_count;
};

/* Reads the body of an answer of GET /commands/cost. USAGE: it is none; diag says what is there instead. */
enum fk_err fk_cost_live_read(struct fk_bytes body, struct fk_cost_live_answer *answer, struct fk_diag *diag);

struct fk_cost_live_view {
    const char *address;
    const struct fk_cost_live_answer *answer;
    struct fk_live live; /* with the prices that were asked for */
    struct fk_ensemble ensemble;
    bool since_start; /* else the last hour */
    bool sessions;
};

/* The aligned tables; one JSON document. IO, NOMEM. */
enum fk_err fk_cost_live_print(const struct fk_cost_live_view *view, FILE *out);
enum fk_err fk_cost_live_print_json(const struct fk_cost_live_view *view, FILE *out);

/* What the ensemble costs in a month with the requests of a run. */
void fk_cost_live_ensemble(const struct fk_cost_live_view *view, const struct fk_recorded *recorded,
                           struct fk_bill *bill);

#endif
