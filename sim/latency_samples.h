// SPDX-License-Identifier: Apache-2.0
/* Times that were measured, and their percentiles. */
#ifndef SIM_LATENCY_SAMPLES_H
#define SIM_LATENCY_SAMPLES_H

#include "sim/latency_bench.h"

#include <stddef.h>
#include <stdint.h>

struct sim_samples {
    int64_t *ns; /* of the world; sim_own_free before its end */
    size_t count;
};

struct sim_samples sim_samples_new(void);
/* What is beyond 100 000 is not kept. */
void sim_samples_take(struct sim_samples *samples, int64_t ns);
/* Milliseconds; 0 < part < 1. Sorts; at least one sample. */
double sim_samples_percentile(struct sim_samples *samples, double part);
/* Empties the samples. */
void sim_samples_row(struct sim_samples *samples, const char *name, struct sim_bench_row *row);

#endif
