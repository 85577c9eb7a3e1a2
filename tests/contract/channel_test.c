// SPDX-License-Identifier: Apache-2.0
/* What port/channel.h promises between machines, over each of its drivers, and what the channel in memory has besides.
 * (The channel of one machine holds messages back: queue_test.c.) */
#include "port/channel.h"

#include "aws_fixture.h"
#include "base/buf.h"
#include "driver/aws/channel.h"
#include "driver/aws/mailbox.h"
#include "driver/memory/channel.h"
#include "support/test.h"

/* How the suite handles a driver: receiving is not part of the port. */
struct driver {
    enum fk_emulator emulator; /* first: see FK_CLOUD_TEST_MAIN */
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

/* --- over mailboxes: what came is kept here --- */

enum {
    MAILBOXES = 4,
};

struct mail {
    struct fk_mailbox *mailbox; /* NULL: nobody listens */
    int64_t gateway;
    struct fk_buf came; /* messages one after the other, each behind its size */
    size_t marks;       /* markers that came: see look() */
};

static struct mail mails[MAILBOXES];
static const char marker[] = "a message that shows that those before it have come";

static struct mail *mail_of(int64_t gateway)
{
    for (size_t i = 0; i < MAILBOXES; i++) {
        if (mails[i].mailbox != NULL && mails[i].gateway == gateway) {
            return &mails[i];
        }
    }
    return NULL;
}

static enum fk_err find_address(struct fk_table *table, int64_t gateway, struct fk_arena *arena,
                                struct fk_bytes *address)
{
    const struct mail *mail = mail_of(gateway);
    (void)table;
    if (mail == NULL) {
        return FK_ERR_NOT_FOUND;
    }
    *address = fk_arena_copy(arena, mail->mailbox->address);
    return FK_OK;
}

static struct fk_channel *mail_open(void)
{
    struct fk_aws *aws = fk_cloud_open(driver->emulator);
    return aws == NULL ? NULL : fk_aws_channel_new(aws, NULL, find_address, fk_cloud_clock());
}

static enum fk_err mail_add(int64_t gateway, enum fk_err err, struct fk_mailbox *mailbox, struct fk_diag *diag)
{
    size_t free = 0;
    if (err != FK_OK) {
        (void)printf("# %s\n", diag->text);
        return err;
    }
    while (mails[free].mailbox != NULL) {
        free++;
        assert_true(free < MAILBOXES);
    }
    mails[free] = (struct mail){.mailbox = mailbox, .gateway = gateway, .came = FK_BUF_EMPTY};
    return FK_OK;
}

static enum fk_err tcp_listen(struct fk_channel *to, int64_t gateway)
{
    struct fk_diag diag = {.text = ""};
    struct fk_mailbox *mailbox = NULL;
    (void)to;
    enum fk_err err = fk_tcp_mailbox_new("127.0.0.1:0", NULL, gateway, fk_cloud_random(), &mailbox, &diag);
    return mail_add(gateway, err, mailbox, &diag);
}

static enum fk_err sqs_listen(struct fk_channel *to, int64_t gateway)
{
    struct fk_deployment deployment;
    struct fk_diag diag = {.text = ""};
    struct fk_mailbox *mailbox = NULL;
    (void)to;
    assert_int_equal(fk_deployment_init(&deployment, fk_cloud_name(), NULL), FK_OK);
    enum fk_err err = fk_sqs_mailbox_new(fk_cloud_aws(), &deployment, gateway, fk_cloud_random(), &mailbox, &diag);
    return mail_add(gateway, err, mailbox, &diag);
}

static void mail_end(struct mail *mail)
{
    fk_mailbox_leave(mail->mailbox);
    fk_mailbox_free(mail->mailbox);
    fk_buf_deinit(&mail->came);
    mail->mailbox = NULL;
}

static void mail_leave(struct fk_channel *to, int64_t gateway)
{
    struct mail *mail = mail_of(gateway);
    (void)to;
    if (mail != NULL) {
        mail_end(mail);
    }
}

static void take(void *context, struct fk_bytes message)
{
    struct mail *mail = (struct mail *)context;
    if (fk_bytes_equal_text(message, marker)) {
        mail->marks++;
        return;
    }
    fk_buf_append(&mail->came, fk_bytes_of(&message.size, sizeof message.size));
    fk_buf_append(&mail->came, message);
}

/* Receiving waits until something comes, so something is sent that will. */
static void look(struct fk_channel *to, struct mail *mail)
{
    size_t marks = mail->marks;
    assert_int_equal(fk_channel_notify(to, mail->gateway, fk_bytes_text(marker), 1), FK_OK);
    for (int tries = 0; mail->marks == marks; tries++) {
        assert_true(tries < 10);
        assert_int_equal(fk_mailbox_receive(mail->mailbox, take, mail), FK_OK);
    }
}

static bool mail_peek(struct fk_channel *to, int64_t gateway, struct fk_bytes *message)
{
    struct mail *mail = mail_of(gateway);
    size_t size = 0;
    if (mail == NULL) {
        return false;
    }
    if (fk_buf_left(&mail->came) == 0) {
        look(to, mail);
    }
    struct fk_bytes came = fk_buf_view(&mail->came);
    if (came.size == 0) {
        return false;
    }
    memcpy(&size, came.data, sizeof size);
    *message = fk_bytes_of(came.data + sizeof size, size);
    return true;
}

static void mail_done(struct fk_channel *to, int64_t gateway)
{
    struct fk_bytes message = FK_BYTES_NULL;
    assert_true(mail_peek(to, gateway, &message));
    fk_buf_consume(&mail_of(gateway)->came, sizeof message.size + message.size);
}

static struct driver tcp_driver = {
    .open = mail_open, .listen = tcp_listen, .leave = mail_leave, .peek = mail_peek, .done = mail_done};
static struct driver ministack_driver = {.emulator = FK_EMULATOR_MINISTACK,
                                         .open = mail_open,
                                         .listen = sqs_listen,
                                         .leave = mail_leave,
                                         .peek = mail_peek,
                                         .done = mail_done};
static struct driver moto_driver = {.emulator = FK_EMULATOR_MOTO,
                                    .open = mail_open,
                                    .listen = sqs_listen,
                                    .leave = mail_leave,
                                    .peek = mail_peek,
                                    .done = mail_done};

static int setup(void **state)
{
    driver = (const struct driver *)*state;
    (void)fk_test_begin(state);
    channel = driver->open();
    return channel == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    for (size_t i = 0; i < MAILBOXES; i++) {
        if (mails[i].mailbox != NULL) {
            mail_end(&mails[i]);
        }
    }
    fk_channel_free(channel);
    fk_cloud_close();
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

/* Messages of somebody who does not have the gateway's key. */
static void only_who_has_the_key_is_heard(void **state)
{
    (void)state;
    struct fk_bytes message;
    assert_int_equal(driver->listen(channel, 1), FK_OK);
    notify(1, "one");
    expect(1, "one");
    struct fk_mailbox *mailbox = mail_of(1)->mailbox;
    struct fk_bytes right = mailbox->address;
    struct fk_buf wrong = FK_BUF_EMPTY;
    fk_buf_append(&wrong, right);
    wrong.data[wrong.size - 1] = wrong.data[wrong.size - 1] == '0' ? '1' : '0';
    struct fk_channel *stranger = fk_aws_channel_new(fk_cloud_aws(), NULL, find_address, fk_cloud_clock());
    uint64_t dropped = fk_aws_channel_counts.dropped;
    mailbox->address = fk_buf_view(&wrong);
    assert_int_equal(fk_channel_notify(stranger, 1, fk_bytes_text("stranger"), 1), FK_OK);
    mailbox->address = right;
    notify(1, "two");
    expect(1, "two");
    assert_false(driver->peek(channel, 1, &message));
    assert_int_equal(fk_aws_channel_counts.dropped, dropped + 1);
    fk_channel_free(stranger);
    fk_buf_deinit(&wrong);
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
#define ON(function, driver)                                                                                           \
    {                                                                                                                  \
#        function " [" #        driver "]", function, setup, teardown, &driver##_driver                                \
    }
#define ON_EACH(function) ON_MEMORY(function), ON(function, tcp), ON(function, ministack), ON(function, moto)

static const struct CMUnitTest tests[] = {
    ON_EACH(messages_reach_the_gateway_they_are_for),
    ON_EACH(messages_are_whole_and_borrowed_for_the_call_only),
    ON_EACH(a_gateway_that_nobody_is_gets_nothing_and_harms_nobody),
    ON(only_who_has_the_key_is_heard, tcp),
    ON(only_who_has_the_key_is_heard, ministack),
    ON_MEMORY(messages_come_at_once_in_order_and_stay_until_done),
    ON_MEMORY(many_gateways_have_a_mailbox_each),
    ON_MEMORY(without_memory_nothing_is_sent_and_nothing_lost),
};

FK_CLOUD_TEST_MAIN(tests)
