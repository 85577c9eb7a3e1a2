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
    PAGE_ITEMS = 4000, /* 1 MB of the smallest ones is no more than twice that */
    REFUSED_MAX = 3,   /* tries of a read that finds no state that was true at one moment */
};

/* A record that a multiRead has shown. */
struct shown {
    struct fk_bytes path;
    int64_t zxid;
    bool exists;
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
    size_t names;                /* listed so far */
    bool children;               /* a read of children */
    bool many;                   /* a multiRead */
    bool listed;                 /* children were listed */
    struct fk_arena scratch;     /* of one page: the values of children are not kept */
    struct shown shown[FK_CLOUD_MULTI_READ_MAX];
    size_t shown_count;
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
    if (!record->exists || !reading->job->base.wanted_data || record->place == FK_DATA_INLINE) {
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
    if (reading->job->base.wanted == FK_WATCH_RECURSIVE) {
        nodes[0] = (struct fk_node){.path = FK_BYTES_NULL}; /* nobody asks for the node */
        reading->err = fk_cloud_recursive_run(reading->job, reading->ports, paths[0]);
        return reading->err;
    }
    if (reading->shown_count == FK_CLOUD_MULTI_READ_MAX) {
        reading->err = FK_ERR_TOO_LARGE;
        return reading->err;
    }
    reading->err = load(reading, paths[0], reading->job->base.wanted);
    if (reading->err != FK_OK) {
        return reading->err;
    }
    if (reading->many) {
        reading->shown[reading->shown_count++] =
            (struct shown){paths[0], reading->last.record.zxid, reading->last.record.exists};
    }
    show(reading->job, &reading->last.record);
    nodes[0] = reading->last.record.node;
    if (!reading->last.record.exists) {
        nodes[0].path = FK_BYTES_NULL;
    }
    return FK_OK;
}

/* H18: the list is read in pages, after the parent. A child that is older than the parent's last change of children,
 * and still there, was there at that change; one that is newer was not, and is left out (check_children). */
static bool is_newer(const struct reading *reading, const struct fk_node_record *child)
{
    return reading->children && child->node.czxid > reading->last.record.node.pzxid && !FK_MUTANT(CHILDREN_NOT_CHECKED);
}

/* Keeps the names of nodes that exist, in the arena. */
static enum fk_err take_names(struct reading *reading, const struct fk_item_page *items, struct fk_arena *arena,
                              struct fk_page *page)
{
    page->names = (struct fk_bytes *)fk_arena_alloc(arena, (items->count + 1) * sizeof *page->names);
    page->count = 0;
    if (page->names == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < items->count; i++) {
        struct fk_node_record record;
        struct fk_bytes name = items->items[i].key.name;
        enum fk_err err = fk_node_record_read(items->items[i].value, name, &reading->scratch, &record);
        if (err != FK_OK) {
            return err;
        }
        if (record.exists && is_newer(reading, &record)) {
            FK_MARK(CHILD_TOO_NEW);
        } else if (record.exists) {
            page->names[page->count] = fk_arena_copy(arena, name);
            if (page->names[page->count++].data == NULL) {
                return FK_ERR_NOMEM;
            }
        }
    }
    reading->names += page->count;
    return FK_OK;
}

static enum fk_err reading_list(struct fk_store *store, enum fk_view view, const struct fk_list_key *key,
                                struct fk_arena *arena, struct fk_page *page)
{
    struct reading *reading = reading_of(store);
    if (key->kind == FK_LIST_EPHEMERALS) {
        reading->err = fk_cloud_ephemerals_run(reading->job, reading->ports, page);
        return reading->err;
    }
    reading->listed = true;
    struct fk_backoff backoff = fk_cloud_backoff(reading->ports);
    struct fk_bytes partition = fk_partition_children(arena, key->path);
    struct fk_bytes after = page->cursor == 0 ? FK_BYTES_NULL : reading->after;
    struct fk_item_page items = {.count = 0};
    (void)view;
    do {
        fk_arena_reset(&reading->scratch);
        reading->err = partition.data == NULL ? FK_ERR_NOMEM
                                              : fk_table_list(reading->ports->table, partition, after, PAGE_ITEMS,
                                                              &reading->scratch, &items);
    } while (fk_cloud_try_again(&backoff, reading->err));
    if (reading->err != FK_OK) {
        return reading->err;
    }
    page->cursor = 1;
    page->more = items.more && items.count > 0;
    if (page->more) {
        reading->after = fk_arena_copy(arena, items.items[items.count - 1].key.name);
    }
    bool kept = !page->more || reading->after.data != NULL;
    reading->err = kept ? take_names(reading, &items, arena, page) : FK_ERR_NOMEM;
    return reading->err;
}

static enum fk_err reading_descendants(struct fk_store *store, struct fk_bytes path, int64_t *count)
{
    struct reading *reading = reading_of(store);
    enum fk_err err = fk_cloud_descendants_run(reading->job, reading->ports, path, count);
    reading->err = err == FK_ERR_TOO_LARGE ? FK_OK : err; /* an answer of its own */
    return err;
}

static const struct fk_store_ops reading_ops = {.name = "reading",
                                                .zxid = reading_zxid,
                                                .get_many = reading_get_many,
                                                .list = reading_list,
                                                .descendants = reading_descendants};

/* Begins the reply anew. */
static void clear_reply(struct fk_cloud_job *job)
{
    fk_buf_clear(&job->base.reply);
    fk_buf_clear(&job->base.actions);
    job->base.zxid = 0;
    job->base.watch = 0;
    job->pend = 0;
}

/* H18: what was listed are some of the children that the parent's record counts (is_newer). If they are as many, they
 * are all of them, whatever has changed since; the watch was registered with that record. REFUSED where one is missing:
 * it was deleted before the list came to it. */
static enum fk_err check_children(const struct reading *reading)
{
    if (reading->names == (size_t)reading->last.record.node.num_children || FK_MUTANT(CHILDREN_NOT_CHECKED)) {
        return FK_OK;
    }
    FK_MARK(CHILDREN_AGAIN);
    return FK_ERR_REFUSED;
}

/* A multiRead shows one state: if no record that it read has changed when all were read, they all were true at that
 * moment. REFUSED where one has. */
static enum fk_err check_many(struct reading *reading)
{
    enum fk_err err = FK_OK;
    reading->job->base.wanted_data = false;
    bool one = reading->shown_count == 1 && !reading->listed;
    for (size_t i = 0; i < reading->shown_count && !one && err == FK_OK; i++) {
        const struct shown *shown = &reading->shown[i];
        const struct fk_node_record *record = &reading->last.record;
        err = load(reading, shown->path, 0);
        if (err == FK_OK && (record->zxid != shown->zxid || record->exists != shown->exists)) {
            err = FK_ERR_REFUSED;
        }
    }
    return err;
}

/* Another try? What changes faster than it can be read is not tried for ever. */
static bool read_again(struct fk_backoff *backoff, enum fk_err err, int *refused)
{
    *refused += err == FK_ERR_REFUSED ? 1 : 0;
    return *refused < REFUSED_MAX && fk_cloud_try_again(backoff, err);
}

static void run(struct reading *reading)
{
    struct fk_cloud_job *job = reading->job;
    struct fk_backoff backoff = fk_cloud_backoff(reading->ports);
    reading->children = job->base.op == FK_OP_GET_CHILDREN || job->base.op == FK_OP_GET_CHILDREN2;
    reading->many = job->base.op == FK_OP_MULTI_READ;
    int refused = 0;
    do {
        clear_reply(job);
        reading->err = FK_OK;
        reading->shown_count = 0;
        reading->listed = false;
        reading->names = 0;
        fk_job_run(&job->base, &reading->base);
        if (reading->err == FK_OK && reading->children && job->base.code == FK_CODE_OK) {
            reading->err = check_children(reading);
        } else if (reading->err == FK_OK && reading->many) {
            reading->err = check_many(reading);
        }
    } while (read_again(&backoff, reading->err, &refused));
}

/* Watches that a client sets again after it moved are set in the end: it does not look at the answer. */
static bool gives_up(const struct fk_cloud_job *job)
{
    return job->base.op != FK_OP_SET_WATCHES && job->base.op != FK_OP_SET_WATCHES2 && job->base.op != FK_OP_ADD_WATCH;
}

void fk_cloud_read_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct reading reading = {.base = {.ops = &reading_ops}, .job = job, .ports = ports, .scratch = FK_ARENA_EMPTY};
    run(&reading);
    fk_arena_deinit(&reading.scratch);
    if (reading.many && reading.err == FK_ERR_TOO_LARGE) {
        reading.err = FK_OK;
        job->base.code = FK_CODE_BAD_ARGUMENTS;
    }
    if (reading.err == FK_ERR_REFUSED && gives_up(job)) {
        FK_MARK(READ_GIVEN_UP);
        clear_reply(job);
        reading.err = FK_OK;
        job->base.code = FK_CODE_OPERATION_TIMEOUT; /* clients try again */
    }
    job->err = reading.err;
    if (job->err == FK_OK) {
        job->err = fk_cloud_check_run(job, ports);
    }
}
