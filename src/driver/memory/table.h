// SPDX-License-Identifier: Apache-2.0
/* The table in memory, with the semantics and limits of DynamoDB: each call happens at one moment and never fails but
 * for memory; who wants it to be slow, busy or lost decorates it. Used by one thread. Reads take memory of the caller's
 * arena only, writes for the table only, so that a simulation can tell whose it is.
 *
 * Breaking the contract (a key twice, an empty key, a put of null) is a bug of the caller: FK_ASSERT. */
#ifndef FK_DRIVER_MEMORY_TABLE_H
#define FK_DRIVER_MEMORY_TABLE_H

#include "port/table.h"

/* An empty table; NULL without memory. Free with fk_table_free. Stamps that a write does not bring count up from 1. */
struct fk_table *fk_memory_table_new(void);

/* Told of each write that was applied, at that moment: a put writes[i] has the stamp first_stamp + i. Everything is
 * borrowed for the call; it may read the table, but not write. (A stamp of its own is in the write.) */
typedef void (*fk_memory_table_observe_fn)(void *context, const struct fk_write *writes, size_t count,
                                           int64_t first_stamp);

/* NULL: nobody is told any more. */
void fk_memory_table_observe(struct fk_table *table, fk_memory_table_observe_fn observe, void *context);

/* All items, ordered by partition and name. The array is in the arena; keys and values are views of the table, until
 * the next write. NOMEM. */
enum fk_err fk_memory_table_dump(struct fk_table *table, struct fk_arena *arena, struct fk_item **items, size_t *count);

/* Items, and the sum of their sizes (fk_item_size). */
size_t fk_memory_table_count(const struct fk_table *table);
size_t fk_memory_table_size(const struct fk_table *table);

#endif
