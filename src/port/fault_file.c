// SPDX-License-Identifier: Apache-2.0
#include "port/fault_file.h"

#include "base/alloc.h"
#include "base/container.h"

struct fault_files {
    struct fk_files base;
    struct fk_files *inner;
    struct fk_fault_plan *plan;
};

struct fault_file {
    struct fk_file base;
    struct fk_file *inner;
    struct fk_fault_plan *plan;
};

static const struct fk_file_ops fault_ops;

static struct fault_files *files_of(struct fk_files *files)
{
    return FK_CONTAINER_OF(files, struct fault_files, base);
}

static struct fault_file *file_of(struct fk_file *file)
{
    return FK_CONTAINER_OF(file, struct fault_file, base);
}

void fk_fault_plan_set(struct fk_fault_plan *plan, enum fk_fault_call call, uint64_t nth, bool all_after,
                       enum fk_err err)
{
    plan->call = call;
    plan->all_after = all_after;
    plan->err = err;
    atomic_store(&plan->seen, 0);
    atomic_store(&plan->failed, 0);
    atomic_store(&plan->nth, nth);
}

static bool changes_something(enum fk_fault_call call)
{
    return call != FK_FAULT_READ && call != FK_FAULT_LIST && call != FK_FAULT_LOCK && call != FK_FAULT_OPEN;
}

/* OK, or the error that this call shall give. */
static enum fk_err strike(struct fk_fault_plan *plan, enum fk_fault_call call, struct fk_diag *diag)
{
    bool counts = plan->call == call || (plan->call == FK_FAULT_CALLS && changes_something(call));
    uint64_t nth = atomic_load(&plan->nth);
    if (nth == 0 || !counts) {
        return FK_OK;
    }
    uint64_t number = atomic_fetch_add(&plan->seen, 1) + 1;
    if (number != nth && !(plan->all_after && number > nth)) {
        return FK_OK;
    }
    atomic_fetch_add(&plan->failed, 1);
    fk_diag_set(diag, "injected fault: %s", fk_err_text(plan->err));
    return plan->err;
}

static enum fk_err fault_open(struct fk_files *base, const char *path, enum fk_open_mode mode, struct fk_file **out,
                              struct fk_diag *diag)
{
    struct fault_files *files = files_of(base);
    enum fk_err err = strike(files->plan, FK_FAULT_OPEN, diag);
    struct fault_file *file = err == FK_OK ? (struct fault_file *)fk_alloc_zero(sizeof *file) : NULL;
    if (err == FK_OK) {
        err = file == NULL ? FK_ERR_NOMEM : files->inner->ops->open(files->inner, path, mode, &file->inner, diag);
    }
    if (err != FK_OK) {
        fk_free(file);
        return err;
    }
    file->base.ops = &fault_ops;
    file->plan = files->plan;
    *out = &file->base;
    return FK_OK;
}

static void fault_close(struct fk_file *base)
{
    struct fault_file *file = file_of(base);
    file->inner->ops->close(file->inner);
    fk_free(file);
}

static enum fk_err fault_read(struct fk_file *base, int64_t offset, uint8_t *bytes, size_t size, size_t *got,
                              struct fk_diag *diag)
{
    struct fault_file *file = file_of(base);
    enum fk_err err = strike(file->plan, FK_FAULT_READ, diag);
    return err != FK_OK ? err : file->inner->ops->read(file->inner, offset, bytes, size, got, diag);
}

static enum fk_err fault_write(struct fk_file *base, int64_t offset, struct fk_bytes bytes, struct fk_diag *diag)
{
    struct fault_file *file = file_of(base);
    enum fk_err err = strike(file->plan, FK_FAULT_WRITE, diag);
    if (err != FK_OK) {
        (void)file->inner->ops->write(file->inner, offset, fk_bytes_head(bytes, bytes.size / 2), NULL);
        return err;
    }
    return file->inner->ops->write(file->inner, offset, bytes, diag);
}

static enum fk_err fault_sync(struct fk_file *base, struct fk_diag *diag)
{
    struct fault_file *file = file_of(base);
    enum fk_err err = strike(file->plan, FK_FAULT_SYNC, diag);
    return err != FK_OK ? err : file->inner->ops->sync(file->inner, diag);
}

static enum fk_err fault_size(struct fk_file *base, int64_t *size, struct fk_diag *diag)
{
    struct fault_file *file = file_of(base);
    return file->inner->ops->size(file->inner, size, diag);
}

static enum fk_err fault_allocate(struct fk_file *base, int64_t size, struct fk_diag *diag)
{
    struct fault_file *file = file_of(base);
    enum fk_err err = strike(file->plan, FK_FAULT_ALLOCATE, diag);
    return err != FK_OK ? err : file->inner->ops->allocate(file->inner, size, diag);
}

static enum fk_err fault_truncate(struct fk_file *base, int64_t size, struct fk_diag *diag)
{
    struct fault_file *file = file_of(base);
    enum fk_err err = strike(file->plan, FK_FAULT_TRUNCATE, diag);
    return err != FK_OK ? err : file->inner->ops->truncate(file->inner, size, diag);
}

static enum fk_err fault_lock(struct fk_file *base, bool exclusive, struct fk_diag *diag)
{
    struct fault_file *file = file_of(base);
    enum fk_err err = strike(file->plan, FK_FAULT_LOCK, diag);
    return err != FK_OK ? err : file->inner->ops->lock(file->inner, exclusive, diag);
}

static enum fk_err fault_rename(struct fk_files *base, const char *from, const char *to, struct fk_diag *diag)
{
    struct fault_files *files = files_of(base);
    enum fk_err err = strike(files->plan, FK_FAULT_RENAME, diag);
    return err != FK_OK ? err : files->inner->ops->rename(files->inner, from, to, diag);
}

static enum fk_err fault_remove(struct fk_files *base, const char *path, struct fk_diag *diag)
{
    struct fault_files *files = files_of(base);
    enum fk_err err = strike(files->plan, FK_FAULT_REMOVE, diag);
    return err != FK_OK ? err : files->inner->ops->remove(files->inner, path, diag);
}

static enum fk_err fault_list(struct fk_files *base, struct fk_arena *arena, const char ***names, size_t *count,
                              struct fk_diag *diag)
{
    struct fault_files *files = files_of(base);
    enum fk_err err = strike(files->plan, FK_FAULT_LIST, diag);
    return err != FK_OK ? err : files->inner->ops->list(files->inner, arena, names, count, diag);
}

static enum fk_err fault_sync_directory(struct fk_files *base, struct fk_diag *diag)
{
    struct fault_files *files = files_of(base);
    enum fk_err err = strike(files->plan, FK_FAULT_SYNC_DIRECTORY, diag);
    return err != FK_OK ? err : files->inner->ops->sync_directory(files->inner, diag);
}

static void fault_free(struct fk_files *base)
{
    struct fault_files *files = files_of(base);
    files->inner->ops->free(files->inner);
    fk_free(files);
}

static const struct fk_file_ops fault_ops = {
    .open = fault_open,
    .close = fault_close,
    .read = fault_read,
    .write = fault_write,
    .sync = fault_sync,
    .size = fault_size,
    .allocate = fault_allocate,
    .truncate = fault_truncate,
    .lock = fault_lock,
    .rename = fault_rename,
    .remove = fault_remove,
    .list = fault_list,
    .sync_directory = fault_sync_directory,
    .free = fault_free,
};

struct fk_files *fk_fault_files_new(struct fk_files *inner, struct fk_fault_plan *plan)
{
    struct fault_files *files = (struct fault_files *)fk_alloc_zero(sizeof *files);
    if (files == NULL) {
        return NULL;
    }
    files->base.ops = &fault_ops;
    files->inner = inner;
    files->plan = plan;
    return &files->base;
}
