// SPDX-License-Identifier: Apache-2.0
/* The formulas of workload.h, against computations by hand with the numbers of the measured table. */
#include "cost/workload.h"

#include "cost/near.h"
#include "deploy/template.h"
#include "function/cloud.h"

#include <stddef.h>
#include <string.h>

#define DAYS (730.0 / 24)

static struct fk_units units_of(enum fk_cost_op op, size_t amount)
{
    return fk_cost_units(op, amount, false).units;
}

/* Nothing refused, nothing cold, nothing logged. */
static struct fk_workload plain(void)
{
    struct fk_workload workload = fk_workload_defaults();
    workload.refused_share = 0;
    workload.recycled_per_day = 0;
    workload.idle_life_s = 1e9;
    workload.log_bytes = 0;
    return workload;
}

static void a_read_is_what_the_table_says(void **state)
{
    (void)state;
    struct fk_workload workload = plain();
    struct fk_usage usage;
    workload.size = 8192;
    fk_workload_read(&workload, &usage);
    fk_assert_near(usage.table_read_units, (double)units_of(FK_COST_GET_DATA, 8192).read_units);
    fk_assert_near(usage.table_write_units + usage.queue_sends + usage.function_requests, 0);
    workload.size = 100 * 1024;
    fk_workload_read(&workload, &usage);
    fk_assert_near(usage.blob_gets, (double)units_of(FK_COST_GET_DATA, 102400).blob_gets);
}

/* One write over SQS: its units; send, receive and delete of the request and of the answer; one call. */
static void a_write_is_what_the_table_says(void **state)
{
    (void)state;
    struct fk_workload workload = plain();
    struct fk_units units = units_of(FK_COST_SET_DATA, 100);
    struct fk_usage usage;
    workload.writes_per_day = 1e6;
    fk_workload_write(&workload, &usage);
    fk_assert_near(usage.table_write_units, (double)units.write_units);
    fk_assert_near(usage.table_read_units, (double)units.read_units);
    fk_assert_near(usage.queue_sends + usage.queue_receives + usage.queue_deletes, 3);
    fk_assert_near(usage.channel_sends + usage.channel_receives + usage.channel_deletes, 3);
    fk_assert_near(usage.function_requests, 1);
    fk_assert_near(usage.function_gb_seconds, 0.5 * (fk_cost_call_ms(100, false, false) + 0.5) / 1000);
    fk_assert_near(usage.init_gb_seconds, 0);
    workload.tcp = true;
    fk_workload_write(&workload, &usage);
    fk_assert_near(usage.channel_sends + usage.channel_receives + usage.channel_deletes, 0);
    fk_assert_near(usage.transfer_az_gb, (double)units.channel_bytes * 2 / 3 * 2 / 1e9);
    workload.pipeline = true;
    fk_workload_write(&workload, &usage);
    fk_assert_near(usage.function_requests, 2);
    fk_assert_near(usage.queue_sends, 2);
}

static void assumptions_change_a_write(void **state)
{
    (void)state;
    struct fk_workload workload = plain();
    struct fk_units units = units_of(FK_COST_SET_DATA, 100);
    struct fk_usage usage;
    workload.refused_share = 0.25;
    workload.memory_mb = 2048;
    workload.log_bytes = 300;
    fk_workload_write(&workload, &usage);
    fk_assert_near(usage.table_write_units, 1.25 * (double)units.write_units);
    fk_assert_near(usage.table_read_units, 1.25 * (double)units.read_units);
    fk_assert_near(usage.function_gb_seconds, 2 * (fk_cost_call_ms(100, false, false) + 0.5) / 1000);
    fk_assert_near(usage.log_bytes, 300);
    /* 288 writes a day, one each 300 s, which an idle environment lives: exp(-1) are cold, and 12 of 288 besides. */
    workload.idle_life_s = 300;
    workload.recycled_per_day = 12;
    workload.writes_per_day = 288;
    workload.init_ms = 49.5;
    fk_workload_write(&workload, &usage);
    fk_assert_near(usage.init_gb_seconds, 2 * 0.050 * (exp(-1) + 12.0 / 288));
    workload.writes_per_day = 0.1;
    fk_workload_write(&workload, &usage);
    fk_assert_near(usage.init_gb_seconds, 2 * 0.050); /* all are cold */
}

/* Two watches of two of four gateways: the commit's event, its trimming, two messages of which one in four goes with
 * the answer, two first watches of a path, two reads. */
static void watches_add_what_they_cause(void **state)
{
    (void)state;
    struct fk_workload workload = plain();
    struct fk_usage without;
    struct fk_usage with;
    struct fk_usage read;
    workload.gateways = 4;
    fk_workload_write(&workload, &without);
    fk_workload_read(&workload, &read);
    workload.watches = 2;
    fk_workload_write(&workload, &with);
    double commit =
        (double)(units_of(FK_COST_SET_DATA_WATCHED, 0).write_units - units_of(FK_COST_SET_DATA, 100).write_units);
    double trimmed = (double)units_of(FK_COST_EVENT_TRIMMED, 0).write_units;
    double first =
        (double)(units_of(FK_COST_GET_DATA_WATCH, 0).write_units - units_of(FK_COST_GET_DATA, 100).write_units);
    fk_assert_near(with.table_write_units - without.table_write_units, commit + trimmed + 2 * first);
    fk_assert_near(with.channel_sends - without.channel_sends, 2 * 3.0 / 4);
    assert_true(with.table_read_units - without.table_read_units >= 2 * read.table_read_units);
    workload.watches = 0.5; /* every other write fires one: half of it all */
    struct fk_usage half;
    fk_workload_write(&workload, &half);
    fk_assert_near(half.table_write_units - without.table_write_units, 0.5 * (commit + trimmed + first));
}

static void renewals_and_heartbeat(void **state)
{
    (void)state;
    struct fk_workload workload = plain();
    struct fk_usage usage;
    workload.sessions = 64;
    fk_workload_renewals(&workload, &usage);
    struct fk_units minute = units_of(FK_COST_GATEWAY_MINUTE, 1);
    fk_assert_near(usage.table_write_units, 43800 * (double)minute.write_units);
    fk_assert_near(usage.table_read_units, 43800 * (double)minute.read_units);
    fk_workload_heartbeat(&workload, &usage);
    struct fk_units calls = units_of(FK_COST_HEARTBEATS, 64);
    struct fk_units look = units_of(FK_COST_ORPHAN_SWEEP, 0);
    fk_assert_near(usage.scheduler_invocations, 43800);
    fk_assert_near(usage.function_requests, 43800);
    fk_assert_near(usage.table_read_units,
                   43800.0 / FK_COST_HEARTBEAT_CALLS * (double)calls.read_units + 730 * (double)look.read_units);
    fk_assert_near(
        usage.function_gb_seconds,
        43800 * 0.5 *
            (fk_cost_read_ms() * (double)(calls.table_gets + calls.table_lists) / FK_COST_HEARTBEAT_CALLS + 0.5) /
            1000);
    workload.gateways = 0;
    fk_workload_renewals(&workload, &usage);
    fk_assert_near(usage.table_write_units + usage.table_read_units, 0);
    fk_workload_heartbeat(&workload, &usage);
    fk_assert_near(usage.table_read_units + usage.scheduler_invocations + usage.function_requests, 0);
}

/* Data of nodes that stands apart is looked through once an hour: 100 nodes as measured, 1 000 ten times that. */
static void the_look_for_orphans_grows_with_nodes(void **state)
{
    (void)state;
    struct fk_workload workload = plain();
    struct fk_usage none;
    struct fk_usage some;
    workload.nodes = 0;
    workload.size = 8192;
    fk_workload_heartbeat(&workload, &none);
    workload.nodes = 1000;
    fk_workload_heartbeat(&workload, &some);
    double hundred =
        (double)(units_of(FK_COST_ORPHAN_SWEEP, 8192).read_units - units_of(FK_COST_ORPHAN_SWEEP, 0).read_units);
    assert_true(hundred >= 100);
    fk_assert_near(some.table_read_units - none.table_read_units, 730 * 10 * hundred);
    workload.size = 100 * 1024; /* objects: the bucket is listed by 100 */
    fk_workload_heartbeat(&workload, &some);
    fk_assert_near(some.blob_puts, 730 * 10);
}

static void polling_and_rest(void **state)
{
    (void)state;
    struct fk_workload workload = plain();
    struct fk_usage usage;
    workload.gateways = 3;
    fk_workload_polling(&workload, &usage);
    fk_assert_near(usage.queue_idle_polls, 657000); /* 5 polls of 20 s in 730 h */
    fk_assert_near(usage.channel_idle_polls, 3 * 131400);
    workload.pipeline = workload.tcp = true;
    fk_workload_polling(&workload, &usage);
    fk_assert_near(usage.queue_idle_polls, 2 * 657000);
    fk_assert_near(usage.channel_idle_polls, 0);
    workload.sessions = 0;
    workload.nodes = 1e6;
    workload.size = 8192;
    struct fk_units node = units_of(FK_COST_GET_DATA, 8192);
    fk_workload_rest(&workload, &usage);
    fk_assert_near(usage.table_gb_months, ((double)node.read_bytes + 100.0 * (double)node.table_gets) / 1000);
    fk_assert_near(usage.alarm_months, 1);
    fk_assert_near(usage.vpc_endpoint_hours, 2 * 730);
    workload.size = 16384;
    fk_workload_rest(&workload, &usage);
    fk_assert_near(usage.blob_gb_months, 16.384);
}

static void a_month_is_the_sum_of_its_parts(void **state)
{
    (void)state;
    struct fk_workload workload = fk_workload_defaults();
    struct fk_usage month;
    struct fk_usage read;
    struct fk_usage write;
    struct fk_usage renewals;
    struct fk_usage heartbeat;
    struct fk_usage sessions;
    workload.reads_per_day = 9e5;
    workload.writes_per_day = 1e5;
    fk_workload_usage(&workload, &month);
    fk_workload_read(&workload, &read);
    fk_workload_write(&workload, &write);
    fk_workload_renewals(&workload, &renewals);
    fk_workload_heartbeat(&workload, &heartbeat);
    fk_workload_sessions(&workload, &sessions);
    fk_assert_near(month.table_read_units, 9e5 * DAYS * read.table_read_units + 1e5 * DAYS * write.table_read_units +
                                               renewals.table_read_units + heartbeat.table_read_units +
                                               sessions.table_read_units);
    fk_assert_near(month.function_requests, 1e5 * DAYS + heartbeat.function_requests + sessions.function_requests);
    fk_assert_near(sessions.function_requests, 10 * DAYS); /* each of ten is closed once a day */
}

static void what_leaves_aws_is_counted_outside(void **state)
{
    (void)state;
    struct fk_workload workload = plain();
    struct fk_usage usage;
    workload.outside = true;
    workload.size = 100 * 1024;
    fk_workload_read(&workload, &usage);
    struct fk_units units = units_of(FK_COST_GET_DATA, 102400);
    fk_assert_near(usage.transfer_internet_gb, (double)(units.read_bytes + units.blob_get_bytes) / 1e9);
}

static void bounds_are_named(void **state)
{
    (void)state;
    struct fk_diag diag = {.text = ""};
    struct fk_workload workload = fk_workload_defaults();
    assert_int_equal(fk_workload_check(&workload, &diag), FK_OK);
    workload.size = 1048512;
    assert_int_equal(fk_workload_check(&workload, &diag), FK_ERR_USAGE);
    assert_string_equal(diag.text, "--size: a whole number from 0 to 1048511 is expected");
    static const struct {
        size_t offset;
        double value;
        const char *name;
    } cases[] = {
        {offsetof(struct fk_workload, reads_per_day), -1, "--reads-per-day"},
        {offsetof(struct fk_workload, writes_per_day), NAN, "--writes-per-day"},
        {offsetof(struct fk_workload, writes_per_day), INFINITY, "--writes-per-day"},
        {offsetof(struct fk_workload, size), 0.5, "--size"},
        {offsetof(struct fk_workload, watches), -0.1, "--watches"},
        {offsetof(struct fk_workload, sessions), 1e8, "--sessions"},
        {offsetof(struct fk_workload, gateways), 1.5, "--gateways"},
        {offsetof(struct fk_workload, nodes), -1, "--nodes"},
        {offsetof(struct fk_workload, memory_mb), 127, "--memory"},
        {offsetof(struct fk_workload, memory_mb), 10241, "--memory"},
        {offsetof(struct fk_workload, refused_share), 1.5, "--refused"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        workload = fk_workload_defaults();
        diag = (struct fk_diag){.text = ""};
        *(double *)(void *)((char *)&workload + cases[i].offset) = cases[i].value;
        assert_int_equal(fk_workload_check(&workload, &diag), FK_ERR_USAGE);
        assert_int_equal(strncmp(diag.text, cases[i].name, strlen(cases[i].name)), 0);
    }
    workload = fk_workload_defaults();
    workload.gateways = 0;
    assert_int_equal(fk_workload_check(&workload, NULL), FK_OK);
    workload.reads_per_day = 1;
    assert_int_equal(fk_workload_check(&workload, NULL), FK_ERR_USAGE);
}

/* What is written here as a constant, because this layer may not look there. */
static void constants_are_those_of_the_deployment(void **state)
{
    (void)state;
    struct fk_bytes template = fk_deploy_template();
    assert_non_null(memmem(template.data, template.size, "rate(1 minute)", strlen("rate(1 minute)")));
    assert_non_null(memmem(template.data, template.size, "SystemLogLevel: WARN", strlen("SystemLogLevel: WARN")));
    assert_int_equal(fk_cloud_defaults().orphan_sweeps, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(a_read_is_what_the_table_says),
        FK_TEST(a_write_is_what_the_table_says),
        FK_TEST(assumptions_change_a_write),
        FK_TEST(watches_add_what_they_cause),
        FK_TEST(renewals_and_heartbeat),
        FK_TEST(the_look_for_orphans_grows_with_nodes),
        FK_TEST(polling_and_rest),
        FK_TEST(a_month_is_the_sum_of_its_parts),
        FK_TEST(what_leaves_aws_is_counted_outside),
        FK_TEST(bounds_are_named),
        FK_TEST(constants_are_those_of_the_deployment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
