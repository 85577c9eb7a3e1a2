// SPDX-License-Identifier: Apache-2.0
/* The arguments of deploy, destroy and status. */
#ifndef FK_CLI_DEPLOY_H
#define FK_CLI_DEPLOY_H

#include "deploy/deploy.h"

struct fk_cli_deploy {
    const char *name;
    const char *region;
    bool json;
    bool yes;
    struct fk_deploy_options options;
};

enum fk_cli_deploy_command {
    FK_CLI_DEPLOY,
    FK_CLI_DESTROY,
    FK_CLI_STATUS,
};

/* Reads them. *help is set where they ask for that. USAGE: diag says which is wrong. */
enum fk_err fk_cli_deploy_parse(enum fk_cli_deploy_command command, int argc, char **argv, struct fk_cli_deploy *parsed,
                                bool *help, struct fk_diag *diag);

#endif
