// SPDX-License-Identifier: Apache-2.0
/* Memory of the judge: histories and what checkers build from them. Not base/alloc.h, because in the simulator that is
 * accounted to the process that runs, and goes with it. Given back all at once; out of memory ends the program. */
#ifndef SIM_BUMP_H
#define SIM_BUMP_H

#include "base/bytes.h"

struct sim_bump_chunk;

struct sim_bump {
    struct sim_bump_chunk *first;
    struct sim_bump_chunk *now; /* chunks behind it are kept from before the last reset */
    size_t used;                /* of the present chunk */
};

#define SIM_BUMP_EMPTY ((struct sim_bump){NULL, NULL, 0})

/* Zeroed memory, aligned to 16 bytes, valid until reset or deinit. */
void *sim_bump_alloc(struct sim_bump *bump, size_t size);
/* A copy of the bytes; a null view stays null. */
struct fk_bytes sim_bump_copy(struct sim_bump *bump, struct fk_bytes bytes);
/* Gives all back, keeps the chunks for the next run. */
void sim_bump_reset(struct sim_bump *bump);
void sim_bump_deinit(struct sim_bump *bump);

/* Makes room for one more item in an array that grows by doubling: `items` (bump memory, old places are not reused),
 * `count` of them are used, `capacity` is raised. Gives the array. */
void *sim_bump_grow(struct sim_bump *bump, void *items, size_t count, size_t *capacity, size_t item_size);

#endif
