// SPDX-License-Identifier: Apache-2.0
/* The functions as Lambda calls them, over the memory drivers. */
#include "host/lambda_function.h"

#include "base/base64.h"
#include "base/log.h"
#include "function/cloud_world.h"
#include "wire/codes.h"

#include <stdio.h>

static struct cloud cloud;
static struct fk_lambda_function function;
static struct fk_buf event;
static struct fk_buf out;
static struct fk_lambda_error error;
static struct fk_invocation invocation;

/* What the hooks were asked for. */
static struct {
    size_t switched;
    bool enabled;
    bool gateway_comes; /* between the sweep and the switch */
    enum fk_err err;
} schedule;

static enum fk_err set_schedule(void *context, bool enabled)
{
    (void)context;
    schedule.switched++;
    schedule.enabled = enabled;
    if (schedule.gateway_comes) {
        schedule.gateway_comes = false;
        cloud_add_gateway(&cloud, CLOUD_OTHER + 1);
    }
    return schedule.err;
}

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, false);
    function = (struct fk_lambda_function){.kind = FK_LAMBDA_WRITER,
                                           .options = cloud.options,
                                           .ports = &cloud.ports,
                                           .hooks = {.set_schedule = set_schedule}};
    event = out = FK_BUF_EMPTY;
    invocation = (struct fk_invocation){.request_id = FK_BYTES_LITERAL("r")};
    memset(&schedule, 0, sizeof schedule);
    memset(&error, 0, sizeof error);
    return result;
}

static int teardown(void **state)
{
    fk_buf_deinit(&event);
    fk_buf_deinit(&out);
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static bool run(const char *text)
{
    invocation.event = fk_bytes_text(text);
    fk_buf_clear(&out);
    return fk_lambda_run(&function, &invocation, &cloud.arena, &out, &error);
}

/* Adds a message to the event. */
static void add(const char *id, const char *group, struct fk_bytes body)
{
    fk_buf_print(&event, "%s{\"messageId\":\"%s\",\"attributes\":{\"MessageGroupId\":\"%s\"},\"body\":\"",
                 event.size == 0 ? "{\"Records\":[" : ",", id, group);
    fk_base64_append(&event, body);
    fk_buf_print(&event, "\"}");
}

static bool run_event(void)
{
    fk_buf_print(&event, "]}");
    invocation.event = fk_buf_view(&event);
    fk_buf_clear(&out);
    return fk_lambda_run(&function, &invocation, &cloud.arena, &out, &error);
}

static struct fk_bytes create(int64_t number, const char *path)
{
    struct fk_request_operation operation = cloud_create(&cloud, path, "", 0);
    return cloud_message(&cloud, number, &operation, 1);
}

static struct fk_bytes newer(void)
{
    uint8_t *bytes = (uint8_t *)fk_arena_alloc(&cloud.arena, 64);
    memset(bytes, 0, 64);
    bytes[3] = FK_MESSAGE_FORMAT_NEWEST + 1;
    return fk_bytes_of(bytes, 64);
}

static void a_batch_is_decided(void **state)
{
    struct fk_node_record node;
    (void)state;
    add("a", "0", create(1, "/a"));
    add("b", "0", create(2, "/a/b"));
    assert_true(run_event());
    fk_assert_text(fk_buf_view(&out), "{\"batchItemFailures\":[]}");
    assert_true(cloud_node(&cloud, "/a/b", &node));
}

static void what_is_not_done_and_all_behind_it_fail(void **state)
{
    struct fk_node_record node;
    (void)state;
    add("a", "0", create(1, "/a"));
    add("b", "0", newer());
    add("c", "0", create(2, "/c"));
    assert_true(run_event());
    fk_assert_text(fk_buf_view(&out),
                   "{\"batchItemFailures\":[{\"itemIdentifier\":\"b\"},{\"itemIdentifier\":\"c\"}]}");
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_false(cloud_node(&cloud, "/c", &node));
}

static void groups_do_not_wait_for_each_other(void **state)
{
    struct fk_node_record node;
    (void)state;
    add("a", "7", newer());
    add("b", "8", create(1, "/b"));
    add("c", "7", create(2, "/c"));
    add("d", "8", create(2, "/d"));
    assert_true(run_event());
    fk_assert_text(fk_buf_view(&out),
                   "{\"batchItemFailures\":[{\"itemIdentifier\":\"a\"},{\"itemIdentifier\":\"c\"}]}");
    assert_true(cloud_node(&cloud, "/b", &node));
    assert_true(cloud_node(&cloud, "/d", &node));
}

static void garbage_is_dropped(void **state)
{
    struct fk_node_record node;
    (void)state;
    add("a", "0", FK_BYTES_LITERAL("\0\0\0\1x"));
    add("b", "0", create(1, "/b"));
    assert_true(run_event());
    fk_assert_text(fk_buf_view(&out), "{\"batchItemFailures\":[]}");
    assert_true(cloud_node(&cloud, "/b", &node));
}

static void nothing_begins_that_could_not_end(void **state)
{
    struct fk_node_record node;
    (void)state;
    invocation.deadline_ms = cloud.clock.wall_ms + 1500;
    add("a", "0", create(1, "/a"));
    assert_true(run_event());
    fk_assert_text(fk_buf_view(&out), "{\"batchItemFailures\":[{\"itemIdentifier\":\"a\"}]}");
    assert_false(cloud_node(&cloud, "/a", &node));
}

static void tries_end_before_the_deadline(void **state)
{
    (void)state;
    int64_t began_ms = cloud.clock.wall_ms;
    invocation.deadline_ms = began_ms + 6000;
    cloud_fail(&cloud, 1, CLOUD_BUSY);
    cloud.fault_always = true;
    add("a", "0", create(1, "/a"));
    assert_true(run_event());
    fk_assert_text(fk_buf_view(&out), "{\"batchItemFailures\":[{\"itemIdentifier\":\"a\"}]}");
    assert_in_range(cloud.clock.wall_ms - began_ms, 4000, 5500);
}

static void malformed_events_are_errors(void **state)
{
    (void)state;
    assert_false(run("{\"Records\":["));
    assert_string_equal(error.type, "Event.Malformed");
    assert_false(run("{}"));
    assert_string_equal(error.type, "Event.Malformed");
    assert_non_null(strstr(error.text, "Records"));
    function.kind = FK_LAMBDA_HEARTBEAT;
    assert_false(run("7"));
    assert_string_equal(error.type, "Event.Malformed");
}

static void the_pipeline_has_a_writer_and_a_distributor(void **state)
{
    struct fk_node_record node;
    (void)state;
    cloud_deinit(&cloud);
    cloud_init(&cloud, true);
    function.options = cloud.options;
    add("a", "7", create(1, "/a"));
    assert_true(run_event());
    fk_assert_text(fk_buf_view(&out), "{\"batchItemFailures\":[]}");
    assert_int_equal(cloud_entries(&cloud), 1);
    assert_false(cloud_node(&cloud, "/a", &node));
    function.kind = FK_LAMBDA_DISTRIBUTOR;
    fk_buf_clear(&event);
    add("x", "0", FK_BYTES_LITERAL("\0\0\0\1x"));
    assert_true(run_event());
    fk_assert_text(fk_buf_view(&out), "{\"batchItemFailures\":[]}");
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_node(&cloud, "/a", &node));
}

static void a_sweep_tells_what_it_found(void **state)
{
    (void)state;
    function.kind = FK_LAMBDA_HEARTBEAT;
    function.options.session_sweeps = 1;
    assert_true(run("{\"source\":\"faaskeeper.schedule\"}"));
    fk_assert_text(fk_buf_view(&out), "{\"gateways\":2,\"sessions\":1}");
    assert_int_equal(schedule.switched, 0);
    function.kind = FK_LAMBDA_WATCH;
    assert_true(run("{}"));
    assert_int_equal(schedule.switched, 0);
}

static enum fk_err collected(void *context)
{
    (*(size_t *)context)++;
    return FK_OK;
}

static void queues_of_dead_gateways_are_looked_for_now_and_then(void **state)
{
    (void)state;
    size_t collections = 0;
    function.kind = FK_LAMBDA_HEARTBEAT;
    function.hooks = (struct fk_lambda_hooks){.collect = collected, .context = &collections};
    for (int i = 0; i < 300; i++) {
        assert_true(run("{}"));
    }
    assert_in_range(collections, 1, 20); /* one in sixty */
    function.options.orphan_sweeps = 1;
    size_t before = collections;
    assert_true(run("{}"));
    assert_int_equal(collections, before + 1);
}

static void a_failed_sweep_is_an_error(void **state)
{
    (void)state;
    function.kind = FK_LAMBDA_HEARTBEAT;
    cloud_fail(&cloud, 1, CLOUD_BUSY);
    cloud.fault_always = true;
    assert_false(run("{}"));
    assert_string_equal(error.type, "Function.SweepFailed");
}

/* A deployment that nobody uses. */
static void empty_the_world(void)
{
    cloud_deinit(&cloud);
    cloud_init(&cloud, false);
    struct fk_item item;
    struct fk_key keys[3] = {fk_key_gateway(&cloud.arena, CLOUD_GATEWAY), fk_key_gateway(&cloud.arena, CLOUD_OTHER),
                             fk_key_session(&cloud.arena, CLOUD_SESSION)};
    for (size_t i = 0; i < 3; i++) {
        assert_true(cloud_item(&cloud, &keys[i], &item));
        struct fk_write write = {.kind = FK_WRITE_DELETE, .key = keys[i], .expected = FK_STAMP_ANY};
        assert_int_equal(fk_table_write(cloud.ports.table, &write, 1), FK_OK);
    }
}

static void where_nobody_is_left_the_schedule_is_switched_off(void **state)
{
    (void)state;
    empty_the_world();
    function.kind = FK_LAMBDA_HEARTBEAT;
    assert_true(run("{}"));
    assert_int_equal(schedule.switched, 1);
    assert_false(schedule.enabled);
    fk_assert_text(fk_buf_view(&out), "{\"gateways\":0,\"sessions\":0}");
}

static void a_gateway_that_comes_meanwhile_gets_it_back(void **state)
{
    (void)state;
    empty_the_world();
    function.kind = FK_LAMBDA_HEARTBEAT;
    schedule.gateway_comes = true;
    assert_true(run("{}"));
    assert_int_equal(schedule.switched, 2);
    assert_true(schedule.enabled);
}

static void a_switch_that_fails_is_left_to_the_next_sweep(void **state)
{
    (void)state;
    empty_the_world();
    function.kind = FK_LAMBDA_HEARTBEAT;
    schedule.err = FK_ERR_BUSY;
    assert_true(run("{}"));
    assert_int_equal(schedule.switched, 1);
}

static void kinds_are_read(void **state)
{
    enum fk_lambda_kind kind;
    (void)state;
    assert_true(fk_lambda_kind_parse("distributor", &kind));
    assert_int_equal(kind, FK_LAMBDA_DISTRIBUTOR);
    assert_false(fk_lambda_kind_parse("Writer", &kind));
    assert_false(fk_lambda_kind_parse("", &kind));
}

/* What the sink was given last. */
static struct {
    char message[32];
    int64_t read_units;
    int64_t write_units;
    int64_t told;
    int64_t invocations;
} logged;

static void take_record(const struct fk_log_record *record)
{
    (void)snprintf(logged.message, sizeof logged.message, "%s", record->message);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct fk_log_field *field = &record->fields[i];
        logged.read_units = strcmp(field->key, "read_units") == 0 ? field->number : logged.read_units;
        logged.write_units = strcmp(field->key, "write_units") == 0 ? field->number : logged.write_units;
        logged.told = strcmp(field->key, "told") == 0 ? field->number : logged.told;
        logged.invocations = strcmp(field->key, "invocations") == 0 ? field->number : logged.invocations;
    }
}

static void what_invocations_used_is_logged_once_a_minute(void **state)
{
    (void)state;
    struct fk_metered metered;
    assert_true(fk_metered_init(&metered, &cloud.ports));
    function.ports = &metered.ports;
    function.metered = &metered;
    fk_log_set(take_record, FK_LOG_INFO);
    memset(&logged, 0, sizeof logged);
    add("a", "0", create(1, "/a"));
    assert_true(run_event());
    assert_string_equal(logged.message, "used");
    assert_int_equal(logged.invocations, 1);
    assert_true(logged.read_units >= 3);
    assert_true(logged.write_units >= 6); /* of a transaction: three items at least */
    assert_int_equal(logged.told, 1);
    memset(&logged, 0, sizeof logged);
    function.kind = FK_LAMBDA_HEARTBEAT;
    assert_true(run("{}"));
    assert_string_equal(logged.message, ""); /* it waits */
    fk_memory_clock_advance_ms(&cloud.clock, 60000);
    assert_true(run("{}"));
    assert_int_equal(logged.invocations, 2);
    assert_int_equal(logged.told, 0);
    int64_t both = logged.read_units;
    fk_log_set(take_record, FK_LOG_DEBUG);
    assert_true(run("{}"));
    assert_int_equal(logged.invocations, 1);
    assert_int_equal(logged.read_units * 2, both);
    fk_log_set(NULL, FK_LOG_ERROR);
    fk_metered_deinit(&metered);
}

static const struct CMUnitTest tests[] = {
    ROW(a_batch_is_decided),
    ROW(what_is_not_done_and_all_behind_it_fail),
    ROW(groups_do_not_wait_for_each_other),
    ROW(garbage_is_dropped),
    ROW(nothing_begins_that_could_not_end),
    ROW(tries_end_before_the_deadline),
    ROW(malformed_events_are_errors),
    ROW(the_pipeline_has_a_writer_and_a_distributor),
    ROW(a_sweep_tells_what_it_found),
    ROW(queues_of_dead_gateways_are_looked_for_now_and_then),
    ROW(a_failed_sweep_is_an_error),
    ROW(where_nobody_is_left_the_schedule_is_switched_off),
    ROW(a_gateway_that_comes_meanwhile_gets_it_back),
    ROW(a_switch_that_fails_is_left_to_the_next_sweep),
    ROW(kinds_are_read),
    ROW(what_invocations_used_is_logged_once_a_minute),
};

FK_TEST_MAIN(tests)
