// SPDX-License-Identifier: Apache-2.0
/* Sweeps: what they ask for, send again and remove (H13, H21). In both topologies. */
#include "function/sweep.h"

#include "driver/memory/queue.h"
#include "function/cloud_world.h"

static struct cloud cloud;
static bool pipeline;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, pipeline);
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* Decides what sweeps asked for; how many messages that were. */
static size_t answer_requests(void)
{
    size_t total = 0;
    int64_t group = 0;
    while (fk_memory_queue_ready(cloud.ports.queue, &group, 1) > 0) {
        struct fk_delivery delivery;
        size_t count = 0;
        assert_int_equal(fk_memory_queue_receive(cloud.ports.queue, group, 1, 1000, &cloud.arena, &delivery, &count),
                         FK_OK);
        assert_int_equal(count, 1);
        cloud_run(&cloud, delivery.body);
        assert_true(fk_memory_queue_delete(cloud.ports.queue, delivery.receipt));
        total++;
    }
    return total;
}

static struct fk_sweep_result sweep(void)
{
    struct fk_sweep_result result;
    assert_int_equal(fk_sweep_run(&cloud.options, &cloud.ports, &result), FK_OK);
    return result;
}

/* `wall_ms`: what the gateway takes for the time. */
static void renew_at(int64_t id, int64_t acked, int64_t wall_ms)
{
    struct fk_gateway_record record;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_key key = fk_key_gateway(&cloud.arena, id);
    assert_true(cloud_gateway(&cloud, id, &record));
    record.counter++;
    record.acked = acked;
    record.wall_ms = wall_ms;
    fk_gateway_record_write(&buf, &record);
    cloud_put(&cloud, &key, fk_arena_copy(&cloud.arena, fk_buf_view(&buf)));
    fk_buf_deinit(&buf);
}

static void renew(int64_t id, int64_t acked)
{
    renew_at(id, acked, 0); /* as older gateways write it */
}

static void a_silent_gateway_is_declared_dead_after_its_lease(void **state)
{
    (void)state;
    struct fk_gateway_record record;
    assert_int_equal(sweep().gateways_alive, 2); /* seen for the first time */
    fk_memory_clock_advance_ms(&cloud.clock, cloud.options.lease_ms + 2 * cloud.options.skew_ms);
    (void)sweep();
    assert_int_equal(answer_requests(), 0);
    renew(CLOUD_GATEWAY, 0);
    fk_memory_clock_advance_ms(&cloud.clock, 1);
    (void)sweep();
    assert_int_equal(answer_requests(), 1);
    assert_true(cloud_gateway(&cloud, CLOUD_OTHER, &record));
    assert_false(record.alive);
    assert_true(cloud_gateway(&cloud, CLOUD_GATEWAY, &record));
    assert_true(record.alive);
    (void)sweep(); /* it owned nothing */
    assert_false(cloud_gateway(&cloud, CLOUD_OTHER, &record));
}

static void sessions_of_a_dead_gateway_end_after_their_timeout(void **state)
{
    (void)state;
    struct fk_session_record session;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/e", "", 1));
    cloud_ask(&cloud, 0, 0, CLOUD_GATEWAY, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 1));
    fk_memory_clock_advance_ms(&cloud.clock, 10000 + 2 * cloud.options.skew_ms);
    assert_int_equal(sweep().sessions, 1);
    (void)answer_requests();
    assert_true(cloud_session(&cloud, CLOUD_SESSION, &session));
    fk_memory_clock_advance_ms(&cloud.clock, 1);
    (void)sweep();
    assert_true(answer_requests() >= 1);
    assert_false(cloud_session(&cloud, CLOUD_SESSION, &session));
    assert_int_equal(cloud_count(&cloud, "e"), 0);
    assert_int_equal(cloud_count(&cloud, "as"), 0);
}

static void events_are_sent_again_until_they_are_acknowledged(void **state)
{
    (void)state;
    struct fk_events_record events;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_watch(&cloud, "/a", CLOUD_OTHER, FK_WATCH_DATA);
    cloud_do(&cloud, 2, cloud_set(&cloud, "/a", "", -1));
    cloud_clear(&cloud);
    (void)sweep();
    assert_true(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_int_equal(events.zxid, 2);
    assert_int_equal(cloud_count(&cloud, "ev"), 1);
    renew(CLOUD_OTHER, 2);
    (void)sweep();
    assert_false(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_int_equal(cloud_count(&cloud, "ev"), 0);
}

static void due_nodes_are_asked_for(void **state)
{
    (void)state;
    struct fk_node_record node;
    struct fk_request_operation container = cloud_create(&cloud, "/c", "", 4);
    container.op = FK_OP_CREATE_CONTAINER;
    cloud_do(&cloud, 1, container);
    (void)sweep();
    assert_int_equal(answer_requests(), 0); /* it never had children */
    cloud_do(&cloud, 2, cloud_create(&cloud, "/c/x", "", 0));
    (void)sweep();
    assert_int_equal(answer_requests(), 0);
    cloud_do(&cloud, 3, cloud_delete(&cloud, "/c/x"));
    (void)sweep();
    (void)sweep(); /* the queue takes the same request once */
    assert_int_equal(answer_requests(), 1);
    assert_false(cloud_node(&cloud, "/c", &node));
    assert_int_equal(cloud_zx(&cloud).zxid, 4);
}

/* A sweep of the gateway CLOUD_GATEWAY. */
static struct fk_sweep_result sweep_of_gateway(struct fk_sweep_memory *memory)
{
    struct fk_sweep_result result;
    assert_int_equal(fk_sweep_gateways(&cloud.options, &cloud.ports, CLOUD_GATEWAY, memory, &result), FK_OK);
    return result;
}

static void the_small_sweep_looks_at_gateways_only(void **state)
{
    (void)state;
    struct fk_sweep_memory memory = {.seen = NULL};
    struct fk_sweep_result result = sweep_of_gateway(&memory);
    assert_int_equal(result.gateways_alive, 2);
    assert_int_equal(result.sessions, 0);
    cloud_ask(&cloud, 0, 0, CLOUD_OTHER, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 1));
    result = sweep_of_gateway(&memory);
    assert_int_equal(result.sessions, 1); /* somebody died */
    fk_sweep_memory_deinit(&memory);
}

/* Gateways remember each other: nothing is written, and the table's memory is not needed. */
static void a_gateway_finds_who_is_silent_by_itself(void **state)
{
    (void)state;
    struct fk_sweep_memory memory = {.seen = NULL};
    struct fk_gateway_record record;
    int64_t limit_ms = cloud.options.lease_ms + 2 * cloud.options.skew_ms;
    size_t writes = cloud.writes;
    assert_int_equal(sweep_of_gateway(&memory).due_ms, 0);
    fk_memory_clock_advance_ms(&cloud.clock, limit_ms - 10);
    renew(CLOUD_OTHER, 0); /* it moved in time: all begins anew */
    assert_int_equal(sweep_of_gateway(&memory).due_ms, 0);
    fk_memory_clock_advance_ms(&cloud.clock, limit_ms);
    assert_int_equal(sweep_of_gateway(&memory).due_ms, 1);
    assert_int_equal(cloud.writes, writes);
    assert_int_equal(answer_requests(), 0);
    fk_memory_clock_advance_ms(&cloud.clock, 1);
    (void)sweep_of_gateway(&memory);
    assert_int_equal(answer_requests(), 1); /* not itself, silent as it is */
    assert_true(cloud_gateway(&cloud, CLOUD_OTHER, &record));
    assert_false(record.alive);
    assert_true(cloud_gateway(&cloud, CLOUD_GATEWAY, &record));
    assert_true(record.alive);
    fk_sweep_memory_deinit(&memory);
}

static void a_sweep_says_when_sessions_of_the_dead_are_due(void **state)
{
    (void)state;
    struct fk_sweep_memory memory = {.seen = NULL};
    struct fk_session_record session;
    cloud_ask(&cloud, 0, 0, CLOUD_GATEWAY, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 1));
    fk_memory_clock_advance_ms(&cloud.clock, 4000);
    struct fk_sweep_result result;
    assert_int_equal(fk_sweep_gateways(&cloud.options, &cloud.ports, CLOUD_OTHER, &memory, &result), FK_OK);
    assert_int_equal(result.due_ms, 10000 - 4000 + 2 * cloud.options.skew_ms + 1);
    fk_memory_clock_advance_ms(&cloud.clock, result.due_ms);
    assert_int_equal(fk_sweep_gateways(&cloud.options, &cloud.ports, CLOUD_OTHER, &memory, &result), FK_OK);
    assert_int_equal(answer_requests(), 1);
    assert_false(cloud_session(&cloud, CLOUD_SESSION, &session));
    fk_sweep_memory_deinit(&memory);
}

/* The schedule has nothing to remember of a gateway whose lease can't be over. Its word does not count further. */
static void who_renewed_lately_is_not_looked_at(void **state)
{
    (void)state;
    static const struct {
        int64_t ago_ms;
        size_t writes;
    } rows[] = {{0, 0}, {19000, 0}, {19001, 1}, {3600000, 1}, {-2000, 0}, {-2001, 1}, {-3600000, 1}};
    struct fk_gateway_record record;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        renew(CLOUD_OTHER, 0);
        (void)sweep(); /* both are seen */
        size_t writes = cloud.writes;
        renew_at(CLOUD_OTHER, 0, fk_clock_wall_ms(&cloud.clock.base) - rows[i].ago_ms);
        (void)sweep();
        assert_int_equal(cloud.writes - writes, rows[i].writes);
    }
    /* A clock that is ahead for good protects nobody. */
    fk_memory_clock_advance_ms(&cloud.clock, cloud.options.lease_ms + 2 * cloud.options.skew_ms + 1);
    (void)sweep();
    (void)answer_requests();
    assert_true(cloud_gateway(&cloud, CLOUD_OTHER, &record));
    assert_false(record.alive);
}

/* While every gateway lives sessions are looked at now and then; where none does, each time. */
static void sessions_are_looked_at_rarely_while_all_gateways_live(void **state)
{
    (void)state;
    size_t looks = 0;
    renew_at(CLOUD_GATEWAY, 0, fk_clock_wall_ms(&cloud.clock.base));
    renew_at(CLOUD_OTHER, 0, fk_clock_wall_ms(&cloud.clock.base));
    for (int i = 0; i < 1000; i++) {
        looks += sweep().sessions;
    }
    assert_in_range(looks, 50, 200); /* one in ten */
    cloud_ask(&cloud, 0, 0, CLOUD_OTHER, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 2));
    assert_int_equal(sweep().sessions, 1);
    cloud_ask(&cloud, 0, 0, CLOUD_GATEWAY, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 2));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(sweep().sessions, 1);
    }
}

static const struct CMUnitTest tests[] = {
    ROW(a_silent_gateway_is_declared_dead_after_its_lease),
    ROW(sessions_of_a_dead_gateway_end_after_their_timeout),
    ROW(events_are_sent_again_until_they_are_acknowledged),
    ROW(due_nodes_are_asked_for),
    ROW(the_small_sweep_looks_at_gateways_only),
    ROW(a_gateway_finds_who_is_silent_by_itself),
    ROW(a_sweep_says_when_sessions_of_the_dead_are_due),
    ROW(who_renewed_lately_is_not_looked_at),
    ROW(sessions_are_looked_at_rarely_while_all_gateways_live),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("single hop", tests, NULL, NULL);
    pipeline = true;
    return failed + cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
