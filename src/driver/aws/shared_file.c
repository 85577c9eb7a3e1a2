// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/shared_file.h"

#include <strings.h>

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct fk_bytes trim(struct fk_bytes text)
{
    while (text.size > 0 && is_blank(text.data[0])) {
        text = fk_bytes_tail(text, 1);
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

static bool equal_key(struct fk_bytes text, const char *key)
{
    return text.size == strlen(key) && (text.size == 0 || strncasecmp((const char *)text.data, key, text.size) == 0);
}

static struct fk_bytes take_line(struct fk_bytes *text)
{
    const uint8_t *end = (const uint8_t *)memchr(text->data, '\n', text->size);
    struct fk_bytes line = end == NULL ? *text : fk_bytes_head(*text, (size_t)(end - text->data));
    *text = fk_bytes_tail(*text, line.size + 1);
    return line;
}

/* A comment begins with '#' or ';', at the begin of a line or behind a blank. */
static struct fk_bytes without_comment(struct fk_bytes line)
{
    for (size_t i = 0; i < line.size; i++) {
        if ((line.data[i] == '#' || line.data[i] == ';') && (i == 0 || is_blank(line.data[i - 1]))) {
            return fk_bytes_head(line, i);
        }
    }
    return line;
}

/* Whether "[kind name]", "[kind "name"]", or what else stands for this section. */
static bool is_section(struct fk_bytes line, const char *kind, const char *name)
{
    const uint8_t *end = (const uint8_t *)memchr(line.data, ']', line.size);
    if (end == NULL) {
        return false;
    }
    struct fk_bytes inner = trim(fk_bytes_of(line.data + 1, (size_t)(end - line.data) - 1));
    size_t size = strlen(kind);
    if (size > 0 && fk_bytes_equal_text(inner, "default")) {
        return strcmp(name, "default") == 0 && strcmp(kind, "profile") == 0;
    }
    if (size > 0) {
        if (inner.size <= size || memcmp(inner.data, kind, size) != 0 || !is_blank(inner.data[size])) {
            return false;
        }
        inner = trim(fk_bytes_tail(inner, size));
    }
    if (inner.size >= 2 && (inner.data[0] == '"' || inner.data[0] == '\'') &&
        inner.data[inner.size - 1] == inner.data[0]) {
        inner = fk_bytes_of(inner.data + 1, inner.size - 2);
    }
    return fk_bytes_equal_text(inner, name);
}

/* Splits "key = value"; false where there is no '='. */
static bool split(struct fk_bytes line, struct fk_bytes *key, struct fk_bytes *value)
{
    const uint8_t *equals = line.size == 0 ? NULL : (const uint8_t *)memchr(line.data, '=', line.size);
    if (equals == NULL) {
        return false;
    }
    size_t size = (size_t)(equals - line.data);
    *key = trim(fk_bytes_head(line, size));
    *value = trim(fk_bytes_tail(line, size + 1));
    return true;
}

struct fk_bytes fk_shared_file_get(struct fk_bytes text, const char *kind, const char *name, const char *outer,
                                   const char *key)
{
    struct fk_bytes found = FK_BYTES_NULL;
    bool in_section = false;
    bool in_outer = false;
    while (text.size > 0) {
        struct fk_bytes line = without_comment(take_line(&text));
        bool is_indented = line.size > 0 && is_blank(line.data[0]);
        struct fk_bytes name_of;
        struct fk_bytes value;
        if (trim(line).size == 0) {
            continue;
        }
        if (line.data[0] == '[') {
            in_section = is_section(line, kind, name);
            in_outer = false;
        } else if (in_section && split(line, &name_of, &value)) {
            bool is_here = is_indented ? in_outer : outer[0] == '\0';
            if (is_here && equal_key(name_of, key) && value.size > 0) {
                found = value;
            }
            in_outer = is_indented ? in_outer : outer[0] != '\0' && equal_key(name_of, outer) && value.size == 0;
        }
    }
    return found;
}

bool fk_shared_file_has_section(struct fk_bytes text, const char *kind, const char *name)
{
    while (text.size > 0) {
        struct fk_bytes line = without_comment(take_line(&text));
        if (line.size > 0 && line.data[0] == '[' && is_section(line, kind, name)) {
            return true;
        }
    }
    return false;
}
