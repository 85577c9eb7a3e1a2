// SPDX-License-Identifier: Apache-2.0
/* What the files of the world share. */
#ifndef SIM_WORLD_INTERNAL_H
#define SIM_WORLD_INTERNAL_H

#include "sim/fiber.h"
#include "sim/memory.h"
#include "sim/world.h"

struct sim_task {
    struct fk_list link;   /* in its process, or in the pool */
    struct fk_list waiter; /* in a signal */
    struct sim_process *process;
    struct sim_fiber *fiber;
    sim_task_fn run;
    void *context;
    const char *label;
    uint32_t wakes; /* an event for the task counts only with the number of its present wait */
    bool woken;     /* by a signal, not by its deadline */
};

/* What is due at a time: a task that goes on, or a call. */
struct sim_due {
    int64_t at_ns;
    uint64_t tie; /* random order at the same time */
    uint64_t sequence;
    struct sim_task *task;       /* NULL: a call */
    struct sim_process *process; /* of the call */
    sim_task_fn call;
    void *context;
    uint32_t wakes;
};

struct sim_heap {
    struct sim_due *items;
    size_t count;
    size_t capacity;
};

void sim_heap_push(struct sim_heap *heap, const struct sim_due *due);
struct sim_due sim_heap_pop(struct sim_heap *heap);

struct sim_end_call {
    struct sim_end_call *next;
    sim_task_fn call;
    void *context;
};

struct sim_process {
    struct fk_list link; /* in the world */
    struct sim_world *world;
    struct sim_memory memory;
    struct fk_list tasks;
    struct sim_end_call *end_calls;
    void *slot;
    struct fk_clock clock;
    struct fk_random random;
    int64_t start_ns;
    int64_t frozen_ns; /* how long its monotonic clock stood still */
    int64_t suspended_until_ns;
    int64_t skew_ms;
    int32_t drift_ppm;
    bool alive;
    bool exits; /* by its own task; gone as soon as that yields */
    char name[40];
};

struct sim_world {
    int64_t now_ns;
    uint64_t dice[SIM_DICE_STREAMS];
    uint64_t hash;
    uint64_t sequence;
    struct sim_heap heap;
    struct sim_process *self; /* the world's own */
    struct fk_list processes;
    struct fk_list idle_tasks;
    struct sim_end_call *end_calls;
    struct sim_task *running;
    sim_trace_sink_fn sink;
    void *sink_context;
    const char *promise; /* of the violation */
    char violation[1024];
};

/* The one world; NULL outside of its life. */
extern struct sim_world *sim_the_world;

/* Wall time at the start of each world: 2026-01-01. */
#define SIM_EPOCH_MS INT64_C(1767225600000)

void sim_push_task(struct sim_world *world, struct sim_task *task, int64_t at_ns);
void sim_run_task(struct sim_world *world, struct sim_task *task);
void sim_drop_tasks(struct sim_process *process);
void sim_process_free(struct sim_process *process);

#endif
