// SPDX-License-Identifier: Apache-2.0
#include "deploy/deploy.h"

#include "deploy/bucket.h"
#include "deploy/code.h"
#include "deploy/follow.h"
#include "deploy/form.h"
#include "deploy/identity.h"
#include "deploy/item.h"
#include "driver/aws/schedule.h"

#include <stdio.h>
#include <unistd.h>

/* The state of one run. */
struct run {
    struct fk_deploy *deploy;
    const struct fk_deploy_options *options;
    struct fk_arena stack_arena; /* of `stack` */
    struct fk_stack stack;
    struct fk_arena code_arena;
    struct fk_code code;
    const char *code_key; /* what the functions are to run; NULL: what they run now */
    bool scheduled;       /* the schedule is enabled: gateways are there */
    bool changed;
};

static const char *architecture_of(const struct run *run)
{
    const char *now = fk_stack_values_get(&run->stack.parameters, "Architecture");
    return run->options->architecture != NULL ? run->options->architecture : now[0] != '\0' ? now : "arm64";
}

static enum fk_err describe(struct run *run)
{
    fk_arena_reset(&run->stack_arena);
    return fk_stack_describe(run->deploy, run->deploy->names.stack, &run->stack_arena, &run->stack);
}

/* What a change that did not end well means, and what to do next; never FK_OK. */
static enum fk_err explain(struct run *run)
{
    struct fk_diag cause = run->deploy->diag;
    const char *stack = run->deploy->names.stack;
    const char *text = cause.text[0] == '\0' ? run->stack.reason : cause.text;
    run->deploy->diag.text[0] = '\0';
    if (run->stack.state == FK_STACK_STUCK) {
        fk_diag_set(&run->deploy->diag,
                    "%.300s\n  stack %s is %s: `aws cloudformation continue-update-rollback --stack-name %s` goes on",
                    text, stack, run->stack.status, stack);
    } else if (run->stack.state == FK_STACK_BROKEN || run->stack.state == FK_STACK_NONE) {
        fk_diag_set(&run->deploy->diag,
                    "%.300s\n  nothing was deployed (stack %s is %s); remove the cause and run the command again", text,
                    stack, run->stack.status);
    } else {
        fk_diag_set(&run->deploy->diag,
                    "%.300s\n  stack %s is %s, as it was before; remove the cause and run the command again", text,
                    stack, run->stack.status);
    }
    return FK_ERR_REFUSED;
}

static bool ended_well(const struct fk_stack *stack)
{
    return strcmp(stack->status, "CREATE_COMPLETE") == 0 || strcmp(stack->status, "UPDATE_COMPLETE") == 0;
}

/* Waits for what somebody began before. */
static enum fk_err await_others(struct run *run)
{
    char mark[FK_STACK_EVENT_ID_SIZE];
    fk_deploy_say(run->deploy, "stack %s is %s: waiting for it", run->deploy->names.stack, run->stack.status);
    enum fk_err err = fk_stack_mark(run->deploy, run->deploy->names.stack, mark);
    if (err == FK_OK) {
        err = fk_stack_follow(run->deploy, run->deploy->names.stack, mark, &run->stack_arena, &run->stack);
    }
    run->deploy->diag.text[0] = err == FK_OK ? '\0' : run->deploy->diag.text[0];
    return err;
}

/* A creation that failed left nothing that anybody uses. */
static enum fk_err remove_remains(struct run *run)
{
    char mark[FK_STACK_EVENT_ID_SIZE] = "";
    char id[512];
    (void)snprintf(id, sizeof id, "%s", run->stack.id);
    fk_deploy_say(run->deploy, "stack %s is %s: removing what its failed creation left", run->deploy->names.stack,
                  run->stack.status);
    enum fk_err err = fk_stack_mark(run->deploy, id, mark);
    if (err == FK_OK) {
        err = fk_stack_delete(run->deploy, id);
    }
    if (err == FK_OK) {
        err = fk_stack_follow(run->deploy, id, mark, &run->stack_arena, &run->stack);
    }
    if (err == FK_OK && run->stack.state != FK_STACK_NONE) {
        return explain(run);
    }
    return err == FK_OK ? describe(run) : err;
}

static enum fk_err check_ours(struct run *run)
{
    const struct fk_stack_values *parameters = &run->stack.parameters;
    struct fk_diag *diag = &run->deploy->diag;
    const char *topology = fk_stack_values_get(parameters, "Topology");
    if (strcmp(fk_stack_values_get(parameters, "Name"), run->deploy->names.deployment) != 0) {
        fk_diag_set(diag, "there is a stack %s that is no deployment of FaaSKeeper; choose another --name",
                    run->deploy->names.stack);
        return FK_ERR_USAGE;
    }
    if (run->options->topology != NULL && strcmp(topology, run->options->topology) != 0) {
        fk_diag_set(
            diag,
            "--topology '%s': %s is %s, and stays so: state is kept differently. Deploy another name, or destroy "
            "this one first",
            run->options->topology, run->deploy->names.deployment, topology);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

/* Brings the stack to where it can be changed, or is not there. */
static enum fk_err prepare(struct run *run)
{
    enum fk_err err = describe(run);
    if (err == FK_OK && run->stack.state == FK_STACK_BUSY) {
        err = await_others(run);
    }
    if (err != FK_OK) {
        return err;
    }
    switch (run->stack.state) {
    case FK_STACK_NONE:
    case FK_STACK_REVIEW:
        return FK_OK;
    case FK_STACK_READY:
        return check_ours(run);
    case FK_STACK_BROKEN:
        if (strcmp(run->stack.status, "ROLLBACK_COMPLETE") == 0 && !run->options->dry_run) {
            return remove_remains(run);
        }
        fk_diag_set(&run->deploy->diag, "stack %s is %s: `faaskeeper destroy aws --name %s` removes it",
                    run->deploy->names.stack, run->stack.status, run->deploy->names.deployment);
        return FK_ERR_REFUSED;
    case FK_STACK_BUSY:
    case FK_STACK_STUCK:
    default:
        return explain(run);
    }
}

static bool is_new(const struct run *run)
{
    return run->stack.state == FK_STACK_NONE || run->stack.state == FK_STACK_REVIEW;
}

/* Finds and reads the functions' code. An existing deployment goes on with what it has where there is none. */
static enum fk_err take_code(struct run *run)
{
    char path[FK_CODE_PATH_SIZE];
    char program[FK_CODE_PATH_SIZE];
    struct fk_diag diag = {.text = ""};
    const char *architecture = architecture_of(run);
    const char *file = run->options->code;
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size < 0 ? 0 : size] = '\0';
    enum fk_err err = FK_OK;
    if (file == NULL) {
        err = fk_code_find(program, architecture, path, &diag);
        file = path;
    }
    bool kept = fk_stack_values_get(&run->stack.parameters, "CodeKey")[0] != '\0' &&
                strcmp(architecture, fk_stack_values_get(&run->stack.parameters, "Architecture")) == 0;
    if (err == FK_ERR_NOT_FOUND && kept) {
        fk_deploy_say(run->deploy, "code          as it is (no faaskeeper-lambda-%s.zip beside this program)",
                      architecture);
        return FK_OK;
    }
    if (err == FK_OK) {
        err = fk_code_read(file, architecture, &run->code_arena, &run->code, &diag);
    }
    if (err != FK_OK) {
        fk_diag_set(&run->deploy->diag, "%s", diag.text);
        return err == FK_ERR_NOMEM ? err : FK_ERR_USAGE;
    }
    run->code_key = run->code.key;
    fk_deploy_say(run->deploy, "code          %s (%zu bytes)", file, run->code.zip.size);
    return FK_OK;
}

/* One change: made, executed, followed. */
static enum fk_err change(struct run *run, const char *code_key)
{
    struct fk_stack_values parameters;
    struct fk_change_set set;
    struct fk_arena arena = FK_ARENA_EMPTY;
    char mark[FK_STACK_EVENT_ID_SIZE] = "";
    bool new_stack = is_new(run);
    fk_deploy_parameters(run->deploy, run->options, &run->stack, code_key, &parameters);
    enum fk_err err = fk_change_set_make(run->deploy, new_stack, &parameters, &arena, &set);
    if (err == FK_OK && !set.empty) {
        run->changed = true;
        err = fk_stack_mark(run->deploy, run->deploy->names.stack, mark);
        if (err == FK_OK) {
            err = fk_change_set_execute(run->deploy, &set);
        }
        if (err == FK_OK) {
            err = fk_stack_follow(run->deploy, run->deploy->names.stack, mark, &run->stack_arena, &run->stack);
        }
        if (err == FK_OK && !ended_well(&run->stack)) {
            err = explain(run);
        }
    }
    fk_arena_deinit(&arena);
    return err;
}

/* A change set of a stack that does not exist makes an empty one, which goes again; never one that is more by now. */
static enum fk_err forget_review(struct run *run, enum fk_err err)
{
    struct fk_diag cause = run->deploy->diag;
    enum fk_err described = describe(run);
    if (described == FK_OK && run->stack.state == FK_STACK_REVIEW) {
        described = fk_stack_delete(run->deploy, run->stack.id);
    }
    if (err != FK_OK) {
        run->deploy->diag = cause;
    }
    return err == FK_OK ? described : err;
}

/* What would change, and nothing of it. */
static enum fk_err rehearse(struct run *run)
{
    struct fk_stack_values parameters;
    struct fk_change_set set;
    struct fk_arena arena = FK_ARENA_EMPTY;
    bool new_stack = is_new(run);
    fk_deploy_parameters(run->deploy, run->options, &run->stack, run->code_key, &parameters);
    enum fk_err err = fk_change_set_make(run->deploy, new_stack, &parameters, &arena, &set);
    for (size_t i = 0; err == FK_OK && i < set.count && !set.empty; i++) {
        const struct fk_stack_change *item = &set.changes[i];
        bool replaced = item->replacement[0] != '\0' && strcmp(item->replacement, "False") != 0;
        fk_deploy_say(run->deploy, "  %-7s %-34s %s%s", item->action, item->type, item->resource,
                      replaced ? "  (may be replaced)" : "");
    }
    if (err == FK_OK) {
        fk_deploy_say(run->deploy, "%zu changes; none was made (--dry-run)", set.empty ? (size_t)0 : set.count);
    }
    if (err == FK_OK && !set.empty) {
        err = fk_change_set_delete(run->deploy, &set);
    }
    fk_arena_deinit(&arena);
    return new_stack ? forget_review(run, err) : err;
}

static enum fk_err apply(struct run *run)
{
    enum fk_err err = FK_OK;
    if (is_new(run)) {
        /* Storage and queues first: the code needs the bucket. */
        fk_deploy_say(run->deploy, "storage and queues");
        err = change(run, NULL);
    } else if (fk_stack_values_get(&run->stack.parameters, "CodeKey")[0] != '\0') {
        err = fk_schedule_get(run->deploy->aws, run->deploy->names.deployment, &run->scheduled);
        run->scheduled = err == FK_OK && run->scheduled;
        err = FK_OK; /* where it is missing, this run makes it */
    }
    if (err == FK_OK && run->code_key != NULL) {
        err = fk_bucket_put_code(run->deploy, fk_stack_values_get(&run->stack.outputs, "BucketName"), &run->code);
    }
    if (err == FK_OK) {
        fk_deploy_say(run->deploy, "functions");
        err = change(run, run->code_key);
    }
    if (err == FK_OK && run->scheduled) {
        /* CloudFormation puts a schedule that it touches back to "disabled"; gateways are there. */
        err = fk_schedule_set(run->deploy->aws, run->deploy->names.deployment, true);
        if (err != FK_OK) {
            fk_diag_set(&run->deploy->diag, "the schedule could not be enabled again: %s",
                        fk_aws_diag(run->deploy->aws));
        }
    }
    return err;
}

static void print_result(const struct run *run)
{
    const struct fk_stack_values *outputs = &run->stack.outputs;
    const struct fk_deploy *deploy = run->deploy;
    fk_deploy_say(deploy, "%s", run->changed ? "deployed" : "no change");
    fk_deploy_say(deploy, "table         %s", fk_stack_values_get(outputs, "TableName"));
    fk_deploy_say(deploy, "bucket        %s", fk_stack_values_get(outputs, "BucketName"));
    fk_deploy_say(deploy, "gateways      policies and role %s", fk_stack_values_get(outputs, "GatewayRoleArn"));
    fk_deploy_say(deploy, "next          faaskeeper gateway --deployment %s --region %s", deploy->names.deployment,
                  deploy->region);
}

static enum fk_err finish(struct run *run)
{
    enum fk_err err = describe(run);
    if (err == FK_OK) {
        err = fk_deploy_item_write(run->deploy, &run->stack, &run->changed);
    }
    if (err == FK_OK && run->code_key != NULL) {
        err = fk_bucket_drop_code(run->deploy, fk_stack_values_get(&run->stack.outputs, "BucketName"), run->code_key);
    }
    if (err == FK_OK) {
        print_result(run);
    }
    return err;
}

enum fk_err fk_deploy_run(struct fk_deploy *deploy, const struct fk_deploy_options *options)
{
    struct run run = {.deploy = deploy, .options = options};
    enum fk_err err = fk_deploy_print_identity(deploy);
    if (err == FK_OK) {
        err = prepare(&run);
    }
    if (err == FK_OK) {
        err = take_code(&run);
    }
    if (err == FK_OK && options->dry_run) {
        err = rehearse(&run);
    } else if (err == FK_OK) {
        err = apply(&run);
        err = err == FK_OK ? finish(&run) : err;
    }
    fk_arena_deinit(&run.stack_arena);
    fk_arena_deinit(&run.code_arena);
    return err;
}
