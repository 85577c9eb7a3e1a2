// SPDX-License-Identifier: Apache-2.0
/* What the model of latencies and the decorators share. */
#ifndef SIM_LATENCY_INTERNAL_H
#define SIM_LATENCY_INTERNAL_H

#include "sim/latency.h"

enum {
    SIM_LATENCY_POINTS = 12,
    SIM_LATENCY_SIZES = 8,
    SIM_LATENCY_PARTITIONS = 64,
};

struct sim_latency_series {
    size_t count;
    size_t sizes[SIM_LATENCY_SIZES];
    double ms[SIM_LATENCY_SIZES][SIM_LATENCY_POINTS];
};

/* Units that a partition has now; below 0 they are owed by callers that wait. */
struct sim_latency_bucket {
    double units;
    int64_t at_ns;
};

struct sim_latency {
    struct sim_latency_series series[SIM_LATENCY_KINDS];
    struct sim_latency_options options;
    struct sim_world *world;
    struct sim_latency_bucket writes[SIM_LATENCY_PARTITIONS];
    struct sim_latency_bucket reads[SIM_LATENCY_PARTITIONS];
    int64_t letter_ns; /* when the newest message over TCP arrives: none overtakes another */
    struct sim_latency_counts counts;
};

#endif
