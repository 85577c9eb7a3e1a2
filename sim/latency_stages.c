// SPDX-License-Identifier: Apache-2.0
/* What the time of a write goes to. The decorators of latency_ports.c add up how long calls of each kind take, the
 * hosts how long a message waits for its function; here the sums before an operation and at its reply are compared.
 * What a function does after it has answered is in neither, nor what the pipeline's writer does beside the distributor.
 */
#include "base/assert.h"
#include "sim/body.h"
#include "sim/latency_samples.h"
#include "sim/latency_scene.h"

enum {
    DATA_MAX = 256000,
    PAUSE_MS = 200, /* until everything is over that an operation caused */
    HOPS = 2,
};

static uint8_t zeros[DATA_MAX];

struct measure {
    struct sim_scene scene;
    struct sim_client *client;
    size_t size;
    struct sim_bench_stages *set;
    struct sim_bench_stages *get;
    struct sim_samples all;
    struct sim_samples stages[SIM_STAGES];
    struct sim_samples hops[HOPS];
    bool done;
};

struct moment {
    int64_t at_ns;
    struct sim_latency_counts counts;
    struct sim_latency_host_counts hosts[HOPS];
};

static struct moment moment(const struct measure *run)
{
    struct moment now = {
        .at_ns = sim_now_ns(run->scene.world),
        .counts = sim_latency_counts(run->scene.options->latency),
        .hosts = {sim_latency_host_counts(run->scene.functions)},
    };
    if (run->scene.distributor != NULL) {
        now.hosts[1] = sim_latency_host_counts(run->scene.distributor);
    }
    return now;
}

static void ask_once(struct measure *run, int32_t op, struct fk_buf *body)
{
    struct moment before = moment(run);
    int32_t code = sim_scene_ask(run->client, op, fk_buf_view(body));
    struct moment after = moment(run);
    FK_ASSERT(code == FK_CODE_OK);
    sim_samples_take(&run->all, after.at_ns - before.at_ns);
    for (size_t i = 0; i < SIM_STAGES; i++) {
        sim_samples_take(&run->stages[i], after.counts.stage_ns[i] - before.counts.stage_ns[i]);
    }
    for (size_t i = 0; i < HOPS; i++) {
        sim_samples_take(&run->hops[i], after.hosts[i].hop_ns - before.hosts[i].hop_ns);
    }
    sim_sleep_ns(PAUSE_MS * SIM_MS);
}

static double p50_of(struct sim_samples *samples)
{
    double p50 = sim_samples_percentile(samples, 0.5);
    samples->count = 0;
    return p50;
}

static void measure_one(struct measure *run, bool write, struct sim_bench_stages *result)
{
    struct fk_buf body = FK_BUF_EMPTY;
    for (int i = 0; i < run->scene.options->samples; i++) {
        fk_buf_clear(&body);
        if (write) {
            sim_body_set(&body, "/node", fk_bytes_of(zeros, run->size), -1);
        } else {
            sim_body_read(&body, "/node", false);
        }
        ask_once(run, write ? FK_OP_SET_DATA : FK_OP_GET_DATA, &body);
    }
    sim_samples_row(&run->all, write ? "setData" : "getData", &result->latency);
    for (size_t i = 0; i < SIM_STAGES; i++) {
        result->stages[i] = p50_of(&run->stages[i]);
    }
    result->hop = p50_of(&run->hops[0]);
    result->hop_second = p50_of(&run->hops[1]);
    fk_buf_deinit(&body);
}

static void run_measure(void *context)
{
    struct measure *run = context;
    sim_scene_connect(run->client, 0);
    sim_scene_create(run->client, "/node", FK_BYTES_LITERAL(""));
    sim_scene_set(run->client, "/node", fk_bytes_of(zeros, run->size));
    sim_sleep_ns(PAUSE_MS * SIM_MS);
    measure_one(run, true, run->set);
    measure_one(run, false, run->get);
    run->done = true;
}

void sim_bench_stages(const struct sim_bench_options *options, size_t size, struct sim_bench_stages *set,
                      struct sim_bench_stages *get)
{
    struct measure run = {.size = size, .set = set, .get = get};
    FK_ASSERT(size <= DATA_MAX);
    sim_scene_open(&run.scene, options);
    run.all = sim_samples_new();
    for (size_t i = 0; i < SIM_STAGES; i++) {
        run.stages[i] = sim_samples_new();
    }
    for (size_t i = 0; i < HOPS; i++) {
        run.hops[i] = sim_samples_new();
    }
    run.client = sim_scene_client(&run.scene);
    sim_scene_run(&run.scene, run_measure, &run, &run.done);
    sim_scene_close(&run.scene);
}
