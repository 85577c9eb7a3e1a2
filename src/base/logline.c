// SPDX-License-Identifier: Apache-2.0
#include "base/logline.h"

#include <stdio.h>

enum {
    RESERVE = 24, /* for what closes a line that is cut: ...","cut":true}\n */
};

/* A line being written. A piece fits whole or not at all, and after one that did not nothing more is taken. */
struct line {
    char *data;
    size_t size;
    bool full;
    bool in_string; /* JSON: a string is open */
};

static void put(struct line *line, const char *text, size_t size)
{
    if (line->full || line->size + size > FK_LOG_LINE_SIZE_MAX - RESERVE) {
        line->full = true;
        return;
    }
    memcpy(line->data + line->size, text, size);
    line->size += size;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Length of the well-formed UTF-8 sequence at the front (RFC 3629), or 0; *code is its character. */
static size_t decode(struct fk_bytes text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text.data[0];
    size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size == 0 || size > text.size) {
        return 0;
    }
    *code = size == 1 ? first : first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text.data[i] & 0xc0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (text.data[i] & 0x3fU);
    }
    bool surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code < least[size] || *code > 0x10ffff || surrogate ? 0 : size;
}

/* Controls of C0 and C1, separators of lines and paragraphs, and what turns the direction of writing. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code <= 0x9f) || (code >= 0x200e && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* Escapes as JSON has them; `quoted`: a quote would end the value. */
static void put_character(struct line *line, const uint8_t *bytes, size_t size, uint32_t code, bool quoted)
{
    char escape[16];
    const char *known = code == '\n' ? "\\n" : code == '\r' ? "\\r" : code == '\t' ? "\\t" : NULL;
    if (known != NULL) {
        put_text(line, known);
    } else if (is_control(code)) {
        int length = snprintf(escape, sizeof escape, "\\u%04x", (unsigned)code);
        put(line, escape, (size_t)length);
    } else if (quoted && (code == '"' || code == '\\')) {
        escape[0] = '\\';
        escape[1] = (char)code;
        put(line, escape, 2);
    } else {
        put(line, (const char *)bytes, size);
    }
}

static void put_escaped(struct line *line, struct fk_bytes text, bool quoted)
{
    text = fk_bytes_head(text, FK_LOG_TEXT_SIZE_MAX);
    while (text.size > 0 && !line->full) {
        uint32_t code = 0;
        size_t size = decode(text, &code);
        if (size == 0) {
            put_text(line, "\xef\xbf\xbd"); /* U+FFFD for a byte that is no UTF-8 */
            size = 1;
        } else {
            put_character(line, text.data, size, code, quoted);
        }
        text = fk_bytes_tail(text, size);
    }
}

static bool needs_quotes(struct fk_bytes text)
{
    bool needs = text.size == 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        needs = needs || byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\';
    }
    return needs;
}

/* `before` is what stands in front of the string: its quote and all. */
static void put_string(struct line *line, const char *before, struct fk_bytes text)
{
    if (line->full) {
        return; /* it may be full inside of an earlier string */
    }
    put_text(line, before);
    line->in_string = !line->full;
    put_escaped(line, text, true);
    put_text(line, "\"");
    line->in_string = line->in_string && line->full;
}

static void put_number(struct line *line, const struct fk_log_field *field)
{
    char text[32];
    int size = field->kind == FK_LOG_ID ? snprintf(text, sizeof text, "0x%llx", (unsigned long long)field->number)
                                        : snprintf(text, sizeof text, "%lld", (long long)field->number);
    put(line, text, (size_t)size);
}

static void put_text_field(struct line *line, const struct fk_log_field *field)
{
    put_text(line, " ");
    put_text(line, field->key);
    put_text(line, "=");
    if (field->kind != FK_LOG_TEXT) {
        put_number(line, field);
    } else if (needs_quotes(field->text)) {
        put_string(line, "\"", field->text);
    } else {
        put_escaped(line, field->text, false);
    }
}

/* Ids are strings: JavaScript's numbers end at 2^53. */
static void put_json_field(struct line *line, const struct fk_log_field *field)
{
    char piece[128];
    if (field->kind == FK_LOG_NUMBER) {
        (void)snprintf(piece, sizeof piece, ",\"%.48s\":%lld", field->key, (long long)field->number);
        put_text(line, piece);
    } else if (field->kind == FK_LOG_ID) {
        (void)snprintf(piece, sizeof piece, ",\"%.48s\":\"0x%llx\"", field->key, (unsigned long long)field->number);
        put_text(line, piece);
    } else {
        (void)snprintf(piece, sizeof piece, ",\"%.48s\":\"", field->key);
        put_string(line, piece, field->text);
    }
}

struct fk_bytes fk_logline_module(const struct fk_log_site *site)
{
    if (site->module != NULL) {
        return fk_bytes_text(site->module);
    }
    const char *below = strstr(site->file, "src/");
    const char *name = below == NULL ? site->file : below + 4;
    const char *end = strchr(name, '/');
    return fk_bytes_of(name, end == NULL ? strlen(name) : (size_t)(end - name));
}

static void write_text(struct line *line, const char *ts, const struct fk_log_record *record)
{
    char level[16];
    if (ts != NULL) {
        put_text(line, ts);
        put_text(line, " ");
    }
    (void)snprintf(level, sizeof level, "%-5s ", fk_log_level_text(record->level));
    put_text(line, level);
    put_escaped(line, fk_logline_module(record->site), false);
    put_text(line, ": ");
    put_escaped(line, fk_bytes_text(record->message), false);
    for (size_t i = 0; i < record->field_count; i++) {
        put_text_field(line, &record->fields[i]);
    }
}

static void write_json(struct line *line, const char *ts, const struct fk_log_record *record)
{
    put_text(line, "{");
    if (ts != NULL) {
        put_text(line, "\"ts\":\"");
        put_text(line, ts);
        put_text(line, "\",");
    }
    put_string(line, "\"level\":\"", fk_bytes_text(fk_log_level_text(record->level)));
    put_string(line, ",\"module\":\"", fk_logline_module(record->site));
    put_string(line, ",\"msg\":\"", fk_bytes_text(record->message));
    for (size_t i = 0; i < record->field_count; i++) {
        put_json_field(line, &record->fields[i]);
    }
}

/* The reserve is for this. */
static void close_line(struct line *line, const char *end)
{
    size_t size = strlen(end);
    memcpy(line->data + line->size, end, size);
    line->size += size;
}

size_t fk_logline_write(char data[FK_LOG_LINE_SIZE_MAX], enum fk_logline_format format, const char *ts,
                        const struct fk_log_record *record)
{
    struct line line = {.data = data};
    if (format == FK_LOGLINE_JSON) {
        write_json(&line, ts, record);
        close_line(&line, !line.full ? "}\n" : line.in_string ? "\",\"cut\":true}\n" : ",\"cut\":true}\n");
    } else {
        write_text(&line, ts, record);
        close_line(&line, line.full ? "...\n" : "\n");
    }
    return line.size;
}
