// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

void *fk_alloc(size_t size)
{
    return malloc(size == 0 ? 1 : size);
}

void *fk_alloc_zero(size_t size)
{
    return calloc(1, size == 0 ? 1 : size);
}

void *fk_realloc(void *block, size_t size)
{
    return realloc(block, size == 0 ? 1 : size);
}

void *fk_alloc_must(size_t size)
{
    void *block = fk_alloc(size);
    if (block == NULL) {
        (void)fprintf(stderr, "faaskeeper: out of memory (%zu bytes); what is durable is safe, start again\n", size);
        _Exit(1);
    }
    return block;
}

void fk_free(void *block)
{
    free(block);
}
