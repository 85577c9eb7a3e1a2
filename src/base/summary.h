// SPDX-License-Identifier: Apache-2.0
/* How a number is spread: count, sum, least, largest, and quantiles from buckets that are at most 1/16 wide. What
 * ZooKeeper's metrics call a summary. */
#ifndef FK_BASE_SUMMARY_H
#define FK_BASE_SUMMARY_H

#include <stdint.h>

enum {
    FK_SUMMARY_EXACT = 32,             /* values below have a bucket each */
    FK_SUMMARY_BUCKETS = 32 + 16 * 16, /* up to 2^21; what is larger counts with the last */
};

/* Zeroed, it is empty. */
struct fk_summary {
    int64_t count;
    int64_t sum;
    int64_t min; /* 0 while empty */
    int64_t max;
    int64_t buckets[FK_SUMMARY_BUCKETS];
};

/* Negative values count as 0. */
void fk_summary_add(struct fk_summary *summary, int64_t value);

/* The value that `per_mille` of 1000 values do not exceed, rounded up to the end of its bucket; 0 while empty. */
int64_t fk_summary_quantile(const struct fk_summary *summary, int64_t per_mille);

double fk_summary_average(const struct fk_summary *summary);

#endif
