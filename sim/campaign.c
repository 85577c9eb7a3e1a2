// SPDX-License-Identifier: Apache-2.0
#include "sim/campaign.h"

#include "base/assert.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STUCK_SECONDS = 120, /* a seed that takes longer hangs */
    POLL_MS = 20,
};

/* Shared with one worker, who writes it. */
struct area {
    struct sim_totals totals;
    volatile uint64_t seed;  /* at work */
    volatile uint64_t ticks; /* seeds begun */
    volatile bool stop;      /* set from above: enough failures */
    char labels[SIM_LABELS_MAX][32];
};

struct worker {
    struct area *area;
    pid_t pid; /* 0: none */
    uint64_t seen_ticks;
    int64_t seen_ns; /* when it last began a seed */
};

struct campaign {
    const struct sim_campaign_options *options;
    struct worker workers[SIM_JOBS_MAX];
    int64_t start_ns;
};

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- in a worker --- */

void sim_totals_add(struct sim_totals *totals, const struct sim_run_result *result)
{
    totals->seeds++;
    totals->operations += result->operations;
    totals->faults += result->plan.count;
    totals->invocations += result->invocations;
    totals->virtual_ns += (uint64_t)result->virtual_ns;
    totals->no_code += result->no_code;
    uint64_t kinds = 0;
    for (size_t i = 0; i < result->plan.count; i++) {
        kinds |= UINT64_C(1) << result->plan.faults[i].fault.kind;
    }
    for (size_t i = 0; i < SIM_ACTION_COUNT; i++) {
        totals->actions[i] += result->actions[i];
        totals->kinds_met[i] |= result->actions[i] > 0 ? kinds : 0;
    }
    totals->checked.requests += result->checked.requests;
    totals->checked.writes += result->checked.writes;
    totals->checked.reads += result->checked.reads;
    totals->checked.watches += result->checked.watches;
    totals->checked.events += result->checked.events;
    totals->checked.sessions += result->checked.sessions;
}

static void keep_failure(struct sim_totals *totals, uint64_t index, const char *promise, const char *text)
{
    totals->failed++;
    if (totals->failure_count < SIM_FAILURES_MAX) {
        struct sim_failure *failure = &totals->failures[totals->failure_count++];
        failure->index = index;
        (void)snprintf(failure->promise, sizeof failure->promise, "%s", promise);
        (void)snprintf(failure->text, sizeof failure->text, "%s", text);
    }
}

static void run_twice(const struct sim_run_input *input, uint64_t index, uint64_t hash, struct sim_totals *totals)
{
    struct sim_run_result again;
    sim_run(input, &again);
    totals->repeated++;
    if (again.hash != hash) {
        keep_failure(totals, index, "harness", "two runs of the seed have different traces");
    }
    sim_plan_free(&again.plan);
}

static void run_case(struct area *area, uint64_t index, const struct sim_campaign_options *options)
{
    static struct sim_case one;
    struct sim_run_result result;
    one = (struct sim_case){0};
    options->prepare(options->context, index, &one);
    struct sim_run_input input = {.options = &one.options,
                                  .scenario = one.scenario,
                                  .plan = one.planned ? &one.plan : NULL,
                                  .coverage = &area->totals.coverage};
    sim_run(&input, &result);
    sim_totals_add(&area->totals, &result);
    if (result.promise != NULL) {
        keep_failure(&area->totals, index, result.promise, result.text);
    } else if (options->repeat_every > 0 && index % (uint64_t)options->repeat_every == 0) {
        run_twice(&input, index, result.hash, &area->totals);
    }
    sim_plan_free(&result.plan);
    sim_plan_free(&one.plan);
}

static void publish(struct area *area, int64_t cpu_start_ns)
{
    for (size_t i = 0; i < FK_MARK_COUNT; i++) {
        area->totals.marks[i] += atomic_exchange(&fk_marks[i], 0);
    }
    area->totals.cpu_ns += (uint64_t)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_start_ns);
}

static void __attribute__((noreturn)) work(struct area *area, const struct campaign *campaign, uint64_t from)
{
    const struct sim_campaign_options *options = campaign->options;
    int64_t end_ns = options->seconds > 0 ? campaign->start_ns + options->seconds * 1000000000 : INT64_MAX;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (uint64_t seed = from; seed <= options->last && now_ns(CLOCK_MONOTONIC) < end_ns;
         seed += (uint64_t)options->jobs) {
        int64_t cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
        area->seed = seed;
        area->ticks++;
        run_case(area, seed, options);
        publish(area, cpu_ns);
        sim_labels_copy(area->labels);
        if (area->stop) {
            break;
        }
    }
    _exit(0);
}

/* --- above them --- */

static bool start_worker(struct campaign *campaign, struct worker *worker, uint64_t from)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        work(worker->area, campaign, from);
    }
    worker->pid = pid > 0 ? pid : 0;
    worker->seen_ns = now_ns(CLOCK_MONOTONIC);
    return pid > 0;
}

/* A worker that died in the middle of a seed: that seed failed, another worker goes on behind it. */
static void bury(struct campaign *campaign, struct worker *worker, int status)
{
    worker->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return;
    }
    char text[128];
    (void)snprintf(text, sizeof text, "the process of the run died (%s %d)",
                   WIFSIGNALED(status) ? "signal" : "exit code",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    worker->area->totals.seeds++;
    keep_failure(&worker->area->totals, worker->area->seed, "harness", text);
    uint64_t next = worker->area->seed + (uint64_t)campaign->options->jobs;
    if (next <= campaign->options->last && campaign->options->fail_max == 0) {
        (void)start_worker(campaign, worker, next);
    }
}

static void kill_stuck(struct worker *worker)
{
    int64_t now = now_ns(CLOCK_MONOTONIC);
    if (worker->area->ticks != worker->seen_ticks) {
        worker->seen_ticks = worker->area->ticks;
        worker->seen_ns = now;
    } else if (now - worker->seen_ns > INT64_C(1000000000) * STUCK_SECONDS) {
        (void)kill(worker->pid, SIGKILL);
    }
}

/* Looks after all workers; how many still run. */
static int look_after(struct campaign *campaign)
{
    int alive = 0;
    for (int i = 0; i < campaign->options->jobs; i++) {
        struct worker *worker = &campaign->workers[i];
        int status = 0;
        if (worker->pid == 0) {
            continue;
        }
        if (waitpid(worker->pid, &status, WNOHANG) == worker->pid) {
            bury(campaign, worker, status);
        } else {
            kill_stuck(worker);
        }
        alive += worker->pid != 0;
    }
    return alive;
}

static uint64_t failed_so_far(const struct campaign *campaign)
{
    uint64_t failed = 0;
    for (int i = 0; i < campaign->options->jobs; i++) {
        failed += campaign->workers[i].area->totals.failed;
    }
    return failed;
}

static void stop_after_failures(struct campaign *campaign)
{
    bool stop = campaign->options->fail_max > 0 && failed_so_far(campaign) >= campaign->options->fail_max;
    for (int i = 0; i < campaign->options->jobs; i++) {
        campaign->workers[i].area->stop = stop;
    }
}

static void show_progress(const struct campaign *campaign)
{
    uint64_t seeds = 0;
    uint64_t failed = failed_so_far(campaign);
    for (int i = 0; i < campaign->options->jobs; i++) {
        seeds += campaign->workers[i].area->totals.seeds;
    }
    double passed = (double)(now_ns(CLOCK_MONOTONIC) - campaign->start_ns) / 1e9;
    double whole = (double)(campaign->options->last - campaign->options->first) + 1;
    double left = seeds == 0 ? 0 : passed * (whole - (double)seeds) / (double)seeds;
    if (campaign->options->seconds > 0 && (seeds == 0 || left > (double)campaign->options->seconds - passed)) {
        left = (double)campaign->options->seconds - passed;
    }
    (void)fprintf(stderr, "\r%" PRIu64 " seeds, %" PRIu64 " failed, %.0f seeds/s, %.0f s left \033[K", seeds, failed,
                  (double)seeds / (passed > 0.01 ? passed : 0.01), left > 0 ? left : 0);
}

static void add_coverage(struct sim_coverage *to, const struct area *area)
{
    for (size_t role = 0; role < SIM_ROLE_COUNT; role++) {
        for (size_t label = 0; label < SIM_LABELS_MAX; label++) {
            if (label > 0 && area->labels[label][0] == '\0') {
                break;
            }
            uint32_t index = sim_label_index(area->labels[label]);
            for (size_t call = 0; call < SIM_CALL_COUNT; call++) {
                const struct sim_site_counts *from = &area->totals.coverage.sites[role][label][call];
                struct sim_site_counts *sum = &to->sites[role][index][call];
                sum->calls += from->calls;
                sum->allowed |= from->allowed;
                for (size_t kind = 0; kind < SIM_FAULT_COUNT; kind++) {
                    sum->faults[kind] += from->faults[kind];
                }
            }
        }
    }
}

static void add_totals(struct sim_totals *to, const struct sim_totals *from)
{
    to->seeds += from->seeds;
    to->failed += from->failed;
    to->operations += from->operations;
    to->faults += from->faults;
    to->invocations += from->invocations;
    to->virtual_ns += from->virtual_ns;
    to->cpu_ns += from->cpu_ns;
    to->no_code += from->no_code;
    to->repeated += from->repeated;
    for (size_t i = 0; i < SIM_ACTION_COUNT; i++) {
        to->actions[i] += from->actions[i];
        to->kinds_met[i] |= from->kinds_met[i];
    }
    for (size_t i = 0; i < FK_MARK_COUNT; i++) {
        to->marks[i] += from->marks[i];
    }
    to->checked.requests += from->checked.requests;
    to->checked.writes += from->checked.writes;
    to->checked.reads += from->checked.reads;
    to->checked.watches += from->checked.watches;
    to->checked.events += from->checked.events;
    to->checked.sessions += from->checked.sessions;
    for (uint64_t i = 0; i < from->failure_count && to->failure_count < SIM_FAILURES_MAX; i++) {
        to->failures[to->failure_count++] = from->failures[i];
    }
}

static bool start_all(struct campaign *campaign)
{
    const struct sim_campaign_options *options = campaign->options;
    for (int i = 0; i < options->jobs; i++) {
        struct worker *worker = &campaign->workers[i];
        void *area = mmap(NULL, sizeof *worker->area, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED) {
            return false;
        }
        worker->area = (struct area *)area;
        uint64_t from = options->first + (uint64_t)i;
        if (from <= options->last && !start_worker(campaign, worker, from)) {
            return false;
        }
    }
    return true;
}

bool sim_campaign(const struct sim_campaign_options *options, struct sim_totals *totals)
{
    static struct campaign campaign;
    campaign = (struct campaign){.options = options, .start_ns = now_ns(CLOCK_MONOTONIC)};
    if (!start_all(&campaign)) {
        return false;
    }
    while (look_after(&campaign) > 0) {
        struct timespec pause = {.tv_nsec = POLL_MS * 1000000};
        (void)nanosleep(&pause, NULL);
        stop_after_failures(&campaign);
        if (options->progress) {
            show_progress(&campaign);
        }
    }
    if (options->progress) {
        (void)fprintf(stderr, "\r\033[K");
    }
    for (int i = 0; i < options->jobs; i++) {
        add_totals(totals, &campaign.workers[i].area->totals);
        add_coverage(&totals->coverage, campaign.workers[i].area);
        (void)munmap(campaign.workers[i].area, sizeof(struct area));
    }
    return true;
}

void sim_coverage_cells(const struct sim_coverage *coverage, uint64_t *cells, uint64_t *covered)
{
    *cells = 0;
    *covered = 0;
    const struct sim_site_counts *sites = &coverage->sites[0][0][0];
    for (size_t i = 0; i < (size_t)SIM_ROLE_COUNT * SIM_LABELS_MAX * SIM_CALL_COUNT; i++) {
        for (size_t kind = 1; kind < SIM_FAULT_COUNT; kind++) {
            if ((sites[i].allowed >> kind & 1) != 0) {
                ++*cells;
                *covered += sites[i].faults[kind] > 0;
            }
        }
    }
}
