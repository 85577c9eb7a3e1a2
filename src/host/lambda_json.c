// SPDX-License-Identifier: Apache-2.0
#include "host/lambda_json.h"

static int append(const char *text, size_t size, void *context)
{
    struct fk_buf *out = (struct fk_buf *)context;
    fk_buf_append(out, fk_bytes_of(text, size));
    return out->failed ? -1 : 0;
}

void fk_lambda_json_append(struct fk_buf *out, json_t *value)
{
    if (value == NULL || json_dump_callback(value, append, out, JSON_COMPACT | JSON_ENCODE_ANY) != 0) {
        out->failed = true;
    }
    json_decref(value);
}
