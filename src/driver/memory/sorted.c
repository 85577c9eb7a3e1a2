// SPDX-License-Identifier: Apache-2.0
#include "driver/memory/sorted.h"

#include "base/alloc.h"
#include "base/assert.h"

struct fk_named *fk_named_new(struct fk_bytes name, struct fk_bytes value, int64_t stamp)
{
    struct fk_named *item = (struct fk_named *)fk_alloc(sizeof *item + name.size + value.size);
    if (item == NULL) {
        return NULL;
    }
    memcpy(item->bytes, name.data, name.size);
    if (value.size > 0) {
        memcpy(item->bytes + name.size, value.data, value.size);
    }
    item->stamp = stamp;
    item->name = fk_bytes_of(item->bytes, name.size);
    item->value = fk_bytes_of(item->bytes + name.size, value.size);
    return item;
}

void fk_sorted_deinit(struct fk_sorted *sorted)
{
    for (size_t i = 0; i < sorted->count; i++) {
        fk_free(sorted->items[i]);
    }
    fk_free(sorted->items);
    *sorted = (struct fk_sorted){.items = NULL};
}

bool fk_sorted_reserve(struct fk_sorted *sorted, size_t more)
{
    size_t needed = sorted->count + more;
    if (needed <= sorted->capacity) {
        return true;
    }
    size_t capacity = needed < 4 ? needed : needed + needed / 2;
    struct fk_named **items = (struct fk_named **)fk_realloc(sorted->items, capacity * sizeof(struct fk_named *));
    if (items == NULL) {
        return false;
    }
    sorted->items = items;
    sorted->capacity = capacity;
    return true;
}

struct fk_named *fk_sorted_find(const struct fk_sorted *sorted, struct fk_bytes name, size_t *index)
{
    size_t from = 0;
    size_t to = sorted->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (fk_bytes_compare(sorted->items[middle]->name, name) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    *index = from;
    return from < sorted->count && fk_bytes_equal(sorted->items[from]->name, name) ? sorted->items[from] : NULL;
}

size_t fk_sorted_after(const struct fk_sorted *sorted, struct fk_bytes name)
{
    size_t index = 0;
    return fk_sorted_find(sorted, name, &index) == NULL ? index : index + 1;
}

void fk_sorted_put(struct fk_sorted *sorted, size_t index, struct fk_named *item)
{
    struct fk_named **at = sorted->items + index;
    if (index < sorted->count && fk_bytes_equal((*at)->name, item->name)) {
        fk_free(*at);
    } else {
        FK_ASSERT(sorted->count < sorted->capacity);
        memmove(at + 1, at, (sorted->count - index) * sizeof *at);
        sorted->count++;
    }
    *at = item;
}

void fk_sorted_remove(struct fk_sorted *sorted, size_t index)
{
    FK_ASSERT(index < sorted->count);
    struct fk_named **at = sorted->items + index;
    fk_free(*at);
    sorted->count--;
    memmove(at, at + 1, (sorted->count - index) * sizeof *at);
}
