// SPDX-License-Identifier: Apache-2.0
/* The store port: records with a key, and one conditional commit. The only way to the tree's state.
 *
 * Two views. ACCEPTED is the state after the newest commit, which writers plan against; VISIBLE is what clients may
 * see: everything in it is durable. Views that a call returns point into the arena or into the store, and are valid
 * until the next commit or step of the store, whichever is first. */
#ifndef FK_PORT_STORE_H
#define FK_PORT_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/change.h"
#include "model/quota.h"

enum fk_view {
    FK_VIEW_ACCEPTED,
    FK_VIEW_VISIBLE,
};

enum fk_list_kind {
    FK_LIST_CHILDREN,   /* names of the children of a path */
    FK_LIST_EPHEMERALS, /* paths of the ephemeral nodes of a session */
};

/* What to list; `path` for children, `session_id` for ephemerals. */
struct fk_list_key {
    enum fk_list_kind kind;
    struct fk_bytes path;
    int64_t session_id;
};

/* A page of a list: names in the arena. `more` is set where another page follows; `cursor` belongs to the store. */
struct fk_page {
    struct fk_bytes *names;
    size_t count;
    bool more;
    uint64_t cursor;
};

struct fk_store_counts {
    int64_t nodes;
    int64_t ephemerals;
    int64_t sessions;
    int64_t data_size; /* bytes of paths and data */
};

struct fk_store;

struct fk_store_ops {
    const char *name;
    /* The zxid of the last change in the view. */
    int64_t (*zxid)(struct fk_store *store, enum fk_view view);
    /* Reads `count` records, each strongly consistent, no snapshot over them. A record that does not exist has
     * path.data == NULL. Errors: NOMEM, and what the network gives. */
    enum fk_err (*get_many)(struct fk_store *store, enum fk_view view, const struct fk_bytes *paths, size_t count,
                            struct fk_arena *arena, struct fk_node *nodes);
    /* Reads one session record; FK_ERR_NOT_FOUND. */
    enum fk_err (*get_session)(struct fk_store *store, enum fk_view view, int64_t id, struct fk_session *session);
    /* One page of a list, in the store's own order; a zeroed page starts. A path that does not exist has no children.
     * Errors: NOMEM, and what the network gives. */
    enum fk_err (*list)(struct fk_store *store, enum fk_view view, const struct fk_list_key *key,
                        struct fk_arena *arena, struct fk_page *page);
    /* Counts the visible nodes below a path, at any depth; 0 where there is no node. Takes no time that depends on the
     * number; or TOO_LARGE where it is too many to count. Errors: NOMEM, and what the network gives. */
    enum fk_err (*descendants)(struct fk_store *store, struct fk_bytes path, int64_t *count);
    /* Whether the accepted view has limits of quotas (zookeeper_limits nodes), in constant time; NULL: quotas are not
     * kept here. */
    bool (*has_quotas)(struct fk_store *store);
    /* What is under a path in the accepted view, the node itself included; nothing where there is none. With
     * has_quotas. */
    enum fk_err (*measure)(struct fk_store *store, struct fk_bytes path, struct fk_extent *extent);
    /* Applies the changes if the store's accepted zxid is `expected_zxid`: all of them or none. Their zxids are dense
     * from expected_zxid + 1; the times in the records of a change are the change's. All views are borrowed for the
     * call.
     *
     * OK         accepted, in order, and durable before anything that names its zxids leaves
     * REFUSED    the condition failed; nothing applied: read again and plan again
     * BUSY       nothing applied; retry after a pause
     * FULL       no space; nothing applied
     * TOO_LARGE  a change is more than the store takes at once; nothing applied
     * NOMEM      nothing applied
     * UNKNOWN    the deadline passed; may have been applied, now or later: reload, never assume */
    enum fk_err (*commit)(struct fk_store *store, const struct fk_change *changes, size_t count, int64_t expected_zxid);
    /* Numbers of the visible state, in constant time. */
    void (*counts)(struct fk_store *store, struct fk_store_counts *counts);
    void (*free)(struct fk_store *store);
};

/* Drivers put this first in their struct. */
struct fk_store {
    const struct fk_store_ops *ops;
};

static inline int64_t fk_store_zxid(struct fk_store *store, enum fk_view view)
{
    return store->ops->zxid(store, view);
}

static inline enum fk_err fk_store_get(struct fk_store *store, enum fk_view view, struct fk_bytes path,
                                       struct fk_arena *arena, struct fk_node *node)
{
    return store->ops->get_many(store, view, &path, 1, arena, node);
}

static inline enum fk_err fk_store_get_many(struct fk_store *store, enum fk_view view, const struct fk_bytes *paths,
                                            size_t count, struct fk_arena *arena, struct fk_node *nodes)
{
    return store->ops->get_many(store, view, paths, count, arena, nodes);
}

static inline enum fk_err fk_store_get_session(struct fk_store *store, enum fk_view view, int64_t id,
                                               struct fk_session *session)
{
    return store->ops->get_session(store, view, id, session);
}

static inline enum fk_err fk_store_list(struct fk_store *store, enum fk_view view, const struct fk_list_key *key,
                                        struct fk_arena *arena, struct fk_page *page)
{
    return store->ops->list(store, view, key, arena, page);
}

static inline enum fk_err fk_store_descendants(struct fk_store *store, struct fk_bytes path, int64_t *count)
{
    return store->ops->descendants(store, path, count);
}

static inline bool fk_store_has_quotas(struct fk_store *store)
{
    return store->ops->has_quotas != NULL && store->ops->has_quotas(store);
}

static inline enum fk_err fk_store_measure(struct fk_store *store, struct fk_bytes path, struct fk_extent *extent)
{
    return store->ops->measure(store, path, extent);
}

static inline enum fk_err fk_store_commit(struct fk_store *store, const struct fk_change *changes, size_t count,
                                          int64_t expected_zxid)
{
    return store->ops->commit(store, changes, count, expected_zxid);
}

static inline void fk_store_counts(struct fk_store *store, struct fk_store_counts *counts)
{
    store->ops->counts(store, counts);
}

static inline void fk_store_free(struct fk_store *store)
{
    if (store != NULL) {
        store->ops->free(store);
    }
}

#endif
