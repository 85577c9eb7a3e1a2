// SPDX-License-Identifier: Apache-2.0
/* Who owns what base/alloc.h gave out: each block stands in the list of its owner, so that a killed process's memory
 * can be freed, and an ended one shown to have freed all. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_memory {
    struct fk_list blocks;
    uint64_t count;
    bool starves; /* its requests are counted, and one of them may be refused */
};

void sim_memory_init(struct sim_memory *memory);
/* Frees every block. */
void sim_memory_free(struct sim_memory *memory);
/* Blocks taken from now on go there; NULL: to the program itself, for ever. Gives back the owner up to now. */
struct sim_memory *sim_memory_switch(struct sim_memory *memory);
/* The `nth` block that those that starve ask for from now on is refused, once; 0: none is. Counting starts anew. */
void sim_memory_refuse(uint64_t nth);
/* Blocks that they asked for since then. */
uint64_t sim_memory_asked(void);
/* True from the refusal on. */
bool sim_memory_refused(void);
/* What the harness itself asks for in such a process is not counted and not refused between these two. */
void sim_memory_spare_begin(void);
void sim_memory_spare_end(void);
/* Size of some block that is still there, for the report of a leak; 0 where there is none. */
uint64_t sim_memory_some_size(const struct sim_memory *memory);

#endif
