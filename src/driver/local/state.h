// SPDX-License-Identifier: Apache-2.0
/* The tree in memory, in two views at once: VISIBLE, which readers see, and ACCEPTED, which writers plan against. A
 * change that is accepted waits in a list; the records it puts hang on the nodes they concern, so that one lookup
 * serves both views. Making the oldest change visible moves pointers, it copies no data.
 *
 * Used by one thread. Who makes a change visible when is the caller's affair (store.c: when it is durable). */
#ifndef FK_DRIVER_LOCAL_STATE_H
#define FK_DRIVER_LOCAL_STATE_H

#include "base/list.h"
#include "base/map.h"
#include "port/store.h"

struct fk_state {
    struct fk_map nodes;    /* of both views */
    struct fk_map sessions; /* of both views */
    struct fk_map acls;     /* interned lists */
    struct fk_list pending; /* accepted changes, oldest first */
    struct fk_list swept;   /* containers and TTL nodes of both views; the front is looked at next */
    size_t swept_count;
    size_t limits; /* zookeeper_limits nodes of the accepted view */
    int64_t accepted_zxid;
    int64_t visible_zxid;
    struct fk_store_counts counts; /* of the visible view */
};

/* A change between acceptance and visibility. */
struct fk_pending_change {
    struct fk_list link;
    int64_t position;        /* the log's end behind it; INT64_MAX until it has one */
    struct fk_change change; /* puts and what they point to are owned here */
};

/* An empty state without nodes. */
void fk_state_init(struct fk_state *state);
void fk_state_deinit(struct fk_state *state);

/* Adds a record that is visible from the start: loading a checkpoint, or a fresh tree. Parents first. DAMAGED where the
 * parent (or the owner) is missing or the path is there already; EXISTS for a session that is. */
enum fk_err fk_state_load_node(struct fk_state *state, const struct fk_node *node);
enum fk_err fk_state_load_session(struct fk_state *state, const struct fk_session *session);

/* Sets the zxid of both views; only while nothing is pending. */
void fk_state_load_zxid(struct fk_state *state, int64_t zxid);

/* Applies a change of the log: accepts it and makes it visible. Records need only the fields that the log keeps
 * (codec.h); the rest is filled in. DAMAGED where it does not fit the state. */
enum fk_err fk_state_replay(struct fk_state *state, const struct fk_change *change);

/* Takes a change, copying what it needs. Its zxid must follow accepted_zxid. NOMEM: nothing was taken. */
enum fk_err fk_state_accept(struct fk_state *state, const struct fk_change *change, struct fk_pending_change **pending);

/* The oldest accepted change, or NULL. */
struct fk_pending_change *fk_state_oldest(struct fk_state *state);

/* Makes the oldest accepted change visible. Its puts stay readable until fk_state_retire, which frees it and the nodes
 * that it deleted: all but data and lists that a later put of the same change has replaced. */
void fk_state_apply(struct fk_state *state, struct fk_pending_change *pending);
void fk_state_retire(struct fk_state *state, struct fk_pending_change *pending);

/* Record of a path in a view; false where there is none. Views point into the state, until the next apply. */
bool fk_state_get(struct fk_state *state, enum fk_view view, struct fk_bytes path, struct fk_node *node);
bool fk_state_get_session(struct fk_state *state, enum fk_view view, int64_t id, struct fk_session *session);

/* Nodes and bytes of data under a path of the accepted view, the node itself included. */
void fk_state_measure(struct fk_state *state, struct fk_bytes path, struct fk_extent *extent);

/* The container or TTL node at the front, which goes to the end, as the accepted view has it: its path is null where it
 * is deleted there. False where there is none. */
bool fk_state_next_swept(struct fk_state *state, struct fk_node *node);

/* Visible nodes below a path. */
int64_t fk_state_descendants(struct fk_state *state, struct fk_bytes path);

/* Names of children, or paths of ephemerals, in the arena: all in one page. */
enum fk_err fk_state_list(struct fk_state *state, enum fk_view view, const struct fk_list_key *key,
                          struct fk_arena *arena, struct fk_page *page);

#endif
