// SPDX-License-Identifier: Apache-2.0
#include "deploy/item.h"

#include "deploy/query.h"
#include "driver/aws/deployment.h"
#include "driver/aws/dynamodb.h"

#include <stdio.h>

/* A value that this program does not know was refused by the template, or is of a newer one. */
static enum fk_err take_rules(struct fk_deploy *deploy, const struct fk_stack *stack, struct fk_deployment *out)
{
    struct fk_rules rules = {.extended_types = false};
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        const struct fk_deployment_rule *rule = &fk_deployment_rules[i];
        const char *value = fk_stack_values_get(&stack->parameters, rule->parameter);
        if (!fk_deployment_rule_set(i, value, &rules)) {
            fk_diag_set(&deploy->diag, "parameter %s of stack %s is '%.64s', not %s: %s changes it", rule->parameter,
                        deploy->names.stack, value, rule->expected, rule->option);
            return FK_ERR_USAGE;
        }
    }
    fk_deployment_set_rules(out, &rules);
    return FK_OK;
}

/* What the stack has. */
static enum fk_err deployment_of(struct fk_deploy *deploy, const struct fk_stack *stack, struct fk_deployment *out)
{
    enum fk_err err = fk_deployment_init(out, deploy->names.deployment, &deploy->diag);
    const struct fk_stack_values *outputs = &stack->outputs;
    out->pipeline = strcmp(fk_stack_values_get(&stack->parameters, "Topology"), "pipeline") == 0;
    (void)snprintf(out->bucket, sizeof out->bucket, "%s", fk_stack_values_get(outputs, "BucketName"));
    (void)snprintf(out->schedule, sizeof out->schedule, "%s", deploy->names.schedule);
    (void)snprintf(out->requests, sizeof out->requests, "%s", fk_stack_values_get(outputs, "RequestQueueUrl"));
    (void)snprintf(out->distributor, sizeof out->distributor, "%s",
                   fk_stack_values_get(outputs, "DistributorQueueUrl"));
    return err == FK_OK ? take_rules(deploy, stack, out) : err;
}

/* Writes it where it says something else, so that a second run costs a read and changes nothing. */
static enum fk_err write_changed(struct fk_table *table, const struct fk_deployment *deployment, bool *changed)
{
    const struct fk_key key = {.partition = FK_BYTES_LITERAL("deployment"), .name = FK_BYTES_LITERAL("deployment")};
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf value = FK_BUF_EMPTY;
    struct fk_item item;
    fk_deployment_write(&value, deployment);
    enum fk_err err = value.failed ? FK_ERR_NOMEM : fk_table_get(table, &key, &arena, &item);
    if (err == FK_OK && (item.stamp == 0 || !fk_bytes_equal(item.value, fk_buf_view(&value)))) {
        err = fk_deployment_store(table, deployment);
        *changed = true;
    }
    fk_buf_deinit(&value);
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_deploy_item_write(struct fk_deploy *deploy, const struct fk_stack *stack, bool *changed)
{
    struct fk_deployment deployment;
    struct fk_table *table = fk_dynamodb_table_new(deploy->aws, deploy->random, deploy->names.stack);
    enum fk_err err = table == NULL ? FK_ERR_NOMEM : deployment_of(deploy, stack, &deployment);
    if (err == FK_OK) {
        err = write_changed(table, &deployment, changed);
    }
    fk_table_free(table);
    return fk_query_fail(deploy, err, "writing what gateways read first");
}
