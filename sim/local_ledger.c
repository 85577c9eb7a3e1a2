// SPDX-License-Identifier: Apache-2.0
#include "sim/local_ledger.h"
#include "sim/memory.h"

#include "base/assert.h"
#include "base/container.h"
#include "model/tree.h"

#include <inttypes.h>

enum {
    BUCKETS = 256,
};

/* A path or a session that ever was, with its record as it is now: NULL where there is none. Records never change, so
 * old ones can be put back. */
struct slot {
    struct slot *next;  /* in its bucket */
    struct slot *older; /* all of them */
    uint64_t hash;
    struct fk_bytes path; /* null: a session */
    int64_t session_id;
    const struct fk_node *node;
    const struct fk_session *session;
};

/* What a put did: enough to undo it. */
struct entry {
    struct entry *before;
    int64_t zxid;
    struct slot *slot;
    const struct fk_node *node;
    const struct fk_session *session;
};

struct sim_ledger {
    struct sim_world *world;
    struct sim_bump *bump;
    struct slot *buckets[BUCKETS];
    struct slot *slots;
    size_t slot_count;
    struct entry *entries;
    int64_t zxid;
    int64_t nodes;
    int64_t sessions;
    struct fk_store store;
    struct fk_store *inner;
};

static struct slot *slot_of(struct sim_ledger *ledger, struct fk_bytes path, int64_t session_id)
{
    uint64_t hash =
        path.data != NULL ? fk_bytes_hash(path) : fk_bytes_hash(fk_bytes_of(&session_id, sizeof session_id));
    struct slot **bucket = &ledger->buckets[hash % BUCKETS];
    for (struct slot *slot = *bucket; slot != NULL; slot = slot->next) {
        bool same = path.data != NULL ? fk_bytes_equal(slot->path, path)
                                      : slot->path.data == NULL && slot->session_id == session_id;
        if (slot->hash == hash && same) {
            return slot;
        }
    }
    struct slot *slot = (struct slot *)sim_bump_alloc(ledger->bump, sizeof *slot);
    *slot = (struct slot){.next = *bucket,
                          .older = ledger->slots,
                          .hash = hash,
                          .path = sim_bump_copy(ledger->bump, path),
                          .session_id = session_id};
    *bucket = slot;
    ledger->slots = slot;
    ledger->slot_count++;
    return slot;
}

static void set(struct sim_ledger *ledger, struct slot *slot, const struct fk_node *node,
                const struct fk_session *session)
{
    ledger->nodes += (node != NULL) - (slot->node != NULL);
    ledger->sessions += (session != NULL) - (slot->session != NULL);
    slot->node = node;
    slot->session = session;
}

static const struct fk_node *copy_node(struct sim_ledger *ledger, const struct fk_node *node, struct fk_bytes path)
{
    struct fk_node *copy = (struct fk_node *)sim_bump_alloc(ledger->bump, sizeof *copy);
    *copy = *node;
    copy->path = path;
    copy->data = sim_bump_copy(ledger->bump, node->data);
    copy->acl = sim_bump_copy(ledger->bump, node->acl);
    return copy;
}

static const struct fk_session *copy_session(struct sim_ledger *ledger, const struct fk_session *session)
{
    struct fk_session *copy = (struct fk_session *)sim_bump_alloc(ledger->bump, sizeof *copy);
    *copy = *session;
    return copy;
}

static void note_put(struct sim_ledger *ledger, const struct fk_put *put, int64_t zxid)
{
    bool of_session = put->kind == FK_PUT_SESSION || put->kind == FK_PUT_SESSION_END;
    struct slot *slot =
        of_session ? slot_of(ledger, FK_BYTES_NULL, put->session.id) : slot_of(ledger, put->node.path, 0);
    struct entry *entry = (struct entry *)sim_bump_alloc(ledger->bump, sizeof *entry);
    *entry = (struct entry){
        .before = ledger->entries, .zxid = zxid, .slot = slot, .node = slot->node, .session = slot->session};
    ledger->entries = entry;
    const struct fk_node *node = NULL;
    const struct fk_session *session = NULL;
    if (put->kind == FK_PUT_SESSION) {
        session = copy_session(ledger, &put->session);
    } else if (!of_session && put->kind != FK_PUT_DELETE) {
        node = copy_node(ledger, &put->node, slot->path);
    }
    set(ledger, slot, node, session);
}

static void note_change(struct sim_ledger *ledger, const struct fk_change *change)
{
    if (change->zxid != ledger->zxid + 1) {
        sim_violation(ledger->world, "C1", "a change was accepted as zxid %" PRId64 ", the one before it was %" PRId64,
                      change->zxid, ledger->zxid);
        return;
    }
    ledger->zxid = change->zxid;
    for (size_t i = 0; i < change->count; i++) {
        note_put(ledger, &change->puts[i], change->zxid);
    }
}

struct sim_ledger *sim_ledger_new(struct sim_world *world, struct sim_bump *bump)
{
    struct sim_ledger *ledger = (struct sim_ledger *)sim_bump_alloc(bump, sizeof *ledger);
    ledger->world = world;
    ledger->bump = bump;
    for (size_t i = 0; i < FK_TREE_FIRST_NODES; i++) {
        struct fk_node node = fk_tree_first_node(i);
        struct slot *slot = slot_of(ledger, node.path, 0);
        set(ledger, slot, copy_node(ledger, &node, slot->path), NULL);
    }
    return ledger;
}

int64_t sim_ledger_zxid(const struct sim_ledger *ledger)
{
    return ledger->zxid;
}

void sim_ledger_cut(struct sim_ledger *ledger, int64_t zxid)
{
    while (ledger->entries != NULL && ledger->entries->zxid > zxid) {
        const struct entry *entry = ledger->entries;
        set(ledger, entry->slot, entry->node, entry->session);
        ledger->entries = entry->before;
    }
    ledger->zxid = zxid;
}

/* What is different between two records; NULL: nothing. */
static const char *difference(const struct fk_node *a, const struct fk_node *b)
{
    if (!fk_bytes_equal(a->data, b->data) || (a->data.data == NULL) != (b->data.data == NULL)) {
        return "data";
    }
    if (!fk_bytes_equal(a->acl, b->acl)) {
        return "acl";
    }
    if (a->czxid != b->czxid || a->mzxid != b->mzxid || a->pzxid != b->pzxid) {
        return "zxids";
    }
    if (a->ctime_ms != b->ctime_ms || a->mtime_ms != b->mtime_ms) {
        return "times";
    }
    if (a->version != b->version || a->aversion != b->aversion) {
        return "versions";
    }
    if (a->created_children != b->created_children || a->num_children != b->num_children) {
        return "numbers of children";
    }
    return a->ephemeral_owner != b->ephemeral_owner ? "owner" : NULL;
}

static void compare_node(struct sim_ledger *ledger, struct fk_store *store, const struct slot *slot, const char *when)
{
    struct fk_node node;
    struct fk_arena arena = FK_ARENA_EMPTY;
    enum fk_err err = fk_store_get(store, FK_VIEW_VISIBLE, slot->path, &arena, &node);
    bool exists = err == FK_OK && node.path.data != NULL;
    int size = (int)slot->path.size;
    const char *path = (const char *)slot->path.data;
    if (exists != (slot->node != NULL)) {
        sim_violation(ledger->world, "C6", "%s, at zxid %" PRId64 ": %.*s is %s, and should %s", when, ledger->zxid,
                      size, path, exists ? "there" : "missing", exists ? "not" : "be there");
    } else if (exists && difference(&node, slot->node) != NULL) {
        sim_violation(ledger->world, "C6", "%s, at zxid %" PRId64 ": %.*s has other %s than were accepted", when,
                      ledger->zxid, size, path, difference(&node, slot->node));
    }
    fk_arena_deinit(&arena);
}

static void compare_session(struct sim_ledger *ledger, struct fk_store *store, const struct slot *slot,
                            const char *when)
{
    struct fk_session session;
    bool exists = fk_store_get_session(store, FK_VIEW_VISIBLE, slot->session_id, &session) == FK_OK;
    if (exists != (slot->session != NULL)) {
        sim_violation(ledger->world, "C8", "%s, at zxid %" PRId64 ": session %" PRIx64 " is %s, and should %s", when,
                      ledger->zxid, (uint64_t)slot->session_id, exists ? "there" : "missing",
                      exists ? "not" : "be there");
    } else if (exists && (session.timeout_ms != slot->session->timeout_ms ||
                          memcmp(session.password, slot->session->password, sizeof session.password) != 0)) {
        sim_violation(ledger->world, "C8", "%s: session %" PRIx64 " has another timeout or password", when,
                      (uint64_t)slot->session_id);
    }
}

void sim_ledger_compare(struct sim_ledger *ledger, struct fk_store *store, const char *when)
{
    struct fk_store_counts counts;
    sim_memory_spare_begin();
    for (const struct slot *slot = ledger->slots; slot != NULL; slot = slot->older) {
        if (slot->path.data != NULL) {
            compare_node(ledger, store, slot, when);
        } else {
            compare_session(ledger, store, slot, when);
        }
    }
    sim_memory_spare_end();
    fk_store_counts(store, &counts);
    if (counts.nodes != ledger->nodes || counts.sessions != ledger->sessions) {
        sim_violation(ledger->world, "C6",
                      "%s, at zxid %" PRId64 ": %" PRId64 " nodes and %" PRId64 " sessions, not %" PRId64
                      " and %" PRId64,
                      when, ledger->zxid, counts.nodes, counts.sessions, ledger->nodes, ledger->sessions);
    }
}

struct fk_bytes sim_ledger_path(const struct sim_ledger *ledger, size_t index, bool *exists)
{
    for (const struct slot *slot = ledger->slots; slot != NULL; slot = slot->older) {
        if (slot->path.data != NULL && index-- == 0) {
            *exists = slot->node != NULL;
            return slot->path;
        }
    }
    *exists = false;
    return FK_BYTES_NULL;
}

/* --- the store that watches --- */

static struct sim_ledger *ledger_of(struct fk_store *store)
{
    return FK_CONTAINER_OF(store, struct sim_ledger, store);
}

static int64_t watch_zxid(struct fk_store *store, enum fk_view view)
{
    return fk_store_zxid(ledger_of(store)->inner, view);
}

static enum fk_err watch_get_many(struct fk_store *store, enum fk_view view, const struct fk_bytes *paths, size_t count,
                                  struct fk_arena *arena, struct fk_node *nodes)
{
    return fk_store_get_many(ledger_of(store)->inner, view, paths, count, arena, nodes);
}

static enum fk_err watch_get_session(struct fk_store *store, enum fk_view view, int64_t id, struct fk_session *session)
{
    return fk_store_get_session(ledger_of(store)->inner, view, id, session);
}

static enum fk_err watch_list(struct fk_store *store, enum fk_view view, const struct fk_list_key *key,
                              struct fk_arena *arena, struct fk_page *page)
{
    return fk_store_list(ledger_of(store)->inner, view, key, arena, page);
}

static enum fk_err watch_commit(struct fk_store *store, const struct fk_change *changes, size_t count,
                                int64_t expected_zxid)
{
    struct sim_ledger *ledger = ledger_of(store);
    enum fk_err err = fk_store_commit(ledger->inner, changes, count, expected_zxid);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        note_change(ledger, &changes[i]);
    }
    return err;
}

static bool watch_has_quotas(struct fk_store *store)
{
    return fk_store_has_quotas(ledger_of(store)->inner);
}

static enum fk_err watch_measure(struct fk_store *store, struct fk_bytes path, struct fk_extent *extent)
{
    return fk_store_measure(ledger_of(store)->inner, path, extent);
}

static void watch_counts(struct fk_store *store, struct fk_store_counts *counts)
{
    fk_store_counts(ledger_of(store)->inner, counts);
}

static void watch_free(struct fk_store *store)
{
    (void)store;
}

struct fk_store *sim_ledger_watch(struct sim_ledger *ledger, struct fk_store *inner)
{
    static const struct fk_store_ops ops = {.name = "ledger",
                                            .zxid = watch_zxid,
                                            .get_many = watch_get_many,
                                            .get_session = watch_get_session,
                                            .list = watch_list,
                                            .has_quotas = watch_has_quotas,
                                            .measure = watch_measure,
                                            .commit = watch_commit,
                                            .counts = watch_counts,
                                            .free = watch_free};
    ledger->store.ops = &ops;
    ledger->inner = inner;
    return &ledger->store;
}
