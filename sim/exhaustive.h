// SPDX-License-Identifier: Apache-2.0
/* Every single fault at every call of every scenario. */
#ifndef SIM_EXHAUSTIVE_H
#define SIM_EXHAUSTIVE_H

#include "sim/campaign.h"

struct sim_exhaustive;

/* Runs each scenario (or the one given) once without faults, and lists what can go wrong in it. `settings` as for
 * sim_options_draw, checked before. */
struct sim_exhaustive *sim_exhaustive_new(const struct sim_scenario *only, const char *settings);
void sim_exhaustive_free(struct sim_exhaustive *all);
uint64_t sim_exhaustive_count(const struct sim_exhaustive *all);
uint64_t sim_exhaustive_scenarios(const struct sim_exhaustive *all);
/* A sim_case_fn; the context is the list. */
void sim_exhaustive_case(void *context, uint64_t index, struct sim_case *one);

#endif
