// SPDX-License-Identifier: Apache-2.0
/* What a ZooKeeper ensemble costs that does the same: N machines of one type, each with a disk, all the time.
 *
 *   machines   N x hour of the type x 730
 *   disks      N x GB of gp3 (its 3 000 IOPS and 125 MB/s are more than a log of these rates asks for)
 *   transfer   where it is counted: servers stand in three zones, clients anywhere, so that two of three pairs are in
 *              different zones, and each GB between zones is billed out and in. A read crosses from its server to its
 *              client; a write from the client to its server, from there to the leader, from the leader to N - 1
 *              followers, and its answer back. A request, a proposal and an answer have 100 bytes besides the data
 *              (headers of ZooKeeper's protocol and of TCP).
 *
 * Not in it: whoever runs it, backups, monitoring, load balancers. Source of the model without disks and transfer: the
 * FaaSKeeper paper's artifact (N x price x 24 a day); prices of transfer: "Amazon EC2 on-demand pricing", data
 * transfer. */
#ifndef FK_COST_ENSEMBLE_H
#define FK_COST_ENSEMBLE_H

#include "cost/bill.h"

enum {
    FK_ENSEMBLE_TYPE_SIZE = 32,
    FK_ENSEMBLE_SERVERS_MAX = 99,
};

struct fk_ensemble {
    int count;
    char type[FK_ENSEMBLE_TYPE_SIZE]; /* t3.small */
    double disk_gb;                   /* of each server */
    bool transfer;                    /* between zones is counted */
};

/* "3xt3.small"; the rest of the ensemble stays as it is. USAGE: it is not that, or the type has no price (the message
 * names those that have). */
enum fk_err fk_ensemble_parse(const char *text, const struct fk_prices *prices, struct fk_ensemble *ensemble,
                              struct fk_diag *diag);

/* Of a month, with so many requests a day of nodes with `size` bytes. */
void fk_ensemble_bill(const struct fk_ensemble *ensemble, const struct fk_prices *prices, double reads_per_day,
                      double writes_per_day, double size, struct fk_bill *bill);

#endif
