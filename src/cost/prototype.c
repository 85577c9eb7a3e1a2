// SPDX-License-Identifier: Apache-2.0
#include "cost/prototype.h"

enum {
    SIZES_MAX = 7,
    QUEUE_REQUEST = 64 * 1024,
    WRITE_UNIT = 1024,
    READ_UNIT = 4096,
    QUEUES = 2,
    FUNCTIONS = 2,
    SYSTEM_WRITES = 3,
    MINUTES = 24 * 60,
    SCAN_UNITS = 2,
};

/* Medians of the billed GB-seconds of an invocation, by size: cells 16 and 27 of final_plots.ipynb (data/
 * write_new_algorithm, November 2023; `keyvalue` is what the paper calls hybrid). */
struct durations {
    int memory_mb;
    double writer[SIZES_MAX];
    double distributor[SIZES_MAX];
};

static const size_t standard_sizes[] = {4, 1024, 65536, 131072, 256000};
static const struct durations standard[] = {
    {512, {.0175, .016, .0365, .0615, .112}, {.0305, .0305, .046, .0375, .0705}},
    {1024, {.031, .036, .0475, .08, .126}, {.066, .068, .087, .076, .1255}},
    {2048, {.064, .064, .096, .134, .206}, {.126, .128, .174, .15, .266}},
};

static const size_t hybrid_sizes[] = {4, 128, 256, 512, 1024, 2048, 4096};
static const struct durations hybrid[] = {
    {512, {.0145, .01475, .0135, .015, .016, .0155, .0155}, {.0135, .014, .0145, .015, .0155, .015, .0145}},
    {1024, {.03, .029, .029, .031, .032, .029, .033}, {.026, .026, .024, .031, .027, .0265, .028}},
    {2048, {.056, .064, .058, .062, .064, .064, .068}, {.052, .06, .068, .05, .056, .048, .056}},
};

/* The mean of the billed ms of a heartbeat: data/heartbeat/benchmark_processed_CLIENTS.csv, September 2021. */
static const int heartbeat_clients[] = {1, 2, 4, 8, 16, 32, 64};
static const struct {
    int memory_mb;
    double billed_ms[SIZES_MAX];
} heartbeats[] = {
    {128, {45.72, 47.01, 59.06, 91.76, 120.35, 225.89, 480.47}},
    {256, {18.72, 21.68, 26.08, 32.99, 49.47, 108.64, 174.11}},
    {512, {12.85, 14.53, 14.65, 19.87, 23.23, 41.53, 86.56}},
    {1024, {12.18, 13.73, 23.63, 15.27, 18.19, 26.53, 45.53}},
    {1536, {12.05, 13.12, 14.41, 14.59, 17.82, 20.39, 31.53}},
    {2048, {13.14, 13.78, 13.79, 14.80, 16.75, 20.57, 30.68}},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static double units(size_t size, size_t unit)
{
    size_t begun = (size + unit - 1) / unit;
    return begun == 0 ? 1 : (double)begun;
}

static bool is_in_table(enum fk_prototype_store store, size_t size)
{
    return store == FK_PROTOTYPE_HYBRID && size <= FK_PROTOTYPE_HYBRID_MAX;
}

/* Of both functions together; negative where nobody measured it. */
static double gb_seconds(const struct durations *rows, size_t row_count, const size_t *sizes, size_t size_count,
                         size_t size, int memory_mb)
{
    size_t at = 0;
    while (at < size_count && sizes[at] < size) {
        at++;
    }
    for (size_t i = 0; i < row_count && at < size_count; i++) {
        if (rows[i].memory_mb == memory_mb) {
            return rows[i].writer[at] + rows[i].distributor[at];
        }
    }
    return -1;
}

bool fk_prototype_write(enum fk_prototype_store store, size_t size, int memory_mb, bool every_request,
                        struct fk_usage *usage)
{
    bool table = is_in_table(store, size);
    double duration =
        table ? gb_seconds(hybrid, COUNT(hybrid), hybrid_sizes, COUNT(hybrid_sizes), size, memory_mb)
              : gb_seconds(standard, COUNT(standard), standard_sizes, COUNT(standard_sizes), size, memory_mb);
    if (duration < 0) {
        return false;
    }
    usage->queue_sends += QUEUES * units(size, QUEUE_REQUEST);
    usage->queue_receives += every_request ? QUEUES * units(size, QUEUE_REQUEST) : 0;
    usage->queue_deletes += every_request ? QUEUES : 0;
    usage->table_write_units += SYSTEM_WRITES + (table ? units(size, WRITE_UNIT) : 0);
    usage->table_read_units += 1;
    usage->blob_puts += table ? 0 : 1;
    usage->function_requests += FUNCTIONS;
    usage->function_gb_seconds += duration;
    return true;
}

void fk_prototype_read(enum fk_prototype_store store, size_t size, struct fk_usage *usage)
{
    bool table = is_in_table(store, size);
    usage->table_read_units += table ? units(size, READ_UNIT) : 0;
    usage->blob_gets += table ? 0 : 1;
}

bool fk_prototype_heartbeat(int clients, int memory_mb, struct fk_usage *usage)
{
    size_t at = 0;
    size_t row = 0;
    while (at < COUNT(heartbeat_clients) && heartbeat_clients[at] != clients) {
        at++;
    }
    while (row < COUNT(heartbeats) && heartbeats[row].memory_mb != memory_mb) {
        row++;
    }
    if (at == COUNT(heartbeat_clients) || row == COUNT(heartbeats)) {
        return false;
    }
    usage->table_read_units += MINUTES * SCAN_UNITS;
    usage->function_requests += MINUTES;
    usage->function_gb_seconds += MINUTES * heartbeats[row].billed_ms[at] / 1000 * memory_mb / 1024;
    return true;
}

static double request_usd(const struct fk_mix *mix)
{
    return mix->read_share * mix->read_usd + (1 - mix->read_share) * mix->write_usd;
}

double fk_mix_day_usd(const struct fk_mix *mix, double requests)
{
    return mix->fixed_usd + requests * request_usd(mix);
}

double fk_mix_break_even(const struct fk_mix *mix, double day_usd)
{
    return day_usd <= mix->fixed_usd ? 0 : (day_usd - mix->fixed_usd) / request_usd(mix);
}
