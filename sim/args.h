// SPDX-License-Identifier: Apache-2.0
/* The command line of faaskeeper-sim. */
#ifndef SIM_ARGS_H
#define SIM_ARGS_H

#include <stdbool.h>
#include <stdint.h>

enum sim_mode {
    SIM_MODE_SEEDS,
    SIM_MODE_SEED,
    SIM_MODE_SCENARIO,
    SIM_MODE_SINGLE_FAULTS,
    SIM_MODE_PAIRS,
    SIM_MODE_INTERLEAVINGS,
    SIM_MODE_GOLDEN,
    SIM_MODE_MUTANTS,
    SIM_MODE_CHECK,
    SIM_MODE_LIST_MUTANTS,
    SIM_MODE_LIST_SCENARIOS,
    SIM_MODE_HELP,
};

struct sim_args {
    enum sim_mode mode;
    uint64_t first;
    uint64_t last;
    int64_t minutes; /* 0: as many seeds as asked for */
    int jobs;
    const char *settings; /* NULL: none */
    const char *plan;     /* a file; NULL: none */
    const char *scenario;
    const char *mutant;
    const char *history; /* a file to write */
    const char *check;   /* a file to read */
    bool trace;
    bool json;
    bool matrix;
    bool keep_going;
    bool shrink;
};

/* False, with a line on stderr, where the command line is wrong. */
bool sim_args_parse(int argc, char **argv, struct sim_args *args);
void sim_args_help(void);

#endif
