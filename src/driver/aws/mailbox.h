// SPDX-License-Identifier: Apache-2.0
/* The receiving ends of the channel, one for each gateway: a queue of its own (behind NAT, and wherever it runs), or a
 * listener (in one network with the functions). Each draws a key, without which nothing is taken (frame.h). */
#ifndef FK_DRIVER_AWS_MAILBOX_H
#define FK_DRIVER_AWS_MAILBOX_H

#include "driver/aws/deployment.h"
#include "port/channel.h"
#include "port/mailbox.h"

/* Creates the gateway's queue. It waits 20 s at most for a message, and is removed by fk_mailbox_leave; what a crash
 * leaves is collected by fk_sqs_collect_orphans. `aws` is borrowed, and used by the mailbox's thread. Errors are as of
 * fk_aws_call, NOMEM; diag says more. */
enum fk_err fk_sqs_mailbox_new(struct fk_aws *aws, const struct fk_deployment *deployment, int64_t gateway,
                               struct fk_random *random, struct fk_mailbox **mailbox, struct fk_diag *diag);

/* Listens on HOST:PORT, both in numbers, the address of IPv6 in brackets; port 0: a free one. `advertised` is what the
 * functions connect to, NULL: the same; its port may be 0 too. It takes FK_TCP_MAILBOX_CONNECTIONS connections and
 * drops the one that was silent for longest for another. USAGE: no address; LOCKED: in use; IO; NOMEM. */
enum fk_err fk_tcp_mailbox_new(const char *listen, const char *advertised, int64_t gateway, struct fk_random *random,
                               struct fk_mailbox **mailbox, struct fk_diag *diag);

enum {
    /* Sandboxes that run functions at once have one each. */
    FK_TCP_MAILBOX_CONNECTIONS = 64,
};

/* Deletes the queues of gateways that are not alive: those that `find` does not find, and that are older than
 * `older_than_ms`, so that a gateway that just starts keeps its own. find NULL: all of the deployment's queues,
 * whatever their age. At most 1,000 of them are looked at. *deleted, which may be NULL, says how many went. Used by the
 * heartbeat, and when a deployment is taken down. Errors are as of fk_aws_call. */
enum fk_err fk_sqs_collect_orphans(struct fk_aws *aws, const struct fk_deployment *deployment, struct fk_table *table,
                                   fk_address_fn find, struct fk_clock *clock, int64_t older_than_ms, size_t *deleted);

#endif
