// SPDX-License-Identifier: Apache-2.0
#include "base/summary.h"
#include "support/test.h"

#include <string.h>

static void an_empty_one_is_zero(void **state)
{
    (void)state;
    static const struct fk_summary empty;
    assert_int_equal(fk_summary_quantile(&empty, 990), 0);
    assert_true(fk_summary_average(&empty) == 0.0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    static struct fk_summary summary;
    memset(&summary, 0, sizeof summary);
    for (int64_t value = 1; value <= 20; value++) {
        fk_summary_add(&summary, value);
    }
    assert_int_equal(fk_summary_quantile(&summary, 0), 1);
    assert_int_equal(fk_summary_quantile(&summary, 500), 10);
    assert_int_equal(fk_summary_quantile(&summary, 950), 19);
    assert_int_equal(fk_summary_quantile(&summary, 1000), 20);
    assert_int_equal(summary.min, 1);
    assert_int_equal(summary.sum, 210);
    assert_true(fk_summary_average(&summary) == 10.5);
}

/* A quantile is never below the true one, and at most a sixteenth above. */
static void large_values_are_rounded_up_a_little(void **state)
{
    (void)state;
    for (int64_t value = 0; value < 3000000; value += value / 7 + 1) {
        static struct fk_summary summary;
        memset(&summary, 0, sizeof summary);
        fk_summary_add(&summary, value);
        fk_summary_add(&summary, 4000000);
        int64_t found = fk_summary_quantile(&summary, 500);
        assert_true(found >= value);
        assert_true(value >= 2000000 ? found <= 4000000 : found <= value + value / 16 + 1);
        assert_int_equal(fk_summary_quantile(&summary, 1000), 4000000);
    }
}

static void negative_values_count_as_none(void **state)
{
    (void)state;
    static struct fk_summary summary;
    fk_summary_add(&summary, -5);
    assert_int_equal(summary.min, 0);
    assert_int_equal(summary.sum, 0);
    assert_int_equal(summary.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_is_zero),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(large_values_are_rounded_up_a_little),
        cmocka_unit_test(negative_values_count_as_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
