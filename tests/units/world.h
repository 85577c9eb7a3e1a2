// SPDX-License-Identifier: Apache-2.0
/* One gateway with clients, the functions of a topology, and the memory drivers below meters: what an operation uses.
 * No time passes by itself, so that nothing is counted but what the operation causes. */
#ifndef FK_TESTS_UNITS_WORLD_H
#define FK_TESTS_UNITS_WORLD_H

#include "driver/memory/clock.h"
#include "function/cloud.h"
#include "gateway/cloud.h"
#include "gateway/peer.h"
#include "port/meter.h"

enum {
    UNITS_PEERS = 64,
    UNITS_GATEWAYS = 2, /* the second one only where a case asks for it */
};

struct units_world {
    struct fk_arena arena;
    struct fk_memory_clock clock;
    struct fk_memory_random random;
    struct fk_cloud_options options;
    struct fk_ports inner; /* the drivers */
    struct fk_ports ports; /* the meters over them */
    struct fk_meter meter;
    int64_t invocations; /* of all functions */
    struct fk_gateway_options gateway_options;
    struct fk_gateway *gateways[UNITS_GATEWAYS];
    struct peer peers[UNITS_PEERS];
    size_t peer_count;
};

/* What was used between two moments. */
struct units_use {
    struct fk_units units;
    int64_t invocations;
};

/* A new deployment with one gateway and one client: peers[0]. */
void units_open(struct units_world *world, bool pipeline);
void units_close(struct units_world *world);

/* Jobs, functions and messages, until nothing is left to do. */
void units_settle(struct units_world *world);
/* Time passes with the ticks of the gateways, and what they cause. */
void units_pass_ms(struct units_world *world, int64_t ms);

struct units_use units_now(const struct units_world *world);
struct units_use units_since(const struct units_world *world, const struct units_use *start);

/* Another gateway; another client, of gateway `gateway`, whose session is new or the given one. */
void units_add_gateway(struct units_world *world);
struct peer *units_connect(struct units_world *world, size_t gateway, const struct fk_connect_response *session,
                           struct fk_connect_response *response);

#endif
