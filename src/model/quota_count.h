// SPDX-License-Identifier: Apache-2.0
/* How often hard quotas refused a write, by namespace (the first component of the quota's path): ZooKeeper's metric
 * quota_exceeded_error_per_namespace. */
#ifndef FK_MODEL_QUOTA_COUNT_H
#define FK_MODEL_QUOTA_COUNT_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/limits.h"

#include <stdint.h>

struct fk_quota_count {
    char name[FK_QUOTA_NAMESPACE_SIZE_MAX + 1];
    int64_t count;
};

/* Zeroed: nothing counted. */
struct fk_quota_counts {
    struct fk_quota_count items[FK_QUOTA_NAMESPACES_MAX];
    size_t size;
};

/* A namespace beyond the bounds is not counted. */
void fk_quota_count(struct fk_quota_counts *counts, struct fk_bytes path);

/* Appends a line of `mntr` for each namespace. */
void fk_quota_counts_print(const struct fk_quota_counts *counts, struct fk_buf *out);

#endif
