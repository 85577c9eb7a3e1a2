// SPDX-License-Identifier: Apache-2.0
/* Opening, stopping, and what the event loop calls. The threads are in engine_thread.c and engine_checkpoint.c. */
#include "driver/local/engine.h"

#include "base/assert.h"
#include "base/mutant.h"
#include "driver/local/codec.h"
#include "driver/local/engine_thread.h"
#include "driver/local/path.h"
#include "driver/local/posix_file.h"
#include "driver/local/refresh.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    /* Bytes that wait for the log thread; one more frame always fits. */
    QUEUE_SIZE_MAX = 8 * 1024 * 1024,
};

static int64_t or_default(int64_t value, int64_t normal)
{
    return value > 0 ? value : normal;
}

static enum fk_err init(struct fk_engine *engine, const struct fk_engine_options *options)
{
    engine->options = *options;
    engine->options.segment_size = or_default(options->segment_size, FK_LOG_SEGMENT_SIZE);
    engine->options.checkpoint_size = or_default(options->checkpoint_size, FK_CHECKPOINT_SIZE);
    engine->options.checkpoint_ms = or_default(options->checkpoint_ms, FK_CHECKPOINT_MS);
    engine->options.log_size_max = or_default(options->log_size_max, FK_LOG_SIZE_MAX);
    engine->options.retry_ms = or_default(options->retry_ms, 1000);
    engine->files = options->files;
    engine->threads = options->threads;
    engine->directory = fk_path_join(options->directory, "");
    engine->checkpoint_path = options->vfs != NULL ? fk_path_join(FK_ENGINE_CHECKPOINT_NAME, "")
                                                   : fk_path_join(options->directory, FK_ENGINE_CHECKPOINT_NAME);
    if (engine->directory == NULL || engine->checkpoint_path == NULL) {
        return FK_ERR_NOMEM;
    }
    if (engine->threads == NULL) {
        engine->threads = fk_posix_threads_new();
    }
    return engine->threads == NULL ? FK_ERR_NOMEM
                                   : engine->threads->ops->random(engine->threads, &engine->random_state);
}

/* splitmix64, a step of it. */
uint32_t fk_engine_seed(struct fk_engine *engine)
{
    uint64_t value = engine->random_state += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return (uint32_t)(value >> 32);
}

/* Opens a file of ours, which is made where it is missing. */
static enum fk_err open_or_create(struct fk_files *files, const char *name, struct fk_file **file, struct fk_diag *diag)
{
    struct fk_diag ignored = {.text = ""};
    enum fk_err err = files->ops->open(files, name, FK_OPEN_WRITE, file, &ignored);
    if (err == FK_ERR_NOT_FOUND) {
        err = files->ops->open(files, name, FK_OPEN_CREATE, file, diag);
    } else if (err != FK_OK) {
        fk_diag_set(diag, "%s", ignored.text);
    }
    return err;
}

static enum fk_err lock_directory(struct fk_engine *engine, struct fk_diag *diag)
{
    struct fk_diag ignored = {.text = ""};
    struct fk_file *hold = NULL;
    enum fk_err err = open_or_create(engine->files, FK_ENGINE_LOCK_NAME, &engine->lock_file, diag);
    if (err == FK_OK) {
        err = engine->files->ops->lock(engine->lock_file, true, &ignored);
        if (err == FK_ERR_LOCKED) {
            fk_diag_set(diag, "%s is in use by another server", engine->directory);
        } else if (err != FK_OK) {
            fk_diag_set(diag, "%s", ignored.text);
        }
    }
    if (err == FK_OK) {
        err = open_or_create(engine->files, FK_ENGINE_HOLD_NAME, &hold, diag);
    }
    if (hold != NULL) {
        engine->files->ops->close(hold);
    }
    return err;
}

/* A directory without a checkpoint must be fresh. */
static enum fk_err open_checkpoint(struct fk_engine *engine, struct fk_diag *diag)
{
    enum fk_err err = fk_checkpoint_open(engine->options.vfs, engine->checkpoint_path, FK_CHECKPOINT_WRITE,
                                         &engine->checkpoint, diag);
    if (err != FK_ERR_NOT_FOUND) {
        return err;
    }
    struct fk_arena arena = FK_ARENA_EMPTY;
    int64_t *firsts = NULL;
    size_t count = 0;
    err = fk_segment_list(engine->files, &arena, &firsts, &count, diag);
    fk_arena_deinit(&arena);
    if (err == FK_OK && count > 0) {
        fk_diag_set(diag, "%s is damaged: it has log segments, but %s is missing", engine->directory,
                    FK_ENGINE_CHECKPOINT_NAME);
        return FK_ERR_DAMAGED;
    }
    if (err == FK_OK) {
        err = fk_checkpoint_open(engine->options.vfs, engine->checkpoint_path, FK_CHECKPOINT_CREATE,
                                 &engine->checkpoint, diag);
    }
    return err == FK_OK ? engine->files->ops->sync_directory(engine->files, diag) : err;
}

static enum fk_err replay_frame(const struct fk_engine_sink *sink, struct fk_bytes payload, struct fk_arena *arena)
{
    struct fk_reader reader = fk_reader_of(payload);
    enum fk_err err = FK_OK;
    while (reader.left > 0 && err == FK_OK) {
        struct fk_change change;
        fk_arena_reset(arena);
        err = fk_change_read(&reader, arena, &change);
        if (err == FK_OK) {
            err = sink->change(sink->context, &change);
        }
    }
    return err;
}

/* Replays the log; the reader stands behind its last good frame then. */
static enum fk_err replay(struct fk_engine *engine, struct fk_log_reader *reader, const struct fk_engine_sink *sink,
                          struct fk_diag *diag)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    enum fk_err err = FK_OK;
    while (err == FK_OK) {
        struct fk_frame frame;
        struct fk_bytes payload;
        err = fk_log_reader_next(reader, &frame, &payload, diag);
        if (err != FK_OK) {
            break;
        }
        bool left_out = FK_MUTANT(REPLAY_OFF_BY_ONE) && frame.position == fk_checkpoint_position(engine->checkpoint);
        enum fk_err applied = left_out ? FK_OK : replay_frame(sink, payload, &arena);
        if (applied == FK_ERR_DAMAGED || applied == FK_ERR_MALFORMED) {
            const struct fk_segment *segment = fk_log_reader_segment(reader);
            char name[FK_SEGMENT_NAME_SIZE];
            fk_segment_name(segment->first, name);
            fk_diag_set(diag, "%s is damaged at offset %" PRId64 ": the frame there does not fit the state before it",
                        name, frame.position - segment->first);
            applied = FK_ERR_DAMAGED;
        }
        err = applied;
        engine->data_end = payload.size > 0 ? fk_frame_end(&frame) : engine->data_end;
    }
    fk_arena_deinit(&arena);
    return err == FK_ERR_NOT_FOUND ? FK_OK : err;
}

/* The first segment of a fresh directory. The checkpoint must be on the disk before it: who made it may have died
 * before it had synced it. */
static enum fk_err begin_log(struct fk_engine *engine, struct fk_diag *diag)
{
    enum fk_err err = fk_checkpoint_settle(engine->checkpoint, diag);
    if (err != FK_OK) {
        return err;
    }
    return fk_log_begin(&engine->log, engine->files, 0, engine->options.segment_size, fk_engine_seed(engine), diag);
}

static enum fk_err recover_log(struct fk_engine *engine, const struct fk_engine_sink *sink, struct fk_diag *diag)
{
    struct fk_log_reader reader;
    struct fk_log_tail tail;
    int64_t position = fk_checkpoint_position(engine->checkpoint);
    enum fk_err err = fk_log_reader_open(&reader, engine->files, FK_OPEN_WRITE, position,
                                         fk_checkpoint_chain(engine->checkpoint), diag);
    if (err == FK_ERR_NOT_FOUND && position == 0) {
        return begin_log(engine, diag);
    }
    if (err == FK_ERR_NOT_FOUND) {
        fk_diag_set(diag, "%s is damaged: the log is missing, the checkpoint ends at %016" PRIx64, engine->directory,
                    (uint64_t)position);
        return FK_ERR_DAMAGED;
    }
    if (err != FK_OK) {
        return err;
    }
    err = replay(engine, &reader, sink, diag);
    if (err == FK_OK) {
        err = fk_log_reader_judge(&reader, &tail, diag);
    }
    if (err != FK_OK) {
        fk_log_reader_close(&reader);
        return err;
    }
    return fk_log_resume(&engine->log, &reader, &tail, diag);
}

static enum fk_err recover(struct fk_engine *engine, const struct fk_engine_sink *sink, struct fk_diag *diag)
{
    enum fk_err err =
        engine->files != NULL ? FK_OK : fk_posix_files_open(engine->directory, true, &engine->files, diag);
    if (err == FK_OK) {
        err = lock_directory(engine, diag);
    }
    if (err == FK_OK) {
        err = fk_segment_sweep(engine->files, diag);
    }
    if (err == FK_OK) { /* SQLite moves it into the checkpoint as if it were durable */
        err = fk_file_refresh(engine->files, FK_ENGINE_CHECKPOINT_NAME "-wal", diag);
    }
    if (err == FK_OK) {
        err = open_checkpoint(engine, diag);
    }
    if (err == FK_OK) {
        err = fk_checkpoint_load(engine->checkpoint, sink, diag);
    }
    if (err == FK_OK) {
        err = recover_log(engine, sink, diag);
    }
    return err;
}

enum fk_err fk_engine_open(const struct fk_engine_options *options, const struct fk_engine_sink *sink,
                           struct fk_engine **out, struct fk_diag *diag)
{
    struct fk_engine *engine = (struct fk_engine *)fk_alloc_zero(sizeof *engine);
    struct fk_diag cause = {.text = ""};
    if (engine == NULL) {
        fk_engine_options_drop(options);
        return FK_ERR_NOMEM;
    }
    enum fk_err err = init(engine, options);
    if (err == FK_OK) {
        err = recover(engine, sink, &cause);
    }
    if (err != FK_OK) {
        if (cause.text[0] == '\0') {
            fk_diag_set(diag, "cannot open %s: %s", options->directory, fk_err_text(err));
        } else {
            bool named = strstr(cause.text, options->directory) != NULL;
            fk_diag_set(diag, named ? "%s%s%s" : "%s: %s%s", named ? "" : options->directory, cause.text, "");
        }
        fk_engine_free(engine);
        return err;
    }
    fk_checkpoint_trust(engine->checkpoint);
    int64_t position = atomic_load(&engine->log.synced);
    engine->closed_end = position;
    atomic_store(&engine->durable, position);
    atomic_store(&engine->checkpoint_position, fk_checkpoint_position(engine->checkpoint));
    atomic_store(&engine->checkpoint_zxid, fk_checkpoint_zxid(engine->checkpoint));
    *out = engine;
    return FK_OK;
}

/* Ends the first `count` threads. */
static void end_threads(struct fk_engine *engine, unsigned count)
{
    fk_engine_lock(engine);
    engine->stopping = true;
    engine->log.promised = 0; /* nothing is appended any more */
    for (unsigned i = 0; i < count; i++) {
        fk_engine_wake(engine, (enum fk_thread)i);
    }
    fk_engine_unlock(engine);
    fk_checkpoint_interrupt(engine->checkpoint); /* a step can take a second; the log has what it would have written */
    for (unsigned i = 0; i < count; i++) {
        engine->threads->ops->join(engine->threads, (enum fk_thread)i);
    }
}

enum fk_err fk_engine_start(struct fk_engine *engine, struct fk_diag *diag)
{
    static void (*const loops[FK_THREAD_COUNT])(void *) = {
        [FK_THREAD_LOG] = fk_engine_log_thread,
        [FK_THREAD_SEGMENT] = fk_engine_segment_thread,
        [FK_THREAD_CHECKPOINT] = fk_engine_checkpoint_thread,
    };
    struct fk_threads *threads = engine->threads;
    FK_ASSERT(!engine->started);
    for (unsigned i = 0; i < FK_THREAD_COUNT; i++) {
        enum fk_err err = threads->ops->start(threads, (enum fk_thread)i, loops[i], engine, diag);
        if (err != FK_OK) {
            end_threads(engine, i);
            return err;
        }
    }
    engine->started = true;
    return FK_OK;
}

void fk_engine_stop(struct fk_engine *engine)
{
    if (!engine->started) {
        return;
    }
    end_threads(engine, FK_THREAD_COUNT);
    engine->started = false;
}

void fk_engine_options_drop(const struct fk_engine_options *options)
{
    if (options->files != NULL) {
        options->files->ops->free(options->files);
    }
    if (options->threads != NULL) {
        options->threads->ops->free(options->threads);
    }
}

void fk_engine_free(struct fk_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    fk_engine_stop(engine);
    if (engine->reader.segment_count > 0) {
        fk_log_reader_close(&engine->reader);
    }
    fk_log_deinit(&engine->log);
    fk_checkpoint_close(engine->checkpoint);
    if (engine->lock_file != NULL) {
        engine->files->ops->close(engine->lock_file);
    }
    if (engine->files != NULL) {
        engine->files->ops->free(engine->files);
    }
    if (engine->threads != NULL) {
        engine->threads->ops->free(engine->threads);
    }
    fk_free(engine->directory);
    fk_free(engine->checkpoint_path);
    fk_free(engine);
}

static void wake_segment_thread(struct fk_engine *engine)
{
    int64_t first = 0;
    if (engine->segment_sleeps && fk_engine_needs_segment(engine, &first)) {
        engine->segment_sleeps = false;
        fk_engine_wake(engine, FK_THREAD_SEGMENT);
    }
}

static enum fk_err admit(struct fk_engine *engine, size_t payload_size)
{
    if (engine->failed) {
        return FK_ERR_IO;
    }
    if (!fk_log_fits(engine->options.segment_size, payload_size)) {
        return FK_ERR_TOO_LARGE;
    }
    if (engine->log.accepted - atomic_load(&engine->checkpoint_position) > engine->options.log_size_max) {
        return engine->checkpoint_full ? FK_ERR_FULL : FK_ERR_BUSY;
    }
    if (!fk_log_room(&engine->log, payload_size)) {
        engine->segment_wanted = true;
        wake_segment_thread(engine);
        return engine->disk_full ? FK_ERR_FULL : FK_ERR_BUSY;
    }
    if (engine->log.filling.size > QUEUE_SIZE_MAX) {
        return FK_ERR_BUSY;
    }
    return fk_log_promise(&engine->log, payload_size) ? FK_OK : FK_ERR_NOMEM;
}

enum fk_err fk_engine_admit(struct fk_engine *engine, size_t payload_size)
{
    fk_engine_lock(engine);
    enum fk_err err = admit(engine, payload_size);
    fk_engine_unlock(engine);
    return err;
}

int64_t fk_engine_append(struct fk_engine *engine, struct fk_buf *payload, bool inline_sync)
{
    fk_engine_lock(engine);
    if (engine->failed) { /* the process is about to end */
        fk_engine_unlock(engine);
        fk_buf_clear(payload);
        return INT64_MAX;
    }
    int64_t end = fk_log_push(&engine->log, fk_buf_view(payload));
    engine->appends++;
    engine->data_end = end;
    wake_segment_thread(engine);
    bool here = inline_sync && !engine->writing && engine->log.writing.size == 0;
    if (engine->sleep == FK_LOG_SLEEPS || (engine->sleep == FK_LOG_NAPS && !here)) {
        engine->sleep = FK_LOG_AWAKE;
        fk_engine_wake(engine, FK_THREAD_LOG);
    }
    if (here) {
        bool taken = fk_log_take(&engine->log);
        FK_ASSERT(taken);
        fk_engine_write(engine, engine->options.sync);
    }
    fk_engine_unlock(engine);
    fk_buf_clear(payload);
    return end;
}

int64_t fk_engine_durable(struct fk_engine *engine)
{
    return atomic_load_explicit(&engine->durable, memory_order_acquire);
}

bool fk_engine_idle(struct fk_engine *engine)
{
    fk_engine_lock(engine);
    bool idle = !engine->writing && engine->log.filling.size == 0;
    fk_engine_unlock(engine);
    return idle;
}

void fk_engine_status(struct fk_engine *engine, struct fk_engine_status *status)
{
    fk_engine_lock(engine);
    status->position = engine->log.accepted;
    fk_engine_unlock(engine);
    status->durable = atomic_load(&engine->durable);
    status->checkpoint = atomic_load(&engine->checkpoint_position);
    status->zxid = atomic_load(&engine->checkpoint_zxid);
    status->checkpoints = atomic_load(&engine->checkpoint_count);
}
