// SPDX-License-Identifier: Apache-2.0
/* Many seeds on several cores: each worker is a process of its own, so that one that dies says no more than "this seed
 * failed". What they found is summed here. */
#ifndef SIM_CAMPAIGN_H
#define SIM_CAMPAIGN_H

#include "base/mark.h"
#include "sim/run.h"

enum {
    SIM_JOBS_MAX = 64,
    SIM_FAILURES_MAX = 200,
};

struct sim_failure {
    uint64_t index;
    char promise[16];
    char text[400];
};

struct sim_totals {
    uint64_t seeds;
    uint64_t failed;
    uint64_t operations;
    uint64_t faults;
    uint64_t invocations;
    uint64_t virtual_ns;
    uint64_t cpu_ns;
    uint64_t no_code;
    uint64_t repeated; /* seeds that ran twice, to compare */
    uint64_t actions[SIM_ACTION_COUNT];
    uint64_t kinds_met[SIM_ACTION_COUNT]; /* mask of the fault kinds of the runs that had the action */
    uint64_t marks[FK_MARK_COUNT];
    struct sim_check_counts checked;
    struct sim_failure failures[SIM_FAILURES_MAX]; /* the first ones */
    uint64_t failure_count;                        /* of those kept */
    struct sim_coverage coverage;
};

/* One run of a campaign: what the caller makes of its index (a seed, or a case of an exhaustive mode). */
struct sim_case {
    struct sim_options options;
    const struct sim_scenario *scenario; /* NULL: the random workload */
    bool planned;
    struct sim_plan plan; /* where it is planned; freed by the campaign */
};
typedef void (*sim_case_fn)(void *context, uint64_t index, struct sim_case *one);

struct sim_campaign_options {
    uint64_t first;
    uint64_t last;       /* included */
    int64_t seconds;     /* 0: no limit */
    int jobs;            /* 1 to SIM_JOBS_MAX */
    uint64_t fail_max;   /* stop after so many failures; 0: go on */
    sim_case_fn prepare; /* fills a zeroed case; called in the workers */
    void *context;
    int repeat_every; /* of so many runs one is done twice, to compare; 0: none */
    bool progress;    /* a line on stderr that says how far it is */
};

/* False without the memory or processes that it needs. */
bool sim_campaign(const struct sim_campaign_options *options, struct sim_totals *totals);
/* Adds a run to totals. */
void sim_totals_add(struct sim_totals *totals, const struct sim_run_result *result);
/* Cells of the matrix site x fault: those that make sense, and those that happened. */
void sim_coverage_cells(const struct sim_coverage *coverage, uint64_t *cells, uint64_t *covered);

#endif
