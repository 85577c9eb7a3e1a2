// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "sim/world_internal.h"

#include <stdlib.h>

static void run_fiber(void *context)
{
    struct sim_task *task = context;
    task->run(task->context);
}

static struct sim_task *take_task(struct sim_world *world)
{
    struct fk_list *link = fk_list_take(&world->idle_tasks);
    if (link != NULL) {
        return FK_CONTAINER_OF(link, struct sim_task, link);
    }
    struct sim_task *task = calloc(1, sizeof *task);
    FK_ASSERT(task != NULL);
    fk_list_init(&task->link);
    fk_list_init(&task->waiter);
    return task;
}

void sim_spawn(struct sim_process *process, sim_task_fn run, void *context)
{
    FK_ASSERT(process->alive);
    struct sim_task *task = take_task(process->world);
    task->process = process;
    task->run = run;
    task->context = context;
    task->label = "";
    task->fiber = sim_fiber_new(run_fiber, task);
    fk_list_append(&process->tasks, &task->link);
    sim_push_task(process->world, task, process->world->now_ns);
}

/* Back to the pool of the world, not to the heap: events that are due later may still name it. */
static void retire(struct sim_world *world, struct sim_task *task)
{
    task->wakes++;
    task->fiber = NULL;
    task->process = NULL;
    fk_list_remove(&task->waiter);
    fk_list_remove(&task->link);
    fk_list_append(&world->idle_tasks, &task->link);
}

void sim_drop_tasks(struct sim_process *process)
{
    while (!fk_list_empty(&process->tasks)) {
        struct sim_task *task = FK_CONTAINER_OF(process->tasks.next, struct sim_task, link);
        sim_fiber_drop(task->fiber);
        retire(process->world, task);
    }
}

void sim_run_task(struct sim_world *world, struct sim_task *task)
{
    struct sim_process *process = task->process;
    task->wakes++;
    struct sim_process *before = sim_memory_of(process);
    world->running = task;
    bool ended = sim_fiber_resume(task->fiber);
    world->running = NULL;
    (void)sim_memory_of(before);
    if (ended) {
        retire(world, task);
    }
    if (process->exits) {
        sim_process_kill(process);
    }
}

static struct sim_task *running_task(void)
{
    FK_ASSERT(sim_the_world != NULL && sim_the_world->running != NULL);
    return sim_the_world->running;
}

struct sim_process *sim_current(void)
{
    if (sim_the_world == NULL || sim_the_world->running == NULL) {
        return NULL;
    }
    return sim_the_world->running->process;
}

void sim_label(const char *label)
{
    running_task()->label = label;
}

const char *sim_label_now(void)
{
    return sim_current() == NULL ? "" : sim_the_world->running->label;
}

void sim_sleep_ns(int64_t ns)
{
    struct sim_task *task = running_task();
    sim_push_task(sim_the_world, task, sim_the_world->now_ns + (ns > 0 ? ns : 0));
    sim_fiber_yield();
}

void sim_exit(void)
{
    running_task()->process->exits = true;
    for (;;) {
        sim_fiber_yield();
    }
}

void sim_signal_init(struct sim_signal *signal)
{
    fk_list_init(&signal->waiters);
}

bool sim_wait(struct sim_signal *signal, int64_t deadline_ns)
{
    struct sim_task *task = running_task();
    task->woken = false;
    fk_list_append(&signal->waiters, &task->waiter);
    if (deadline_ns != INT64_MAX) {
        int64_t now = sim_the_world->now_ns;
        sim_push_task(sim_the_world, task, deadline_ns > now ? deadline_ns : now);
    }
    sim_fiber_yield();
    fk_list_remove(&task->waiter);
    return task->woken;
}

void sim_wake(struct sim_world *world, struct sim_signal *signal)
{
    struct fk_list *link;
    while ((link = fk_list_take(&signal->waiters)) != NULL) {
        struct sim_task *task = FK_CONTAINER_OF(link, struct sim_task, waiter);
        task->woken = true;
        task->wakes++; /* its deadline is void */
        sim_push_task(world, task, world->now_ns);
    }
}
