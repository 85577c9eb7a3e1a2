// SPDX-License-Identifier: Apache-2.0
#include "deploy/xml.h"

enum {
    ENTITY_SIZE_MAX = 8, /* "#x0027;" */
};

/* Where `text` begins in `bytes`; bytes.size where it does not. */
static size_t find(struct fk_bytes bytes, const char *text)
{
    size_t size = strlen(text);
    const uint8_t *at = bytes.size < size ? NULL : (const uint8_t *)memmem(bytes.data, bytes.size, text, size);
    return at == NULL ? bytes.size : (size_t)(at - bytes.data);
}

static bool starts_with(struct fk_bytes bytes, const char *text)
{
    return fk_bytes_equal_text(fk_bytes_head(bytes, strlen(text)), text);
}

enum tag_kind {
    TAG_NONE, /* no further one, or none that ends */
    TAG_OPEN,
    TAG_CLOSE,
    TAG_EMPTY, /* <name/> */
    TAG_OTHER, /* a comment, a declaration, CDATA */
};

struct tag {
    enum tag_kind kind;
    struct fk_bytes name;
    size_t start; /* of '<', in what was scanned */
    size_t end;   /* behind '>' */
};

static struct fk_bytes tag_name(struct fk_bytes inside)
{
    size_t size = 0;
    while (size < inside.size && strchr(" \t\r\n/", inside.data[size]) == NULL) {
        size++;
    }
    return fk_bytes_head(inside, size);
}

/* The first tag of `bytes`. */
static struct tag next_tag(struct fk_bytes bytes)
{
    struct tag tag = {.kind = TAG_NONE, .start = find(bytes, "<")};
    struct fk_bytes at = fk_bytes_tail(bytes, tag.start);
    const char *end = starts_with(at, "<!--") ? "-->" : starts_with(at, "<![CDATA[") ? "]]>" : ">";
    size_t inside = find(at, end);
    if (inside == at.size) {
        return tag;
    }
    tag.end = tag.start + inside + strlen(end);
    if (inside < 2 || at.data[1] == '!' || at.data[1] == '?') {
        tag.kind = TAG_OTHER;
    } else if (at.data[1] == '/') {
        tag.kind = TAG_CLOSE;
        tag.name = tag_name(fk_bytes_of(at.data + 2, inside - 2));
    } else {
        tag.kind = at.data[inside - 1] == '/' ? TAG_EMPTY : TAG_OPEN;
        tag.name = tag_name(fk_bytes_of(at.data + 1, inside - 1));
    }
    return tag;
}

/* How far it is, in `bytes`, to the close tag of an element that is open; false where it does not come. */
static bool find_close(struct fk_bytes bytes, struct fk_bytes name, size_t *inner, size_t *end)
{
    size_t at = 0;
    size_t depth = 0;
    for (;;) {
        struct tag tag = next_tag(fk_bytes_tail(bytes, at));
        if (tag.kind == TAG_NONE) {
            return false;
        }
        if (tag.kind == TAG_CLOSE && depth == 0) {
            *inner = at + tag.start;
            *end = at + tag.end;
            return fk_bytes_equal(tag.name, name);
        }
        depth += tag.kind == TAG_OPEN ? 1 : 0;
        depth -= tag.kind == TAG_CLOSE ? 1 : 0;
        at += tag.end;
    }
}

bool fk_xml_next(struct fk_bytes *rest, struct fk_xml_element *element)
{
    struct tag tag = {.kind = TAG_OTHER};
    while (tag.kind == TAG_OTHER) {
        tag = next_tag(*rest);
        if (tag.kind != TAG_NONE) {
            *rest = fk_bytes_tail(*rest, tag.end);
        }
    }
    *element = (struct fk_xml_element){.name = tag.name, .inner = fk_bytes_head(*rest, 0)};
    if (tag.kind == TAG_EMPTY) {
        return true;
    }
    size_t inner = 0;
    size_t end = 0;
    if (tag.kind != TAG_OPEN || !find_close(*rest, tag.name, &inner, &end)) {
        return false;
    }
    element->inner = fk_bytes_head(*rest, inner);
    *rest = fk_bytes_tail(*rest, end);
    return true;
}

struct fk_bytes fk_xml_find(struct fk_bytes xml, const char *path)
{
    struct fk_bytes at = xml;
    while (*path != '\0') {
        struct fk_bytes name = fk_bytes_of(path, strcspn(path, "/"));
        struct fk_xml_element element = {.name = FK_BYTES_NULL};
        bool found = false;
        while (!found && fk_xml_next(&at, &element)) {
            found = fk_bytes_equal(element.name, name);
        }
        if (!found) {
            return FK_BYTES_NULL;
        }
        at = element.inner;
        path += name.size + (path[name.size] == '/' ? 1 : 0);
    }
    return at;
}

/* Of "#39" or "#x27"; -1 for what is none. Only what is one byte of ASCII is of use here; other characters come as
 * UTF-8. */
static int numeric_entity(struct fk_bytes name)
{
    bool hexadecimal = name.size > 1 && name.data[1] == 'x';
    int value = 0;
    for (size_t i = hexadecimal ? 2 : 1; i < name.size; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, name.data[i] | 0x20);
        int base = hexadecimal ? 16 : 10;
        if (name.data[i] == '\0' || digit == NULL || digit - digits >= base) {
            return -1;
        }
        value = value * base + (int)(digit - digits);
        if (value > 127) {
            return -1;
        }
    }
    return value;
}

/* The character that "&name;" stands for, -1 where it is none that is known. */
static int entity(struct fk_bytes name)
{
    static const struct {
        const char *name;
        char character;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (fk_bytes_equal_text(name, known[i].name)) {
            return known[i].character;
        }
    }
    int value = name.size > 1 && name.data[0] == '#' ? numeric_entity(name) : -1;
    return value == 0 ? -1 : value;
}

const char *fk_xml_text(struct fk_arena *arena, struct fk_bytes inner)
{
    char *text = (char *)fk_arena_alloc(arena, inner.size + 1);
    if (text == NULL) {
        return NULL;
    }
    size_t size = 0;
    for (size_t i = 0; i < inner.size; i++) {
        struct fk_bytes rest = fk_bytes_head(fk_bytes_tail(inner, i + 1), ENTITY_SIZE_MAX);
        size_t length = inner.data[i] == '&' ? find(rest, ";") : rest.size;
        int character = length < rest.size ? entity(fk_bytes_head(rest, length)) : -1;
        text[size++] = character < 0 ? (char)inner.data[i] : (char)character;
        i += character < 0 ? 0 : length + 1;
    }
    text[size] = '\0';
    return text;
}

const char *fk_xml_find_text(struct fk_arena *arena, struct fk_bytes xml, const char *path)
{
    return fk_xml_text(arena, fk_xml_find(xml, path));
}
