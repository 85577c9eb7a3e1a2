// SPDX-License-Identifier: Apache-2.0
#include "deploy/stack.h"

#include "deploy/form.h"
#include "deploy/query.h"
#include "deploy/template.h"
#include "deploy/xml.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    CHANGE_SET_POLL_MS = 500,
    CHANGE_SET_WAIT_MS = 5 * 60 * 1000,
};

static const char api_version[] = "2010-05-15";

const char *fk_stack_values_get(const struct fk_stack_values *values, const char *key)
{
    for (size_t i = 0; i < values->count; i++) {
        if (strcmp(values->items[i].key, key) == 0) {
            return values->items[i].value;
        }
    }
    return "";
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

enum fk_stack_state fk_stack_state_of(const char *status)
{
    static const struct {
        const char *status;
        enum fk_stack_state state;
    } known[] = {
        {"REVIEW_IN_PROGRESS", FK_STACK_REVIEW},    {"DELETE_COMPLETE", FK_STACK_NONE},
        {"CREATE_FAILED", FK_STACK_BROKEN},         {"DELETE_FAILED", FK_STACK_BROKEN},
        {"ROLLBACK_COMPLETE", FK_STACK_BROKEN},     {"ROLLBACK_FAILED", FK_STACK_BROKEN},
        {"UPDATE_ROLLBACK_FAILED", FK_STACK_STUCK},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(status, known[i].status) == 0) {
            return known[i].state;
        }
    }
    return ends_with(status, "_IN_PROGRESS") ? FK_STACK_BUSY : FK_STACK_READY;
}

/* The members of a list, each with a key and a value below the names given. */
static enum fk_err read_values(struct fk_bytes list, const char *key, const char *value, struct fk_arena *arena,
                               struct fk_stack_values *values)
{
    struct fk_xml_element member;
    values->count = 0;
    while (values->count < FK_STACK_VALUES_MAX && fk_xml_next(&list, &member)) {
        struct fk_stack_value *item = &values->items[values->count++];
        item->key = fk_xml_find_text(arena, member.inner, key);
        item->value = fk_xml_find_text(arena, member.inner, value);
        if (item->key == NULL || item->value == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    return FK_OK;
}

enum fk_err fk_stack_read(struct fk_bytes xml, struct fk_arena *arena, struct fk_stack *stack)
{
    struct fk_bytes one = fk_xml_find(xml, "DescribeStacksResponse/DescribeStacksResult/Stacks/member");
    *stack = (struct fk_stack){.status = fk_xml_find_text(arena, one, "StackStatus"),
                               .reason = fk_xml_find_text(arena, one, "StackStatusReason"),
                               .id = fk_xml_find_text(arena, one, "StackId"),
                               .created = fk_xml_find_text(arena, one, "CreationTime")};
    if (stack->status == NULL || stack->reason == NULL || stack->id == NULL || stack->created == NULL) {
        return FK_ERR_NOMEM;
    }
    if (stack->status[0] == '\0') {
        return FK_ERR_MALFORMED;
    }
    stack->state = fk_stack_state_of(stack->status);
    enum fk_err err =
        read_values(fk_xml_find(one, "Parameters"), "ParameterKey", "ParameterValue", arena, &stack->parameters);
    return err == FK_OK ? read_values(fk_xml_find(one, "Outputs"), "OutputKey", "OutputValue", arena, &stack->outputs)
                        : err;
}

enum fk_err fk_stack_describe(struct fk_deploy *deploy, const char *name, struct fk_arena *arena,
                              struct fk_stack *stack)
{
    struct fk_aws_reply reply;
    struct fk_query query;
    fk_query_begin(&query, FK_AWS_CLOUDFORMATION, "DescribeStacks", api_version);
    fk_form_add(&query.form, "StackName", name);
    enum fk_err err = fk_query_end(&query, deploy->aws, true, arena, &reply);
    if (err == FK_OK) {
        err = fk_stack_read(reply.http.body, arena, stack);
        return fk_query_fail(deploy, err, "DescribeStacks");
    }
    *stack = (struct fk_stack){.state = FK_STACK_NONE, .status = "", .reason = "", .id = "", .created = ""};
    bool missing = strcmp(reply.error, "ValidationError") == 0 && strstr(reply.message, "does not exist") != NULL;
    return missing ? FK_OK : fk_query_fail(deploy, err, "DescribeStacks");
}

static enum fk_err create_change_set(struct fk_deploy *deploy, bool new_stack, const struct fk_stack_values *parameters,
                                     const char *name, struct fk_arena *arena)
{
    struct fk_query query;
    fk_query_begin(&query, FK_AWS_CLOUDFORMATION, "CreateChangeSet", api_version);
    fk_form_add(&query.form, "StackName", deploy->names.stack);
    fk_form_add(&query.form, "ChangeSetName", name);
    fk_form_add(&query.form, "ChangeSetType", new_stack ? "CREATE" : "UPDATE");
    fk_form_add_member(&query.form, "Capabilities", 1, "", "CAPABILITY_IAM");
    fk_form_add_member(&query.form, "Tags", 1, "Key", "faaskeeper:deployment");
    fk_form_add_member(&query.form, "Tags", 1, "Value", deploy->names.deployment);
    for (size_t i = 0; i < parameters->count; i++) {
        const struct fk_stack_value *item = &parameters->items[i];
        fk_form_add_member(&query.form, "Parameters", i + 1, "ParameterKey", item->key);
        fk_form_add_member(&query.form, "Parameters", i + 1,
                           item->value == NULL ? "UsePreviousValue" : "ParameterValue",
                           item->value == NULL ? "true" : item->value);
    }
    fk_form_add_bytes(&query.form, "TemplateBody", fk_deploy_template());
    struct fk_aws_reply reply;
    enum fk_err err = fk_query_end(&query, deploy->aws, true, arena, &reply);
    /* The name is new: what exists already is an earlier attempt of this call. */
    bool done = err != FK_OK && reply.repeated && strcmp(reply.error, "AlreadyExistsException") == 0;
    return done ? FK_OK : fk_query_fail(deploy, err, "CreateChangeSet");
}

enum fk_err fk_change_set_read(struct fk_bytes xml, struct fk_arena *arena, struct fk_change_set *set,
                               const char **status, const char **reason)
{
    struct fk_bytes result = fk_xml_find(xml, "DescribeChangeSetResponse/DescribeChangeSetResult");
    struct fk_bytes list = fk_xml_find(result, "Changes");
    struct fk_xml_element member;
    *status = fk_xml_find_text(arena, result, "Status");
    *reason = fk_xml_find_text(arena, result, "StatusReason");
    set->changes = (struct fk_stack_change *)fk_arena_alloc(arena, FK_STACK_CHANGES_MAX * sizeof set->changes[0]);
    set->count = 0;
    if (*status == NULL || *reason == NULL || set->changes == NULL) {
        return FK_ERR_NOMEM;
    }
    while (set->count < FK_STACK_CHANGES_MAX && fk_xml_next(&list, &member)) {
        struct fk_bytes change = fk_xml_find(member.inner, "ResourceChange");
        struct fk_stack_change *item = &set->changes[set->count++];
        *item = (struct fk_stack_change){.action = fk_xml_find_text(arena, change, "Action"),
                                         .resource = fk_xml_find_text(arena, change, "LogicalResourceId"),
                                         .type = fk_xml_find_text(arena, change, "ResourceType"),
                                         .replacement = fk_xml_find_text(arena, change, "Replacement")};
        if (item->action == NULL || item->resource == NULL || item->type == NULL || item->replacement == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    return (*status)[0] == '\0' ? FK_ERR_MALFORMED : FK_OK;
}

/* Waits until it is computed; *failed where it can't be executed, for `reason`. */
static enum fk_err await_change_set(struct fk_deploy *deploy, struct fk_arena *arena, struct fk_change_set *set,
                                    bool *failed, const char **reason)
{
    int64_t end_ms = fk_clock_monotonic_ms(deploy->clock) + CHANGE_SET_WAIT_MS;
    for (;;) {
        struct fk_query query;
        struct fk_aws_reply reply;
        const char *status = "";
        fk_query_begin(&query, FK_AWS_CLOUDFORMATION, "DescribeChangeSet", api_version);
        fk_form_add(&query.form, "StackName", deploy->names.stack);
        fk_form_add(&query.form, "ChangeSetName", set->name);
        enum fk_err err = fk_query_end(&query, deploy->aws, true, arena, &reply);
        if (err == FK_OK) {
            err = fk_change_set_read(reply.http.body, arena, set, &status, reason);
        }
        if (err != FK_OK) {
            return fk_query_fail(deploy, err, "DescribeChangeSet");
        }
        *failed = strcmp(status, "FAILED") == 0;
        if (*failed || strcmp(status, "CREATE_COMPLETE") == 0) {
            return FK_OK;
        }
        if (fk_clock_monotonic_ms(deploy->clock) > end_ms) {
            fk_diag_set(&deploy->diag, "change set %s is still %s after %d s; run the command again", set->name, status,
                        CHANGE_SET_WAIT_MS / 1000);
            return FK_ERR_UNKNOWN;
        }
        fk_clock_pause_ms(deploy->clock, CHANGE_SET_POLL_MS);
    }
}

enum fk_err fk_change_set_make(struct fk_deploy *deploy, bool new_stack, const struct fk_stack_values *parameters,
                               struct fk_arena *arena, struct fk_change_set *set)
{
    *set = (struct fk_change_set){.empty = false};
    (void)snprintf(set->name, sizeof set->name, "faaskeeper-%" PRId64, fk_clock_wall_ms(deploy->clock));
    bool failed = false;
    const char *reason = "";
    enum fk_err err = create_change_set(deploy, new_stack, parameters, set->name, arena);
    if (err == FK_OK) {
        err = await_change_set(deploy, arena, set, &failed, &reason);
    }
    if (err != FK_OK || !failed) {
        return err;
    }
    /* CloudFormation's two ways to say that nothing would change. */
    set->empty = strstr(reason, "didn't contain changes") != NULL || strstr(reason, "No updates are to be") != NULL;
    if (!set->empty) {
        fk_diag_set(&deploy->diag, "CloudFormation refuses the change: %s", reason);
    }
    err = fk_change_set_delete(deploy, set);
    return set->empty ? err : FK_ERR_INVALID;
}

enum fk_err fk_change_set_execute(struct fk_deploy *deploy, const struct fk_change_set *set)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_query query;
    struct fk_aws_reply reply;
    fk_query_begin(&query, FK_AWS_CLOUDFORMATION, "ExecuteChangeSet", api_version);
    fk_form_add(&query.form, "StackName", deploy->names.stack);
    fk_form_add(&query.form, "ChangeSetName", set->name);
    fk_form_add(&query.form, "ClientRequestToken", set->name);
    enum fk_err err = fk_query_end(&query, deploy->aws, true, &arena, &reply);
    fk_arena_deinit(&arena);
    return fk_query_fail(deploy, err, "ExecuteChangeSet");
}

enum fk_err fk_change_set_delete(struct fk_deploy *deploy, const struct fk_change_set *set)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_query query;
    struct fk_aws_reply reply;
    fk_query_begin(&query, FK_AWS_CLOUDFORMATION, "DeleteChangeSet", api_version);
    fk_form_add(&query.form, "StackName", deploy->names.stack);
    fk_form_add(&query.form, "ChangeSetName", set->name);
    enum fk_err err = fk_query_end(&query, deploy->aws, true, &arena, &reply);
    fk_arena_deinit(&arena);
    return fk_query_fail(deploy, err, "DeleteChangeSet");
}

enum fk_err fk_stack_delete(struct fk_deploy *deploy, const char *id)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_query query;
    struct fk_aws_reply reply;
    fk_query_begin(&query, FK_AWS_CLOUDFORMATION, "DeleteStack", api_version);
    fk_form_add(&query.form, "StackName", id);
    enum fk_err err = fk_query_end(&query, deploy->aws, true, &arena, &reply);
    fk_arena_deinit(&arena);
    return fk_query_fail(deploy, err, "DeleteStack");
}
