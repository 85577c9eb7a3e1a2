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

/* Something that happened to the directory since it was synced: `removed` lost its name, `added` got one. */
struct directory_event {
    struct fk_list link;
    struct inode *inode; /* of `added`, held */
    char *removed;       /* or NULL */
    char *added;         /* or NULL */
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
    struct fk_list synced_names; /* as they were synced */
    struct fk_list events;       /* what happened to names since */
    int64_t limit;
    size_t sector_size; /* 0: a write is kept whole or not at all */
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

static struct name *find_name(const struct fk_list *names, const char *text)
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

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = (char *)fk_alloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static void free_directory_event(struct directory_event *event)
{
    if (event->inode != NULL) {
        inode_release(event->inode);
    }
    fk_free(event->removed);
    fk_free(event->added);
    fk_free(event);
}

/* Notes what happens to the names; false without memory. */
static bool note_names(struct fk_memory_disk *disk, const char *removed, const char *added, struct inode *inode)
{
    struct directory_event *event = (struct directory_event *)fk_alloc_zero(sizeof *event);
    if (event == NULL) {
        return false;
    }
    event->removed = removed == NULL ? NULL : copy_text(removed);
    event->added = added == NULL ? NULL : copy_text(added);
    if ((event->removed == NULL) != (removed == NULL) || (event->added == NULL) != (added == NULL)) {
        free_directory_event(event);
        return false;
    }
    if (added != NULL) {
        event->inode = inode;
        inode->references++;
    }
    fk_list_append(&disk->events, &event->link);
    return true;
}

/* The oldest event, done to the synced names where it is kept; false without memory. */
static bool settle_names(struct fk_memory_disk *disk, bool kept)
{
    struct directory_event *event = FK_CONTAINER_OF(disk->events.next, struct directory_event, link);
    bool done = true;
    if (kept && event->added != NULL) {
        struct name *old = find_name(&disk->synced_names, event->added);
        done = add_name(&disk->synced_names, event->added, event->inode);
        if (done && old != NULL) {
            remove_name(old);
        }
    }
    struct name *gone = kept && event->removed != NULL ? find_name(&disk->synced_names, event->removed) : NULL;
    if (done && gone != NULL) {
        remove_name(gone);
    }
    if (done) {
        fk_list_remove(&event->link);
        free_directory_event(event);
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
        fk_list_init(&disk->events);
        disk->limit = INT64_MAX;
    }
    return disk;
}

void fk_memory_disk_free(struct fk_memory_disk *disk)
{
    FK_ASSERT(disk->open_files == 0);
    while (!fk_list_empty(&disk->events)) {
        bool done = settle_names(disk, false);
        FK_ASSERT(done);
    }
    clear_names(&disk->names);
    clear_names(&disk->synced_names);
    FK_ASSERT(fk_list_empty(&disk->inodes));
    fk_free(disk);
}

void fk_memory_disk_limit(struct fk_memory_disk *disk, int64_t size)
{
    disk->limit = size;
}

void fk_memory_disk_tear(struct fk_memory_disk *disk, size_t sector_size)
{
    disk->sector_size = sector_size;
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
    if (name == NULL && (!note_names(disk, NULL, path, inode) || !add_name(&disk->names, path, inode))) {
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

/* Does to the synced contents what happened at [from, to) of an event's bytes, or a change of size. */
static bool settle_piece(struct inode *inode, const struct event *event, int64_t from, int64_t to)
{
    int64_t end = event->offset < 0 ? event->size : event->offset + to;
    bool resizes = event->offset < 0 || end > (int64_t)inode->synced.size;
    if (resizes && !resize(&inode->synced, end)) {
        return false;
    }
    if (event->offset >= 0) {
        memcpy(inode->synced.data + event->offset + from, event->bytes + from, (size_t)(to - from));
    }
    return true;
}

static enum fk_err memory_sync(struct fk_file *base, struct fk_diag *diag)
{
    (void)diag;
    struct inode *inode = file_of(base)->inode;
    while (!fk_list_empty(&inode->events)) {
        struct event *event = FK_CONTAINER_OF(inode->events.next, struct event, link);
        if (!settle_piece(inode, event, 0, event->size)) {
            return FK_ERR_NOMEM;
        }
        fk_list_remove(&event->link);
        fk_free(event);
    }
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
    if (!note_names(disk, from, to, source->inode) || !add_name(&disk->names, to, source->inode)) {
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
    if (!note_names(disk_of(files), path, NULL, NULL)) {
        return FK_ERR_NOMEM;
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
    while (!fk_list_empty(&disk->events)) {
        if (!settle_names(disk, true)) {
            return FK_ERR_NOMEM;
        }
    }
    return FK_OK;
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

/* What the disk has of one event; writes go to it sector by sector, where the disk tears them. */
static void settle_event(struct inode *inode, const struct event *event, size_t sector_size, fk_memory_keeps_fn keeps,
                         void *context)
{
    int64_t sector = (int64_t)sector_size;
    int64_t at = 0;
    do {
        int64_t to = event->size;
        if (event->offset >= 0 && sector > 0) {
            int64_t rest = sector - (event->offset + at) % sector;
            to = rest < event->size - at ? at + rest : event->size;
        }
        if (keeps(context)) {
            bool done = settle_piece(inode, event, at, to);
            FK_ASSERT(done);
        }
        at = to;
    } while (at < event->size);
}

static void settle_inode(struct inode *inode, size_t sector_size, fk_memory_keeps_fn keeps, void *context)
{
    for (struct fk_list *link = inode->events.next; link != &inode->events; link = link->next) {
        settle_event(inode, FK_CONTAINER_OF(link, struct event, link), sector_size, keeps, context);
    }
    forget_events(inode);
}

void fk_memory_file_fail_sync(struct fk_file *file, fk_memory_keeps_fn keeps, void *context)
{
    settle_inode(file_of(file)->inode, file_of(file)->disk->sector_size, keeps, context);
}

void fk_memory_disk_crash(struct fk_memory_disk *disk, fk_memory_keeps_fn keeps, void *context)
{
    FK_ASSERT(disk->open_files == 0);
    bool kept = true;
    while (!fk_list_empty(&disk->events)) {
        kept = kept && keeps(context);
        bool done = settle_names(disk, kept);
        FK_ASSERT(done);
    }
    clear_names(&disk->names);
    for (struct fk_list *link = disk->synced_names.next; link != &disk->synced_names; link = link->next) {
        const struct name *name = FK_CONTAINER_OF(link, struct name, link);
        bool done = add_name(&disk->names, name->text, name->inode);
        FK_ASSERT(done);
    }
    for (struct fk_list *link = disk->inodes.next; link != &disk->inodes; link = link->next) {
        struct inode *inode = FK_CONTAINER_OF(link, struct inode, link);
        settle_inode(inode, disk->sector_size, keeps, context);
        fk_buf_clear(&inode->now);
        fk_buf_append(&inode->now, fk_buf_view(&inode->synced));
        FK_ASSERT(!inode->now.failed);
    }
}

struct fk_bytes fk_memory_disk_look(const struct fk_memory_disk *disk, const char *path)
{
    const struct name *name = find_name(&disk->names, path);
    return name == NULL ? FK_BYTES_NULL : fk_buf_view(&name->inode->now);
}

void fk_memory_disk_damage(struct fk_memory_disk *disk, const char *path, int64_t offset, struct fk_bytes bytes)
{
    struct inode *inode = find_name(&disk->names, path)->inode;
    struct fk_buf *both[2] = {&inode->now, &inode->synced};
    for (size_t i = 0; i < 2; i++) {
        size_t left = (uint64_t)offset < both[i]->size ? both[i]->size - (size_t)offset : 0;
        if (left > 0 && bytes.size > 0) {
            memcpy(both[i]->data + offset, bytes.data, bytes.size < left ? bytes.size : left);
        }
    }
}

bool fk_memory_disk_is_dirty(const struct fk_memory_disk *disk)
{
    if (!fk_list_empty(&disk->events)) {
        return true;
    }
    for (const struct fk_list *link = disk->inodes.next; link != &disk->inodes; link = link->next) {
        if (!fk_list_empty(&FK_CONTAINER_OF(link, struct inode, link)->events)) {
            return true;
        }
    }
    return false;
}
