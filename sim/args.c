// SPDX-License-Identifier: Apache-2.0
#include "sim/args.h"

#include "sim/campaign.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum choice {
    OPTION_SEED = 1,
    OPTION_SEEDS,
    OPTION_MINUTES,
    OPTION_JOBS,
    OPTION_SET,
    OPTION_PLAN,
    OPTION_TRACE,
    OPTION_HISTORY,
    OPTION_CHECK,
    OPTION_GOLDEN,
    OPTION_SCENARIO,
    OPTION_LIST_SCENARIOS,
    OPTION_SINGLE_FAULTS,
    OPTION_PAIRS,
    OPTION_INTERLEAVINGS,
    OPTION_MUTANTS,
    OPTION_MUTANT,
    OPTION_LIST_MUTANTS,
    OPTION_MATRIX,
    OPTION_KEEP_GOING,
    OPTION_NO_SHRINK,
    OPTION_JSON,
    OPTION_HELP,
};

void sim_args_help(void)
{
    struct fk_buf names = FK_BUF_EMPTY;
    sim_options_help(&names);
    (void)printf(
        "usage: faaskeeper-sim [--seed N | --seeds A..B | --scenario NAME | --single-faults] [options]\n"
        "\n"
        "Runs FaaSKeeper's functions and gateways on virtual time, over services that fail, and decides whether the\n"
        "contract held. One seed is one run; the same seed is always the same run.\n"
        "\n"
        "  --seed N          one run; prints its options and the hash of its trace\n"
        "  --seeds A..B      all of them (default: 1..1000)\n"
        "  --minutes N       seeds from A on, for so long\n"
        "  --jobs N          processes (default: one for each core)\n"
        "  --set K=V,...     settings instead of what the seed draws (below)\n"
        "  --plan FILE       with --seed or --scenario: the faults of this file, and no others\n"
        "  --trace           with --seed or --scenario: print what happens\n"
        "  --history FILE    with --seed or --scenario: write what the clients saw\n"
        "  --golden NAME     a scenario in words: what each client, gateway and function says and writes\n"
        "  --check FILE      judge a history that was recorded, from a real server too\n"
        "  --scenario NAME   a script instead of the random workload\n"
        "  --list-scenarios\n"
        "  --single-faults   every fault at every call of every scenario (of one: with --scenario)\n"
        "  --pairs           every pair of them, of small scenarios\n"
        "  --interleavings   every schedule with up to two preemptions, of scenarios that race\n"
        "  --mutant NAME     with a seeded design bug; wants a build with -Dmutants=true\n"
        "  --mutants         each seeded design bug in turn (with --mutant: one), until one of the seeds finds it\n"
        "  --list-mutants\n"
        "  --matrix          print the matrix site x fault\n"
        "  --keep-going      do not stop at the first failure\n"
        "  --no-shrink       do not make a failing run small\n"
        "  --json            figures as one line of JSON\n"
        "\n"
        "A failing run is printed with what repeats it. Exit code 0: all held, 1: not, 2: usage.\n"
        "\n"
        "Settings:\n%.*s",
        (int)names.size, (const char *)names.data);
    fk_buf_deinit(&names);
}

static bool number(const char *text, uint64_t *value, const char **end)
{
    char *stop = NULL;
    errno = 0;
    *value = strtoull(text, &stop, 10);
    *end = stop;
    return stop != text && errno == 0 && *text != '-';
}

static bool whole_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    const char *end = NULL;
    return number(text, value, &end) && *end == '\0' && *value >= min && *value <= max;
}

static bool range(const char *text, struct sim_args *args)
{
    const char *end = NULL;
    return number(text, &args->first, &end) && strncmp(end, "..", 2) == 0 &&
           whole_number(end + 2, args->first, UINT64_MAX / 2, &args->last);
}

/* An option with a number. */
static bool take_number(struct sim_args *args, enum choice option, const char *value)
{
    uint64_t parsed = 0;
    switch ((int)option) {
    case OPTION_SEED:
        args->mode = SIM_MODE_SEED;
        return whole_number(value, 0, UINT64_MAX / 2, &args->first);
    case OPTION_SEEDS:
        return range(value, args);
    case OPTION_MINUTES:
        if (!whole_number(value, 1, 100000, &parsed)) {
            return false;
        }
        args->minutes = (int64_t)parsed;
        return true;
    default:
        if (!whole_number(value, 1, SIM_JOBS_MAX, &parsed)) {
            return false;
        }
        args->jobs = (int)parsed;
        return true;
    }
}

static void take_text(struct sim_args *args, enum choice option, const char *value)
{
    switch ((int)option) {
    case OPTION_SET:
        args->settings = value;
        break;
    case OPTION_PLAN:
        args->plan = value;
        break;
    case OPTION_HISTORY:
        args->history = value;
        break;
    case OPTION_CHECK:
        args->check = value;
        args->mode = SIM_MODE_CHECK;
        break;
    case OPTION_GOLDEN:
        args->scenario = value;
        args->mode = SIM_MODE_GOLDEN;
        break;
    case OPTION_SCENARIO:
        args->scenario = value;
        args->mode = args->mode == SIM_MODE_SEEDS ? SIM_MODE_SCENARIO : args->mode;
        break;
    default:
        args->mutant = value;
        break;
    }
}

static void take_flag(struct sim_args *args, enum choice option)
{
    switch ((int)option) {
    case OPTION_TRACE:
        args->trace = true;
        break;
    case OPTION_JSON:
        args->json = true;
        break;
    case OPTION_MATRIX:
        args->matrix = true;
        break;
    case OPTION_KEEP_GOING:
        args->keep_going = true;
        break;
    case OPTION_NO_SHRINK:
        args->shrink = false;
        break;
    case OPTION_SINGLE_FAULTS:
        args->mode = SIM_MODE_SINGLE_FAULTS;
        break;
    case OPTION_PAIRS:
        args->mode = SIM_MODE_PAIRS;
        break;
    case OPTION_INTERLEAVINGS:
        args->mode = SIM_MODE_INTERLEAVINGS;
        break;
    case OPTION_MUTANTS:
        args->mode = SIM_MODE_MUTANTS;
        break;
    case OPTION_LIST_MUTANTS:
        args->mode = SIM_MODE_LIST_MUTANTS;
        break;
    case OPTION_LIST_SCENARIOS:
        args->mode = SIM_MODE_LIST_SCENARIOS;
        break;
    default:
        args->mode = SIM_MODE_HELP;
        break;
    }
}

static bool take(struct sim_args *args, int option, const char *name, const char *value)
{
    if (option >= OPTION_SEED && option <= OPTION_JOBS) {
        if (!take_number(args, (enum choice)option, value)) {
            (void)fprintf(stderr, "faaskeeper-sim: --%s does not take '%s'\n", name, value);
            return false;
        }
    } else if (value != NULL) {
        take_text(args, (enum choice)option, value);
    } else {
        take_flag(args, (enum choice)option);
    }
    return true;
}

static const struct option options[] = {
    {"seed", required_argument, NULL, OPTION_SEED},
    {"seeds", required_argument, NULL, OPTION_SEEDS},
    {"minutes", required_argument, NULL, OPTION_MINUTES},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"set", required_argument, NULL, OPTION_SET},
    {"plan", required_argument, NULL, OPTION_PLAN},
    {"trace", no_argument, NULL, OPTION_TRACE},
    {"history", required_argument, NULL, OPTION_HISTORY},
    {"check", required_argument, NULL, OPTION_CHECK},
    {"golden", required_argument, NULL, OPTION_GOLDEN},
    {"scenario", required_argument, NULL, OPTION_SCENARIO},
    {"list-scenarios", no_argument, NULL, OPTION_LIST_SCENARIOS},
    {"single-faults", no_argument, NULL, OPTION_SINGLE_FAULTS},
    {"pairs", no_argument, NULL, OPTION_PAIRS},
    {"interleavings", no_argument, NULL, OPTION_INTERLEAVINGS},
    {"mutants", no_argument, NULL, OPTION_MUTANTS},
    {"mutant", required_argument, NULL, OPTION_MUTANT},
    {"list-mutants", no_argument, NULL, OPTION_LIST_MUTANTS},
    {"matrix", no_argument, NULL, OPTION_MATRIX},
    {"keep-going", no_argument, NULL, OPTION_KEEP_GOING},
    {"no-shrink", no_argument, NULL, OPTION_NO_SHRINK},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static int cores(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > SIM_JOBS_MAX ? SIM_JOBS_MAX : (int)count;
}

bool sim_args_parse(int argc, char **argv, struct sim_args *args)
{
    *args = (struct sim_args){.mode = SIM_MODE_SEEDS, .first = 1, .last = 1000, .jobs = cores(), .shrink = true};
    int option;
    int row = 0;
    while ((option = getopt_long(argc, argv, "", options, &row)) != -1) {
        if (option == '?' || !take(args, option, options[row].name, optarg)) {
            return false;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "faaskeeper-sim: what is '%s'? See --help\n", argv[optind]);
        return false;
    }
    if ((args->plan != NULL || args->trace || args->history != NULL) && args->mode != SIM_MODE_SEED &&
        args->mode != SIM_MODE_SCENARIO) {
        (void)fprintf(stderr, "faaskeeper-sim: --plan, --trace and --history want --seed or --scenario\n");
        return false;
    }
    if (args->minutes > 0) {
        args->last = UINT64_MAX / 2;
    }
    return true;
}
