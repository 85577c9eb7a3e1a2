// SPDX-License-Identifier: Apache-2.0
#include "sim/latency_functions.h"

#include "sim/latency_scene.h"

enum {
    READ_STEPS = 1000,
};

static uint8_t zeros[250 * 1024];
static const size_t sizes[SIM_FUNCTION_SIZES] = {64, 1024, 4096, 65536, sizeof zeros};

struct functions {
    struct sim_scene scene;
    struct sim_client *client;
    struct sim_function_time *times;
    int samples;
    bool done;
};

static double mean_ms(const struct sim_scene *scene)
{
    struct sim_latency_host_counts sum = sim_latency_host_counts(scene->functions);
    if (scene->distributor != NULL) {
        struct sim_latency_host_counts more = sim_latency_host_counts(scene->distributor);
        sum.busy_ns += more.busy_ns;
        sum.invocations += more.invocations;
    }
    return (double)sum.busy_ns / (double)sum.invocations / (double)SIM_MS;
}

static void reset(struct sim_scene *scene)
{
    sim_latency_host_reset(scene->functions);
    if (scene->distributor != NULL) {
        sim_latency_host_reset(scene->distributor);
    }
}

static void run_sizes(void *context)
{
    struct functions *run = context;
    sim_scene_connect(run->client, 0);
    sim_scene_create(run->client, "/node", FK_BYTES_LITERAL(""));
    for (size_t i = 0; i < SIM_FUNCTION_SIZES; i++) {
        sim_sleep_ns(SIM_S); /* what came before is over */
        reset(&run->scene);
        for (int j = 0; j < run->samples; j++) {
            sim_scene_set(run->client, "/node", fk_bytes_of(zeros, sizes[i]));
            sim_sleep_ns(100 * SIM_MS); /* one at a time */
        }
        run->times[i] = (struct sim_function_time){.size = sizes[i], .mean_ms = mean_ms(&run->scene)};
    }
    run->done = true;
}

void sim_bench_functions(const struct sim_bench_options *options, struct sim_function_time times[SIM_FUNCTION_SIZES])
{
    struct functions run = {.times = times, .samples = options->samples};
    sim_scene_open(&run.scene, options);
    run.client = sim_scene_client(&run.scene);
    sim_scene_run(&run.scene, run_sizes, &run, &run.done);
    sim_scene_close(&run.scene);
}

double sim_bench_read_ms(const struct sim_bench_options *options)
{
    double sum = 0;
    for (int i = 0; i < READ_STEPS; i++) {
        sum += sim_latency_ms(options->latency, SIM_LATENCY_READ, 64, (i + 0.5) / READ_STEPS);
    }
    return sum / READ_STEPS;
}
