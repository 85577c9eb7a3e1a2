// SPDX-License-Identifier: Apache-2.0
#include "cost/recorded.h"

#include "cost/workload.h"

#include <math.h>

/* --- reading --- */

/* A member that is a number from 0 on; false with diag where it is none. */
static bool read_number(const json_t *object, const char *name, double otherwise, double *number, struct fk_diag *diag)
{
    const json_t *member = json_object_get(object, name);
    *number = member == NULL ? otherwise : json_number_value(member);
    bool ok = member == NULL ? otherwise >= 0 : json_is_number(member) && *number >= 0 && isfinite(*number);
    if (!ok) {
        fk_diag_set(diag, "'%s' is no number from 0 on", name);
    }
    return ok;
}

static bool read_op(const json_t *object, struct fk_recorded_op *op, struct fk_diag *diag)
{
    const char *name = json_string_value(json_object_get(object, "operation"));
    double amount = 0;
    if (name == NULL) {
        fk_diag_set(diag, "an entry of 'operations' has no 'operation'");
        return false;
    }
    op->op = fk_cost_op_named(name);
    if (op->op == FK_COST_OP_COUNT) {
        fk_diag_set(diag, "'operation': there is no '%.40s'", name);
        return false;
    }
    bool ok = read_number(object, "amount", 0, &amount, diag) && read_number(object, "count", -1, &op->count, diag);
    op->amount = ok ? (size_t)amount : 0;
    return ok;
}

enum fk_err fk_recorded_read(const json_t *object, struct fk_recorded *recorded, struct fk_diag *diag)
{
    const json_t *operations = json_object_get(object, "operations");
    *recorded = (struct fk_recorded){.count = 0};
    bool ok = read_number(object, "seconds", -1, &recorded->seconds, diag) &&
              read_number(object, "gateways", 1, &recorded->gateways, diag) &&
              read_number(object, "data_bytes", 0, &recorded->data_bytes, diag);
    if (ok && (!json_is_array(operations) || json_array_size(operations) > FK_RECORDED_OPS_MAX)) {
        fk_diag_set(diag, "'operations' is no list of up to %d", (int)FK_RECORDED_OPS_MAX);
        ok = false;
    }
    for (size_t i = 0; ok && i < json_array_size(operations); i++) {
        ok = read_op(json_array_get(operations, i), &recorded->ops[recorded->count], diag);
        recorded->count++;
    }
    return ok ? FK_OK : FK_ERR_USAGE;
}

/* --- what it used --- */

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
static double call_ms(const struct fk_recorded_op *op, const struct fk_cost_use *use, bool pipeline, bool tcp)
{
    if (op->op == FK_COST_HEARTBEAT) {
        return fk_cost_read_ms() * (double)(use->units.table_gets + use->units.table_lists);
    }
    return fk_cost_call_ms(size_of(op), pipeline, tcp);
}

void fk_recorded_add(const struct fk_recorded_op *op, bool pipeline, const struct fk_usage_options *options,
                     struct fk_usage *usage, struct fk_cost_use *use)
{
    struct fk_usage_options of_op = *options;
    *use = fk_cost_units(op->op, op->amount, pipeline);
    of_op.messages_per_call = op->op == FK_COST_HEARTBEAT ? 1 : options->messages_per_call;
    of_op.call_ms = call_ms(op, use, pipeline, options->tcp);
    fk_usage_add_use(usage, use, op->count, &of_op);
}

void fk_recorded_operations(const struct fk_recorded *recorded, bool pipeline, const struct fk_usage_options *options,
                            struct fk_usage *usage)
{
    struct fk_cost_use use;
    *usage = (struct fk_usage){.table_write_units = 0};
    for (size_t i = 0; i < recorded->count; i++) {
        fk_recorded_add(&recorded->ops[i], pipeline, options, usage, &use);
    }
}

void fk_recorded_standing(const struct fk_recorded *recorded, bool pipeline, const struct fk_usage_options *options,
                          struct fk_usage *usage)
{
    const struct fk_workload idle = {.gateways = recorded->gateways, .pipeline = pipeline, .tcp = options->tcp};
    double months = recorded->seconds / FK_MONTH_SECONDS;
    fk_workload_polling(&idle, usage);
    fk_usage_scale(usage, months);
    usage->table_gb_months = recorded->data_bytes / FK_COST_GB * months;
    usage->alarm_months = months;
    for (size_t i = 0; i < recorded->count; i++) {
        usage->scheduler_invocations += recorded->ops[i].op == FK_COST_HEARTBEAT ? recorded->ops[i].count : 0;
    }
}
