// SPDX-License-Identifier: Apache-2.0
/* A whole server in memory for the fuzz targets: the gateway core, the write function, the reference store, the local
 * queue and channel, a clock that moves when told. */
#ifndef FK_TESTS_FUZZ_STACK_H
#define FK_TESTS_FUZZ_STACK_H

#include "driver/memory/clock.h"
#include "function/writer.h"
#include "gateway/gateway.h"

enum {
    STACK_CONNS = 4,
    STACK_TICK_MS = 2000,
};

struct stack {
    struct fk_memory_clock clock;
    struct fk_memory_random random;
    struct fk_store *store;
    struct fk_queue *queue;
    struct fk_channel *channel;
    struct fk_writer writer;
    struct fk_gateway *gateway;
    struct fk_conn *conns[STACK_CONNS];  /* NULL: not open */
    struct fk_buf received[STACK_CONNS]; /* bytes of the server that nobody has looked at */
};

/* A server with a fresh tree; options of authentication, or NULL for none. */
void stack_open(struct stack *stack, const struct fk_auth_options *auth);
void stack_close(struct stack *stack);

/* Opens the connection of a slot where it is not open, from an address. */
void stack_connect(struct stack *stack, size_t slot, const char *address);
/* The same with a good handshake, so that a fuzzer need not find one. */
void stack_hello(struct stack *stack, size_t slot, const char *address);
/* Bytes from its client, then rounds until nothing is left to do. */
void stack_input(struct stack *stack, size_t slot, struct fk_bytes bytes);
/* Its client is gone. */
void stack_hang_up(struct stack *stack, size_t slot);
/* Time passes, with ticks. */
void stack_pass_ms(struct stack *stack, int64_t ms);

#endif
