// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "base/alloc.h"

enum {
    CHUNK_SIZE = 64 * 1024,
    ALIGNMENT = 16,
};

struct fk_arena_chunk {
    struct fk_arena_chunk *next;
    size_t size;
    _Alignas(ALIGNMENT) uint8_t data[];
};

static struct fk_arena_chunk *chunk_new(struct fk_arena *arena, size_t size)
{
    if (size < CHUNK_SIZE) {
        size = CHUNK_SIZE;
    }
    struct fk_arena_chunk *chunk = (struct fk_arena_chunk *)fk_alloc(sizeof *chunk + size);
    if (chunk == NULL) {
        return NULL;
    }
    chunk->next = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    arena->used = 0;
    return chunk;
}

void *fk_arena_alloc(struct fk_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct fk_arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - arena->used < rounded) {
        chunk = chunk_new(arena, rounded);
        if (chunk == NULL) {
            return NULL;
        }
    }
    void *piece = chunk->data + arena->used;
    arena->used += rounded;
    return piece;
}

struct fk_bytes fk_arena_copy(struct fk_arena *arena, struct fk_bytes bytes)
{
    if (bytes.data == NULL) {
        return FK_BYTES_NULL;
    }
    uint8_t *copy = (uint8_t *)fk_arena_alloc(arena, bytes.size);
    if (copy == NULL) {
        return FK_BYTES_NULL;
    }
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return fk_bytes_of(copy, bytes.size);
}

void fk_arena_reset(struct fk_arena *arena)
{
    struct fk_arena_chunk *kept = NULL;
    while (arena->chunks != NULL) {
        struct fk_arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        if (kept == NULL && chunk->size == CHUNK_SIZE) {
            kept = chunk;
            kept->next = NULL;
        } else {
            fk_free(chunk);
        }
    }
    arena->chunks = kept;
    arena->used = 0;
}

void fk_arena_deinit(struct fk_arena *arena)
{
    while (arena->chunks != NULL) {
        struct fk_arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        fk_free(chunk);
    }
    arena->used = 0;
}
