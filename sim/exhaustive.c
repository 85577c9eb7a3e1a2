// SPDX-License-Identifier: Apache-2.0
#include "sim/exhaustive.h"

#include "base/assert.h"

#include <stdlib.h>

struct group {
    const struct sim_scenario *scenario;
    struct sim_plan cases; /* one fault each */
    uint64_t first;        /* index of its first case */
};

struct sim_exhaustive {
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

/* Each kind that makes sense at a call is a case. */
static void add_cases(struct group *group, const struct sim_planned *call, const struct sim_swarm *swarm)
{
    uint64_t kinds = (uint64_t)call->fault.argument & ~SIM_FAULT_BIT(NONE);
    for (; kinds != 0; kinds &= kinds - 1) {
        struct sim_planned one = *call;
        one.fault.kind = (enum sim_fault_kind)__builtin_ctzll(kinds);
        one.fault.argument = sim_fault_usual(one.fault.kind, swarm);
        sim_plan_add(&group->cases, &one);
    }
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
    for (size_t i = 0; i < calls.count; i++) {
        add_cases(group, &calls.faults[i], &options.swarm);
    }
    all->cases += group->cases.count;
    sim_plan_free(&calls);
    sim_plan_free(&result.plan);
}

struct sim_exhaustive *sim_exhaustive_new(const struct sim_scenario *only, const char *settings)
{
    struct sim_exhaustive *all = calloc(1, sizeof *all);
    FK_ASSERT(all != NULL);
    all->settings = settings;
    const struct sim_scenario *scenario;
    for (size_t i = 0; (scenario = sim_scenario_at(i)) != NULL; i++) {
        if (only == NULL || only == scenario) {
            add_group(all, scenario);
        }
    }
    return all;
}

void sim_exhaustive_free(struct sim_exhaustive *all)
{
    for (size_t i = 0; i < all->count; i++) {
        sim_plan_free(&all->groups[i].cases);
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
    sim_plan_add(&one->plan, &group->cases.faults[index - group->first]);
}
