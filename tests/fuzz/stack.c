// SPDX-License-Identifier: Apache-2.0
#include "stack.h"

#include "base/assert.h"
#include "driver/local/channel.h"
#include "driver/local/queue.h"
#include "driver/memory/store.h"
#include "gateway/read.h"
#include "wire/records.h"

void stack_open(struct stack *stack, const struct fk_auth_options *auth)
{
    struct fk_gateway_options options = {.tick_ms = STACK_TICK_MS,
                                         .session_timeout_min_ms = 2 * STACK_TICK_MS,
                                         .session_timeout_max_ms = 20 * STACK_TICK_MS,
                                         .words = FK_WORD_ALL,
                                         .super_digest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="};
    if (auth != NULL) {
        options.auth = *auth;
    }
    *stack = (struct stack){.conns = {NULL}};
    fk_memory_clock_init(&stack->clock, 1700000000000);
    fk_memory_random_init(&stack->random, 1);
    stack->store = fk_memory_store_new();
    stack->queue = fk_local_queue_new();
    stack->channel = fk_local_channel_new();
    FK_ASSERT(stack->store != NULL && stack->queue != NULL && stack->channel != NULL);
    fk_writer_init(&stack->writer, stack->store, stack->channel, &stack->clock.base);
    stack->gateway = fk_gateway_new(&options, stack->store, stack->queue, &stack->clock.base, &stack->random.base);
    FK_ASSERT(stack->gateway != NULL);
}

static size_t slot_of(const struct stack *stack, const struct fk_conn *conn)
{
    size_t slot = 0;
    while (slot < STACK_CONNS && stack->conns[slot] != conn) {
        slot++;
    }
    FK_ASSERT(slot < STACK_CONNS);
    return slot;
}

static void take_outputs(struct stack *stack)
{
    struct fk_conn *conn = NULL;
    while ((conn = fk_gateway_take_output(stack->gateway)) != NULL) {
        struct fk_buf *out = fk_conn_output(conn);
        size_t slot = slot_of(stack, conn);
        bool closing = fk_conn_closing(conn);
        fk_buf_append(&stack->received[slot], fk_buf_view(out));
        fk_buf_clear(out);
        if (closing) {
            stack->conns[slot] = NULL;
            fk_gateway_gone(stack->gateway, conn);
        } else {
            fk_gateway_sent(stack->gateway, conn);
        }
    }
}

static void run_functions(struct stack *stack)
{
    struct fk_bytes message;
    while (fk_local_queue_peek(stack->queue, &message)) {
        int32_t done = 0;
        enum fk_err err = fk_writer_run(&stack->writer, message, &done);
        FK_ASSERT(err == FK_OK); /* a gateway writes no message that is none */
        fk_local_queue_done(stack->queue);
    }
}

static void deliver_answers(struct stack *stack, int64_t zxid)
{
    struct fk_bytes message;
    while (fk_local_channel_peek(stack->channel, zxid, &message)) {
        fk_gateway_answer(stack->gateway, message);
        fk_local_channel_done(stack->channel);
    }
}

static void deliver(struct stack *stack)
{
    const struct fk_change *change = NULL;
    while ((change = fk_memory_store_next(stack->store)) != NULL) {
        fk_gateway_change(stack->gateway, change);
        deliver_answers(stack, change->zxid);
    }
    deliver_answers(stack, INT64_MAX);
}

static void settle(struct stack *stack)
{
    struct fk_bytes message;
    do {
        struct fk_job *job = NULL;
        while ((job = fk_gateway_take_job(stack->gateway)) != NULL) {
            fk_job_run(job, stack->store);
            fk_gateway_job_done(stack->gateway, job);
        }
        run_functions(stack);
        deliver(stack);
        fk_gateway_resume(stack->gateway);
        take_outputs(stack);
    } while (fk_gateway_has_jobs(stack->gateway) || fk_local_queue_peek(stack->queue, &message));
}

void stack_connect(struct stack *stack, size_t slot, const char *address)
{
    if (stack->conns[slot] == NULL) {
        stack->conns[slot] = fk_gateway_open(stack->gateway, fk_bytes_text(address), 1, NULL);
    }
}

void stack_input(struct stack *stack, size_t slot, struct fk_bytes bytes)
{
    if (stack->conns[slot] != NULL && fk_conn_wants_input(stack->conns[slot])) {
        fk_gateway_input(stack->gateway, stack->conns[slot], bytes);
        settle(stack);
    }
}

void stack_hello(struct stack *stack, size_t slot, const char *address)
{
    static const uint8_t zeros[16];
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_i32(&buf, 0);
    fk_write_connect_request(&buf, &(struct fk_connect_request){.timeout_ms = 10000,
                                                                .password = fk_bytes_of(zeros, sizeof zeros),
                                                                .has_read_only = true});
    fk_patch_i32(&buf, 0, (int32_t)buf.size - 4);
    stack_connect(stack, slot, address);
    stack_input(stack, slot, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
}

void stack_hang_up(struct stack *stack, size_t slot)
{
    if (stack->conns[slot] != NULL) {
        struct fk_conn *conn = stack->conns[slot];
        stack->conns[slot] = NULL;
        fk_gateway_gone(stack->gateway, conn);
        settle(stack);
    }
}

void stack_pass_ms(struct stack *stack, int64_t ms)
{
    enum {
        STEP_MS = 500,
    };
    for (int64_t passed = 0; passed < ms; passed += STEP_MS) {
        fk_memory_clock_advance_ms(&stack->clock, STEP_MS);
        fk_gateway_tick(stack->gateway);
        settle(stack);
    }
}

void stack_close(struct stack *stack)
{
    for (size_t slot = 0; slot < STACK_CONNS; slot++) {
        stack_hang_up(stack, slot);
        fk_buf_deinit(&stack->received[slot]);
    }
    fk_gateway_free(stack->gateway);
    fk_writer_deinit(&stack->writer);
    fk_queue_free(stack->queue);
    fk_channel_free(stack->channel);
    fk_store_free(stack->store);
}
