// SPDX-License-Identifier: Apache-2.0
/* Every single fault at every call of short scenarios of the local stack. */
#ifndef SIM_LOCAL_EXHAUST_H
#define SIM_LOCAL_EXHAUST_H

#include "sim/local_run.h"

struct sim_local_scenario {
    const char *name;
    const char *before; /* a plan that always happens, so that the fault meets a recovery; or NULL */
    uint64_t seed;
    struct sim_local_options options;
};

size_t sim_local_scenarios(void);
const struct sim_local_scenario *sim_local_scenario(size_t index);

struct sim_local_exhausted {
    uint64_t runs;
    uint64_t failed;
    uint64_t calls; /* at which faults were tried */
};

/* Runs them all for one scenario; each `step`th call only (1: all). `report` is told of each violation and its plan. */
void sim_local_exhaust(const struct sim_local_scenario *scenario, uint64_t step, struct sim_coverage *coverage,
                       void (*report)(const struct sim_local_scenario *scenario, const struct sim_local_result *result),
                       struct sim_local_exhausted *sum);

/* Refuses each `step`th request for memory in turn, one in each run; `calls` counts the requests. */
void sim_local_starve(const struct sim_local_scenario *scenario, uint64_t step,
                      void (*report)(const struct sim_local_scenario *scenario, const struct sim_local_result *result),
                      struct sim_local_exhausted *sum);

#endif
