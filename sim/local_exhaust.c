// SPDX-License-Identifier: Apache-2.0
#include "sim/local_exhaust.h"

#include "base/assert.h"
#include "sim/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* What is 0 in a scenario is filled in: few operations in small files, so that each kind of work comes up. */
static const struct sim_local_scenario scenarios[] = {
    {.name = "first-start", .seed = 1, .options = {.operations = 1}},
    {.name = "rounds", .seed = 2, .options = {0}},
    {.name = "rounds-on-the-loop", .seed = 3, .options = {.inline_percent = 100}},
    {.name = "checkpoint", .seed = 4, .options = {.checkpoint_size = 1}},
    {.name = "checkpoint-by-time", .seed = 5, .options = {.checkpoint_ms = 10, .think_ms = 20}},
    {.name = "new-segments", .seed = 6, .options = {.operations = 40, .data_max = 600, .segment_size = 4500}},
    {.name = "segments-and-checkpoints",
     .seed = 7,
     .options = {.operations = 40, .data_max = 600, .segment_size = 4500, .checkpoint_size = 2000}},
    {.name = "idle-log", .seed = 8, .options = {.think_ms = 300, .inline_percent = 50}},
    {.name = "clean-restarts", .seed = 9, .options = {.restarts = 150000, .checkpoint_size = 1}},
    {.name = "short-log", .seed = 10, .options = {.log_size_max = 600, .checkpoint_size = 1}},
    {.name = "one-session", .seed = 11, .options = {.clients = 1, .pipeline = 1, .inline_percent = 100}},
    {.name = "after-power-loss",
     .seed = 12,
     .before = "server.loop-log.file.sync 4 power-after 7\n",
     .options = {.inline_percent = 100}},
    {.name = "after-a-torn-frame",
     .seed = 13,
     .before = "server.loop-log.file.write 4 crash-torn 500\n",
     .options = {.inline_percent = 100}},
    {.name = "after-a-failed-sync",
     .seed = 14,
     .before = "server.loop-log.file.sync 4 sync-fails 0\n",
     .options = {.inline_percent = 100}},
    {.name = "after-a-failed-sync-of-the-wal",
     .seed = 15,
     .before = "server.checkpoint-wal.file.sync 1 sync-fails 0\n",
     .options = {.checkpoint_size = 1, .restarts = 50000}},
    {.name = "after-half-a-checkpoint",
     .seed = 16,
     .before = "server.checkpoint-checkpoint.file.write 1 power-after 1\n",
     .options = {.checkpoint_size = 1}},
};

size_t sim_local_scenarios(void)
{
    return sizeof scenarios / sizeof scenarios[0];
}

const struct sim_local_scenario *sim_local_scenario(size_t index)
{
    return &scenarios[index];
}

/* One search through a scenario. */
struct search {
    const struct sim_local_scenario *scenario;
    struct sim_local_options options;
    struct sim_plan before;
    struct sim_coverage *coverage;
    void (*report)(const struct sim_local_scenario *scenario, const struct sim_local_result *result);
    struct sim_local_exhausted *sum;
};

static struct sim_local_options filled(const struct sim_local_scenario *scenario)
{
    struct sim_local_options options = scenario->options;
    options.operations += options.operations == 0 ? 14 : 0;
    options.clients += options.clients == 0 ? 2 : 0;
    options.pipeline += options.pipeline == 0 ? 3 : 0;
    options.paths += options.paths == 0 ? 3 : 0;
    options.data_max += options.data_max == 0 ? 40 : 0;
    options.think_ms += options.think_ms == 0 ? 5 : 0;
    options.segment_size += options.segment_size == 0 ? 4096 : 0;
    options.checkpoint_size += options.checkpoint_size == 0 ? 30000 : 0;
    options.checkpoint_ms += options.checkpoint_ms == 0 ? 5000 : 0;
    options.log_size_max += options.log_size_max == 0 ? 1000000 : 0;
    return options;
}

static void try_fault(struct search *search, const struct sim_planned *fault)
{
    struct sim_plan plan = {.count = 0};
    struct sim_local_result result;
    for (size_t i = 0; i < search->before.count; i++) {
        sim_plan_add(&plan, &search->before.faults[i]);
    }
    sim_plan_add(&plan, fault);
    search->sum->runs++;
    if (!sim_local_run(search->scenario->seed, &search->options, &plan, search->coverage, NULL, NULL, &result)) {
        search->sum->failed++;
        search->report(search->scenario, &result);
    }
    sim_plan_free(&result.done);
    sim_plan_free(&plan);
}

/* All arguments that make a difference, of a fault at a place. */
static void try_kind(struct search *search, struct sim_planned fault, enum sim_fault_kind kind)
{
    static const int64_t losses[] = {0, 1, 5, 7, 9, 13};
    static const int64_t shares[] = {0, 300, 999};
    static const int64_t times[] = {0, 700, 3000};
    static const int64_t wrongs[] = {2, 3, 5, 7};
    const int64_t *arguments = losses;
    size_t count = 1;
    if (kind == SIM_FAULT_POWER_BEFORE || kind == SIM_FAULT_POWER_AFTER || kind == SIM_FAULT_SYNC_FAILS) {
        count = sizeof losses / sizeof losses[0];
    } else if (kind == SIM_FAULT_CRASH_TORN) {
        arguments = shares;
        count = sizeof shares / sizeof shares[0];
    } else if (kind == SIM_FAULT_FULL) {
        arguments = times;
        count = sizeof times / sizeof times[0];
    } else if (kind == SIM_FAULT_FLIP || kind == SIM_FAULT_ROT || kind == SIM_FAULT_ZEROED) {
        arguments = wrongs;
        count = sizeof wrongs / sizeof wrongs[0];
    }
    fault.fault.kind = kind;
    for (size_t i = 0; i < count; i++) {
        fault.fault.argument = arguments[i];
        try_fault(search, &fault);
    }
}

static void try_site(struct search *search, const struct sim_site *site, const struct sim_site_counts *counts,
                     uint64_t step)
{
    for (uint64_t occurrence = 1; occurrence <= counts->calls; occurrence += step) {
        search->sum->calls++;
        for (int kind = 1; kind < SIM_FAULT_COUNT; kind++) {
            if ((counts->allowed >> kind & 1) != 0) {
                try_kind(search, (struct sim_planned){.site = *site, .occurrence = occurrence},
                         (enum sim_fault_kind)kind);
            }
        }
    }
}

void sim_local_exhaust(const struct sim_local_scenario *scenario, uint64_t step, struct sim_coverage *coverage,
                       void (*report)(const struct sim_local_scenario *scenario, const struct sim_local_result *result),
                       struct sim_local_exhausted *sum)
{
    struct search search = {
        .scenario = scenario, .options = filled(scenario), .coverage = coverage, .report = report, .sum = sum};
    struct sim_coverage *found = (struct sim_coverage *)calloc(1, sizeof *found);
    struct sim_local_result result;
    size_t line = 0;
    FK_ASSERT(found != NULL);
    bool parsed = scenario->before == NULL || sim_plan_parse(scenario->before, &search.before, &line);
    FK_ASSERT(parsed);
    sum->runs++;
    if (!sim_local_run(scenario->seed, &search.options, &search.before, found, NULL, NULL, &result)) {
        sum->failed++;
        report(scenario, &result);
    }
    sim_plan_free(&result.done);
    for (uint32_t label = 0; label < SIM_LABELS_MAX; label++) {
        for (int call = 0; call < SIM_CALL_COUNT; call++) {
            struct sim_site site = {.role = SIM_ROLE_SERVER, .call = (enum sim_call)call, .label = label};
            try_site(&search, &site, &found->sites[SIM_ROLE_SERVER][label][call], step);
        }
    }
    free(found);
    sim_plan_free(&search.before);
}

/* One run with one refusal; the number of requests of the whole run. */
static uint64_t starve_once(struct search *search, uint64_t nth)
{
    struct sim_local_result result;
    sim_memory_refuse(nth);
    search->sum->runs++;
    bool kept =
        sim_local_run(search->scenario->seed, &search->options, &search->before, search->coverage, NULL, NULL, &result);
    uint64_t asked = sim_memory_asked();
    sim_memory_refuse(0);
    if (!kept) {
        search->sum->failed++;
        (void)printf("request %" PRIu64 " for memory refused:\n", nth);
        search->report(search->scenario, &result);
    }
    sim_plan_free(&result.done);
    return asked;
}

void sim_local_starve(const struct sim_local_scenario *scenario, uint64_t step,
                      void (*report)(const struct sim_local_scenario *scenario, const struct sim_local_result *result),
                      struct sim_local_exhausted *sum)
{
    struct sim_coverage *coverage = (struct sim_coverage *)calloc(1, sizeof *coverage);
    struct search search = {
        .scenario = scenario, .options = filled(scenario), .coverage = coverage, .report = report, .sum = sum};
    size_t line = 0;
    FK_ASSERT(coverage != NULL);
    bool parsed = scenario->before == NULL || sim_plan_parse(scenario->before, &search.before, &line);
    FK_ASSERT(parsed);
    uint64_t requests = starve_once(&search, 0);
    sum->calls += requests;
    for (uint64_t nth = 1; nth <= requests; nth += step) {
        (void)starve_once(&search, nth);
    }
    sim_plan_free(&search.before);
    free(coverage);
}
