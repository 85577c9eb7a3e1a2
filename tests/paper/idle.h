// SPDX-License-Identifier: Apache-2.0
/* What a deployment uses while nobody asks for anything: measured over the meters of tests/units. */
#ifndef FK_TESTS_PAPER_IDLE_H
#define FK_TESTS_PAPER_IDLE_H

#include "cost/units.h"

enum {
    IDLE_CLIENTS_MAX = 64,
    IDLE_DAY_S = 24 * 3600,
};

struct idle {
    struct fk_cost_use renewals; /* what the gateway used, in measured_s */
    struct fk_cost_use sweeps;   /* what the calls of the heartbeat function did meanwhile, one a minute */
    int64_t measured_s;
    bool rests; /* a sweep after the gateway's end found nobody: the schedule is switched off */
};

/* One gateway with `clients` sessions that only ping. */
void idle_measure(int clients, struct idle *idle);

#endif
