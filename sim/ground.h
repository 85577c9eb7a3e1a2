// SPDX-License-Identifier: Apache-2.0
/* The ground log of a run: what took each zxid. The decisions of the functions are watched (fk_decide is wrapped at
 * link time), kept beside the write that carries them, and believed when that write is applied. */
#ifndef SIM_GROUND_H
#define SIM_GROUND_H

#include "port/table.h"
#include "sim/history.h"
#include "sim/world.h"

struct sim_notes;

/* Entries go there from now on; NULL: nowhere. */
void sim_ground_to(struct sim_history *history);
/* The decisions that this write of the running task carries; NULL where it carries none. To be given to one of the two
 * below. */
struct sim_notes *sim_ground_take(const struct fk_write *writes, size_t count);
void sim_ground_applied(struct sim_notes *notes, int64_t time_ns);
void sim_ground_dropped(struct sim_notes *notes);

#endif
