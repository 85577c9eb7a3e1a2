// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/s3_internal.h"

static const char digits[] = "0123456789ABCDEF";

/* --- names --- */

static bool is_low(uint8_t byte)
{
    return byte < '-';
}

static bool is_high(uint8_t byte)
{
    return byte > 'z';
}

void fk_s3_append_name(struct fk_buf *buf, struct fk_bytes name)
{
    uint8_t *out = fk_buf_reserve(buf, 3 * name.size);
    for (size_t i = 0; out != NULL && i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (!is_low(byte) && !is_high(byte)) {
            buf->data[buf->size++] = byte;
            continue;
        }
        buf->data[buf->size++] = is_low(byte) ? '!' : '~';
        buf->data[buf->size++] = (uint8_t)digits[byte >> 4];
        buf->data[buf->size++] = (uint8_t)digits[byte & 15];
    }
}

static int digit_of(uint8_t byte, bool any_case)
{
    const char *at = byte == 0 ? NULL : strchr(digits, any_case && byte >= 'a' && byte <= 'f' ? byte - 32 : byte);
    return at == NULL ? -1 : (int)(at - digits);
}

/* The byte that two digits stand for; -1 where they are none, or the text ends. */
static int byte_of(struct fk_bytes text, size_t at, bool any_case)
{
    if (text.size - at < 2) {
        return -1;
    }
    int high = digit_of(text.data[at], any_case);
    int low = digit_of(text.data[at + 1], any_case);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

struct fk_bytes fk_s3_read_name(struct fk_bytes key, struct fk_arena *arena)
{
    uint8_t *out = (uint8_t *)fk_arena_alloc(arena, key.size + 1);
    size_t size = 0;
    for (size_t i = 0; out != NULL && i < key.size; i++) {
        uint8_t byte = key.data[i];
        if (byte == '!' || byte == '~') {
            int value = byte_of(key, i + 1, false);
            if (value < 0 || !(byte == '!' ? is_low((uint8_t)value) : is_high((uint8_t)value))) {
                return FK_BYTES_NULL;
            }
            out[size++] = (uint8_t)value;
            i += 2;
        } else if (is_low(byte) || is_high(byte)) {
            return FK_BYTES_NULL;
        } else {
            out[size++] = byte;
        }
    }
    return out == NULL ? FK_BYTES_NULL : fk_bytes_of(out, size);
}

/* --- URLs --- */

static bool is_unreserved(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void fk_s3_append_encoded(struct fk_buf *buf, struct fk_bytes text, bool path)
{
    uint8_t *out = fk_buf_reserve(buf, 3 * text.size);
    for (size_t i = 0; out != NULL && i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (is_unreserved(byte) || (path && byte == '/')) {
            buf->data[buf->size++] = byte;
            continue;
        }
        buf->data[buf->size++] = '%';
        buf->data[buf->size++] = (uint8_t)digits[byte >> 4];
        buf->data[buf->size++] = (uint8_t)digits[byte & 15];
    }
}

/* Percent-decoded, in the arena; null where it does not parse, or memory is short. S3 writes a blank as '+'. */
static struct fk_bytes decode_url(struct fk_bytes text, struct fk_arena *arena)
{
    uint8_t *out = (uint8_t *)fk_arena_alloc(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; out != NULL && i < text.size; i++) {
        int byte = text.data[i] == '+' ? ' ' : text.data[i];
        if (byte == '%') {
            byte = byte_of(text, i + 1, true);
            i += 2;
        }
        if (byte < 0) {
            return FK_BYTES_NULL;
        }
        out[size++] = (uint8_t)byte;
    }
    return out == NULL ? FK_BYTES_NULL : fk_bytes_of(out, size);
}

/* --- listings: keys are url-encoded, so that a tag is never part of one --- */

/* What stands between the next `open` and the `close` behind it; null where there is none. *rest goes on behind it. */
static struct fk_bytes between(struct fk_bytes *rest, const char *open, const char *close)
{
    size_t open_size = strlen(open);
    size_t close_size = strlen(close);
    const uint8_t *start = rest->size == 0 ? NULL : (const uint8_t *)memmem(rest->data, rest->size, open, open_size);
    if (start == NULL) {
        return FK_BYTES_NULL;
    }
    struct fk_bytes inner = fk_bytes_tail(*rest, (size_t)(start - rest->data) + open_size);
    const uint8_t *end = inner.size == 0 ? NULL : (const uint8_t *)memmem(inner.data, inner.size, close, close_size);
    if (end == NULL) {
        return FK_BYTES_NULL;
    }
    size_t size = (size_t)(end - inner.data);
    *rest = fk_bytes_tail(inner, size + close_size);
    return fk_bytes_head(inner, size);
}

enum fk_err fk_s3_read_listing(struct fk_bytes body, size_t max, struct fk_arena *arena, struct fk_s3_listing *listing)
{
    struct fk_bytes rest = body;
    struct fk_bytes truncated = between(&rest, "<IsTruncated>", "</IsTruncated>");
    if (truncated.data == NULL || memmem(body.data, body.size, "</ListBucketResult>", 19) == NULL) {
        return FK_ERR_MALFORMED;
    }
    *listing = (struct fk_s3_listing){.truncated = fk_bytes_equal_text(truncated, "true")};
    listing->keys = (struct fk_bytes *)fk_arena_alloc(arena, (max + 1) * sizeof *listing->keys);
    if (listing->keys == NULL) {
        return FK_ERR_NOMEM;
    }
    rest = body;
    while (listing->count < max) {
        struct fk_bytes contents = between(&rest, "<Contents>", "</Contents>");
        if (contents.data == NULL) {
            break;
        }
        struct fk_bytes key = between(&contents, "<Key>", "</Key>");
        struct fk_bytes decoded = key.data == NULL ? FK_BYTES_NULL : decode_url(key, arena);
        if (decoded.data == NULL) {
            return FK_ERR_MALFORMED;
        }
        listing->keys[listing->count++] = decoded;
    }
    return FK_OK;
}
