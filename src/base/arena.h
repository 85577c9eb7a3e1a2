// SPDX-License-Identifier: Apache-2.0
/* Memory for one unit of work (a batch, a job): allocated piece by piece, given back all at once. Pieces are aligned to
 * 16 bytes. The first chunk stays when the arena is reset, so that steady work allocates nothing. */
#ifndef FK_BASE_ARENA_H
#define FK_BASE_ARENA_H

#include "base/bytes.h"

struct fk_arena_chunk;

struct fk_arena {
    struct fk_arena_chunk *chunks; /* newest first */
    size_t used;                   /* bytes used in the newest chunk */
};

#define FK_ARENA_EMPTY ((struct fk_arena){NULL, 0})

/* Uninitialised memory, valid until reset or deinit; NULL without memory. */
void *fk_arena_alloc(struct fk_arena *arena, size_t size);

/* A copy of the bytes with the arena's lifetime; data is NULL without memory (and for a null view). */
struct fk_bytes fk_arena_copy(struct fk_arena *arena, struct fk_bytes bytes);

/* Gives all pieces back, keeps one chunk. */
void fk_arena_reset(struct fk_arena *arena);
void fk_arena_deinit(struct fk_arena *arena);

#endif
