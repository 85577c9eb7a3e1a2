// SPDX-License-Identifier: Apache-2.0
/* The only door to the heap. Parsers and per-connection work use fk_alloc/fk_realloc and handle NULL; a change that is
 * already durable can't be half applied, so the state that follows the log uses fk_alloc_must, which ends the process:
 * the next start recovers from the log. */
#ifndef FK_BASE_ALLOC_H
#define FK_BASE_ALLOC_H

#include <stddef.h>

/* Uninitialised memory or NULL. size 0 gives a unique pointer. */
void *fk_alloc(size_t size) __attribute__((malloc, alloc_size(1)));
/* Zeroed memory or NULL. */
void *fk_alloc_zero(size_t size) __attribute__((malloc, alloc_size(1)));
/* As realloc: on NULL the old block stays valid. */
void *fk_realloc(void *block, size_t size);
/* As fk_alloc, but ends the process (exit code 1) with one line when there is no memory. */
void *fk_alloc_must(size_t size) __attribute__((malloc, alloc_size(1), returns_nonnull));
/* NULL is allowed. */
void fk_free(void *block);

#endif
