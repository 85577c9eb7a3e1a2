// SPDX-License-Identifier: Apache-2.0
#include "sim/args.h"
#include "sim/exhaustive.h"
#include "sim/mutants.h"
#include "sim/report.h"
#include "sim/shrink.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_HELD = 0,
    EXIT_BROKEN = 1,
    EXIT_USAGE = 2,
    SHRINK_SECONDS = 60,
    EXPLAINED_MAX = 3, /* failures of a campaign that are made small */
};

static struct sim_totals totals;

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- one run --- */

static void print_options(const struct sim_options *options, const char *scenario)
{
    struct fk_buf text = FK_BUF_EMPTY;
    sim_options_print(options, &text);
    if (scenario != NULL) {
        (void)printf("--scenario %s --set %.*s\n", scenario, (int)text.size, (const char *)text.data);
    } else {
        (void)printf("--seed %" PRIu64 " --set %.*s\n", options->seed, (int)text.size, (const char *)text.data);
    }
    fk_buf_deinit(&text);
}

static void print_plan(const struct sim_plan *plan)
{
    struct fk_buf text = FK_BUF_EMPTY;
    sim_plan_print(plan, &text);
    (void)printf("%.*s", (int)text.size, text.data == NULL ? "" : (const char *)text.data);
    fk_buf_deinit(&text);
}

/* Says what was broken, and what repeats it with as little as possible. */
static void report_failure(const struct sim_args *args, struct sim_case *one, const char *promise, const char *text)
{
    const char *scenario = one->scenario == NULL ? NULL : one->scenario->name;
    uint64_t runs = 0;
    (void)printf("BROKEN: %s, %s\n  %s\n", promise, sim_promise_text(promise), text);
    print_options(&one->options, scenario);
    if (!one->planned) {
        (void)printf("the process died before it could say which faults had happened\n");
        return;
    }
    size_t faults = one->plan.count;
    if (args->shrink && !sim_shrink(&one->options, one->scenario, &one->plan, promise, SHRINK_SECONDS, &runs)) {
        (void)printf("its plan alone does not break it again; all %zu faults:\n", faults);
    } else if (args->shrink) {
        (void)printf("%zu of %zu faults are needed (%" PRIu64 " tries); --plan FILE with\n", one->plan.count, faults,
                     runs);
        print_options(&one->options, scenario);
    }
    print_plan(&one->plan);
}

static void print_line(void *context, const char *line)
{
    (void)context;
    (void)puts(line);
}

/* Runs it here; false after a violation, which is reported. */
static bool run_here(const struct sim_args *args, struct sim_case *one, FILE *history)
{
    struct sim_run_result result;
    struct sim_run_input input = {.options = &one->options,
                                  .scenario = one->scenario,
                                  .plan = one->planned ? &one->plan : NULL,
                                  .coverage = &totals.coverage,
                                  .sink = args->trace ? print_line : NULL,
                                  .history = history};
    sim_run(&input, &result);
    sim_totals_add(&totals, &result);
    (void)printf("trace %016" PRIx64 ", %" PRIu64 " operations, %zu faults, %.3f virtual s\n", result.hash,
                 result.operations, result.plan.count, (double)result.virtual_ns / 1e9);
    if (result.promise != NULL) {
        totals.failed++;
        sim_plan_free(&one->plan);
        one->plan = result.plan;
        one->planned = true;
        report_failure(args, one, result.promise, result.text);
        return false;
    }
    sim_plan_free(&result.plan);
    return true;
}

static bool read_plan(const char *path, struct sim_plan *plan)
{
    static char text[1 << 20];
    size_t line = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)fprintf(stderr, "faaskeeper-sim: cannot read %s\n", path);
        return false;
    }
    size_t size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[size] = '\0';
    if (!sim_plan_parse(text, plan, &line)) {
        (void)fprintf(stderr, "faaskeeper-sim: %s:%zu is no fault\n", path, line);
        return false;
    }
    return true;
}

static bool prepare_one(const struct sim_args *args, struct sim_case *one)
{
    char wrong[64];
    bool fine = true;
    if (args->scenario != NULL) {
        one->scenario = sim_scenario_find(args->scenario);
        fine = sim_options_scenario(&one->options, one->scenario, 1, args->settings, wrong, sizeof wrong);
    } else {
        fine = sim_options_draw(&one->options, args->first, args->settings, wrong, sizeof wrong);
    }
    if (!fine) {
        (void)fprintf(stderr, "faaskeeper-sim: '%s' is no setting\n", wrong);
        return false;
    }
    one->planned = args->plan != NULL;
    return args->plan == NULL || read_plan(args->plan, &one->plan);
}

static int run_one(const struct sim_args *args)
{
    static struct sim_case one;
    if (!prepare_one(args, &one)) {
        return EXIT_USAGE;
    }
    FILE *history = NULL;
    if (args->history != NULL && (history = fopen(args->history, "w")) == NULL) {
        (void)fprintf(stderr, "faaskeeper-sim: cannot write %s\n", args->history);
        return EXIT_USAGE;
    }
    print_options(&one.options, args->scenario);
    bool held = run_here(args, &one, history);
    if (history != NULL) {
        (void)fclose(history);
    }
    if (args->matrix) {
        sim_report_matrix(&totals.coverage);
    }
    sim_plan_free(&one.plan);
    sim_report_verdict(held, !held, 0);
    return held ? EXIT_HELD : EXIT_BROKEN;
}

/* A scenario without faults, in words. */
static int run_golden(const struct sim_args *args)
{
    static struct sim_case one;
    struct sim_run_result result;
    struct sim_golden *golden = sim_golden_new(stdout);
    if (golden == NULL || !prepare_one(args, &one)) {
        sim_golden_free(golden);
        return EXIT_USAGE;
    }
    struct sim_run_input input = {.options = &one.options,
                                  .scenario = one.scenario,
                                  .plan = one.planned ? &one.plan : NULL,
                                  .coverage = &totals.coverage,
                                  .sink = sim_golden_line,
                                  .sink_context = golden,
                                  .golden = golden};
    (void)printf("%s: %s\n\n", one.scenario->name, one.scenario->what);
    sim_run(&input, &result);
    sim_golden_free(golden);
    sim_plan_free(&result.plan);
    sim_plan_free(&one.plan);
    return result.promise == NULL ? EXIT_HELD : EXIT_BROKEN;
}

/* --- many --- */

static void prepare_seed(void *context, uint64_t index, struct sim_case *one)
{
    const struct sim_args *args = (const struct sim_args *)context;
    char wrong[64];
    (void)sim_options_draw(&one->options, index, args->settings, wrong, sizeof wrong);
}

static void list_failures(void)
{
    for (uint64_t i = 0; i < totals.failure_count; i++) {
        const struct sim_failure *failure = &totals.failures[i];
        (void)printf("broken: run %" PRIu64 ", %s: %s\n", failure->index, failure->promise, failure->text);
    }
}

/* The first failures of a campaign once more, one by one, made small. */
static void explain(const struct sim_args *args, const struct sim_campaign_options *campaign)
{
    static struct sim_case one;
    for (uint64_t i = 0; i < totals.failure_count && i < EXPLAINED_MAX; i++) {
        const struct sim_failure *failure = &totals.failures[i];
        one = (struct sim_case){0};
        campaign->prepare(campaign->context, failure->index, &one);
        if (one.scenario == NULL) {
            (void)printf("seed %" PRIu64 "\n", failure->index);
        }
        if (strcmp(failure->promise, "harness") == 0 && !one.planned) {
            report_failure(args, &one, failure->promise, failure->text);
            continue;
        }
        if (!one.planned) {
            struct sim_run_result result;
            struct sim_run_input input = {.options = &one.options, .coverage = &totals.coverage};
            sim_run(&input, &result);
            one.plan = result.plan;
            one.planned = true;
        }
        report_failure(args, &one, failure->promise, failure->text);
        sim_plan_free(&one.plan);
    }
}

static int run_campaign(const struct sim_args *args, struct sim_campaign_options *campaign)
{
    double start = seconds_now();
    campaign->jobs = args->jobs;
    campaign->fail_max = args->keep_going ? 0 : 1;
    campaign->progress = isatty(STDERR_FILENO) == 1;
    if (!sim_campaign(campaign, &totals)) {
        (void)fprintf(stderr, "faaskeeper-sim: cannot start its processes\n");
        return EXIT_BROKEN;
    }
    double seconds = seconds_now() - start;
    list_failures();
    explain(args, campaign);
    if (args->matrix) {
        sim_report_matrix(&totals.coverage);
    }
    if (args->json) {
        sim_report_json(&totals, seconds);
    } else {
        sim_report(&totals, seconds);
    }
    sim_report_verdict(totals.seeds - totals.failed, totals.failed, 0);
    return totals.failed == 0 ? EXIT_HELD : EXIT_BROKEN;
}

static int run_seeds(struct sim_args *args)
{
    struct sim_options options;
    char wrong[64];
    if (!sim_options_draw(&options, 1, args->settings, wrong, sizeof wrong)) {
        (void)fprintf(stderr, "faaskeeper-sim: '%s' is no setting\n", wrong);
        return EXIT_USAGE;
    }
    struct sim_campaign_options campaign = {.first = args->first,
                                            .last = args->last,
                                            .seconds = args->minutes * 60,
                                            .prepare = prepare_seed,
                                            .context = args,
                                            .repeat_every = 100};
    return run_campaign(args, &campaign);
}

static int run_exhaustive(const struct sim_args *args, enum sim_exhaustive_kind kind)
{
    const struct sim_scenario *only = args->scenario == NULL ? NULL : sim_scenario_find(args->scenario);
    struct sim_exhaustive *all = sim_exhaustive_new(kind, only, args->settings);
    uint64_t count = sim_exhaustive_count(all);
    (void)printf("%" PRIu64 " scenarios, %" PRIu64 " cases\n", sim_exhaustive_scenarios(all), count);
    struct sim_campaign_options campaign = {
        .first = 0, .last = count - 1, .seconds = args->minutes * 60, .prepare = sim_exhaustive_case, .context = all};
    int status = count == 0 ? EXIT_BROKEN : run_campaign(args, &campaign);
    sim_exhaustive_free(all);
    return status;
}

static int run_mutants(const struct sim_args *args)
{
    struct sim_options options;
    struct sim_mutants_sums sums = {.found = 0};
    char wrong[64];
    if (!sim_options_draw(&options, 1, args->settings, wrong, sizeof wrong)) {
        (void)fprintf(stderr, "faaskeeper-sim: '%s' is no setting\n", wrong);
        return EXIT_USAGE;
    }
    if (!sim_mutant_choose("NONE")) {
        return EXIT_USAGE;
    }
    struct sim_mutants_options mutants = {.first = args->first,
                                          .seeds_max = args->last - args->first + 1,
                                          .jobs = args->jobs,
                                          .settings = args->settings,
                                          .only = args->mutant};
    sim_mutants_run(&mutants, &sums);
    sim_report_verdict(sums.found, sums.missed, sums.covered);
    return sums.missed == 0 && sums.found > 0 ? EXIT_HELD : EXIT_BROKEN;
}

/* --- histories --- */

static void print_violation(void *context, const char *promise, const char *text)
{
    (void)context;
    (void)printf("BROKEN: %s, %s\n  %s\n", promise, sim_promise_text(promise), text);
}

static int check_file(const struct sim_args *args)
{
    static struct sim_history history;
    struct fk_diag diag = {{0}};
    FILE *file = fopen(args->check, "r");
    if (file == NULL) {
        (void)fprintf(stderr, "faaskeeper-sim: cannot read %s\n", args->check);
        return EXIT_USAGE;
    }
    sim_history_init(&history);
    enum fk_err err = sim_history_read(&history, file, &diag);
    (void)fclose(file);
    if (err != FK_OK) {
        (void)fprintf(stderr, "faaskeeper-sim: %s: %s\n", args->check, diag.text);
        return EXIT_USAGE;
    }
    struct sim_check_options options = {.extended_types = true};
    struct sim_check_counts counts;
    size_t broken = sim_check(&history, &options, &counts, print_violation, NULL);
    (void)printf("judged: %zu requests, %zu writes, %zu reads, %zu watches, %zu events, %zu sessions\n",
                 counts.requests, counts.writes, counts.reads, counts.watches, counts.events, counts.sessions);
    if (counts.undecided && broken == 0) {
        (void)printf("undecided: too many orders of the writes without an answer\n");
    }
    sim_history_deinit(&history);
    sim_report_verdict(broken == 0 && !counts.undecided, broken != 0, broken == 0 && counts.undecided);
    return broken == 0 ? EXIT_HELD : EXIT_BROKEN;
}

static void list_scenarios(void)
{
    const struct sim_scenario *scenario;
    for (size_t i = 0; (scenario = sim_scenario_at(i)) != NULL; i++) {
        (void)printf("%-28s %s\n", scenario->name, scenario->what);
    }
}

int main(int argc, char **argv)
{
    struct sim_args args;
    if (!sim_args_parse(argc, argv, &args) || (args.mutant != NULL && !sim_mutant_choose(args.mutant))) {
        return EXIT_USAGE;
    }
    if (args.scenario != NULL && sim_scenario_find(args.scenario) == NULL) {
        (void)fprintf(stderr, "faaskeeper-sim: no scenario is called '%s'; see --list-scenarios\n", args.scenario);
        return EXIT_USAGE;
    }
    switch (args.mode) {
    case SIM_MODE_SEEDS:
        return run_seeds(&args);
    case SIM_MODE_SEED:
    case SIM_MODE_SCENARIO:
        return run_one(&args);
    case SIM_MODE_GOLDEN:
        return run_golden(&args);
    case SIM_MODE_SINGLE_FAULTS:
        return run_exhaustive(&args, SIM_SINGLE_FAULTS);
    case SIM_MODE_PAIRS:
        return run_exhaustive(&args, SIM_PAIRS);
    case SIM_MODE_INTERLEAVINGS:
        return run_exhaustive(&args, SIM_INTERLEAVINGS);
    case SIM_MODE_MUTANTS:
        return run_mutants(&args);
    case SIM_MODE_CHECK:
        return check_file(&args);
    case SIM_MODE_LIST_MUTANTS:
        sim_mutants_list();
        return EXIT_HELD;
    case SIM_MODE_LIST_SCENARIOS:
        list_scenarios();
        return EXIT_HELD;
    case SIM_MODE_HELP:
        sim_args_help();
        return EXIT_HELD;
    }
    return EXIT_USAGE;
}
