// SPDX-License-Identifier: Apache-2.0
/* What port/queue.h and port/channel.h promise, of the drivers of one machine. */
#include "base/limits.h"
#include "driver/local/channel.h"
#include "driver/local/queue.h"
#include "support/test.h"

#include <stdio.h>

/* How the suite handles a queue driver: receiving is not part of the port. */
struct queue_driver {
    struct fk_queue *(*new)(void);
    bool (*peek)(struct fk_queue *queue, struct fk_bytes *message);
    void (*done)(struct fk_queue *queue);
};

struct channel_driver {
    struct fk_channel *(*new)(void);
    bool (*peek)(struct fk_channel *channel, int64_t visible_zxid, struct fk_bytes *message);
    void (*done)(struct fk_channel *channel);
};

static struct queue_driver local_queue = {fk_local_queue_new, fk_local_queue_peek, fk_local_queue_done};
static struct channel_driver local_channel = {fk_local_channel_new, fk_local_channel_peek, fk_local_channel_done};

static void messages_of_a_group_come_in_order(void **state)
{
    const struct queue_driver *driver = (const struct queue_driver *)*state;
    struct fk_queue *queue = driver->new ();
    struct fk_prng prng = fk_test_prng();
    int sent[3] = {0};
    int got[3] = {0};
    for (int step = 0; step < 2000; step++) {
        char text[32];
        struct fk_bytes message;
        int64_t group = (int64_t)fk_prng_below(&prng, 3);
        if (fk_prng_chance(&prng, 55)) {
            (void)snprintf(text, sizeof text, "%d %d", (int)group, sent[group]++);
            assert_int_equal(fk_queue_send(queue, group, sent[group], fk_bytes_text(text)), FK_OK);
            memset(text, 'x', sizeof text); /* it was borrowed for the call only */
        } else if (driver->peek(queue, &message)) {
            int number = 0;
            int from = 0;
            assert_true(message.size < sizeof text);
            memcpy(text, message.data, message.size);
            text[message.size] = '\0';
            assert_int_equal(sscanf(text, "%d %d", &from, &number), 2);
            assert_int_equal(number, got[from]++);
            driver->done(queue);
        }
    }
    fk_queue_free(queue);
}

static void a_message_stays_until_it_is_done(void **state)
{
    const struct queue_driver *driver = (const struct queue_driver *)*state;
    struct fk_queue *queue = driver->new ();
    struct fk_bytes message;
    assert_non_null(queue->ops->name);
    assert_false(driver->peek(queue, &message));
    assert_int_equal(fk_queue_send(queue, 1, 1, fk_bytes_text("one")), FK_OK);
    assert_int_equal(fk_queue_send(queue, 1, 2, fk_bytes_text("")), FK_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(driver->peek(queue, &message));
        fk_assert_text(message, "one");
    }
    driver->done(queue);
    assert_true(driver->peek(queue, &message));
    assert_int_equal(message.size, 0);
    driver->done(queue);
    assert_false(driver->peek(queue, &message));
    fk_queue_free(queue);
}

static void a_full_queue_is_busy_until_it_is_drained(void **state)
{
    const struct queue_driver *driver = (const struct queue_driver *)*state;
    static uint8_t bytes[FK_FRAME_SIZE_MAX];
    struct fk_queue *queue = driver->new ();
    struct fk_bytes message;
    size_t sent = 0;
    enum fk_err err = FK_OK;
    while (err == FK_OK) {
        memset(bytes, (int)sent, 8);
        err = fk_queue_send(queue, 1, (int64_t)sent, fk_bytes_of(bytes, sizeof bytes));
        sent += err == FK_OK ? 1 : 0;
        assert_true(sent * sizeof bytes < 2 * (size_t)FK_QUEUE_SIZE_MAX);
    }
    assert_int_equal(err, FK_ERR_BUSY);
    assert_true((sent + 1) * sizeof bytes >= FK_QUEUE_SIZE_MAX);
    for (size_t i = 0; i < sent; i++) {
        assert_true(driver->peek(queue, &message));
        assert_int_equal(message.size, sizeof bytes);
        assert_int_equal(message.data[0], (uint8_t)i);
        driver->done(queue);
    }
    assert_int_equal(fk_queue_send(queue, 1, 1, fk_bytes_text("again")), FK_OK);
    fk_queue_free(queue);
}

static void without_memory_nothing_is_sent_and_nothing_lost(void **state)
{
    const struct queue_driver *driver = (const struct queue_driver *)*state;
    static uint8_t bytes[100 * 1000];
    struct fk_queue *queue = driver->new ();
    struct fk_bytes message;
    assert_int_equal(fk_queue_send(queue, 1, 1, fk_bytes_text("kept")), FK_OK);
    fk_test_fail_all(true);
    assert_int_equal(fk_queue_send(queue, 1, 2, fk_bytes_of(bytes, sizeof bytes)), FK_ERR_NOMEM);
    assert_null(driver->new ());
    fk_test_fail_all(false);
    assert_int_equal(fk_queue_send(queue, 1, 2, fk_bytes_text("next")), FK_OK);
    assert_true(driver->peek(queue, &message));
    fk_assert_text(message, "kept");
    driver->done(queue);
    assert_true(driver->peek(queue, &message));
    fk_assert_text(message, "next");
    fk_queue_free(queue); /* with a message in it */
}

static void answers_wait_for_their_change(void **state)
{
    const struct channel_driver *driver = (const struct channel_driver *)*state;
    struct fk_channel *channel = driver->new ();
    struct fk_bytes message;
    assert_non_null(channel->ops->name);
    assert_false(driver->peek(channel, INT64_MAX, &message));
    char text[] = "five";
    assert_int_equal(fk_channel_notify(channel, 1, fk_bytes_text(text), 5), FK_OK);
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(fk_channel_notify(channel, 1, fk_bytes_text("five too"), 5), FK_OK);
    assert_int_equal(fk_channel_notify(channel, 1, fk_bytes_text("seven"), 7), FK_OK);
    assert_false(driver->peek(channel, 4, &message));
    assert_true(driver->peek(channel, 5, &message));
    fk_assert_text(message, "five");
    assert_true(driver->peek(channel, 5, &message));
    fk_assert_text(message, "five"); /* it stays until it is done */
    driver->done(channel);
    assert_true(driver->peek(channel, 5, &message));
    fk_assert_text(message, "five too");
    driver->done(channel);
    assert_false(driver->peek(channel, 6, &message));
    assert_true(driver->peek(channel, 100, &message));
    fk_assert_text(message, "seven");
    driver->done(channel);
    assert_false(driver->peek(channel, 100, &message));
    fk_channel_free(channel);
}

static void a_channel_without_memory(void **state)
{
    const struct channel_driver *driver = (const struct channel_driver *)*state;
    static uint8_t bytes[100 * 1000];
    struct fk_channel *channel = driver->new ();
    struct fk_bytes message;
    assert_int_equal(fk_channel_notify(channel, 1, fk_bytes_text("kept"), 1), FK_OK);
    fk_test_fail_all(true);
    assert_int_equal(fk_channel_notify(channel, 1, fk_bytes_of(bytes, sizeof bytes), 1), FK_ERR_NOMEM);
    fk_test_fail_all(false);
    assert_true(driver->peek(channel, 1, &message));
    fk_assert_text(message, "kept");
    fk_channel_free(channel);
}

#define ON(function, driver)                                                                                           \
    {                                                                                                                  \
#        function " [local]", function, fk_test_begin, fk_test_end, &(driver)                                          \
    }

static const struct CMUnitTest tests[] = {
    ON(messages_of_a_group_come_in_order, local_queue),
    ON(a_message_stays_until_it_is_done, local_queue),
    ON(a_full_queue_is_busy_until_it_is_drained, local_queue),
    ON(without_memory_nothing_is_sent_and_nothing_lost, local_queue),
    ON(answers_wait_for_their_change, local_channel),
    ON(a_channel_without_memory, local_channel),
};

FK_TEST_MAIN(tests)
