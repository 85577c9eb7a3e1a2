// SPDX-License-Identifier: Apache-2.0
/* What a commit writes besides the change itself: subscriptions, pending events, lists, what stays of a deleted node.
 * In both topologies. */
#include "function/commit.h"

#include "function/cloud_world.h"

static struct cloud cloud;
static bool pipeline;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, pipeline);
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void ack(int64_t gateway, int64_t zxid)
{
    struct fk_gateway_record record;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_key key = fk_key_gateway(&cloud.arena, gateway);
    assert_true(cloud_gateway(&cloud, gateway, &record));
    record.acked = zxid;
    fk_gateway_record_write(&buf, &record);
    cloud_put(&cloud, &key, fk_arena_copy(&cloud.arena, fk_buf_view(&buf)));
    fk_buf_deinit(&buf);
}

static void records_name_who_has_events_pending_whatever_of(void **state)
{
    (void)state;
    struct fk_node_record node;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_do(&cloud, 2, cloud_create(&cloud, "/b", "", 0));
    cloud_watch(&cloud, "/a", CLOUD_OTHER, FK_WATCH_DATA);
    cloud_do(&cloud, 3, cloud_set(&cloud, "/a", "", -1));
    cloud_do(&cloud, 4, cloud_set(&cloud, "/b", "", -1)); /* H11: nobody watches it */
    assert_true(cloud_node(&cloud, "/b", &node));
    assert_int_equal(node.pend.count, 1);
    assert_int_equal(node.pend.items[0].gateway, CLOUD_OTHER);
    assert_int_equal(node.pend.items[0].zxid, 3);
    ack(CLOUD_OTHER, 3);
    cloud_do(&cloud, 5, cloud_set(&cloud, "/b", "", -1)); /* few are named without a look at them */
    assert_true(cloud_node(&cloud, "/b", &node));
    assert_int_equal(node.pend.count, 1);
    cloud.options.pend_unread_max = 0;
    cloud_do(&cloud, 6, cloud_set(&cloud, "/b", "", -1));
    assert_true(cloud_node(&cloud, "/b", &node));
    assert_int_equal(node.pend.count, 0);
}

/* Who has applied all its events is written down with the zxid, and not looked at again before the next one. */
static void who_has_applied_its_events_is_settled_until_the_next(void **state)
{
    (void)state;
    struct fk_node_record node;
    cloud.options.pend_unread_max = 0;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_watch(&cloud, "/a", CLOUD_OTHER, FK_WATCH_DATA);
    cloud_do(&cloud, 2, cloud_set(&cloud, "/a", "", -1));
    assert_int_equal(cloud_zx(&cloud).lastev.count, 1);
    assert_false(cloud_zx(&cloud).lastev.items[0].settled);
    ack(CLOUD_OTHER, 2);
    cloud_do(&cloud, 3, cloud_set(&cloud, "/a", "", -1));
    assert_true(cloud_zx(&cloud).lastev.items[0].settled);
    assert_int_equal(cloud_zx(&cloud).lastev.items[0].zxid, 2);
    cloud_watch(&cloud, "/a", CLOUD_OTHER, FK_WATCH_DATA);
    cloud_do(&cloud, 4, cloud_set(&cloud, "/a", "", -1));
    assert_false(cloud_zx(&cloud).lastev.items[0].settled);
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.pend.count, 1);
    assert_int_equal(node.pend.items[0].zxid, 4);
}

static void a_deleted_node_leaves_its_record_only_to_those_who_watch(void **state)
{
    (void)state;
    struct fk_node_record node;
    struct fk_key key = fk_key_node(&cloud.arena, FK_BYTES_LITERAL("/a"));
    struct fk_item item;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_watch(&cloud, "/a", CLOUD_OTHER, FK_WATCH_DATA | FK_WATCH_PERSISTENT);
    cloud_do(&cloud, 2, cloud_delete(&cloud, "/a"));
    assert_true(cloud_item(&cloud, &key, &item));
    assert_false(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.subs.count, 1);
    assert_int_equal(node.zxid, 2);
    cloud_do(&cloud, 3, cloud_create(&cloud, "/a", "", 0)); /* on top of it */
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.node.czxid, 3);
    cloud_watch(&cloud, "/b", CLOUD_OTHER, FK_WATCH_DATA); /* of a node that never was */
    cloud_do(&cloud, 4, cloud_create(&cloud, "/b", "", 0));
    cloud_do(&cloud, 5, cloud_delete(&cloud, "/b"));
    key = fk_key_node(&cloud.arena, FK_BYTES_LITERAL("/b"));
    assert_false(cloud_item(&cloud, &key, &item));
}

static void dead_gateways_leave_the_subscriptions_that_fire(void **state)
{
    (void)state;
    struct fk_node_record node;
    struct fk_events_record events;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_watch(&cloud, "/a", CLOUD_OTHER, FK_WATCH_PERSISTENT);
    cloud_ask(&cloud, 0, 0, CLOUD_OTHER, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 1));
    cloud_clear(&cloud);
    cloud_do(&cloud, 2, cloud_set(&cloud, "/a", "", -1));
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.subs.count, 0);
    assert_false(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_int_equal(node.generation, 1); /* H20 */
    assert_int_equal(cloud_count(&cloud, "ev"), 0);
}

static void recursive_watches_hear_of_what_is_below(void **state)
{
    (void)state;
    struct fk_recursive_subscription item = {.gateway = CLOUD_OTHER, .path = FK_BYTES_LITERAL("/a")};
    struct fk_recursive_record record = {.items = &item, .count = 1};
    struct fk_events_record events;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_key key = fk_key_recursive();
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    fk_recursive_record_write(&buf, &record);
    cloud_put(&cloud, &key, fk_arena_copy(&cloud.arena, fk_buf_view(&buf)));
    fk_buf_clear(&buf);
    struct fk_zx_record zx = cloud_zx(&cloud);
    zx.recursive_version++;
    fk_zx_record_write(&buf, &zx);
    key = fk_key_zx();
    cloud_put(&cloud, &key, fk_arena_copy(&cloud.arena, fk_buf_view(&buf)));
    fk_buf_deinit(&buf);
    cloud_do(&cloud, 2, cloud_create(&cloud, "/a/b", "", 0));
    assert_true(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_int_equal(events.gateways[0].count, 1); /* of the node, not of the list of children */
    fk_assert_text(events.gateways[0].entries[0].path, "/a/b");
    cloud_do(&cloud, 3, cloud_create(&cloud, "/ab", "", 0));
    assert_false(cloud_events(&cloud, CLOUD_OTHER, &events));
}

static void lists_follow_the_nodes(void **state)
{
    (void)state;
    struct fk_request_operation container = cloud_create(&cloud, "/c", "", 4);
    container.op = FK_OP_CREATE_CONTAINER;
    cloud_do(&cloud, 1, container);
    cloud_do(&cloud, 2, cloud_create(&cloud, "/e", "", 1));
    assert_int_equal(cloud_count(&cloud, "c"), 1);
    assert_int_equal(cloud_count(&cloud, "e"), 1);
    cloud_do(&cloud, 3, cloud_delete(&cloud, "/c"));
    cloud_do(&cloud, 4, cloud_delete(&cloud, "/e"));
    assert_int_equal(cloud_count(&cloud, "c"), 0);
    assert_int_equal(cloud_count(&cloud, "e"), 0);
}

static const struct CMUnitTest tests[] = {
    ROW(records_name_who_has_events_pending_whatever_of),
    ROW(who_has_applied_its_events_is_settled_until_the_next),
    ROW(a_deleted_node_leaves_its_record_only_to_those_who_watch),
    ROW(dead_gateways_leave_the_subscriptions_that_fire),
    ROW(recursive_watches_hear_of_what_is_below),
    ROW(lists_follow_the_nodes),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("single hop", tests, NULL, NULL);
    pipeline = true;
    return failed + cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
