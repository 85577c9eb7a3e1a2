// SPDX-License-Identifier: Apache-2.0
#include "sim/bump.h"

#include <stdlib.h>

enum {
    CHUNK_SIZE = 256 * 1024,
    ALIGN = 16,
};

struct sim_bump_chunk {
    struct sim_bump_chunk *next;
    size_t size; /* of memory */
    _Alignas(ALIGN) uint8_t memory[];
};

/* The next chunk that has room: one kept from before, or a new one. */
static void next_chunk(struct sim_bump *bump, size_t size)
{
    struct sim_bump_chunk **link = bump->now == NULL ? &bump->first : &bump->now->next;
    if (*link == NULL || (*link)->size < size) {
        size_t memory = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        struct sim_bump_chunk *chunk = malloc(sizeof *chunk + memory);
        if (chunk == NULL) {
            abort();
        }
        chunk->next = *link;
        chunk->size = memory;
        *link = chunk;
    }
    bump->now = *link;
    bump->used = 0;
}

static void *take(struct sim_bump *bump, size_t size)
{
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if (bump->now == NULL || bump->now->size - bump->used < size) {
        next_chunk(bump, size);
    }
    void *at = bump->now->memory + bump->used;
    bump->used += size;
    return at;
}

void *sim_bump_alloc(struct sim_bump *bump, size_t size)
{
    return memset(take(bump, size), 0, size);
}

struct fk_bytes sim_bump_copy(struct sim_bump *bump, struct fk_bytes bytes)
{
    if (bytes.data == NULL) {
        return bytes;
    }
    uint8_t *copy = take(bump, bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    return fk_bytes_of(copy, bytes.size);
}

void sim_bump_reset(struct sim_bump *bump)
{
    bump->now = NULL;
    bump->used = 0;
}

void sim_bump_deinit(struct sim_bump *bump)
{
    while (bump->first != NULL) {
        struct sim_bump_chunk *next = bump->first->next;
        free(bump->first);
        bump->first = next;
    }
    sim_bump_reset(bump);
}

void *sim_bump_grow(struct sim_bump *bump, void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity) {
        return items;
    }
    size_t grown = *capacity == 0 ? 16 : *capacity * 2;
    void *copy = take(bump, grown * item_size);
    if (count > 0) {
        memcpy(copy, items, count * item_size);
    }
    memset((uint8_t *)copy + count * item_size, 0, (grown - count) * item_size);
    *capacity = grown;
    return copy;
}
