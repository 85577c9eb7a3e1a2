// SPDX-License-Identifier: Apache-2.0
#include "sim/latency_samples.h"

#include "base/assert.h"
#include "sim/own.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SAMPLES_MAX = 100000,
};

struct sim_samples sim_samples_new(void)
{
    return (struct sim_samples){.ns = (int64_t *)sim_own_take(SAMPLES_MAX * sizeof(int64_t))};
}

void sim_samples_take(struct sim_samples *samples, int64_t ns)
{
    if (samples->count < SAMPLES_MAX) {
        samples->ns[samples->count++] = ns;
    }
}

static int compare(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static double sorted_percentile(const struct sim_samples *samples, double part)
{
    size_t at = (size_t)(part * (double)(samples->count - 1));
    return (double)samples->ns[at] / (double)SIM_MS;
}

static void sort(struct sim_samples *samples)
{
    FK_ASSERT(samples->count > 0);
    qsort(samples->ns, samples->count, sizeof *samples->ns, compare);
}

double sim_samples_percentile(struct sim_samples *samples, double part)
{
    sort(samples);
    return sorted_percentile(samples, part);
}

void sim_samples_row(struct sim_samples *samples, const char *name, struct sim_bench_row *row)
{
    sort(samples);
    *row = (struct sim_bench_row){.count = samples->count,
                                  .p50 = sorted_percentile(samples, 0.5),
                                  .p90 = sorted_percentile(samples, 0.9),
                                  .p99 = sorted_percentile(samples, 0.99)};
    (void)snprintf(row->name, sizeof row->name, "%s", name);
    samples->count = 0;
}
