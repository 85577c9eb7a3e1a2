// SPDX-License-Identifier: Apache-2.0
/* The heap of the simulator: defines base/alloc.h in place of src/base/alloc.c. */
#include "base/alloc.h"
#include "base/assert.h"
#include "sim/memory.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct fk_list link;
    struct sim_memory *owner;
    uint64_t size;
    alignas(16) unsigned char bytes[];
};

static struct sim_memory *memory_now;
static uint64_t asked;
static uint64_t refused_at;
static unsigned spared;

void sim_memory_refuse(uint64_t nth)
{
    asked = 0;
    refused_at = nth;
}

uint64_t sim_memory_asked(void)
{
    return asked;
}

bool sim_memory_refused(void)
{
    return refused_at != 0 && asked >= refused_at;
}

void sim_memory_spare_begin(void)
{
    spared++;
}

void sim_memory_spare_end(void)
{
    FK_ASSERT(spared > 0);
    spared--;
}

/* Counts one request for memory of this owner. */
static bool refuses(const struct sim_memory *owner)
{
    if (owner == NULL || !owner->starves || spared > 0) {
        return false;
    }
    asked++;
    return asked == refused_at;
}

void sim_memory_init(struct sim_memory *memory)
{
    fk_list_init(&memory->blocks);
    memory->count = 0;
    memory->starves = false;
}

struct sim_memory *sim_memory_switch(struct sim_memory *memory)
{
    struct sim_memory *before = memory_now;
    memory_now = memory;
    return before;
}

static struct block *block_of(void *bytes)
{
    return FK_CONTAINER_OF(bytes, struct block, bytes);
}

static void link_block(struct block *block, struct sim_memory *owner, size_t size)
{
    block->owner = owner;
    block->size = size;
    if (owner == NULL) {
        fk_list_init(&block->link);
        return;
    }
    fk_list_append(&owner->blocks, &block->link);
    owner->count++;
}

static void unlink_block(struct block *block)
{
    fk_list_remove(&block->link);
    if (block->owner != NULL) {
        FK_ASSERT(block->owner->count > 0);
        block->owner->count--;
    }
}

void sim_memory_free(struct sim_memory *memory)
{
    struct fk_list *link = memory->blocks.next;
    while (link != &memory->blocks) {
        struct fk_list *next = link->next;
        free(FK_CONTAINER_OF(link, struct block, link));
        link = next;
    }
    sim_memory_init(memory);
}

uint64_t sim_memory_some_size(const struct sim_memory *memory)
{
    return fk_list_empty(&memory->blocks) ? 0 : FK_CONTAINER_OF(memory->blocks.next, struct block, link)->size;
}

void *fk_alloc(size_t size)
{
    struct block *block = refuses(memory_now) ? NULL : malloc(sizeof *block + (size == 0 ? 1 : size));
    if (block == NULL) {
        return NULL;
    }
    link_block(block, memory_now, size);
    return block->bytes;
}

void *fk_alloc_zero(size_t size)
{
    void *bytes = fk_alloc(size);
    if (bytes != NULL) {
        memset(bytes, 0, size);
    }
    return bytes;
}

/* A block stays its owner's, whoever lets it grow. */
void *fk_realloc(void *bytes, size_t size)
{
    if (bytes == NULL) {
        return fk_alloc(size);
    }
    struct block *block = block_of(bytes);
    struct sim_memory *owner = block->owner;
    if (refuses(owner)) {
        return NULL;
    }
    unlink_block(block);
    struct block *moved = realloc(block, sizeof *block + (size == 0 ? 1 : size));
    if (moved == NULL) {
        link_block(block, owner, block->size);
        return NULL;
    }
    link_block(moved, owner, size);
    return moved->bytes;
}

void fk_free(void *bytes)
{
    if (bytes != NULL) {
        struct block *block = block_of(bytes);
        unlink_block(block);
        free(block);
    }
}
