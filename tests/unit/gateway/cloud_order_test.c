// SPDX-License-Identifier: Apache-2.0
/* One output order per connection: answers, replies and events by zxid (protocol.md H3, H10, H13, H15, H16, H17). */
#include "cloud_world.h"

static void writes_are_answered_in_order_with_their_zxids(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    int64_t before = cloud_zx().zxid;
    for (int32_t i = 1; i <= 20; i++) {
        send_create(peer, i, i % 2 == 1 ? "/a" : "/b", "x", 0);
    }
    cloud_settle();
    for (int32_t i = 1; i <= 20; i++) {
        (void)expect_reply(peer, i, i <= 2 ? FK_CODE_OK : FK_CODE_NODE_EXISTS);
        assert_int_equal(replied_zxid, before + i); /* errors take a zxid too */
    }
    assert_true(peer_quiet(peer));
}

static void no_more_writes_are_unanswered_than_results_are_kept(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    bool exists = false;
    cloud.hold_function = true;
    for (int32_t i = 1; i <= 20; i++) {
        send_create(peer, i, "/a", "x", 0);
    }
    cloud_settle();
    assert_int_equal(cloud.queue.sends, 2); /* the first alone, then those that came while it was sent, up to 7 */
    cloud_run_function();
    assert_int_equal(cloud_session(session.session_id, &exists).last, FK_UNANSWERED_MAX);
    cloud.hold_function = false;
    cloud_settle();
    for (int32_t i = 1; i <= 20; i++) {
        (void)expect_reply(peer, i, i == 1 ? FK_CODE_OK : FK_CODE_NODE_EXISTS);
    }
}

static void the_same_bytes_go_again_while_a_send_is_unknown(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    for (int32_t i = 0; i < 2; i++) { /* the first time it was sent, the second time it was not */
        cloud.queue.fail = FK_ERR_UNKNOWN;
        cloud.queue.applied = i == 0;
        cloud.queue.count = 3;
        send_create(peer, 1, "/a-", "x", FK_CREATE_SEQUENTIAL);
        send_create(peer, 2, "/a-", "x", FK_CREATE_SEQUENTIAL);
        cloud_settle();
        (void)expect_reply(peer, 1, 0);
        (void)expect_reply(peer, 2, 0);
    }
    bool exists = false;
    (void)cloud_node("/a-0000000003", &exists);
    assert_true(exists);
    (void)cloud_node("/a-0000000004", &exists);
    assert_false(exists); /* the queue knew the repeats */
}

static void nothing_goes_after_a_message_that_is_not_sent(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    cloud.queue.fail = FK_ERR_BUSY;
    cloud.queue.count = 20;
    send_create(peer, 1, "/a", "x", 0);
    cloud_settle();
    send_create(peer, 2, "/b", "x", 0);
    cloud_settle();
    assert_true(peer_quiet(peer));
    assert_int_equal(fk_gateway_connections(peer->gateway), 1);
    cloud_pass_ms(2000);
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    assert_true(replied_zxid > 0);
}

static void a_read_waits_for_the_writes_before_it_and_writes_for_the_read(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    cloud.hold_function = true;
    cloud_hold(0, "read");
    send_create(peer, 1, "/a", "x", 0);
    send_watch(peer, 2, FK_OP_GET_DATA, "/a", false);
    send_create(peer, 3, "/b", "x", 0);
    cloud_settle();
    assert_int_equal(cloud_held(0, "read"), 0);
    cloud.hold_function = false;
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    assert_int_equal(cloud_held(0, "read"), 1);
    bool exists = false;
    (void)cloud_node("/b", &exists);
    assert_false(exists);
    cloud_go(0, "read");
    (void)expect_reply(peer, 2, 0);
    (void)expect_reply(peer, 3, 0);
}

/* A lost answer is found in the session's record. */
static void an_answer_that_does_not_come_is_looked_for(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    cloud.drop_messages = true;
    send_create(peer, 1, "/a", "x", 0);
    send_create(peer, 2, "/a", "x", 0);
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_pass_ms(cloud.options.answer_ms + 200);
    struct fk_reader reader = expect_reply(peer, 1, 0);
    fk_assert_text(fk_read_bytes(&reader), "/a");
    (void)expect_reply(peer, 2, FK_CODE_NODE_EXISTS);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
}

static void an_answer_that_never_comes_costs_the_connection(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    cloud.hold_function = true;
    send_create(peer, 1, "/a", "x", 0);
    for (int i = 0; i < 6; i++) {
        cloud_pass_ms(5000);
        send_plain(peer, FK_XID_PING, FK_OP_PING); /* it is alive, and waits for its turn */
    }
    cloud_pass_ms(2000);
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer)); /* no invented error */
}

static void answers_of_another_epoch_are_not_taken(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct fk_buf answer = FK_BUF_EMPTY;
    struct peer *peer = cloud_connect(0, &session);
    cloud.hold_function = true;
    send_create(peer, 1, "/a", "x", 0);
    cloud_settle();
    fk_answer_message_write(
        &answer, &(struct fk_answer_message){
                     .session_id = session.session_id, .epoch = 2, .number = 1, .zxid = 99, .code = FK_CODE_NO_AUTH});
    fk_gateway_answer(peer->gateway, fk_buf_view(&answer));
    cloud_settle();
    assert_true(peer_quiet(peer));
    fk_buf_deinit(&answer);
    cloud.hold_function = false;
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
}

/* A watch of this client, then its own write that fires it: the event stands before the answer. */
static void an_own_writes_event_goes_before_its_answer(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    send_watch(peer, 1, FK_OP_EXISTS, "/a", true);
    cloud_settle();
    (void)expect_reply(peer, 1, FK_CODE_NO_NODE);
    send_create(peer, 2, "/a", "x", 0);
    cloud_settle();
    expect_event(peer, FK_EVENT_CREATED, "/a");
    int64_t zxid = replied_zxid;
    (void)expect_reply(peer, 2, 0);
    assert_int_equal(replied_zxid, zxid);
}

/* The events are lost: the answer has to wait for them, though it came. */
static void an_answer_is_held_until_the_events_before_it_came(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", true);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_lose_messages(0);
    send_create(peer, 2, "/b", "x", 0);
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_pass_ms(cloud.options.hold_ms + 200); /* T, then the outbox */
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    int64_t zxid = replied_zxid;
    (void)expect_reply(peer, 2, 0);
    assert_int_equal(replied_zxid, zxid + 1);
}

/* An event is known, and a write is unanswered whose answer was lost: which was first? The session's record tells. */
static void an_event_waits_until_the_writes_before_it_are_known(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", true);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    cloud.hold_function = true;
    send_create(peer, 2, "/first", "x", 0);
    cloud_settle();
    cloud_run_function();
    cloud_lose_messages(0); /* its answer */
    cloud_hold(0, "poll");
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    send_create(peer, 3, "/second", "x", 0);
    cloud_settle();
    assert_true(peer_quiet(peer));
    assert_int_equal(cloud_held(0, "poll"), 1);
    cloud_go(0, "poll");
    (void)expect_reply(peer, 2, 0);
    int64_t first = replied_zxid;
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a"); /* the second write is not decided: the event is before it */
    assert_int_equal(replied_zxid, first + 1);
    assert_true(peer_quiet(peer));
    cloud.hold_function = false;
    cloud_settle();
    (void)expect_reply(peer, 3, 0);
    assert_int_equal(replied_zxid, first + 2);
}

/* A record was read for the session's answers before the event was known: that says nothing about the event. */
static void a_look_from_before_the_event_does_not_count(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", true);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    cloud.hold_function = true;
    cloud_hold(0, "poll");
    send_create(peer, 2, "/first", "x", 0);
    cloud_settle();
    cloud_pass_ms(cloud.options.answer_ms + 200);
    assert_int_equal(cloud_held(0, "poll"), 1);
    cloud_run_held(0, "poll"); /* finds it undecided */
    cloud_run_function();
    cloud_lose_messages(0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_settle();
    cloud_go(0, "poll"); /* and looks again */
    (void)expect_reply(peer, 2, 0);
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
}

/* Events of changes that the reply shows go before it, later ones after it. */
static void events_wait_for_the_read_in_flight(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud_commit(FK_OP_CREATE, "/b", "x");
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", true);
    send_watch(peer, 2, FK_OP_GET_DATA, "/b", true);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    cloud_hold(0, "read");
    send_watch(peer, 3, FK_OP_GET_DATA, "/b", false);
    cloud_settle();
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_run_held(0, "read");               /* reads /b as it was */
    cloud_commit(FK_OP_SET_DATA, "/b", "y"); /* which the reply does not show */
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_go(0, "read");
    (void)expect_reply(peer, 3, 0);
    int64_t shown = replied_zxid;
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    assert_true(replied_zxid > shown);
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/b");
    cloud_hold(0, "read");
    send_watch(peer, 4, FK_OP_GET_DATA, "/b", false);
    cloud_settle();
    cloud_go(0, "read");
    (void)expect_reply(peer, 4, 0);
    assert_int_equal(replied_zxid, shown + 2);
}

/* H17: the record's zxid, or what the session has seen: never the newest of the gateway. */
static void a_reply_names_what_it_shows(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    struct peer *other = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    int64_t of_a = cloud_zx().zxid;
    send_create(other, 1, "/b", "x", 0);
    cloud_settle();
    (void)expect_reply(other, 1, 0);
    assert_true(replied_zxid > of_a);
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", false);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    assert_int_equal(replied_zxid, of_a);
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    cloud_settle();
    (void)expect_reply(peer, FK_XID_PING, 0);
    assert_int_equal(replied_zxid, of_a); /* a pong: the floor */
    send_create(peer, 2, "/c", "x", 0);
    send_watch(peer, 3, FK_OP_GET_DATA, "/a", false);
    cloud_settle();
    (void)expect_reply(peer, 2, 0);
    int64_t own = replied_zxid;
    (void)expect_reply(peer, 3, 0);
    assert_int_equal(replied_zxid, own);
}

static void a_frame_as_large_as_may_be_still_works(void **state)
{
    (void)state;
    struct fk_connect_response session;
    struct peer *peer = cloud_connect(0, &session);
    size_t size = 900 * 1024;
    uint8_t *bytes = (uint8_t *)fk_arena_alloc(&cloud.arena, size);
    memset(bytes, 'x', size);
    send_create(peer, 1, "/big", "", 0);
    send_set(peer, 2, "/big", fk_bytes_of(bytes, size));
    send_watch(peer, 3, FK_OP_GET_DATA, "/big", false);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    struct fk_reader reader = expect_reply(peer, 3, 0);
    fk_assert_bytes(fk_read_bytes(&reader), fk_bytes_of(bytes, size));
}

/* Several clients of one gateway, each of which asks for one thing while the function stands still. */
static void ask_all(struct peer **peers, size_t count)
{
    cloud.queue.sends = 0;
    for (size_t i = 0; i < count; i++) {
        struct fk_connect_response session;
        peers[i] = cloud_connect(0, &session);
    }
    cloud.hold_function = true;
    for (size_t i = 0; i < count; i++) {
        send_create(peers[i], 1, "/a-", "x", FK_CREATE_SEQUENTIAL);
        cloud_settle();
    }
    assert_int_equal(cloud.queue.sends, FK_MESSAGES_UNANSWERED_MAX);
}

static void what_waits_goes_together(void **state)
{
    (void)state;
    struct peer *peers[6];
    bool exists = false;
    ask_all(peers, 6);
    cloud.hold_function = false;
    cloud.queue.fail = FK_ERR_UNKNOWN; /* of the message of all the others; it goes again, as it was */
    cloud.queue.applied = true;
    cloud.queue.count = 2;
    cloud_settle();
    assert_int_equal(cloud.queue.sends, FK_MESSAGES_UNANSWERED_MAX + 1 + 2);
    for (size_t i = 0; i < 6; i++) {
        (void)expect_reply(peers[i], 1, 0);
    }
    (void)cloud_node("/a-0000000005", &exists);
    assert_true(exists);
    (void)cloud_node("/a-0000000006", &exists);
    assert_false(exists);
}

static void who_leaves_holds_nobody_up(void **state)
{
    (void)state;
    struct peer *peers[4];
    ask_all(peers, 4);
    cloud_leave(peers[0]);
    cloud_settle();
    assert_int_equal(cloud.queue.sends, FK_MESSAGES_UNANSWERED_MAX); /* at the next tick */
    cloud_leave(peers[2]);                                           /* what it asked for is sent all the same */
    cloud_pass_ms(100);
    assert_int_equal(cloud.queue.sends, FK_MESSAGES_UNANSWERED_MAX + 1);
    cloud.hold_function = false;
    cloud_settle();
    (void)expect_reply(peers[1], 1, 0);
    (void)expect_reply(peers[3], 1, 0);
    bool exists = false;
    (void)cloud_node("/a-0000000003", &exists);
    assert_true(exists);
}

static void messages_that_are_lost_hold_nobody_up(void **state)
{
    (void)state;
    struct peer *peers[4];
    ask_all(peers, 4);
    cloud_pass_ms(cloud.options.answer_ms - 100);
    assert_int_equal(cloud.queue.sends, FK_MESSAGES_UNANSWERED_MAX);
    cloud_pass_ms(200);
    assert_int_equal(cloud.queue.sends, FK_MESSAGES_UNANSWERED_MAX + 1);
    cloud.hold_function = false;
    cloud_settle();
    for (size_t i = 0; i < 4; i++) {
        (void)expect_reply(peers[i], 1, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOUD_TEST(writes_are_answered_in_order_with_their_zxids),
        CLOUD_TEST(no_more_writes_are_unanswered_than_results_are_kept),
        CLOUD_TEST(the_same_bytes_go_again_while_a_send_is_unknown),
        CLOUD_TEST(nothing_goes_after_a_message_that_is_not_sent),
        CLOUD_TEST(a_read_waits_for_the_writes_before_it_and_writes_for_the_read),
        CLOUD_TEST(an_answer_that_does_not_come_is_looked_for),
        CLOUD_TEST(an_answer_that_never_comes_costs_the_connection),
        CLOUD_TEST(answers_of_another_epoch_are_not_taken),
        CLOUD_TEST(an_own_writes_event_goes_before_its_answer),
        CLOUD_TEST(an_answer_is_held_until_the_events_before_it_came),
        CLOUD_TEST(an_event_waits_until_the_writes_before_it_are_known),
        CLOUD_TEST(a_look_from_before_the_event_does_not_count),
        CLOUD_TEST(events_wait_for_the_read_in_flight),
        CLOUD_TEST(a_reply_names_what_it_shows),
        CLOUD_TEST(a_frame_as_large_as_may_be_still_works),
        CLOUD_TEST(what_waits_goes_together),
        CLOUD_TEST(who_leaves_holds_nobody_up),
        CLOUD_TEST(messages_that_are_lost_hold_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
