// SPDX-License-Identifier: Apache-2.0
/*
 * A log-linear histogram of durations in nanoseconds: 64 steps per power of two, so a reported value is within 0.8 %
 * of the true one. Fixed size, no allocation; one thread.
 */
#ifndef FAASKEEPER_BENCH_HISTOGRAM_H
#define FAASKEEPER_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 6,
    HISTOGRAM_STEPS = 1 << HISTOGRAM_STEP_BITS,
    HISTOGRAM_BUCKETS = (64 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS,
};

struct histogram {
    uint64_t count;
    uint64_t sum_ns;
    uint64_t max_ns;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_index(uint64_t value_ns)
{
    if (value_ns < HISTOGRAM_STEPS) {
        return (unsigned)value_ns;
    }
    unsigned shift = 63U - (unsigned)__builtin_clzll(value_ns) - HISTOGRAM_STEP_BITS;
    return (shift << HISTOGRAM_STEP_BITS) + (unsigned)(value_ns >> shift);
}

/* A negative duration counts as 0. */
static inline void histogram_add(struct histogram *histogram, int64_t duration_ns)
{
    uint64_t value_ns = duration_ns < 0 ? 0 : (uint64_t)duration_ns;
    histogram->count++;
    histogram->sum_ns += value_ns;
    if (value_ns > histogram->max_ns) {
        histogram->max_ns = value_ns;
    }
    histogram->buckets[histogram_index(value_ns)]++;
}

/* The value that the share quantile (0..1) of the samples does not exceed, in microseconds; 0 when empty. */
double histogram_quantile_us(const struct histogram *histogram, double quantile);

#endif
