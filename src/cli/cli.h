// SPDX-License-Identifier: Apache-2.0
/* The command line: one file per subcommand, each with one entry that gives the exit code. */
#ifndef FK_CLI_CLI_H
#define FK_CLI_CLI_H

#include "base/err.h"

/* Exit codes (design.md section 8). */
enum fk_exit {
    FK_EXIT_OK = 0,
    FK_EXIT_ENVIRONMENT = 1, /* a port in use, no permission, no space, another server on the directory */
    FK_EXIT_USAGE = 2,       /* command line or configuration */
    FK_EXIT_DAMAGED = 3,     /* stored data does not read */
    FK_EXIT_SYNC_FAILED = 4, /* the disk refused a sync while serving */
};

/* The exit code for an error of an operation: damaged and newer data do not read (3), a bad configuration is one of
 * usage (2), everything else is the environment's (1). */
int fk_cli_exit_code(enum fk_err err);

/* argv[0] is the subcommand's name. */
int fk_cli_serve(int argc, char **argv);
int fk_cli_gateway(int argc, char **argv);
int fk_cli_config(int argc, char **argv);
int fk_cli_cost(int argc, char **argv);
int fk_cli_data(int argc, char **argv);
int fk_cli_digest(int argc, char **argv);
int fk_cli_deploy(int argc, char **argv);
int fk_cli_destroy(int argc, char **argv);
int fk_cli_status(int argc, char **argv);

#endif
