// SPDX-License-Identifier: Apache-2.0
/* CPU time and memory of the server, of this process and of the machine, read from the kernel (Linux only). */
#ifndef FAASKEEPER_BENCH_PROCESS_H
#define FAASKEEPER_BENCH_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct process_sample {
    int64_t time_ns;       /* CLOCK_MONOTONIC */
    int64_t server_cpu_ns; /* all threads, the ended ones included; 0 without a server pid */
    int64_t self_cpu_ns;
    int64_t machine_cpu_ns; /* time that any core was not idle, stolen time included; steps of 10 ms */
};

int64_t process_clock_ns(void);

/* pid 0: no server. Ends the program if the process does not exist. */
struct process_sample process_sample_take(pid_t pid);

/* CPU of everything but server and self between two samples, in percent of one core; a little below 0 is noise. */
double process_foreign_percent(const struct process_sample *from, const struct process_sample *to);

/* Resident memory in bytes, shared file pages included; -1 if it cannot be read. */
int64_t process_rss_bytes(pid_t pid);

#endif
