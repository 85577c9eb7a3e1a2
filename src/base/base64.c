// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include "base/assert.h"

#include <openssl/evp.h>

void fk_base64_append(struct fk_buf *buf, struct fk_bytes bytes)
{
    FK_ASSERT(bytes.size <= INT32_MAX / 2);
    uint8_t *out = fk_buf_reserve(buf, fk_base64_size(bytes.size) + 1); /* OpenSSL adds a NUL */
    if (out != NULL && bytes.size > 0) {
        buf->size += (size_t)EVP_EncodeBlock(out, bytes.data, (int)bytes.size);
    }
}

/* OpenSSL takes padding anywhere, and blanks around the text. */
static bool padding_of(struct fk_bytes text, size_t *padding)
{
    const uint8_t *first = text.size == 0 ? NULL : (const uint8_t *)memchr(text.data, '=', text.size);
    *padding = first == NULL ? 0 : (size_t)(text.data + text.size - first);
    return *padding <= 2 && text.size % 4 == 0 && (*padding < 2 || text.data[text.size - 1] == '=');
}

enum fk_err fk_base64_read(struct fk_bytes text, struct fk_arena *arena, struct fk_bytes *bytes)
{
    size_t padding = 0;
    if (text.size > INT32_MAX || !padding_of(text, &padding)) {
        return FK_ERR_MALFORMED;
    }
    size_t size = text.size / 4 * 3;
    uint8_t *out = (uint8_t *)fk_arena_alloc(arena, size + 1);
    if (out == NULL) {
        return FK_ERR_NOMEM;
    }
    *bytes = fk_bytes_of(out, size - padding);
    if (text.size > 0 && EVP_DecodeBlock(out, text.data, (int)text.size) != (int)size) {
        return FK_ERR_MALFORMED;
    }
    return FK_OK;
}
