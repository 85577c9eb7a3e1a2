// SPDX-License-Identifier: Apache-2.0
#include "function/pipeline_entry.h"

#include "function/record_codec.h"

enum {
    ENTRY_FORMAT = 2,         /* 1 had no `taken` */
    ENTRY_FORMAT_TIMEOUT = 3, /* written only where there is one, so that older code reads all else */
    PATH_SIZE_MIN = 4 + 8,
    PUT_SIZE_MIN = 4 + 4 + 4,
    STAT_SIZE_MIN = 4 + 4,
};

static enum fk_err read_paths(struct fk_reader *reader, struct fk_arena *arena, struct fk_entry *entry)
{
    enum fk_err err = FK_OK;
    entry->path_count = fk_record_read_length(reader, PATH_SIZE_MIN);
    entry->paths = (struct fk_entry_path *)fk_record_items(arena, entry->path_count, sizeof *entry->paths, &err);
    for (size_t i = 0; err == FK_OK && i < entry->path_count; i++) {
        entry->paths[i].path = fk_record_read_some(reader);
        entry->paths[i].counter = fk_read_i64(reader);
    }
    return err;
}

static enum fk_err read_puts(struct fk_reader *reader, struct fk_arena *arena, struct fk_entry *entry)
{
    enum fk_err err = FK_OK;
    entry->put_count = fk_record_read_length(reader, PUT_SIZE_MIN);
    entry->puts = (struct fk_entry_put *)fk_record_items(arena, entry->put_count, sizeof *entry->puts, &err);
    for (size_t i = 0; err == FK_OK && !reader->failed && i < entry->put_count; i++) {
        struct fk_entry_put *put = &entry->puts[i];
        put->kind = (enum fk_put_kind)fk_read_i32(reader);
        put->path = fk_read_i32(reader);
        struct fk_bytes record = fk_record_read_some(reader);
        reader->failed |= put->kind < FK_PUT_CREATE || put->kind > FK_PUT_DELETE || put->path < 0 ||
                          (size_t)put->path >= entry->path_count;
        if (!reader->failed) {
            err = fk_node_record_read(record, entry->paths[put->path].path, arena, &put->record);
        }
    }
    return err == FK_ERR_DAMAGED ? FK_ERR_MALFORMED : err;
}

static enum fk_err read_stats(struct fk_reader *reader, struct fk_arena *arena, struct fk_entry *entry)
{
    enum fk_err err = FK_OK;
    entry->stat_count = fk_record_read_length(reader, STAT_SIZE_MIN);
    entry->stats = (struct fk_entry_stat *)fk_record_items(arena, entry->stat_count, sizeof *entry->stats, &err);
    for (size_t i = 0; err == FK_OK && i < entry->stat_count; i++) {
        entry->stats[i].offset = fk_read_i32(reader);
        entry->stats[i].path = fk_record_read_some(reader);
        reader->failed |=
            entry->stats[i].offset < 0 || (size_t)entry->stats[i].offset + FK_STAT_SIZE > entry->reply.size;
    }
    return err;
}

enum fk_err fk_entry_read(struct fk_bytes message, struct fk_arena *arena, struct fk_entry *entry)
{
    struct fk_reader reader = fk_reader_of(message);
    *entry = (struct fk_entry){.kind = FK_STEP_REQUEST};
    int32_t format = fk_read_i32(&reader);
    if (!reader.failed && (format < 1 || format > ENTRY_FORMAT_TIMEOUT)) {
        return FK_ERR_VERSION;
    }
    entry->kind = (enum fk_step_kind)fk_read_i32(&reader);
    reader.failed |= entry->kind < FK_STEP_REQUEST || entry->kind > FK_STEP_DEAD;
    entry->token = fk_read_i64(&reader);
    entry->session_id = fk_read_i64(&reader);
    entry->epoch = fk_read_i64(&reader);
    entry->number = fk_read_i64(&reader);
    entry->gateway = fk_read_i64(&reader);
    entry->answered = fk_read_i64(&reader);
    entry->taken = format == 1 ? 0 : fk_read_i64(&reader);
    entry->word = fk_read_i64(&reader);
    entry->timeout_ms = format < ENTRY_FORMAT_TIMEOUT ? 0 : fk_read_i32(&reader);
    entry->code = fk_read_i32(&reader);
    entry->reply = fk_read_bytes(&reader);
    entry->cursor = fk_read_bytes(&reader);
    enum fk_err err = read_paths(&reader, arena, entry);
    if (err == FK_OK) {
        err = read_puts(&reader, arena, entry);
    }
    if (err == FK_OK) {
        err = read_stats(&reader, arena, entry);
    }
    return err == FK_OK && (reader.failed || reader.left > 0) ? FK_ERR_MALFORMED : err;
}

void fk_entry_write(struct fk_buf *buf, const struct fk_entry *entry)
{
    fk_write_i32(buf, entry->timeout_ms == 0 ? ENTRY_FORMAT : ENTRY_FORMAT_TIMEOUT);
    fk_write_i32(buf, (int32_t)entry->kind);
    fk_write_i64(buf, entry->token);
    fk_write_i64(buf, entry->session_id);
    fk_write_i64(buf, entry->epoch);
    fk_write_i64(buf, entry->number);
    fk_write_i64(buf, entry->gateway);
    fk_write_i64(buf, entry->answered);
    fk_write_i64(buf, entry->taken);
    fk_write_i64(buf, entry->word);
    if (entry->timeout_ms != 0) {
        fk_write_i32(buf, entry->timeout_ms);
    }
    fk_write_i32(buf, entry->code);
    fk_write_bytes(buf, entry->reply);
    fk_write_bytes(buf, entry->cursor);
    fk_record_write_length(buf, entry->path_count);
    for (size_t i = 0; i < entry->path_count; i++) {
        fk_write_bytes(buf, entry->paths[i].path);
        fk_write_i64(buf, entry->paths[i].counter);
    }
    fk_record_write_length(buf, entry->put_count);
    for (size_t i = 0; i < entry->put_count; i++) {
        struct fk_buf record = FK_BUF_EMPTY;
        fk_write_i32(buf, (int32_t)entry->puts[i].kind);
        fk_write_i32(buf, entry->puts[i].path);
        fk_node_record_write(&record, &entry->puts[i].record);
        fk_write_bytes(buf, fk_buf_view(&record));
        buf->failed |= record.failed;
        fk_buf_deinit(&record);
    }
    fk_record_write_length(buf, entry->stat_count);
    for (size_t i = 0; i < entry->stat_count; i++) {
        fk_write_i32(buf, entry->stats[i].offset);
        fk_write_bytes(buf, entry->stats[i].path);
    }
}

const struct fk_entry_put *fk_entry_last_put(const struct fk_entry *entry, size_t path)
{
    for (size_t i = entry->put_count; i > 0; i--) {
        if ((size_t)entry->puts[i - 1].path == path) {
            return &entry->puts[i - 1];
        }
    }
    return NULL;
}

void fk_entry_fill_node(struct fk_node *node, const struct fk_node *before, int64_t zxid, int64_t time_ms)
{
    node->ctime_ms = node->czxid == FK_ZXID_PLANNED ? time_ms : before->ctime_ms;
    node->mtime_ms = node->mzxid == FK_ZXID_PLANNED ? time_ms : before->mtime_ms;
    node->czxid = node->czxid == FK_ZXID_PLANNED ? zxid : before->czxid;
    node->mzxid = node->mzxid == FK_ZXID_PLANNED ? zxid : before->mzxid;
    node->pzxid = node->pzxid == FK_ZXID_PLANNED ? zxid : before->pzxid;
}
