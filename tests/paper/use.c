// SPDX-License-Identifier: Apache-2.0
#include "paper/figures.h"

#include <string.h>

enum {
    MEMORY_MB = 512, /* of what is at rest */
};

const int figures_clients[IDLE_COUNTS] = {1, 16, 64};

/* --- how long functions run --- */

static struct run_times *times_of(struct figures *figures, const char *topology)
{
    if (strcmp(topology, "single-hop") == 0) {
        return &figures->times[0];
    }
    return strcmp(topology, "pipeline") == 0 ? &figures->times[1] : NULL;
}

static bool take_line(struct figures *figures, const char *line)
{
    json_t *row = json_loads(line, 0, NULL);
    const char *topology = json_string_value(json_object_get(row, "topology"));
    const char *operation = json_string_value(json_object_get(row, "operation"));
    struct run_times *times = topology == NULL ? NULL : times_of(figures, topology);
    bool good = times != NULL && operation != NULL && times->count < RUN_SIZES_MAX;
    if (good && strcmp(operation, "setData") == 0) {
        times->sizes[times->count] = (size_t)json_integer_value(json_object_get(row, "size"));
        times->first_ms[times->count] = json_number_value(json_object_get(row, "run_ms"));
        times->second_ms[times->count++] = json_number_value(json_object_get(row, "run_second_ms"));
    } else if (good && figures->read_ms == 0) { /* the smallest getData: one item is read */
        figures->read_ms = json_number_value(json_object_get(row, "p50"));
    }
    json_decref(row);
    return good;
}

enum fk_err figures_read(struct figures *figures, FILE *file, struct fk_diag *diag)
{
    char line[1024];
    while (fgets(line, sizeof line, file) != NULL) {
        if (!take_line(figures, line)) {
            fk_diag_set(diag, "not a line of faaskeeper-sim-latency --stages --json: %.60s", line);
            return FK_ERR_MALFORMED;
        }
    }
    if (figures->times[0].count == 0 || figures->times[1].count == 0 || figures->read_ms == 0) {
        fk_diag_set(diag, "the standard input has not both topologies");
        return FK_ERR_MALFORMED;
    }
    return FK_OK;
}

/* --- ours --- */

static double run_ms(const struct run_times *times, size_t size, const double *ms)
{
    size_t at = 0;
    while (at < times->count - 1 && times->sizes[at] < size) {
        at++;
    }
    return ms[at];
}

/* Our numbers as the paper counts: of a queue's requests only those of sending. */
static void forget_receiving(struct fk_usage *usage)
{
    usage->queue_receives = 0;
    usage->queue_deletes = 0;
}

/* Neither cold starts nor logs: the prototype's model has none. */
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

static void our_use(const struct figures *figures, bool pipeline, bool write, size_t size, int memory_mb,
                    struct fk_usage *usage)
{
    const struct run_times *times = &figures->times[pipeline ? 1 : 0];
    double all_ms = run_ms(times, size, times->first_ms) + (pipeline ? run_ms(times, size, times->second_ms) : 0);
    struct fk_cost_use use = fk_cost_units(write ? FK_COST_SET_DATA : FK_COST_GET_DATA, size, pipeline);
    double calls = use.invocations == 0 ? 1 : (double)use.invocations;
    struct fk_usage_options options = options_of(memory_mb, all_ms / calls);
    fk_usage_add_use(usage, &use, 1, &options);
}

bool figures_use(const struct figures *figures, enum system system, enum accounting accounting, bool write, size_t size,
                 int memory_mb, struct fk_usage *usage)
{
    bool full = accounting == ACCOUNTING_FULL;
    enum fk_prototype_store store = system == SYSTEM_S3 ? FK_PROTOTYPE_S3 : FK_PROTOTYPE_HYBRID;
    if (system == SYSTEM_S3 || system == SYSTEM_HYBRID) {
        if (!write) {
            fk_prototype_read(store, size, usage);
            return true;
        }
        return fk_prototype_write(store, size, memory_mb, full, usage);
    }
    our_use(figures, system == SYSTEM_PIPELINE, write, size, memory_mb, usage);
    if (!full) {
        forget_receiving(usage);
    }
    return true;
}

/* --- at rest --- */

static const struct idle *idle_of(const struct figures *figures)
{
    return &figures->idles[IDLE_COUNTS - 1];
}

static void add_day(struct fk_usage *usage, struct fk_usage *used, const struct idle *idle)
{
    fk_usage_scale(used, (double)IDLE_DAY_S / (double)idle->measured_s);
    fk_usage_add(usage, used);
}

void figures_renewals(const struct figures *figures, struct fk_usage *usage)
{
    struct fk_usage used = {0};
    struct fk_usage_options options = options_of(MEMORY_MB, 0);
    fk_usage_add_use(&used, &idle_of(figures)->renewals, 1, &options);
    add_day(usage, &used, idle_of(figures));
}

/* The function makes its calls one after the other, each as long as a small read. */
void figures_heartbeat(const struct figures *figures, size_t at, int memory_mb, struct fk_usage *usage)
{
    const struct idle *idle = &figures->idles[at];
    const struct fk_units *units = &idle->sweeps.units;
    double calls = (double)idle->sweeps.invocations;
    double requests = (double)(units->table_gets + units->table_lists + units->table_writes +
                               units->table_transactions + units->blob_lists) /
                      calls;
    struct fk_usage used = {.scheduler_invocations = calls};
    struct fk_usage_options options = options_of(memory_mb, requests * figures->read_ms);
    fk_usage_add_use(&used, &idle->sweeps, 1, &options);
    add_day(usage, &used, idle);
}

void figures_polls(enum system system, struct fk_usage *usage)
{
    int queues = system == SYSTEM_SINGLE_HOP ? 1 : 2;
    usage->queue_idle_polls += (double)queues * FIGURES_POLLERS * IDLE_DAY_S / FIGURES_POLL_S;
}

void figures_at_rest(const struct figures *figures, enum system system, struct fk_usage *usage)
{
    figures_polls(system, usage);
    if (system == SYSTEM_S3 || system == SYSTEM_HYBRID) {
        (void)fk_prototype_heartbeat(figures_clients[IDLE_COUNTS - 1], MEMORY_MB, usage);
        return;
    }
    figures_renewals(figures, usage);
    figures_heartbeat(figures, IDLE_COUNTS - 1, MEMORY_MB, usage);
}

double figures_usd(const struct figures *figures, enum prices_of prices, const struct fk_usage *usage,
                   struct fk_bill *bill)
{
    fk_bill_make(figures->prices[prices], usage, true, bill);
    return bill->usd;
}
