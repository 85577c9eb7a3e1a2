// SPDX-License-Identifier: Apache-2.0
/* Memory of what stands outside of the simulated processes (the network, clients): never refused, not gone when a
 * process is killed, freed with the world at the latest. */
#ifndef SIM_OWN_H
#define SIM_OWN_H

#include <stddef.h>

/* Zeroed; the simulator ends where the machine has none left. */
void *sim_own_take(size_t size);
/* What is new is not zeroed. */
void *sim_own_grow(void *block, size_t size);
void sim_own_free(void *block);

#define SIM_OWN_NEW(type) ((type *)sim_own_take(sizeof(type)))

#endif
