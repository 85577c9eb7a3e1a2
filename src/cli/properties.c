// SPDX-License-Identifier: Apache-2.0
#include "cli/properties.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    FILE_SIZE_MAX = 1024 * 1024,
};

/* Files of settings have passwords. */
static void deinit_secret(struct fk_buf *buf)
{
    if (buf->data != NULL) {
        explicit_bzero(buf->data, buf->size);
    }
    fk_buf_deinit(buf);
}

/* Who gets the settings. */
struct reading {
    fk_property_fn callback;
    void *context;
    struct fk_diag *diag;
};

void fk_place_print(const struct fk_place *place, struct fk_buf *out)
{
    fk_buf_print(out, place->line > 0 ? "%s:%d: " : "%s: ", place->name, place->line);
}

/* One character of a key or value; a backslash takes the next one as it is, or as t, n, r, f, uXXXX. */
static const char *unescape(const char *at, struct fk_buf *out)
{
    if (at[0] != '\\' || at[1] == '\0') {
        fk_buf_append(out, fk_bytes_of(at, 1));
        return at + 1;
    }
    unsigned code = 0;
    int used = 0;
    if (at[1] == 'u' && sscanf(at + 2, "%4x%n", &code, &used) == 1 && used == 4 && code > 0 && code < 0x80) {
        char character = (char)code;
        fk_buf_append(out, fk_bytes_of(&character, 1));
        return at + 6;
    }
    const char *found = strchr("t\tn\nr\rf\f", at[1]);
    bool letter = found != NULL && strchr("tnrf", at[1]) != NULL;
    fk_buf_append(out, fk_bytes_of(letter ? found + 1 : at + 1, 1));
    return at + 2;
}

/* Splits a logical line: the key ends at the first '=', ':' or blank that is not escaped. */
static enum fk_err parse_line(const struct reading *reading, const char *line, const struct fk_place *place)
{
    struct fk_buf key = FK_BUF_EMPTY;
    struct fk_buf value = FK_BUF_EMPTY;
    const char *at = line + strspn(line, " \t\f");
    enum fk_err err = FK_OK;
    if (*at == '\0' || *at == '#' || *at == '!') {
        return FK_OK;
    }
    while (*at != '\0' && strchr("=: \t\f", *at) == NULL) {
        at = unescape(at, &key);
    }
    at += strspn(at, " \t\f");
    if (*at == '=' || *at == ':') {
        at++;
    }
    at += strspn(at, " \t\f");
    while (*at != '\0') {
        at = unescape(at, &value);
    }
    /* QuorumPeerConfig trims values. */
    while (value.size > 0 && strchr(" \t\f\r", value.data[value.size - 1]) != NULL) {
        value.size--;
    }
    fk_buf_append(&key, fk_bytes_of("", 1));
    fk_buf_append(&value, fk_bytes_of("", 1));
    if (key.failed || value.failed) {
        err = FK_ERR_NOMEM;
    } else {
        err =
            reading->callback(reading->context, place, (const char *)key.data, (const char *)value.data, reading->diag);
    }
    fk_buf_deinit(&key);
    deinit_secret(&value);
    return err;
}

/* Takes the next logical line and counts the lines it has: a line that ends with an odd number of backslashes goes on
 * in the next one. */
static bool next_line(struct fk_bytes *text, struct fk_buf *line, int *taken)
{
    bool some = false;
    fk_buf_clear(line);
    while (text->size > 0) {
        const uint8_t *end = (const uint8_t *)memchr(text->data, '\n', text->size);
        size_t size = end == NULL ? text->size : (size_t)(end - text->data);
        struct fk_bytes rest = fk_bytes_head(*text, size);
        size_t slashes = 0;
        while (rest.size > 0 && strchr(" \t\f", rest.data[0]) != NULL) {
            rest = fk_bytes_tail(rest, 1); /* blanks in front count for nothing, in continued lines too */
        }
        if (rest.size > 0 && rest.data[rest.size - 1] == '\r') {
            rest.size--;
        }
        bool comment = !some && (rest.size == 0 || rest.data[0] == '#' || rest.data[0] == '!');
        while (slashes < rest.size && rest.data[rest.size - 1 - slashes] == '\\') {
            slashes++;
        }
        bool goes_on = slashes % 2 == 1 && !comment; /* comments do not continue */
        some = true;
        (*taken)++;
        fk_buf_append(line, fk_bytes_head(rest, goes_on ? rest.size - 1 : rest.size));
        *text = fk_bytes_tail(*text, end == NULL ? size : size + 1);
        if (!goes_on) {
            break;
        }
    }
    fk_buf_append(line, fk_bytes_of("", 1));
    return some;
}

enum fk_err fk_properties_parse(struct fk_bytes text, const char *name, fk_property_fn callback, void *context,
                                struct fk_diag *diag)
{
    const struct reading reading = {.callback = callback, .context = context, .diag = diag};
    struct fk_place place = {.name = name, .line = 1};
    struct fk_buf line = FK_BUF_EMPTY;
    enum fk_err err = FK_OK;
    if (text.size > 0 && memchr(text.data, '\0', text.size) != NULL) {
        fk_diag_set(diag, "%s: has a NUL byte, this is no text file", name);
        return FK_ERR_USAGE;
    }
    int taken = 0;
    while (err == FK_OK && next_line(&text, &line, &taken)) {
        err = line.failed ? FK_ERR_NOMEM : parse_line(&reading, (const char *)line.data, &place);
        place.line = taken + 1; /* a line that goes on is named by where it starts */
    }
    deinit_secret(&line);
    return err;
}

enum fk_err fk_properties_load(const char *path, fk_property_fn callback, void *context, struct fk_diag *diag)
{
    struct fk_buf text = FK_BUF_EMPTY;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fk_diag_set(diag, "can't read %s: %s", path, strerror(errno));
        return FK_ERR_IO;
    }
    enum fk_err err = FK_OK;
    (void)setvbuf(file, NULL, _IONBF, 0); /* no second copy of the secrets */
    uint8_t *room = fk_buf_reserve(&text, FILE_SIZE_MAX + 1);
    if (room == NULL) {
        err = FK_ERR_NOMEM;
    } else {
        text.size = fread(room, 1, FILE_SIZE_MAX + 1, file);
        if (ferror(file) != 0) {
            fk_diag_set(diag, "can't read %s: %s", path, strerror(errno));
            err = FK_ERR_IO;
        } else if (text.size > FILE_SIZE_MAX) {
            fk_diag_set(diag, "%s is larger than %d bytes, which no configuration is", path, FILE_SIZE_MAX);
            err = FK_ERR_USAGE;
        }
    }
    (void)fclose(file);
    if (err == FK_OK) {
        err = fk_properties_parse(fk_buf_view(&text), path, callback, context, diag);
    }
    deinit_secret(&text);
    return err;
}
