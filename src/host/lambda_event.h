// SPDX-License-Identifier: Apache-2.0
/* Events from a queue of SQS, as Lambda hands them to functions, and the answer that says what of them is not done. */
#ifndef FK_HOST_LAMBDA_EVENT_H
#define FK_HOST_LAMBDA_EVENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct fk_lambda_message {
    struct fk_bytes id;    /* by which it is reported */
    struct fk_bytes group; /* empty: of a queue that has none */
    struct fk_bytes body;  /* decoded; empty, and not null, where it is no Base64 */
    bool failed;           /* set by who handles it: it has to come again */
};

/* In the order in which they came, which is that of each group. */
struct fk_lambda_batch {
    struct fk_lambda_message *messages;
    size_t count;
};

/* Reads {"Records":[...]}; everything is in the arena or a view of the event. What can't be reported one by one is an
 * error of the whole: MALFORMED with diag saying what is wrong where, TOO_LARGE (records), NOMEM. */
enum fk_err fk_lambda_batch_read(struct fk_bytes event, struct fk_arena *arena, struct fk_lambda_batch *batch,
                                 struct fk_diag *diag);

/* {"batchItemFailures":[{"itemIdentifier":"..."}]}: the messages that failed. */
void fk_lambda_batch_write_failures(const struct fk_lambda_batch *batch, struct fk_buf *out);

#endif
