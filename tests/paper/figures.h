// SPDX-License-Identifier: Apache-2.0
/* The prototype and ours side by side, at the paper's prices and at today's, with the paper's accounting and with every
 * request counted. docs/evaluation.md says what is assumed. */
#ifndef FK_TESTS_PAPER_FIGURES_H
#define FK_TESTS_PAPER_FIGURES_H

#include "cost/prototype.h"

#include <jansson.h>

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
    FIGURES_MEMORY_MB = 512, /* of functions, where nothing else is said */
    FIGURES_CLIENTS = 64,    /* of a deployment at rest */
};

/* Adds one setData or getData; false, and nothing added: the system has no such size or memory. */
bool use_operation(enum system system, enum accounting accounting, bool write, size_t size, int memory_mb,
                   struct fk_usage *usage);

/* Add a day of what happens by itself: a gateway's renewals; the heartbeat with so many clients (false: nobody measured
 * that); Lambda's polls of the queues; all of them, of a deployment with one gateway. */
void use_renewals(struct fk_usage *usage);
bool use_heartbeat(enum system system, int clients, int memory_mb, struct fk_usage *usage);
void use_polls(enum system system, struct fk_usage *usage);
void use_rest(enum system system, struct fk_usage *usage);

/* All of them; the caller's reference. */
json_t *figures_make(const struct fk_prices *const prices[PRICES]);

#endif
