// SPDX-License-Identifier: Apache-2.0
/* Op 102 with a driver of the test's own, enforced schemes, and slow answers to who fails often. */
#include "world.h"

#include "base/alloc.h"
#include "base/container.h"

/* Takes "more" for another step, "NAME!" for a proof of NAME, everything else for a failure. */
struct driver {
    struct fk_sasl base;
    int alive; /* exchanges that were begun and not ended */
};

struct fk_sasl_exchange {
    int steps;
};

static struct driver driver;

static struct fk_sasl_exchange *begin(struct fk_sasl *sasl)
{
    struct fk_sasl_exchange *exchange = (struct fk_sasl_exchange *)fk_alloc_zero(sizeof *exchange);
    FK_CONTAINER_OF(sasl, struct driver, base)->alive += exchange != NULL ? 1 : 0;
    return exchange;
}

static enum fk_sasl_result step(struct fk_sasl *sasl, struct fk_sasl_exchange *exchange, struct fk_bytes token,
                                struct fk_buf *reply, bool *has_reply, struct fk_buf *identity)
{
    (void)sasl;
    exchange->steps++;
    if (fk_bytes_equal_text(token, "more")) {
        *has_reply = true;
        fk_buf_print(reply, "%d", exchange->steps);
        return FK_SASL_CONTINUE;
    }
    if (token.size == 0 || token.data[token.size - 1] != '!') {
        return FK_SASL_FAILED;
    }
    fk_buf_append(identity, fk_bytes_head(token, token.size - 1));
    return FK_SASL_DONE;
}

static void end(struct fk_sasl *sasl, struct fk_sasl_exchange *exchange)
{
    FK_CONTAINER_OF(sasl, struct driver, base)->alive--;
    fk_free(exchange);
}

static const struct fk_sasl_ops ops = {.begin = begin, .step = step, .end = end};

/* A gateway whose clients may use the driver. */
static void serve(struct fk_auth_options auth, bool blocks)
{
    driver = (struct driver){.base = {.ops = &ops, .blocks = blocks}};
    auth.sasl = &driver.base;
    world.options.auth = auth;
    world_restart();
}

static void send_token(struct peer *peer, int32_t xid, const char *token)
{
    struct fk_buf *body = request_begin(xid, FK_OP_SASL);
    fk_write_bytes(body, token == NULL ? FK_BYTES_NULL : fk_bytes_text(token));
    request_end(peer);
}

/* The answer has a token, or the null one (NULL), with an error too. */
static void expect_token(struct peer *peer, int32_t xid, int32_t code, const char *token)
{
    struct fk_reader reader = fk_reader_of(peer_frame(peer));
    assert_int_equal(fk_read_i32(&reader), xid);
    (void)fk_read_i64(&reader);
    assert_int_equal(fk_read_i32(&reader), code);
    struct fk_bytes got = fk_read_bytes(&reader);
    assert_false(reader.failed);
    if (token == NULL) {
        assert_null(got.data);
    } else {
        fk_assert_text(got, token);
    }
}

static struct peer *session_from(const char *address)
{
    struct peer *peer = peer_open(address);
    peer_hello(peer, &(struct hello){.timeout_ms = 40000});
    world_settle();
    (void)peer_welcome(peer);
    return peer;
}

/* Who it is, behind its address. */
static void expect_ids(struct peer *peer, int32_t xid, int32_t count, const char *scheme, const char *name)
{
    bool found = scheme == NULL;
    send_plain(peer, xid, FK_OP_WHO_AM_I);
    world_settle();
    struct fk_reader reader = expect_reply(peer, xid, 0);
    assert_int_equal(fk_read_count(&reader, 8), count);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes one = fk_read_bytes(&reader);
        struct fk_bytes id = fk_read_bytes(&reader);
        found = found || (fk_bytes_equal_text(one, scheme) && fk_bytes_equal_text(id, name));
    }
    assert_true(found);
}

static void steps_and_a_name(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.sasl_supers = "root\n"}, false);
    struct peer *peer = session_from("10.0.0.1");
    send_token(peer, 1, "more");
    send_token(peer, 2, "more");
    send_token(peer, 3, "bob!");
    world_settle();
    expect_token(peer, 1, 0, "1");
    expect_token(peer, 2, 0, "2");
    expect_token(peer, 3, 0, NULL);
    expect_ids(peer, 4, 2, "sasl", "bob");
    struct peer *root = session_from("10.0.0.2");
    send_token(root, 1, "root!");
    world_settle();
    expect_token(root, 1, 0, NULL);
    expect_ids(root, 2, 3, "super", "");
    assert_int_equal(driver.alive, 0);
}

static void a_failure_ends_the_connection(void **state)
{
    static const char *const tokens[] = {"no", "", NULL, "!"};
    (void)state;
    serve((struct fk_auth_options){.sasl_supers = NULL}, false);
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        struct peer *peer = session_from("10.0.0.1");
        send_token(peer, 1, tokens[i]);
        send_plain(peer, 2, FK_OP_PING); /* not looked at */
        world_settle();
        expect_token(peer, 1, FK_CODE_AUTH_FAILED, NULL);
        assert_true(peer_quiet(peer) && peer_closed(peer));
    }
    assert_int_equal(driver.alive, 0);
}

static void there_is_one_name_and_one_exchange(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.sasl_supers = NULL}, false);
    struct peer *peer = session_from("10.0.0.1");
    send_token(peer, 1, "bob!");
    send_token(peer, 2, "eve!");
    world_settle();
    expect_token(peer, 1, 0, NULL);
    expect_token(peer, 2, FK_CODE_AUTH_FAILED, NULL);
    assert_true(peer_closed(peer));
    peer = session_from("10.0.0.1");
    for (int32_t i = 1; i <= FK_SASL_STEPS_MAX + 1; i++) {
        send_token(peer, i, "more");
    }
    world_settle();
    for (int32_t i = 1; i <= FK_SASL_STEPS_MAX; i++) {
        (void)expect_reply(peer, i, 0);
    }
    expect_token(peer, FK_SASL_STEPS_MAX + 1, FK_CODE_AUTH_FAILED, NULL);
    assert_int_equal(driver.alive, 0);
}

static void who_may_fail_stays(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.allow_sasl_failed = true}, false);
    struct peer *peer = session_from("10.0.0.1");
    send_token(peer, 1, "no");
    world_settle();
    expect_token(peer, 1, 0, NULL);
    expect_ids(peer, 2, 1, NULL, NULL);
    serve((struct fk_auth_options){.allow_sasl_failed = true, .enforced_schemes = "x509, sasl"}, false);
    peer = session_from("10.0.0.1");
    send_token(peer, 1, "no");
    world_settle();
    expect_token(peer, 1, FK_CODE_SASL_REQUIRED, NULL);
    assert_true(peer_closed(peer));
}

static void enforced_schemes(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.enforced_schemes = " digest ,sasl"}, false);
    struct peer *stranger = session_from("10.0.0.1");
    send_create(stranger, 1, "/a", "", 0);
    send_create(stranger, 2, "/b", "", 0);
    world_settle();
    (void)expect_reply(stranger, 1, FK_CODE_SASL_REQUIRED);
    assert_true(peer_quiet(stranger) && peer_closed(stranger));
    struct peer *digest = session_from("10.0.0.1");
    send_auth(digest, "digest", "a:b");
    send_create(digest, 1, "/a", "", 0);
    world_settle();
    (void)expect_reply(digest, FK_XID_AUTH, 0);
    (void)expect_reply(digest, 1, 0);
    struct peer *sasl = session_from("10.0.0.1");
    send_token(sasl, 1, "bob!");
    send_create(sasl, 2, "/b", "", 0);
    world_settle();
    expect_token(sasl, 1, 0, NULL);
    (void)expect_reply(sasl, 2, 0);
}

/* A step at the host: its connection waits, the other one does not. */
static void a_step_that_waits_holds_up_its_connection_only(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.sasl_supers = NULL}, true);
    struct peer *peer = session_from("10.0.0.1");
    struct peer *other = session_from("10.0.0.2");
    send_token(peer, 1, "bob!");
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    send_plain(other, FK_XID_PING, FK_OP_PING);
    world_settle();
    (void)expect_reply(other, FK_XID_PING, 0);
    assert_true(peer_quiet(peer));
    struct fk_sasl_job *job = fk_gateway_take_sasl(world.gateway);
    assert_non_null(job);
    assert_null(fk_gateway_take_sasl(world.gateway));
    fk_sasl_job_run(job);
    fk_gateway_sasl_done(world.gateway, job);
    world_settle();
    expect_token(peer, 1, 0, NULL);
    (void)expect_reply(peer, FK_XID_PING, 0);
    expect_ids(peer, 2, 2, "sasl", "bob");
}

static void who_leaves_in_the_middle_leaves_nothing(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.sasl_supers = NULL}, true);
    struct peer *queued = session_from("10.0.0.1");
    struct peer *running = session_from("10.0.0.2");
    send_token(running, 1, "bob!");
    world_settle();
    struct fk_sasl_job *job = fk_gateway_take_sasl(world.gateway);
    send_token(queued, 1, "bob!");
    world_settle();
    peer_hang_up(queued);
    peer_hang_up(running);
    assert_null(fk_gateway_take_sasl(world.gateway));
    assert_int_equal(driver.alive, 1);
    fk_sasl_job_run(job);
    fk_gateway_sasl_done(world.gateway, job);
    assert_int_equal(driver.alive, 0);
}

static void an_exchange_that_takes_too_long_ends(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.sasl_supers = NULL}, false);
    struct peer *peer = session_from("10.0.0.1");
    send_token(peer, 1, "more");
    world_settle();
    (void)expect_reply(peer, 1, 0);
    world_pass_ms(FK_SASL_EXCHANGE_MS - 1000);
    assert_false(peer_closed(peer));
    world_pass_ms(3000);
    assert_true(peer_closed(peer));
    assert_int_equal(driver.alive, 0);
}

static void fail_often(const char *address)
{
    for (int i = 0; i < FK_AUTH_FAILURES_MAX; i++) {
        struct peer *peer = session_from(address);
        send_token(peer, 1, "no");
        world_settle();
        expect_token(peer, 1, FK_CODE_AUTH_FAILED, NULL);
        peer_hang_up(peer);
    }
}

static void who_fails_often_is_answered_late(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.sasl_supers = NULL}, false);
    fail_often("2001:db8::1");
    struct peer *late = session_from("2001:db8::2"); /* of the same network */
    struct peer *other = session_from("2001:db8:0:1::1");
    send_plain(late, FK_XID_PING, FK_OP_PING);
    send_token(late, 1, "bob!");
    send_token(other, 1, "bob!");
    world_settle();
    expect_token(other, 1, 0, NULL);
    (void)expect_reply(late, FK_XID_PING, 0); /* only the attempt waits, and what is behind it */
    assert_true(peer_quiet(late));
    world_pass_ms(FK_AUTH_DELAY_MS + WORLD_TICK_MS / 2);
    expect_token(late, 1, 0, NULL);
    world_pass_ms(FK_AUTH_WINDOW_MS);
    late = session_from("2001:db8::3");
    send_token(late, 1, "bob!");
    world_settle();
    expect_token(late, 1, 0, NULL);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    serve((struct fk_auth_options){.sasl_supers = NULL}, false);
    for (uint64_t nth = 1; nth < 40; nth++) {
        struct peer *peer = session_from("10.0.0.1");
        struct fk_buf *body = request_begin(1, FK_OP_SASL);
        fk_write_bytes(body, FK_BYTES_LITERAL("bob!"));
        fk_test_fail_alloc(nth);
        request_end(peer);
        world_settle();
        fk_test_fail_alloc(0);
        peer_hang_up(peer);
        assert_int_equal(driver.alive, 0);
    }
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(steps_and_a_name),
    WORLD_TEST(a_failure_ends_the_connection),
    WORLD_TEST(there_is_one_name_and_one_exchange),
    WORLD_TEST(who_may_fail_stays),
    WORLD_TEST(enforced_schemes),
    WORLD_TEST(a_step_that_waits_holds_up_its_connection_only),
    WORLD_TEST(who_leaves_in_the_middle_leaves_nothing),
    WORLD_TEST(an_exchange_that_takes_too_long_ends),
    WORLD_TEST(who_fails_often_is_answered_late),
    WORLD_TEST(each_allocation_may_fail),
};

FK_TEST_MAIN(tests)
