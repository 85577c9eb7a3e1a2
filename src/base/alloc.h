// SPDX-License-Identifier: Apache-2.0
/* The only door to the heap. NULL is an error like any other: what a client asked for fails, or its connection ends. */
#ifndef FK_BASE_ALLOC_H
#define FK_BASE_ALLOC_H

#include <stddef.h>

/* Uninitialised memory or NULL. size 0 gives a unique pointer. */
void *fk_alloc(size_t size) __attribute__((malloc, alloc_size(1)));
/* Zeroed memory or NULL. */
void *fk_alloc_zero(size_t size) __attribute__((malloc, alloc_size(1)));
/* As realloc: on NULL the old block stays valid. */
void *fk_realloc(void *block, size_t size);
/* NULL is allowed. */
void fk_free(void *block);

#endif
