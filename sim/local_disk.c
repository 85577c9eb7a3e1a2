// SPDX-License-Identifier: Apache-2.0
#include "sim/local_disk.h"

#include "base/assert.h"
#include "base/container.h"
#include "sim/dice.h"
#include "sim/local_disk_internal.h"
#include "sim/own.h"

#include <inttypes.h>
#include <stdio.h>

struct disk_files {
    struct fk_files base;
    struct sim_disk *disk;
    struct fk_files *inner;
};

struct disk_file {
    struct fk_file base;
    struct sim_disk *disk;
    struct fk_file *inner;
    enum sim_file_kind kind;
    char path[40];
};

static const struct fk_file_ops disk_ops;

static struct disk_files *files_of(struct fk_files *files)
{
    return FK_CONTAINER_OF(files, struct disk_files, base);
}

static struct disk_file *file_of(struct fk_file *file)
{
    return FK_CONTAINER_OF(file, struct disk_file, base);
}

/* Memory of the disk outlives the process that calls. */
#define ON_DISK(call)                                                                                                  \
    ({                                                                                                                 \
        struct sim_process *owner_ = sim_memory_of(NULL);                                                              \
        enum fk_err err_ = (call);                                                                                     \
        (void)sim_memory_of(owner_);                                                                                   \
        err_;                                                                                                          \
    })

static enum fk_err disk_open(struct fk_files *base, const char *path, enum fk_open_mode mode, struct fk_file **out,
                             struct fk_diag *diag)
{
    struct disk_files *files = files_of(base);
    struct sim_disk_call call = {.disk = files->disk, .kind = sim_file_kind(path), .call = SIM_CALL_FILE_OPEN};
    struct fk_file *inner = NULL;
    enum fk_err err = sim_disk_begin(&call, mode == FK_OPEN_CREATE ? SIM_FAULT_BIT(FULL) : 0, diag);
    if (err == FK_OK) {
        err = ON_DISK(files->inner->ops->open(files->inner, path, mode, &inner, diag));
    }
    err = sim_disk_end(&call, err, diag);
    struct disk_file *file = err == FK_OK ? (struct disk_file *)sim_own_take(sizeof *file) : NULL;
    if (err != FK_OK) {
        if (inner != NULL) {
            inner->ops->close(inner);
        }
        return err;
    }
    *file = (struct disk_file){.base.ops = &disk_ops, .disk = files->disk, .inner = inner, .kind = sim_file_kind(path)};
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    *out = &file->base;
    return FK_OK;
}

static void disk_close(struct fk_file *base)
{
    struct disk_file *file = file_of(base);
    file->inner->ops->close(file->inner);
    sim_own_free(file);
}

static struct sim_disk_call call_of(struct fk_file *base, enum sim_call call)
{
    return (struct sim_disk_call){.disk = file_of(base)->disk, .kind = file_of(base)->kind, .call = call};
}

static enum fk_err disk_read(struct fk_file *base, int64_t offset, uint8_t *bytes, size_t size, size_t *got,
                             struct fk_diag *diag)
{
    struct sim_disk_call call = call_of(base, SIM_CALL_FILE_READ);
    struct fk_file *inner = file_of(base)->inner;
    enum fk_err err = sim_disk_begin(&call, sim_disk_may_flip(&call) ? SIM_FAULT_BIT(FLIP) : 0, diag);
    if (err == FK_OK) {
        err = inner->ops->read(inner, offset, bytes, size, got, diag);
    }
    if (err == FK_OK && call.fault.kind == SIM_FAULT_FLIP && *got > 0) {
        sim_disk_flip(&call, file_of(base)->path, offset, bytes, *got);
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_write(struct fk_file *base, int64_t offset, struct fk_bytes bytes, struct fk_diag *diag)
{
    struct sim_disk_call call = call_of(base, SIM_CALL_FILE_WRITE);
    struct fk_file *inner = file_of(base)->inner;
    int64_t size = 0;
    enum fk_err err = inner->ops->size(inner, &size, diag);
    uint64_t grows = offset + (int64_t)bytes.size > size ? SIM_FAULT_BIT(FULL) : 0; /* else its space is there */
    if (err == FK_OK) {
        err = sim_disk_begin(&call, grows | SIM_FAULT_BIT(CRASH_TORN), diag);
    }
    struct fk_bytes part = bytes;
    if (call.fault.kind == SIM_FAULT_CRASH_TORN) {
        part = fk_bytes_head(bytes, bytes.size * (size_t)(call.fault.argument % 1000) / 1000);
    }
    if (err == FK_OK) {
        err = ON_DISK(inner->ops->write(inner, offset, part, diag));
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_sync(struct fk_file *base, struct fk_diag *diag)
{
    struct sim_disk_call call = call_of(base, SIM_CALL_FILE_SYNC);
    struct fk_file *inner = file_of(base)->inner;
    enum fk_err err = sim_disk_begin(&call, SIM_FAULT_BIT(SYNC_FAILS), diag);
    if (err == FK_OK && call.fault.kind == SIM_FAULT_SYNC_FAILS) {
        struct sim_process *owner = sim_memory_of(NULL);
        sim_disk_fail_sync(&call, inner);
        (void)sim_memory_of(owner);
        fk_diag_set(diag, "injected fault: the sync fails");
        err = FK_ERR_IO;
    } else if (err == FK_OK) {
        err = ON_DISK(inner->ops->sync(inner, diag));
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_size(struct fk_file *base, int64_t *size, struct fk_diag *diag)
{
    struct sim_disk_call call = call_of(base, SIM_CALL_FILE_SIZE);
    struct fk_file *inner = file_of(base)->inner;
    enum fk_err err = sim_disk_begin(&call, 0, diag);
    if (err == FK_OK) {
        err = inner->ops->size(inner, size, diag);
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_allocate(struct fk_file *base, int64_t size, struct fk_diag *diag)
{
    struct sim_disk_call call = call_of(base, SIM_CALL_FILE_ALLOCATE);
    struct fk_file *inner = file_of(base)->inner;
    enum fk_err err = sim_disk_begin(&call, SIM_FAULT_BIT(FULL), diag);
    if (err == FK_OK) {
        err = ON_DISK(inner->ops->allocate(inner, size, diag));
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_truncate(struct fk_file *base, int64_t size, struct fk_diag *diag)
{
    struct sim_disk_call call = call_of(base, SIM_CALL_FILE_TRUNCATE);
    struct fk_file *inner = file_of(base)->inner;
    enum fk_err err = sim_disk_begin(&call, 0, diag);
    if (err == FK_OK) {
        err = ON_DISK(inner->ops->truncate(inner, size, diag));
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_lock(struct fk_file *base, bool exclusive, struct fk_diag *diag)
{
    struct sim_disk_call call = call_of(base, SIM_CALL_FILE_LOCK);
    struct fk_file *inner = file_of(base)->inner;
    enum fk_err err = sim_disk_begin(&call, 0, diag);
    if (err == FK_OK) {
        err = inner->ops->lock(inner, exclusive, diag);
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_rename(struct fk_files *base, const char *from, const char *to, struct fk_diag *diag)
{
    struct disk_files *files = files_of(base);
    struct sim_disk_call call = {.disk = files->disk, .kind = sim_file_kind(from), .call = SIM_CALL_FILE_RENAME};
    enum fk_err err = sim_disk_begin(&call, 0, diag);
    if (err == FK_OK) {
        err = ON_DISK(files->inner->ops->rename(files->inner, from, to, diag));
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_remove(struct fk_files *base, const char *path, struct fk_diag *diag)
{
    struct disk_files *files = files_of(base);
    struct sim_disk_call call = {.disk = files->disk, .kind = sim_file_kind(path), .call = SIM_CALL_FILE_REMOVE};
    enum fk_err err = sim_disk_begin(&call, 0, diag);
    if (err == FK_OK) {
        err = ON_DISK(files->inner->ops->remove(files->inner, path, diag));
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_list(struct fk_files *base, struct fk_arena *arena, const char ***names, size_t *count,
                             struct fk_diag *diag)
{
    struct disk_files *files = files_of(base);
    struct sim_disk_call call = {.disk = files->disk, .kind = SIM_FILE_DIRECTORY, .call = SIM_CALL_FILE_LIST};
    enum fk_err err = sim_disk_begin(&call, 0, diag);
    if (err == FK_OK) {
        err = files->inner->ops->list(files->inner, arena, names, count, diag);
    }
    return sim_disk_end(&call, err, diag);
}

static enum fk_err disk_sync_directory(struct fk_files *base, struct fk_diag *diag)
{
    struct disk_files *files = files_of(base);
    struct sim_disk_call call = {.disk = files->disk, .kind = SIM_FILE_DIRECTORY, .call = SIM_CALL_FILE_SYNC_DIRECTORY};
    enum fk_err err = sim_disk_begin(&call, 0, diag);
    if (err == FK_OK) {
        err = ON_DISK(files->inner->ops->sync_directory(files->inner, diag));
    }
    return sim_disk_end(&call, err, diag);
}

static void disk_free(struct fk_files *base)
{
    struct disk_files *files = files_of(base);
    files->inner->ops->free(files->inner);
    sim_own_free(files);
}

static const struct fk_file_ops disk_ops = {
    .open = disk_open,
    .close = disk_close,
    .read = disk_read,
    .write = disk_write,
    .sync = disk_sync,
    .size = disk_size,
    .allocate = disk_allocate,
    .truncate = disk_truncate,
    .lock = disk_lock,
    .rename = disk_rename,
    .remove = disk_remove,
    .list = disk_list,
    .sync_directory = disk_sync_directory,
    .free = disk_free,
};

struct fk_files *sim_disk_files(struct sim_disk *disk)
{
    struct disk_files *files = SIM_OWN_NEW(struct disk_files);
    struct sim_process *owner = sim_memory_of(NULL);
    *files = (struct disk_files){.base.ops = &disk_ops, .disk = disk, .inner = fk_memory_files_new(disk->memory)};
    (void)sim_memory_of(owner);
    return &files->base;
}
