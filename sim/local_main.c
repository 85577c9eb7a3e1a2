// SPDX-License-Identifier: Apache-2.0
/* Runs seeds of the local stack. */
#include "sim/local_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void print_line(void *context, const char *line)
{
    (void)context;
    (void)puts(line);
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
    uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : first;
    bool trace = argc > 3;
    static struct sim_coverage coverage;
    uint64_t operations = 0, answered = 0, faults = 0, lives = 0, refusals = 0, failed = 0;
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (uint64_t seed = first; seed <= last; seed++) {
        struct sim_local_options options;
        struct sim_local_result result;
        sim_local_draw(seed, &options);
        bool ok = sim_local_run(seed, &options, NULL, &coverage, trace ? print_line : NULL, NULL, &result);
        operations += result.operations, answered += result.answered, faults += result.faults;
        lives += result.lives, refusals += result.refusals;
        if (!ok) {
            struct fk_buf plan = FK_BUF_EMPTY;
            sim_plan_print(&result.done, &plan);
            printf("seed %" PRIu64 " broke %s: %s\n%.*s", seed, result.promise, result.violation, (int)plan.size,
                   (const char *)plan.data);
            fk_buf_deinit(&plan);
            failed++;
        }
        if (first == last) {
            printf("hash %016" PRIx64 "\n", result.hash);
        }
        sim_plan_free(&result.done);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    double s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    printf("%" PRIu64 " seeds, %" PRIu64 " operations, %" PRIu64 " answered, %" PRIu64 " faults, %" PRIu64
           " lives, %" PRIu64 " refusals, %" PRIu64 " failed, %.1f seeds/s\n",
           last - first + 1, operations, answered, faults, lives, refusals, failed, (double)(last - first + 1) / s);
    return failed > 0;
}
