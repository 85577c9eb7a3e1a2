// SPDX-License-Identifier: Apache-2.0
/* A cloud in the memory of one process, for tests of the gateway's host: the memory drivers under one lock, threads
 * that take messages from the queues and run the functions over them, one with the heartbeat on its schedule,
 * mailboxes. Every thread gets ports of its own. */
#ifndef TESTS_SUPPORT_MEMORY_CLOUD_H
#define TESTS_SUPPORT_MEMORY_CLOUD_H

#include "function/cloud.h"
#include "host/workers.h"
#include "port/mailbox.h"

struct memory_cloud;

/* Starts the functions' threads. Each call of a port takes at least `delay_ms`. */
struct memory_cloud *memory_cloud_new(const struct fk_cloud_options *options, int64_t delay_ms);
/* Ends them; all ports and mailboxes are closed. */
void memory_cloud_free(struct memory_cloud *cloud);

/* Its context is the cloud. */
struct fk_port_source memory_cloud_source(struct memory_cloud *cloud);
enum fk_err memory_cloud_mailbox(void *context, int64_t gateway, struct fk_mailbox **mailbox, struct fk_diag *diag);

/* From here on calls fail with BUSY, until it is called with false. */
void memory_cloud_break(struct memory_cloud *cloud, bool broken);

#endif
