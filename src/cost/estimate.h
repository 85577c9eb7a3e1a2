// SPDX-License-Identifier: Apache-2.0
/* A workload's bill beside that of an ensemble, and the rate at which both are the same. */
#ifndef FK_COST_ESTIMATE_H
#define FK_COST_ESTIMATE_H

#include "cost/ensemble.h"
#include "cost/recorded.h"
#include "cost/workload.h"

struct fk_estimate {
    struct fk_usage usage;
    struct fk_bill bill; /* of a month */
    struct fk_bill ensemble;
    double ratio;        /* ensemble / FaaSKeeper */
    double read_share;   /* of the workload's requests; where it has none: FK_ESTIMATE_READ_SHARE */
    double break_even;   /* requests a day; 0: the ensemble is cheaper at any rate; infinite: it never is */
    double fixed_usd;    /* of a month, whatever is asked: what the bill has beside its requests */
    double read_usd;     /* of one request, on average */
    double write_usd;    /* with the watches that it fires */
    double renewals_usd; /* of a day, like the next */
    double heartbeat_usd;
    double rest_usd; /* of a month without gateways and requests */
};

#define FK_ESTIMATE_READ_SHARE 0.9

void fk_estimate_make(const struct fk_workload *workload, const struct fk_ensemble *ensemble,
                      const struct fk_prices *prices, struct fk_estimate *estimate);

/* The same of a recorded run, at its own rate and mix: the bill is that of a month like it. `workload` says how it
 * would run (topology, channel, memory, assumptions); its rates, sessions, gateways and nodes are not looked at, but of
 * the watches only what was recorded counts. Requests a day and the read share are given too. USAGE: nothing was
 * recorded (the message says what is missing). */
struct fk_estimate_run {
    double reads_per_day;
    double writes_per_day;
    double size; /* of the data of what was written, on average */
    double usd;  /* of the run itself */
};
enum fk_err fk_estimate_recorded(const struct fk_recorded *recorded, const struct fk_workload *workload,
                                 const struct fk_ensemble *ensemble, const struct fk_prices *prices,
                                 struct fk_estimate *estimate, struct fk_estimate_run *run, struct fk_diag *diag);

/* Dollars a month of the workload with another rate; `reads` of them are read (0 to 1). */
double fk_estimate_at(const struct fk_workload *workload, const struct fk_prices *prices, double requests_per_day,
                      double read_share);
double fk_estimate_ensemble_at(const struct fk_workload *workload, const struct fk_ensemble *ensemble,
                               const struct fk_prices *prices, double requests_per_day, double read_share);

/* Requests a day at which both cost the same, as above; by bisection, to a request. */
double fk_estimate_break_even(const struct fk_workload *workload, const struct fk_ensemble *ensemble,
                              const struct fk_prices *prices, double read_share);

/* Dollars of a usage. */
double fk_estimate_usd(const struct fk_workload *workload, const struct fk_prices *prices,
                       const struct fk_usage *usage);

#endif
