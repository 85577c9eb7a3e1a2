// SPDX-License-Identifier: Apache-2.0
#include "cost/live_json.h"

#include <math.h>

static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value);
}

static json_t *number(double value)
{
    return value == floor(value) ? json_integer((json_int_t)value) : json_real(value);
}

void fk_live_set_use(json_t *object, const struct fk_cost_use *use, double count)
{
    const struct fk_units *units = &use->units;
    set(object, "read_units", number(count * (double)units->read_units));
    set(object, "write_units", number(count * (double)units->write_units));
    set(object, "queue_requests", number(count * (double)units->queue_requests));
    set(object, "channel_requests", number(count * (double)units->channel_requests));
    set(object, "invocations", number(count * (double)use->invocations));
    set(object, "blob_puts", number(count * (double)(units->blob_puts + units->blob_lists)));
    set(object, "blob_gets", number(count * (double)units->blob_gets));
}

static json_t *operations_of(const struct fk_live *live, const struct fk_recorded *recorded, double factor)
{
    json_t *operations = json_array();
    for (size_t i = 0; i < recorded->count; i++) {
        const struct fk_recorded_op *op = &recorded->ops[i];
        struct fk_cost_use use;
        double usd = fk_live_op_usd(live, op, &use);
        json_t *one = json_object();
        set(one, "operation", json_string(fk_cost_op_name(op->op)));
        set(one, "amount", json_integer((json_int_t)op->amount));
        set(one, "count", json_real(op->count));
        fk_live_set_use(one, &use, op->count);
        set(one, "usd", json_real(usd));
        set(one, "usd_per_month", json_real(usd * factor));
        (void)json_array_append_new(operations, one);
    }
    return operations;
}

static json_t *services_of(const struct fk_bill *bill, double factor)
{
    json_t *services = json_array();
    for (size_t i = 0; i < bill->count; i++) {
        const struct fk_bill_line *line = &bill->lines[i];
        json_t *one = json_object();
        set(one, "service", json_string(line->service));
        set(one, "what", json_string(line->what));
        set(one, "price", json_string(line->price));
        set(one, "amount", json_real(line->amount));
        set(one, "usd", json_real(line->usd));
        set(one, "usd_per_month", json_real(line->usd * factor));
        (void)json_array_append_new(services, one);
    }
    return services;
}

json_t *fk_live_run_json(const struct fk_live *live, const struct fk_recorded *recorded)
{
    struct fk_bill bill;
    json_t *run = json_object();
    double factor = fk_live_month_factor(recorded);
    fk_live_bill(live, recorded, &bill);
    set(run, "seconds", json_real(recorded->seconds));
    set(run, "gateways", number(recorded->gateways));
    set(run, "data_bytes", number(recorded->data_bytes));
    set(run, "operations", operations_of(live, recorded, factor));
    set(run, "services", services_of(&bill, factor));
    set(run, "usd", json_real(bill.usd));
    set(run, "usd_per_month", json_real(bill.usd * factor));
    return run;
}
