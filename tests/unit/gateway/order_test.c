// SPDX-License-Identifier: Apache-2.0
/* Requests and their replies on one connection: order, what waits for what, bounds, takeover. */
#include "world.h"

#include <stdio.h>

static void replies_keep_the_order_of_requests(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    send_watch(peer, 1, FK_OP_EXISTS, "/a", false);
    send_sync(peer, 2, "bad");
    send_create(peer, 3, "/a", "x", 0);
    send_watch(peer, 4, FK_OP_EXISTS, "/a", false);
    send_plain(peer, 77, FK_OP_PING); /* whatever xid it has, -2 goes back */
    send_set(peer, 5, "/a", FK_BYTES_LITERAL("y"));
    send_set(peer, 6, "/missing", FK_BYTES_LITERAL("y"));
    send_watch(peer, 7, FK_OP_GET_DATA, "/a", false);
    world_settle();
    (void)expect_reply(peer, 1, FK_CODE_NO_NODE);
    struct fk_reader sync = expect_reply(peer, 2, 0);
    fk_assert_text(fk_read_bytes(&sync), "bad"); /* neither checked nor looked for */
    assert_int_equal(replied_zxid, 1);
    (void)expect_reply(peer, 3, 0);
    assert_int_equal(replied_zxid, 2);
    (void)expect_reply(peer, 4, 0);
    (void)expect_reply(peer, FK_XID_PING, 0);
    (void)expect_reply(peer, 5, 0);
    assert_int_equal(replied_zxid, 3);
    (void)expect_reply(peer, 6, FK_CODE_NO_NODE);
    assert_int_equal(replied_zxid, 4); /* an error burns a zxid and names it */
    struct fk_reader data = expect_reply(peer, 7, 0);
    fk_assert_text(fk_read_bytes(&data), "y");
    assert_int_equal(replied_zxid, 4);
    assert_true(peer_quiet(peer));
}

static void nothing_overtakes_a_write_of_the_same_session(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *other = peer_session();
    world.hold_writes = true;
    send_create(peer, 1, "/a", "", 0);
    send_watch(peer, 2, FK_OP_EXISTS, "/a", false);
    send_plain(peer, 3, FK_OP_PING);
    send_watch(other, 1, FK_OP_EXISTS, "/a", false);
    world_settle();
    assert_true(peer_quiet(peer));
    (void)expect_reply(other, 1, FK_CODE_NO_NODE); /* others do not wait */
    world.hold_writes = false;
    world_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    (void)expect_reply(peer, FK_XID_PING, 0);
}

static void nothing_overtakes_a_read_of_the_same_session(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    world.hold_jobs = true;
    send_watch(peer, 1, FK_OP_EXISTS, "/a", false);
    send_create(peer, 2, "/a", "", 0);
    send_plain(peer, 3, FK_OP_PING);
    world_settle();
    assert_true(peer_quiet(peer));
    world.hold_jobs = false;
    world_settle();
    (void)expect_reply(peer, 1, FK_CODE_NO_NODE);
    (void)expect_reply(peer, 2, 0);
    (void)expect_reply(peer, FK_XID_PING, 0);
}

static void a_frame_a_byte_at_a_time(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    static const uint8_t ping[] = {0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, FK_OP_PING};
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof ping; i++) {
            assert_true(peer_quiet(peer));
            peer_send(peer, fk_bytes_of(ping + i, 1));
            world_settle();
        }
        (void)expect_reply(peer, FK_XID_PING, 0);
    }
}

static void frames_that_are_too_long_or_too_short(void **state)
{
    (void)state;
    static const struct {
        struct fk_bytes bytes;
        bool closed;
    } rows[] = {
        {{(const uint8_t *)"\x00\x0f\xff\xff", 4}, false}, /* 1048575: the rest may come */
        {{(const uint8_t *)"\x00\x10\x00\x00", 4}, true},
        {{(const uint8_t *)"\xff\xff\xff\xff", 4}, true},
        {{(const uint8_t *)"\x00\x00\x00\x00", 4}, true},
        {{(const uint8_t *)"\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00", 11}, true},
        {{(const uint8_t *)"ruok", 4}, true}, /* words are for the start */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer *peer = peer_session();
        peer_send(peer, rows[i].bytes);
        world_settle();
        assert_true(peer_quiet(peer));
        assert_int_equal(peer_closed(peer), rows[i].closed);
    }
}

static void the_largest_request(void **state)
{
    (void)state;
    static uint8_t data[FK_FRAME_SIZE_MAX];
    struct peer *peer = peer_session();
    send_create(peer, 1, "/a", "", 0);
    /* header 8, path 4 + 2, length 4, version 4 */
    send_set(peer, 2, "/a", fk_bytes_of(data, sizeof data - 22));
    world_settle();
    (void)expect_reply(peer, 1, 0);
    struct fk_reader reader = expect_reply(peer, 2, 0);
    struct fk_stat stat;
    fk_read_stat(&reader, &stat);
    assert_int_equal(stat.data_length, sizeof data - 22);
    send_watch(peer, 3, FK_OP_GET_DATA, "/a", false);
    world_settle();
    reader = expect_reply(peer, 3, 0);
    assert_int_equal(fk_read_bytes(&reader).size, sizeof data - 22);
}

static void bodies_that_do_not_parse_leave_the_connection(void **state)
{
    (void)state;
    static const int32_t ops[] = {FK_OP_CREATE,     FK_OP_DELETE,        FK_OP_EXISTS,       FK_OP_GET_DATA,
                                  FK_OP_SET_DATA,   FK_OP_GET_ACL,       FK_OP_GET_CHILDREN, FK_OP_SET_ACL,
                                  FK_OP_SYNC,       FK_OP_GET_CHILDREN2, FK_OP_MULTI,        FK_OP_CREATE2,
                                  FK_OP_SET_WATCHES};
    struct peer *peer = peer_session();
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        send_plain(peer, (int32_t)i + 1, ops[i]);
        world_settle();
        (void)expect_reply(peer, (int32_t)i + 1, FK_CODE_MARSHALLING_ERROR);
    }
    assert_false(peer_closed(peer));
}

static void unknown_operations_are_answered_and_closed(void **state)
{
    (void)state;
    static const int32_t ops[] = {0,   10,   FK_OP_CHECK, FK_OP_DELETE_CONTAINER, FK_OP_CREATE_SESSION, FK_OP_ERROR,
                                  500, 9999, INT32_MIN};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        struct peer *peer = peer_session();
        send_create(peer, 1, "/x", "", FK_CREATE_SEQUENTIAL);
        send_plain(peer, 2, ops[i]);
        send_plain(peer, 3, FK_OP_PING);
        world_settle();
        (void)expect_reply(peer, 1, 0);
        (void)expect_reply(peer, 2, FK_CODE_UNIMPLEMENTED);
        assert_int_equal(replied_zxid, -1);
        assert_true(peer_quiet(peer));
        assert_true(peer_closed(peer));
    }
}

static void authentication(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    send_auth(peer, "digest", "user:pass");
    send_auth(peer, "digest", "user:pass");
    send_auth(peer, "ip", "");
    world_settle();
    for (int i = 0; i < 3; i++) {
        (void)expect_reply(peer, FK_XID_AUTH, 0);
        assert_int_equal(replied_zxid, 0);
    }
    static const char *const bad[] = {"world", "super", "sasl", "auth", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct peer *stranger = peer_session();
        send_auth(stranger, bad[i], "a:b");
        send_plain(stranger, 1, FK_OP_PING);
        world_settle();
        (void)expect_reply(stranger, FK_XID_AUTH, FK_CODE_AUTH_FAILED);
        assert_true(peer_quiet(stranger));
        assert_true(peer_closed(stranger));
    }
    assert_false(peer_closed(peer));
}

static void what_authentication_opens(void **state)
{
    (void)state;
    struct peer *owner = peer_session();
    struct peer *stranger = peer_session();
    struct fk_buf acl = FK_BUF_EMPTY;
    send_auth(owner, "digest", "user:pass");
    fk_write_i32(&acl, 1);
    fk_write_acl_entry(&acl, &(struct fk_acl_entry){31, fk_bytes_text("auth"), fk_bytes_text("")});
    struct fk_create_request request = {.path = fk_bytes_text("/secret"), .acl = fk_buf_view(&acl)};
    fk_write_create_request(request_begin(1, FK_OP_CREATE), &request);
    request_end(owner);
    fk_buf_deinit(&acl);
    send_watch(owner, 2, FK_OP_GET_DATA, "/secret", false);
    world_settle();
    (void)expect_reply(owner, FK_XID_AUTH, 0);
    (void)expect_reply(owner, 1, 0);
    (void)expect_reply(owner, 2, 0);
    send_watch(stranger, 1, FK_OP_GET_DATA, "/secret", true);
    send_watch(stranger, 2, FK_OP_EXISTS, "/secret", true);
    send_watch(stranger, 3, FK_OP_GET_CHILDREN, "/secret", true);
    send_set(stranger, 4, "/secret", FK_BYTES_LITERAL("x"));
    send_auth(stranger, "digest", "super:test");
    send_set(stranger, 5, "/secret", FK_BYTES_LITERAL("x"));
    world_settle();
    for (int32_t xid = 1; xid <= 4; xid++) {
        (void)expect_reply(stranger, xid, FK_CODE_NO_AUTH);
    }
    (void)expect_reply(stranger, FK_XID_AUTH, 0);
    (void)expect_reply(stranger, 5, 0); /* and no event: nothing was watched */
    assert_true(peer_quiet(stranger));
}

static void closing_a_session(void **state)
{
    (void)state;
    struct fk_store_counts counts;
    struct peer *peer = peer_session();
    struct peer *other = peer_session();
    send_watch(other, 1, FK_OP_EXISTS, "/e", true);
    send_create(peer, 1, "/e", "", FK_CREATE_EPHEMERAL);
    world_settle();
    send_watch(other, 2, FK_OP_EXISTS, "/e", true);
    send_plain(peer, 2, FK_OP_CLOSE_SESSION);
    send_create(peer, 3, "/late", "", 0);
    world_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    assert_true(peer_quiet(peer));
    assert_true(peer_closed(peer));
    (void)expect_reply(other, 1, FK_CODE_NO_NODE);
    expect_event(other, FK_EVENT_CREATED, "/e");
    (void)expect_reply(other, 2, 0);
    expect_event(other, FK_EVENT_DELETED, "/e");
    fk_store_counts(world.store, &counts);
    assert_int_equal(counts.sessions, 1);
    assert_int_equal(counts.nodes, 4);
}

/* The answers of what the first connection asked do not come out of the second. */
static void a_takeover_drops_answers_of_the_connection_before(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct peer *before = peer_connect(&response);
    world.hold_writes = true;
    send_create(before, 1, "/a", "", 0);
    send_create(before, 2, "/b", "", 0);
    world_settle();
    struct peer *peer = peer_open("10.0.0.2");
    peer_hello(peer,
               &(struct hello){.timeout_ms = 8000, .session_id = response.session_id, .password = response.password});
    send_create(peer, 10, "/a", "", 0);
    send_watch(peer, 11, FK_OP_EXISTS, "/b", false);
    world_settle();
    assert_true(peer_closed(before));
    world.hold_writes = false;
    world_settle();
    assert_true(peer_quiet(before));
    (void)peer_welcome(peer);
    (void)expect_reply(peer, 10, FK_CODE_NODE_EXISTS); /* the earlier write was done, and first */
    (void)expect_reply(peer, 11, 0);
    assert_true(peer_quiet(peer));
}

static void a_lost_answer_ends_the_connection(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    world.hold_writes = true;
    send_create(peer, 1, "/a", "", 0);
    world_settle();
    world.queue.pipe = (struct world_pipe){.count = 0};
    send_create(peer, 2, "/b", "", 0);
    world.hold_writes = false;
    world_settle();
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
}

static void a_bounded_number_of_requests_is_outstanding(void **state)
{
    (void)state;
    enum {
        MANY = FK_OUTSTANDING_MAX + 50,
    };
    struct peer *peer = peer_session();
    world.hold_writes = true;
    for (int32_t i = 0; i < MANY; i++) {
        send_create(peer, i, "/s", "", FK_CREATE_SEQUENTIAL);
    }
    world_settle();
    int32_t queued = 0;
    for (size_t i = 0; i < world.queue.pipe.count; i++) {
        struct fk_reader reader = fk_reader_of(world.queue.pipe.messages[world.queue.pipe.first + i]);
        struct fk_request_message message;
        assert_int_equal(fk_request_message_read(&reader, &message), FK_OK);
        queued += message.count;
    }
    assert_int_equal(queued, FK_OUTSTANDING_MAX);
    world.hold_writes = false;
    world_settle();
    for (int32_t i = 0; i < MANY; i++) {
        char path[16];
        struct fk_reader reader = expect_reply(peer, i, 0);
        (void)snprintf(path, sizeof path, "/s%010d", i);
        fk_assert_text(fk_read_bytes(&reader), path);
    }
}

static void a_full_queue_takes_requests_back_and_sends_them_again_in_order(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *other = peer_session();
    send_create(peer, 1, "/s", "", FK_CREATE_SEQUENTIAL);
    world_settle();
    world.queue.full = true;
    send_create(peer, 2, "/s", "", FK_CREATE_SEQUENTIAL);
    send_create(peer, 3, "/s", "", FK_CREATE_SEQUENTIAL);
    send_watch(peer, 4, FK_OP_EXISTS, "/s0000000002", false);
    send_plain(peer, 5, FK_OP_CLOSE_SESSION);
    send_create(other, 1, "/t", "", 0);
    world_settle();
    (void)expect_reply(peer, 1, 0);
    assert_true(peer_quiet(peer));
    assert_int_equal(world.queue.pipe.count, 0);
    world_settle();
    world.queue.full = false;
    world.hold_writes = true;
    world_settle();
    struct fk_request_message message;
    struct fk_reader reader = fk_reader_of(world.queue.pipe.messages[world.queue.pipe.first]);
    assert_int_equal(fk_request_message_read(&reader, &message), FK_OK);
    assert_int_equal(message.first_number, 3); /* 1 made the session, 2 was the first create */
    assert_int_equal(message.count, 2);
    world.hold_writes = false;
    world_settle();
    (void)expect_reply(peer, 2, 0);
    (void)expect_reply(peer, 3, 0);
    (void)expect_reply(peer, 4, 0);
    (void)expect_reply(peer, 5, 0);
    assert_true(peer_closed(peer));
    (void)expect_reply(other, 1, 0);
}

/* What stands before a write that is taken back was answered, and is not answered again. */
static void a_full_queue_takes_back_writes_only(void **state)
{
    (void)state;
    static const uint8_t ping[] = {0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, FK_OP_PING};
    struct peer *peer = peer_session();
    struct fk_buf both = FK_BUF_EMPTY;
    struct fk_create_request request = {.path = fk_bytes_text("/a"), .acl = FK_ACL_OPEN};
    fk_buf_append(&both, fk_bytes_of(ping, sizeof ping));
    size_t length_at = both.size;
    fk_write_i32(&both, 0);
    fk_write_request_header(&both, &(struct fk_request_header){.xid = 1, .op = FK_OP_CREATE});
    fk_write_create_request(&both, &request);
    fk_patch_i32(&both, length_at, (int32_t)(both.size - length_at - 4));
    world.queue.full = true;
    peer_send(peer, fk_buf_view(&both)); /* in one read of the socket */
    fk_buf_deinit(&both);
    fk_gateway_sent(world.gateway, peer->conn);
    fk_gateway_sent(world.gateway, peer->conn);
    world.queue.full = false;
    world_settle();
    (void)expect_reply(peer, FK_XID_PING, 0);
    (void)expect_reply(peer, 1, 0);
    assert_true(peer_quiet(peer));
}

static void a_connection_that_goes_while_the_queue_is_full(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    world.queue.full = true;
    send_create(peer, 1, "/a", "", 0);
    world_settle();
    peer_hang_up(peer);
    world.queue.full = false;
    world_settle();
    assert_int_equal(fk_store_zxid(world.store, FK_VIEW_VISIBLE), 1);
}

static void a_connection_that_goes_while_its_read_runs(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    world.hold_jobs = true;
    send_watch(peer, 1, FK_OP_EXISTS, "/a", true);
    world_settle();
    peer_hang_up(peer);
    world.hold_jobs = false;
    world_settle();
    assert_true(peer_quiet(peer));
}

/* A reader that never reads costs the high-water mark and one reply. */
static void requests_wait_for_a_reader_that_does_not_read(void **state)
{
    (void)state;
    enum {
        SIZE = 100 * 1000,
        READS = 40,
    };
    static uint8_t data[SIZE];
    struct peer *peer = peer_session();
    send_create(peer, 1, "/a", "", 0);
    send_set(peer, 2, "/a", fk_bytes_of(data, sizeof data));
    world_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    peer->slow = true;
    for (int32_t i = 0; i < READS; i++) {
        send_watch(peer, 10 + i, FK_OP_GET_DATA, "/a", false);
        world_settle();
    }
    send_create(peer, 100, "/b", "", 0);
    world_settle();
    size_t unsent = fk_buf_left(fk_conn_output(peer->conn));
    assert_true(unsent >= FK_OUTPUT_SIZE_HIGH && unsent < FK_OUTPUT_SIZE_HIGH + 2 * SIZE);
    assert_int_equal(fk_store_zxid(world.store, FK_VIEW_VISIBLE), 3); /* the create waits as well */
    peer->slow = false;
    fk_gateway_sent(world.gateway, peer->conn);
    struct fk_buf *out = fk_conn_output(peer->conn);
    fk_buf_append(&peer->in, fk_buf_view(out));
    fk_buf_consume(out, fk_buf_left(out));
    fk_gateway_sent(world.gateway, peer->conn);
    world_settle();
    for (int32_t i = 0; i < READS; i++) {
        (void)expect_reply(peer, 10 + i, 0);
    }
    (void)expect_reply(peer, 100, 0);
}

static void input_is_bounded_too(void **state)
{
    (void)state;
    static uint8_t data[200 * 1000];
    struct peer *peer = peer_session();
    send_create(peer, 1, "/a", "", 0);
    world_settle();
    (void)expect_reply(peer, 1, 0);
    world.queue.full = true;
    int sent = 0;
    while (fk_conn_wants_input(peer->conn)) {
        send_set(peer, 2, "/a", fk_bytes_of(data, sizeof data));
        world_settle();
        sent++;
        assert_true(sent < 100);
    }
    assert_true(sent >= FK_INPUT_SIZE_MAX / 210000);
    world.queue.full = false;
    world_settle();
    assert_true(fk_conn_wants_input(peer->conn));
    for (int i = 0; i < sent; i++) {
        (void)expect_reply(peer, 2, 0);
    }
}

/* Only events get past the mark; a client that takes none of them is cut off. */
static void too_many_events_close_a_connection(void **state)
{
    (void)state;
    enum {
        PATH_SIZE = 900 * 1000,
        WATCHES = 20,
    };
    static char path[PATH_SIZE + 1];
    struct peer *peer = peer_session();
    struct peer *writer = peer_session();
    memset(path, 'x', PATH_SIZE);
    path[0] = '/';
    for (int i = 0; i < WATCHES; i++) {
        path[1] = (char)('a' + i);
        send_watch(peer, i, FK_OP_EXISTS, path, true);
        world_settle();
        (void)expect_reply(peer, i, FK_CODE_NO_NODE);
    }
    peer->slow = true;
    int events = 0;
    while (!fk_conn_closing(peer->conn)) {
        assert_int_equal(fk_buf_left(fk_conn_output(peer->conn)), (size_t)events * (4 + 16 + 12 + PATH_SIZE));
        assert_true(events < WATCHES);
        path[1] = (char)('a' + events);
        send_create(writer, 2, path, "", 0);
        world_settle();
        (void)expect_reply(writer, 2, 0);
        events++;
    }
    assert_int_equal(events, FK_OUTPUT_SIZE_MAX / PATH_SIZE + 1);
    assert_int_equal(fk_buf_left(fk_conn_output(peer->conn)), 0);
}

static void new_sessions_and_old_numbers(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct peer *peer = peer_connect(&response);
    send_create(peer, 1, "/a", "", 0);
    world_settle();
    struct fk_session session;
    assert_int_equal(fk_store_get_session(world.store, FK_VIEW_VISIBLE, response.session_id, &session), FK_OK);
    world_restart(); /* another process on the same store: the session is still good */
    assert_int_equal(fk_gateway_load_session(world.gateway, &session), FK_OK);
    peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){.timeout_ms = 8000,
                                     .last_zxid = 2,
                                     .session_id = response.session_id,
                                     .password = response.password});
    send_create(peer, 2, "/b", "", 0);
    world_settle();
    assert_int_equal(peer_welcome(peer).session_id, response.session_id);
    (void)expect_reply(peer, 2, 0);
    assert_int_equal(replied_zxid, 3);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(replies_keep_the_order_of_requests),
    WORLD_TEST(nothing_overtakes_a_write_of_the_same_session),
    WORLD_TEST(nothing_overtakes_a_read_of_the_same_session),
    WORLD_TEST(a_frame_a_byte_at_a_time),
    WORLD_TEST(frames_that_are_too_long_or_too_short),
    WORLD_TEST(the_largest_request),
    WORLD_TEST(bodies_that_do_not_parse_leave_the_connection),
    WORLD_TEST(unknown_operations_are_answered_and_closed),
    WORLD_TEST(authentication),
    WORLD_TEST(what_authentication_opens),
    WORLD_TEST(closing_a_session),
    WORLD_TEST(a_takeover_drops_answers_of_the_connection_before),
    WORLD_TEST(a_lost_answer_ends_the_connection),
    WORLD_TEST(a_bounded_number_of_requests_is_outstanding),
    WORLD_TEST(a_full_queue_takes_requests_back_and_sends_them_again_in_order),
    WORLD_TEST(a_full_queue_takes_back_writes_only),
    WORLD_TEST(a_connection_that_goes_while_the_queue_is_full),
    WORLD_TEST(a_connection_that_goes_while_its_read_runs),
    WORLD_TEST(requests_wait_for_a_reader_that_does_not_read),
    WORLD_TEST(input_is_bounded_too),
    WORLD_TEST(too_many_events_close_a_connection),
    WORLD_TEST(new_sessions_and_old_numbers),
};

FK_TEST_MAIN(tests)
