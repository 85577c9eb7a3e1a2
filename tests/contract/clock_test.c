// SPDX-License-Identifier: Apache-2.0
/* What port/clock.h promises, of the real clock and dice and of those for tests. */
#include "driver/memory/clock.h"
#include "host/posix_clock.h"
#include "support/test.h"

struct driver {
    struct fk_clock *(*clock)(void);
    struct fk_random *(*random)(void);
};

static struct fk_memory_clock memory_clock;
static struct fk_memory_random memory_random;

static struct fk_clock *new_memory_clock(void)
{
    fk_memory_clock_init(&memory_clock, 1700000000000);
    return &memory_clock.base;
}

static struct fk_random *new_memory_random(void)
{
    fk_memory_random_init(&memory_random, 1);
    return &memory_random.base;
}

static struct driver posix = {fk_posix_clock, fk_posix_random};
static struct driver memory = {new_memory_clock, new_memory_random};

static void monotonic_time_never_goes_back(void **state)
{
    struct fk_clock *clock = ((const struct driver *)*state)->clock();
    int64_t before = clock->ops->monotonic_ns(clock);
    assert_true(before >= 0);
    for (int i = 0; i < 10000; i++) {
        int64_t now = clock->ops->monotonic_ns(clock);
        assert_true(now >= before);
        before = now;
    }
    assert_true(fk_clock_monotonic_ms(clock) >= before / 1000000);
}

static void a_pause_lasts_as_long_as_it_should(void **state)
{
    struct fk_clock *clock = ((const struct driver *)*state)->clock();
    int64_t before = clock->ops->monotonic_ns(clock);
    fk_clock_pause_ms(clock, 0);
    fk_clock_pause_ms(clock, 20);
    assert_true(clock->ops->monotonic_ns(clock) - before >= 20 * INT64_C(1000000));
}

static void the_time_of_day_is_of_this_age(void **state)
{
    struct fk_clock *clock = ((const struct driver *)*state)->clock();
    int64_t now = fk_clock_wall_ms(clock);
    assert_true(now >= INT64_C(1600000000000)); /* 2020 */
    assert_true(now < INT64_C(7258118400000));  /* 2200 */
}

static void dice_fill_exactly_what_they_are_given(void **state)
{
    struct fk_random *random = ((const struct driver *)*state)->random();
    uint8_t bytes[64];
    memset(bytes, 0x5a, sizeof bytes);
    fk_random_fill(random, bytes, 0);
    for (size_t i = 0; i < sizeof bytes; i++) {
        assert_int_equal(bytes[i], 0x5a);
    }
    fk_random_fill(random, bytes + 16, 32);
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(bytes[i], 0x5a);
        assert_int_equal(bytes[48 + i], 0x5a);
    }
}

static void dice_do_not_repeat_and_leave_nothing_out(void **state)
{
    struct fk_random *random = ((const struct driver *)*state)->random();
    static uint8_t bytes[2][64 * 1024];
    size_t seen[256] = {0};
    fk_random_fill(random, bytes[0], sizeof bytes[0]);
    fk_random_fill(random, bytes[1], sizeof bytes[1]);
    assert_memory_not_equal(bytes[0], bytes[1], sizeof bytes[0]);
    for (size_t i = 0; i < sizeof bytes[0]; i++) {
        seen[bytes[0][i]]++;
    }
    for (size_t i = 0; i < 256; i++) {
        assert_true(seen[i] > 128 && seen[i] < 512); /* 256 expected, 16 is the standard deviation */
    }
}

static void virtual_time_passes_on_demand(void **state)
{
    struct fk_clock *clock = ((const struct driver *)*state)->clock();
    assert_int_equal(fk_clock_monotonic_ms(clock), 0);
    fk_memory_clock_advance_ms(&memory_clock, 1500);
    assert_int_equal(fk_clock_monotonic_ms(clock), 1500);
    assert_int_equal(clock->ops->monotonic_ns(clock), 1500000000);
    assert_int_equal(fk_clock_wall_ms(clock), 1700000001500);
    memory_clock.wall_ms -= 3600000; /* the time of day may jump */
    assert_int_equal(fk_clock_monotonic_ms(clock), 1500);
}

static void equal_seeds_fall_alike(void **state)
{
    (void)state;
    struct fk_memory_random a;
    struct fk_memory_random b;
    uint8_t first[32];
    uint8_t second[32];
    fk_memory_random_init(&a, 7);
    fk_memory_random_init(&b, 7);
    fk_random_fill(&a.base, first, sizeof first);
    fk_random_fill(&b.base, second, 10);
    fk_random_fill(&b.base, second + 10, sizeof second - 10);
    assert_memory_equal(first, second, sizeof first);
    fk_memory_random_init(&b, 8);
    fk_random_fill(&b.base, second, sizeof second);
    assert_memory_not_equal(first, second, sizeof first);
}

#define ON(function, driver)                                                                                           \
    {                                                                                                                  \
#        function " [" #        driver "]", function, fk_test_begin, fk_test_end, &(driver)                            \
    }
#define ON_EACH(function) ON(function, posix), ON(function, memory)

static const struct CMUnitTest tests[] = {
    ON_EACH(monotonic_time_never_goes_back),
    ON_EACH(a_pause_lasts_as_long_as_it_should),
    ON_EACH(the_time_of_day_is_of_this_age),
    ON_EACH(dice_fill_exactly_what_they_are_given),
    ON_EACH(dice_do_not_repeat_and_leave_nothing_out),
    ON(virtual_time_passes_on_demand, memory),
    ON(equal_seeds_fall_alike, memory),
};

FK_TEST_MAIN(tests)
