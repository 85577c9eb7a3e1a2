// SPDX-License-Identifier: Apache-2.0
#include "driver/local/state_node.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "model/path.h"

static const uint8_t empty_data[1];

void fk_state_init(struct fk_state *state)
{
    *state = (struct fk_state){.accepted_zxid = 0};
    fk_map_init(&state->nodes);
    fk_map_init(&state->sessions);
    fk_map_init(&state->acls);
    fk_list_init(&state->pending);
    fk_list_init(&state->swept);
}

bool fk_state_data_copy(struct fk_bytes data, const uint8_t **copy)
{
    *copy = data.data == NULL ? NULL : empty_data;
    if (data.size == 0) {
        return true;
    }
    uint8_t *bytes = (uint8_t *)fk_alloc(data.size);
    if (bytes != NULL) {
        memcpy(bytes, data.data, data.size);
    }
    *copy = bytes;
    return bytes != NULL;
}

void fk_state_data_free(const uint8_t *data, size_t size)
{
    if (size > 0) {
        fk_free((void *)(uintptr_t)data);
    }
}

static bool acl_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_state_acl *acl = FK_CONTAINER_OF(entry, struct fk_state_acl, entry);
    return fk_bytes_equal(fk_bytes_of(acl->bytes, acl->size), *(const struct fk_bytes *)key);
}

bool fk_state_acl_acquire(struct fk_state *state, struct fk_bytes bytes, struct fk_state_acl **acl)
{
    *acl = NULL;
    if (bytes.data == FK_ACL_OPEN.data || fk_bytes_equal(bytes, FK_ACL_OPEN)) {
        return true;
    }
    uint64_t hash = fk_bytes_hash(bytes);
    struct fk_map_entry *entry = fk_map_get(&state->acls, hash, acl_matches, &bytes);
    if (entry != NULL) {
        *acl = FK_CONTAINER_OF(entry, struct fk_state_acl, entry);
        (*acl)->references++;
        return true;
    }
    *acl = (struct fk_state_acl *)fk_alloc(sizeof **acl + bytes.size);
    if (*acl == NULL) {
        return false;
    }
    (*acl)->references = 1;
    (*acl)->size = bytes.size;
    if (bytes.size > 0) {
        memcpy((*acl)->bytes, bytes.data, bytes.size);
    }
    fk_map_add(&state->acls, &(*acl)->entry, hash);
    return true;
}

void fk_state_acl_release(struct fk_state *state, struct fk_state_acl *acl)
{
    if (acl != NULL && --acl->references == 0) {
        fk_map_remove(&state->acls, &acl->entry);
        fk_free(acl);
    }
}

static bool visible_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_state_node *node = FK_CONTAINER_OF(entry, struct fk_state_node, entry);
    return fk_bytes_equal(fk_bytes_of(node->path, node->path_size), *(const struct fk_bytes *)key) && node->visible;
}

static bool accepted_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_state_node *node = FK_CONTAINER_OF(entry, struct fk_state_node, entry);
    bool deleted = node->pending != NULL && node->pending->kind == FK_PUT_DELETE;
    return fk_bytes_equal(fk_bytes_of(node->path, node->path_size), *(const struct fk_bytes *)key) && !deleted;
}

struct fk_state_node *fk_state_find(struct fk_state *state, enum fk_view view, struct fk_bytes path)
{
    fk_map_match_fn match = view == FK_VIEW_VISIBLE ? visible_matches : accepted_matches;
    struct fk_map_entry *entry = fk_map_get(&state->nodes, fk_bytes_hash(path), match, &path);
    return entry == NULL ? NULL : FK_CONTAINER_OF(entry, struct fk_state_node, entry);
}

static uint64_t session_hash(int64_t id)
{
    return fk_bytes_hash(fk_bytes_of(&id, sizeof id));
}

static bool session_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_state_session *session = FK_CONTAINER_OF(entry, struct fk_state_session, entry);
    return session->session.id == *(const int64_t *)key;
}

struct fk_state_session *fk_state_find_session(struct fk_state *state, int64_t id)
{
    struct fk_map_entry *entry = fk_map_get(&state->sessions, session_hash(id), session_matches, &id);
    return entry == NULL ? NULL : FK_CONTAINER_OF(entry, struct fk_state_session, entry);
}

enum fk_err fk_state_session_new(struct fk_state *state, const struct fk_session *record,
                                 struct fk_state_session **session)
{
    if (fk_state_find_session(state, record->id) != NULL) {
        return FK_ERR_EXISTS;
    }
    *session = (struct fk_state_session *)fk_alloc_zero(sizeof **session);
    if (*session == NULL) {
        return FK_ERR_NOMEM;
    }
    (*session)->session = *record;
    fk_list_init(&(*session)->ephemerals);
    fk_map_add(&state->sessions, &(*session)->entry, session_hash(record->id));
    return FK_OK;
}

void fk_state_session_free(struct fk_state *state, struct fk_state_session *session)
{
    FK_ASSERT(fk_list_empty(&session->ephemerals));
    fk_map_remove(&state->sessions, &session->entry);
    fk_free(session);
}

/* Links a new node to its parent and its owner. */
static enum fk_err node_link(struct fk_state *state, struct fk_state_node *node)
{
    struct fk_bytes path = fk_bytes_of(node->path, node->path_size);
    struct fk_bytes parent_path;
    struct fk_bytes name;
    if (path.size > 1) {
        struct fk_state_node *parent =
            fk_path_split(path, &parent_path, &name) ? fk_state_find(state, FK_VIEW_ACCEPTED, parent_path) : NULL;
        if (parent == NULL) {
            return FK_ERR_DAMAGED;
        }
        node->name_offset = node->path_size - (uint32_t)name.size;
        fk_list_append(&parent->children, &node->siblings);
        node->parent = parent;
    }
    int64_t session_id = fk_owner_session(node->ephemeral_owner);
    if (session_id != 0) {
        struct fk_state_session *owner = fk_state_find_session(state, session_id);
        if (owner == NULL || owner->ended) {
            fk_list_remove(&node->siblings);
            return FK_ERR_DAMAGED;
        }
        fk_list_append(&owner->ephemerals, &node->owned);
    }
    if (session_id == 0 && node->ephemeral_owner != 0) {
        fk_list_append(&state->swept, &node->owned);
        state->swept_count++;
    }
    fk_map_add(&state->nodes, &node->entry, fk_bytes_hash(path));
    return FK_OK;
}

static void node_fill(struct fk_state_node *node, const struct fk_node *record)
{
    node->path_size = (uint32_t)record->path.size;
    memcpy(node->path, record->path.data, record->path.size);
    node->data_size = (uint32_t)record->data.size;
    node->czxid = record->czxid;
    node->mzxid = record->mzxid;
    node->pzxid = record->pzxid;
    node->ctime_ms = record->ctime_ms;
    node->mtime_ms = record->mtime_ms;
    node->ephemeral_owner = record->ephemeral_owner;
    node->version = record->version;
    node->aversion = record->aversion;
    node->created_children = record->created_children;
    node->num_children = record->num_children;
    fk_list_init(&node->siblings);
    fk_list_init(&node->children);
    fk_list_init(&node->owned);
}

enum fk_err fk_state_node_new(struct fk_state *state, const struct fk_node *record, struct fk_state_node **out)
{
    if (record->path.size == 0 || fk_state_find(state, FK_VIEW_ACCEPTED, record->path) != NULL) {
        return FK_ERR_DAMAGED;
    }
    struct fk_state_node *node = (struct fk_state_node *)fk_alloc(sizeof *node + record->path.size);
    if (node == NULL) {
        return FK_ERR_NOMEM;
    }
    memset(node, 0, sizeof *node);
    node_fill(node, record);
    enum fk_err err = FK_ERR_NOMEM;
    if (!fk_state_data_copy(record->data, &node->data)) {
        goto fail_data;
    }
    if (!fk_state_acl_acquire(state, record->acl, &node->acl)) {
        goto fail_acl;
    }
    err = node_link(state, node);
    if (err != FK_OK) {
        goto fail_link;
    }
    *out = node;
    return FK_OK;
fail_link:
    fk_state_acl_release(state, node->acl);
fail_acl:
    fk_state_data_free(node->data, node->data_size);
fail_data:
    fk_free(node);
    return err;
}

void fk_state_node_free(struct fk_state *state, struct fk_state_node *node)
{
    FK_ASSERT(fk_list_empty(&node->children));
    fk_list_remove(&node->siblings);
    fk_list_remove(&node->owned);
    if (node->ephemeral_owner != 0 && fk_owner_session(node->ephemeral_owner) == 0) {
        state->swept_count--;
    }
    fk_map_remove(&state->nodes, &node->entry);
    fk_state_acl_release(state, node->acl);
    fk_state_data_free(node->data, node->data_size);
    fk_free(node);
}

void fk_state_count_descendant(struct fk_state_node *node, int64_t sign)
{
    for (struct fk_state_node *above = node->parent; above != NULL; above = above->parent) {
        above->descendants += sign;
    }
}

int64_t fk_state_descendants(struct fk_state *state, struct fk_bytes path)
{
    const struct fk_state_node *node = fk_state_find(state, FK_VIEW_VISIBLE, path);
    return node == NULL ? 0 : node->descendants;
}

static void count_node(struct fk_store_counts *counts, const struct fk_state_node *node, int64_t sign)
{
    counts->nodes += sign;
    counts->ephemerals += fk_owner_session(node->ephemeral_owner) != 0 ? sign : 0;
    counts->data_size += sign * ((int64_t)node->path_size + node->data_size);
}

enum fk_err fk_state_load_node(struct fk_state *state, const struct fk_node *record)
{
    struct fk_state_node *node = NULL;
    enum fk_err err = fk_state_node_new(state, record, &node);
    if (err == FK_OK) {
        node->visible = true;
        count_node(&state->counts, node, 1);
        fk_state_count_descendant(node, 1);
        fk_state_count_limits(state, record->path, 1);
    }
    return err;
}

enum fk_err fk_state_load_session(struct fk_state *state, const struct fk_session *record)
{
    struct fk_state_session *session = NULL;
    enum fk_err err = fk_state_session_new(state, record, &session);
    if (err == FK_OK) {
        session->visible = true;
        state->counts.sessions++;
    }
    return err;
}

void fk_state_load_zxid(struct fk_state *state, int64_t zxid)
{
    FK_ASSERT(fk_list_empty(&state->pending));
    state->accepted_zxid = zxid;
    state->visible_zxid = zxid;
}

static void record_of(const struct fk_state_node *node, struct fk_node *record)
{
    *record = (struct fk_node){
        .path = fk_bytes_of(node->path, node->path_size),
        .data = fk_bytes_of(node->data, node->data_size),
        .acl = fk_state_acl_view(node->acl),
        .czxid = node->czxid,
        .mzxid = node->mzxid,
        .pzxid = node->pzxid,
        .ctime_ms = node->ctime_ms,
        .mtime_ms = node->mtime_ms,
        .ephemeral_owner = node->ephemeral_owner,
        .version = node->version,
        .aversion = node->aversion,
        .created_children = node->created_children,
        .num_children = node->num_children,
    };
}

static void accepted_record(const struct fk_state_node *node, struct fk_node *record)
{
    if (node->pending != NULL) {
        *record = node->pending->node;
    } else {
        record_of(node, record);
    }
}

bool fk_state_get(struct fk_state *state, enum fk_view view, struct fk_bytes path, struct fk_node *record)
{
    const struct fk_state_node *node = fk_state_find(state, view, path);
    if (node == NULL) {
        return false;
    }
    if (view == FK_VIEW_ACCEPTED) {
        accepted_record(node, record);
    } else {
        record_of(node, record);
    }
    return true;
}

bool fk_state_get_session(struct fk_state *state, enum fk_view view, int64_t id, struct fk_session *session)
{
    const struct fk_state_session *found = fk_state_find_session(state, id);
    if (found == NULL || (view == FK_VIEW_VISIBLE ? !found->visible : found->ended)) {
        return false;
    }
    *session = found->session;
    return true;
}

static bool in_view(const struct fk_state_node *node, enum fk_view view)
{
    if (view == FK_VIEW_VISIBLE) {
        return node->visible;
    }
    return node->pending == NULL || node->pending->kind != FK_PUT_DELETE;
}

/* Upper bound of the elements of a list, which keeps no count of its own: the page is allocated once. */
static size_t list_length(const struct fk_list *list)
{
    size_t length = 0;
    for (const struct fk_list *link = list->next; link != list; link = link->next) {
        length++;
    }
    return length;
}

static enum fk_err list_children(const struct fk_state_node *parent, enum fk_view view, struct fk_arena *arena,
                                 struct fk_page *page)
{
    size_t capacity = view == FK_VIEW_VISIBLE ? (size_t)parent->num_children : list_length(&parent->children);
    page->names = (struct fk_bytes *)fk_arena_alloc(arena, capacity * sizeof *page->names);
    if (page->names == NULL) {
        return FK_ERR_NOMEM;
    }
    for (const struct fk_list *link = parent->children.next; link != &parent->children; link = link->next) {
        const struct fk_state_node *node = FK_CONTAINER_OF(link, struct fk_state_node, siblings);
        __builtin_prefetch(link->next);
        if (in_view(node, view)) {
            FK_ASSERT(page->count < capacity);
            page->names[page->count++] =
                fk_bytes_of(node->path + node->name_offset, node->path_size - node->name_offset);
        }
    }
    return FK_OK;
}

static enum fk_err list_ephemerals(const struct fk_state_session *session, enum fk_view view, struct fk_arena *arena,
                                   struct fk_page *page)
{
    size_t capacity = list_length(&session->ephemerals);
    page->names = (struct fk_bytes *)fk_arena_alloc(arena, capacity * sizeof *page->names);
    if (page->names == NULL) {
        return FK_ERR_NOMEM;
    }
    for (const struct fk_list *link = session->ephemerals.next; link != &session->ephemerals; link = link->next) {
        const struct fk_state_node *node = FK_CONTAINER_OF(link, struct fk_state_node, owned);
        if (in_view(node, view)) {
            page->names[page->count++] = fk_bytes_of(node->path, node->path_size);
        }
    }
    return FK_OK;
}

enum fk_err fk_state_list(struct fk_state *state, enum fk_view view, const struct fk_list_key *key,
                          struct fk_arena *arena, struct fk_page *page)
{
    *page = (struct fk_page){.names = NULL};
    if (key->kind == FK_LIST_CHILDREN) {
        const struct fk_state_node *parent = fk_state_find(state, view, key->path);
        return parent == NULL ? FK_OK : list_children(parent, view, arena, page);
    }
    const struct fk_state_session *session = fk_state_find_session(state, key->session_id);
    return session == NULL ? FK_OK : list_ephemerals(session, view, arena, page);
}

void fk_state_count_limits(struct fk_state *state, struct fk_bytes path, int sign)
{
    struct fk_bytes target;
    if (fk_quota_of_limits(path, &target)) {
        state->limits = sign > 0 ? state->limits + 1 : state->limits - 1;
    }
}

bool fk_state_next_swept(struct fk_state *state, struct fk_node *record)
{
    if (fk_list_empty(&state->swept)) {
        return false;
    }
    struct fk_list *link = state->swept.next;
    struct fk_state_node *node = FK_CONTAINER_OF(link, struct fk_state_node, owned);
    fk_list_remove(link);
    fk_list_append(&state->swept, link);
    *record = (struct fk_node){.path = FK_BYTES_NULL};
    if (in_view(node, FK_VIEW_ACCEPTED)) {
        accepted_record(node, record);
    }
    return true;
}

/* The node behind this one in a walk that goes into each node before its siblings; NULL at the end of `top`. */
static struct fk_state_node *walk_next(const struct fk_state_node *top, struct fk_state_node *node)
{
    if (!fk_list_empty(&node->children)) {
        return FK_CONTAINER_OF(node->children.next, struct fk_state_node, siblings);
    }
    while (node != top && node->siblings.next == &node->parent->children) {
        node = node->parent;
    }
    return node == top ? NULL : FK_CONTAINER_OF(node->siblings.next, struct fk_state_node, siblings);
}

void fk_state_measure(struct fk_state *state, struct fk_bytes path, struct fk_extent *extent)
{
    struct fk_state_node *top = fk_state_find(state, FK_VIEW_ACCEPTED, path);
    *extent = (struct fk_extent){0, 0};
    for (struct fk_state_node *node = top; node != NULL; node = walk_next(top, node)) {
        if (in_view(node, FK_VIEW_ACCEPTED)) {
            struct fk_node record;
            accepted_record(node, &record);
            extent->count++;
            extent->bytes += (int64_t)record.data.size;
        }
    }
}

static void nodes_deinit(struct fk_state *state)
{
    struct fk_map_entry *entry = fk_map_next(&state->nodes, NULL);
    while (entry != NULL) {
        struct fk_map_entry *next = fk_map_next(&state->nodes, entry);
        struct fk_state_node *node = FK_CONTAINER_OF(entry, struct fk_state_node, entry);
        fk_state_acl_release(state, node->acl);
        fk_state_data_free(node->data, node->data_size);
        fk_free(node);
        entry = next;
    }
    fk_map_deinit(&state->nodes);
}

static void sessions_deinit(struct fk_state *state)
{
    struct fk_map_entry *entry = fk_map_next(&state->sessions, NULL);
    while (entry != NULL) {
        struct fk_map_entry *next = fk_map_next(&state->sessions, entry);
        fk_free(FK_CONTAINER_OF(entry, struct fk_state_session, entry));
        entry = next;
    }
    fk_map_deinit(&state->sessions);
}

void fk_state_deinit(struct fk_state *state)
{
    struct fk_pending_change *pending = NULL;
    while ((pending = fk_state_oldest(state)) != NULL) {
        fk_state_apply(state, pending);
        fk_state_retire(state, pending);
    }
    nodes_deinit(state);
    sessions_deinit(state);
    FK_ASSERT(state->acls.count == 0);
    fk_map_deinit(&state->acls);
}
