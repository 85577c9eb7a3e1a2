// SPDX-License-Identifier: Apache-2.0
/* What the functions and gateways of the cloud topologies share: the ports they stand on, and the constants that both
 * sides must agree on. A deployment has one set of them. */
#ifndef FK_FUNCTION_CLOUD_H
#define FK_FUNCTION_CLOUD_H

#include "model/rules.h"
#include "port/blob.h"
#include "port/channel.h"
#include "port/clock.h"
#include "port/queue.h"
#include "port/table.h"

struct fk_cloud_options {
    bool pipeline;       /* requests go through their session's group to writers, then to the distributor */
    int32_t period_ms;   /* P: gateways renew their lease this often (7.5 s) */
    int32_t lease_ms;    /* L: a gateway sends nothing later than this after the start of its last renewal (17 s) */
    int32_t look_ms;     /* gateways look for dead ones this often (5 s) */
    int32_t hold_ms;     /* T: how long a reply is held before the missing events are fetched (200 ms) */
    int32_t skew_ms;     /* bound of the difference between two machines' wall clocks (1 s) */
    int32_t answer_ms;   /* a gateway looks for an answer in the session's record after this (1 s) */
    int32_t lock_ms;     /* pipeline: life of a lock */
    int32_t function_ms; /* a function starts nothing new after this: well inside the queue's visibility timeout */
    int32_t commit_items_max; /* items of one transaction, at most FK_TABLE_WRITE_MAX */
    int32_t message_size_max; /* a larger request goes by way of a blob (stored.h) */
    int32_t inline_size_max;  /* larger data does not stand in the node's record, which has its own limit (data.c) */
    int32_t pend_unread_max;  /* so many gateways a record names as perhaps behind, without reading whether they are */
    int32_t item_size_max;    /* data up to this stands in an item of its own, larger data in a blob */
    int32_t orphan_sweeps;    /* one full sweep of so many looks for data that no record names: once an hour or so */
    int32_t session_sweeps;   /* one full sweep of so many looks at all sessions, while every gateway lives */
    struct fk_rules rules;
};

/* The values of design.md section 8. */
struct fk_cloud_options fk_cloud_defaults(void);

/* Borrowed; every one is there, `distributor` only in the pipeline. */
struct fk_ports {
    struct fk_table *table;
    struct fk_blobs *blobs;
    struct fk_queue *queue;       /* requests */
    struct fk_queue *distributor; /* pipeline: planned changes on their way to the distributor */
    struct fk_channel *channel;
    struct fk_clock *clock;
    struct fk_random *random;
};

/* Messages go to this group of the request queue in the single-hop topology; in the pipeline to the session's id. */
enum {
    FK_GROUP_SINGLE_HOP = 0,
};

/* A pause that doubles from 10 ms to 1 s with full jitter: the one way to wait before another try. */
struct fk_backoff {
    struct fk_clock *clock;
    struct fk_random *random;
    int32_t tries;
};

void fk_backoff_wait(struct fk_backoff *backoff);

#endif
