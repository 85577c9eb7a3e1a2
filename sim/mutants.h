// SPDX-License-Identifier: Apache-2.0
/* Does the simulator find the seeded design bugs? Each of them is switched on for seeds until one of them fails. */
#ifndef SIM_MUTANTS_H
#define SIM_MUTANTS_H

#include "sim/campaign.h"

void sim_mutants_list(void);
/* By name or number; false, with a line on stderr, where there is none, or this build has none. */
bool sim_mutant_choose(const char *name);
/* Prints a table: each mutant with the seed that found it. `campaign` says which seeds, and how many processes. Returns
 * how many were not found. */
uint64_t sim_mutants_run(struct sim_campaign_options *campaign, uint64_t *found);

#endif
