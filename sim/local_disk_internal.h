// SPDX-License-Identifier: Apache-2.0
/* What the calls of the simulated disk (local_disk.c) and its faults (local_disk_fault.c) share. */
#ifndef SIM_LOCAL_DISK_INTERNAL_H
#define SIM_LOCAL_DISK_INTERNAL_H

#include "sim/local_disk.h"

/* Part of a site's name. */
enum sim_file_kind {
    SIM_FILE_DIRECTORY, /* and what lies in it without contents: lock, hold */
    SIM_FILE_LOG,
    SIM_FILE_NEW_LOG, /* a segment that has no name yet */
    SIM_FILE_CHECKPOINT,
    SIM_FILE_WAL,
    SIM_FILE_JOURNAL,
    SIM_FILE_KINDS,
};

struct sim_disk {
    struct sim_world *world;
    struct sim_faults *faults;
    struct fk_memory_disk *memory;
    enum sim_disk_state state;
    int64_t sync_ns;
    int64_t loss;    /* argument of the fault that took the power */
    int64_t full_ns; /* when space was short last, or a call failed */
    bool erred;
    uint64_t fills; /* episodes of a full disk so far */
    struct sim_damage flipped;
    sim_flip_fn tell;
    void *tell_context;
};

struct sim_disk_call {
    struct sim_disk *disk;
    enum sim_file_kind kind;
    enum sim_call call;
    struct sim_fault fault;
};

enum sim_file_kind sim_file_kind(const char *path);

/* Before the effect: time passes, a fault may happen. `more`: kinds of fault besides those of each call. An error is
 * what the call gives. */
enum fk_err sim_disk_begin(struct sim_disk_call *call, uint64_t more, struct fk_diag *diag);
/* After the effect, which gave `err`; gives what the caller learns. */
enum fk_err sim_disk_end(struct sim_disk_call *call, enum fk_err err, struct fk_diag *diag);

/* Whether what this call reads is checked by whoever reads it. */
bool sim_disk_may_flip(const struct sim_disk_call *call);
void sim_disk_flip(struct sim_disk_call *call, const char *path, int64_t offset, uint8_t *bytes, size_t size);
void sim_disk_fail_sync(struct sim_disk_call *call, struct fk_file *inner);

#endif
