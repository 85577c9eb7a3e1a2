// SPDX-License-Identifier: Apache-2.0
/* Bills beside each other, and the figures that the requirements name. */
#include "cost/estimate.h"

#include "cost/near.h"

#include <stdio.h>

static struct fk_prices *prices;
static struct fk_ensemble small; /* 3xt3.small, as the paper counts it: machines alone */

static int setup(void **state)
{
    int result = fk_test_begin(state);
    assert_int_equal(fk_prices_new(FK_PRICE_REGION, NULL, &prices, NULL), FK_OK);
    small = (struct fk_ensemble){.disk_gb = 0};
    assert_int_equal(fk_ensemble_parse("3xt3.small", prices, &small, NULL), FK_OK);
    return result;
}

static int teardown(void **state)
{
    fk_prices_free(prices);
    return fk_test_end(state);
}

static void an_ensemble_by_hand(void **state)
{
    (void)state;
    struct fk_bill bill;
    fk_ensemble_bill(&small, prices, 1e6, 1e6, 100, &bill);
    fk_assert_near(bill.usd, 3 * 0.0208 * 730); /* 45.552 */
    small.disk_gb = 20;
    fk_ensemble_bill(&small, prices, 1e6, 1e6, 100, &bill);
    fk_assert_near(bill.usd, 45.552 + 3 * 20 * 0.08);
    fk_assert_near(fk_bill_service(&bill, "EBS"), 4.80);
    /* A read of 100 bytes is 100 + 200 bytes between zones in two of three cases, a write 200 + 200 + 2 x 200 + 100;
     * a million of each a day is 1.2 GB x 2/3 x 730/24 days, billed at both ends at 0.01 a GB. */
    small.transfer = true;
    fk_ensemble_bill(&small, prices, 1e6, 1e6, 100, &bill);
    fk_assert_near(fk_bill_service(&bill, "transfer"), 1.2 * 2 / 3 * 730 / 24 * 2 * 0.01);
}

static void an_ensemble_is_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "t3.small",
                                        "3t3.small",
                                        "0xt3.small",
                                        "100xt3.small",
                                        "3x",
                                        "x",
                                        "-3xt3.small",
                                        "3Xt3.small",
                                        "3xt3.small ",
                                        "3x t3.small",
                                        "3xgold.huge",
                                        "3xt3.smallt3.smallt3.smallt3.smallt3.small"};
    struct fk_ensemble ensemble = {.disk_gb = 7};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fk_diag diag = {.text = ""};
        assert_int_equal(fk_ensemble_parse(wrong[i], prices, &ensemble, &diag), FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, "--zookeeper: "));
    }
    struct fk_diag diag = {.text = ""};
    assert_int_equal(fk_ensemble_parse("3xgold.huge", prices, &ensemble, &diag), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "no price for 'gold.huge' in us-east-1; have: t3.micro, t3.small"));
    assert_int_equal(fk_ensemble_parse("9xt3.large", prices, &ensemble, NULL), FK_OK);
    assert_int_equal(ensemble.count, 9);
    assert_string_equal(ensemble.type, "t3.large");
    fk_assert_near(ensemble.disk_gb, 7);
}

/* At the break-even both cost the same, to the price of a request a day; medium machines bear twice as much. */
static void break_even_is_where_lines_meet(void **state)
{
    (void)state;
    struct fk_workload workload = fk_workload_defaults();
    struct fk_ensemble medium = small;
    double rate = fk_estimate_break_even(&workload, &small, prices, 0.9);
    double here = fk_estimate_at(&workload, prices, rate, 0.9);
    double next = fk_estimate_at(&workload, prices, rate + 1, 0.9);
    assert_true(here <= 45.552 && next >= 45.552);
    assert_int_equal(fk_ensemble_parse("3xt3.medium", prices, &medium, NULL), FK_OK);
    double fixed = fk_estimate_at(&workload, prices, 0, 0.9);
    double twice = fk_estimate_break_even(&workload, &medium, prices, 0.9);
    assert_true(fabs(twice / rate - (91.104 - fixed) / (45.552 - fixed)) < 1e-3);
    medium.count = 1;
    (void)snprintf(medium.type, sizeof medium.type, "t3.micro");
    workload.gateways = 1000; /* their renewals alone are dearer */
    fk_assert_near(fk_estimate_break_even(&workload, &medium, prices, 0.9), 0);
}

static void an_estimate_adds_up(void **state)
{
    (void)state;
    struct fk_workload workload = fk_workload_defaults();
    struct fk_estimate estimate;
    workload.reads_per_day = 9e5;
    workload.writes_per_day = 1e5;
    fk_estimate_make(&workload, &small, prices, &estimate);
    fk_assert_near(estimate.read_share, 0.9);
    fk_assert_near(estimate.ratio, 45.552 / estimate.bill.usd);
    double requests = (9e5 * estimate.read_usd + 1e5 * estimate.write_usd) * 730 / 24;
    assert_true(fabs(estimate.bill.usd - estimate.fixed_usd - requests) < 0.01); /* cold starts are not linear */
    assert_true(estimate.rest_usd < estimate.fixed_usd);
    double sum = 0;
    for (size_t i = 0; i < estimate.bill.count; i++) {
        sum += estimate.bill.lines[i].usd;
    }
    fk_assert_near(sum, estimate.bill.usd);
}

/* A day of 900 000 reads and 100 000 writes, recorded, costs what the workload does that says the same. */
static void a_recorded_run_costs_what_its_workload_does(void **state)
{
    (void)state;
    struct fk_workload workload = fk_workload_defaults();
    struct fk_estimate expected;
    struct fk_estimate found;
    struct fk_estimate_run run;
    static struct fk_recorded recorded;
    workload.sessions = workload.nodes = 0;
    workload.reads_per_day = 9e5;
    workload.writes_per_day = 1e5;
    fk_estimate_make(&workload, &small, prices, &expected);
    recorded = (struct fk_recorded){.seconds = 86400, .gateways = 1, .count = 4};
    recorded.ops[0] = (struct fk_recorded_op){FK_COST_GET_DATA, 100, 9e5};
    recorded.ops[1] = (struct fk_recorded_op){FK_COST_SET_DATA, 100, 1e5};
    recorded.ops[2] = (struct fk_recorded_op){FK_COST_GATEWAY_MINUTE, 1, 1440};
    recorded.ops[3] = (struct fk_recorded_op){FK_COST_HEARTBEAT, 1, 1440};
    assert_int_equal(fk_estimate_recorded(&recorded, &workload, &small, prices, &found, &run, NULL), FK_OK);
    fk_assert_near(run.reads_per_day, 9e5);
    fk_assert_near(run.writes_per_day, 1e5);
    fk_assert_near(run.size, 100);
    fk_assert_near(run.usd, found.bill.usd * 24 / 730);
    fk_assert_near(found.read_usd, expected.read_usd);
    assert_true(fabs(found.write_usd / expected.write_usd - 1) < 1e-3);
    assert_true(fabs(found.bill.usd / expected.bill.usd - 1) < 0.005); /* the hourly look is not recorded */
    assert_true(fabs(found.break_even / expected.break_even - 1) < 0.005);
}

static void a_run_of_nothing_is_refused(void **state)
{
    (void)state;
    struct fk_workload workload = fk_workload_defaults();
    struct fk_estimate estimate;
    struct fk_estimate_run run;
    struct fk_diag diag = {.text = ""};
    static struct fk_recorded recorded;
    recorded = (struct fk_recorded){.seconds = 0, .gateways = 1};
    assert_int_equal(fk_estimate_recorded(&recorded, &workload, &small, prices, &estimate, &run, &diag), FK_ERR_USAGE);
    assert_string_equal(diag.text, "seconds: more than 0 is expected");
    recorded.seconds = 60;
    recorded.count = 1;
    recorded.ops[0] = (struct fk_recorded_op){FK_COST_GATEWAY_MINUTE, 1, 1};
    diag = (struct fk_diag){.text = ""};
    assert_int_equal(fk_estimate_recorded(&recorded, &workload, &small, prices, &estimate, &run, &diag), FK_ERR_USAGE);
    assert_string_equal(diag.text, "operations: there is no request among them");
}

/* --- figures of the requirements, at the prices of the day that are built in --- */

/* At least 1.7 million requests a day against three t3.small at 90 % reads, small data, machines alone counted. */
static void break_even_target(void **state)
{
    (void)state;
    struct fk_workload workload = fk_workload_defaults();
    assert_true(fk_estimate_break_even(&workload, &small, prices, 0.9) >= 1.7e6);
    workload.tcp = true;
    assert_true(fk_estimate_break_even(&workload, &small, prices, 0.9) >= 1.7e6);
}

/* One gateway, 64 clients: by the paper's accounting (reads, and time and request of the function) at most 0.3 cents a
 * day; nothing at all without a gateway. */
static void heartbeat_target(void **state)
{
    (void)state;
    struct fk_workload workload = fk_workload_defaults();
    struct fk_usage usage;
    workload.sessions = 64;
    fk_workload_heartbeat(&workload, &usage);
    usage.scheduler_invocations = 0;
    assert_true(fk_estimate_usd(&workload, prices, &usage) / FK_MONTH_DAYS <= 0.003);
    workload.gateways = 0;
    fk_workload_heartbeat(&workload, &usage);
    fk_assert_near(fk_estimate_usd(&workload, prices, &usage), 0);
    fk_workload_renewals(&workload, &usage);
    fk_assert_near(fk_estimate_usd(&workload, prices, &usage), 0);
}

#define PRICED_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PRICED_TEST(an_ensemble_by_hand),
        PRICED_TEST(an_ensemble_is_named),
        PRICED_TEST(break_even_is_where_lines_meet),
        PRICED_TEST(an_estimate_adds_up),
        PRICED_TEST(a_recorded_run_costs_what_its_workload_does),
        PRICED_TEST(a_run_of_nothing_is_refused),
        PRICED_TEST(break_even_target),
        PRICED_TEST(heartbeat_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
