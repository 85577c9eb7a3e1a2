// SPDX-License-Identifier: Apache-2.0
/* Jute, the encoding of ZooKeeper's records: big-endian int (4) and long (8), boolean (1), buffer and ustring = int
 * length and bytes (-1 = null), vector = int count (-1 = null) and items. No tags. Source:
 * org.apache.jute.BinaryInputArchive.
 *
 * Reading is a cursor with a sticky error: after the first failure every read gives zero or null, and the caller checks
 * `failed` once at the end. Views point into the frame. Writing goes to an fk_buf, whose failure is sticky too. */
#ifndef FK_WIRE_JUTE_H
#define FK_WIRE_JUTE_H

#include "base/buf.h"
#include "base/bytes.h"

struct fk_reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static inline struct fk_reader fk_reader_of(struct fk_bytes bytes)
{
    return (struct fk_reader){bytes.data, bytes.size, false};
}

/* The next `size` bytes, or NULL and a sticky failure. */
static inline const uint8_t *fk_read_raw(struct fk_reader *reader, size_t size)
{
    if (reader->failed || reader->left < size) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += size;
    reader->left -= size;
    return at;
}

static inline uint32_t fk_load_u32(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return __builtin_bswap32(word);
}

static inline uint64_t fk_load_u64(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return __builtin_bswap64(word);
}

static inline void fk_store_u32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}

static inline void fk_store_u64(uint8_t *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
}

static inline int32_t fk_read_i32(struct fk_reader *reader)
{
    const uint8_t *at = fk_read_raw(reader, 4);
    return at == NULL ? 0 : (int32_t)fk_load_u32(at);
}

static inline int64_t fk_read_i64(struct fk_reader *reader)
{
    const uint8_t *at = fk_read_raw(reader, 8);
    return at == NULL ? 0 : (int64_t)fk_load_u64(at);
}

/* Any byte but 0 is true, as in DataInput.readBoolean. */
static inline bool fk_read_bool(struct fk_reader *reader)
{
    const uint8_t *at = fk_read_raw(reader, 1);
    return at != NULL && *at != 0;
}

/* A buffer or ustring: length -1 gives null; another negative length, or one beyond the frame, fails. */
static inline struct fk_bytes fk_read_bytes(struct fk_reader *reader)
{
    int32_t size = fk_read_i32(reader);
    if (reader->failed || size == -1) {
        return FK_BYTES_NULL;
    }
    if (size < 0) {
        reader->failed = true;
        return FK_BYTES_NULL;
    }
    const uint8_t *at = fk_read_raw(reader, (size_t)size);
    return at == NULL ? FK_BYTES_NULL : fk_bytes_of(at, (size_t)size);
}

/* The count of a vector whose items have at least `item_size` bytes each: -1 (null) or a count that can fit in what is
 * left; anything else fails and gives 0. */
int32_t fk_read_count(struct fk_reader *reader, size_t item_size);

/* A vector of ustrings, checked, as a view of its encoding (count included); read it with fk_reader_of and
 * fk_read_count. A null vector gives a null view. */
struct fk_bytes fk_read_strings(struct fk_reader *reader);

void fk_write_i32(struct fk_buf *buf, int32_t value);
void fk_write_i64(struct fk_buf *buf, int64_t value);
void fk_write_bool(struct fk_buf *buf, bool value);
/* Null views are written as length -1. */
void fk_write_bytes(struct fk_buf *buf, struct fk_bytes bytes);

/* Overwrites 4 bytes written before at `offset` (from the start of the data): lengths that are known late. */
static inline void fk_patch_i32(struct fk_buf *buf, size_t offset, int32_t value)
{
    if (!buf->failed) {
        fk_store_u32(buf->data + offset, (uint32_t)value);
    }
}

#endif
