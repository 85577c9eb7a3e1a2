// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include "base/alloc.h"
#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    FIRST_CAPACITY = 256,
};

void fk_buf_deinit(struct fk_buf *buf)
{
    fk_free(buf->data);
    *buf = FK_BUF_EMPTY;
}

static bool grow(struct fk_buf *buf, size_t needed)
{
    size_t capacity = buf->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buf->capacity;
    while (capacity < needed) {
        if (capacity > SIZE_MAX / 2) {
            return false;
        }
        capacity *= 2;
    }
    uint8_t *data = (uint8_t *)fk_realloc(buf->data, capacity);
    if (data == NULL) {
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

/* Moves what is left to the front, so that the space of consumed bytes is used again. */
static void compact(struct fk_buf *buf)
{
    if (buf->start == 0) {
        return;
    }
    buf->size -= buf->start;
    if (buf->size > 0) {
        memmove(buf->data, buf->data + buf->start, buf->size);
    }
    buf->start = 0;
}

uint8_t *fk_buf_reserve(struct fk_buf *buf, size_t size)
{
    if (buf->failed) {
        return NULL;
    }
    if (buf->capacity - buf->size >= size && buf->data != NULL) {
        return buf->data + buf->size;
    }
    if (buf->start >= buf->size - buf->start) { /* otherwise moving costs more than it frees */
        compact(buf);
    }
    bool fits = buf->capacity - buf->size >= size && buf->data != NULL;
    if (!fits && (size > SIZE_MAX - buf->size || !grow(buf, buf->size + size))) {
        buf->failed = true;
        return NULL;
    }
    return buf->data + buf->size;
}

void fk_buf_append(struct fk_buf *buf, struct fk_bytes bytes)
{
    uint8_t *room = fk_buf_reserve(buf, bytes.size);
    if (room == NULL || bytes.size == 0) {
        return;
    }
    memcpy(room, bytes.data, bytes.size);
    buf->size += bytes.size;
}

void fk_buf_print(struct fk_buf *buf, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    FK_ASSERT(size >= 0);
    if ((size_t)size < sizeof text) {
        fk_buf_append(buf, fk_bytes_of(text, (size_t)size));
        return;
    }
    uint8_t *room = fk_buf_reserve(buf, (size_t)size + 1);
    if (room == NULL) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf((char *)room, (size_t)size + 1, format, args);
    va_end(args);
    buf->size += (size_t)size;
}

void fk_buf_consume(struct fk_buf *buf, size_t size)
{
    FK_ASSERT(size <= fk_buf_left(buf));
    buf->start += size;
    if (buf->start == buf->size) {
        buf->start = 0;
        buf->size = 0;
    }
}

void fk_buf_clear(struct fk_buf *buf)
{
    buf->start = 0;
    buf->size = 0;
    buf->failed = false;
}

void fk_buf_trim(struct fk_buf *buf, size_t keep)
{
    if (fk_buf_left(buf) == 0 && buf->capacity > keep && !buf->failed) {
        fk_buf_deinit(buf);
    }
}
