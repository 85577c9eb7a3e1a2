// SPDX-License-Identifier: Apache-2.0
/* What is under a path, by walking its children in the table, with what the overlay has changed already. The zxid
 * record was read before: the commit is conditional on it, and with that on all that the walk has seen. */
#include "function/measure.h"

#include "base/alloc.h"
#include "model/path.h"
#include "model/quota.h"

enum {
    PAGE_ITEMS = 1000,
};

struct walk {
    struct fk_overlay *overlay;
    struct fk_extent *extent;
    struct fk_arena paths; /* of what waits */
    struct fk_bytes waiting[FK_CLOUD_COUNT_MAX];
    size_t count;
    size_t met;
};

static void count_node(struct fk_extent *extent, const struct fk_node *node)
{
    extent->count++;
    extent->bytes += (int64_t)node->data.size;
}

/* The overlay's own record of an item, where the commit changes it. */
static bool is_changed(const struct fk_overlay *overlay, const struct fk_key *key)
{
    const struct fk_overlay_item *item = fk_overlay_known(overlay, key);
    return item != NULL && item->put;
}

/* A node of the table: what it is in the overlay counts there (count_changed). */
static enum fk_err meet(struct walk *walk, struct fk_bytes path, const struct fk_key *key,
                        const struct fk_node_record *record)
{
    if (!record->exists) {
        return FK_OK;
    }
    if (++walk->met > FK_CLOUD_COUNT_MAX) {
        return FK_ERR_TOO_LARGE;
    }
    if (!is_changed(walk->overlay, key)) {
        count_node(walk->extent, &record->node);
    }
    if (record->node.num_children == 0) {
        return FK_OK;
    }
    if (walk->count == FK_CLOUD_COUNT_MAX) {
        return FK_ERR_TOO_LARGE;
    }
    walk->waiting[walk->count] = fk_arena_copy(&walk->paths, path);
    return walk->waiting[walk->count++].data == NULL ? FK_ERR_NOMEM : FK_OK;
}

static enum fk_err meet_child(struct walk *walk, struct fk_bytes parent, const struct fk_item *item,
                              struct fk_arena *scratch)
{
    struct fk_node_record record;
    struct fk_bytes path = fk_path_of_child(scratch, parent, item->key.name);
    enum fk_err err = path.data == NULL ? FK_ERR_NOMEM : fk_node_record_read(item->value, path, scratch, &record);
    return err == FK_OK ? meet(walk, path, &item->key, &record) : err;
}

static enum fk_err list_children(struct walk *walk, struct fk_bytes path)
{
    struct fk_arena scratch = FK_ARENA_EMPTY;
    struct fk_item_page page = {.more = true};
    struct fk_bytes after = FK_BYTES_NULL;
    enum fk_err err = FK_OK;
    struct fk_bytes partition = fk_partition_children(&scratch, path);
    while (page.more && err == FK_OK) {
        err = partition.data == NULL
                  ? FK_ERR_NOMEM
                  : fk_table_list(walk->overlay->ports->table, partition, after, PAGE_ITEMS, &scratch, &page);
        for (size_t i = 0; err == FK_OK && i < page.count; i++) {
            err = meet_child(walk, path, &page.items[i], &scratch);
            after = page.items[i].key.name;
        }
    }
    fk_arena_deinit(&scratch);
    return err;
}

/* The path itself, then what is below it. */
static enum fk_err walk_table(struct walk *walk, struct fk_bytes path)
{
    struct fk_arena scratch = FK_ARENA_EMPTY;
    struct fk_node_record record = {.exists = false};
    struct fk_key key = fk_key_node(&scratch, path);
    struct fk_item item;
    enum fk_err err =
        key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(walk->overlay->ports->table, &key, &scratch, &item);
    if (err == FK_OK && item.stamp != 0) {
        err = fk_node_record_read(item.value, path, &scratch, &record);
    }
    if (err == FK_OK) {
        err = meet(walk, path, &key, &record);
    }
    fk_arena_deinit(&scratch);
    while (err == FK_OK && walk->count > 0) {
        err = list_children(walk, walk->waiting[--walk->count]);
    }
    return err;
}

static void count_changed(struct walk *walk, struct fk_bytes path)
{
    const struct fk_list *nodes = &walk->overlay->nodes;
    for (const struct fk_list *link = nodes->next; link != nodes; link = link->next) {
        const struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        const struct fk_overlay_node *node = (const struct fk_overlay_node *)item->typed;
        if (item->put && node != NULL && node->record.exists && fk_path_within(node->record.node.path, path)) {
            count_node(walk->extent, &node->record.node);
        }
    }
}

enum fk_err fk_overlay_measure(struct fk_overlay *overlay, struct fk_bytes path, struct fk_extent *extent)
{
    struct walk *walk = (struct walk *)fk_alloc(sizeof *walk);
    *extent = (struct fk_extent){.count = 0, .bytes = 0};
    if (walk == NULL) {
        return FK_ERR_NOMEM;
    }
    walk->overlay = overlay;
    walk->extent = extent;
    walk->paths = FK_ARENA_EMPTY;
    walk->count = 0;
    walk->met = 0;
    enum fk_err err = walk_table(walk, path);
    if (err == FK_OK) {
        count_changed(walk, path);
    }
    fk_arena_deinit(&walk->paths);
    fk_free(walk);
    return err;
}
