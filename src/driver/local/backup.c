// SPDX-License-Identifier: Apache-2.0
/* Copies a data directory: the checkpoint through SQLite, then the log's valid frames, one by one and each to its
 * place. So what the server writes meanwhile comes whole or not at all. The checkpoint gets its name last. */
#include "driver/local/engine.h"
#include "driver/local/path.h"
#include "driver/local/posix_file.h"
#include "driver/local/snapshot.h"

enum {
    WRITE_SIZE = 1024 * 1024,
};

static const char partial_name[] = "checkpoint.partial";

/* Everything empty at first; released by release(). */
struct backup {
    struct fk_snapshot *snapshot;
    struct fk_files *files;    /* target */
    struct fk_segment segment; /* of the target */
    struct fk_log_reader reader;
    struct fk_buf bytes; /* frames that stand one behind the other, not written yet */
    int64_t bytes_position;
};

static void release(struct backup *backup)
{
    fk_segment_close(&backup->segment);
    if (backup->reader.segment_count > 0) {
        fk_log_reader_close(&backup->reader);
    }
    fk_buf_deinit(&backup->bytes);
    if (backup->files != NULL) {
        backup->files->ops->free(backup->files);
    }
}

static enum fk_err open_target(struct backup *backup, const char *directory, struct fk_diag *diag)
{
    enum fk_err err = fk_posix_files_open(directory, true, &backup->files, diag);
    if (err != FK_OK) {
        return err;
    }
    struct fk_arena arena = FK_ARENA_EMPTY;
    const char **names = NULL;
    size_t count = 0;
    err = backup->files->ops->list(backup->files, &arena, &names, &count, diag);
    if (err == FK_OK && count > 0) {
        fk_diag_set(diag, "%s is not empty: it has %s", directory, names[0]);
        err = FK_ERR_EXISTS;
    }
    fk_arena_deinit(&arena);
    return err;
}

static enum fk_err flush(struct backup *backup, struct fk_diag *diag)
{
    if (backup->bytes.size == 0) {
        return FK_OK;
    }
    enum fk_err err = backup->files->ops->write(backup->segment.file, backup->bytes_position - backup->segment.first,
                                                fk_buf_view(&backup->bytes), diag);
    fk_buf_clear(&backup->bytes);
    return err;
}

static enum fk_err add(struct backup *backup, int64_t position, struct fk_bytes frame, struct fk_diag *diag)
{
    enum fk_err err = backup->bytes.size >= WRITE_SIZE ? flush(backup, diag) : FK_OK;
    if (backup->bytes.size == 0) {
        backup->bytes_position = position;
    }
    fk_buf_append(&backup->bytes, frame);
    return err == FK_OK && backup->bytes.failed ? FK_ERR_NOMEM : err;
}

/* Starts the target's copy of the reader's current segment. */
static enum fk_err begin_segment(struct backup *backup, struct fk_diag *diag)
{
    enum fk_err err = flush(backup, diag);
    if (err == FK_OK && backup->segment.file != NULL) {
        err = backup->files->ops->sync(backup->segment.file, diag);
    }
    fk_segment_close(&backup->segment);
    if (err == FK_OK) {
        err = fk_segment_create_like(backup->files, fk_log_reader_segment(&backup->reader), &backup->segment, diag);
    }
    return err;
}

/* The frame that leads from the target's segment to the reader's new one stands at `position`. */
static enum fk_err follow_switch(struct backup *backup, int64_t position, struct fk_diag *diag)
{
    struct fk_log_reader *reader = &backup->reader;
    struct fk_buf frame = FK_BUF_EMPTY;
    enum fk_err err = fk_log_reader_fetch(reader, position, FK_FRAME_HEADER_SIZE, &frame, diag);
    if (err == FK_OK) {
        err = add(backup, position, fk_buf_view(&frame), diag);
    }
    fk_buf_deinit(&frame);
    return err == FK_OK ? begin_segment(backup, diag) : err;
}

/* Copies the frames that there are now. */
static enum fk_err copy_frames(struct backup *backup, struct fk_diag *diag)
{
    struct fk_log_reader *reader = &backup->reader;
    enum fk_err err = FK_OK;
    while (err == FK_OK) {
        struct fk_frame frame;
        struct fk_bytes payload;
        int64_t before = reader->position;
        err = fk_log_reader_next(reader, &frame, &payload, diag);
        /* A frame may lead to a segment that has none yet. */
        enum fk_err followed = FK_OK;
        for (size_t i = 0; i + 1 < reader->segment_count && followed == FK_OK; i++) {
            if (reader->segments[i].first == backup->segment.first) {
                followed = follow_switch(backup, before, diag);
            }
        }
        if (followed != FK_OK) {
            return followed;
        }
        if (err == FK_OK) {
            struct fk_bytes whole =
                fk_bytes_of(payload.data - FK_FRAME_HEADER_SIZE, FK_FRAME_HEADER_SIZE + payload.size);
            err = add(backup, frame.position, whole, diag);
        }
    }
    return err == FK_ERR_NOT_FOUND ? FK_OK : err;
}

static enum fk_err copy_log(struct backup *backup, int64_t position, uint32_t chain, struct fk_diag *diag)
{
    struct fk_snapshot *snapshot = backup->snapshot;
    struct fk_log_tail tail;
    bool again = true;
    enum fk_err err = fk_log_reader_open(&backup->reader, snapshot->files, FK_OPEN_READ, position, chain, diag);
    if (err == FK_ERR_NOT_FOUND && position == 0) {
        return FK_OK;
    }
    if (err == FK_OK) {
        err = begin_segment(backup, diag);
    }
    while (err == FK_OK && again) {
        err = copy_frames(backup, diag);
        if (err == FK_OK) {
            err = fk_snapshot_judge(snapshot, &backup->reader, &tail, &again, diag);
        }
    }
    if (err == FK_OK) {
        err = flush(backup, diag);
    }
    return err == FK_OK ? backup->files->ops->sync(backup->segment.file, diag) : err;
}

static enum fk_err copy_checkpoint(struct backup *backup, const char *directory, int64_t *position, uint32_t *chain,
                                   struct fk_diag *diag)
{
    char *path = fk_path_join(directory, partial_name);
    if (path == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = fk_checkpoint_backup(backup->snapshot->checkpoint, path, position, chain, diag);
    fk_free(path);
    return err;
}

enum fk_err fk_snapshot_backup(struct fk_snapshot *snapshot, const char *directory, struct fk_diag *diag)
{
    struct backup backup = {.snapshot = snapshot, .segment = FK_SEGMENT_NONE};
    int64_t position = 0;
    uint32_t chain = 0;
    enum fk_err err = open_target(&backup, directory, diag);
    if (err == FK_OK) {
        err = copy_checkpoint(&backup, directory, &position, &chain, diag);
    }
    if (err == FK_OK) {
        err = copy_log(&backup, position, chain, diag);
    }
    if (err == FK_OK) {
        err = backup.files->ops->sync_directory(backup.files, diag);
    }
    if (err == FK_OK) {
        err = backup.files->ops->rename(backup.files, partial_name, FK_ENGINE_CHECKPOINT_NAME, diag);
    }
    if (err == FK_OK) {
        err = backup.files->ops->sync_directory(backup.files, diag);
    }
    release(&backup);
    return err;
}
