// SPDX-License-Identifier: Apache-2.0
/* The sweeper over the store of one machine and the write function: what goes, when, and how fast. */
#include "host/sweeper.h"

#include "base/container.h"
#include "driver/local/queue.h"
#include "driver/local/store.h"
#include "driver/memory/clock.h"
#include "function/writer.h"
#include "support/test.h"
#include "wire/records.h"

#include <stdio.h>

enum {
    SESSION = 7,
    CONTAINER = 4,
    TTL = 5,
    TICK_MS = 1000,
};

static const struct fk_sweeper_options defaults = {.interval_ms = 60000, .per_minute = 10000};
static struct fk_store *store;
static struct fk_queue *queue;
static struct fk_memory_clock memory_clock;
static struct fk_writer writer;
static struct fk_sweeper sweeper;

static enum fk_err ignore(struct fk_channel *channel, int64_t gateway, struct fk_bytes bytes, int64_t after_zxid)
{
    (void)channel;
    (void)gateway;
    (void)bytes;
    (void)after_zxid;
    return FK_OK;
}

static const struct fk_channel_ops ignore_ops = {.name = "ignore", .notify = ignore};
static struct fk_channel channel = {.ops = &ignore_ops};

static void run(struct fk_bytes message)
{
    int32_t done = 0;
    assert_int_equal(fk_writer_run(&writer, message, &done), FK_OK);
    fk_local_store_flush(store, false);
    while (fk_local_store_next(store) != NULL) {
    }
}

static void request(int32_t op, struct fk_buf *body)
{
    struct fk_buf message = FK_BUF_EMPTY;
    fk_request_message_begin(
        &message, &(struct fk_request_message){
                      .session_id = SESSION, .epoch = 1, .first_number = 1, .ids = FK_BYTES_LITERAL("\0\0\0\0")});
    fk_request_message_add(&message, &(struct fk_request_operation){.op = op, .body = fk_buf_view(body)});
    run(fk_buf_view(&message));
    fk_buf_deinit(&message);
    fk_buf_deinit(body);
}

static void create(int32_t op, const char *path, int32_t flags, int64_t ttl_ms)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_create_request(
        &body, &(struct fk_create_request){
                   .path = fk_bytes_text(path), .data = fk_bytes_text(""), .acl = FK_ACL_OPEN, .flags = flags});
    if (op == FK_OP_CREATE_TTL) {
        fk_write_i64(&body, ttl_ms);
    }
    request(op, &body);
}

static void touch(const char *path)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_set_data_request(
        &body, &(struct fk_set_data_request){.path = fk_bytes_text(path), .data = fk_bytes_text(""), .version = -1});
    request(FK_OP_SET_DATA, &body);
}

static void remove_node(const char *path)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_version_request(&body, &(struct fk_version_request){.path = fk_bytes_text(path), .version = -1});
    request(FK_OP_DELETE, &body);
}

static bool exists(const char *path)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_node node;
    assert_int_equal(fk_store_get(store, FK_VIEW_VISIBLE, fk_bytes_text(path), &arena, &node), FK_OK);
    fk_arena_deinit(&arena);
    return node.path.data != NULL;
}

static int64_t nodes(void)
{
    struct fk_store_counts counts;
    fk_store_counts(store, &counts);
    return counts.nodes - 4;
}

/* Runs what the sweeper has asked for. */
static void settle(void)
{
    struct fk_bytes message;
    while (fk_local_queue_peek(queue, &message)) {
        run(message);
        fk_local_queue_done(queue);
    }
}

/* So much time, in ticks. */
static void pass_time(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += TICK_MS) {
        fk_memory_clock_advance_ms(&memory_clock, TICK_MS);
        (void)fk_sweeper_tick(&sweeper);
        settle();
    }
}

static void begin(const struct fk_sweeper_options *options)
{
    writer.rules.never_used_ms = options->never_used_ms;
    fk_sweeper_init(&sweeper, options, store, queue, &memory_clock.base);
}

static int setup(void **state)
{
    int result = fk_test_begin(state);
    struct fk_local_store_options options = {.directory = NULL};
    struct fk_diag diag;
    struct fk_buf body = FK_BUF_EMPTY;
    fk_memory_clock_init(&memory_clock, 1700000000000);
    if (fk_local_store_open(&options, &store, &diag) != FK_OK) {
        return -1;
    }
    queue = fk_local_queue_new();
    fk_writer_init(&writer, store, &channel, &memory_clock.base);
    writer.rules.extended_types = true;
    fk_write_session_request(
        &body, &(struct fk_session_request){.timeout_ms = 4000, .password = FK_BYTES_LITERAL("0123456789abcdef")});
    request(FK_OP_CREATE_SESSION, &body);
    begin(&defaults);
    return queue == NULL ? -1 : result;
}

static int teardown(void **state)
{
    fk_writer_deinit(&writer);
    queue->ops->free(queue);
    fk_store_free(store);
    return fk_test_end(state);
}

#define SWEEPER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void used_containers_go_when_they_are_empty(void **state)
{
    (void)state;
    create(FK_OP_CREATE_CONTAINER, "/used", CONTAINER, 0);
    create(FK_OP_CREATE_CONTAINER, "/unused", CONTAINER, 0);
    create(FK_OP_CREATE, "/used/child", 0, 0);
    pass_time(200000);
    assert_true(exists("/used"));
    remove_node("/used/child");
    pass_time(60000);
    assert_false(exists("/used"));
    assert_true(exists("/unused"));
    pass_time(1000000);
    assert_true(exists("/unused")); /* maxNeverUsedIntervalMs is 0 */
}

static void unused_containers_go_after_a_time_if_one_is_given(void **state)
{
    (void)state;
    struct fk_sweeper_options options = {.interval_ms = 1000, .per_minute = 10000, .never_used_ms = 5000};
    begin(&options);
    create(FK_OP_CREATE_CONTAINER, "/c", CONTAINER, 0);
    create(FK_OP_CREATE, "/plain", 0, 0);
    pass_time(5000);
    assert_true(exists("/c"));
    pass_time(2000);
    assert_false(exists("/c"));
    assert_true(exists("/plain"));
}

static void ttl_nodes_go_when_their_data_is_old(void **state)
{
    (void)state;
    struct fk_sweeper_options options = {.interval_ms = 1000, .per_minute = 10000};
    begin(&options);
    create(FK_OP_CREATE_TTL, "/t", TTL, 10000);
    create(FK_OP_CREATE_TTL, "/parent", TTL, 10000);
    create(FK_OP_CREATE, "/parent/child", 0, 0);
    pass_time(8000);
    touch("/t");
    pass_time(9000);
    assert_true(exists("/t"));
    pass_time(2000);
    assert_false(exists("/t"));
    assert_true(exists("/parent")); /* it has a child */
    remove_node("/parent/child");
    pass_time(2000);
    assert_false(exists("/parent"));
}

static void create_many(int count, int64_t ttl_ms)
{
    for (int i = 0; i < count; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/t%d", i);
        create(FK_OP_CREATE_TTL, path, TTL, ttl_ms);
    }
}

static void ends_are_spread(void **state)
{
    (void)state;
    struct fk_sweeper_options options = {.interval_ms = 60000, .per_minute = 600};
    begin(&options);
    create_many(100, 1);
    pass_time(59000);
    assert_int_equal(nodes(), 100);
    pass_time(1000);
    assert_int_equal(nodes(), 90); /* ten a second, and none saved up */
    pass_time(4000);
    assert_int_equal(nodes(), 50);
    pass_time(5000);
    assert_int_equal(nodes(), 0);
}

static void few_per_minute(void **state)
{
    (void)state;
    struct fk_sweeper_options options = {.interval_ms = 1000, .per_minute = 2};
    begin(&options);
    create_many(10, 1);
    pass_time(31000);
    assert_int_equal(nodes(), 9);
    pass_time(60000);
    assert_int_equal(nodes(), 7);
}

/* A correction of the clock, or a machine that slept: nobody could keep his nodes alive meanwhile. */
static void a_jump_of_the_wall_clock_removes_nothing_in_a_mass(void **state)
{
    (void)state;
    struct fk_sweeper_options options = {.interval_ms = 1000, .per_minute = 1000000};
    begin(&options);
    create_many(50, 30000);
    pass_time(10000);
    memory_clock.wall_ms += 86400000;
    pass_time(29000);
    assert_int_equal(nodes(), 50); /* each gets its whole TTL */
    for (int i = 0; i < 25; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/t%d", i);
        touch(path);
    }
    pass_time(3000);
    assert_int_equal(nodes(), 25);
    pass_time(30000);
    assert_int_equal(nodes(), 0);
}

static void a_jump_back_lets_them_live(void **state)
{
    (void)state;
    struct fk_sweeper_options options = {.interval_ms = 1000, .per_minute = 1000000};
    begin(&options);
    create_many(5, 30000);
    memory_clock.wall_ms -= 100000;
    pass_time(100000);
    assert_int_equal(nodes(), 5);
    create(FK_OP_CREATE_TTL, "/new", TTL, 10000);
    pass_time(12000);
    assert_false(exists("/new"));
    assert_int_equal(nodes(), 5);
    pass_time(20000);
    assert_int_equal(nodes(), 0);
}

/* Between the look and the decision the node was written to. */
static void a_node_that_changes_meanwhile_stays(void **state)
{
    (void)state;
    struct fk_sweeper_options options = {.interval_ms = 1000, .per_minute = 10000};
    begin(&options);
    create(FK_OP_CREATE_TTL, "/t", TTL, 1500);
    fk_memory_clock_advance_ms(&memory_clock, 2000);
    assert_true(fk_sweeper_tick(&sweeper));
    touch("/t");
    settle();
    assert_true(exists("/t"));
    pass_time(3000);
    assert_false(exists("/t"));
}

static void what_it_does_not_look_at(void **state)
{
    (void)state;
    struct fk_sweeper_options off = {.interval_ms = 0, .per_minute = 10000};
    begin(&off);
    create(FK_OP_CREATE_TTL, "/t", TTL, 1);
    create(FK_OP_CREATE, "/e", 1, 0);
    create(FK_OP_CREATE, "/p", 0, 0);
    assert_int_equal(fk_local_store_swept(store), 1);
    pass_time(100000);
    assert_true(exists("/t"));
    remove_node("/t");
    assert_int_equal(fk_local_store_swept(store), 0);
    begin(&defaults);
    pass_time(100000);
    assert_int_equal(nodes(), 2);
}

static const struct CMUnitTest tests[] = {
    SWEEPER_TEST(used_containers_go_when_they_are_empty),
    SWEEPER_TEST(unused_containers_go_after_a_time_if_one_is_given),
    SWEEPER_TEST(ttl_nodes_go_when_their_data_is_old),
    SWEEPER_TEST(ends_are_spread),
    SWEEPER_TEST(few_per_minute),
    SWEEPER_TEST(a_jump_of_the_wall_clock_removes_nothing_in_a_mass),
    SWEEPER_TEST(a_jump_back_lets_them_live),
    SWEEPER_TEST(a_node_that_changes_meanwhile_stays),
    SWEEPER_TEST(what_it_does_not_look_at),
};

FK_TEST_MAIN(tests)
