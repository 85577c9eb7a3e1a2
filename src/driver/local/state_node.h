// SPDX-License-Identifier: Apache-2.0
/* The native node, session and ACL of the local state: what state.c and state_change.c share. */
#ifndef FK_DRIVER_LOCAL_STATE_NODE_H
#define FK_DRIVER_LOCAL_STATE_NODE_H

#include "driver/local/state.h"

/* An access control list, shared by all nodes that have it. */
struct fk_state_acl {
    struct fk_map_entry entry;
    size_t references;
    size_t size;
    uint8_t bytes[];
};

struct fk_state_session {
    struct fk_map_entry entry;
    struct fk_list ephemerals; /* nodes of both views */
    struct fk_session session;
    bool visible; /* created in the visible view */
    bool ended;   /* gone in the accepted view */
};

/* A node; `pending` is its newest record that is accepted and not visible. A path that was deleted and created again
 * within what is pending has two of them. */
struct fk_state_node {
    struct fk_map_entry entry;
    struct fk_state_node *parent; /* NULL: the root; it outlives its children */
    struct fk_list siblings;      /* in the parent's children */
    bool visible;
    uint32_t path_size;
    uint32_t data_size;
    uint32_t name_offset;         /* of the last component in path */
    const uint8_t *data;          /* NULL: null data; owned unless empty */
    struct fk_state_acl *acl;     /* NULL: the open ACL */
    const struct fk_put *pending; /* NULL: none */
    struct fk_list children;
    struct fk_list owned; /* in the owner's ephemerals, or in the state's swept; points to itself otherwise */
    int64_t czxid;
    int64_t mzxid;
    int64_t pzxid;
    int64_t ctime_ms;
    int64_t mtime_ms;
    int64_t ephemeral_owner;
    int32_t version;
    int32_t aversion;
    int32_t created_children;
    int32_t num_children;
    int64_t descendants; /* visible nodes below it */
    uint8_t path[];
};

/* The accepted view has one more node with this path (sign 1), or one less (-1): limits of quotas are counted. */
void fk_state_count_limits(struct fk_state *state, struct fk_bytes path, int sign);

/* The node became visible (sign 1), or is no more (-1): its ancestors count it. */
void fk_state_count_descendant(struct fk_state_node *node, int64_t sign);

struct fk_state_node *fk_state_find(struct fk_state *state, enum fk_view view, struct fk_bytes path);
struct fk_state_session *fk_state_find_session(struct fk_state *state, int64_t id);

/* A node that is linked to its parent, its owner and the map, not visible. DAMAGED where one of them is missing; NOMEM.
 */
enum fk_err fk_state_node_new(struct fk_state *state, const struct fk_node *record, struct fk_state_node **node);
/* Unlinks and frees. */
void fk_state_node_free(struct fk_state *state, struct fk_state_node *node);

/* A copy of node data: NULL for null, a static byte for empty data; false without memory. */
bool fk_state_data_copy(struct fk_bytes data, const uint8_t **copy);
void fk_state_data_free(const uint8_t *data, size_t size);

/* The shared list equal to these bytes; NULL for the open ACL. false without memory. */
bool fk_state_acl_acquire(struct fk_state *state, struct fk_bytes bytes, struct fk_state_acl **acl);
void fk_state_acl_release(struct fk_state *state, struct fk_state_acl *acl);

static inline struct fk_bytes fk_state_acl_view(const struct fk_state_acl *acl)
{
    return acl == NULL ? FK_ACL_OPEN : fk_bytes_of(acl->bytes, acl->size);
}

/* The session is the state's own copy; NOMEM, EXISTS. */
enum fk_err fk_state_session_new(struct fk_state *state, const struct fk_session *record,
                                 struct fk_state_session **session);
void fk_state_session_free(struct fk_state *state, struct fk_state_session *session);

#endif
