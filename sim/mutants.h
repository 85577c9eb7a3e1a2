// SPDX-License-Identifier: Apache-2.0
/* Does the simulator find the seeded design bugs? Each of them is switched on for seeds until one of them fails, and
 * that seed has to hold without it. */
#ifndef SIM_MUTANTS_H
#define SIM_MUTANTS_H

#include "base/mutant.h"
#include "sim/campaign.h"

/* Those of the local engine: faaskeeper-sim-local finds them. */
enum {
    SIM_MUTANT_ENGINE_FIRST = FK_MUTANT_REPLAY_OFF_BY_ONE,
    SIM_MUTANT_ENGINE_LAST = FK_MUTANT_REFUSAL_CHANGES,
};

struct sim_mutants_options {
    uint64_t first;       /* seed */
    uint64_t seeds_max;   /* for each, where the table does not say less */
    int jobs;             /* processes */
    const char *settings; /* behind those that the table gives a mutant; NULL: none */
    const char *only;     /* one mutant; NULL: all */
};

struct sim_mutants_sums {
    uint64_t found;
    uint64_t missed;
    uint64_t covered; /* expected to survive, and not tried */
};

void sim_mutants_list(void);
/* By name or number; false, with a line on stderr, where there is none, or this build has none. */
bool sim_mutant_choose(const char *name);
/* Prints a table: each mutant with the seed that found it and the promise that was broken. */
void sim_mutants_run(const struct sim_mutants_options *options, struct sim_mutants_sums *sums);

#endif
