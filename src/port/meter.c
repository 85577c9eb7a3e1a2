// SPDX-License-Identifier: Apache-2.0
#include "port/meter.h"

#include "base/alloc.h"
#include "base/container.h"

enum {
    ATTRIBUTES_SIZE = 4, /* names of p, n, s, v */
    STAMP_SIZE = 11,     /* 19 digits, two a byte, and one byte more */
    READ_UNIT_SIZE = 4 * 1024,
    WRITE_UNIT_SIZE = 1024,
    TRANSACTION_FACTOR = 2,
    QUEUE_REQUEST_SIZE = 64 * 1024,
};

struct meter_table {
    struct fk_table base;
    struct fk_table *inner;
    struct fk_meter *meter;
    bool exact;
};

struct meter_queue {
    struct fk_queue base;
    struct fk_queue *inner;
    struct fk_meter *meter;
};

struct meter_channel {
    struct fk_channel base;
    struct fk_channel *inner;
    struct fk_meter *meter;
};

struct meter_blobs {
    struct fk_blobs base;
    struct fk_blobs *inner;
    struct fk_meter *meter;
};

/* --- numbers --- */

void fk_meter_init(struct fk_meter *meter)
{
    *meter = (struct fk_meter){.current = NULL};
}

void fk_meter_label(struct fk_meter *meter, const char *name)
{
    meter->current = NULL;
    if (name == NULL) {
        return;
    }
    size_t at = 0;
    while (at < meter->label_count && strcmp(meter->labels[at].name, name) != 0) {
        at++;
    }
    if (at == FK_METER_LABELS_MAX) {
        return;
    }
    if (at == meter->label_count) {
        meter->labels[meter->label_count++] = (struct fk_meter_label){.name = name};
    }
    meter->current = &meter->labels[at].units;
}

const struct fk_units *fk_meter_units(const struct fk_meter *meter, const char *name)
{
    for (size_t i = 0; i < meter->label_count; i++) {
        if (strcmp(meter->labels[i].name, name) == 0) {
            return &meter->labels[i].units;
        }
    }
    return NULL;
}

/* sum + factor * more, of each number. */
static void combine(struct fk_units *sum, const struct fk_units *more, int64_t factor)
{
    sum->table_gets += factor * more->table_gets;
    sum->table_lists += factor * more->table_lists;
    sum->table_writes += factor * more->table_writes;
    sum->table_transactions += factor * more->table_transactions;
    sum->table_refused += factor * more->table_refused;
    sum->table_failed += factor * more->table_failed;
    sum->read_units += factor * more->read_units;
    sum->write_units += factor * more->write_units;
    sum->read_bytes += factor * more->read_bytes;
    sum->written_bytes += factor * more->written_bytes;
    sum->queue_sends += factor * more->queue_sends;
    sum->queue_requests += factor * more->queue_requests;
    sum->queue_bytes += factor * more->queue_bytes;
    sum->channel_sends += factor * more->channel_sends;
    sum->channel_requests += factor * more->channel_requests;
    sum->channel_bytes += factor * more->channel_bytes;
    sum->blob_puts += factor * more->blob_puts;
    sum->blob_gets += factor * more->blob_gets;
    sum->blob_lists += factor * more->blob_lists;
    sum->blob_removes += factor * more->blob_removes;
    sum->blob_put_bytes += factor * more->blob_put_bytes;
    sum->blob_get_bytes += factor * more->blob_get_bytes;
}

void fk_units_add(struct fk_units *sum, const struct fk_units *more)
{
    combine(sum, more, 1);
}

struct fk_units fk_units_between(const struct fk_units *earlier, const struct fk_units *later)
{
    struct fk_units units = *later;
    combine(&units, earlier, -1);
    return units;
}

void fk_meter_add(struct fk_meter *meter, const struct fk_units *units)
{
    combine(&meter->all, units, 1);
    if (meter->current != NULL) {
        combine(meter->current, units, 1);
    }
}

/* How many units of `unit` bytes `size` begins; one at least. */
static int64_t begun(size_t size, size_t unit)
{
    return size == 0 ? 1 : (int64_t)((size + unit - 1) / unit);
}

static size_t base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

size_t fk_meter_item_size(const struct fk_key *key, struct fk_bytes value)
{
    return ATTRIBUTES_SIZE + STAMP_SIZE + key->partition.size + key->name.size + value.size;
}

/* --- the table --- */

static struct meter_table *table_of(struct fk_table *base)
{
    return FK_CONTAINER_OF(base, struct meter_table, base);
}

static void add_read(struct fk_units *units, const struct fk_item *item)
{
    size_t size = item->stamp == 0 ? 0 : fk_meter_item_size(&item->key, item->value);
    units->read_units += begun(size, READ_UNIT_SIZE);
    units->read_bytes += (int64_t)size;
}

static enum fk_err table_get_many(struct fk_table *base, const struct fk_key *keys, size_t key_count,
                                  struct fk_arena *arena, struct fk_item *items)
{
    struct meter_table *table = table_of(base);
    struct fk_units units = {.table_gets = 1};
    enum fk_err err = fk_table_get_many(table->inner, keys, key_count, arena, items);
    for (size_t i = 0; err == FK_OK && i < key_count; i++) {
        add_read(&units, &items[i]);
    }
    units.table_failed = err == FK_ERR_BUSY || err == FK_ERR_UNKNOWN ? 1 : 0;
    units.read_units += err == FK_ERR_UNKNOWN ? (int64_t)key_count : 0; /* at least */
    fk_meter_add(table->meter, &units);
    return err;
}

static enum fk_err table_list(struct fk_table *base, struct fk_bytes partition, struct fk_bytes after, size_t limit,
                              struct fk_arena *arena, struct fk_item_page *page)
{
    struct meter_table *table = table_of(base);
    struct fk_units units = {.table_lists = 1};
    size_t size = 0;
    enum fk_err err = fk_table_list(table->inner, partition, after, limit, arena, page);
    for (size_t i = 0; err == FK_OK && i < page->count; i++) {
        size += fk_meter_item_size(&page->items[i].key, page->items[i].value);
    }
    units.table_failed = err == FK_ERR_BUSY || err == FK_ERR_UNKNOWN ? 1 : 0;
    units.read_units = err == FK_ERR_BUSY ? 0 : begun(size, READ_UNIT_SIZE);
    units.read_bytes = (int64_t)size;
    fk_meter_add(table->meter, &units);
    return err;
}

/* Bytes of the item as it is before the write; 0: not there, or not known. */
static size_t size_before(struct meter_table *table, const struct fk_key *key)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_item item;
    size_t size = 0;
    if (table->exact && fk_table_get(table->inner, key, &arena, &item) == FK_OK && item.stamp != 0) {
        size = fk_meter_item_size(key, item.value);
    }
    fk_arena_deinit(&arena);
    return size;
}

static int64_t units_of(struct meter_table *table, const struct fk_write *write)
{
    size_t before = size_before(table, &write->key);
    size_t after = write->kind == FK_WRITE_PUT ? fk_meter_item_size(&write->key, write->value) : 0;
    return begun(before > after ? before : after, WRITE_UNIT_SIZE);
}

/* A condition that always holds: drivers leave it out. */
static bool is_nothing(const struct fk_write *write)
{
    return write->kind == FK_WRITE_CHECK && write->expected == FK_STAMP_ANY;
}

/* A check alone, which drivers make a read. */
static enum fk_err check_alone(struct meter_table *table, const struct fk_write *writes, size_t write_count,
                               const struct fk_write *check)
{
    struct fk_units units = {.table_gets = 1, .read_units = begun(size_before(table, &check->key), READ_UNIT_SIZE)};
    enum fk_err err = fk_table_write(table->inner, writes, write_count);
    units.table_failed = err == FK_ERR_BUSY || err == FK_ERR_UNKNOWN ? 1 : 0;
    units.read_units = err == FK_ERR_BUSY ? 0 : units.read_units;
    fk_meter_add(table->meter, &units);
    return err;
}

static enum fk_err table_write(struct fk_table *base, const struct fk_write *writes, size_t write_count)
{
    struct meter_table *table = table_of(base);
    const struct fk_write *last = NULL;
    size_t real = 0;
    for (size_t i = 0; i < write_count; i++) {
        last = is_nothing(&writes[i]) ? last : &writes[i];
        real += is_nothing(&writes[i]) ? 0 : 1;
    }
    if (real == 0) {
        return fk_table_write(table->inner, writes, write_count);
    }
    if (real == 1 && last->kind == FK_WRITE_CHECK) {
        return check_alone(table, writes, write_count, last);
    }
    bool transaction = real > 1;
    struct fk_units units = {.table_writes = transaction ? 0 : 1, .table_transactions = transaction ? 1 : 0};
    struct fk_units used = {.write_units = 0};
    for (size_t i = 0; i < write_count; i++) {
        if (is_nothing(&writes[i])) {
            continue;
        }
        used.write_units += units_of(table, &writes[i]) * (transaction ? TRANSACTION_FACTOR : 1);
        used.written_bytes +=
            writes[i].kind == FK_WRITE_PUT ? (int64_t)fk_meter_item_size(&writes[i].key, writes[i].value) : 0;
    }
    enum fk_err err = fk_table_write(table->inner, writes, write_count);
    units.table_refused = err == FK_ERR_REFUSED ? 1 : 0;
    units.table_failed = err == FK_ERR_BUSY || err == FK_ERR_UNKNOWN ? 1 : 0;
    if (err == FK_OK || err == FK_ERR_REFUSED || err == FK_ERR_UNKNOWN) {
        units.write_units = used.write_units;
        units.written_bytes = err == FK_ERR_REFUSED ? 0 : used.written_bytes;
    }
    fk_meter_add(table->meter, &units);
    return err;
}

static void table_free(struct fk_table *base)
{
    fk_free(table_of(base));
}

static const struct fk_table_ops table_ops = {
    .name = "meter", .get_many = table_get_many, .list = table_list, .write = table_write, .free = table_free};

struct fk_table *fk_meter_table_new(struct fk_meter *meter, struct fk_table *inner, bool exact)
{
    struct meter_table *table = (struct meter_table *)fk_alloc_zero(sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    *table = (struct meter_table){.base = {.ops = &table_ops}, .inner = inner, .meter = meter, .exact = exact};
    return &table->base;
}

/* --- the queue, the channel --- */

static enum fk_err queue_send(struct fk_queue *base, int64_t group, int64_t deduplication_id, struct fk_bytes message)
{
    struct meter_queue *queue = FK_CONTAINER_OF(base, struct meter_queue, base);
    size_t size = base64_size(message.size);
    fk_meter_add(queue->meter, &(struct fk_units){.queue_sends = 1,
                                                  .queue_requests = begun(size, QUEUE_REQUEST_SIZE),
                                                  .queue_bytes = (int64_t)size});
    return fk_queue_send(queue->inner, group, deduplication_id, message);
}

static void queue_free(struct fk_queue *base)
{
    fk_free(FK_CONTAINER_OF(base, struct meter_queue, base));
}

static const struct fk_queue_ops queue_ops = {.name = "meter", .send = queue_send, .free = queue_free};

struct fk_queue *fk_meter_queue_new(struct fk_meter *meter, struct fk_queue *inner)
{
    struct meter_queue *queue = (struct meter_queue *)fk_alloc_zero(sizeof *queue);
    if (queue == NULL) {
        return NULL;
    }
    *queue = (struct meter_queue){.base = {.ops = &queue_ops}, .inner = inner, .meter = meter};
    return &queue->base;
}

static enum fk_err channel_notify(struct fk_channel *base, int64_t gateway, struct fk_bytes message, int64_t after_zxid)
{
    struct meter_channel *channel = FK_CONTAINER_OF(base, struct meter_channel, base);
    size_t size = base64_size(message.size);
    fk_meter_add(channel->meter, &(struct fk_units){.channel_sends = 1,
                                                    .channel_requests = begun(size, QUEUE_REQUEST_SIZE),
                                                    .channel_bytes = (int64_t)size});
    return fk_channel_notify(channel->inner, gateway, message, after_zxid);
}

static void channel_free(struct fk_channel *base)
{
    fk_free(FK_CONTAINER_OF(base, struct meter_channel, base));
}

static const struct fk_channel_ops channel_ops = {.name = "meter", .notify = channel_notify, .free = channel_free};

struct fk_channel *fk_meter_channel_new(struct fk_meter *meter, struct fk_channel *inner)
{
    struct meter_channel *channel = (struct meter_channel *)fk_alloc_zero(sizeof *channel);
    if (channel == NULL) {
        return NULL;
    }
    *channel = (struct meter_channel){.base = {.ops = &channel_ops}, .inner = inner, .meter = meter};
    return &channel->base;
}

/* --- blobs --- */

static struct meter_blobs *blobs_of(struct fk_blobs *base)
{
    return FK_CONTAINER_OF(base, struct meter_blobs, base);
}

static enum fk_err blobs_put(struct fk_blobs *base, struct fk_bytes name, struct fk_bytes bytes)
{
    fk_meter_add(blobs_of(base)->meter, &(struct fk_units){.blob_puts = 1, .blob_put_bytes = (int64_t)bytes.size});
    return fk_blob_put(blobs_of(base)->inner, name, bytes);
}

static enum fk_err blobs_get(struct fk_blobs *base, struct fk_bytes name, struct fk_arena *arena,
                             struct fk_bytes *bytes)
{
    enum fk_err err = fk_blob_get(blobs_of(base)->inner, name, arena, bytes);
    fk_meter_add(blobs_of(base)->meter,
                 &(struct fk_units){.blob_gets = 1, .blob_get_bytes = err == FK_OK ? (int64_t)bytes->size : 0});
    return err;
}

static enum fk_err blobs_remove(struct fk_blobs *base, struct fk_bytes name)
{
    fk_meter_add(blobs_of(base)->meter, &(struct fk_units){.blob_removes = 1});
    return fk_blob_remove(blobs_of(base)->inner, name);
}

static enum fk_err blobs_list(struct fk_blobs *base, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                              struct fk_blob_page *page)
{
    fk_meter_add(blobs_of(base)->meter, &(struct fk_units){.blob_lists = 1});
    return fk_blob_list(blobs_of(base)->inner, after, limit, arena, page);
}

static void blobs_free(struct fk_blobs *base)
{
    fk_free(blobs_of(base));
}

static const struct fk_blob_ops blob_ops = {.name = "meter",
                                            .put = blobs_put,
                                            .get = blobs_get,
                                            .remove = blobs_remove,
                                            .list = blobs_list,
                                            .free = blobs_free};

struct fk_blobs *fk_meter_blobs_new(struct fk_meter *meter, struct fk_blobs *inner)
{
    struct meter_blobs *blobs = (struct meter_blobs *)fk_alloc_zero(sizeof *blobs);
    if (blobs == NULL) {
        return NULL;
    }
    *blobs = (struct meter_blobs){.base = {.ops = &blob_ops}, .inner = inner, .meter = meter};
    return &blobs->base;
}
