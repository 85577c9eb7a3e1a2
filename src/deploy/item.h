// SPDX-License-Identifier: Apache-2.0
/* The item of the table that tells gateways what the deployment consists of. */
#ifndef FK_DEPLOY_ITEM_H
#define FK_DEPLOY_ITEM_H

#include "deploy/stack.h"

/* Writes it from the stack's outputs, where it says something else; *changed is set then. */
enum fk_err fk_deploy_item_write(struct fk_deploy *deploy, const struct fk_stack *stack, bool *changed);

#endif
