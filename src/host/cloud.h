// SPDX-License-Identifier: Apache-2.0
/* The host of a gateway of a cloud deployment: the loop that serves clients never blocks. Jobs run on threads with
 * ports of their own (workers.h), messages of the channel come in on another one, and both wake the loop.
 *
 * It keeps nothing: when it ends, clients go to another gateway with their sessions alive. */
#ifndef FK_HOST_CLOUD_H
#define FK_HOST_CLOUD_H

#include "gateway/cloud.h"
#include "host/front.h"
#include "host/workers.h"
#include "port/mailbox.h"

struct fk_cloud_host_options {
    struct fk_front_options front;
    struct fk_gateway_options gateway;
    struct fk_cloud_options cloud;
    struct fk_port_source source;
    const char *deployment; /* for the log */
    size_t threads;         /* for jobs; 0: FK_CLOUD_THREADS */
    /* Opens the receiving end of the gateway's channel; on the caller's thread, before anything is served. Errors with
     * diag. */
    enum fk_err (*open_mailbox)(void *context, int64_t gateway, struct fk_mailbox **mailbox, struct fk_diag *diag);
    /* What a gateway that lives has to see to besides its record, a schedule for instance: at the start and once an
     * hour, beside the loop, one at a time. Failures are logged. NULL: nothing. */
    enum fk_err (*keep)(void *context, struct fk_diag *diag);
    void *context; /* of both */
};

struct fk_cloud_host;

/* Opens the mailbox, takes the lease, listens. USAGE, IO, or what the ports say, with diag; nothing is left behind then
 * but a gateway's record, which a sweep collects. Strings of the options are borrowed. */
enum fk_err fk_cloud_host_new(const struct fk_cloud_host_options *options, struct fk_cloud_host **host,
                              struct fk_diag *diag);

const char *fk_cloud_host_addresses(const struct fk_cloud_host *host);
const char *fk_cloud_host_admin_addresses(const struct fk_cloud_host *host);

/* Serves until SIGTERM or SIGINT: then what is under way ends, connections close, and the gateway declares itself gone,
 * within FK_HAND_OVER_MS in all. OK then; REFUSED with diag where others have declared it dead. */
enum fk_err fk_cloud_host_run(struct fk_cloud_host *host, struct fk_diag *diag);
/* False where a call of a port does not end: then everything that it may use must be left alone, the process is about
 * to end. */
bool fk_cloud_host_free(struct fk_cloud_host *host);

#endif
