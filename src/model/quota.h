// SPDX-License-Identifier: Apache-2.0
/* Quotas as ZooKeeper keeps them, in the tree: /zookeeper/quota<path>/zookeeper_limits says what the tree under <path>
 * may have, zookeeper_stats beside it what it has. A node counts for the deepest quota above it only, and for itself.
 * Sources: Quotas, StatsTrack, DataTree.updateQuotaStat, ZooKeeperServer.checkQuota. */
#ifndef FK_MODEL_QUOTA_H
#define FK_MODEL_QUOTA_H

#include "base/buf.h"
#include "base/bytes.h"

#define FK_QUOTA_ROOT   "/zookeeper/quota"
#define FK_QUOTA_LIMITS "/zookeeper_limits"
#define FK_QUOTA_STATS  "/zookeeper_stats"

/* The text of a limits or stats node; -1: not there. */
struct fk_quota_text {
    int64_t count;
    int64_t bytes;
    int64_t count_hard;
    int64_t bytes_hard;
};

/* Nodes and bytes of data of a tree. */
struct fk_extent {
    int64_t count;
    int64_t bytes;
};

/* "count=N,bytes=N", with hard limits "count=N,bytes=N=;byteHardLimit=N;countHardLimit=N"; other keys are passed over.
 * False where ZooKeeper's parser throws. */
bool fk_quota_parse(struct fk_bytes text, struct fk_quota_text *quota);

/* Appends the text of a stats node. */
void fk_quota_write_stats(struct fk_buf *buf, const struct fk_extent *extent);

/* The path whose limits, or stats, the node `path` holds; false where it is no such node. */
bool fk_quota_of_limits(struct fk_bytes path, struct fk_bytes *target);
bool fk_quota_of_stats(struct fk_bytes path, struct fk_bytes *target);

#endif
