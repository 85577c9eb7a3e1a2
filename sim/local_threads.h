// SPDX-License-Identifier: Apache-2.0
/* The engine's threads as tasks of the simulated process. */
#ifndef SIM_LOCAL_THREADS_H
#define SIM_LOCAL_THREADS_H

#include "driver/local/threads.h"
#include "sim/world.h"

/* Taken by the engine. */
struct fk_threads *sim_threads_new(struct sim_process *process);

#endif
