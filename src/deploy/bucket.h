// SPDX-License-Identifier: Apache-2.0
/* The deployment's bucket: the functions' code in it, and its end. */
#ifndef FK_DEPLOY_BUCKET_H
#define FK_DEPLOY_BUCKET_H

#include "deploy/code.h"
#include "deploy/stack.h"

/* Uploads the code, unless it is there. */
enum fk_err fk_bucket_put_code(struct fk_deploy *deploy, const char *bucket, const struct fk_code *code);

/* Removes all code but this one: what ran before stays in the functions' own copy as long as they run it. */
enum fk_err fk_bucket_drop_code(struct fk_deploy *deploy, const char *bucket, const char *kept_key);

/* Removes every object; a bucket that does not exist is empty. */
enum fk_err fk_bucket_empty(struct fk_deploy *deploy, const char *bucket);

#endif
