// SPDX-License-Identifier: Apache-2.0
/* Inside of the engine: what its files share. */
#ifndef FK_DRIVER_LOCAL_ENGINE_THREAD_H
#define FK_DRIVER_LOCAL_ENGINE_THREAD_H

#include "driver/local/checkpoint.h"
#include "driver/local/engine.h"
#include "driver/local/log.h"
#include "driver/local/threads.h"

/* How the log thread sleeps: who adds work wakes it only where that is needed, since waking costs some 5 us. */
enum fk_log_sleep {
    FK_LOG_AWAKE,
    FK_LOG_NAPS,   /* until the log has been idle for FK_LOG_IDLE_MS */
    FK_LOG_SLEEPS, /* until something is written */
};

struct fk_engine {
    struct fk_engine_options options;
    char *directory;
    char *checkpoint_path;
    struct fk_files *files;
    struct fk_file *lock_file;
    struct fk_checkpoint *checkpoint; /* of open, then of the checkpoint thread */
    struct fk_log_reader reader;      /* of the checkpoint thread; segment_count 0: not open */
    struct fk_log log;

    struct fk_threads *threads; /* its lock is over what follows, and the accept side of the log */
    bool started;
    bool stopping;
    bool failed; /* the log is dead */
    bool fatal_called;
    bool disk_full;          /* the next segment can't be made */
    bool checkpoint_full;    /* the checkpoint can't be written */
    bool checkpoint_pausing; /* it failed, and tries again after a while */
    bool segment_wanted;     /* a frame does not fit into what is left of this one */
    bool segment_sleeps;     /* the segment thread waits for append or admit to wake it */
    bool writing;            /* somebody is on the write side of the log */
    enum fk_log_sleep sleep;
    int64_t appends;             /* frames with a payload so far: tells a nap whether something happened */
    int64_t data_end;            /* end of the last frame with a payload */
    int64_t closed_end;          /* end of the last empty frame that closed the log, or where the log was opened */
    int64_t checkpoint_first_ns; /* when the first change after the checkpoint was seen; 0: none */
    uint64_t random_state;       /* for the seeds of segments */

    _Atomic int64_t durable;
    _Atomic int64_t checkpoint_position;
    _Atomic int64_t checkpoint_zxid;
    _Atomic int64_t checkpoint_count;
};

static inline void fk_engine_lock(struct fk_engine *engine)
{
    engine->threads->ops->lock(engine->threads);
}

static inline void fk_engine_unlock(struct fk_engine *engine)
{
    engine->threads->ops->unlock(engine->threads);
}

/* With the lock: wait (ms < 0: without end; false after the time), and the end of somebody's wait. */
static inline bool fk_engine_wait(struct fk_engine *engine, enum fk_thread thread, int64_t ms)
{
    return engine->threads->ops->wait(engine->threads, thread, ms);
}

static inline void fk_engine_wake(struct fk_engine *engine, enum fk_thread thread)
{
    engine->threads->ops->wake(engine->threads, thread);
}

static inline int64_t fk_engine_now_ns(struct fk_engine *engine)
{
    return engine->threads->ops->now_ns(engine->threads);
}

/* Ends the log: everything after a failed write or sync is unknown. Without the lock. */
void fk_engine_fatal(struct fk_engine *engine, const char *what);
void fk_engine_progress(struct fk_engine *engine);
/* Seed of the next segment; with the lock, or before the threads run. */
uint32_t fk_engine_seed(struct fk_engine *engine);

/* Writes what was taken, and syncs it (`sync`), then moves the durable position. With the lock held, which is released
 * meanwhile; engine->writing says so. */
void fk_engine_write(struct fk_engine *engine, bool sync);

/* Whether the segment thread has something to make. With the lock. */
bool fk_engine_needs_segment(const struct fk_engine *engine, int64_t *first);

void fk_engine_log_thread(void *engine);
void fk_engine_segment_thread(void *engine);
void fk_engine_checkpoint_thread(void *engine);

#endif
