// SPDX-License-Identifier: Apache-2.0
/* Queues, mailboxes and the queues that dead gateways leave, over answers that the test gives. */
#include "driver/aws/sqs.h"

#include "base/base64.h"
#include "driver/aws/address.h"
#include "driver/aws/channel.h"
#include "driver/aws/mailbox.h"
#include "driver/memory/clock.h"
#include "driver/memory/table.h"
#include "function/address.h"
#include "function/record.h"
#include "stub.h"
#include "support/test.h"

static struct fk_memory_random dice;
static struct fk_memory_clock now;
static struct fk_deployment deployment;
static struct fk_table *table;

static int setup(void **state)
{
    (void)fk_test_begin(state);
    fk_stub_reset();
    fk_memory_random_init(&dice, 1);
    fk_memory_clock_init(&now, 1700000000000);
    table = fk_memory_table_new();
    return fk_deployment_init(&deployment, "t", NULL) == FK_OK ? 0 : -1;
}

static int teardown(void **state)
{
    fk_table_free(table);
    return fk_test_end(state);
}

static void answer(enum fk_err err, const char *error, const char *body)
{
    fk_stub_answer(
        (struct fk_stub_answer){.err = err, .status = error == NULL ? 200 : 400, .error = error, .body = body});
}

/* --- the queue --- */

static void messages_are_sent_as_text(void **state)
{
    (void)state;
    struct fk_queue *queue = fk_sqs_queue_new(fk_stub_aws(), "http://q/\"1\"");
    answer(FK_OK, NULL, "{}");
    assert_int_equal(fk_queue_send(queue, -1, 255, FK_BYTES_LITERAL("\0\xff")), FK_OK);
    assert_string_equal(fk_stub_calls[0].action, "AmazonSQS.SendMessage");
    assert_true(fk_stub_calls[0].idempotent);
    assert_string_equal(fk_stub_calls[0].body,
                        "{\"QueueUrl\":\"http://q/\\\"1\\\"\",\"MessageGroupId\":\"ffffffffffffffff\","
                        "\"MessageDeduplicationId\":\"00000000000000ff\",\"MessageBody\":\"AP8=\"}");
    fk_queue_free(queue);
}

static void outcomes_of_sends(void **state)
{
    (void)state;
    static const enum fk_err pairs[][2] = {{FK_ERR_BUSY, FK_ERR_BUSY},    {FK_ERR_UNKNOWN, FK_ERR_UNKNOWN},
                                           {FK_ERR_FULL, FK_ERR_BUSY},    {FK_ERR_NOMEM, FK_ERR_UNKNOWN},
                                           {FK_ERR_NOT_FOUND, FK_ERR_IO}, {FK_ERR_USAGE, FK_ERR_IO}};
    static uint8_t large[FK_QUEUE_BODY_SIZE_MAX + 1];
    struct fk_queue *queue = fk_sqs_queue_new(fk_stub_aws(), "http://q");
    for (size_t i = 0; i < 6; i++) {
        answer(pairs[i][0], "x", NULL);
        assert_int_equal(fk_queue_send(queue, 1, 1, FK_BYTES_LITERAL("m")), pairs[i][1]);
    }
    assert_int_equal(fk_queue_send(queue, 1, 1, fk_bytes_of(large, sizeof large)), FK_ERR_TOO_LARGE);
    answer(FK_OK, NULL, "{}");
    assert_int_equal(fk_queue_send(queue, 1, 1, fk_bytes_of(large, sizeof large - 1)), FK_OK);
    assert_in_range(fk_stub_calls[6].body_size, 1024 * 1024, 1024 * 1024 + 200); /* the body itself: 1 MiB */
    fk_queue_free(queue);
}

/* --- mailboxes --- */

struct taken {
    size_t count;
    char text[64];
};

static void take(void *context, struct fk_bytes message)
{
    struct taken *taken = (struct taken *)context;
    taken->count++;
    (void)snprintf(taken->text, sizeof taken->text, "%.*s", (int)message.size, (const char *)message.data);
}

static struct fk_mailbox *open_mailbox(void)
{
    struct fk_mailbox *mailbox = NULL;
    answer(FK_OK, NULL, "{\"QueueUrl\":\"http://h/1/faaskeeper-t-gw-0000000000000007\"}");
    assert_int_equal(fk_sqs_mailbox_new(fk_stub_aws(), &deployment, 7, &dice.base, &mailbox, NULL), FK_OK);
    return mailbox;
}

static void a_gateway_makes_its_queue(void **state)
{
    (void)state;
    struct fk_diag diag = {.text = ""};
    struct fk_address address;
    struct fk_mailbox *mailbox = open_mailbox();
    assert_non_null(strstr(fk_stub_calls[0].body, "\"QueueName\":\"faaskeeper-t-gw-0000000000000007\""));
    assert_int_equal(fk_address_read(mailbox->address, &address), FK_OK);
    assert_string_equal(address.way, "http://h/1/faaskeeper-t-gw-0000000000000007");
    answer(FK_OK, NULL, "{}");
    fk_mailbox_leave(mailbox);
    assert_string_equal(fk_stub_calls[1].action, "AmazonSQS.DeleteQueue");
    fk_mailbox_free(mailbox);
    answer(FK_ERR_USAGE, "AccessDenied", NULL);
    assert_int_equal(fk_sqs_mailbox_new(fk_stub_aws(), &deployment, 7, &dice.base, &mailbox, &diag), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "faaskeeper-t-gw-0000000000000007"));
    answer(FK_OK, NULL, "{}");
    assert_int_equal(fk_sqs_mailbox_new(fk_stub_aws(), &deployment, 7, &dice.base, &mailbox, NULL), FK_ERR_UNKNOWN);
}

/* An answer of ReceiveMessage with what a channel has sent to this address, and other things. */
static void received(struct fk_buf *body, struct fk_bytes address_text, int64_t gateway)
{
    struct fk_address address;
    struct fk_buf frame = FK_BUF_EMPTY;
    assert_int_equal(fk_address_read(address_text, &address), FK_OK);
    fk_frame_append(&frame, address.key, gateway, FK_BYTES_LITERAL("hello"));
    fk_buf_append(body,
                  FK_BYTES_LITERAL("{\"Messages\":[{\"ReceiptHandle\":\"r1\",\"Body\":\"Zm9v\"},{\"ReceiptHandle\":"
                                   "\"r\\\"2\",\"Body\":\""));
    fk_base64_append(body, fk_buf_view(&frame));
    fk_buf_append(body, FK_BYTES_LITERAL("\"},{\"ReceiptHandle\":\"r3\",\"Body\":\"!\"},{},7]}\0"));
    fk_buf_deinit(&frame);
}

static void only_what_verifies_is_taken_and_all_is_deleted(void **state)
{
    (void)state;
    struct fk_buf body = FK_BUF_EMPTY;
    struct taken taken = {.count = 0};
    struct fk_mailbox *mailbox = open_mailbox();
    uint64_t dropped = fk_aws_channel_counts.dropped;
    received(&body, mailbox->address, 7);
    answer(FK_OK, NULL, (const char *)body.data);
    answer(FK_ERR_BUSY, "x", NULL); /* then it comes again */
    assert_int_equal(fk_mailbox_receive(mailbox, take, &taken), FK_OK);
    assert_int_equal(taken.count, 1);
    assert_string_equal(taken.text, "hello");
    assert_int_equal(fk_aws_channel_counts.dropped, dropped + 4);
    assert_string_equal(fk_stub_calls[2].action, "AmazonSQS.DeleteMessageBatch");
    assert_non_null(strstr(fk_stub_calls[2].body, "{\"Id\":\"1\",\"ReceiptHandle\":\"r\\\"2\"}"));
    answer(FK_OK, NULL, "{}");
    assert_int_equal(fk_mailbox_receive(mailbox, take, &taken), FK_OK);
    assert_int_equal(fk_stub_call_count, 4); /* there is nothing to delete */
    fk_buf_clear(&body);
    received(&body, mailbox->address, 8); /* another gateway's */
    answer(FK_OK, NULL, (const char *)body.data);
    answer(FK_OK, NULL, "{}");
    assert_int_equal(fk_mailbox_receive(mailbox, take, &taken), FK_OK);
    assert_int_equal(taken.count, 1);
    answer(FK_ERR_INVALID, "QueueDoesNotExist", NULL);
    assert_int_equal(fk_mailbox_receive(mailbox, take, &taken), FK_ERR_NOT_FOUND);
    answer(FK_OK, NULL, "no JSON");
    assert_int_equal(fk_mailbox_receive(mailbox, take, &taken), FK_ERR_UNKNOWN);
    fk_buf_deinit(&body);
    fk_mailbox_free(mailbox);
}

/* --- the channel's sending end --- */

static void put_gateway(int64_t id, bool alive, struct fk_bytes address)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf value = FK_BUF_EMPTY;
    const struct fk_gateway_record record = {.counter = 1, .alive = alive, .address = address};
    fk_gateway_record_write(&value, &record);
    struct fk_write write = {.kind = FK_WRITE_PUT,
                             .key = fk_key_gateway(&arena, id),
                             .expected = FK_STAMP_ANY,
                             .value = fk_buf_view(&value)};
    assert_int_equal(fk_table_write(table, &write, 1), FK_OK);
    fk_buf_deinit(&value);
    fk_arena_deinit(&arena);
}

static size_t lookups;

static enum fk_err counted(struct fk_table *from, int64_t gateway, struct fk_arena *arena, struct fk_bytes *address)
{
    lookups++;
    return fk_gateway_address(from, gateway, arena, address);
}

static void addresses_are_looked_up_once_and_after_failures(void **state)
{
    (void)state;
    struct fk_mailbox *mailbox = open_mailbox();
    struct fk_channel *channel = fk_aws_channel_new(fk_stub_aws(), table, counted, &now.base);
    uint64_t sent = fk_aws_channel_counts.sent;
    uint64_t lost = fk_aws_channel_counts.lost;
    lookups = 0;
    assert_int_equal(fk_channel_notify(channel, 7, FK_BYTES_LITERAL("m"), 1), FK_OK); /* no such gateway */
    assert_int_equal(fk_stub_call_count, 1);
    put_gateway(7, true, mailbox->address);
    put_gateway(8, false, mailbox->address);
    put_gateway(9, true, FK_BYTES_LITERAL("pigeon:post"));
    assert_int_equal(fk_channel_notify(channel, 8, FK_BYTES_LITERAL("m"), 1), FK_OK);
    assert_int_equal(fk_channel_notify(channel, 9, FK_BYTES_LITERAL("m"), 1), FK_OK);
    assert_int_equal(fk_stub_call_count, 1);
    for (int i = 0; i < 3; i++) {
        answer(FK_OK, NULL, "{}");
        assert_int_equal(fk_channel_notify(channel, 7, FK_BYTES_LITERAL("m"), 1), FK_OK);
    }
    assert_int_equal(lookups, 4);
    assert_int_equal(fk_aws_channel_counts.sent, sent + 3);
    assert_int_equal(fk_aws_channel_counts.lost, lost + 3);
    answer(FK_ERR_INVALID, "QueueDoesNotExist", NULL);
    assert_int_equal(fk_channel_notify(channel, 7, FK_BYTES_LITERAL("m"), 1), FK_OK);
    answer(FK_OK, NULL, "{}");
    assert_int_equal(fk_channel_notify(channel, 7, FK_BYTES_LITERAL("m"), 1), FK_OK);
    assert_int_equal(lookups, 5);
    fk_channel_free(channel);
    fk_mailbox_free(mailbox);
}

static void too_large_messages_are_lost(void **state)
{
    (void)state;
    static uint8_t large[FK_CHANNEL_MESSAGE_SIZE_MAX + 1];
    struct fk_channel *channel = fk_aws_channel_new(fk_stub_aws(), table, fk_gateway_address, &now.base);
    uint64_t lost = fk_aws_channel_counts.lost;
    assert_int_equal(fk_channel_notify(channel, 7, fk_bytes_of(large, sizeof large), 1), FK_OK);
    assert_int_equal(fk_aws_channel_counts.lost, lost + 1);
    fk_channel_free(channel);
}

/* --- orphans --- */

#define URL(name) "\"http://h/1/" name "\""

static void queues_of_dead_gateways_are_deleted(void **state)
{
    (void)state;
    size_t deleted = 99;
    put_gateway(1, true, FK_BYTES_LITERAL("x"));
    put_gateway(2, false, FK_BYTES_LITERAL("x"));
    answer(
        FK_OK, NULL,
        "{\"QueueUrls\":[" URL("faaskeeper-t-gw-0000000000000001") "," URL("faaskeeper-t-gw-0000000000000002") "," URL(
            "faaskeeper-t-gw-0000000000000003") "," URL("faaskeeper-t-gw-000000000000000x") "," URL("faaskeeper-t-"
                                                                                                    "gw-1") ",7"
                                                                                                            "," URL(
                                                                                                                "xfaask"
                                                                                                                "eeper-"
                                                                                                                "t-gw-"
                                                                                                                "000000"
                                                                                                                "000000"
                                                                                                                "0003") "]}");
    answer(FK_OK, NULL, "{\"Attributes\":{\"CreatedTimestamp\":\"1699999000\"}}"); /* 2: old enough */
    answer(FK_OK, NULL, "{}");
    answer(FK_OK, NULL, "{\"Attributes\":{\"CreatedTimestamp\":\"1699999990\"}}"); /* 3: it may be starting */
    assert_int_equal(
        fk_sqs_collect_orphans(fk_stub_aws(), &deployment, table, fk_gateway_address, &now.base, 600000, &deleted),
        FK_OK);
    assert_int_equal(deleted, 1);
    assert_int_equal(fk_stub_call_count, 4);
    assert_string_equal(fk_stub_calls[2].action, "AmazonSQS.DeleteQueue");
    assert_non_null(strstr(fk_stub_calls[2].body, "gw-0000000000000002"));
}

static void all_queues_are_deleted_at_the_end(void **state)
{
    (void)state;
    size_t deleted = 0;
    answer(FK_OK, NULL,
           "{\"QueueUrls\":[" URL("faaskeeper-t-gw-0000000000000001") "," URL("faaskeeper-t-gw-0000000000000002") "]}");
    answer(FK_OK, NULL, "{}");
    answer(FK_ERR_INVALID, "AWS.SimpleQueueService.NonExistentQueue", NULL); /* somebody else did it */
    assert_int_equal(fk_sqs_collect_orphans(fk_stub_aws(), &deployment, NULL, NULL, &now.base, 0, &deleted), FK_OK);
    assert_int_equal(deleted, 2);
    answer(FK_OK, NULL, "{}"); /* none at all */
    assert_int_equal(fk_sqs_collect_orphans(fk_stub_aws(), &deployment, NULL, NULL, &now.base, 0, NULL), FK_OK);
    answer(FK_ERR_BUSY, "x", NULL);
    assert_int_equal(fk_sqs_collect_orphans(fk_stub_aws(), &deployment, NULL, NULL, &now.base, 0, NULL), FK_ERR_BUSY);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(messages_are_sent_as_text),
    TEST(outcomes_of_sends),
    TEST(a_gateway_makes_its_queue),
    TEST(only_what_verifies_is_taken_and_all_is_deleted),
    TEST(addresses_are_looked_up_once_and_after_failures),
    TEST(too_large_messages_are_lost),
    TEST(queues_of_dead_gateways_are_deleted),
    TEST(all_queues_are_deleted_at_the_end),
};

FK_TEST_MAIN(tests)
