// SPDX-License-Identifier: Apache-2.0
/* A call to one of AWS's query services: a form there, XML back. */
#ifndef FK_DEPLOY_QUERY_H
#define FK_DEPLOY_QUERY_H

#include "base/buf.h"
#include "driver/aws/aws.h"

struct fk_deploy;

struct fk_query {
    enum fk_aws_service service;
    struct fk_buf form; /* parameters are added with fk_form_add */
};

void fk_query_begin(struct fk_query *query, enum fk_aws_service service, const char *action, const char *version);

/* Sends it and frees the form. reply->error is "" where no answer came. */
enum fk_err fk_query_end(struct fk_query *query, struct fk_aws *aws, bool idempotent, struct fk_arena *arena,
                         struct fk_aws_reply *reply);

/* Leaves what went wrong with `what` in the deployment's diag; gives err. */
enum fk_err fk_query_fail(struct fk_deploy *deploy, enum fk_err err, const char *what);

#endif
