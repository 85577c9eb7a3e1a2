// SPDX-License-Identifier: Apache-2.0
#include "sim/own.h"

#include "base/alloc.h"
#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>

static void *checked(void *block)
{
    if (block == NULL) {
        (void)fputs("faaskeeper-sim: out of memory\n", stderr);
        abort();
    }
    return block;
}

void *sim_own_take(size_t size)
{
    struct sim_process *owner = sim_memory_of(NULL);
    void *block = checked(fk_alloc_zero(size));
    (void)sim_memory_of(owner);
    return block;
}

void *sim_own_grow(void *block, size_t size)
{
    struct sim_process *owner = sim_memory_of(NULL);
    void *grown = checked(fk_realloc(block, size));
    (void)sim_memory_of(owner);
    return grown;
}

void sim_own_free(void *block)
{
    fk_free(block);
}
