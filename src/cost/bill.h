// SPDX-License-Identifier: Apache-2.0
/* From what was used to what AWS bills: usage is a sum of priced units, a bill is usage times prices, by service.
 *
 * Free tiers are not taken off, discounts neither; volume tiers are the first ones. Numbers are doubles: those of a
 * month are large, and the mean of one operation has fractions.
 *
 * Sources, all of them pages of AWS: "Amazon DynamoDB pricing for on-demand capacity"; "Amazon SQS pricing" (every API
 * action is a request, one for each 64 KB begun; receiving nothing is one too); "AWS Lambda pricing" (duration from the
 * start of the code to its end, rounded up to the next ms, and since 2025-08 of initialisation too; requests);
 * "Amazon S3 pricing"; "Amazon CloudWatch pricing" (logs by the byte taken in, alarms); "Amazon EventBridge pricing"
 * (Scheduler by the invocation); "Amazon EC2 on-demand pricing", "Data transfer" (between zones, to the internet). */
#ifndef FK_COST_BILL_H
#define FK_COST_BILL_H

#include "cost/price.h"
#include "cost/units.h"

/* What is priced. GB are 10^9 bytes where data is at rest or on its way, 2^30 of memory in GB-seconds, as AWS counts.
 */
struct fk_usage {
    double table_write_units;
    double table_read_units;
    double table_gb_months;
    double queue_sends;      /* requests of sending to FIFO queues, as billed */
    double queue_receives;   /* of receiving something from them */
    double queue_deletes;    /* of deleting: one for each batch */
    double queue_idle_polls; /* of receiving nothing: what Lambda's pollers do all the time */
    double channel_sends;    /* requests of sending to the queues of gateways, standard ones */
    double channel_receives;
    double channel_deletes;
    double channel_idle_polls;
    double function_requests;   /* invocations */
    double function_gb_seconds; /* arm64 or x86_64, by the bill's options */
    double init_gb_seconds;     /* of cold starts, not in function_gb_seconds */
    double blob_puts;           /* PUT and LIST */
    double blob_gets;
    double blob_gb_months;
    double log_bytes;     /* taken in */
    double log_gb_months; /* kept */
    double scheduler_invocations;
    double alarm_months;
    double transfer_az_gb;       /* between zones, both directions together */
    double transfer_internet_gb; /* out */
    double vpc_endpoint_hours;   /* of interface endpoints, per zone */
};

#define FK_COST_GB 1e9 /* bytes, at rest or on their way */

/* Of what is sent within a region of three zones two of three are in another one; billed on both ways. */
#define FK_COST_OTHER_ZONE_SHARE (2.0 / 3.0)
#define FK_COST_BOTH_WAYS        2.0

void fk_usage_add(struct fk_usage *sum, const struct fk_usage *more);
void fk_usage_scale(struct fk_usage *usage, double factor);

/* How a message of a function's queue, a call, and an answer become usage. */
struct fk_usage_options {
    bool tcp;                    /* answers travel over TCP: no requests of SQS */
    double messages_per_call;    /* of the queue, that one invocation takes: 1 or more */
    double messages_per_receive; /* of a gateway's queue, that one receive (and one delete) takes: 1 or more */
    double refused_share;        /* of what writes, besides: a condition did not hold, billed, read and tried again */
    double memory_gb;            /* of a function: MB / 1024 */
    double call_ms;              /* a call, without what came before; billed by the ms begun */
    double init_ms;              /* a cold start adds */
    double cold_share;           /* of the calls that are cold */
    double log_bytes_per_call;
};

/* One small write at a time, single hop, told over SQS, by a warm function of 512 MB, of which nothing is refused. What
 * is assumed is docs/cost.md's: a call in a hundred logs a line of 300 bytes (the functions say nothing of what went
 * well, and the template turns the platform's own lines off), a cold start takes 50 ms. */
struct fk_usage_options fk_usage_defaults(void);

/* `times` the use of an operation; calls of the heartbeat take no messages: with messages_per_call 1. */
void fk_usage_add_use(struct fk_usage *sum, const struct fk_cost_use *use, double times,
                      const struct fk_usage_options *options);

enum {
    FK_BILL_LINES_MAX = 32,
};

struct fk_bill_line {
    const char *service; /* "DynamoDB" */
    const char *what;    /* "write units" */
    const char *price;   /* the name of its price */
    double amount;       /* of `what` */
    double usd;
};

struct fk_bill {
    struct fk_bill_line lines[FK_BILL_LINES_MAX]; /* those of one service stand together; an amount of 0 is left out */
    size_t count;
    double usd;
};

/* Functions run on arm64, or on x86_64. The lines borrow the names of `prices`. */
void fk_bill_make(const struct fk_prices *prices, const struct fk_usage *usage, bool x86_64, struct fk_bill *bill);

/* Adds a line; the texts are borrowed. An amount of 0 adds none. */
void fk_bill_add(struct fk_bill *bill, const char *service, const char *what, const struct fk_price *price,
                 double amount);

/* What a service takes of it. */
double fk_bill_service(const struct fk_bill *bill, const char *service);

#endif
