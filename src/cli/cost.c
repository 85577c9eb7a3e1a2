// SPDX-License-Identifier: Apache-2.0
/* faaskeeper cost: what it costs on AWS, beside an ensemble of ZooKeeper (docs/cost.md). */
#include "cli/cost.h"

#include "base/alloc.h"
#include "cli/cli.h"
#include "cost/history.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

static const char help[] =
    "Usage: faaskeeper cost estimate --reads-per-day N --writes-per-day N [options]\n"
    "       faaskeeper cost estimate --from FILE [options]\n"
    "       faaskeeper cost live HOST[:PORT] [options]\n"
    "Prints what a workload costs on AWS in a month, by service, beside an ensemble of ZooKeeper, and the rate at "
    "which\n"
    "both cost the same.\n"
    "\n"
    "  --reads-per-day N      getData requests\n"
    "  --writes-per-day N     setData requests\n"
    "  --size BYTES           of a node's data (default 100)\n"
    "  --watches N            that a write fires, on average; each is set again by a read (default 0)\n"
    "  --sessions N           connected all the time (default 10)\n"
    "  --gateways N           that serve them (default 1); 0: the deployment is at rest\n"
    "  --nodes N              at rest, each of that size (default 1000)\n"
    "  --from FILE            a recorded run instead: what `curl .../commands/cost` says, or a history of the "
    "simulator\n"
    "\n"
    "  --topology TOPOLOGY    single-hop (default) or pipeline\n"
    "  --channel CHANNEL      how functions reach gateways: sqs (default) or tcp\n"
    "  --memory MB            of each function, 128 to 10240 (default 512)\n"
    "  --arch ARCH            arm64 (default) or x86_64\n"
    "  --refused SHARE        of commits that are tried again, as somebody was faster; 0 to 1 (default 0.01)\n"
    "  --outside              gateways are not in AWS: what they read leaves by the internet\n"
    "\n"
    "  --zookeeper NxTYPE     the ensemble: servers and their machines (default 3xt3.small)\n"
    "  --disk GB              of each of its servers (default 20)\n"
    "  --cross-zone           its traffic between zones is counted\n"
    "\n"
    "  --region REGION        whose prices (default us-east-1)\n"
    "  --prices FILE          figures of your own over those of the region: deploy/prices has the form\n"
    "  --plot FILE            draws cost over requests a day for both; FILE ends with .svg or .png; needs gnuplot\n"
    "  --json                 one JSON document\n"
    "  --help                 this text\n"
    "\n"
    "It is an estimate: docs/cost.md has every formula and assumption. Free tiers are not taken off.\n"
    "Example: faaskeeper cost estimate --reads-per-day 900000 --writes-per-day 100000 --size 1024\n"
    "Exit codes: 0 printed, 1 a file does not read or gnuplot is missing, 2 usage.\n";

/* `cost` and `live` are what a server says of itself; of its periods the longest is taken. */
static json_t *run_in(json_t *object)
{
    json_t *since_start = json_object_get(object, "since_start");
    return since_start == NULL ? object : since_start;
}

static enum fk_err read_metrics(FILE *file, struct fk_recorded *recorded, struct fk_diag *diag)
{
    json_error_t error;
    json_t *object = json_loadf(file, 0, &error);
    if (object == NULL) {
        fk_diag_set(diag, "line %d: %s", error.line, error.text);
        return FK_ERR_USAGE;
    }
    enum fk_err err = fk_recorded_read(run_in(object), recorded, diag);
    json_decref(object);
    return err;
}

static enum fk_err read_run(const char *path, struct fk_recorded *recorded, struct fk_diag *diag)
{
    struct fk_diag what = {.text = ""};
    char beginning[256] = "";
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fk_diag_set(diag, "--from: %.200s: %s", path, strerror(errno));
        return FK_ERR_IO;
    }
    beginning[fread(beginning, 1, sizeof beginning - 1, file)] = '\0';
    rewind(file);
    enum fk_err err =
        fk_history_is(beginning) ? fk_history_read(file, recorded, &what) : read_metrics(file, recorded, &what);
    (void)fclose(file);
    if (err != FK_OK) {
        fk_diag_set(diag, "--from: %.200s: %.250s", path, what.text[0] == '\0' ? fk_err_text(err) : what.text);
    }
    return err;
}

static enum fk_err estimate_run(struct fk_cli_cost_result *result, struct fk_diag *diag)
{
    struct fk_recorded *recorded = (struct fk_recorded *)fk_alloc_zero(sizeof *recorded);
    struct fk_estimate_run run = {.usd = 0};
    struct fk_diag what = {.text = ""};
    if (recorded == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = read_run(result->options->from, recorded, diag);
    if (err == FK_OK) {
        err = fk_estimate_recorded(recorded, &result->workload, &result->ensemble, result->prices, &result->estimate,
                                   &run, &what);
        if (err != FK_OK) {
            fk_diag_set(diag, "--from: %.200s: %.250s", result->options->from, what.text);
        }
    }
    result->workload.reads_per_day = run.reads_per_day;
    result->workload.writes_per_day = run.writes_per_day;
    result->workload.size = run.size;
    result->run_usd = run.usd;
    result->run_seconds = recorded->seconds;
    fk_free(recorded);
    return err;
}

static enum fk_err estimate(struct fk_cli_cost_result *result, struct fk_diag *diag)
{
    const struct fk_cli_cost *options = result->options;
    result->ensemble = (struct fk_ensemble){.disk_gb = options->disk_gb, .transfer = options->transfer};
    result->workload = options->workload;
    result->recorded = options->from != NULL;
    enum fk_err err = fk_ensemble_parse(options->zookeeper, result->prices, &result->ensemble, diag);
    if (err != FK_OK) {
        return err;
    }
    if (result->recorded) {
        return estimate_run(result, diag);
    }
    fk_estimate_make(&result->workload, &result->ensemble, result->prices, &result->estimate);
    return FK_OK;
}

static enum fk_err show(const struct fk_cli_cost_result *result, struct fk_diag *diag)
{
    const struct fk_cli_cost *options = result->options;
    enum fk_err err = FK_OK;
    if (options->plot != NULL) {
        err = fk_cli_cost_plot(result, options->plot, diag);
    }
    if (err == FK_OK) {
        err = options->json ? fk_cli_cost_print_json(result, stdout) : fk_cli_cost_print(result, stdout);
    }
    return err;
}

static int run_estimate(int argc, char **argv)
{
    struct fk_cli_cost options;
    struct fk_cli_cost_result result = {.options = &options};
    struct fk_prices *prices = NULL;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = fk_cli_cost_parse(argc, argv, &options, &diag);
    if (err == FK_OK && options.help) {
        (void)fputs(help, stdout);
        return FK_EXIT_OK;
    }
    if (err == FK_OK) {
        err = fk_prices_new(options.region, options.prices, &prices, &diag);
    }
    if (err == FK_OK) {
        result.prices = prices;
        err = estimate(&result, &diag);
    }
    if (err == FK_OK) {
        err = show(&result, &diag);
    }
    fk_prices_free(prices);
    if (err != FK_OK) {
        (void)fprintf(stderr, "faaskeeper cost: %s\n", diag.text[0] == '\0' ? fk_err_text(err) : diag.text);
    }
    return fk_cli_exit_code(err);
}

int fk_cli_cost(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "estimate") == 0) {
        return run_estimate(argc - 1, argv + 1);
    }
    if (argc >= 2 && strcmp(argv[1], "live") == 0) {
        return fk_cli_cost_live(argc - 1, argv + 1);
    }
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(help, stdout);
        return FK_EXIT_OK;
    }
    (void)fprintf(stderr, "faaskeeper cost: what of it? 'estimate' or 'live'; see 'faaskeeper cost --help'\n");
    return FK_EXIT_USAGE;
}
