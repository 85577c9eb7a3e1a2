// SPDX-License-Identifier: Apache-2.0
#include "sim/local_run.h"

#include "driver/local/vfs.h"
#include "sim/dice.h"
#include "sim/local_internal.h"
#include "sim/own.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    LIVES_MAX = 64, /* then the faults end */
    RUN_S = 3600,   /* bound of a run, in virtual time */
};

static int64_t draw_of(uint64_t *dice, const int64_t *values, size_t count)
{
    return values[sim_dice_scale(sim_dice_next(dice), count)];
}

void sim_local_draw(uint64_t seed, struct sim_local_options *options)
{
    static const int64_t segments[] = {4096, 6000, 8192, 16384, 65536};
    static const int64_t checkpoints[] = {1, 2048, 8192, 30000};
    static const int64_t pauses[] = {20, 200, 1000, 5000};
    static const int64_t logs[] = {20000, 100000, 1000000};
    static const int64_t chances[] = {0, 500, 2000, 5000, 10000};
    static const int64_t data[] = {20, 100, 600};
    static const int64_t thinks[] = {1, 5, 20, 150};
    uint64_t dice = sim_mix(seed ^ UINT64_C(0x6c6f63616c));
    *options = (struct sim_local_options){
        .segment_size = draw_of(&dice, segments, 5),
        .checkpoint_size = draw_of(&dice, checkpoints, 4),
        .checkpoint_ms = draw_of(&dice, pauses, 4),
        .log_size_max = draw_of(&dice, logs, 3),
        .per_million = (uint32_t)draw_of(&dice, chances, 5),
        .data_max = (uint32_t)draw_of(&dice, data, 3),
        .think_ms = (uint32_t)draw_of(&dice, thinks, 4),
        .operations = 100 + (uint32_t)sim_dice_scale(sim_dice_next(&dice), 200),
        .clients = 1 + (uint32_t)sim_dice_scale(sim_dice_next(&dice), 6),
        .pipeline = 1 + (uint32_t)sim_dice_scale(sim_dice_next(&dice), 6),
        .paths = 2 + (uint32_t)sim_dice_scale(sim_dice_next(&dice), 20),
        .inline_percent = (uint32_t)sim_dice_scale(sim_dice_next(&dice), 3) * 50,
        .restarts = (uint32_t)sim_dice_scale(sim_dice_next(&dice), 3) * 5000,
        .kinds = sim_dice_next(&dice) | sim_dice_next(&dice),
    };
    uint64_t style = sim_dice_scale(sim_dice_next(&dice), 4);
    options->uniform = style < 2;
    if (style == 0) { /* torn groups of like frames */
        options->kinds = SIM_FAULT_BIT(POWER_BEFORE) | SIM_FAULT_BIT(POWER_AFTER) | SIM_FAULT_BIT(CRASH_BEFORE);
        options->paths = options->paths > 10 ? 10 : options->paths;
        options->alike = true;
        options->pipeline = 1;
        options->clients += 4;
        options->think_ms = 1;
        options->sync_us = 20000;
        options->inline_percent = 0;
        options->per_million = 15000;
    }
    /* A change must fit a segment. */
    if (options->segment_size < 4 * (int64_t)options->data_max + 2048) {
        options->segment_size = 8192;
    }
}

/* Undoes the damage that a start has refused, or did not come to see: it must have left the file as it was. Where the
 * server has started, the log was cut, and the checkpoint may stay wrong in places that nobody has read. */
static void settle_damage(struct sim_local *lab)
{
    bool of_log = strncmp(lab->damage.path, "log.", 4) == 0;
    bool healed = lab->damage.path[0] == '\0' || (!lab->started && sim_disk_heal(lab->disk, &lab->damage));
    if (lab->refused && !healed) {
        sim_violation(lab->world, "C6", "the start refused a damaged %s, and changed it all the same",
                      lab->damage.path);
    }
    lab->excused = lab->excused && !lab->started && !(lab->refused && healed);
    lab->rotten = lab->rotten || (!healed && !(of_log && lab->started));
}

/* One life, from the start to the end. */
static void live_once(struct sim_local *lab)
{
    struct sim_local_server server = {.lab = lab, .process = sim_process_new(lab->world, "server")};
    server.clock = sim_process_clock(server.process);
    sim_process_starves(server.process);
    lab->result->lives++;
    struct sim_fault fault =
        sim_fault_labelled(lab->faults, SIM_ROLE_SERVER, "", SIM_CALL_PROCESS_START,
                           SIM_FAULT_BIT(ROT) | SIM_FAULT_BIT(ZEROED) | SIM_FAULT_BIT(SKEW) | SIM_FAULT_BIT(DRIFT));
    lab->damage.path[0] = '\0';
    lab->kept_zxid = lab->excused ? 0 : lab->told_zxid;
    lab->refused = lab->started = false;
    if (fault.kind == SIM_FAULT_SKEW || fault.kind == SIM_FAULT_DRIFT) {
        bool skew = fault.kind == SIM_FAULT_SKEW;
        sim_process_set_clock(server.process, skew ? fault.argument : 0, skew ? 0 : (int32_t)fault.argument);
    } else if (fault.kind != SIM_FAULT_NONE && sim_disk_damage(lab->disk, &fault, &lab->damage)) {
        (void)sim_disk_heal(lab->disk, &lab->damage); /* what it hits can be seen only in whole frames */
        sim_local_excuse(lab, &lab->damage);
        (void)sim_disk_damage(lab->disk, &fault, &lab->damage);
    }
    sim_spawn(server.process, sim_local_live, &server);
    while (!server.over) {
        (void)sim_wait(&lab->ended, INT64_MAX);
    }
    sim_process_end(server.process);
    sim_disk_restart(lab->disk);
    settle_damage(lab);
}

/* After a violation a server is still there: what SQLite knows of it must not stay. */
static void forget_vfs(void *context)
{
    fk_vfs_free(((struct sim_local *)context)->vfs);
}

static void run_lives(void *context)
{
    struct sim_local *lab = (struct sim_local *)context;
    sim_faults_enable(lab->faults, true);
    while (lab->result->operations < lab->options->operations && lab->result->lives < LIVES_MAX) {
        live_once(lab);
        sim_sleep_ns((int64_t)sim_below(lab->world, SIM_DICE_SCHEDULE, 3000) * SIM_MS);
    }
    sim_faults_enable(lab->faults, false);
    lab->settling = true;
    live_once(lab);
    live_once(lab); /* what a clean end has left */
    sim_signal_init(&lab->ended);
}

bool sim_local_run(uint64_t seed, const struct sim_local_options *options, const struct sim_plan *plan,
                   struct sim_coverage *coverage, void (*trace)(void *context, const char *line), void *context,
                   struct sim_local_result *result)
{
    const struct sim_swarm swarm = {.kinds = options->kinds,
                                    .roles = UINT32_MAX,
                                    .per_million = options->per_million,
                                    .zombie_ms = 6000,
                                    .skew_ms = 600000};
    static struct sim_bump bump;
    struct sim_world *world = sim_world_new(seed);
    *result = (struct sim_local_result){.promise = NULL};
    sim_trace_to(world, trace, context);
    struct sim_local *lab = SIM_OWN_NEW(struct sim_local);
    lab->world = world;
    lab->options = options;
    lab->result = result;
    lab->faults = sim_faults_new(world, &swarm, plan, coverage);
    lab->disk = sim_disk_new(world, lab->faults);
    sim_disk_sync_ns(lab->disk, INT64_C(1000) * (options->sync_us == 0 ? 2000 : options->sync_us));
    lab->ledger = sim_ledger_new(world, &bump);
    sim_signal_init(&lab->ended);
    sim_world_at_free(world, forget_vfs, lab);
    sim_disk_tell_flips(lab->disk, sim_local_excuse, lab);
    struct sim_process *process = sim_process_new(world, "lab");
    sim_spawn(process, run_lives, lab);
    (void)sim_world_run(world, RUN_S * SIM_S);
    result->hash = sim_trace_hash(world);
    result->virtual_ns = sim_now_ns(world);
    result->promise = sim_violated(world);
    (void)snprintf(result->violation, sizeof result->violation, "%s", sim_violation_text(world));
    const struct sim_plan *done = sim_faults_done(lab->faults);
    for (size_t i = 0; i < done->count; i++) {
        sim_plan_add(&result->done, &done->faults[i]);
    }
    result->faults = done->count;
    sim_world_free(world);
    sim_bump_reset(&bump);
    return result->promise == NULL;
}
