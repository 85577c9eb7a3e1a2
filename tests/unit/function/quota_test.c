// SPDX-License-Identifier: Apache-2.0
/* Quotas in the cloud, in both topologies: what is counted, what is refused, what is read. */
#include "function/cloud_world.h"
#include "function/measure.h"
#include "wire/codes.h"

static struct cloud cloud;
static bool pipeline;
static int64_t number;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, pipeline);
    cloud.options.rules.enforce_quota = true;
    number = 0;
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void done(struct fk_request_operation operation)
{
    assert_int_equal(cloud_code(&cloud, ++number, operation), FK_CODE_OK);
}

static void refused(struct fk_request_operation operation)
{
    assert_int_equal(cloud_code(&cloud, ++number, operation), FK_CODE_QUOTA_EXCEEDED);
}

static void set_quota(const char *limits)
{
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/zookeeper/quota/a", "", 0),
                                         cloud_create(&cloud, "/zookeeper/quota/a/zookeeper_limits", limits, 0),
                                         cloud_create(&cloud, "/zookeeper/quota/a/zookeeper_stats", "", 0)};
    done(cloud_multi(&cloud, ops, 3));
}

static void expect_stats(const char *text)
{
    struct fk_node_record node;
    assert_true(cloud_node(&cloud, "/zookeeper/quota/a/zookeeper_stats", &node));
    fk_assert_text(node.node.data, text);
    assert_int_equal(node.node.version, 0); /* its data changes, its Stat does not */
    assert_int_equal(node.zxid, cloud_zx(&cloud).zxid);
}

static void what_is_there_is_measured_then_counted(void **state)
{
    (void)state;
    done(cloud_create(&cloud, "/a", "12345", 0));
    done(cloud_create(&cloud, "/a/b", "123", 0));
    done(cloud_create(&cloud, "/a/b/c", "1", 0));
    done(cloud_create(&cloud, "/ab", "not below", 0));
    assert_int_equal(cloud_zx(&cloud).limits, 0);
    set_quota("count=10,bytes=-1");
    assert_int_equal(cloud_zx(&cloud).limits, 1);
    expect_stats("count=3,bytes=9");
    done(cloud_create(&cloud, "/a/d", "1234", 0));
    expect_stats("count=4,bytes=13");
    done(cloud_set(&cloud, "/a/b", "", -1));
    expect_stats("count=4,bytes=10");
    done(cloud_delete(&cloud, "/a/b/c"));
    expect_stats("count=3,bytes=9");
    done(cloud_create(&cloud, "/a/e", "ephemeral", FK_CREATE_EPHEMERAL));
    expect_stats("count=4,bytes=18");
    assert_int_equal(cloud_code(&cloud, ++number, cloud_close()), FK_CODE_OK);
    expect_stats("count=3,bytes=9");
}

/* In one batch, and in one multi, the operations see what those before them count. */
static void a_batch_counts_on(void **state)
{
    (void)state;
    done(cloud_create(&cloud, "/a", "", 0));
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/a/b", "1", 0),
                                         cloud_create(&cloud, "/zookeeper/quota/a", "", 0),
                                         cloud_create(&cloud, "/zookeeper/quota/a/zookeeper_limits", "count=9", 0),
                                         cloud_create(&cloud, "/zookeeper/quota/a/zookeeper_stats", "", 0),
                                         cloud_create(&cloud, "/a/c", "22", 0),
                                         cloud_delete(&cloud, "/a/b")};
    cloud_run(&cloud, cloud_message(&cloud, number + 1, ops, 6));
    number += 6;
    expect_stats("count=2,bytes=2");
    struct fk_request_operation both[] = {cloud_create(&cloud, "/a/d", "333", 0),
                                          cloud_set(&cloud, "/a/d", "4444", -1)};
    cloud_clear(&cloud);
    done(cloud_multi(&cloud, both, 2));
    expect_stats("count=3,bytes=6");
}

/* A node that is put twice by one change: as a parent, then with its data. */
static void a_multi_that_changes_a_child_and_its_parents_data_counts_both(void **state)
{
    (void)state;
    done(cloud_create(&cloud, "/a", "12", 0));
    done(cloud_create(&cloud, "/a/b", "333", 0));
    set_quota("count=9");
    expect_stats("count=2,bytes=5");
    struct fk_request_operation ops[] = {cloud_delete(&cloud, "/a/b"), cloud_set(&cloud, "/a", "4444", -1)};
    done(cloud_multi(&cloud, ops, 2));
    expect_stats("count=1,bytes=4");
    struct fk_request_operation more[] = {cloud_create(&cloud, "/a/c", "1", 0), cloud_set(&cloud, "/a", "22", -1),
                                          cloud_set(&cloud, "/a", "333", -1)};
    done(cloud_multi(&cloud, more, 3));
    expect_stats("count=2,bytes=4");
    struct fk_request_operation again[] = {cloud_set(&cloud, "/a/c", "55555", -1), cloud_delete(&cloud, "/a/c"),
                                           cloud_create(&cloud, "/a/c", "22", 0)};
    done(cloud_multi(&cloud, &again[1], 2));
    expect_stats("count=2,bytes=5");
    done(cloud_multi(&cloud, again, 3));
    expect_stats("count=2,bytes=5");
}

static void hard_limits_refuse(void **state)
{
    (void)state;
    done(cloud_create(&cloud, "/a", "", 0));
    set_quota("count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3");
    done(cloud_create(&cloud, "/a/b", "12345", 0));
    refused(cloud_set(&cloud, "/a/b", "12345678901", -1));
    done(cloud_create(&cloud, "/a/c", "", 0));
    refused(cloud_create(&cloud, "/a/d", "", 0));
    done(cloud_create(&cloud, "/b", "elsewhere", 0));
    done(cloud_delete(&cloud, "/a/c"));
    done(cloud_create(&cloud, "/a/d", "12345", 0));
    expect_stats("count=3,bytes=10");
    cloud.options.rules.enforce_quota = false;
    done(cloud_create(&cloud, "/a/e", "more", 0));
    expect_stats("count=4,bytes=14");
}

static void without_limits_nothing_is_counted_any_more(void **state)
{
    (void)state;
    done(cloud_create(&cloud, "/a", "", 0));
    set_quota("count=-1,bytes=-1=;countHardLimit=1");
    refused(cloud_create(&cloud, "/a/b", "", 0));
    done(cloud_delete(&cloud, "/zookeeper/quota/a/zookeeper_limits"));
    assert_int_equal(cloud_zx(&cloud).limits, 0);
    done(cloud_create(&cloud, "/a/b", "", 0));
    struct fk_node_record node;
    assert_true(cloud_node(&cloud, "/zookeeper/quota/a/zookeeper_stats", &node));
    fk_assert_text(node.node.data, "count=1,bytes=0");
}

/* Touching the statistics otherwise leaves their numbers as they are. */
static void statistics_survive_a_child_and_a_large_text_does_not_stop_them(void **state)
{
    (void)state;
    done(cloud_create(&cloud, "/a", "", 0));
    set_quota("count=5");
    done(cloud_create(&cloud, "/a/b", "xyz", 0));
    done(cloud_create(&cloud, "/zookeeper/quota/a/zookeeper_stats/child", "", 0));
    struct fk_node_record node;
    assert_true(cloud_node(&cloud, "/zookeeper/quota/a/zookeeper_stats", &node));
    fk_assert_text(node.node.data, "count=2,bytes=3");
    cloud.options.inline_size_max = 1; /* the texts stand elsewhere */
    done(cloud_set(&cloud, "/zookeeper/quota/a/zookeeper_limits", "count=6", -1));
    done(cloud_create(&cloud, "/a/c", "", 0));
    done(cloud_delete(&cloud, "/a/b"));
    cloud.options.inline_size_max = fk_cloud_defaults().inline_size_max;
    done(cloud_create(&cloud, "/a/d", "four", 0));
    expect_stats("count=3,bytes=4");
}

static const struct CMUnitTest tests[] = {
    ROW(what_is_there_is_measured_then_counted),
    ROW(a_batch_counts_on),
    ROW(a_multi_that_changes_a_child_and_its_parents_data_counts_both),
    ROW(hard_limits_refuse),
    ROW(without_limits_nothing_is_counted_any_more),
    ROW(statistics_survive_a_child_and_a_large_text_does_not_stop_them),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("single hop", tests, NULL, NULL);
    pipeline = true;
    return failed + cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
