// SPDX-License-Identifier: Apache-2.0
/* What FaaSKeeper's prototype uses, as its authors' cost model says (github.com/spcl/faaskeeper-paper-artifact at
 * commit 40e6fe3, analysis/write/final_plots.ipynb and analysis/heartbeat/plots.ipynb). With s the size, m the
 * functions' memory:
 *
 *   C_write_std(m, s)    = 2 SQS(s) + 3 W(1) + R(1) + S3put + F_w(m, s) + F_d(m, s)
 *   C_write_hybrid(m, s) = 2 SQS(s) + 3 W(1) + R(1) + W(s)  + F_w(m, s) + F_d(m, s)    up to 4 kB, above as std
 *   C_read               = S3get, or R(s) up to 4 kB of the hybrid one
 *   SQS(s)               = a request for each 64 kB begun; W(s), R(s): a unit for each 1 kB, 4 kB begun
 *   F(m, s)              = GB-seconds and one request; the writer's and the distributor's
 *
 * The three write units are lock, commit and the list of pending changes; the read is the distributor's verification.
 * What it leaves out, in the prototype's favour: the query for watches, the larger item of a node than its data, cold
 * starts, logs. The paper counts the sending of a message only; every request of the queues counts here where the
 * caller wants that, as AWS bills it: sending, receiving (both by size), deleting.
 *
 * Sizes are the paper's labels: the size of the base64 text; the node held three quarters of that. */
#ifndef FK_COST_PROTOTYPE_H
#define FK_COST_PROTOTYPE_H

#include "cost/bill.h"

#include <stddef.h>

enum fk_prototype_store {
    FK_PROTOTYPE_S3,     /* the paper's standard deployment: nodes in S3 */
    FK_PROTOTYPE_HYBRID, /* up to 4 kB in DynamoDB, S3 above */
};

enum {
    FK_PROTOTYPE_HYBRID_MAX = 4096,
};

/* Adds one setData. False, and nothing added: nobody measured that memory, or so large a node (250 kB is the largest).
 * Between two measured sizes the functions take as long as with the larger one. */
bool fk_prototype_write(enum fk_prototype_store store, size_t size, int memory_mb, bool every_request,
                        struct fk_usage *usage);

/* Adds one getData. */
void fk_prototype_read(enum fk_prototype_store store, size_t size, struct fk_usage *usage);

/* Adds a day of heartbeats, one a minute: a scan of 2 read units and a function that asks each of `clients`. False, and
 * nothing added: nobody measured so many clients with that memory. */
bool fk_prototype_heartbeat(int clients, int memory_mb, struct fk_usage *usage);

/* What a day costs with `requests`, of which `read_share` are reads; fixed_usd: with none. */
struct fk_mix {
    double read_usd;
    double write_usd;
    double read_share; /* 0 to 1 */
    double fixed_usd;
};
double fk_mix_day_usd(const struct fk_mix *mix, double requests);
/* How many requests a day cost as much as `day_usd`; 0 where already none does. */
double fk_mix_break_even(const struct fk_mix *mix, double day_usd);

#endif
