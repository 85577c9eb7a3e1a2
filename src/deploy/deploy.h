// SPDX-License-Identifier: Apache-2.0
/* What `faaskeeper deploy`, `destroy` and `status` do (docs/aws.md). They print their progress on standard output; what
 * went wrong is left in the deployment's diag. */
#ifndef FK_DEPLOY_DEPLOY_H
#define FK_DEPLOY_DEPLOY_H

#include "deploy/stack.h"
#include "driver/aws/deployment_rules.h"

#include <stdbool.h>

/* Texts as they are passed on to the template; NULL: not given, a new deployment takes the template's default and an
 * existing one stays as it is. */
struct fk_deploy_options {
    const char *topology;
    const char *memory;
    const char *architecture;
    const char *log_days;
    const char *recovery; /* "true" or "false" */
    const char *channel;
    const char *subnets;
    const char *security_groups;
    const char *alarm_topic;
    const char *rules[FK_DEPLOYMENT_RULES]; /* as in fk_deployment_rules */
    const char *code;                       /* a file */
    bool dry_run;
};

/* Looks at each on its own; USAGE names the option and what it takes. */
enum fk_err fk_deploy_options_check(const struct fk_deploy_options *options, struct fk_diag *diag);

/* Creates or updates the deployment. Running it again changes nothing. */
enum fk_err fk_deploy_run(struct fk_deploy *deploy, const struct fk_deploy_options *options);

/* Removes it with all its data. `confirm` is asked after what there is was printed. */
enum fk_err fk_destroy_run(struct fk_deploy *deploy, bool (*confirm)(const struct fk_deploy *deploy));

enum fk_err fk_status_run(struct fk_deploy *deploy, bool json);

/* The parameters of the template for these options and a stack: a new one has none. `code_key`: NULL, no functions. */
void fk_deploy_parameters(const struct fk_deploy *deploy, const struct fk_deploy_options *options,
                          const struct fk_stack *stack, const char *code_key, struct fk_stack_values *parameters);

#endif
