// SPDX-License-Identifier: Apache-2.0
#include "deploy/deploy.h"

#include "deploy/bucket.h"
#include "deploy/follow.h"
#include "deploy/gateways.h"
#include "deploy/identity.h"

#include <stdio.h>

enum {
    STACK_ID_SIZE = 512,
    /* A function that was still at work may have put an object into the bucket after it was emptied. */
    ATTEMPTS_MAX = 3,
};

static void print_what_there_is(struct fk_deploy *deploy, const struct fk_stack *stack)
{
    struct fk_deploy_census census = {0};
    const char *table = fk_stack_values_get(&stack->outputs, "TableName");
    fk_deploy_say(deploy, "stack         %s, %s, since %s", deploy->names.stack, stack->status, stack->created);
    if (table[0] == '\0') {
        return;
    }
    fk_deploy_say(deploy, "table         %s", table);
    fk_deploy_say(deploy, "bucket        %s", fk_stack_values_get(&stack->outputs, "BucketName"));
    if (fk_deploy_count(deploy, &census) == FK_OK) {
        fk_deploy_say(deploy, "gateways      %zu alive", census.gateways_alive);
        fk_deploy_say(deploy, "sessions      %zu%s", census.sessions, census.more ? " or more" : "");
    } else {
        deploy->diag.text[0] = '\0'; /* a table that does not answer shall not stand in the way */
    }
}

static enum fk_err delete_once(struct fk_deploy *deploy, const char *id, const char *bucket, struct fk_arena *arena,
                               struct fk_stack *stack)
{
    char mark[FK_STACK_EVENT_ID_SIZE] = "";
    enum fk_err err = bucket[0] == '\0' ? FK_OK : fk_bucket_empty(deploy, bucket);
    if (err == FK_OK) {
        err = fk_stack_mark(deploy, id, mark);
    }
    if (err == FK_OK) {
        err = fk_stack_delete(deploy, id);
    }
    return err == FK_OK ? fk_stack_follow(deploy, id, mark, arena, stack) : err;
}

static enum fk_err delete_stack(struct fk_deploy *deploy, struct fk_arena *arena, struct fk_stack *stack)
{
    char id[STACK_ID_SIZE];
    char bucket[STACK_ID_SIZE];
    (void)snprintf(id, sizeof id, "%s", stack->id);
    (void)snprintf(bucket, sizeof bucket, "%s", fk_stack_values_get(&stack->outputs, "BucketName"));
    enum fk_err err = FK_OK;
    for (int attempt = 0; attempt < ATTEMPTS_MAX && err == FK_OK && stack->state != FK_STACK_NONE; attempt++) {
        deploy->diag.text[0] = '\0';
        err = delete_once(deploy, id, bucket, arena, stack);
    }
    if (err == FK_OK && stack->state != FK_STACK_NONE) {
        struct fk_diag cause = deploy->diag;
        deploy->diag.text[0] = '\0';
        fk_diag_set(&deploy->diag, "%.300s\n  stack %s is %s; remove the cause and run the command again",
                    cause.text[0] == '\0' ? stack->reason : cause.text, deploy->names.stack, stack->status);
        err = FK_ERR_REFUSED;
    }
    return err;
}

static enum fk_err destroy(struct fk_deploy *deploy, bool (*confirm)(const struct fk_deploy *deploy),
                           struct fk_arena *arena)
{
    struct fk_stack stack;
    enum fk_err err = fk_stack_describe(deploy, deploy->names.stack, arena, &stack);
    if (err != FK_OK) {
        return err;
    }
    bool there = stack.state != FK_STACK_NONE;
    if (there && stack.state != FK_STACK_REVIEW &&
        strcmp(fk_stack_values_get(&stack.parameters, "Name"), deploy->names.deployment) != 0) {
        fk_diag_set(&deploy->diag, "stack %s is no deployment of FaaSKeeper: it stays", deploy->names.stack);
        return FK_ERR_USAGE;
    }
    if (there) {
        print_what_there_is(deploy, &stack);
        if (!confirm(deploy)) {
            fk_diag_set(&deploy->diag, "not confirmed, nothing was removed");
            return FK_ERR_USAGE;
        }
        err = delete_stack(deploy, arena, &stack);
    }
    /* Queues of gateways that died are nobody's but ours, and are found by their names. */
    if (err == FK_OK) {
        err = fk_deploy_drop_queues(deploy);
    }
    if (err == FK_OK && there) {
        fk_deploy_say(deploy, "removed");
    } else if (err == FK_OK) {
        fk_deploy_say(deploy, "there is no deployment %s in %s", deploy->names.deployment, deploy->region);
    }
    return err;
}

enum fk_err fk_destroy_run(struct fk_deploy *deploy, bool (*confirm)(const struct fk_deploy *deploy))
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    enum fk_err err = fk_deploy_print_identity(deploy);
    if (err == FK_OK) {
        err = destroy(deploy, confirm, &arena);
    }
    fk_arena_deinit(&arena);
    return err;
}
