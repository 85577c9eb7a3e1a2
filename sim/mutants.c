// SPDX-License-Identifier: Apache-2.0
#include "sim/mutants.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    const char *text;
} mutants[] = {
#define FK_MUTANT_ROW(name, text) {#name, text},
    FK_MUTANT_TABLE(FK_MUTANT_ROW)
#undef FK_MUTANT_ROW
};

/* How a mutant is found, where the usual seeds do not find it soon. */
struct row {
    enum fk_mutant mutant;
    const char *settings; /* of the runs, instead of what the seed draws; NULL: none */
    uint64_t seeds;       /* found within so many; 0: SEEDS_USUAL */
    const char *covered;  /* by which rule: it is expected to survive, and not tried; NULL: it is not */
};

enum {
    SEEDS_USUAL = 6000,
};

/* Masks of fault kinds and roles (sim/fault.h), and settings that more than one mutant wants. */
#define DELAYS        "0x80"
#define BROKEN_LINES  "0x7c000000"
#define LATE_EFFECTS  "0x40"
#define STANDSTILLS   "0x600188" /* busy, delay, zombie, suspend, freeze */
#define LATE_WRITERS  "0x11180"  /* delay, zombie, concurrent, timeout */
#define GATEWAYS      "0x10"
#define ZOMBIES       "0x100"
#define LOST_MESSAGES "0x80000"
#define LOST_EVENTS                                                                                                    \
    "kinds=" LOST_MESSAGES                                                                                             \
    ",roles=0xff,faults=400000,wild_clocks=0,hold_ms=5000,period_ms=300,lease_ms=3000,gateways=2,"                     \
    "clients=8,batch=10"

/* The generation is for a gateway whose clock stands still: any other one ends with its lease. */
#define STOPPED_CLOCKS                                                                                                 \
    "wild_clocks=1,gateways=3,clients=8,period_ms=1000,lease_ms=3000,kinds=" STANDSTILLS ",roles=" GATEWAYS            \
    ",faults=100000"

static const struct row rows[] = {
    {FK_MUTANT_ZXID_READ_LAST, NULL, 0, "H5: every put has its stamp, and a group has one function at a time"},
    {FK_MUTANT_EARLY_READS_TRUSTED, "pipeline=0", 20000, NULL},
    {FK_MUTANT_CHUNKS_ONE_ZXID, "pipeline=0,items=16", 0, NULL},
    {FK_MUTANT_SESSION_GONE_NOT_TOLD, "gateways=3", 0, NULL},
    {FK_MUTANT_DEAD_WITHOUT_GENERATION, STOPPED_CLOCKS, 0, NULL},
    {FK_MUTANT_GENERATION_NOT_CHECKED, STOPPED_CLOCKS, 0, NULL},
    {FK_MUTANT_DEAD_WITHOUT_COUNTER, NULL, 0, "H20 and H21: the generation, and the time that sessions have left"},
    {FK_MUTANT_CREATE_NOT_FENCED,
     "session_ms=2000,clients=8,batch=10,kinds=" LATE_EFFECTS ",roles=" GATEWAYS ",faults=300000", 0, NULL},
    {FK_MUTANT_GONE_IS_CLOSED, "session_ms=2000,clients=8,gateways=2,batch=10,kinds=" BROKEN_LINES ",faults=100000", 0,
     NULL},
    {FK_MUTANT_OBSERVED_TOO_EARLY,
     "gateways=3,batch=10,kinds=" ZOMBIES ",roles=" GATEWAYS ",faults=30000,period_ms=3000,lease_ms=3000", 0, NULL},
    {FK_MUTANT_TRIM_UNACKED,
     "gateways=2,clients=8,batch=10,sweep_ms=1000,kinds=" LOST_MESSAGES ",roles=0xff,faults=100000", 0, NULL},
    {FK_MUTANT_NOT_READ_AGAIN, "gateways=2,latency_us=20000,batch=10,kinds=" DELAYS ",roles=0xff,faults=50000", 0,
     NULL},
    {FK_MUTANT_EVENTS_PASS_READS,
     "pipeline=0,gateways=1,think_ms=0,batch=10,kinds=" DELAYS ",roles=" GATEWAYS ",faults=200000", 0, NULL},
    {FK_MUTANT_LEASE_NOT_CHECKED,
     "gateways=2,clients=8,batch=10,kinds=" STANDSTILLS ",roles=" GATEWAYS ",faults=100000", 0, NULL},
    {FK_MUTANT_UNSUBSCRIBE_RACE, "gateways=2,clients=8,batch=10,kinds=" DELAYS ",roles=" GATEWAYS ",faults=200000", 0,
     NULL},
    {FK_MUTANT_ACKED_NOT_APPLIED, NULL, 0,
     "a renewal's own fetch, which follows it at once (a race of three calls); "
     "the unit test only_applied_events_are_acknowledged fails with it"},
    {FK_MUTANT_MISSED_EVENTS_NOT_FETCHED, LOST_EVENTS, 0, NULL},
    {FK_MUTANT_EVENTS_BEFORE_CATCH_UP, NULL, 0, "H16: watches are set in the step that tells what was missed"},
    {FK_MUTANT_SEND_NOT_REPEATED, NULL, 0, "H3: a gap in the numbers is dropped (NUMBERS_NOT_DENSE)"},
    {FK_MUTANT_TOKEN_OF_SECONDS, "pipeline=1", 0, NULL},
    {FK_MUTANT_LOCKS_WITHOUT_ORDER, "pipeline=1,lock_ms=500,latency_us=20000,batch=10,clients=8,think_ms=0", 0, NULL},
    {FK_MUTANT_ACCEPT_WITHOUT_TOKENS, "pipeline=1", 0, NULL},
    {FK_MUTANT_ACCEPT_FOR_ANY_WRITER, "pipeline=1", 0, NULL},
    {FK_MUTANT_ACCEPT_UNKNOWN_IS_DONE, "pipeline=1", 0, NULL},
    {FK_MUTANT_ERRORS_BY_WRITER, "pipeline=1", 0, NULL},
    {FK_MUTANT_ERRORS_WITHOUT_TOKENS, "pipeline=1,lock_ms=500,kinds=" LATE_WRITERS ",roles=0xff,faults=50000", 0, NULL},
    {FK_MUTANT_ONE_ACCEPTED_STEP, "pipeline=1", 0, NULL},
    {FK_MUTANT_PUSH_AFTER_ACCEPT, "pipeline=1", 0, NULL},
    {FK_MUTANT_PUSH_NOT_REPEATED, "pipeline=1", 0, NULL},
    {FK_MUTANT_DONE_WHEN_PUSHED, "pipeline=1,lock_ms=500,kinds=" LATE_WRITERS ",roles=0xff,faults=50000", 0, NULL},
    {FK_MUTANT_DECIDED_AGAIN, "pipeline=1", 0, NULL},
    {FK_MUTANT_VISIBLE_NOT_CHECKED, "pipeline=1", 0, NULL},
    {FK_MUTANT_UNDECIDED_PASSED, "pipeline=1", 0, NULL},
};

void sim_mutants_list(void)
{
    for (size_t i = 0; i < FK_MUTANT_COUNT; i++) {
        (void)printf("%3zu %-26s %s\n", i, mutants[i].name, mutants[i].text);
    }
}

static bool switch_on(size_t mutant)
{
#ifdef FK_MUTANTS
    fk_mutant_now = (enum fk_mutant)mutant;
    return true;
#else
    (void)mutant;
    (void)fprintf(stderr, "faaskeeper-sim: this build has no mutants; make one with -Dmutants=true\n");
    return false;
#endif
}

bool sim_mutant_choose(const char *name)
{
    char *end = NULL;
    unsigned long number = strtoul(name, &end, 10);
    for (size_t i = 0; i < FK_MUTANT_COUNT; i++) {
        if (strcmp(mutants[i].name, name) == 0 || (*end == '\0' && *name != '\0' && number == i)) {
            return switch_on(i);
        }
    }
    (void)fprintf(stderr, "faaskeeper-sim: no mutant is called '%s'; see --list-mutants\n", name);
    return false;
}

/* The failure of the smallest index. */
static const struct sim_failure *first_failure(const struct sim_totals *totals)
{
    const struct sim_failure *first = NULL;
    for (uint64_t i = 0; i < totals->failure_count; i++) {
        if (first == NULL || totals->failures[i].index < first->index) {
            first = &totals->failures[i];
        }
    }
    return first;
}

struct search {
    const struct sim_mutants_options *options;
    char settings[256];
    uint64_t seeds; /* it has to be found within so many */
    struct sim_totals totals;
};

static void prepare(void *context, uint64_t index, struct sim_case *one)
{
    const struct search *search = context;
    char wrong[64];
    bool fine = sim_options_draw(&one->options, index, search->settings, wrong, sizeof wrong);
    FK_ASSERT(fine);
}

static const struct row *row_of(size_t mutant)
{
    static const struct row usual = {.mutant = FK_MUTANT_NONE};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].mutant == mutant) {
            return &rows[i];
        }
    }
    return &usual;
}

/* The failure of the smallest seed of a range; NULL where all hold. */
static const struct sim_failure *run(struct search *search, size_t mutant, uint64_t first, uint64_t last)
{
    struct sim_campaign_options campaign = {.first = first,
                                            .last = last,
                                            .jobs = search->options->jobs,
                                            .fail_max = 1,
                                            .prepare = prepare,
                                            .context = search};
    memset(&search->totals, 0, sizeof search->totals);
    bool fine = switch_on(mutant) && sim_campaign(&campaign, &search->totals);
    FK_ASSERT(fine);
    return first_failure(&search->totals);
}

/* Found is what fails with the bug and holds without it. */
static bool find(struct search *search, size_t mutant)
{
    uint64_t first = search->options->first;
    const struct sim_failure *failure = run(search, mutant, first, first + search->seeds - 1);
    (void)printf("%-26s ", mutants[mutant].name);
    if (failure == NULL) {
        (void)printf("FAILED: not found in %" PRIu64 " seeds", search->seeds);
    } else {
        struct sim_failure kept = *failure;
        bool holds = run(search, FK_MUTANT_NONE, kept.index, kept.index) == NULL;
        (void)printf("seed %5" PRIu64 " of %5" PRIu64 "  %-7s%s", kept.index, search->seeds, kept.promise,
                     holds ? "" : "FAILED: that seed fails without it too");
        failure = holds ? failure : NULL;
    }
    (void)printf("  %s%s%s%s\n", mutants[mutant].text, search->settings[0] == '\0' ? "" : "  [", search->settings,
                 search->settings[0] == '\0' ? "" : "]");
    (void)fflush(stdout);
    return failure != NULL;
}

static void search_one(const struct sim_mutants_options *options, size_t mutant, struct sim_mutants_sums *sums)
{
    static struct search search;
    const struct row *row = row_of(mutant);
    if (row->covered != NULL) {
        (void)printf("%-26s SKIPPED: expected to survive: covered by %s  %s\n", mutants[mutant].name, row->covered,
                     mutants[mutant].text);
        sums->covered++;
        return;
    }
    const char *mine = row->settings == NULL ? "" : row->settings;
    const char *given = options->settings == NULL ? "" : options->settings;
    uint64_t seeds = row->seeds == 0 ? SEEDS_USUAL : row->seeds;
    search.options = options;
    search.seeds = seeds < options->seeds_max ? seeds : options->seeds_max;
    (void)snprintf(search.settings, sizeof search.settings, "%s%s%s", mine,
                   mine[0] != '\0' && given[0] != '\0' ? "," : "", given);
    bool found = find(&search, mutant);
    sums->found += found ? 1 : 0;
    sums->missed += found ? 0 : 1;
}

void sim_mutants_run(const struct sim_mutants_options *options, struct sim_mutants_sums *sums)
{
    *sums = (struct sim_mutants_sums){.found = 0};
    for (size_t i = 1; i < FK_MUTANT_COUNT; i++) {
        bool engine = i >= SIM_MUTANT_ENGINE_FIRST && i <= SIM_MUTANT_ENGINE_LAST;
        if (!engine && (options->only == NULL || strcmp(options->only, mutants[i].name) == 0)) {
            search_one(options, i, sums);
        }
    }
}
