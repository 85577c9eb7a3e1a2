// SPDX-License-Identifier: Apache-2.0
/* Names, keys and listings of the blob driver: bytes only. */
#ifndef FK_DRIVER_AWS_S3_INTERNAL_H
#define FK_DRIVER_AWS_S3_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends what stands for the name in a key. */
void fk_s3_append_name(struct fk_buf *buf, struct fk_bytes name);
/* The name that it stands for, in the arena; null where it is none that fk_s3_append_name writes, or memory is short.
 */
struct fk_bytes fk_s3_read_name(struct fk_bytes key, struct fk_arena *arena);

/* Appends percent-encoded text: all but letters, digits and "-._~"; a '/' too unless `path`. */
void fk_s3_append_encoded(struct fk_buf *buf, struct fk_bytes text, bool path);

struct fk_s3_listing {
    struct fk_bytes *keys; /* in the arena, as they are in the bucket */
    size_t count;
    bool truncated;
};

/* Reads the answer of ListObjectsV2 with encoding-type=url: at most `max` keys. MALFORMED, NOMEM. */
enum fk_err fk_s3_read_listing(struct fk_bytes body, size_t max, struct fk_arena *arena, struct fk_s3_listing *listing);

#endif
