// SPDX-License-Identifier: Apache-2.0
/* The blobs in memory, with the semantics of S3: each call happens at one moment and never fails but for memory. Used
 * by one thread. get and list take memory of the caller's arena only, put for the driver only. */
#ifndef FK_DRIVER_MEMORY_BLOB_H
#define FK_DRIVER_MEMORY_BLOB_H

#include "port/blob.h"

/* NULL without memory. Free with fk_blobs_free. */
struct fk_blobs *fk_memory_blobs_new(void);

/* Objects, and the sum of their bytes. */
size_t fk_memory_blobs_count(const struct fk_blobs *blobs);
size_t fk_memory_blobs_size(const struct fk_blobs *blobs);

/* How often a put replaced other bytes. S3 lets it happen; by the contract nobody may do it. */
size_t fk_memory_blobs_overwritten(const struct fk_blobs *blobs);

#endif
