// SPDX-License-Identifier: Apache-2.0
#include "cost/recorded.h"

#include <math.h>

/* Lambda asks a queue by five pollers, each of which waits for 20 s ("Using Lambda with Amazon SQS": five batches at a
 * time at the beginning; ReceiveMessage waits for 20 s at most); so does a gateway, by one. */
#define POLLERS 5.0
#define POLL_S  20.0

#define GB 1e9

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

void fk_recorded_operations(const struct fk_recorded *recorded, bool pipeline, const struct fk_usage_options *options,
                            struct fk_usage *usage)
{
    *usage = (struct fk_usage){.table_write_units = 0};
    for (size_t i = 0; i < recorded->count; i++) {
        const struct fk_recorded_op *op = &recorded->ops[i];
        const struct fk_cost_use use = fk_cost_units(op->op, op->amount, pipeline);
        struct fk_usage_options of_op = *options;
        of_op.messages_per_call = op->op == FK_COST_HEARTBEAT ? 1 : options->messages_per_call;
        fk_usage_add_use(usage, &use, op->count, &of_op);
    }
}

void fk_recorded_standing(const struct fk_recorded *recorded, bool pipeline, const struct fk_usage_options *options,
                          struct fk_usage *usage)
{
    double polls = recorded->seconds / POLL_S;
    double months = recorded->seconds / FK_RECORDED_MONTH_S;
    *usage = (struct fk_usage){.queue_idle_polls = polls * POLLERS * (pipeline ? 2 : 1),
                               .channel_idle_polls = options->tcp ? 0 : polls * recorded->gateways,
                               .table_gb_months = recorded->data_bytes / GB * months,
                               .alarm_months = months};
    for (size_t i = 0; i < recorded->count; i++) {
        usage->scheduler_invocations += recorded->ops[i].op == FK_COST_HEARTBEAT ? recorded->ops[i].count : 0;
    }
}
