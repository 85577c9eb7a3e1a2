// SPDX-License-Identifier: Apache-2.0
/* What a deployment has cost so far: sums of CloudWatch's metrics times the prices of deploy/prices. An estimate: free
 * tiers are not taken off, requests that carry several messages count as several, and neither S3's requests nor the
 * gateways' own queues nor the price of the alarm are in it. */
#ifndef FK_DEPLOY_COST_H
#define FK_DEPLOY_COST_H

#include "cost/price.h"
#include "deploy/stack.h"

enum {
    FK_COST_LINES_MAX = 16,
};

struct fk_cost_line {
    const char *what; /* "dynamodb_write_units" */
    enum fk_price_id price;
    double amount; /* since the deployment was made */
    double month;  /* of it, in this month (UTC) */
    double usd;
    double month_usd;
};

struct fk_cost {
    struct fk_cost_line lines[FK_COST_LINES_MAX];
    size_t count;
    double usd;
    double month_usd;
    char since[32];
    char month[8];   /* 2026-11 */
    char region[32]; /* whose prices */
};

/* Data points of one metric: all of them, and those of a month ("2026-11"). MALFORMED: no such answer. */
enum fk_err fk_cost_sum(struct fk_bytes xml, const char *month, struct fk_arena *arena, double *total,
                        double *of_month);

/* Asks CloudWatch. Any error leaves the cost unknown, nothing else. */
enum fk_err fk_cost_read(struct fk_deploy *deploy, const struct fk_stack *stack, struct fk_cost *cost);

#endif
