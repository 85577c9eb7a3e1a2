// SPDX-License-Identifier: Apache-2.0
/* Runs functions as the cloud does: batches of a FIFO queue, at most 10 messages of one group, one invocation per group
 * at a time as long as no fault repeats it, each in a process of its own; what it decided is deleted, the rest
 * returned. A second kind of host runs the sweeps on a schedule. */
#ifndef SIM_FUNCTION_HOST_H
#define SIM_FUNCTION_HOST_H

#include "function/sweep.h"
#include "sim/ports.h"

typedef enum fk_err (*sim_function_fn)(const struct fk_cloud_options *options, const struct fk_ports *ports,
                                       const struct fk_bytes *messages, size_t count, size_t *done);
typedef enum fk_err (*sim_sweep_fn)(const struct fk_cloud_options *options, const struct fk_ports *ports,
                                    struct fk_sweep_result *result);

struct sim_function_host;

struct sim_function_host_options {
    struct sim_cloud *cloud;
    enum sim_queue queue;
    enum sim_role role;
    const struct fk_cloud_options *options; /* borrowed, as the ports */
    sim_function_fn run;
    int64_t visibility_ms;
    size_t batch_max;
};

/* Memory of the world. */
struct sim_function_host *sim_function_host_new(struct sim_world *world,
                                                const struct sim_function_host_options *options);
/* Nothing is queued, and nothing runs. */
bool sim_function_host_idle(const struct sim_function_host *host);
uint64_t sim_function_host_invocations(const struct sim_function_host *host);

/* Sweeps each period, from one period on. */
struct sim_sweep_host;
struct sim_sweep_host *sim_sweep_host_new(struct sim_world *world, struct sim_cloud *cloud,
                                          const struct fk_cloud_options *options, sim_sweep_fn run, int64_t period_ms);

/* Gives a process that starts the clock that the plan has for it. */
void sim_start_clock(struct sim_process *process, const struct sim_fault *fault);

#endif
