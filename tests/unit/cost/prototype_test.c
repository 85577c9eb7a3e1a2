// SPDX-License-Identifier: Apache-2.0
/* Against the artifact's own outputs, and cases computed by hand from its formulas. */
#include "cost/prototype.h"

#include "cost/ensemble.h"
#include "cost/near.h"
#include "cost/workload.h"

#include <stdlib.h>

static struct fk_prices *paper;

static int setup(void **state)
{
    struct fk_diag diag = {.text = ""};
    (void)state;
    return fk_prices_new(FK_PRICE_REGION, getenv("FK_PAPER_PRICES"), &paper, &diag) == FK_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    fk_prices_free(paper);
    return 0;
}

static double usd(const struct fk_usage *usage)
{
    struct fk_bill bill;
    fk_bill_make(paper, usage, true, &bill);
    return bill.usd;
}

static double write_usd(enum fk_prototype_store store, size_t size, int memory_mb)
{
    struct fk_usage usage = {0};
    assert_true(fk_prototype_write(store, size, memory_mb, false, &usage));
    return usd(&usage);
}

/* total_cost(2048, 250) * 100000 of cell 18 and total_cost(2048, 4) * 100000 of cell 29: 2.12666824 and 1.24666708,
 * with 1.66667e-5 for a GB-second as in deploy/prices/paper-2023.json. */
static void the_notebooks_own_figures(void **state)
{
    (void)state;
    assert_true(fabs(write_usd(FK_PROTOTYPE_S3, 256000, 2048) * 100000 - 2.12666824) < 1e-6);
    assert_true(fabs(write_usd(FK_PROTOTYPE_HYBRID, 4096, 2048) * 100000 - 1.24666708) < 1e-6);
}

/* 1 kB, 512 MB: queue 2 x 0.5, system store 3 x 1.25 + 0.25, S3 5 or a unit of 1.25, functions 2 x 0.2 and 16.6667 for
 * each of 0.016 + 0.0305 (hybrid: 0.016 + 0.0155) GB-seconds; dollars for a million. */
static void a_write_of_one_kilobyte(void **state)
{
    (void)state;
    double standard = 2 * 0.5 + 3 * 1.25 + 0.25 + 5 + 2 * 0.2 + 16.6667 * (0.016 + 0.0305);
    double hybrid = 2 * 0.5 + 3 * 1.25 + 0.25 + 1.25 + 2 * 0.2 + 16.6667 * (0.016 + 0.0155);
    fk_assert_near(write_usd(FK_PROTOTYPE_S3, 1024, 512), standard / 1e6);
    fk_assert_near(write_usd(FK_PROTOTYPE_HYBRID, 1024, 512), hybrid / 1e6);
}

/* 128 kB are two requests of each queue when it is sent and when it is received, and one when it is deleted. */
static void every_request_of_the_queues_counts_where_that_is_wanted(void **state)
{
    (void)state;
    struct fk_usage usage = {0};
    assert_true(fk_prototype_write(FK_PROTOTYPE_S3, 131072, 512, true, &usage));
    fk_assert_near(usage.queue_sends, 4);
    fk_assert_near(usage.queue_receives, 4);
    fk_assert_near(usage.queue_deletes, 2);
    assert_true(fk_prototype_write(FK_PROTOTYPE_S3, 131072, 512, false, &usage)); /* adds */
    fk_assert_near(usage.queue_sends, 8);
    fk_assert_near(usage.queue_receives, 4);
}

static void what_nobody_measured_is_refused(void **state)
{
    (void)state;
    struct fk_usage usage = {0};
    assert_false(fk_prototype_write(FK_PROTOTYPE_S3, 1024, 256, false, &usage));
    assert_false(fk_prototype_write(FK_PROTOTYPE_S3, 256001, 512, false, &usage));
    assert_false(fk_prototype_heartbeat(3, 512, &usage));
    assert_false(fk_prototype_heartbeat(64, 500, &usage));
    fk_assert_near(usd(&usage), 0);
    assert_true(fk_prototype_write(FK_PROTOTYPE_S3, 3000, 512, false, &usage)); /* as long as 64 kB takes */
    fk_assert_near(usage.function_gb_seconds, .0365 + .046);
}

/* Above 4 kB the hybrid one keeps nodes in S3. */
static void the_hybrid_store_ends_at_four_kilobytes(void **state)
{
    (void)state;
    struct fk_usage small = {0};
    struct fk_usage large = {0};
    fk_prototype_read(FK_PROTOTYPE_HYBRID, 4096, &small);
    fk_prototype_read(FK_PROTOTYPE_HYBRID, 4097, &large);
    fk_assert_near(usd(&small), 0.25e-6);
    fk_assert_near(usd(&large), 0.4e-6);
    fk_assert_near(write_usd(FK_PROTOTYPE_HYBRID, 65536, 512), write_usd(FK_PROTOTYPE_S3, 65536, 512));
}

/* 1 440 scans of 2 units, calls, and 86.56 ms of half a GB. */
static void a_day_of_heartbeats(void **state)
{
    (void)state;
    struct fk_usage usage = {0};
    assert_true(fk_prototype_heartbeat(64, 512, &usage));
    fk_assert_near(usd(&usage), 1440 * (2 * 0.25 + 0.2 + 16.6667 * 0.08656 / 2) / 1e6);
}

/* 3 x 0.0208 x 24 = 1.4976, which is what an ensemble costs; at 0.4 millionths 3 744 000 requests cost that. */
static void break_even(void **state)
{
    (void)state;
    struct fk_bill bill;
    struct fk_ensemble ensemble = {.disk_gb = 0};
    assert_int_equal(fk_ensemble_parse("3xt3.small", paper, &ensemble, NULL), FK_OK);
    fk_ensemble_bill(&ensemble, paper, 0, 0, 0, &bill);
    double day = bill.usd / FK_MONTH_DAYS;
    struct fk_mix mix = {.read_usd = 0.4e-6, .write_usd = 10e-6, .read_share = 1};
    fk_assert_near(day, 1.4976);
    fk_assert_near(fk_mix_break_even(&mix, day), 3744000);
    mix.read_share = 0.75; /* 0.3 + 2.5 */
    mix.fixed_usd = 0.0976;
    fk_assert_near(fk_mix_break_even(&mix, day), 500000);
    fk_assert_near(fk_mix_day_usd(&mix, 500000), 1.4976);
    mix.fixed_usd = 1.5;
    fk_assert_near(fk_mix_break_even(&mix, day), 0);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(the_notebooks_own_figures),
    FK_TEST(a_write_of_one_kilobyte),
    FK_TEST(every_request_of_the_queues_counts_where_that_is_wanted),
    FK_TEST(what_nobody_measured_is_refused),
    FK_TEST(the_hybrid_store_ends_at_four_kilobytes),
    FK_TEST(a_day_of_heartbeats),
    FK_TEST(break_even),
};

int main(void)
{
    return cmocka_run_group_tests(tests, setup, teardown);
}
