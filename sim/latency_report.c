// SPDX-License-Identifier: Apache-2.0
#include "sim/latency_report.h"

#include <stdio.h>

/* Messages a second that the prototype's queue took when 200 were offered: data/microbenchmark_queues of its artifact.
 */
static const double QUEUE_MEASURED = 74;

static const size_t stage_sizes[] = {4, 128, 256, 512, 1024, 2048, 4096, 65536, 131072, 256000};
static const size_t model_sizes[] = {4, 4096, 65536, 256000};

static const char *const stage_names[SIM_STAGES] = {
    [SIM_STAGE_PUSH] = "push",     [SIM_STAGE_READ] = "read",
    [SIM_STAGE_LOCK] = "lock",     [SIM_STAGE_STORE] = "store",
    [SIM_STAGE_COMMIT] = "commit", [SIM_STAGE_PUSH_SECOND] = "push_second",
    [SIM_STAGE_APPLY] = "apply",   [SIM_STAGE_READ_SECOND] = "read_second",
    [SIM_STAGE_ANSWER] = "answer",
};

static void print_json(const struct sim_bench_options *options, size_t size, const struct sim_bench_stages *one)
{
    (void)printf("{\"topology\":\"%s\",\"channel\":\"%s\",\"operation\":\"%s\",\"size\":%zu,\"samples\":%zu,"
                 "\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,"
                 "\"stages\":{\"hop\":%.2f,\"hop_second\":%.2f",
                 options->pipeline ? "pipeline" : "single-hop", options->latencies.sqs_channel ? "sqs" : "tcp",
                 one->latency.name, size, one->latency.count, one->latency.p50, one->latency.p90, one->latency.p99,
                 one->hop, one->hop_second);
    for (size_t i = 0; i < SIM_STAGES; i++) {
        (void)printf(",\"%s\":%.2f", stage_names[i], one->stages[i]);
    }
    (void)printf("}}\n");
}

static void print_row(size_t size, const struct sim_bench_stages *one)
{
    (void)printf("| %s | %zu | %.1f | %.1f | %.1f", one->latency.name, size, one->latency.p50, one->hop,
                 one->hop_second);
    for (size_t i = 0; i < SIM_STAGES; i++) {
        (void)printf(" | %.1f", one->stages[i]);
    }
    (void)printf(" |\n");
}

static void print_head(void)
{
    (void)printf("| operation | bytes | p50 ms | hop | hop_second");
    for (size_t i = 0; i < SIM_STAGES; i++) {
        (void)printf(" | %s", stage_names[i]);
    }
    (void)printf(" |\n|");
    for (size_t i = 0; i < SIM_STAGES + 5; i++) {
        (void)printf(" --- |");
    }
    (void)printf("\n");
}

void sim_report_stages(const struct sim_bench_options *options, bool json)
{
    if (!json) {
        print_head();
    }
    for (size_t i = 0; i < sizeof stage_sizes / sizeof stage_sizes[0]; i++) {
        struct sim_bench_stages set;
        struct sim_bench_stages get;
        sim_bench_stages(options, stage_sizes[i], &set, &get);
        if (json) {
            print_json(options, stage_sizes[i], &set);
            print_json(options, stage_sizes[i], &get);
        } else {
            print_row(stage_sizes[i], &set);
            print_row(stage_sizes[i], &get);
        }
    }
}

static void print_model_row(size_t size, double model, double measured, bool json)
{
    if (json) {
        (void)printf("{\"model\":\"setData\",\"size\":%zu,\"p50\":%.2f,\"measured_p50\":%.2f}\n", size, model,
                     measured);
    } else {
        (void)printf("| %zu B | %.0f | %.0f |\n", size, model, measured);
    }
}

void sim_report_model(const struct sim_bench_options *options, bool json)
{
    if (!json) {
        (void)printf("| the prototype's setData | model p50 ms | measured p50 ms |\n| --- | --- | --- |\n");
    }
    for (size_t i = 0; i < sizeof model_sizes / sizeof model_sizes[0]; i++) {
        struct sim_bench_row row;
        sim_bench_prototype(options, model_sizes[i], &row);
        print_model_row(model_sizes[i], row.p50,
                        sim_latency_ms(options->latency, SIM_LATENCY_PROTOTYPE, model_sizes[i], 0.5), json);
    }
    double queue = sim_bench_queue(options);
    if (json) {
        (void)printf("{\"model\":\"queue\",\"messages_per_second\":%.1f,\"measured\":%.1f}\n", queue, QUEUE_MEASURED);
    } else {
        (void)printf("\nAn empty function behind one group of the queue, 200 messages a second offered: %.0f messages "
                     "a second (measured: %.0f).\n",
                     queue, QUEUE_MEASURED);
    }
}
