// SPDX-License-Identifier: Apache-2.0
/* The services that all processes share (table, blobs, queues, channel: the memory drivers), and what each process sees
 * of them: every call takes virtual time before and after its effect and asks the fault plan for its fate. */
#ifndef SIM_PORTS_H
#define SIM_PORTS_H

#include "function/cloud.h"
#include "sim/fault.h"

struct sim_cloud;

/* Where a notified gateway takes its messages; called in no task, as the world. Gone gateways get nothing. */
typedef void (*sim_mail_fn)(void *context, struct fk_bytes message);

/* Sees each accepted write of the table, at its moment. */
typedef void (*sim_commit_fn)(void *context, const struct fk_write *writes, size_t count);

/* Sees each message at the moment when it is sent: to a group of a queue (QUEUE_SEND), to a gateway (CHANNEL_NOTIFY).
 */
typedef void (*sim_message_fn)(void *context, enum sim_call call, int64_t to, struct fk_bytes message);

struct sim_cloud *sim_cloud_new(struct sim_world *world, struct sim_faults *faults, int64_t latency_ns_max);
void sim_cloud_on_commit(struct sim_cloud *cloud, sim_commit_fn call, void *context);
void sim_cloud_on_message(struct sim_cloud *cloud, sim_message_fn call, void *context);
struct sim_ports;
/* Called with the ports of each process when they are made, to put something between it and its services: `ports.ports`
 * is what it will use. */
typedef void (*sim_decorate_fn)(void *context, struct sim_ports *ports);
/* When a message to a gateway arrives that is sent now. */
typedef int64_t (*sim_arrival_fn)(void *context, size_t size);
void sim_cloud_decorate(struct sim_cloud *cloud, sim_decorate_fn decorate, sim_arrival_fn arrival, void *context);
/* A gateway's mailbox under its id; closed with the process. */
void sim_cloud_mailbox(struct sim_cloud *cloud, int64_t gateway, struct sim_process *process, sim_mail_fn call,
                       void *context);
/* The queues behind the ports, for those who receive. */
enum sim_queue {
    SIM_QUEUE_REQUESTS,
    SIM_QUEUE_DISTRIBUTOR,
    SIM_QUEUES,
};
struct fk_queue *sim_cloud_queue(struct sim_cloud *cloud, enum sim_queue queue);
/* Their time, as fk_memory_queue_ready_ms tells it. */
int64_t sim_cloud_queue_ms(const struct sim_cloud *cloud);
/* Called, as the world, when something was sent. */
void sim_cloud_on_send(struct sim_cloud *cloud, enum sim_queue queue, sim_task_fn call, void *context);
struct sim_faults *sim_cloud_faults(const struct sim_cloud *cloud);
/* The driver itself: no time passes and nothing fails; for auditors and checkers. */
struct fk_table *sim_cloud_table(struct sim_cloud *cloud);
struct fk_blobs *sim_cloud_blobs(struct sim_cloud *cloud);

/* What a process sees. Memory of the owner of this struct, which outlives the process's tasks. */
struct sim_ports {
    struct fk_ports ports;
    struct fk_table table;
    struct fk_blobs blobs;
    struct fk_queue queues[SIM_QUEUES];
    struct fk_channel channel;
    struct sim_cloud *cloud;
    struct sim_process *process;
    enum sim_role role;
};

/* `process` must be alive; label the tasks that call (sim_label) for the names of their sites. */
void sim_ports_init(struct sim_ports *ports, struct sim_cloud *cloud, struct sim_process *process, enum sim_role role);

#endif
