// SPDX-License-Identifier: Apache-2.0
/* A world with gateways and functions on services that take their time: what latency_bench.c measures in. */
#ifndef SIM_LATENCY_SCENE_H
#define SIM_LATENCY_SCENE_H

#include "sim/client.h"
#include "sim/gateway_host.h"
#include "sim/latency_bench.h"
#include "sim/latency_host.h"

enum {
    SIM_SCENE_GATEWAYS = 4,
};

struct sim_scene {
    const struct sim_bench_options *options;
    struct sim_world *world;
    struct sim_faults *faults;
    struct sim_cloud *cloud;
    struct sim_net *net;
    struct fk_cloud_options cloud_options;
    struct sim_gateway_host *gateways[SIM_SCENE_GATEWAYS];
    struct sim_latency_host *functions; /* on the queue of requests */
    struct sim_latency_host *distributor;
    struct sim_process *process; /* of the clients */
    uint32_t clients;
};

/* Ready to be connected to. */
void sim_scene_open(struct sim_scene *scene, const struct sim_bench_options *options);
void sim_scene_close(struct sim_scene *scene);
/* Not connected yet; gateways are ports 0 to SIM_SCENE_GATEWAYS - 1. */
struct sim_client *sim_scene_client(struct sim_scene *scene);
/* Runs a task to its end (it sets *done), in the clients' process. */
void sim_scene_run(struct sim_scene *scene, sim_task_fn run, void *context, const bool *done);

/* In tasks: sends and waits; the code of the reply. A lost connection ends the program: nothing fails here. */
int32_t sim_scene_ask(struct sim_client *client, int32_t op, struct fk_bytes body);
void sim_scene_connect(struct sim_client *client, int port);
void sim_scene_create(struct sim_client *client, const char *path, struct fk_bytes data);
void sim_scene_set(struct sim_client *client, const char *path, struct fk_bytes data);

#endif
