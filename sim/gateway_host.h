// SPDX-License-Identifier: Apache-2.0
/* Runs the production gateway core as a process of the simulation: bytes from the network, messages from the channel,
 * ticks, jobs in tasks of their own. When its process dies, by a fault or because it was declared dead, the network
 * learns of it and another gateway (with another id) starts at the same port some time later. */
#ifndef SIM_GATEWAY_HOST_H
#define SIM_GATEWAY_HOST_H

#include "function/cloud.h"
#include "sim/history.h"
#include "sim/net.h"
#include "sim/ports.h"

struct sim_gateway_host;

struct sim_gateway_host_options {
    struct sim_net *net;
    struct sim_cloud *cloud;
    struct sim_history *history; /* learns the epochs of connections */
    struct fk_cloud_options options;
    int port;
    int32_t session_timeout_min_ms;
    int32_t session_timeout_max_ms;
    int64_t restart_max_ms; /* it is back within this time */
};

struct sim_gateway_host *sim_gateway_host_new(struct sim_world *world, const struct sim_gateway_host_options *options);
/* Kills its process now (F13). Not from a task of it. `silent`: its machine is gone, clients hear nothing. */
void sim_gateway_host_crash(struct sim_gateway_host *host, bool silent);
/* What a line of a scenario does to it: "crash", "vanish" (its machine too), "suspend" (it stands still for
 * `ms`), "retire" (it hands over and ends). */
void sim_gateway_host_do(struct sim_gateway_host *host, const char *verb, int64_t ms);
/* The faults are over: a gateway that is down comes back at once, and later ones too. */
void sim_gateway_host_heal(struct sim_gateway_host *host);
/* Of the gateway that runs now; 0: none. */
int64_t sim_gateway_host_id(const struct sim_gateway_host *host);
struct sim_process *sim_gateway_host_process(const struct sim_gateway_host *host);
/* How often it was started. */
int sim_gateway_host_starts(const struct sim_gateway_host *host);
/* Its process ends and stays away. */
void sim_gateway_host_free(struct sim_gateway_host *host);

#endif
