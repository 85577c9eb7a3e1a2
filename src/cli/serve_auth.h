// SPDX-License-Identifier: Apache-2.0
/* What `serve` needs to know who somebody is: options of the configuration, the login file, the SASL library. */
#ifndef FK_CLI_SERVE_AUTH_H
#define FK_CLI_SERVE_AUTH_H

#include "cli/config.h"
#include "gateway/auth.h"
#include "host/jaas.h"

struct fk_serve_auth {
    struct fk_auth_options options;
    struct fk_jaas_login login;
    struct fk_sasl *sasl; /* NULL: no login section */
};

/* True where nobody gets in without proving who he is. */
bool fk_serve_auth_required(const struct fk_config *config);

/* Reads the login file and starts the SASL library where the configuration names one; strings of the configuration are
 * borrowed. USAGE, IO with diag. Close it in any case, after the host. */
enum fk_err fk_serve_auth_open(struct fk_serve_auth *auth, struct fk_config *config, struct fk_diag *diag);
void fk_serve_auth_close(struct fk_serve_auth *auth);

#endif
