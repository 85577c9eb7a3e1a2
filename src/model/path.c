// SPDX-License-Identifier: Apache-2.0
#include "model/path.h"

/* Decodes one UTF-8 character of at most three bytes (the basic plane) at `at`; gives its length, or 0 for anything
 * else. */
static size_t decode(const uint8_t *at, size_t left, uint32_t *character)
{
    if (at[0] < 0x80) {
        *character = at[0];
        return 1;
    }
    if (at[0] >= 0xc2 && at[0] < 0xe0 && left >= 2 && (at[1] & 0xc0) == 0x80) {
        *character = ((uint32_t)(at[0] & 0x1f) << 6) | (at[1] & 0x3f);
        return 2;
    }
    if ((at[0] & 0xf0) == 0xe0 && left >= 3 && (at[1] & 0xc0) == 0x80 && (at[2] & 0xc0) == 0x80) {
        *character = ((uint32_t)(at[0] & 0x0f) << 12) | ((uint32_t)(at[1] & 0x3f) << 6) | (at[2] & 0x3f);
        return *character >= 0x800 ? 3 : 0;
    }
    return 0;
}

static bool character_allowed(uint32_t character)
{
    return character > 0x1f && !(character >= 0x7f && character <= 0x9f) &&
           !(character >= 0xd800 && character <= 0xf8ff) && !(character >= 0xfff0 && character <= 0xffff);
}

static bool component_allowed(const uint8_t *start, size_t size)
{
    bool dot = size == 1 && start[0] == '.';
    bool dots = size == 2 && start[0] == '.' && start[1] == '.';
    return size > 0 && !dot && !dots;
}

bool fk_path_valid(struct fk_bytes path)
{
    if (path.size == 0 || path.data[0] != '/') {
        return false;
    }
    if (path.size == 1) {
        return true;
    }
    size_t component = 1;
    size_t at = 1;
    while (at < path.size) {
        if (path.data[at] == '/') {
            if (!component_allowed(path.data + component, at - component)) {
                return false;
            }
            at++;
            component = at;
            continue;
        }
        uint32_t character = 0;
        size_t size = decode(path.data + at, path.size - at, &character);
        if (size == 0 || !character_allowed(character)) {
            return false;
        }
        at += size;
    }
    return component_allowed(path.data + component, path.size - component);
}

bool fk_path_split(struct fk_bytes path, struct fk_bytes *parent, struct fk_bytes *name)
{
    if (path.size == 0 || memchr(path.data, '\0', path.size) != NULL) {
        return false;
    }
    const uint8_t *slash = (const uint8_t *)memrchr(path.data, '/', path.size);
    if (slash == NULL) {
        return false;
    }
    size_t parent_size = (size_t)(slash - path.data);
    *parent = fk_path_alias(fk_bytes_head(path, parent_size));
    *name = fk_bytes_tail(path, parent_size + 1);
    return true;
}

bool fk_path_within(struct fk_bytes path, struct fk_bytes ancestor)
{
    if (ancestor.size == 1) {
        return true;
    }
    return path.size >= ancestor.size && memcmp(path.data, ancestor.data, ancestor.size) == 0 &&
           (path.size == ancestor.size || path.data[ancestor.size] == '/');
}

struct fk_bytes fk_path_alias(struct fk_bytes path)
{
    return path.size == 0 ? FK_BYTES_LITERAL("/") : path;
}
