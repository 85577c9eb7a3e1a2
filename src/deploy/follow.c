// SPDX-License-Identifier: Apache-2.0
#include "deploy/follow.h"

#include "deploy/form.h"
#include "deploy/query.h"
#include "deploy/xml.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    /* CloudFormation allows few calls a second, and its steps take seconds. */
    POLL_MS = 2000,
    POLL_FIRST_MS = 500,
    POLL_FIRST_COUNT = 10,
    /* Events of one poll, in pages: a change of this template has about a hundred in all. */
    PAGES_MAX = 10,
    FOLLOW_WAIT_MS = 60 * 60 * 1000,
};

void fk_deploy_say(const struct fk_deploy *deploy, const char *format, ...)
{
    va_list arguments;
    (void)deploy;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

const char *fk_deploy_colour(const struct fk_deploy *deploy, const char *status)
{
    if (!deploy->colour) {
        return "";
    }
    if (contains(status, "FAILED") || contains(status, "ROLLBACK")) {
        return "\033[31m";
    }
    return contains(status, "COMPLETE") || contains(status, "ok") ? "\033[32m" : "\033[33m";
}

enum fk_err fk_stack_events_read(struct fk_bytes xml, struct fk_arena *arena, struct fk_stack_event *events,
                                 size_t *count)
{
    struct fk_bytes list = fk_xml_find(xml, "DescribeStackEventsResponse/DescribeStackEventsResult/StackEvents");
    struct fk_xml_element member;
    *count = 0;
    while (*count < FK_STACK_EVENTS_MAX && fk_xml_next(&list, &member)) {
        struct fk_stack_event *event = &events[(*count)++];
        *event = (struct fk_stack_event){.id = fk_xml_find_text(arena, member.inner, "EventId"),
                                         .resource = fk_xml_find_text(arena, member.inner, "LogicalResourceId"),
                                         .type = fk_xml_find_text(arena, member.inner, "ResourceType"),
                                         .status = fk_xml_find_text(arena, member.inner, "ResourceStatus"),
                                         .reason = fk_xml_find_text(arena, member.inner, "ResourceStatusReason")};
        if (event->id == NULL || event->resource == NULL || event->type == NULL || event->status == NULL ||
            event->reason == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    return list.data == NULL ? FK_ERR_MALFORMED : FK_OK;
}

/* One page of events, newest first; *next is the token of the next one, "" behind the last. */
static enum fk_err read_page(struct fk_deploy *deploy, const char *id, const char **next, struct fk_arena *arena,
                             struct fk_stack_event *events, size_t *count)
{
    struct fk_query query;
    struct fk_aws_reply reply;
    fk_query_begin(&query, FK_AWS_CLOUDFORMATION, "DescribeStackEvents", "2010-05-15");
    fk_form_add(&query.form, "StackName", id);
    if ((*next)[0] != '\0') {
        fk_form_add(&query.form, "NextToken", *next);
    }
    enum fk_err err = fk_query_end(&query, deploy->aws, true, arena, &reply);
    if (err == FK_OK) {
        err = fk_stack_events_read(reply.http.body, arena, events, count);
        *next =
            fk_xml_find_text(arena, reply.http.body, "DescribeStackEventsResponse/DescribeStackEventsResult/NextToken");
        err = *next == NULL ? FK_ERR_NOMEM : err;
    }
    return fk_query_fail(deploy, err, "DescribeStackEvents");
}

/* All events behind the mark, newest first. */
static enum fk_err read_new(struct fk_deploy *deploy, const char *id, const char *mark, struct fk_arena *arena,
                            struct fk_stack_event *events, size_t *count)
{
    const char *next = "";
    *count = 0;
    for (size_t page = 0; page < PAGES_MAX; page++) {
        size_t got = 0;
        struct fk_stack_event *at = events + *count;
        enum fk_err err = read_page(deploy, id, &next, arena, at, &got);
        if (err != FK_OK) {
            return err;
        }
        for (size_t i = 0; i < got; i++) {
            if (strcmp(at[i].id, mark) == 0) {
                return FK_OK;
            }
            (*count)++;
        }
        if (next[0] == '\0') {
            return FK_OK;
        }
    }
    return FK_OK;
}

static void set_mark(char mark[FK_STACK_EVENT_ID_SIZE], const struct fk_stack_event *newest)
{
    (void)snprintf(mark, FK_STACK_EVENT_ID_SIZE, "%s", newest->id);
}

enum fk_err fk_stack_mark(struct fk_deploy *deploy, const char *id, char mark[FK_STACK_EVENT_ID_SIZE])
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_stack_event events[FK_STACK_EVENTS_MAX];
    size_t count = 0;
    const char *next = "";
    mark[0] = '\0';
    enum fk_err err = read_page(deploy, id, &next, &arena, events, &count);
    if (err == FK_OK && count > 0) {
        set_mark(mark, &events[0]);
    }
    fk_arena_deinit(&arena);
    return err;
}

static void print_event(const struct fk_deploy *deploy, const struct fk_stack_event *event)
{
    const char *colour = fk_deploy_colour(deploy, event->status);
    bool failed = contains(event->status, "FAILED");
    fk_deploy_say(deploy, "  %s%-20s%s %-34s %s%s%s", colour, event->status, colour[0] == '\0' ? "" : "\033[0m",
                  event->type, event->resource, failed && event->reason[0] != '\0' ? ": " : "",
                  failed ? event->reason : "");
}

/* The one that others are given up for is the one to name. */
static void note_failure(struct fk_deploy *deploy, const struct fk_stack_event *event)
{
    bool failed = contains(event->status, "FAILED") && !contains(event->reason, "cancelled");
    if (failed && strcmp(event->type, "AWS::CloudFormation::Stack") != 0) {
        fk_diag_set(&deploy->diag, "%s (%s): %s", event->resource, event->type, event->reason);
    }
}

static enum fk_err print_new(struct fk_deploy *deploy, const char *id, char mark[FK_STACK_EVENT_ID_SIZE])
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    size_t count = 0;
    size_t size = sizeof(struct fk_stack_event) * FK_STACK_EVENTS_MAX * PAGES_MAX;
    struct fk_stack_event *events = (struct fk_stack_event *)fk_arena_alloc(&arena, size);
    enum fk_err err = events == NULL ? FK_ERR_NOMEM : read_new(deploy, id, mark, &arena, events, &count);
    for (size_t i = count; i > 0 && err == FK_OK; i--) {
        print_event(deploy, &events[i - 1]);
        note_failure(deploy, &events[i - 1]);
    }
    if (err == FK_OK && count > 0) {
        set_mark(mark, &events[0]);
    }
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_stack_follow(struct fk_deploy *deploy, const char *id, char mark[FK_STACK_EVENT_ID_SIZE],
                            struct fk_arena *arena, struct fk_stack *stack)
{
    int64_t end_ms = fk_clock_monotonic_ms(deploy->clock) + FOLLOW_WAIT_MS;
    char before[FK_STACK_EVENT_ID_SIZE];
    (void)snprintf(before, sizeof before, "%s", mark);
    bool begun = false;
    for (int poll = 0;; poll++) {
        /* The state first: what it is now, its events tell by now. */
        fk_arena_reset(arena);
        enum fk_err err = fk_stack_describe(deploy, id, arena, stack);
        if (err == FK_OK) {
            err = print_new(deploy, id, mark);
        }
        /* Just after a change was asked for it may still be as before: its first event says that it began. */
        begun = begun || strcmp(before, mark) != 0 || poll >= POLL_FIRST_COUNT;
        bool going = stack->state == FK_STACK_BUSY || stack->state == FK_STACK_REVIEW || !begun;
        if (err != FK_OK || !going) {
            return err;
        }
        if (fk_clock_monotonic_ms(deploy->clock) > end_ms) {
            fk_diag_set(&deploy->diag, "the stack is still %s after %d minutes; run the command again", stack->status,
                        FOLLOW_WAIT_MS / 60000);
            return FK_ERR_UNKNOWN;
        }
        fk_clock_pause_ms(deploy->clock, poll < POLL_FIRST_COUNT ? POLL_FIRST_MS : POLL_MS);
    }
}
