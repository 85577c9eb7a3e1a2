// SPDX-License-Identifier: Apache-2.0
/* `faaskeeper gateway`, over a deployment of AWS or, in tests, one in memory. */
#ifndef FK_CLI_GATEWAY_H
#define FK_CLI_GATEWAY_H

#include "host/cloud.h"

/* What the command line says of the deployment. */
struct fk_gateway_place {
    const char *deployment;
    const char *region;  /* NULL: of the environment */
    const char *channel; /* "sqs", "tcp", "tcp:ADDRESS" */
};

/* Where deployments are. */
struct fk_gateway_cloud {
    /* Fills in what the host needs of the deployment: its cloud options, the source of ports, the mailbox. The rules
     * are those of the configuration; a deployment that has its own sets them, for as long as it is open. *opened is
     * for close. USAGE, IO, NOT_FOUND... with diag that names the next step. */
    enum fk_err (*open)(const struct fk_gateway_place *place, struct fk_cloud_host_options *host, void **opened,
                        struct fk_diag *diag);
    void (*close)(void *opened);
};

int fk_cli_gateway_over(int argc, char **argv, const struct fk_gateway_cloud *cloud);

#endif
