// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include "base/alloc.h"
#include "base/assert.h"

enum {
    FIRST_BUCKETS = 16,
};

void fk_map_init(struct fk_map *map)
{
    *map = (struct fk_map){.buckets = NULL};
}

void fk_map_deinit(struct fk_map *map)
{
    if (map->buckets != map->spare) {
        fk_free(map->buckets);
    }
    fk_map_init(map);
}

static struct fk_map_entry **bucket_of(const struct fk_map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

struct fk_map_entry *fk_map_get(const struct fk_map *map, uint64_t hash, fk_map_match_fn match, const void *key)
{
    if (map->count == 0) {
        return NULL;
    }
    struct fk_map_entry *entry = *bucket_of(map, hash);
    while (entry != NULL && !(entry->hash == hash && match(entry, key))) {
        entry = entry->next;
    }
    return entry;
}

static void grow(struct fk_map *map)
{
    size_t bucket_count = map->bucket_count == 0 ? FIRST_BUCKETS : map->bucket_count * 2;
    struct fk_map_entry **buckets = (struct fk_map_entry **)fk_alloc_zero(bucket_count * sizeof *buckets);
    if (buckets == NULL) {
        if (map->bucket_count == 0) {
            map->buckets = map->spare;
            map->bucket_count = 1;
        }
        return;
    }
    for (size_t i = 0; i < map->bucket_count; i++) {
        struct fk_map_entry *entry = map->buckets[i];
        while (entry != NULL) {
            struct fk_map_entry *next = entry->next;
            struct fk_map_entry **bucket = &buckets[entry->hash & (bucket_count - 1)];
            entry->next = *bucket;
            *bucket = entry;
            entry = next;
        }
    }
    if (map->buckets != map->spare) {
        fk_free(map->buckets);
    }
    map->buckets = buckets;
    map->bucket_count = bucket_count;
}

void fk_map_add(struct fk_map *map, struct fk_map_entry *entry, uint64_t hash)
{
    if (map->count >= map->bucket_count) {
        grow(map);
    }
    struct fk_map_entry **bucket = bucket_of(map, hash);
    entry->hash = hash;
    entry->next = *bucket;
    *bucket = entry;
    map->count++;
}

void fk_map_remove(struct fk_map *map, struct fk_map_entry *entry)
{
    struct fk_map_entry **at = bucket_of(map, entry->hash);
    while (*at != entry) {
        FK_ASSERT(*at != NULL);
        at = &(*at)->next;
    }
    *at = entry->next;
    map->count--;
}

struct fk_map_entry *fk_map_next(const struct fk_map *map, const struct fk_map_entry *entry)
{
    size_t bucket = 0;
    if (entry != NULL) {
        if (entry->next != NULL) {
            return entry->next;
        }
        bucket = (entry->hash & (map->bucket_count - 1)) + 1;
    }
    for (; bucket < map->bucket_count; bucket++) {
        if (map->buckets[bucket] != NULL) {
            return map->buckets[bucket];
        }
    }
    return NULL;
}
