// SPDX-License-Identifier: Apache-2.0
#include "driver/memory/store.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"
#include "base/list.h"
#include "model/path.h"
#include "model/tree.h"

enum {
    PAGE_COUNT = 8, /* names of a page: few, so that callers meet the second one */
};

/* A record, with all that it points to behind it in the same block. */
struct node {
    struct fk_list link;
    struct fk_node record;
};

struct session {
    struct fk_list link;
    struct fk_session record;
};

/* A copy of an applied change, with all that it points to behind its puts in the same block. */
struct applied {
    struct fk_list link;
    struct fk_change change;
    struct fk_put puts[];
};

struct memory_store {
    struct fk_store base;
    struct fk_list nodes; /* in the order of their creation */
    struct fk_list sessions;
    struct fk_list changes; /* applied, not asked for yet */
    struct applied *shown;  /* given out last */
    int64_t zxid;
    enum fk_memory_fault fault;
    size_t fault_count;
    size_t puts_max; /* of one change; 0: any number */
};

static struct memory_store *memory(struct fk_store *store)
{
    return FK_CONTAINER_OF(store, struct memory_store, base);
}

static struct node *node_of(const struct fk_list *link)
{
    return FK_CONTAINER_OF(link, struct node, link);
}

static struct session *session_of(const struct fk_list *link)
{
    return FK_CONTAINER_OF(link, struct session, link);
}

static struct node *find_node(const struct memory_store *store, struct fk_bytes path)
{
    for (struct fk_list *link = store->nodes.next; link != &store->nodes; link = link->next) {
        if (fk_bytes_equal(node_of(link)->record.path, path)) {
            return node_of(link);
        }
    }
    return NULL;
}

static struct session *find_session(const struct memory_store *store, int64_t id)
{
    for (struct fk_list *link = store->sessions.next; link != &store->sessions; link = link->next) {
        if (session_of(link)->record.id == id) {
            return session_of(link);
        }
    }
    return NULL;
}

/* Copies the bytes to *at, which moves on; null stays null. */
static struct fk_bytes place(uint8_t **at, struct fk_bytes bytes)
{
    if (bytes.data == NULL) {
        return FK_BYTES_NULL;
    }
    struct fk_bytes copy = fk_bytes_of(*at, bytes.size);
    if (bytes.size > 0) {
        memcpy(*at, bytes.data, bytes.size);
    }
    *at += bytes.size;
    return copy;
}

static size_t record_size(const struct fk_node *record)
{
    return record->path.size + record->data.size + record->acl.size;
}

static void place_record(uint8_t **at, const struct fk_node *record, struct fk_node *copy)
{
    *copy = *record;
    copy->path = place(at, record->path);
    copy->data = place(at, record->data);
    copy->acl = place(at, record->acl);
}

static struct node *node_new(const struct fk_node *record)
{
    struct node *node = (struct node *)fk_alloc(sizeof *node + record_size(record));
    if (node == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)(node + 1);
    fk_list_init(&node->link);
    place_record(&at, record, &node->record);
    return node;
}

static struct session *session_new(const struct fk_session *record)
{
    struct session *session = (struct session *)fk_alloc(sizeof *session);
    if (session != NULL) {
        fk_list_init(&session->link);
        session->record = *record;
    }
    return session;
}

static int64_t store_zxid(struct fk_store *store, enum fk_view view)
{
    (void)view;
    return memory(store)->zxid;
}

/* Copies a record into the arena; false without memory. */
static bool copy_record(struct fk_arena *arena, const struct fk_node *record, struct fk_node *copy)
{
    *copy = *record;
    copy->path = fk_arena_copy(arena, record->path);
    copy->data = fk_arena_copy(arena, record->data);
    copy->acl = fk_arena_copy(arena, record->acl);
    return copy->path.data != NULL && copy->acl.data != NULL &&
           (copy->data.data == NULL) == (record->data.data == NULL);
}

static enum fk_err store_get_many(struct fk_store *store, enum fk_view view, const struct fk_bytes *paths, size_t count,
                                  struct fk_arena *arena, struct fk_node *nodes)
{
    (void)view;
    for (size_t i = 0; i < count; i++) {
        const struct node *node = find_node(memory(store), paths[i]);
        nodes[i] = (struct fk_node){.path = FK_BYTES_NULL};
        if (node != NULL && !copy_record(arena, &node->record, &nodes[i])) {
            return FK_ERR_NOMEM;
        }
    }
    return FK_OK;
}

static enum fk_err store_get_session(struct fk_store *store, enum fk_view view, int64_t id, struct fk_session *session)
{
    (void)view;
    const struct session *found = find_session(memory(store), id);
    if (found == NULL) {
        return FK_ERR_NOT_FOUND;
    }
    *session = found->record;
    return FK_OK;
}

/* What a list shows of a node: its name, its path, or null where it is not in the list. */
static struct fk_bytes listed(const struct fk_list_key *key, const struct fk_node *node)
{
    struct fk_bytes parent;
    struct fk_bytes name;
    if (key->kind == FK_LIST_EPHEMERALS) {
        return node->ephemeral_owner != 0 && node->ephemeral_owner == key->session_id ? node->path : FK_BYTES_NULL;
    }
    bool child = node->path.size > 1 && fk_path_split(node->path, &parent, &name) && fk_bytes_equal(parent, key->path);
    return child ? name : FK_BYTES_NULL;
}

/* The cursor counts the names given out. */
static enum fk_err store_list(struct fk_store *base, enum fk_view view, const struct fk_list_key *key,
                              struct fk_arena *arena, struct fk_page *page)
{
    const struct memory_store *store = memory(base);
    uint64_t index = 0;
    (void)view;
    page->count = 0;
    page->more = false;
    page->names = (struct fk_bytes *)fk_arena_alloc(arena, PAGE_COUNT * sizeof *page->names);
    if (page->names == NULL) {
        return FK_ERR_NOMEM;
    }
    for (struct fk_list *link = store->nodes.next; link != &store->nodes; link = link->next) {
        struct fk_bytes name = listed(key, &node_of(link)->record);
        if (name.data == NULL || index++ < page->cursor) {
            continue;
        }
        if (page->count == PAGE_COUNT) {
            page->more = true;
            break;
        }
        page->names[page->count] = fk_arena_copy(arena, name);
        if (page->names[page->count++].data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    page->cursor += page->count;
    return FK_OK;
}

/* Everything that applying a change needs, so that applying can't fail. */
struct stage {
    struct fk_list nodes;    /* copies for the node puts that leave a record, in order */
    struct fk_list sessions; /* the same for new sessions */
    struct applied *applied;
};

static void list_free_nodes(struct fk_list *list)
{
    struct fk_list *link = NULL;
    while ((link = fk_list_take(list)) != NULL) {
        fk_free(node_of(link));
    }
}

/* The next record that was staged: there is one for each put that needs it. */
static struct fk_list *staged(struct fk_list *list)
{
    struct fk_list *link = fk_list_take(list);
    FK_ASSERT(link != NULL);
    return link;
}

static void list_free_sessions(struct fk_list *list)
{
    struct fk_list *link = NULL;
    while ((link = fk_list_take(list)) != NULL) {
        fk_free(session_of(link));
    }
}

static void stage_deinit(struct stage *stage)
{
    list_free_nodes(&stage->nodes);
    list_free_sessions(&stage->sessions);
    fk_free(stage->applied);
}

static struct applied *applied_new(const struct fk_change *change)
{
    size_t size = change->count * sizeof(struct fk_put);
    for (size_t i = 0; i < change->count; i++) {
        size += record_size(&change->puts[i].node);
    }
    struct applied *applied = (struct applied *)fk_alloc(sizeof *applied + size);
    if (applied == NULL) {
        return NULL;
    }
    uint8_t *at = (uint8_t *)(applied->puts + change->count);
    fk_list_init(&applied->link);
    applied->change = *change;
    applied->change.puts = applied->puts;
    for (size_t i = 0; i < change->count; i++) {
        applied->puts[i] = change->puts[i];
        place_record(&at, &change->puts[i].node, &applied->puts[i].node);
    }
    return applied;
}

static bool stage_put(struct stage *stage, const struct fk_put *put)
{
    if (put->kind == FK_PUT_SESSION) {
        struct session *session = session_new(&put->session);
        if (session != NULL) {
            fk_list_append(&stage->sessions, &session->link);
        }
        return session != NULL;
    }
    if (put->kind == FK_PUT_DELETE || put->kind == FK_PUT_SESSION_END) {
        return true;
    }
    struct node *node = node_new(&put->node);
    if (node != NULL) {
        fk_list_append(&stage->nodes, &node->link);
    }
    return node != NULL;
}

static bool stage_init(struct stage *stage, const struct fk_change *change)
{
    fk_list_init(&stage->nodes);
    fk_list_init(&stage->sessions);
    stage->applied = applied_new(change);
    bool ok = stage->applied != NULL;
    for (size_t i = 0; ok && i < change->count; i++) {
        ok = stage_put(stage, &change->puts[i]);
    }
    if (!ok) {
        stage_deinit(stage);
    }
    return ok;
}

static void remove_node(struct memory_store *store, struct fk_bytes path)
{
    struct node *node = find_node(store, path);
    FK_ASSERT(node != NULL);
    fk_list_remove(&node->link);
    fk_free(node);
}

/* The new record takes the old one's place in the list. */
static void replace_node(struct memory_store *store, struct node *node)
{
    struct node *before = find_node(store, node->record.path);
    FK_ASSERT(before != NULL);
    fk_list_append(before->link.next, &node->link); /* appending to the successor is putting it before that */
    fk_list_remove(&before->link);
    fk_free(before);
}

static void apply_put(struct memory_store *store, struct stage *stage, const struct fk_put *put)
{
    switch (put->kind) {
    case FK_PUT_CREATE:
        FK_ASSERT(find_node(store, put->node.path) == NULL);
        fk_list_append(&store->nodes, staged(&stage->nodes));
        break;
    case FK_PUT_DATA:
    case FK_PUT_ACL:
    case FK_PUT_CHILDREN:
    case FK_PUT_STATS:
        replace_node(store, node_of(staged(&stage->nodes)));
        break;
    case FK_PUT_DELETE:
        remove_node(store, put->node.path);
        break;
    case FK_PUT_SESSION:
        FK_ASSERT(find_session(store, put->session.id) == NULL);
        fk_list_append(&store->sessions, staged(&stage->sessions));
        break;
    case FK_PUT_SESSION_END: {
        struct session *session = find_session(store, put->session.id);
        FK_ASSERT(session != NULL);
        fk_list_remove(&session->link);
        fk_free(session);
        break;
    }
    }
}

static void apply(struct memory_store *store, struct stage *stage, const struct fk_change *change)
{
    FK_ASSERT(change->zxid == store->zxid + 1);
    for (size_t i = 0; i < change->count; i++) {
        apply_put(store, stage, &change->puts[i]);
    }
    store->zxid = change->zxid;
    fk_list_append(&store->changes, &stage->applied->link);
    stage->applied = NULL;
}

/* All of the changes or none: the memory for all is taken first. */
static enum fk_err apply_all(struct memory_store *store, const struct fk_change *changes, size_t count)
{
    struct stage *stages = (struct stage *)fk_alloc((count + 1) * sizeof *stages);
    size_t staged = 0;
    if (stages == NULL) {
        return FK_ERR_NOMEM;
    }
    while (staged < count && stage_init(&stages[staged], &changes[staged])) {
        staged++;
    }
    for (size_t i = 0; i < staged; i++) {
        if (staged == count) {
            apply(store, &stages[i], &changes[i]);
        }
        stage_deinit(&stages[i]);
    }
    fk_free(stages);
    return staged == count ? FK_OK : FK_ERR_NOMEM;
}

static enum fk_err store_commit(struct fk_store *base, const struct fk_change *changes, size_t count,
                                int64_t expected_zxid)
{
    static const enum fk_err answers[] = {
        [FK_MEMORY_REFUSED] = FK_ERR_REFUSED,
        [FK_MEMORY_BUSY] = FK_ERR_BUSY,
        [FK_MEMORY_FULL] = FK_ERR_FULL,
        [FK_MEMORY_UNKNOWN_APPLIED] = FK_ERR_UNKNOWN,
        [FK_MEMORY_UNKNOWN_NOT_APPLIED] = FK_ERR_UNKNOWN,
    };
    struct memory_store *store = memory(base);
    bool faulty = store->fault_count > 0;
    store->fault_count -= faulty ? 1 : 0;
    if (faulty && store->fault != FK_MEMORY_UNKNOWN_APPLIED) {
        return answers[store->fault];
    }
    if (store->zxid != expected_zxid) {
        return FK_ERR_REFUSED;
    }
    for (size_t i = 0; i < count && store->puts_max > 0; i++) {
        if (changes[i].count > store->puts_max) {
            return FK_ERR_TOO_LARGE;
        }
    }
    enum fk_err err = apply_all(store, changes, count);
    return err == FK_OK && faulty ? answers[store->fault] : err;
}

static bool store_has_quotas(struct fk_store *base)
{
    const struct memory_store *store = memory(base);
    for (struct fk_list *link = store->nodes.next; link != &store->nodes; link = link->next) {
        struct fk_bytes target;
        if (fk_quota_of_limits(node_of(link)->record.path, &target)) {
            return true;
        }
    }
    return false;
}

static enum fk_err store_measure(struct fk_store *base, struct fk_bytes path, struct fk_extent *extent)
{
    const struct memory_store *store = memory(base);
    *extent = (struct fk_extent){0, 0};
    for (struct fk_list *link = store->nodes.next; link != &store->nodes; link = link->next) {
        const struct fk_node *record = &node_of(link)->record;
        if (fk_path_within(record->path, path)) {
            extent->count++;
            extent->bytes += (int64_t)record->data.size;
        }
    }
    return FK_OK;
}

static enum fk_err store_descendants(struct fk_store *base, struct fk_bytes path, int64_t *count)
{
    const struct memory_store *store = memory(base);
    *count = 0;
    for (struct fk_list *link = store->nodes.next; link != &store->nodes; link = link->next) {
        struct fk_bytes other = node_of(link)->record.path;
        *count += fk_path_within(other, path) && !fk_bytes_equal(other, path) ? 1 : 0;
    }
    return FK_OK;
}

static void store_counts(struct fk_store *base, struct fk_store_counts *counts)
{
    const struct memory_store *store = memory(base);
    *counts = (struct fk_store_counts){.nodes = 0};
    for (struct fk_list *link = store->nodes.next; link != &store->nodes; link = link->next) {
        const struct fk_node *node = &node_of(link)->record;
        counts->nodes++;
        counts->ephemerals += fk_owner_session(node->ephemeral_owner) != 0 ? 1 : 0;
        counts->data_size += (int64_t)(node->path.size + node->data.size);
    }
    for (struct fk_list *link = store->sessions.next; link != &store->sessions; link = link->next) {
        counts->sessions++;
    }
}

static void store_free(struct fk_store *base)
{
    struct memory_store *store = memory(base);
    struct fk_list *link = NULL;
    list_free_nodes(&store->nodes);
    list_free_sessions(&store->sessions);
    while ((link = fk_list_take(&store->changes)) != NULL) {
        fk_free(FK_CONTAINER_OF(link, struct applied, link));
    }
    fk_free(store->shown);
    fk_free(store);
}

void fk_memory_store_fail(struct fk_store *store, enum fk_memory_fault fault, size_t count)
{
    memory(store)->fault = fault;
    memory(store)->fault_count = count;
}

void fk_memory_store_limit(struct fk_store *store, size_t puts_max)
{
    memory(store)->puts_max = puts_max;
}

const struct fk_change *fk_memory_store_next(struct fk_store *base)
{
    struct memory_store *store = memory(base);
    fk_free(store->shown);
    struct fk_list *link = fk_list_take(&store->changes);
    store->shown = link == NULL ? NULL : FK_CONTAINER_OF(link, struct applied, link);
    return store->shown == NULL ? NULL : &store->shown->change;
}

static const struct fk_store_ops memory_store_ops = {
    .name = "memory",
    .zxid = store_zxid,
    .get_many = store_get_many,
    .get_session = store_get_session,
    .list = store_list,
    .descendants = store_descendants,
    .has_quotas = store_has_quotas,
    .measure = store_measure,
    .commit = store_commit,
    .counts = store_counts,
    .free = store_free,
};

struct fk_store *fk_memory_store_new(void)
{
    struct memory_store *store = (struct memory_store *)fk_alloc_zero(sizeof *store);
    if (store == NULL) {
        return NULL;
    }
    store->base.ops = &memory_store_ops;
    fk_list_init(&store->nodes);
    fk_list_init(&store->sessions);
    fk_list_init(&store->changes);
    for (size_t i = 0; i < FK_TREE_FIRST_NODES; i++) {
        struct fk_node first = fk_tree_first_node(i);
        struct node *node = node_new(&first);
        if (node == NULL) {
            store_free(&store->base);
            return NULL;
        }
        fk_list_append(&store->nodes, &node->link);
    }
    return &store->base;
}
