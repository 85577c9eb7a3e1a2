// SPDX-License-Identifier: Apache-2.0
#include "deploy/form.h"

#include <stdio.h>

static bool is_plain(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '_' || byte == '.' || byte == '~';
}

void fk_form_encode(struct fk_buf *out, struct fk_bytes value, bool keep_slash)
{
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (is_plain(byte) || (keep_slash && byte == '/')) {
            fk_buf_append(out, fk_bytes_of(&byte, 1));
        } else {
            fk_buf_print(out, "%%%02X", byte);
        }
    }
}

void fk_form_add_bytes(struct fk_buf *form, const char *name, struct fk_bytes value)
{
    fk_buf_print(form, "%s%s=", fk_buf_left(form) == 0 ? "" : "&", name);
    fk_form_encode(form, value, false);
}

void fk_form_add(struct fk_buf *form, const char *name, const char *value)
{
    fk_form_add_bytes(form, name, fk_bytes_text(value));
}

void fk_form_add_member(struct fk_buf *form, const char *prefix, size_t index, const char *suffix, const char *value)
{
    char name[128];
    (void)snprintf(name, sizeof name, "%s.member.%zu%s%s", prefix, index, suffix[0] == '\0' ? "" : ".", suffix);
    fk_form_add(form, name, value);
}
