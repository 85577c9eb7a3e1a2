// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/assert.h"
#include "sim/dice.h"
#include "sim/world_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* --- clock and dice of a process --- */

static int64_t drifted(const struct sim_process *process, int64_t ns)
{
    return ns + ns / 1000000 * process->drift_ppm;
}

static int64_t monotonic_ns(struct fk_clock *clock)
{
    const struct sim_process *process = FK_CONTAINER_OF(clock, struct sim_process, clock);
    int64_t age = process->world->now_ns - process->start_ns - process->frozen_ns;
    return SIM_S + drifted(process, age);
}

static int64_t wall_ms(struct fk_clock *clock)
{
    const struct sim_process *process = FK_CONTAINER_OF(clock, struct sim_process, clock);
    int64_t age = drifted(process, process->world->now_ns - process->start_ns);
    return SIM_EPOCH_MS + (process->start_ns + age) / SIM_MS + process->skew_ms;
}

static void pause_ms(struct fk_clock *clock, int64_t ms)
{
    (void)clock;
    sim_sleep_ns(ms * SIM_MS);
}

static void fill(struct fk_random *random, uint8_t *bytes, size_t size)
{
    struct sim_world *world = FK_CONTAINER_OF(random, struct sim_process, random)->world;
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++) {
        if (i % sizeof word == 0) {
            word = sim_dice(world, SIM_DICE_PRODUCT);
        }
        bytes[i] = (uint8_t)(word >> (i % sizeof word * 8));
    }
}

struct fk_clock *sim_process_clock(struct sim_process *process)
{
    return &process->clock;
}

struct fk_random *sim_process_random(struct sim_process *process)
{
    return &process->random;
}

void sim_process_set_clock(struct sim_process *process, int64_t skew_ms, int32_t drift_ppm)
{
    process->skew_ms = skew_ms;
    process->drift_ppm = drift_ppm;
}

void sim_process_jump(struct sim_process *process, int64_t ms)
{
    process->skew_ms += ms;
}

void sim_process_suspend(struct sim_process *process, int64_t ns, bool freeze)
{
    int64_t now = process->world->now_ns;
    int64_t until = now + ns;
    if (until <= process->suspended_until_ns) {
        return;
    }
    int64_t from = process->suspended_until_ns > now ? process->suspended_until_ns : now;
    process->suspended_until_ns = until;
    if (freeze) {
        process->frozen_ns += until - from;
    }
}

int64_t sim_process_suspended_until(const struct sim_process *process)
{
    return process->suspended_until_ns;
}

/* --- life --- */

struct sim_process *sim_process_new(struct sim_world *world, const char *name)
{
    static const struct fk_clock_ops clock_ops = {
        .monotonic_ns = monotonic_ns, .wall_ms = wall_ms, .pause_ms = pause_ms};
    static const struct fk_random_ops random_ops = {.fill = fill};
    struct sim_process *process = calloc(1, sizeof *process);
    FK_ASSERT(process != NULL);
    process->world = world;
    process->alive = true;
    process->start_ns = world->now_ns;
    process->clock.ops = &clock_ops;
    process->random.ops = &random_ops;
    (void)snprintf(process->name, sizeof process->name, "%s", name);
    sim_memory_init(&process->memory);
    fk_list_init(&process->tasks);
    fk_list_append(&world->processes, &process->link);
    return process;
}

void sim_process_at_end(struct sim_process *process, sim_task_fn call, void *context)
{
    struct sim_end_call *end = calloc(1, sizeof *end);
    FK_ASSERT(end != NULL);
    *end = (struct sim_end_call){.call = call, .context = context};
    struct sim_end_call **at = &process->end_calls;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = end;
}

void *sim_process_slot(const struct sim_process *process)
{
    return process->slot;
}

void sim_process_set_slot(struct sim_process *process, void *thing)
{
    process->slot = thing;
}

static void run_end_calls(struct sim_process *process, bool call)
{
    while (process->end_calls != NULL) {
        struct sim_end_call *end = process->end_calls;
        process->end_calls = end->next;
        if (call) {
            end->call(end->context);
        }
        free(end);
    }
}

static void stop(struct sim_process *process)
{
    FK_ASSERT(process != process->world->self);
    FK_ASSERT(sim_current() != process);
    process->alive = false;
    sim_drop_tasks(process);
}

void sim_process_kill(struct sim_process *process)
{
    if (!process->alive) {
        return;
    }
    sim_trace(process->world, "%s is killed", process->name);
    stop(process);
    sim_memory_free(&process->memory);
    struct sim_process *before = sim_memory_of(NULL);
    run_end_calls(process, true);
    (void)sim_memory_of(before);
}

void sim_process_end(struct sim_process *process)
{
    if (!process->alive) {
        return;
    }
    stop(process);
    if (process->memory.count > 0) {
        sim_violation(process->world, "harness", "leak: %s ended with %" PRIu64 " blocks, one of %" PRIu64 " bytes",
                      process->name, process->memory.count, sim_memory_some_size(&process->memory));
        sim_memory_free(&process->memory);
    }
    struct sim_process *before = sim_memory_of(NULL);
    run_end_calls(process, true);
    (void)sim_memory_of(before);
}

void sim_process_free(struct sim_process *process)
{
    process->alive = false;
    sim_drop_tasks(process);
    sim_memory_free(&process->memory);
    run_end_calls(process, false);
    free(process);
}

bool sim_process_alive(const struct sim_process *process)
{
    return process->alive;
}

const char *sim_process_name(const struct sim_process *process)
{
    return process->name;
}

void sim_process_starves(struct sim_process *process)
{
    process->memory.starves = true;
}

struct sim_world *sim_process_world(struct sim_process *process)
{
    return process->world;
}

struct sim_process *sim_memory_of(struct sim_process *owner)
{
    struct sim_process *to = owner == NULL ? sim_the_world->self : owner;
    struct sim_memory *before = sim_memory_switch(&to->memory);
    return before == NULL ? NULL : FK_CONTAINER_OF(before, struct sim_process, memory);
}
