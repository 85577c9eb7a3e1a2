// SPDX-License-Identifier: Apache-2.0
#include "sim/mutants.h"

#include "base/assert.h"
#include "base/mutant.h"

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

uint64_t sim_mutants_run(struct sim_campaign_options *campaign, uint64_t *found)
{
    static struct sim_totals totals;
    uint64_t missed = 0;
    *found = 0;
    campaign->fail_max = 1;
    for (size_t i = 1; i < FK_MUTANT_COUNT && switch_on(i); i++) {
        totals = (struct sim_totals){0};
        bool fine = sim_campaign(campaign, &totals);
        FK_ASSERT(fine);
        const struct sim_failure *failure = first_failure(&totals);
        if (failure != NULL) {
            ++*found;
            (void)printf("%-26s found by seed %6" PRIu64 " (%s)  %s\n", mutants[i].name, failure->index,
                         failure->promise, mutants[i].text);
        } else {
            missed++;
            (void)printf("%-26s NOT FOUND in %" PRIu64 " seeds  %s\n", mutants[i].name, totals.seeds, mutants[i].text);
        }
        (void)fflush(stdout);
    }
    return missed;
}
