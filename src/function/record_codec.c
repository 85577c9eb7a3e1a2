// SPDX-License-Identifier: Apache-2.0
#include "function/record_codec.h"

enum {
    RECORD_FORMAT = 1,
};

enum fk_err fk_record_open(struct fk_bytes value, struct fk_reader *reader)
{
    *reader = fk_reader_of(value);
    const uint8_t *format = fk_read_raw(reader, 1);
    if (format == NULL || *format == 0) {
        return FK_ERR_DAMAGED;
    }
    return *format > RECORD_FORMAT ? FK_ERR_VERSION : FK_OK;
}

enum fk_err fk_record_close(const struct fk_reader *reader)
{
    return reader->failed || reader->left > 0 ? FK_ERR_DAMAGED : FK_OK;
}

void fk_record_begin(struct fk_buf *buf)
{
    fk_record_write_byte(buf, RECORD_FORMAT);
}

size_t fk_record_read_length(struct fk_reader *reader, size_t item_size)
{
    int32_t count = fk_read_count(reader, item_size);
    if (count < 0) {
        reader->failed = true;
        return 0;
    }
    return (size_t)count;
}

void fk_record_write_length(struct fk_buf *buf, size_t count)
{
    fk_write_i32(buf, (int32_t)count);
}

uint8_t fk_record_read_byte(struct fk_reader *reader, uint8_t max)
{
    const uint8_t *at = fk_read_raw(reader, 1);
    if (at == NULL || *at > max) {
        reader->failed = true;
        return 0;
    }
    return *at;
}

void fk_record_write_byte(struct fk_buf *buf, uint8_t value)
{
    fk_buf_append(buf, fk_bytes_of(&value, 1));
}

struct fk_bytes fk_record_read_some(struct fk_reader *reader)
{
    struct fk_bytes bytes = fk_read_bytes(reader);
    if (bytes.data == NULL) {
        reader->failed = true;
    }
    return bytes;
}

void *fk_record_items(struct fk_arena *arena, size_t count, size_t item_size, enum fk_err *err)
{
    if (count == 0) {
        return NULL;
    }
    void *items = fk_arena_alloc(arena, count * item_size);
    if (items == NULL) {
        *err = FK_ERR_NOMEM;
    }
    return items;
}
