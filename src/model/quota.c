// SPDX-License-Identifier: Apache-2.0
#include "model/quota.h"

#include <inttypes.h>

/* Long.parseLong. */
static bool parse_number(struct fk_bytes text, int64_t *number)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    size_t at = text.size > 0 && (negative || text.data[0] == '+') ? 1 : 0;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;
    if (at == text.size) {
        return false;
    }
    for (; at < text.size; at++) {
        uint8_t digit = (uint8_t)(text.data[at] - '0');
        if (digit > 9 || value > (limit - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = (int64_t)(negative ? 0 - value : value);
    return true;
}

static bool is_separator(uint8_t character)
{
    return character == ',' || character == ';';
}

static struct fk_bytes trim_end(struct fk_bytes text, bool (*drop)(uint8_t))
{
    while (text.size > 0 && drop(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

static bool is_equals(uint8_t character)
{
    return character == '=';
}

/* ZK: String.split("=") drops empty parts at the end, and the second part is the value; an empty one is -1. */
static bool parse_pair(struct fk_bytes pair, struct fk_quota_text *quota)
{
    pair = trim_end(pair, is_equals);
    const uint8_t *equals = pair.size == 0 ? NULL : (const uint8_t *)memchr(pair.data, '=', pair.size);
    if (equals == NULL) {
        return false;
    }
    struct fk_bytes key = fk_bytes_head(pair, (size_t)(equals - pair.data));
    struct fk_bytes value = fk_bytes_tail(pair, key.size + 1);
    const uint8_t *end = (const uint8_t *)memchr(value.data, '=', value.size);
    int64_t number = -1;
    value = end == NULL ? value : fk_bytes_head(value, (size_t)(end - value.data));
    if (value.size > 0 && !parse_number(value, &number)) {
        return false;
    }
    if (fk_bytes_equal_text(key, "count")) {
        quota->count = number;
    } else if (fk_bytes_equal_text(key, "bytes")) {
        quota->bytes = number;
    } else if (fk_bytes_equal_text(key, "countHardLimit")) {
        quota->count_hard = number;
    } else if (fk_bytes_equal_text(key, "byteHardLimit")) {
        quota->bytes_hard = number;
    }
    return true;
}

bool fk_quota_parse(struct fk_bytes text, struct fk_quota_text *quota)
{
    *quota = (struct fk_quota_text){-1, -1, -1, -1};
    if (text.data == NULL) {
        return false; /* ZK: a NullPointerException */
    }
    text = trim_end(text, is_separator);
    while (text.size > 0) {
        size_t size = 0;
        while (size < text.size && !is_separator(text.data[size])) {
            size++;
        }
        if (!parse_pair(fk_bytes_head(text, size), quota)) {
            return false;
        }
        while (size < text.size && is_separator(text.data[size])) {
            size++;
        }
        text = fk_bytes_tail(text, size);
    }
    return true;
}

void fk_quota_write_stats(struct fk_buf *buf, const struct fk_extent *extent)
{
    fk_buf_print(buf, "count=%" PRId64 ",bytes=%" PRId64, extent->count, extent->bytes);
}

/* "/zookeeper/quota" <target> <name> */
static bool inside(struct fk_bytes path, const char *name, struct fk_bytes *target)
{
    const size_t root = sizeof FK_QUOTA_ROOT - 1;
    const size_t tail = strlen(name);
    if (path.size < root + tail || memcmp(path.data + path.size - tail, name, tail) != 0 ||
        memcmp(path.data, FK_QUOTA_ROOT, root) != 0 || path.data[root] != '/') {
        return false;
    }
    *target = fk_bytes_of(path.data + root, path.size - root - tail);
    return true;
}

bool fk_quota_of_limits(struct fk_bytes path, struct fk_bytes *target)
{
    return inside(path, FK_QUOTA_LIMITS, target);
}

bool fk_quota_of_stats(struct fk_bytes path, struct fk_bytes *target)
{
    return inside(path, FK_QUOTA_STATS, target);
}
