// SPDX-License-Identifier: Apache-2.0
/* Metrics: Prometheus' text format, and the JSON of `monitor`, of one table (gateway/inspect.c). */
#include "host/admin_internal.h"

#include "gateway/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name; /* of JSON */
    const char *label;
    int64_t per_mille;
} quantiles[] = {{"p50", "0.5", 500}, {"p95", "0.95", 950}, {"p99", "0.99", 990}, {"p999", "0.999", 999}};

enum {
    QUANTILES = sizeof quantiles / sizeof quantiles[0],
};

/* --- Prometheus --- */

static void text_head(struct fk_buf *out, const char *name, const char *help, const char *kind)
{
    fk_buf_print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void text_number(void *context, const char *name, const char *help, bool counter, int64_t value)
{
    struct fk_buf *out = (struct fk_buf *)context;
    text_head(out, name, help, counter ? "counter" : "gauge");
    fk_buf_print(out, "%s %" PRId64 "\n", name, value);
}

static void text_real(void *context, const char *name, const char *help, double value)
{
    struct fk_buf *out = (struct fk_buf *)context;
    text_head(out, name, help, "gauge");
    fk_buf_print(out, "%s %.6g\n", name, value);
}

static void text_summary(void *context, const char *name, const char *help, const struct fk_summary *summary)
{
    struct fk_buf *out = (struct fk_buf *)context;
    text_head(out, name, help, "summary");
    for (size_t i = 0; i < QUANTILES; i++) {
        fk_buf_print(out, "%s{quantile=\"%s\",} %" PRId64 "\n", name, quantiles[i].label,
                     fk_summary_quantile(summary, quantiles[i].per_mille));
    }
    fk_buf_print(out, "%s_count %" PRId64 "\n%s_sum %" PRId64 "\n", name, summary->count, name, summary->sum);
}

/* The names that Prometheus' own libraries give to what the system knows. */
static void write_process(struct fk_buf *out)
{
    struct rusage usage;
    long long pages = 0;
    FILE *in = fopen("/proc/self/statm", "re");
    if (in != NULL) {
        if (fscanf(in, "%*s %lld", &pages) != 1) {
            pages = 0;
        }
        (void)fclose(in);
    }
    text_number(out, "process_resident_memory_bytes", "memory in use", false, (int64_t)pages * sysconf(_SC_PAGESIZE));
    (void)getrusage(RUSAGE_SELF, &usage);
    text_head(out, "process_cpu_seconds_total", "processor time used", "counter");
    fk_buf_print(out, "process_cpu_seconds_total %.3f\n",
                 (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    text_head(out, "faaskeeper_build_info", "which version this is", "gauge");
    fk_buf_print(out, "faaskeeper_build_info{version=\"%s\",zookeeper=\"%s\"} 1\n", FK_VERSION, FK_ZOOKEEPER_VERSION);
}

void fk_admin_write_metrics(struct fk_gateway *gateway, const struct fk_admin_options *options, struct fk_buf *out)
{
    const struct fk_metrics_sink sink = {
        .context = out, .number = text_number, .real = text_real, .summary = text_summary};
    fk_inspect_metrics(gateway, &sink);
    write_process(out);
    fk_admin_write_cost_metrics(gateway, options, out);
}

/* --- monitor --- */

static void json_number(void *context, const char *name, const char *help, bool counter, int64_t value)
{
    (void)help;
    (void)counter;
    fk_admin_set((json_t *)context, name, json_integer(value));
}

static void json_real_number(void *context, const char *name, const char *help, double value)
{
    (void)help;
    fk_admin_set((json_t *)context, name, json_real(value));
}

static void json_summary(void *context, const char *name, const char *help, const struct fk_summary *summary)
{
    json_t *object = (json_t *)context;
    char key[128];
    const struct {
        const char *prefix;
        int64_t value;
    } numbers[] = {{"min", summary->min}, {"max", summary->max}, {"cnt", summary->count}, {"sum", summary->sum}};
    (void)help;
    (void)snprintf(key, sizeof key, "avg_%s", name);
    fk_admin_set(object, key, json_real(fk_summary_average(summary)));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)snprintf(key, sizeof key, "%s_%s", numbers[i].prefix, name);
        fk_admin_set(object, key, json_integer(numbers[i].value));
    }
    for (size_t i = 0; i < QUANTILES; i++) {
        (void)snprintf(key, sizeof key, "%s_%s", quantiles[i].name, name);
        fk_admin_set(object, key, json_integer(fk_summary_quantile(summary, quantiles[i].per_mille)));
    }
}

void fk_admin_monitor(struct fk_admin_call *call)
{
    const struct fk_metrics_sink sink = {
        .context = call->answer, .number = json_number, .real = json_real_number, .summary = json_summary};
    struct fk_server_facts facts;
    fk_inspect_server(call->gateway, &facts);
    fk_admin_set(call->answer, "version", json_string(FK_VERSION_LINE));
    fk_admin_set(call->answer, "server_state", json_string(facts.mode));
    fk_inspect_metrics(call->gateway, &sink);
}
