// SPDX-License-Identifier: Apache-2.0
#include "cost/recorded.h"

#include "cost/near.h"

static struct fk_recorded recorded;

static enum fk_err read_text(const char *text, struct fk_diag *diag)
{
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    enum fk_err err = fk_recorded_read(object, &recorded, diag);
    json_decref(object);
    return err;
}

static void an_hour_computed_by_hand(void **state)
{
    (void)state;
    struct fk_usage usage;
    struct fk_usage_options options = fk_usage_defaults();
    const struct fk_cost_use set = fk_cost_units(FK_COST_SET_DATA, 900, false);
    const struct fk_cost_use beat = fk_cost_units(FK_COST_HEARTBEAT, 0, false);
    assert_int_equal(
        read_text("{\"seconds\": 3600, \"gateways\": 2, \"data_bytes\": 73000000000, \"command\": \"cost\","
                  " \"operations\": [{\"operation\": \"setData\", \"amount\": 900, \"count\": 1000},"
                  " {\"operation\": \"heartbeat\", \"count\": 60, \"usd\": 1}]}",
                  NULL),
        FK_OK);
    fk_recorded_operations(&recorded, false, &options, &usage);
    fk_assert_near(usage.table_write_units, 1000.0 * (double)set.units.write_units);
    fk_assert_near(usage.table_read_units,
                   1000.0 * (double)set.units.read_units + 60.0 * (double)beat.units.read_units);
    fk_assert_near(usage.function_requests, 1060);
    fk_recorded_standing(&recorded, false, &options, &usage);
    fk_assert_near(usage.queue_idle_polls, 900); /* 5 pollers, 180 times each */
    fk_assert_near(usage.channel_idle_polls, 360);
    fk_assert_near(usage.table_gb_months, 0.1); /* an hour of 730 */
    fk_assert_near(usage.scheduler_invocations, 60);
    fk_recorded_standing(&recorded, true, &options, &usage);
    fk_assert_near(usage.queue_idle_polls, 1800);
    options.tcp = true;
    fk_recorded_standing(&recorded, true, &options, &usage);
    fk_assert_near(usage.channel_idle_polls, 0);
}

/* Billed by the ms begun: half of one more, on average. */
static void calls_last_as_their_operation_says(void **state)
{
    (void)state;
    struct fk_usage usage;
    struct fk_usage_options options = fk_usage_defaults();
    const struct fk_cost_use beat = fk_cost_units(FK_COST_HEARTBEAT, 0, false);
    double reads = (double)(beat.units.table_gets + beat.units.table_lists);
    double beat_ms = fk_cost_read_ms() * reads + 0.5;
    double set_ms = fk_cost_call_ms(65536, false, false) + 0.5;
    options.call_ms = 1e6; /* of a workload's writes: it says nothing here */
    assert_int_equal(read_text("{\"seconds\": 60, \"operations\": [{\"operation\": \"heartbeat\", \"count\": 2},"
                               " {\"operation\": \"setData\", \"amount\": 65536, \"count\": 3}]}",
                               NULL),
                     FK_OK);
    fk_recorded_operations(&recorded, false, &options, &usage);
    fk_assert_near(usage.function_gb_seconds, (2 * beat_ms + 3 * set_ms) / 1000 * options.memory_gb);
}

static void an_event_is_what_a_watched_write_has_beyond_another(void **state)
{
    (void)state;
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        const struct fk_cost_use event = fk_cost_units(FK_COST_EVENT, 0, pipeline == 1);
        const struct fk_cost_use set = fk_cost_units(FK_COST_SET_DATA, 0, pipeline == 1);
        const struct fk_cost_use watched = fk_cost_units(FK_COST_SET_DATA_WATCHED, 0, pipeline == 1);
        assert_int_equal(set.units.write_units + event.units.write_units, watched.units.write_units);
        assert_int_equal(set.units.read_units + event.units.read_units, watched.units.read_units);
        assert_true(event.units.write_units > 0);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *part;
    } cases[] = {
        {"{}", "'seconds'"},
        {"{\"seconds\": \"1\"}", "'seconds'"},
        {"{\"seconds\": -1}", "'seconds'"},
        {"{\"seconds\": 1}", "'operations'"},
        {"{\"seconds\": 1, \"data_bytes\": -1, \"operations\": []}", "'data_bytes'"},
        {"{\"seconds\": 1, \"gateways\": [], \"operations\": []}", "'gateways'"},
        {"{\"seconds\": 1, \"operations\": [1]}", "'operation'"},
        {"{\"seconds\": 1, \"operations\": [{\"operation\": \"dance\"}]}", "dance"},
        {"{\"seconds\": 1, \"operations\": [{\"operation\": \"ping\"}]}", "'count'"},
        {"{\"seconds\": 1, \"operations\": [{\"operation\": \"ping\", \"count\": 1, \"amount\": null}]}", "'amount'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fk_diag diag = {.text = ""};
        assert_int_equal(read_text(cases[i].text, &diag), FK_ERR_USAGE);
        if (strstr(diag.text, cases[i].part) == NULL) {
            fail_msg("%s: '%s'", cases[i].text, diag.text);
        }
    }
}

static void a_list_has_a_bound(void **state)
{
    (void)state;
    json_t *operations = json_array();
    for (size_t i = 0; i <= FK_RECORDED_OPS_MAX; i++) {
        (void)json_array_append_new(operations, json_pack("{s:s, s:i}", "operation", "ping", "count", 1));
    }
    json_t *object = json_pack("{s:i, s:o}", "seconds", 1, "operations", operations);
    assert_int_equal(fk_recorded_read(object, &recorded, NULL), FK_ERR_USAGE);
    (void)json_array_remove(operations, 0);
    assert_int_equal(fk_recorded_read(object, &recorded, NULL), FK_OK);
    assert_int_equal(recorded.count, FK_RECORDED_OPS_MAX);
    json_decref(object);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(an_hour_computed_by_hand),
    FK_TEST(calls_last_as_their_operation_says),
    FK_TEST(an_event_is_what_a_watched_write_has_beyond_another),
    FK_TEST(what_is_wrong_is_named),
    FK_TEST(a_list_has_a_bound),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
