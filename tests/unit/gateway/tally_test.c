// SPDX-License-Identifier: Apache-2.0
/* What counts as which operation of the table of units, by size and by minute, and what sessions pay. */
#include "gateway/tally.h"

#include "gateway/inspect.h"
#include "world.h"

static struct fk_tally_session weights[FK_TALLY_CELLS];
static struct fk_tally tally; /* of tests without a gateway */

/* Counts of an operation, in all its classes. */
static int64_t counted_of(const int64_t counts[FK_TALLY_CELLS], enum fk_cost_op op)
{
    int64_t sum = 0;
    for (size_t i = 0; i < FK_TALLY_CLASSES; i++) {
        sum += counts[(size_t)op * FK_TALLY_CLASSES + i];
    }
    return sum;
}

static int64_t counted(enum fk_cost_op op)
{
    return counted_of(fk_inspect_tally(world.gateway)->counts, op);
}

/* In the class that this amount stands for. */
static int64_t counted_at(enum fk_cost_op op, size_t amount)
{
    for (size_t i = 0; i < FK_TALLY_CLASSES; i++) {
        if (fk_tally_amount(op, i) == amount) {
            return fk_inspect_tally(world.gateway)->counts[(size_t)op * FK_TALLY_CLASSES + i];
        }
    }
    fail_msg("no class of %zu", amount);
    return 0;
}

static int64_t all_counted(void)
{
    int64_t sum = 0;
    for (size_t i = 0; i < FK_COST_OP_COUNT; i++) {
        sum += counted((enum fk_cost_op)i);
    }
    return sum;
}

static int setup(void **state)
{
    int result = world_setup(state);
    fk_tally_weigh(weights, false);
    world.options.tally_weights = weights;
    world_restart();
    return result;
}

#define TALLY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, world_teardown)

static struct fk_bytes data_of(size_t size)
{
    static uint8_t bytes[300 * 1024];
    assert_true(size <= sizeof bytes);
    return fk_bytes_of(bytes, size);
}

static void settle_ok(struct peer *peer, int32_t xid, int32_t code)
{
    world_settle();
    (void)expect_reply(peer, xid, code);
}

static void writes_by_size(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    static const size_t sizes[] = {0, 900, 901, 1700, 1701, 8192, 8193, 16384, 16385, 65536, 65537, 200 * 1024};
    send_create(peer, 1, "/a", "x", 0);
    settle_ok(peer, 1, 0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        send_set(peer, 2, "/a", data_of(sizes[i]));
        settle_ok(peer, 2, 0);
    }
    assert_int_equal(counted_at(FK_COST_CREATE, 900), 1);
    assert_int_equal(counted(FK_COST_SET_DATA), 12);
    assert_int_equal(counted_at(FK_COST_SET_DATA, 900), 2);
    assert_int_equal(counted_at(FK_COST_SET_DATA, 1700), 2);
    assert_int_equal(counted_at(FK_COST_SET_DATA, 2048), 1);
    assert_int_equal(counted_at(FK_COST_SET_DATA, 8192), 1);
    assert_int_equal(counted_at(FK_COST_SET_DATA, 16384), 2);
    assert_int_equal(counted_at(FK_COST_SET_DATA, 65536), 2);
    assert_int_equal(counted_at(FK_COST_SET_DATA, 1048511), 2);
    send_watch(peer, 3, FK_OP_GET_DATA, "/a", false);
    settle_ok(peer, 3, 0);
    assert_int_equal(counted_at(FK_COST_GET_DATA, 1048511), 1);
    assert_int_equal(counted(FK_COST_SESSION_NEW), 1);
    assert_int_equal(all_counted(), 15);
}

static void kinds_of_creates_and_what_is_refused(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    static const int32_t flags[] = {0, FK_CREATE_EPHEMERAL, FK_CREATE_SEQUENTIAL,
                                    FK_CREATE_EPHEMERAL | FK_CREATE_SEQUENTIAL};
    for (size_t i = 0; i < 4; i++) {
        send_create(peer, 1, i == 1 ? "/e" : "/n", "x", flags[i]);
        settle_ok(peer, 1, 0);
    }
    send_create(peer, 2, "/n", "x", 0);
    settle_ok(peer, 2, FK_CODE_NODE_EXISTS);
    send_delete(peer, 3, "/none");
    settle_ok(peer, 3, FK_CODE_NO_NODE);
    send_delete(peer, 4, "/n");
    settle_ok(peer, 4, 0);
    assert_int_equal(counted(FK_COST_CREATE), 1);
    assert_int_equal(counted(FK_COST_CREATE_EPHEMERAL), 2);
    assert_int_equal(counted(FK_COST_CREATE_SEQUENTIAL), 1);
    assert_int_equal(counted(FK_COST_CREATE_REFUSED), 2);
    assert_int_equal(counted(FK_COST_DELETE), 1);
    send_plain(peer, 5, FK_OP_CLOSE_SESSION);
    settle_ok(peer, 5, 0);
    assert_int_equal(counted_at(FK_COST_SESSION_CLOSED, 2), 1);
}

static void send_multi(struct peer *peer, int32_t xid, const char *create, const char *check)
{
    struct fk_buf *frame = request_begin(xid, FK_OP_MULTI);
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_CREATE, false, -1});
    fk_write_create_request(
        frame,
        &(struct fk_create_request){.path = fk_bytes_text(create), .data = FK_BYTES_LITERAL("x"), .acl = FK_ACL_OPEN});
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_CHECK, false, -1});
    fk_write_version_request(frame, &(struct fk_version_request){fk_bytes_text(check), -1});
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_SET_DATA, false, -1});
    fk_write_set_data_request(frame, &(struct fk_set_data_request){
                                         .path = fk_bytes_text(create), .data = FK_BYTES_LITERAL("y"), .version = -1});
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_DELETE, false, -1});
    fk_write_version_request(frame, &(struct fk_version_request){fk_bytes_text(create), -1});
    fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
    request_end(peer);
}

static void a_multi_by_its_parts(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    send_multi(peer, 1, "/a", "/");
    world_settle();
    (void)expect_reply(peer, 1, 0);
    send_multi(peer, 2, "/a", "/none");
    world_settle();
    (void)peer_frame(peer);
    assert_int_equal(counted_at(FK_COST_MULTI, 5), 1); /* four parts */
    assert_int_equal(counted(FK_COST_CREATE_REFUSED), 1);
    struct fk_buf *frame = request_begin(3, FK_OP_MULTI_READ);
    for (size_t i = 0; i < 2; i++) {
        fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_GET_CHILDREN, false, -1});
        fk_write_watch_request(frame, &(struct fk_watch_request){FK_BYTES_LITERAL("/"), false});
    }
    fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
    request_end(peer);
    settle_ok(peer, 3, 0);
    assert_int_equal(counted_at(FK_COST_MULTI_READ, 2), 1);
}

static void reads_and_their_watches(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *other = peer_session();
    send_create(peer, 1, "/a", "x", 0);
    settle_ok(peer, 1, 0);
    send_watch(peer, 2, FK_OP_GET_DATA, "/a", true);
    settle_ok(peer, 2, 0);
    send_watch(other, 2, FK_OP_GET_DATA, "/a", true); /* somebody here watches it already */
    settle_ok(other, 2, 0);
    send_watch(peer, 3, FK_OP_EXISTS, "/none", false);
    settle_ok(peer, 3, FK_CODE_NO_NODE);
    send_watch(peer, 4, FK_OP_EXISTS, "/none", true);
    settle_ok(peer, 4, FK_CODE_NO_NODE);
    send_watch(peer, 5, FK_OP_GET_CHILDREN2, "/", true);
    settle_ok(peer, 5, 0);
    send_sync(peer, 6, "/");
    settle_ok(peer, 6, 0);
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    settle_ok(peer, FK_XID_PING, 0);
    send_auth(peer, "digest", "a:b");
    settle_ok(peer, FK_XID_AUTH, 0);
    assert_int_equal(counted(FK_COST_GET_DATA_WATCH), 1);
    assert_int_equal(counted(FK_COST_GET_DATA), 1);
    assert_int_equal(counted(FK_COST_EXISTS_NOT), 1);
    assert_int_equal(counted(FK_COST_EXISTS_NOT_WATCH), 1);
    assert_int_equal(counted_at(FK_COST_GET_CHILDREN, 2), 1); /* /a and /zookeeper, or one of them */
    assert_int_equal(counted(FK_COST_ADD_WATCH), 1);
    assert_int_equal(counted(FK_COST_SYNC), 1);
    assert_int_equal(counted(FK_COST_PING), 1);
    assert_int_equal(counted(FK_COST_AUTH), 1);
    assert_int_equal(counted(FK_COST_EVENT), 0);
    send_set(peer, 7, "/a", data_of(1));
    world_settle();
    assert_int_equal(counted(FK_COST_EVENT), 1); /* once, however many hear it */
    assert_int_equal(counted(FK_COST_SET_DATA), 1);
}

struct found {
    int64_t id;
    struct fk_tally_session tally;
};

static bool find_session(void *context, int64_t id, const struct fk_tally_session *session)
{
    struct found *found = (struct found *)context;
    if (id == found->id) {
        found->tally = *session;
    }
    return id != found->id;
}

static void sessions_pay_for_what_they_asked(void **state)
{
    (void)state;
    struct fk_connect_response first;
    struct fk_connect_response second;
    struct peer *peer = peer_connect(&first);
    (void)peer_connect(&second);
    struct found busy = {.id = first.session_id};
    struct found idle = {.id = second.session_id};
    const struct fk_cost_use made = fk_cost_units(FK_COST_SESSION_NEW, 0, false);
    const struct fk_cost_use create = fk_cost_units(FK_COST_CREATE, 900, false);
    const struct fk_cost_use get = fk_cost_units(FK_COST_GET_DATA, 900, false);
    send_create(peer, 1, "/a", "x", 0);
    settle_ok(peer, 1, 0);
    send_watch(peer, 2, FK_OP_GET_DATA, "/a", false);
    settle_ok(peer, 2, 0);
    fk_inspect_session_tallies(world.gateway, find_session, &busy);
    fk_inspect_session_tallies(world.gateway, find_session, &idle);
    assert_int_equal(busy.tally.requests, 3);
    assert_int_equal(busy.tally.read_units, made.units.read_units + create.units.read_units + get.units.read_units);
    assert_int_equal(busy.tally.write_units, made.units.write_units + create.units.write_units);
    assert_int_equal(busy.tally.queue_requests, create.units.queue_requests);
    assert_int_equal(busy.tally.invocations, create.invocations);
    assert_int_equal(idle.tally.requests, 1);
    assert_int_equal(idle.tally.write_units, made.units.write_units);
}

static void sessions_that_end(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct peer *peer = peer_connect(&response);
    send_create(peer, 1, "/e", "x", FK_CREATE_EPHEMERAL);
    settle_ok(peer, 1, 0);
    peer_hang_up(peer);
    peer = peer_open("10.0.0.1");
    peer_hello(peer,
               &(struct hello){.timeout_ms = 8000, .session_id = response.session_id, .password = response.password});
    world_settle();
    assert_int_equal(counted(FK_COST_SESSION_MOVED), 1);
    peer_hang_up(peer);
    (void)peer_session(); /* without nodes */
    for (size_t i = 0; i < WORLD_PEERS; i++) {
        peer_hang_up(&world.peers[i]);
    }
    world_pass_ms(20000);
    assert_int_equal(counted_at(FK_COST_SESSION_CLOSED, 1), 1);
    assert_int_equal(counted(FK_COST_SESSION_EXPIRED), 1);
}

static void minutes_of_the_last_hour(void **state)
{
    (void)state;
    static int64_t counts[FK_TALLY_CELLS];
    tally = (struct fk_tally){.counts = {0}};
    fk_tally_init(&tally, NULL, 1000);
    fk_tally_add(&tally, NULL, FK_COST_PING, 0);
    fk_tally_tick(&tally, 1000 + 59999);
    assert_true(fk_tally_minute(&tally, 0, counts));
    assert_int_equal(counted_of(counts, FK_COST_PING), 1);
    assert_false(fk_tally_minute(&tally, 1, counts));
    fk_tally_tick(&tally, 1000 + 60000);
    fk_tally_add(&tally, NULL, FK_COST_PING, 0);
    fk_tally_add(&tally, NULL, FK_COST_PING, 0);
    assert_true(fk_tally_minute(&tally, 0, counts));
    assert_int_equal(counted_of(counts, FK_COST_PING), 2);
    assert_true(fk_tally_minute(&tally, 1, counts));
    assert_int_equal(counted_of(counts, FK_COST_PING), 1);
    for (int64_t minute = 2; minute <= 60; minute++) { /* one each */
        fk_tally_tick(&tally, 1000 + minute * 60000);
        fk_tally_add(&tally, NULL, FK_COST_PING, 0);
    }
    assert_true(fk_tally_minute(&tally, 60, counts)); /* the first one */
    assert_int_equal(counted_of(counts, FK_COST_PING), 1);
    assert_true(fk_tally_minute(&tally, 59, counts));
    assert_int_equal(counted_of(counts, FK_COST_PING), 2);
    assert_false(fk_tally_minute(&tally, 61, counts));
    assert_int_equal(fk_tally_running_ms(&tally, 1000 + 60 * 60000 + 7), 7);
    fk_tally_tick(&tally, INT64_C(1000) + INT64_C(10000000) * 60000); /* it slept for years */
    assert_true(fk_tally_minute(&tally, 60, counts));
    assert_int_equal(counted_of(counts, FK_COST_PING), 0);
    assert_int_equal(counted_of(tally.counts, FK_COST_PING), 62);
}

static void what_does_not_parse_counts_as_refused(void **state)
{
    (void)state;
    static const int32_t opcodes[] = {FK_OP_CREATE, FK_OP_CREATE2, FK_OP_CREATE_TTL, FK_OP_SET_DATA,
                                      FK_OP_DELETE, FK_OP_MULTI,   FK_OP_RECONFIG,   FK_OP_SET_ACL};
    tally = (struct fk_tally){.counts = {0}};
    fk_tally_init(&tally, NULL, 0);
    for (size_t i = 0; i < sizeof opcodes / sizeof opcodes[0]; i++) {
        struct fk_tally_write write = fk_tally_write_of(opcodes[i], FK_BYTES_LITERAL("\377"), 0);
        fk_tally_wrote(&tally, NULL, &write, FK_CODE_MARSHALLING_ERROR, FK_BYTES_NULL);
    }
    assert_int_equal(counted_of(tally.counts, FK_COST_CREATE_REFUSED), 8);
}

static const struct CMUnitTest tests[] = {
    TALLY_TEST(writes_by_size),
    TALLY_TEST(kinds_of_creates_and_what_is_refused),
    TALLY_TEST(a_multi_by_its_parts),
    TALLY_TEST(reads_and_their_watches),
    TALLY_TEST(sessions_pay_for_what_they_asked),
    TALLY_TEST(sessions_that_end),
    FK_TEST(minutes_of_the_last_hour),
    FK_TEST(what_does_not_parse_counts_as_refused),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
