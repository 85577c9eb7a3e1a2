// SPDX-License-Identifier: Apache-2.0
/* CloudFormation as deployments need it: one stack, its change sets, its events. Texts live in the arena given. All
 * errors leave their text in the deployment's diag. */
#ifndef FK_DEPLOY_STACK_H
#define FK_DEPLOY_STACK_H

#include "base/arena.h"
#include "deploy/name.h"
#include "driver/aws/aws.h"

enum {
    FK_STACK_VALUES_MAX = 64, /* parameters or outputs: the template has 20 and 9 */
    FK_STACK_CHANGES_MAX = 256,
};

/* What all calls of a command share. */
struct fk_deploy {
    struct fk_aws *aws;
    struct fk_clock *clock;
    struct fk_random *random;
    const char *region;
    struct fk_deploy_names names;
    struct fk_diag diag;
    bool colour; /* standard output is a terminal */
};

struct fk_stack_value {
    const char *key;
    const char *value;
};

struct fk_stack_values {
    struct fk_stack_value items[FK_STACK_VALUES_MAX];
    size_t count;
};

/* "" where there is none of this key. */
const char *fk_stack_values_get(const struct fk_stack_values *values, const char *key);

enum fk_stack_state {
    FK_STACK_NONE,
    FK_STACK_REVIEW, /* only change sets: what a dry run leaves where it is ended */
    FK_STACK_BUSY,   /* something is going on */
    FK_STACK_READY,  /* it can be changed; the last change may have been rolled back */
    FK_STACK_BROKEN, /* it can only be deleted: its creation or its deletion failed */
    FK_STACK_STUCK,  /* UPDATE_ROLLBACK_FAILED: somebody has to look */
};

struct fk_stack {
    enum fk_stack_state state;
    const char *status; /* as CloudFormation says it */
    const char *reason;
    const char *id;
    const char *created; /* 2026-11-29T14:30:00.000Z */
    struct fk_stack_values parameters;
    struct fk_stack_values outputs;
};

enum fk_stack_state fk_stack_state_of(const char *status);

/* Reads an answer of DescribeStacks. MALFORMED, NOMEM. */
enum fk_err fk_stack_read(struct fk_bytes xml, struct fk_arena *arena, struct fk_stack *stack);

/* By its name, or by its id, which finds it after it was deleted too. A stack that does not exist is FK_OK with
 * FK_STACK_NONE. */
enum fk_err fk_stack_describe(struct fk_deploy *deploy, const char *name, struct fk_arena *arena,
                              struct fk_stack *stack);

struct fk_stack_change {
    const char *action;   /* Add, Modify, Remove */
    const char *resource; /* its name in the template */
    const char *type;
    const char *replacement; /* True, False, Conditional, or "" */
};

struct fk_change_set {
    char name[64];
    bool empty; /* it would change nothing */
    struct fk_stack_change *changes;
    size_t count;
};

/* Makes a change set of the template built in, and waits until CloudFormation has computed it. Values of NULL stay as
 * they were. FK_OK with `empty` where nothing would change: the set is deleted again then. */
enum fk_err fk_change_set_make(struct fk_deploy *deploy, bool new_stack, const struct fk_stack_values *parameters,
                               struct fk_arena *arena, struct fk_change_set *set);
enum fk_err fk_change_set_execute(struct fk_deploy *deploy, const struct fk_change_set *set);
enum fk_err fk_change_set_delete(struct fk_deploy *deploy, const struct fk_change_set *set);

/* Reads an answer of DescribeChangeSet. MALFORMED, NOMEM. */
enum fk_err fk_change_set_read(struct fk_bytes xml, struct fk_arena *arena, struct fk_change_set *set,
                               const char **status, const char **reason);

/* Begins to delete it. */
enum fk_err fk_stack_delete(struct fk_deploy *deploy, const char *id);

/* A line on standard output, at once. */
void fk_deploy_say(const struct fk_deploy *deploy, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text between the sequences of a colour, where there are colours. */
const char *fk_deploy_colour(const struct fk_deploy *deploy, const char *status);

#endif
