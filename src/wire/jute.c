// SPDX-License-Identifier: Apache-2.0
#include "wire/jute.h"

int32_t fk_read_count(struct fk_reader *reader, size_t item_size)
{
    int32_t count = fk_read_i32(reader);
    if (count < -1 || (count > 0 && (size_t)count > reader->left / item_size)) {
        reader->failed = true;
    }
    return reader->failed ? 0 : count;
}

struct fk_bytes fk_read_strings(struct fk_reader *reader)
{
    const uint8_t *start = reader->at;
    size_t before = reader->left;
    int32_t count = fk_read_count(reader, 4);
    for (int32_t i = 0; i < count && !reader->failed; i++) {
        (void)fk_read_bytes(reader);
    }
    if (reader->failed || count < 0) {
        return FK_BYTES_NULL;
    }
    return fk_bytes_of(start, before - reader->left);
}

void fk_write_i32(struct fk_buf *buf, int32_t value)
{
    uint8_t *room = fk_buf_reserve(buf, 4);
    if (room != NULL) {
        fk_store_u32(room, (uint32_t)value);
        buf->size += 4;
    }
}

void fk_write_i64(struct fk_buf *buf, int64_t value)
{
    uint8_t *room = fk_buf_reserve(buf, 8);
    if (room != NULL) {
        fk_store_u64(room, (uint64_t)value);
        buf->size += 8;
    }
}

void fk_write_bool(struct fk_buf *buf, bool value)
{
    uint8_t byte = value ? 1 : 0;
    fk_buf_append(buf, fk_bytes_of(&byte, 1));
}

void fk_write_bytes(struct fk_buf *buf, struct fk_bytes bytes)
{
    uint8_t *room = fk_buf_reserve(buf, 4 + bytes.size);
    if (room == NULL) {
        return;
    }
    fk_store_u32(room, bytes.data == NULL ? UINT32_MAX : (uint32_t)bytes.size);
    if (bytes.size > 0) {
        memcpy(room + 4, bytes.data, bytes.size);
    }
    buf->size += 4 + bytes.size;
}
