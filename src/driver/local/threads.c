// SPDX-License-Identifier: Apache-2.0
#include "driver/local/threads.h"

#include "base/alloc.h"
#include "base/container.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    CHECKPOINT_NICE = 10,
};

/* One thread, and what it shall run. */
struct worker {
    pthread_t thread;
    pthread_cond_t wake;
    enum fk_thread kind;
    void (*run)(void *context);
    void *context;
};

struct posix_threads {
    struct fk_threads base;
    pthread_mutex_t mutex;
    struct worker workers[FK_THREAD_COUNT];
};

static struct posix_threads *posix(struct fk_threads *threads)
{
    return FK_CONTAINER_OF(threads, struct posix_threads, base);
}

static void lock(struct fk_threads *threads)
{
    (void)pthread_mutex_lock(&posix(threads)->mutex);
}

static void unlock(struct fk_threads *threads)
{
    (void)pthread_mutex_unlock(&posix(threads)->mutex);
}

static int64_t now_ns(struct fk_threads *threads)
{
    struct timespec now;
    (void)threads;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool wait_for(struct fk_threads *threads, enum fk_thread thread, int64_t ms)
{
    pthread_cond_t *condition = &posix(threads)->workers[thread].wake;
    if (ms < 0) {
        return pthread_cond_wait(condition, &posix(threads)->mutex) == 0;
    }
    int64_t deadline = now_ns(threads) + ms * 1000000;
    struct timespec when = {.tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000};
    return pthread_cond_timedwait(condition, &posix(threads)->mutex, &when) != ETIMEDOUT;
}

static void wake(struct fk_threads *threads, enum fk_thread thread)
{
    (void)pthread_cond_signal(&posix(threads)->workers[thread].wake);
}

static void *run_worker(void *context)
{
    static const char *const names[FK_THREAD_COUNT] = {"fk-log", "fk-segment", "fk-checkpoint"};
    struct worker *worker = (struct worker *)context;
    (void)pthread_setname_np(pthread_self(), names[worker->kind]);
    if (worker->kind == FK_THREAD_CHECKPOINT) { /* it has time, requests have not; best effort */
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(), CHECKPOINT_NICE);
    }
    worker->run(worker->context);
    return NULL;
}

static enum fk_err start(struct fk_threads *threads, enum fk_thread thread, void (*run)(void *context), void *context,
                         struct fk_diag *diag)
{
    struct worker *worker = &posix(threads)->workers[thread];
    worker->kind = thread;
    worker->run = run;
    worker->context = context;
    int result = pthread_create(&worker->thread, NULL, run_worker, worker);
    if (result != 0) {
        fk_diag_set(diag, "cannot start a thread: %s", strerror(result));
    }
    return result == 0 ? FK_OK : FK_ERR_IO;
}

static void join(struct fk_threads *threads, enum fk_thread thread)
{
    (void)pthread_join(posix(threads)->workers[thread].thread, NULL);
}

static enum fk_err random_word(struct fk_threads *threads, uint64_t *word)
{
    (void)threads;
    return getrandom(word, sizeof *word, 0) == sizeof *word ? FK_OK : FK_ERR_IO;
}

static void free_threads(struct fk_threads *threads)
{
    for (size_t i = 0; i < FK_THREAD_COUNT; i++) {
        (void)pthread_cond_destroy(&posix(threads)->workers[i].wake);
    }
    (void)pthread_mutex_destroy(&posix(threads)->mutex);
    fk_free(posix(threads));
}

struct fk_threads *fk_posix_threads_new(void)
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
    struct posix_threads *threads = (struct posix_threads *)fk_alloc_zero(sizeof *threads);
    pthread_condattr_t attributes;
    if (threads == NULL) {
        return NULL;
    }
    threads->base.ops = &ops;
    (void)pthread_mutex_init(&threads->mutex, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    for (size_t i = 0; i < FK_THREAD_COUNT; i++) {
        (void)pthread_cond_init(&threads->workers[i].wake, &attributes);
    }
    (void)pthread_condattr_destroy(&attributes);
    return &threads->base;
}
