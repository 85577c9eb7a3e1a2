// SPDX-License-Identifier: Apache-2.0
#include "sim/report.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    MARK_WANTED = 10, /* how often a rare situation should be met */
};

static double per(double amount, double of)
{
    return of > 0 ? amount / of : 0;
}

static void count_marks(const struct sim_totals *totals, uint64_t *met, uint64_t *enough)
{
    *met = 0;
    *enough = 0;
    for (size_t i = 0; i < FK_MARK_COUNT; i++) {
        *met += totals->marks[i] > 0;
        *enough += totals->marks[i] >= MARK_WANTED;
    }
}

/* How many pairs of an action and a fault kind that this stack has came together in some run. */
static void count_pairs(const struct sim_totals *totals, uint64_t *pairs, uint64_t *met)
{
    const struct sim_site_counts *sites = &totals->coverage.sites[0][0][0];
    uint64_t kinds = 0;
    *met = 0;
    for (size_t i = 0; i < (size_t)SIM_ROLE_COUNT * SIM_LABELS_MAX * SIM_CALL_COUNT; i++) {
        kinds |= sites[i].allowed;
    }
    *pairs = (uint64_t)SIM_ACTION_COUNT * (uint64_t)__builtin_popcountll(kinds);
    for (size_t i = 0; i < SIM_ACTION_COUNT; i++) {
        *met += (uint64_t)__builtin_popcountll(totals->kinds_met[i] & kinds);
    }
}

static void report_marks(const struct sim_totals *totals)
{
    (void)printf("rare situations:\n");
    for (size_t i = 0; i < FK_MARK_COUNT; i++) {
        (void)printf("  %10" PRIu64 "  %s%s\n", totals->marks[i], fk_mark_text((enum fk_mark)i),
                     totals->marks[i] < MARK_WANTED ? "  (too few)" : "");
    }
}

static void report_faults(const struct sim_coverage *coverage)
{
    const struct sim_site_counts *sites = &coverage->sites[0][0][0];
    (void)printf("faults:\n");
    for (size_t kind = 1; kind < SIM_FAULT_COUNT; kind++) {
        uint64_t count = 0;
        for (size_t i = 0; i < (size_t)SIM_ROLE_COUNT * SIM_LABELS_MAX * SIM_CALL_COUNT; i++) {
            count += sites[i].faults[kind];
        }
        (void)printf("  %10" PRIu64 "  %-22s %-4s %s\n", count, sim_fault_text((enum sim_fault_kind)kind),
                     sim_fault_number((enum sim_fault_kind)kind), sim_fault_what((enum sim_fault_kind)kind));
    }
}

static void report_actions(const struct sim_totals *totals)
{
    (void)printf("what clients did:\n");
    for (size_t i = 0; i < SIM_ACTION_COUNT; i++) {
        (void)printf("  %10" PRIu64 "  %s\n", totals->actions[i], sim_action_text((enum sim_action)i));
    }
}

void sim_report(const struct sim_totals *totals, double seconds)
{
    uint64_t cells = 0;
    uint64_t covered = 0;
    uint64_t met = 0;
    uint64_t enough = 0;
    uint64_t pairs = 0;
    uint64_t pairs_met = 0;
    double virtual_s = (double)totals->virtual_ns / 1e9;
    double cpu_s = (double)totals->cpu_ns / 1e9;
    sim_coverage_cells(&totals->coverage, &cells, &covered);
    count_marks(totals, &met, &enough);
    count_pairs(totals, &pairs, &pairs_met);
    report_faults(&totals->coverage);
    report_actions(totals);
    report_marks(totals);
    (void)printf("judged: %zu requests, %zu writes, %zu reads, %zu watches, %zu events, %zu sessions\n",
                 totals->checked.requests, totals->checked.writes, totals->checked.reads, totals->checked.watches,
                 totals->checked.events, totals->checked.sessions);
    (void)printf("%" PRIu64 " runs (%" PRIu64 " of them twice, to compare), %" PRIu64 " operations, %" PRIu64
                 " faults, %" PRIu64 " invocations in %.1f s (%.1f runs/s, %.0f operations/s)\n",
                 totals->seeds, totals->repeated, totals->operations, totals->faults, totals->invocations, seconds,
                 per((double)totals->seeds, seconds), per((double)totals->operations, seconds));
    (void)printf("%.0f s of virtual time in %.1f s of processor time: %.0f x, at %.2f operations and %.2f faults per "
                 "virtual second\n",
                 virtual_s, cpu_s, per(virtual_s, cpu_s), per((double)totals->operations, virtual_s),
                 per((double)totals->faults, virtual_s));
    (void)printf("operation x fault: %" PRIu64 " of %" PRIu64 " cells\n", pairs_met, pairs);
    (void)printf("site x fault: %" PRIu64 " of %" PRIu64 " cells; rare situations: %" PRIu64 " of %d met, %" PRIu64
                 " of them %d times or more\n",
                 covered, cells, met, FK_MARK_COUNT, enough, MARK_WANTED);
    (void)printf("failures that ZooKeeper has no code for: %" PRIu64 "\n", totals->no_code);
}

void sim_report_json(const struct sim_totals *totals, double seconds)
{
    uint64_t cells = 0;
    uint64_t covered = 0;
    uint64_t pairs = 0;
    uint64_t pairs_met = 0;
    sim_coverage_cells(&totals->coverage, &cells, &covered);
    count_pairs(totals, &pairs, &pairs_met);
    (void)printf("{\"runs\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"operations\":%" PRIu64 ",\"faults\":%" PRIu64
                 ",\"invocations\":%" PRIu64 ",\"virtual_s\":%.3f,\"cpu_s\":%.3f,\"seconds\":%.3f,\"cells\":%" PRIu64
                 ",\"covered\":%" PRIu64 ",\"pairs\":%" PRIu64 ",\"pairs_met\":%" PRIu64 ",\"no_code\":%" PRIu64
                 ",\"marks\":{",
                 totals->seeds, totals->failed, totals->operations, totals->faults, totals->invocations,
                 (double)totals->virtual_ns / 1e9, (double)totals->cpu_ns / 1e9, seconds, cells, covered, pairs,
                 pairs_met, totals->no_code);
    for (size_t i = 0; i < FK_MARK_COUNT; i++) {
        (void)printf("%s\"%s\":%" PRIu64, i == 0 ? "" : ",", fk_mark_text((enum fk_mark)i), totals->marks[i]);
    }
    (void)printf("},\"failures\":[");
    for (uint64_t i = 0; i < totals->failure_count; i++) {
        (void)printf("%s{\"index\":%" PRIu64 ",\"promise\":\"%s\"}", i == 0 ? "" : ",", totals->failures[i].index,
                     totals->failures[i].promise);
    }
    (void)printf("]}\n");
}

static void report_site(const struct sim_site *site, const struct sim_site_counts *counts)
{
    char name[96];
    sim_site_name(site, name, sizeof name);
    (void)printf("%-44s %12" PRIu64, name, counts->calls);
    for (size_t kind = 1; kind < SIM_FAULT_COUNT; kind++) {
        if ((counts->allowed >> kind & 1) != 0) {
            (void)printf("%s %s %" PRIu64, counts->faults[kind] == 0 ? " !" : " ",
                         sim_fault_text((enum sim_fault_kind)kind), counts->faults[kind]);
        }
    }
    (void)printf("\n");
}

void sim_report_matrix(const struct sim_coverage *coverage)
{
    for (uint32_t role = 0; role < SIM_ROLE_COUNT; role++) {
        for (uint32_t label = 0; label < SIM_LABELS_MAX; label++) {
            for (uint32_t call = 0; call < SIM_CALL_COUNT; call++) {
                const struct sim_site_counts *counts = &coverage->sites[role][label][call];
                if (counts->calls > 0) {
                    struct sim_site site = {.role = (enum sim_role)role, .call = (enum sim_call)call, .label = label};
                    report_site(&site, counts);
                }
            }
        }
    }
}

void sim_report_verdict(uint64_t passed, uint64_t failed, uint64_t skipped)
{
    (void)printf("%" PRIu64 " passed, %" PRIu64 " failed, %" PRIu64 " skipped\n", passed, failed, skipped);
}
