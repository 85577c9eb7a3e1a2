// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/schedule.h"

#include "base/buf.h"

#include <jansson.h>
#include <stdio.h>

enum {
    TARGET_SIZE = 128,
};

/* UpdateSchedule wants all that shall not fall back to its default; the answer of GetSchedule has more than it takes.
 */
static const char *const kept[] = {
    "ActionAfterCompletion",
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "Target",
};

static bool target_of(const char *deployment, char target[TARGET_SIZE])
{
    int size = snprintf(target, TARGET_SIZE, "/schedules/faaskeeper-%s-heartbeat", deployment);
    return size > 0 && size < TARGET_SIZE;
}

/* The schedule as it is. */
static enum fk_err read_schedule(struct fk_aws *aws, const char *target, struct fk_arena *arena, json_t **schedule)
{
    const struct fk_aws_call call = {
        .service = FK_AWS_SCHEDULER, .method = "GET", .target = fk_bytes_text(target), .idempotent = true};
    struct fk_aws_reply reply;
    enum fk_err err = fk_aws_call(aws, &call, arena, &reply);
    if (err != FK_OK) {
        return err;
    }
    *schedule = json_loadb((const char *)reply.http.body.data, reply.http.body.size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_string(json_object_get(*schedule, "State"))) {
        json_decref(*schedule);
        return FK_ERR_MALFORMED;
    }
    return FK_OK;
}

static bool is_enabled(const json_t *schedule)
{
    return strcmp(json_string_value(json_object_get(schedule, "State")), "ENABLED") == 0;
}

static int append(const char *text, size_t size, void *context)
{
    fk_buf_append((struct fk_buf *)context, fk_bytes_of(text, size));
    return 0;
}

/* Appends the body of an update; failure is the buffer's. */
static void print_update(const json_t *schedule, bool enabled, struct fk_buf *out)
{
    json_t *body = json_pack("{s:s}", "State", enabled ? "ENABLED" : "DISABLED");
    bool failed = body == NULL;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0] && !failed; i++) {
        json_t *value = json_object_get(schedule, kept[i]);
        failed = value != NULL && !json_is_null(value) && json_object_set(body, kept[i], value) != 0;
    }
    out->failed = failed || json_dump_callback(body, append, out, JSON_COMPACT) != 0 || out->failed;
    json_decref(body);
}

static enum fk_err write_schedule(struct fk_aws *aws, const char *target, const json_t *schedule, bool enabled,
                                  struct fk_arena *arena)
{
    struct fk_buf body = FK_BUF_EMPTY;
    print_update(schedule, enabled, &body);
    const struct fk_http_header type = {.name = FK_BYTES_LITERAL("Content-Type"),
                                        .value = FK_BYTES_LITERAL("application/json")};
    const struct fk_aws_call call = {.service = FK_AWS_SCHEDULER,
                                     .method = "PUT",
                                     .target = fk_bytes_text(target),
                                     .headers = &type,
                                     .header_count = 1,
                                     .body = fk_buf_view(&body),
                                     .idempotent = true};
    struct fk_aws_reply reply;
    enum fk_err err = body.failed ? FK_ERR_NOMEM : fk_aws_call(aws, &call, arena, &reply);
    fk_buf_deinit(&body);
    return err;
}

enum fk_err fk_schedule_get(struct fk_aws *aws, const char *deployment, bool *enabled)
{
    char target[TARGET_SIZE];
    if (!target_of(deployment, target)) {
        return FK_ERR_INVALID;
    }
    struct fk_arena arena = FK_ARENA_EMPTY;
    json_t *schedule = NULL;
    enum fk_err err = read_schedule(aws, target, &arena, &schedule);
    if (err == FK_OK) {
        *enabled = is_enabled(schedule);
        json_decref(schedule);
    }
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_schedule_set(struct fk_aws *aws, const char *deployment, bool enabled)
{
    char target[TARGET_SIZE];
    if (!target_of(deployment, target)) {
        return FK_ERR_INVALID;
    }
    struct fk_arena arena = FK_ARENA_EMPTY;
    json_t *schedule = NULL;
    enum fk_err err = read_schedule(aws, target, &arena, &schedule);
    if (err == FK_OK) {
        if (is_enabled(schedule) != enabled) {
            err = write_schedule(aws, target, schedule, enabled, &arena);
        }
        json_decref(schedule);
    }
    fk_arena_deinit(&arena);
    return err;
}
