// SPDX-License-Identifier: Apache-2.0
/* Traces that people read: what the clients of a scenario say and hear, and every message, commit, notification
 * between, with its contents in words. */
#ifndef SIM_GOLDEN_H
#define SIM_GOLDEN_H

#include "sim/history.h"
#include "sim/ports.h"

#include <stdio.h>

struct sim_golden;

/* Writes to `out`. Freed with the program's memory, not the world's. */
struct sim_golden *sim_golden_new(FILE *out);
void sim_golden_free(struct sim_golden *golden);
/* What a run gives it: its history and services, and the lines of the trace (as its sink). */
void sim_golden_attach(void *golden, struct sim_cloud *cloud, const struct sim_history *history);
void sim_golden_line(void *golden, const char *line);

#endif
