// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: the frame splitter and the state machine of connections, over a whole server in memory. Input: steps of
 * a byte (what, and which of four connections), a length byte, and so many bytes. Bytes of a step go in as one read, so
 * that frames are split anywhere. What the server sends must be whole frames, whose lengths are right. */
#include "stack.h"

#include "base/assert.h"
#include "wire/records.h"

enum {
    STEP_BYTES,
    STEP_HELLO,
    STEP_REQUEST,
    STEP_TIME,
    STEP_HANG_UP,
    STEPS,
    WORD_SIZE = 4,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A frame whose length is right: xid and operation from the front of the bytes. */
static void request(struct stack *stack, size_t slot, struct fk_bytes bytes)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_i32(&buf, (int32_t)bytes.size + 7);
    fk_write_i32(&buf, 1);
    fk_write_i32(&buf, bytes.size == 0 ? 0 : (int8_t)bytes.data[0]);
    fk_buf_append(&buf, fk_bytes_tail(bytes, bytes.size == 0 ? 0 : 1));
    fk_patch_i32(&buf, 0, (int32_t)buf.size - 4);
    stack_input(stack, slot, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
}

/* Whole frames only; the text of a four-letter word is none, and is the only thing on its connection. */
static void check_received(struct stack *stack, size_t slot)
{
    struct fk_buf *buf = &stack->received[slot];
    while (fk_buf_left(buf) >= WORD_SIZE) {
        uint32_t length = fk_load_u32(fk_buf_view(buf).data);
        if (length > INT32_MAX / 2 || (length >> 24) != 0) {
            fk_buf_clear(buf); /* letters */
            return;
        }
        FK_ASSERT(fk_buf_left(buf) >= WORD_SIZE + (size_t)length);
        fk_buf_consume(buf, WORD_SIZE + (size_t)length);
    }
    fk_buf_clear(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stack stack;
    struct fk_bytes left = fk_bytes_of(data, size);
    stack_open(&stack, NULL);
    stack_hello(&stack, 0, "127.0.0.1");
    while (left.size >= 2) {
        size_t slot = left.data[0] % STACK_CONNS;
        unsigned step = left.data[0] / STACK_CONNS % STEPS;
        struct fk_bytes bytes = fk_bytes_head(fk_bytes_tail(left, 2), left.data[1]);
        switch (step) {
        case STEP_BYTES:
            stack_connect(&stack, slot, "127.0.0.1");
            stack_input(&stack, slot, bytes);
            break;
        case STEP_HELLO:
            stack_hello(&stack, slot, "127.0.0.1");
            break;
        case STEP_REQUEST:
            request(&stack, slot, bytes);
            break;
        case STEP_TIME:
            stack_pass_ms(&stack, left.data[1] * 50);
            bytes.size = 0;
            break;
        default:
            stack_hang_up(&stack, slot);
            bytes.size = 0;
            break;
        }
        check_received(&stack, slot);
        left = fk_bytes_tail(left, 2 + bytes.size);
    }
    stack_close(&stack);
    return 0;
}
