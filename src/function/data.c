// SPDX-License-Identifier: Apache-2.0
#include "function/data.h"

enum {
    DIGITS = 16,
    PATH_AT = 2 * DIGITS,
    PATH_SIZE_MAX = FK_BLOB_NAME_SIZE_MAX - PATH_AT, /* longer paths are cut, and what they leave behind stays */
};

static void write_digits(uint8_t *at, uint64_t word)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = DIGITS; i > 0; i--) {
        at[i - 1] = (uint8_t)digits[word & 15];
        word >>= 4;
    }
}

static struct fk_bytes draw_attempt(const struct fk_ports *ports, struct fk_arena *arena, int64_t number,
                                    struct fk_bytes path)
{
    uint64_t word = 0;
    struct fk_bytes front = fk_bytes_head(path, PATH_SIZE_MAX);
    uint8_t *name = (uint8_t *)fk_arena_alloc(arena, PATH_AT + front.size);
    if (name == NULL) {
        return FK_BYTES_NULL;
    }
    fk_random_fill(ports->random, (uint8_t *)&word, sizeof word);
    write_digits(name, (uint64_t)number);
    write_digits(name + DIGITS, word);
    memcpy(name + PATH_AT, front.data, front.size);
    return fk_bytes_of(name, PATH_AT + front.size);
}

bool fk_data_attempt_parse(struct fk_bytes attempt, int64_t *zxid, struct fk_bytes *path)
{
    *zxid = fk_key_number(fk_bytes_head(attempt, DIGITS));
    *path = fk_bytes_tail(attempt, PATH_AT);
    return *zxid >= 0 && attempt.size > PATH_AT && path->size < PATH_SIZE_MAX;
}

static enum fk_err store_item(const struct fk_ports *ports, const struct fk_node_record *record)
{
    struct fk_write write = {
        .kind = FK_WRITE_PUT, .key = fk_key_data(record->attempt), .expected = 0, .value = record->node.data};
    return fk_table_write(ports->table, &write, 1);
}

/* True where the node's item stays within its limit with the data in it. */
static bool fits_inline(const struct fk_cloud_options *options, const struct fk_node *node)
{
    size_t list = fk_bytes_equal(node->acl, FK_ACL_OPEN) ? 0 : node->acl.size;
    return node->data.size <= (size_t)options->inline_size_max &&
           FK_INLINE_ITEM_FIXED + node->path.size + list + node->data.size <= FK_INLINE_ITEM_SIZE_MAX;
}

enum fk_err fk_data_place(const struct fk_cloud_options *options, const struct fk_ports *ports, struct fk_arena *arena,
                          int64_t number, struct fk_node_record *record)
{
    size_t size = record->node.data.size;
    record->place = FK_DATA_INLINE;
    record->attempt = FK_BYTES_NULL;
    if (fits_inline(options, &record->node)) {
        return FK_OK;
    }
    record->attempt = draw_attempt(ports, arena, number, record->node.path);
    if (record->attempt.data == NULL) {
        return FK_ERR_NOMEM;
    }
    record->place = size <= (size_t)options->item_size_max ? FK_DATA_ITEM : FK_DATA_BLOB;
    return record->place == FK_DATA_ITEM ? store_item(ports, record)
                                         : fk_blob_put(ports->blobs, record->attempt, record->node.data);
}

static enum fk_err store(struct fk_overlay *overlay, struct fk_overlay_node *node)
{
    if (!node->record.exists) {
        return FK_OK;
    }
    return fk_data_place(overlay->options, overlay->ports, overlay->arena, overlay->base_zxid, &node->record);
}

typedef enum fk_err (*node_fn)(struct fk_overlay *overlay, struct fk_overlay_node *node);

/* `placed`: those too whose data a writer of the pipeline has stored. */
static enum fk_err each_changed(struct fk_overlay *overlay, node_fn call, bool placed)
{
    enum fk_err err = FK_OK;
    for (struct fk_list *link = overlay->nodes.next; link != &overlay->nodes && err == FK_OK; link = link->next) {
        struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        struct fk_overlay_node *node = (struct fk_overlay_node *)item->typed;
        if (item->put && node->data_changed && (placed || !node->placed)) {
            err = call(overlay, node);
        }
    }
    return err;
}

/* What a record named until now is not what its new data will be under: after this no name in a changed record is one
 * that somebody else's record has too. */
static enum fk_err forget(struct fk_overlay *overlay, struct fk_overlay_node *node)
{
    (void)overlay;
    node->record.place = FK_DATA_INLINE;
    node->record.attempt = FK_BYTES_NULL;
    return FK_OK;
}

enum fk_err fk_data_store(struct fk_overlay *overlay)
{
    enum fk_err err = each_changed(overlay, forget, false);
    return err == FK_OK ? each_changed(overlay, store, false) : err;
}

enum fk_err fk_data_remove(const struct fk_ports *ports, enum fk_data_place place, struct fk_bytes attempt)
{
    if (place == FK_DATA_INLINE) {
        return FK_OK;
    }
    if (place == FK_DATA_BLOB) {
        return fk_blob_remove(ports->blobs, attempt);
    }
    struct fk_write write = {.kind = FK_WRITE_DELETE, .key = fk_key_data(attempt), .expected = FK_STAMP_ANY};
    return fk_table_write(ports->table, &write, 1);
}

static enum fk_err remove_replaced(struct fk_overlay *overlay, struct fk_overlay_node *node)
{
    return fk_data_remove(overlay->ports, node->old_place, node->old_attempt);
}

static enum fk_err remove_stored(struct fk_overlay *overlay, struct fk_overlay_node *node)
{
    return fk_data_remove(overlay->ports, node->record.place, node->record.attempt);
}

void fk_data_remove_replaced(struct fk_overlay *overlay)
{
    (void)each_changed(overlay, remove_replaced, true);
}

void fk_data_remove_stored(struct fk_overlay *overlay)
{
    (void)each_changed(overlay, remove_stored, false);
}

enum fk_err fk_data_read(const struct fk_ports *ports, const struct fk_node_record *record, struct fk_arena *arena,
                         struct fk_bytes *data)
{
    if (record->place == FK_DATA_INLINE) {
        *data = record->node.data;
        return FK_OK;
    }
    if (record->place == FK_DATA_BLOB) {
        return fk_blob_get(ports->blobs, record->attempt, arena, data);
    }
    struct fk_item item;
    struct fk_key key = fk_key_data(record->attempt);
    enum fk_err err = fk_table_get(ports->table, &key, arena, &item);
    if (err != FK_OK) {
        return err;
    }
    *data = item.value;
    return item.stamp == 0 ? FK_ERR_NOT_FOUND : FK_OK;
}
