// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"
#include "gateway/version.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "FaaSKeeper " FK_VERSION ": ZooKeeper's service from stateless functions, queues and storage.\n"
    "\n"
    "Usage: faaskeeper COMMAND [options]\n"
    "  serve     serve ZooKeeper's protocol on this machine\n"
    "  gateway   serve it over a deployment on AWS\n"
    "  config    check a zoo.cfg\n"
    "  data      check, dump or back up a data directory\n"
    "  digest    hash a password for ACLs and the super user\n"
    "  deploy    create or update a deployment in a cloud\n"
    "  status    show a deployment: health, queues, sessions, cost\n"
    "  cost      what a workload costs on AWS, beside an ensemble of ZooKeeper\n"
    "  destroy   remove a deployment with its data\n"
    "  version   print versions\n"
    "\n"
    "'faaskeeper COMMAND --help' tells more.\n";

static int cli_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        (void)fprintf(stderr, "faaskeeper version: takes no arguments\n");
        return FK_EXIT_USAGE;
    }
    (void)printf("faaskeeper %s (behaves as ZooKeeper %s)\n", FK_VERSION, FK_ZOOKEEPER_VERSION);
    return FK_EXIT_OK;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"serve", fk_cli_serve},     {"gateway", fk_cli_gateway}, {"config", fk_cli_config},  {"data", fk_cli_data},
    {"digest", fk_cli_digest},   {"deploy", fk_cli_deploy},   {"status", fk_cli_status},  {"cost", fk_cli_cost},
    {"destroy", fk_cli_destroy}, {"version", cli_version},    {"--version", cli_version},
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs(help, stderr);
        return FK_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        (void)fputs(help, stdout);
        return FK_EXIT_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    (void)fprintf(stderr, "faaskeeper: unknown command '%s'; see 'faaskeeper --help'\n", argv[1]);
    return FK_EXIT_USAGE;
}
