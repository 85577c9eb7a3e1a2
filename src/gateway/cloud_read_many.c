// SPDX-License-Identifier: Apache-2.0
/* Reads over the table that need more than the record of one path: a session's ephemeral nodes, and how many nodes are
 * below one. Blocking. */
#include "gateway/cloud_internal.h"

#include "base/alloc.h"

enum {
    PAGE_ITEMS = 1000,
};

/* The item says nothing about zxids. The zxid record is read behind it, and the item again: if it is the same, it was
 * so at that zxid. */
enum fk_err fk_cloud_ephemerals_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_page *page)
{
    struct fk_arena *arena = &job->base.arena;
    struct fk_key key = fk_key_ephemerals(arena, job->base.session_id);
    struct fk_ephemerals_record record = {.count = 0};
    struct fk_zx_record zx;
    struct fk_item before;
    struct fk_item item;
    int64_t stamp = 0;
    *page = (struct fk_page){.names = NULL};
    enum fk_err err = fk_cloud_get(ports, &key, arena, &before);
    if (err == FK_OK) {
        err = fk_cloud_zx_run(job, ports, &zx, &stamp);
    }
    if (err == FK_OK) {
        err = fk_cloud_get(ports, &key, arena, &item);
    }
    if (err == FK_OK && item.stamp != before.stamp) {
        return FK_ERR_REFUSED;
    }
    if (err == FK_OK && item.stamp != 0) {
        err = fk_ephemerals_record_read(item.value, arena, &record);
    }
    page->names = record.paths;
    page->count = record.count;
    return err;
}

/* Paths whose children are to be counted, in the job's arena. */
struct walk {
    struct fk_cloud_job *job;
    const struct fk_ports *ports;
    struct fk_bytes paths[FK_CLOUD_COUNT_MAX + 1];
    size_t next;
    size_t known;
    int64_t count;
};

static enum fk_err note_child(struct walk *walk, struct fk_bytes parent, const struct fk_item *item,
                              struct fk_arena *scratch)
{
    struct fk_node_record record;
    enum fk_err err = fk_node_record_read(item->value, item->key.name, scratch, &record);
    if (err != FK_OK || !record.exists) {
        return err;
    }
    if (walk->count == FK_CLOUD_COUNT_MAX) {
        return FK_ERR_TOO_LARGE;
    }
    walk->count++;
    if (record.node.num_children > 0) {
        struct fk_bytes path = fk_path_of_child(&walk->job->base.arena, parent, item->key.name);
        if (path.data == NULL) {
            return FK_ERR_NOMEM;
        }
        walk->paths[walk->known++] = path;
    }
    return FK_OK;
}

/* One page of the children of a path; gives the name to go on after, null at the end. */
static enum fk_err count_page(struct walk *walk, struct fk_bytes path, struct fk_bytes *after, struct fk_arena *scratch)
{
    struct fk_backoff backoff = fk_cloud_backoff(walk->ports);
    struct fk_item_page items = {.count = 0};
    struct fk_bytes partition = fk_partition_children(scratch, path);
    enum fk_err err = FK_ERR_NOMEM;
    do {
        err = partition.data == NULL
                  ? FK_ERR_NOMEM
                  : fk_table_list(walk->ports->table, partition, *after, PAGE_ITEMS, scratch, &items);
    } while (fk_cloud_try_again(&backoff, err));
    for (size_t i = 0; i < items.count && err == FK_OK; i++) {
        err = note_child(walk, path, &items.items[i], scratch);
    }
    bool more = err == FK_OK && items.more && items.count > 0;
    *after = more ? fk_arena_copy(&walk->job->base.arena, items.items[items.count - 1].key.name) : FK_BYTES_NULL;
    return more && after->data == NULL ? FK_ERR_NOMEM : err;
}

static enum fk_err count_all(struct walk *walk, struct fk_bytes path)
{
    struct fk_arena scratch = FK_ARENA_EMPTY;
    enum fk_err err = FK_OK;
    walk->paths[0] = path;
    walk->next = 0;
    walk->known = 1;
    walk->count = 0;
    while (walk->next < walk->known && err == FK_OK) {
        struct fk_bytes at = walk->paths[walk->next++];
        struct fk_bytes after = FK_BYTES_NULL;
        do {
            err = count_page(walk, at, &after, &scratch);
            fk_arena_reset(&scratch);
        } while (err == FK_OK && after.data != NULL);
    }
    fk_arena_deinit(&scratch);
    return err;
}

/* The number is true for one state if nothing was committed while it was counted. That is tried a few times; under
 * steady writes it is the number of nodes that were met. */
enum fk_err fk_cloud_descendants_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_bytes path,
                                     int64_t *count)
{
    struct walk *walk = (struct walk *)fk_alloc(sizeof *walk);
    struct fk_zx_record zx = {.zxid = 0};
    int64_t before = -1;
    int64_t stamp = 0;
    enum fk_err err = walk == NULL ? FK_ERR_NOMEM : fk_cloud_zx_run(job, ports, &zx, &stamp);
    for (int tries = 0; tries < FK_JOB_TRIES && err == FK_OK && zx.zxid != before; tries++) {
        before = zx.zxid;
        walk->job = job;
        walk->ports = ports;
        err = count_all(walk, path);
        if (err == FK_OK) {
            err = fk_cloud_zx_run(job, ports, &zx, &stamp);
        }
    }
    *count = err == FK_OK ? walk->count : 0;
    fk_free(walk);
    return err;
}
