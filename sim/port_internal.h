// SPDX-License-Identifier: Apache-2.0
/* What the wrappers of the ports share. */
#ifndef SIM_PORT_INTERNAL_H
#define SIM_PORT_INTERNAL_H

#include "sim/ports.h"

struct sim_mailbox {
    struct fk_list link;
    int64_t gateway;
    struct sim_process *process;
    sim_mail_fn call;
    void *context;
};

/* Services that are throttled or full as a whole. */
enum sim_service {
    SIM_SERVICE_TABLE,
    SIM_SERVICE_BLOB,
    SIM_SERVICE_QUEUE,
    SIM_SERVICE_CHANNEL,
    SIM_SERVICES,
};

struct sim_cloud {
    struct sim_world *world;
    struct sim_faults *faults;
    int64_t latency_ns;
    struct sim_process *process; /* the clock of the services */
    struct fk_table *table;
    struct fk_blobs *blobs;
    struct fk_queue *queues[SIM_QUEUES];
    sim_task_fn on_send[SIM_QUEUES];
    void *on_send_context[SIM_QUEUES];
    struct fk_list mailboxes;
    sim_commit_fn on_commit;
    void *on_commit_context;
    sim_message_fn on_message; /* NULL: nobody looks */
    void *on_message_context;
    sim_decorate_fn decorate; /* NULL: nothing stands between */
    sim_arrival_fn arrival;
    void *decorate_context;
    int64_t busy_until_ns[SIM_SERVICES];
    int64_t full_until_ns[SIM_SERVICES];
};

/* Kinds that make sense at every call, and at those that change something. */
#define SIM_KINDS_READ                                                                                                 \
    (SIM_FAULT_BIT(CRASH_BEFORE) | SIM_FAULT_BIT(CRASH_AFTER) | SIM_FAULT_BIT(BUSY) |                                  \
     SIM_FAULT_BIT(UNKNOWN_NOT_APPLIED) | SIM_FAULT_BIT(DELAY) | SIM_FAULT_BIT(ZOMBIE))
#define SIM_KINDS_WRITE (SIM_KINDS_READ | SIM_FAULT_BIT(UNKNOWN_APPLIED) | SIM_FAULT_BIT(UNKNOWN_LATER))

/* The first half of a call: time passes, and the fate is known. False: the call ends with *err, without an effect.
 * UNKNOWN_LATER is left to the caller, and what only concerns a channel. */
bool sim_call_begin(struct sim_ports *ports, enum sim_service service, enum sim_call call, uint64_t allowed,
                    struct sim_fault *fault, enum fk_err *err);
/* The second half, after the effect gave `err`: what the caller gets. */
enum fk_err sim_call_end(struct sim_ports *ports, const struct sim_fault *fault, enum fk_err err);
/* An effect that is still to come. */
int64_t sim_call_later_ns(const struct sim_ports *ports, const struct sim_fault *fault);

extern const struct fk_table_ops sim_table_ops;
extern const struct fk_blob_ops sim_blob_ops;
extern const struct fk_queue_ops sim_requests_ops;
extern const struct fk_queue_ops sim_distributor_ops;
extern const struct fk_channel_ops sim_channel_ops;

#endif
