// SPDX-License-Identifier: Apache-2.0
/* Sessions that are made, move between gateways, end (protocol.md H9, H10, H17, H21, H22). */
#include "cloud_world.h"

static struct fk_connect_response session;

static bool lives(void)
{
    bool exists = false;
    (void)cloud_session(session.session_id, &exists);
    return exists;
}

static void ping(struct peer *peer)
{
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    cloud_settle();
    (void)expect_reply(peer, FK_XID_PING, 0);
}

static void a_session_is_made_without_the_queue(void **state)
{
    (void)state;
    bool exists = false;
    int64_t zxid = cloud_zx().zxid;
    cloud.hold_function = true;
    struct peer *peer = cloud_connect(0, &session);
    struct fk_session_record record = cloud_session(session.session_id, &exists);
    assert_true(exists);
    assert_int_equal(record.epoch, 1);
    assert_int_equal(record.owner, cloud.at[0].id);
    assert_int_equal(record.session.timeout_ms, 8000);
    assert_int_equal(cloud_zx().zxid, zxid); /* takes no zxid */
    assert_int_equal(fk_conn_epoch(peer->conn), 1);
    assert_int_equal(fk_conn_session_id(peer->conn), session.session_id);
}

static void an_unknown_creation_is_made_once(void **state)
{
    (void)state;
    cloud.table.fail_writes = FK_ERR_UNKNOWN;
    cloud.table.applied = true;
    cloud.table.count = 1;
    struct peer *peer = cloud_connect(0, &session);
    assert_true(lives());
    ping(peer);
}

static void a_client_that_goes_while_its_session_is_made_leaves_a_timer(void **state)
{
    (void)state;
    cloud_hold(0, "create");
    struct peer *peer = cloud_peer(0);
    peer_hello(peer, &(struct hello){.timeout_ms = 4000});
    cloud_settle();
    cloud_run_held(0, "create");
    peer_hang_up(peer);
    struct fk_item_page page;
    assert_int_equal(fk_table_list(cloud.ports.table, FK_BYTES_LITERAL("s"), FK_BYTES_NULL, 10, &cloud.arena, &page),
                     FK_OK);
    assert_int_equal(page.count, 1);
    session.session_id = fk_key_number(page.items[0].key.name);
    cloud_go(0, "create");
    assert_true(lives());
    cloud_pass_ms(7000);
    assert_false(lives());
}

static void a_session_moves_to_another_gateway(void **state)
{
    (void)state;
    bool exists = false;
    struct peer *first = cloud_connect(0, &session);
    struct peer *second = cloud_hello(1, &session, 0);
    struct fk_connect_response response = peer_welcome(second);
    assert_int_equal(response.session_id, session.session_id);
    fk_assert_bytes(response.password, session.password);
    assert_true(peer_closed(first)); /* by the event of the attach */
    assert_true(peer_quiet(first));
    struct fk_session_record record = cloud_session(session.session_id, &exists);
    assert_int_equal(record.epoch, 2);
    assert_int_equal(record.owner, cloud.at[1].id);
    assert_int_equal(fk_conn_epoch(second->conn), 2);
    send_create(second, 1, "/a", "x", 0);
    cloud_settle();
    (void)expect_reply(second, 1, 0);
    ping(second);
    assert_int_equal(replied_zxid, record.attach_zxid + 1);
}

/* ZK: the timeout is agreed on at each connection, and holds from there. */
static void a_timeout_is_agreed_on_again(void **state)
{
    (void)state;
    static const int32_t asked[] = {12000, 12000, 6000};
    bool exists = false;
    (void)cloud_connect(0, &session);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct peer *peer = cloud_peer(1 - i % 2);
        peer_hello(peer, &(struct hello){
                             .timeout_ms = asked[i], .session_id = session.session_id, .password = session.password});
        cloud_settle();
        assert_int_equal(peer_welcome(peer).timeout_ms, asked[i]);
        assert_int_equal(cloud_session(session.session_id, &exists).session.timeout_ms, asked[i]);
        peer_hang_up(peer);
    }
    cloud_pass_ms(5000);
    assert_true(lives());
    cloud_pass_ms(5000);
    assert_false(lives());
}

static void the_floor_begins_at_the_attach(void **state)
{
    (void)state;
    (void)cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    int64_t seen = cloud_zx().zxid;
    struct peer *peer = cloud_hello(1, &session, seen);
    (void)peer_welcome(peer);
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", false);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    assert_int_equal(replied_zxid, seen + 1); /* of the attach: the record is older */
}

static void a_wrong_password_does_not_touch_the_owner(void **state)
{
    (void)state;
    bool exists = false;
    struct peer *owner = cloud_connect(0, &session);
    struct fk_connect_response wrong = session;
    wrong.password = FK_BYTES_LITERAL("0123456789abcdef");
    struct peer *thief = cloud_hello(1, &wrong, 0);
    assert_int_equal(peer_welcome(thief).session_id, 0);
    assert_true(peer_closed(thief));
    assert_int_equal(cloud_session(session.session_id, &exists).epoch, 1);
    ping(owner);
}

static void an_unknown_session_is_expired(void **state)
{
    (void)state;
    struct fk_connect_response none = {.session_id = 0x1234, .password = FK_BYTES_LITERAL("0123456789abcdef")};
    struct peer *peer = cloud_hello(0, &none, 0);
    assert_int_equal(peer_welcome(peer).session_id, 0);
    assert_true(peer_closed(peer));
}

static void a_client_that_is_ahead_gets_no_byte(void **state)
{
    (void)state;
    (void)cloud_connect(0, &session);
    struct peer *peer = cloud_hello(1, &session, cloud_zx().zxid + 1);
    assert_true(peer_closed(peer) && peer_quiet(peer));
    struct peer *fresh = cloud_peer(1);
    peer_hello(fresh, &(struct hello){.timeout_ms = 8000, .last_zxid = cloud_zx().zxid + 1});
    cloud_settle();
    assert_true(peer_closed(fresh) && peer_quiet(fresh));
    cloud_commit(FK_OP_CREATE, "/a", "x");
    peer = cloud_hello(1, &session, cloud_zx().zxid);
    assert_int_equal(peer_welcome(peer).session_id, session.session_id);
}

/* Two clients of one session at once: one of them has it in the end, the other one nothing. */
static void of_two_attaches_one_wins(void **state)
{
    (void)state;
    (void)cloud_connect(0, &session);
    cloud.hold_function = true;
    struct peer *left = cloud_hello(0, &session, 0);
    struct peer *right = cloud_hello(1, &session, 0);
    cloud.hold_function = false;
    cloud_settle();
    cloud_pass_ms(2000);
    assert_true(peer_closed(left) != peer_closed(right));
    struct peer *winner = peer_closed(left) ? right : left;
    assert_int_equal(peer_welcome(winner).session_id, session.session_id);
    assert_true(peer_quiet(peer_closed(left) ? left : right));
    ping(winner);
}

static void an_attach_is_found_without_the_hint(void **state)
{
    (void)state;
    (void)cloud_connect(0, &session);
    cloud.drop_messages = true;
    struct peer *peer = cloud_hello(1, &session, 0);
    assert_true(peer_quiet(peer));
    cloud_pass_ms(cloud.options.answer_ms + 200);
    assert_int_equal(peer_welcome(peer).session_id, session.session_id);
}

/* The owner is told, in the order of zxids; but it finds out by itself too. */
static void a_lost_session_is_noticed_by_its_answers(void **state)
{
    (void)state;
    struct peer *first = cloud_connect(0, &session);
    cloud_hold(0, "fetch");
    cloud.at[0].hold_channel = true;
    struct peer *second = cloud_hello(1, &session, 0);
    (void)peer_welcome(second);
    assert_false(peer_closed(first));
    send_create(first, 1, "/late", "x", 0);
    cloud_pass_ms(cloud.options.answer_ms + 200);
    assert_true(peer_closed(first) && peer_quiet(first));
    bool exists = false;
    (void)cloud_node("/late", &exists);
    assert_false(exists);
}

static void a_new_connection_at_the_same_gateway_takes_over(void **state)
{
    (void)state;
    struct peer *first = cloud_connect(0, &session);
    struct peer *second = cloud_hello(0, &session, 0);
    assert_int_equal(peer_welcome(second).session_id, session.session_id);
    assert_true(peer_closed(first));
    ping(second);
    cloud_pass_ms(6000);
    ping(second);
    cloud_pass_ms(6000);
    assert_true(lives());
}

/* The attach is decided after its client has gone: the session's time runs here from then on. */
static void an_attach_without_a_client_leaves_a_timer(void **state)
{
    (void)state;
    (void)cloud_connect(0, &session);
    cloud.hold_function = true;
    struct peer *second = cloud_hello(1, &session, 0);
    peer_hang_up(second);
    cloud.hold_function = false;
    cloud_settle();
    cloud_pass_ms(7000);
    assert_true(lives());
    cloud_pass_ms(4000);
    assert_false(lives());
}

static void a_silent_session_ends(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_pass_ms(7000);
    ping(peer);
    cloud_pass_ms(7900);
    assert_true(lives());
    cloud_pass_ms(400);
    assert_false(lives());
    assert_true(peer_closed(peer) && peer_quiet(peer));
}

static void a_detached_session_runs_out_or_comes_back(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    peer_hang_up(peer);
    cloud_pass_ms(6000);
    peer = cloud_hello(0, &session, 0);
    assert_int_equal(peer_welcome(peer).session_id, session.session_id);
    peer_hang_up(peer);
    cloud_pass_ms(6000);
    assert_true(lives());
    cloud_pass_ms(4000);
    assert_false(lives());
}

static void the_end_of_a_session_is_kept_until_it_is_sent(void **state)
{
    (void)state;
    (void)cloud_connect(0, &session);
    cloud.queue.fail = FK_ERR_BUSY;
    cloud.queue.count = 1000000;
    cloud_pass_ms(12000);
    assert_true(lives());
    cloud.queue.fail = FK_OK;
    cloud_pass_ms(2000);
    assert_false(lives());
    int sends = cloud.queue.sends;
    cloud_pass_ms(10000);
    assert_int_equal(cloud.queue.sends, sends); /* once */
}

/* It names the epoch of the owner that was silent: another gateway has the session meanwhile. */
static void the_end_of_an_old_epoch_does_nothing(void **state)
{
    (void)state;
    (void)cloud_connect(0, &session);
    cloud.at[0].hold_channel = true; /* the first gateway does not hear of the attach */
    cloud_hold(0, "fetch");
    struct peer *second = cloud_hello(1, &session, 0);
    (void)peer_welcome(second);
    for (int i = 0; i < 4; i++) {
        cloud_pass_ms(4000);
        ping(second);
    }
    assert_true(lives());
}

static void close_answers_and_removes(void **state)
{
    (void)state;
    bool exists = false;
    struct peer *peer = cloud_connect(0, &session);
    send_create(peer, 1, "/e", "x", FK_CREATE_EPHEMERAL);
    send_create(peer, 2, "/f", "x", FK_CREATE_EPHEMERAL);
    send_plain(peer, 3, FK_OP_CLOSE_SESSION);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    (void)expect_reply(peer, 3, 0);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
    assert_true(peer_closed(peer));
    assert_false(lives());
    (void)cloud_node("/e", &exists);
    assert_false(exists);
}

/* The record is gone with the session: the event that tells it is the answer. */
static void a_lost_answer_to_close_is_made_up_by_the_event(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud.drop_messages = true;
    send_plain(peer, 1, FK_OP_CLOSE_SESSION);
    cloud_settle();
    assert_false(lives());
    assert_true(peer_quiet(peer));
    cloud_pass_ms(cloud.options.answer_ms + 400);
    (void)expect_reply(peer, 1, 0);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
    assert_true(peer_closed(peer));
}

static void an_expired_answer_is_no_answer(void **state)
{
    (void)state;
    struct fk_buf answer = FK_BUF_EMPTY;
    struct peer *peer = cloud_connect(0, &session);
    cloud.hold_function = true;
    send_create(peer, 1, "/a", "x", 0);
    cloud_settle();
    fk_answer_message_write(
        &answer,
        &(struct fk_answer_message){
            .session_id = session.session_id, .epoch = 1, .number = 1, .zxid = 9, .code = FK_CODE_SESSION_EXPIRED});
    fk_gateway_answer(peer->gateway, fk_buf_view(&answer));
    fk_buf_deinit(&answer);
    cloud_settle();
    assert_true(peer_closed(peer) && peer_quiet(peer));
}

/* Clients come before the gateway has its own record. */
static void clients_wait_for_the_first_renewal(void **state)
{
    (void)state;
    cloud_restart(0, "renew");
    struct peer *peer = cloud_peer(0);
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_go(0, "renew");
    assert_true(peer_welcome(peer).session_id != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOUD_TEST(a_session_is_made_without_the_queue),
        CLOUD_TEST(an_unknown_creation_is_made_once),
        CLOUD_TEST(a_client_that_goes_while_its_session_is_made_leaves_a_timer),
        CLOUD_TEST(a_session_moves_to_another_gateway),
        CLOUD_TEST(a_timeout_is_agreed_on_again),
        CLOUD_TEST(the_floor_begins_at_the_attach),
        CLOUD_TEST(a_wrong_password_does_not_touch_the_owner),
        CLOUD_TEST(an_unknown_session_is_expired),
        CLOUD_TEST(a_client_that_is_ahead_gets_no_byte),
        CLOUD_TEST(of_two_attaches_one_wins),
        CLOUD_TEST(an_attach_is_found_without_the_hint),
        CLOUD_TEST(a_lost_session_is_noticed_by_its_answers),
        CLOUD_TEST(a_new_connection_at_the_same_gateway_takes_over),
        CLOUD_TEST(an_attach_without_a_client_leaves_a_timer),
        CLOUD_TEST(a_silent_session_ends),
        CLOUD_TEST(a_detached_session_runs_out_or_comes_back),
        CLOUD_TEST(the_end_of_a_session_is_kept_until_it_is_sent),
        CLOUD_TEST(the_end_of_an_old_epoch_does_nothing),
        CLOUD_TEST(close_answers_and_removes),
        CLOUD_TEST(a_lost_answer_to_close_is_made_up_by_the_event),
        CLOUD_TEST(an_expired_answer_is_no_answer),
        CLOUD_TEST(clients_wait_for_the_first_renewal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
