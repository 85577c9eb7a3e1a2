// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/assert.h"
#include "driver/memory/blob.h"
#include "driver/memory/queue.h"
#include "driver/memory/table.h"
#include "sim/port_internal.h"

/* --- the services --- */

static void observed(void *context, const struct fk_write *writes, size_t count, int64_t first_stamp)
{
    const struct sim_cloud *cloud = context;
    (void)first_stamp;
    if (cloud->on_commit != NULL) {
        cloud->on_commit(cloud->on_commit_context, writes, count);
    }
}

struct sim_cloud *sim_cloud_new(struct sim_world *world, struct sim_faults *faults, int64_t latency_ns_max)
{
    struct sim_process *before = sim_memory_of(NULL);
    struct sim_cloud *cloud = fk_alloc_zero(sizeof *cloud);
    FK_ASSERT(cloud != NULL);
    cloud->world = world;
    cloud->faults = faults;
    cloud->latency_ns = latency_ns_max;
    cloud->process = sim_process_new(world, "cloud");
    cloud->table = fk_memory_table_new();
    cloud->blobs = fk_memory_blobs_new();
    for (size_t i = 0; i < SIM_QUEUES; i++) {
        cloud->queues[i] = fk_memory_queue_new(sim_process_clock(cloud->process));
    }
    fk_list_init(&cloud->mailboxes);
    fk_memory_table_observe(cloud->table, observed, cloud);
    (void)sim_memory_of(before);
    return cloud;
}

void sim_cloud_on_commit(struct sim_cloud *cloud, sim_commit_fn call, void *context)
{
    cloud->on_commit = call;
    cloud->on_commit_context = context;
}

void sim_cloud_on_message(struct sim_cloud *cloud, sim_message_fn call, void *context)
{
    cloud->on_message = call;
    cloud->on_message_context = context;
}

void sim_cloud_decorate(struct sim_cloud *cloud, sim_decorate_fn decorate, sim_arrival_fn arrival, void *context)
{
    cloud->decorate = decorate;
    cloud->arrival = arrival;
    cloud->decorate_context = context;
}

void sim_cloud_on_send(struct sim_cloud *cloud, enum sim_queue queue, sim_task_fn call, void *context)
{
    cloud->on_send[queue] = call;
    cloud->on_send_context[queue] = context;
}

struct sim_faults *sim_cloud_faults(const struct sim_cloud *cloud)
{
    return cloud->faults;
}

struct fk_table *sim_cloud_table(struct sim_cloud *cloud)
{
    return cloud->table;
}

struct fk_blobs *sim_cloud_blobs(struct sim_cloud *cloud)
{
    return cloud->blobs;
}

struct fk_queue *sim_cloud_queue(struct sim_cloud *cloud, enum sim_queue queue)
{
    return cloud->queues[queue];
}

int64_t sim_cloud_queue_ms(const struct sim_cloud *cloud)
{
    return fk_clock_monotonic_ms(sim_process_clock(cloud->process));
}

/* --- a call --- */

/* Mostly evenly up to the bound, now and then four times as long. */
static int64_t latency_ns(struct sim_cloud *cloud)
{
    uint64_t word = sim_dice(cloud->world, SIM_DICE_SCHEDULE);
    int64_t bound = (word & 15) == 0 ? 4 * cloud->latency_ns : cloud->latency_ns;
    return (int64_t)((word >> 4) % ((uint64_t)bound + 1));
}

static void start_burst(struct sim_cloud *cloud, enum sim_service service, const struct sim_fault *fault)
{
    int64_t until = sim_now_ns(cloud->world) + fault->argument * SIM_MS;
    int64_t *end = fault->kind == SIM_FAULT_FULL ? &cloud->full_until_ns[service] : &cloud->busy_until_ns[service];
    *end = until > *end ? until : *end;
}

/* Part of a burst that another call began. */
static enum fk_err burst(const struct sim_cloud *cloud, enum sim_service service, uint64_t allowed)
{
    int64_t now = sim_now_ns(cloud->world);
    if (!sim_faults_enabled(cloud->faults)) {
        return FK_OK;
    }
    if ((allowed & SIM_FAULT_BIT(BUSY)) != 0 && now < cloud->busy_until_ns[service]) {
        return FK_ERR_BUSY;
    }
    return (allowed & SIM_FAULT_BIT(FULL)) != 0 && now < cloud->full_until_ns[service] ? FK_ERR_FULL : FK_OK;
}

/* The outcome of a call that has no effect because of its fault; OK: it has one. */
static enum fk_err refused(struct sim_cloud *cloud, enum sim_service service, const struct sim_fault *fault)
{
    if (fault->kind == SIM_FAULT_BUSY || fault->kind == SIM_FAULT_FULL) {
        start_burst(cloud, service, fault);
        return fault->kind == SIM_FAULT_FULL ? FK_ERR_FULL : FK_ERR_BUSY;
    }
    return fault->kind == SIM_FAULT_UNKNOWN_NOT_APPLIED ? FK_ERR_UNKNOWN : FK_OK;
}

bool sim_call_begin(struct sim_ports *ports, enum sim_service service, enum sim_call call, uint64_t allowed,
                    struct sim_fault *fault, enum fk_err *err)
{
    struct sim_cloud *cloud = ports->cloud;
    FK_ASSERT(sim_current() == ports->process);
    sim_sleep_ns(latency_ns(cloud));
    *fault = sim_fault_at(cloud->faults, ports->role, call, allowed);
    if (fault->kind == SIM_FAULT_CRASH_BEFORE) {
        sim_exit();
    }
    if (fault->kind == SIM_FAULT_DELAY || fault->kind == SIM_FAULT_ZOMBIE) {
        sim_sleep_ns(fault->argument * SIM_MS);
    }
    *err = refused(cloud, service, fault);
    if (*err == FK_OK) {
        *err = burst(cloud, service, allowed);
    }
    if (*err == FK_OK) {
        return true;
    }
    *err = sim_call_end(ports, fault, *err);
    return false;
}

enum fk_err sim_call_end(struct sim_ports *ports, const struct sim_fault *fault, enum fk_err err)
{
    struct sim_cloud *cloud = ports->cloud;
    if (fault->kind == SIM_FAULT_CRASH_AFTER) {
        sim_exit();
    }
    int64_t wait = latency_ns(cloud);
    if (fault->kind == SIM_FAULT_UNKNOWN_APPLIED || fault->kind == SIM_FAULT_UNKNOWN_LATER) {
        err = FK_ERR_UNKNOWN;
    }
    /* Nobody knows before some time has passed without an answer. */
    if (err == FK_ERR_UNKNOWN) {
        wait += (int64_t)sim_below(cloud->world, SIM_DICE_SCHEDULE, (uint64_t)SIM_S / 2);
    }
    sim_sleep_ns(wait);
    return err;
}

int64_t sim_call_later_ns(const struct sim_ports *ports, const struct sim_fault *fault)
{
    return sim_now_ns(ports->cloud->world) + fault->argument * SIM_MS;
}

void sim_ports_init(struct sim_ports *ports, struct sim_cloud *cloud, struct sim_process *process, enum sim_role role)
{
    *ports = (struct sim_ports){
        .table = {.ops = &sim_table_ops},
        .blobs = {.ops = &sim_blob_ops},
        .queues = {{.ops = &sim_requests_ops}, {.ops = &sim_distributor_ops}},
        .channel = {.ops = &sim_channel_ops},
        .cloud = cloud,
        .process = process,
        .role = role,
    };
    ports->ports = (struct fk_ports){
        .table = &ports->table,
        .blobs = &ports->blobs,
        .queue = &ports->queues[SIM_QUEUE_REQUESTS],
        .distributor = &ports->queues[SIM_QUEUE_DISTRIBUTOR],
        .channel = &ports->channel,
        .clock = sim_process_clock(process),
        .random = sim_process_random(process),
    };
    if (cloud->decorate != NULL) {
        cloud->decorate(cloud->decorate_context, ports);
    }
}
