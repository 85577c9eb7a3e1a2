// SPDX-License-Identifier: Apache-2.0
#ifndef FK_DEPLOY_IDENTITY_H
#define FK_DEPLOY_IDENTITY_H

#include "deploy/stack.h"

/* Prints whose account the command is about to touch; that the credentials work is known then. */
enum fk_err fk_deploy_print_identity(struct fk_deploy *deploy);

#endif
