// SPDX-License-Identifier: Apache-2.0
/* The admin port: ZooKeeper's AdminServer commands as JSON, metrics as Prometheus reads them, health checks. HTTP
 * without TLS, so on the loopback unless told otherwise. It never changes the tree. Source: server.admin.Commands. */
#ifndef FK_HOST_ADMIN_H
#define FK_HOST_ADMIN_H

#include "base/err.h"
#include "cost/price.h"
#include "gateway/gateway.h"

#include <uv.h>

/* Strings are borrowed. */
struct fk_admin_options {
    const char *address;            /* HOST:PORT, or NULL: no commands */
    const char *metrics_address;    /* HOST:PORT where only metrics are, or NULL */
    const char *command_url;        /* "/commands" */
    int32_t idle_ms;                /* of a connection */
    const char *configuration;      /* text of the configuration file, without secrets; or NULL */
    const struct fk_prices *prices; /* of the costs that it tells; NULL: it tells none */
    bool tcp;                       /* answers of functions come over TCP, which costs no requests of SQS */
};

struct fk_admin;

/* Listens. USAGE or IO with diag; `bound` gets the real addresses. */
enum fk_err fk_admin_new(const struct fk_admin_options *options, uv_loop_t *loop, struct fk_gateway *gateway,
                         struct fk_admin **admin, struct fk_buf *bound, struct fk_diag *diag);
/* Closes its sockets; run the loop until its handles are gone, then free. NULL is allowed. */
void fk_admin_stop(struct fk_admin *admin);
void fk_admin_free(struct fk_admin *admin);

#endif
