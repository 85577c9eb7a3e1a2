// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

static int64_t clock_read_ns(clockid_t clock)
{
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) {
        load_fail("the CPU clock of the server cannot be read: did it end?");
    }
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t process_clock_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

/* The clock of a process counts what utime + stime of /proc/PID/stat count, in nanoseconds instead of ticks. */
static int64_t server_cpu_ns(pid_t pid)
{
    clockid_t clock = 0;
    if (pid == 0) {
        return 0;
    }
    if (clock_getcpuclockid(pid, &clock) != 0) {
        load_fail("no process with pid %d", (int)pid);
    }
    return clock_read_ns(clock);
}

static int64_t machine_cpu_ns(void)
{
    uint64_t user = 0;
    uint64_t nice = 0;
    uint64_t system = 0;
    uint64_t idle = 0;
    uint64_t iowait = 0;
    uint64_t irq = 0;
    uint64_t softirq = 0;
    uint64_t steal = 0;
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL) {
        return 0;
    }
    int fields =
        fscanf(file, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
               &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal);
    fclose(file);
    if (fields != 8) {
        return 0;
    }
    uint64_t busy = user + nice + system + irq + softirq + steal;
    return (int64_t)(busy * (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK)));
}

struct process_sample process_sample_take(pid_t pid)
{
    return (struct process_sample){
        .time_ns = process_clock_ns(),
        .server_cpu_ns = server_cpu_ns(pid),
        .self_cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID),
        .machine_cpu_ns = machine_cpu_ns(),
    };
}

double process_foreign_percent(const struct process_sample *from, const struct process_sample *to)
{
    int64_t machine = to->machine_cpu_ns - from->machine_cpu_ns;
    int64_t known = to->server_cpu_ns - from->server_cpu_ns + to->self_cpu_ns - from->self_cpu_ns;
    return 100.0 * (double)(machine - known) / (double)(to->time_ns - from->time_ns);
}

/* smaps_rollup is exact; VmRSS of /proc/PID/status is a sum of per-core counters that may lag by some hundred kB. */
int64_t process_rss_bytes(pid_t pid)
{
    char path[64];
    char line[256];
    int64_t rss_bytes = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
        file = fopen(path, "re");
    }
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        int64_t kilobytes = 0;
        if (sscanf(line, "Rss: %" SCNd64, &kilobytes) == 1 || sscanf(line, "VmRSS: %" SCNd64, &kilobytes) == 1) {
            rss_bytes = kilobytes * 1024;
            break;
        }
    }
    fclose(file);
    return rss_bytes;
}
