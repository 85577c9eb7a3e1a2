// SPDX-License-Identifier: Apache-2.0
/* The records of the tree and of sessions, as values: views into memory that somebody else owns. What they mean is
 * ZooKeeper's DataNode and StatPersisted; `created_children` is the parent's internal cversion, which counts the
 * creates ever done under it and gives sequence numbers. */
#ifndef FK_MODEL_NODE_H
#define FK_MODEL_NODE_H

#include "base/limits.h"
#include "wire/records.h"

struct fk_node {
    struct fk_bytes path;
    struct fk_bytes data; /* null is a value of its own: clients see length -1 */
    struct fk_bytes acl;  /* encoded vector<ACL> */
    int64_t czxid;
    int64_t mzxid;
    int64_t pzxid; /* last create or delete of a direct child */
    int64_t ctime_ms;
    int64_t mtime_ms;
    int64_t ephemeral_owner; /* session id, or 0 */
    int32_t version;
    int32_t aversion;
    int32_t created_children;
    int32_t num_children;
};

struct fk_session {
    int64_t id; /* never 0 */
    int32_t timeout_ms;
    uint8_t password[FK_PASSWORD_SIZE];
};

/* What clients see. cversion = 2 * creates - children, that is creates + deletes (DataNode.copyStat). */
static inline void fk_node_stat(const struct fk_node *node, struct fk_stat *stat)
{
    *stat = (struct fk_stat){
        .czxid = node->czxid,
        .mzxid = node->mzxid,
        .ctime_ms = node->ctime_ms,
        .mtime_ms = node->mtime_ms,
        .version = node->version,
        .cversion = (int32_t)(2 * (uint32_t)node->created_children - (uint32_t)node->num_children),
        .aversion = node->aversion,
        .ephemeral_owner = node->ephemeral_owner,
        .data_length = (int32_t)node->data.size,
        .num_children = node->num_children,
        .pzxid = node->pzxid,
    };
}

#endif
