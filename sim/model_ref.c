// SPDX-License-Identifier: Apache-2.0
/* Paths, their states, events, and what sessions and sweeps remove; the operations are in model_ref_ops.c. */
#include "sim/model_ref.h"

#include "sim/model_ref_internal.h"

static const struct sim_ref_state absent;

uint64_t sim_ref_hash(struct fk_bytes bytes)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < bytes.size; i++) {
        hash = (hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

struct sim_ref_path *sim_ref_find(const struct sim_ref_tree *tree, struct fk_bytes path)
{
    path = path.size == 0 ? FK_BYTES_LITERAL("/") : path;
    uint64_t hash = sim_ref_hash(path);
    struct sim_ref_path *found = tree->buckets[hash % SIM_REF_BUCKETS];
    while (found != NULL && (found->hash != hash || !fk_bytes_equal(found->path, path))) {
        found = found->next_in_bucket;
    }
    return found;
}

/* The parent of a path and its name; false for what has neither: no slash, a NUL. */
bool sim_ref_split(struct fk_bytes path, struct fk_bytes *parent, struct fk_bytes *name)
{
    const uint8_t *slash = path.size == 0 ? NULL : memrchr(path.data, '/', path.size);
    if (slash == NULL || memchr(path.data, '\0', path.size) != NULL) {
        return false;
    }
    size_t size = (size_t)(slash - path.data);
    *parent = size == 0 ? FK_BYTES_LITERAL("/") : fk_bytes_head(path, size);
    *name = fk_bytes_tail(path, size + 1);
    return true;
}

struct sim_ref_path *sim_ref_path_of(struct sim_ref_tree *tree, struct fk_bytes path)
{
    struct sim_ref_path *known = sim_ref_find(tree, path);
    if (known != NULL) {
        return known;
    }
    struct fk_bytes parent;
    struct fk_bytes name;
    struct sim_ref_path *added = sim_bump_alloc(tree->bump, sizeof *added);
    added->path = sim_bump_copy(tree->bump, path);
    added->hash = sim_ref_hash(path);
    if (path.size > 1 && sim_ref_split(added->path, &parent, &name)) {
        added->parent = sim_ref_path_of(tree, parent);
        added->name_hash = sim_ref_hash(name);
    }
    struct sim_ref_path **bucket = &tree->buckets[added->hash % SIM_REF_BUCKETS];
    added->next_in_bucket = *bucket;
    *bucket = added;
    return added;
}

size_t sim_ref_index_at(const struct sim_ref_path *path, int64_t zxid)
{
    size_t low = 0;
    size_t high = path->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (path->states[middle].zxid <= zxid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low - 1;
}

const struct sim_ref_state *sim_ref_state_at(const struct sim_ref_path *path, int64_t zxid)
{
    size_t index = path == NULL ? SIZE_MAX : sim_ref_index_at(path, zxid);
    return index == SIZE_MAX ? &absent : &path->states[index];
}

const struct sim_ref_state *sim_ref_now(const struct sim_ref_path *path)
{
    return path == NULL || path->count == 0 ? &absent : &path->states[path->count - 1];
}

/* The state of the operation that runs, to be changed: a copy of the one before. */
struct sim_ref_state *sim_ref_touch(struct sim_ref_tree *tree, struct sim_ref_path *path)
{
    if (path->count > 0 && path->states[path->count - 1].zxid == tree->zxid && tree->zxid != 0) {
        return &path->states[path->count - 1];
    }
    tree->touched =
        sim_bump_grow(tree->bump, tree->touched, tree->touched_count, &tree->touched_capacity, sizeof *tree->touched);
    tree->touched[tree->touched_count++] = path;
    path->states = sim_bump_grow(tree->bump, path->states, path->count, &path->capacity, sizeof *path->states);
    struct sim_ref_state *state = &path->states[path->count];
    *state = *sim_ref_now(path);
    state->zxid = tree->zxid;
    path->count++;
    return state;
}

void sim_ref_fire(struct sim_ref_tree *tree, int32_t type, unsigned watches, struct sim_ref_path *path,
                  struct fk_bytes acl)
{
    struct sim_ref_event *event = sim_bump_alloc(tree->bump, sizeof *event);
    *event = (struct sim_ref_event){.zxid = tree->zxid,
                                    .index = tree->event_count,
                                    .type = type,
                                    .watches = watches,
                                    .closing = tree->closing,
                                    .path = path,
                                    .acl = acl};
    tree->events =
        sim_bump_grow(tree->bump, tree->events, tree->event_count, &tree->event_capacity, sizeof *tree->events);
    tree->events[tree->event_count++] = event;
    path->events =
        sim_bump_grow(tree->bump, path->events, path->event_count, &path->event_capacity, sizeof *path->events);
    path->events[path->event_count++] = event;
}

void sim_ref_begin(struct sim_ref_tree *tree, int64_t zxid)
{
    tree->zxid = zxid;
    tree->touched_count = 0;
    tree->first_event = tree->event_count;
    tree->closing = false;
}

void sim_ref_rollback(struct sim_ref_tree *tree)
{
    for (size_t i = 0; i < tree->touched_count; i++) {
        tree->touched[i]->count--;
    }
    tree->touched_count = 0;
    while (tree->event_count > tree->first_event) {
        tree->event_count--;
        tree->events[tree->event_count]->path->event_count--;
    }
}

struct sim_ref_session *sim_ref_session_of(struct sim_ref_tree *tree, int64_t id)
{
    struct sim_ref_session *session = tree->sessions;
    while (session != NULL && session->id != id) {
        session = session->next;
    }
    if (session == NULL) {
        session = sim_bump_alloc(tree->bump, sizeof *session);
        session->id = id;
        session->next = tree->sessions;
        tree->sessions = session;
    }
    return session;
}

void sim_ref_remove(struct sim_ref_tree *tree, struct sim_ref_path *path)
{
    int64_t bytes = (int64_t)sim_ref_now(path)->data.size;
    struct fk_bytes acl = sim_ref_now(path)->acl;
    struct sim_ref_state *state = sim_ref_touch(tree, path);
    *state = (struct sim_ref_state){.zxid = tree->zxid};
    struct sim_ref_state *parent = sim_ref_touch(tree, path->parent);
    parent->children--;
    parent->names -= path->name_hash;
    parent->pzxid = tree->zxid;
    sim_ref_fire(tree, FK_EVENT_DELETED, SIM_REF_WATCH_DATA | SIM_REF_WATCH_CHILD, path, acl);
    sim_ref_fire(tree, FK_EVENT_CHILDREN_CHANGED, SIM_REF_WATCH_CHILD, path->parent, parent->acl);
    sim_ref_quota_count(tree, path->path, -1, -bytes);
}

static bool owns(const struct sim_ref_path *path, int64_t session_id)
{
    const struct sim_ref_state *state = sim_ref_now(path);
    return state->exists && state->owner == session_id;
}

bool sim_ref_close(struct sim_ref_tree *tree, int64_t zxid, int64_t session_id, const struct fk_bytes *paths,
                   size_t count)
{
    bool all_own = true;
    sim_ref_begin(tree, zxid);
    tree->closing = true;
    if (paths == NULL) {
        const struct sim_ref_session *session = sim_ref_session_of(tree, session_id);
        for (size_t i = 0; i < session->count; i++) {
            if (owns(session->paths[i], session_id)) {
                sim_ref_remove(tree, session->paths[i]);
            }
        }
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        struct sim_ref_path *path = sim_ref_find(tree, paths[i]);
        if (path != NULL && owns(path, session_id)) {
            sim_ref_remove(tree, path);
        } else {
            all_own = false;
        }
    }
    return all_own;
}

size_t sim_ref_ephemerals(const struct sim_ref_tree *tree, int64_t session_id)
{
    size_t count = 0;
    const struct sim_ref_session *session = tree->sessions;
    while (session != NULL && session->id != session_id) {
        session = session->next;
    }
    for (size_t i = 0; session != NULL && i < session->count; i++) {
        bool again = false; /* created twice: it stands in the list twice */
        for (size_t k = 0; k < i && !again; k++) {
            again = session->paths[k] == session->paths[i];
        }
        count += !again && owns(session->paths[i], session_id) ? 1 : 0;
    }
    return count;
}

/* ZK: a container that had a child and has none; a TTL node without children, whose time the tree does not know. */
bool sim_ref_sweep(struct sim_ref_tree *tree, int64_t zxid, struct fk_bytes path)
{
    sim_ref_begin(tree, zxid);
    struct sim_ref_path *found = sim_ref_find(tree, path);
    const struct sim_ref_state *state = sim_ref_now(found);
    bool due = state->exists && state->children == 0 && ((state->container && state->creates > 0) || state->ttl_ms > 0);
    if (due) {
        sim_ref_remove(tree, found);
    }
    return due;
}

static void add_first(struct sim_ref_tree *tree, const char *text, int32_t children, int32_t aversion,
                      struct fk_bytes acl)
{
    struct sim_ref_path *path = sim_ref_path_of(tree, fk_bytes_text(text));
    struct sim_ref_state *state = sim_ref_touch(tree, path);
    *state = (struct sim_ref_state){
        .exists = true, .data = fk_bytes_of("", 0), .acl = acl, .children = children, .aversion = aversion};
    for (struct sim_ref_path *parent = path->parent; parent != NULL; parent = NULL) {
        parent->states[0].names += path->name_hash;
    }
}

void sim_ref_init(struct sim_ref_tree *tree, struct sim_bump *bump)
{
    *tree = (struct sim_ref_tree){.bump = bump};
    sim_ref_begin(tree, 0);
    add_first(tree, "/", 1, 0, FK_ACL_OPEN); /* /zookeeper counts as a child, not as a create */
    add_first(tree, "/zookeeper", 2, 0, FK_ACL_OPEN);
    add_first(tree, "/zookeeper/quota", 0, 0, FK_ACL_OPEN);
    add_first(tree, "/zookeeper/config", 0, -1, FK_ACL_READ);
}

void sim_ref_plant(struct sim_ref_tree *tree, struct fk_bytes bytes, struct fk_bytes data, struct fk_bytes acl,
                   const struct fk_stat *stat)
{
    struct sim_ref_path *path = sim_ref_path_of(tree, bytes);
    struct sim_ref_state *state = path->count > 0 ? &path->states[0] : sim_ref_touch(tree, path);
    uint64_t names = state->names;
    bool new = !state->exists;
    *state = (struct sim_ref_state){
        .exists = true,
        .data = data,
        .acl = acl.data == NULL ? FK_ACL_OPEN : acl,
        .czxid = stat->czxid,
        .mzxid = stat->mzxid,
        .pzxid = stat->pzxid,
        .owner = stat->ephemeral_owner,
        .version = stat->version,
        .aversion = stat->aversion,
        .creates = (int32_t)(((int64_t)stat->cversion + stat->num_children) / 2),
        .children = stat->num_children,
        .names = names,
    };
    if (new && path->parent != NULL && path->parent->count > 0) {
        path->parent->states[0].names += path->name_hash;
    }
    if (stat->ephemeral_owner != 0) {
        struct sim_ref_session *session = sim_ref_session_of(tree, stat->ephemeral_owner);
        session->paths =
            sim_bump_grow(tree->bump, session->paths, session->count, &session->capacity, sizeof *session->paths);
        session->paths[session->count++] = path;
    }
}
