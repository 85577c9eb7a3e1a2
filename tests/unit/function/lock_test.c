// SPDX-License-Identifier: Apache-2.0
/* Timed locks: who gets them, what comes with them, and what becomes of them. */
#include "function/lock.h"

#include "function/cloud_world.h"

static struct cloud cloud;
static struct fk_locks mine;
static struct fk_locks other;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, true);
    fk_locks_init(&mine, &cloud.options, &cloud.ports, &cloud.arena, CLOUD_SESSION, 100);
    fk_locks_init(&other, &cloud.options, &cloud.ports, &cloud.arena, 8, 100);
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct fk_accepted_node accepted(const char *path)
{
    struct fk_accepted_node record = {.known = false};
    struct fk_key key = fk_key_accepted_node(&cloud.arena, fk_bytes_text(path));
    struct fk_item item;
    if (cloud_item(&cloud, &key, &item)) {
        assert_int_equal(fk_accepted_node_read(item.value, fk_bytes_text(path), &cloud.arena, &record), FK_OK);
    }
    return record;
}

static const struct fk_bytes ab[] = {{(const uint8_t *)"/a", 2}, {(const uint8_t *)"/b", 2}};

static void every_attempt_has_a_token_of_its_own(void **state)
{
    (void)state;
    assert_int_not_equal(mine.token, 0);
    assert_int_not_equal(mine.token, other.token); /* R1: in the same millisecond */
}

static void a_lock_comes_with_the_visible_record_where_there_is_no_other(void **state)
{
    (void)state;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/b", "data", 0));
    struct fk_key key = fk_key_accepted_node(&cloud.arena, ab[1]);
    struct fk_write forget = {.kind = FK_WRITE_DELETE, .key = key, .expected = FK_STAMP_ANY};
    assert_int_equal(fk_table_write(cloud.inner, &forget, 1), FK_OK);
    assert_int_equal(fk_locks_take(&mine, ab, 2), FK_OK);
    assert_false(fk_locks_find(&mine, ab[0])->record.exists);
    assert_true(fk_locks_find(&mine, ab[1])->record.exists);
    assert_int_equal(fk_locks_find(&mine, ab[1])->record.counter, 1);
    fk_assert_text(fk_locks_find(&mine, ab[1])->record.node.data, "data");
    assert_null(fk_locks_find(&mine, FK_BYTES_LITERAL("/c")));
    assert_int_equal(accepted("/a").lock.token, mine.token);
    assert_false(accepted("/a").known);
}

static void another_session_waits_until_its_time_is_over(void **state)
{
    (void)state;
    assert_int_equal(fk_locks_take(&mine, ab, 1), FK_OK);
    assert_int_equal(fk_locks_take(&other, ab, 2), FK_ERR_BUSY);
    assert_int_equal(other.count, 0);
    assert_int_equal(accepted("/a").lock.token, mine.token);
    int64_t waited = fk_clock_monotonic_ms(&cloud.clock.base);
    assert_true(waited >= 100 && waited < 2100);
    fk_memory_clock_advance_ms(&cloud.clock, cloud.options.lock_ms);
    assert_int_equal(fk_locks_take(&other, ab, 1), FK_ERR_BUSY); /* the clocks may differ */
    fk_memory_clock_advance_ms(&cloud.clock, cloud.options.skew_ms);
    assert_int_equal(fk_locks_take(&other, ab, 2), FK_OK);
    assert_int_equal(accepted("/a").lock.token, other.token);
}

static void a_clock_that_is_wrong_is_not_waited_for(void **state)
{
    (void)state;
    fk_memory_clock_advance_ms(&cloud.clock, 1000000);
    assert_int_equal(fk_locks_take(&mine, ab, 1), FK_OK);
    cloud.clock.wall_ms -= cloud.options.skew_ms;
    assert_int_equal(fk_locks_try(&other, &ab[0], 1), FK_ERR_BUSY);
    cloud.clock.wall_ms--;
    assert_int_equal(fk_locks_try(&other, &ab[0], 1), FK_OK);
}

static void what_stands_before_a_busy_record_is_locked_meanwhile(void **state)
{
    (void)state;
    assert_int_equal(fk_locks_take(&mine, ab + 1, 1), FK_OK);
    assert_int_equal(fk_locks_take(&other, ab, 2), FK_ERR_BUSY);
    assert_int_equal(other.count, 1);
    assert_int_equal(accepted("/a").lock.token, other.token);
    fk_locks_release(&other);
    assert_int_equal(accepted("/a").lock.token, 0);
    assert_int_equal(accepted("/b").lock.token, mine.token);
}

static void an_earlier_attempt_of_the_session_is_replaced_at_once(void **state)
{
    (void)state;
    struct fk_locks again;
    fk_locks_init(&again, &cloud.options, &cloud.ports, &cloud.arena, CLOUD_SESSION, 0);
    assert_int_equal(fk_locks_take(&mine, ab, 2), FK_OK);
    assert_int_equal(fk_locks_take(&again, ab, 2), FK_OK);
    assert_int_equal(accepted("/a").lock.token, again.token);
    fk_locks_release(&mine); /* has nothing any more */
    assert_int_equal(accepted("/a").lock.token, again.token);
}

static void trying_does_not_wait(void **state)
{
    (void)state;
    assert_int_equal(fk_locks_take(&mine, ab, 1), FK_OK);
    assert_int_equal(fk_locks_try(&other, &ab[0], 1), FK_ERR_BUSY);
    assert_int_equal(fk_clock_monotonic_ms(&cloud.clock.base), 0);
    assert_int_equal(fk_locks_try(&other, &ab[1], 1), FK_OK);
    assert_non_null(fk_locks_find(&other, ab[1]));
}

static void released_records_are_as_they_were(void **state)
{
    (void)state;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/b", "data", 0));
    assert_true(accepted("/b").known);
    assert_int_equal(fk_locks_take(&mine, ab, 2), FK_OK);
    fk_locks_release(&mine);
    assert_int_equal(cloud_count(&cloud, "a/"), 1); /* "/a" was nothing but its lock */
    assert_int_equal(accepted("/b").lock.token, 0);
    assert_true(accepted("/b").record.exists);
    fk_assert_text(accepted("/b").record.node.data, "data");
}

static void a_lock_of_unknown_outcome_is_looked_up(void **state)
{
    (void)state;
    cloud_fail(&cloud, 1, CLOUD_UNKNOWN_APPLIED);
    assert_int_equal(fk_locks_take(&mine, ab, 2), FK_OK);
    assert_int_equal(cloud.writes, 1);
    assert_int_equal(mine.count, 2);
    fk_locks_release(&mine);
    cloud_fail(&cloud, 1, CLOUD_UNKNOWN_LOST);
    mine.count = 0;
    mine.give_up_ms = 10000;
    assert_int_equal(fk_locks_take(&mine, ab, 2), FK_OK);
    assert_int_equal(accepted("/b").lock.token, mine.token);
}

static const struct CMUnitTest tests[] = {
    ROW(every_attempt_has_a_token_of_its_own),
    ROW(a_lock_comes_with_the_visible_record_where_there_is_no_other),
    ROW(another_session_waits_until_its_time_is_over),
    ROW(a_clock_that_is_wrong_is_not_waited_for),
    ROW(what_stands_before_a_busy_record_is_locked_meanwhile),
    ROW(an_earlier_attempt_of_the_session_is_replaced_at_once),
    ROW(trying_does_not_wait),
    ROW(released_records_are_as_they_were),
    ROW(a_lock_of_unknown_outcome_is_looked_up),
};

FK_TEST_MAIN(tests)
