// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/base64.h"
#include "base/container.h"
#include "base/limits.h"
#include "base/log.h"
#include "driver/aws/json.h"
#include "driver/aws/sqs.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    BUFFER_KEPT = 256 * 1024, /* most messages have 64 KiB at most */
    ACTION_SIZE = 64,
};

struct sqs_queue {
    struct fk_queue base;
    struct fk_aws *aws;
    struct fk_buf request;
    struct fk_arena scratch;
    char url[];
};

static struct sqs_queue *sqs_queue(struct fk_queue *queue)
{
    return FK_CONTAINER_OF(queue, struct sqs_queue, base);
}

enum fk_err fk_sqs_call(struct fk_aws *aws, const char *action, struct fk_bytes body, bool idempotent,
                        int32_t timeout_ms, struct fk_arena *arena, struct fk_aws_reply *reply)
{
    char target[ACTION_SIZE];
    (void)snprintf(target, sizeof target, "AmazonSQS.%s", action);
    const struct fk_aws_call call = {.service = FK_AWS_SQS,
                                     .method = "POST",
                                     .target = FK_BYTES_LITERAL("/"),
                                     .action = target,
                                     .body = body,
                                     .idempotent = idempotent,
                                     .timeout_ms = timeout_ms};
    return fk_aws_call(aws, &call, arena, reply);
}

/* The JSON protocol says QueueDoesNotExist, and in a header, the query protocol's name of it. */
bool fk_sqs_is_gone(const struct fk_aws_reply *reply)
{
    return strstr(reply->error, "QueueDoesNotExist") != NULL || strstr(reply->error, "NonExistentQueue") != NULL;
}

static void write_send(struct fk_buf *buf, const char *url, int64_t group, int64_t deduplication_id,
                       struct fk_bytes message)
{
    fk_buf_append(buf, FK_BYTES_LITERAL("{\"QueueUrl\":"));
    fk_json_append_string(buf, fk_bytes_text(url));
    fk_buf_print(buf, ",\"MessageGroupId\":\"%016" PRIx64 "\",\"MessageDeduplicationId\":\"%016" PRIx64 "\"",
                 (uint64_t)group, (uint64_t)deduplication_id);
    fk_buf_append(buf, FK_BYTES_LITERAL(",\"MessageBody\":\""));
    fk_base64_append(buf, message);
    fk_buf_append(buf, FK_BYTES_LITERAL("\"}"));
}

static enum fk_err sqs_send(struct fk_queue *base, int64_t group, int64_t deduplication_id, struct fk_bytes message)
{
    struct sqs_queue *queue = sqs_queue(base);
    struct fk_aws_reply reply = {.error = ""};
    if (message.size > FK_QUEUE_BODY_SIZE_MAX) {
        return FK_ERR_TOO_LARGE;
    }
    fk_arena_reset(&queue->scratch);
    fk_buf_clear(&queue->request);
    fk_buf_trim(&queue->request, BUFFER_KEPT);
    write_send(&queue->request, queue->url, group, deduplication_id, message);
    if (queue->request.failed) {
        return FK_ERR_NOMEM;
    }
    /* Repeating it is harmless: its id is the same. */
    enum fk_err err =
        fk_sqs_call(queue->aws, "SendMessage", fk_buf_view(&queue->request), true, 0, &queue->scratch, &reply);
    switch ((int)err) {
    case FK_OK:
    case FK_ERR_BUSY:
    case FK_ERR_UNKNOWN:
        return err;
    case FK_ERR_NOMEM: /* of the answer */
    case FK_ERR_TOO_LARGE:
    case FK_ERR_MALFORMED:
        return FK_ERR_UNKNOWN;
    case FK_ERR_FULL:
        return FK_ERR_BUSY;
    default:
        fk_log(FK_LOG_ERROR, "SQS queue %s: a message was refused: %s", queue->url, fk_aws_diag(queue->aws));
        return FK_ERR_IO;
    }
}

static void sqs_free(struct fk_queue *base)
{
    struct sqs_queue *queue = sqs_queue(base);
    fk_buf_deinit(&queue->request);
    fk_arena_deinit(&queue->scratch);
    fk_free(queue);
}

static const struct fk_queue_ops sqs_ops = {.name = "sqs", .send = sqs_send, .free = sqs_free};

struct fk_queue *fk_sqs_queue_new(struct fk_aws *aws, const char *queue_url)
{
    size_t size = strlen(queue_url) + 1;
    struct sqs_queue *queue = (struct sqs_queue *)fk_alloc(sizeof *queue + size);
    if (queue == NULL) {
        return NULL;
    }
    *queue =
        (struct sqs_queue){.base = {.ops = &sqs_ops}, .aws = aws, .request = FK_BUF_EMPTY, .scratch = FK_ARENA_EMPTY};
    memcpy(queue->url, queue_url, size);
    return &queue->base;
}
