// SPDX-License-Identifier: Apache-2.0
/* The file port over one directory of the operating system. Any thread may call; one file's calls may run at the same
 * time, as far as their ranges differ. */
#ifndef FK_DRIVER_LOCAL_POSIX_FILE_H
#define FK_DRIVER_LOCAL_POSIX_FILE_H

#include "base/summary.h"
#include "port/file.h"

/* Opens a directory. `create`: makes it (mode 0700) where it is missing; its parent must exist. NOT_FOUND, IO, FULL. */
enum fk_err fk_posix_files_open(const char *directory, bool create, struct fk_files **files, struct fk_diag *diag);

/* For a file that others than the port read and write (SQLite): makes it, empty and with mode 0600, where it is
 * missing; NOT_FOUND where it is. */
enum fk_err fk_posix_touch(const char *path, struct fk_diag *diag);
enum fk_err fk_posix_exists(const char *path);

/* Milliseconds of the syncs of this process so far. */
void fk_posix_sync_times(struct fk_summary *summary);

#endif
