// SPDX-License-Identifier: Apache-2.0
/* Subscriptions that nobody needs any more, and registrations at the same time (cloud_unsubscribe.c). */
#include "cloud_world.h"

enum {
    PERSISTENT = 0, /* modes of addWatch */
    RECURSIVE = 1,
};

static struct fk_connect_response session;

static struct fk_item item_of(struct fk_key key)
{
    struct fk_item item;
    assert_int_equal(fk_table_get(cloud.ports.table, &key, &cloud.arena, &item), FK_OK);
    return item;
}

static struct fk_item item_a(void)
{
    return item_of(fk_key_node(&cloud.arena, FK_BYTES_LITERAL("/a")));
}

static unsigned subscribed(size_t gateway)
{
    bool exists = false;
    struct fk_node_record record = cloud_node("/a", &exists);
    for (size_t i = 0; i < record.subs.count; i++) {
        if (record.subs.items[i].gateway == cloud.at[gateway].id) {
            return record.subs.items[i].kinds;
        }
    }
    return 0;
}

/* Number of recursive subscriptions of a gateway. */
static size_t subtrees(size_t gateway)
{
    struct fk_recursive_record record;
    size_t count = 0;
    assert_int_equal(fk_recursive_record_read(item_of(fk_key_recursive()).value, &cloud.arena, &record), FK_OK);
    for (size_t i = 0; i < record.count; i++) {
        count += record.items[i].gateway == cloud.at[gateway].id ? 1 : 0;
    }
    return count;
}

static void ask_watch(struct peer *peer, int32_t xid, const char *path, int32_t mode)
{
    struct fk_buf *frame = request_begin(xid, FK_OP_ADD_WATCH);
    fk_write_bytes(frame, fk_bytes_text(path));
    fk_write_i32(frame, mode);
    request_end(peer);
    cloud_settle();
}

static void add_watch(struct peer *peer, int32_t xid, const char *path, int32_t mode)
{
    ask_watch(peer, xid, path, mode);
    (void)expect_reply(peer, xid, 0);
}

static void set_a(void)
{
    cloud_commit(FK_OP_SET_DATA, "/a", "new");
    cloud_settle();
}

static void expect_change(struct peer *peer)
{
    set_a();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    assert_true(peer_quiet(peer));
}

/* A client of gateway 0 has watched /a, and has gone. */
static void leave_behind(int32_t mode)
{
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    add_watch(peer, 1, "/a", mode);
    cloud_leave(peer);
    cloud_settle();
}

static void a_subscription_that_nobody_needs_goes(void **state)
{
    (void)state;
    leave_behind(PERSISTENT);
    struct peer *other = cloud_connect(1, &session);
    add_watch(other, 1, "/a", PERSISTENT);
    assert_int_equal(subscribed(0), FK_WATCH_PERSISTENT);
    expect_change(other);
    assert_int_equal(subscribed(0), 0);
    assert_int_equal(subscribed(1), FK_WATCH_PERSISTENT);
    struct fk_zx_record before = cloud_zx();
    expect_change(other);
    struct fk_zx_record after = cloud_zx();
    assert_int_equal(fk_gateway_zxids_get(&after.lastev, cloud.at[0].id),
                     fk_gateway_zxids_get(&before.lastev, cloud.at[0].id)); /* it is told nothing more */
}

static void a_subscription_is_kept_while_somebody_watches(void **state)
{
    (void)state;
    leave_behind(PERSISTENT);
    struct peer *peer = cloud_connect(0, &session);
    add_watch(peer, 1, "/a", PERSISTENT);
    int64_t version = item_a().stamp;
    expect_change(peer);
    assert_int_not_equal(item_a().stamp, version); /* the commit's */
    assert_int_equal(subscribed(0), FK_WATCH_PERSISTENT);
    expect_change(peer);
}

static void kinds_that_are_needed_stay(void **state)
{
    (void)state;
    leave_behind(PERSISTENT);
    struct peer *peer = cloud_connect(0, &session);
    send_watch(peer, 1, FK_OP_GET_CHILDREN, "/a", true);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    assert_int_equal(subscribed(0), FK_WATCH_PERSISTENT | FK_WATCH_CHILD);
    set_a();
    assert_int_equal(subscribed(0), FK_WATCH_CHILD);
    cloud_commit(FK_OP_CREATE, "/a/b", "x");
    cloud_settle();
    expect_event(peer, FK_EVENT_CHILDREN_CHANGED, "/a");
}

static void a_missing_node_without_subscriptions_has_no_item(void **state)
{
    (void)state;
    leave_behind(PERSISTENT);
    cloud_hold(0, "remove");
    cloud_commit(FK_OP_DELETE, "/a", "");
    cloud_settle();
    assert_int_equal(cloud_held(0, "remove"), 1);
    assert_int_not_equal(item_a().stamp, 0);
    cloud_go(0, "remove");
    assert_int_equal(item_a().stamp, 0);
}

/* The registration has found the gateway in the record and has written nothing; its reply is still to come. */
static void a_registration_at_work_keeps_it(int32_t mode)
{
    leave_behind(mode);
    struct peer *peer = cloud_connect(0, &session);
    cloud_hold(0, "unsubscribe");
    set_a();
    assert_int_equal(cloud_held(0, "unsubscribe"), 1);
    cloud_hold(0, "register");
    ask_watch(peer, 1, "/a", mode);
    cloud_run_held(0, "register");
    cloud_go(0, "unsubscribe");
    cloud_go(0, "register");
    (void)expect_reply(peer, 1, 0);
    expect_change(peer);
}

static void a_registration_at_work_keeps_a_persistent_one(void **state)
{
    (void)state;
    a_registration_at_work_keeps_it(PERSISTENT);
}

/* The removal was decided when the registration began: that writes, though the record lists the gateway. */
static void a_later_registration_voids_it(int32_t mode)
{
    leave_behind(mode);
    struct peer *peer = cloud_connect(0, &session);
    cloud_hold(0, "remove");
    set_a();
    assert_int_equal(cloud_held(0, "remove"), 1);
    add_watch(peer, 1, "/a", mode);
    cloud_go(0, "remove");
    if (mode == RECURSIVE) {
        assert_int_equal(subtrees(0), 1); /* not twice */
    }
    expect_change(peer);
}

static void a_later_registration_voids_the_removal(void **state)
{
    (void)state;
    a_later_registration_voids_it(PERSISTENT);
}

/* The removal comes first: the registration finds no subscription, or is refused. */
static void a_registration_behind_the_removal_subscribes_anew(void **state)
{
    (void)state;
    leave_behind(PERSISTENT);
    struct peer *peer = cloud_connect(0, &session);
    cloud_hold(0, "remove");
    set_a();
    cloud_hold(0, "register");
    ask_watch(peer, 1, "/a", PERSISTENT);
    cloud_go(0, "remove");
    assert_int_equal(subscribed(0), 0);
    cloud_go(0, "register");
    (void)expect_reply(peer, 1, 0);
    expect_change(peer);
}

/* It may still be applied: until the record has another stamp registrations write, afterwards they need not. */
static void a_removal_of_unknown_outcome_is_settled(void **state)
{
    (void)state;
    leave_behind(PERSISTENT);
    struct peer *peer = cloud_connect(0, &session);
    cloud.table.fail_writes = FK_ERR_UNKNOWN;
    cloud.table.count = 5; /* all its tries */
    set_a();
    assert_int_equal(cloud.table.count, 0);
    int64_t before = item_a().stamp;
    add_watch(peer, 1, "/a", PERSISTENT);
    int64_t written = item_a().stamp;
    assert_int_not_equal(written, before);
    cloud_pass_ms(CLOUD_TICK_MS);
    assert_int_equal(subscribed(0), FK_WATCH_PERSISTENT);
    add_watch(peer, 2, "/a", PERSISTENT);
    assert_int_equal(item_a().stamp, written);
    expect_change(peer);
}

static void a_removal_of_unknown_outcome_is_tried_again(void **state)
{
    (void)state;
    leave_behind(PERSISTENT);
    cloud.table.fail_writes = FK_ERR_UNKNOWN;
    cloud.table.count = 5;
    set_a();
    assert_int_equal(subscribed(0), FK_WATCH_PERSISTENT);
    cloud_pass_ms(CLOUD_TICK_MS);
    assert_int_equal(subscribed(0), 0);
}

static void few_are_at_work_at_once(void **state)
{
    static const char *const paths[] = {"/b", "/c", "/d", "/e", "/f", "/g"};
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    add_watch(peer, 1, "/", RECURSIVE);
    cloud_leave(peer);
    cloud_hold(0, "unsubscribe");
    for (int i = 0; i < 3; i++) {
        cloud_commit(i == 0 ? FK_OP_CREATE : FK_OP_SET_DATA, "/a", "x");
        cloud_settle();
    }
    assert_int_equal(cloud_held(0, "unsubscribe"), 1); /* one of each path */
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        cloud_commit(FK_OP_CREATE, paths[i], "x");
        cloud_settle();
    }
    assert_int_equal(cloud_held(0, "unsubscribe"), 4);
    cloud_go(0, "unsubscribe");
    assert_int_equal(subtrees(0), 1); /* a subtree goes with its gateway only */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOUD_TEST(a_subscription_that_nobody_needs_goes),
        CLOUD_TEST(a_subscription_is_kept_while_somebody_watches),
        CLOUD_TEST(kinds_that_are_needed_stay),
        CLOUD_TEST(a_missing_node_without_subscriptions_has_no_item),
        CLOUD_TEST(a_registration_at_work_keeps_a_persistent_one),
        CLOUD_TEST(a_later_registration_voids_the_removal),
        CLOUD_TEST(a_registration_behind_the_removal_subscribes_anew),
        CLOUD_TEST(a_removal_of_unknown_outcome_is_settled),
        CLOUD_TEST(a_removal_of_unknown_outcome_is_tried_again),
        CLOUD_TEST(few_are_at_work_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
