// SPDX-License-Identifier: Apache-2.0
#include "driver/memory/file.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/container.h"
#include "base/list.h"

#include <stdlib.h>

/* Something that happened to a file since it was synced. */
struct event {
    struct fk_list link;
    int64_t offset; /* of a write; -1: the file got the size `size` */
    int64_t size;
    uint8_t bytes[];
};

/* Contents of a file, which may have a name, two (one in the directory as synced), or none but open handles. */
struct inode {
    struct fk_list link;
    struct fk_list events;
    struct fk_buf now;
    struct fk_buf synced;
    size_t references;
    size_t shared_locks;
    bool exclusive_lock;
};

struct name {
    struct fk_list link;
    struct inode *inode;
    char text[];
};

struct fk_memory_disk {
    struct fk_list inodes;
    struct fk_list names;        /* as everybody sees them */
    struct fk_list synced_names; /* as they are after a crash */
    int64_t limit;
    size_t open_files;
};

struct memory_files {
    struct fk_files base;
    struct fk_memory_disk *disk;
};

enum lock_kind {
    UNLOCKED,
    SHARED,
    EXCLUSIVE,
};

struct memory_file {
    struct fk_file base;
    struct fk_memory_disk *disk;
    struct inode *inode;
    enum fk_open_mode mode;
    enum lock_kind lock;
};

static const struct fk_file_ops memory_ops;

static struct memory_file *file_of(struct fk_file *file)
{
    return FK_CONTAINER_OF(file, struct memory_file, base);
}

static struct fk_memory_disk *disk_of(struct fk_files *files)
{
    return FK_CONTAINER_OF(files, struct memory_files, base)->disk;
}

static void forget_events(struct inode *inode)
{
    while (!fk_list_empty(&inode->events)) {
        struct event *event = FK_CONTAINER_OF(inode->events.next, struct event, link);
        fk_list_remove(&event->link);
        fk_free(event);
    }
}

static struct inode *inode_new(struct fk_memory_disk *disk)
{
    struct inode *inode = (struct inode *)fk_alloc_zero(sizeof *inode);
    if (inode != NULL) {
        fk_list_init(&inode->events);
        fk_list_append(&disk->inodes, &inode->link);
    }
    return inode;
}

static void inode_release(struct inode *inode)
{
    FK_ASSERT(inode->references > 0);
    if (--inode->references == 0) {
        forget_events(inode);
        fk_buf_deinit(&inode->now);
        fk_buf_deinit(&inode->synced);
        fk_list_remove(&inode->link);
        fk_free(inode);
    }
}

static struct name *find_name(struct fk_list *names, const char *text)
{
    for (struct fk_list *link = names->next; link != names; link = link->next) {
        struct name *name = FK_CONTAINER_OF(link, struct name, link);
        if (strcmp(name->text, text) == 0) {
            return name;
        }
    }
    return NULL;
}

/* Names an inode; false without memory. */
static bool add_name(struct fk_list *names, const char *text, struct inode *inode)
{
    size_t size = strlen(text) + 1;
    struct name *name = (struct name *)fk_alloc(sizeof *name + size);
    if (name == NULL) {
        return false;
    }
    memcpy(name->text, text, size);
    name->inode = inode;
    inode->references++;
    fk_list_append(names, &name->link);
    return true;
}

static void remove_name(struct name *name)
{
    fk_list_remove(&name->link);
    inode_release(name->inode);
    fk_free(name);
}

static void clear_names(struct fk_list *names)
{
    while (!fk_list_empty(names)) {
        remove_name(FK_CONTAINER_OF(names->next, struct name, link));
    }
}

static bool copy_names(struct fk_list *to, struct fk_list *from)
{
    bool done = true;
    for (struct fk_list *link = from->next; link != from && done; link = link->next) {
        struct name *name = FK_CONTAINER_OF(link, struct name, link);
        done = add_name(to, name->text, name->inode);
    }
    return done;
}

struct fk_memory_disk *fk_memory_disk_new(void)
{
    struct fk_memory_disk *disk = (struct fk_memory_disk *)fk_alloc_zero(sizeof *disk);
    if (disk != NULL) {
        fk_list_init(&disk->inodes);
        fk_list_init(&disk->names);
        fk_list_init(&disk->synced_names);
        disk->limit = INT64_MAX;
    }
    return disk;
}

void fk_memory_disk_free(struct fk_memory_disk *disk)
{
    FK_ASSERT(disk->open_files == 0);
    clear_names(&disk->names);
    clear_names(&disk->synced_names);
    FK_ASSERT(fk_list_empty(&disk->inodes));
    fk_free(disk);
}

void fk_memory_disk_limit(struct fk_memory_disk *disk, int64_t size)
{
    disk->limit = size;
}

static int64_t used(const struct fk_memory_disk *disk)
{
    int64_t sum = 0;
    for (const struct fk_list *link = disk->inodes.next; link != &disk->inodes; link = link->next) {
        sum += (int64_t)FK_CONTAINER_OF(link, struct inode, link)->now.size;
    }
    return sum;
}

/* Changes the size; what is new is zeros. */
static bool resize(struct fk_buf *buf, int64_t size)
{
    size_t wanted = (size_t)size;
    if (wanted > buf->size) {
        uint8_t *room = fk_buf_reserve(buf, wanted - buf->size);
        if (room == NULL) {
            buf->failed = false;
            return false;
        }
        memset(room, 0, wanted - buf->size);
    }
    buf->size = wanted;
    return true;
}

static bool note(struct inode *inode, int64_t offset, struct fk_bytes bytes, int64_t size)
{
    struct event *event = (struct event *)fk_alloc(sizeof *event + bytes.size);
    if (event == NULL) {
        return false;
    }
    event->offset = offset;
    event->size = size;
    if (bytes.size > 0) {
        memcpy(event->bytes, bytes.data, bytes.size);
    }
    fk_list_append(&inode->events, &event->link);
    return true;
}

static enum fk_err missing(const char *path, struct fk_diag *diag)
{
    fk_diag_set(diag, "%s does not exist", path);
    return FK_ERR_NOT_FOUND;
}

static enum fk_err memory_open(struct fk_files *files, const char *path, enum fk_open_mode mode, struct fk_file **out,
                               struct fk_diag *diag)
{
    struct fk_memory_disk *disk = disk_of(files);
    struct name *name = find_name(&disk->names, path);
    if (mode == FK_OPEN_CREATE && name != NULL) {
        fk_diag_set(diag, "%s exists", path);
        return FK_ERR_EXISTS;
    }
    if (mode != FK_OPEN_CREATE && name == NULL) {
        return missing(path, diag);
    }
    struct memory_file *file = (struct memory_file *)fk_alloc_zero(sizeof *file);
    struct inode *inode = file == NULL || name != NULL ? NULL : inode_new(disk);
    if (file == NULL || (name == NULL && inode == NULL)) {
        fk_free(file);
        return FK_ERR_NOMEM;
    }
    if (inode == NULL) {
        inode = name->inode;
    }
    inode->references++;
    if (name == NULL && !add_name(&disk->names, path, inode)) {
        inode_release(inode);
        fk_free(file);
        return FK_ERR_NOMEM;
    }
    *file = (struct memory_file){.base.ops = &memory_ops, .disk = disk, .inode = inode, .mode = mode};
    disk->open_files++;
    *out = &file->base;
    return FK_OK;
}

static void unlock(struct memory_file *file)
{
    file->inode->shared_locks -= file->lock == SHARED ? 1 : 0;
    file->inode->exclusive_lock = file->inode->exclusive_lock && file->lock != EXCLUSIVE;
    file->lock = UNLOCKED;
}

static void memory_close(struct fk_file *base)
{
    struct memory_file *file = file_of(base);
    unlock(file);
    file->disk->open_files--;
    inode_release(file->inode);
    fk_free(file);
}

static enum fk_err memory_read(struct fk_file *base, int64_t offset, uint8_t *bytes, size_t size, size_t *got,
                               struct fk_diag *diag)
{
    (void)diag;
    const struct fk_buf *now = &file_of(base)->inode->now;
    size_t left = (uint64_t)offset < now->size ? now->size - (size_t)offset : 0;
    *got = left < size ? left : size;
    if (*got > 0) {
        memcpy(bytes, now->data + offset, *got);
    }
    return FK_OK;
}

static enum fk_err read_only(struct fk_diag *diag)
{
    fk_diag_set(diag, "the file is open for reading only");
    return FK_ERR_IO;
}

/* FULL where the file may not become that large. */
static enum fk_err check_space(struct memory_file *file, int64_t size, struct fk_diag *diag)
{
    int64_t more = size - (int64_t)file->inode->now.size;
    if (more > 0 && more > file->disk->limit - used(file->disk)) {
        fk_diag_set(diag, "the disk is full");
        return FK_ERR_FULL;
    }
    return FK_OK;
}

static enum fk_err memory_write(struct fk_file *base, int64_t offset, struct fk_bytes bytes, struct fk_diag *diag)
{
    struct memory_file *file = file_of(base);
    struct inode *inode = file->inode;
    int64_t end = offset + (int64_t)bytes.size;
    if (file->mode == FK_OPEN_READ) {
        return read_only(diag);
    }
    enum fk_err err = check_space(file, end, diag);
    if (err != FK_OK || bytes.size == 0) {
        return err;
    }
    if (((int64_t)inode->now.size < end && !resize(&inode->now, end)) ||
        !note(inode, offset, bytes, (int64_t)bytes.size)) {
        return FK_ERR_NOMEM;
    }
    memcpy(inode->now.data + offset, bytes.data, bytes.size);
    return FK_OK;
}

static enum fk_err memory_sync(struct fk_file *base, struct fk_diag *diag)
{
    (void)diag;
    struct inode *inode = file_of(base)->inode;
    fk_buf_clear(&inode->synced);
    fk_buf_append(&inode->synced, fk_buf_view(&inode->now));
    if (inode->synced.failed) {
        return FK_ERR_NOMEM;
    }
    forget_events(inode);
    return FK_OK;
}

static enum fk_err memory_size(struct fk_file *base, int64_t *size, struct fk_diag *diag)
{
    (void)diag;
    *size = (int64_t)file_of(base)->inode->now.size;
    return FK_OK;
}

static enum fk_err memory_truncate(struct fk_file *base, int64_t size, struct fk_diag *diag)
{
    struct memory_file *file = file_of(base);
    if (file->mode == FK_OPEN_READ) {
        return read_only(diag);
    }
    enum fk_err err = check_space(file, size, diag);
    if (err == FK_OK && (!note(file->inode, -1, FK_BYTES_NULL, size) || !resize(&file->inode->now, size))) {
        return FK_ERR_NOMEM;
    }
    return err;
}

static enum fk_err memory_allocate(struct fk_file *base, int64_t size, struct fk_diag *diag)
{
    struct memory_file *file = file_of(base);
    return (int64_t)file->inode->now.size >= size ? FK_OK : memory_truncate(base, size, diag);
}

static enum fk_err memory_lock(struct fk_file *base, bool exclusive, struct fk_diag *diag)
{
    struct memory_file *file = file_of(base);
    struct inode *inode = file->inode;
    size_t others_shared = inode->shared_locks - (file->lock == SHARED ? 1 : 0);
    bool others_exclusive = inode->exclusive_lock && file->lock != EXCLUSIVE;
    if (others_exclusive || (exclusive && others_shared > 0)) {
        fk_diag_set(diag, "the file is locked");
        return FK_ERR_LOCKED;
    }
    unlock(file);
    file->lock = exclusive ? EXCLUSIVE : SHARED;
    inode->shared_locks += exclusive ? 0 : 1;
    inode->exclusive_lock = exclusive;
    return FK_OK;
}

static enum fk_err memory_rename(struct fk_files *files, const char *from, const char *to, struct fk_diag *diag)
{
    struct fk_memory_disk *disk = disk_of(files);
    struct name *source = find_name(&disk->names, from);
    struct name *target = find_name(&disk->names, to);
    if (source == NULL) {
        return missing(from, diag);
    }
    if (source == target) {
        return FK_OK;
    }
    if (!add_name(&disk->names, to, source->inode)) {
        return FK_ERR_NOMEM;
    }
    if (target != NULL) {
        remove_name(target);
    }
    remove_name(source);
    return FK_OK;
}

static enum fk_err memory_remove(struct fk_files *files, const char *path, struct fk_diag *diag)
{
    struct name *name = find_name(&disk_of(files)->names, path);
    if (name == NULL) {
        return missing(path, diag);
    }
    remove_name(name);
    return FK_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum fk_err memory_list(struct fk_files *files, struct fk_arena *arena, const char ***names, size_t *count,
                               struct fk_diag *diag)
{
    (void)diag;
    struct fk_list *list = &disk_of(files)->names;
    size_t room = 0;
    for (struct fk_list *link = list->next; link != list; link = link->next) {
        room++;
    }
    *count = 0;
    *names = (const char **)fk_arena_alloc(arena, room * sizeof **names);
    for (struct fk_list *link = list->next; link != list && *names != NULL; link = link->next) {
        const struct name *name = FK_CONTAINER_OF(link, struct name, link);
        struct fk_bytes copy = fk_arena_copy(arena, fk_bytes_of(name->text, strlen(name->text) + 1));
        if (copy.data == NULL) {
            return FK_ERR_NOMEM;
        }
        (*names)[(*count)++] = (const char *)copy.data;
    }
    if (*names != NULL) {
        qsort(*names, *count, sizeof **names, compare_names);
    }
    return *names == NULL ? FK_ERR_NOMEM : FK_OK;
}

static enum fk_err memory_sync_directory(struct fk_files *files, struct fk_diag *diag)
{
    (void)diag;
    struct fk_memory_disk *disk = disk_of(files);
    clear_names(&disk->synced_names);
    return copy_names(&disk->synced_names, &disk->names) ? FK_OK : FK_ERR_NOMEM;
}

static void memory_free(struct fk_files *files)
{
    fk_free(FK_CONTAINER_OF(files, struct memory_files, base));
}

static const struct fk_file_ops memory_ops = {
    .open = memory_open,
    .close = memory_close,
    .read = memory_read,
    .write = memory_write,
    .sync = memory_sync,
    .size = memory_size,
    .allocate = memory_allocate,
    .truncate = memory_truncate,
    .lock = memory_lock,
    .rename = memory_rename,
    .remove = memory_remove,
    .list = memory_list,
    .sync_directory = memory_sync_directory,
    .free = memory_free,
};

struct fk_files *fk_memory_files_new(struct fk_memory_disk *disk)
{
    struct memory_files *files = (struct memory_files *)fk_alloc_zero(sizeof *files);
    if (files == NULL) {
        return NULL;
    }
    files->base.ops = &memory_ops;
    files->disk = disk;
    return &files->base;
}

static void crash_inode(struct inode *inode, bool (*keeps)(void *context), void *context)
{
    struct fk_buf after = inode->synced;
    inode->synced = FK_BUF_EMPTY;
    for (struct fk_list *link = inode->events.next; link != &inode->events; link = link->next) {
        const struct event *event = FK_CONTAINER_OF(link, struct event, link);
        if (!keeps(context)) {
            continue;
        }
        int64_t end = event->offset < 0 ? event->size : event->offset + event->size;
        bool grows = end > (int64_t)after.size;
        if (grows || event->offset < 0) {
            bool done = resize(&after, end);
            FK_ASSERT(done);
        }
        if (event->offset >= 0) {
            memcpy(after.data + event->offset, event->bytes, (size_t)event->size);
        }
    }
    forget_events(inode);
    fk_buf_deinit(&inode->now);
    inode->now = after;
    fk_buf_append(&inode->synced, fk_buf_view(&after));
    FK_ASSERT(!inode->synced.failed);
}

void fk_memory_disk_crash(struct fk_memory_disk *disk, bool (*keeps)(void *context), void *context)
{
    FK_ASSERT(disk->open_files == 0);
    struct fk_list *to = keeps(context) ? &disk->synced_names : &disk->names;
    struct fk_list *from = to == &disk->names ? &disk->synced_names : &disk->names;
    clear_names(to);
    bool done = copy_names(to, from);
    FK_ASSERT(done);
    for (struct fk_list *link = disk->inodes.next; link != &disk->inodes; link = link->next) {
        crash_inode(FK_CONTAINER_OF(link, struct inode, link), keeps, context);
    }
}

bool fk_memory_disk_is_dirty(const struct fk_memory_disk *disk)
{
    for (const struct fk_list *link = disk->inodes.next; link != &disk->inodes; link = link->next) {
        if (!fk_list_empty(&FK_CONTAINER_OF(link, struct inode, link)->events)) {
            return true;
        }
    }
    return false;
}
