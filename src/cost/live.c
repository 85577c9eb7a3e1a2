// SPDX-License-Identifier: Apache-2.0
#include "cost/live.h"

#include "cost/workload.h"

/* Bytes of data that an operation writes, as its amount says; 0: not known, or none. */
static size_t size_of(const struct fk_recorded_op *op)
{
    switch ((int)op->op) {
    case FK_COST_CREATE:
    case FK_COST_CREATE_EPHEMERAL:
    case FK_COST_CREATE_SEQUENTIAL:
    case FK_COST_SET_DATA:
        return op->amount;
    default:
        return 0;
    }
}

/* The heartbeat's call is reads, one after the other. */
static double call_ms(const struct fk_live *live, const struct fk_recorded_op *op, const struct fk_cost_use *use)
{
    if (op->op == FK_COST_HEARTBEAT) {
        return fk_cost_read_ms() * (double)(use->units.table_gets + use->units.table_lists);
    }
    return fk_cost_call_ms(size_of(op), live->pipeline, live->tcp);
}

static struct fk_usage_options options_of(const struct fk_live *live, double ms)
{
    struct fk_usage_options options = fk_usage_defaults();
    options.tcp = live->tcp;
    options.call_ms = ms;
    return options;
}

static void add_op(const struct fk_live *live, const struct fk_recorded_op *op, struct fk_usage *usage,
                   struct fk_cost_use *use)
{
    *use = fk_cost_units(op->op, op->amount, live->pipeline);
    const struct fk_usage_options options = options_of(live, call_ms(live, op, use));
    fk_usage_add_use(usage, use, op->count, &options);
}

void fk_live_bill(const struct fk_live *live, const struct fk_recorded *recorded, struct fk_bill *bill)
{
    const struct fk_usage_options options = options_of(live, 0);
    struct fk_usage usage;
    struct fk_cost_use use;
    fk_recorded_standing(recorded, live->pipeline, &options, &usage);
    for (size_t i = 0; i < recorded->count; i++) {
        add_op(live, &recorded->ops[i], &usage, &use);
    }
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
    struct fk_usage usage = {.table_write_units = 0};
    add_op(live, op, &usage, use);
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
