// SPDX-License-Identifier: Apache-2.0
/* A FIFO queue that triggers a function, with the times of an event source mapping: the first message of an idle group
 * waits for the trigger; then one invocation of the group follows the other, each after the messages before it are
 * deleted. Nothing fails. */
#ifndef SIM_LATENCY_HOST_H
#define SIM_LATENCY_HOST_H

#include "sim/function_host.h"
#include "sim/latency.h"

struct sim_latency_host;

/* What the host did since `reset`. */
struct sim_latency_host_counts {
    uint64_t invocations;
    uint64_t messages;
    int64_t busy_ns; /* inside functions */
    int64_t hop_ns;  /* from when a message could be had until the function ran, of each batch */
};

/* Memory of the world; `latency` is attached to the cloud. batch_max and visibility_ms of the options do not matter. */
struct sim_latency_host *sim_latency_host_new(struct sim_world *world, const struct sim_latency *latency,
                                              const struct sim_latency_options *latencies,
                                              const struct sim_function_host_options *options);
struct sim_latency_host_counts sim_latency_host_counts(const struct sim_latency_host *host);
void sim_latency_host_reset(struct sim_latency_host *host);

#endif
