// SPDX-License-Identifier: Apache-2.0
#include "function/cloud.h"
#include "paper/figures.h"

enum {
    DAY_S = 24 * 3600,
    DAY_MINUTES = 24 * 60,
    SMALL = 100, /* nodes whose data stands in their records, while data without one is looked for */
};

static bool is_prototype(enum system system)
{
    return system == SYSTEM_S3 || system == SYSTEM_HYBRID;
}

/* Neither cold starts nor logs: the prototype's model has none. One message a call. */
static struct fk_usage_options options_of(int memory_mb, double call_ms)
{
    struct fk_usage_options options = fk_usage_defaults();
    options.tcp = true;
    options.memory_gb = memory_mb / 1024.0;
    options.call_ms = call_ms;
    options.cold_share = 0;
    options.log_bytes_per_call = 0;
    return options;
}

static void our_operation(bool pipeline, bool write, size_t size, int memory_mb, struct fk_usage *usage)
{
    struct fk_cost_use use = fk_cost_units(write ? FK_COST_SET_DATA : FK_COST_GET_DATA, size, pipeline);
    struct fk_usage_options options = options_of(memory_mb, write ? fk_cost_call_ms(size, pipeline, true) : 0);
    fk_usage_add_use(usage, &use, 1, &options);
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
    our_operation(system == SYSTEM_PIPELINE, write, size, memory_mb, &used);
    if (!full) { /* as the paper counts */
        used.queue_receives = used.queue_deletes = 0;
    }
    fk_usage_add(usage, &used);
    return true;
}

void use_renewals(struct fk_usage *usage)
{
    struct fk_cost_use minute = fk_cost_units(FK_COST_GATEWAY_MINUTE, 1, false);
    struct fk_usage_options options = options_of(FIGURES_MEMORY_MB, 0);
    fk_usage_add_use(usage, &minute, DAY_MINUTES, &options);
}

/* Its calls of services one after the other, each as long as a small read. */
static void add_sweeps(struct fk_usage *usage, const struct fk_cost_use *use, double times, int memory_mb)
{
    const struct fk_units *units = &use->units;
    int64_t calls =
        units->table_gets + units->table_lists + units->table_writes + units->table_transactions + units->blob_lists;
    struct fk_usage_options options = options_of(memory_mb, (double)calls * fk_cost_read_ms());
    fk_usage_add_use(usage, use, times, &options);
}

/* One of so many sweeps looks for data without a record besides. */
static void our_heartbeat(int clients, int memory_mb, struct fk_usage *usage)
{
    struct fk_cloud_options cloud = fk_cloud_defaults();
    struct fk_cost_use sweep = fk_cost_units(FK_COST_HEARTBEAT, (size_t)clients, false);
    struct fk_cost_use orphans = fk_cost_units(FK_COST_ORPHAN_SWEEP, SMALL, false);
    fk_units_add(&orphans.units, &sweep.units);
    orphans.invocations = sweep.invocations;
    double looks = (double)DAY_MINUTES / cloud.orphan_sweeps;
    add_sweeps(usage, &sweep, DAY_MINUTES - looks, memory_mb);
    add_sweeps(usage, &orphans, looks, memory_mb);
    usage->scheduler_invocations += DAY_MINUTES;
}

bool use_heartbeat(enum system system, int clients, int memory_mb, struct fk_usage *usage)
{
    if (is_prototype(system)) {
        return fk_prototype_heartbeat(clients, memory_mb, usage);
    }
    our_heartbeat(clients, memory_mb, usage);
    return true;
}

void use_polls(enum system system, struct fk_usage *usage)
{
    int queues = system == SYSTEM_SINGLE_HOP ? 1 : 2;
    usage->queue_idle_polls += (double)queues * FIGURES_POLLERS * DAY_S / FIGURES_POLL_S;
}

void use_rest(enum system system, struct fk_usage *usage)
{
    use_polls(system, usage);
    (void)use_heartbeat(system, FIGURES_CLIENTS, FIGURES_MEMORY_MB, usage);
    if (!is_prototype(system)) {
        use_renewals(usage);
    }
}
