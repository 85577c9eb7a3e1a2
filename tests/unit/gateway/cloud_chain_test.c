// SPDX-License-Identifier: Apache-2.0
/* The chain of events, leases and generations (protocol.md H13, H20, H21). */
#include "cloud_world.h"

#include "function/single_hop.h"

static struct fk_connect_response session;

static struct fk_gateway_record self(size_t gateway, int64_t *stamp)
{
    struct fk_gateway_record record = {.counter = 0};
    struct fk_key key = fk_key_gateway(&cloud.arena, cloud.at[gateway].id);
    struct fk_item item;
    assert_int_equal(fk_table_get(cloud.ports.table, &key, &cloud.arena, &item), FK_OK);
    *stamp = item.stamp;
    if (item.stamp != 0) {
        assert_int_equal(fk_gateway_record_read(item.value, &record), FK_OK);
    }
    return record;
}

/* Declares a gateway dead, as a sweep would, at the counter that it has now. */
static void declare_dead(size_t gateway)
{
    int64_t stamp = 0;
    struct fk_buf message = FK_BUF_EMPTY;
    uint8_t body[8];
    size_t done = 0;
    fk_store_u64(body, (uint64_t)self(gateway, &stamp).counter);
    fk_request_message_begin(
        &message, &(struct fk_request_message){.gateway = cloud.at[gateway].id, .ids = FK_BYTES_LITERAL("\0\0\0\0")});
    fk_request_message_add(
        &message, &(struct fk_request_operation){.op = FK_OP_GATEWAY_DEAD, .body = fk_bytes_of(body, sizeof body)});
    struct fk_bytes view = fk_buf_view(&message);
    assert_int_equal(fk_single_hop_run(&cloud.options, &cloud.ports, &view, 1, &done), FK_OK);
    fk_buf_deinit(&message);
    assert_false(self(gateway, &stamp).alive);
}

static struct peer *watcher(const char *first, const char *second)
{
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, first, "x");
    cloud_commit(FK_OP_CREATE, second, "x");
    send_watch(peer, 1, FK_OP_GET_DATA, first, true);
    send_watch(peer, 2, FK_OP_GET_DATA, second, true);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    return peer;
}

/* Sweeps send again what was not acknowledged. */
static void no_sweeps(void)
{
    cloud_hold(0, "sweep");
    cloud_hold(1, "sweep");
}

static void pass_period(struct peer *peer)
{
    cloud_pass_ms(cloud.options.period_ms);
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    cloud_settle();
    (void)expect_reply(peer, FK_XID_PING, 0);
}

static void an_event_does_not_pass_one_that_is_missing(void **state)
{
    (void)state;
    struct peer *peer = watcher("/a", "/b");
    cloud_hold(0, "fetch");
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_lose_messages(0);
    cloud_commit(FK_OP_SET_DATA, "/b", "y");
    cloud_settle();
    assert_true(peer_quiet(peer));
    assert_int_equal(cloud_held(0, "fetch"), 1);
    cloud_go(0, "fetch");
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/b");
    assert_true(peer_quiet(peer));
}

static void an_event_that_comes_twice_counts_once(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    struct fk_buf *frame = request_begin(1, FK_OP_ADD_WATCH);
    fk_write_bytes(frame, FK_BYTES_LITERAL("/a"));
    fk_write_i32(frame, 0);
    request_end(peer);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    cloud.repeat_messages = true;
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_settle();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    assert_true(peer_quiet(peer));
}

/* Nothing follows the lost event: the renewal finds that there is one. */
static void the_last_event_is_found_by_the_renewal(void **state)
{
    (void)state;
    struct peer *peer = watcher("/a", "/b");
    no_sweeps();
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_lose_messages(0);
    cloud_pass_ms(1000);
    assert_true(peer_quiet(peer));
    cloud_pass_ms(cloud.options.period_ms);
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
}

static void only_applied_events_are_acknowledged(void **state)
{
    (void)state;
    int64_t stamp = 0;
    struct peer *peer = watcher("/a", "/b");
    no_sweeps();
    cloud_hold(0, "fetch");
    pass_period(peer);
    int64_t before = self(0, &stamp).acked;
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    int64_t missing = cloud_zx().zxid;
    cloud_lose_messages(0);
    cloud_commit(FK_OP_SET_DATA, "/b", "y");
    pass_period(peer);
    pass_period(peer);
    assert_true(self(0, &stamp).acked >= before);
    assert_true(self(0, &stamp).acked < missing);
    cloud_go(0, "fetch");
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/b");
    cloud_pass_ms(cloud.options.period_ms);
    assert_true(self(0, &stamp).acked > missing);
}

/* A gateway that nobody tells anything is as far as the store: events would never be trimmed otherwise. */
static void an_idle_gateway_follows_the_store(void **state)
{
    (void)state;
    int64_t stamp = 0;
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud_pass_ms(3 * cloud.options.period_ms);
    assert_int_equal(self(1, &stamp).acked, cloud_zx().zxid);
}

static void a_renewal_raises_the_counter(void **state)
{
    (void)state;
    int64_t stamp = 0;
    int64_t before = self(0, &stamp).counter;
    cloud_pass_ms(cloud.options.period_ms + 200);
    assert_int_equal(self(0, &stamp).counter, before + 1);
    cloud.table.fail_writes = FK_ERR_UNKNOWN;
    cloud.table.applied = true;
    cloud.table.count = 1;
    cloud_pass_ms(cloud.options.period_ms + 200);
    assert_true(self(0, &stamp).counter > before + 1);
    assert_false(fk_cloud_gateway_dead(cloud.at[0].gateway));
}

/* It knows the stamp that its last renewal gave the record: nothing has to be read for the next one to be valid. */
static void a_renewal_does_not_read_the_record_first(void **state)
{
    (void)state;
    int64_t stamp = 0;
    int64_t before = self(0, &stamp).counter;
    cloud.table.fail_reads = FK_ERR_BUSY;
    for (int i = 0; i < 4; i++) {
        cloud_pass_ms(cloud.options.period_ms);
    }
    cloud.table.fail_reads = FK_OK;
    assert_true(self(0, &stamp).counter >= before + 4);
    assert_null(fk_gateway_unready(cloud.at[0].gateway));
}

/* The stamp is another one: a fence of its own. Only then it reads. */
static void a_renewal_reads_the_record_where_it_has_changed(void **state)
{
    (void)state;
    int64_t stamp = 0;
    struct fk_gateway_record record = self(0, &stamp);
    struct fk_buf value = FK_BUF_EMPTY;
    record.counter += 10;
    fk_gateway_record_write(&value, &record);
    struct fk_write write = {.kind = FK_WRITE_PUT,
                             .key = fk_key_gateway(&cloud.arena, cloud.at[0].id),
                             .expected = stamp,
                             .value = fk_buf_view(&value)};
    assert_int_equal(fk_table_write(cloud.ports.table, &write, 1), FK_OK);
    fk_buf_deinit(&value);
    cloud_pass_ms(cloud.options.period_ms + 200);
    assert_int_equal(self(0, &stamp).counter, record.counter + 1);
    assert_false(fk_cloud_gateway_dead(cloud.at[0].gateway));
}

/* ADR 0009: one look until its silence is seen, L + 2 skew, the timeout + 2 skew; and the time of two commits. */
static void sessions_of_a_silent_gateway_end_within_the_bound(void **state)
{
    (void)state;
    bool exists = true;
    const struct fk_cloud_options *options = &cloud.options;
    struct peer *peer = cloud_connect(1, &session);
    pass_period(peer);
    cloud_hold(1, "renew");
    cloud_hold(1, "sweep");
    int64_t stamp = 0;
    int64_t renewed_ms = self(1, &stamp).wall_ms;
    int64_t bound_ms = options->look_ms + options->lease_ms + session.timeout_ms + 4 * (int64_t)options->skew_ms;
    cloud_leave(peer);
    cloud_hold(1, "expire"); /* it is silent altogether */
    while (exists) {
        cloud_pass_ms(100);
        (void)cloud_session(session.session_id, &exists);
        assert_true(fk_clock_wall_ms(&cloud.clock.base) - renewed_ms <= bound_ms + 500);
    }
    assert_true(fk_clock_wall_ms(&cloud.clock.base) - renewed_ms > options->lease_ms + session.timeout_ms);
}

static void nothing_is_sent_after_the_lease(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_hold(0, "renew");
    for (int64_t passed = 0; passed < cloud.options.lease_ms - 2000; passed += 2000) {
        cloud_pass_ms(2000);
        send_plain(peer, FK_XID_PING, FK_OP_PING);
        cloud_settle();
        (void)expect_reply(peer, FK_XID_PING, 0);
    }
    fk_memory_clock_advance_ms(&cloud.clock, 2500);
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    cloud_settle();
    assert_true(peer_quiet(peer)); /* not even a pong */
    cloud_go(0, "renew");
    (void)expect_reply(peer, FK_XID_PING, 0); /* it was alive after all */
}

/* The lease counts from the start of the renewal, not from when it was heard of. */
static void the_lease_begins_with_the_renewals_start(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_hold(0, "renew");
    pass_period(peer);
    assert_int_equal(cloud_held(0, "renew"), 1);
    cloud_run_held(0, "renew");
    for (int i = 0; i < 4; i++) { /* its answer takes a while */
        cloud_pass_ms(2000);
        send_plain(peer, FK_XID_PING, FK_OP_PING);
        cloud_settle();
        (void)expect_reply(peer, FK_XID_PING, 0);
    }
    cloud_go(0, "renew");
    cloud_hold(0, "renew");
    fk_memory_clock_advance_ms(&cloud.clock, cloud.options.lease_ms - 8000 + 200);
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    cloud_settle();
    assert_true(peer_quiet(peer));
}

static void a_dead_gateway_finds_out_by_its_renewal(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    declare_dead(0);
    assert_false(fk_cloud_gateway_dead(cloud.at[0].gateway));
    cloud_pass_ms(cloud.options.period_ms + 200);
    assert_true(fk_cloud_gateway_dead(cloud.at[0].gateway));
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
    assert_null(fk_gateway_take_job(cloud.at[0].gateway));
    assert_false(fk_cloud_gateway_dead(cloud.at[1].gateway));
}

/* Somebody restores a backup: what was acknowledged since is gone, and its readers must not go on as if it were there.
 */
static void a_store_that_was_set_back_ends_its_gateways(void **state)
{
    (void)state;
    struct peer *peer = watcher("/a", "/b");
    struct fk_key key = fk_key_zx();
    struct fk_item item;
    struct fk_zx_record zx;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf value = FK_BUF_EMPTY;
    assert_int_equal(fk_table_get(cloud.ports.table, &key, &arena, &item), FK_OK);
    assert_int_equal(fk_zx_record_read(item.value, &arena, &zx), FK_OK);
    zx.zxid--;
    fk_zx_record_write(&value, &zx);
    struct fk_write write = {.kind = FK_WRITE_PUT, .key = key, .expected = item.stamp, .value = fk_buf_view(&value)};
    assert_int_equal(fk_table_write(cloud.ports.table, &write, 1), FK_OK);
    cloud_pass_ms(cloud.options.period_ms + 200);
    assert_true(fk_cloud_gateway_dead(cloud.at[0].gateway));
    assert_true(peer_closed(peer));
    fk_buf_deinit(&value);
    fk_arena_deinit(&arena);
}

/* Nobody lists a dead gateway any more, so its clients would see data without their events. */
static void a_dead_gateway_shows_nothing_newer(void **state)
{
    (void)state;
    struct peer *peer = watcher("/a", "/b");
    declare_dead(0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_commit(FK_OP_CREATE, "/c", "x");
    send_watch(peer, 3, FK_OP_GET_DATA, "/c", false);
    cloud_settle();
    assert_true(fk_cloud_gateway_dead(cloud.at[0].gateway));
    assert_true(peer_closed(peer));
    assert_true(peer_quiet(peer));
}

static void an_answer_of_a_newer_generation_is_checked_first(void **state)
{
    (void)state;
    struct peer *peer = watcher("/a", "/b");
    cloud.hold_function = true;
    send_create(peer, 3, "/d", "x", 0);
    cloud_settle();
    declare_dead(0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_run_function();
    cloud_hold(0, "fetch");
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_go(0, "fetch");
    assert_true(fk_cloud_gateway_dead(cloud.at[0].gateway));
    assert_true(peer_quiet(peer));
}

static void a_living_gateway_takes_the_generation_over(void **state)
{
    (void)state;
    struct peer *peer = watcher("/a", "/b");
    declare_dead(1);
    send_create(peer, 3, "/d", "x", 0);
    send_watch(peer, 4, FK_OP_GET_DATA, "/d", false);
    cloud_settle();
    (void)expect_reply(peer, 3, 0);
    (void)expect_reply(peer, 4, 0);
    assert_false(fk_cloud_gateway_dead(cloud.at[0].gateway));
    cloud_hold(0, "fetch");
    send_create(peer, 5, "/e", "x", 0);
    cloud_settle();
    (void)expect_reply(peer, 5, 0); /* known now */
    assert_int_equal(cloud_held(0, "fetch"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOUD_TEST(an_event_does_not_pass_one_that_is_missing),
        CLOUD_TEST(an_event_that_comes_twice_counts_once),
        CLOUD_TEST(the_last_event_is_found_by_the_renewal),
        CLOUD_TEST(only_applied_events_are_acknowledged),
        CLOUD_TEST(an_idle_gateway_follows_the_store),
        CLOUD_TEST(a_renewal_raises_the_counter),
        CLOUD_TEST(a_renewal_does_not_read_the_record_first),
        CLOUD_TEST(a_renewal_reads_the_record_where_it_has_changed),
        CLOUD_TEST(sessions_of_a_silent_gateway_end_within_the_bound),
        CLOUD_TEST(nothing_is_sent_after_the_lease),
        CLOUD_TEST(the_lease_begins_with_the_renewals_start),
        CLOUD_TEST(a_dead_gateway_finds_out_by_its_renewal),
        CLOUD_TEST(a_store_that_was_set_back_ends_its_gateways),
        CLOUD_TEST(a_dead_gateway_shows_nothing_newer),
        CLOUD_TEST(an_answer_of_a_newer_generation_is_checked_first),
        CLOUD_TEST(a_living_gateway_takes_the_generation_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
