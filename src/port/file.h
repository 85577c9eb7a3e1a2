// SPDX-License-Identifier: Apache-2.0
/* The file port: what the local engine needs of a file system, so that a simulator can own the disk. Short reads and
 * writes, EINTR and the like are the driver's affair: a call does all of it or fails. Errors: NOT_FOUND, EXISTS,
 * LOCKED, FULL (ENOSPC, EDQUOT, EFBIG), IO (everything else); the driver puts path and cause into diag. */
#ifndef FK_PORT_FILE_H
#define FK_PORT_FILE_H

#include "base/arena.h"
#include "base/err.h"

struct fk_file;
struct fk_files;

enum fk_open_mode {
    FK_OPEN_READ,   /* must exist */
    FK_OPEN_WRITE,  /* must exist; reading and writing */
    FK_OPEN_CREATE, /* must not exist; mode 0600, reading and writing */
};

struct fk_file_ops {
    /* `path` is below the root of the file system object. The file is the caller's until close. */
    enum fk_err (*open)(struct fk_files *files, const char *path, enum fk_open_mode mode, struct fk_file **file,
                        struct fk_diag *diag);
    void (*close)(struct fk_file *file);
    /* Reads exactly `size` bytes; fewer only at the end of the file: *got says how many. */
    enum fk_err (*read)(struct fk_file *file, int64_t offset, uint8_t *bytes, size_t size, size_t *got,
                        struct fk_diag *diag);
    enum fk_err (*write)(struct fk_file *file, int64_t offset, struct fk_bytes bytes, struct fk_diag *diag);
    /* Data is on the disk when it returns OK. After an error nothing may be assumed, a retry proves nothing
     * (fsyncgate). */
    enum fk_err (*sync)(struct fk_file *file, struct fk_diag *diag);
    enum fk_err (*size)(struct fk_file *file, int64_t *size, struct fk_diag *diag);
    /* Makes the file `size` bytes long, zeros, with its blocks allocated: a later write inside does not find the disk
     * full. */
    enum fk_err (*allocate)(struct fk_file *file, int64_t size, struct fk_diag *diag);
    enum fk_err (*truncate)(struct fk_file *file, int64_t size, struct fk_diag *diag);
    /* Takes an advisory lock without waiting; LOCKED where another process holds one that excludes it. It ends with
     * close. */
    enum fk_err (*lock)(struct fk_file *file, bool exclusive, struct fk_diag *diag);
    enum fk_err (*rename)(struct fk_files *files, const char *from, const char *to, struct fk_diag *diag);
    enum fk_err (*remove)(struct fk_files *files, const char *path, struct fk_diag *diag);
    /* Names of the files of the root directory, in the arena, sorted. */
    enum fk_err (*list)(struct fk_files *files, struct fk_arena *arena, const char ***names, size_t *count,
                        struct fk_diag *diag);
    /* Renames, creations and removals so far are on the disk when it returns OK. */
    enum fk_err (*sync_directory)(struct fk_files *files, struct fk_diag *diag);
    void (*free)(struct fk_files *files);
};

/* A directory. Drivers put this first in their struct. */
struct fk_files {
    const struct fk_file_ops *ops;
};

/* An open file. Drivers put this first in their struct. */
struct fk_file {
    const struct fk_file_ops *ops;
};

#endif
