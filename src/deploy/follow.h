// SPDX-License-Identifier: Apache-2.0
/* Progress of a change of a stack: its events, as they come. */
#ifndef FK_DEPLOY_FOLLOW_H
#define FK_DEPLOY_FOLLOW_H

#include "deploy/stack.h"

enum {
    FK_STACK_EVENTS_MAX = 100, /* of a page, which has no more */
    FK_STACK_EVENT_ID_SIZE = 256,
};

struct fk_stack_event {
    const char *id;
    const char *resource;
    const char *type;
    const char *status;
    const char *reason;
};

/* Reads an answer of DescribeStackEvents, newest first, FK_STACK_EVENTS_MAX at most. MALFORMED, NOMEM. */
enum fk_err fk_stack_events_read(struct fk_bytes xml, struct fk_arena *arena, struct fk_stack_event *events,
                                 size_t *count);

/* The event that is the newest now: where fk_stack_follow begins. "" where there is none. */
enum fk_err fk_stack_mark(struct fk_deploy *deploy, const char *id, char mark[FK_STACK_EVENT_ID_SIZE]);

/* Prints events behind the mark as they come, until nothing goes on any more; `stack` is the stack then (its state
 * FK_STACK_NONE once it is deleted). Where a resource failed, diag names the first one and its reason. */
enum fk_err fk_stack_follow(struct fk_deploy *deploy, const char *id, char mark[FK_STACK_EVENT_ID_SIZE],
                            struct fk_arena *arena, struct fk_stack *stack);

#endif
