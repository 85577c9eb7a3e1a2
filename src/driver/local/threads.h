// SPDX-License-Identifier: Apache-2.0
/* What the engine's three loops run on: threads of the system, or tasks of a simulator. With it comes what else the
 * engine needs of the machine: time and dice. One lock for all; each loop waits at a place of its own. */
#ifndef FK_DRIVER_LOCAL_THREADS_H
#define FK_DRIVER_LOCAL_THREADS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum fk_thread {
    FK_THREAD_LOG,
    FK_THREAD_SEGMENT,
    FK_THREAD_CHECKPOINT,
    FK_THREAD_COUNT,
};

struct fk_threads;

struct fk_threads_ops {
    void (*lock)(struct fk_threads *threads);
    void (*unlock)(struct fk_threads *threads);
    /* With the lock, which is free meanwhile; by the thread itself. ms < 0: without end. False after the time. */
    bool (*wait)(struct fk_threads *threads, enum fk_thread thread, int64_t ms);
    /* With the lock: ends the wait of a thread, if it waits. */
    void (*wake)(struct fk_threads *threads, enum fk_thread thread);
    /* IO where there can be none. */
    enum fk_err (*start)(struct fk_threads *threads, enum fk_thread thread, void (*run)(void *context), void *context,
                         struct fk_diag *diag);
    /* Waits for the end of a thread that was started. Without the lock. */
    void (*join)(struct fk_threads *threads, enum fk_thread thread);
    /* Monotonic. */
    int64_t (*now_ns)(struct fk_threads *threads);
    /* IO where the system has none. */
    enum fk_err (*random)(struct fk_threads *threads, uint64_t *word);
    void (*free)(struct fk_threads *threads);
};

/* Drivers put this first in their struct. */
struct fk_threads {
    const struct fk_threads_ops *ops;
};

/* Threads of the system; NULL without memory. */
struct fk_threads *fk_posix_threads_new(void);

#endif
