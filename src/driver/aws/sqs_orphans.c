// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/json.h"
#include "driver/aws/mailbox.h"
#include "driver/aws/sqs.h"

enum {
    QUEUES_MAX = 1000, /* what one ListQueues gives at most */
    DIGITS = 16,
};

struct collecting {
    struct fk_aws *aws;
    const struct fk_deployment *deployment;
    struct fk_table *table;
    fk_address_fn find;
    int64_t born_before_ms; /* wall clock */
    struct fk_arena arena;
    struct fk_buf request;
};

static enum fk_err call(struct collecting *collecting, const char *action, struct fk_aws_reply *reply)
{
    if (collecting->request.failed) {
        return FK_ERR_NOMEM;
    }
    *reply = (struct fk_aws_reply){.error = ""};
    return fk_sqs_call(collecting->aws, action, fk_buf_view(&collecting->request), true, 0, &collecting->arena, reply);
}

static void begin(struct collecting *collecting, struct fk_bytes url)
{
    fk_buf_clear(&collecting->request);
    fk_buf_append(&collecting->request, FK_BYTES_LITERAL("{\"QueueUrl\":"));
    fk_json_append_string(&collecting->request, url);
}

/* The gateway that a queue's URL ends with; false where it is none of the deployment's. */
static bool gateway_of(const struct collecting *collecting, struct fk_bytes url, int64_t *gateway)
{
    struct fk_bytes prefix = fk_bytes_text(collecting->deployment->gateway_prefix);
    size_t name_size = prefix.size + DIGITS;
    if (url.size <= name_size || url.data[url.size - name_size - 1] != '/') {
        return false;
    }
    struct fk_bytes name = fk_bytes_tail(url, url.size - name_size);
    uint64_t id = 0;
    for (size_t i = prefix.size; i < name_size; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = name.data[i] == 0 ? NULL : strchr(digits, name.data[i]);
        if (digit == NULL) {
            return false;
        }
        id = id << 4 | (uint64_t)(digit - digits);
    }
    *gateway = (int64_t)id;
    return fk_bytes_equal(fk_bytes_head(name, prefix.size), prefix);
}

/* Seconds since 1970, as text. */
static bool is_old(struct collecting *collecting, struct fk_bytes url)
{
    struct fk_aws_reply reply;
    begin(collecting, url);
    fk_buf_append(&collecting->request, FK_BYTES_LITERAL(",\"AttributeNames\":[\"CreatedTimestamp\"]}"));
    if (call(collecting, "GetQueueAttributes", &reply) != FK_OK) {
        return false;
    }
    json_t *answer = fk_json_load(reply.http.body);
    struct fk_bytes text = fk_json_text(json_object_get(answer, "Attributes"), "CreatedTimestamp");
    int64_t born = text.size == 0 ? INT64_MAX / 1000 : 0;
    for (size_t i = 0; i < text.size && text.data[i] >= '0' && text.data[i] <= '9' && born < INT64_MAX / 10000; i++) {
        born = born * 10 + (text.data[i] - '0');
    }
    json_decref(answer);
    return born * 1000 < collecting->born_before_ms;
}

/* Whether nobody receives from the gateway's queue any more. What can't be found out now is for the next time. */
static bool is_orphan(struct collecting *collecting, struct fk_bytes url)
{
    int64_t gateway = 0;
    struct fk_bytes address;
    if (!gateway_of(collecting, url, &gateway)) {
        return false;
    }
    if (collecting->find == NULL) {
        return true;
    }
    return collecting->find(collecting->table, gateway, &collecting->arena, &address) == FK_ERR_NOT_FOUND &&
           is_old(collecting, url);
}

static enum fk_err delete_queue(struct collecting *collecting, struct fk_bytes url)
{
    struct fk_aws_reply reply;
    begin(collecting, url);
    fk_buf_append(&collecting->request, FK_BYTES_LITERAL("}"));
    enum fk_err err = call(collecting, "DeleteQueue", &reply);
    return err != FK_OK && fk_sqs_is_gone(&reply) ? FK_OK : err;
}

static enum fk_err list_queues(struct collecting *collecting, json_t **answer)
{
    struct fk_aws_reply reply;
    fk_buf_clear(&collecting->request);
    fk_buf_append(&collecting->request, FK_BYTES_LITERAL("{\"QueueNamePrefix\":"));
    fk_json_append_string(&collecting->request, fk_bytes_text(collecting->deployment->gateway_prefix));
    fk_buf_print(&collecting->request, ",\"MaxResults\":%d}", QUEUES_MAX);
    enum fk_err err = call(collecting, "ListQueues", &reply);
    if (err == FK_OK) {
        *answer = fk_json_load(reply.http.body);
        err = json_is_object(*answer) ? FK_OK : FK_ERR_UNKNOWN;
    }
    return err;
}

enum fk_err fk_sqs_collect_orphans(struct fk_aws *aws, const struct fk_deployment *deployment, struct fk_table *table,
                                   fk_address_fn find, struct fk_clock *clock, int64_t older_than_ms, size_t *deleted)
{
    struct collecting collecting = {.aws = aws,
                                    .deployment = deployment,
                                    .table = table,
                                    .find = find,
                                    .born_before_ms = fk_clock_wall_ms(clock) - older_than_ms,
                                    .arena = FK_ARENA_EMPTY,
                                    .request = FK_BUF_EMPTY};
    json_t *answer = NULL;
    size_t done = 0;
    enum fk_err err = list_queues(&collecting, &answer);
    const json_t *urls = json_object_get(answer, "QueueUrls");
    size_t count = json_array_size(urls);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        const json_t *text = json_array_get(urls, i);
        struct fk_bytes url = fk_bytes_of(json_string_value(text), json_string_length(text));
        fk_arena_reset(&collecting.arena);
        if (is_orphan(&collecting, url)) {
            err = delete_queue(&collecting, url);
            done += err == FK_OK ? 1 : 0;
        }
    }
    json_decref(answer);
    fk_buf_deinit(&collecting.request);
    fk_arena_deinit(&collecting.arena);
    if (deleted != NULL) {
        *deleted = done;
    }
    return err;
}
