// SPDX-License-Identifier: Apache-2.0
/* What a workload uses of AWS in a month: the formulas behind `faaskeeper cost estimate`, each with where it comes
 * from. Per operation the numbers are those of the measured table (units.h); what is assumed is a member of struct
 * fk_workload, so that it can be said otherwise, and stands in docs/cost.md.
 *
 * A month has 730 hours, as in AWS's own calculator. */
#ifndef FK_COST_WORKLOAD_H
#define FK_COST_WORKLOAD_H

#include "cost/bill.h"

#define FK_MONTH_HOURS   730.0
#define FK_MONTH_SECONDS (FK_MONTH_HOURS * 3600)
#define FK_MONTH_DAYS    (FK_MONTH_HOURS / 24)

struct fk_workload {
    double reads_per_day;  /* getData, strongly consistent */
    double writes_per_day; /* setData, one at a time: nothing is shared by a batch */
    double size;           /* bytes of a node's data: read, written, at rest */
    double watches;        /* that a write fires, on average; each is set again by a read of its own */
    double sessions;       /* connected, all the time */
    double gateways;       /* that serve them; 0: the deployment is at rest, and nobody asks for anything */
    double nodes;          /* at rest, each with `size` bytes */
    double memory_mb;      /* of each function */
    bool pipeline;
    bool tcp;     /* answers over TCP, in one VPC; else by a queue of each gateway */
    bool x86_64;  /* functions run on it; else on arm64 */
    bool outside; /* gateways are not in AWS: what they read leaves by the internet */

    double refused_share;    /* of commits, besides: conditions that did not hold; billed, read and tried again */
    double sessions_per_day; /* of each session: it is made and closed so often */
    double init_ms;          /* of a cold start */
    double idle_life_s;      /* a function that is not called for so long starts cold */
    double recycled_per_day; /* cold starts besides: AWS ends environments that were never idle too */
    double log_bytes;        /* of a call */
    double log_days;         /* that logs are kept */
};

/* No requests, 100 bytes, one gateway with 10 sessions, 1 000 nodes, single hop over SQS at 512 MB on arm64; the
 * assumptions of docs/cost.md. */
struct fk_workload fk_workload_defaults(void);

/* USAGE: a member is outside of its range; the message begins with its option and names the range. */
enum fk_err fk_workload_check(const struct fk_workload *workload, struct fk_diag *diag);

/* Everything, of a month. */
void fk_workload_usage(const struct fk_workload *workload, struct fk_usage *usage);

/* Its parts; usage is set, not added to. The first two are of one request, the others of a month. */
void fk_workload_read(const struct fk_workload *workload, struct fk_usage *usage);
/* With the watches that it fires. */
void fk_workload_write(const struct fk_workload *workload, struct fk_usage *usage);
/* Sessions that come and go. */
void fk_workload_sessions(const struct fk_workload *workload, struct fk_usage *usage);
/* Renewals of leases, and sweeps of gateways by each other. */
void fk_workload_renewals(const struct fk_workload *workload, struct fk_usage *usage);
/* The heartbeat function, its schedule, and its hourly look for data that no record names. */
void fk_workload_heartbeat(const struct fk_workload *workload, struct fk_usage *usage);
/* Polling: of Lambda on each queue of requests, whoever is there; of gateways on their own queues. */
void fk_workload_polling(const struct fk_workload *workload, struct fk_usage *usage);
/* Data at rest, logs that are kept, the alarm, endpoints of a VPC. */
void fk_workload_rest(const struct fk_workload *workload, struct fk_usage *usage);

/* How a call of the workload's functions is billed. */
struct fk_usage_options fk_workload_options(const struct fk_workload *workload);

#endif
