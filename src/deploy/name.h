// SPDX-License-Identifier: Apache-2.0
/* What a deployment's parts are called, and which names its user may give. */
#ifndef FK_DEPLOY_NAME_H
#define FK_DEPLOY_NAME_H

#include "base/err.h"
#include "driver/aws/deployment.h"

#include <stddef.h>

enum {
    /* Longest NAME. AWS's bounds on what is derived: functions 64 (faaskeeper-NAME-distributor: 41 are left), schedules
     * 64 (43), queues 80 (52, of a gateway 49), stacks 128. Buckets (63) and roles (64) get names from CloudFormation,
     * which shortens them. */
    FK_DEPLOY_NAME_MAX = FK_DEPLOYMENT_NAME_MAX,
    FK_DEPLOY_PART_SIZE = 96, /* room for the name of any part */
};

struct fk_deploy_names {
    char deployment[FK_DEPLOY_NAME_MAX + 1];
    char stack[FK_DEPLOY_PART_SIZE]; /* and the table */
    char requests[FK_DEPLOY_PART_SIZE];
    char distributor[FK_DEPLOY_PART_SIZE];
    char dead[FK_DEPLOY_PART_SIZE];
    char gateway_prefix[FK_DEPLOY_PART_SIZE]; /* of the gateways' queues; 16 hexadecimal digits follow */
    char writer_function[FK_DEPLOY_PART_SIZE];
    char distributor_function[FK_DEPLOY_PART_SIZE];
    char heartbeat_function[FK_DEPLOY_PART_SIZE];
    char schedule[FK_DEPLOY_PART_SIZE];
};

/* USAGE, with the allowed range in diag. */
enum fk_err fk_deploy_names_init(struct fk_deploy_names *names, const char *deployment, struct fk_diag *diag);

/* Whether it can be a region of AWS (eu-central-1): it becomes part of a host's name. USAGE and diag if not. */
enum fk_err fk_deploy_region_check(const char *region, struct fk_diag *diag);

#endif
