// SPDX-License-Identifier: Apache-2.0
/* The one growable byte buffer: bytes are appended at the end and consumed from the front. A failed allocation is
 * sticky: `failed` stays set, later appends do nothing, and the owner checks once when it is done. */
#ifndef FK_BASE_BUF_H
#define FK_BASE_BUF_H

#include "base/bytes.h"
#include "base/err.h"

struct fk_buf {
    uint8_t *data;
    size_t size;     /* bytes appended, consumed ones included */
    size_t capacity; /* bytes allocated */
    size_t start;    /* bytes consumed */
    bool failed;
};

#define FK_BUF_EMPTY ((struct fk_buf){NULL, 0, 0, 0, false})

/* Frees the memory and leaves an empty buffer, ready for use. */
void fk_buf_deinit(struct fk_buf *buf);

/* Room for `size` more bytes at data + size; NULL (and sticky failure) without memory. Does not change the size. */
uint8_t *fk_buf_reserve(struct fk_buf *buf, size_t size);

/* Appends; does nothing after a failure. */
void fk_buf_append(struct fk_buf *buf, struct fk_bytes bytes);

/* Appends printf-like text. */
void fk_buf_print(struct fk_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes not yet consumed; valid until the next append. */
static inline struct fk_bytes fk_buf_view(const struct fk_buf *buf)
{
    /* Not even 0 may be added to a null pointer. */
    return fk_bytes_of(buf->data == NULL ? NULL : buf->data + buf->start, buf->size - buf->start);
}

static inline size_t fk_buf_left(const struct fk_buf *buf)
{
    return buf->size - buf->start;
}

/* Marks the first `size` unconsumed bytes as consumed. */
void fk_buf_consume(struct fk_buf *buf, size_t size);

/* Forgets the contents, keeps the memory; clears a failure. */
void fk_buf_clear(struct fk_buf *buf);

/* Frees the memory where the buffer is empty and holds more than `keep` bytes: for idle connections. */
void fk_buf_trim(struct fk_buf *buf, size_t keep);

#endif
