// SPDX-License-Identifier: Apache-2.0
/* Budgets: what an operation may use at most. The numbers are those of the requirements; docs/aws-units.md has what is
 * used. */
#include "cost/price.h"
#include "function/record.h"
#include "support/test.h"
#include "units/cases.h"

#include <inttypes.h>

enum {
    ANY = -1,
    MINUTES_OF_DAY = 24 * 60,
    FUNCTION_MB = 512,
    MANY = 100 * 1000,
    MANY_LISTS_MAX = 32,  /* 100 000 records of 1 kB nodes are 19 MB, a page of DynamoDB's has 1 MB at most */
    LARGE = 0xfffff - 64, /* all that a frame of ZooKeeper's usual limit (jute.maxbuffer) has room for */
};

struct budget {
    const char *name;
    int64_t reads;
    int64_t writes;
    int64_t sends; /* ANY: not bound */
    int64_t invocations;
};

static const struct budget budgets[] = {
    {"getData, 100 bytes", 1, 0, 0, 0},
    {"getData, 1 kB", 1, 0, 0, 0},
    {"getData with a watch, the gateway's first on the path", 1, 1, 0, 0},
    {"getData with a watch, the gateway watches it already", 1, 0, 0, 0},
    {"exists", 1, 0, 0, 0},
    {"sync", 1, 0, 0, 0},
    {"ping", 0, 0, 0, 0},
    {"addauth", 0, 0, 0, 0},
    {"setData, 100 bytes", 4, 6, 1, 1},
    {"setData, 400 bytes", 4, 6, 1, 1},
    {"setData while the gateway has an event to acknowledge", 4, 6, 1, 1},
    {"setData, 1 kB", 4, 8, 1, 1},
    {"create, 100 bytes", 5, 10, 1, 1},
    {"create, 1 kB", 5, 10, 1, 1},
    {"create, 100 bytes, below a node of 1 kB", 5, 10, 1, 1},
    {"create, ephemeral", 5, 10, 1, 1},
    {"create, sequential", 5, 10, 1, 1},
    {"create, ephemeral and sequential", 5, 10, 1, 1},
    {"delete", 5, 10, 1, 1},
    {"7 setData of one session at once, 400 bytes", ANY, 20, 1, 1},
    {"10 setData of two sessions at once, 400 bytes", ANY, 30, 2, 1},
};

static void at_most(const char *name, const char *what, int64_t used, int64_t bound)
{
    if (bound != ANY && used > bound) {
        fail_msg("%s uses %" PRId64 " %s, and may use %" PRId64, name, used, what, bound);
    }
}

static void operations_keep_within_their_budgets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
        const struct budget *budget = &budgets[i];
        struct units_use use = units_measure(units_find(budget->name), false);
        at_most(budget->name, "read units", use.units.read_units, budget->reads);
        at_most(budget->name, "write units", use.units.write_units, budget->writes);
        at_most(budget->name, "sends", use.units.queue_sends, budget->sends);
        at_most(budget->name, "invocations", use.invocations, budget->invocations);
        assert_int_equal(use.units.table_refused, 0);
    }
}

static double price_of_units(const struct fk_prices *prices, const struct fk_units *units)
{
    return (double)units->read_units * fk_prices_usd(prices, FK_PRICE_DYNAMODB_READ_UNIT) +
           (double)units->write_units * fk_prices_usd(prices, FK_PRICE_DYNAMODB_WRITE_UNIT) +
           (double)(units->blob_puts + units->blob_lists) * fk_prices_usd(prices, FK_PRICE_S3_PUT);
}

/* US cents a day at the prices of deploy/prices/aws-us-east-1.json. */
static void a_connected_gateway_costs_a_cent_a_day(void **state)
{
    (void)state;
    struct units_use use = units_measure(units_find(UNITS_CASE_GATEWAY), false);
    struct fk_prices *prices = NULL;
    assert_int_equal(fk_prices_new(FK_PRICE_REGION, NULL, &prices, NULL), FK_OK);
    double cents = price_of_units(prices, &use.units) * MINUTES_OF_DAY * 100;
    fk_prices_free(prices);
    print_message("a gateway's renewals and sweeps: %.3f cents a day\n", cents);
    assert_true(cents <= 1.1);
}

/* One gateway with 64 clients. An invocation takes 10 ms for each request to the table, twice the median of
 * sim/data/cloud_latency.csv, and 10 ms more; its memory is that of a deployment by default. */
static void the_heartbeat_costs_a_third_of_a_cent_a_day(void **state)
{
    (void)state;
    struct units_use use = units_measure(units_find(UNITS_CASE_HEARTBEATS), false);
    const struct fk_units *units = &use.units;
    int64_t requests =
        units->table_gets + units->table_lists + units->table_writes + units->table_transactions + units->blob_lists;
    double seconds = (10.0 * (double)requests / UNITS_HEARTBEATS + 10) / 1000;
    struct fk_prices *prices = NULL;
    assert_int_equal(fk_prices_new(FK_PRICE_REGION, NULL, &prices, NULL), FK_OK);
    double usd = price_of_units(prices, units) / UNITS_HEARTBEATS +
                 fk_prices_usd(prices, FK_PRICE_SCHEDULER_INVOCATION) + fk_prices_usd(prices, FK_PRICE_LAMBDA_REQUEST) +
                 seconds * FUNCTION_MB / 1024 * fk_prices_usd(prices, FK_PRICE_LAMBDA_GB_SECOND_ARM64);
    fk_prices_free(prices);
    double cents = usd * MINUTES_OF_DAY * 100;
    print_message("the heartbeat of a gateway with 64 clients: %.3f cents a day\n", cents);
    assert_true(cents <= 0.3);
}

static struct units_world world;
static bool pipeline;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    units_open(&world, pipeline);
    return result;
}

static int teardown(void **state)
{
    units_close(&world);
    return fk_test_end(state);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct fk_bytes large(size_t size)
{
    uint8_t *bytes = (uint8_t *)fk_arena_alloc(&world.arena, size);
    struct fk_prng prng = fk_test_prng();
    assert_non_null(bytes);
    fk_prng_fill(&prng, bytes, size);
    return fk_bytes_of(bytes, size);
}

static void write_large(const char *path, struct fk_bytes data)
{
    send_create(&world.peers[0], 1, path, "", 0);
    send_set(&world.peers[0], 2, path, data);
    units_settle(&world);
    (void)expect_reply(&world.peers[0], 1, FK_CODE_OK);
    (void)expect_reply(&world.peers[0], 2, FK_CODE_OK);
}

static void expect_data(const char *path, struct fk_bytes data)
{
    struct fk_stat stat;
    send_watch(&world.peers[0], 3, FK_OP_GET_DATA, path, false);
    units_settle(&world);
    struct fk_reader reader = expect_reply(&world.peers[0], 3, FK_CODE_OK);
    fk_assert_bytes(fk_read_bytes(&reader), data);
    fk_read_stat(&reader, &stat);
    assert_int_equal(stat.data_length, data.size);
}

static void a_node_of_one_megabyte(void **state)
{
    (void)state;
    struct fk_bytes data = large(LARGE);
    write_large("/large", data);
    expect_data("/large", data);
    struct fk_bytes less = large(500 * 1024);
    send_set(&world.peers[0], 4, "/large", less);
    units_settle(&world);
    (void)expect_reply(&world.peers[0], 4, FK_CODE_OK);
    expect_data("/large", less);
    send_delete(&world.peers[0], 5, "/large");
    units_settle(&world);
    (void)expect_reply(&world.peers[0], 5, FK_CODE_OK);
}

/* A child is made and removed: the parent's Stat changes, its data is not written, wherever it stands. */
static void touching_a_parent_does_not_write_its_data(void **state)
{
    (void)state;
    static const size_t sizes[] = {2000, 8 * 1024, LARGE};
    static const char *const paths[] = {"/small", "/middle", "/large"};
    static const char *const children[] = {"/small/child", "/middle/child", "/large/child"};
    for (size_t i = 0; i < 3; i++) {
        struct fk_bytes data = large(sizes[i]);
        write_large(paths[i], data);
        struct units_use start = units_now(&world);
        send_create(&world.peers[0], 6, children[i], "x", 0);
        send_delete(&world.peers[0], 7, children[i]);
        units_settle(&world);
        (void)expect_reply(&world.peers[0], 6, FK_CODE_OK);
        (void)expect_reply(&world.peers[0], 7, FK_CODE_OK);
        struct units_use use = units_since(&world, &start);
        assert_int_equal(use.units.blob_puts, 0);
        assert_int_equal(use.units.blob_gets, 0);
        assert_int_equal(use.units.blob_removes, 0);
        assert_true(use.units.written_bytes < 4000);
        if (!pipeline) {
            assert_true(use.units.write_units <= 8 + 8);
        }
        expect_data(paths[i], data);
    }
}

/* Whatever size the data has, the node's item has no more than 2 KB, watched or not: above, the data stands elsewhere.
 */
static void the_item_of_a_node_is_two_kilobytes_at_most(void **state)
{
    (void)state;
    static const char *const paths[] = {"/a", "/some-longer-name-of-a-node-than-most-of-them-have"};
    for (size_t i = 0; i < 2; i++) {
        int64_t largest = 0;
        send_create(&world.peers[0], 1, paths[i], "", 0);
        units_settle(&world);
        (void)expect_reply(&world.peers[0], 1, FK_CODE_OK);
        for (size_t size = 1600; size < 2100; size += 7) {
            send_set(&world.peers[0], 2, paths[i], large(size));
            units_settle(&world);
            (void)expect_reply(&world.peers[0], 2, FK_CODE_OK);
            struct units_use start = units_now(&world);
            send_watch(&world.peers[0], 3, FK_OP_EXISTS, paths[i], false);
            units_settle(&world);
            (void)expect_reply(&world.peers[0], 3, FK_CODE_OK);
            int64_t bytes = units_since(&world, &start).units.read_bytes;
            largest = bytes > largest ? bytes : largest;
        }
        assert_true(largest > 1700);                                    /* what has room is used */
        assert_true(largest <= FK_INLINE_ITEM_SIZE_MAX - 8 * (9 + 13)); /* there is some for watches and events */
    }
}

/* Seven answers of multis that nobody has taken yet: the ring. When they are taken, the next write drops them. */
static void answers_that_were_taken_do_not_stay_in_the_record(void **state)
{
    (void)state;
    if (pipeline) {
        return; /* the same code */
    }
    for (int i = 0; i < 20; i++) {
        struct units_use start = units_now(&world);
        struct fk_buf *frame = request_begin(1, FK_OP_MULTI);
        for (int part = 0; part < 10; part++) {
            fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_SET_DATA, false, -1});
            fk_write_set_data_request(frame, &(struct fk_set_data_request){.path = FK_BYTES_LITERAL("/"),
                                                                           .data = FK_BYTES_LITERAL("x"),
                                                                           .version = -1});
        }
        fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
        request_end(&world.peers[0]);
        units_settle(&world);
        (void)expect_reply(&world.peers[0], 1, FK_CODE_OK);
        assert_true(units_since(&world, &start).units.write_units <=
                    2 + 2 + 4); /* zxid, node, one answer of 770 bytes */
    }
}

static void put_record(struct fk_bytes path, const struct fk_node_record *record)
{
    struct fk_buf value = FK_BUF_EMPTY;
    fk_node_record_write(&value, record);
    const struct fk_write write = {.kind = FK_WRITE_PUT,
                                   .key = fk_key_node(&world.arena, path),
                                   .expected = FK_STAMP_ANY,
                                   .value = fk_buf_view(&value)};
    assert_false(value.failed);
    assert_int_equal(fk_table_write(world.inner.table, &write, 1), FK_OK);
    fk_buf_deinit(&value);
}

/* Gives a node children of 1 kB, beside the functions: to create so many takes minutes. */
static void plant_children(const char *parent, int32_t count)
{
    struct fk_item item;
    struct fk_node_record record;
    struct fk_key key = fk_key_node(&world.arena, fk_bytes_text(parent));
    char path[64];
    assert_int_equal(fk_table_get(world.inner.table, &key, &world.arena, &item), FK_OK);
    assert_int_equal(fk_node_record_read(item.value, fk_bytes_text(parent), &world.arena, &record), FK_OK);
    struct fk_node_record child = record;
    record.node.created_children = record.node.num_children = count;
    put_record(fk_bytes_text(parent), &record);
    child.place = FK_DATA_ITEM;
    child.node.data = (struct fk_bytes){NULL, 1000};
    child.attempt = FK_BYTES_LITERAL("0123456789abcdef0123456789abcdef");
    for (int32_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "%s/n%07d", parent, (int)i);
        put_record(fk_bytes_text(path), &child);
    }
}

/* The records of the children are read, and none of their data: in pages as large as DynamoDB makes them. */
static void a_hundred_thousand_children_are_listed_in_few_requests(void **state)
{
    (void)state;
    char name[32];
    if (pipeline) {
        return; /* the same code */
    }
    send_create(&world.peers[0], 1, "/many", "", 0);
    units_settle(&world);
    (void)expect_reply(&world.peers[0], 1, FK_CODE_OK);
    plant_children("/many", MANY);
    struct units_use start = units_now(&world);
    send_watch(&world.peers[0], 2, FK_OP_GET_CHILDREN2, "/many", false);
    units_settle(&world);
    struct units_use use = units_since(&world, &start);
    struct fk_reader reader = expect_reply(&world.peers[0], 2, FK_CODE_OK);
    assert_int_equal(fk_read_i32(&reader), MANY);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "n%07d", i);
        fk_assert_text(fk_read_bytes(&reader), name);
    }
    at_most("a list of 100 000", "queries", use.units.table_lists, MANY_LISTS_MAX);
    at_most("a list of 100 000", "reads of items", use.units.table_gets, 1);
    at_most("a list of 100 000", "bytes", use.units.read_bytes, (int64_t)MANY_LISTS_MAX * FK_TABLE_PAGE_SIZE_MAX);
    assert_int_equal(use.units.blob_gets, 0);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(a_hundred_thousand_children_are_listed_in_few_requests),
    WORLD_TEST(a_node_of_one_megabyte),
    WORLD_TEST(touching_a_parent_does_not_write_its_data),
    WORLD_TEST(the_item_of_a_node_is_two_kilobytes_at_most),
    WORLD_TEST(answers_that_were_taken_do_not_stay_in_the_record),
};

static const struct CMUnitTest budget_tests[] = {
    FK_TEST(operations_keep_within_their_budgets),
    FK_TEST(a_connected_gateway_costs_a_cent_a_day),
    FK_TEST(the_heartbeat_costs_a_third_of_a_cent_a_day),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("budgets", budget_tests, NULL, NULL);
    failed += cmocka_run_group_tests_name("single hop", tests, NULL, NULL);
    pipeline = true;
    return failed + cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
