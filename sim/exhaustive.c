// SPDX-License-Identifier: Apache-2.0
#include "sim/exhaustive.h"

#include "base/assert.h"

#include <stdlib.h>

struct group {
    const struct sim_scenario *scenario;
    struct sim_plan faults; /* that can happen in it */
    uint64_t first;         /* index of its first case */
};

struct sim_exhaustive {
    enum sim_exhaustive_kind kind;
    const char *settings;
    struct group *groups;
    size_t count;
    uint64_t cases;
};

static void draw(const struct sim_exhaustive *all, const struct sim_scenario *scenario, struct sim_options *options)
{
    char wrong[64];
    bool fine = sim_options_scenario(options, scenario, 1, all->settings, wrong, sizeof wrong);
    FK_ASSERT(fine);
}

/* Each kind that makes sense at a call. */
static void add_faults(struct group *group, const struct sim_planned *call, uint64_t wanted,
                       const struct sim_swarm *swarm)
{
    uint64_t kinds = (uint64_t)call->fault.argument & wanted;
    for (; kinds != 0; kinds &= kinds - 1) {
        struct sim_planned one = *call;
        one.fault.kind = (enum sim_fault_kind)__builtin_ctzll(kinds);
        one.fault.argument = sim_fault_usual(one.fault.kind, swarm);
        sim_plan_add(&group->faults, &one);
    }
}

/* Pairs come behind the single ones, where both are tried. */
static uint64_t count_cases(enum sim_exhaustive_kind kind, uint64_t faults)
{
    uint64_t pairs = faults * (faults - (faults > 0)) / 2;
    return kind == SIM_SINGLE_FAULTS ? faults : kind == SIM_PAIRS ? pairs : faults + pairs;
}

static void add_group(struct sim_exhaustive *all, const struct sim_scenario *scenario)
{
    static struct sim_coverage coverage;
    struct sim_options options;
    struct sim_run_result result;
    struct sim_plan calls = {0};
    all->groups = realloc(all->groups, (all->count + 1) * sizeof *all->groups);
    FK_ASSERT(all->groups != NULL);
    struct group *group = &all->groups[all->count++];
    *group = (struct group){.scenario = scenario, .first = all->cases};
    draw(all, scenario, &options);
    struct sim_run_input input = {.options = &options, .scenario = scenario, .coverage = &coverage, .calls = &calls};
    sim_run(&input, &result);
    const uint64_t wanted = all->kind == SIM_INTERLEAVINGS ? SIM_FAULT_BIT(DELAY) : ~SIM_FAULT_BIT(NONE);
    for (size_t i = 0; i < calls.count; i++) {
        add_faults(group, &calls.faults[i], wanted, &options.swarm);
    }
    all->cases += count_cases(all->kind, group->faults.count);
    sim_plan_free(&calls);
    sim_plan_free(&result.plan);
}

static bool takes_part(enum sim_exhaustive_kind kind, const struct sim_scenario *scenario)
{
    return kind == SIM_SINGLE_FAULTS || (kind == SIM_PAIRS ? scenario->small : scenario->race);
}

struct sim_exhaustive *sim_exhaustive_new(enum sim_exhaustive_kind kind, const struct sim_scenario *only,
                                          const char *settings)
{
    struct sim_exhaustive *all = calloc(1, sizeof *all);
    FK_ASSERT(all != NULL);
    all->kind = kind;
    all->settings = settings;
    const struct sim_scenario *scenario;
    for (size_t i = 0; (scenario = sim_scenario_at(i)) != NULL; i++) {
        if (only == NULL ? takes_part(kind, scenario) : only == scenario) {
            add_group(all, scenario);
        }
    }
    return all;
}

void sim_exhaustive_free(struct sim_exhaustive *all)
{
    for (size_t i = 0; i < all->count; i++) {
        sim_plan_free(&all->groups[i].faults);
    }
    free(all->groups);
    free(all);
}

uint64_t sim_exhaustive_count(const struct sim_exhaustive *all)
{
    return all->cases;
}

uint64_t sim_exhaustive_scenarios(const struct sim_exhaustive *all)
{
    return all->count;
}

/* The pairs in the order (0,1) (0,2) (1,2) (0,3) ... */
static void add_pair(const struct group *group, uint64_t pair, struct sim_plan *plan)
{
    uint64_t second = 1;
    while (pair >= second) {
        pair -= second++;
    }
    sim_plan_add(plan, &group->faults.faults[pair]);
    sim_plan_add(plan, &group->faults.faults[second]);
}

void sim_exhaustive_case(void *context, uint64_t index, struct sim_case *one)
{
    const struct sim_exhaustive *all = context;
    size_t at = all->count - 1;
    while (all->groups[at].first > index) {
        at--;
    }
    const struct group *group = &all->groups[at];
    one->scenario = group->scenario;
    one->planned = true;
    draw(all, group->scenario, &one->options);
    uint64_t at_case = index - group->first;
    if (all->kind != SIM_PAIRS && at_case < group->faults.count) {
        sim_plan_add(&one->plan, &group->faults.faults[at_case]);
    } else {
        add_pair(group, all->kind == SIM_PAIRS ? at_case : at_case - group->faults.count, &one->plan);
    }
}
