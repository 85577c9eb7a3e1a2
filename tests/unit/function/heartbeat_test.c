// SPDX-License-Identifier: Apache-2.0
/* Expiry, rounded as ZooKeeper's ExpiryQueue does: up to the next tick, a whole one where it is a tick already. */
#include "function/heartbeat.h"

#include "base/container.h"
#include "function/message.h"
#include "support/test.h"
#include "wire/codes.h"

/* A queue that keeps the last message, or refuses. */
struct last_queue {
    struct fk_queue base;
    struct fk_buf message;
    int64_t group;
    int sent;
    enum fk_err err;
};

static enum fk_err last_send(struct fk_queue *base, int64_t group, int64_t deduplication_id, struct fk_bytes message)
{
    struct last_queue *queue = FK_CONTAINER_OF(base, struct last_queue, base);
    (void)deduplication_id;
    if (queue->err != FK_OK) {
        return queue->err;
    }
    fk_buf_clear(&queue->message);
    fk_buf_append(&queue->message, message);
    queue->group = group;
    queue->sent++;
    return FK_OK;
}

static const struct fk_queue_ops last_ops = {.name = "last", .send = last_send};

static void deadlines(void **state)
{
    (void)state;
    static const struct {
        int64_t last_packet_ms;
        int32_t timeout_ms;
        int32_t tick_ms;
        int64_t deadline_ms;
    } rows[] = {
        {0, 4000, 2000, 6000}, /* a multiple is rounded up too: (4000 / 2000 + 1) * 2000 */
        {1, 4000, 2000, 6000},
        {1999, 4000, 2000, 6000},
        {2000, 4000, 2000, 8000},
        {0, 3999, 2000, 4000},
        {0, 1, 2000, 2000},
        {7, 10, 1, 18},
        {100, 500, 500, 1000},
        {0, 500, 500, 1000},
        {INT64_C(1) << 40, 40000, 2000, ((INT64_C(1) << 40) + 40000) / 2000 * 2000 + 2000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_lease lease = {.last_packet_ms = rows[i].last_packet_ms, .timeout_ms = rows[i].timeout_ms};
        assert_int_equal(fk_lease_deadline_ms(&lease, rows[i].tick_ms), rows[i].deadline_ms);
    }
}

static void a_deadline_is_later_than_the_timeout_by_at_most_a_tick(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    for (int i = 0; i < 10000; i++) {
        int32_t tick_ms = 1 + (int32_t)fk_prng_below(&prng, 5000);
        struct fk_lease lease = {.last_packet_ms = (int64_t)fk_prng_below(&prng, UINT64_C(1) << 45),
                                 .timeout_ms = (int32_t)fk_prng_below(&prng, 100000)};
        int64_t end_ms = lease.last_packet_ms + lease.timeout_ms;
        int64_t deadline_ms = fk_lease_deadline_ms(&lease, tick_ms);
        assert_true(deadline_ms > end_ms && deadline_ms <= end_ms + tick_ms);
        assert_int_equal(deadline_ms % tick_ms, 0);
    }
}

static void the_closing_of_a_silent_session(void **state)
{
    (void)state;
    struct last_queue queue = {.base = {.ops = &last_ops}, .message = FK_BUF_EMPTY, .err = FK_OK};
    struct fk_heartbeat heartbeat = {.queue = &queue.base, .gateway = 5, .tick_ms = 2000};
    struct fk_lease lease = {.session_id = 77, .epoch = 3, .last_packet_ms = 100, .timeout_ms = 4000};
    bool expired = true;
    assert_int_equal(fk_heartbeat_check(&heartbeat, &lease, 5999, &expired), FK_OK);
    assert_false(expired);
    assert_int_equal(queue.sent, 0);
    assert_int_equal(fk_heartbeat_check(&heartbeat, &lease, 6000, &expired), FK_OK);
    assert_true(expired);
    assert_int_equal(queue.group, 77);

    struct fk_reader reader = fk_reader_of(fk_buf_view(&queue.message));
    struct fk_request_message message;
    struct fk_request_operation operation;
    assert_int_equal(fk_request_message_read(&reader, &message), FK_OK);
    assert_int_equal(message.session_id, 77);
    assert_int_equal(message.epoch, 3);
    assert_int_equal(message.gateway, 5);
    assert_int_equal(message.first_number, 0); /* no client waits */
    assert_int_equal(message.count, 1);
    assert_int_equal(fk_request_message_next(&reader, &operation), FK_OK);
    assert_int_equal(operation.op, FK_OP_CLOSE_SESSION);
    fk_buf_deinit(&queue.message);
}

static void a_full_queue_leaves_the_session_for_later(void **state)
{
    (void)state;
    struct last_queue queue = {.base = {.ops = &last_ops}, .message = FK_BUF_EMPTY, .err = FK_ERR_BUSY};
    struct fk_heartbeat heartbeat = {.queue = &queue.base, .tick_ms = 10};
    struct fk_lease lease = {.session_id = 1, .timeout_ms = 10};
    bool expired = true;
    assert_int_equal(fk_heartbeat_check(&heartbeat, &lease, 1000, &expired), FK_ERR_BUSY);
    assert_false(expired);
    fk_test_fail_all(true);
    assert_int_equal(fk_heartbeat_check(&heartbeat, &lease, 1000, &expired), FK_ERR_NOMEM);
    assert_false(expired);
    fk_test_fail_all(false);
    fk_buf_deinit(&queue.message);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(deadlines),
    FK_TEST(a_deadline_is_later_than_the_timeout_by_at_most_a_tick),
    FK_TEST(the_closing_of_a_silent_session),
    FK_TEST(a_full_queue_leaves_the_session_for_later),
};

FK_TEST_MAIN(tests)
