// SPDX-License-Identifier: Apache-2.0
/* SQLite over the file port: a simulator's disk carries the checkpoint too, each call of SQLite is one of the port.
 * One process only (there is no shared memory between processes: the WAL's index is in the heap, which needs SQLite's
 * exclusive locking mode), and no temporary files. A server uses SQLite's own: `faaskeeper data` reads its checkpoint
 * while it runs. */
#ifndef FK_DRIVER_LOCAL_VFS_H
#define FK_DRIVER_LOCAL_VFS_H

#include "port/clock.h"
#include "port/file.h"

struct fk_vfs;

/* Registers it, under a name of its own, as SQLite's default: so SQLite's dice are `random` too. All is borrowed until
 * fk_vfs_free. NULL without memory. */
struct fk_vfs *fk_vfs_new(struct fk_files *files, struct fk_clock *clock, struct fk_random *random);
/* No database may be open. NULL is allowed. */
void fk_vfs_free(struct fk_vfs *vfs);

/* For sqlite3_open_v2. */
const char *fk_vfs_name(const struct fk_vfs *vfs);

/* Whether there is a file; NOT_FOUND, or what the file system says. */
enum fk_err fk_vfs_exists(struct fk_vfs *vfs, const char *path, struct fk_diag *diag);

#endif
