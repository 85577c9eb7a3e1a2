// SPDX-License-Identifier: Apache-2.0
/* The one hash map: intrusive, chained, power-of-two buckets. The entry stands inside the element and carries the hash;
 * the key is compared by the caller's match function, so any key type serves. Growing needs memory; without it the map
 * stays correct and only its chains get longer. */
#ifndef FK_BASE_MAP_H
#define FK_BASE_MAP_H

#include "base/container.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fk_map_entry {
    struct fk_map_entry *next;
    uint64_t hash;
};

struct fk_map {
    struct fk_map_entry **buckets;
    size_t bucket_count;           /* a power of two, or 0 */
    size_t count;                  /* elements */
    struct fk_map_entry *spare[1]; /* the bucket of a map that never got memory */
};

/* True where entry's key is the one looked for. */
typedef bool (*fk_map_match_fn)(const struct fk_map_entry *entry, const void *key);

void fk_map_init(struct fk_map *map);
/* Frees the buckets; the elements are the caller's. */
void fk_map_deinit(struct fk_map *map);

/* The element with this hash and key, or NULL. */
struct fk_map_entry *fk_map_get(const struct fk_map *map, uint64_t hash, fk_map_match_fn match, const void *key);

/* Adds an element whose key is not in the map. */
void fk_map_add(struct fk_map *map, struct fk_map_entry *entry, uint64_t hash);

/* Takes an element of the map out. */
void fk_map_remove(struct fk_map *map, struct fk_map_entry *entry);

/* Walks all elements in no order: NULL gives the first, the last gives NULL. The element returned may be removed before
 * the next call only if its successor was fetched first. */
struct fk_map_entry *fk_map_next(const struct fk_map *map, const struct fk_map_entry *entry);

#endif
