// SPDX-License-Identifier: Apache-2.0
/* A gateway core with everything around it in memory: a clock that stands still, a queue that can be full or held, the
 * write function over the reference store, and clients that speak ZooKeeper's protocol. Nothing happens by itself:
 * world_settle runs the rounds that a host would run, until there is nothing left to do. */
#ifndef FK_TESTS_UNIT_GATEWAY_WORLD_H
#define FK_TESTS_UNIT_GATEWAY_WORLD_H

#include "base/limits.h"
#include "driver/memory/clock.h"
#include "driver/memory/store.h"
#include "function/writer.h"
#include "gateway/gateway.h"
#include "peer.h"

enum {
    WORLD_MESSAGES = 4096,
    WORLD_PEERS = 16,
    WORLD_TICK_MS = 2000,
};

/* Messages in order, copied. */
struct world_pipe {
    struct fk_bytes messages[WORLD_MESSAGES];
    int64_t numbers[WORLD_MESSAGES];
    size_t first;
    size_t count;
};

struct world_queue {
    struct fk_queue base;
    struct world_pipe pipe;
    bool full; /* sends are refused */
};

struct world_channel {
    struct fk_channel base;
    struct world_pipe pipe;
};

struct world {
    struct fk_arena arena; /* of messages */
    struct fk_memory_clock clock;
    struct fk_memory_random random;
    struct world_queue queue;
    struct world_channel channel;
    struct fk_store *store;
    struct fk_writer writer;
    struct fk_gateway_options options;
    struct fk_gateway *gateway;
    struct peer peers[WORLD_PEERS];
    int32_t done;     /* operations decided of the oldest message */
    bool hold_writes; /* the function does not run */
    bool hold_jobs;   /* reads do not run */
};

extern struct world world;

/* cmocka setup and teardown; world_open may be called again with other options after world_stop. */
int world_setup(void **state);
int world_teardown(void **state);
#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

/* A new gateway over the same store and clock, as after a restart of the process. */
void world_restart(void);

void world_settle(void);
/* Time passes with a tick of the gateway each quarter of a tick, and rounds. */
void world_pass_ms(int64_t ms);
/* The clock jumps without ticks. */
void world_jump_ms(int64_t ms);
/* One tick of the gateway, and rounds. */
void world_tick(void);

/* --- clients --- */

/* In a slot that is free, or in this one. */
struct peer *peer_open(const char *address);
struct peer *peer_open_at(size_t slot, const char *address);
/* Both at once, with a timeout of 8000 ms. */
struct peer *peer_connect(struct fk_connect_response *response);
struct peer *peer_session(void);

#endif
