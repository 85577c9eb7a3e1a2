// SPDX-License-Identifier: Apache-2.0
#include "driver/local/snapshot.h"

#include "driver/local/engine.h"
#include "driver/local/path.h"
#include "driver/local/posix_file.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    COPY_SIZE = 256 * 1024,
    /* The server holds `hold` only while it removes segments. */
    HOLD_TRIES = 500,
    HOLD_PAUSE_MS = 10,
};

static const char wal_name[] = FK_ENGINE_CHECKPOINT_NAME "-wal";

static enum fk_err open_existing(struct fk_snapshot *snapshot, const char *name, struct fk_file **file,
                                 struct fk_diag *diag)
{
    struct fk_diag ignored = {.text = ""};
    enum fk_err err = snapshot->files->ops->open(snapshot->files, name, FK_OPEN_READ, file, &ignored);
    if (err == FK_ERR_NOT_FOUND) {
        return FK_OK; /* a copy made by hand may lack it */
    }
    if (err != FK_OK) {
        fk_diag_set(diag, "%s", ignored.text);
    }
    return err;
}

static enum fk_err take_hold(struct fk_snapshot *snapshot, struct fk_diag *diag)
{
    enum fk_err err = open_existing(snapshot, FK_ENGINE_HOLD_NAME, &snapshot->hold, diag);
    if (err != FK_OK || snapshot->hold == NULL) {
        return err;
    }
    const struct timespec pause = {.tv_nsec = HOLD_PAUSE_MS * 1000000L};
    for (int i = 0; i < HOLD_TRIES; i++) {
        struct fk_diag ignored = {.text = ""};
        err = snapshot->files->ops->lock(snapshot->hold, false, &ignored);
        if (err != FK_ERR_LOCKED) {
            fk_diag_set(err == FK_OK ? NULL : diag, "%s", ignored.text);
            return err;
        }
        (void)nanosleep(&pause, NULL);
    }
    fk_diag_set(diag, "%s/" FK_ENGINE_HOLD_NAME " stays locked by another process", snapshot->directory);
    return err;
}

static enum fk_err look_for_server(struct fk_snapshot *snapshot, struct fk_diag *diag)
{
    struct fk_diag ignored = {.text = ""};
    enum fk_err err = open_existing(snapshot, FK_ENGINE_LOCK_NAME, &snapshot->lock, diag);
    if (err != FK_OK || snapshot->lock == NULL) {
        return err;
    }
    err = snapshot->files->ops->lock(snapshot->lock, false, &ignored);
    snapshot->live = err == FK_ERR_LOCKED;
    if (err != FK_OK && err != FK_ERR_LOCKED) {
        fk_diag_set(diag, "%s", ignored.text);
        return err;
    }
    return FK_OK;
}

/* Copies a whole file between directories. */
static enum fk_err copy_file(struct fk_files *from, struct fk_files *to, const char *name, struct fk_diag *diag)
{
    struct fk_file *source = NULL;
    struct fk_file *target = NULL;
    uint8_t *bytes = (uint8_t *)fk_alloc(COPY_SIZE);
    enum fk_err err = bytes == NULL ? FK_ERR_NOMEM : from->ops->open(from, name, FK_OPEN_READ, &source, diag);
    if (err == FK_OK) {
        err = to->ops->open(to, name, FK_OPEN_CREATE, &target, diag);
    }
    size_t got = COPY_SIZE;
    for (int64_t at = 0; err == FK_OK && got == COPY_SIZE; at += COPY_SIZE) {
        err = from->ops->read(source, at, bytes, COPY_SIZE, &got, diag);
        if (err == FK_OK) {
            err = to->ops->write(target, at, fk_bytes_of(bytes, got), diag);
        }
    }
    if (source != NULL) {
        from->ops->close(source);
    }
    if (target != NULL) {
        to->ops->close(target);
    }
    fk_free(bytes);
    return err;
}

static void remove_temporary(struct fk_snapshot *snapshot)
{
    static const char *const names[] = {FK_ENGINE_CHECKPOINT_NAME, FK_ENGINE_CHECKPOINT_NAME "-wal",
                                        FK_ENGINE_CHECKPOINT_NAME "-shm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = fk_path_join(snapshot->temporary, names[i]);
        if (path != NULL) {
            (void)unlink(path);
        }
        fk_free(path);
    }
    (void)rmdir(snapshot->temporary);
    fk_free(snapshot->temporary);
    snapshot->temporary = NULL;
}

/* A dead server's WAL holds a part of the checkpoint. SQLite would have to change files to read it: so it gets a copy.
 */
static enum fk_err open_copy(struct fk_snapshot *snapshot, struct fk_diag *diag)
{
    const char *parent = getenv("TMPDIR");
    snapshot->temporary = fk_path_join(parent == NULL || parent[0] == '\0' ? "/tmp" : parent, "faaskeeper-XXXXXX");
    if (snapshot->temporary == NULL) {
        return FK_ERR_NOMEM;
    }
    if (mkdtemp(snapshot->temporary) == NULL) {
        fk_diag_set(diag, "cannot make a directory for a copy of the checkpoint (TMPDIR): %m");
        fk_free(snapshot->temporary);
        snapshot->temporary = NULL;
        return FK_ERR_IO;
    }
    struct fk_files *to = NULL;
    enum fk_err err = fk_posix_files_open(snapshot->temporary, false, &to, diag);
    if (err == FK_OK) {
        err = copy_file(snapshot->files, to, FK_ENGINE_CHECKPOINT_NAME, diag);
    }
    if (err == FK_OK) {
        err = copy_file(snapshot->files, to, wal_name, diag);
    }
    if (to != NULL) {
        to->ops->free(to);
    }
    char *path = err == FK_OK ? fk_path_join(snapshot->temporary, FK_ENGINE_CHECKPOINT_NAME) : NULL;
    if (err == FK_OK) {
        err = path == NULL ? FK_ERR_NOMEM
                           : fk_checkpoint_open(NULL, path, FK_CHECKPOINT_WRITE, &snapshot->checkpoint, diag);
    }
    fk_free(path);
    return err;
}

static enum fk_err open_checkpoint(struct fk_snapshot *snapshot, struct fk_diag *diag)
{
    struct fk_file *wal = NULL;
    int64_t wal_size = 0;
    enum fk_err err = snapshot->live ? FK_OK : open_existing(snapshot, wal_name, &wal, diag);
    if (wal != NULL) {
        err = snapshot->files->ops->size(wal, &wal_size, diag);
        snapshot->files->ops->close(wal);
    }
    if (err != FK_OK || wal_size > 0) {
        return err != FK_OK ? err : open_copy(snapshot, diag);
    }
    char *path = fk_path_join(snapshot->directory, FK_ENGINE_CHECKPOINT_NAME);
    if (path == NULL) {
        return FK_ERR_NOMEM;
    }
    err = fk_checkpoint_open(NULL, path, snapshot->live ? FK_CHECKPOINT_SHARED : FK_CHECKPOINT_STILL,
                             &snapshot->checkpoint, diag);
    fk_free(path);
    return err;
}

enum fk_err fk_snapshot_open(const char *directory, struct fk_snapshot *snapshot, struct fk_diag *diag)
{
    *snapshot = (struct fk_snapshot){.directory = fk_path_join(directory, "")};
    enum fk_err err =
        snapshot->directory == NULL ? FK_ERR_NOMEM : fk_posix_files_open(directory, false, &snapshot->files, diag);
    if (err == FK_OK) {
        err = take_hold(snapshot, diag);
    }
    if (err == FK_OK) {
        err = look_for_server(snapshot, diag);
    }
    if (err == FK_OK) {
        err = open_checkpoint(snapshot, diag);
        if (err == FK_ERR_NOT_FOUND) {
            fk_diag_set(diag, "%s holds no data: %s is missing or empty", directory, FK_ENGINE_CHECKPOINT_NAME);
        }
    }
    if (err != FK_OK) {
        fk_snapshot_close(snapshot);
    }
    return err;
}

void fk_snapshot_close(struct fk_snapshot *snapshot)
{
    if (snapshot->reader.segment_count > 0) {
        fk_log_reader_close(&snapshot->reader);
    }
    fk_checkpoint_close(snapshot->state);
    fk_checkpoint_close(snapshot->checkpoint);
    if (snapshot->temporary != NULL) {
        remove_temporary(snapshot);
    }
    if (snapshot->lock != NULL) {
        snapshot->files->ops->close(snapshot->lock);
    }
    if (snapshot->hold != NULL) {
        snapshot->files->ops->close(snapshot->hold);
    }
    if (snapshot->files != NULL) {
        snapshot->files->ops->free(snapshot->files);
    }
    fk_free(snapshot->directory);
    *snapshot = (struct fk_snapshot){.directory = NULL};
}

enum fk_err fk_snapshot_judge(struct fk_snapshot *snapshot, struct fk_log_reader *reader, struct fk_log_tail *tail,
                              bool *again, struct fk_diag *diag)
{
    struct fk_diag verdict = {.text = ""};
    enum fk_err err = fk_log_reader_judge(reader, tail, &verdict);
    *again = false;
    if (err == FK_ERR_DAMAGED && snapshot->live) {
        /* A later frame says that this one was synced, so it was whole before that one was written: if it is whole now,
         * we had read it too early. */
        struct fk_log_reader probe = {.files = reader->files,
                                      .mode = FK_OPEN_READ,
                                      .position = reader->position,
                                      .chain = reader->chain,
                                      .limit = INT64_MAX};
        struct fk_frame frame;
        struct fk_bytes payload;
        enum fk_err opened =
            fk_log_reader_open(&probe, reader->files, FK_OPEN_READ, reader->position, reader->chain, NULL);
        *again = opened == FK_OK && fk_log_reader_next(&probe, &frame, &payload, NULL) == FK_OK;
        if (opened == FK_OK) {
            fk_log_reader_close(&probe);
        }
    }
    if (*again) {
        fk_log_reader_forget(reader);
        return FK_OK;
    }
    if (err != FK_OK) {
        fk_diag_set(diag, "%s", verdict.text);
    }
    return err;
}

enum fk_err fk_snapshot_recover(struct fk_snapshot *snapshot, struct fk_diag *diag)
{
    enum fk_err err = fk_checkpoint_copy(snapshot->checkpoint, &snapshot->state, diag);
    if (err != FK_OK) {
        return err;
    }
    snapshot->checkpoint_position = fk_checkpoint_position(snapshot->state);
    err = fk_log_reader_open(&snapshot->reader, snapshot->files, FK_OPEN_READ, snapshot->checkpoint_position,
                             fk_checkpoint_chain(snapshot->state), diag);
    if (err == FK_ERR_NOT_FOUND && snapshot->checkpoint_position == 0) {
        return FK_OK; /* made, and not used yet */
    }
    if (err == FK_ERR_NOT_FOUND) {
        fk_diag_set(diag, "%s is damaged: the log is missing", snapshot->directory);
        return FK_ERR_DAMAGED;
    }
    bool again = true;
    while (err == FK_OK && again) {
        err = fk_checkpoint_step(snapshot->state, &snapshot->reader, INT64_MAX, SIZE_MAX, diag);
        if (err == FK_OK) {
            err = fk_snapshot_judge(snapshot, &snapshot->reader, &snapshot->tail, &again, diag);
        }
    }
    return err;
}
