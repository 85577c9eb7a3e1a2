// SPDX-License-Identifier: Apache-2.0
/* The checkpoint thread. It reads the log from its files, up to what is synced, and never touches the writer's state.
 */
#include "driver/local/engine_thread.h"

#include "base/log.h"
#include "base/mutant.h"

enum {
    LOOK_MS = 1000, /* how often it looks whether there is something new */
    /* Records per transaction: bounds memory, at some 150 bytes each. When the checkpoint is far behind, larger steps
     * coalesce more. */
    RECORDS_MAX = 32 * 1024,
    RECORDS_MAX_BEHIND = 256 * 1024,
    BEHIND_FACTOR = 8,
};

/* Whether a checkpoint is due, and how far. Called with the lock. */
static bool due(struct fk_engine *engine, int64_t *upto)
{
    int64_t position = atomic_load(&engine->checkpoint_position);
    *upto = atomic_load(&engine->log.synced);
    if (engine->data_end <= position || *upto <= position) {
        engine->checkpoint_first_ns = 0;
        return false;
    }
    int64_t now = fk_engine_now_ns(engine);
    if (engine->checkpoint_first_ns == 0) {
        engine->checkpoint_first_ns = now;
    }
    return *upto - position >= engine->options.checkpoint_size ||
           now - engine->checkpoint_first_ns >= engine->options.checkpoint_ms * 1000000;
}

/* Removes the segments that the checkpoint's file has made needless, unless a backup holds them. */
static enum fk_err remove_segments(struct fk_engine *engine, struct fk_diag *diag)
{
    struct fk_file *hold = NULL;
    struct fk_diag ignored = {.text = ""};
    enum fk_err err = engine->files->ops->open(engine->files, FK_ENGINE_HOLD_NAME, FK_OPEN_WRITE, &hold, diag);
    if (err != FK_OK) {
        return err;
    }
    err = engine->files->ops->lock(hold, true, &ignored);
    if (err == FK_OK) {
        err = fk_log_remove_before(engine->files, fk_checkpoint_settled(engine->checkpoint), diag);
    }
    engine->files->ops->close(hold);
    return err == FK_ERR_LOCKED ? FK_OK : err;
}

static enum fk_err step(struct fk_engine *engine, int64_t upto, struct fk_diag *diag)
{
    struct fk_checkpoint *checkpoint = engine->checkpoint;
    int64_t behind = upto - fk_checkpoint_position(checkpoint);
    size_t records_max = behind > engine->options.checkpoint_size * BEHIND_FACTOR ? RECORDS_MAX_BEHIND : RECORDS_MAX;
    enum fk_err err = FK_OK;
    if (engine->reader.segment_count == 0) {
        err = fk_log_reader_open(&engine->reader, engine->files, FK_OPEN_READ, fk_checkpoint_position(checkpoint),
                                 fk_checkpoint_chain(checkpoint), diag);
    }
    if (err == FK_OK) {
        err = fk_checkpoint_step(checkpoint, &engine->reader, upto, records_max, diag);
        if (err != FK_OK) {
            fk_log_reader_close(&engine->reader); /* it stands anywhere */
        }
    }
    if (err != FK_OK) {
        return err;
    }
    atomic_store(&engine->checkpoint_position, fk_checkpoint_position(checkpoint));
    atomic_store(&engine->checkpoint_zxid, fk_checkpoint_zxid(checkpoint));
    atomic_fetch_add(&engine->checkpoint_count, 1);
    return FK_OK;
}

/* Steps until the checkpoint has come to `upto`. Called with the lock, which is released meanwhile. */
static enum fk_err follow(struct fk_engine *engine, int64_t upto)
{
    struct fk_diag diag = {.text = ""};
    enum fk_err err = FK_OK;
    bool was_full = engine->checkpoint_full;
    engine->checkpoint_first_ns = 0;
    while (err == FK_OK && !engine->stopping && atomic_load(&engine->checkpoint_position) < upto) {
        fk_engine_unlock(engine);
        err = FK_MUTANT(SEGMENT_GONE_EARLY) ? fk_log_remove_before(engine->files, upto, &diag) : FK_OK;
        err = err == FK_OK ? step(engine, upto, &diag) : err;
        fk_engine_lock(engine);
        engine->checkpoint_full = err == FK_ERR_FULL;
        fk_engine_unlock(engine);
        fk_engine_progress(engine);
        fk_engine_lock(engine);
    }
    fk_engine_unlock(engine);
    if (err == FK_OK) {
        err = fk_checkpoint_settle(engine->checkpoint, &diag);
    }
    if (err == FK_OK) {
        err = remove_segments(engine, &diag);
    }
    fk_engine_lock(engine);
    if (err != FK_OK && !engine->stopping) {
        fk_engine_unlock(engine);
        fk_log(was_full && err == FK_ERR_FULL ? FK_LOG_DEBUG : FK_LOG_ERROR,
               "no checkpoint, the log is kept, will try again: %s", diag.text);
        fk_engine_lock(engine);
    }
    return err;
}

void fk_engine_checkpoint_thread(void *context)
{
    struct fk_engine *engine = (struct fk_engine *)context;
    int64_t look_ms = engine->options.checkpoint_ms < LOOK_MS ? engine->options.checkpoint_ms : LOOK_MS;
    fk_engine_lock(engine);
    while (!engine->stopping) {
        int64_t upto = 0;
        engine->checkpoint_pausing = false;
        if (!engine->failed && due(engine, &upto)) {
            engine->checkpoint_pausing = follow(engine, upto) != FK_OK;
            if (!engine->checkpoint_pausing) {
                continue;
            }
        }
        if (!engine->stopping) {
            (void)fk_engine_wait(engine, FK_THREAD_CHECKPOINT,
                                 engine->checkpoint_pausing ? engine->options.retry_ms : look_ms);
        }
    }
    fk_engine_unlock(engine);
}
