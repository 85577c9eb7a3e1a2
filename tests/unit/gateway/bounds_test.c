// SPDX-License-Identifier: Apache-2.0
/* What all clients together may take of a gateway: who is refused at each bound, and that everybody else is served. */
#include "world.h"

#include "model/plan.h"

static void restart_with(struct fk_bounds bounds)
{
    world.options.bounds = bounds;
    world_restart();
}

/* Sends the length of a frame and half of its bytes. */
static void send_half(struct peer *peer, int32_t size)
{
    struct fk_buf frame = FK_BUF_EMPTY;
    fk_write_i32(&frame, size);
    for (int32_t i = 0; i < size / 2; i++) {
        fk_buf_append(&frame, FK_BYTES_LITERAL("x"));
    }
    peer_send(peer, fk_buf_view(&frame));
    fk_buf_deinit(&frame);
    world_settle();
}

static void expect_served(struct peer *peer)
{
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    world_settle();
    (void)expect_reply(peer, FK_XID_PING, 0);
}

static void connections_in_all(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.connections_max = 2});
    struct peer *first = peer_open("10.0.0.1");
    struct peer *second = peer_open("10.0.0.2");
    assert_false(first->refused || second->refused);
    assert_true(peer_open("10.0.0.3")->refused);
    peer_hang_up(first);
    world_tick();
    assert_false(peer_open("10.0.0.3")->refused);
}

static bool is_welcome(void)
{
    struct peer *peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    world_settle();
    bool closed = peer_closed(peer);
    assert_true(!closed || peer_quiet(peer)); /* without a byte: its client tries again */
    peer_hang_up(peer);
    fk_buf_deinit(&peer->in);
    peer->in = FK_BUF_EMPTY;
    return !closed;
}

static void handshakes_in_a_time(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.connect_tokens = 3, .connect_fill_ms = 100, .connect_fill_count = 2});
    for (int i = 0; i < 3; i++) {
        assert_true(is_welcome());
    }
    assert_false(is_welcome());
    world_jump_ms(99);
    assert_false(is_welcome());
    world_jump_ms(1);
    assert_true(is_welcome());
    assert_true(is_welcome());
    assert_false(is_welcome());
    world_jump_ms(1000000); /* no more than the bucket holds */
    for (int i = 0; i < 3; i++) {
        assert_true(is_welcome());
    }
    assert_false(is_welcome());
}

static void sessions_in_all(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.sessions_max = 2});
    struct fk_connect_response response;
    struct peer *first = peer_connect(&response);
    uint8_t password[FK_PASSWORD_SIZE];
    memcpy(password, response.password.data, sizeof password);
    assert_true(is_welcome()); /* its session outlives it */
    assert_false(is_welcome());
    expect_served(first);
    peer_hang_up(first);
    struct peer *again = peer_open("10.0.0.1"); /* one that is there already takes no room */
    peer_hello(again, &(struct hello){.timeout_ms = 8000,
                                      .session_id = response.session_id,
                                      .password = fk_bytes_of(password, sizeof password)});
    world_settle();
    assert_int_equal(peer_welcome(again).session_id, response.session_id);
    for (int i = 0; i < 5; i++) {
        world_pass_ms(3000);
        expect_served(again);
    }
    assert_true(is_welcome()); /* the other one has expired */
}

static void requests_of_all(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.outstanding_max = 3});
    struct peer *one = peer_session();
    struct peer *other = peer_session();
    world.hold_writes = true;
    for (int32_t i = 1; i <= 8; i++) {
        char path[] = "/a0";
        path[2] = (char)('0' + i);
        send_create(one, i, path, "", 0);
    }
    send_create(other, 1, "/b", "", 0);
    send_create(other, 2, "/c", "", 0);
    /* One more than the limit of the first, and the first of everybody else. */
    assert_int_equal(world.queue.pipe.count, 5);
    world.hold_writes = false;
    world_settle();
    for (int32_t i = 1; i <= 8; i++) {
        (void)expect_reply(one, i, 0);
    }
    (void)expect_reply(other, 1, 0);
    (void)expect_reply(other, 2, 0);
}

static void large_requests_of_all(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.large_request_size = 1000, .large_requests_size = 25000});
    struct peer *first = peer_session();
    struct peer *second = peer_session();
    struct peer *third = peer_session();
    struct peer *small = peer_session();
    send_half(first, 10000);
    send_half(second, 10000);
    send_half(third, 10000); /* beyond: ZK closes the one that comes last */
    send_half(small, 1000);
    assert_true(peer_closed(third));
    assert_false(peer_closed(first) || peer_closed(second) || peer_closed(small));
    peer_hang_up(first);
    struct peer *next = peer_session();
    send_half(next, 10000);
    assert_false(peer_closed(next));
    static uint8_t data[20000];
    struct peer *taken = peer_session();
    peer_hang_up(next);
    peer_hang_up(second);
    for (int32_t i = 1; i <= 5; i++) { /* one after the other they are no burden */
        send_set(taken, i, "/", fk_bytes_of(data, sizeof data));
        world_settle();
        (void)expect_reply(taken, i, 0);
    }
}

static void memory_of_all(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.held_size_max = 400000});
    struct peer *small = peer_session();
    struct peer *peers[4];
    for (size_t i = 0; i < 4; i++) {
        peers[i] = peer_session();
    }
    send_half(small, 100000);
    for (size_t i = 0; i < 3; i++) {
        send_half(peers[i], 200000);
        assert_false(peer_closed(peers[i]));
    }
    send_half(peers[3], 200000); /* 50 000 + 4 * 100 000 */
    assert_true(peer_closed(peers[3]));
    for (size_t i = 0; i < 3; i++) {
        assert_false(peer_closed(peers[i]));
    }
    assert_false(peer_closed(small));
    struct peer *fresh = peer_session(); /* who holds little is served */
    expect_served(fresh);
    peer_hang_up(peers[0]);
    peers[3] = peer_session();
    send_half(peers[3], 200000);
    assert_false(peer_closed(peers[3]));
}

static void a_client_without_a_session_is_read_in_small_pieces(void **state)
{
    (void)state;
    static uint8_t bytes[FK_FRESH_INPUT_SIZE_MAX];
    struct peer *peer = peer_open("10.0.0.1");
    assert_true(fk_conn_is_fresh(peer->conn));
    world.hold_writes = true;
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    assert_true(fk_conn_is_fresh(peer->conn) && fk_conn_wants_input(peer->conn));
    fk_store_u32(bytes, sizeof bytes); /* a frame that is longer than what came of it */
    peer_send(peer, fk_bytes_of(bytes, sizeof bytes));
    assert_false(fk_conn_wants_input(peer->conn)); /* no more until the session is there */
    world.hold_writes = false;
    world_settle();
    assert_true(peer_welcome(peer).session_id != 0);
    assert_true(fk_conn_wants_input(peer->conn) && !fk_conn_is_fresh(peer->conn));
}

static void send_multi_of_creates(struct peer *peer, int32_t xid, const char *path, int32_t flags)
{
    struct fk_buf *buf = request_begin(xid, FK_OP_MULTI);
    struct fk_version_request check = {.path = FK_BYTES_LITERAL("/"), .version = -1};
    struct fk_create_request create = {.path = fk_bytes_text(path), .acl = FK_ACL_OPEN, .flags = flags};
    fk_write_multi_header(buf, &(struct fk_multi_header){FK_OP_CHECK, false, -1});
    fk_write_version_request(buf, &check);
    fk_write_multi_header(buf, &(struct fk_multi_header){FK_OP_CREATE, false, -1});
    fk_write_create_request(buf, &create);
    fk_write_multi_header(buf, &(struct fk_multi_header){-1, true, -1});
    request_end(peer);
}

/* After a restart too, whose session is the same. */
static void expect_full(struct peer *peer)
{
    send_create(peer, 10, "/more", "", 1);
    send_create(peer, 11, "/more", "", 3);
    send_multi_of_creates(peer, 12, "/more", 1);
    send_create(peer, 13, "/persistent", "", 0);
    send_delete(peer, 14, "/persistent");
    send_multi_of_creates(peer, 15, "/persistent", 0);
    send_delete(peer, 16, "/persistent");
    world_settle();
    for (int32_t xid = 10; xid <= 16; xid++) {
        (void)expect_reply(peer, xid, xid <= 12 ? FK_CODE_QUOTA_EXCEEDED : FK_CODE_OK);
    }
}

static void ephemeral_nodes_of_a_session(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.ephemerals_max = 3});
    struct fk_connect_response response;
    struct peer *peer = peer_connect(&response);
    uint8_t password[FK_PASSWORD_SIZE];
    memcpy(password, response.password.data, sizeof password);
    send_create(peer, 1, "/a", "", 1);
    send_create(peer, 2, "/b", "", 1);
    send_create(peer, 3, "/c", "", 1);
    world_settle();
    for (int32_t xid = 1; xid <= 3; xid++) {
        (void)expect_reply(peer, xid, 0);
    }
    expect_full(peer);
    struct peer *other = peer_session(); /* it is each session's own */
    send_create(other, 1, "/d", "", 1);
    world_settle();
    (void)expect_reply(other, 1, 0);
    struct fk_session record;
    world_restart();
    assert_int_equal(fk_store_get_session(world.store, FK_VIEW_VISIBLE, response.session_id, &record), FK_OK);
    assert_int_equal(fk_gateway_load_session(world.gateway, &record), FK_OK);
    peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){.timeout_ms = 8000,
                                     .session_id = response.session_id,
                                     .password = fk_bytes_of(password, sizeof password)});
    world_settle();
    assert_int_equal(peer_welcome(peer).session_id, response.session_id);
    expect_full(peer);
    send_delete(peer, 20, "/b");
    send_create(peer, 21, "/b", "", 1); /* in one go: the limit looks at what is visible, after the delete */
    world_settle();
    (void)expect_reply(peer, 20, 0);
    (void)expect_reply(peer, 21, 0);
    expect_full(peer);
}

/* The connection that the socket layer is given next, its bytes taken; NULL: none. */
static struct peer *next_output(void)
{
    struct fk_conn *conn = fk_gateway_take_output(world.gateway);
    if (conn == NULL) {
        return NULL;
    }
    struct peer *peer = (struct peer *)fk_conn_socket(conn);
    struct fk_buf *out = fk_conn_output(conn);
    fk_buf_append(&peer->in, fk_buf_view(out));
    fk_buf_consume(out, fk_buf_left(out));
    fk_gateway_sent(world.gateway, conn);
    return peer;
}

static void events_for_many_leave_room_for_others(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.events_at_once = 2});
    struct peer *reader = peer_session();
    struct peer *watchers[5];
    for (size_t i = 0; i < 5; i++) {
        watchers[i] = peer_session();
        send_watch(watchers[i], 1, FK_OP_GET_DATA, "/zookeeper", true);
        world_settle();
        (void)expect_reply(watchers[i], 1, 0);
    }
    struct fk_put put = {.kind = FK_PUT_DATA, .node = {.path = fk_bytes_text("/zookeeper"), .acl = FK_ACL_OPEN}};
    struct fk_change change = {.zxid = INT64_MAX, .puts = &put, .count = 1};
    fk_gateway_change(world.gateway, &change);
    send_plain(reader, FK_XID_PING, FK_OP_PING);
    send_plain(watchers[4], FK_XID_PING, FK_OP_PING); /* its event goes with its reply, and before it */
    assert_ptr_equal(next_output(), reader);
    assert_ptr_equal(next_output(), watchers[4]);
    expect_event(watchers[4], FK_EVENT_DATA_CHANGED, "/zookeeper");
    (void)expect_reply(watchers[4], FK_XID_PING, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_true(fk_gateway_has_more(world.gateway));
        assert_ptr_equal(next_output(), watchers[i]);
        expect_event(watchers[i], FK_EVENT_DATA_CHANGED, "/zookeeper");
        assert_true(i % 2 == 0 || next_output() == NULL); /* two at once */
    }
    assert_false(fk_gateway_has_more(world.gateway));
    (void)expect_reply(reader, FK_XID_PING, 0);
}

static void ends_of_many_sessions_leave_room_for_others(void **state)
{
    (void)state;
    restart_with((struct fk_bounds){.expiries_at_once = 2});
    struct fk_store_counts counts;
    for (size_t i = 0; i < 5; i++) {
        (void)peer_session();
    }
    for (int i = 0; i < 100 && world.queue.pipe.count == 0; i++) {
        world_jump_ms(fk_gateway_tick_ms(world.gateway));
        fk_gateway_tick(world.gateway);
    }
    for (size_t ended = 2; ended <= 4; ended += 2) {
        assert_int_equal(world.queue.pipe.count, ended);
        assert_true(fk_gateway_has_more(world.gateway));
        fk_gateway_resume(world.gateway);
    }
    assert_int_equal(world.queue.pipe.count, 5);
    assert_false(fk_gateway_has_more(world.gateway));
    world_settle();
    fk_store_counts(world.store, &counts);
    assert_int_equal(counts.sessions, 0);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(connections_in_all),
    WORLD_TEST(handshakes_in_a_time),
    WORLD_TEST(sessions_in_all),
    WORLD_TEST(requests_of_all),
    WORLD_TEST(large_requests_of_all),
    WORLD_TEST(memory_of_all),
    WORLD_TEST(a_client_without_a_session_is_read_in_small_pieces),
    WORLD_TEST(ephemeral_nodes_of_a_session),
    WORLD_TEST(events_for_many_leave_room_for_others),
    WORLD_TEST(ends_of_many_sessions_leave_room_for_others),
};

FK_TEST_MAIN(tests)
