// SPDX-License-Identifier: Apache-2.0
#include "paper/idle.h"

#include "base/alloc.h"
#include "function/sweep.h"
#include "units/world.h"

enum {
    WARM_S = 60,
    MEASURED_S = 3600, /* one sweep of an hour looks for data that nobody names */
    SWEEP_S = 60,
    STEP_MS = 2000, /* sessions of 8 s ping in time */
    GONE_S = 1200,  /* long after every lease and session */
};

static void pass_s(struct units_world *world, int64_t seconds, bool pinging)
{
    for (int64_t ms = 0; ms < seconds * 1000; ms += STEP_MS) {
        for (size_t i = 0; pinging && i < world->peer_count; i++) {
            send_plain(&world->peers[i], FK_XID_PING, FK_OP_PING);
        }
        units_settle(world);
        for (size_t i = 0; pinging && i < world->peer_count; i++) {
            (void)expect_reply(&world->peers[i], FK_XID_PING, FK_CODE_OK);
        }
        units_pass_ms(world, STEP_MS);
    }
}

static struct fk_cost_use since(const struct units_world *world, const struct units_use *start)
{
    struct units_use use = units_since(world, start);
    return (struct fk_cost_use){.units = use.units, .invocations = use.invocations};
}

static struct fk_cost_use sweep(struct units_world *world, struct fk_sweep_result *result)
{
    struct units_use start = units_now(world);
    world->invocations++;
    assert_int_equal(fk_sweep_run(&world->options, &world->ports, result), FK_OK);
    return since(world, &start);
}

/* Both, alternately, as in a deployment: what a sweep leaves to do, the gateway does. */
static void measure(struct units_world *world, struct idle *idle)
{
    struct fk_sweep_result result;
    for (int s = 0; s < MEASURED_S; s += SWEEP_S) {
        struct units_use start = units_now(world);
        pass_s(world, SWEEP_S, true);
        struct fk_cost_use used = since(world, &start);
        fk_units_add(&idle->renewals.units, &used.units);
        idle->renewals.invocations += used.invocations;
        used = sweep(world, &result);
        fk_units_add(&idle->sweeps.units, &used.units);
        idle->sweeps.invocations += used.invocations;
        assert_int_equal(result.gateways_alive, 1);
    }
    idle->measured_s = MEASURED_S;
}

/* The gateway is gone; what it left is swept up. */
static bool comes_to_rest(struct units_world *world)
{
    struct fk_sweep_result result = {.gateways_alive = 1};
    for (size_t i = 0; i < world->peer_count; i++) {
        send_plain(&world->peers[i], 1, FK_OP_CLOSE_SESSION);
        units_settle(world);
    }
    for (int s = 0; s < GONE_S; s += SWEEP_S) { /* nobody ticks the gateway: it is dead */
        fk_memory_clock_advance_ms(&world->clock, (int64_t)SWEEP_S * 1000);
        (void)sweep(world, &result);
        units_settle(world); /* what it asks of the functions */
    }
    return result.gateways_alive == 0 && result.sessions == 0;
}

void idle_measure(int clients, struct idle *idle)
{
    struct units_world *world = (struct units_world *)fk_alloc_zero(sizeof *world);
    assert_non_null(world);
    assert_true(clients >= 1 && clients <= IDLE_CLIENTS_MAX);
    *idle = (struct idle){.measured_s = 0};
    units_open(world, false);
    for (int i = 1; i < clients; i++) {
        struct fk_connect_response response;
        (void)units_connect(world, 0, NULL, &response);
    }
    struct fk_sweep_result result;
    pass_s(world, WARM_S, true);
    (void)sweep(world, &result);
    measure(world, idle);
    idle->rests = comes_to_rest(world);
    units_close(world);
    fk_free(world);
}
