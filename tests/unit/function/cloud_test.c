// SPDX-License-Identifier: Apache-2.0
/* The constants of a deployment, and waiting before another try. */
#include "function/cloud.h"

#include "base/container.h"
#include "base/limits.h"
#include "driver/memory/clock.h"
#include "support/test.h"

static void the_defaults_are_those_of_the_design(void **state)
{
    (void)state;
    struct fk_cloud_options options = fk_cloud_defaults();
    assert_false(options.pipeline);
    assert_int_equal(options.period_ms, 7500);
    assert_int_equal(options.lease_ms, 17000);
    assert_int_equal(options.look_ms, 5000);
    assert_int_equal(options.hold_ms, 200);
    assert_int_equal(options.skew_ms, 1000);
    assert_int_equal(options.answer_ms, 1000);
    assert_int_equal(options.lock_ms, 10000);
    assert_int_equal(options.function_ms, 20000);
    assert_int_equal(options.commit_items_max, 100);
    assert_int_equal(options.inline_size_max, 2048);
    assert_int_equal(options.item_size_max, 8192);
    assert_int_equal(options.message_size_max, 65536);
    assert_true(options.commit_items_max <= FK_TABLE_WRITE_MAX);
}

/* Dice that always fall the same way. */
struct loaded_dice {
    struct fk_random base;
    uint8_t byte;
};

static void loaded_fill(struct fk_random *base, uint8_t *bytes, size_t size)
{
    memset(bytes, FK_CONTAINER_OF(base, struct loaded_dice, base)->byte, size);
}

static const struct fk_random_ops loaded_ops = {.fill = loaded_fill};

static int64_t waited_ms(struct fk_memory_clock *clock, struct fk_backoff *backoff)
{
    int64_t before = fk_clock_monotonic_ms(&clock->base);
    fk_backoff_wait(backoff);
    return fk_clock_monotonic_ms(&clock->base) - before;
}

static void pauses_double_up_to_a_second(void **state)
{
    (void)state;
    static const int64_t ceilings[] = {10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000};
    struct fk_memory_clock clock;
    struct loaded_dice dice = {.base = {.ops = &loaded_ops}, .byte = 0};
    fk_memory_clock_init(&clock, 0);
    struct fk_backoff shortest = {.clock = &clock.base, .random = &dice.base};
    for (size_t i = 0; i < sizeof ceilings / sizeof ceilings[0]; i++) {
        assert_int_equal(waited_ms(&clock, &shortest), 1);
    }
    struct fk_memory_random random;
    fk_memory_random_init(&random, fk_test_prng().state);
    for (size_t i = 0; i < sizeof ceilings / sizeof ceilings[0]; i++) {
        int64_t longest = 0;
        for (int round = 0; round < 2000; round++) {
            struct fk_backoff backoff = {.clock = &clock.base, .random = &random.base, .tries = (int32_t)i};
            int64_t waited = waited_ms(&clock, &backoff);
            assert_in_range(waited, 1, ceilings[i]);
            longest = waited > longest ? waited : longest;
        }
        assert_true(longest > ceilings[i] * 9 / 10); /* full jitter: the whole range is used */
    }
}

static void tries_are_counted_and_never_overflow(void **state)
{
    (void)state;
    struct fk_memory_clock clock;
    struct fk_memory_random random;
    fk_memory_clock_init(&clock, 0);
    fk_memory_random_init(&random, 1);
    struct fk_backoff backoff = {.clock = &clock.base, .random = &random.base};
    fk_backoff_wait(&backoff);
    assert_int_equal(backoff.tries, 1);
    backoff.tries = INT32_MAX;
    assert_in_range(waited_ms(&clock, &backoff), 1, 1000);
    assert_int_equal(backoff.tries, INT32_MAX);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(the_defaults_are_those_of_the_design),
    FK_TEST(pauses_double_up_to_a_second),
    FK_TEST(tries_are_counted_and_never_overflow),
};

FK_TEST_MAIN(tests)
