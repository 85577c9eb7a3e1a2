// SPDX-License-Identifier: Apache-2.0
/* What SQLite's unix driver does, said with the calls of the port: where it syncs the directory, what it takes for an
 * existing file, what it promises of writes. */
#include "driver/local/vfs.h"

#include "base/alloc.h"
#include "base/container.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_SIZE = 32,
    PATH_SIZE = 256,
    SECTOR_SIZE = 4096,
};

struct fk_vfs {
    sqlite3_vfs base;
    struct fk_files *files;
    struct fk_clock *clock;
    struct fk_random *random;
    char name[NAME_SIZE];
};

/* Lies in SQLite's memory. */
struct vfs_file {
    sqlite3_file base;
    struct fk_vfs *vfs;
    struct fk_file *file;
    bool sync_directory; /* a new journal: its first sync makes its name durable too */
};

static struct fk_vfs *vfs_of(sqlite3_vfs *vfs)
{
    return FK_CONTAINER_OF(vfs, struct fk_vfs, base);
}

static struct vfs_file *file_of(sqlite3_file *file)
{
    return FK_CONTAINER_OF(file, struct vfs_file, base);
}

/* SQLite's code for an error; `otherwise` says which call it was. */
static int code_of(enum fk_err err, int otherwise)
{
    switch ((int)err) {
    case FK_OK:
        return SQLITE_OK;
    case FK_ERR_FULL:
        return SQLITE_FULL;
    case FK_ERR_NOMEM:
        return SQLITE_IOERR_NOMEM;
    default:
        return otherwise;
    }
}

static int file_close(sqlite3_file *base)
{
    struct vfs_file *file = file_of(base);
    file->file->ops->close(file->file);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *bytes, int size, sqlite3_int64 offset)
{
    struct fk_file *file = file_of(base)->file;
    size_t got = 0;
    enum fk_err err = file->ops->read(file, offset, (uint8_t *)bytes, (size_t)size, &got, NULL);
    if (err != FK_OK) {
        return code_of(err, SQLITE_IOERR_READ);
    }
    if (got < (size_t)size) {
        memset((uint8_t *)bytes + got, 0, (size_t)size - got);
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

static int file_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
    struct fk_file *file = file_of(base)->file;
    return code_of(file->ops->write(file, offset, fk_bytes_of(bytes, (size_t)size), NULL), SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct fk_file *file = file_of(base)->file;
    return code_of(file->ops->truncate(file, size, NULL), SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct vfs_file *file = file_of(base);
    (void)flags;
    enum fk_err err = file->file->ops->sync(file->file, NULL);
    if (err == FK_OK && file->sync_directory) {
        err = file->vfs->files->ops->sync_directory(file->vfs->files, NULL);
        file->sync_directory = err != FK_OK;
    }
    return code_of(err, SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    struct fk_file *file = file_of(base)->file;
    int64_t found = 0;
    enum fk_err err = file->ops->size(file, &found, NULL);
    *size = found;
    return code_of(err, SQLITE_IOERR_FSTAT);
}

/* The engine's lock on its directory keeps others away. */
static int file_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int file_check_lock(sqlite3_file *base, int *locked)
{
    (void)base;
    *locked = 0;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *argument)
{
    (void)base;
    (void)op;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR_SIZE;
}

static int file_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(sqlite3_vfs *base, sqlite3_filename path, sqlite3_file *out, int flags, int *given)
{
    struct vfs_file *file = file_of(out);
    struct fk_files *files = vfs_of(base)->files;
    bool writes = (flags & SQLITE_OPEN_READWRITE) != 0;
    out->pMethods = NULL;
    if (path == NULL) {
        return SQLITE_CANTOPEN;
    }
    *file = (struct vfs_file){.vfs = vfs_of(base)};
    enum fk_err err = files->ops->open(files, path, writes ? FK_OPEN_WRITE : FK_OPEN_READ, &file->file, NULL);
    if (err == FK_ERR_NOT_FOUND && (flags & SQLITE_OPEN_CREATE) != 0) {
        err = files->ops->open(files, path, FK_OPEN_CREATE, &file->file, NULL);
        file->sync_directory = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    }
    if (err == FK_OK) {
        out->pMethods = &file_methods;
        if (given != NULL) {
            *given = flags;
        }
    }
    return code_of(err, SQLITE_CANTOPEN);
}

static int vfs_delete(sqlite3_vfs *base, const char *path, int sync_directory)
{
    struct fk_files *files = vfs_of(base)->files;
    enum fk_err err = files->ops->remove(files, path, NULL);
    if (err == FK_ERR_NOT_FOUND) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    if (err == FK_OK && sync_directory != 0) {
        err = files->ops->sync_directory(files, NULL);
        return code_of(err, SQLITE_IOERR_DIR_FSYNC);
    }
    return code_of(err, SQLITE_IOERR_DELETE);
}

/* An empty file is none, as with SQLite's own driver. */
static enum fk_err look(struct fk_files *files, const char *path, int64_t *size, struct fk_diag *diag)
{
    struct fk_file *file = NULL;
    enum fk_err err = files->ops->open(files, path, FK_OPEN_READ, &file, diag);
    if (err != FK_OK) {
        return err;
    }
    err = file->ops->size(file, size, diag);
    file->ops->close(file);
    return err;
}

static int vfs_access(sqlite3_vfs *base, const char *path, int flags, int *result)
{
    int64_t size = 0;
    (void)flags;
    enum fk_err err = look(vfs_of(base)->files, path, &size, NULL);
    *result = err == FK_OK && size > 0;
    return err == FK_ERR_NOT_FOUND ? SQLITE_OK : code_of(err, SQLITE_IOERR_ACCESS);
}

static int vfs_full_path(sqlite3_vfs *base, const char *path, int size, char *out)
{
    (void)base;
    int length = snprintf(out, (size_t)size, "%s", path);
    return length < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *base, int size, char *out)
{
    fk_random_fill(vfs_of(base)->random, (uint8_t *)out, (size_t)size);
    return size;
}

static int vfs_sleep(sqlite3_vfs *base, int microseconds)
{
    (void)base;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *base, sqlite3_int64 *out)
{
    const int64_t julian_1970_ms = INT64_C(210866760000000);
    *out = julian_1970_ms + fk_clock_wall_ms(vfs_of(base)->clock);
    return SQLITE_OK;
}

static int vfs_time_days(sqlite3_vfs *base, double *out)
{
    sqlite3_int64 ms = 0;
    int result = vfs_time(base, &ms);
    *out = (double)ms / 86400000.0;
    return result;
}

static int vfs_last_error(sqlite3_vfs *base, int size, char *out)
{
    (void)base;
    (void)size;
    (void)out;
    return 0;
}

struct fk_vfs *fk_vfs_new(struct fk_files *files, struct fk_clock *clock, struct fk_random *random)
{
    struct fk_vfs *vfs = (struct fk_vfs *)fk_alloc_zero(sizeof *vfs);
    if (vfs == NULL) {
        return NULL;
    }
    vfs->files = files;
    vfs->clock = clock;
    vfs->random = random;
    (void)snprintf(vfs->name, sizeof vfs->name, "fk-%p", (void *)vfs);
    vfs->base = (sqlite3_vfs){.iVersion = 2,
                              .szOsFile = (int)sizeof(struct vfs_file),
                              .mxPathname = PATH_SIZE,
                              .zName = vfs->name,
                              .xOpen = vfs_open,
                              .xDelete = vfs_delete,
                              .xAccess = vfs_access,
                              .xFullPathname = vfs_full_path,
                              .xRandomness = vfs_randomness,
                              .xSleep = vfs_sleep,
                              .xCurrentTime = vfs_time_days,
                              .xGetLastError = vfs_last_error,
                              .xCurrentTimeInt64 = vfs_time};
    if (sqlite3_vfs_register(&vfs->base, 1) != SQLITE_OK) {
        fk_free(vfs);
        return NULL;
    }
    sqlite3_randomness(0, NULL); /* draws its seed anew, from us */
    return vfs;
}

void fk_vfs_free(struct fk_vfs *vfs)
{
    if (vfs != NULL) {
        (void)sqlite3_vfs_unregister(&vfs->base);
        fk_free(vfs);
    }
}

const char *fk_vfs_name(const struct fk_vfs *vfs)
{
    return vfs->name;
}

enum fk_err fk_vfs_exists(struct fk_vfs *vfs, const char *path, struct fk_diag *diag)
{
    int64_t size = 0;
    return look(vfs->files, path, &size, diag);
}
