// SPDX-License-Identifier: Apache-2.0
/* The host of one machine: one event loop that reads sockets, runs the functions over what has come, hands the log its
 * frames, makes durable changes visible, and sends. Where no port ever blocks the functions are simply called. */
#ifndef FK_HOST_LOCAL_H
#define FK_HOST_LOCAL_H

#include "base/err.h"
#include "gateway/gateway.h"
#include "host/front.h"
#include "host/sweeper.h"

struct fk_local_host_options {
    const char *data_directory; /* NULL: memory only */
    int64_t segment_size;       /* 0: default */
    bool sync;
    bool audit;
    const char *audit_file; /* NULL: standard error */
    struct fk_front_options front;
    struct fk_gateway_options gateway; /* its rules are those of writes too */
    struct fk_sweeper_options sweeper; /* never_used_ms is that of the rules */
};

struct fk_local_host;

/* Opens the store, recovers, listens. On errors diag tells what, and nothing is left behind: USAGE for an address that
 * does not parse, DAMAGED, VERSION, LOCKED, IO as they come. */
enum fk_err fk_local_host_new(const struct fk_local_host_options *options, struct fk_local_host **host,
                              struct fk_diag *diag);

/* The addresses it listens on, separated by ", ". */
const char *fk_local_host_addresses(const struct fk_local_host *host);

/* The admin port's, named, or "" where there is none. */
const char *fk_local_host_admin_addresses(const struct fk_local_host *host);

/* Serves until SIGTERM or SIGINT, or until idle_limit_ms are over. What is durable stays. */
void fk_local_host_run(struct fk_local_host *host);
void fk_local_host_free(struct fk_local_host *host);

#endif
