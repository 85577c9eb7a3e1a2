// SPDX-License-Identifier: Apache-2.0
#include "function/record_codec.h"

enum {
    GROUP_BITS = 7,
    GROUP_MASK = 0x7f,
    GROUP_MORE = 0x80,
};

enum fk_err fk_record_open(struct fk_bytes value, uint8_t newest, struct fk_reader *reader)
{
    *reader = fk_reader_of(value);
    const uint8_t *format = fk_read_raw(reader, 1);
    if (format == NULL || *format == 0) {
        return FK_ERR_DAMAGED;
    }
    return *format > newest ? FK_ERR_VERSION : FK_OK;
}

enum fk_err fk_record_close(const struct fk_reader *reader)
{
    return reader->failed || reader->left > 0 ? FK_ERR_DAMAGED : FK_OK;
}

void fk_record_begin(struct fk_buf *buf)
{
    fk_record_write_byte(buf, FK_RECORD_FIRST);
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

uint64_t fk_record_read_number(struct fk_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += GROUP_BITS) {
        const uint8_t *at = fk_read_raw(reader, 1);
        uint64_t group = at == NULL ? 0 : *at & GROUP_MASK;
        if (at == NULL || group << shift >> shift != group) {
            reader->failed = true;
            return 0;
        }
        value |= group << shift;
        if ((*at & GROUP_MORE) == 0) {
            return value;
        }
    }
    reader->failed = true;
    return 0;
}

void fk_record_write_number(struct fk_buf *buf, uint64_t value)
{
    while (value > GROUP_MASK) {
        fk_record_write_byte(buf, (uint8_t)(value & GROUP_MASK) | GROUP_MORE);
        value >>= GROUP_BITS;
    }
    fk_record_write_byte(buf, (uint8_t)value);
}

int64_t fk_record_read_near(struct fk_reader *reader, int64_t base)
{
    uint64_t folded = fk_record_read_number(reader);
    uint64_t difference = (folded >> 1) ^ (0 - (folded & 1));
    return reader->failed ? 0 : (int64_t)((uint64_t)base + difference);
}

void fk_record_write_near(struct fk_buf *buf, int64_t value, int64_t base)
{
    uint64_t difference = (uint64_t)value - (uint64_t)base;
    fk_record_write_number(buf, difference << 1 ^ (0 - (difference >> 63)));
}

int32_t fk_record_read_small(struct fk_reader *reader)
{
    int64_t value = fk_record_read_near(reader, 0);
    reader->failed |= value < INT32_MIN || value > INT32_MAX;
    return reader->failed ? 0 : (int32_t)value;
}

size_t fk_record_read_number_length(struct fk_reader *reader, size_t item_size)
{
    uint64_t count = fk_record_read_number(reader);
    reader->failed |= count > reader->left / item_size;
    return reader->failed ? 0 : (size_t)count;
}

/* The length is one more than it is, and 0 for null. */
struct fk_bytes fk_record_read_blob(struct fk_reader *reader)
{
    uint64_t size = fk_record_read_number(reader);
    if (size == 0) {
        return FK_BYTES_NULL;
    }
    const uint8_t *at = size - 1 > reader->left ? NULL : fk_read_raw(reader, (size_t)size - 1);
    reader->failed |= at == NULL;
    return reader->failed ? FK_BYTES_NULL : fk_bytes_of(at, (size_t)size - 1);
}

struct fk_bytes fk_record_read_some_blob(struct fk_reader *reader)
{
    struct fk_bytes bytes = fk_record_read_blob(reader);
    reader->failed |= bytes.data == NULL;
    return bytes;
}

void fk_record_write_blob(struct fk_buf *buf, struct fk_bytes bytes)
{
    fk_record_write_number(buf, bytes.data == NULL ? 0 : (uint64_t)bytes.size + 1);
    if (bytes.data != NULL) {
        fk_buf_append(buf, bytes);
    }
}

void fk_record_read_session(struct fk_reader *reader, struct fk_session_record *record)
{
    record->session.id = fk_read_i64(reader);
    record->session.timeout_ms = fk_read_i32(reader);
    const uint8_t *password = fk_read_raw(reader, sizeof record->session.password);
    if (password != NULL) {
        memcpy(record->session.password, password, sizeof record->session.password);
    }
    record->state = (enum fk_session_state)fk_record_read_byte(reader, FK_SESSION_CLOSING);
    reader->failed |= record->state < FK_SESSION_LIVE;
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
