// SPDX-License-Identifier: Apache-2.0
/* The prototype and ours side by side, at the paper's prices and at today's, with the paper's accounting and with every
 * request counted. docs/evaluation.md says what is assumed. */
#ifndef FK_TESTS_PAPER_FIGURES_H
#define FK_TESTS_PAPER_FIGURES_H

#include "cost/prototype.h"
#include "paper/idle.h"

#include <jansson.h>
#include <stdio.h>

enum prices_of {
    PRICES_PAPER,
    PRICES_TODAY,
    PRICES,
};

enum accounting {
    ACCOUNTING_PAPER, /* of a queue's requests only those of sending; nothing is used at rest */
    ACCOUNTING_FULL,  /* sending, receiving, deleting; and what is used at rest */
    ACCOUNTINGS,
};

enum system {
    SYSTEM_S3,
    SYSTEM_HYBRID,
    SYSTEM_SINGLE_HOP,
    SYSTEM_PIPELINE,
    SYSTEMS,
};

enum {
    RUN_SIZES_MAX = 16,
    /* A mapping between a queue and a function holds five long polls of 20 s (docs/aws.md). */
    FIGURES_POLLERS = 5,
    FIGURES_POLL_S = 20,
    IDLE_COUNTS = 3, /* numbers of clients that the heartbeat is looked at with; the last one counts */
    TOPOLOGIES = 2,
};

/* How long the functions of a setData run, by size. */
struct run_times {
    size_t count;
    size_t sizes[RUN_SIZES_MAX]; /* rising */
    double first_ms[RUN_SIZES_MAX];
    double second_ms[RUN_SIZES_MAX];
};

struct figures {
    const struct fk_prices *prices[PRICES];
    struct run_times times[TOPOLOGIES]; /* single hop, pipeline */
    double read_ms;                     /* a small read of the table */
    struct idle idles[IDLE_COUNTS];
};

extern const int figures_clients[IDLE_COUNTS];

/* Lines of the simulator's JSON. MALFORMED: not that, or a topology is missing. */
enum fk_err figures_read(struct figures *figures, FILE *file, struct fk_diag *diag);

/* One setData or getData; false: the system has no such size or memory. */
bool figures_use(const struct figures *figures, enum system system, enum accounting accounting, bool write, size_t size,
                 int memory_mb, struct fk_usage *usage);

/* A day at rest: Lambda's polls of the queues; ours: a gateway and the heartbeat too, the prototype: its heartbeat. */
void figures_at_rest(const struct figures *figures, enum system system, struct fk_usage *usage);

/* Its parts: a gateway's renewals, a day of sweeps with figures_clients[at] clients, Lambda's polls. */
void figures_renewals(const struct figures *figures, struct fk_usage *usage);
void figures_heartbeat(const struct figures *figures, size_t at, int memory_mb, struct fk_usage *usage);
void figures_polls(enum system system, struct fk_usage *usage);

/* What a usage costs, functions on x86_64 as the prototype's. */
double figures_usd(const struct figures *figures, enum prices_of prices, const struct fk_usage *usage,
                   struct fk_bill *bill);

/* All of them; the caller's reference. */
json_t *figures_make(const struct figures *figures);

#endif
