// SPDX-License-Identifier: Apache-2.0
/* faaskeeper-sim-latency: what the topologies of AWS would take, by measured latencies of its services. */
#include "sim/latency_functions.h"
#include "sim/latency_report.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXIT_MISSED = 1,
    EXIT_USAGE = 2,
};

struct args {
    struct sim_bench_options bench;
    const char *data;
    const char *same_as; /* NULL: print */
    bool json;
    bool check;
    bool all;
    bool load;
    bool stages;
    bool model;
    bool functions;
    int sessions; /* 0: several */
    int depth;
};

enum choice {
    OPTION_TOPOLOGY = 1,
    OPTION_CHANNEL,
    OPTION_TRANSACTION,
    OPTION_POLL,
    OPTION_FUNCTION,
    OPTION_BATCH,
    OPTION_PARTITIONS,
    OPTION_SAMPLES,
    OPTION_SEED,
    OPTION_DATA,
    OPTION_LOAD,
    OPTION_SESSIONS,
    OPTION_DEPTH,
    OPTION_STAGES,
    OPTION_MODEL,
    OPTION_ALL,
    OPTION_CHECK,
    OPTION_FUNCTIONS,
    OPTION_SAME_AS,
    OPTION_JSON,
    OPTION_HELP,
};

static const struct option options[] = {
    {"topology", required_argument, NULL, OPTION_TOPOLOGY},
    {"channel", required_argument, NULL, OPTION_CHANNEL},
    {"transaction", required_argument, NULL, OPTION_TRANSACTION},
    {"poll", required_argument, NULL, OPTION_POLL},
    {"function", required_argument, NULL, OPTION_FUNCTION},
    {"batch", required_argument, NULL, OPTION_BATCH},
    {"partitions", required_argument, NULL, OPTION_PARTITIONS},
    {"samples", required_argument, NULL, OPTION_SAMPLES},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"data", required_argument, NULL, OPTION_DATA},
    {"load", no_argument, NULL, OPTION_LOAD},
    {"sessions", required_argument, NULL, OPTION_SESSIONS},
    {"depth", required_argument, NULL, OPTION_DEPTH},
    {"stages", no_argument, NULL, OPTION_STAGES},
    {"model", no_argument, NULL, OPTION_MODEL},
    {"all", no_argument, NULL, OPTION_ALL},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"json", no_argument, NULL, OPTION_JSON},
    {"functions", no_argument, NULL, OPTION_FUNCTIONS},
    {"same-as", required_argument, NULL, OPTION_SAME_AS},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void help(void)
{
    (void)puts(
        "usage: faaskeeper-sim-latency [--all | --check | --load | --functions | --stages | --model] [options]\n"
        "\n"
        "What operations would take on AWS: the production functions and gateways on virtual time, over services\n"
        "that take as long as they were measured to (docs/aws-latency.md). The same seed gives the same figures.\n"
        "\n"
        "  --topology T      single-hop (default) or pipeline\n"
        "  --channel C       how answers travel: tcp (default) or sqs\n"
        "  --load            many sessions at once, instead of one operation after the other\n"
        "  --sessions N      with --load: so many sessions (default: 1 to 64)\n"
        "  --depth N         with --load: requests that each keeps on the way (default: 1 and 7)\n"
        "  --stages          setData and getData by size, and what their time goes to\n"
        "  --model           the prototype's write and its queue in this model, beside what was measured\n"
        "  --all             everything, as the tables of docs/aws-latency.md\n"
        "  --check           are the targets met? Exit code 1 where one is not\n"
        "  --json            rows as JSON\n"
        "  --functions       how long functions run, as src/cost/units_durations.inc\n"
        "  --same-as FILE    with --functions: does the file say the same? Exit code 1 where it does not\n"
        "\n"
        "Assumptions:\n"
        "  --transaction X   a transaction takes X times what a conditional and a plain write take (1)\n"
        "  --poll MS         from a message's acknowledgement until a waiting long poll has it (10)\n"
        "  --function MS     what an invocation takes besides its calls (0.5)\n"
        "  --batch N         messages of a batch, on average (3)\n"
        "  --partitions N    of the table, each with 1 000 write units a second (4)\n"
        "\n"
        "  --samples N       of each operation (400)\n"
        "  --seed N          of the dice (1)\n"
        "  --data FILE       measured latencies (sim/data/cloud_latency.csv)");
}

static bool number(const char *text, double least, double most, double *value)
{
    char *end = NULL;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value) && *value >= least && *value <= most;
}

static bool whole(const char *text, int least, int most, int *value)
{
    double parsed = 0;
    if (!number(text, least, most, &parsed) || floor(parsed) < parsed) {
        return false;
    }
    *value = (int)parsed;
    return true;
}

static bool one_of(const char *text, const char *no, const char *yes, bool *value)
{
    *value = strcmp(text, yes) == 0;
    return *value || strcmp(text, no) == 0;
}

static bool take_assumption(struct args *args, int option, const char *value)
{
    struct sim_latency_options *latencies = &args->bench.latencies;
    switch (option) {
    case OPTION_CHANNEL:
        return one_of(value, "tcp", "sqs", &latencies->sqs_channel);
    case OPTION_TRANSACTION:
        return number(value, 0.1, 100, &latencies->transaction);
    case OPTION_POLL:
        return number(value, 0, 10000, &latencies->poll_ms);
    case OPTION_FUNCTION:
        return number(value, 0, 10000, &latencies->function_ms);
    case OPTION_BATCH:
        return number(value, 1, 10, &latencies->batch);
    default:
        return whole(value, 1, 64, &latencies->partitions);
    }
}

static bool take_value(struct args *args, int option, const char *value)
{
    int seed = 0;
    switch (option) {
    case OPTION_TOPOLOGY:
        return one_of(value, "single-hop", "pipeline", &args->bench.pipeline);
    case OPTION_SAMPLES:
        return whole(value, 1, 100000, &args->bench.samples);
    case OPTION_SEED:
        if (!whole(value, 0, INT32_MAX, &seed)) {
            return false;
        }
        args->bench.seed = (uint64_t)seed;
        return true;
    case OPTION_DATA:
        args->data = value;
        return true;
    case OPTION_SAME_AS:
        args->same_as = value;
        return true;
    case OPTION_SESSIONS:
        return whole(value, 1, 256, &args->sessions);
    case OPTION_DEPTH:
        return whole(value, 1, 16, &args->depth);
    default:
        return take_assumption(args, option, value);
    }
}

static bool take(struct args *args, int option, const char *value)
{
    switch (option) {
    case OPTION_ALL:
        args->all = true;
        return true;
    case OPTION_LOAD:
        args->load = true;
        return true;
    case OPTION_STAGES:
        args->stages = true;
        return true;
    case OPTION_MODEL:
        args->model = true;
        return true;
    case OPTION_CHECK:
        args->check = true;
        return true;
    case OPTION_FUNCTIONS:
        args->functions = true;
        return true;
    case OPTION_JSON:
        args->json = true;
        return true;
    case OPTION_HELP:
        help();
        exit(0);
    default:
        return take_value(args, option, value);
    }
}

/* --- one operation after the other --- */

static void print_rows(const struct args *args, const struct sim_bench_result *result)
{
    if (!args->json) {
        (void)printf("| %-32s | p50 ms | p90 ms | p99 ms |\n| --- | --- | --- | --- |\n", "operation");
    }
    for (size_t i = 0; i < result->count; i++) {
        const struct sim_bench_row *row = &result->rows[i];
        if (args->json) {
            (void)printf("{\"topology\":\"%s\",\"channel\":\"%s\",\"operation\":\"%s\",\"samples\":%zu,\"p50\":%.2f,"
                         "\"p90\":%.2f,\"p99\":%.2f}\n",
                         args->bench.pipeline ? "pipeline" : "single-hop",
                         args->bench.latencies.sqs_channel ? "sqs" : "tcp", row->name, row->count, row->p50, row->p90,
                         row->p99);
        } else {
            (void)printf("| %-32s | %6.1f | %6.1f | %6.1f |\n", row->name, row->p50, row->p90, row->p99);
        }
    }
}

static void print_operations(const struct args *args)
{
    static struct sim_bench_result result;
    sim_bench_operations(&args->bench, &result);
    print_rows(args, &result);
}

/* --- many at once --- */

static void print_load_row(const struct args *args, const struct sim_bench_load *load)
{
    if (args->json) {
        (void)printf(
            "{\"topology\":\"%s\",\"channel\":\"%s\",\"batch\":%.1f,\"sessions\":%d,\"depth\":%d,\"writes_per_second\":"
            "%.1f,\"messages_per_second\":%.1f,\"invocation_ms\":%.1f,\"busy\":%.2f,\"write_units_per_second\":"
            "%.0f,\"p50\":%.1f,\"p99\":%.1f}\n",
            args->bench.pipeline ? "pipeline" : "single-hop", args->bench.latencies.sqs_channel ? "sqs" : "tcp",
            args->bench.latencies.batch, load->sessions, load->depth, load->writes, load->messages, load->invocation_ms,
            load->busy, load->units, load->latency.p50, load->latency.p99);
        return;
    }
    (void)printf("| %8d | %5d | %8.0f | %8.1f | %6.1f | %6.1f | %6.1f | %4.0f %% | %6.0f | %5.2f | %6.0f | %6.0f |\n",
                 load->sessions, load->depth, load->writes, load->messages, load->per_message, load->per_batch,
                 load->invocation_ms, 100 * load->busy, load->units, load->waits, load->latency.p50, load->latency.p99);
}

static void print_load(const struct args *args)
{
    static const int sessions[] = {1, 4, 10, 20, 40, 64};
    static const int depths[] = {1, 7};
    if (!args->json) {
        (void)puts(
            "| sessions | depth | writes/s | messages/s | requests a message | messages a batch | invocation ms | "
            "busy | write units/s | waits for units | p50 ms | p99 ms |\n"
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    }
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        for (size_t j = 0; j < sizeof sessions / sizeof sessions[0]; j++) {
            struct sim_bench_load load = {.sessions = args->sessions != 0 ? args->sessions : sessions[j],
                                          .depth = args->depth != 0 ? args->depth : depths[i]};
            sim_bench_load(&args->bench, &load);
            print_load_row(args, &load);
            if (args->sessions != 0) {
                break;
            }
        }
        if (args->depth != 0) {
            break;
        }
    }
}

/* --- targets --- */

static const struct sim_bench_row *find(const struct sim_bench_result *result, const char *name)
{
    for (size_t i = 0; i < result->count; i++) {
        if (strcmp(result->rows[i].name, name) == 0) {
            return &result->rows[i];
        }
    }
    abort();
}

static bool verdict(const char *what, double value, double limit, bool at_least)
{
    bool met = at_least ? value >= limit : value <= limit;
    (void)printf("%s: %s: %.1f, at %s %.0f\n", met ? "met" : "FAILED", what, value, at_least ? "least" : "most", limit);
    return met;
}

static int check(struct args *args)
{
    static struct sim_bench_result result;
    int missed = 0;
    sim_bench_operations(&args->bench, &result);
    missed += !verdict("setData 64 B, single hop, TCP, p50 ms", find(&result, "setData 64 B")->p50, 60, false);
    missed += !verdict("getData 64 B, p50 ms", find(&result, "getData 64 B")->p50, 6, false);
    args->bench.latencies.sqs_channel = true;
    sim_bench_operations(&args->bench, &result);
    missed += !verdict("setData 64 B, single hop, SQS, p50 ms", find(&result, "setData 64 B")->p50, 90, false);
    args->bench.latencies.sqs_channel = false;
    args->bench.pipeline = true;
    sim_bench_operations(&args->bench, &result);
    missed += !verdict("setData 64 B, pipeline, TCP, p50 ms", find(&result, "setData 64 B")->p50, 110, false);
    args->bench.pipeline = false;
    struct sim_bench_load load = {.sessions = 40, .depth = 7};
    sim_bench_load(&args->bench, &load);
    missed += !verdict("writes a second, single hop, several in a message", load.writes, 300, true);
    double queue = sim_bench_queue(&args->bench);
    missed += !verdict("the paper's queue, messages a second", queue, 67, true);
    missed += !verdict("the paper's queue, messages a second", queue, 81, false);
    (void)printf("%d passed, %d failed\n", 7 - missed, missed);
    return missed == 0 ? 0 : EXIT_MISSED;
}

/* --- everything --- */

static void print_all(struct args *args)
{
    sim_report_model(&args->bench, false);
    for (int i = 0; i < 4; i++) {
        args->bench.pipeline = i >= 2;
        args->bench.latencies.sqs_channel = i % 2 != 0;
        (void)printf("\n### %s, channel over %s\n\n", i >= 2 ? "Pipeline" : "Single hop", i % 2 != 0 ? "SQS" : "TCP");
        print_operations(args);
        if (i != 3) {
            (void)printf("\n");
            print_load(args);
        }
    }
    args->bench.pipeline = args->bench.latencies.sqs_channel = false;
    double batch = args->bench.latencies.batch;
    args->bench.latencies.batch = 10;
    (void)printf("\n### Single hop, channel over TCP, full batches\n\n");
    print_load(args);
    (void)printf("\n### What if a transaction takes longer, channel over TCP\n\n");
    (void)printf("| times a conditional and a plain write | single hop: setData 64 B p50 ms | pipeline |\n| --- | --- "
                 "| --- |\n");
    args->bench.latencies.batch = batch;
    for (int i = 1; i <= 6; i++) {
        static struct sim_bench_result result;
        args->bench.latencies.transaction = i / 2.0;
        args->bench.pipeline = false;
        sim_bench_operations(&args->bench, &result);
        double single = find(&result, "setData 64 B")->p50;
        args->bench.pipeline = true;
        sim_bench_operations(&args->bench, &result);
        (void)printf("| %.1f | %.1f | %.1f |\n", i / 2.0, single, find(&result, "setData 64 B")->p50);
    }
}

/* --- how long functions run --- */

static void print_functions(struct args *args, struct fk_buf *out)
{
    fk_buf_print(out, "// SPDX-License-Identifier: Apache-2.0\n");
    fk_buf_print(out,
                 "/* Made by `build/sim/faaskeeper-sim-latency --functions > src/cost/units_durations.inc`; the test "
                 "sim-durations compares. */\n");
    fk_buf_print(out, "{TIME_READ, false, false, 64, %.1f},\n", sim_bench_read_ms(&args->bench));
    for (int i = 0; i < 4; i++) {
        struct sim_function_time times[SIM_FUNCTION_SIZES];
        args->bench.pipeline = i >= 2;
        args->bench.latencies.sqs_channel = i % 2 != 0;
        sim_bench_functions(&args->bench, times);
        for (size_t j = 0; j < SIM_FUNCTION_SIZES; j++) {
            fk_buf_print(out, "{TIME_CALL, %s, %s, %zu, %.1f},\n", i >= 2 ? "true" : "false",
                         i % 2 == 0 ? "true" : "false", times[j].size, times[j].mean_ms);
        }
    }
}

static bool file_says(const char *path, struct fk_bytes expected)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(expected.size + 1);
    size_t size = file == NULL || text == NULL ? 0 : fread(text, 1, expected.size + 1, file);
    bool same = fk_bytes_equal(fk_bytes_of(text, size), expected);
    free(text);
    if (file != NULL) {
        (void)fclose(file);
    }
    return same;
}

static int functions(struct args *args)
{
    struct fk_buf out = FK_BUF_EMPTY;
    int status = 0;
    print_functions(args, &out);
    struct fk_bytes text = fk_buf_view(&out);
    if (args->same_as == NULL) {
        (void)fwrite(text.data, 1, text.size, stdout);
    } else if (!file_says(args->same_as, text)) {
        (void)fprintf(stderr,
                      "%s is not what the model says; make it again:\n"
                      "  build/sim/faaskeeper-sim-latency --functions > src/cost/units_durations.inc\n",
                      args->same_as);
        status = EXIT_MISSED;
    }
    fk_buf_deinit(&out);
    return status;
}

int main(int argc, char **argv)
{
    struct fk_diag diag = {{0}};
    struct args args = {.bench = {.seed = 1, .samples = 400}, .data = "sim/data/cloud_latency.csv"};
    int option;
    int row = 0;
    sim_latency_defaults(&args.bench.latencies);
    while ((option = getopt_long(argc, argv, "", options, &row)) != -1) {
        if (option == '?') {
            return EXIT_USAGE;
        }
        if (!take(&args, option, optarg)) {
            (void)fprintf(stderr, "faaskeeper-sim-latency: --%s does not take '%s'\n", options[row].name, optarg);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "faaskeeper-sim-latency: what is '%s'? See --help\n", argv[optind]);
        return EXIT_USAGE;
    }
    if (sim_latency_read(args.data, &args.bench.latency, &diag) != FK_OK) {
        (void)fprintf(stderr, "faaskeeper-sim-latency: %s\n", diag.text);
        return EXIT_USAGE;
    }
    int status = 0;
    if (args.check) {
        status = check(&args);
    } else if (args.all) {
        print_all(&args);
    } else if (args.functions) {
        status = functions(&args);
    } else if (args.load) {
        print_load(&args);
    } else if (args.stages) {
        sim_report_stages(&args.bench, args.json);
    } else if (args.model) {
        sim_report_model(&args.bench, args.json);
    } else {
        print_operations(&args);
    }
    sim_latency_free(args.bench.latency);
    return status;
}
