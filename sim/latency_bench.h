// SPDX-License-Identifier: Apache-2.0
/* How fast the production functions and gateways are on services that take as long as AWS's: single operations of one
 * client, and many clients at once. */
#ifndef SIM_LATENCY_BENCH_H
#define SIM_LATENCY_BENCH_H

#include "sim/latency.h"

struct sim_bench_options {
    struct sim_latency *latency;
    struct sim_latency_options latencies;
    uint64_t seed;
    bool pipeline;
    int samples; /* of each operation */
};

/* Milliseconds; percentiles of what was measured. */
struct sim_bench_row {
    char name[40];
    size_t count;
    double p50;
    double p90;
    double p99;
};

enum {
    SIM_BENCH_ROWS_MAX = 32,
};

struct sim_bench_result {
    struct sim_bench_row rows[SIM_BENCH_ROWS_MAX];
    size_t count;
};

/* One operation after the other, of one client at one of two gateways. */
void sim_bench_operations(const struct sim_bench_options *options, struct sim_bench_result *result);

/* A write or read of one client, one after the other, with nothing else on the way. */
struct sim_bench_stages {
    struct sim_bench_row latency;
    double stages[SIM_STAGES]; /* p50 of each; a stage that does not exist is 0 */
    double hop;                /* p50: until the first function runs, after its message could be had */
    double hop_second;         /* pipeline: until the distributor runs */
};
/* setData, then getData, of `size` bytes, at most 256 000. */
void sim_bench_stages(const struct sim_bench_options *options, size_t size, struct sim_bench_stages *set,
                      struct sim_bench_stages *get);

/* Many sessions, each of which keeps `depth` setData requests of 64 bytes on the way. */
struct sim_bench_load {
    int sessions;
    int depth;
    /* given */
    double writes;   /* a second */
    double messages; /* a second, to the functions' queue */
    double per_message;
    double per_batch; /* messages of one invocation */
    double invocation_ms;
    double busy;  /* part of the time that the (last) function runs */
    double units; /* write units a second */
    double waits; /* part of the calls that waited for a partition */
    struct sim_bench_row latency;
};
void sim_bench_load(const struct sim_bench_options *options, struct sim_bench_load *load);

/* Messages a second of an empty function behind one group of the queue, when 200 a second are offered. */
double sim_bench_queue(const struct sim_bench_options *options);
/* The prototype's write by the stages that were measured of it, with this model's queue: what its authors measured end
 * to end is the kind SIM_LATENCY_PROTOTYPE. */
void sim_bench_prototype(const struct sim_bench_options *options, size_t size, struct sim_bench_row *row);

#endif
