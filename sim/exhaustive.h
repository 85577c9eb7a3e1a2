// SPDX-License-Identifier: Apache-2.0
/* Exhaustive modes over the scenarios: every single fault at every call, every pair of them, and every schedule with up
 * to two preemptions (a task that stands still at a call while the others go on). */
#ifndef SIM_EXHAUSTIVE_H
#define SIM_EXHAUSTIVE_H

#include "sim/campaign.h"

struct sim_exhaustive;

enum sim_exhaustive_kind {
    SIM_SINGLE_FAULTS, /* of all scenarios */
    SIM_PAIRS,         /* of small scenarios */
    SIM_INTERLEAVINGS, /* of races: one or two delays */
};

/* Runs each scenario of the kind (or the one given) once without faults, and lists what can go wrong in it. `settings`
 * as for sim_options_draw, checked before. */
struct sim_exhaustive *sim_exhaustive_new(enum sim_exhaustive_kind kind, const struct sim_scenario *only,
                                          const char *settings);
void sim_exhaustive_free(struct sim_exhaustive *all);
uint64_t sim_exhaustive_count(const struct sim_exhaustive *all);
uint64_t sim_exhaustive_scenarios(const struct sim_exhaustive *all);
/* A sim_case_fn; the context is the list. */
void sim_exhaustive_case(void *context, uint64_t index, struct sim_case *one);

#endif
