// SPDX-License-Identifier: Apache-2.0
/* The scheduler and what processes own. Plain cmocka: the wrapped allocator of support/test.h does not know that a
 * killed process's memory goes with it. */
#include "sim/world.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct sim_world *world;
static struct sim_signal bell;
static char story[4096];
static size_t told;

static void tell(const char *text)
{
    told +=
        (size_t)snprintf(story + told, sizeof story - told, "%s@%lld ", text, (long long)(sim_now_ns(world) / SIM_MS));
}

static int set_up(void **state)
{
    (void)state;
    told = 0;
    story[0] = '\0';
    world = sim_world_new(7);
    sim_signal_init(&bell);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_world_free(world);
    return 0;
}

static void sleeper(void *context)
{
    tell("start");
    sim_sleep_ns(*(const int64_t *)context * SIM_MS);
    tell("end");
}

static void time_passes_only_by_sleeping(void **state)
{
    (void)state;
    int64_t ms = 1500;
    struct sim_process *process = sim_process_new(world, "p");
    sim_spawn(process, sleeper, &ms);
    assert_true(sim_world_run(world, 1000 * SIM_MS));
    assert_string_equal(story, "start@0 ");
    assert_int_equal(sim_now_ns(world), 1000 * SIM_MS);
    assert_true(sim_world_run(world, 2000 * SIM_MS));
    assert_string_equal(story, "start@0 end@1500 ");
}

static void waiter(void *context)
{
    bool woken = sim_wait(&bell, *(const int64_t *)context * SIM_MS);
    tell(woken ? "woken" : "late");
}

static void ringer(void *context)
{
    sim_sleep_ns(*(const int64_t *)context * SIM_MS);
    sim_wake(world, &bell);
}

static void a_signal_wakes_who_waits_before_its_deadline(void **state)
{
    (void)state;
    int64_t soon = 10;
    int64_t at = 20;
    int64_t never = 1000;
    struct sim_process *process = sim_process_new(world, "p");
    sim_spawn(process, waiter, &soon);
    sim_spawn(process, waiter, &never);
    sim_spawn(process, ringer, &at);
    assert_true(sim_world_run(world, 5000 * SIM_MS));
    assert_string_equal(story, "late@10 woken@20 ");
}

static void hoarder(void *context)
{
    (void)context;
    void *kept = fk_alloc(100);
    assert_non_null(kept);
    (void)sim_wait(&bell, INT64_MAX);
    fk_free(kept);
    tell("freed");
}

static void note_end(void *context)
{
    tell((const char *)context);
}

static void a_killed_process_goes_on_no_more(void **state)
{
    (void)state;
    struct sim_process *process = sim_process_new(world, "p");
    sim_process_at_end(process, note_end, (char[]){"over"});
    sim_spawn(process, hoarder, NULL);
    assert_true(sim_world_run(world, SIM_MS));
    sim_process_kill(process);
    assert_false(sim_process_alive(process));
    sim_wake(world, &bell);
    assert_true(sim_world_run(world, SIM_S));
    assert_string_equal(story, "over@1 ");
    assert_null(sim_violated(world));
}

static void what_an_ended_process_kept_is_a_leak(void **state)
{
    (void)state;
    struct sim_process *process = sim_process_new(world, "p");
    sim_spawn(process, hoarder, NULL);
    assert_true(sim_world_run(world, SIM_MS));
    sim_process_end(process);
    assert_string_equal(sim_violated(world), "harness");
    assert_non_null(strstr(sim_violation_text(world), "leak: p ended with 1 blocks, one of 100 bytes"));
}

static void an_ended_process_that_freed_all_is_fine(void **state)
{
    (void)state;
    struct sim_process *process = sim_process_new(world, "p");
    sim_spawn(process, hoarder, NULL);
    assert_true(sim_world_run(world, SIM_MS));
    sim_wake(world, &bell);
    assert_true(sim_world_run(world, SIM_S));
    sim_process_end(process);
    assert_null(sim_violated(world));
}

static void quitter(void *context)
{
    (void)context;
    (void)!fk_alloc(10);
    tell("quit");
    sim_exit();
}

static void a_task_can_end_its_process(void **state)
{
    (void)state;
    int64_t ms = 100;
    struct sim_process *process = sim_process_new(world, "p");
    sim_spawn(process, sleeper, &ms);
    assert_true(sim_world_run(world, SIM_MS));
    sim_spawn(process, quitter, NULL);
    assert_true(sim_world_run(world, SIM_S));
    assert_string_equal(story, "start@0 quit@1 ");
    assert_false(sim_process_alive(process));
}

static void memory_of_the_world_outlives_processes(void **state)
{
    (void)state;
    struct sim_process *process = sim_process_new(world, "p");
    struct sim_process *before = sim_memory_of(process);
    void *mine = fk_alloc(10);
    (void)sim_memory_of(NULL);
    char *worlds = (char *)fk_alloc(10);
    (void)sim_memory_of(before);
    assert_non_null(mine);
    sim_process_kill(process);
    worlds[9] = 'x'; /* AddressSanitizer looks on */
    fk_free(worlds);
}

static void a_suspended_process_catches_up(void **state)
{
    (void)state;
    int64_t ms = 100;
    struct sim_process *process = sim_process_new(world, "p");
    struct fk_clock *clock = sim_process_clock(process);
    int64_t start = fk_clock_monotonic_ms(clock);
    sim_spawn(process, sleeper, &ms);
    assert_true(sim_world_run(world, 50 * SIM_MS));
    sim_process_suspend(process, 500 * SIM_MS, false);
    sim_at(world, process, 60 * SIM_MS, note_end, (char[]){"call"});
    assert_true(sim_world_run(world, SIM_S));
    assert_non_null(strstr(story, "end@550"));
    assert_non_null(strstr(story, "call@550"));
    assert_int_equal(fk_clock_monotonic_ms(clock) - start, 1000);
    sim_process_suspend(process, 500 * SIM_MS, true);
    assert_true(sim_world_run(world, 2 * SIM_S));
    assert_int_equal(fk_clock_monotonic_ms(clock) - start, 1500); /* it stood still */
}

static void clocks_differ_as_the_plan_says(void **state)
{
    (void)state;
    struct sim_process *process = sim_process_new(world, "p");
    struct sim_process *other = sim_process_new(world, "q");
    sim_process_set_clock(process, 700, 100);
    assert_true(sim_world_run(world, 1000 * SIM_S));
    int64_t difference = fk_clock_wall_ms(sim_process_clock(process)) - fk_clock_wall_ms(sim_process_clock(other));
    assert_int_equal(difference, 700 + 100);
    sim_process_jump(process, -2000);
    difference = fk_clock_wall_ms(sim_process_clock(process)) - fk_clock_wall_ms(sim_process_clock(other));
    assert_int_equal(difference, 700 + 100 - 2000);
}

static void wanderer(void *context)
{
    for (int i = 0; i < 20; i++) {
        sim_trace(world, "%s step %d of %lld, %.*s", (const char *)context, i, (long long)sim_now_ns(world), 2, "abc");
        sim_sleep_ns((int64_t)sim_below(world, SIM_DICE_SCHEDULE, 3));
    }
}

static uint64_t hash_of(uint64_t seed)
{
    sim_world_free(world);
    world = sim_world_new(seed);
    struct sim_process *process = sim_process_new(world, "p");
    sim_spawn(process, wanderer, (char[]){"a"});
    sim_spawn(process, wanderer, (char[]){"b"});
    assert_true(sim_world_run(world, SIM_S));
    return sim_trace_hash(world);
}

static void a_seed_is_one_trace(void **state)
{
    (void)state;
    uint64_t first = hash_of(1);
    assert_true(first == hash_of(1));
    assert_true(first != hash_of(2));
    assert_true(first == UINT64_C(0x1d78888ca4857dae)); /* of every compiler */
}

static void a_violation_ends_the_run(void **state)
{
    (void)state;
    sim_violation(world, "C1", "%s", "one");
    sim_violation(world, "C2", "%s", "two");
    assert_false(sim_world_run(world, SIM_S));
    assert_string_equal(sim_violated(world), "C1");
    assert_string_equal(sim_violation_text(world), "one");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(time_passes_only_by_sleeping),
        TEST(a_signal_wakes_who_waits_before_its_deadline),
        TEST(a_killed_process_goes_on_no_more),
        TEST(what_an_ended_process_kept_is_a_leak),
        TEST(an_ended_process_that_freed_all_is_fine),
        TEST(a_task_can_end_its_process),
        TEST(memory_of_the_world_outlives_processes),
        TEST(a_suspended_process_catches_up),
        TEST(clocks_differ_as_the_plan_says),
        TEST(a_seed_is_one_trace),
        TEST(a_violation_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
