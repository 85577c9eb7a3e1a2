// SPDX-License-Identifier: Apache-2.0
#include "sim/latency_bench.h"

#include "base/assert.h"
#include "sim/body.h"
#include "sim/latency_samples.h"
#include "sim/latency_scene.h"
#include "sim/own.h"

#include <stdio.h>

enum {
    SESSIONS_MAX = 256,
    DEPTH_MAX = 16,
    LOAD_WARM_MS = 5000,
    LOAD_MS = 20000,
    QUEUE_MS = 200000,
    CHILDREN = 1000,
    SIZE_MAX_KB = 250,
};

static uint8_t zeros[SIZE_MAX_KB * 1024];

/* --- one operation after the other --- */

struct operations {
    struct sim_scene scene;
    struct sim_bench_result *result;
    struct sim_samples samples;
    struct sim_client *client;
    struct sim_client *watcher;
    int samples_wanted;
    bool done;
};

static int64_t now(const struct operations *run)
{
    return sim_now_ns(run->scene.world);
}

static void row(struct operations *run, const char *name)
{
    FK_ASSERT(run->result->count < SIM_BENCH_ROWS_MAX);
    sim_samples_row(&run->samples, name, &run->result->rows[run->result->count++]);
}

/* Sends one request and takes its time. */
static void timed(struct operations *run, int32_t op, struct fk_buf *body)
{
    int64_t start = now(run);
    int32_t code = sim_scene_ask(run->client, op, fk_buf_view(body));
    FK_ASSERT(code == FK_CODE_OK);
    sim_samples_take(&run->samples, now(run) - start);
    fk_buf_clear(body);
    sim_sleep_ns(5 * SIM_MS); /* one at a time: no batch of the queue holds two */
}

static const struct {
    const char *name;
    size_t size;
} sizes[] = {{"64 B", 64}, {"1 kB", 1024}, {"4 kB", 4096}, {"64 kB", 65536}, {"250 kB", sizeof zeros}};

static void measure_sizes(struct operations *run)
{
    struct fk_buf body = FK_BUF_EMPTY;
    char name[40];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int j = 0; j < run->samples_wanted; j++) {
            sim_body_set(&body, "/node", fk_bytes_of(zeros, sizes[i].size), -1);
            timed(run, FK_OP_SET_DATA, &body);
        }
        (void)snprintf(name, sizeof name, "setData %s", sizes[i].name);
        row(run, name);
        for (int j = 0; j < run->samples_wanted; j++) {
            sim_body_read(&body, "/node", false);
            timed(run, FK_OP_GET_DATA, &body);
        }
        (void)snprintf(name, sizeof name, "getData %s", sizes[i].name);
        row(run, name);
    }
    fk_buf_deinit(&body);
}

static void measure_nodes(struct operations *run)
{
    struct fk_buf body = FK_BUF_EMPTY;
    for (int i = 0; i < run->samples_wanted; i++) {
        sim_body_create(&body, "/parent/new", fk_bytes_of(zeros, 64), FK_ACL_OPEN, 0);
        timed(run, FK_OP_CREATE, &body);
        sim_body_version(&body, "/parent/new", -1);
        int32_t code = sim_scene_ask(run->client, FK_OP_DELETE, fk_buf_view(&body));
        FK_ASSERT(code == FK_CODE_OK);
        fk_buf_clear(&body);
    }
    row(run, "create 64 B");
    for (int i = 0; i < run->samples_wanted; i++) {
        sim_scene_create(run->client, "/parent/new", fk_bytes_of(zeros, 64));
        sim_body_version(&body, "/parent/new", -1);
        timed(run, FK_OP_DELETE, &body);
    }
    row(run, "delete");
    for (int i = 0; i < run->samples_wanted; i++) {
        for (int j = 0; j < 5; j++) {
            char path[32];
            (void)snprintf(path, sizeof path, "/parent/%04d", j);
            sim_body_multi_next(&body, FK_OP_SET_DATA);
            sim_body_set(&body, path, fk_bytes_of(zeros, 64), -1);
        }
        sim_body_multi_end(&body);
        timed(run, FK_OP_MULTI, &body);
    }
    row(run, "multi of 5 setData");
    fk_buf_deinit(&body);
}

static void measure_reads(struct operations *run)
{
    struct fk_buf body = FK_BUF_EMPTY;
    for (int i = 0; i < run->samples_wanted; i++) {
        sim_body_read(&body, "/small", false);
        timed(run, FK_OP_GET_CHILDREN, &body);
    }
    row(run, "getChildren of 10");
    for (int i = 0; i < run->samples_wanted; i++) {
        sim_body_read(&body, "/parent", false);
        timed(run, FK_OP_GET_CHILDREN, &body);
    }
    row(run, "getChildren of 1 000");
    for (int i = 0; i < run->samples_wanted; i++) {
        sim_body_read(&body, "/small", false);
        timed(run, FK_OP_EXISTS, &body);
    }
    row(run, "exists");
    for (int i = 0; i < run->samples_wanted; i++) {
        sim_body_path(&body, "/small");
        timed(run, FK_OP_SYNC, &body);
    }
    row(run, "sync");
    fk_buf_deinit(&body);
}

/* From the setData of one client until the event is at another one, of another gateway. */
static void measure_watches(struct operations *run)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct sim_samples answers = sim_samples_new();
    struct sim_samples events = sim_samples_new();
    for (int i = 0; i < run->samples_wanted; i++) {
        sim_body_read(&body, "/watched", true);
        int64_t before = now(run);
        int32_t code = sim_scene_ask(run->watcher, FK_OP_GET_DATA, fk_buf_view(&body));
        FK_ASSERT(code == FK_CODE_OK);
        sim_samples_take(&run->samples, now(run) - before);
        fk_buf_clear(&body);
        uint64_t heard = sim_client_events(run->watcher);
        int64_t start = now(run);
        sim_scene_set(run->client, "/watched", fk_bytes_of(zeros, 64));
        sim_samples_take(&answers, now(run) - start);
        while (sim_client_events(run->watcher) == heard) {
            (void)sim_wait(sim_client_signal(run->watcher), INT64_MAX);
        }
        sim_samples_take(&events, now(run) - start);
    }
    row(run, "getData 64 B with a watch");
    sim_samples_row(&answers, "setData 64 B of a watched node", &run->result->rows[run->result->count++]);
    sim_samples_row(&events, "setData until another's watch", &run->result->rows[run->result->count++]);
    sim_own_free(answers.ns);
    sim_own_free(events.ns);
    fk_buf_deinit(&body);
}

static void measure_sessions(struct operations *run)
{
    struct sim_client *client = sim_scene_client(&run->scene);
    for (int i = 0; i < run->samples_wanted; i++) {
        int64_t start = now(run);
        sim_scene_connect(client, 0);
        sim_samples_take(&run->samples, now(run) - start);
        (void)sim_scene_ask(client, FK_OP_CLOSE_SESSION, FK_BYTES_NULL);
        sim_client_forget(client);
        sim_sleep_ns(5 * SIM_MS);
    }
    row(run, "new session");
}

static void run_operations(void *context)
{
    struct operations *run = context;
    char path[32];
    sim_scene_connect(run->client, 0);
    sim_scene_connect(run->watcher, 1);
    sim_scene_create(run->client, "/node", FK_BYTES_LITERAL(""));
    sim_scene_create(run->client, "/watched", FK_BYTES_LITERAL(""));
    sim_scene_create(run->client, "/parent", FK_BYTES_LITERAL(""));
    sim_scene_create(run->client, "/small", FK_BYTES_LITERAL(""));
    for (int i = 0; i < CHILDREN; i++) {
        (void)snprintf(path, sizeof path, "/parent/%04d", i);
        sim_scene_create(run->client, path, FK_BYTES_LITERAL(""));
    }
    for (int i = 0; i < 10; i++) {
        (void)snprintf(path, sizeof path, "/small/%04d", i);
        sim_scene_create(run->client, path, FK_BYTES_LITERAL(""));
    }
    measure_sizes(run);
    measure_nodes(run);
    measure_reads(run);
    measure_sessions(run);
    measure_watches(run);
    run->done = true;
}

void sim_bench_operations(const struct sim_bench_options *options, struct sim_bench_result *result)
{
    struct operations run = {.result = result, .samples_wanted = options->samples};
    *result = (struct sim_bench_result){.count = 0};
    sim_scene_open(&run.scene, options);
    run.samples = sim_samples_new();
    run.client = sim_scene_client(&run.scene);
    run.watcher = sim_scene_client(&run.scene);
    sim_scene_run(&run.scene, run_operations, &run, &run.done);
    sim_scene_close(&run.scene);
}

/* --- many at once --- */

struct load {
    struct sim_scene scene;
    struct sim_bench_load *load;
    struct sim_samples samples;
    struct sim_client *clients[SESSIONS_MAX];
    int next;
    int ready;
    int64_t from_ns;
    int64_t until_ns;
    int finished;
    bool done;
};

struct sent {
    struct sim_request *request;
    int64_t at_ns;
};

static struct sent send_one(struct sim_client *client, const char *path, int64_t at_ns)
{
    struct fk_buf body = FK_BUF_EMPTY;
    sim_body_set(&body, path, fk_bytes_of(zeros, 64), -1);
    struct sent sent = {.request = sim_client_send(client, FK_OP_SET_DATA, fk_buf_view(&body)), .at_ns = at_ns};
    fk_buf_deinit(&body);
    return sent;
}

static void run_session(void *context)
{
    struct load *run = context;
    int number = run->next++;
    struct sim_client *client = run->clients[number];
    struct sent sent[DEPTH_MAX];
    int depth = run->load->depth;
    char path[32];
    (void)snprintf(path, sizeof path, "/n%d", number);
    sim_scene_connect(client, number % SIM_SCENE_GATEWAYS);
    sim_scene_create(client, path, FK_BYTES_LITERAL(""));
    run->ready++;
    for (int i = 0; i < depth; i++) {
        sent[i] = send_one(client, path, sim_now_ns(run->scene.world));
    }
    for (int i = 0; sim_now_ns(run->scene.world) < run->until_ns; i = (i + 1) % depth) {
        bool answered = sim_request_wait(client, sent[i].request, INT64_MAX);
        int64_t at = sim_now_ns(run->scene.world);
        FK_ASSERT(answered && sent[i].request->code == FK_CODE_OK);
        if (at >= run->from_ns && at < run->until_ns) {
            sim_samples_take(&run->samples, at - sent[i].at_ns);
        }
        sim_request_done(sent[i].request);
        sent[i] = send_one(client, path, at);
    }
    run->done = ++run->finished == run->load->sessions;
}

static struct sim_latency_host *last_function(const struct load *run)
{
    return run->scene.distributor != NULL ? run->scene.distributor : run->scene.functions;
}

static void conclude(struct load *run, const struct sim_latency_counts *before)
{
    struct sim_bench_load *load = run->load;
    struct sim_latency_counts counts = sim_latency_counts(run->scene.options->latency);
    struct sim_latency_host_counts last = sim_latency_host_counts(last_function(run));
    struct sim_latency_host_counts first = sim_latency_host_counts(run->scene.functions);
    double seconds = LOAD_MS / 1000.0;
    load->writes = (double)run->samples.count / seconds;
    load->messages = (double)first.messages / seconds;
    load->per_message = load->writes / load->messages;
    load->per_batch = (double)last.messages / (double)last.invocations;
    load->invocation_ms = (double)last.busy_ns / (double)last.invocations / (double)SIM_MS;
    load->busy = (double)last.busy_ns / (double)SIM_S / seconds;
    load->units = (double)(counts.write_units - before->write_units) / seconds;
    load->waits = (double)(counts.waited_ns - before->waited_ns) / (double)SIM_S / seconds;
    sim_samples_row(&run->samples, "setData 64 B", &load->latency);
}

void sim_bench_load(const struct sim_bench_options *options, struct sim_bench_load *load)
{
    struct load run = {.load = load};
    FK_ASSERT(load->sessions <= SESSIONS_MAX && load->depth <= DEPTH_MAX);
    sim_scene_open(&run.scene, options);
    run.samples = sim_samples_new();
    run.from_ns = run.until_ns = INT64_MAX;
    for (int i = 0; i < load->sessions; i++) {
        run.clients[i] = sim_scene_client(&run.scene);
        sim_spawn(run.scene.process, run_session, &run);
    }
    while (run.ready < load->sessions && sim_world_run(run.scene.world, sim_now_ns(run.scene.world) + SIM_S)) {
    }
    int64_t start = sim_now_ns(run.scene.world) + LOAD_WARM_MS * SIM_MS;
    (void)sim_world_run(run.scene.world, start);
    struct sim_latency_counts before = sim_latency_counts(options->latency);
    sim_latency_host_reset(run.scene.functions);
    sim_latency_host_reset(last_function(&run));
    run.from_ns = start;
    run.until_ns = start + LOAD_MS * SIM_MS;
    (void)sim_world_run(run.scene.world, run.until_ns);
    conclude(&run, &before);
    FK_ASSERT(sim_violated(run.scene.world) == NULL);
    sim_scene_close(&run.scene);
}

/* --- what the model says of others --- */

static enum fk_err nothing(const struct fk_cloud_options *options, const struct fk_ports *ports,
                           const struct fk_bytes *messages, size_t count, size_t *done)
{
    (void)options;
    (void)ports;
    (void)messages;
    *done = count;
    return FK_OK;
}

struct offer {
    struct sim_ports ports;
    int64_t sent;
};

/* Every 5 ms one, whatever becomes of it. */
static void offer(void *context)
{
    struct offer *offered = context;
    for (;;) {
        (void)!fk_queue_send(&offered->ports.queues[SIM_QUEUE_REQUESTS], 0, ++offered->sent, fk_bytes_of(zeros, 64));
        sim_sleep_ns(5 * SIM_MS);
    }
}

double sim_bench_queue(const struct sim_bench_options *options)
{
    static const struct sim_swarm no_faults = {0};
    static struct sim_coverage coverage;
    struct offer offered = {.sent = 0};
    struct sim_world *world = sim_world_new(options->seed);
    struct sim_cloud *cloud = sim_cloud_new(world, sim_faults_new(world, &no_faults, NULL, &coverage), 0);
    struct sim_function_host_options function = {
        .cloud = cloud, .queue = SIM_QUEUE_REQUESTS, .role = SIM_ROLE_FUNCTION, .run = nothing};
    sim_latency_attach(options->latency, &options->latencies, world, cloud);
    struct sim_latency_host *host = sim_latency_host_new(world, options->latency, &options->latencies, &function);
    struct sim_process *sender = sim_process_new(world, "sender");
    sim_ports_init(&offered.ports, cloud, sender, SIM_ROLE_CLIENT);
    sim_spawn(sender, offer, &offered);
    (void)sim_world_run(world, QUEUE_MS * SIM_MS);
    double rate = (double)sim_latency_host_counts(host).messages / (QUEUE_MS / 1000.0);
    sim_world_free(world);
    return rate;
}

static double stage(const struct sim_bench_options *options, struct sim_world *world, enum sim_latency_kind kind,
                    size_t size)
{
    return sim_latency_ms(options->latency, kind, size, sim_latency_dice(world));
}

void sim_bench_prototype(const struct sim_bench_options *options, size_t size, struct sim_bench_row *row_made)
{
    struct sim_world *world = sim_world_new(options->seed);
    struct sim_samples samples = sim_samples_new();
    for (int i = 0; i < 10000; i++) {
        double ms = stage(options, world, SIM_LATENCY_PUSH, size) + stage(options, world, SIM_LATENCY_TRIGGER, size) +
                    stage(options, world, SIM_LATENCY_LOCK, size) + stage(options, world, SIM_LATENCY_PUSH, size) +
                    stage(options, world, SIM_LATENCY_TRIGGER, size) + stage(options, world, SIM_LATENCY_LEADER, size);
        sim_samples_take(&samples, sim_latency_ns(ms));
    }
    sim_samples_row(&samples, "the prototype", row_made);
    sim_world_free(world);
}
