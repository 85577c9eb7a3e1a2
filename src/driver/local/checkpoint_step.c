// SPDX-License-Identifier: Apache-2.0
/* Applying a stretch of the log to the checkpoint. */
#include "base/crc32c.h"
#include "base/mutant.h"
#include "driver/local/checkpoint_row.h"
#include "driver/local/stretch.h"

#include <inttypes.h>

/* What one step holds. Everything is empty at first, and released by release(). */
struct step {
    struct fk_checkpoint *checkpoint;
    struct fk_log_reader *reader;
    struct fk_stretch stretch;
    sqlite3_stmt *select;
    sqlite3_stmt *select_crc;
    sqlite3_stmt *replace;
    sqlite3_stmt *remove;
    struct fk_buf data; /* of the row that is being written */
    struct fk_buf acl;
};

static void release(struct step *step)
{
    fk_stretch_deinit(&step->stretch);
    (void)sqlite3_finalize(step->select);
    (void)sqlite3_finalize(step->select_crc);
    (void)sqlite3_finalize(step->replace);
    (void)sqlite3_finalize(step->remove);
    fk_buf_deinit(&step->data);
    fk_buf_deinit(&step->acl);
}

/* Reads the frames. The log that `upto` promises must be there. */
static enum fk_err collect(struct step *step, int64_t upto, size_t records_max, struct fk_diag *diag)
{
    struct fk_log_reader *reader = step->reader;
    enum fk_err err = FK_OK;
    int64_t at = reader->position;
    reader->limit = upto;
    fk_log_reader_forget(reader);
    while (err == FK_OK && reader->position < upto && fk_stretch_count(&step->stretch) < records_max) {
        if (atomic_load(&step->checkpoint->interrupted)) {
            return FK_ERR_BUSY;
        }
        struct fk_frame frame;
        struct fk_bytes payload;
        at = reader->position;
        err = fk_log_reader_next(reader, &frame, &payload, diag);
        if (err == FK_OK) {
            err = fk_stretch_add(&step->stretch, payload, frame.position + FK_FRAME_HEADER_SIZE);
        }
    }
    if ((err == FK_ERR_NOT_FOUND && upto != INT64_MAX) || err == FK_ERR_MALFORMED) {
        const struct fk_segment *segment = fk_log_reader_segment(reader);
        char name[FK_SEGMENT_NAME_SIZE];
        fk_segment_name(segment->first, name);
        fk_diag_set(diag, "%s is damaged at offset %" PRId64 ": the frame there is bad", name,
                    at > segment->first ? at - segment->first : FK_SEGMENT_HEADER_SIZE);
        return FK_ERR_DAMAGED;
    }
    return err == FK_ERR_NOT_FOUND ? FK_OK : err;
}

/* Bytes of a place in the log, in buf. */
static enum fk_err fetch(struct step *step, const struct fk_stretch_place *place, struct fk_buf *buf,
                         struct fk_bytes *bytes, struct fk_diag *diag)
{
    fk_buf_clear(buf);
    if (place->absent) {
        *bytes = FK_BYTES_NULL;
        return FK_OK;
    }
    enum fk_err err = fk_log_reader_fetch(step->reader, place->position, place->size, buf, diag);
    *bytes = fk_bytes_of(buf->data, place->size);
    if (err == FK_OK && fk_crc32c(0, *bytes) != place->crc && !FK_MUTANT(READ_UNCHECKED)) {
        fk_diag_set(diag, "the log is damaged: position %016" PRIx64 " was read in two ways",
                    (uint64_t)place->position);
        err = FK_ERR_DAMAGED;
    }
    return err;
}

static struct fk_bytes keep(struct fk_buf *buf, struct fk_bytes bytes)
{
    fk_buf_clear(buf);
    if (bytes.data == NULL || fk_buf_reserve(buf, bytes.size + 1) == NULL) {
        return FK_BYTES_NULL;
    }
    fk_buf_append(buf, bytes);
    return fk_bytes_of(buf->data, bytes.size);
}

/* The row as it was, with data and acl in the step's buffers. */
static enum fk_err read_row(struct step *step, struct fk_bytes path, struct fk_node *row, struct fk_diag *diag)
{
    enum fk_err err = FK_OK;
    (void)sqlite3_bind_text64(step->select, 1, (const char *)path.data, path.size, SQLITE_STATIC, SQLITE_UTF8);
    int result = sqlite3_step(step->select);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        err = fk_checkpoint_fail(step->checkpoint, "read", diag);
    } else if (result == SQLITE_DONE || !fk_row_read_node(step->select, row)) {
        fk_diag_set(diag, "%s is damaged: table nodes, row %.*s: it is missing or has a wrong checksum",
                    step->checkpoint->path, (int)(path.size < 256 ? path.size : 256), (const char *)path.data);
        err = FK_ERR_DAMAGED;
    } else {
        bool null_data = row->data.data == NULL;
        row->data = keep(&step->data, row->data);
        row->acl = keep(&step->acl, row->acl);
        err = row->acl.data == NULL || (row->data.data == NULL && !null_data) ? FK_ERR_NOMEM : FK_OK;
    }
    (void)sqlite3_reset(step->select);
    row->path = path;
    return err;
}

/* What the log says about a row, put into it. */
static enum fk_err merge(struct step *step, const struct fk_stretch_node *item, struct fk_node *row,
                         struct fk_diag *diag)
{
    const struct fk_node *node = &item->node;
    enum fk_err err = FK_OK;
    if ((item->parts & FK_STRETCH_DATA) != 0) {
        row->version = node->version;
        row->mzxid = node->mzxid;
        row->mtime_ms = node->mtime_ms;
    }
    if ((item->parts & (FK_STRETCH_DATA | FK_STRETCH_STATS)) != 0) {
        err = fetch(step, &item->data, &step->data, &row->data, diag);
    }
    if (err == FK_OK && (item->parts & FK_STRETCH_ACL) != 0) {
        row->aversion = node->aversion;
        err = fetch(step, &item->acl, &step->acl, &row->acl, diag);
        if (row->acl.data == NULL) {
            row->acl = FK_ACL_OPEN;
        }
    }
    if ((item->parts & FK_STRETCH_CHILDREN) != 0) {
        row->created_children = node->created_children;
        row->num_children = node->num_children;
        row->pzxid = node->pzxid;
    }
    return err;
}

static enum fk_err run(struct step *step, sqlite3_stmt *statement, struct fk_diag *diag)
{
    int result = sqlite3_step(statement);
    enum fk_err err = result == SQLITE_DONE ? FK_OK : fk_checkpoint_fail(step->checkpoint, "write", diag);
    (void)sqlite3_reset(statement);
    return err;
}

/* Takes the row that the statement finds, if there is one, out of the digest. */
static enum fk_err forget(struct step *step, sqlite3_stmt *select, struct fk_diag *diag)
{
    int result = sqlite3_step(select);
    enum fk_err err = FK_OK;
    if (result == SQLITE_ROW) {
        step->checkpoint->digest -= (uint64_t)sqlite3_column_int64(select, 0);
    } else if (result != SQLITE_DONE) {
        err = fk_checkpoint_fail(step->checkpoint, "read", diag);
    }
    (void)sqlite3_reset(select);
    return err;
}

static enum fk_err forget_node(struct step *step, struct fk_bytes path, struct fk_diag *diag)
{
    (void)sqlite3_bind_text64(step->select_crc, 1, (const char *)path.data, path.size, SQLITE_STATIC, SQLITE_UTF8);
    return forget(step, step->select_crc, diag);
}

static enum fk_err apply_node(struct step *step, const struct fk_stretch_node *item, struct fk_diag *diag)
{
    struct fk_node row = item->node;
    enum fk_err err = forget_node(step, item->node.path, diag);
    if (err == FK_OK && item->base == FK_STRETCH_DELETE) {
        (void)sqlite3_bind_text64(step->remove, 1, (const char *)row.path.data, row.path.size, SQLITE_STATIC,
                                  SQLITE_UTF8);
        return run(step, step->remove, diag);
    }
    if (err == FK_OK && item->base == FK_STRETCH_UPDATE) {
        err = read_row(step, item->node.path, &row, diag);
    }
    if (err == FK_OK) {
        err = merge(step, item, &row, diag);
    }
    if (err == FK_OK) {
        step->checkpoint->digest += fk_row_bind_node(step->replace, &row);
        err = run(step, step->replace, diag);
    }
    return err;
}

static enum fk_err apply_nodes(struct step *step, struct fk_diag *diag)
{
    struct fk_checkpoint *checkpoint = step->checkpoint;
    struct fk_stretch_node **items = fk_stretch_sort(&step->stretch);
    if (items == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err =
        fk_checkpoint_prepare(checkpoint, "SELECT " FK_ROW_COLUMNS " FROM nodes WHERE path = ?1", &step->select, diag);
    if (err == FK_OK) {
        err = fk_checkpoint_prepare(checkpoint,
                                    "INSERT OR REPLACE INTO nodes(" FK_ROW_COLUMNS
                                    ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
                                    &step->replace, diag);
    }
    if (err == FK_OK) {
        err = fk_checkpoint_prepare(checkpoint, "DELETE FROM nodes WHERE path = ?1", &step->remove, diag);
    }
    if (err == FK_OK) {
        err = fk_checkpoint_prepare(checkpoint, "SELECT crc FROM nodes WHERE path = ?1", &step->select_crc, diag);
    }
    for (size_t i = 0; i < step->stretch.nodes.count && err == FK_OK; i++) {
        err = atomic_load(&checkpoint->interrupted) ? FK_ERR_BUSY : apply_node(step, items[i], diag);
    }
    return err;
}

static enum fk_err apply_sessions(struct step *step, struct fk_diag *diag)
{
    sqlite3_stmt *replace = NULL;
    sqlite3_stmt *remove = NULL;
    sqlite3_stmt *select = NULL;
    enum fk_err err = fk_checkpoint_prepare(
        step->checkpoint, "INSERT OR REPLACE INTO sessions(id, crc, timeout_ms, password) VALUES(?1,?2,?3,?4)",
        &replace, diag);
    if (err == FK_OK) {
        err = fk_checkpoint_prepare(step->checkpoint, "DELETE FROM sessions WHERE id = ?1", &remove, diag);
    }
    if (err == FK_OK) {
        err = fk_checkpoint_prepare(step->checkpoint, "SELECT crc FROM sessions WHERE id = ?1", &select, diag);
    }
    const struct fk_map *sessions = &step->stretch.sessions;
    for (struct fk_map_entry *entry = fk_map_next(sessions, NULL); entry != NULL && err == FK_OK;
         entry = fk_map_next(sessions, entry)) {
        const struct fk_stretch_session *item = FK_CONTAINER_OF(entry, struct fk_stretch_session, entry);
        (void)sqlite3_bind_int64(select, 1, item->session.id);
        err = forget(step, select, diag);
        if (err != FK_OK) {
            break;
        }
        if (item->ended) {
            (void)sqlite3_bind_int64(remove, 1, item->session.id);
        } else {
            step->checkpoint->digest += fk_row_bind_session(replace, &item->session);
        }
        err = run(step, item->ended ? remove : replace, diag);
    }
    (void)sqlite3_finalize(replace);
    (void)sqlite3_finalize(remove);
    (void)sqlite3_finalize(select);
    return err;
}

/* The transaction: rows and position together. */
static enum fk_err apply(struct step *step, struct fk_diag *diag)
{
    struct fk_checkpoint *checkpoint = step->checkpoint;
    const int64_t position = checkpoint->position;
    const int64_t zxid = checkpoint->zxid;
    const uint32_t chain = checkpoint->chain;
    const uint64_t digest = checkpoint->digest;
    enum fk_err err = fk_checkpoint_execute(checkpoint, "BEGIN IMMEDIATE", "write", diag);
    if (err != FK_OK) {
        return err;
    }
    err = apply_nodes(step, diag);
    if (err == FK_OK) {
        err = apply_sessions(step, diag);
    }
    if (err == FK_OK && FK_MUTANT(POSITION_APART)) {
        err = fk_checkpoint_execute(checkpoint, "COMMIT; BEGIN IMMEDIATE", "write", diag);
    }
    if (err == FK_OK) {
        checkpoint->position = step->reader->position;
        checkpoint->chain = step->reader->chain;
        checkpoint->zxid = step->stretch.zxid != 0 ? step->stretch.zxid : zxid;
        err = fk_checkpoint_write_meta(checkpoint, diag);
    }
    if (err == FK_OK) {
        err = fk_checkpoint_execute(checkpoint, "COMMIT", "write", diag);
    }
    if (err == FK_OK) {
        checkpoint->unsettled = true;
    } else {
        (void)sqlite3_exec(checkpoint->db, "ROLLBACK", NULL, NULL, NULL);
        checkpoint->position = position;
        checkpoint->zxid = zxid;
        checkpoint->chain = chain;
        checkpoint->digest = digest;
    }
    return err;
}

enum fk_err fk_checkpoint_step(struct fk_checkpoint *checkpoint, struct fk_log_reader *reader, int64_t upto,
                               size_t records_max, struct fk_diag *diag)
{
    struct step step = {.checkpoint = checkpoint, .reader = reader};
    fk_stretch_init(&step.stretch);
    enum fk_err err = collect(&step, upto, records_max, diag);
    if (err == FK_OK) {
        err = apply(&step, diag);
    }
    release(&step);
    if (err == FK_OK) {
        fk_log_reader_fold(reader);
    }
    return err;
}
