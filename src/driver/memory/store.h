// SPDX-License-Identifier: Apache-2.0
/* The reference store: records in one list, found by looking at each, copied in and copied out. What it does is meant
 * to be seen at a glance, and it is what other drivers are compared with; it is not meant to be fast. A commit is
 * visible as soon as it is accepted. On demand it answers commits as a network store may. Used by one thread. */
#ifndef FK_DRIVER_MEMORY_STORE_H
#define FK_DRIVER_MEMORY_STORE_H

#include "port/store.h"

/* What a commit is told instead of its result. */
enum fk_memory_fault {
    FK_MEMORY_REFUSED,             /* nothing applied */
    FK_MEMORY_BUSY,                /* nothing applied */
    FK_MEMORY_FULL,                /* nothing applied */
    FK_MEMORY_UNKNOWN_APPLIED,     /* told UNKNOWN, and applied */
    FK_MEMORY_UNKNOWN_NOT_APPLIED, /* told UNKNOWN, and not applied */
};

/* A store with the fresh tree (model/tree.h); NULL without memory. Free with fk_store_free. */
struct fk_store *fk_memory_store_new(void);

/* The next `count` commits get this answer; 0 ends it. */
void fk_memory_store_fail(struct fk_store *store, enum fk_memory_fault fault, size_t count);

/* Changes with more puts are TOO_LARGE from now on; 0: none is. */
void fk_memory_store_limit(struct fk_store *store, size_t puts_max);

/* The oldest change that was applied and not asked for yet; a view until the next call. NULL: there is none. All are
 * kept until then. */
const struct fk_change *fk_memory_store_next(struct fk_store *store);

#endif
