// SPDX-License-Identifier: Apache-2.0
#include "cost/live.h"

#include "cost/workload.h"

static struct fk_usage_options options_of(const struct fk_live *live, double ms)
{
    struct fk_usage_options options = fk_usage_defaults();
    options.tcp = live->tcp;
    options.call_ms = ms;
    return options;
}

void fk_live_bill(const struct fk_live *live, const struct fk_recorded *recorded, struct fk_bill *bill)
{
    const struct fk_usage_options options = options_of(live, 0);
    struct fk_usage usage;
    struct fk_usage standing;
    fk_recorded_operations(recorded, live->pipeline, &options, &usage);
    fk_recorded_standing(recorded, live->pipeline, &options, &standing);
    fk_usage_add(&usage, &standing);
    fk_bill_make(live->prices, &usage, false, bill);
}

static double bill_of(const struct fk_live *live, const struct fk_usage *usage)
{
    struct fk_bill bill;
    fk_bill_make(live->prices, usage, false, &bill);
    return bill.usd;
}

double fk_live_op_usd(const struct fk_live *live, const struct fk_recorded_op *op, struct fk_cost_use *use)
{
    const struct fk_usage_options options = options_of(live, 0);
    struct fk_usage usage = {.table_write_units = 0};
    fk_recorded_add(op, live->pipeline, &options, &usage, use);
    return bill_of(live, &usage);
}

double fk_live_use_usd(const struct fk_live *live, const struct fk_cost_use *use)
{
    struct fk_usage usage = {.table_write_units = 0};
    const struct fk_usage_options options = options_of(live, fk_cost_call_ms(0, live->pipeline, live->tcp));
    fk_usage_add_use(&usage, use, 1, &options);
    return bill_of(live, &usage);
}

double fk_live_units_usd(const struct fk_live *live, const struct fk_units *units)
{
    return fk_live_use_usd(live, &(struct fk_cost_use){.units = *units});
}

double fk_live_month_factor(const struct fk_recorded *recorded)
{
    return recorded->seconds > 0 ? FK_MONTH_SECONDS / recorded->seconds : 0;
}
