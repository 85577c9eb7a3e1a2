// SPDX-License-Identifier: Apache-2.0
#include "sim/local_threads.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"

struct worker {
    struct sim_signal wake;
    struct sim_signal ended;
    bool runs;
    const char *label;
    void (*run)(void *context);
    void *context;
};

struct sim_threads {
    struct fk_threads base;
    struct sim_process *process;
    struct worker workers[FK_THREAD_COUNT];
    bool locked;
};

static struct sim_threads *threads_of(struct fk_threads *threads)
{
    return FK_CONTAINER_OF(threads, struct sim_threads, base);
}

/* Tasks change at calls of the file port and at waits only, and the engine holds its lock at neither: so nobody ever
 * waits for it. */
static void lock(struct fk_threads *threads)
{
    FK_ASSERT(!threads_of(threads)->locked);
    threads_of(threads)->locked = true;
}

static void unlock(struct fk_threads *threads)
{
    FK_ASSERT(threads_of(threads)->locked);
    threads_of(threads)->locked = false;
}

static int64_t now_ns(struct fk_threads *threads)
{
    struct fk_clock *clock = sim_process_clock(threads_of(threads)->process);
    return clock->ops->monotonic_ns(clock);
}

static bool wait_for(struct fk_threads *threads, enum fk_thread thread, int64_t ms)
{
    struct sim_threads *all = threads_of(threads);
    int64_t now = sim_now_ns(sim_process_world(all->process));
    unlock(threads);
    bool woken = sim_wait(&all->workers[thread].wake, ms < 0 ? INT64_MAX : now + ms * SIM_MS);
    lock(threads);
    return woken;
}

static void wake(struct fk_threads *threads, enum fk_thread thread)
{
    struct sim_threads *all = threads_of(threads);
    sim_wake(sim_process_world(all->process), &all->workers[thread].wake);
}

static void run_worker(void *context)
{
    struct worker *worker = (struct worker *)context;
    sim_label(worker->label);
    worker->run(worker->context);
    worker->runs = false;
    sim_wake(sim_process_world(sim_current()), &worker->ended);
}

static enum fk_err start(struct fk_threads *threads, enum fk_thread thread, void (*run)(void *context), void *context,
                         struct fk_diag *diag)
{
    static const char *const labels[FK_THREAD_COUNT] = {"log", "segment", "checkpoint"};
    struct sim_threads *all = threads_of(threads);
    struct worker *worker = &all->workers[thread];
    (void)diag;
    worker->runs = true;
    worker->label = labels[thread];
    worker->run = run;
    worker->context = context;
    sim_spawn(all->process, run_worker, worker);
    return FK_OK;
}

static void join(struct fk_threads *threads, enum fk_thread thread)
{
    struct worker *worker = &threads_of(threads)->workers[thread];
    while (worker->runs) {
        (void)sim_wait(&worker->ended, INT64_MAX);
    }
}

static enum fk_err random_word(struct fk_threads *threads, uint64_t *word)
{
    fk_random_fill(sim_process_random(threads_of(threads)->process), (uint8_t *)word, sizeof *word);
    return FK_OK;
}

static void free_threads(struct fk_threads *threads)
{
    fk_free(threads_of(threads));
}

struct fk_threads *sim_threads_new(struct sim_process *process)
{
    static const struct fk_threads_ops ops = {.lock = lock,
                                              .unlock = unlock,
                                              .wait = wait_for,
                                              .wake = wake,
                                              .start = start,
                                              .join = join,
                                              .now_ns = now_ns,
                                              .random = random_word,
                                              .free = free_threads};
    struct sim_threads *threads = (struct sim_threads *)fk_alloc_zero(sizeof *threads);
    if (threads == NULL) {
        return NULL;
    }
    threads->base.ops = &ops;
    threads->process = process;
    for (size_t i = 0; i < FK_THREAD_COUNT; i++) {
        sim_signal_init(&threads->workers[i].wake);
        sim_signal_init(&threads->workers[i].ended);
    }
    return &threads->base;
}
