// SPDX-License-Identifier: Apache-2.0
/* Reads as jobs over the table. The rules of what a read replies are those of read.c, which asks a store for records:
 * here that store is a view of the table for one job. It gathers what the reply must be held for (H11) and which zxid
 * it shows (H17). */
#include "gateway/cloud_internal.h"

#include "base/assert.h"
#include "function/data.h"
#include "model/acl.h"
#include "model/path.h"

enum {
    PAGE_ITEMS = 1000,
    OP_ADD_WATCH_RECURSIVE = 1, /* mode of addWatch */
};

/* A store for one job. */
struct reading {
    struct fk_store base;
    struct fk_cloud_job *job;
    const struct fk_ports *ports;
    enum fk_err err; /* the first port error: the job must run again */
    struct fk_bytes path;
    struct fk_cloud_record last; /* the record read last */
    struct fk_bytes after;       /* of the listing */
    bool children;               /* a read of children: the watch is registered after the list */
};

static struct reading *reading_of(struct fk_store *store)
{
    return FK_CONTAINER_OF(store, struct reading, base);
}

/* The reply shows the record: its zxid, the events before it, its generation. */
static void show(struct fk_cloud_job *job, const struct fk_node_record *record)
{
    int64_t pend = fk_gateway_zxids_get(&record->pend, job->gateway);
    job->base.node_zxid = record->zxid;
    job->base.zxid = record->zxid > job->base.zxid ? record->zxid : job->base.zxid;
    job->pend = pend > job->pend ? pend : job->pend;
    job->generation = record->generation > job->generation ? record->generation : job->generation;
}

static enum fk_err load_data(struct reading *reading, struct fk_node_record *record)
{
    if (!record->exists || reading->job->base.op != FK_OP_GET_DATA || record->place == FK_DATA_INLINE) {
        return FK_OK;
    }
    return fk_data_read(reading->ports, record, &reading->job->base.arena, &record->node.data);
}

/* The record of a path with its data; data that is gone belonged to a record that is not the newest any more (H18). */
static enum fk_err load(struct reading *reading, struct fk_bytes path, unsigned kinds)
{
    struct fk_cloud_job *job = reading->job;
    struct fk_backoff backoff = fk_cloud_backoff(reading->ports);
    enum fk_err err = FK_OK;
    do {
        err = fk_cloud_record_run(job, reading->ports, path, kinds, job->base.wanted_missing, &reading->last);
        if (err == FK_OK) {
            err = load_data(reading, &reading->last.record);
        }
        if (err == FK_ERR_NOT_FOUND) {
            FK_MARK(DATA_GONE);
            err = FK_ERR_REFUSED;
        }
    } while (fk_cloud_try_again(&backoff, err));
    return err;
}

static int64_t reading_zxid(struct fk_store *store, enum fk_view view)
{
    (void)store;
    (void)view;
    return 0; /* what the records show, show() */
}

static enum fk_err reading_get_many(struct fk_store *store, enum fk_view view, const struct fk_bytes *paths,
                                    size_t count, struct fk_arena *arena, struct fk_node *nodes)
{
    struct reading *reading = reading_of(store);
    (void)view;
    (void)arena;
    FK_ASSERT(count == 1);
    reading->path = paths[0];
    if (!fk_path_valid(paths[0])) {
        nodes[0] = (struct fk_node){.path = FK_BYTES_NULL}; /* no such name can be a node's */
        return FK_OK;
    }
    enum fk_err err = load(reading, paths[0], reading->children ? 0 : reading->job->base.wanted);
    if (err != FK_OK) {
        reading->err = err;
        return err;
    }
    show(reading->job, &reading->last.record);
    nodes[0] = reading->last.record.node;
    if (!reading->last.record.exists) {
        nodes[0].path = FK_BYTES_NULL;
    }
    return FK_OK;
}

/* Keeps the names of nodes that exist. */
static enum fk_err take_names(const struct fk_item_page *items, struct fk_arena *arena, struct fk_page *page)
{
    page->names = (struct fk_bytes *)fk_arena_alloc(arena, (items->count + 1) * sizeof *page->names);
    page->count = 0;
    if (page->names == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < items->count; i++) {
        struct fk_node_record record;
        enum fk_err err = fk_node_record_read(items->items[i].value, items->items[i].key.name, arena, &record);
        if (err != FK_OK) {
            return err;
        }
        if (record.exists) {
            page->names[page->count++] = items->items[i].key.name;
        }
    }
    return FK_OK;
}

static enum fk_err reading_list(struct fk_store *store, enum fk_view view, const struct fk_list_key *key,
                                struct fk_arena *arena, struct fk_page *page)
{
    struct reading *reading = reading_of(store);
    struct fk_backoff backoff = fk_cloud_backoff(reading->ports);
    struct fk_bytes partition = fk_partition_children(arena, key->path);
    struct fk_bytes after = page->cursor == 0 ? FK_BYTES_NULL : reading->after;
    struct fk_item_page items = {.count = 0};
    (void)view;
    do {
        reading->err = partition.data == NULL
                           ? FK_ERR_NOMEM
                           : fk_table_list(reading->ports->table, partition, after, PAGE_ITEMS, arena, &items);
    } while (fk_cloud_try_again(&backoff, reading->err));
    if (reading->err != FK_OK) {
        return reading->err;
    }
    if (items.count > 0) {
        reading->after = items.items[items.count - 1].key.name;
    }
    page->cursor = 1;
    page->more = items.more && items.count > 0;
    reading->err = take_names(&items, arena, page);
    return reading->err;
}

static const struct fk_store_ops reading_ops = {
    .name = "reading", .zxid = reading_zxid, .get_many = reading_get_many, .list = reading_list};

/* Begins the reply anew. */
static void clear_reply(struct fk_cloud_job *job)
{
    fk_buf_clear(&job->base.reply);
    fk_buf_clear(&job->base.actions);
    job->base.zxid = 0;
    job->base.watch = 0;
    job->pend = 0;
}

/* H18: the list is read in pages, so the parent is read again behind it, with the watch. What counts is the second
 * reading; REFUSED where it is not the same as the first. */
static enum fk_err check_children(struct reading *reading)
{
    struct fk_cloud_job *job = reading->job;
    struct fk_node_record first = reading->last.record;
    enum fk_err err = load(reading, reading->path, job->base.wanted);
    if (err != FK_OK) {
        return err;
    }
    if (!FK_MUTANT(CHILDREN_NOT_CHECKED) && (!reading->last.record.exists || reading->last.record.zxid != first.zxid)) {
        FK_MARK(CHILDREN_AGAIN);
        return FK_ERR_REFUSED;
    }
    show(job, &reading->last.record);
    return FK_OK;
}

static void run_known(struct reading *reading)
{
    struct fk_cloud_job *job = reading->job;
    struct fk_backoff backoff = fk_cloud_backoff(reading->ports);
    reading->children = job->base.op == FK_OP_GET_CHILDREN || job->base.op == FK_OP_GET_CHILDREN2;
    do {
        clear_reply(job);
        reading->err = FK_OK;
        fk_job_run(&job->base, &reading->base);
        if (reading->err == FK_OK && reading->children && job->base.code == FK_CODE_OK) {
            reading->err = check_children(reading);
        }
    } while (fk_cloud_try_again(&backoff, reading->err));
}

/* setWatches2: the lists of setWatches, then those of persistent and of recursive watches, which miss no event: they
 * were not asked for what changed meanwhile. */
static void register_lists(struct reading *reading, struct fk_reader *reader)
{
    static const unsigned kinds[] = {FK_WATCH_PERSISTENT, FK_WATCH_RECURSIVE};
    struct fk_cloud_job *job = reading->job;
    for (size_t list = 0; list < 2 && reading->err == FK_OK; list++) {
        int32_t count = fk_read_count(reader, 4);
        for (int32_t i = 0; i < count && reading->err == FK_OK; i++) {
            struct fk_bytes path = fk_read_bytes(reader);
            uint8_t action = FK_ACTION_WATCH;
            if (path.data == NULL || !fk_path_valid(fk_path_alias(path))) {
                reader->failed = true;
                return;
            }
            path = fk_path_alias(path);
            if (kinds[list] == FK_WATCH_RECURSIVE) {
                reading->err = fk_cloud_recursive_run(job, reading->ports, path);
            } else {
                job->base.wanted_missing = true;
                reading->err = load(reading, path, FK_WATCH_PERSISTENT);
                if (reading->err == FK_OK) {
                    show(job, &reading->last.record);
                }
            }
            fk_buf_append(&job->base.actions, fk_bytes_of(&action, 1));
            fk_write_i32(&job->base.actions, (int32_t)kinds[list]);
            fk_write_i64(&job->base.actions, job->base.node_zxid);
            fk_write_bytes(&job->base.actions, path);
        }
    }
}

static void run_set_watches2(struct reading *reading)
{
    struct fk_cloud_job *job = reading->job;
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->base.request));
    struct fk_set_watches_request request;
    job->base.op = FK_OP_SET_WATCHES; /* the front of the body is the same */
    run_known(reading);
    job->base.op = FK_OP_SET_WATCHES2;
    fk_read_set_watches_request(&reader, &request);
    if (reading->err == FK_OK && job->base.code == FK_CODE_OK) {
        register_lists(reading, &reader);
        if (reader.failed) {
            job->base.code = FK_CODE_MARSHALLING_ERROR;
            fk_buf_clear(&job->base.actions);
        }
    }
}

/* ZK: AddWatchRequest{path, mode}; the reply is an ErrorResponse. */
static void run_add_watch(struct reading *reading)
{
    struct fk_cloud_job *job = reading->job;
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->base.request));
    struct fk_bytes path = fk_read_bytes(&reader);
    int32_t mode = fk_read_i32(&reader);
    if (reader.failed || path.data == NULL) {
        job->base.code = FK_CODE_MARSHALLING_ERROR;
        return;
    }
    path = fk_path_alias(path);
    if (mode < 0 || mode > OP_ADD_WATCH_RECURSIVE || !fk_path_valid(path)) {
        job->base.code = FK_CODE_BAD_ARGUMENTS;
        return;
    }
    job->base.wanted_missing = true;
    if (mode == OP_ADD_WATCH_RECURSIVE) {
        reading->err = fk_cloud_recursive_run(job, reading->ports, path);
        job->base.watch = FK_WATCH_RECURSIVE;
    } else {
        reading->err = load(reading, path, FK_WATCH_PERSISTENT);
        job->base.watch = FK_WATCH_PERSISTENT;
        if (reading->err == FK_OK) {
            show(job, &reading->last.record);
        }
    }
    job->base.watch_path = path;
    fk_write_i32(&job->base.reply, 0);
}

void fk_cloud_read_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct reading reading = {.base = {.ops = &reading_ops}, .job = job, .ports = ports};
    if (job->base.op == FK_OP_ADD_WATCH) {
        run_add_watch(&reading);
    } else if (job->base.op == FK_OP_SET_WATCHES2) {
        run_set_watches2(&reading);
    } else {
        run_known(&reading);
    }
    job->err = reading.err;
    if (job->err == FK_OK) {
        job->err = fk_cloud_check_run(job, ports);
    }
}
