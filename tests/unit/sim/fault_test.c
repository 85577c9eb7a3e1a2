// SPDX-License-Identifier: Apache-2.0
#include "sim/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct sim_coverage coverage;
static const uint64_t ALLOWED = SIM_FAULT_BIT(CRASH_BEFORE) | SIM_FAULT_BIT(BUSY) | SIM_FAULT_BIT(DELAY);

static void a_plan_is_text_and_back(void **state)
{
    (void)state;
    const char *text = "function.table.write 17 unknown-applied\n"
                       "gateway.read.table.get 3 delay 20000\n"
                       "queue.requests.queue.deliver 5 duplicate 12\n"
                       "gateway.process.tick 2 jump -600000\n";
    struct sim_plan plan = {0};
    size_t line = 0;
    assert_true(sim_plan_parse(text, &plan, &line));
    assert_int_equal(plan.count, 4);
    assert_int_equal(plan.faults[1].site.role, SIM_ROLE_GATEWAY);
    assert_int_equal(plan.faults[1].site.call, SIM_CALL_TABLE_GET);
    assert_int_equal(plan.faults[1].occurrence, 3);
    assert_int_equal(plan.faults[3].fault.argument, -600000);
    struct fk_buf out = FK_BUF_EMPTY;
    sim_plan_print(&plan, &out);
    assert_int_equal(out.size, strlen(text));
    assert_memory_equal(out.data, text, out.size);
    fk_buf_deinit(&out);
    sim_plan_free(&plan);
}

static void comments_and_blank_lines_are_no_faults(void **state)
{
    (void)state;
    struct sim_plan plan = {0};
    size_t line = 0;
    assert_true(sim_plan_parse("# nothing\n\n   \nsweep.queue.send 1 busy", &plan, &line));
    assert_int_equal(plan.count, 1);
    assert_int_equal(line, 4);
    sim_plan_free(&plan);
}

static void what_is_no_fault_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const wrong[] = {"function.table.write 1 nonsense",
                                        "function.table.write 0 busy",
                                        "function.table.eat 1 busy",
                                        "nobody.table.write 1 busy",
                                        "function.table.write busy",
                                        "functiontable.write 1 busy",
                                        "function..table.write"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[128];
        struct sim_plan plan = {0};
        size_t line = 0;
        (void)snprintf(text, sizeof text, "sweep.queue.send 1 busy\n%s\n", wrong[i]);
        assert_false(sim_plan_parse(text, &plan, &line));
        assert_int_equal(line, 2);
        sim_plan_free(&plan);
    }
}

static void a_planned_fault_happens_at_its_call(void **state)
{
    (void)state;
    struct sim_world *world = sim_world_new(1);
    struct sim_plan plan = {0};
    size_t line = 0;
    assert_true(sim_plan_parse("function.table.get 2 busy 9\ngateway.read.table.get 1 delay 5\n"
                               "function.table.get 3 power-before\n",
                               &plan, &line));
    struct sim_swarm swarm = {0};
    struct sim_faults *faults = sim_faults_new(world, &swarm, &plan, &coverage);
    sim_faults_enable(faults, true);
    struct sim_fault fault = sim_fault_at(faults, SIM_ROLE_FUNCTION, SIM_CALL_TABLE_GET, ALLOWED);
    assert_int_equal(fault.kind, SIM_FAULT_NONE);
    fault = sim_fault_at(faults, SIM_ROLE_FUNCTION, SIM_CALL_TABLE_GET, ALLOWED);
    assert_int_equal(fault.kind, SIM_FAULT_BUSY);
    assert_int_equal(fault.argument, 9);
    fault = sim_fault_at(faults, SIM_ROLE_FUNCTION, SIM_CALL_TABLE_GET, ALLOWED); /* makes no sense there */
    assert_int_equal(fault.kind, SIM_FAULT_NONE);
    fault = sim_fault_labelled(faults, SIM_ROLE_GATEWAY, "read", SIM_CALL_TABLE_GET, ALLOWED);
    assert_int_equal(fault.kind, SIM_FAULT_DELAY);
    assert_int_equal(sim_faults_done(faults)->count, 2);
    sim_world_free(world);
    sim_plan_free(&plan);
}

static void calls_count_while_faults_are_off(void **state)
{
    (void)state;
    struct sim_world *world = sim_world_new(1);
    struct sim_plan plan = {0};
    size_t line = 0;
    assert_true(sim_plan_parse("sweep.queue.send 1 busy\nsweep.queue.send 2 busy\n", &plan, &line));
    struct sim_swarm swarm = {0};
    struct sim_faults *faults = sim_faults_new(world, &swarm, &plan, &coverage);
    struct sim_fault fault = sim_fault_at(faults, SIM_ROLE_SWEEP, SIM_CALL_QUEUE_SEND, ALLOWED);
    assert_int_equal(fault.kind, SIM_FAULT_NONE);
    sim_faults_enable(faults, true);
    fault = sim_fault_at(faults, SIM_ROLE_SWEEP, SIM_CALL_QUEUE_SEND, ALLOWED);
    assert_int_equal(fault.kind, SIM_FAULT_BUSY);
    sim_world_free(world);
    sim_plan_free(&plan);
}

/* Asks a thousand times, and gives what happened. */
static void ask(uint64_t seed, const struct sim_swarm *swarm, const struct sim_plan *plan, struct sim_plan *done)
{
    struct sim_world *world = sim_world_new(seed);
    struct sim_faults *faults = sim_faults_new(world, swarm, plan, &coverage);
    sim_faults_enable(faults, true);
    for (int i = 0; i < 1000; i++) {
        (void)sim_fault_at(faults, SIM_ROLE_FUNCTION, i % 3 == 0 ? SIM_CALL_TABLE_WRITE : SIM_CALL_TABLE_GET, ALLOWED);
    }
    for (size_t i = 0; i < sim_faults_done(faults)->count; i++) {
        sim_plan_add(done, &sim_faults_done(faults)->faults[i]);
    }
    sim_world_free(world);
}

static void what_the_dice_drew_is_a_plan_without_dice(void **state)
{
    (void)state;
    const struct sim_swarm swarm = {.kinds = SIM_FAULT_BIT(BUSY) | SIM_FAULT_BIT(DELAY) | SIM_FAULT_BIT(LOST),
                                    .roles = UINT32_MAX,
                                    .per_million = 100000};
    struct sim_plan drawn = {0};
    struct sim_plan again = {0};
    ask(3, &swarm, NULL, &drawn);
    assert_true(drawn.count > 50 && drawn.count < 250);
    for (size_t i = 0; i < drawn.count; i++) { /* only what the swarm and the call allow */
        assert_true(drawn.faults[i].fault.kind == SIM_FAULT_BUSY || drawn.faults[i].fault.kind == SIM_FAULT_DELAY);
    }
    ask(4, &swarm, &drawn, &again);
    assert_int_equal(again.count, drawn.count);
    assert_memory_equal(again.faults, drawn.faults, drawn.count * sizeof *drawn.faults);
    sim_plan_free(&drawn);
    sim_plan_free(&again);
}

static void roles_without_faults_have_none(void **state)
{
    (void)state;
    const struct sim_swarm swarm = {.kinds = UINT64_MAX, .roles = 1U << SIM_ROLE_GATEWAY, .per_million = 500000};
    struct sim_plan drawn = {0};
    ask(3, &swarm, NULL, &drawn);
    assert_int_equal(drawn.count, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_text_and_back),
        cmocka_unit_test(comments_and_blank_lines_are_no_faults),
        cmocka_unit_test(what_is_no_fault_is_refused_with_its_line),
        cmocka_unit_test(a_planned_fault_happens_at_its_call),
        cmocka_unit_test(calls_count_while_faults_are_off),
        cmocka_unit_test(what_the_dice_drew_is_a_plan_without_dice),
        cmocka_unit_test(roles_without_faults_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
