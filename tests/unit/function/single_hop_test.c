// SPDX-License-Identifier: Apache-2.0
/* The single-hop function: batches, what is cut, what is repeated, what is given back. */
#include "function/single_hop.h"

#include "function/cloud_world.h"
#include "wire/codes.h"

static struct cloud cloud;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, false);
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static enum fk_err run(const struct fk_bytes *messages, size_t count, size_t *done)
{
    return fk_single_hop_run(&cloud.options, &cloud.ports, messages, count, done);
}

static struct fk_bytes one(int64_t number, struct fk_request_operation operation)
{
    return cloud_message(&cloud, number, &operation, 1);
}

static void a_batch_is_one_commit(void **state)
{
    (void)state;
    struct fk_bytes messages[] = {one(1, cloud_create(&cloud, "/a", "", 0)),
                                  one(2, cloud_create(&cloud, "/a/b", "", 0)), one(3, cloud_set(&cloud, "/a", "x", 7))};
    size_t done = 0;
    assert_int_equal(run(messages, 3, &done), FK_OK);
    assert_int_equal(done, 3);
    assert_int_equal(cloud.writes, 1);
    assert_int_equal(cloud.last_count, 5); /* zxid, session, "/", "/a", "/a/b" */
    assert_int_equal(cloud_zx(&cloud).zxid, 3);
}

static void a_batch_is_cut_where_the_next_request_does_not_fit(void **state)
{
    (void)state;
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/a", "", 0), cloud_create(&cloud, "/b", "", 0),
                                         cloud_create(&cloud, "/c", "", 0), cloud_create(&cloud, "/d", "", 0)};
    struct fk_bytes message = cloud_message(&cloud, 1, ops, 4);
    size_t done = 0;
    cloud.options.commit_items_max = 6;
    assert_int_equal(run(&message, 1, &done), FK_OK);
    assert_int_equal(cloud.writes, 2);
    assert_true(cloud.last_count <= 6);
    assert_int_equal(cloud_zx(&cloud).zxid, 4);
}

static void fewer_requests_are_tried_where_the_store_takes_less(void **state)
{
    (void)state;
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/a", "", 0), cloud_create(&cloud, "/b", "", 0)};
    struct fk_bytes message = cloud_message(&cloud, 1, ops, 2);
    struct fk_answer_message answer;
    size_t done = 0;
    cloud_fail(&cloud, 1, CLOUD_TOO_LARGE);
    assert_int_equal(run(&message, 1, &done), FK_OK);
    assert_int_equal(cloud.writes, 3); /* both, and then each of its own */
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, 0);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, 0);
}

static void nothing_is_answered_before_the_commit(void **state)
{
    (void)state;
    struct fk_bytes message = one(1, cloud_create(&cloud, "/a", "", 0));
    struct fk_answer_message answer;
    size_t done = 7;
    cloud_fail(&cloud, 1, CLOUD_BUSY);
    cloud.fault_always = true;
    assert_int_equal(run(&message, 1, &done), FK_ERR_BUSY); /* out of time */
    assert_int_equal(done, 0);
    assert_true(fk_clock_monotonic_ms(&cloud.clock.base) >= cloud.options.function_ms);
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(cloud_zx(&cloud).zxid, 0);
}

/* Another instance decides the same message between the reading and the commit. */
static struct fk_bytes repeated;

static void be_faster(struct cloud *world)
{
    size_t done = 0;
    assert_int_equal(fk_single_hop_run(&world->options, &world->ports, &repeated, 1, &done), FK_OK);
}

static void of_two_instances_one_commits(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    struct fk_node_record node;
    size_t done = 0;
    repeated = one(1, cloud_create(&cloud, "/q-", "", 2));
    cloud_hook(&cloud, 1, be_faster);
    assert_int_equal(run(&repeated, 1, &done), FK_OK);
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
    assert_false(cloud_node(&cloud, "/q-0000000002", &node));
    for (int i = 0; i < 2; i++) { /* both tell the same */
        assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
        assert_int_equal(answer.zxid, 1);
        assert_int_equal(answer.code, 0);
    }
}

static void watch_a(struct cloud *world)
{
    cloud_watch(world, "/a", CLOUD_OTHER, FK_WATCH_DATA);
}

static void a_watch_that_comes_while_a_commit_is_planned_is_heard(void **state)
{
    (void)state;
    struct fk_events_record events;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_hook(&cloud, 1, watch_a); /* H5 */
    cloud_do(&cloud, 2, cloud_set(&cloud, "/a", "x", -1));
    assert_true(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_int_equal(events.zxid, 2);
}

static void garbage_is_dropped_and_newer_messages_are_left(void **state)
{
    (void)state;
    struct fk_bytes good = one(1, cloud_create(&cloud, "/a", "", 0));
    struct fk_bytes messages[] = {FK_BYTES_LITERAL("\0\0\0\1garbage"), good, FK_BYTES_LITERAL("\0\0\0\x7f"), good};
    size_t done = 0;
    assert_int_equal(run(messages, 4, &done), FK_ERR_VERSION);
    assert_int_equal(done, 2);
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
}

static void without_memory_nothing_is_half_done(void **state)
{
    (void)state;
    struct fk_bytes message = one(1, cloud_create2(&cloud, "/a", "", 0));
    struct fk_answer_message answer;
    uint64_t nth = 1;
    size_t done = 0;
    while (done == 0 && nth < 500) {
        fk_test_fail_alloc(nth++);
        enum fk_err err = run(&message, 1, &done);
        fk_test_fail_alloc(0);
        assert_true(err == FK_OK || err == FK_ERR_NOMEM);
        assert_int_equal(done, err == FK_OK ? 1 : 0);
        assert_int_equal(cloud_zx(&cloud).zxid <= 1, 1);
    }
    assert_true(nth > 3);
    assert_int_equal(run(&message, 1, &done), FK_OK);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, 0);
}

static const struct CMUnitTest tests[] = {
    ROW(a_batch_is_one_commit),
    ROW(a_batch_is_cut_where_the_next_request_does_not_fit),
    ROW(fewer_requests_are_tried_where_the_store_takes_less),
    ROW(nothing_is_answered_before_the_commit),
    ROW(of_two_instances_one_commits),
    ROW(a_watch_that_comes_while_a_commit_is_planned_is_heard),
    ROW(garbage_is_dropped_and_newer_messages_are_left),
    ROW(without_memory_nothing_is_half_done),
};

FK_TEST_MAIN(tests)
