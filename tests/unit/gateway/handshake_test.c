// SPDX-License-Identifier: Apache-2.0
/* The handshake in all its variants (ZooKeeperServer.processConnectRequest), and what comes instead of one. */
#include "world.h"

static void a_new_session(void **state)
{
    (void)state;
    struct peer *peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){.timeout_ms = 10000});
    world_settle();
    assert_int_equal(peer->in.size, 4 + 37);
    struct fk_connect_response response = peer_welcome(peer);
    assert_int_equal(response.protocol_version, 0);
    assert_int_equal(response.timeout_ms, 10000);
    assert_true(response.session_id != 0);
    assert_true((uint64_t)response.session_id >> 56 < 0x80); /* no mark of TTL and container nodes */
    assert_true(response.has_read_only);
    assert_false(response.read_only);
    assert_false(peer_closed(peer));
    struct fk_session session;
    assert_int_equal(fk_store_get_session(world.store, FK_VIEW_VISIBLE, response.session_id, &session), FK_OK);
    assert_int_equal(session.timeout_ms, 10000);
    assert_memory_equal(session.password, response.password.data, FK_PASSWORD_SIZE);
}

static void an_old_client_gets_no_read_only_byte(void **state)
{
    (void)state;
    struct peer *peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){.timeout_ms = 10000, .old = true});
    world_settle();
    assert_int_equal(peer->in.size, 4 + 36);
    assert_false(peer_welcome(peer).has_read_only);
}

static void another_protocol_version_is_answered_with_zero(void **state)
{
    (void)state;
    struct peer *peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){.version = 7, .timeout_ms = 10000, .password = FK_BYTES_LITERAL("")});
    world_settle();
    assert_int_equal(peer_welcome(peer).protocol_version, 0);
}

static void timeouts_are_clamped(void **state)
{
    (void)state;
    static const int32_t rows[][2] = {{1, 4000},    {-5, 4000},     {4000, 4000},
                                      {4001, 4001}, {40000, 40000}, {1000000, 40000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer *peer = peer_open("10.0.0.1");
        peer_hello(peer, &(struct hello){.timeout_ms = rows[i][0]});
        world_settle();
        assert_int_equal(peer_welcome(peer).timeout_ms, rows[i][1]);
        peer_hang_up(peer);
    }
}

static void requests_right_behind_the_handshake(void **state)
{
    (void)state;
    struct peer *peer = peer_open("10.0.0.1");
    world.hold_writes = true;
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    send_auth(peer, "digest", "u:p");
    send_create(peer, 1, "/a", "", 0);
    send_watch(peer, 2, FK_OP_EXISTS, "/a", false);
    world_settle();
    assert_true(peer_quiet(peer)); /* nothing before the session is durable */
    world.hold_writes = false;
    world_settle();
    assert_true(peer_welcome(peer).session_id != 0);
    (void)expect_reply(peer, FK_XID_AUTH, 0);
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
}

static void reattaching(void **state)
{
    (void)state;
    struct fk_connect_response first;
    struct peer *before = peer_connect(&first);
    struct peer *peer = peer_open("10.0.0.2");
    peer_hello(peer, &(struct hello){.timeout_ms = 6000, .session_id = first.session_id, .password = first.password});
    world_settle();
    struct fk_connect_response second = peer_welcome(peer);
    assert_int_equal(second.session_id, first.session_id);
    assert_int_equal(second.timeout_ms, 6000); /* negotiated anew */
    fk_assert_bytes(second.password, first.password);
    assert_true(peer_closed(before)); /* without a byte */
    assert_true(peer_quiet(before));
    send_plain(peer, 5, FK_OP_PING);
    world_settle();
    (void)expect_reply(peer, FK_XID_PING, 0);
}

static void expect_expired(struct peer *peer)
{
    struct fk_connect_response response = peer_welcome(peer);
    assert_int_equal(response.session_id, 0);
    assert_int_equal(response.timeout_ms, 0);
    fk_assert_bytes(response.password, FK_BYTES_LITERAL("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
}

static void an_unknown_session(void **state)
{
    (void)state;
    struct peer *peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){
                         .timeout_ms = 8000, .session_id = 12345, .password = FK_BYTES_LITERAL("0123456789abcdef")});
    world_settle();
    assert_int_equal(peer->in.size, 4 + 37);
    expect_expired(peer);
}

static void a_wrong_password_does_not_touch_the_owner(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct peer *owner = peer_connect(&response);
    const struct fk_bytes passwords[] = {FK_BYTES_LITERAL("0123456789abcdef"), FK_BYTES_LITERAL(""), FK_BYTES_NULL,
                                         fk_bytes_head(response.password, 15)};
    for (size_t i = 0; i < sizeof passwords / sizeof passwords[0]; i++) {
        struct peer *peer = peer_open("10.0.0.2");
        peer_hello(peer,
                   &(struct hello){.timeout_ms = 8000, .session_id = response.session_id, .password = passwords[i]});
        world_settle();
        expect_expired(peer);
        assert_false(peer_closed(owner));
    }
    send_plain(owner, 1, FK_OP_PING);
    world_settle();
    (void)expect_reply(owner, FK_XID_PING, 0);
}

/* ZK: the client has seen a state that this server does not have: it must try another one. */
static void a_client_that_is_ahead(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct peer *owner = peer_connect(&response);
    int64_t zxid = fk_store_zxid(world.store, FK_VIEW_VISIBLE);
    struct peer *peer = peer_open("10.0.0.2");
    peer_hello(peer, &(struct hello){.timeout_ms = 8000,
                                     .last_zxid = zxid + 1,
                                     .session_id = response.session_id,
                                     .password = response.password});
    world_settle();
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
    assert_false(peer_closed(owner));
    peer = peer_open("10.0.0.2");
    peer_hello(peer, &(struct hello){.timeout_ms = 8000,
                                     .last_zxid = zxid,
                                     .session_id = response.session_id,
                                     .password = response.password});
    world_settle();
    assert_int_equal(peer_welcome(peer).session_id, response.session_id);
    assert_int_equal(fk_store_zxid(world.store, FK_VIEW_VISIBLE), zxid); /* attaching writes nothing */
}

static void what_is_no_handshake_is_closed_without_a_byte(void **state)
{
    (void)state;
    static const struct fk_bytes inputs[] = {
        {(const uint8_t *)"\x00\x00\x00\x00", 4},                 /* empty */
        {(const uint8_t *)"\x00\x00\x00\x04\x00\x00\x00\x00", 8}, /* too short */
        {(const uint8_t *)"\xff\xff\xff\xff", 4},                 /* negative */
        {(const uint8_t *)"\x80\x00\x00\x00", 4},
        {(const uint8_t *)"\x7f\xff\xff\xff", 4},
        {(const uint8_t *)"\x00\x00\x04\x01", 4}, /* longer than a handshake may be */
        {(const uint8_t *)"GET / HTTP/1.0\r\n\r\n", 18},
        {(const uint8_t *)"nope", 4},
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct peer *peer = peer_open("10.0.0.1");
        peer_send(peer, inputs[i]);
        world_settle();
        if (!peer_closed(peer) || !peer_quiet(peer)) {
            fail_msg("row %zu", i);
        }
    }
    assert_int_equal(fk_gateway_connections(world.gateway), 0);
    assert_int_equal(fk_store_zxid(world.store, FK_VIEW_VISIBLE), 0);
}

static void each_truncation_of_a_handshake_waits_for_the_rest(void **state)
{
    (void)state;
    struct fk_buf whole = FK_BUF_EMPTY;
    struct fk_connect_request request = {.timeout_ms = 8000, .password = FK_BYTES_LITERAL("0123456789abcdef")};
    fk_write_i32(&whole, 44);
    fk_write_connect_request(&whole, &request);
    assert_int_equal(whole.size, 48);
    struct peer *peer = peer_open("10.0.0.1");
    for (size_t i = 0; i < whole.size; i++) {
        world_settle();
        assert_false(peer_closed(peer));
        assert_true(peer_quiet(peer));
        peer_send(peer, fk_bytes_of(whole.data + i, 1));
    }
    world_settle();
    assert_true(peer_welcome(peer).session_id != 0);
    fk_buf_deinit(&whole);
}

static void the_handshake_has_a_deadline(void **state)
{
    (void)state;
    struct peer *silent = peer_open("10.0.0.1");
    struct peer *session = peer_session();
    world_pass_ms(FK_HANDSHAKE_MS);
    assert_false(peer_closed(silent));
    peer_send(silent, FK_BYTES_LITERAL("\0"));
    world_pass_ms(1000);
    assert_true(peer_closed(silent));
    assert_true(peer_quiet(silent));
    assert_false(peer_closed(session));
}

/* Ids are random: one that is in use elsewhere is refused by the function, and the client comes again. */
static void an_id_that_is_taken(void **state)
{
    (void)state;
    struct fk_memory_random same = world.random;
    uint64_t drawn = 0;
    fk_random_fill(&same.base, (uint8_t *)&drawn, sizeof drawn);
    struct fk_put put = {.kind = FK_PUT_SESSION};
    put.session.id = (int64_t)((drawn & UINT64_C(0x00ffffffffffffff)) | UINT64_C(0x0100000000000000));
    struct fk_change change = {.zxid = 1, .puts = &put, .count = 1};
    assert_int_equal(fk_store_commit(world.store, &change, 1, 0), FK_OK);
    struct peer *peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    world_settle();
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
    (void)peer_session();
}

static void a_session_that_can_not_be_made(void **state)
{
    (void)state;
    struct peer *peer = peer_open("10.0.0.1");
    world.queue.full = true;
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    send_create(peer, 1, "/a", "", 0);
    world_settle();
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
    world.queue.full = false;
    peer = peer_open("10.0.0.1");
    fk_memory_store_fail(world.store, FK_MEMORY_FULL, 1);
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    world_settle();
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
    (void)peer_session();
}

static void connections_of_one_address(void **state)
{
    (void)state;
    world.options.connections_per_address = 2;
    world_restart();
    struct peer *first = peer_open("10.0.0.1");
    struct peer *second = peer_open("10.0.0.1");
    assert_false(first->refused || second->refused);
    assert_true(peer_open("10.0.0.1")->refused);
    assert_false(peer_open("10.0.0.2")->refused);
    peer_hang_up(first);
    assert_false(peer_open("10.0.0.1")->refused);
    assert_true(peer_open("10.0.0.1")->refused);
}

/* The client has gone before its session was there: the session lives, and expires. */
static void a_client_that_does_not_wait(void **state)
{
    (void)state;
    struct fk_store_counts counts;
    struct peer *peer = peer_open("10.0.0.1");
    world.hold_writes = true;
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    peer_hang_up(peer);
    world.hold_writes = false;
    world_settle();
    fk_store_counts(world.store, &counts);
    assert_int_equal(counts.sessions, 1);
    world_pass_ms(8000 + WORLD_TICK_MS);
    fk_store_counts(world.store, &counts);
    assert_int_equal(counts.sessions, 0);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(a_new_session),
    WORLD_TEST(an_old_client_gets_no_read_only_byte),
    WORLD_TEST(another_protocol_version_is_answered_with_zero),
    WORLD_TEST(timeouts_are_clamped),
    WORLD_TEST(requests_right_behind_the_handshake),
    WORLD_TEST(reattaching),
    WORLD_TEST(an_unknown_session),
    WORLD_TEST(a_wrong_password_does_not_touch_the_owner),
    WORLD_TEST(a_client_that_is_ahead),
    WORLD_TEST(what_is_no_handshake_is_closed_without_a_byte),
    WORLD_TEST(each_truncation_of_a_handshake_waits_for_the_rest),
    WORLD_TEST(the_handshake_has_a_deadline),
    WORLD_TEST(an_id_that_is_taken),
    WORLD_TEST(a_session_that_can_not_be_made),
    WORLD_TEST(connections_of_one_address),
    WORLD_TEST(a_client_that_does_not_wait),
};

FK_TEST_MAIN(tests)
