// SPDX-License-Identifier: Apache-2.0
/* The log thread and the segment thread. */
#include "driver/local/engine_thread.h"

#include "base/log.h"
#include "base/mutant.h"

enum {
    BACKGROUND_SYNC_MS = 1000, /* with forceSync=no */
};

void fk_engine_fatal(struct fk_engine *engine, const char *what)
{
    fk_engine_lock(engine);
    bool first = !engine->fatal_called;
    engine->fatal_called = true;
    engine->failed = true;
    fk_engine_wake(engine, FK_THREAD_LOG);
    fk_engine_wake(engine, FK_THREAD_SEGMENT);
    fk_engine_wake(engine, FK_THREAD_CHECKPOINT);
    fk_engine_unlock(engine);
    if (first && engine->options.fatal != NULL) {
        engine->options.fatal(engine->options.context, what);
    }
}

void fk_engine_progress(struct fk_engine *engine)
{
    if (engine->options.progress != NULL) {
        engine->options.progress(engine->options.context);
    }
}

void fk_engine_write(struct fk_engine *engine, bool sync)
{
    struct fk_diag diag = {.text = ""};
    engine->writing = true;
    fk_engine_unlock(engine);
    enum fk_err err = fk_log_write(&engine->log, &diag);
    if (err == FK_OK && FK_MUTANT(ACK_BEFORE_SYNC)) {
        atomic_store(&engine->durable, atomic_load(&engine->log.written));
        fk_engine_progress(engine);
    }
    if (err == FK_OK && sync) {
        err = fk_log_sync(&engine->log, &diag);
        err = err != FK_OK && FK_MUTANT(SYNC_RETRIED) ? fk_log_sync(&engine->log, &diag) : err;
    }
    if (err == FK_OK) {
        int64_t durable = sync ? atomic_load(&engine->log.synced) : atomic_load(&engine->log.written);
        atomic_store_explicit(&engine->durable, durable, memory_order_release);
    } else {
        fk_engine_fatal(engine, diag.text);
    }
    fk_engine_lock(engine);
    engine->writing = false;
    int64_t behind = atomic_load(&engine->log.synced) - atomic_load(&engine->checkpoint_position);
    if (behind >= engine->options.checkpoint_size && !engine->checkpoint_pausing) {
        fk_engine_wake(engine, FK_THREAD_CHECKPOINT);
    }
}

/* Whether an empty frame would say something new: that everything written is synced. */
static bool may_close(const struct fk_engine *engine)
{
    const struct fk_log *log = &engine->log;
    return engine->data_end > engine->closed_end && atomic_load(&log->synced) == log->accepted && fk_log_can_close(log);
}

/* The log was idle: an empty frame proves that what stands before it was synced, so that damage there is not taken for
 * a torn tail any more (H27). */
static void close_window(struct fk_engine *engine)
{
    int64_t end = may_close(engine) ? fk_log_close(&engine->log) : -1;
    if (end != -1) {
        engine->closed_end = end;
    }
}

/* Sleeps until there is something to write. */
static void rest(struct fk_engine *engine)
{
    bool open = engine->data_end > engine->closed_end && fk_log_can_close(&engine->log);
    int64_t appends = engine->appends;
    engine->sleep = open ? FK_LOG_NAPS : FK_LOG_SLEEPS;
    bool woken = fk_engine_wait(engine, FK_THREAD_LOG, open ? FK_LOG_IDLE_MS : -1);
    engine->sleep = FK_LOG_AWAKE;
    if (!woken && !engine->writing && engine->appends == appends && !engine->failed) {
        close_window(engine);
    }
}

void fk_engine_log_thread(void *context)
{
    struct fk_engine *engine = (struct fk_engine *)context;
    fk_engine_lock(engine);
    for (;;) {
        if (!engine->writing && !engine->failed && fk_log_take(&engine->log)) {
            bool silent = engine->data_end < engine->closed_end;
            fk_engine_write(engine, engine->options.sync);
            if (!silent) {
                fk_engine_unlock(engine);
                fk_engine_progress(engine);
                fk_engine_lock(engine);
            }
        } else if (engine->stopping) {
            break;
        } else {
            rest(engine);
        }
    }
    if (!engine->failed) { /* a clean end: all synced, and closed */
        struct fk_diag diag = {.text = ""};
        enum fk_err err = engine->options.sync ? FK_OK : fk_log_sync(&engine->log, &diag);
        close_window(engine);
        if (err == FK_OK && fk_log_take(&engine->log)) {
            fk_engine_write(engine, true);
        } else if (err != FK_OK) {
            fk_engine_unlock(engine);
            fk_engine_fatal(engine, diag.text);
            fk_engine_lock(engine);
        }
    }
    fk_engine_unlock(engine);
}

/* The segment thread's own state. */
struct housekeeper {
    struct fk_engine *engine;
    struct fk_segment segment; /* with forceSync=no: the log's current one, by a handle of our own */
    int64_t next_sync_ns;
};

bool fk_engine_needs_segment(const struct fk_engine *engine, int64_t *first)
{
    return !engine->failed &&
           (fk_log_prepare_first(&engine->log, engine->segment_wanted, first) || fk_log_is_short(&engine->log));
}

/* Makes the next segment, or the missing rest of this one. Called with the lock, which is released meanwhile. */
static enum fk_err prepare(struct fk_engine *engine)
{
    struct fk_diag diag = {.text = ""};
    struct fk_segment segment = FK_SEGMENT_NONE;
    int64_t first = 0;
    bool is_short = fk_log_is_short(&engine->log);
    uint32_t seed = fk_engine_seed(engine);
    if (!fk_engine_needs_segment(engine, &first)) {
        return FK_OK;
    }
    fk_engine_unlock(engine);
    enum fk_err err =
        is_short ? fk_log_allocate(&engine->log, &diag)
                 : fk_segment_create(engine->files, first, engine->options.segment_size, seed, true, &segment, &diag);
    fk_engine_lock(engine);
    if (err == FK_OK && is_short) {
        fk_log_extend(&engine->log);
    } else if (err == FK_OK) {
        fk_log_offer(&engine->log, segment);
        engine->segment_wanted = false;
    }
    bool was_full = engine->disk_full;
    engine->disk_full = err != FK_OK;
    fk_engine_unlock(engine);
    if (err != FK_OK && !was_full) {
        fk_log(FK_LOG_WARN, "the next log segment can't be made: %s", diag.text);
    } else if (err == FK_OK && was_full) {
        fk_log(FK_LOG_INFO, "there is space for the log again");
    }
    fk_engine_progress(engine);
    fk_engine_lock(engine);
    return err;
}

/* The synced position follows the written one. The segment that was left before was synced by who left it, so syncing
 * the one that is current now covers everything written before we look. */
static enum fk_err background_sync(struct housekeeper *keeper, struct fk_diag *diag)
{
    struct fk_log *log = &keeper->engine->log;
    int64_t written = atomic_load(&log->written);
    int64_t first = atomic_load(&log->current_first);
    enum fk_err err = FK_OK;
    if (atomic_load(&log->synced) >= written) {
        return FK_OK;
    }
    if (keeper->segment.file == NULL || keeper->segment.first != first) {
        fk_segment_close(&keeper->segment);
        err = fk_segment_open(log->files, first, FK_OPEN_WRITE, &keeper->segment, diag);
    }
    if (err == FK_OK) {
        err = keeper->segment.file->ops->sync(keeper->segment.file, diag);
    }
    if (err == FK_OK) {
        fk_log_raise_synced(log, written);
    }
    return err;
}

/* Syncs when it is time. Called with the lock. */
static void keep_synced(struct housekeeper *keeper)
{
    struct fk_engine *engine = keeper->engine;
    struct fk_diag diag = {.text = ""};
    if (engine->options.sync || engine->failed || fk_engine_now_ns(engine) < keeper->next_sync_ns) {
        return;
    }
    fk_engine_unlock(engine);
    enum fk_err err = background_sync(keeper, &diag);
    if (err != FK_OK) {
        fk_engine_fatal(engine, diag.text);
    }
    fk_engine_lock(engine);
    keeper->next_sync_ns = fk_engine_now_ns(engine) + (int64_t)BACKGROUND_SYNC_MS * 1000000;
}

void fk_engine_segment_thread(void *context)
{
    struct housekeeper keeper = {.engine = (struct fk_engine *)context, .segment = FK_SEGMENT_NONE};
    struct fk_engine *engine = keeper.engine;
    fk_engine_lock(engine);
    while (!engine->stopping) {
        int64_t first = 0;
        enum fk_err err = prepare(engine);
        keep_synced(&keeper);
        if (engine->stopping || (err == FK_OK && fk_engine_needs_segment(engine, &first))) {
            continue;
        }
        int64_t pause_ms = err != FK_OK ? engine->options.retry_ms : -1;
        if (!engine->options.sync && (pause_ms < 0 || pause_ms > BACKGROUND_SYNC_MS)) {
            pause_ms = BACKGROUND_SYNC_MS;
        }
        engine->segment_sleeps = err == FK_OK;
        (void)fk_engine_wait(engine, FK_THREAD_SEGMENT, pause_ms);
        engine->segment_sleeps = false;
    }
    fk_engine_unlock(engine);
    fk_segment_close(&keeper.segment);
}
