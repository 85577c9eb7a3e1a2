// SPDX-License-Identifier: Apache-2.0
#include "sim/latency_scene.h"

#include "base/assert.h"
#include "function/distributor.h"
#include "function/pipeline.h"
#include "function/single_hop.h"
#include "sim/body.h"
#include "sim/ground.h"

enum {
    WARM_UP_MS = 3000,
    STEP_MS = 100,
    SWEEP_MS = 60000,
    SESSION_MS = 30000,
};

static struct sim_history history; /* nobody judges it */
static struct sim_coverage coverage;

static void start_functions(struct sim_scene *scene)
{
    struct sim_function_host_options function = {
        .cloud = scene->cloud,
        .queue = SIM_QUEUE_REQUESTS,
        .role = SIM_ROLE_FUNCTION,
        .options = &scene->cloud_options,
        .run = fk_single_hop_run,
    };
    const struct sim_bench_options *options = scene->options;
    if (options->pipeline) {
        function.queue = SIM_QUEUE_DISTRIBUTOR;
        function.role = SIM_ROLE_DISTRIBUTOR;
        function.run = fk_distributor_run;
        scene->distributor = sim_latency_host_new(scene->world, options->latency, &options->latencies, &function);
        function.queue = SIM_QUEUE_REQUESTS;
        function.role = SIM_ROLE_WRITER;
        function.run = fk_pipeline_writer_run;
    }
    scene->functions = sim_latency_host_new(scene->world, options->latency, &options->latencies, &function);
    (void)sim_sweep_host_new(scene->world, scene->cloud, &scene->cloud_options, fk_sweep_run, SWEEP_MS);
}

static void start_gateways(struct sim_scene *scene)
{
    struct sim_gateway_host_options host = {
        .net = scene->net,
        .cloud = scene->cloud,
        .history = &history,
        .options = scene->cloud_options,
        .session_timeout_min_ms = 4000,
        .session_timeout_max_ms = 40000,
        .restart_max_ms = 1000,
    };
    for (int i = 0; i < SIM_SCENE_GATEWAYS; i++) {
        host.port = i;
        scene->gateways[i] = sim_gateway_host_new(scene->world, &host);
    }
}

void sim_scene_open(struct sim_scene *scene, const struct sim_bench_options *options)
{
    static const struct sim_swarm no_faults = {0};
    struct sim_net_options net = {.latency_min_ns = 20000, .latency_max_ns = 60000}; /* the same machine */
    *scene = (struct sim_scene){.options = options, .cloud_options = fk_cloud_defaults()};
    scene->cloud_options.pipeline = options->pipeline;
    scene->cloud_options.rules.extended_types = true;
    sim_history_reset(&history);
    sim_ground_to(NULL);
    scene->world = sim_world_new(options->seed);
    scene->faults = sim_faults_new(scene->world, &no_faults, NULL, &coverage);
    scene->cloud = sim_cloud_new(scene->world, scene->faults, 0);
    sim_latency_attach(options->latency, &options->latencies, scene->world, scene->cloud);
    scene->net = sim_net_new(scene->world, &net);
    start_functions(scene);
    start_gateways(scene);
    scene->process = sim_process_new(scene->world, "clients");
    (void)sim_world_run(scene->world, WARM_UP_MS * SIM_MS);
}

void sim_scene_close(struct sim_scene *scene)
{
    sim_world_free(scene->world);
}

struct sim_client *sim_scene_client(struct sim_scene *scene)
{
    struct sim_client_options options = {
        .world = scene->world,
        .net = scene->net,
        .history = &history,
        .number = ++scene->clients,
        .ports = SIM_SCENE_GATEWAYS,
        .timeout_ms = SESSION_MS,
        .seed = scene->options->seed + scene->clients,
    };
    return sim_client_new(scene->process, &options);
}

void sim_scene_run(struct sim_scene *scene, sim_task_fn run, void *context, const bool *done)
{
    sim_spawn(scene->process, run, context);
    while (!*done && sim_world_run(scene->world, sim_now_ns(scene->world) + STEP_MS * SIM_MS)) {
    }
    FK_ASSERT(sim_violated(scene->world) == NULL);
}

int32_t sim_scene_ask(struct sim_client *client, int32_t op, struct fk_bytes body)
{
    struct sim_request *request = sim_client_send(client, op, body);
    bool answered = sim_request_wait(client, request, INT64_MAX);
    FK_ASSERT(answered && !request->lost);
    int32_t code = request->code;
    sim_request_done(request);
    return code;
}

void sim_scene_connect(struct sim_client *client, int port)
{
    sim_client_start(client, port);
    bool usable = sim_client_wait_usable(client, INT64_MAX);
    FK_ASSERT(usable);
}

void sim_scene_create(struct sim_client *client, const char *path, struct fk_bytes data)
{
    struct fk_buf body = FK_BUF_EMPTY;
    sim_body_create(&body, path, data, FK_ACL_OPEN, 0);
    int32_t code = sim_scene_ask(client, FK_OP_CREATE, fk_buf_view(&body));
    FK_ASSERT(code == FK_CODE_OK);
    fk_buf_deinit(&body);
}

void sim_scene_set(struct sim_client *client, const char *path, struct fk_bytes data)
{
    struct fk_buf body = FK_BUF_EMPTY;
    sim_body_set(&body, path, data, -1);
    int32_t code = sim_scene_ask(client, FK_OP_SET_DATA, fk_buf_view(&body));
    FK_ASSERT(code == FK_CODE_OK);
    fk_buf_deinit(&body);
}
