// SPDX-License-Identifier: Apache-2.0
#include "cost/workload.h"
#include "paper/figures.h"

static bool is_prototype(enum system system)
{
    return system == SYSTEM_S3 || system == SYSTEM_HYBRID;
}

/* One gateway, and what the prototype's model does not have left out: cold starts, logs, transfer, commits that are
 * tried again. */
static struct fk_workload workload_of(bool pipeline, size_t size, int memory_mb)
{
    struct fk_workload workload = fk_workload_defaults();
    workload.size = (double)size;
    workload.memory_mb = memory_mb;
    workload.pipeline = pipeline;
    workload.tcp = true;
    workload.gateways = 1;
    workload.nodes = 0;
    workload.refused_share = 0;
    workload.init_ms = 0;
    workload.recycled_per_day = 0;
    workload.log_bytes = 0;
    return workload;
}

static void our_operation(enum system system, bool write, size_t size, int memory_mb, struct fk_usage *usage)
{
    struct fk_workload workload = workload_of(system == SYSTEM_PIPELINE, size, memory_mb);
    if (write) {
        fk_workload_write(&workload, usage);
    } else {
        fk_workload_read(&workload, usage);
    }
    usage->transfer_az_gb = 0;
}

bool use_operation(enum system system, enum accounting accounting, bool write, size_t size, int memory_mb,
                   struct fk_usage *usage)
{
    bool full = accounting == ACCOUNTING_FULL;
    enum fk_prototype_store store = system == SYSTEM_S3 ? FK_PROTOTYPE_S3 : FK_PROTOTYPE_HYBRID;
    if (is_prototype(system) && write) {
        return fk_prototype_write(store, size, memory_mb, full, usage);
    }
    if (is_prototype(system)) {
        fk_prototype_read(store, size, usage);
        return true;
    }
    struct fk_usage used = {0};
    our_operation(system, write, size, memory_mb, &used);
    if (!full) { /* as the paper counts */
        used.queue_receives = used.queue_deletes = 0;
    }
    fk_usage_add(usage, &used);
    return true;
}

/* A part of a month, by the day. */
static void add_day(struct fk_usage *usage, const struct fk_workload *workload,
                    void (*part)(const struct fk_workload *workload, struct fk_usage *usage))
{
    struct fk_usage used = {0};
    part(workload, &used);
    fk_usage_scale(&used, 1 / FK_MONTH_DAYS);
    fk_usage_add(usage, &used);
}

void use_renewals(struct fk_usage *usage)
{
    struct fk_workload workload = workload_of(false, 0, FIGURES_MEMORY_MB);
    add_day(usage, &workload, fk_workload_renewals);
}

bool use_heartbeat(enum system system, int clients, int memory_mb, struct fk_usage *usage)
{
    if (is_prototype(system)) {
        return fk_prototype_heartbeat(clients, memory_mb, usage);
    }
    struct fk_workload workload = workload_of(system == SYSTEM_PIPELINE, 0, memory_mb);
    workload.sessions = clients;
    add_day(usage, &workload, fk_workload_heartbeat);
    return true;
}

/* The prototype has two queues, as our pipeline. */
void use_polls(enum system system, struct fk_usage *usage)
{
    struct fk_workload workload = workload_of(system != SYSTEM_SINGLE_HOP, 0, FIGURES_MEMORY_MB);
    add_day(usage, &workload, fk_workload_polling);
}

void use_rest(enum system system, struct fk_usage *usage)
{
    use_polls(system, usage);
    (void)use_heartbeat(system, FIGURES_CLIENTS, FIGURES_MEMORY_MB, usage);
    if (!is_prototype(system)) {
        use_renewals(usage);
    }
}
