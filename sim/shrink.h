// SPDX-License-Identifier: Apache-2.0
/* Makes a failing run small: fewer faults, fewer clients, fewer actions, as long as the same promise is broken. */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "sim/run.h"

/* `options` and `plan` describe a run that breaks `promise`; both are made smaller, for at most `seconds`. `runs` says
 * how many tries it took. Each try is a process of its own. False where the plan alone does not break it. */
bool sim_shrink(struct sim_options *options, const struct sim_scenario *scenario, struct sim_plan *plan,
                const char *promise, int64_t seconds, uint64_t *runs);

#endif
