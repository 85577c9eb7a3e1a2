// SPDX-License-Identifier: Apache-2.0
#include "driver/memory/blob.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"
#include "base/limits.h"

struct object {
    struct fk_bytes name;
    struct fk_bytes content;
    uint8_t bytes[]; /* of both */
};

struct memory_blobs {
    struct fk_blobs base;
    struct object **objects; /* ascending by name */
    size_t count;
    size_t capacity;
    size_t size;
    size_t overwritten;
};

static struct memory_blobs *memory(struct fk_blobs *blobs)
{
    return FK_CONTAINER_OF(blobs, struct memory_blobs, base);
}

static const struct memory_blobs *memory_const(const struct fk_blobs *blobs)
{
    return FK_CONTAINER_OF(blobs, const struct memory_blobs, base);
}

/* The index of the first object whose name is not smaller than this one. */
static size_t lower_bound(const struct memory_blobs *blobs, struct fk_bytes name)
{
    size_t from = 0;
    size_t to = blobs->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (fk_bytes_compare(blobs->objects[middle]->name, name) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static bool is_at(const struct memory_blobs *blobs, size_t index, struct fk_bytes name)
{
    return index < blobs->count && fk_bytes_equal(blobs->objects[index]->name, name);
}

static void check_name(struct fk_bytes name)
{
    FK_ASSERT(name.size > 0);
    FK_ASSERT(name.size <= FK_BLOB_NAME_SIZE_MAX);
}

static struct object *object_new(struct fk_bytes name, struct fk_bytes content)
{
    struct object *object = (struct object *)fk_alloc(sizeof *object + name.size + content.size);
    if (object == NULL) {
        return NULL;
    }
    memcpy(object->bytes, name.data, name.size);
    if (content.size > 0) {
        memcpy(object->bytes + name.size, content.data, content.size);
    }
    object->name = fk_bytes_of(object->bytes, name.size);
    object->content = fk_bytes_of(object->bytes + name.size, content.size);
    return object;
}

static bool reserve(struct memory_blobs *blobs)
{
    if (blobs->count < blobs->capacity) {
        return true;
    }
    size_t capacity = blobs->capacity == 0 ? 16 : blobs->capacity * 2;
    struct object **objects = (struct object **)fk_realloc(blobs->objects, capacity * sizeof(struct object *));
    if (objects == NULL) {
        return false;
    }
    blobs->objects = objects;
    blobs->capacity = capacity;
    return true;
}

static void replace(struct memory_blobs *blobs, struct object **at, struct object *object)
{
    blobs->overwritten += fk_bytes_equal((*at)->content, object->content) ? 0 : 1;
    blobs->size -= (*at)->content.size;
    fk_free(*at);
    *at = object;
}

static enum fk_err blobs_put(struct fk_blobs *base, struct fk_bytes name, struct fk_bytes content)
{
    struct memory_blobs *blobs = memory(base);
    check_name(name);
    struct object *object = reserve(blobs) ? object_new(name, content) : NULL;
    if (object == NULL) {
        return FK_ERR_NOMEM;
    }
    size_t index = lower_bound(blobs, name);
    struct object **at = blobs->objects + index;
    if (is_at(blobs, index, name)) {
        replace(blobs, at, object);
    } else {
        memmove(at + 1, at, (blobs->count - index) * sizeof *at);
        *at = object;
        blobs->count++;
    }
    blobs->size += content.size;
    return FK_OK;
}

static enum fk_err blobs_get(struct fk_blobs *base, struct fk_bytes name, struct fk_arena *arena,
                             struct fk_bytes *content)
{
    const struct memory_blobs *blobs = memory(base);
    check_name(name);
    size_t index = lower_bound(blobs, name);
    if (!is_at(blobs, index, name)) {
        return FK_ERR_NOT_FOUND;
    }
    *content = fk_arena_copy(arena, blobs->objects[index]->content);
    return content->data == NULL ? FK_ERR_NOMEM : FK_OK;
}

static enum fk_err blobs_remove(struct fk_blobs *base, struct fk_bytes name)
{
    struct memory_blobs *blobs = memory(base);
    check_name(name);
    size_t index = lower_bound(blobs, name);
    if (!is_at(blobs, index, name)) {
        return FK_OK;
    }
    struct object **at = blobs->objects + index;
    blobs->size -= (*at)->content.size;
    fk_free(*at);
    blobs->count--;
    memmove(at, at + 1, (blobs->count - index) * sizeof *at);
    return FK_OK;
}

static enum fk_err blobs_list(struct fk_blobs *base, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                              struct fk_blob_page *page)
{
    const struct memory_blobs *blobs = memory(base);
    FK_ASSERT(limit > 0);
    size_t first = lower_bound(blobs, after);
    first += is_at(blobs, first, after) ? 1 : 0;
    size_t left = blobs->count - first;
    size_t most = limit < FK_BLOB_PAGE_MAX ? limit : FK_BLOB_PAGE_MAX;
    size_t count = left < most ? left : most;
    *page = (struct fk_blob_page){.count = count, .more = left > count};
    page->names = (struct fk_bytes *)fk_arena_alloc(arena, count * sizeof *page->names);
    if (page->names == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        page->names[i] = fk_arena_copy(arena, blobs->objects[first + i]->name);
        if (page->names[i].data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    return FK_OK;
}

static void blobs_free(struct fk_blobs *base)
{
    struct memory_blobs *blobs = memory(base);
    for (size_t i = 0; i < blobs->count; i++) {
        fk_free(blobs->objects[i]);
    }
    fk_free(blobs->objects);
    fk_free(blobs);
}

size_t fk_memory_blobs_count(const struct fk_blobs *blobs)
{
    return memory_const(blobs)->count;
}

size_t fk_memory_blobs_size(const struct fk_blobs *blobs)
{
    return memory_const(blobs)->size;
}

size_t fk_memory_blobs_overwritten(const struct fk_blobs *blobs)
{
    return memory_const(blobs)->overwritten;
}

static const struct fk_blob_ops memory_blob_ops = {.name = "memory",
                                                   .put = blobs_put,
                                                   .get = blobs_get,
                                                   .remove = blobs_remove,
                                                   .list = blobs_list,
                                                   .free = blobs_free};

struct fk_blobs *fk_memory_blobs_new(void)
{
    struct memory_blobs *blobs = (struct memory_blobs *)fk_alloc_zero(sizeof *blobs);
    if (blobs == NULL) {
        return NULL;
    }
    blobs->base.ops = &memory_blob_ops;
    return &blobs->base;
}
