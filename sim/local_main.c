// SPDX-License-Identifier: Apache-2.0
/* faaskeeper-sim-local: the second stack alone. Seeds, one plan, the exhaustive mode, the mutants of the engine. */
#include "sim/local_exhaust.h"
#include "sim/mutants.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "usage: faaskeeper-sim-local [--seed N | --seeds A..B | --exhaustive [STEP] | --out-of-memory [STEP] |\n"
    "                             --mutants [SEEDS]]\n"
    "                            [--plan FILE] [--trace] [--mutant NAME]\n";

static struct sim_coverage coverage;

struct command {
    uint64_t first;
    uint64_t last;
    const char *plan;
    bool trace;
    uint64_t exhaustive;
    uint64_t starving;
    uint64_t mutants;
};

struct sums {
    uint64_t seeds;
    uint64_t failed;
    uint64_t operations;
    uint64_t answered;
    uint64_t faults;
    uint64_t lives;
    uint64_t refusals;
    double virtual_s;
    char promise[16]; /* the last one that was broken */
};

static void print_line(void *context, const char *line)
{
    (void)context;
    (void)puts(line);
}

static void report(const char *what, uint64_t seed, const struct sim_local_result *result)
{
    struct fk_buf plan = FK_BUF_EMPTY;
    sim_plan_print(&result->done, &plan);
    (void)printf("FAILED %s, seed %" PRIu64 ": %s: %s\n%.*s", what, seed, result->promise, result->violation,
                 (int)plan.size, (const char *)plan.data);
    fk_buf_deinit(&plan);
}

static void report_scenario(const struct sim_local_scenario *scenario, const struct sim_local_result *result)
{
    report(scenario->name, scenario->seed, result);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool run_seed(uint64_t seed, const struct sim_plan *plan, const struct command *command, struct sums *sums)
{
    struct sim_local_options options;
    struct sim_local_result result;
    sim_local_draw(seed, &options);
    bool kept = sim_local_run(seed, &options, plan, &coverage, command->trace ? print_line : NULL, NULL, &result);
    sums->seeds++;
    sums->failed += kept ? 0 : 1;
    sums->operations += result.operations;
    sums->answered += result.answered;
    sums->faults += result.faults;
    sums->lives += result.lives;
    sums->refusals += result.refusals;
    sums->virtual_s += (double)result.virtual_ns / 1e9;
    if (!kept) {
        (void)snprintf(sums->promise, sizeof sums->promise, "%s", result.promise);
    }
    if (!kept && command->mutants == 0) {
        report("promise", seed, &result);
    }
    if (command->first == command->last && command->mutants == 0) {
        (void)printf("seed %" PRIu64 ": trace hash %016" PRIx64 "\n", seed, result.hash);
    }
    sim_plan_free(&result.done);
    return kept;
}

static bool read_plan(const char *path, struct sim_plan *plan)
{
    static char text[65536];
    size_t line = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        (void)fprintf(stderr, "%s can't be read\n", path);
        return false;
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    if (!sim_plan_parse(text, plan, &line)) {
        (void)fprintf(stderr, "%s:%zu: not a line of a plan\n", path, line);
        return false;
    }
    return true;
}

static int run_seeds(const struct command *command)
{
    struct sums sums = {.seeds = 0};
    struct sim_plan plan = {.count = 0};
    double start = seconds();
    if (command->plan != NULL && !read_plan(command->plan, &plan)) {
        return 2;
    }
    for (uint64_t seed = command->first; seed <= command->last; seed++) {
        (void)run_seed(seed, command->plan != NULL ? &plan : NULL, command, &sums);
    }
    double time = seconds() - start;
    sim_plan_free(&plan);
    (void)printf("%" PRIu64 " seeds, %" PRIu64 " operations, %" PRIu64 " answers, %" PRIu64 " faults, %" PRIu64
                 " starts, %" PRIu64 " of them refused; %.0f seeds/s, %.0f times real time\n",
                 sums.seeds, sums.operations, sums.answered, sums.faults, sums.lives, sums.refusals,
                 (double)sums.seeds / time, sums.virtual_s / time);
    (void)printf("%" PRIu64 " passed, %" PRIu64 " failed, 0 skipped\n", sums.seeds - sums.failed, sums.failed);
    return sums.failed > 0 ? 1 : 0;
}

/* All scenarios with each fault, or with each request for memory refused. */
static int run_exhaustive(uint64_t step, bool starving)
{
    struct sim_local_exhausted all = {.runs = 0};
    for (size_t i = 0; i < sim_local_scenarios(); i++) {
        const struct sim_local_scenario *scenario = sim_local_scenario(i);
        struct sim_local_exhausted sum = {.runs = 0};
        double start = seconds();
        if (starving) {
            sim_local_starve(scenario, step, report_scenario, &sum);
        } else {
            sim_local_exhaust(scenario, step, &coverage, report_scenario, &sum);
        }
        (void)printf("%-32s %6" PRIu64 " calls %8" PRIu64 " faults %4" PRIu64 " failed %6.1f s\n", scenario->name,
                     sum.calls, sum.runs, sum.failed, seconds() - start);
        (void)fflush(stdout);
        all.runs += sum.runs;
        all.failed += sum.failed;
    }
    (void)printf("%" PRIu64 " passed, %" PRIu64 " failed, 0 skipped\n", all.runs - all.failed, all.failed);
    return all.failed > 0 ? 1 : 0;
}

#ifdef FK_MUTANTS

static const struct {
    const char *name;
    const char *text;
} mutants[] = {
#    define FK_MUTANT_ROW(name, text) {#    name, text},
    FK_MUTANT_TABLE(FK_MUTANT_ROW)
#    undef FK_MUTANT_ROW
};

/* Found is what a seed finds that holds without it. */
static bool find_mutant(const struct command *command, int mutant)
{
    struct sums sums = {.seeds = 0};
    bool kept = true;
    uint64_t seed = 0;
    fk_mutant_now = (enum fk_mutant)mutant;
    while (kept && seed < command->mutants) {
        kept = run_seed(++seed, NULL, command, &sums);
    }
    fk_mutant_now = FK_MUTANT_NONE;
    (void)printf("%-26s ", mutants[mutant].name);
    bool holds = kept || run_seed(seed, NULL, command, &sums);
    if (kept) {
        (void)printf("FAILED: not found in %" PRIu64 " seeds", seed);
    } else {
        (void)printf("seed %5" PRIu64 " of %5" PRIu64 "  %-7s%s", seed, command->mutants, sums.promise,
                     holds ? "" : "FAILED: that seed fails without it too");
    }
    (void)printf("  %s\n", mutants[mutant].text);
    (void)fflush(stdout);
    return !kept && holds;
}

static int run_mutants(const struct command *command)
{
    uint64_t missed = 0;
    uint64_t found = 0;
    enum fk_mutant only = fk_mutant_now;
    for (int i = SIM_MUTANT_ENGINE_FIRST; i <= SIM_MUTANT_ENGINE_LAST; i++) {
        if (only == FK_MUTANT_NONE || (int)only == i) {
            bool one = find_mutant(command, i);
            found += one ? 1 : 0;
            missed += one ? 0 : 1;
        }
    }
    (void)printf("%" PRIu64 " passed, %" PRIu64 " failed, 0 skipped\n", found, missed);
    return missed > 0 || found == 0 ? 1 : 0;
}

static bool choose_mutant(const char *name)
{
    for (int i = 0; i < FK_MUTANT_COUNT; i++) {
        if (strcmp(mutants[i].name, name) == 0) {
            fk_mutant_now = (enum fk_mutant)i;
            return true;
        }
    }
    return false;
}

#else

static int run_mutants(const struct command *command)
{
    (void)command;
    (void)fputs("this build has no mutants\n", stderr);
    return 2;
}

static bool choose_mutant(const char *name)
{
    (void)name;
    return false;
}

#endif

/* Numbers after an option that may have one. */
static uint64_t number_or(char **argv, int *at, uint64_t otherwise)
{
    const char *next = argv[*at + 1];
    if (next == NULL || next[0] < '0' || next[0] > '9') {
        return otherwise;
    }
    (*at)++;
    return strtoull(next, NULL, 10);
}

static bool parse(char **argv, struct command *command)
{
    for (int i = 1; argv[i] != NULL; i++) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--trace") == 0) {
            command->trace = true;
        } else if (strcmp(argv[i], "--exhaustive") == 0) {
            command->exhaustive = number_or(argv, &i, 1);
        } else if (strcmp(argv[i], "--out-of-memory") == 0) {
            command->starving = number_or(argv, &i, 1);
        } else if (strcmp(argv[i], "--mutants") == 0) {
            command->mutants = number_or(argv, &i, 20000);
        } else if (value == NULL) {
            return false;
        } else if (strcmp(argv[i], "--seed") == 0) {
            command->first = command->last = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seeds") == 0) {
            char *end = NULL;
            command->first = strtoull(argv[++i], &end, 10);
            command->last = strncmp(end, "..", 2) == 0 ? strtoull(end + 2, NULL, 10) : command->first;
        } else if (strcmp(argv[i], "--plan") == 0) {
            command->plan = argv[++i];
        } else if (strcmp(argv[i], "--mutant") == 0) {
            if (!choose_mutant(argv[++i])) {
                return false;
            }
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct command command = {.first = 1, .last = 100};
    (void)argc;
    if (!parse(argv, &command)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (command.mutants > 0) {
        return run_mutants(&command);
    }
    if (command.exhaustive > 0 || command.starving > 0) {
        bool starving = command.starving > 0;
        return run_exhaustive(starving ? command.starving : command.exhaustive, starving);
    }
    return run_seeds(&command);
}
