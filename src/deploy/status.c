// SPDX-License-Identifier: Apache-2.0
#include "deploy/status.h"

#include "deploy/deploy.h"
#include "driver/aws/schedule.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

void fk_status_problem(struct fk_status *status, const char *format, ...)
{
    if (status->problem_count < FK_STATUS_PROBLEMS_MAX) {
        va_list arguments;
        struct fk_diag *problem = &status->problems[status->problem_count++];
        va_start(arguments, format);
        (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
        va_end(arguments);
    }
}

/* What could not be asked is a problem; the rest is asked all the same. */
static bool note(struct fk_deploy *deploy, struct fk_status *status, enum fk_err err, const char *what)
{
    if (err != FK_OK) {
        fk_status_problem(status, "%s: %s", what,
                          deploy->diag.text[0] == '\0' ? fk_aws_diag(deploy->aws) : deploy->diag.text);
        deploy->diag.text[0] = '\0';
    }
    return err == FK_OK;
}

static void copy(char *out, size_t size, const json_t *value)
{
    const char *text = json_string_value(value);
    (void)snprintf(out, size, "%s", text == NULL ? "" : text);
}

enum fk_err fk_status_read_function(struct fk_bytes json, struct fk_status_function *function)
{
    json_t *answer = json_loadb((const char *)json.data, json.size, 0, NULL);
    if (!json_is_object(answer)) {
        json_decref(answer);
        return FK_ERR_MALFORMED;
    }
    /* Emulators may leave these two out; AWS does not. */
    copy(function->state, sizeof function->state, json_object_get(answer, "State"));
    copy(function->update, sizeof function->update, json_object_get(answer, "LastUpdateStatus"));
    copy(function->modified, sizeof function->modified, json_object_get(answer, "LastModified"));
    function->memory_mb = json_integer_value(json_object_get(answer, "MemorySize"));
    function->code_size = json_integer_value(json_object_get(answer, "CodeSize"));
    json_decref(answer);
    return FK_OK;
}

static void read_function(struct fk_deploy *deploy, struct fk_status *status, const char *part, const char *name)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply;
    char target[256];
    struct fk_status_function *function = &status->functions[status->function_count++];
    *function = (struct fk_status_function){.part = part, .name = name};
    (void)snprintf(target, sizeof target, "/2015-03-31/functions/%s/configuration", name);
    const struct fk_aws_call call = {
        .service = FK_AWS_LAMBDA, .method = "GET", .target = fk_bytes_text(target), .idempotent = true};
    enum fk_err err = fk_aws_call(deploy->aws, &call, &arena, &reply);
    if (err == FK_OK) {
        err = fk_status_read_function(reply.http.body, function);
    }
    function->known = note(deploy, status, err, part);
    fk_arena_deinit(&arena);
}

/* Counts are strings there. */
static int64_t number_of(const json_t *attributes, const char *name)
{
    const char *text = json_string_value(json_object_get(attributes, name));
    return text == NULL ? -1 : strtoll(text, NULL, 10);
}

enum fk_err fk_status_read_queue(struct fk_bytes json, struct fk_status_queue *queue)
{
    json_t *answer = json_loadb((const char *)json.data, json.size, 0, NULL);
    const json_t *attributes = json_object_get(answer, "Attributes");
    queue->waiting = number_of(attributes, "ApproximateNumberOfMessages");
    queue->in_flight = number_of(attributes, "ApproximateNumberOfMessagesNotVisible");
    json_decref(answer);
    return queue->waiting < 0 || queue->in_flight < 0 ? FK_ERR_MALFORMED : FK_OK;
}

static void read_queue(struct fk_deploy *deploy, struct fk_status *status, const char *part, const char *url)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply;
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_status_queue *queue = &status->queues[status->queue_count++];
    *queue = (struct fk_status_queue){.part = part};
    /* A queue's URL has nothing that JSON would escape. */
    fk_buf_print(&body,
                 "{\"QueueUrl\":\"%s\",\"AttributeNames\":[\"ApproximateNumberOfMessages\","
                 "\"ApproximateNumberOfMessagesNotVisible\"]}",
                 url);
    const struct fk_aws_call call = {.service = FK_AWS_SQS,
                                     .method = "POST",
                                     .target = FK_BYTES_LITERAL("/"),
                                     .action = "AmazonSQS.GetQueueAttributes",
                                     .body = fk_buf_view(&body),
                                     .idempotent = true};
    enum fk_err err = body.failed ? FK_ERR_NOMEM : fk_aws_call(deploy->aws, &call, &arena, &reply);
    if (err == FK_OK) {
        err = fk_status_read_queue(reply.http.body, queue);
    }
    queue->known = note(deploy, status, err, part);
    fk_buf_deinit(&body);
    fk_arena_deinit(&arena);
}

static void gather(struct fk_deploy *deploy, struct fk_status *status)
{
    const struct fk_stack_values *outputs = &status->stack->outputs;
    bool pipeline = strcmp(fk_stack_values_get(&status->stack->parameters, "Topology"), "pipeline") == 0;
    read_function(deploy, status, "writer", deploy->names.writer_function);
    if (pipeline) {
        read_function(deploy, status, "distributor", deploy->names.distributor_function);
    }
    read_function(deploy, status, "heartbeat", deploy->names.heartbeat_function);
    read_queue(deploy, status, "requests", fk_stack_values_get(outputs, "RequestQueueUrl"));
    if (pipeline) {
        read_queue(deploy, status, "distributor", fk_stack_values_get(outputs, "DistributorQueueUrl"));
    }
    read_queue(deploy, status, "dead", fk_stack_values_get(outputs, "DeadQueueUrl"));
    status->census_known = note(deploy, status, fk_deploy_count(deploy, &status->census), "table");
    status->schedule_known = note(
        deploy, status, fk_schedule_get(deploy->aws, deploy->names.deployment, &status->schedule_enabled), "schedule");
    status->cost_known = note(deploy, status, fk_cost_read(deploy, status->stack, &status->cost), "cost");
}

void fk_status_judge(struct fk_status *status)
{
    const char *stack = status->stack->status;
    if (strcmp(stack, "CREATE_COMPLETE") != 0 && strcmp(stack, "UPDATE_COMPLETE") != 0) {
        fk_status_problem(status, "stack: %s%s%s", stack, status->stack->reason[0] == '\0' ? "" : ": ",
                          status->stack->reason);
    }
    for (size_t i = 0; i < status->function_count; i++) {
        const struct fk_status_function *function = &status->functions[i];
        if (strcmp(function->state, "Failed") == 0 || strcmp(function->update, "Failed") == 0) {
            fk_status_problem(status, "%s: state %s, last update %s", function->part, function->state,
                              function->update);
        }
    }
    for (size_t i = 0; i < status->queue_count; i++) {
        const struct fk_status_queue *queue = &status->queues[i];
        if (queue->known && strcmp(queue->part, "dead") == 0 && queue->waiting + queue->in_flight > 0) {
            fk_status_problem(status, "dead letters: %" PRId64 " requests that no writer could handle",
                              queue->waiting + queue->in_flight);
        }
    }
    if (status->schedule_known && status->census_known && !status->schedule_enabled &&
        status->census.gateways_alive > 0) {
        fk_status_problem(status, "schedule: disabled although gateways are alive");
    }
}

enum fk_err fk_status_run(struct fk_deploy *deploy, bool json)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_stack stack;
    struct fk_status status = {.stack = &stack};
    enum fk_err err = fk_stack_describe(deploy, deploy->names.stack, &arena, &stack);
    if (err == FK_OK && (stack.state == FK_STACK_NONE || stack.state == FK_STACK_REVIEW)) {
        fk_diag_set(&deploy->diag, "there is no deployment %s in %s", deploy->names.deployment, deploy->region);
        err = FK_ERR_NOT_FOUND;
    }
    if (err == FK_OK) {
        if (fk_stack_values_get(&stack.outputs, "TableName")[0] != '\0') {
            gather(deploy, &status);
        }
        fk_status_judge(&status);
        if (json) {
            err = fk_status_print_json(deploy, &status, stdout);
        } else {
            fk_status_print(deploy, &status, stdout);
        }
    }
    fk_arena_deinit(&arena);
    /* The problems were printed. */
    return err == FK_OK && status.problem_count > 0 ? FK_ERR_REFUSED : err;
}
