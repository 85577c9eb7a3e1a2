// SPDX-License-Identifier: Apache-2.0
#include "driver/local/stretch.h"

#include "base/container.h"
#include "base/crc32c.h"
#include "driver/local/codec.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
    SLAB_SIZE = 1024 * 1024,
    ALIGNMENT = 16,
};

/* A piece of memory from the system, not from the heap: a stretch takes megabytes for a moment, and what the heap gets
 * back from a thread it seldom gives back to the system. */
struct fk_stretch_slab {
    struct fk_stretch_slab *next;
    size_t size;
    size_t used;
};

static void *allocate(struct fk_stretch *stretch, size_t size)
{
    struct fk_stretch_slab *slab = stretch->slabs;
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (slab == NULL || slab->size - slab->used < size) {
        size_t header = (sizeof *slab + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
        size_t whole = size + header > SLAB_SIZE ? size + header : SLAB_SIZE;
        void *memory = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            return NULL;
        }
        slab = (struct fk_stretch_slab *)memory;
        *slab = (struct fk_stretch_slab){.next = stretch->slabs, .size = whole, .used = header};
        stretch->slabs = slab;
    }
    void *piece = (uint8_t *)slab + slab->used;
    slab->used += size;
    return piece;
}

void fk_stretch_init(struct fk_stretch *stretch)
{
    *stretch = (struct fk_stretch){.scratch = FK_ARENA_EMPTY};
    fk_map_init(&stretch->nodes);
    fk_map_init(&stretch->sessions);
}

void fk_stretch_deinit(struct fk_stretch *stretch)
{
    fk_map_deinit(&stretch->nodes);
    fk_map_deinit(&stretch->sessions);
    fk_arena_deinit(&stretch->scratch);
    while (stretch->slabs != NULL) {
        struct fk_stretch_slab *slab = stretch->slabs;
        stretch->slabs = slab->next;
        (void)munmap(slab, slab->size);
    }
}

static struct fk_stretch_node *node_of(struct fk_map_entry *entry)
{
    return FK_CONTAINER_OF(entry, struct fk_stretch_node, entry);
}

static struct fk_stretch_session *session_of(struct fk_map_entry *entry)
{
    return FK_CONTAINER_OF(entry, struct fk_stretch_session, entry);
}

static bool path_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_stretch_node *item = FK_CONTAINER_OF(entry, struct fk_stretch_node, entry);
    return fk_bytes_equal(item->node.path, *(const struct fk_bytes *)key);
}

static bool id_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_stretch_session *item = FK_CONTAINER_OF(entry, struct fk_stretch_session, entry);
    return item->session.id == *(const int64_t *)key;
}

static struct fk_stretch_node *get_node(struct fk_stretch *stretch, struct fk_bytes path)
{
    uint64_t hash = fk_bytes_hash(path);
    struct fk_map_entry *entry = fk_map_get(&stretch->nodes, hash, path_matches, &path);
    if (entry != NULL) {
        return node_of(entry);
    }
    struct fk_stretch_node *item = (struct fk_stretch_node *)allocate(stretch, sizeof *item + path.size);
    if (item == NULL) {
        return NULL;
    }
    *item = (struct fk_stretch_node){.base = FK_STRETCH_UPDATE};
    uint8_t *copy = (uint8_t *)(item + 1);
    memcpy(copy, path.data, path.size);
    item->node.path = fk_bytes_of(copy, path.size);
    fk_map_add(&stretch->nodes, &item->entry, hash);
    return item;
}

static struct fk_stretch_session *get_session(struct fk_stretch *stretch, int64_t id)
{
    uint64_t hash = fk_bytes_hash(fk_bytes_of(&id, sizeof id));
    struct fk_map_entry *entry = fk_map_get(&stretch->sessions, hash, id_matches, &id);
    if (entry != NULL) {
        return session_of(entry);
    }
    struct fk_stretch_session *item = (struct fk_stretch_session *)allocate(stretch, sizeof *item);
    if (item != NULL) {
        *item = (struct fk_stretch_session){.session.id = id};
        fk_map_add(&stretch->sessions, &item->entry, hash);
    }
    return item;
}

/* Where a view into the payload stands in the log. */
static struct fk_stretch_place place_of(struct fk_bytes view, struct fk_bytes payload, int64_t position)
{
    if (view.data == NULL) {
        return (struct fk_stretch_place){.absent = true};
    }
    return (struct fk_stretch_place){
        .position = position + (view.data - payload.data), .size = (uint32_t)view.size, .crc = fk_crc32c(0, view)};
}

static struct fk_stretch_place place_of_acl(struct fk_bytes acl, struct fk_bytes payload, int64_t position)
{
    /* The decoder gives the open ACL as a constant of its own; its bytes are not in the log. */
    return place_of(acl.data == FK_ACL_OPEN.data ? FK_BYTES_NULL : acl, payload, position);
}

static enum fk_err add_node(struct fk_stretch *stretch, const struct fk_put *put, struct fk_bytes payload,
                            int64_t position)
{
    const struct fk_node *node = &put->node;
    struct fk_stretch_node *item = get_node(stretch, node->path);
    if (item == NULL) {
        return FK_ERR_NOMEM;
    }
    struct fk_bytes path = item->node.path;
    switch (put->kind) {
    case FK_PUT_CREATE:
        item->base = FK_STRETCH_REPLACE;
        item->parts = FK_STRETCH_DATA | FK_STRETCH_ACL | FK_STRETCH_CHILDREN;
        item->node = *node;
        item->node.path = path;
        item->data = place_of(node->data, payload, position);
        item->acl = place_of_acl(node->acl, payload, position);
        break;
    case FK_PUT_DATA:
        item->parts |= FK_STRETCH_DATA;
        item->data = place_of(node->data, payload, position);
        item->node.version = node->version;
        item->node.mzxid = node->mzxid;
        item->node.mtime_ms = node->mtime_ms;
        break;
    case FK_PUT_STATS:
        item->parts |= FK_STRETCH_STATS;
        item->data = place_of(node->data, payload, position);
        break;
    case FK_PUT_ACL:
        item->parts |= FK_STRETCH_ACL;
        item->acl = place_of_acl(node->acl, payload, position);
        item->node.aversion = node->aversion;
        break;
    case FK_PUT_CHILDREN:
        item->parts |= FK_STRETCH_CHILDREN;
        item->node.created_children = node->created_children;
        item->node.num_children = node->num_children;
        item->node.pzxid = node->pzxid;
        break;
    case FK_PUT_DELETE:
        item->base = FK_STRETCH_DELETE;
        item->parts = 0;
        break;
    case FK_PUT_SESSION:
    case FK_PUT_SESSION_END:
        break;
    }
    return FK_OK;
}

static enum fk_err add_session(struct fk_stretch *stretch, const struct fk_put *put)
{
    struct fk_stretch_session *item = get_session(stretch, put->session.id);
    if (item == NULL) {
        return FK_ERR_NOMEM;
    }
    item->session = put->session;
    item->ended = put->kind == FK_PUT_SESSION_END;
    return FK_OK;
}

enum fk_err fk_stretch_add(struct fk_stretch *stretch, struct fk_bytes payload, int64_t position)
{
    struct fk_reader reader = fk_reader_of(payload);
    enum fk_err err = FK_OK;
    while (reader.left > 0 && err == FK_OK) {
        struct fk_change change;
        fk_arena_reset(&stretch->scratch);
        err = fk_change_read(&reader, &stretch->scratch, &change);
        for (size_t i = 0; err == FK_OK && i < change.count; i++) {
            const struct fk_put *put = &change.puts[i];
            err = fk_put_is_node(put->kind) ? add_node(stretch, put, payload, position) : add_session(stretch, put);
        }
        if (err == FK_OK) {
            stretch->zxid = change.zxid;
        }
    }
    return err;
}

static int compare_paths(const void *a, const void *b)
{
    struct fk_bytes left = (*(struct fk_stretch_node *const *)a)->node.path;
    struct fk_bytes right = (*(struct fk_stretch_node *const *)b)->node.path;
    size_t common = left.size < right.size ? left.size : right.size;
    int order = memcmp(left.data, right.data, common);
    return order != 0 ? order : (left.size > right.size) - (left.size < right.size);
}

struct fk_stretch_node **fk_stretch_sort(struct fk_stretch *stretch)
{
    size_t count = stretch->nodes.count;
    struct fk_stretch_node **items = (struct fk_stretch_node **)allocate(stretch, count * sizeof *items);
    if (items == NULL) {
        return NULL;
    }
    struct fk_map_entry *entry = NULL;
    for (size_t i = 0; i < count; i++) {
        entry = fk_map_next(&stretch->nodes, entry);
        items[i] = node_of(entry);
    }
    qsort(items, count, sizeof(struct fk_stretch_node *), compare_paths);
    return items;
}
