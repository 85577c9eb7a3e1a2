// SPDX-License-Identifier: Apache-2.0
/* What gateways left or have in a deployment: their queues, and the records of the table. */
#ifndef FK_DEPLOY_GATEWAYS_H
#define FK_DEPLOY_GATEWAYS_H

#include "deploy/stack.h"

enum {
    /* Sessions are counted up to here: each 4 KB of them are a read unit. */
    FK_DEPLOY_SESSIONS_COUNTED = 10 * 1000,
};

struct fk_deploy_census {
    size_t gateways_alive;
    size_t gateways_dead; /* declared so, not yet forgotten */
    size_t sessions;
    bool more; /* sessions than were counted */
};

/* Counts what the table says. */
enum fk_err fk_deploy_count(struct fk_deploy *deploy, struct fk_deploy_census *census);

/* Deletes the queues that gateways made. */
enum fk_err fk_deploy_drop_queues(struct fk_deploy *deploy);

#endif
