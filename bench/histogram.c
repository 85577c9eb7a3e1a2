// SPDX-License-Identifier: Apache-2.0
#include "histogram.h"

/* The middle of the range of values that a bucket holds. */
static double bucket_middle_ns(unsigned index)
{
    if (index < HISTOGRAM_STEPS) {
        return (double)index;
    }
    unsigned shift = (index >> HISTOGRAM_STEP_BITS) - 1;
    uint64_t low = (uint64_t)(index - (shift << HISTOGRAM_STEP_BITS)) << shift;
    return (double)low + (double)(UINT64_C(1) << shift) / 2.0;
}

double histogram_quantile_us(const struct histogram *histogram, double quantile)
{
    uint64_t rank = (uint64_t)(quantile * (double)histogram->count);
    uint64_t passed = 0;
    for (unsigned index = 0; index < HISTOGRAM_BUCKETS; index++) {
        passed += histogram->buckets[index];
        if (passed > rank) {
            return bucket_middle_ns(index) / 1000.0;
        }
    }
    return (double)histogram->max_ns / 1000.0;
}
