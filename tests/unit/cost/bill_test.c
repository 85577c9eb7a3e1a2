// SPDX-License-Identifier: Apache-2.0
#include "cost/bill.h"

#include "cost/near.h"

static struct fk_prices *prices;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    assert_int_equal(fk_prices_new(FK_PRICE_REGION, NULL, &prices, NULL), FK_OK);
    return result;
}

static int teardown(void **state)
{
    fk_prices_free(prices);
    return fk_test_end(state);
}

/* One write of two items in a transaction, told over SQS, as the price pages count it. */
static const struct fk_cost_use use = {.units = {.table_gets = 1,
                                                 .table_transactions = 1,
                                                 .read_units = 3,
                                                 .write_units = 6,
                                                 .queue_sends = 1,
                                                 .queue_requests = 1,
                                                 .queue_bytes = 300,
                                                 .channel_sends = 1,
                                                 .channel_requests = 1,
                                                 .channel_bytes = 200},
                                       .invocations = 1};

static void a_write_computed_by_hand(void **state)
{
    (void)state;
    struct fk_usage_options options = {.messages_per_call = 1,
                                       .messages_per_receive = 1,
                                       .memory_gb = 0.5,
                                       .call_ms = 19.5,
                                       .log_bytes_per_call = 1000};
    struct fk_usage usage = {.table_write_units = 0};
    struct fk_bill bill;
    fk_usage_add_use(&usage, &use, 1e6, &options);
    fk_bill_make(prices, &usage, false, &bill);
    /* A million of them, us-east-1:
     * DynamoDB    6e6 write units x 0.625 per million = 3.75;  3e6 read units x 0.125 per million = 0.375
     * SQS FIFO    send, receive, delete: 3e6 x 0.50 per million = 1.50
     * SQS         the answer: send, receive, delete: 3e6 x 0.40 per million = 1.20
     * Lambda      1e6 requests x 0.20 per million = 0.20; 1e6 x 20 ms x 0.5 GB = 10 000 GB-s x 0.0000133334 = 0.133334
     * CloudWatch  1e9 bytes = 1 GB x 0.50 = 0.50 */
    fk_assert_near(fk_bill_service(&bill, "DynamoDB"), 3.75 + 0.375);
    fk_assert_near(fk_bill_service(&bill, "SQS"), 1.50 + 1.20);
    fk_assert_near(fk_bill_service(&bill, "Lambda"), 0.20 + 0.133334);
    fk_assert_near(fk_bill_service(&bill, "CloudWatch"), 0.50);
    fk_assert_near(fk_bill_service(&bill, "S3"), 0);
    fk_assert_near(bill.usd, 4.125 + 2.70 + 0.333334 + 0.50);
    fk_bill_make(prices, &usage, true, &bill);
    fk_assert_near(fk_bill_service(&bill, "Lambda"), 0.20 + 10000 * 0.0000166667);
}

static void what_the_options_do(void **state)
{
    (void)state;
    struct fk_usage_options options = {.tcp = true,
                                       .messages_per_call = 4,
                                       .messages_per_receive = 1,
                                       .refused_share = 0.5,
                                       .memory_gb = 1,
                                       .call_ms = 9.5,
                                       .init_ms = 99.5,
                                       .cold_share = 0.25};
    struct fk_usage usage = {.table_write_units = 0};
    fk_usage_add_use(&usage, &use, 8, &options);
    fk_assert_near(usage.table_write_units, 8 * 6 * 1.5);
    fk_assert_near(usage.table_read_units, 8 * 3 * 1.5);
    fk_assert_near(usage.queue_sends, 8);
    fk_assert_near(usage.queue_receives, 2);
    fk_assert_near(usage.queue_deletes, 2);
    fk_assert_near(usage.channel_sends + usage.channel_receives + usage.channel_deletes, 0);
    fk_assert_near(usage.function_requests, 2);
    fk_assert_near(usage.function_gb_seconds, 2 * 0.010);
    fk_assert_near(usage.init_gb_seconds, 2 * 0.25 * 0.100);
}

/* 256 KB in a message are four requests of sending, and four of receiving, but one of deleting. */
static void large_messages_are_several_requests(void **state)
{
    (void)state;
    struct fk_usage_options options = {.messages_per_call = 2, .messages_per_receive = 1};
    struct fk_cost_use large = {.units = {.queue_sends = 1, .queue_requests = 4, .queue_bytes = 4 * 65536}};
    struct fk_usage usage = {.table_write_units = 0};
    fk_usage_add_use(&usage, &large, 1, &options);
    fk_assert_near(usage.queue_sends, 4);
    fk_assert_near(usage.queue_receives, 4);
    fk_assert_near(usage.queue_deletes, 0.5);
}

static void usage_adds_and_scales(void **state)
{
    (void)state;
    struct fk_usage one = {.table_write_units = 1, .vpc_endpoint_hours = 2};
    struct fk_usage sum = {.table_read_units = 5};
    fk_usage_add(&sum, &one);
    fk_usage_scale(&sum, 3);
    fk_assert_near(sum.table_write_units, 3);
    fk_assert_near(sum.table_read_units, 15);
    fk_assert_near(sum.vpc_endpoint_hours, 6);
}

/* Every number of the usage is on the bill, once. */
static void nothing_is_left_out(void **state)
{
    (void)state;
    struct fk_usage usage;
    struct fk_bill bill;
    double *numbers = (double *)&usage;
    for (size_t i = 0; i < sizeof usage / sizeof(double); i++) {
        usage = (struct fk_usage){.table_write_units = 0};
        numbers[i] = 1000;
        fk_bill_make(prices, &usage, false, &bill);
        assert_int_equal(bill.count, 1);
        fk_assert_near(bill.usd, 1000 * fk_prices_find(prices, bill.lines[0].price)->usd);
    }
}

#define BILL_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BILL_TEST(a_write_computed_by_hand),
        BILL_TEST(what_the_options_do),
        BILL_TEST(large_messages_are_several_requests),
        BILL_TEST(usage_adds_and_scales),
        BILL_TEST(nothing_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
