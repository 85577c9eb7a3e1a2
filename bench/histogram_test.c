// SPDX-License-Identifier: Apache-2.0
#include "histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_value_is_reported_within_a_percent(void **state)
{
    (void)state;
    for (uint64_t value = 1; value < UINT64_C(1) << 50; value += value / 7 + 1) {
        static struct histogram histogram;
        histogram = (struct histogram){0};
        histogram_add(&histogram, (int64_t)value);
        double reported_ns = histogram_quantile_us(&histogram, 0.5) * 1000;
        assert_true(reported_ns > (double)value * 0.99 && reported_ns < (double)value * 1.01);
    }
}

static void indices_rise_with_values_and_stay_inside(void **state)
{
    (void)state;
    unsigned last = 0;
    for (uint64_t value = 0; value < 100000; value++) {
        unsigned index = histogram_index(value);
        assert_true(index == last || index == last + 1);
        last = index;
    }
    assert_true(histogram_index(UINT64_MAX) < HISTOGRAM_BUCKETS);
}

static void quantiles_of_a_ramp(void **state)
{
    (void)state;
    static struct histogram histogram;
    for (int64_t i = 1; i <= 1000; i++) {
        histogram_add(&histogram, i * 1000);
    }
    histogram_add(&histogram, -5); /* a clock that seems to step back counts as no time */
    assert_int_equal(histogram.count, 1001);
    assert_true(histogram_quantile_us(&histogram, 0.5) > 495 && histogram_quantile_us(&histogram, 0.5) < 505);
    assert_true(histogram_quantile_us(&histogram, 0.99) > 980 && histogram_quantile_us(&histogram, 0.99) < 1000);
    assert_int_equal(histogram.max_ns, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_reported_within_a_percent),
        cmocka_unit_test(indices_rise_with_values_and_stay_inside),
        cmocka_unit_test(quantiles_of_a_ramp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
