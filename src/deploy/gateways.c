// SPDX-License-Identifier: Apache-2.0
#include "deploy/gateways.h"

#include "deploy/query.h"
#include "driver/aws/dynamodb.h"
#include "function/record.h"

#include <jansson.h>

enum {
    LIST_PAGE = 500,
};

typedef enum fk_err (*count_fn)(struct fk_deploy_census *census, const struct fk_item *item);

static enum fk_err count_gateway(struct fk_deploy_census *census, const struct fk_item *item)
{
    struct fk_gateway_record record;
    enum fk_err err = fk_gateway_record_read(item->value, &record);
    if (err == FK_OK) {
        census->gateways_alive += record.alive ? 1 : 0;
        census->gateways_dead += record.alive ? 0 : 1;
    }
    return err;
}

static enum fk_err count_session(struct fk_deploy_census *census, const struct fk_item *item)
{
    (void)item;
    census->sessions++;
    return FK_OK;
}

/* Counts the items of a partition, `max` at most. */
static enum fk_err count_all(struct fk_table *table, struct fk_bytes partition, size_t max, count_fn count,
                             struct fk_deploy_census *census)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf after = FK_BUF_EMPTY;
    struct fk_item_page page = {.more = true};
    enum fk_err err = FK_OK;
    size_t counted = 0;
    while (err == FK_OK && page.more && counted < max) {
        fk_arena_reset(&arena);
        err = fk_table_list(table, partition, fk_buf_left(&after) == 0 ? FK_BYTES_NULL : fk_buf_view(&after), LIST_PAGE,
                            &arena, &page);
        for (size_t i = 0; err == FK_OK && i < page.count; i++) {
            err = count(census, &page.items[i]);
        }
        if (err == FK_OK && page.count > 0) {
            counted += page.count;
            fk_buf_clear(&after);
            fk_buf_append(&after, page.items[page.count - 1].key.name);
            err = after.failed ? FK_ERR_NOMEM : FK_OK;
        }
    }
    census->more = err == FK_OK && page.more;
    fk_buf_deinit(&after);
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_deploy_count(struct fk_deploy *deploy, struct fk_deploy_census *census)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_table *table = fk_dynamodb_table_new(deploy->aws, deploy->random, deploy->names.stack);
    struct fk_bytes gateways = fk_key_gateway(&arena, 0).partition;
    struct fk_bytes sessions = fk_key_session(&arena, 0).partition;
    bool ready = table != NULL && gateways.data != NULL && sessions.data != NULL;
    *census = (struct fk_deploy_census){.sessions = 0};
    enum fk_err err = ready ? count_all(table, gateways, SIZE_MAX, count_gateway, census) : FK_ERR_NOMEM;
    if (err == FK_OK) {
        err = count_all(table, sessions, FK_DEPLOY_SESSIONS_COUNTED, count_session, census);
    }
    fk_table_free(table);
    fk_arena_deinit(&arena);
    return fk_query_fail(deploy, err, "counting sessions");
}

static enum fk_err call_queues(struct fk_deploy *deploy, const char *action, json_t *body, struct fk_arena *arena,
                               struct fk_aws_reply *reply)
{
    char text[1024];
    size_t size = json_dumpb(body, text, sizeof text, JSON_COMPACT);
    json_decref(body);
    if (size == 0 || size > sizeof text) {
        return FK_ERR_NOMEM;
    }
    const struct fk_aws_call call = {.service = FK_AWS_SQS,
                                     .method = "POST",
                                     .target = FK_BYTES_LITERAL("/"),
                                     .action = action,
                                     .body = fk_bytes_of(text, size),
                                     .idempotent = true};
    return fk_aws_call(deploy->aws, &call, arena, reply);
}

static enum fk_err delete_queue(struct fk_deploy *deploy, const char *url)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply = {.error = ""};
    enum fk_err err = call_queues(deploy, "AmazonSQS.DeleteQueue", json_pack("{s:s}", "QueueUrl", url), &arena, &reply);
    /* Its gateway may have been faster. */
    err = strstr(reply.error, "NonExistentQueue") != NULL || strstr(reply.error, "QueueDoesNotExist") != NULL ? FK_OK
                                                                                                              : err;
    fk_arena_deinit(&arena);
    return err;
}

/* Deletes those of one page; *count is how many it had. */
static enum fk_err drop_page(struct fk_deploy *deploy, size_t *count)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply;
    enum fk_err err =
        call_queues(deploy, "AmazonSQS.ListQueues",
                    json_pack("{s:s, s:i}", "QueueNamePrefix", deploy->names.gateway_prefix, "MaxResults", LIST_PAGE),
                    &arena, &reply);
    json_t *answer =
        err == FK_OK ? json_loadb((const char *)reply.http.body.data, reply.http.body.size, 0, NULL) : NULL;
    const json_t *urls = json_object_get(answer, "QueueUrls");
    *count = json_array_size(urls);
    for (size_t i = 0; i < *count && err == FK_OK; i++) {
        const char *url = json_string_value(json_array_get(urls, i));
        err = url == NULL ? FK_ERR_MALFORMED : delete_queue(deploy, url);
    }
    json_decref(answer);
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_deploy_drop_queues(struct fk_deploy *deploy)
{
    size_t total = 0;
    size_t count = 0;
    /* SQS goes on to list a queue for a minute after it was deleted: one page that is not full is the end. */
    enum fk_err err = FK_OK;
    do {
        err = drop_page(deploy, &count);
        total += count;
    } while (err == FK_OK && count == LIST_PAGE && total < (size_t)100 * LIST_PAGE);
    if (err == FK_OK && total > 0) {
        fk_deploy_say(deploy, "queues        %zu of gateways removed", total);
    }
    return fk_query_fail(deploy, err, "removing the gateways' queues");
}
