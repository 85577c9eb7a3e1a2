// SPDX-License-Identifier: Apache-2.0
#include "model/plan_internal.h"

#include "model/path.h"

enum {
    SCAN_MAX = 16, /* puts that are searched one by one; beyond, by the map */
    FIRST_CAPACITY = 8,
};

/* Newest put of a path. */
struct latest {
    struct fk_map_entry entry;
    struct fk_bytes path;
    size_t index;
};

void fk_plan_init(struct fk_plan *plan, struct fk_arena *arena, fk_lookup_fn lookup, void *lookup_context)
{
    static const struct fk_rules defaults = {.extended_types = false};
    *plan = (struct fk_plan){.arena = arena, .lookup = lookup, .lookup_context = lookup_context, .rules = &defaults};
    fk_map_init(&plan->latest);
}

void fk_plan_deinit(struct fk_plan *plan)
{
    fk_map_deinit(&plan->latest);
    plan->puts = NULL;
    plan->count = 0;
    plan->capacity = 0;
}

void fk_plan_begin(struct fk_plan *plan, int64_t zxid, int64_t time_ms)
{
    plan->zxid = zxid;
    plan->time_ms = time_ms;
    plan->first = plan->count;
    plan->unread = false;
}

struct fk_change fk_plan_change(const struct fk_plan *plan)
{
    return (struct fk_change){.zxid = plan->zxid,
                              .time_ms = plan->time_ms,
                              .puts = plan->puts == NULL ? NULL : plan->puts + plan->first,
                              .count = plan->count - plan->first};
}

static bool latest_matches(const struct fk_map_entry *entry, const void *key)
{
    return fk_bytes_equal(FK_CONTAINER_OF(entry, struct latest, entry)->path, *(const struct fk_bytes *)key);
}

static bool is_node_put(const struct fk_put *put)
{
    return fk_put_is_node(put->kind);
}

static void remember(struct fk_plan *plan, size_t index)
{
    struct fk_bytes path = plan->puts[index].node.path;
    uint64_t hash = fk_bytes_hash(path);
    struct fk_map_entry *entry = fk_map_get(&plan->latest, hash, latest_matches, &path);
    if (entry != NULL) {
        FK_CONTAINER_OF(entry, struct latest, entry)->index = index;
        return;
    }
    struct latest *latest = (struct latest *)fk_arena_alloc(plan->arena, sizeof *latest);
    if (latest == NULL) {
        plan->err = FK_ERR_NOMEM;
        return;
    }
    latest->path = path;
    latest->index = index;
    fk_map_add(&plan->latest, &latest->entry, hash);
}

/* Fills the map anew: when the puts have become too many to scan, and after a rollback. */
static void remember_all(struct fk_plan *plan)
{
    fk_map_deinit(&plan->latest);
    for (size_t i = 0; i < plan->count && plan->count > SCAN_MAX; i++) {
        if (is_node_put(&plan->puts[i])) {
            remember(plan, i);
        }
    }
}

static struct fk_put *find_put(struct fk_plan *plan, struct fk_bytes path)
{
    if (plan->count > SCAN_MAX) {
        struct fk_map_entry *entry = fk_map_get(&plan->latest, fk_bytes_hash(path), latest_matches, &path);
        return entry == NULL ? NULL : &plan->puts[FK_CONTAINER_OF(entry, struct latest, entry)->index];
    }
    for (size_t i = plan->count; i > 0; i--) {
        struct fk_put *put = &plan->puts[i - 1];
        if (is_node_put(put) && fk_bytes_equal(put->node.path, path)) {
            return put;
        }
    }
    return NULL;
}

bool fk_plan_is_latest(struct fk_plan *plan, size_t index)
{
    return find_put(plan, plan->puts[index].node.path) == &plan->puts[index];
}

bool fk_plan_get(struct fk_plan *plan, struct fk_bytes path, struct fk_node *node)
{
    if (plan->err != FK_OK) {
        return false;
    }
    const struct fk_put *put = plan->count == 0 ? NULL : find_put(plan, path);
    if (put != NULL) {
        *node = put->node;
        return put->kind != FK_PUT_DELETE;
    }
    /* "/a/" and "//a" can be asked for, by a delete, but are in no store, whose keys may not tell them from "/a". */
    if (!fk_path_valid(path)) {
        return false;
    }
    enum fk_err err = plan->lookup(plan->lookup_context, path, node);
    if (err != FK_OK && err != FK_ERR_NOT_FOUND) {
        plan->err = err;
    }
    return err == FK_OK;
}

/* Room for one more put, zeroed; NULL and a sticky error without memory. */
static struct fk_put *add_put(struct fk_plan *plan, enum fk_put_kind kind)
{
    if (plan->err != FK_OK) {
        return NULL;
    }
    if (plan->count == plan->capacity) {
        size_t capacity = plan->capacity == 0 ? FIRST_CAPACITY : plan->capacity * 2;
        struct fk_put *puts = (struct fk_put *)fk_arena_alloc(plan->arena, capacity * sizeof *puts);
        if (puts == NULL) {
            plan->err = FK_ERR_NOMEM;
            return NULL;
        }
        if (plan->count > 0) {
            memcpy(puts, plan->puts, plan->count * sizeof *puts);
        }
        plan->puts = puts;
        plan->capacity = capacity;
    }
    struct fk_put *put = &plan->puts[plan->count++];
    *put = (struct fk_put){.kind = kind};
    return put;
}

void fk_plan_put(struct fk_plan *plan, enum fk_put_kind kind, const struct fk_node *node)
{
    /* A parent that loses or gains many children in one operation is put once, and so are statistics. */
    if ((kind == FK_PUT_CHILDREN || kind == FK_PUT_STATS) && plan->count > plan->first) {
        struct fk_put *before = find_put(plan, node->path);
        if (before != NULL && before->kind == kind && before >= plan->puts + plan->first) {
            before->node = *node;
            return;
        }
    }
    struct fk_put *put = add_put(plan, kind);
    if (put == NULL) {
        return;
    }
    put->node = *node;
    if (plan->count == SCAN_MAX + 1) {
        remember_all(plan);
    } else if (plan->count > SCAN_MAX) {
        remember(plan, plan->count - 1);
    }
}

void fk_plan_rollback(struct fk_plan *plan)
{
    bool mapped = plan->count > SCAN_MAX;
    plan->count = plan->first;
    if (mapped) {
        remember_all(plan);
    }
}

void fk_plan_create_session(struct fk_plan *plan, const struct fk_session *session)
{
    struct fk_put *put = add_put(plan, FK_PUT_SESSION);
    if (put != NULL) {
        put->session = *session;
    }
    if (plan->count == SCAN_MAX + 1) {
        remember_all(plan);
    }
}

/* ZK: closeSession removes each ephemeral as deleteNode does: the parent's children and pzxid follow. */
static void delete_ephemeral(struct fk_plan *plan, int64_t session_id, struct fk_bytes path)
{
    struct fk_node node;
    struct fk_node parent;
    struct fk_bytes parent_path;
    struct fk_bytes name;
    if (!fk_plan_get(plan, path, &node) || node.ephemeral_owner != session_id ||
        !fk_path_split(path, &parent_path, &name)) {
        return;
    }
    if (!fk_plan_get(plan, parent_path, &parent)) {
        return; /* the lookup failed, which is sticky: a node without a parent does not exist */
    }
    fk_plan_remove(plan, &node, &parent);
}

void fk_plan_close_session(struct fk_plan *plan, int64_t session_id, const struct fk_bytes *ephemerals, size_t count,
                           bool last)
{
    for (size_t i = 0; i < count; i++) {
        delete_ephemeral(plan, session_id, ephemerals[i]);
    }
    if (!last) {
        return;
    }
    struct fk_put *put = add_put(plan, FK_PUT_SESSION_END);
    if (put != NULL) {
        put->session.id = session_id;
    }
    if (plan->count == SCAN_MAX + 1) {
        remember_all(plan);
    }
}
