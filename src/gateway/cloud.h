// SPDX-License-Identifier: Apache-2.0
/* The gateway of the cloud topologies (protocol.md section 1): the same core and the same outputs as gateway.h, with
 * the ports behind jobs instead of a store in the same process. Messages of the channel, answers and events, go to
 * fk_gateway_answer. Many gateways serve one tree; each process start is a new gateway with an id of its own. */
#ifndef FK_GATEWAY_CLOUD_H
#define FK_GATEWAY_CLOUD_H

#include "function/cloud.h"
#include "gateway/gateway.h"
#include "port/meter.h"

/* A gateway without sessions, with a random id. Clients that come before its first renewal is done wait for it. NULL
 * without memory. The ports are borrowed, the options copied (strings are borrowed). Call fk_gateway_tick at least as
 * often as fk_gateway_tick_ms says; fk_gateway_take_output gives nothing while the lease is over. */
struct fk_gateway *fk_cloud_gateway_new(const struct fk_gateway_options *options,
                                        const struct fk_cloud_options *cloud_options, struct fk_clock *clock,
                                        struct fk_random *random);

/* Its address in the channel, never 0. */
int64_t fk_cloud_gateway_id(const struct fk_gateway *gateway);

/* True where it was declared dead: it closes its connections, gives no more jobs and serves nobody. The host drops all
 * sockets and exits; a new process is a new gateway. */
bool fk_cloud_gateway_dead(const struct fk_gateway *gateway);

/* What its record says of the way to it, for those who send it messages: opaque to the core. Before the first job is
 * taken. False without memory. */
bool fk_cloud_gateway_set_address(struct fk_gateway *gateway, struct fk_bytes address);

/* It hands over: what is under way ends, connections close as soon as nothing is, nothing new begins; then it asks to
 * be declared dead, so that its sessions need not wait for its lease to run out. Clients come back elsewhere with their
 * sessions alive. */
void fk_cloud_gateway_leave(struct fk_gateway *gateway);
/* True once there is nothing more to do; then it counts as dead. */
bool fk_cloud_gateway_left(const struct fk_gateway *gateway);

/* The host gives up: from here on it is as if it was declared dead. Jobs that were taken and never run may be given
 * back then. */
void fk_cloud_gateway_end(struct fk_gateway *gateway);

/* In which order jobs are run where there are more of them than threads. There is one of FK_LANE_LEASE at a time, and
 * it must not wait behind others. */
enum fk_job_lane {
    FK_LANE_LEASE,  /* the renewal: without it nothing may be sent */
    FK_LANE_URGENT, /* others wait for it: events, answers, requests */
    FK_LANE_READ,
    FK_LANE_IDLE, /* sweeps */
    FK_LANES,
};
enum fk_job_lane fk_job_lane(const struct fk_job *job);

/* Of a job that was run: why it goes back to the core for another try. */
enum fk_err fk_job_error(const struct fk_job *job);

/* Runs a job that fk_gateway_take_job gave, before fk_gateway_job_done. Blocking code over the ports, in any thread: it
 * touches nothing but the job. It tries a few times what a port refuses, and waits for nobody. */
void fk_cloud_job_run(struct fk_job *job, const struct fk_cloud_options *options, const struct fk_ports *ports);

/* Of a job that was run, before fk_gateway_job_done: what it used, as meters around its ports say. */
void fk_job_set_used(struct fk_job *job, const struct fk_units *used);

/* Requests of receiving from the gateway's channel, and of deleting what came, since the last call of this: where they
 * are billed. */
void fk_cloud_gateway_received(struct fk_gateway *gateway, int64_t receives, int64_t deletes);

/* What the job does, one word. */
const char *fk_job_label(const struct fk_job *job);

/* Of the connection's session, for recording; 0 where there is none. The epoch changes with each attach. */
int64_t fk_conn_session_id(const struct fk_conn *conn);
int64_t fk_conn_epoch(const struct fk_conn *conn);

#endif
