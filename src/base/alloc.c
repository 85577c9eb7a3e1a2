// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"

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

void fk_free(void *block)
{
    free(block);
}
