// SPDX-License-Identifier: Apache-2.0
#include "function/cloud_world.h"

#include "base/alloc.h"
#include "driver/memory/blob.h"
#include "driver/memory/channel.h"
#include "driver/memory/queue.h"
#include "driver/memory/table.h"
#include "function/bootstrap.h"
#include "function/distributor.h"
#include "function/pipeline.h"
#include "function/single_hop.h"
#include "wire/records.h"

/* --- the table --- */

static enum fk_err get_many(struct fk_table *table, const struct fk_key *keys, size_t count, struct fk_arena *arena,
                            struct fk_item *items)
{
    return fk_table_get_many(((struct cloud *)table)->inner, keys, count, arena, items);
}

static enum fk_err list(struct fk_table *table, struct fk_bytes partition, struct fk_bytes after, size_t limit,
                        struct fk_arena *arena, struct fk_item_page *page)
{
    return fk_table_list(((struct cloud *)table)->inner, partition, after, limit, arena, page);
}

static enum fk_err write_faulty(struct cloud *cloud, enum cloud_fault fault, const struct fk_write *writes,
                                size_t count)
{
    switch (fault) {
    case CLOUD_BUSY:
        return FK_ERR_BUSY;
    case CLOUD_REFUSED:
        return FK_ERR_REFUSED;
    case CLOUD_TOO_LARGE:
        return FK_ERR_TOO_LARGE;
    case CLOUD_UNKNOWN_LOST:
        return FK_ERR_UNKNOWN;
    case CLOUD_UNKNOWN_APPLIED:
        (void)!fk_table_write(cloud->inner, writes, count);
        return FK_ERR_UNKNOWN;
    case CLOUD_NO_FAULT:
    default:
        return fk_table_write(cloud->inner, writes, count);
    }
}

static enum fk_err write(struct fk_table *table, const struct fk_write *writes, size_t count)
{
    struct cloud *cloud = (struct cloud *)table;
    cloud->writes++;
    cloud->last_count = count;
    if (cloud->fault_nth == 0) {
        return fk_table_write(cloud->inner, writes, count);
    }
    if (--cloud->fault_nth > 0) {
        return fk_table_write(cloud->inner, writes, count);
    }
    cloud_hook_fn hook = cloud->hook;
    cloud->hook = NULL;
    if (hook != NULL) {
        hook(cloud);
        return fk_table_write(cloud->inner, writes, count);
    }
    cloud->fault_nth = cloud->fault_always ? 1 : 0;
    return write_faulty(cloud, cloud->fault, writes, count);
}

static const struct fk_table_ops table_ops = {.name = "cloud", .get_many = get_many, .list = list, .write = write};

void cloud_fail(struct cloud *cloud, uint64_t nth, enum cloud_fault fault)
{
    cloud->fault = fault;
    cloud->fault_nth = nth;
    cloud->hook = NULL;
}

void cloud_hook(struct cloud *cloud, uint64_t nth, cloud_hook_fn hook)
{
    cloud->fault_nth = nth;
    cloud->hook = hook;
}

/* --- building --- */

void cloud_init(struct cloud *cloud, bool pipeline)
{
    *cloud = (struct cloud){.table = {.ops = &table_ops}, .arena = FK_ARENA_EMPTY, .options = fk_cloud_defaults()};
    fk_memory_clock_init(&cloud->clock, 1700000000000);
    fk_memory_random_init(&cloud->random, 1);
    cloud->inner = fk_memory_table_new();
    cloud->options.pipeline = pipeline;
    cloud->ports = (struct fk_ports){.table = &cloud->table,
                                     .blobs = fk_memory_blobs_new(),
                                     .queue = fk_memory_queue_new(&cloud->clock.base),
                                     .distributor = fk_memory_queue_new(&cloud->clock.base),
                                     .channel = fk_memory_channel_new(),
                                     .clock = &cloud->clock.base,
                                     .random = &cloud->random.base};
    assert_non_null(cloud->inner);
    assert_int_equal(fk_cloud_bootstrap(&cloud->ports), FK_OK);
    cloud_add_gateway(cloud, CLOUD_GATEWAY);
    cloud_add_gateway(cloud, CLOUD_OTHER);
    cloud_add_session(cloud, CLOUD_SESSION, CLOUD_GATEWAY);
    cloud->writes = 0;
}

void cloud_deinit(struct cloud *cloud)
{
    fk_table_free(cloud->inner);
    fk_blobs_free(cloud->ports.blobs);
    fk_queue_free(cloud->ports.queue);
    fk_queue_free(cloud->ports.distributor);
    fk_channel_free(cloud->ports.channel);
    fk_arena_deinit(&cloud->arena);
}

static struct fk_bytes taken(struct cloud *cloud, struct fk_buf *buf)
{
    assert_false(buf->failed);
    struct fk_bytes copy = fk_arena_copy(&cloud->arena, fk_buf_view(buf));
    fk_buf_deinit(buf);
    return copy.data == NULL ? FK_BYTES_LITERAL("") : copy;
}

void cloud_put(struct cloud *cloud, const struct fk_key *key, struct fk_bytes value)
{
    struct fk_write one = {.kind = FK_WRITE_PUT, .key = *key, .expected = FK_STAMP_ANY, .value = value};
    assert_int_equal(fk_table_write(cloud->inner, &one, 1), FK_OK);
}

void cloud_add_gateway(struct cloud *cloud, int64_t id)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_key key = fk_key_gateway(&cloud->arena, id);
    struct fk_gateway_record record = {.counter = 1, .alive = true, .address = FK_BYTES_LITERAL("there")};
    fk_gateway_record_write(&buf, &record);
    cloud_put(cloud, &key, taken(cloud, &buf));
    assert_int_equal(fk_memory_channel_listen(cloud->ports.channel, id), FK_OK);
}

void cloud_add_session(struct cloud *cloud, int64_t id, int64_t owner)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_key key = fk_key_session(&cloud->arena, id);
    struct fk_session_record record = {
        .session = {.id = id, .timeout_ms = 10000}, .state = FK_SESSION_LIVE, .epoch = 1, .owner = owner, .nonce = 99};
    fk_session_record_write(&buf, &record);
    cloud_put(cloud, &key, taken(cloud, &buf));
}

/* --- operations --- */

static struct fk_request_operation create(struct cloud *cloud, int32_t op, const char *path, struct fk_bytes data,
                                          int32_t flags)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_create_request request = {.path = fk_bytes_text(path), .data = data, .acl = FK_ACL_OPEN, .flags = flags};
    fk_write_create_request(&buf, &request);
    return (struct fk_request_operation){.op = op, .body = taken(cloud, &buf)};
}

struct fk_request_operation cloud_create(struct cloud *cloud, const char *path, const char *data, int32_t flags)
{
    return create(cloud, FK_OP_CREATE, path, fk_bytes_text(data), flags);
}

struct fk_request_operation cloud_create2(struct cloud *cloud, const char *path, const char *data, int32_t flags)
{
    return create(cloud, FK_OP_CREATE2, path, fk_bytes_text(data), flags);
}

struct fk_request_operation cloud_create_sized(struct cloud *cloud, const char *path, size_t size)
{
    uint8_t *bytes = fk_arena_alloc(&cloud->arena, size);
    memset(bytes, 'x', size);
    return create(cloud, FK_OP_CREATE, path, fk_bytes_of(bytes, size), 0);
}

struct fk_request_operation cloud_set(struct cloud *cloud, const char *path, const char *data, int32_t version)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_set_data_request(&buf, &(struct fk_set_data_request){
                                        .path = fk_bytes_text(path), .data = fk_bytes_text(data), .version = version});
    return (struct fk_request_operation){.op = FK_OP_SET_DATA, .body = taken(cloud, &buf)};
}

struct fk_request_operation cloud_delete(struct cloud *cloud, const char *path)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_version_request(&buf, &(struct fk_version_request){.path = fk_bytes_text(path), .version = -1});
    return (struct fk_request_operation){.op = FK_OP_DELETE, .body = taken(cloud, &buf)};
}

struct fk_request_operation cloud_multi(struct cloud *cloud, const struct fk_request_operation *ops, size_t count)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    for (size_t i = 0; i < count; i++) {
        fk_write_multi_header(&buf, &(struct fk_multi_header){.op = ops[i].op, .code = -1});
        fk_buf_append(&buf, ops[i].body);
    }
    fk_write_multi_header(&buf, &(struct fk_multi_header){.op = -1, .done = true, .code = -1});
    return (struct fk_request_operation){.op = FK_OP_MULTI, .body = taken(cloud, &buf)};
}

struct fk_request_operation cloud_close(void)
{
    return (struct fk_request_operation){.op = FK_OP_CLOSE_SESSION, .body = FK_BYTES_LITERAL("")};
}

struct fk_request_operation cloud_word(struct cloud *cloud, int32_t op, int64_t word)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_i64(&buf, word);
    return (struct fk_request_operation){.op = op, .body = taken(cloud, &buf)};
}

struct fk_request_operation cloud_attach(struct cloud *cloud, int64_t nonce, int32_t timeout_ms)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_attach_request request = {.nonce = nonce, .timeout_ms = timeout_ms};
    fk_write_attach_request(&buf, &request);
    return (struct fk_request_operation){.op = FK_OP_ATTACH, .body = taken(cloud, &buf)};
}

struct fk_request_operation cloud_sweep_node(struct cloud *cloud, const char *path, int32_t version, int32_t cversion)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_sweep_request request = {.path = fk_bytes_text(path), .version = version, .cversion = cversion};
    fk_write_sweep_request(&buf, &request);
    return (struct fk_request_operation){.op = FK_OP_SWEEP_NODE, .body = taken(cloud, &buf)};
}

/* --- messages --- */

struct fk_bytes cloud_message_of(struct cloud *cloud, int64_t session_id, int64_t epoch, int64_t gateway,
                                 int64_t number, const struct fk_request_operation *ops, size_t count)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_request_message message = {.gateway = gateway,
                                         .session_id = session_id,
                                         .epoch = epoch,
                                         .first_number = number,
                                         .taken = cloud->taken,
                                         .ids = FK_BYTES_LITERAL("\0\0\0\0")};
    fk_request_message_begin(&buf, &message);
    for (size_t i = 0; i < count; i++) {
        fk_request_message_add(&buf, &ops[i]);
    }
    return taken(cloud, &buf);
}

struct fk_bytes cloud_message(struct cloud *cloud, int64_t number, const struct fk_request_operation *ops, size_t count)
{
    return cloud_message_of(cloud, CLOUD_SESSION, 1, CLOUD_GATEWAY, number, ops, count);
}

enum fk_err cloud_write(struct cloud *cloud, struct fk_bytes message)
{
    size_t done = 0;
    enum fk_err err = fk_pipeline_writer_run(&cloud->options, &cloud->ports, &message, 1, &done);
    assert_int_equal(done, err == FK_OK ? 1 : 0);
    return err;
}

size_t cloud_entries(struct cloud *cloud)
{
    return fk_memory_queue_count(cloud->ports.distributor);
}

enum fk_err cloud_distribute(struct cloud *cloud)
{
    enum fk_err err = FK_OK;
    while (err == FK_OK && cloud_entries(cloud) > 0) {
        struct fk_delivery deliveries[FK_QUEUE_BATCH_MAX];
        struct fk_bytes messages[FK_QUEUE_BATCH_MAX];
        size_t count = 0;
        size_t done = 0;
        assert_int_equal(fk_memory_queue_receive(cloud->ports.distributor, FK_GROUP_DISTRIBUTOR, FK_QUEUE_BATCH_MAX,
                                                 600000, &cloud->arena, deliveries, &count),
                         FK_OK);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            messages[i] = deliveries[i].body;
        }
        err = fk_distributor_run(&cloud->options, &cloud->ports, messages, count, &done);
        assert_true(err != FK_OK || done == count);
        for (size_t i = 0; i < count; i++) {
            assert_true(i < done ? fk_memory_queue_delete(cloud->ports.distributor, deliveries[i].receipt)
                                 : fk_memory_queue_hide(cloud->ports.distributor, deliveries[i].receipt, 0));
        }
    }
    return err;
}

void cloud_run(struct cloud *cloud, struct fk_bytes message)
{
    size_t done = 0;
    if (cloud->options.pipeline) {
        assert_int_equal(cloud_write(cloud, message), FK_OK);
        assert_int_equal(cloud_distribute(cloud), FK_OK);
        return;
    }
    assert_int_equal(fk_single_hop_run(&cloud->options, &cloud->ports, &message, 1, &done), FK_OK);
    assert_int_equal(done, 1);
}

void cloud_do(struct cloud *cloud, int64_t number, struct fk_request_operation operation)
{
    cloud_run(cloud, cloud_message(cloud, number, &operation, 1));
}

int32_t cloud_code(struct cloud *cloud, int64_t number, struct fk_request_operation operation)
{
    struct fk_answer_message answer;
    cloud_clear(cloud);
    cloud_do(cloud, number, operation);
    assert_true(cloud_answer(cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.number, number);
    assert_int_equal(answer.session_id, CLOUD_SESSION);
    return answer.code;
}

void cloud_ask(struct cloud *cloud, int64_t session_id, int64_t epoch, int64_t gateway,
               struct fk_request_operation operation)
{
    cloud_run(cloud, cloud_message_of(cloud, session_id, epoch, gateway, 0, &operation, 1));
}

/* --- mailboxes --- */

/* Puts the messages of one that holds many in its place, in front of what came after it. */
static void unpack(struct cloud *cloud, int64_t gateway)
{
    struct fk_bytes rest[CLOUD_LETTERS_MAX];
    struct fk_bytes message;
    struct fk_reader reader;
    size_t count = 0;
    while (fk_memory_channel_peek(cloud->ports.channel, gateway, &message)) {
        struct fk_bytes copy = fk_arena_copy(&cloud->arena, message);
        fk_memory_channel_done(cloud->ports.channel, gateway);
        if (fk_many_message_read(copy, &reader) != FK_OK) {
            assert_true(count < CLOUD_LETTERS_MAX);
            rest[count++] = copy;
            continue;
        }
        while (fk_many_message_next(&reader, &message)) {
            assert_true(count < CLOUD_LETTERS_MAX);
            rest[count++] = message;
        }
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fk_channel_notify(cloud->ports.channel, gateway, rest[i], 0), FK_OK);
    }
}

static struct fk_bytes next_message(struct cloud *cloud, int64_t gateway, int32_t kind)
{
    struct fk_bytes message;
    unpack(cloud, gateway);
    while (fk_memory_channel_peek(cloud->ports.channel, gateway, &message)) {
        struct fk_bytes copy = fk_arena_copy(&cloud->arena, message);
        fk_memory_channel_done(cloud->ports.channel, gateway);
        if (fk_notice_kind(copy) == kind) {
            return copy;
        }
    }
    return FK_BYTES_NULL;
}

bool cloud_answer(struct cloud *cloud, int64_t gateway, struct fk_answer_message *answer)
{
    struct fk_bytes message = next_message(cloud, gateway, FK_NOTICE_ANSWER);
    return message.data != NULL && fk_answer_message_read(message, answer) == FK_OK;
}

bool cloud_events(struct cloud *cloud, int64_t gateway, struct fk_events_record *events)
{
    struct fk_bytes message = next_message(cloud, gateway, FK_NOTICE_EVENTS);
    struct fk_bytes encoded;
    return message.data != NULL && fk_events_message_read(message, &encoded) == FK_OK &&
           fk_events_record_read(encoded, &cloud->arena, events) == FK_OK;
}

void cloud_clear(struct cloud *cloud)
{
    struct fk_bytes message;
    for (int64_t gateway = CLOUD_GATEWAY; gateway <= CLOUD_OTHER; gateway++) {
        while (fk_memory_channel_peek(cloud->ports.channel, gateway, &message)) {
            fk_memory_channel_done(cloud->ports.channel, gateway);
        }
    }
}

/* --- records --- */

bool cloud_item(struct cloud *cloud, const struct fk_key *key, struct fk_item *item)
{
    assert_int_equal(fk_table_get(cloud->inner, key, &cloud->arena, item), FK_OK);
    return item->stamp != 0;
}

bool cloud_node(struct cloud *cloud, const char *path, struct fk_node_record *record)
{
    struct fk_bytes bytes = fk_bytes_text(path);
    struct fk_key key = fk_key_node(&cloud->arena, bytes);
    struct fk_item item;
    if (!cloud_item(cloud, &key, &item)) {
        return false;
    }
    assert_int_equal(fk_node_record_read(item.value, bytes, &cloud->arena, record), FK_OK);
    return record->exists;
}

bool cloud_session(struct cloud *cloud, int64_t id, struct fk_session_record *record)
{
    struct fk_key key = fk_key_session(&cloud->arena, id);
    struct fk_item item;
    if (!cloud_item(cloud, &key, &item)) {
        return false;
    }
    assert_int_equal(fk_session_record_read(item.value, &cloud->arena, record), FK_OK);
    return true;
}

bool cloud_gateway(struct cloud *cloud, int64_t id, struct fk_gateway_record *record)
{
    struct fk_key key = fk_key_gateway(&cloud->arena, id);
    struct fk_item item;
    if (!cloud_item(cloud, &key, &item)) {
        return false;
    }
    assert_int_equal(fk_gateway_record_read(item.value, record), FK_OK);
    return true;
}

struct fk_zx_record cloud_zx(struct cloud *cloud)
{
    struct fk_zx_record record = {.zxid = 0};
    struct fk_key key = fk_key_zx();
    struct fk_item item;
    if (cloud_item(cloud, &key, &item)) {
        assert_int_equal(fk_zx_record_read(item.value, &cloud->arena, &record), FK_OK);
    }
    return record;
}

size_t cloud_count(struct cloud *cloud, const char *partition)
{
    struct fk_item_page page;
    assert_int_equal(fk_table_list(cloud->inner, fk_bytes_text(partition), FK_BYTES_NULL, 1000, &cloud->arena, &page),
                     FK_OK);
    return page.count;
}

void cloud_watch(struct cloud *cloud, const char *path, int64_t gateway, uint32_t kinds)
{
    struct fk_node_record record = {.exists = false};
    struct fk_subscription *subs = fk_arena_alloc(&cloud->arena, 4 * sizeof *subs);
    struct fk_key key = fk_key_node(&cloud->arena, fk_bytes_text(path));
    struct fk_buf buf = FK_BUF_EMPTY;
    (void)cloud_node(cloud, path, &record);
    size_t count = 0;
    for (; count < record.subs.count && record.subs.items[count].gateway < gateway; count++) {
        subs[count] = record.subs.items[count];
    }
    subs[count] = (struct fk_subscription){.gateway = gateway, .kinds = kinds};
    record.subs = (struct fk_subscriptions){.items = subs, .count = count + 1};
    fk_node_record_write(&buf, &record);
    cloud_put(cloud, &key, taken(cloud, &buf));
}
