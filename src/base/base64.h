// SPDX-License-Identifier: Apache-2.0
/* Base64 with padding (RFC 4648, section 4): how binary values travel in JSON. */
#ifndef FK_BASE_BASE64_H
#define FK_BASE_BASE64_H

#include "base/arena.h"
#include "base/buf.h"

/* Characters that `size` bytes take. */
static inline size_t fk_base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

void fk_base64_append(struct fk_buf *buf, struct fk_bytes bytes);

/* The bytes, in the arena; never null where it is OK. MALFORMED: anything but whole groups of the alphabet, blanks
 * included. NOMEM. */
enum fk_err fk_base64_read(struct fk_bytes text, struct fk_arena *arena, struct fk_bytes *bytes);

#endif
