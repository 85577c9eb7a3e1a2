// SPDX-License-Identifier: Apache-2.0
#include "sim/client_watch.h"

#include "sim/own.h"
#include "wire/records.h"

void sim_watches_clear(struct sim_watches *watches)
{
    for (size_t i = 0; i < watches->count; i++) {
        sim_own_free((void *)(uintptr_t)watches->items[i].path.data);
    }
    watches->count = 0;
}

static struct sim_watch_entry *find(const struct sim_watches *watches, struct fk_bytes path)
{
    for (size_t i = 0; i < watches->count; i++) {
        if (fk_bytes_equal(watches->items[i].path, path)) {
            return &watches->items[i];
        }
    }
    return NULL;
}

unsigned sim_watches_get(const struct sim_watches *watches, struct fk_bytes path)
{
    const struct sim_watch_entry *entry = find(watches, path);
    return entry == NULL ? 0 : entry->kinds;
}

static void add(struct sim_watches *watches, struct fk_bytes path, unsigned kind)
{
    struct sim_watch_entry *entry = find(watches, path);
    if (entry == NULL) {
        if (watches->count == watches->capacity) {
            watches->capacity = watches->capacity == 0 ? 16 : watches->capacity * 2;
            watches->items =
                (struct sim_watch_entry *)sim_own_grow(watches->items, watches->capacity * sizeof *watches->items);
        }
        entry = &watches->items[watches->count++];
        uint8_t *copy = (uint8_t *)sim_own_take(path.size + 1);
        memcpy(copy, path.data, path.size);
        *entry = (struct sim_watch_entry){.path = fk_bytes_of(copy, path.size)};
    }
    entry->kinds |= kind;
}

static void answered_add_watch(struct sim_watches *watches, struct fk_bytes path, int32_t mode)
{
    add(watches, path, mode == 0 ? SIM_WATCH_PERSISTENT : SIM_WATCH_RECURSIVE);
}

static void drop_unused(struct sim_watches *watches, struct sim_watch_entry *entry)
{
    if (entry->kinds == 0) {
        sim_own_free((void *)(uintptr_t)entry->path.data);
        *entry = watches->items[--watches->count];
    }
}

static void answered_remove(struct sim_watches *watches, struct fk_bytes path, int32_t type)
{
    static const unsigned kinds[] = {
        [FK_WATCHER_CHILDREN] = SIM_WATCH_CHILD,
        [FK_WATCHER_DATA] = SIM_WATCH_DATA | SIM_WATCH_EXIST,
        [FK_WATCHER_ANY] = ~0U,
        [FK_WATCHER_PERSISTENT] = SIM_WATCH_PERSISTENT,
        [FK_WATCHER_RECURSIVE] = SIM_WATCH_RECURSIVE,
    };
    struct sim_watch_entry *entry = find(watches, path);
    if (entry != NULL) {
        entry->kinds &= ~kinds[type];
        drop_unused(watches, entry);
    }
}

void sim_watches_answered(struct sim_watches *watches, const struct sim_request *call)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&call->request));
    struct fk_bytes path = fk_read_bytes(&reader);
    bool ok = call->code == FK_CODE_OK;
    if (call->op == FK_OP_REMOVE_WATCHES) {
        if (ok) {
            answered_remove(watches, path, fk_read_i32(&reader));
        }
        return;
    }
    if (call->op == FK_OP_ADD_WATCH) {
        if (ok) {
            answered_add_watch(watches, path, fk_read_i32(&reader));
        }
        return;
    }
    bool reads = call->op == FK_OP_EXISTS || call->op == FK_OP_GET_DATA || call->op == FK_OP_GET_CHILDREN ||
                 call->op == FK_OP_GET_CHILDREN2;
    if (!reads || !fk_read_bool(&reader)) {
        return;
    }
    if (call->op == FK_OP_EXISTS && call->code == FK_CODE_NO_NODE) {
        add(watches, path, SIM_WATCH_EXIST);
    } else if (ok) {
        bool data = call->op == FK_OP_EXISTS || call->op == FK_OP_GET_DATA;
        add(watches, path, data ? SIM_WATCH_DATA : SIM_WATCH_CHILD);
    }
}

void sim_watches_fired(struct sim_watches *watches, int32_t type, struct fk_bytes path)
{
    struct sim_watch_entry *entry = find(watches, path);
    if (entry == NULL) {
        return;
    }
    if (type == FK_EVENT_CREATED || type == FK_EVENT_DATA_CHANGED) {
        entry->kinds &= ~(unsigned)(SIM_WATCH_DATA | SIM_WATCH_EXIST);
    } else if (type == FK_EVENT_DELETED) {
        entry->kinds &= ~(unsigned)(SIM_WATCH_DATA | SIM_WATCH_EXIST | SIM_WATCH_CHILD);
    } else {
        entry->kinds &= ~(unsigned)SIM_WATCH_CHILD;
    }
    drop_unused(watches, entry);
}

static void write_paths(const struct sim_watches *watches, unsigned kind, struct fk_buf *body)
{
    size_t count_at = body->size;
    int32_t count = 0;
    fk_write_i32(body, 0);
    for (size_t i = 0; i < watches->count; i++) {
        if ((watches->items[i].kinds & kind) != 0) {
            fk_write_bytes(body, watches->items[i].path);
            count++;
        }
    }
    fk_patch_i32(body, count_at, count);
}

int32_t sim_watches_request(const struct sim_watches *watches, int64_t relative_zxid, struct fk_buf *body)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < watches->count; i++) {
        kinds |= watches->items[i].kinds;
    }
    if (kinds == 0) {
        return 0;
    }
    bool persistent = (kinds & (SIM_WATCH_PERSISTENT | SIM_WATCH_RECURSIVE)) != 0;
    fk_write_i64(body, relative_zxid);
    write_paths(watches, SIM_WATCH_DATA, body);
    write_paths(watches, SIM_WATCH_EXIST, body);
    write_paths(watches, SIM_WATCH_CHILD, body);
    if (persistent) {
        write_paths(watches, SIM_WATCH_PERSISTENT, body);
        write_paths(watches, SIM_WATCH_RECURSIVE, body);
    }
    return persistent ? FK_OP_SET_WATCHES2 : FK_OP_SET_WATCHES;
}
