// SPDX-License-Identifier: Apache-2.0
#include "cost/units.h"

#include "cost/near.h"
#include "wire/codes.h"

static void every_operation_has_its_units(void **state)
{
    (void)state;
    for (size_t op = 0; op < FK_COST_OP_COUNT; op++) {
        struct fk_cost_use use = fk_cost_units((enum fk_cost_op)op, 1, false);
        struct fk_cost_use pipeline = fk_cost_units((enum fk_cost_op)op, 1, true);
        bool free = op == FK_COST_PING || op == FK_COST_AUTH;
        assert_int_equal(use.units.read_units == 0 && use.units.write_units == 0, free);
        assert_true(pipeline.invocations >= use.invocations);
        assert_true(pipeline.units.write_units >= use.units.write_units);
        assert_int_equal(fk_cost_op_named(fk_cost_op_name((enum fk_cost_op)op)), op);
    }
    assert_int_equal(fk_cost_op_named("dance"), FK_COST_OP_COUNT);
}

/* Larger data never takes less, as long as it stands in the same place. */
static void more_takes_more(void **state)
{
    (void)state;
    int64_t before = 0;
    for (size_t size = 0; size <= 8192; size += 64) {
        int64_t units = fk_cost_units(FK_COST_SET_DATA, size, false).units.write_units;
        assert_true(units >= before);
        before = units;
    }
    struct fk_cost_use large = fk_cost_units(FK_COST_SET_DATA, 100 * 1024, false);
    assert_true(large.units.blob_puts > 0);
    assert_int_equal(fk_cost_units(FK_COST_SET_DATA, 8193, false).units.blob_puts > 0, true);
}

/* Beyond what was measured units grow in proportion, requests do not. */
static void lists_are_extrapolated(void **state)
{
    (void)state;
    struct fk_cost_use measured = fk_cost_units(FK_COST_GET_CHILDREN, 200, false);
    struct fk_cost_use more = fk_cost_units(FK_COST_GET_CHILDREN, 2000, false);
    assert_int_equal(more.units.read_units, 10 * measured.units.read_units);
    assert_int_equal(more.units.table_gets, measured.units.table_gets);
    assert_true(fk_cost_units(FK_COST_GET_CHILDREN, 201, false).units.read_units > measured.units.read_units);
}

static void requests_of_the_protocol_have_their_operation(void **state)
{
    (void)state;
    assert_int_equal(fk_cost_op_of(FK_OP_SET_DATA, 0), FK_COST_SET_DATA);
    assert_int_equal(fk_cost_op_of(FK_OP_CREATE, 0), FK_COST_CREATE);
    assert_int_equal(fk_cost_op_of(FK_OP_CREATE2, FK_CREATE_EPHEMERAL), FK_COST_CREATE_EPHEMERAL);
    assert_int_equal(fk_cost_op_of(FK_OP_CREATE, FK_CREATE_SEQUENTIAL), FK_COST_CREATE_SEQUENTIAL);
    assert_int_equal(fk_cost_op_of(FK_OP_CREATE_CONTAINER, 4), FK_COST_CREATE_CONTAINER);
    assert_int_equal(fk_cost_op_of(FK_OP_GET_CHILDREN2, 0), FK_COST_GET_CHILDREN);
    assert_int_equal(fk_cost_op_of(FK_OP_WHO_AM_I, 0), FK_COST_OP_COUNT);
    assert_int_equal(fk_cost_op_of(12345, 0), FK_COST_OP_COUNT);
    assert_true(fk_cost_op_writes(FK_COST_SET_DATA));
    assert_false(fk_cost_op_writes(FK_COST_GET_DATA));
    assert_false(fk_cost_op_writes(FK_COST_HEARTBEAT));
}

/* Between two measured sizes linearly; over SQS longer, as the function waits for SendMessage. */
static void calls_take_their_time(void **state)
{
    (void)state;
    double small = fk_cost_call_ms(64, false, true);
    double large = fk_cost_call_ms(1024, false, true);
    fk_assert_near(fk_cost_call_ms(0, false, true), small);
    fk_assert_near(fk_cost_call_ms(544, false, true), (small + large) / 2);
    fk_assert_near(fk_cost_call_ms(512000, false, true), 2 * fk_cost_call_ms(256000, false, true));
    assert_true(fk_cost_call_ms(64, false, false) > small);
    assert_true(fk_cost_read_ms() > 1 && fk_cost_read_ms() < small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(every_operation_has_its_units),
        FK_TEST(more_takes_more),
        FK_TEST(lists_are_extrapolated),
        FK_TEST(calls_take_their_time),
        FK_TEST(requests_of_the_protocol_have_their_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
