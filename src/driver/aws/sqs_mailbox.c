// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/base64.h"
#include "base/container.h"
#include "base/log.h"
#include "driver/aws/address.h"
#include "driver/aws/channel.h"
#include "driver/aws/json.h"
#include "driver/aws/mailbox.h"
#include "driver/aws/sqs.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    WAIT_S = 20, /* the longest that SQS waits */
    WAIT_MS = (WAIT_S + 5) * 1000,
    BATCH_MAX = 10,
};

/* Events and answers that nobody took for five minutes are of no use: the gateway is dead, or has fetched them. A
 * message is hidden for ten seconds while it is being deleted; if that fails, it comes again. */
#define QUEUE_ATTRIBUTES                                                                                               \
    "\"Attributes\":{\"MessageRetentionPeriod\":\"300\",\"ReceiveMessageWaitTimeSeconds\":\"20\","                     \
    "\"VisibilityTimeout\":\"10\",\"MaximumMessageSize\":\"%d\"}"

enum {
    MESSAGE_SIZE_MAX = 1024 * 1024,
    MESSAGE_SIZE_MAX_BEFORE = 256 * 1024, /* until August 2025, and of emulators */
};

struct sqs_mailbox {
    struct fk_mailbox base;
    struct fk_aws *aws;
    int64_t gateway;
    struct fk_address address;
    struct fk_buf text; /* of the address */
    struct fk_buf request;
    struct fk_arena scratch; /* of one call */
};

static struct sqs_mailbox *sqs_mailbox(struct fk_mailbox *mailbox)
{
    return FK_CONTAINER_OF(mailbox, struct sqs_mailbox, base);
}

static enum fk_err call(struct sqs_mailbox *mailbox, const char *action, int32_t timeout_ms, struct fk_aws_reply *reply)
{
    *reply = (struct fk_aws_reply){.error = ""};
    if (mailbox->request.failed) {
        return FK_ERR_NOMEM;
    }
    return fk_sqs_call(mailbox->aws, action, fk_buf_view(&mailbox->request), true, timeout_ms, &mailbox->scratch,
                       reply);
}

/* Starts a request about the queue: {"QueueUrl":"..." */
static void begin(struct sqs_mailbox *mailbox)
{
    fk_buf_clear(&mailbox->request);
    fk_buf_append(&mailbox->request, FK_BYTES_LITERAL("{\"QueueUrl\":"));
    fk_json_append_string(&mailbox->request, fk_bytes_text(mailbox->address.way));
}

/* --- receiving --- */

static void drop(int64_t gateway, const char *why)
{
    (void)atomic_fetch_add(&fk_aws_channel_counts.dropped, 1);
    fk_log_security(FK_LOG_WARN, "a message that does not verify was dropped", fk_log_id("gateway", gateway),
                    fk_log_text("why", why));
}

static void take_one(struct sqs_mailbox *mailbox, const json_t *message, fk_mailbox_take_fn take, void *context)
{
    struct fk_bytes frame = FK_BYTES_NULL;
    struct fk_bytes inner = FK_BYTES_NULL;
    enum fk_err err = fk_base64_read(fk_json_text(message, "Body"), &mailbox->scratch, &frame);
    if (err == FK_OK) {
        err = fk_frame_read(frame, mailbox->address.key, mailbox->gateway, &inner);
    }
    if (err == FK_OK) {
        take(context, inner);
    } else if (err != FK_ERR_NOMEM) {
        drop(mailbox->gateway, fk_err_text(err));
    }
}

/* What can't be deleted comes again: gateways tell repeats. */
static void delete_messages(struct sqs_mailbox *mailbox, const json_t *messages, size_t count)
{
    struct fk_aws_reply reply;
    begin(mailbox);
    fk_buf_append(&mailbox->request, FK_BYTES_LITERAL(",\"Entries\":["));
    for (size_t i = 0; i < count; i++) {
        fk_buf_print(&mailbox->request, "%s{\"Id\":\"%zu\",\"ReceiptHandle\":", i == 0 ? "" : ",", i);
        fk_json_append_string(&mailbox->request, fk_json_text(json_array_get(messages, i), "ReceiptHandle"));
        fk_buf_append(&mailbox->request, FK_BYTES_LITERAL("}"));
    }
    fk_buf_append(&mailbox->request, FK_BYTES_LITERAL("]}"));
    (void)!call(mailbox, "DeleteMessageBatch", 0, &reply);
}

static enum fk_err sqs_receive(struct fk_mailbox *base, fk_mailbox_take_fn take, void *context)
{
    struct sqs_mailbox *mailbox = sqs_mailbox(base);
    struct fk_aws_reply reply;
    fk_arena_reset(&mailbox->scratch);
    begin(mailbox);
    fk_buf_print(&mailbox->request, ",\"MaxNumberOfMessages\":%d,\"WaitTimeSeconds\":%d}", BATCH_MAX, WAIT_S);
    enum fk_err err = call(mailbox, "ReceiveMessage", WAIT_MS, &reply);
    if (err != FK_OK) {
        return fk_sqs_is_gone(&reply) ? FK_ERR_NOT_FOUND : err;
    }
    json_t *answer = fk_json_load(reply.http.body);
    const json_t *messages = json_object_get(answer, "Messages");
    size_t count = json_array_size(messages);
    count = count < BATCH_MAX ? count : BATCH_MAX;
    for (size_t i = 0; i < count; i++) {
        take_one(mailbox, json_array_get(messages, i), take, context);
    }
    if (count > 0) {
        delete_messages(mailbox, messages, count);
    }
    err = json_is_object(answer) ? FK_OK : FK_ERR_UNKNOWN;
    json_decref(answer);
    return err;
}

static void sqs_leave(struct fk_mailbox *base)
{
    struct sqs_mailbox *mailbox = sqs_mailbox(base);
    struct fk_aws_reply reply;
    fk_arena_reset(&mailbox->scratch);
    begin(mailbox);
    fk_buf_append(&mailbox->request, FK_BYTES_LITERAL("}"));
    if (call(mailbox, "DeleteQueue", 0, &reply) != FK_OK && !fk_sqs_is_gone(&reply)) {
        fk_log(FK_LOG_WARN, "the gateway's queue could not be deleted, the heartbeat will do it: %s",
               fk_aws_diag(mailbox->aws));
    }
}

static void sqs_free(struct fk_mailbox *base)
{
    struct sqs_mailbox *mailbox = sqs_mailbox(base);
    fk_buf_deinit(&mailbox->text);
    fk_buf_deinit(&mailbox->request);
    fk_arena_deinit(&mailbox->scratch);
    fk_free(mailbox);
}

static const struct fk_mailbox_ops sqs_mailbox_ops = {
    .name = "sqs", .receive = sqs_receive, .leave = sqs_leave, .free = sqs_free};

/* --- creating --- */

static enum fk_err create(struct sqs_mailbox *mailbox, const char *prefix, int size_max, struct fk_aws_reply *reply)
{
    fk_buf_clear(&mailbox->request);
    fk_buf_print(&mailbox->request, "{\"QueueName\":\"%s%016" PRIx64 "\"," QUEUE_ATTRIBUTES "}", prefix,
                 (uint64_t)mailbox->gateway, size_max);
    return call(mailbox, "CreateQueue", 0, reply);
}

static enum fk_err take_url(struct sqs_mailbox *mailbox, struct fk_bytes body)
{
    json_t *answer = fk_json_load(body);
    struct fk_bytes url = fk_json_text(answer, "QueueUrl");
    bool fits = url.size > 0 && url.size <= FK_ADDRESS_WAY_MAX && memchr(url.data, 0, url.size) == NULL;
    if (fits) {
        memcpy(mailbox->address.way, url.data, url.size);
        mailbox->address.way[url.size] = '\0';
        fk_address_append(&mailbox->text, &mailbox->address);
        mailbox->base.address = fk_buf_view(&mailbox->text);
    }
    json_decref(answer);
    return !fits ? FK_ERR_UNKNOWN : mailbox->text.failed ? FK_ERR_NOMEM : FK_OK;
}

enum fk_err fk_sqs_mailbox_new(struct fk_aws *aws, const struct fk_deployment *deployment, int64_t gateway,
                               struct fk_random *random, struct fk_mailbox **result, struct fk_diag *diag)
{
    struct fk_aws_reply reply;
    struct sqs_mailbox *mailbox = (struct sqs_mailbox *)fk_alloc(sizeof *mailbox);
    if (mailbox == NULL) {
        return FK_ERR_NOMEM;
    }
    *mailbox = (struct sqs_mailbox){.base = {.ops = &sqs_mailbox_ops, .billed = true},
                                    .aws = aws,
                                    .gateway = gateway,
                                    .address = {.kind = FK_ADDRESS_SQS},
                                    .text = FK_BUF_EMPTY,
                                    .request = FK_BUF_EMPTY,
                                    .scratch = FK_ARENA_EMPTY};
    fk_random_fill(random, mailbox->address.key, sizeof mailbox->address.key);
    enum fk_err err = create(mailbox, deployment->gateway_prefix, MESSAGE_SIZE_MAX, &reply);
    if (err == FK_ERR_INVALID) {
        err = create(mailbox, deployment->gateway_prefix, MESSAGE_SIZE_MAX_BEFORE, &reply);
    }
    if (err == FK_OK) {
        err = take_url(mailbox, reply.http.body);
    }
    if (err != FK_OK) {
        fk_diag_set(diag, "the gateway's queue %s%016" PRIx64 ": %s", deployment->gateway_prefix, (uint64_t)gateway,
                    err == FK_ERR_NOMEM ? fk_err_text(err) : fk_aws_diag(aws));
        sqs_free(&mailbox->base);
        return err;
    }
    *result = &mailbox->base;
    return FK_OK;
}
