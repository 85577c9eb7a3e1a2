// SPDX-License-Identifier: Apache-2.0
#include "cli/deploy.h"

#include <stdio.h>
#include <string.h>

/* An option: with a value, or a flag. */
struct option_row {
    const char *name;
    unsigned int commands; /* bits of enum fk_cli_deploy_command */
    const char **value;    /* where it goes; NULL: a flag */
    bool *flag;
};

enum {
    ON_DEPLOY = 1 << FK_CLI_DEPLOY,
    ON_DESTROY = 1 << FK_CLI_DESTROY,
    ON_STATUS = 1 << FK_CLI_STATUS,
    ON_ALL = ON_DEPLOY | ON_DESTROY | ON_STATUS,
};

static enum fk_err refuse(struct fk_diag *diag, const char *text, const char *message)
{
    fk_diag_set(diag, "'%.100s': %s", text, message);
    return FK_ERR_USAGE;
}

static const struct option_row *find_row(const struct option_row *rows, size_t count, const char *text, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].name) == size && memcmp(rows[i].name, text, size) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

/* Takes the option at argv[*at], and its value: "--name x" or "--name=x". */
static enum fk_err take_option(const struct option_row *rows, size_t count, enum fk_cli_deploy_command command,
                               int argc, char **argv, int *at, struct fk_diag *diag)
{
    const char *text = argv[*at];
    size_t size = strcspn(text, "=");
    const struct option_row *row = find_row(rows, count, text, size);
    if (row == NULL || (row->commands & (1U << command)) == 0) {
        return refuse(diag, text, "unknown option");
    }
    if (row->flag != NULL) {
        *row->flag = true;
        return text[size] == '\0' ? FK_OK : refuse(diag, text, "this option takes no value");
    }
    if (text[size] == '\0' && *at + 1 >= argc) {
        return refuse(diag, text, "this option needs a value");
    }
    *row->value = text[size] == '=' ? text + size + 1 : argv[++*at];
    return FK_OK;
}

/* What an option of the command line means: the table of rows, and the rules of a deployment behind it. */
static enum fk_err take(const struct option_row *rows, size_t count, enum fk_cli_deploy_command command,
                        struct fk_cli_deploy *parsed, int argc, char **argv, int *at, struct fk_diag *diag)
{
    size_t size = strcspn(argv[*at], "=");
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES && command == FK_CLI_DEPLOY; i++) {
        const struct option_row rule = {fk_deployment_rules[i].option, ON_DEPLOY, &parsed->options.rules[i], NULL};
        if (find_row(&rule, 1, argv[*at], size) != NULL) {
            return take_option(&rule, 1, command, argc, argv, at, diag);
        }
    }
    return take_option(rows, count, command, argc, argv, at, diag);
}

enum fk_err fk_cli_deploy_parse(enum fk_cli_deploy_command command, int argc, char **argv, struct fk_cli_deploy *parsed,
                                bool *help, struct fk_diag *diag)
{
    *parsed = (struct fk_cli_deploy){.name = NULL};
    struct fk_deploy_options *options = &parsed->options;
    const struct option_row rows[] = {
        {"--name", ON_ALL, &parsed->name, NULL},
        {"--region", ON_ALL, &parsed->region, NULL},
        {"--topology", ON_DEPLOY, &options->topology, NULL},
        {"--memory", ON_DEPLOY, &options->memory, NULL},
        {"--arch", ON_DEPLOY, &options->architecture, NULL},
        {"--code", ON_DEPLOY, &options->code, NULL},
        {"--log-days", ON_DEPLOY, &options->log_days, NULL},
        {"--point-in-time-recovery", ON_DEPLOY, &options->recovery, NULL},
        {"--channel", ON_DEPLOY, &options->channel, NULL},
        {"--subnets", ON_DEPLOY, &options->subnets, NULL},
        {"--security-groups", ON_DEPLOY, &options->security_groups, NULL},
        {"--alarm-topic", ON_DEPLOY, &options->alarm_topic, NULL},
        {"--dry-run", ON_DEPLOY, NULL, &options->dry_run},
        {"--yes", ON_DESTROY, NULL, &parsed->yes},
        {"--json", ON_STATUS, NULL, &parsed->json},
        {"--help", ON_ALL, NULL, help},
        {"-h", ON_ALL, NULL, help},
    };
    bool cloud = false;
    for (int at = 1; at < argc && !*help; at++) {
        enum fk_err err = FK_OK;
        if (argv[at][0] == '-') {
            err = take(rows, sizeof rows / sizeof rows[0], command, parsed, argc, argv, &at, diag);
        } else if (cloud || strcmp(argv[at], "aws") != 0) {
            err = refuse(diag, argv[at], cloud ? "one argument too many" : "the only cloud known is aws");
        } else {
            cloud = true;
        }
        if (err != FK_OK) {
            return err;
        }
    }
    if (*help) {
        return FK_OK;
    }
    if (!cloud) {
        fk_diag_set(diag, "which cloud? Say aws; --help tells more");
        return FK_ERR_USAGE;
    }
    if (parsed->name == NULL) {
        fk_diag_set(diag, "--name is missing: 1 to %d of a-z, 0-9 and '-'", FK_DEPLOY_NAME_MAX);
        return FK_ERR_USAGE;
    }
    return fk_deploy_options_check(options, diag);
}
