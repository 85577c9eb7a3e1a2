// SPDX-License-Identifier: Apache-2.0
/* Containers and TTL nodes that are due, and data that no record names. */
#include "function/sweep_internal.h"

#include "base/mark.h"
#include "base/mutant.h"
#include "function/data.h"
#include "function/pipeline_record.h"
#include "function/stored.h"
#include "model/path.h"

/* The record of a path; *found says whether there is a node. */
static enum fk_err read_node(struct fk_sweep *sweep, struct fk_bytes path, struct fk_node_record *record, bool *found)
{
    struct fk_key key = fk_key_node(sweep->arena, path);
    struct fk_item item;
    enum fk_err err =
        key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(sweep->ports->table, &key, sweep->arena, &item);
    *found = false;
    if (err == FK_OK && item.stamp != 0) {
        err = fk_node_record_read(item.value, path, sweep->arena, record);
        *found = err == FK_OK && record->exists;
    }
    return err;
}

static enum fk_err request_end(struct fk_sweep *sweep, const struct fk_node *node)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_stat stat;
    fk_node_stat(node, &stat);
    fk_write_sweep_request(
        &body, &(struct fk_sweep_request){.path = node->path, .version = stat.version, .cversion = stat.cversion});
    enum fk_err err =
        body.failed ? FK_ERR_NOMEM : fk_sweep_request(sweep, 0, 0, 0, FK_OP_SWEEP_NODE, fk_buf_view(&body));
    fk_buf_deinit(&body);
    return err;
}

static enum fk_err check_due(struct fk_sweep *sweep, const struct fk_item *item)
{
    struct fk_node_record record;
    bool found = false;
    if (!fk_path_valid(item->key.name)) {
        return FK_ERR_DAMAGED;
    }
    enum fk_err err = read_node(sweep, item->key.name, &record, &found);
    if (err != FK_OK || !found || !fk_node_due(&record.node, sweep->now_ms, sweep->options->rules.never_used_ms) ||
        sweep->due == FK_SWEEP_TTL_MAX) {
        return err; /* the list is kept by commits: what stands in it too long costs a read a minute */
    }
    sweep->due++;
    FK_MARK(DUE_NODE_FOUND);
    return request_end(sweep, &record.node);
}

enum fk_err fk_sweep_due_nodes(struct fk_sweep *sweep)
{
    return fk_sweep_each(sweep, FK_BYTES_LITERAL("c"), check_due);
}

/* True where the path has an accepted record: somebody may be about to accept a change of it. */
static enum fk_err is_accepted_apart(struct fk_sweep *sweep, struct fk_bytes path, bool *apart)
{
    struct fk_key key = fk_key_accepted_node(sweep->arena, path);
    struct fk_item item;
    enum fk_err err =
        key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(sweep->ports->table, &key, sweep->arena, &item);
    *apart = err == FK_OK && item.stamp != 0;
    return err;
}

/* True where no record names the data and none ever will. Single hop: the zxid record was read first; if it is beyond
 * the zxid that the writer's commit was conditional on, that commit has failed, or the record that is read now is its
 * own or newer. Pipeline: the path has shown the change of that number, or a later one; or no change of it is under
 * way, seen before its visible record is read. */
static enum fk_err is_orphan(struct fk_sweep *sweep, struct fk_bytes attempt, bool *orphan)
{
    struct fk_node_record record = {.counter = 0};
    struct fk_bytes path;
    int64_t number = 0;
    bool found = false;
    bool apart = true;
    bool pipeline = sweep->options->pipeline;
    enum fk_err err = FK_OK;
    *orphan = false;
    if (!fk_data_attempt_parse(attempt, &number, &path) || !fk_path_valid(path) ||
        (!pipeline && number >= sweep->zx.zxid && !FK_MUTANT(ORPHAN_NOT_FENCED))) {
        return FK_OK;
    }
    if (pipeline) {
        err = is_accepted_apart(sweep, path, &apart);
    }
    if (err == FK_OK) {
        err = read_node(sweep, path, &record, &found);
    }
    bool decided = !pipeline || !apart || record.counter >= number || FK_MUTANT(ORPHAN_NOT_FENCED);
    *orphan = err == FK_OK && decided && !(found && fk_bytes_equal(record.attempt, attempt));
    return err;
}

static enum fk_err check_data(struct fk_sweep *sweep, const struct fk_item *item)
{
    bool orphan = false;
    enum fk_err err = is_orphan(sweep, item->key.name, &orphan);
    if (err != FK_OK || !orphan) {
        return err;
    }
    FK_MARK(ORPHAN_REMOVED);
    return fk_data_remove(sweep->ports, FK_DATA_ITEM, item->key.name);
}

static enum fk_err check_blob(struct fk_sweep *sweep, struct fk_bytes name)
{
    bool orphan = false;
    bool message = fk_stored_parse(name, sweep->now_ms, &orphan);
    enum fk_err err = message ? FK_OK : is_orphan(sweep, name, &orphan);
    if (err != FK_OK || !orphan) {
        return err;
    }
    FK_MARK(ORPHAN_REMOVED);
    return fk_data_remove(sweep->ports, FK_DATA_BLOB, name);
}

enum fk_err fk_sweep_orphans(struct fk_sweep *sweep)
{
    struct fk_blob_page page = {.more = true};
    struct fk_bytes after = FK_BYTES_NULL;
    enum fk_err err = fk_sweep_each(sweep, FK_BYTES_LITERAL("d"), check_data);
    while (err == FK_OK && page.more) {
        err = fk_blob_list(sweep->ports->blobs, after, FK_SWEEP_PAGE, sweep->arena, &page);
        for (size_t i = 0; err == FK_OK && i < page.count; i++) {
            err = check_blob(sweep, page.names[i]);
            after = page.names[i];
        }
    }
    return err;
}
