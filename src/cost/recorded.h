// SPDX-License-Identifier: Apache-2.0
/* A recorded run: which operations there were in some time, and what that costs. A server tells it of itself (GET
 * /commands/cost: "since_start" and "last_hour" are objects of this form, as is a file of one's own):
 *
 *   {"seconds": S, "gateways": G, "data_bytes": B,
 *    "operations": [{"operation": NAME, "amount": A, "count": N, ...}, ...]}
 *
 * NAME is one of FK_COST_OP_TABLE, A what the table says that the operation counts (0: nothing), the largest of its
 * class where a server counted by classes. N may be a fraction. `gateways` were connected all the time (left out: 1),
 * `data_bytes` lie in the tree (left out: 0). Other members are read over. The timers of gateways and of the heartbeat
 * are operations like others: gatewayMinute, heartbeat. */
#ifndef FK_COST_RECORDED_H
#define FK_COST_RECORDED_H

#include "cost/bill.h"

#include <jansson.h>

enum {
    FK_RECORDED_OPS_MAX = 512,
};

struct fk_recorded_op {
    enum fk_cost_op op;
    size_t amount;
    double count;
};

struct fk_recorded {
    double seconds;
    double gateways;
    double data_bytes;
    struct fk_recorded_op ops[FK_RECORDED_OPS_MAX];
    size_t count;
};

/* USAGE, with a message that names the member. */
enum fk_err fk_recorded_read(const json_t *object, struct fk_recorded *recorded, struct fk_diag *diag);

/* Adds what `count` of one operation used; *use: what one of them uses. A call lasts as units.h says of the operation
 * and its size, whatever options->call_ms is. */
void fk_recorded_add(const struct fk_recorded_op *op, bool pipeline, const struct fk_usage_options *options,
                     struct fk_usage *usage, struct fk_cost_use *use);
/* What the operations used. */
void fk_recorded_operations(const struct fk_recorded *recorded, bool pipeline, const struct fk_usage_options *options,
                            struct fk_usage *usage);
/* What there is besides: polling for messages that do not come, calls by the schedule, data at rest, the alarm. */
void fk_recorded_standing(const struct fk_recorded *recorded, bool pipeline, const struct fk_usage_options *options,
                          struct fk_usage *usage);

#endif
