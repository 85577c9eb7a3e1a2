// SPDX-License-Identifier: Apache-2.0
#include "cloud_world.h"

#include "base/container.h"
#include "driver/memory/blob.h"
#include "driver/memory/channel.h"
#include "driver/memory/queue.h"
#include "driver/memory/table.h"
#include "function/message.h"
#include "function/single_hop.h"

struct cloud_world cloud;

/* --- ports with faults --- */

static void call_once(void (**hook)(void))
{
    void (*call)(void) = *hook;
    *hook = NULL;
    if (call != NULL) {
        call();
    }
}

static enum fk_err table_get_many(struct fk_table *base, const struct fk_key *keys, size_t count,
                                  struct fk_arena *arena, struct fk_item *items)
{
    struct fault_table *table = FK_CONTAINER_OF(base, struct fault_table, base);
    if (table->reads_first-- <= 0) {
        call_once(&table->before_read);
    }
    if (table->fail_reads != FK_OK) {
        return table->fail_reads;
    }
    return fk_table_get_many(table->inner, keys, count, arena, items);
}

static enum fk_err table_list(struct fk_table *base, struct fk_bytes partition, struct fk_bytes after, size_t limit,
                              struct fk_arena *arena, struct fk_item_page *page)
{
    struct fault_table *table = FK_CONTAINER_OF(base, struct fault_table, base);
    call_once(&table->before_list);
    return fk_table_list(table->inner, partition, after, limit, arena, page);
}

static enum fk_err table_write(struct fk_table *base, const struct fk_write *writes, size_t count)
{
    struct fault_table *table = FK_CONTAINER_OF(base, struct fault_table, base);
    call_once(&table->before_write);
    if (table->fail_writes != FK_OK && table->count > 0) {
        table->count--;
        if (table->applied) {
            assert_int_equal(fk_table_write(table->inner, writes, count), FK_OK);
        }
        return table->fail_writes;
    }
    return fk_table_write(table->inner, writes, count);
}

static enum fk_err queue_send(struct fk_queue *base, int64_t group, int64_t deduplication_id, struct fk_bytes message)
{
    struct fault_queue *queue = FK_CONTAINER_OF(base, struct fault_queue, base);
    queue->sends++;
    if (queue->fail != FK_OK && queue->count > 0) {
        queue->count--;
        if (queue->applied) {
            assert_int_equal(fk_queue_send(queue->inner, group, deduplication_id, message), FK_OK);
        }
        return queue->fail;
    }
    return fk_queue_send(queue->inner, group, deduplication_id, message);
}

static const struct fk_table_ops table_ops = {
    .name = "faults", .get_many = table_get_many, .list = table_list, .write = table_write};
static const struct fk_queue_ops queue_ops = {.name = "faults", .send = queue_send};

/* --- the world --- */

static void open_gateway(struct cloud_gateway *at)
{
    at->gateway = fk_cloud_gateway_new(&cloud.gateway_options, &cloud.options, &cloud.clock.base, &cloud.random.base);
    assert_non_null(at->gateway);
    at->id = fk_cloud_gateway_id(at->gateway);
    assert_int_equal(fk_memory_channel_listen(cloud.ports.channel, at->id), FK_OK);
}

int cloud_setup(void **state)
{
    int result = fk_test_begin(state);
    memset(&cloud, 0, sizeof cloud);
    fk_memory_clock_init(&cloud.clock, 1700000000000);
    fk_memory_clock_advance_ms(&cloud.clock, 100000);
    fk_memory_random_init(&cloud.random, 42);
    cloud.ports = (struct fk_ports){.table = fk_memory_table_new(),
                                    .blobs = fk_memory_blobs_new(),
                                    .queue = fk_memory_queue_new(&cloud.clock.base),
                                    .channel = fk_memory_channel_new(),
                                    .clock = &cloud.clock.base,
                                    .random = &cloud.random.base};
    cloud.table = (struct fault_table){.base = {.ops = &table_ops}, .inner = cloud.ports.table};
    cloud.queue = (struct fault_queue){.base = {.ops = &queue_ops}, .inner = cloud.ports.queue};
    cloud.gateways = cloud.ports;
    cloud.gateways.table = &cloud.table.base;
    cloud.gateways.queue = &cloud.queue.base;
    cloud.options = fk_cloud_defaults();
    cloud.gateway_options = (struct fk_gateway_options){
        .tick_ms = CLOUD_TICK_MS, .session_timeout_min_ms = 4000, .session_timeout_max_ms = 40000};
    for (size_t i = 0; i < GATEWAYS; i++) {
        open_gateway(&cloud.at[i]);
    }
    cloud_settle();
    return result;
}

static void give_back(size_t gateway, size_t index)
{
    struct cloud_gateway *at = &cloud.at[gateway];
    struct fk_job *job = at->held[index];
    for (size_t i = index + 1; i < at->held_count; i++) {
        at->held[i - 1] = at->held[i];
        at->held_ran[i - 1] = at->held_ran[i];
    }
    at->held_count--;
    fk_gateway_job_done(at->gateway, job);
}

void cloud_restart(size_t gateway, const char *label)
{
    fk_gateway_free(cloud.at[gateway].gateway);
    cloud.at[gateway] = (struct cloud_gateway){.hold = {label}};
    open_gateway(&cloud.at[gateway]);
}

int cloud_teardown(void **state)
{
    for (size_t i = 0; i < CLOUD_PEERS; i++) {
        peer_hang_up(&cloud.peers[i]);
        fk_buf_deinit(&cloud.peers[i].in);
    }
    for (size_t i = 0; i < GATEWAYS; i++) {
        while (cloud.at[i].held_count > 0) {
            give_back(i, 0);
        }
        fk_gateway_free(cloud.at[i].gateway);
    }
    fk_table_free(cloud.ports.table);
    fk_blobs_free(cloud.ports.blobs);
    fk_queue_free(cloud.ports.queue);
    fk_channel_free(cloud.ports.channel);
    fk_arena_deinit(&cloud.arena);
    return fk_test_end(state);
}

static bool is_held(const struct cloud_gateway *at, const struct fk_job *job)
{
    for (size_t i = 0; i < sizeof at->hold / sizeof at->hold[0]; i++) {
        if (at->hold[i] != NULL && strcmp(at->hold[i], fk_job_label(job)) == 0) {
            return true;
        }
    }
    return false;
}

static bool run_jobs(struct cloud_gateway *at)
{
    struct fk_job *job = NULL;
    bool some = false;
    while ((job = fk_gateway_take_job(at->gateway)) != NULL) {
        if (is_held(at, job)) {
            assert_true(at->held_count < HELD_JOBS);
            at->held_ran[at->held_count] = false;
            at->held[at->held_count++] = job;
            continue;
        }
        fk_cloud_job_run(job, &cloud.options, &cloud.gateways);
        fk_gateway_job_done(at->gateway, job);
        some = true;
    }
    return some;
}

static bool deliver(struct cloud_gateway *at)
{
    struct fk_bytes message;
    bool some = false;
    while (!at->hold_channel && fk_memory_channel_peek(cloud.ports.channel, at->id, &message)) {
        if (!cloud.drop_messages) {
            fk_gateway_answer(at->gateway, message);
        }
        if (cloud.repeat_messages) {
            fk_gateway_answer(at->gateway, message);
        }
        fk_memory_channel_done(cloud.ports.channel, at->id);
        some = true;
    }
    return some;
}

static bool run_outputs(struct cloud_gateway *at)
{
    struct fk_conn *conn = NULL;
    bool some = false;
    while ((conn = fk_gateway_take_output(at->gateway)) != NULL) {
        struct peer *peer = (struct peer *)fk_conn_socket(conn);
        struct fk_buf *out = fk_conn_output(conn);
        fk_buf_append(&peer->in, fk_buf_view(out));
        fk_buf_consume(out, fk_buf_left(out));
        some = true;
        if (fk_conn_closing(conn)) {
            peer->conn = NULL;
            fk_gateway_gone(at->gateway, conn);
        } else {
            fk_gateway_sent(at->gateway, conn);
        }
    }
    return some;
}

static bool run_function(void)
{
    int64_t groups[8];
    size_t count = fk_memory_queue_ready(cloud.ports.queue, groups, 8);
    for (size_t i = 0; i < count; i++) {
        struct fk_arena arena = FK_ARENA_EMPTY;
        struct fk_delivery deliveries[FK_QUEUE_BATCH_MAX];
        struct fk_bytes messages[FK_QUEUE_BATCH_MAX];
        size_t received = 0;
        size_t done = 0;
        assert_int_equal(fk_memory_queue_receive(cloud.ports.queue, groups[i], FK_QUEUE_BATCH_MAX, 30000, &arena,
                                                 deliveries, &received),
                         FK_OK);
        for (size_t j = 0; j < received; j++) {
            messages[j] = deliveries[j].body;
        }
        assert_int_equal(fk_single_hop_run(&cloud.options, &cloud.ports, messages, received, &done), FK_OK);
        for (size_t j = 0; j < done; j++) {
            assert_true(fk_memory_queue_delete(cloud.ports.queue, deliveries[j].receipt));
        }
        fk_arena_deinit(&arena);
    }
    return count > 0;
}

void cloud_run_function(void)
{
    (void)run_function();
}

void cloud_settle(void)
{
    bool some = true;
    for (int rounds = 0; some; rounds++) {
        assert_true(rounds < 10000); /* it comes to rest */
        some = !cloud.hold_function && run_function();
        for (size_t i = 0; i < GATEWAYS; i++) {
            some = run_jobs(&cloud.at[i]) || some;
            some = deliver(&cloud.at[i]) || some;
            some = run_outputs(&cloud.at[i]) || some;
        }
    }
}

void cloud_pass_ms(int64_t ms)
{
    while (ms > 0) {
        int64_t tick_ms = fk_gateway_tick_ms(cloud.at[0].gateway);
        int64_t step_ms = ms < tick_ms ? ms : tick_ms;
        fk_memory_clock_advance_ms(&cloud.clock, step_ms);
        for (size_t i = 0; i < GATEWAYS; i++) {
            fk_gateway_tick(cloud.at[i].gateway);
        }
        cloud_settle();
        ms -= step_ms;
    }
}

void cloud_hold(size_t gateway, const char *label)
{
    size_t slot = 0;
    while (cloud.at[gateway].hold[slot] != NULL) {
        slot++;
        assert_true(slot < 4);
    }
    cloud.at[gateway].hold[slot] = label;
}

static void run_held(struct cloud_gateway *at, size_t index)
{
    if (!at->held_ran[index]) {
        at->held_ran[index] = true;
        fk_cloud_job_run(at->held[index], &cloud.options, &cloud.gateways);
    }
}

void cloud_run_held(size_t gateway, const char *label)
{
    struct cloud_gateway *at = &cloud.at[gateway];
    for (size_t i = 0; i < at->held_count; i++) {
        if (strcmp(fk_job_label(at->held[i]), label) == 0) {
            run_held(at, i);
        }
    }
}

void cloud_go(size_t gateway, const char *label)
{
    struct cloud_gateway *at = &cloud.at[gateway];
    for (size_t i = 0; i < 4; i++) {
        if (at->hold[i] != NULL && strcmp(at->hold[i], label) == 0) {
            at->hold[i] = NULL;
        }
    }
    for (size_t i = 0; i < at->held_count;) {
        if (strcmp(fk_job_label(at->held[i]), label) != 0) {
            i++;
            continue;
        }
        run_held(at, i);
        give_back(gateway, i);
    }
    cloud_settle();
}

size_t cloud_held(size_t gateway, const char *label)
{
    size_t count = 0;
    for (size_t i = 0; i < cloud.at[gateway].held_count; i++) {
        count += strcmp(fk_job_label(cloud.at[gateway].held[i]), label) == 0 ? 1 : 0;
    }
    return count;
}

void cloud_lose_messages(size_t gateway)
{
    struct fk_bytes message;
    while (fk_memory_channel_peek(cloud.ports.channel, cloud.at[gateway].id, &message)) {
        fk_memory_channel_done(cloud.ports.channel, cloud.at[gateway].id);
    }
}

/* A session that only the test knows of, which writes straight into the function. */
static int64_t writer_number;

static void ensure_writer(int64_t id)
{
    struct fk_buf value = FK_BUF_EMPTY;
    struct fk_session_record record = {
        .session = {.id = id, .timeout_ms = 40000}, .state = FK_SESSION_LIVE, .epoch = 1, .owner = 1};
    bool exists = false;
    (void)cloud_session(id, &exists);
    if (exists) {
        return;
    }
    writer_number = 1;
    fk_session_record_write(&value, &record);
    struct fk_write write = {
        .kind = FK_WRITE_PUT, .key = fk_key_session(&cloud.arena, id), .value = fk_buf_view(&value)};
    assert_int_equal(fk_table_write(cloud.ports.table, &write, 1), FK_OK);
    fk_buf_deinit(&value);
}

void cloud_commit(int32_t op, const char *path, const char *data)
{
    enum {
        WRITER = 77,
    };
    struct fk_buf message = FK_BUF_EMPTY;
    struct fk_buf body = FK_BUF_EMPTY;
    size_t done = 0;
    ensure_writer(WRITER);
    if (op == FK_OP_CREATE) {
        fk_write_create_request(
            &body,
            &(struct fk_create_request){.path = fk_bytes_text(path), .data = fk_bytes_text(data), .acl = FK_ACL_OPEN});
    } else if (op == FK_OP_SET_DATA) {
        fk_write_set_data_request(&body, &(struct fk_set_data_request){
                                             .path = fk_bytes_text(path), .data = fk_bytes_text(data), .version = -1});
    } else {
        fk_write_version_request(&body, &(struct fk_version_request){.path = fk_bytes_text(path), .version = -1});
    }
    fk_request_message_begin(&message, &(struct fk_request_message){.gateway = 1,
                                                                    .session_id = WRITER,
                                                                    .epoch = 1,
                                                                    .first_number = writer_number++,
                                                                    .ids = FK_BYTES_LITERAL("\0\0\0\0")});
    fk_request_message_add(&message, &(struct fk_request_operation){.op = op, .body = fk_buf_view(&body)});
    struct fk_bytes view = fk_buf_view(&message);
    int64_t before = cloud_zx().zxid;
    assert_int_equal(fk_single_hop_run(&cloud.options, &cloud.ports, &view, 1, &done), FK_OK);
    assert_int_equal(done, 1);
    assert_int_equal(cloud_zx().zxid, before + 1);
    fk_buf_deinit(&message);
    fk_buf_deinit(&body);
}

static struct fk_item get(struct fk_key key)
{
    struct fk_item item;
    assert_int_equal(fk_table_get(cloud.ports.table, &key, &cloud.arena, &item), FK_OK);
    return item;
}

struct fk_session_record cloud_session(int64_t id, bool *exists)
{
    struct fk_session_record record = {.epoch = 0};
    struct fk_item item = get(fk_key_session(&cloud.arena, id));
    *exists = item.stamp != 0;
    if (*exists) {
        assert_int_equal(fk_session_record_read(item.value, &cloud.arena, &record), FK_OK);
    }
    return record;
}

struct fk_node_record cloud_node(const char *path, bool *exists)
{
    struct fk_node_record record = {.exists = false};
    struct fk_item item = get(fk_key_node(&cloud.arena, fk_bytes_text(path)));
    *exists = item.stamp != 0;
    if (*exists) {
        assert_int_equal(fk_node_record_read(item.value, fk_bytes_text(path), &cloud.arena, &record), FK_OK);
    }
    return record;
}

struct fk_zx_record cloud_zx(void)
{
    struct fk_zx_record record;
    assert_int_equal(fk_zx_record_read(get(fk_key_zx()).value, &cloud.arena, &record), FK_OK);
    return record;
}

/* --- clients --- */

struct peer *cloud_peer(size_t gateway)
{
    size_t slot = 0;
    while (slot < CLOUD_PEERS && cloud.peers[slot].gateway != NULL) {
        slot++;
    }
    assert_true(slot < CLOUD_PEERS);
    struct peer *peer = &cloud.peers[slot];
    *peer = (struct peer){.in = FK_BUF_EMPTY, .gateway = cloud.at[gateway].gateway, .arena = &cloud.arena};
    peer->conn = fk_gateway_open(peer->gateway, FK_BYTES_LITERAL("10.0.0.1"), 1234, peer);
    assert_non_null(peer->conn);
    return peer;
}

struct peer *cloud_connect(size_t gateway, struct fk_connect_response *response)
{
    struct peer *peer = cloud_peer(gateway);
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    cloud_settle();
    *response = peer_welcome(peer);
    assert_true(response->session_id != 0);
    return peer;
}

struct peer *cloud_hello(size_t gateway, const struct fk_connect_response *session, int64_t last_zxid)
{
    struct peer *peer = cloud_peer(gateway);
    peer_hello(peer, &(struct hello){.timeout_ms = 8000,
                                     .session_id = session->session_id,
                                     .password = session->password,
                                     .last_zxid = last_zxid});
    cloud_settle();
    return peer;
}

void cloud_leave(struct peer *peer)
{
    peer_hang_up(peer);
    fk_buf_deinit(&peer->in);
    *peer = (struct peer){.gateway = NULL};
}
