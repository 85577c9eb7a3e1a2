// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

enum {
    DEPTH_MAX = 64, /* containers in a value that is skipped: what services send has 6 */
};

struct fk_json fk_json_of(struct fk_bytes text)
{
    static const uint8_t nothing[1];
    const uint8_t *at = text.data == NULL ? nothing : text.data;
    return (struct fk_json){.at = at, .end = at + text.size};
}

static void fail(struct fk_json *json)
{
    json->failed = true;
    json->at = json->end;
}

/* The next byte that is no blank, without taking it; 0 at the end. */
static uint8_t look(struct fk_json *json)
{
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\t' || *json->at == '\r')) {
        json->at++;
    }
    return json->at < json->end ? *json->at : 0;
}

static bool take(struct fk_json *json, uint8_t byte)
{
    if (look(json) != byte) {
        fail(json);
        return false;
    }
    json->at++;
    return true;
}

enum fk_json_kind fk_json_peek(struct fk_json *json)
{
    switch (look(json)) {
    case '{':
        return FK_JSON_OBJECT;
    case '[':
        return FK_JSON_ARRAY;
    case '"':
        return FK_JSON_STRING;
    case 't':
        return FK_JSON_TRUE;
    case 'f':
        return FK_JSON_FALSE;
    case 'n':
        return FK_JSON_NULL;
    case 0:
        return FK_JSON_END;
    default:
        return FK_JSON_NUMBER;
    }
}

void fk_json_enter_object(struct fk_json *json)
{
    json->first = take(json, '{');
}

void fk_json_enter_array(struct fk_json *json)
{
    json->first = take(json, '[');
}

/* Behind a value of a container, or at its begin; false behind its end. */
static bool go_on(struct fk_json *json, uint8_t close)
{
    bool first = json->first;
    json->first = false;
    if (look(json) == close) {
        json->at++;
        return false;
    }
    if (!first) {
        (void)take(json, ',');
    }
    return !json->failed;
}

bool fk_json_next_member(struct fk_json *json, struct fk_bytes *name)
{
    if (!go_on(json, '}')) {
        return false;
    }
    *name = fk_json_raw_string(json);
    (void)take(json, ':');
    return !json->failed;
}

bool fk_json_next_item(struct fk_json *json)
{
    if (!go_on(json, ']')) {
        return false;
    }
    if (look(json) == 0) {
        fail(json);
    }
    return !json->failed;
}

struct fk_bytes fk_json_raw_string(struct fk_json *json)
{
    json->first = false;
    if (!take(json, '"')) {
        return FK_BYTES_NULL;
    }
    const uint8_t *start = json->at;
    for (;;) {
        const uint8_t *quote = (const uint8_t *)memchr(json->at, '"', (size_t)(json->end - json->at));
        const uint8_t *back = NULL;
        if (quote != NULL) {
            back = (const uint8_t *)memchr(json->at, '\\', (size_t)(quote - json->at));
        }
        if (quote == NULL || (back != NULL && json->end - back < 2)) {
            fail(json);
            return FK_BYTES_NULL;
        }
        if (back == NULL) {
            json->at = quote + 1;
            return fk_bytes_of(start, (size_t)(quote - start));
        }
        json->at = back + 2; /* whatever is escaped is no end */
    }
}

/* --- escapes --- */

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The four digits behind "\u"; -1 where they are none. */
static int32_t read_unit(const uint8_t *in, const uint8_t *end)
{
    int32_t unit = 0;
    if (end - in < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(in[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static uint8_t *write_utf8(uint8_t *out, uint32_t point)
{
    if (point < 0x80) {
        *out++ = (uint8_t)point;
    } else if (point < 0x800) {
        *out++ = (uint8_t)(0xc0 | point >> 6);
        *out++ = (uint8_t)(0x80 | (point & 63));
    } else if (point < 0x10000) {
        *out++ = (uint8_t)(0xe0 | point >> 12);
        *out++ = (uint8_t)(0x80 | (point >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (point & 63));
    } else {
        *out++ = (uint8_t)(0xf0 | point >> 18);
        *out++ = (uint8_t)(0x80 | (point >> 12 & 63));
        *out++ = (uint8_t)(0x80 | (point >> 6 & 63));
        *out++ = (uint8_t)(0x80 | (point & 63));
    }
    return out;
}

/* Behind "\u": takes one escape, or two of a pair. False where it is none. The result is never longer than what it was
 * written as. */
static bool unescape_unit(const uint8_t **in, const uint8_t *end, uint8_t **out)
{
    int32_t unit = read_unit(*in, end);
    if (unit < 0) {
        return false;
    }
    *in += 4;
    uint32_t point = (uint32_t)unit;
    if (unit >= 0xd800 && unit < 0xe000) {
        bool pair = unit < 0xdc00 && end - *in >= 6 && (*in)[0] == '\\' && (*in)[1] == 'u';
        int32_t second = pair ? read_unit(*in + 2, end) : -1;
        if (second >= 0xdc00 && second < 0xe000) {
            *in += 6;
            point = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)second - 0xdc00);
        } else {
            point = 0xfffd;
        }
    }
    *out = write_utf8(*out, point);
    return true;
}

static bool unescape(struct fk_bytes raw, uint8_t *out, size_t *size)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const uint8_t *in = raw.data;
    const uint8_t *end = raw.data + raw.size;
    uint8_t *start = out;
    while (in < end) {
        if (*in != '\\') {
            *out++ = *in++;
            continue;
        }
        uint8_t letter = in[1]; /* there is one: see fk_json_raw_string */
        const char *found = letter == 0 ? NULL : strchr(from, letter);
        in += 2;
        if (found != NULL) {
            *out++ = (uint8_t)to[found - from];
        } else if (letter != 'u' || !unescape_unit(&in, end, &out)) {
            return false;
        }
    }
    *size = (size_t)(out - start);
    return true;
}

struct fk_bytes fk_json_string(struct fk_json *json, struct fk_arena *arena)
{
    struct fk_bytes raw = fk_json_raw_string(json);
    if (raw.data == NULL || raw.size == 0 || memchr(raw.data, '\\', raw.size) == NULL) {
        return raw;
    }
    size_t size = 0;
    uint8_t *out = (uint8_t *)fk_arena_alloc(arena, raw.size);
    if (out == NULL || !unescape(raw, out, &size)) {
        fail(json);
        return FK_BYTES_NULL;
    }
    return fk_bytes_of(out, size);
}

/* --- other values --- */

/* What numbers, true, false and null are made of. */
static bool is_word(uint8_t byte)
{
    uint8_t lower = byte | 0x20;
    return (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'z') || byte == '+' || byte == '-' || byte == '.';
}

static struct fk_bytes read_word(struct fk_json *json)
{
    (void)look(json);
    json->first = false;
    const uint8_t *start = json->at;
    while (json->at < json->end && is_word(*json->at)) {
        json->at++;
    }
    return fk_bytes_of(start, (size_t)(json->at - start));
}

int64_t fk_json_integer(struct fk_json *json)
{
    struct fk_bytes word = read_word(json);
    bool negative = word.size > 0 && word.data[0] == '-';
    struct fk_bytes digits = fk_bytes_tail(word, negative ? 1 : 0);
    int64_t value = 0;
    bool ok = digits.size > 0;
    for (size_t i = 0; ok && i < digits.size; i++) {
        int digit = digits.data[i] - '0';
        ok = digit >= 0 && digit <= 9 && !__builtin_mul_overflow(value, 10, &value) &&
             !__builtin_add_overflow(value, negative ? -digit : digit, &value);
    }
    if (!ok) {
        fail(json);
        return 0;
    }
    return value;
}

bool fk_json_boolean(struct fk_json *json)
{
    struct fk_bytes word = read_word(json);
    bool is_true = fk_bytes_equal_text(word, "true");
    if (!is_true && !fk_bytes_equal_text(word, "false")) {
        fail(json);
    }
    return is_true;
}

/* What stands between values while a container is skipped. */
static bool skip_mark(struct fk_json *json, uint8_t *closes, size_t *depth)
{
    uint8_t byte = look(json);
    if (byte == '{' || byte == '[') {
        if (*depth == DEPTH_MAX) {
            return false;
        }
        closes[(*depth)++] = byte == '{' ? '}' : ']';
    } else if (byte == '}' || byte == ']') {
        if (*depth == 0 || closes[*depth - 1] != byte) {
            return false;
        }
        (*depth)--;
    } else if ((byte != ',' && byte != ':') || *depth == 0) {
        return false;
    }
    json->at++;
    return true;
}

void fk_json_skip(struct fk_json *json)
{
    uint8_t closes[DEPTH_MAX];
    size_t depth = 0;
    do {
        if (look(json) == '"') {
            (void)fk_json_raw_string(json);
        } else if (read_word(json).size == 0 && !skip_mark(json, closes, &depth)) {
            fail(json);
        }
    } while (depth > 0 && !json->failed);
    json->first = false;
}

struct fk_bytes fk_json_value(struct fk_json *json)
{
    (void)look(json);
    const uint8_t *start = json->at;
    fk_json_skip(json);
    return json->failed ? FK_BYTES_NULL : fk_bytes_of(start, (size_t)(json->at - start));
}

bool fk_json_done(struct fk_json *json)
{
    return look(json) == 0 && json->at == json->end && !json->failed;
}

struct fk_bytes fk_json_member(struct fk_bytes object, const char *name)
{
    struct fk_json json = fk_json_of(object);
    struct fk_bytes found = FK_BYTES_NULL;
    struct fk_bytes member;
    fk_json_enter_object(&json);
    while (fk_json_next_member(&json, &member)) {
        struct fk_bytes value = fk_json_value(&json);
        if (found.data == NULL && fk_bytes_equal_text(member, name)) {
            found = value;
        }
    }
    return json.failed ? FK_BYTES_NULL : found;
}

void fk_json_append_string(struct fk_buf *buf, struct fk_bytes bytes)
{
    size_t done = 0;
    fk_buf_append(buf, FK_BYTES_LITERAL("\""));
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = bytes.data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        fk_buf_append(buf, fk_bytes_of(bytes.data + done, i - done));
        if (byte < 0x20) {
            fk_buf_print(buf, "\\u%04x", byte);
        } else {
            fk_buf_print(buf, "\\%c", byte);
        }
        done = i + 1;
    }
    fk_buf_append(buf, fk_bytes_tail(bytes, done));
    fk_buf_append(buf, FK_BYTES_LITERAL("\""));
}
