// SPDX-License-Identifier: Apache-2.0
/* The records of the tree and of sessions, as values: views into memory that somebody else owns. What they mean is
 * ZooKeeper's DataNode and StatPersisted; `created_children` is the parent's internal cversion, which counts the
 * creates ever done under it and gives sequence numbers.
 *
 * A node's owner is 0, the session whose end removes it (ephemerals), or not a session at all but the mark of a
 * container or of a TTL node, which sweeps remove (EphemeralType). */
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
    int64_t ephemeral_owner; /* 0, a session, or a mark: fk_owner_... */
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

#define FK_OWNER_CONTAINER INT64_MIN
#define FK_TTL_MS_MAX      INT64_C(0xffffffffff)

/* The owner of a node with a TTL, which is 1 to FK_TTL_MS_MAX: top byte 0xff, the TTL in the low five. */
static inline int64_t fk_owner_of_ttl(int64_t ttl_ms)
{
    return (int64_t)(UINT64_C(0xff) << 56 | (uint64_t)ttl_ms);
}

/* The TTL of a TTL node; 0 for all others. */
static inline int64_t fk_owner_ttl_ms(int64_t owner)
{
    return (uint64_t)owner >> 40 == 0xff0000 ? owner & FK_TTL_MS_MAX : 0;
}

/* The session that the node ends with, or 0. */
static inline int64_t fk_owner_session(int64_t owner)
{
    return owner == FK_OWNER_CONTAINER || fk_owner_ttl_ms(owner) > 0 ? 0 : owner;
}

/* Whether a sweep may remove the node: a container that had children and has none, or a TTL node without children whose
 * data is as old as its TTL. A container that was never used may have been made a moment ago: it is kept, or goes once
 * its data is as old as `never_used_ms`, where that is not 0. */
static inline bool fk_node_due_at_age(const struct fk_node *node, int64_t age_ms, int64_t never_used_ms)
{
    int64_t ttl_ms = fk_owner_ttl_ms(node->ephemeral_owner);
    if (node->num_children > 0) {
        return false;
    }
    if (ttl_ms > 0) {
        return age_ms >= ttl_ms;
    }
    bool used = node->created_children != 0;
    return node->ephemeral_owner == FK_OWNER_CONTAINER && (used || (never_used_ms > 0 && age_ms > never_used_ms));
}

static inline bool fk_node_due(const struct fk_node *node, int64_t now_ms, int64_t never_used_ms)
{
    return fk_node_due_at_age(node, now_ms - node->mtime_ms, never_used_ms);
}

/* What clients see: of owners, sessions only. cversion = 2 * creates - children, that is creates + deletes
 * (DataNode.copyStat). */
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
        .ephemeral_owner = fk_owner_session(node->ephemeral_owner),
        .data_length = (int32_t)node->data.size,
        .num_children = node->num_children,
        .pzxid = node->pzxid,
    };
}

#endif
