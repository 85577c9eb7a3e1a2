// SPDX-License-Identifier: Apache-2.0
#include "sim/latency_host.h"

#include "base/assert.h"
#include "driver/memory/queue.h"
#include "sim/own.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    GROUPS_MAX = 256,
    VISIBILITY_MS = 600000,
    FAILED_MS = 10, /* a batch that was not done comes again after it */
};

struct sim_latency_host {
    struct sim_world *world;
    struct sim_function_host_options options;
    struct sim_latency_options latencies;
    const struct sim_latency *latency;
    struct fk_queue *queue;
    int64_t served[GROUPS_MAX]; /* groups that are waited for, or at work */
    size_t served_count;
    struct sim_latency_host_counts counts;
    uint64_t number;
};

/* One batch, from its trigger until its messages are deleted. */
struct batch {
    struct sim_latency_host *host;
    struct sim_process *process;
    struct sim_ports ports;
    struct fk_arena arena;
    struct fk_delivery deliveries[FK_QUEUE_BATCH_MAX];
    struct fk_bytes messages[FK_QUEUE_BATCH_MAX];
    size_t count;
    size_t done;
    int64_t group;
    int64_t served_ns; /* a message could be had */
    int64_t started_ns;
    double u; /* of the trigger */
};

static void look(void *context);

static void run(void *context)
{
    struct batch *batch = context;
    const struct sim_function_host_options *options = &batch->host->options;
    sim_sleep_ns(sim_latency_ns(batch->host->latencies.function_ms));
    (void)options->run(options->options, &batch->ports.ports, batch->messages, batch->count, &batch->done);
}

static void end_process(void *context)
{
    sim_process_end(context);
}

static void run_and_end(void *context)
{
    struct batch *batch = context;
    run(batch);
    sim_at(batch->host->world, NULL, sim_now_ns(batch->host->world), end_process, batch->process);
}

/* The group is free for the next batch. */
static void deleted(void *context)
{
    struct batch *batch = context;
    struct sim_latency_host *host = batch->host;
    for (size_t i = 0; i < batch->count; i++) {
        if (i < batch->done) {
            (void)fk_memory_queue_delete(host->queue, batch->deliveries[i].receipt);
        } else {
            (void)fk_memory_queue_hide(host->queue, batch->deliveries[i].receipt, FAILED_MS);
            sim_at(host->world, NULL, sim_now_ns(host->world) + (FAILED_MS + 1) * SIM_MS, look, host);
        }
    }
    for (size_t i = 0; i < host->served_count; i++) {
        if (host->served[i] == batch->group) {
            host->served[i] = host->served[--host->served_count];
            break;
        }
    }
    fk_arena_deinit(&batch->arena);
    sim_own_free(batch);
    look(host);
}

static void ended(void *context)
{
    struct batch *batch = context;
    struct sim_latency_host *host = batch->host;
    int64_t now = sim_now_ns(host->world);
    host->counts.busy_ns += now - batch->started_ns;
    host->counts.invocations++;
    host->counts.messages += batch->done;
    sim_at(host->world, NULL, now + sim_latency_draw(host->latency, host->world, SIM_LATENCY_PUSH, 0), deleted, batch);
}

static void invoke(void *context)
{
    struct batch *batch = context;
    struct sim_latency_host *host = batch->host;
    char name[40];
    (void)snprintf(name, sizeof name, "invocation/%" PRIu64, ++host->number);
    batch->process = sim_process_new(host->world, name);
    batch->started_ns = sim_now_ns(host->world);
    host->counts.hop_ns += batch->started_ns - batch->served_ns;
    sim_ports_init(&batch->ports, host->options.cloud, batch->process, host->options.role);
    sim_process_at_end(batch->process, ended, batch);
    sim_spawn(batch->process, run_and_end, batch);
}

/* The poller has its messages; they are given to the function. What comes later waits for the next batch. */
static void receive(void *context)
{
    struct batch *batch = context;
    struct sim_latency_host *host = batch->host;
    size_t size = 0;
    enum fk_err err =
        fk_memory_queue_receive(host->queue, batch->group, sim_latency_batch(&host->latencies, host->world),
                                VISIBILITY_MS, &batch->arena, batch->deliveries, &batch->count);
    FK_ASSERT(err == FK_OK && batch->count > 0);
    for (size_t i = 0; i < batch->count; i++) {
        batch->messages[i] = batch->deliveries[i].body;
        size += batch->messages[i].size;
    }
    double all_ms = sim_latency_ms(host->latency, SIM_LATENCY_TRIGGER, size, batch->u);
    double gone_ms = sim_latency_ms(host->latency, SIM_LATENCY_TRIGGER, 0, batch->u) / 2;
    int64_t left = sim_latency_ns(all_ms > gone_ms ? all_ms - gone_ms : 0);
    sim_at(host->world, NULL, sim_now_ns(host->world) + left, invoke, batch);
}

static void serve(struct sim_latency_host *host, int64_t group)
{
    struct batch *batch = SIM_OWN_NEW(struct batch);
    batch->host = host;
    batch->group = group;
    batch->served_ns = sim_now_ns(host->world);
    batch->u = sim_latency_dice(host->world);
    host->served[host->served_count++] = group;
    int64_t half = sim_latency_ns(sim_latency_ms(host->latency, SIM_LATENCY_TRIGGER, 0, batch->u) / 2);
    sim_at(host->world, NULL, sim_now_ns(host->world) + half, receive, batch);
}

static bool is_served(const struct sim_latency_host *host, int64_t group)
{
    for (size_t i = 0; i < host->served_count; i++) {
        if (host->served[i] == group) {
            return true;
        }
    }
    return false;
}

/* Groups that have messages and no batch on its way. */
static void look(void *context)
{
    struct sim_latency_host *host = context;
    int64_t groups[GROUPS_MAX];
    size_t count = fk_memory_queue_ready(host->queue, groups, GROUPS_MAX);
    for (size_t i = 0; i < count && i < GROUPS_MAX && host->served_count < GROUPS_MAX; i++) {
        if (!is_served(host, groups[i])) {
            serve(host, groups[i]);
        }
    }
}

struct sim_latency_host *sim_latency_host_new(struct sim_world *world, const struct sim_latency *latency,
                                              const struct sim_latency_options *latencies,
                                              const struct sim_function_host_options *options)
{
    struct sim_latency_host *host = SIM_OWN_NEW(struct sim_latency_host);
    host->world = world;
    host->latency = latency;
    host->latencies = *latencies;
    host->options = *options;
    host->queue = sim_cloud_queue(options->cloud, options->queue);
    sim_cloud_on_send(options->cloud, options->queue, look, host);
    return host;
}

struct sim_latency_host_counts sim_latency_host_counts(const struct sim_latency_host *host)
{
    return host->counts;
}

void sim_latency_host_reset(struct sim_latency_host *host)
{
    host->counts = (struct sim_latency_host_counts){0};
}
