// SPDX-License-Identifier: Apache-2.0
#include "function/pipeline_record.h"

#include "function/record_codec.h"

enum {
    STEP_SIZE_MIN = 3 * 8 + 4,
    PATH_SIZE_MIN = 4,
};

struct fk_key fk_key_accepted_node(struct fk_arena *arena, struct fk_bytes path)
{
    struct fk_key key = fk_key_node(arena, path);
    if (key.partition.data == NULL) {
        return key;
    }
    uint8_t *partition = (uint8_t *)fk_arena_alloc(arena, key.partition.size);
    if (partition == NULL) {
        return (struct fk_key){.partition = FK_BYTES_NULL};
    }
    memcpy(partition, key.partition.data, key.partition.size);
    partition[0] = 'a';
    key.partition.data = partition;
    return key;
}

struct fk_key fk_key_accepted_session(struct fk_arena *arena, int64_t id)
{
    struct fk_key key = fk_key_session(arena, id);
    if (key.partition.data != NULL) {
        key.partition = FK_BYTES_LITERAL("as");
    }
    return key;
}

static void read_lock(struct fk_reader *reader, struct fk_lock *lock)
{
    lock->token = fk_read_i64(reader);
    lock->session_id = fk_read_i64(reader);
    lock->until_ms = fk_read_i64(reader);
}

static void write_lock(struct fk_buf *buf, const struct fk_lock *lock)
{
    fk_write_i64(buf, lock->token);
    fk_write_i64(buf, lock->session_id);
    fk_write_i64(buf, lock->until_ms);
}

enum fk_err fk_accepted_node_read(struct fk_bytes value, struct fk_bytes path, struct fk_arena *arena,
                                  struct fk_accepted_node *record)
{
    struct fk_reader reader;
    *record = (struct fk_accepted_node){.record = {.node = {.path = path}}};
    enum fk_err err = fk_record_open(value, FK_RECORD_FIRST, &reader);
    if (err != FK_OK) {
        return err;
    }
    read_lock(&reader, &record->lock);
    struct fk_bytes node = fk_read_bytes(&reader);
    err = fk_record_close(&reader);
    record->known = node.data != NULL;
    return err == FK_OK && record->known ? fk_node_record_read(node, path, arena, &record->record) : err;
}

void fk_accepted_node_write(struct fk_buf *buf, const struct fk_accepted_node *record)
{
    struct fk_buf node = FK_BUF_EMPTY;
    fk_record_begin(buf);
    write_lock(buf, &record->lock);
    if (record->known) {
        fk_node_record_write(&node, &record->record);
    }
    fk_write_bytes(buf, record->known ? fk_buf_view(&node) : FK_BYTES_NULL);
    buf->failed |= node.failed;
    fk_buf_deinit(&node);
}

static enum fk_err read_step(struct fk_reader *reader, struct fk_arena *arena, struct fk_accepted_step *step)
{
    enum fk_err err = FK_OK;
    step->epoch = fk_read_i64(reader);
    step->number = fk_read_i64(reader);
    step->token = fk_read_i64(reader);
    step->count = fk_record_read_length(reader, PATH_SIZE_MIN);
    step->paths = (struct fk_bytes *)fk_record_items(arena, step->count, sizeof *step->paths, &err);
    for (size_t i = 0; err == FK_OK && i < step->count; i++) {
        step->paths[i] = fk_record_read_some(reader);
    }
    return err;
}

enum fk_err fk_accepted_session_read(struct fk_bytes value, struct fk_arena *arena, struct fk_accepted_session *record)
{
    struct fk_reader reader;
    *record = (struct fk_accepted_session){.epoch = 0};
    enum fk_err err = fk_record_open(value, FK_RECORD_FIRST, &reader);
    if (err != FK_OK) {
        return err;
    }
    read_lock(&reader, &record->lock);
    record->state = (enum fk_accepted_state)fk_record_read_byte(&reader, FK_ACCEPTED_OVER);
    reader.failed |= record->state < FK_ACCEPTED_LIVE;
    record->epoch = fk_read_i64(&reader);
    record->last = fk_read_i64(&reader);
    record->cursor = fk_record_read_some(&reader);
    record->count = fk_record_read_length(&reader, STEP_SIZE_MIN);
    record->steps = (struct fk_accepted_step *)fk_record_items(arena, record->count, sizeof *record->steps, &err);
    for (size_t i = 0; err == FK_OK && i < record->count; i++) {
        err = read_step(&reader, arena, &record->steps[i]);
    }
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_accepted_session_write(struct fk_buf *buf, const struct fk_accepted_session *record)
{
    fk_record_begin(buf);
    write_lock(buf, &record->lock);
    fk_record_write_byte(buf, (uint8_t)record->state);
    fk_write_i64(buf, record->epoch);
    fk_write_i64(buf, record->last);
    fk_write_bytes(
        buf, fk_bytes_of(record->cursor.size == 0 ? (const uint8_t *)"" : record->cursor.data, record->cursor.size));
    fk_record_write_length(buf, record->count);
    for (size_t i = 0; i < record->count; i++) {
        const struct fk_accepted_step *step = &record->steps[i];
        fk_write_i64(buf, step->epoch);
        fk_write_i64(buf, step->number);
        fk_write_i64(buf, step->token);
        fk_record_write_length(buf, step->count);
        for (size_t j = 0; j < step->count; j++) {
            fk_write_bytes(buf, step->paths[j]);
        }
    }
}

const struct fk_accepted_step *fk_accepted_session_step(const struct fk_accepted_session *record, int64_t token)
{
    for (size_t i = 0; i < record->count; i++) {
        if (record->steps[i].token == token) {
            return &record->steps[i];
        }
    }
    return NULL;
}
