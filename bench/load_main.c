// SPDX-License-Identifier: Apache-2.0
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    CONNECTIONS_MAX = 100000,
    DEPTH_MAX = 10000,
    NODES_MAX = 10000000,
    SECONDS_MAX = 86400,
    SESSION_TIMEOUT_MS = 30000,
};

static const struct {
    const char *name;
    enum load_op op;
} operations[] = {
    {"get", LOAD_GET},   {"exists", LOAD_EXISTS},
    {"set", LOAD_SET},   {"children", LOAD_CHILDREN},
    {"mix", LOAD_MIX},   {"create-delete", LOAD_CREATE_DELETE},
    {"seq", LOAD_SEQ},   {"idle-sessions", LOAD_IDLE_SESSIONS},
    {"fill", LOAD_FILL}, {"fill-check", LOAD_FILL_CHECK},
};

static const char usage_text[] =
    "usage: fk-load --target HOST:PORT|unix:PATH --op OP [options]\n"
    "Drives a ZooKeeper server, verifies every reply, and reports throughput and latency.\n"
    "\n"
    "  --op get|exists|set     uniformly at random of --nodes nodes\n"
    "       mix                90 % get, 10 % set\n"
    "       children           getChildren of 100 names\n"
    "       create-delete      create a node, then delete it; both requests count\n"
    "       seq                ephemeral sequential create of 16 bytes; after 10000 the session is closed and a new\n"
    "                          one opened\n"
    "       idle-sessions      sessions that only ping, at a third of their timeout\n"
    "       fill, fill-check   make --nodes nodes in directories of 1000 and leave them there; check them\n"
    "  --conns N               connections (1)\n"
    "  --depth D               outstanding requests per connection (1)\n"
    "  --seconds S, --warmup S measured time and time before it (2, 0.5)\n"
    "  --size BYTES            data of a node (1024)\n"
    "  --nodes N               (1000; fill: 100000)\n"
    "  --pid PID               of the server: report its CPU time and memory\n"
    "  --root PATH             node to work under, made and removed (/fk-load-<pid>; fill: /fk-fill)\n"
    "  --timeout-ms MS         session timeout to ask for (30000)\n"
    "  --json                  one line of JSON instead of text\n"
    "\n"
    "Exit code: 0 all replies were right, 1 one was not or the server failed, 2 usage.\n";

void load_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("fk-load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void *load_alloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        load_fail("out of memory for %zu x %zu bytes", count, size);
    }
    return memory;
}

/* ---- options ---- */

static void usage_fail(const char *option, const char *value)
{
    fprintf(stderr, "fk-load: bad value '%s' of --%s; see fk-load --help\n", value, option);
    exit(EXIT_USAGE);
}

static double number_parse(const char *option, const char *text, double low, double high)
{
    char *end = NULL;
    errno = 0;
    double value = strtod(text, &end);
    if (errno != 0 || end == text || *end != '\0' || !(value >= low && value <= high)) {
        usage_fail(option, text);
    }
    return value;
}

static uint32_t count_parse(const char *option, const char *text, uint32_t low, uint32_t high)
{
    double value = number_parse(option, text, low, high);
    if (value != (double)(uint32_t)value) {
        usage_fail(option, text);
    }
    return (uint32_t)value;
}

static void op_parse(struct load_options *options, const char *text)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(text, operations[i].name) == 0) {
            options->op = operations[i].op;
            options->op_name = operations[i].name;
            return;
        }
    }
    usage_fail("op", text);
}

static void root_parse(struct load_options *options, const char *text)
{
    if (text[0] != '/' || text[1] == '\0' || strlen(text) > LOAD_ROOT_SIZE_MAX) {
        usage_fail("root", text);
    }
    memcpy(options->root, text, strlen(text) + 1);
}

enum option_id {
    OPTION_TARGET = 1,
    OPTION_OP,
    OPTION_CONNS,
    OPTION_DEPTH,
    OPTION_SECONDS,
    OPTION_WARMUP,
    OPTION_SIZE,
    OPTION_NODES,
    OPTION_PID,
    OPTION_ROOT,
    OPTION_TIMEOUT,
    OPTION_JSON,
    OPTION_HELP,
};

static const struct option long_options[] = {
    {"target", required_argument, NULL, OPTION_TARGET},
    {"op", required_argument, NULL, OPTION_OP},
    {"conns", required_argument, NULL, OPTION_CONNS},
    {"depth", required_argument, NULL, OPTION_DEPTH},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"warmup", required_argument, NULL, OPTION_WARMUP},
    {"size", required_argument, NULL, OPTION_SIZE},
    {"nodes", required_argument, NULL, OPTION_NODES},
    {"pid", required_argument, NULL, OPTION_PID},
    {"root", required_argument, NULL, OPTION_ROOT},
    {"timeout-ms", required_argument, NULL, OPTION_TIMEOUT},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static void option_apply(struct load_options *options, int option, const char *value)
{
    switch (option) {
    case OPTION_TARGET:
        options->target = value;
        break;
    case OPTION_OP:
        op_parse(options, value);
        break;
    case OPTION_CONNS:
        options->connections = count_parse("conns", value, 1, CONNECTIONS_MAX);
        break;
    case OPTION_DEPTH:
        options->depth = count_parse("depth", value, 1, DEPTH_MAX);
        break;
    case OPTION_SECONDS:
        options->seconds = number_parse("seconds", value, 0.01, SECONDS_MAX);
        break;
    case OPTION_WARMUP:
        options->warmup_seconds = number_parse("warmup", value, 0, SECONDS_MAX);
        break;
    case OPTION_SIZE:
        options->size = count_parse("size", value, LOAD_PAYLOAD_SIZE_MIN, LOAD_PAYLOAD_SIZE_MAX);
        break;
    case OPTION_NODES:
        options->nodes = count_parse("nodes", value, 1, NODES_MAX);
        break;
    case OPTION_PID:
        options->pid = (pid_t)count_parse("pid", value, 1, INT32_MAX);
        break;
    case OPTION_ROOT:
        root_parse(options, value);
        break;
    case OPTION_TIMEOUT:
        options->session_timeout_ms = (int32_t)count_parse("timeout-ms", value, 1, INT32_MAX);
        break;
    case OPTION_JSON:
        options->json = true;
        break;
    case OPTION_HELP:
        fputs(usage_text, stdout);
        exit(0);
    default:
        fputs("see fk-load --help\n", stderr);
        exit(EXIT_USAGE);
    }
}

static bool is_fill(const struct load_options *options)
{
    return options->op == LOAD_FILL || options->op == LOAD_FILL_CHECK;
}

static void options_parse(struct load_options *options, int argc, char **argv)
{
    int option = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        option_apply(options, option, optarg);
    }
    if (optind != argc || options->target == NULL || options->op_name == NULL) {
        fputs(usage_text, stderr);
        exit(EXIT_USAGE);
    }
    if (options->nodes == 0) {
        options->nodes = is_fill(options) ? 100000 : 1000;
    }
    if (options->root[0] == '\0') {
        if (is_fill(options)) {
            root_parse(options, "/fk-fill");
        } else {
            snprintf(options->root, sizeof options->root, "/fk-load-%d", (int)getpid());
        }
    }
}

/* ---- report ---- */

static void report_json(const struct load_run *run, double seconds, double server_us, double client_us)
{
    const struct load_options *options = &run->options;
    double server_cpu = (double)(run->to.server_cpu_ns - run->from.server_cpu_ns) / 1e9;
    printf("{\"op\": \"%s\", \"conns\": %u, \"depth\": %u, \"size\": %u, \"seconds\": %.3f, \"ops\": %" PRIu64
           ", \"verified\": %" PRIu64 ", \"ops_per_second\": %.1f, ",
           options->op_name, options->connections, options->depth, options->size, seconds, run->operations,
           run->verified, (double)run->operations / seconds);
    printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f, ",
           histogram_quantile_us(&run->latency, 0.5), histogram_quantile_us(&run->latency, 0.99),
           histogram_quantile_us(&run->latency, 0.999), (double)run->latency.max_ns / 1000.0);
    printf("\"client_cpu_us_per_op\": %.3f, ", client_us);
    if (options->pid != 0) {
        printf("\"server_cpu_us_per_op\": %.3f, \"server_cpu_percent\": %.3f, \"server_rss_bytes\": %" PRId64
               ", \"foreign_cpu_percent\": %.1f}\n",
               server_us, 100.0 * server_cpu / seconds, run->rss_bytes, process_foreign_percent(&run->from, &run->to));
    } else {
        puts("\"server_cpu_us_per_op\": null, \"server_cpu_percent\": null, \"server_rss_bytes\": null, "
             "\"foreign_cpu_percent\": null}");
    }
}

static void report_text(const struct load_run *run, double seconds, double server_us, double client_us)
{
    const struct load_options *options = &run->options;
    printf("%s %ux%u, %u B: %.0f op/s over %.2f s, %" PRIu64 " replies verified\n", options->op_name,
           options->connections, options->depth, options->size, (double)run->operations / seconds, seconds,
           run->verified);
    printf("latency us: p50 %.1f, p99 %.1f, p99.9 %.1f, max %.1f; client CPU %.2f us/op\n",
           histogram_quantile_us(&run->latency, 0.5), histogram_quantile_us(&run->latency, 0.99),
           histogram_quantile_us(&run->latency, 0.999), (double)run->latency.max_ns / 1000.0, client_us);
    if (options->pid != 0) {
        double server_cpu = (double)(run->to.server_cpu_ns - run->from.server_cpu_ns) / 1e9;
        printf("server: CPU %.2f us/op, %.2f %% of a core, resident %.1f MB; other CPU %.0f %% of a core\n", server_us,
               100.0 * server_cpu / seconds, (double)run->rss_bytes / 1e6,
               process_foreign_percent(&run->from, &run->to));
    }
}

static void report(const struct load_run *run)
{
    double seconds = (double)(run->to.time_ns - run->from.time_ns) / 1e9;
    double count = run->operations == 0 ? 1 : (double)run->operations;
    double server_us = (double)(run->to.server_cpu_ns - run->from.server_cpu_ns) / 1000.0 / count;
    double client_us = (double)(run->to.self_cpu_ns - run->from.self_cpu_ns) / 1000.0 / count;
    if (run->options.json) {
        report_json(run, seconds, server_us, client_us);
    } else {
        report_text(run, seconds, server_us, client_us);
    }
}

static void report_fill(const struct load_run *run, double seconds)
{
    const struct load_options *options = &run->options;
    int64_t rss_bytes = options->pid == 0 ? -1 : process_rss_bytes(options->pid);
    if (options->json) {
        printf("{\"op\": \"%s\", \"nodes\": %u, \"size\": %u, \"seconds\": %.3f, \"server_rss_bytes\": %" PRId64 "}\n",
               options->op_name, options->nodes, options->size, seconds, rss_bytes);
        return;
    }
    printf("%s: %u nodes of %u B under %s in %.2f s", options->op_name, options->nodes, options->size, options->root,
           seconds);
    if (rss_bytes >= 0) {
        printf("; server resident %.1f MB", (double)rss_bytes / 1e6);
    }
    putchar('\n');
}

/* ---- the run ---- */

/* A session needs a descriptor; the default soft limit is 1024. */
static void descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void run_init(struct load_run *run)
{
    const struct load_options *options = &run->options;
    size_t pattern_size = (size_t)options->size + LOAD_PATTERN_OFFSETS;
    run->random_state = UINT64_C(0x9E3779B97F4A7C15);
    run->nodes = load_alloc(options->nodes, sizeof *run->nodes);
    run->payload = load_alloc(options->size, 1);
    run->pattern = load_alloc(pattern_size, 1);
    for (size_t i = 0; i < pattern_size; i++) {
        run->pattern[i] = (uint8_t)load_random_below(run, 256);
    }
    if (options->op == LOAD_SEQ) {
        run->sequences_seen = load_alloc(LOAD_SEEN_BITS / 64, sizeof *run->sequences_seen);
    }
}

static void run_deinit(struct load_run *run)
{
    free(run->nodes);
    free(run->payload);
    free(run->pattern);
    free(run->sequences_seen);
    zkraw_buf_deinit(&run->children_verified);
}

static void run_fill(struct load_run *run)
{
    int64_t start_ns = process_clock_ns();
    if (run->options.op == LOAD_FILL) {
        load_tree_fill(run);
    } else {
        load_tree_fill_check(run);
    }
    report_fill(run, (double)(process_clock_ns() - start_ns) / 1e9);
}

int main(int argc, char **argv)
{
    static struct load_run run = {.options = {.connections = 1,
                                              .depth = 1,
                                              .seconds = 2,
                                              .warmup_seconds = 0.5,
                                              .size = 1024,
                                              .session_timeout_ms = SESSION_TIMEOUT_MS}};
    options_parse(&run.options, argc, argv);
    descriptors_raise();
    run_init(&run);
    if (is_fill(&run.options)) {
        run_fill(&run);
    } else if (run.options.op == LOAD_IDLE_SESSIONS) {
        load_idle_run(&run);
        report(&run);
    } else {
        load_tree_prepare(&run);
        load_engine_run(&run);
        load_tree_remove(&run);
        report(&run);
    }
    run_deinit(&run);
    return 0;
}
