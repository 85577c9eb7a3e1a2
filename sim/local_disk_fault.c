// SPDX-License-Identifier: Apache-2.0
/* What goes wrong with the simulated disk. */
#include "base/assert.h"
#include "sim/dice.h"
#include "sim/local_disk_internal.h"
#include "sim/own.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The time that calls take; they differ so much that every order of the threads comes up. */
static const int64_t latency_ns[SIM_CALL_COUNT] = {
    [SIM_CALL_FILE_OPEN] = 20000,
    [SIM_CALL_FILE_READ] = 10000,
    [SIM_CALL_FILE_WRITE] = 20000,

    [SIM_CALL_FILE_ALLOCATE] = 100000,
    [SIM_CALL_FILE_TRUNCATE] = 50000,
    [SIM_CALL_FILE_RENAME] = 20000,
    [SIM_CALL_FILE_REMOVE] = 20000,
    [SIM_CALL_FILE_LIST] = 20000,
    [SIM_CALL_FILE_SIZE] = 2000,
    [SIM_CALL_FILE_SYNC_DIRECTORY] = 1000000,
    [SIM_CALL_FILE_LOCK] = 2000,
};

static const char *const kind_texts[SIM_FILE_KINDS] = {"directory", "log", "new-log", "checkpoint", "wal", "journal"};

enum sim_file_kind sim_file_kind(const char *path)
{
    if (strncmp(path, "log.", 4) == 0) {
        return SIM_FILE_LOG;
    }
    if (strcmp(path, "prepare.tmp") == 0) {
        return SIM_FILE_NEW_LOG;
    }
    if (strncmp(path, "checkpoint.sqlite", 17) != 0) {
        return SIM_FILE_DIRECTORY;
    }
    if (strcmp(path + 17, "-wal") == 0) {
        return SIM_FILE_WAL;
    }
    return path[17] == '\0' ? SIM_FILE_CHECKPOINT : SIM_FILE_JOURNAL;
}

static void free_disk(void *context)
{
    struct sim_disk *disk = (struct sim_disk *)context;
    if (sim_violated(disk->world) == NULL) { /* else files are open, and go with the world's memory */
        fk_memory_disk_free(disk->memory);
    }
}

struct sim_disk *sim_disk_new(struct sim_world *world, struct sim_faults *faults)
{
    struct sim_disk *disk = SIM_OWN_NEW(struct sim_disk);
    struct sim_process *owner = sim_memory_of(NULL);
    *disk = (struct sim_disk){.world = world, .faults = faults, .memory = fk_memory_disk_new(), .full_ns = INT64_MIN};
    (void)sim_memory_of(owner);
    sim_world_at_free(world, free_disk, disk);
    return disk;
}

void sim_disk_sync_ns(struct sim_disk *disk, int64_t ns)
{
    disk->sync_ns = ns;
}

enum sim_disk_state sim_disk_state(const struct sim_disk *disk)
{
    return disk->state;
}

void sim_disk_exit(struct sim_disk *disk)
{
    if (disk->state == SIM_DISK_WORKS) {
        disk->state = SIM_DISK_EXITED;
        sim_trace(disk->world, "the process ends");
    }
}

/* Decides what is kept of unsynced data: 0 nothing, 1 all, else by dice that start with the argument. */
struct keeper {
    int64_t argument;
    uint64_t dice;
    uint32_t share; /* of what is kept, per million */
};

static struct keeper keeper_of(int64_t argument)
{
    static const uint32_t shares[4] = {100000, 500000, 500000, 900000};
    struct keeper keeper = {.argument = argument, .dice = sim_mix((uint64_t)argument)};
    keeper.share = shares[sim_dice_next(&keeper.dice) % 4];
    return keeper;
}

static bool keeps(void *context)
{
    struct keeper *keeper = (struct keeper *)context;
    if (keeper->argument == 0 || keeper->argument == 1) {
        return keeper->argument == 1;
    }
    return sim_dice_scale(sim_dice_next(&keeper->dice), 1000000) < keeper->share;
}

static size_t sector_size(int64_t argument)
{
    /* 64: no disk promises whole sectors; and it tears groups of small frames. */
    static const size_t sizes[4] = {0, 64, 512, 4096};
    return sizes[argument % 4];
}

void sim_disk_restart(struct sim_disk *disk)
{
    if (disk->state == SIM_DISK_POWERLESS) {
        struct keeper keeper = keeper_of(disk->loss);
        struct sim_process *owner = sim_memory_of(NULL);
        fk_memory_disk_tear(disk->memory, sector_size(disk->loss));
        fk_memory_disk_crash(disk->memory, keeps, &keeper);
        (void)sim_memory_of(owner);
    }
    disk->state = SIM_DISK_WORKS;
    disk->erred = false;
    disk->flipped.path[0] = '\0';
}

static void lose_power(struct sim_disk *disk, int64_t argument)
{
    disk->state = SIM_DISK_POWERLESS;
    disk->loss = argument;
}

struct refill {
    struct sim_disk *disk;
    uint64_t fills;
};

static void space_is_back(void *context)
{
    struct refill *refill = (struct refill *)context;
    if (refill->fills == refill->disk->fills) {
        fk_memory_disk_limit(refill->disk->memory, INT64_MAX);
        refill->disk->full_ns = sim_now_ns(refill->disk->world);
        sim_trace(refill->disk->world, "there is space again");
    }
    sim_own_free(refill);
}

/* Nothing grows any more for a while. */
static void fill(struct sim_disk *disk, int64_t ms)
{
    disk->full_ns = sim_now_ns(disk->world) + ms * SIM_MS;
    disk->fills++;
    fk_memory_disk_limit(disk->memory, ms > 0 ? 0 : INT64_MAX);
    if (ms > 0) {
        struct refill *refill = SIM_OWN_NEW(struct refill);
        *refill = (struct refill){disk, disk->fills};
        sim_at(disk->world, NULL, disk->full_ns, space_is_back, refill);
    }
}

static enum fk_err gone(struct fk_diag *diag)
{
    fk_diag_set(diag, "the process is dead");
    return FK_ERR_IO;
}

/* "checkpoint-wal": who calls, on which file. */
static const char *label_of(const struct sim_disk_call *call)
{
    static const char *const tasks[] = {"", "open", "loop", "stop", "log", "segment", "checkpoint"};
    enum {
        TASKS = sizeof tasks / sizeof tasks[0],
    };
    static char labels[TASKS][SIM_FILE_KINDS][32];
    const char *now = sim_label_now();
    size_t task = 0;
    for (size_t i = 1; i < TASKS; i++) {
        task = strcmp(now, tasks[i]) == 0 ? i : task;
    }
    char *label = labels[task][call->kind];
    if (label[0] == '\0') {
        (void)snprintf(label, sizeof labels[0][0], "%s-%s", tasks[task], kind_texts[call->kind]);
    }
    return label;
}

/* What can't be written is taken for want of space by some. */
static void note_error(struct sim_disk *disk)
{
    int64_t now = sim_now_ns(disk->world);
    disk->erred = true;
    disk->full_ns = disk->full_ns > now ? disk->full_ns : now;
}

static enum fk_err strike(struct sim_disk_call *call, struct fk_diag *diag)
{
    struct sim_disk *disk = call->disk;
    switch ((int)call->fault.kind) {
    case SIM_FAULT_CRASH_BEFORE:
        disk->state = SIM_DISK_EXITED;
        return gone(diag);
    case SIM_FAULT_POWER_BEFORE:
        lose_power(disk, call->fault.argument);
        return gone(diag);
    case SIM_FAULT_IO:
        note_error(disk);
        fk_diag_set(diag, "injected fault: input or output failed");
        return FK_ERR_IO;
    case SIM_FAULT_FULL:
        disk->erred = true;
        fill(disk, call->fault.argument);
        fk_diag_set(diag, "injected fault: the disk is full");
        return FK_ERR_FULL;
    default:
        return FK_OK;
    }
}

enum fk_err sim_disk_begin(struct sim_disk_call *call, uint64_t more, struct fk_diag *diag)
{
    const uint64_t always = SIM_FAULT_BIT(CRASH_BEFORE) | SIM_FAULT_BIT(CRASH_AFTER) | SIM_FAULT_BIT(POWER_BEFORE) |
                            SIM_FAULT_BIT(POWER_AFTER) | SIM_FAULT_BIT(IO);
    struct sim_disk *disk = call->disk;
    if (disk->state != SIM_DISK_WORKS) {
        return gone(diag);
    }
    int64_t latency = call->call == SIM_CALL_FILE_SYNC ? disk->sync_ns : latency_ns[call->call];
    sim_sleep_ns((int64_t)sim_below(disk->world, SIM_DICE_SCHEDULE, (uint64_t)latency));
    if (disk->state != SIM_DISK_WORKS) {
        return gone(diag);
    }
    const char *label = label_of(call);
    sim_trace(disk->world, "call %d of %s", (int)call->call, label);
    call->fault = sim_fault_labelled(disk->faults, SIM_ROLE_SERVER, label, call->call, always | more);
    return strike(call, diag);
}

enum fk_err sim_disk_end(struct sim_disk_call *call, enum fk_err err, struct fk_diag *diag)
{
    struct sim_disk *disk = call->disk;
    if (disk->state != SIM_DISK_WORKS) {
        return err != FK_OK ? err : gone(diag);
    }
    if (err == FK_ERR_IO || err == FK_ERR_FULL) {
        note_error(disk);
    }
    switch ((int)call->fault.kind) {
    case SIM_FAULT_CRASH_AFTER:
    case SIM_FAULT_CRASH_TORN:
        disk->state = SIM_DISK_EXITED;
        return gone(diag);
    case SIM_FAULT_POWER_AFTER:
        lose_power(disk, call->fault.argument);
        return gone(diag);
    default:
        break;
    }
    if (call->call != SIM_CALL_FILE_READ && call->call != SIM_CALL_FILE_SIZE) {
        sim_sleep_ns((int64_t)sim_below(disk->world, SIM_DICE_SCHEDULE, 5000)); /* the effect is seen by others first */
    }
    return disk->state != SIM_DISK_WORKS && err == FK_OK ? gone(diag) : err;
}

/* SQLite keeps no checksum of its pages: what is wrong in one that it changes is written back. Rows have one, so a
 * start finds it; and nothing else of the checkpoint is read wrong here. */
bool sim_disk_may_flip(const struct sim_disk_call *call)
{
    return call->kind == SIM_FILE_LOG || (strcmp(sim_label_now(), "open") == 0 && call->kind != SIM_FILE_JOURNAL);
}

void sim_disk_flip(struct sim_disk_call *call, const char *path, int64_t offset, uint8_t *bytes, size_t size)
{
    struct sim_disk *disk = call->disk;
    uint64_t dice = sim_mix((uint64_t)call->fault.argument);
    size_t at = (size_t)sim_dice_scale(sim_dice_next(&dice), size);
    bytes[at] ^= (uint8_t)(1u << (sim_dice_next(&dice) % 8));
    (void)snprintf(disk->flipped.path, sizeof disk->flipped.path, "%s", path);
    disk->flipped.offset = offset + (int64_t)at;
    disk->flipped.size = 1;
    disk->tell(disk->tell_context, &disk->flipped);
}

void sim_disk_fail_sync(struct sim_disk_call *call, struct fk_file *inner)
{
    struct keeper keeper = keeper_of(call->fault.argument);
    call->disk->erred = true;
    fk_memory_disk_tear(call->disk->memory, sector_size(call->fault.argument));
    fk_memory_file_fail_sync(inner, keeps, &keeper);
}

void sim_disk_tell_flips(struct sim_disk *disk, sim_flip_fn tell, void *context)
{
    disk->tell = tell;
    disk->tell_context = context;
}

const struct sim_damage *sim_disk_flipped(const struct sim_disk *disk)
{
    return &disk->flipped;
}

bool sim_disk_erred(const struct sim_disk *disk)
{
    return disk->erred;
}

int64_t sim_disk_full_ns(const struct sim_disk *disk)
{
    return disk->full_ns;
}

struct fk_memory_disk *sim_disk_memory(struct sim_disk *disk)
{
    return disk->memory;
}

/* --- damage before a start --- */

/* The size of what is in use: of a log, up to its last byte that is not zero. */
static size_t used_size(struct fk_bytes file)
{
    size_t size = file.size;
    while (size > 0 && file.data[size - 1] == 0) {
        size--;
    }
    return size;
}

/* One of the files that hold something, by dice. */
static struct fk_bytes choose(struct sim_disk *disk, uint64_t *dice, char path[64])
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_files *files = fk_memory_files_new(disk->memory);
    const char **names = NULL;
    size_t count = 0;
    struct fk_bytes chosen = FK_BYTES_NULL;
    enum fk_err err = files->ops->list(files, &arena, &names, &count, NULL);
    FK_ASSERT(err == FK_OK);
    for (size_t tries = 0; tries < 16 && chosen.data == NULL && count > 0; tries++) {
        const char *name = names[sim_dice_scale(sim_dice_next(dice), count)];
        struct fk_bytes file = fk_memory_disk_look(disk->memory, name);
        if (sim_file_kind(name) != SIM_FILE_DIRECTORY && used_size(file) > 0) {
            chosen = file;
            (void)snprintf(path, 64, "%s", name);
        }
    }
    files->ops->free(files);
    fk_arena_deinit(&arena);
    return chosen;
}

bool sim_disk_damage(struct sim_disk *disk, const struct sim_fault *fault, struct sim_damage *damage)
{
    uint64_t dice = sim_mix((uint64_t)fault->argument);
    struct fk_bytes file = choose(disk, &dice, damage->path);
    if (file.data == NULL) {
        damage->path[0] = '\0';
        return false;
    }
    uint8_t bytes[512] = {0};
    size_t at = (size_t)sim_dice_scale(sim_dice_next(&dice), used_size(file));
    bool sector = fault->kind == SIM_FAULT_ZEROED;
    at = sector ? at & ~(size_t)511 : at;
    damage->offset = (int64_t)at;
    damage->size = sector ? (file.size - at < 512 ? file.size - at : 512) : 1;
    memcpy(damage->before, file.data + at, damage->size);
    if (!sector) {
        bytes[0] = (uint8_t)(damage->before[0] ^ (1u << (sim_dice_next(&dice) % 8)));
    }
    fk_memory_disk_damage(disk->memory, damage->path, damage->offset, fk_bytes_of(bytes, damage->size));
    damage->hash = fk_bytes_hash(fk_memory_disk_look(disk->memory, damage->path));
    sim_trace(disk->world, "damage of %s at %" PRId64, damage->path, damage->offset);
    return true;
}

bool sim_disk_heal(struct sim_disk *disk, const struct sim_damage *damage)
{
    struct fk_bytes file = fk_memory_disk_look(disk->memory, damage->path);
    if (file.data == NULL || fk_bytes_hash(file) != damage->hash) {
        return false;
    }
    fk_memory_disk_damage(disk->memory, damage->path, damage->offset, fk_bytes_of(damage->before, damage->size));
    return true;
}
