// SPDX-License-Identifier: Apache-2.0
/* Named values in the order of their names, bytewise: a partition of the table, the objects of the blobs. An array,
 * since most have few. */
#ifndef FK_DRIVER_MEMORY_SORTED_H
#define FK_DRIVER_MEMORY_SORTED_H

#include "base/bytes.h"

struct fk_named {
    int64_t stamp;
    struct fk_bytes name;
    struct fk_bytes value; /* never null */
    uint8_t bytes[];       /* of both */
};

struct fk_sorted {
    struct fk_named **items;
    size_t count;
    size_t capacity;
};

/* A copy; NULL without memory. */
struct fk_named *fk_named_new(struct fk_bytes name, struct fk_bytes value, int64_t stamp);

/* Frees all; an empty one is all zero. */
void fk_sorted_deinit(struct fk_sorted *sorted);

/* Room for `more` insertions; false without memory. */
bool fk_sorted_reserve(struct fk_sorted *sorted, size_t more);

/* The item of this name or, if it is not there, NULL; *index is where it stands or would stand. */
struct fk_named *fk_sorted_find(const struct fk_sorted *sorted, struct fk_bytes name, size_t *index);

/* The index of the first item behind this name, which need not be there; 0 for null. */
size_t fk_sorted_after(const struct fk_sorted *sorted, struct fk_bytes name);

/* Takes an item at the index that fk_sorted_find gave for its name: it replaces what was found, which is freed, or is
 * inserted, for which there is room. */
void fk_sorted_put(struct fk_sorted *sorted, size_t index, struct fk_named *item);

/* Frees the item at the index, and closes the gap. */
void fk_sorted_remove(struct fk_sorted *sorted, size_t index);

#endif
