// SPDX-License-Identifier: Apache-2.0
/* Decorators over the ports of a process: each call waits in virtual time, one half before its effect and the rest
 * after it. Capacity units are counted as DynamoDB does; a partition at its limit makes its callers wait. */
#include "base/container.h"
#include "sim/latency_internal.h"
#include "sim/own.h"

#include <math.h>

enum {
    WRITE_UNIT = 1024,
    READ_UNIT = 4096,
    WRITE_UNITS_PER_SECOND = 1000,
    READ_UNITS_PER_SECOND = 3000,
};

/* A message on an open connection is written and gone: the prototype's "notify client". */
static const double NOTIFY_MS = 0.07;

struct slow {
    struct fk_table table;
    struct fk_blobs blobs;
    struct fk_queue queues[SIM_QUEUES];
    struct fk_channel channel;
    struct fk_ports inner;
    struct sim_latency *latency;
    enum sim_role role;
    bool sent; /* the writer's message to the distributor */
};

static double dice(const struct slow *slow)
{
    return sim_latency_dice(slow->latency->world);
}

/* The longest of `count` that run side by side. */
static double dice_of(const struct slow *slow, size_t count)
{
    return pow(dice(slow), 1 / (double)count);
}

static void wait_ms(double ms)
{
    sim_sleep_ns(sim_latency_ns(ms < 0 ? 0 : ms));
}

/* --- stages --- */

static bool is_function(const struct slow *slow)
{
    return slow->role == SIM_ROLE_FUNCTION || slow->role == SIM_ROLE_WRITER || slow->role == SIM_ROLE_DISTRIBUTOR;
}

/* A call that began then is over. */
static void stage_over(const struct slow *slow, enum sim_latency_stage stage, int64_t since_ns)
{
    if (is_function(slow) || stage == SIM_STAGE_PUSH) {
        slow->latency->counts.stage_ns[stage] += sim_now_ns(slow->latency->world) - since_ns;
    }
}

static enum sim_latency_stage stage_of_read(const struct slow *slow)
{
    return slow->role == SIM_ROLE_DISTRIBUTOR ? SIM_STAGE_READ_SECOND : SIM_STAGE_READ;
}

static enum sim_latency_stage stage_of_write(const struct slow *slow, size_t count)
{
    switch (slow->role) {
    case SIM_ROLE_DISTRIBUTOR:
        return SIM_STAGE_APPLY;
    case SIM_ROLE_WRITER:
        return slow->sent ? SIM_STAGE_COMMIT : SIM_STAGE_LOCK;
    case SIM_ROLE_FUNCTION:
    case SIM_ROLE_SWEEP:
    case SIM_ROLE_GATEWAY:
    case SIM_ROLE_CLIENT:
    case SIM_ROLE_QUEUE:
    case SIM_ROLE_SERVER:
    case SIM_ROLE_COUNT:
        break;
    }
    return count == 1 ? SIM_STAGE_STORE : SIM_STAGE_COMMIT;
}

/* --- capacity --- */

static uint64_t units_of(size_t size, size_t unit)
{
    return size == 0 ? 1 : (size + unit - 1) / unit;
}

/* Takes units of a partition; how long until it has them. */
static int64_t take_units(const struct slow *slow, struct sim_latency_bucket *bucket, double per_second, uint64_t units)
{
    int64_t now = sim_now_ns(slow->latency->world);
    bucket->units += (double)(now - bucket->at_ns) / (double)SIM_S * per_second;
    bucket->units = bucket->units > per_second ? per_second : bucket->units;
    bucket->at_ns = now;
    bucket->units -= (double)units;
    return bucket->units >= 0 ? 0 : (int64_t)(-bucket->units / per_second * (double)SIM_S);
}

static size_t partition_of(const struct slow *slow, const struct fk_key *key)
{
    return fk_bytes_hash(key->partition) % (size_t)slow->latency->options.partitions;
}

/* Calls that one partition can't serve now wait, as a client that backs off does. */
static void wait_for_units(struct slow *slow, int64_t ns)
{
    if (ns > 0) {
        slow->latency->counts.waits++;
        slow->latency->counts.waited_ns += ns;
        sim_sleep_ns(ns);
    }
}

static int64_t take_read(struct slow *slow, const struct fk_key *key, size_t size)
{
    uint64_t units = units_of(size, READ_UNIT);
    slow->latency->counts.read_units += units;
    return take_units(slow, &slow->latency->reads[partition_of(slow, key)], READ_UNITS_PER_SECOND, units);
}

static int64_t take_write(struct slow *slow, const struct fk_write *write, bool transaction)
{
    uint64_t units = units_of(fk_item_size(&write->key, write->value), WRITE_UNIT) * (transaction ? 2 : 1);
    slow->latency->counts.write_units += units;
    return take_units(slow, &slow->latency->writes[partition_of(slow, &write->key)], WRITE_UNITS_PER_SECOND, units);
}

/* --- table --- */

static enum fk_err get_many(struct fk_table *table, const struct fk_key *keys, size_t count, struct fk_arena *arena,
                            struct fk_item *items)
{
    struct slow *slow = FK_CONTAINER_OF(table, struct slow, table);
    double u = dice_of(slow, count);
    double before = sim_latency_ms(slow->latency, SIM_LATENCY_READ, 0, u) / 2;
    size_t size = 0;
    int64_t units_ns = 0;
    int64_t start = sim_now_ns(slow->latency->world);
    wait_ms(before);
    enum fk_err err = fk_table_get_many(slow->inner.table, keys, count, arena, items);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        size_t item = items[i].stamp == 0 ? 0 : fk_item_size(&keys[i], items[i].value);
        int64_t ns = take_read(slow, &keys[i], item);
        units_ns = ns > units_ns ? ns : units_ns;
        size += item;
    }
    wait_for_units(slow, units_ns);
    wait_ms(sim_latency_ms(slow->latency, SIM_LATENCY_READ, size, u) - before);
    stage_over(slow, stage_of_read(slow), start);
    return err;
}

static enum fk_err list(struct fk_table *table, struct fk_bytes partition, struct fk_bytes after, size_t limit,
                        struct fk_arena *arena, struct fk_item_page *page)
{
    struct slow *slow = FK_CONTAINER_OF(table, struct slow, table);
    struct fk_key key = {.partition = partition};
    double u = dice(slow);
    double before = sim_latency_ms(slow->latency, SIM_LATENCY_READ, 0, u) / 2;
    size_t size = 0;
    int64_t start = sim_now_ns(slow->latency->world);
    wait_ms(before);
    enum fk_err err = fk_table_list(slow->inner.table, partition, after, limit, arena, page);
    for (size_t i = 0; err == FK_OK && i < page->count; i++) {
        size += fk_item_size(&page->items[i].key, page->items[i].value);
    }
    wait_for_units(slow, take_read(slow, &key, size));
    wait_ms(sim_latency_ms(slow->latency, SIM_LATENCY_READ, size, u) - before);
    stage_over(slow, stage_of_read(slow), start);
    return err;
}

/* A transaction prepares all its items, then writes them: a round of conditional writes side by side, and a round of
 * plain ones, each as long as its slowest; so often as the options say. */
static double write_time(const struct slow *slow, const struct fk_write *writes, size_t count, size_t size)
{
    const struct sim_latency *latency = slow->latency;
    if (count == 1) {
        bool free = writes[0].expected == FK_STAMP_ANY;
        return sim_latency_ms(latency, free ? SIM_LATENCY_WRITE : SIM_LATENCY_CONDITIONAL, size, dice(slow));
    }
    double rounds = sim_latency_ms(latency, SIM_LATENCY_CONDITIONAL, size, dice_of(slow, count)) +
                    sim_latency_ms(latency, SIM_LATENCY_WRITE, size, dice_of(slow, count));
    return rounds * latency->options.transaction;
}

static enum fk_err write_items(struct fk_table *table, const struct fk_write *writes, size_t count)
{
    struct slow *slow = FK_CONTAINER_OF(table, struct slow, table);
    size_t size = 0;
    int64_t units_ns = 0;
    int64_t start = sim_now_ns(slow->latency->world);
    for (size_t i = 0; i < count; i++) {
        int64_t ns = take_write(slow, &writes[i], count > 1);
        units_ns = ns > units_ns ? ns : units_ns;
        size += fk_item_size(&writes[i].key, writes[i].value);
    }
    double ms = write_time(slow, writes, count, size / count);
    wait_for_units(slow, units_ns);
    wait_ms(ms / 2);
    enum fk_err err = fk_table_write(slow->inner.table, writes, count);
    wait_ms(ms / 2);
    stage_over(slow, stage_of_write(slow, count), start);
    return err;
}

static void free_table(struct fk_table *table)
{
    (void)table; /* the world frees it */
}

static const struct fk_table_ops table_ops = {
    .name = "slow", .get_many = get_many, .list = list, .write = write_items, .free = free_table};

/* --- blobs --- */

static enum fk_err put(struct fk_blobs *blobs, struct fk_bytes name, struct fk_bytes bytes)
{
    struct slow *slow = FK_CONTAINER_OF(blobs, struct slow, blobs);
    int64_t start = sim_now_ns(slow->latency->world);
    wait_ms(sim_latency_ms(slow->latency, SIM_LATENCY_BLOB_PUT, bytes.size, dice(slow)));
    stage_over(slow, is_function(slow) ? SIM_STAGE_STORE : SIM_STAGE_PUSH, start); /* a large request stands in S3 */
    return fk_blob_put(slow->inner.blobs, name, bytes);
}

static enum fk_err get(struct fk_blobs *blobs, struct fk_bytes name, struct fk_arena *arena, struct fk_bytes *bytes)
{
    struct slow *slow = FK_CONTAINER_OF(blobs, struct slow, blobs);
    int64_t start = sim_now_ns(slow->latency->world);
    enum fk_err err = fk_blob_get(slow->inner.blobs, name, arena, bytes);
    wait_ms(sim_latency_ms(slow->latency, SIM_LATENCY_BLOB_GET, err == FK_OK ? bytes->size : 0, dice(slow)));
    stage_over(slow, SIM_STAGE_STORE, start);
    return err;
}

/* Nobody measured it: as long as a small put. */
static enum fk_err remove_blob(struct fk_blobs *blobs, struct fk_bytes name)
{
    struct slow *slow = FK_CONTAINER_OF(blobs, struct slow, blobs);
    wait_ms(sim_latency_ms(slow->latency, SIM_LATENCY_BLOB_PUT, 0, dice(slow)));
    return fk_blob_remove(slow->inner.blobs, name);
}

static enum fk_err list_blobs(struct fk_blobs *blobs, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                              struct fk_blob_page *page)
{
    struct slow *slow = FK_CONTAINER_OF(blobs, struct slow, blobs);
    wait_ms(sim_latency_ms(slow->latency, SIM_LATENCY_BLOB_HEAD, 0, dice(slow)));
    return fk_blob_list(slow->inner.blobs, after, limit, arena, page);
}

static void free_blobs(struct fk_blobs *blobs)
{
    (void)blobs;
}

static const struct fk_blob_ops blob_ops = {
    .name = "slow", .put = put, .get = get, .remove = remove_blob, .list = list_blobs, .free = free_blobs};

/* --- queues and channel --- */

static enum fk_err send_to(struct slow *slow, struct fk_queue *queue, int64_t group, int64_t deduplication_id,
                           struct fk_bytes message)
{
    int64_t start = sim_now_ns(slow->latency->world);
    slow->latency->counts.sends++;
    wait_ms(sim_latency_ms(slow->latency, SIM_LATENCY_PUSH, message.size, dice(slow)));
    stage_over(slow, is_function(slow) ? SIM_STAGE_PUSH_SECOND : SIM_STAGE_PUSH, start);
    slow->sent = true;
    return fk_queue_send(queue, group, deduplication_id, message);
}

static enum fk_err send_request(struct fk_queue *queue, int64_t group, int64_t deduplication_id,
                                struct fk_bytes message)
{
    struct slow *slow = FK_CONTAINER_OF(queue, struct slow, queues[SIM_QUEUE_REQUESTS]);
    return send_to(slow, slow->inner.queue, group, deduplication_id, message);
}

static enum fk_err send_planned(struct fk_queue *queue, int64_t group, int64_t deduplication_id,
                                struct fk_bytes message)
{
    struct slow *slow = FK_CONTAINER_OF(queue, struct slow, queues[SIM_QUEUE_DISTRIBUTOR]);
    return send_to(slow, slow->inner.distributor, group, deduplication_id, message);
}

static void free_queue(struct fk_queue *queue)
{
    (void)queue;
}

static const struct fk_queue_ops requests_ops = {.name = "slow", .send = send_request, .free = free_queue};
static const struct fk_queue_ops distributor_ops = {.name = "slow", .send = send_planned, .free = free_queue};

static enum fk_err notify(struct fk_channel *channel, int64_t gateway, struct fk_bytes message, int64_t after_zxid)
{
    struct slow *slow = FK_CONTAINER_OF(channel, struct slow, channel);
    bool sqs = slow->latency->options.sqs_channel;
    int64_t start = sim_now_ns(slow->latency->world);
    slow->latency->counts.notices++;
    wait_ms(sqs ? sim_latency_ms(slow->latency, SIM_LATENCY_PUSH, message.size, dice(slow)) : NOTIFY_MS);
    stage_over(slow, SIM_STAGE_ANSWER, start);
    return fk_channel_notify(slow->inner.channel, gateway, message, after_zxid);
}

static void free_channel(struct fk_channel *channel)
{
    (void)channel;
}

static const struct fk_channel_ops channel_ops = {.name = "slow", .notify = notify, .free = free_channel};

/* Half a round trip over TCP, where nothing overtakes; over SQS a long poll that waits already gets it a moment after
 * it was acknowledged. */
static int64_t arrival_ns(struct sim_latency *latency, int64_t now)
{
    if (latency->options.sqs_channel) {
        return now + sim_latency_ns(latency->options.poll_ms * (0.5 + sim_latency_dice(latency->world)));
    }
    int64_t at = now + sim_latency_draw(latency, latency->world, SIM_LATENCY_ROUND_TRIP, 0) / 2;
    latency->letter_ns = at > latency->letter_ns ? at : latency->letter_ns + 1;
    return latency->letter_ns;
}

static int64_t arrival(void *context, size_t size)
{
    struct sim_latency *latency = context;
    int64_t now = sim_now_ns(latency->world);
    (void)size;
    int64_t at = arrival_ns(latency, now);
    latency->counts.stage_ns[SIM_STAGE_ANSWER] += at - now;
    return at;
}

static void decorate(void *context, struct sim_ports *ports)
{
    struct slow *slow = SIM_OWN_NEW(struct slow);
    *slow = (struct slow){
        .table = {.ops = &table_ops},
        .blobs = {.ops = &blob_ops},
        .queues = {{.ops = &requests_ops}, {.ops = &distributor_ops}},
        .channel = {.ops = &channel_ops},
        .inner = ports->ports,
        .latency = context,
        .role = ports->role,
    };
    ports->ports.table = &slow->table;
    ports->ports.blobs = &slow->blobs;
    ports->ports.queue = &slow->queues[SIM_QUEUE_REQUESTS];
    ports->ports.distributor = &slow->queues[SIM_QUEUE_DISTRIBUTOR];
    ports->ports.channel = &slow->channel;
}

void sim_latency_attach(struct sim_latency *latency, const struct sim_latency_options *options, struct sim_world *world,
                        struct sim_cloud *cloud)
{
    latency->options = *options;
    latency->world = world;
    latency->letter_ns = 0;
    latency->counts = (struct sim_latency_counts){0};
    for (size_t i = 0; i < SIM_LATENCY_PARTITIONS; i++) {
        latency->writes[i] = (struct sim_latency_bucket){.units = WRITE_UNITS_PER_SECOND};
        latency->reads[i] = (struct sim_latency_bucket){.units = READ_UNITS_PER_SECOND};
    }
    sim_cloud_decorate(cloud, decorate, arrival, latency);
}
