// SPDX-License-Identifier: Apache-2.0
/* The simulated world: virtual time, tasks (coroutines) that belong to processes, dice, a trace. One thread, one seed,
 * one world; the same seed gives the same trace under every compiler.
 *
 * A process is what can crash: a gateway, one invocation of a function, a client. Its tasks run production code as it
 * is; memory that they take (base/alloc.h) is accounted to the process and goes when it is killed. Between two port
 * calls a task runs alone; every port call yields before and after its effect. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/bytes.h"
#include "base/list.h"
#include "port/clock.h"

struct sim_world;
struct sim_process;
struct sim_task;

typedef void (*sim_task_fn)(void *context);

/* One world at a time. Freeing it frees all memory that was taken through base/alloc.h since it began. */
struct sim_world *sim_world_new(uint64_t seed);
void sim_world_free(struct sim_world *world);
/* Called when the world is freed, before its memory is; the newest first. */
void sim_world_at_free(struct sim_world *world, sim_task_fn call, void *context);
/* Runs everything that is due up to `until_ns`, which it then is; false where a violation ended it early. */
bool sim_world_run(struct sim_world *world, int64_t until_ns);

#define SIM_MS INT64_C(1000000)
#define SIM_S  INT64_C(1000000000)

/* --- time, dice, trace --- */

int64_t sim_now_ns(const struct sim_world *world);

/* Independent streams of dice, so that a change in one place does not throw all others. */
enum sim_stream {
    SIM_DICE_SCHEDULE, /* order of tasks at the same time, delays */
    SIM_DICE_FAULTS,   /* the fault plan */
    SIM_DICE_WORKLOAD, /* what clients do */
    SIM_DICE_PRODUCT,  /* what the product's random port gives */
    SIM_DICE_STREAMS,
};

uint64_t sim_dice(struct sim_world *world, enum sim_stream stream);
/* Evenly in [0, below). */
uint64_t sim_below(struct sim_world *world, enum sim_stream stream, uint64_t below);
/* True in `per_million` of a million cases. */
bool sim_chance(struct sim_world *world, enum sim_stream stream, uint32_t per_million);

/* One line of the trace: hashed always, printed and kept only where the run asks for it. No pointers, no addresses. */
void sim_trace(struct sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lines of the trace go to the sink as text; NULL: none. */
typedef void (*sim_trace_sink_fn)(void *context, const char *line);
void sim_trace_to(struct sim_world *world, sim_trace_sink_fn sink, void *context);
uint64_t sim_trace_hash(const struct sim_world *world);

/* A violation: kept (the first one counts), the run ends at the next step. `promise` is "C1" ... "C15" or "harness". */
void sim_violation(struct sim_world *world, const char *promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* NULL, or the broken promise and the text. */
const char *sim_violated(const struct sim_world *world);
const char *sim_violation_text(const struct sim_world *world);

/* --- processes and tasks --- */

/* The name is copied. wall_skew_ms and drift are the fault plan's affair. */
struct sim_process *sim_process_new(struct sim_world *world, const char *name);
/* Its requests for memory are those that sim_memory_refuse counts. */
void sim_process_starves(struct sim_process *process);
/* Its tasks never run again, its memory is freed, its connections break. Not for the process of the task that runs now
 * (use sim_exit). */
void sim_process_kill(struct sim_process *process);
/* The process of an ended function or client: everything it took must be freed by now. */
void sim_process_end(struct sim_process *process);
bool sim_process_alive(const struct sim_process *process);
const char *sim_process_name(const struct sim_process *process);
/* Called (as the world, in no task) when the process was killed or ended; several are called in their order. */
void sim_process_at_end(struct sim_process *process, sim_task_fn call, void *context);
/* A place for one thing that somebody keeps for this process; NULL at first. */
void *sim_process_slot(const struct sim_process *process);
void sim_process_set_slot(struct sim_process *process, void *thing);
/* None of its tasks goes on for `ns`; its monotonic clock stands still too where `freeze` is set. */
void sim_process_suspend(struct sim_process *process, int64_t ns, bool freeze);
/* 0, or when it goes on. */
int64_t sim_process_suspended_until(const struct sim_process *process);
/* The wall clock is `skew_ms` ahead of virtual time from now on, and gains `drift_ppm` (the monotonic one too). */
void sim_process_set_clock(struct sim_process *process, int64_t skew_ms, int32_t drift_ppm);
void sim_process_jump(struct sim_process *process, int64_t ms);
/* Clock and dice of the process; valid as long as it. pause_ms sleeps in virtual time. */
struct fk_clock *sim_process_clock(struct sim_process *process);
struct fk_random *sim_process_random(struct sim_process *process);
struct sim_world *sim_process_world(struct sim_process *process);

/* Starts a task at the present time; it runs when the present one waits. */
void sim_spawn(struct sim_process *process, sim_task_fn run, void *context);
/* The process of the task that runs now; NULL outside of tasks. */
struct sim_process *sim_current(void);

/* A label of the task that runs now, part of the names of the fault sites that it meets ("read", "renew"). A string
 * without dots and blanks that lives for ever. New tasks have the label "". */
void sim_label(const char *label);
const char *sim_label_now(void);

/* Memory taken from now on belongs to this process (NULL: to the world, until the world is freed); gives back the owner
 * up to now. What runs next as another task or call starts with its own process as owner. */
struct sim_process *sim_memory_of(struct sim_process *owner);

/* For the task that runs now. */
void sim_sleep_ns(int64_t ns);
/* Ends the process of the task that runs now, as a crash does; does not return. */
void sim_exit(void) __attribute__((noreturn));

/* What tasks wait for: a list of them. */
struct sim_signal {
    struct fk_list waiters;
};

void sim_signal_init(struct sim_signal *signal);
/* Waits for sim_wake or until `deadline_ns`; false at the deadline. */
bool sim_wait(struct sim_signal *signal, int64_t deadline_ns);
/* All waiters go on at the present time. */
void sim_wake(struct sim_world *world, struct sim_signal *signal);

/* Runs `call(context)` at a time, in no task (deliveries of the network, timers of the simulator); process NULL: the
 * world's own. Dropped when the process is dead by then. Calls at the same time run in no order: what must stay in
 * order needs times of its own. */
void sim_at(struct sim_world *world, struct sim_process *process, int64_t at_ns, sim_task_fn call, void *context);

#endif
