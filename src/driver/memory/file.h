// SPDX-License-Identifier: Apache-2.0
/* The file port over a disk in memory that can lose power. What it may show after a crash, and no more (that is what
 * the log's recovery must bear): of the writes and changes of size that were not synced, any subset, applied in their
 * order, writes cut into sectors where it is asked for; of the creations, renames and removals since the last sync of
 * the directory, the first few, as a journal keeps them. Used by one thread. */
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

/* Writes that are not synced are kept or lost in sectors of this size; 0, as at first: whole. */
void fk_memory_disk_tear(struct fk_memory_disk *disk, size_t sector_size);

/* Decides over each thing that was not synced. */
typedef bool (*fk_memory_keeps_fn)(void *context);

/* Loses power. No files may be open. */
void fk_memory_disk_crash(struct fk_memory_disk *disk, fk_memory_keeps_fn keeps, void *context);

/* A sync that fails as it does on Linux: some of the writes have reached the disk, the others never will; but they stay
 * readable until the power goes, and a later sync finds nothing to do. */
void fk_memory_file_fail_sync(struct fk_file *file, fk_memory_keeps_fn keeps, void *context);

/* Contents of a file, until it is written to; NULL where there is none. */
struct fk_bytes fk_memory_disk_look(const struct fk_memory_disk *disk, const char *path);

/* Puts bytes into a file that is there, as far as it goes, on the disk itself. */
void fk_memory_disk_damage(struct fk_memory_disk *disk, const char *path, int64_t offset, struct fk_bytes bytes);

/* Whether anything is not synced. */
bool fk_memory_disk_is_dirty(const struct fk_memory_disk *disk);

#endif
