// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/dynamodb_internal.h"

#include "base/base64.h"
#include "driver/aws/json.h"

/* --- items --- */

/* A binary attribute, {"B":"..."}, decoded; DAMAGED where there is none. */
static enum fk_err binary_of(const json_t *item, const char *name, struct fk_arena *arena, struct fk_bytes *bytes)
{
    struct fk_bytes text = fk_json_text(json_object_get(item, name), "B");
    enum fk_err err = text.data == NULL ? FK_ERR_DAMAGED : fk_base64_read(text, arena, bytes);
    return err == FK_ERR_MALFORMED ? FK_ERR_DAMAGED : err;
}

/* A positive number, {"N":"..."}. */
static enum fk_err stamp_of(const json_t *item, int64_t *stamp)
{
    struct fk_bytes text = fk_json_text(json_object_get(item, "s"), "N");
    *stamp = 0;
    for (size_t i = 0; i < text.size; i++) {
        int digit = text.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(*stamp, 10, stamp) ||
            __builtin_add_overflow(*stamp, digit, stamp)) {
            return FK_ERR_DAMAGED;
        }
    }
    return *stamp == 0 ? FK_ERR_DAMAGED : FK_OK;
}

static enum fk_err read_item(const json_t *from, struct fk_arena *arena, struct fk_item *item)
{
    enum fk_err err = stamp_of(from, &item->stamp);
    return err == FK_OK ? binary_of(from, "v", arena, &item->value) : err;
}

/* --- answers --- */

enum fk_err fk_dynamodb_read_get(struct fk_bytes body, struct fk_arena *arena, struct fk_item *item)
{
    json_t *answer = fk_json_load(body);
    const json_t *found = json_object_get(answer, "Item");
    enum fk_err err = json_is_object(answer) ? FK_OK : FK_ERR_UNKNOWN;
    if (found != NULL) {
        err = read_item(found, arena, item);
    }
    json_decref(answer);
    return err;
}

enum fk_err fk_dynamodb_read_stamp(struct fk_bytes body, int64_t *stamp)
{
    json_t *answer = fk_json_load(body);
    const json_t *found = json_object_get(answer, "Item");
    enum fk_err err = json_is_object(answer) ? FK_OK : FK_ERR_UNKNOWN;
    *stamp = 0;
    if (found != NULL) {
        err = stamp_of(found, stamp);
    }
    json_decref(answer);
    return err;
}

/* Which of the keys a key or an item has, compared as they are stored; `count`: none of them. */
static enum fk_err find_key(const json_t *found, const struct fk_key *stored, size_t count, struct fk_arena *scratch,
                            size_t *index)
{
    struct fk_key key;
    enum fk_err err = binary_of(found, "p", scratch, &key.partition);
    if (err == FK_OK) {
        err = binary_of(found, "n", scratch, &key.name);
    }
    *index = 0;
    while (
        err == FK_OK && *index < count &&
        !(fk_bytes_equal(stored[*index].name, key.name) && fk_bytes_equal(stored[*index].partition, key.partition))) {
        (*index)++;
    }
    return err;
}

struct batch {
    const struct fk_key *stored;
    size_t count;
    struct fk_arena *scratch;
    struct fk_arena *arena;
    struct fk_item *items;
    bool unprocessed[FK_TABLE_GET_MAX];
};

static enum fk_err read_responses(const json_t *responses, struct batch *batch)
{
    enum fk_err err = FK_OK;
    size_t count = json_array_size(responses);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        const json_t *found = json_array_get(responses, i);
        size_t index = 0;
        err = find_key(found, batch->stored, batch->count, batch->scratch, &index);
        if (err == FK_OK && index < batch->count) {
            err = read_item(found, batch->arena, &batch->items[index]);
        }
    }
    return err;
}

static enum fk_err read_unprocessed(const json_t *keys, struct batch *batch)
{
    enum fk_err err = FK_OK;
    size_t count = json_array_size(keys);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        size_t index = 0;
        err = find_key(json_array_get(keys, i), batch->stored, batch->count, batch->scratch, &index);
        if (err == FK_OK && index < batch->count) {
            batch->unprocessed[index] = true;
        }
    }
    return err;
}

/* The only member of an object: its name is the table's, as the request had it. */
static json_t *only_member(json_t *object)
{
    return json_object_iter_value(json_object_iter(object));
}

enum fk_err fk_dynamodb_read_batch(struct fk_bytes body, const struct fk_key *stored, size_t count, bool *wanted,
                                   struct fk_arena *scratch, struct fk_arena *arena, struct fk_item *items)
{
    struct batch batch = {.stored = stored, .count = count, .scratch = scratch, .arena = arena, .items = items};
    json_t *answer = fk_json_load(body);
    json_t *responses = json_object_get(answer, "Responses");
    json_t *unprocessed = json_object_get(answer, "UnprocessedKeys");
    enum fk_err err = json_is_object(responses) ? FK_OK : FK_ERR_UNKNOWN;
    if (err == FK_OK) {
        err = read_responses(only_member(responses), &batch);
    }
    if (err == FK_OK) {
        err = read_unprocessed(json_object_get(only_member(unprocessed), "Keys"), &batch);
    }
    json_decref(answer);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        wanted[i] = wanted[i] && batch.unprocessed[i];
    }
    return err;
}

static enum fk_err read_listed(const json_t *found, struct fk_arena *arena, struct fk_item *item)
{
    const char *name = json_object_get(found, "N") == NULL ? "n" : "N";
    enum fk_err err = binary_of(found, name, arena, &item->key.name);
    return err == FK_OK ? read_item(found, arena, item) : err;
}

static enum fk_err read_items(const json_t *found, struct fk_bytes partition, struct fk_arena *arena,
                              struct fk_item_page *page)
{
    size_t count = json_array_size(found);
    size_t size = 0;
    enum fk_err err = FK_OK;
    page->items = (struct fk_item *)fk_arena_alloc(arena, (count + 1) * sizeof *page->items);
    if (page->items == NULL) {
        return FK_ERR_NOMEM;
    }
    while (err == FK_OK && page->count < count) {
        struct fk_item *item = &page->items[page->count];
        item->key.partition = partition;
        err = read_listed(json_array_get(found, page->count), arena, item);
        if (err != FK_OK) {
            return err;
        }
        size += fk_item_size(&item->key, item->value);
        if (page->count > 0 && size > FK_TABLE_PAGE_SIZE_MAX) {
            page->more = true; /* DynamoDB ends a page at its size; not every emulator does */
            break;
        }
        page->count++;
    }
    return err;
}

enum fk_err fk_dynamodb_read_query(struct fk_bytes body, struct fk_bytes partition, struct fk_arena *arena,
                                   struct fk_item_page *page)
{
    json_t *answer = fk_json_load(body);
    const json_t *items = json_object_get(answer, "Items");
    enum fk_err err = json_is_array(items) ? FK_OK : FK_ERR_UNKNOWN;
    *page = (struct fk_item_page){
        .items = NULL, .count = 0, .more = json_is_object(json_object_get(answer, "LastEvaluatedKey"))};
    if (err == FK_OK) {
        err = read_items(items, partition, arena, page);
    }
    json_decref(answer);
    return err;
}

/* --- cancelled transactions --- */

static enum fk_err read_reason(struct fk_bytes code)
{
    if (code.size == 0 || fk_bytes_equal_text(code, "None")) {
        return FK_OK;
    }
    if (fk_bytes_equal_text(code, "ConditionalCheckFailed")) {
        return FK_ERR_REFUSED;
    }
    if (fk_bytes_equal_text(code, "TransactionConflict") || fk_bytes_equal_text(code, "ThrottlingError") ||
        fk_bytes_equal_text(code, "ProvisionedThroughputExceeded")) {
        return FK_ERR_BUSY;
    }
    if (fk_bytes_equal_text(code, "ItemCollectionSizeLimitExceeded") || fk_bytes_equal_text(code, "ValidationError")) {
        return FK_ERR_TOO_LARGE; /* the only rule that a request of ours can break */
    }
    return FK_ERR_IO;
}

/* How much an outcome says: a condition that failed is known to have failed, whatever else is wrong. */
static int weight(enum fk_err err)
{
    return err == FK_ERR_REFUSED ? 4 : err == FK_ERR_TOO_LARGE ? 3 : err == FK_ERR_BUSY ? 2 : err == FK_OK ? 0 : 1;
}

enum fk_err fk_dynamodb_read_reasons(struct fk_bytes body)
{
    json_t *answer = fk_json_load(body);
    const json_t *reasons = json_object_get(answer, "CancellationReasons");
    size_t count = json_array_size(reasons);
    enum fk_err worst = FK_OK;
    for (size_t i = 0; i < count; i++) {
        enum fk_err err = read_reason(fk_json_text(json_array_get(reasons, i), "Code"));
        worst = weight(err) > weight(worst) ? err : worst;
    }
    json_decref(answer);
    return worst == FK_OK ? FK_ERR_BUSY : worst; /* no reason is told: nothing was applied */
}
