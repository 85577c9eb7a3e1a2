// SPDX-License-Identifier: Apache-2.0
/* The blob port: immutable objects under names that are never reused (S3; memory in the simulator). For node data too
 * large for an item; the record keeps the name. A pointer flip is atomic, an overwritten object is not. A name has 1 to
 * FK_BLOB_NAME_SIZE_MAX bytes. */
#ifndef FK_PORT_BLOB_H
#define FK_PORT_BLOB_H

#include "base/arena.h"
#include "base/err.h"

struct fk_blobs;

struct fk_blob_page {
    struct fk_bytes *names; /* in the arena, ascending */
    size_t count;
    bool more;
};

struct fk_blob_ops {
    const char *name;
    /* Stores `bytes`; putting the same bytes under the same name again is harmless. BUSY, UNKNOWN (repeat it), FULL,
     * NOMEM. */
    enum fk_err (*put)(struct fk_blobs *blobs, struct fk_bytes name, struct fk_bytes bytes);
    /* The object in the arena; strongly consistent. NOT_FOUND, BUSY, UNKNOWN, NOMEM. */
    enum fk_err (*get)(struct fk_blobs *blobs, struct fk_bytes name, struct fk_arena *arena, struct fk_bytes *bytes);
    /* Removes it, if it is there. BUSY, UNKNOWN. */
    enum fk_err (*remove)(struct fk_blobs *blobs, struct fk_bytes name);
    /* Names greater than `after` (null: from the first on), `limit` and FK_BLOB_PAGE_MAX at most. `more` is set where
     * another page follows, which may be an empty one. BUSY, UNKNOWN, NOMEM. */
    enum fk_err (*list)(struct fk_blobs *blobs, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                        struct fk_blob_page *page);
    void (*free)(struct fk_blobs *blobs);
};

/* Drivers put this first in their struct. */
struct fk_blobs {
    const struct fk_blob_ops *ops;
};

static inline enum fk_err fk_blob_put(struct fk_blobs *blobs, struct fk_bytes name, struct fk_bytes bytes)
{
    return blobs->ops->put(blobs, name, bytes);
}

static inline enum fk_err fk_blob_get(struct fk_blobs *blobs, struct fk_bytes name, struct fk_arena *arena,
                                      struct fk_bytes *bytes)
{
    return blobs->ops->get(blobs, name, arena, bytes);
}

static inline enum fk_err fk_blob_remove(struct fk_blobs *blobs, struct fk_bytes name)
{
    return blobs->ops->remove(blobs, name);
}

static inline enum fk_err fk_blob_list(struct fk_blobs *blobs, struct fk_bytes after, size_t limit,
                                       struct fk_arena *arena, struct fk_blob_page *page)
{
    return blobs->ops->list(blobs, after, limit, arena, page);
}

static inline void fk_blobs_free(struct fk_blobs *blobs)
{
    if (blobs != NULL) {
        blobs->ops->free(blobs);
    }
}

#endif
