// SPDX-License-Identifier: Apache-2.0
/* How long calls of AWS take: distributions that were measured (data/README.md), drawn from with the world's dice, and
 * what nobody measured, as assumptions that can be varied. docs/aws-latency.md names them all. */
#ifndef SIM_LATENCY_H
#define SIM_LATENCY_H

#include "base/err.h"
#include "sim/ports.h"

/* What a call is, as far as its time is concerned. */
enum sim_latency_kind {
    SIM_LATENCY_READ,        /* DynamoDB, strongly consistent; by size */
    SIM_LATENCY_WRITE,       /* DynamoDB, without a condition */
    SIM_LATENCY_CONDITIONAL, /* DynamoDB, one item with a condition: that of the prototype's timed lock */
    SIM_LATENCY_PUSH,        /* SQS: a message is sent, until that is acknowledged; by size */
    SIM_LATENCY_TRIGGER,     /* SQS FIFO: from there until the function runs; by size */
    SIM_LATENCY_ROUND_TRIP,  /* TCP, from the function to a client and back */
    SIM_LATENCY_BLOB_PUT,    /* S3, by size */
    SIM_LATENCY_BLOB_GET,    /* S3, the whole object; by size */
    SIM_LATENCY_BLOB_HEAD,   /* S3, until the headers are there */
    SIM_LATENCY_LOCK,        /* the prototype's stages and the whole, for comparison */
    SIM_LATENCY_LEADER,
    SIM_LATENCY_PROTOTYPE,
    SIM_LATENCY_KINDS,
};

struct sim_latency_options {
    double transaction; /* a transaction takes so often what a conditional write and a plain one take (1) */
    double poll_ms; /* channel over SQS: usually so long from the acknowledged message until a long poll has it (10) */
    double function_ms; /* what an invocation takes besides its calls (0.5) */
    double batch;       /* messages of a batch on average, at most 10 (3: gives the 74 messages a second that were
                           measured) */
    int partitions;     /* of the table: 1 000 write units and 3 000 read units a second each (4: a new table) */
    bool sqs_channel;   /* answers travel over SQS; else over TCP */
};

struct sim_latency;

void sim_latency_defaults(struct sim_latency_options *options);
/* Reads the measured series from a CSV file. Free with sim_latency_free, after the worlds that it was used in. */
enum fk_err sim_latency_read(const char *path, struct sim_latency **latency, struct fk_diag *diag);
void sim_latency_free(struct sim_latency *latency);

/* From now on everything takes its time in this cloud, which is new: decorators over the ports of each process. */
void sim_latency_attach(struct sim_latency *latency, const struct sim_latency_options *options, struct sim_world *world,
                        struct sim_cloud *cloud);

/* One of the distribution's values, for a payload of `size` bytes; u in [0, 1). */
double sim_latency_ms(const struct sim_latency *latency, enum sim_latency_kind kind, size_t size, double u);
/* A number in [0, 1). */
double sim_latency_dice(struct sim_world *world);
int64_t sim_latency_ns(double ms);
/* One value, drawn. */
int64_t sim_latency_draw(const struct sim_latency *latency, struct sim_world *world, enum sim_latency_kind kind,
                         size_t size);
/* Messages that one poll gives at most: drawn around the options' average. */
size_t sim_latency_batch(const struct sim_latency_options *options, struct sim_world *world);

/* What an operation's time goes to; that of a queue until the function runs is the host's (latency_host.h). */
enum sim_latency_stage {
    SIM_STAGE_PUSH,   /* the gateway's message to the requests' queue, until that is acknowledged */
    SIM_STAGE_READ,   /* the first function: what it reads of the table */
    SIM_STAGE_LOCK,   /* the writer of the pipeline: what it writes before its message */
    SIM_STAGE_STORE,  /* a node's data where it does not stand in its record: an item of its own, an object of S3 */
    SIM_STAGE_COMMIT, /* the transaction; in the pipeline what the writer writes after its message */
    SIM_STAGE_PUSH_SECOND, /* the writer's message to the distributor's queue */
    SIM_STAGE_READ_SECOND, /* the distributor: what it reads */
    SIM_STAGE_APPLY,       /* the distributor: what it writes */
    SIM_STAGE_ANSWER,      /* to the gateway */
    SIM_STAGES,
};

/* What the table was asked for since it was attached. */
struct sim_latency_counts {
    uint64_t write_units;
    uint64_t read_units;
    uint64_t sends;               /* messages to queues */
    uint64_t notices;             /* messages to gateways */
    uint64_t waits;               /* calls that had to wait because a partition was at its limit */
    int64_t waited_ns;            /* how long, all together */
    int64_t stage_ns[SIM_STAGES]; /* of calls that are over; those of a sweep and of a gateway's own are not in it */
};
struct sim_latency_counts sim_latency_counts(const struct sim_latency *latency);

#endif
