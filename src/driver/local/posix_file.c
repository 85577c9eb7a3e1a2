// SPDX-License-Identifier: Apache-2.0
#include "driver/local/posix_file.h"

#include "base/alloc.h"
#include "base/container.h"
#include "driver/local/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct posix_files {
    struct fk_files base;
    int fd;
    char *directory; /* for messages */
};

struct posix_file {
    struct fk_file base;
    int fd;
    char *path; /* for messages: directory and name */
};

static const struct fk_file_ops posix_ops;

static struct posix_files *files_of(struct fk_files *files)
{
    return FK_CONTAINER_OF(files, struct posix_files, base);
}

static struct posix_file *file_of(struct fk_file *file)
{
    return FK_CONTAINER_OF(file, struct posix_file, base);
}

static enum fk_err fail(struct fk_diag *diag, const char *what, const char *directory, const char *path, int cause)
{
    char text[128];
    const char *reason = strerror_r(cause, text, sizeof text);
    fk_diag_set(diag, "cannot %s %s%s%s: %s", what, directory, path[0] == '\0' ? "" : "/", path, reason);
    switch (cause) {
    case ENOENT:
        return FK_ERR_NOT_FOUND;
    case EEXIST:
        return FK_ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return FK_ERR_FULL;
    case ENOMEM:
        return FK_ERR_NOMEM;
    default:
        return FK_ERR_IO;
    }
}

static enum fk_err posix_open(struct fk_files *base, const char *path, enum fk_open_mode mode, struct fk_file **out,
                              struct fk_diag *diag)
{
    struct posix_files *files = files_of(base);
    int flags = mode == FK_OPEN_READ ? O_RDONLY : O_RDWR;
    if (mode == FK_OPEN_CREATE) {
        flags |= O_CREAT | O_EXCL;
    }
    int fd = openat(files->fd, path, flags | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0) {
        return fail(diag, mode == FK_OPEN_CREATE ? "create" : "open", files->directory, path, errno);
    }
    struct posix_file *file = (struct posix_file *)fk_alloc_zero(sizeof *file);
    char *name = fk_path_join(files->directory, path);
    if (file == NULL || name == NULL) {
        fk_free(file);
        fk_free(name);
        (void)close(fd);
        return FK_ERR_NOMEM;
    }
    file->base.ops = &posix_ops;
    file->fd = fd;
    file->path = name;
    *out = &file->base;
    return FK_OK;
}

static void posix_close(struct fk_file *base)
{
    struct posix_file *file = file_of(base);
    (void)close(file->fd); /* what must be on the disk was synced before */
    fk_free(file->path);
    fk_free(file);
}

static enum fk_err posix_read(struct fk_file *base, int64_t offset, uint8_t *bytes, size_t size, size_t *got,
                              struct fk_diag *diag)
{
    struct posix_file *file = file_of(base);
    *got = 0;
    while (*got < size) {
        ssize_t count = pread(file->fd, bytes + *got, size - *got, offset + (int64_t)*got);
        if (count == 0) {
            break;
        }
        if (count < 0 && errno != EINTR) {
            return fail(diag, "read", file->path, "", errno);
        }
        *got += count > 0 ? (size_t)count : 0;
    }
    return FK_OK;
}

static enum fk_err posix_write(struct fk_file *base, int64_t offset, struct fk_bytes bytes, struct fk_diag *diag)
{
    struct posix_file *file = file_of(base);
    while (bytes.size > 0) {
        ssize_t count = pwrite(file->fd, bytes.data, bytes.size, offset);
        if (count < 0 && errno != EINTR) {
            return fail(diag, "write", file->path, "", errno);
        }
        if (count > 0) {
            bytes = fk_bytes_tail(bytes, (size_t)count);
            offset += count;
        }
    }
    return FK_OK;
}

/* Of the process, for metrics: syncs come from the loop and from the log's thread. */
static pthread_mutex_t sync_lock = PTHREAD_MUTEX_INITIALIZER;
static struct fk_summary sync_times;

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void fk_posix_sync_times(struct fk_summary *summary)
{
    (void)pthread_mutex_lock(&sync_lock);
    *summary = sync_times;
    (void)pthread_mutex_unlock(&sync_lock);
}

static enum fk_err posix_sync(struct fk_file *base, struct fk_diag *diag)
{
    struct posix_file *file = file_of(base);
    int64_t began_ms = now_ms();
    if (fdatasync(file->fd) != 0) {
        return fail(diag, "sync", file->path, "", errno);
    }
    (void)pthread_mutex_lock(&sync_lock);
    fk_summary_add(&sync_times, now_ms() - began_ms);
    (void)pthread_mutex_unlock(&sync_lock);
    return FK_OK;
}

static enum fk_err posix_size(struct fk_file *base, int64_t *size, struct fk_diag *diag)
{
    struct posix_file *file = file_of(base);
    struct stat status;
    if (fstat(file->fd, &status) != 0) {
        return fail(diag, "examine", file->path, "", errno);
    }
    *size = status.st_size;
    return FK_OK;
}

/* File systems without fallocate (EOPNOTSUPP) get real zeros. */
static enum fk_err write_zeros(struct posix_file *file, int64_t size, struct fk_diag *diag)
{
    static const uint8_t zeros[65536];
    int64_t at = 0;
    enum fk_err err = posix_size(&file->base, &at, diag);
    while (err == FK_OK && at < size) {
        int64_t left = size - at;
        size_t piece = left < (int64_t)sizeof zeros ? (size_t)left : sizeof zeros;
        err = posix_write(&file->base, at, fk_bytes_of(zeros, piece), diag);
        at += (int64_t)piece;
    }
    return err;
}

static enum fk_err posix_allocate(struct fk_file *base, int64_t size, struct fk_diag *diag)
{
    struct posix_file *file = file_of(base);
    int result;
    do {
        result = fallocate(file->fd, 0, 0, size);
    } while (result != 0 && errno == EINTR);
    if (result != 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
        return write_zeros(file, size, diag);
    }
    return result == 0 ? FK_OK : fail(diag, "allocate space for", file->path, "", errno);
}

static enum fk_err posix_truncate(struct fk_file *base, int64_t size, struct fk_diag *diag)
{
    struct posix_file *file = file_of(base);
    return ftruncate(file->fd, size) == 0 ? FK_OK : fail(diag, "truncate", file->path, "", errno);
}

static enum fk_err posix_lock(struct fk_file *base, bool exclusive, struct fk_diag *diag)
{
    struct posix_file *file = file_of(base);
    int result;
    do {
        result = flock(file->fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    if (result != 0 && errno == EWOULDBLOCK) {
        fk_diag_set(diag, "%s is locked by another process", file->path);
        return FK_ERR_LOCKED;
    }
    return result == 0 ? FK_OK : fail(diag, "lock", file->path, "", errno);
}

static enum fk_err posix_rename(struct fk_files *base, const char *from, const char *to, struct fk_diag *diag)
{
    struct posix_files *files = files_of(base);
    return renameat(files->fd, from, files->fd, to) == 0 ? FK_OK : fail(diag, "rename", files->directory, from, errno);
}

static enum fk_err posix_remove(struct fk_files *base, const char *path, struct fk_diag *diag)
{
    struct posix_files *files = files_of(base);
    return unlinkat(files->fd, path, 0) == 0 ? FK_OK : fail(diag, "remove", files->directory, path, errno);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends one name to the list; the list grows by doubling inside the arena. */
static bool add_name(struct fk_arena *arena, const char ***names, size_t *count, const char *name)
{
    if ((*count & (*count - 1)) == 0) {
        size_t room = *count == 0 ? 1 : *count * 2;
        const char **larger = (const char **)fk_arena_alloc(arena, room * sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        if (*count > 0) {
            memcpy(larger, *names, *count * sizeof *larger);
        }
        *names = larger;
    }
    struct fk_bytes copy = fk_arena_copy(arena, fk_bytes_of(name, strlen(name) + 1));
    (*names)[*count] = (const char *)copy.data;
    *count += copy.data != NULL ? 1 : 0;
    return copy.data != NULL;
}

static enum fk_err posix_list(struct fk_files *base, struct fk_arena *arena, const char ***names, size_t *count,
                              struct fk_diag *diag)
{
    struct posix_files *files = files_of(base);
    *names = NULL;
    *count = 0;
    int fd = openat(files->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        int cause = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return fail(diag, "list", files->directory, "", cause);
    }
    enum fk_err err = FK_OK;
    while (err == FK_OK) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            err = errno == 0 ? FK_OK : fail(diag, "list", files->directory, "", errno);
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || entry->d_type == DT_DIR) {
            continue;
        }
        err = add_name(arena, names, count, entry->d_name) ? FK_OK : FK_ERR_NOMEM;
    }
    (void)closedir(stream);
    if (err == FK_OK && *count > 1) {
        qsort(*names, *count, sizeof **names, compare_names);
    }
    return err;
}

static enum fk_err posix_sync_directory(struct fk_files *base, struct fk_diag *diag)
{
    struct posix_files *files = files_of(base);
    return fsync(files->fd) == 0 ? FK_OK : fail(diag, "sync", files->directory, "", errno);
}

static void posix_free(struct fk_files *base)
{
    struct posix_files *files = files_of(base);
    (void)close(files->fd);
    fk_free(files->directory);
    fk_free(files);
}

static const struct fk_file_ops posix_ops = {
    .open = posix_open,
    .close = posix_close,
    .read = posix_read,
    .write = posix_write,
    .sync = posix_sync,
    .size = posix_size,
    .allocate = posix_allocate,
    .truncate = posix_truncate,
    .lock = posix_lock,
    .rename = posix_rename,
    .remove = posix_remove,
    .list = posix_list,
    .sync_directory = posix_sync_directory,
    .free = posix_free,
};

enum fk_err fk_posix_files_open(const char *directory, bool create, struct fk_files **out, struct fk_diag *diag)
{
    if (create && mkdir(directory, 0700) != 0 && errno != EEXIST) {
        return fail(diag, "create directory", directory, "", errno);
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail(diag, "open directory", directory, "", errno);
    }
    struct posix_files *files = (struct posix_files *)fk_alloc_zero(sizeof *files);
    char *copy = fk_path_join(directory, "");
    if (files == NULL || copy == NULL) {
        fk_free(files);
        fk_free(copy);
        (void)close(fd);
        return FK_ERR_NOMEM;
    }
    files->base.ops = &posix_ops;
    files->fd = fd;
    files->directory = copy;
    *out = &files->base;
    return FK_OK;
}

enum fk_err fk_posix_touch(const char *path, struct fk_diag *diag)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        fk_diag_set(diag, "cannot create %s: %m", path);
        return FK_ERR_IO;
    }
    (void)close(fd);
    return FK_OK;
}

enum fk_err fk_posix_exists(const char *path)
{
    return access(path, F_OK) == 0 ? FK_OK : FK_ERR_NOT_FOUND;
}
