// SPDX-License-Identifier: Apache-2.0
/* What port/channel.h promises between machines, over each of its drivers, and what the channel in memory has besides.
 * (The channel of one machine holds messages back: queue_test.c.) */
#include "port/channel.h"

#include "driver/memory/channel.h"
#include "support/test.h"

/* How the suite handles a driver: receiving is not part of the port. */
struct driver {
    struct fk_channel *(*open)(void);
    enum fk_err (*listen)(struct fk_channel *channel, int64_t gateway);
    void (*leave)(struct fk_channel *channel, int64_t gateway);
    bool (*peek)(struct fk_channel *channel, int64_t gateway, struct fk_bytes *message);
    void (*done)(struct fk_channel *channel, int64_t gateway);
};

static struct driver memory_driver = {.open = fk_memory_channel_new,
                                      .listen = fk_memory_channel_listen,
                                      .leave = fk_memory_channel_leave,
                                      .peek = fk_memory_channel_peek,
                                      .done = fk_memory_channel_done};

static const struct driver *driver;
static struct fk_channel *channel;

static int setup(void **state)
{
    driver = (const struct driver *)*state;
    (void)fk_test_begin(state);
    channel = driver->open();
    return channel == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    fk_channel_free(channel);
    return fk_test_end(state);
}

static void notify(int64_t gateway, const char *text)
{
    assert_int_equal(fk_channel_notify(channel, gateway, fk_bytes_text(text), 1), FK_OK);
}

static void expect(int64_t gateway, const char *text)
{
    struct fk_bytes message;
    assert_true(driver->peek(channel, gateway, &message));
    fk_assert_text(message, text);
    driver->done(channel, gateway);
}

static void expect_nothing(int64_t gateway)
{
    struct fk_bytes message;
    assert_false(driver->peek(channel, gateway, &message));
}

static void messages_reach_the_gateway_they_are_for(void **state)
{
    (void)state;
    assert_non_null(channel->ops->name);
    assert_int_equal(driver->listen(channel, 1), FK_OK);
    assert_int_equal(driver->listen(channel, INT64_MIN), FK_OK);
    expect_nothing(1);
    notify(INT64_MIN, "other");
    notify(1, "one");
    expect(1, "one");
    expect_nothing(1);
    expect(INT64_MIN, "other");
    expect_nothing(INT64_MIN);
}

static void messages_are_whole_and_borrowed_for_the_call_only(void **state)
{
    (void)state;
    static uint8_t bytes[200 * 1000];
    struct fk_bytes message;
    assert_int_equal(driver->listen(channel, 1), FK_OK);
    memset(bytes, 'a', sizeof bytes);
    assert_int_equal(fk_channel_notify(channel, 1, fk_bytes_of(bytes, sizeof bytes), 7), FK_OK);
    memset(bytes, 'x', sizeof bytes);
    assert_true(driver->peek(channel, 1, &message));
    assert_int_equal(message.size, sizeof bytes);
    for (size_t i = 0; i < message.size; i++) {
        assert_int_equal(message.data[i], 'a');
    }
}

static void a_gateway_that_nobody_is_gets_nothing_and_harms_nobody(void **state)
{
    (void)state;
    notify(1, "too early");
    assert_int_equal(driver->listen(channel, 1), FK_OK);
    expect_nothing(1);
    notify(1, "lost");
    driver->leave(channel, 1);
    driver->leave(channel, 1);
    notify(1, "too late");
    expect_nothing(1);
    assert_int_equal(driver->listen(channel, 2), FK_OK);
    expect_nothing(2);
}

static void messages_come_at_once_in_order_and_stay_until_done(void **state)
{
    (void)state;
    struct fk_bytes message;
    assert_int_equal(driver->listen(channel, 1), FK_OK);
    notify(1, "one");
    assert_int_equal(fk_channel_notify(channel, 1, FK_BYTES_LITERAL(""), INT64_MAX), FK_OK); /* whatever it follows */
    notify(1, "three");
    for (int i = 0; i < 3; i++) {
        assert_true(driver->peek(channel, 1, &message));
        fk_assert_text(message, "one");
    }
    expect(1, "one");
    expect(1, "");
    expect(1, "three");
    expect_nothing(1);
}

static void many_gateways_have_a_mailbox_each(void **state)
{
    (void)state;
    char text[32];
    for (int round = 0; round < 2; round++) {
        for (int gateway = 0; gateway < 100; gateway++) {
            if (round == 0) {
                assert_int_equal(driver->listen(channel, gateway), FK_OK);
            }
            (void)snprintf(text, sizeof text, "%d of %d", round, gateway);
            notify(gateway, text);
        }
    }
    for (int gateway = 0; gateway < 100; gateway += 2) {
        for (int round = 0; round < 2; round++) {
            (void)snprintf(text, sizeof text, "%d of %d", round, gateway);
            expect(gateway, text);
        }
        expect_nothing(gateway);
    }
}

static void without_memory_nothing_is_sent_and_nothing_lost(void **state)
{
    (void)state;
    fk_test_fail_all(true);
    assert_int_equal(driver->listen(channel, 1), FK_ERR_NOMEM);
    fk_test_fail_all(false);
    assert_int_equal(driver->listen(channel, 1), FK_OK);
    notify(1, "kept");
    fk_test_fail_all(true);
    assert_int_equal(fk_channel_notify(channel, 1, fk_bytes_text("not sent"), 1), FK_ERR_NOMEM);
    fk_test_fail_all(false);
    expect(1, "kept");
    expect_nothing(1);
    notify(1, "left in it");
}

#define ON_MEMORY(function)                                                                                            \
    {                                                                                                                  \
#        function " [memory]", function, setup, teardown, &memory_driver                                               \
    }
#define ON_EACH(function) ON_MEMORY(function)

static const struct CMUnitTest tests[] = {
    ON_EACH(messages_reach_the_gateway_they_are_for),
    ON_EACH(messages_are_whole_and_borrowed_for_the_call_only),
    ON_EACH(a_gateway_that_nobody_is_gets_nothing_and_harms_nobody),
    ON_MEMORY(messages_come_at_once_in_order_and_stay_until_done),
    ON_MEMORY(many_gateways_have_a_mailbox_each),
    ON_MEMORY(without_memory_nothing_is_sent_and_nothing_lost),
};

FK_TEST_MAIN(tests)
