// SPDX-License-Identifier: Apache-2.0
/* Quotas: their texts, what they refuse, and the statistics that changes leave behind. */
#include "world.h"

#include <stdio.h>

static struct world world;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    world_init(&world);
    return result;
}

static int teardown(void **state)
{
    world_deinit(&world);
    return fk_test_end(state);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* As StatsTrack takes it; each line was tried on 3.9.4. */
static void texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        struct fk_quota_text quota;
    } rows[] = {
        {"count=3,bytes=4", true, {3, 4, -1, -1}},
        {"count=3,bytes=-1=;byteHardLimit=10;countHardLimit=3", true, {3, -1, 3, 10}},
        {"bytes=1;;,count=2,", true, {2, 1, -1, -1}},
        {"", true, {-1, -1, -1, -1}},
        {",;", true, {-1, -1, -1, -1}},
        {"count=1,count=2", true, {2, -1, -1, -1}},
        {"count=+7,other=9", true, {7, -1, -1, -1}},
        {"count==5", true, {-1, -1, -1, -1}},
        {"count=5=6", true, {5, -1, -1, -1}},
        {"=5", true, {-1, -1, -1, -1}},
        {"count=9223372036854775807,bytes=-9223372036854775808", true, {INT64_MAX, INT64_MIN, -1, -1}},
        {"count=9223372036854775808", false, {0, 0, 0, 0}},
        {"bytes=-9223372036854775809", false, {0, 0, 0, 0}},
        {"count", false, {0, 0, 0, 0}},
        {"count=", false, {0, 0, 0, 0}},
        {"=", false, {0, 0, 0, 0}},
        {",count=1", false, {0, 0, 0, 0}},
        {"count= 1", false, {0, 0, 0, 0}},
        {"count=-", false, {0, 0, 0, 0}},
        {"count=1x", false, {0, 0, 0, 0}},
        {"hello", false, {0, 0, 0, 0}},
    };
    struct fk_quota_text quota;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (fk_quota_parse(fk_bytes_text(rows[i].text), &quota) != rows[i].valid) {
            fail_msg("%s", rows[i].text);
        }
        if (rows[i].valid) {
            assert_memory_equal(&quota, &rows[i].quota, sizeof quota);
        }
    }
    assert_false(fk_quota_parse(FK_BYTES_NULL, &quota));
}

static void paths(void **state)
{
    (void)state;
    struct fk_bytes target;
    assert_true(fk_quota_of_limits(fk_bytes_text("/zookeeper/quota/a/b/zookeeper_limits"), &target));
    fk_assert_text(target, "/a/b");
    assert_true(fk_quota_of_stats(fk_bytes_text("/zookeeper/quota/a/zookeeper_stats"), &target));
    fk_assert_text(target, "/a");
    assert_true(fk_quota_of_stats(fk_bytes_text("/zookeeper/quota/zookeeper_stats"), &target));
    fk_assert_text(target, "");
    assert_false(fk_quota_of_limits(fk_bytes_text("/zookeeper/quota/a/zookeeper_stats"), &target));
    assert_false(fk_quota_of_limits(fk_bytes_text("/zookeeper/quotas/zookeeper_limits"), &target));
    assert_false(fk_quota_of_limits(fk_bytes_text("/zookeeper/quota/a/x_zookeeper_limits"), &target));
    assert_false(fk_quota_of_limits(fk_bytes_text("/zookeeper_limits"), &target));
    assert_false(fk_quota_of_limits(fk_bytes_text(""), &target));
}

static void create(const char *path, const char *data)
{
    fk_write_create_request(
        &world.body,
        &(struct fk_create_request){.path = fk_bytes_text(path), .data = fk_bytes_text(data), .acl = FK_ACL_OPEN});
    assert_int_equal(world_do(&world, FK_OP_CREATE2), FK_CODE_OK);
}

/* What zkCli's setquota does: the mirror of the path, limits, stats. */
static void set_quota(const char *name, const char *limits)
{
    char path[100];
    (void)snprintf(path, sizeof path, "/zookeeper/quota/%s", name);
    create(path, "");
    (void)snprintf(path, sizeof path, "/zookeeper/quota/%s/zookeeper_limits", name);
    create(path, limits);
    (void)snprintf(path, sizeof path, "/zookeeper/quota/%s/zookeeper_stats", name);
    create(path, "count=0,bytes=0");
}

static void assert_stats(const char *name, const char *expected)
{
    char path[100];
    (void)snprintf(path, sizeof path, "/zookeeper/quota/%s/zookeeper_stats", name);
    fk_assert_text(world_node(&world, path)->data, expected);
}

static void statistics_follow_the_tree(void **state)
{
    (void)state;
    create("/a", "12345");
    create("/a/b", "123");
    create("/ab", "1");
    set_quota("a", "count=100,bytes=100");
    assert_stats("a", "count=2,bytes=8");
    create("/a/b/c", "xy");
    assert_stats("a", "count=3,bytes=10");
    assert_int_equal(world_set(&world, "/a/b/c", "", -1), FK_CODE_OK);
    assert_int_equal(world_set(&world, "/a", NULL, -1), FK_CODE_OK);
    assert_stats("a", "count=3,bytes=3");
    assert_int_equal(world_delete(&world, "/a/b/c", -1), FK_CODE_OK);
    assert_int_equal(world_set(&world, "/ab", "12345678", -1), FK_CODE_OK);
    assert_stats("a", "count=2,bytes=3");
}

/* ZK: updateQuotaStat touches nothing but the data. */
static void the_stat_of_the_statistics_stays(void **state)
{
    (void)state;
    create("/a", "");
    set_quota("a", "count=100,bytes=100");
    struct fk_stat before = world_stat(&world, "/zookeeper/quota/a/zookeeper_stats");
    create("/a/b", "0123456789");
    struct fk_stat after = world_stat(&world, "/zookeeper/quota/a/zookeeper_stats");
    assert_stats("a", "count=2,bytes=10");
    before.data_length = after.data_length;
    struct fk_buf expected = FK_BUF_EMPTY;
    struct fk_buf found = FK_BUF_EMPTY;
    fk_write_stat(&expected, &before); // the records themselves have padding
    fk_write_stat(&found, &after);
    assert_int_equal(expected.size, FK_STAT_SIZE);
    assert_memory_equal(expected.data, found.data, FK_STAT_SIZE);
    fk_buf_deinit(&expected);
    fk_buf_deinit(&found);
    struct fk_change change = fk_plan_change(&world.plan);
    assert_int_equal(change.count, 3);
    assert_int_equal(change.puts[2].kind, FK_PUT_STATS);
}

static void the_deepest_quota_counts_and_the_path_itself(void **state)
{
    (void)state;
    set_quota("a", "count=100,bytes=100");
    assert_stats("a", "count=0,bytes=0");
    create("/a", "1");
    create("/a/b", "22");
    assert_stats("a", "count=2,bytes=3");
    set_quota("a/b", "count=100,bytes=100");
    assert_stats("a/b", "count=1,bytes=2");
    create("/a/b/c", "333");
    create("/a/d", "4444");
    assert_stats("a/b", "count=2,bytes=5");
    assert_stats("a", "count=3,bytes=7");
    assert_int_equal(world_delete(&world, "/zookeeper/quota/a/b/zookeeper_limits", -1), FK_CODE_OK);
    create("/a/b/e", "");
    assert_stats("a/b", "count=2,bytes=5");
    assert_stats("a", "count=4,bytes=7");
    assert_int_equal(world_delete(&world, "/zookeeper/quota/a/zookeeper_limits", -1), FK_CODE_OK);
    create("/a/f", "");
    assert_stats("a", "count=4,bytes=7");
}

static void a_multi_is_counted_as_it_goes(void **state)
{
    (void)state;
    create("/a", "");
    create("/a/x", "123");
    multi_create(&world, FK_OP_CREATE, "/a/b", 0);
    multi_delete(&world, "/a/x", -1);
    multi_create(&world, FK_OP_CREATE, "/zookeeper/quota/a", 0);
    multi_header(&world, FK_OP_CREATE);
    fk_write_create_request(&world.body,
                            &(struct fk_create_request){.path = fk_bytes_text("/zookeeper/quota/a/zookeeper_limits"),
                                                        .data = fk_bytes_text("count=9,bytes=9"),
                                                        .acl = FK_ACL_OPEN});
    multi_create(&world, FK_OP_CREATE, "/zookeeper/quota/a/zookeeper_stats", 0);
    multi_create(&world, FK_OP_CREATE, "/a/c", 0);
    multi_set(&world, "/a/b", "1234567", -1);
    multi_end(&world);
    assert_int_equal(world_do(&world, FK_OP_MULTI), FK_CODE_OK);
    assert_stats("a", "count=3,bytes=11"); /* /a, /a/b with 7 bytes, /a/c with "data" */
}

static void ends_of_sessions_are_counted(void **state)
{
    (void)state;
    create("/a", "");
    set_quota("a", "count=100,bytes=100");
    assert_int_equal(world_create(&world, "/a/e", 1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/a/f", 1), FK_CODE_OK);
    assert_stats("a", "count=3,bytes=8");
    world_close(&world, 7, (const char *const[]){"/a/e", "/a/f"}, 2, true);
    assert_stats("a", "count=1,bytes=0");
    size_t stats = 0;
    struct fk_change change = fk_plan_change(&world.plan);
    for (size_t i = 0; i < change.count; i++) {
        stats += change.puts[i].kind == FK_PUT_STATS ? 1 : 0;
    }
    assert_int_equal(stats, 1); /* put once, however many nodes go */
}

static void hard_limits_refuse(void **state)
{
    (void)state;
    world.rules.enforce_quota = true;
    create("/a", "12345");
    set_quota("a", "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3");
    assert_int_equal(world_create_acl(&world, "/a/b", "world", "anyone", 31), FK_CODE_OK); /* "data" */
    assert_stats("a", "count=2,bytes=9");
    assert_int_equal(world_create(&world, "/a/c", 0), FK_CODE_QUOTA_EXCEEDED);
    assert_true(world.plan.excess.hard);
    assert_string_equal(world.plan.excess.what, "bytes");
    fk_assert_text(world.plan.excess.path, "/a");
    assert_int_equal(world_set(&world, "/a/b", "12345", -1), FK_CODE_OK);
    assert_int_equal(world_set(&world, "/a/b", "123456", -1), FK_CODE_QUOTA_EXCEEDED);
    assert_int_equal(world_set(&world, "/a/b", "123456", 77), FK_CODE_QUOTA_EXCEEDED); /* before the version */
    assert_int_equal(world_set(&world, "/a/b", "54321", -1), FK_CODE_OK);              /* no more bytes: not checked */
    create("/a/c", "");
    multi_delete(&world, "/a/c", -1);
    multi_create(&world, FK_OP_CREATE, "/a/d", 0);
    multi_end(&world);
    assert_int_equal(world_do(&world, FK_OP_MULTI), FK_CODE_OK);
    struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
    struct fk_multi_header header;
    fk_read_multi_header(&reader, &header);
    (void)fk_read_i32(&reader);
    fk_read_multi_header(&reader, &header);
    assert_int_equal(header.code, FK_CODE_QUOTA_EXCEEDED);
    assert_stats("a", "count=3,bytes=10");
    assert_int_equal(world_create(&world, "/a/b", 0), FK_CODE_NODE_EXISTS); /* before the quota */
    assert_int_equal(world_create(&world, "/x", 0), FK_CODE_OK);
}

static void limits_that_are_not_enforced_are_only_told(void **state)
{
    (void)state;
    create("/a", "");
    set_quota("a", "count=1,bytes=-1=;byteHardLimit=2;countHardLimit=-1");
    assert_int_equal(world_create(&world, "/a/b", 0), FK_CODE_OK);
    assert_string_equal(world.plan.excess.what, "count");
    assert_int_equal(world.plan.excess.value, 2);
    assert_int_equal(world.plan.excess.limit, 1);
    assert_false(world.plan.excess.hard);
    world.rules.enforce_quota = true;
    assert_int_equal(world_set(&world, "/a/b", "", -1), FK_CODE_OK);
    assert_null(world.plan.excess.what);
    create("/a/c", ""); /* a soft limit refuses nobody */
    assert_string_equal(world.plan.excess.what, "count");
}

/* ZK: what does not parse is an exception: -5 where limits are looked at. The statistics stay, where ZooKeeper ends. */
static void texts_that_do_not_parse(void **state)
{
    (void)state;
    create("/a", "");
    set_quota("a", "nonsense");
    create("/a/b", "");
    assert_stats("a", "count=2,bytes=0");
    world.rules.enforce_quota = true;
    assert_int_equal(world_create(&world, "/a/c", 0), FK_CODE_MARSHALLING_ERROR);
    assert_int_equal(world_set(&world, "/zookeeper/quota/a/zookeeper_limits", "count=9", -1), FK_CODE_OK);
    assert_int_equal(world_set(&world, "/zookeeper/quota/a/zookeeper_stats", "garbage", -1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/a/c", 0), FK_CODE_MARSHALLING_ERROR);
    assert_int_equal(world_set(&world, "/a/b", "123", -1), FK_CODE_OK); /* no limit of bytes: not looked at */
    assert_stats("a", "garbage");
    assert_int_equal(world_delete(&world, "/zookeeper/quota/a/zookeeper_stats", -1), FK_CODE_OK);
    create("/a/c", "12");
    create("/zookeeper/quota/a/zookeeper_stats", "");
    assert_stats("a", "count=3,bytes=5");
}

static void trees_without_quotas_are_not_searched(void **state)
{
    (void)state;
    create("/a", "");
    assert_int_equal(world_set(&world, "/a", "1", -1), FK_CODE_OK);
    assert_int_equal(world.lookups, 1);
    set_quota("b", "count=1");
    assert_int_equal(world_set(&world, "/a", "1", -1), FK_CODE_OK);
    assert_int_equal(world.lookups, 2); /* /zookeeper/quota/a is not there */
}

static void a_path_that_is_too_deep_has_no_quota(void **state)
{
    (void)state;
    char path[2 * FK_QUOTA_DEPTH_MAX + 40] = "";
    char mirror[2 * FK_QUOTA_DEPTH_MAX + 40] = "";
    create("/zookeeper/quota/x", "");
    create("/x", "");
    for (int i = 0; i < FK_QUOTA_DEPTH_MAX; i++) {
        (void)memcpy(path + 2 * i, "/x", 3);
        (void)snprintf(mirror, sizeof mirror, "/zookeeper/quota%s", path);
        if (i > 0) {
            (void)world_plant(&world, path);
            world_plant(&world, mirror)->num_children = 1;
        }
    }
    (void)strncat(mirror, "/zookeeper_limits", sizeof mirror - strlen(mirror) - 1);
    world_plant(&world, mirror)->data = fk_bytes_text("count=1");
    assert_int_equal(world_set(&world, path, "1", -1), FK_CODE_OK);
    assert_true(world.lookups <= 2 * FK_QUOTA_DEPTH_MAX + 2);
}

static void errors_of_the_store_end_the_plan(void **state)
{
    (void)state;
    create("/a", "");
    set_quota("a", "count=100");
    world.lookup_err = FK_ERR_BUSY;
    (void)world_set(&world, "/a", "1", -1);
    assert_int_equal(world.plan.err, FK_ERR_BUSY);
    world.lookup_err = FK_OK;
}

static void without_memory(void **state)
{
    (void)state;
    create("/a", "");
    set_quota("a", "count=100,bytes=100");
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        fk_test_fail_alloc(nth);
        (void)world_set(&world, "/a", nth % 2 == 0 ? "12" : "1", -1);
        failed = fk_test_alloc_failed();
        fk_test_fail_alloc(0);
        if (failed) {
            assert_int_equal(world.plan.err, FK_ERR_NOMEM);
        }
        assert_true(nth < 100);
    }
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(texts),
    WORLD_TEST(paths),
    WORLD_TEST(statistics_follow_the_tree),
    WORLD_TEST(the_stat_of_the_statistics_stays),
    WORLD_TEST(the_deepest_quota_counts_and_the_path_itself),
    WORLD_TEST(a_multi_is_counted_as_it_goes),
    WORLD_TEST(ends_of_sessions_are_counted),
    WORLD_TEST(hard_limits_refuse),
    WORLD_TEST(limits_that_are_not_enforced_are_only_told),
    WORLD_TEST(texts_that_do_not_parse),
    WORLD_TEST(trees_without_quotas_are_not_searched),
    WORLD_TEST(a_path_that_is_too_deep_has_no_quota),
    WORLD_TEST(errors_of_the_store_end_the_plan),
    WORLD_TEST(without_memory),
};

FK_TEST_MAIN(tests)
