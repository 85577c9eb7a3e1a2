// SPDX-License-Identifier: Apache-2.0
/* Partitions are found by hash; the items of one are a sorted array. A write first checks all conditions, then takes
 * all the memory it needs, then applies: the last step cannot fail. Nothing that is seen from outside depends on the
 * order of the hash map. */
#include "driver/memory/table.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"
#include "base/map.h"
#include "driver/memory/sorted.h"

#include <stdlib.h>

struct partition {
    struct fk_map_entry entry;
    struct fk_sorted items;
    size_t staged; /* items that the write at work may add */
    struct fk_bytes name;
    uint8_t bytes[];
};

struct memory_table {
    struct fk_table base;
    struct fk_map partitions; /* none is empty between two writes */
    int64_t last_stamp;
    size_t count;
    size_t size;
    fk_memory_table_observe_fn observe;
    void *observe_context;
};

/* What one write of a transaction needs, so that applying can't fail. */
struct stage {
    struct partition *partition; /* NULL: of a delete or check where there is none */
    struct fk_named *item;       /* of a put */
};

static struct memory_table *memory(struct fk_table *table)
{
    return FK_CONTAINER_OF(table, struct memory_table, base);
}

static const struct memory_table *memory_const(const struct fk_table *table)
{
    return FK_CONTAINER_OF(table, const struct memory_table, base);
}

/* --- partitions --- */

static struct partition *partition_of(const struct fk_map_entry *entry)
{
    return FK_CONTAINER_OF(entry, struct partition, entry);
}

static bool partition_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_bytes *name = (const struct fk_bytes *)key;
    return fk_bytes_equal(partition_of(entry)->name, *name);
}

static struct partition *find_partition(const struct memory_table *table, struct fk_bytes name)
{
    struct fk_map_entry *entry = fk_map_get(&table->partitions, fk_bytes_hash(name), partition_matches, &name);
    return entry == NULL ? NULL : partition_of(entry);
}

static struct partition *partition_new(struct memory_table *table, struct fk_bytes name)
{
    struct partition *partition = (struct partition *)fk_alloc(sizeof *partition + name.size);
    if (partition == NULL) {
        return NULL;
    }
    memcpy(partition->bytes, name.data, name.size);
    partition->items = (struct fk_sorted){.items = NULL};
    partition->staged = 0;
    partition->name = fk_bytes_of(partition->bytes, name.size);
    fk_map_add(&table->partitions, &partition->entry, fk_bytes_hash(name));
    return partition;
}

static void partition_free(struct partition *partition)
{
    fk_sorted_deinit(&partition->items);
    fk_free(partition);
}

/* NULL where it is not there; nor is anything in no partition. */
static const struct fk_named *find_item(const struct partition *partition, struct fk_bytes name)
{
    size_t index = 0;
    return partition == NULL ? NULL : fk_sorted_find(&partition->items, name, &index);
}

static size_t size_of(const struct partition *partition, const struct fk_named *item)
{
    return fk_item_size(&(struct fk_key){partition->name, item->name}, item->value);
}

/* --- reading --- */

static void check_key(const struct fk_key *key)
{
    FK_ASSERT(key->partition.size > 0);
    FK_ASSERT(key->name.size > 0);
}

static bool same_key(const struct fk_key *a, const struct fk_key *b)
{
    return fk_bytes_equal(a->name, b->name) && fk_bytes_equal(a->partition, b->partition);
}

static void check_keys(const struct fk_key *keys, size_t count)
{
    FK_ASSERT(count <= FK_TABLE_GET_MAX);
    for (size_t i = 0; i < count; i++) {
        check_key(&keys[i]);
        for (size_t j = 0; j < i; j++) {
            FK_ASSERT(!same_key(&keys[i], &keys[j]));
        }
    }
}

static enum fk_err table_get_many(struct fk_table *base, const struct fk_key *keys, size_t count,
                                  struct fk_arena *arena, struct fk_item *items)
{
    check_keys(keys, count);
    for (size_t i = 0; i < count; i++) {
        const struct partition *partition = find_partition(memory(base), keys[i].partition);
        const struct fk_named *item = find_item(partition, keys[i].name);
        items[i] = (struct fk_item){.key = keys[i], .stamp = 0, .value = FK_BYTES_NULL};
        if (item == NULL) {
            continue;
        }
        items[i].stamp = item->stamp;
        items[i].value = fk_arena_copy(arena, item->value);
        if (items[i].value.data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    return FK_OK;
}

/* How many items from `first` on one page takes. */
static size_t page_count(const struct partition *partition, size_t first, size_t limit)
{
    size_t count = 0;
    size_t size = 0;
    while (first + count < partition->items.count && count < limit) {
        size += size_of(partition, partition->items.items[first + count]);
        if (count > 0 && size > FK_TABLE_PAGE_SIZE_MAX) {
            break;
        }
        count++;
    }
    return count;
}

static bool copy_item(struct fk_arena *arena, struct fk_bytes partition, const struct fk_named *from,
                      struct fk_item *to)
{
    to->key.partition = partition;
    to->key.name = fk_arena_copy(arena, from->name);
    to->stamp = from->stamp;
    to->value = fk_arena_copy(arena, from->value);
    return to->key.name.data != NULL && to->value.data != NULL;
}

static enum fk_err table_list(struct fk_table *base, struct fk_bytes name, struct fk_bytes after, size_t limit,
                              struct fk_arena *arena, struct fk_item_page *page)
{
    FK_ASSERT(name.size > 0);
    FK_ASSERT(limit > 0);
    const struct partition *partition = find_partition(memory(base), name);
    *page = (struct fk_item_page){.items = NULL, .count = 0, .more = false};
    if (partition == NULL) {
        return FK_OK;
    }
    size_t first = fk_sorted_after(&partition->items, after);
    size_t count = page_count(partition, first, limit);
    struct fk_bytes copy = fk_arena_copy(arena, name);
    struct fk_item *items = (struct fk_item *)fk_arena_alloc(arena, count * sizeof *items);
    if (copy.data == NULL || items == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (!copy_item(arena, copy, partition->items.items[first + i], &items[i])) {
            return FK_ERR_NOMEM;
        }
    }
    /* As DynamoDB: whoever stopped at the limit has not looked whether it was the last item. */
    *page = (struct fk_item_page){
        .items = items, .count = count, .more = count == limit || first + count < partition->items.count};
    return FK_OK;
}

/* --- writing --- */

static bool check_writes(const struct fk_write *writes, size_t count)
{
    size_t total = 0;
    FK_ASSERT(count > 0);
    if (count > FK_TABLE_WRITE_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool put = writes[i].kind == FK_WRITE_PUT;
        size_t size = fk_item_size(&writes[i].key, put ? writes[i].value : FK_BYTES_NULL);
        check_key(&writes[i].key);
        FK_ASSERT(!put || writes[i].value.data != NULL);
        FK_ASSERT(writes[i].expected >= FK_STAMP_ANY);
        FK_ASSERT(writes[i].stamp >= 0);
        for (size_t j = 0; j < i; j++) {
            FK_ASSERT(!same_key(&writes[i].key, &writes[j].key));
        }
        if (size > FK_TABLE_ITEM_SIZE_MAX) {
            return false;
        }
        total += size;
    }
    return total <= FK_TABLE_WRITE_SIZE_MAX;
}

/* Whether all conditions hold; finds the partitions. */
static bool conditions_hold(const struct memory_table *table, const struct fk_write *writes, size_t count,
                            struct stage *stages)
{
    for (size_t i = 0; i < count; i++) {
        stages[i] = (struct stage){.partition = find_partition(table, writes[i].key.partition), .item = NULL};
        const struct fk_named *item = find_item(stages[i].partition, writes[i].key.name);
        int64_t stamp = item == NULL ? 0 : item->stamp;
        if (writes[i].expected != FK_STAMP_ANY && writes[i].expected != stamp) {
            return false;
        }
    }
    return true;
}

static bool stage_put(struct memory_table *table, const struct fk_write *write, int64_t next_stamp, struct stage *stage)
{
    int64_t stamp = write->stamp != 0 ? write->stamp : next_stamp;
    if (stage->partition == NULL) { /* an earlier put may have made it */
        stage->partition = find_partition(table, write->key.partition);
    }
    if (stage->partition == NULL) {
        stage->partition = partition_new(table, write->key.partition);
    }
    if (stage->partition == NULL || !fk_sorted_reserve(&stage->partition->items, ++stage->partition->staged)) {
        return false;
    }
    stage->item = fk_named_new(write->key.name, write->value, stamp);
    return stage->item != NULL;
}

static bool stage_puts(struct memory_table *table, const struct fk_write *writes, size_t count, struct stage *stages)
{
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = writes[i].kind != FK_WRITE_PUT ||
             stage_put(table, &writes[i], table->last_stamp + 1 + (int64_t)i, &stages[i]);
    }
    return ok;
}

static void apply_delete(struct memory_table *table, struct partition *partition, struct fk_bytes name)
{
    size_t index = 0;
    const struct fk_named *item = partition == NULL ? NULL : fk_sorted_find(&partition->items, name, &index);
    if (item != NULL) {
        table->size -= size_of(partition, item);
        table->count--;
        fk_sorted_remove(&partition->items, index);
    }
}

static void apply_put(struct memory_table *table, struct stage *stage)
{
    struct partition *partition = stage->partition;
    size_t index = 0;
    const struct fk_named *old = fk_sorted_find(&partition->items, stage->item->name, &index);
    table->size += size_of(partition, stage->item) - (old == NULL ? 0 : size_of(partition, old));
    table->count += old == NULL ? 1 : 0;
    fk_sorted_put(&partition->items, index, stage->item);
    stage->item = NULL; /* the table's now */
}

static void apply(struct memory_table *table, const struct fk_write *writes, size_t count, struct stage *stages)
{
    for (size_t i = 0; i < count; i++) {
        if (writes[i].kind == FK_WRITE_PUT) {
            apply_put(table, &stages[i]);
        } else if (writes[i].kind == FK_WRITE_DELETE) {
            apply_delete(table, stages[i].partition, writes[i].key.name);
        }
    }
    if (table->observe != NULL) {
        table->observe(table->observe_context, writes, count, table->last_stamp + 1);
    }
    table->last_stamp += (int64_t)count;
}

/* Frees what was staged and not applied, and the partitions that the write left empty. */
static void unstage(struct memory_table *table, struct stage *stages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct partition *partition = stages[i].partition;
        fk_free(stages[i].item);
        if (partition != NULL) {
            partition->staged = 0;
        }
        if (partition == NULL || partition->items.count > 0) {
            continue;
        }
        for (size_t j = i + 1; j < count; j++) {
            stages[j].partition = stages[j].partition == partition ? NULL : stages[j].partition;
        }
        fk_map_remove(&table->partitions, &partition->entry);
        partition_free(partition);
    }
}

static enum fk_err table_write(struct fk_table *base, const struct fk_write *writes, size_t count)
{
    struct memory_table *table = memory(base);
    struct stage stages[FK_TABLE_WRITE_MAX];
    if (!check_writes(writes, count)) {
        return FK_ERR_TOO_LARGE;
    }
    if (!conditions_hold(table, writes, count, stages)) {
        return FK_ERR_REFUSED;
    }
    bool staged = stage_puts(table, writes, count, stages);
    if (staged) {
        apply(table, writes, count, stages);
    }
    unstage(table, stages, count);
    return staged ? FK_OK : FK_ERR_NOMEM;
}

static void table_free(struct fk_table *base)
{
    struct memory_table *table = memory(base);
    struct fk_map_entry *entry = fk_map_next(&table->partitions, NULL);
    while (entry != NULL) {
        struct fk_map_entry *next = fk_map_next(&table->partitions, entry);
        partition_free(partition_of(entry));
        entry = next;
    }
    fk_map_deinit(&table->partitions);
    fk_free(table);
}

/* --- for simulations --- */

void fk_memory_table_observe(struct fk_table *base, fk_memory_table_observe_fn observe, void *context)
{
    memory(base)->observe = observe;
    memory(base)->observe_context = context;
}

static int partition_order(const void *a, const void *b)
{
    const struct partition *const *left = (const struct partition *const *)a;
    const struct partition *const *right = (const struct partition *const *)b;
    return fk_bytes_compare((*left)->name, (*right)->name);
}

enum fk_err fk_memory_table_dump(struct fk_table *base, struct fk_arena *arena, struct fk_item **items, size_t *count)
{
    const struct memory_table *table = memory(base);
    size_t partition_count = table->partitions.count;
    size_t filled = 0;
    const struct partition **partitions =
        (const struct partition **)fk_arena_alloc(arena, partition_count * sizeof(const struct partition *));
    *items = (struct fk_item *)fk_arena_alloc(arena, table->count * sizeof **items);
    *count = 0;
    if (partitions == NULL || *items == NULL) {
        return FK_ERR_NOMEM;
    }
    struct fk_map_entry *entry = NULL;
    while ((entry = fk_map_next(&table->partitions, entry)) != NULL) {
        partitions[filled++] = partition_of(entry);
    }
    qsort(partitions, partition_count, sizeof(const struct partition *), partition_order);
    for (size_t i = 0; i < partition_count; i++) {
        for (size_t j = 0; j < partitions[i]->items.count; j++) {
            const struct fk_named *item = partitions[i]->items.items[j];
            (*items)[(*count)++] = (struct fk_item){{partitions[i]->name, item->name}, item->stamp, item->value};
        }
    }
    return FK_OK;
}

size_t fk_memory_table_count(const struct fk_table *table)
{
    return memory_const(table)->count;
}

size_t fk_memory_table_size(const struct fk_table *table)
{
    return memory_const(table)->size;
}

static const struct fk_table_ops memory_table_ops = {
    .name = "memory", .get_many = table_get_many, .list = table_list, .write = table_write, .free = table_free};

struct fk_table *fk_memory_table_new(void)
{
    struct memory_table *table = (struct memory_table *)fk_alloc_zero(sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    table->base.ops = &memory_table_ops;
    fk_map_init(&table->partitions);
    return &table->base;
}
