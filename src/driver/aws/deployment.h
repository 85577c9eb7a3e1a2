// SPDX-License-Identifier: Apache-2.0
/* A deployment: what its parts are called and how it was set up. `faaskeeper deploy` writes that into one item of the
 * deployment's table, where gateways read it; the functions have it in their environment:
 *
 *   FK_DEPLOYMENT  the name        FK_REQUESTS_URL     queue of requests
 *   FK_TABLE                       FK_DISTRIBUTOR_URL  queue of the distributor; only in the pipeline
 *   FK_BUCKET                      FK_TOPOLOGY         single-hop or pipeline
 *
 * and the rules that requests are decided by (deployment_rules.h). */
#ifndef FK_DRIVER_AWS_DEPLOYMENT_H
#define FK_DRIVER_AWS_DEPLOYMENT_H

#include "driver/aws/aws.h"
#include "driver/aws/deployment_rules.h"
#include "port/table.h"

enum {
    /* Of NAME. What AWS allows for the names that derive from it: functions 64, and "faaskeeper-" and "-distributor"
     * are 23. */
    FK_DEPLOYMENT_NAME_MAX = 40,
    FK_DEPLOYMENT_PART_MAX = 95,
    FK_DEPLOYMENT_URL_MAX = 255,
};

/* Blobs stand below this in the bucket, beside the functions' code. */
#define FK_DEPLOYMENT_BLOBS "data/"

struct fk_deployment {
    char name[FK_DEPLOYMENT_NAME_MAX + 1];
    bool pipeline;
    char table[FK_DEPLOYMENT_PART_MAX + 1];
    char bucket[FK_DEPLOYMENT_PART_MAX + 1];
    char schedule[FK_DEPLOYMENT_PART_MAX + 1];       /* of the heartbeat; may be "" */
    char requests[FK_DEPLOYMENT_URL_MAX + 1];        /* URL */
    char distributor[FK_DEPLOYMENT_URL_MAX + 1];     /* URL; "" unless pipeline */
    char gateway_prefix[FK_DEPLOYMENT_PART_MAX + 1]; /* of the gateways' queues: 16 hexadecimal digits follow */
    struct fk_rules rules;                           /* but for any_sasl: see fk_deployment_get_rules */
    char any_sasl_user[FK_DEPLOYMENT_RULE_SIZE];     /* "": none */
};

/* What requests are decided by. A name in it is the deployment's. */
struct fk_rules fk_deployment_get_rules(const struct fk_deployment *deployment);
void fk_deployment_set_rules(struct fk_deployment *deployment, const struct fk_rules *rules);

/* What derives from the name alone; everything else is "". USAGE: 1 to 40 of a-z, 0-9 and '-', no '-' at an end. */
enum fk_err fk_deployment_init(struct fk_deployment *deployment, const char *name, struct fk_diag *diag);

/* USAGE: a variable is missing or wrong; diag names it. */
enum fk_err fk_deployment_from_environment(struct fk_deployment *deployment, struct fk_diag *diag);

/* Reads the deployment's item. NOT_FOUND: there is no such deployment (or not in this region). VERSION: a newer one.
 * DAMAGED, and the errors of the table. */
enum fk_err fk_deployment_load(struct fk_aws *aws, const char *name, struct fk_deployment *deployment,
                               struct fk_diag *diag);

/* Writes the item over whatever is there. Errors of the table. */
enum fk_err fk_deployment_store(struct fk_table *table, const struct fk_deployment *deployment);

/* The item's value, and back; `deployment` was initialised with its name. */
void fk_deployment_write(struct fk_buf *buf, const struct fk_deployment *deployment);
enum fk_err fk_deployment_read(struct fk_bytes value, struct fk_deployment *deployment, struct fk_diag *diag);

#endif
