// SPDX-License-Identifier: Apache-2.0
/* The file port over a disk in memory that can lose power. What it may show after a crash, and no more (that is what
 * the log's recovery must bear): of the writes and changes of size that were not synced, any subset, applied in their
 * order; of the creations, renames and removals since the last sync of the directory, all or none. Used by one thread.
 */
#ifndef FK_DRIVER_MEMORY_FILE_H
#define FK_DRIVER_MEMORY_FILE_H

#include "port/file.h"

struct fk_memory_disk;

/* NULL without memory. */
struct fk_memory_disk *fk_memory_disk_new(void);
/* No files may be open. */
void fk_memory_disk_free(struct fk_memory_disk *disk);

/* The space of all files together, in bytes; allocating and growing beyond it gives FULL. Unlimited at first. */
void fk_memory_disk_limit(struct fk_memory_disk *disk, int64_t size);

/* Its one directory. Any number may be open, as processes would have it; locks exclude each other. NULL without memory.
 */
struct fk_files *fk_memory_files_new(struct fk_memory_disk *disk);

/* Loses power: `keeps` decides over each thing that was not synced. No files may be open. */
void fk_memory_disk_crash(struct fk_memory_disk *disk, bool (*keeps)(void *context), void *context);

/* Whether anything is not synced. */
bool fk_memory_disk_is_dirty(const struct fk_memory_disk *disk);

#endif
