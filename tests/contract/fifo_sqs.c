// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"
#include "base/buf.h"
#include "driver/aws/json.h"
#include "driver/aws/sqs.h"
#include "fifo_driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ID_SIZE = 64,
    MESSAGES_MAX = 20000,
    TIMEOUT_MS = 20000,
};

/* One delivery of a message, as SQS names it. */
struct handle {
    char id[ID_SIZE];
    int32_t delivery;
    char *text;
};

static const char *url;
/* Receipts of this queue; the sequence of a message is the place of its first one, from 1 on. */
static struct handle handles[MESSAGES_MAX];
static size_t handle_count;
static struct fk_arena scratch; /* of one call */

/* --- calls --- */

static bool call(const char *action, struct fk_buf *body, json_t **answer)
{
    struct fk_aws_reply reply = {.error = ""};
    fk_arena_reset(&scratch);
    enum fk_err err = fk_sqs_call(fk_cloud_aws(), action, fk_buf_view(body), true, TIMEOUT_MS, &scratch, &reply);
    if (answer != NULL) {
        *answer = err == FK_OK ? fk_json_load(reply.http.body) : NULL;
    }
    fk_buf_deinit(body);
    return err == FK_OK;
}

static struct fk_buf begin(void)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_buf_append(&body, FK_BYTES_LITERAL("{\"QueueUrl\":"));
    fk_json_append_string(&body, fk_bytes_text(url));
    return body;
}

static bool call_about(const char *action, const char *handle, const char *more)
{
    struct fk_buf body = begin();
    fk_buf_append(&body, FK_BYTES_LITERAL(",\"ReceiptHandle\":"));
    fk_json_append_string(&body, fk_bytes_text(handle));
    fk_buf_append(&body, fk_bytes_text(more));
    fk_buf_append(&body, FK_BYTES_LITERAL("}"));
    return call(action, &body, NULL);
}

/* SQS counts seconds. */
static bool change_visibility(const char *handle, int64_t visibility_ms)
{
    char more[64];
    (void)snprintf(more, sizeof more, ",\"VisibilityTimeout\":%" PRId64, visibility_ms / 1000);
    return call_about("ChangeMessageVisibility", handle, more);
}

/* --- the queue --- */

static struct fk_queue *sqs_open(enum fk_emulator where)
{
    struct fk_aws *aws = fk_cloud_open(where);
    url = aws == NULL ? NULL : fk_cloud_create_queue(true);
    return url == NULL ? NULL : fk_sqs_queue_new(aws, url);
}

static void sqs_close(void)
{
    while (handle_count > 0) {
        free(handles[--handle_count].text);
    }
    fk_arena_deinit(&scratch);
    fk_cloud_close();
}

static void sqs_pass_ms(int64_t ms)
{
    fk_clock_pause_ms(fk_cloud_clock(), ms);
}

static void copy_text(char *to, size_t size, struct fk_bytes text)
{
    assert_true(text.size < size);
    memcpy(to, text.data, text.size);
    to[text.size] = '\0';
}

/* Keeps the receipt of a delivery. */
static struct fk_receipt keep(const json_t *message, int32_t delivery)
{
    struct fk_bytes id = fk_json_text(message, "MessageId");
    struct fk_bytes text = fk_json_text(message, "ReceiptHandle");
    struct handle *made = &handles[handle_count++];
    size_t first = 0;
    assert_true(handle_count < MESSAGES_MAX);
    copy_text(made->id, sizeof made->id, id);
    made->delivery = delivery;
    made->text = (char *)malloc(text.size + 1);
    assert_non_null(made->text);
    copy_text(made->text, text.size + 1, text);
    while (strcmp(handles[first].id, made->id) != 0) {
        first++;
    }
    return (struct fk_receipt){.sequence = (int64_t)first + 1, .delivery = delivery};
}

/* Text of a receipt; one that no delivery has is made up. */
static const char *text_of(struct fk_receipt receipt)
{
    for (size_t i = 0; i < handle_count; i++) {
        if (handles[i].delivery == receipt.delivery && strcmp(handles[i].id, handles[receipt.sequence - 1].id) == 0) {
            return handles[i].text;
        }
    }
    return "no-such-receipt";
}

static int64_t hexadecimal(const json_t *attributes, const char *name)
{
    char text[32];
    copy_text(text, sizeof text, fk_json_text(attributes, name));
    return (int64_t)strtoull(text, NULL, 16);
}

static void take(const json_t *message, struct fk_arena *arena, struct fk_delivery *delivery)
{
    const json_t *attributes = json_object_get(message, "Attributes");
    char count[32];
    copy_text(count, sizeof count, fk_json_text(attributes, "ApproximateReceiveCount"));
    delivery->group = hexadecimal(attributes, "MessageGroupId");
    delivery->deduplication_id = hexadecimal(attributes, "MessageDeduplicationId");
    delivery->receipt = keep(message, (int32_t)strtol(count, NULL, 10));
    assert_int_equal(fk_base64_read(fk_json_text(message, "Body"), arena, &delivery->body), FK_OK);
}

/* One ReceiveMessage. */
static size_t receive_any(size_t max, int64_t visibility_ms, struct fk_arena *arena, struct fk_delivery *deliveries)
{
    json_t *answer = NULL;
    struct fk_buf body = begin();
    fk_buf_print(&body,
                 ",\"MaxNumberOfMessages\":%zu,\"VisibilityTimeout\":%" PRId64
                 ",\"WaitTimeSeconds\":0,\"AttributeNames\":[\"All\"]}",
                 max, visibility_ms / 1000);
    assert_true(call("ReceiveMessage", &body, &answer));
    const json_t *messages = json_object_get(answer, "Messages");
    size_t count = json_array_size(messages);
    assert_true(count <= max);
    for (size_t i = 0; i < count; i++) {
        take(json_array_get(messages, i), arena, &deliveries[i]);
    }
    json_decref(answer);
    return count;
}

/* Those of the group to the front, in order; the others' receipts to `others`, which hold. */
static size_t divide(struct fk_delivery *deliveries, size_t count, int64_t group, struct fk_receipt *others,
                     size_t *other_count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (deliveries[i].group == group) {
            deliveries[kept++] = deliveries[i];
        } else {
            assert_true(*other_count < MESSAGES_MAX);
            others[(*other_count)++] = deliveries[i].receipt;
        }
    }
    return kept;
}

static void release(const struct fk_receipt *receipts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(change_visibility(text_of(receipts[i]), 0));
    }
}

/* SQS chooses what it gives: until that is of the group only, or nothing, the others are held and those of the group
 * given back. */
static enum fk_err sqs_receive(struct fk_queue *queue, int64_t group, size_t max, int64_t visibility_ms,
                               struct fk_arena *arena, struct fk_delivery *deliveries, size_t *count)
{
    static struct fk_receipt others[MESSAGES_MAX];
    size_t other_count = 0;
    size_t got = 0;
    (void)queue;
    do {
        got = receive_any(max, visibility_ms, arena, deliveries);
        *count = divide(deliveries, got, group, others, &other_count);
        if (*count < got) {
            struct fk_receipt own[FK_QUEUE_BATCH_MAX];
            for (size_t i = 0; i < *count; i++) {
                own[i] = deliveries[i].receipt;
            }
            release(own, *count);
        }
    } while (*count < got);
    release(others, other_count);
    return FK_OK;
}

static bool sqs_remove(struct fk_queue *queue, struct fk_receipt receipt)
{
    (void)queue;
    return call_about("DeleteMessage", text_of(receipt), "");
}

static bool sqs_hide(struct fk_queue *queue, struct fk_receipt receipt, int64_t visibility_ms)
{
    (void)queue;
    return change_visibility(text_of(receipt), visibility_ms);
}

static size_t sqs_count(struct fk_queue *queue)
{
    json_t *answer = NULL;
    size_t count = 0;
    struct fk_buf body = begin();
    (void)queue;
    fk_buf_append(&body, FK_BYTES_LITERAL(",\"AttributeNames\":[\"All\"]}"));
    assert_true(call("GetQueueAttributes", &body, &answer));
    const json_t *attributes = json_object_get(answer, "Attributes");
    static const char *const names[] = {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"};
    for (size_t i = 0; i < 2; i++) {
        char text[32];
        copy_text(text, sizeof text, fk_json_text(attributes, names[i]));
        count += strtoul(text, NULL, 10);
    }
    json_decref(answer);
    return count;
}

#define SQS(where)                                                                                                     \
    {                                                                                                                  \
        .emulator = (where), .open = sqs_open, .close = sqs_close, .pass_ms = sqs_pass_ms, .receive = sqs_receive,     \
        .remove = sqs_remove, .hide = sqs_hide, .count = sqs_count, .visibility_ms = 4000, .tick_ms = 2000,            \
        .random_steps = 400, .late_receipts = true, .deletes_again = true, .counts_more = true                         \
    }

const struct driver fk_ministack_fifo = SQS(FK_EMULATOR_MINISTACK);
const struct driver fk_moto_fifo = SQS(FK_EMULATOR_MOTO);
