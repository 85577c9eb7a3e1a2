// SPDX-License-Identifier: Apache-2.0
#include "paper/rest.h"

#include "base/alloc.h"
#include "function/sweep.h"
#include "units/world.h"

enum {
    SWEEP_MS = 60000,
    SWEEPS_MAX = 20, /* long after every lease and session */
};

static bool sweeps_up(struct units_world *world)
{
    struct fk_sweep_result result = {.gateways_alive = 1};
    for (int i = 0; i < SWEEPS_MAX && result.gateways_alive + result.sessions > 0; i++) {
        fk_memory_clock_advance_ms(&world->clock, SWEEP_MS); /* nobody ticks the gateway: it is dead */
        assert_int_equal(fk_sweep_run(&world->options, &world->ports, &result), FK_OK);
        units_settle(world); /* what the sweep asks of the functions */
    }
    return result.gateways_alive + result.sessions == 0;
}

bool rest_is_reached(size_t clients)
{
    struct units_world *world = (struct units_world *)fk_alloc_zero(sizeof *world);
    assert_non_null(world);
    units_open(world, false);
    for (size_t i = 1; i < clients; i++) {
        struct fk_connect_response response;
        (void)units_connect(world, 0, NULL, &response);
    }
    for (size_t i = 0; i < world->peer_count; i++) {
        send_plain(&world->peers[i], 1, FK_OP_CLOSE_SESSION);
        units_settle(world);
    }
    bool rests = sweeps_up(world);
    units_close(world);
    fk_free(world);
    return rests;
}
