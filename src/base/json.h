// SPDX-License-Identifier: Apache-2.0
/* JSON as services send it (RFC 8259): a reader that walks over the bytes once and takes no memory, and the string of a
 * writer. The caller says what it expects; anything else sets `failed`, once and for all: from then on containers are
 * at their end and values are 0 or null, so that it is enough to check once behind a walk.
 *
 *     fk_json_enter_object(&json);
 *     while (fk_json_next_member(&json, &name)) {
 *         if (fk_bytes_equal_text(name, "Attributes")) { ... } else { fk_json_skip(&json); }
 *     }
 *
 * What is skipped is not checked beyond its brackets and strings. */
#ifndef FK_BASE_JSON_H
#define FK_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"

struct fk_json {
    const uint8_t *at;
    const uint8_t *end;
    bool first; /* in a container that was just entered */
    bool failed;
};

enum fk_json_kind {
    FK_JSON_END, /* nothing is left, or the walk failed */
    FK_JSON_OBJECT,
    FK_JSON_ARRAY,
    FK_JSON_STRING,
    FK_JSON_NUMBER,
    FK_JSON_TRUE,
    FK_JSON_FALSE,
    FK_JSON_NULL,
};

struct fk_json fk_json_of(struct fk_bytes text);

/* What kind of value comes next, by its first byte. */
enum fk_json_kind fk_json_peek(struct fk_json *json);

/* Walks over an object: the name of the next member as it is written (escapes are left), then its value has to be read
 * or skipped; false at the end. */
void fk_json_enter_object(struct fk_json *json);
bool fk_json_next_member(struct fk_json *json, struct fk_bytes *name);

/* The same of an array. */
void fk_json_enter_array(struct fk_json *json);
bool fk_json_next_item(struct fk_json *json);

/* A string as it is written, without its quotes: a view of the text. Null where there is none. */
struct fk_bytes fk_json_raw_string(struct fk_json *json);

/* A string with its escapes resolved: a view of the text where it has none, else in the arena. Null after a failure,
 * which includes one of memory. A lone surrogate becomes U+FFFD. */
struct fk_bytes fk_json_string(struct fk_json *json, struct fk_arena *arena);

/* A whole number that fits; a fraction or an exponent is a failure. */
int64_t fk_json_integer(struct fk_json *json);

bool fk_json_boolean(struct fk_json *json);

/* Any value. */
void fk_json_skip(struct fk_json *json);

/* Any value, as the text that it is. */
struct fk_bytes fk_json_value(struct fk_json *json);

/* Nothing failed, and nothing but blanks is left. */
bool fk_json_done(struct fk_json *json);

/* A walk of the top-level members of an object: the value of the one with this name, null where there is none. For
 * small texts. */
struct fk_bytes fk_json_member(struct fk_bytes object, const char *name);

/* Appends a string with its quotes. The bytes are UTF-8, or at least nothing that has to be. */
void fk_json_append_string(struct fk_buf *buf, struct fk_bytes bytes);

#endif
