// SPDX-License-Identifier: Apache-2.0
/* The local engine: a log that makes frames durable in groups, and a checkpoint that follows it, on three threads:
 *   fk-log         writes and syncs all frames that have piled up, then says how far the log is durable
 *   fk-segment     prepares the next segment; with forceSync=no it syncs, each second
 *   fk-checkpoint  applies the synced log to SQLite and removes the segments behind it
 * admit, append and idle are for one thread, the event loop; durable is for any. A directory has: lock (held by the
 * server), hold (locked, shared, by a backup: then no segment is removed), checkpoint.sqlite, log.<position>. */
#ifndef FK_DRIVER_LOCAL_ENGINE_H
#define FK_DRIVER_LOCAL_ENGINE_H

#include "base/buf.h"
#include "driver/local/sink.h"
#include "port/file.h"

#define FK_ENGINE_LOCK_NAME       "lock"
#define FK_ENGINE_HOLD_NAME       "hold"
#define FK_ENGINE_CHECKPOINT_NAME "checkpoint.sqlite"

struct fk_engine;
struct fk_threads;
struct fk_vfs;

struct fk_engine_options {
    const char *directory;
    int64_t segment_size; /* bytes; FK_LOG_SEGMENT_SIZE where 0 */
    bool sync;            /* forceSync: durable means synced; otherwise it means written */
    /* Called from the engine's threads when the durable position moved, or when admit may answer otherwise than before.
     */
    void (*progress)(void *context);
    /* Called once, from any thread (the caller's own, for an inline append), when a write or a sync failed: the process
     * must end with exit code 4; nothing becomes durable any more. */
    void (*fatal)(void *context, const char *what);
    void *context;
    /* For tests and simulators; 0 or NULL give the normal values. `files` is the directory's file system, and is taken,
     * like `threads`. `vfs`: SQLite uses it (and `files` through it) instead of the system's file system. */
    struct fk_files *files;
    struct fk_threads *threads;
    struct fk_vfs *vfs;
    int64_t checkpoint_size; /* FK_CHECKPOINT_SIZE */
    int64_t checkpoint_ms;   /* FK_CHECKPOINT_MS */
    int64_t log_size_max;    /* FK_LOG_SIZE_MAX */
    int64_t retry_ms;        /* pause after the disk was full: 1000 */
};

/* Makes the directory (0700) where it is missing, locks it, gives the sink what it holds, repairs a torn tail. Errors,
 * with what and where in diag: LOCKED, DAMAGED, VERSION, FULL, IO, NOMEM, and the sink's. */
enum fk_err fk_engine_open(const struct fk_engine_options *options, const struct fk_engine_sink *sink,
                           struct fk_engine **engine, struct fk_diag *diag);

/* Frees what fk_engine_open would have taken. */
void fk_engine_options_drop(const struct fk_engine_options *options);

/* Starts the threads. IO where there can be none. */
enum fk_err fk_engine_start(struct fk_engine *engine, struct fk_diag *diag);

/* Writes and syncs everything appended, ends the threads. The callbacks are not called after it. */
void fk_engine_stop(struct fk_engine *engine);

/* Stops, and frees. NULL is allowed. */
void fk_engine_free(struct fk_engine *engine);

/* Whether a payload of this size may be appended next.
 * OK         there is room until the next append.
 * FULL       the disk is.
 * BUSY       wait for progress: the next segment is being made, the checkpoint is behind by log_size_max, or too much
 *            waits for the disk.
 * TOO_LARGE  no segment can hold it.
 * NOMEM      there is no memory for it.
 * IO         the log is dead: fatal was called. */
enum fk_err fk_engine_admit(struct fk_engine *engine, size_t payload_size);

/* Queues the payload, a sequence of changes (codec.h), as one frame, and empties the buffer. admit said OK to its size.
 * inline_sync: writes and syncs it on this thread, where the log is idle; where it has just stopped being so (the log
 * closes with an empty frame of its own after a pause), queues. Returns the position that fk_engine_durable must reach.
 */
int64_t fk_engine_append(struct fk_engine *engine, struct fk_buf *payload, bool inline_sync);

/* Everything up to this position may be made visible. */
int64_t fk_engine_durable(struct fk_engine *engine);

/* Nothing is queued or being written. */
bool fk_engine_idle(struct fk_engine *engine);

/* For metrics. */
struct fk_engine_status {
    int64_t position; /* end of what was appended */
    int64_t durable;
    int64_t checkpoint;  /* position of the checkpoint */
    int64_t zxid;        /* of the checkpoint */
    int64_t checkpoints; /* made since the start */
};
void fk_engine_status(struct fk_engine *engine, struct fk_engine_status *status);

#endif
