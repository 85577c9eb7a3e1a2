// SPDX-License-Identifier: Apache-2.0
#include "base/summary.h"

#include <stddef.h>

enum {
    HALF = FK_SUMMARY_EXACT / 2, /* buckets of one power of two */
};

static size_t bucket_of(int64_t value)
{
    if (value < FK_SUMMARY_EXACT) {
        return (size_t)value;
    }
    int shift = 63 - __builtin_clzll((uint64_t)value) - 4; /* leaves the five highest bits: HALF to 2 HALF - 1 */
    size_t bucket = (size_t)shift * HALF + (size_t)(value >> shift);
    return bucket < FK_SUMMARY_BUCKETS ? bucket : FK_SUMMARY_BUCKETS - 1;
}

/* The largest value that falls into a bucket. */
static int64_t end_of(size_t bucket)
{
    if (bucket < FK_SUMMARY_EXACT) {
        return (int64_t)bucket;
    }
    size_t shift = bucket / HALF - 1;
    return (((int64_t)(bucket - shift * HALF) + 1) << shift) - 1;
}

void fk_summary_add(struct fk_summary *summary, int64_t value)
{
    value = value < 0 ? 0 : value;
    summary->min = summary->count == 0 || value < summary->min ? value : summary->min;
    summary->max = value > summary->max ? value : summary->max;
    summary->count++;
    summary->sum += value;
    summary->buckets[bucket_of(value)]++;
}

int64_t fk_summary_quantile(const struct fk_summary *summary, int64_t per_mille)
{
    int64_t wanted = (summary->count * per_mille + 999) / 1000;
    int64_t seen = 0;
    for (size_t i = 0; i < FK_SUMMARY_BUCKETS && summary->count > 0; i++) {
        seen += summary->buckets[i];
        if (seen >= wanted && seen > 0) {
            int64_t end = end_of(i);
            return i == FK_SUMMARY_BUCKETS - 1 || end > summary->max ? summary->max : end;
        }
    }
    return 0;
}

double fk_summary_average(const struct fk_summary *summary)
{
    return summary->count == 0 ? 0.0 : (double)summary->sum / (double)summary->count;
}
