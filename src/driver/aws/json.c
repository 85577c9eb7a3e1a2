// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/json.h"

json_t *fk_json_load(struct fk_bytes bytes)
{
    return bytes.data == NULL ? NULL : json_loadb((const char *)bytes.data, bytes.size, JSON_REJECT_DUPLICATES, NULL);
}

struct fk_bytes fk_json_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? fk_bytes_of(json_string_value(value), json_string_length(value)) : FK_BYTES_NULL;
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
        fk_buf_print(buf, byte < 0x20 ? "\\u%04x" : "\\%c", byte);
        done = i + 1;
    }
    fk_buf_append(buf, fk_bytes_tail(bytes, done));
    fk_buf_append(buf, FK_BYTES_LITERAL("\""));
}
