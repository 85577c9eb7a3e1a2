// SPDX-License-Identifier: Apache-2.0
/* The disk of the simulated server, and the faults at its calls. Each call of the file port takes virtual time before
 * and after its effect, so that the engine's threads meet in every order that the calls allow. When the process dies or
 * the power fails, what runs goes on, but it reaches nothing any more: each call fails, and the server comes to its end
 * as it does after any error, with all memory and SQLite's state given back. */
#ifndef SIM_LOCAL_DISK_H
#define SIM_LOCAL_DISK_H

#include "driver/memory/file.h"
#include "sim/fault.h"

struct sim_disk;

enum sim_disk_state {
    SIM_DISK_WORKS,
    SIM_DISK_EXITED,    /* the process is dead, the page cache lives */
    SIM_DISK_POWERLESS, /* what was not synced is lost as the fault says */
};

/* Belongs to the world; no file may be open when that is freed without a violation. */
struct sim_disk *sim_disk_new(struct sim_world *world, struct sim_faults *faults);

/* How long a sync takes at most. */
void sim_disk_sync_ns(struct sim_disk *disk, int64_t ns);

/* The file system for one life of a process. NULL without memory. */
struct fk_files *sim_disk_files(struct sim_disk *disk);

enum sim_disk_state sim_disk_state(const struct sim_disk *disk);
/* The process has ended. */
void sim_disk_exit(struct sim_disk *disk);
/* After a life: all files are closed. Loses what is lost, then works again. */
void sim_disk_restart(struct sim_disk *disk);

/* Where it is damaged, before a start: "rot" and "zeroed" with this argument. False where there was nothing to damage.
 */
struct sim_damage {
    char path[64]; /* empty: none */
    int64_t offset;
    size_t size;
    uint8_t before[512];
    uint64_t hash; /* of the damaged file */
};
bool sim_disk_damage(struct sim_disk *disk, const struct sim_fault *fault, struct sim_damage *damage);
/* Undoes it, where nobody has changed the file since. */
bool sim_disk_heal(struct sim_disk *disk, const struct sim_damage *damage);

/* Is told of each read that is given something wrong, before it is. */
typedef void (*sim_flip_fn)(void *context, const struct sim_damage *damage);
void sim_disk_tell_flips(struct sim_disk *disk, sim_flip_fn tell, void *context);
/* What a read was given wrong since the last restart; path empty: nothing. */
const struct sim_damage *sim_disk_flipped(const struct sim_disk *disk);
/* Whether a call failed without the process dying since the last restart. */
bool sim_disk_erred(const struct sim_disk *disk);
/* When space was short last, or a call failed; INT64_MIN: never. */
int64_t sim_disk_full_ns(const struct sim_disk *disk);

struct fk_memory_disk *sim_disk_memory(struct sim_disk *disk);

#endif
