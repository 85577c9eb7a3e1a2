// SPDX-License-Identifier: Apache-2.0
#include "driver/memory/blob.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"
#include "base/limits.h"
#include "driver/memory/sorted.h"

struct memory_blobs {
    struct fk_blobs base;
    struct fk_sorted objects;
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

static void check_name(struct fk_bytes name)
{
    FK_ASSERT(name.size > 0);
    FK_ASSERT(name.size <= FK_BLOB_NAME_SIZE_MAX);
}

static enum fk_err blobs_put(struct fk_blobs *base, struct fk_bytes name, struct fk_bytes bytes)
{
    struct memory_blobs *blobs = memory(base);
    size_t index = 0;
    check_name(name);
    struct fk_named *object = fk_sorted_reserve(&blobs->objects, 1) ? fk_named_new(name, bytes, 0) : NULL;
    if (object == NULL) {
        return FK_ERR_NOMEM;
    }
    const struct fk_named *old = fk_sorted_find(&blobs->objects, name, &index);
    if (old != NULL) {
        blobs->overwritten += fk_bytes_equal(old->value, bytes) ? 0 : 1;
        blobs->size -= old->value.size;
    }
    fk_sorted_put(&blobs->objects, index, object);
    blobs->size += bytes.size;
    return FK_OK;
}

static enum fk_err blobs_get(struct fk_blobs *base, struct fk_bytes name, struct fk_arena *arena,
                             struct fk_bytes *bytes)
{
    size_t index = 0;
    check_name(name);
    const struct fk_named *object = fk_sorted_find(&memory(base)->objects, name, &index);
    if (object == NULL) {
        return FK_ERR_NOT_FOUND;
    }
    *bytes = fk_arena_copy(arena, object->value);
    return bytes->data == NULL ? FK_ERR_NOMEM : FK_OK;
}

static enum fk_err blobs_remove(struct fk_blobs *base, struct fk_bytes name)
{
    struct memory_blobs *blobs = memory(base);
    size_t index = 0;
    check_name(name);
    const struct fk_named *object = fk_sorted_find(&blobs->objects, name, &index);
    if (object != NULL) {
        blobs->size -= object->value.size;
        fk_sorted_remove(&blobs->objects, index);
    }
    return FK_OK;
}

static enum fk_err blobs_list(struct fk_blobs *base, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                              struct fk_blob_page *page)
{
    const struct fk_sorted *objects = &memory(base)->objects;
    FK_ASSERT(limit > 0);
    size_t first = fk_sorted_after(objects, after);
    size_t left = objects->count - first;
    size_t most = limit < FK_BLOB_PAGE_MAX ? limit : FK_BLOB_PAGE_MAX;
    size_t count = left < most ? left : most;
    *page = (struct fk_blob_page){.count = count, .more = left > count};
    page->names = (struct fk_bytes *)fk_arena_alloc(arena, count * sizeof *page->names);
    if (page->names == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        page->names[i] = fk_arena_copy(arena, objects->items[first + i]->name);
        if (page->names[i].data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    return FK_OK;
}

static void blobs_free(struct fk_blobs *base)
{
    fk_sorted_deinit(&memory(base)->objects);
    fk_free(memory(base));
}

size_t fk_memory_blobs_count(const struct fk_blobs *blobs)
{
    return memory_const(blobs)->objects.count;
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
