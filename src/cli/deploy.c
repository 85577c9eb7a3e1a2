// SPDX-License-Identifier: Apache-2.0
/* faaskeeper deploy, destroy and status: a deployment in a cloud (docs/aws.md). */
#include "cli/deploy.h"

#include "cli/cli.h"
#include "host/posix_clock.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char deploy_help[] =
    "Usage: faaskeeper deploy aws --name NAME [options]\n"
    "Creates a deployment on AWS, or brings one to these options: table, bucket, queues, functions, roles, a "
    "schedule.\n"
    "What is not given stays as it is. Nothing of it runs, or is called by a clock, until a gateway connects.\n"
    "\n"
    "  --name NAME            1 to 40 of a-z, 0-9 and '-'; parts are named faaskeeper-NAME\n"
    "  --region REGION        default: AWS_REGION, AWS_DEFAULT_REGION, or that of the profile\n"
    "  --topology TOPOLOGY    single-hop (default) or pipeline; fixed for the deployment's life\n"
    "  --memory MB            memory of each function, 128 to 10240 (default 512)\n"
    "  --arch ARCH            arm64 (default) or x86_64\n"
    "  --code FILE            the functions' zip file, made by `make lambda` (default: faaskeeper-lambda-ARCH.zip "
    "beside\n"
    "                         this program, or in ../dist, ../lib/faaskeeper or ../share/faaskeeper)\n"
    "  --log-days DAYS        how long logs are kept (default 14)\n"
    "  --point-in-time-recovery true|false\n"
    "                         continuous backups of the table, which cost extra (default false)\n"
    "  --channel CHANNEL      how functions reach gateways: sqs (default), or tcp too, from inside a VPC\n"
    "  --subnets IDS          with --channel tcp: subnets of the functions, separated by commas\n"
    "  --security-groups IDS  with --channel tcp: their security groups\n"
    "  --alarm-topic ARN      SNS topic that hears of dead letters\n"
    "  --dry-run              print what would change, change nothing\n"
    "\n"
    "What the functions decide requests by, as the keys of zoo.cfg that they are named after (default false or none):\n"
    "  --extended-types true|false  TTL nodes (extendedTypesEnabled)\n"
    "  --enforce-quota true|false   hard quotas refuse writes (enforceQuota)\n"
    "  --skip-acl true|false        nobody is refused (skipACL)\n"
    "  --reconfig true|false        reconfig is answered as one server does (reconfigEnabled)\n"
    "  --digest true|false          ACLs may name the scheme digest (DigestAuthenticationProvider.enabled; default "
    "true)\n"
    "  --acl-schemes SCHEMES        of none, sasl, x509 and sasl,x509: what ACLs may name besides (authProvider.*)\n"
    "  --any-sasl-user NAME         what ACLs give to it, every user of SASL has (letAnySaslUserDoX)\n"
    "  --container-never-used-ms N  age of containers without any child that are removed; 0: never\n"
    "\n"
    "  --help                 this text\n"
    "\n"
    "Credentials and endpoints come from AWS's usual variables and files.\n"
    "Example: faaskeeper deploy aws --name demo --region eu-central-1\n"
    "Exit codes: 0 deployed or nothing to change, 1 it failed (the resource and its reason are named), 2 usage or no\n"
    "permission.\n";

static const char destroy_help[] =
    "Usage: faaskeeper destroy aws --name NAME [options]\n"
    "Removes a deployment of AWS with all its data, after asking for its name.\n"
    "\n"
    "  --name NAME      the deployment\n"
    "  --region REGION  default: AWS_REGION, AWS_DEFAULT_REGION, or that of the profile\n"
    "  --yes            do not ask\n"
    "  --help           this text\n"
    "\n"
    "Exit codes: 0 it is gone (or never was), 1 it failed, 2 usage, not confirmed or no permission.\n";

static const char status_help[] =
    "Usage: faaskeeper status aws --name NAME [options]\n"
    "Shows a deployment of AWS: functions, queues, dead letters, gateways, sessions, the schedule, its cost so far.\n"
    "\n"
    "  --name NAME      the deployment\n"
    "  --region REGION  default: AWS_REGION, AWS_DEFAULT_REGION, or that of the profile\n"
    "  --json           one JSON document\n"
    "  --help           this text\n"
    "\n"
    "The cost is an estimate from CloudWatch's sums, at the prices of us-east-1; docs/aws.md says what is not in it.\n"
    "Exit codes: 0 healthy, 1 there are problems (they are listed), or it can't be reached, 2 usage or no "
    "permission.\n";

static const char *const command_names[] = {"deploy", "destroy", "status"};

static int report(enum fk_cli_deploy_command command, enum fk_err err, const struct fk_diag *diag)
{
    if (err != FK_OK && diag->text[0] != '\0') {
        (void)fflush(stdout);
        (void)fprintf(stderr, "faaskeeper %s: %s\n", command_names[command], diag->text);
    }
    return err == FK_ERR_USAGE ? FK_EXIT_USAGE : err == FK_OK ? FK_EXIT_OK : FK_EXIT_ENVIRONMENT;
}

/* Asked on the terminal; whoever has none has to say --yes. */
static bool ask_for_name(const struct fk_deploy *deploy)
{
    char line[FK_DEPLOY_NAME_MAX + 8];
    if (isatty(STDIN_FILENO) == 0) {
        (void)fprintf(stderr, "faaskeeper destroy: no terminal to ask on; --yes removes without asking\n");
        return false;
    }
    (void)printf("All its data will be gone. Type %s to remove it: ", deploy->names.deployment);
    (void)fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return strcmp(line, deploy->names.deployment) == 0;
}

static bool agree(const struct fk_deploy *deploy)
{
    (void)deploy;
    return true;
}

static enum fk_err run(enum fk_cli_deploy_command command, const struct fk_cli_deploy *parsed, struct fk_deploy *deploy)
{
    switch (command) {
    case FK_CLI_DEPLOY:
        return fk_deploy_run(deploy, &parsed->options);
    case FK_CLI_DESTROY:
        return fk_destroy_run(deploy, parsed->yes ? agree : ask_for_name);
    case FK_CLI_STATUS:
    default:
        return fk_status_run(deploy, parsed->json);
    }
}

static int main_of(enum fk_cli_deploy_command command, const char *help_text, int argc, char **argv)
{
    struct fk_cli_deploy parsed;
    struct fk_deploy deploy = {
        .clock = fk_posix_clock(), .random = fk_posix_random(), .colour = isatty(STDOUT_FILENO) != 0};
    struct fk_aws_settings *settings = NULL;
    bool help = false;
    enum fk_err err = fk_cli_deploy_parse(command, argc, argv, &parsed, &help, &deploy.diag);
    if (help) {
        (void)fputs(help_text, stdout);
        return FK_EXIT_OK;
    }
    if (err == FK_OK) {
        err = fk_deploy_names_init(&deploy.names, parsed.name, &deploy.diag);
    }
    if (err == FK_OK) {
        err = fk_aws_settings_new(deploy.clock, parsed.region, &settings, &deploy.diag);
    }
    if (err == FK_OK) {
        deploy.region = fk_aws_region(settings);
        err = fk_deploy_region_check(deploy.region, &deploy.diag);
    }
    if (err == FK_OK) {
        deploy.aws = fk_aws_new(settings, deploy.clock, deploy.random);
        err = deploy.aws == NULL ? FK_ERR_NOMEM : run(command, &parsed, &deploy);
    }
    int code = report(command, err, &deploy.diag);
    fk_aws_free(deploy.aws);
    fk_aws_settings_free(settings);
    return code;
}

int fk_cli_deploy(int argc, char **argv)
{
    return main_of(FK_CLI_DEPLOY, deploy_help, argc, argv);
}

int fk_cli_destroy(int argc, char **argv)
{
    return main_of(FK_CLI_DESTROY, destroy_help, argc, argv);
}

int fk_cli_status(int argc, char **argv)
{
    return main_of(FK_CLI_STATUS, status_help, argc, argv);
}
