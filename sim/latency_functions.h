// SPDX-License-Identifier: Apache-2.0
/* How long functions run for a write, as data: src/cost/units_durations.inc. */
#ifndef SIM_LATENCY_FUNCTIONS_H
#define SIM_LATENCY_FUNCTIONS_H

#include "sim/latency_bench.h"

enum {
    SIM_FUNCTION_SIZES = 5,
};

/* Means of one invocation, of the writer and the distributor alike, for a setData of `size` bytes at a time. */
struct sim_function_time {
    size_t size;
    double mean_ms;
};

void sim_bench_functions(const struct sim_bench_options *options, struct sim_function_time times[SIM_FUNCTION_SIZES]);

/* A strongly consistent read of one small item, on average: what the heartbeat's calls take, one after the other. */
double sim_bench_read_ms(const struct sim_bench_options *options);

#endif
