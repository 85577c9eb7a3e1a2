// SPDX-License-Identifier: Apache-2.0
/* The bill of a recorded run (recorded.h): what it would have cost on AWS, and what a month like it would. Each write
 * counts as a message and a call of its own, which is the most that it can be: requests that come together share both.
 * Calls last as the durations of units.h say, of functions with 512 MB on arm64. */
#ifndef FK_COST_LIVE_H
#define FK_COST_LIVE_H

#include "cost/recorded.h"

struct fk_live {
    const struct fk_prices *prices;
    bool pipeline;
    bool tcp; /* answers travel over TCP, else over SQS */
};

/* Everything: operations, timers, what there is besides. Lines borrow names of the prices. */
void fk_live_bill(const struct fk_live *live, const struct fk_recorded *recorded, struct fk_bill *bill);

/* `count` of one operation; *use: what they used. */
double fk_live_op_usd(const struct fk_live *live, const struct fk_recorded_op *op, struct fk_cost_use *use);

/* Numbers of a meter; nothing of a function is in them. */
double fk_live_units_usd(const struct fk_live *live, const struct fk_units *units);

/* Units, calls included, whose sizes nobody knows: a call lasts as for a small write. */
double fk_live_use_usd(const struct fk_live *live, const struct fk_cost_use *use);

/* How many times the run fits into a month; 0 for one without a duration. */
double fk_live_month_factor(const struct fk_recorded *recorded);

#endif
