// SPDX-License-Identifier: Apache-2.0
#include "sim/shrink.h"

#include "base/assert.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    TRY_SECONDS = 20, /* a try that takes longer counts as passed */
};

struct shrink {
    struct sim_options *options;
    const struct sim_scenario *scenario;
    struct sim_plan *plan;
    const char *promise;
    char *found; /* shared: the promise that a try broke */
    time_t end;
    uint64_t runs;
};

static bool out_of_time(const struct shrink *shrink)
{
    return time(NULL) >= shrink->end;
}

static void __attribute__((noreturn))
try_here(const struct shrink *shrink, const struct sim_options *options, const struct sim_plan *plan)
{
    static struct sim_coverage coverage;
    struct sim_run_result result;
    struct sim_run_input input = {
        .options = options, .scenario = shrink->scenario, .plan = plan, .coverage = &coverage};
    (void)alarm(TRY_SECONDS);
    sim_run(&input, &result);
    (void)snprintf(shrink->found, 16, "%s", result.promise == NULL ? "" : result.promise);
    _exit(0);
}

/* True where the run still breaks the promise. */
static bool breaks(struct shrink *shrink, const struct sim_options *options, const struct sim_plan *plan)
{
    int status = 0;
    shrink->runs++;
    shrink->found[0] = '\0';
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(1);
        }
        try_here(shrink, options, plan);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return false;
    }
    bool died = WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM;
    return strcmp(died ? "harness" : shrink->found, shrink->promise) == 0;
}

/* --- faults: ddmin --- */

/* The plan without the faults from `from` on, `count` of them. */
static struct sim_plan without(const struct sim_plan *plan, size_t from, size_t count)
{
    struct sim_plan rest = {0};
    for (size_t i = 0; i < plan->count; i++) {
        if (i < from || i >= from + count) {
            sim_plan_add(&rest, &plan->faults[i]);
        }
    }
    return rest;
}

/* Leaves out one piece of the size after the other; true where some could go. */
static bool leave_out(struct shrink *shrink, size_t size)
{
    bool smaller = false;
    size_t at = 0;
    while (at < shrink->plan->count && !out_of_time(shrink)) {
        struct sim_plan rest = without(shrink->plan, at, size);
        if (breaks(shrink, shrink->options, &rest)) {
            sim_plan_free(shrink->plan);
            *shrink->plan = rest;
            smaller = true;
        } else {
            sim_plan_free(&rest);
            at += size;
        }
    }
    return smaller;
}

static void shrink_faults(struct shrink *shrink)
{
    size_t size = shrink->plan->count;
    while (size > 0 && !out_of_time(shrink)) {
        bool smaller = leave_out(shrink, size);
        if (size == 1 && !smaller) {
            return;
        }
        size = size > 1 ? size / 2 : 1;
    }
}

/* --- clients and actions --- */

static bool settle_for(struct shrink *shrink, const struct sim_options *options)
{
    if (!breaks(shrink, options, shrink->plan)) {
        return false;
    }
    *shrink->options = *options;
    return true;
}

static void shrink_clients(struct shrink *shrink)
{
    for (int64_t i = 0; i < shrink->options->clients && !out_of_time(shrink); i++) {
        struct sim_options fewer = *shrink->options;
        fewer.client_mask &= ~(INT64_C(1) << i);
        fewer.workload.mask = (uint64_t)fewer.client_mask;
        if (fewer.client_mask != shrink->options->client_mask) {
            (void)settle_for(shrink, &fewer);
        }
    }
}

/* Fewer actions, by halves of what might be left out. */
static void shrink_actions(struct shrink *shrink)
{
    int64_t all = shrink->options->clients * shrink->options->actions;
    int64_t high = shrink->options->actions_max < all ? shrink->options->actions_max : all;
    int64_t low = 0;
    while (low < high && !out_of_time(shrink)) {
        struct sim_options fewer = *shrink->options;
        fewer.actions_max = low + (high - low) / 2;
        fewer.workload.actions_max = (int)fewer.actions_max;
        if (settle_for(shrink, &fewer)) {
            high = fewer.actions_max;
        } else {
            low = fewer.actions_max + 1;
        }
    }
}

bool sim_shrink(struct sim_options *options, const struct sim_scenario *scenario, struct sim_plan *plan,
                const char *promise, int64_t seconds, uint64_t *runs)
{
    struct shrink shrink = {
        .options = options, .scenario = scenario, .plan = plan, .promise = promise, .end = time(NULL) + seconds};
    void *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FK_ASSERT(shared != MAP_FAILED);
    shrink.found = (char *)shared;
    bool fails = breaks(&shrink, options, plan);
    for (size_t before = SIZE_MAX; fails && plan->count < before && !out_of_time(&shrink);) {
        before = plan->count;
        shrink_faults(&shrink);
        shrink_clients(&shrink);
        shrink_actions(&shrink);
    }
    *runs = shrink.runs;
    (void)munmap(shared, 4096);
    return fails;
}
