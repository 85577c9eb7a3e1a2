// SPDX-License-Identifier: Apache-2.0
#include "cost/price.h"

#include "cost/near.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/fk-price-test-XXXXXX";

static int make_own(const char *text, const char *end)
{
    int fd = mkstemp(path);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
              write(fd, end, strlen(end)) == (ssize_t)strlen(end);
    (void)close(fd);
    return ok ? 0 : -1;
}

static void forget_own(struct fk_diag *diag)
{
    (void)unlink(path);
    memcpy(path + strlen(path) - 6, "XXXXXX", 6);
    *diag = (struct fk_diag){.text = ""};
}

/* A file of one's own with this text. */
static enum fk_err read_own(const char *text, struct fk_prices **prices, struct fk_diag *diag)
{
    struct fk_diag nothing;
    assert_int_equal(make_own(text, ""), 0);
    *diag = (struct fk_diag){.text = ""};
    enum fk_err err = fk_prices_new(FK_PRICE_REGION, path, prices, diag);
    forget_own(&nothing);
    return err;
}

static void every_region_reads_and_says_where_its_figures_are_from(void **state)
{
    (void)state;
    const char *region = NULL;
    size_t count = 0;
    for (size_t at = 0; (region = fk_price_region(at)) != NULL; at++) {
        struct fk_prices *prices = NULL;
        struct fk_diag diag = {.text = ""};
        assert_int_equal(fk_prices_new(region, NULL, &prices, &diag), FK_OK);
        assert_string_equal(fk_prices_region(prices), region);
        assert_string_equal(fk_prices_origin(prices), region);
        const struct fk_price *price = NULL;
        for (size_t i = 0; (price = fk_prices_each(prices, i)) != NULL; i++) {
            assert_true(price->usd > 0 && price->usd < 1);
            assert_true(price->per[0] != '\0' && price->source[0] != '\0' && price->date[0] == '2');
        }
        assert_non_null(fk_prices_find(prices, "ec2_t3.small"));
        assert_null(fk_prices_find(prices, "ec2_gold"));
        fk_prices_free(prices);
        count++;
    }
    assert_true(count >= 1);
}

static void the_usual_region_has_the_published_figures(void **state)
{
    (void)state;
    struct fk_prices *prices = NULL;
    assert_int_equal(fk_prices_new(FK_PRICE_REGION, NULL, &prices, NULL), FK_OK);
    fk_assert_near(fk_prices_usd(prices, FK_PRICE_DYNAMODB_WRITE_UNIT), 0.625 / 1e6);
    fk_assert_near(fk_prices_usd(prices, FK_PRICE_DYNAMODB_READ_UNIT), 0.125 / 1e6);
    fk_assert_near(fk_prices_usd(prices, FK_PRICE_SQS_FIFO_REQUEST), 0.50 / 1e6);
    fk_assert_near(fk_prices_usd(prices, FK_PRICE_LAMBDA_REQUEST), 0.20 / 1e6);
    assert_true(fk_prices_at(prices, FK_PRICE_LAMBDA_REQUEST)->verified);
    assert_false(fk_prices_at(prices, FK_PRICE_SQS_FIFO_REQUEST)->verified);
    assert_string_equal(fk_prices_at(prices, FK_PRICE_LOG_BYTE)->name, fk_price_name(FK_PRICE_LOG_BYTE));
    fk_prices_free(prices);
}

static void another_region_is_refused_by_name(void **state)
{
    (void)state;
    struct fk_prices *prices = NULL;
    struct fk_diag diag = {.text = ""};
    assert_int_equal(fk_prices_new("mars-1", NULL, &prices, &diag), FK_ERR_USAGE);
    assert_null(prices);
    assert_non_null(strstr(diag.text, "no prices for region mars-1; have: us-east-1, us-west-2"));
}

/* What nobody has compared with a page says so. */
static void oregon_is_built_in_and_not_verified(void **state)
{
    (void)state;
    struct fk_prices *prices = NULL;
    assert_int_equal(fk_prices_new("us-west-2", NULL, &prices, NULL), FK_OK);
    assert_string_equal(fk_prices_region(prices), "us-west-2");
    for (size_t i = 0; fk_prices_each(prices, i) != NULL; i++) {
        assert_false(fk_prices_each(prices, i)->verified);
    }
    fk_prices_free(prices);
}

static void a_file_that_says_all_makes_a_region(void **state)
{
    (void)state;
    struct fk_prices *prices = NULL;
    struct fk_diag diag = {.text = ""};
    char text[4096] = "{\"prices\": {";
    size_t size = strlen(text);
    for (size_t id = 0; id < FK_PRICE_COUNT; id++) {
        assert_int_equal(make_own(text, "}}"), 0);
        assert_int_equal(fk_prices_new("mars-1", path, &prices, &diag), FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, fk_price_name((enum fk_price_id)id))); /* the first that is missing */
        forget_own(&diag);
        size += (size_t)snprintf(text + size, sizeof text - size, "%s\"%s\": {\"usd\": 0.5}", id == 0 ? "" : ", ",
                                 fk_price_name((enum fk_price_id)id));
    }
    assert_int_equal(make_own(text, "}}"), 0);
    assert_int_equal(fk_prices_new("mars-1", path, &prices, &diag), FK_OK);
    forget_own(&diag);
    assert_string_equal(fk_prices_region(prices), "mars-1");
    fk_assert_near(fk_prices_usd(prices, FK_PRICE_S3_GET), 0.5);
    fk_prices_free(prices);
}

static void figures_of_a_file_lie_over_those_of_the_region(void **state)
{
    (void)state;
    struct fk_prices *prices = NULL;
    struct fk_diag diag;
    const char *text = "{\"prices\": {\"dynamodb_write_unit\": {\"usd\": 1.25e-6, \"source\": \"the paper\"},"
                       "\"ec2_t9.tiny\": {\"usd\": 0.5, \"verified\": false}, \"ec2_t3.small\": {\"usd\": 1}}}";
    assert_int_equal(read_own(text, &prices, &diag), FK_OK);
    fk_assert_near(fk_prices_usd(prices, FK_PRICE_DYNAMODB_WRITE_UNIT), 1.25e-6);
    fk_assert_near(fk_prices_usd(prices, FK_PRICE_DYNAMODB_READ_UNIT), 0.125e-6);
    assert_string_equal(fk_prices_at(prices, FK_PRICE_DYNAMODB_WRITE_UNIT)->source, "the paper");
    fk_assert_near(fk_prices_find(prices, "ec2_t9.tiny")->usd, 0.5);
    assert_false(fk_prices_find(prices, "ec2_t9.tiny")->verified);
    fk_assert_near(fk_prices_find(prices, "ec2_t3.small")->usd, 1);
    assert_non_null(strstr(fk_prices_origin(prices), "us-east-1, /tmp/fk-price-test-"));
    fk_prices_free(prices);
}

static void what_is_wrong_with_a_file_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "line 1"},
        {"{\"prices\": {\"s3_get\": }}", "line 1"},
        {"[]", "prices: an object of prices is expected"},
        {"{\"prices\": []}", "prices: an object of prices is expected"},
        {"{\"prices\": {\"s3_gte\": {\"usd\": 1}}}", "prices.s3_gte: no price of this name is known"},
        {"{\"prices\": {\"s3_get\": 1}}", "prices.s3_get.usd: a number of 0 or more"},
        {"{\"prices\": {\"s3_get\": {\"usd\": -1}}}", "prices.s3_get.usd: a number of 0 or more"},
        {"{\"prices\": {\"s3_get\": {\"usd\": \"1\"}}}", "prices.s3_get.usd: a number of 0 or more"},
        {"{\"prices\": {\"s3_get\": {\"usd\": 1, \"verified\": 1}}}", "prices.s3_get.verified: true or false"},
        {"{\"prices\": {\"s3_get\": {\"usd\": 1}, \"s3_get\": {\"usd\": 2}}}", "duplicate"},
        {"{\"currency\": \"EUR\", \"prices\": {}}", "currency: USD is expected, not 'EUR'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fk_prices *prices = NULL;
        struct fk_diag diag;
        assert_int_equal(read_own(cases[i].text, &prices, &diag), FK_ERR_USAGE);
        assert_null(prices);
        if (strstr(diag.text, cases[i].message) == NULL) {
            fail_msg("'%s': '%s' does not say '%s'", cases[i].text, diag.text, cases[i].message);
        }
    }
}

static void a_file_that_is_not_there(void **state)
{
    (void)state;
    struct fk_prices *prices = NULL;
    struct fk_diag diag = {.text = ""};
    assert_int_equal(fk_prices_new(FK_PRICE_REGION, "/nowhere/prices.json", &prices, &diag), FK_ERR_IO);
    assert_non_null(strstr(diag.text, "/nowhere/prices.json: No such file"));
    assert_int_equal(fk_prices_new(FK_PRICE_REGION, "/", &prices, &diag), FK_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(every_region_reads_and_says_where_its_figures_are_from),
        FK_TEST(the_usual_region_has_the_published_figures),
        FK_TEST(another_region_is_refused_by_name),
        FK_TEST(oregon_is_built_in_and_not_verified),
        FK_TEST(a_file_that_says_all_makes_a_region),
        FK_TEST(figures_of_a_file_lie_over_those_of_the_region),
        FK_TEST(what_is_wrong_with_a_file_is_named),
        FK_TEST(a_file_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
