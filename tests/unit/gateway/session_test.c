// SPDX-License-Identifier: Apache-2.0
/* Expiry, one-shot watches and setWatches, as clients see them. */
#include "world.h"

static int64_t sessions(void)
{
    struct fk_store_counts counts;
    fk_store_counts(world.store, &counts);
    return counts.sessions;
}

static void a_silent_session_expires_within_a_tick(void **state)
{
    (void)state;
    struct peer *peer = peer_session(); /* timeout 8000 */
    world_pass_ms(7900);
    assert_int_equal(sessions(), 1);
    assert_false(peer_closed(peer));
    world_pass_ms(WORLD_TICK_MS + 600);
    assert_int_equal(sessions(), 0);
    assert_true(peer_closed(peer)); /* without a byte */
    assert_true(peer_quiet(peer));
}

static void any_packet_keeps_a_session(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    for (int i = 0; i < 10; i++) {
        world_pass_ms(7000);
        if (i % 2 == 0) {
            send_plain(peer, 1, FK_OP_PING);
        } else {
            peer_send(peer, FK_BYTES_LITERAL("\0\0\0\x08\0\0\0\x01\0\0\0")); /* a part of a frame */
            peer_send(peer, FK_BYTES_LITERAL("\x0b"));
        }
        world_settle();
        (void)expect_reply(peer, FK_XID_PING, 0);
    }
    assert_int_equal(sessions(), 1);
}

static void a_session_lives_without_a_connection_until_its_time(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct peer *peer = peer_connect(&response);
    peer_hang_up(peer);
    world_pass_ms(7000);
    peer = peer_open("10.0.0.1");
    peer_hello(peer,
               &(struct hello){.timeout_ms = 8000, .session_id = response.session_id, .password = response.password});
    world_settle();
    assert_int_equal(peer_welcome(peer).session_id, response.session_id);
    peer_hang_up(peer);
    world_pass_ms(7000); /* the time runs from the attach */
    assert_int_equal(sessions(), 1);
    world_pass_ms(8000);
    assert_int_equal(sessions(), 0);
    peer = peer_open("10.0.0.1");
    peer_hello(peer,
               &(struct hello){.timeout_ms = 8000, .session_id = response.session_id, .password = response.password});
    world_settle();
    assert_int_equal(peer_welcome(peer).session_id, 0);
}

static void ephemerals_go_with_their_session(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *other = peer_open("10.0.0.2");
    peer_hello(other, &(struct hello){.timeout_ms = 40000});
    world_settle();
    (void)peer_welcome(other);
    send_create(peer, 1, "/e1", "", FK_CREATE_EPHEMERAL);
    send_create(peer, 2, "/e2", "", FK_CREATE_EPHEMERAL);
    world_settle();
    send_watch(other, 1, FK_OP_GET_CHILDREN, "/", true);
    send_watch(other, 2, FK_OP_GET_DATA, "/e2", true);
    world_settle();
    (void)expect_reply(other, 1, 0);
    (void)expect_reply(other, 2, 0);
    int64_t before = fk_store_zxid(world.store, FK_VIEW_VISIBLE);
    world_pass_ms(8000 + WORLD_TICK_MS + 500);
    expect_event(other, FK_EVENT_CHILDREN_CHANGED, "/"); /* once, though two children went */
    assert_int_equal(replied_zxid, before + 1);
    expect_event(other, FK_EVENT_DELETED, "/e2");
    assert_int_equal(replied_zxid, before + 1); /* all under one zxid */
    assert_true(peer_quiet(other));
}

/* A process that was stopped finds its clients' pings in the sockets: nobody expires before there was a tick to read.
 */
static void after_a_stall_nobody_expires_at_once(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *gone = peer_session();
    world_tick();
    world_jump_ms(60000);
    world_tick();
    assert_int_equal(sessions(), 2);
    send_plain(peer, 1, FK_OP_PING);
    world_settle();
    world_pass_ms(WORLD_TICK_MS - 500);
    assert_int_equal(sessions(), 2);
    world_pass_ms(1000);
    assert_int_equal(sessions(), 1);
    assert_false(peer_closed(peer));
    assert_true(peer_closed(gone));
}

static void a_full_queue_puts_expiry_off(void **state)
{
    (void)state;
    (void)peer_session();
    world.queue.full = true;
    world_pass_ms(20000);
    assert_int_equal(sessions(), 1);
    world.queue.full = false;
    world_pass_ms(1000);
    assert_int_equal(sessions(), 0);
}

static void requests_of_an_expiring_session(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct peer *peer = peer_connect(&response);
    world.hold_writes = true;
    world_pass_ms(8000 + WORLD_TICK_MS + 500); /* its end is on its way */
    send_create(peer, 1, "/late", "", 0);
    struct peer *second = peer_open("10.0.0.2");
    peer_hello(second,
               &(struct hello){.timeout_ms = 8000, .session_id = response.session_id, .password = response.password});
    world_settle();
    assert_int_equal(peer_welcome(second).session_id, 0); /* irrevocable */
    world.hold_writes = false;
    world_settle();
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
    send_watch(peer_session(), 1, FK_OP_EXISTS, "/late", false);
    world_settle();
    assert_int_equal(sessions(), 1);
    struct fk_store_counts counts;
    fk_store_counts(world.store, &counts);
    assert_int_equal(counts.nodes, 4); /* not created */
}

static void sessions_of_before_a_restart_have_their_full_time(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct fk_session session;
    (void)peer_connect(&response);
    world_pass_ms(7000);
    assert_int_equal(fk_store_get_session(world.store, FK_VIEW_VISIBLE, response.session_id, &session), FK_OK);
    world_restart();
    assert_int_equal(fk_gateway_load_session(world.gateway, &session), FK_OK);
    world_pass_ms(7500);
    assert_int_equal(sessions(), 1);
    world_pass_ms(3000);
    assert_int_equal(sessions(), 0);
}

/* --- watches --- */

static void an_event_stands_before_the_reply_that_shows_its_change(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    send_create(peer, 1, "/a", "", 0);
    send_watch(peer, 2, FK_OP_GET_DATA, "/a", true);
    send_set(peer, 3, "/a", FK_BYTES_LITERAL("x"));
    send_set(peer, 4, "/a", FK_BYTES_LITERAL("y"));
    world_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    assert_int_equal(replied_zxid, 3);
    (void)expect_reply(peer, 3, 0);
    (void)expect_reply(peer, 4, 0); /* once only */
    assert_true(peer_quiet(peer));
}

static void one_event_per_connection_and_change(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *writer = peer_session();
    send_create(writer, 1, "/a", "", 0);
    world_settle();
    send_watch(peer, 1, FK_OP_EXISTS, "/a", true);
    send_watch(peer, 2, FK_OP_GET_DATA, "/a", true);
    send_watch(peer, 3, FK_OP_GET_CHILDREN, "/a", true);
    send_watch(peer, 4, FK_OP_GET_CHILDREN2, "/", true);
    world_settle();
    for (int32_t xid = 1; xid <= 4; xid++) {
        (void)expect_reply(peer, xid, 0);
    }
    send_delete(writer, 2, "/a");
    world_settle();
    expect_event(peer, FK_EVENT_DELETED, "/a");
    expect_event(peer, FK_EVENT_CHILDREN_CHANGED, "/");
    assert_true(peer_quiet(peer));
    send_create(writer, 3, "/a", "", 0);
    world_settle();
    assert_true(peer_quiet(peer)); /* all are used up */
}

static void where_watches_are_set(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *writer = peer_session();
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", true); /* a missing node: nothing is set */
    send_watch(peer, 2, FK_OP_GET_CHILDREN, "/a", true);
    world_settle();
    (void)expect_reply(peer, 1, FK_CODE_NO_NODE);
    (void)expect_reply(peer, 2, FK_CODE_NO_NODE);
    send_create(writer, 1, "/a", "", 0);
    world_settle();
    assert_true(peer_quiet(peer));
    send_watch(peer, 3, FK_OP_GET_CHILDREN, "", true); /* "" is an alias of "/" */
    send_watch(peer, 4, FK_OP_GET_CHILDREN, "/a", true);
    send_watch(peer, 5, FK_OP_GET_DATA, "/a", false);
    world_settle();
    for (int32_t xid = 3; xid <= 5; xid++) {
        (void)expect_reply(peer, xid, 0);
    }
    send_set(writer, 2, "/a", FK_BYTES_LITERAL("x")); /* no event for a child watch */
    world_settle();
    assert_true(peer_quiet(peer));
    send_create(writer, 3, "/b", "", 0);
    send_create(writer, 4, "/a/b", "", 0);
    world_settle();
    expect_event(peer, FK_EVENT_CHILDREN_CHANGED, "/");
    expect_event(peer, FK_EVENT_CHILDREN_CHANGED, "/a");
    assert_true(peer_quiet(peer));
}

static void watches_go_with_their_connection(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct peer *peer = peer_connect(&response);
    struct peer *writer = peer_session();
    send_watch(peer, 1, FK_OP_EXISTS, "/a", true);
    world_settle();
    peer_hang_up(peer);
    peer = peer_open("10.0.0.1");
    peer_hello(peer,
               &(struct hello){.timeout_ms = 8000, .session_id = response.session_id, .password = response.password});
    send_create(writer, 1, "/a", "", 0);
    world_settle();
    (void)peer_welcome(peer);
    assert_true(peer_quiet(peer));
}

static void write_strings(struct fk_buf *buf, const char *const *texts, int32_t count)
{
    fk_write_i32(buf, count);
    for (int32_t i = 0; i < count; i++) {
        fk_write_bytes(buf, fk_bytes_text(texts[i]));
    }
}

/* setWatches: what was missed first, in the order of the lists, then the reply; the rest is watched from now on. */
static void set_watches(void **state)
{
    (void)state;
    struct peer *peer = peer_session();        /* zxid 1 */
    struct peer *writer = peer_session();      /* 2 */
    send_create(writer, 1, "/old", "", 0);     /* 3 */
    send_create(writer, 2, "/changed", "", 0); /* 4 */
    send_create(writer, 3, "/parent", "", 0);  /* 5 */
    world_settle();
    send_set(writer, 4, "/changed", FK_BYTES_LITERAL("x")); /* 6 */
    send_create(writer, 5, "/parent/child", "", 0);         /* 7 */
    world_settle();
    struct fk_buf *buf = request_begin(FK_XID_SET_WATCHES, FK_OP_SET_WATCHES);
    fk_write_i64(buf, 5);
    write_strings(buf, (const char *const[]){"/gone", "/changed", "/old"}, 3);
    write_strings(buf, (const char *const[]){"/old", "/missing"}, 2);
    write_strings(buf, (const char *const[]){"/gone", "/parent", "/old"}, 3);
    request_end(peer);
    world_settle();
    static const struct {
        int32_t type;
        const char *path;
    } events[] = {{FK_EVENT_DELETED, "/gone"},
                  {FK_EVENT_DATA_CHANGED, "/changed"},
                  {FK_EVENT_CREATED, "/old"},
                  {FK_EVENT_DELETED, "/gone"},
                  {FK_EVENT_CHILDREN_CHANGED, "/parent"}};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        expect_event(peer, events[i].type, events[i].path);
        assert_int_equal(replied_zxid, -1); /* ZK: such events have no zxid of a change */
    }
    struct fk_reader reader = expect_reply(peer, FK_XID_SET_WATCHES, 0);
    assert_int_equal(reader.left, 0);
    assert_true(peer_quiet(peer));
    send_create(writer, 6, "/missing", "", 0);
    send_set(writer, 7, "/old", FK_BYTES_LITERAL("x"));
    send_create(writer, 8, "/old/child", "", 0);
    send_set(writer, 9, "/changed", FK_BYTES_LITERAL("y")); /* its event was sent: not watched */
    world_settle();
    expect_event(peer, FK_EVENT_CREATED, "/missing");
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/old");
    expect_event(peer, FK_EVENT_CHILDREN_CHANGED, "/old");
    assert_true(peer_quiet(peer));
}

/* A NullPointerException in Java. */
static void null_lists_of_set_watches(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct fk_buf *buf = request_begin(FK_XID_SET_WATCHES, FK_OP_SET_WATCHES);
    fk_write_i64(buf, 0);
    for (int i = 0; i < 3; i++) {
        fk_write_i32(buf, -1);
    }
    request_end(peer);
    world_settle();
    (void)expect_reply(peer, FK_XID_SET_WATCHES, FK_CODE_MARSHALLING_ERROR);
    assert_false(peer_closed(peer));
}

/* ZK: who can't read a node does not hear of it (CVE-2024-23944). */
static void events_are_for_those_who_may_read(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *writer = peer_session();
    send_watch(peer, 1, FK_OP_EXISTS, "/a", true);
    send_auth(writer, "digest", "u:p");
    world_settle();
    (void)expect_reply(peer, 1, FK_CODE_NO_NODE);
    struct fk_buf acl = FK_BUF_EMPTY;
    fk_write_i32(&acl, 1);
    fk_write_acl_entry(&acl, &(struct fk_acl_entry){31, fk_bytes_text("auth"), fk_bytes_text("")});
    struct fk_create_request request = {.path = fk_bytes_text("/a"), .acl = fk_buf_view(&acl)};
    fk_write_create_request(request_begin(1, FK_OP_CREATE), &request);
    request_end(writer);
    fk_buf_deinit(&acl);
    world_settle();
    assert_true(peer_quiet(peer));
    send_delete(writer, 2, "/a");
    send_create(writer, 3, "/a", "", 0);
    world_settle();
    assert_true(peer_quiet(peer)); /* the watch was used up */
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(a_silent_session_expires_within_a_tick),
    WORLD_TEST(any_packet_keeps_a_session),
    WORLD_TEST(a_session_lives_without_a_connection_until_its_time),
    WORLD_TEST(ephemerals_go_with_their_session),
    WORLD_TEST(after_a_stall_nobody_expires_at_once),
    WORLD_TEST(a_full_queue_puts_expiry_off),
    WORLD_TEST(requests_of_an_expiring_session),
    WORLD_TEST(sessions_of_before_a_restart_have_their_full_time),
    WORLD_TEST(an_event_stands_before_the_reply_that_shows_its_change),
    WORLD_TEST(one_event_per_connection_and_change),
    WORLD_TEST(where_watches_are_set),
    WORLD_TEST(watches_go_with_their_connection),
    WORLD_TEST(set_watches),
    WORLD_TEST(null_lists_of_set_watches),
    WORLD_TEST(events_are_for_those_who_may_read),
};

FK_TEST_MAIN(tests)
