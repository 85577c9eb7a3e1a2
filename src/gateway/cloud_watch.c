// SPDX-License-Identifier: Apache-2.0
/* Reading the record of a path, and registering a watch in the same step (H14): the record is written back with this
 * gateway among its subscribers, conditional on the stamp that was read. If that succeeds, what was read was current at
 * that moment. A record that lists the gateway already needs no write, unless that entry may be removed at this moment
 * (cloud_unsubscribe.c).
 *
 * A missing node may have no item at all (H12). Then the nearest item above it stands for it: whoever deletes a node
 * puts its parent in the same commit. That item's zxid must be the same before and after the item below it was found
 * missing, else both were not true at one time. */
#include "gateway/cloud_internal.h"

#include "base/assert.h"
#include "model/path.h"

/* A path without an item: the nearest item above, and the path below that which has none. */
struct missing {
    struct fk_bytes above;
    struct fk_bytes below;
    struct fk_node_record record;
    int64_t stamp;
};

struct registering {
    struct fk_cloud_job *job;
    const struct fk_ports *ports;
    struct fk_backoff backoff;
};

static enum fk_err get_record(struct registering *at, struct fk_bytes path, struct fk_node_record *record,
                              int64_t *stamp)
{
    struct fk_arena *arena = &at->job->base.arena;
    struct fk_key key = fk_key_node(arena, path);
    struct fk_item item;
    enum fk_err err = fk_cloud_get(at->ports, &key, arena, &item);
    if (err != FK_OK) {
        return err;
    }
    *stamp = item.stamp;
    return item.stamp == 0 ? FK_OK : fk_node_record_read(item.value, path, arena, record);
}

/* Finds the nearest item above a path that has none; DAMAGED where there is none at all. */
static enum fk_err find_above(struct registering *at, struct fk_bytes path, struct missing *missing)
{
    struct fk_bytes name;
    *missing = (struct missing){.above = path};
    while (missing->stamp == 0) {
        missing->below = missing->above;
        if (missing->below.size <= 1 || !fk_path_split(missing->below, &missing->above, &name)) {
            return FK_ERR_DAMAGED;
        }
        enum fk_err err = get_record(at, missing->above, &missing->record, &missing->stamp);
        if (err != FK_OK) {
            return err;
        }
    }
    return FK_OK;
}

/* REFUSED where the tree moved on since find_above. */
static enum fk_err check_missing(struct registering *at, const struct missing *missing)
{
    struct fk_node_record record;
    int64_t stamp = 0;
    enum fk_err err = get_record(at, missing->below, &record, &stamp);
    if (err == FK_OK && stamp != 0) {
        return FK_ERR_REFUSED;
    }
    if (err == FK_OK) {
        err = get_record(at, missing->above, &record, &stamp);
    }
    if (err != FK_OK) {
        return err;
    }
    return stamp == 0 || record.zxid != missing->record.zxid ? FK_ERR_REFUSED : FK_OK;
}

static bool subscribed(const struct fk_subscriptions *subs, int64_t gateway, unsigned kinds)
{
    for (size_t i = 0; i < subs->count; i++) {
        if (subs->items[i].gateway == gateway) {
            return (subs->items[i].kinds & kinds) == kinds;
        }
    }
    return false;
}

/* The set with the gateway in it, in the arena. */
static bool subscribe(struct fk_arena *arena, struct fk_subscriptions *subs, int64_t gateway, unsigned kinds)
{
    size_t at = 0;
    while (at < subs->count && subs->items[at].gateway < gateway) {
        at++;
    }
    struct fk_subscription *items = (struct fk_subscription *)fk_arena_alloc(arena, (subs->count + 1) * sizeof *items);
    if (items == NULL) {
        return false;
    }
    bool there = at < subs->count && subs->items[at].gateway == gateway;
    for (size_t i = 0; i < at; i++) {
        items[i] = subs->items[i];
    }
    items[at] = (struct fk_subscription){.gateway = gateway, .kinds = kinds};
    if (there) {
        items[at].kinds |= subs->items[at].kinds;
    }
    size_t skip = there ? 1 : 0;
    for (size_t i = at + skip; i < subs->count; i++) {
        items[i + 1 - skip] = subs->items[i];
    }
    *subs = (struct fk_subscriptions){.items = items, .count = subs->count + 1 - skip};
    return true;
}

/* Writes the record of `path` with one more subscription; `missing` where it has no item. */
static enum fk_err write_subscription(struct registering *at, const struct fk_cloud_record *found, struct fk_bytes path,
                                      unsigned kinds, const struct missing *missing)
{
    struct fk_arena *arena = &at->job->base.arena;
    struct fk_node_record record = found->record;
    struct fk_buf value = FK_BUF_EMPTY;
    struct fk_write writes[3];
    size_t count = 1;
    if (!subscribe(arena, &record.subs, at->job->gateway, kinds)) {
        return FK_ERR_NOMEM;
    }
    fk_node_record_write(&value, &record);
    writes[0] = (struct fk_write){
        .kind = FK_WRITE_PUT, .key = fk_key_node(arena, path), .expected = found->stamp, .value = fk_buf_view(&value)};
    if (missing != NULL) {
        writes[count++] = (struct fk_write){
            .kind = FK_WRITE_CHECK, .key = fk_key_node(arena, missing->above), .expected = missing->stamp};
        if (!fk_bytes_equal(missing->below, path)) {
            writes[count++] = (struct fk_write){.kind = FK_WRITE_CHECK, .key = fk_key_node(arena, missing->below)};
        }
    }
    bool whole = !value.failed;
    for (size_t i = 0; i < count; i++) {
        whole = whole && writes[i].key.partition.data != NULL;
    }
    enum fk_err err = whole ? fk_table_write(at->ports->table, writes, count) : FK_ERR_NOMEM;
    fk_buf_deinit(&value);
    return err;
}

/* One try; REFUSED, BUSY and UNKNOWN begin anew. */
static enum fk_err try_record(struct registering *at, struct fk_bytes path, unsigned kinds, bool missing_too,
                              struct fk_cloud_record *found)
{
    struct missing missing;
    *found = (struct fk_cloud_record){.stamp = 0};
    enum fk_err err = get_record(at, path, &found->record, &found->stamp);
    bool without = err == FK_OK && found->stamp == 0;
    if (without && !FK_MUTANT(MISSING_WITHOUT_PARENT)) {
        err = find_above(at, path, &missing);
        if (err == FK_OK) {
            found->record = (struct fk_node_record){.node = {.path = path},
                                                    .zxid = missing.record.zxid,
                                                    .generation = missing.record.generation,
                                                    .pend = missing.record.pend};
        }
    }
    if (err != FK_OK) {
        return err;
    }
    bool local = at->job->local_watch && FK_MUTANT(LOCAL_WATCH_UNCHECKED);
    if (kinds == 0 || (!found->record.exists && !missing_too) || local) {
        return without && !FK_MUTANT(MISSING_WITHOUT_PARENT) ? check_missing(at, &missing) : FK_OK;
    }
    if (found->stamp != 0 && !at->job->write_anyway && subscribed(&found->record.subs, at->job->gateway, kinds)) {
        return FK_OK;
    }
    return write_subscription(at, found, path, kinds, without && !FK_MUTANT(MISSING_WITHOUT_PARENT) ? &missing : NULL);
}

static enum fk_err run_record(struct registering *at, struct fk_bytes path, unsigned kinds, bool missing_too,
                              struct fk_cloud_record *found)
{
    enum fk_err err = try_record(at, path, kinds, missing_too, found);
    while (err != FK_OK) {
        if (err == FK_ERR_REFUSED) {
            if (found->record.exists) {
                FK_MARK(REGISTER_REFUSED);
            } else {
                FK_MARK(MISSING_AGAIN);
            }
        }
        if (!fk_cloud_try_again(&at->backoff, err)) {
            return err;
        }
        err = try_record(at, path, kinds, missing_too, found);
    }
    return FK_OK;
}

enum fk_err fk_cloud_record_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_bytes path,
                                unsigned kinds, bool missing_too, struct fk_cloud_record *found)
{
    struct registering at = {.job = job, .ports = ports, .backoff = fk_cloud_backoff(ports)};
    if (!FK_MUTANT(REGISTER_AFTER_READ) || kinds == 0) {
        return run_record(&at, path, kinds, missing_too, found);
    }
    struct fk_cloud_record later;
    enum fk_err err = run_record(&at, path, 0, missing_too, found);
    return err == FK_OK ? run_record(&at, path, kinds, missing_too, &later) : err;
}

static bool listed(const struct fk_recursive_record *record, int64_t gateway, struct fk_bytes path)
{
    for (size_t i = 0; i < record->count; i++) {
        if (record->items[i].gateway == gateway && fk_bytes_equal(record->items[i].path, path)) {
            return true;
        }
    }
    return false;
}

/* The list of recursive subscriptions with this one, and the zxid record that says that there is a new list: no commit
 * that was planned without it can be applied after it. */
static enum fk_err add_recursive(struct registering *at, const struct fk_item *list, struct fk_recursive_record *record,
                                 struct fk_bytes path)
{
    struct fk_arena *arena = &at->job->base.arena;
    struct fk_zx_record zx;
    int64_t stamp = 0;
    enum fk_err err = fk_cloud_zx_run(at->job, at->ports, &zx, &stamp);
    struct fk_recursive_subscription *items =
        (struct fk_recursive_subscription *)fk_arena_alloc(arena, (record->count + 1) * sizeof *items);
    if (err != FK_OK || items == NULL) {
        return err != FK_OK ? err : FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < record->count; i++) {
        items[i] = record->items[i];
    }
    items[record->count] = (struct fk_recursive_subscription){.gateway = at->job->gateway, .path = path};
    size_t added = listed(record, at->job->gateway, path) ? 0 : 1;
    struct fk_recursive_record more = {.items = items, .count = record->count + added};
    struct fk_buf values[2] = {FK_BUF_EMPTY, FK_BUF_EMPTY};
    zx.recursive_version++;
    fk_recursive_record_write(&values[0], &more);
    fk_zx_record_write(&values[1], &zx);
    struct fk_write writes[2] = {
        {.kind = FK_WRITE_PUT, .key = fk_key_recursive(), .expected = list->stamp, .value = fk_buf_view(&values[0])},
        {.kind = FK_WRITE_PUT, .key = fk_key_zx(), .expected = stamp, .value = fk_buf_view(&values[1])}};
    err = values[0].failed || values[1].failed ? FK_ERR_NOMEM : fk_table_write(at->ports->table, writes, 2);
    fk_buf_deinit(&values[0]);
    fk_buf_deinit(&values[1]);
    return err;
}

static enum fk_err try_recursive(struct registering *at, struct fk_bytes path)
{
    struct fk_arena *arena = &at->job->base.arena;
    struct fk_recursive_record record = {.count = 0};
    struct fk_key key = fk_key_recursive();
    struct fk_zx_record zx;
    struct fk_item item;
    int64_t stamp = 0;
    enum fk_err err = fk_cloud_get(at->ports, &key, arena, &item);
    if (err == FK_OK && item.stamp != 0) {
        err = fk_recursive_record_read(item.value, arena, &record);
    }
    if (err != FK_OK) {
        return err;
    }
    if (!listed(&record, at->job->gateway, path)) {
        return add_recursive(at, &item, &record, path);
    }
    return fk_cloud_zx_run(at->job, at->ports, &zx, &stamp);
}

enum fk_err fk_cloud_recursive_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_bytes path)
{
    struct registering at = {.job = job, .ports = ports, .backoff = fk_cloud_backoff(ports)};
    enum fk_err err = try_recursive(&at, path);
    while (fk_cloud_try_again(&at.backoff, err)) {
        err = try_recursive(&at, path);
    }
    return err;
}
