// SPDX-License-Identifier: Apache-2.0
#include "deploy/deploy.h"

#include <stdio.h>
#include <stdlib.h>

static enum fk_err refuse(struct fk_diag *diag, const char *option, const char *value, const char *range)
{
    fk_diag_set(diag, "%s '%.64s': expected %s", option, value, range);
    return FK_ERR_USAGE;
}

static bool is_one_of(const char *value, const char *first, const char *second)
{
    return value == NULL || strcmp(value, first) == 0 || strcmp(value, second) == 0;
}

/* A whole number in decimal, nothing around it. */
static bool read_number(const char *text, long *number)
{
    size_t size = strlen(text);
    *number = size <= 9 ? strtol(text, NULL, 10) : -1;
    return size > 0 && size <= 9 && strspn(text, "0123456789") == size;
}

static bool is_memory(const char *text)
{
    long number = 0;
    return text == NULL || (read_number(text, &number) && number >= 128 && number <= 10240);
}

/* CloudWatch's choice. */
static bool is_log_days(const char *text)
{
    static const int days[] = {1,   3,   5,   7,   14,   30,   60,   90,   120,  150,  180,
                               365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653};
    long number = 0;
    if (text == NULL) {
        return true;
    }
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        if (read_number(text, &number) && number == days[i]) {
            return true;
        }
    }
    return false;
}

/* "subnet-0a1,subnet-0b2": what else is wrong with it, AWS says. */
static bool is_list(const char *text, const char *prefix)
{
    size_t size = text == NULL ? 0 : strlen(text);
    return text == NULL || (size > 0 && size < 1024 && strncmp(text, prefix, strlen(prefix)) == 0 &&
                            strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-,") == size);
}

/* An empty value would leave open which one is meant. */
static enum fk_err check_rules(const struct fk_deploy_options *options, struct fk_diag *diag)
{
    struct fk_rules rules;
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        const char *value = options->rules[i];
        if (value != NULL && (value[0] == '\0' || !fk_deployment_rule_set(i, value, &rules))) {
            return refuse(diag, fk_deployment_rules[i].option, value, fk_deployment_rules[i].expected);
        }
    }
    return FK_OK;
}

enum fk_err fk_deploy_options_check(const struct fk_deploy_options *options, struct fk_diag *diag)
{
    if (!is_one_of(options->topology, "single-hop", "pipeline")) {
        return refuse(diag, "--topology", options->topology, "single-hop or pipeline");
    }
    if (!is_memory(options->memory)) {
        return refuse(diag, "--memory", options->memory, "128 to 10240 (MB)");
    }
    if (!is_one_of(options->architecture, "arm64", "x86_64")) {
        return refuse(diag, "--arch", options->architecture, "arm64 or x86_64");
    }
    if (!is_log_days(options->log_days)) {
        return refuse(diag, "--log-days", options->log_days,
                      "one of 1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653");
    }
    if (!is_one_of(options->recovery, "true", "false")) {
        return refuse(diag, "--point-in-time-recovery", options->recovery, "true or false");
    }
    if (!is_one_of(options->channel, "sqs", "tcp")) {
        return refuse(diag, "--channel", options->channel, "sqs or tcp");
    }
    if (!is_list(options->subnets, "subnet-")) {
        return refuse(diag, "--subnets", options->subnets, "ids as subnet-0123abcd, separated by commas");
    }
    if (!is_list(options->security_groups, "sg-")) {
        return refuse(diag, "--security-groups", options->security_groups, "ids as sg-0123abcd, separated by commas");
    }
    if (options->alarm_topic != NULL &&
        (strncmp(options->alarm_topic, "arn:", 4) != 0 || strlen(options->alarm_topic) > 512)) {
        return refuse(diag, "--alarm-topic", options->alarm_topic, "the ARN of an SNS topic");
    }
    bool tcp = options->channel != NULL && strcmp(options->channel, "tcp") == 0;
    if (tcp && (options->subnets == NULL || options->security_groups == NULL)) {
        fk_diag_set(diag, "--channel tcp: needs --subnets and --security-groups, from which functions reach gateways");
        return FK_ERR_USAGE;
    }
    return check_rules(options, diag);
}

static void add(struct fk_stack_values *parameters, const struct fk_stack *stack, const char *key, const char *value)
{
    bool known = false;
    for (size_t i = 0; i < stack->parameters.count; i++) {
        known = known || strcmp(stack->parameters.items[i].key, key) == 0;
    }
    if (value != NULL || known) {
        parameters->items[parameters->count++] = (struct fk_stack_value){.key = key, .value = value};
    }
}

void fk_deploy_parameters(const struct fk_deploy *deploy, const struct fk_deploy_options *options,
                          const struct fk_stack *stack, const char *code_key, struct fk_stack_values *parameters)
{
    parameters->count = 0;
    add(parameters, stack, "Name", deploy->names.deployment);
    add(parameters, stack, "Topology", options->topology);
    add(parameters, stack, "MemorySize", options->memory);
    add(parameters, stack, "Architecture", options->architecture);
    add(parameters, stack, "CodeBucket", NULL);
    add(parameters, stack, "CodeKey", code_key);
    add(parameters, stack, "LogRetentionDays", options->log_days);
    add(parameters, stack, "PointInTimeRecovery", options->recovery);
    add(parameters, stack, "Channel", options->channel);
    add(parameters, stack, "SubnetIds", options->subnets);
    add(parameters, stack, "SecurityGroupIds", options->security_groups);
    add(parameters, stack, "AlarmTopicArn", options->alarm_topic);
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        add(parameters, stack, fk_deployment_rules[i].parameter, options->rules[i]);
    }
}
