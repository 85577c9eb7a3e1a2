// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "sim/dice.h"
#include "sim/trace.h"
#include "sim/world_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct sim_world *sim_the_world;

struct sim_world *sim_world_new(uint64_t seed)
{
    FK_ASSERT(sim_the_world == NULL);
    struct sim_world *world = calloc(1, sizeof *world);
    FK_ASSERT(world != NULL);
    fk_list_init(&world->processes);
    fk_list_init(&world->idle_tasks);
    for (size_t i = 0; i < SIM_DICE_STREAMS; i++) {
        world->dice[i] = sim_mix(seed * SIM_DICE_STREAMS + i + 1);
    }
    sim_the_world = world;
    world->self = sim_process_new(world, "world");
    (void)sim_memory_of(NULL);
    return world;
}

void sim_world_free(struct sim_world *world)
{
    struct sim_end_call *end;
    while ((end = world->end_calls) != NULL) {
        world->end_calls = end->next;
        end->call(end->context);
        free(end);
    }
    struct fk_list *link;
    for (link = world->processes.next; link != &world->processes; link = link->next) {
        sim_drop_tasks(FK_CONTAINER_OF(link, struct sim_process, link)); /* they wait in memory of other processes */
    }
    while ((link = fk_list_take(&world->processes)) != NULL) {
        sim_process_free(FK_CONTAINER_OF(link, struct sim_process, link));
    }
    while ((link = fk_list_take(&world->idle_tasks)) != NULL) {
        free(FK_CONTAINER_OF(link, struct sim_task, link));
    }
    (void)sim_memory_switch(NULL);
    free(world->heap.items);
    free(world);
    sim_the_world = NULL;
}

void sim_world_at_free(struct sim_world *world, sim_task_fn call, void *context)
{
    struct sim_end_call *end = calloc(1, sizeof *end);
    FK_ASSERT(end != NULL);
    *end = (struct sim_end_call){.next = world->end_calls, .call = call, .context = context};
    world->end_calls = end;
}

int64_t sim_now_ns(const struct sim_world *world)
{
    return world->now_ns;
}

uint64_t sim_dice(struct sim_world *world, enum sim_stream stream)
{
    return sim_dice_next(&world->dice[stream]);
}

uint64_t sim_below(struct sim_world *world, enum sim_stream stream, uint64_t below)
{
    return sim_dice_scale(sim_dice(world, stream), below);
}

bool sim_chance(struct sim_world *world, enum sim_stream stream, uint32_t per_million)
{
    return sim_below(world, stream, 1000000) < per_million;
}

/* --- trace and violations --- */

void sim_trace_to(struct sim_world *world, sim_trace_sink_fn sink, void *context)
{
    world->sink = sink;
    world->sink_context = context;
}

uint64_t sim_trace_hash(const struct sim_world *world)
{
    return world->hash;
}

__attribute__((format(printf, 2, 0))) static void print_line(struct sim_world *world, const char *format, va_list args)
{
    char line[1024];
    const struct sim_task *task = world->running;
    int size = snprintf(line, sizeof line, "%9.3f  %-14s ", (double)world->now_ns / 1e6,
                        task == NULL ? "" : task->process->name);
    FK_ASSERT(size > 0);
    (void)vsnprintf(line + size, sizeof line - (size_t)size, format, args);
    world->sink(world->sink_context, line);
}

void sim_trace(struct sim_world *world, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    world->hash = sim_trace_mix(world->hash ^ (uint64_t)world->now_ns, format, args);
    va_end(args);
    if (world->sink != NULL) {
        va_start(args, format);
        print_line(world, format, args);
        va_end(args);
    }
}

void sim_violation(struct sim_world *world, const char *promise, const char *format, ...)
{
    if (world->promise != NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(world->violation, sizeof world->violation, format, args);
    va_end(args);
    world->promise = promise;
    sim_trace(world, "VIOLATION of %s: %s", promise, world->violation);
}

const char *sim_violated(const struct sim_world *world)
{
    return world->promise;
}

const char *sim_violation_text(const struct sim_world *world)
{
    return world->violation;
}

/* --- what is due --- */

static void push(struct sim_world *world, struct sim_due due)
{
    due.tie = sim_dice(world, SIM_DICE_SCHEDULE);
    due.sequence = world->sequence++;
    sim_heap_push(&world->heap, &due);
}

void sim_push_task(struct sim_world *world, struct sim_task *task, int64_t at_ns)
{
    push(world, (struct sim_due){.at_ns = at_ns, .task = task, .wakes = task->wakes});
}

void sim_at(struct sim_world *world, struct sim_process *process, int64_t at_ns, sim_task_fn call, void *context)
{
    int64_t at = at_ns < world->now_ns ? world->now_ns : at_ns;
    push(world, (struct sim_due){.at_ns = at, .process = process, .call = call, .context = context});
}

/* What a suspended process has to do waits with it. */
static bool postponed(struct sim_world *world, const struct sim_due *due, const struct sim_process *process)
{
    if (process == NULL || process->suspended_until_ns <= world->now_ns) {
        return false;
    }
    struct sim_due later = *due;
    later.at_ns = process->suspended_until_ns;
    sim_heap_push(&world->heap, &later);
    return true;
}

static void run_call(const struct sim_due *due)
{
    struct sim_process *before = sim_memory_of(due->process);
    due->call(due->context);
    (void)sim_memory_of(before);
}

static void run_due(struct sim_world *world, const struct sim_due *due)
{
    if (due->task != NULL) {
        if (due->task->wakes == due->wakes && !postponed(world, due, due->task->process)) {
            sim_run_task(world, due->task);
        }
        return;
    }
    if ((due->process == NULL || due->process->alive) && !postponed(world, due, due->process)) {
        run_call(due);
    }
}

bool sim_world_run(struct sim_world *world, int64_t until_ns)
{
    while (world->promise == NULL && world->heap.count > 0 && world->heap.items[0].at_ns <= until_ns) {
        struct sim_due due = sim_heap_pop(&world->heap);
        FK_ASSERT(due.at_ns >= world->now_ns);
        world->now_ns = due.at_ns;
        run_due(world, &due);
    }
    if (world->promise == NULL) {
        world->now_ns = until_ns;
    }
    return world->promise == NULL;
}
