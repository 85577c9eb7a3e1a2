// SPDX-License-Identifier: Apache-2.0
/* Looks for containers and TTL nodes that are due, and asks the write function for their end, as ZooKeeper's
 * ContainerManager does: a pass over all of them each interval, a bounded number of ends per minute. The function
 * decides (fk_plan_sweep_node). Driven by ticks; each looks at a bounded number of nodes.
 *
 * Ages come from the wall clock, which may jump: forward by a correction, or because the machine was asleep. Nobody had
 * the time to set the data of a TTL node again that is too old all at once. So an age is at most the time since the
 * last jump forward: after one, every node gets its whole TTL. A jump back makes nodes live longer by it. */
#ifndef FK_HOST_SWEEPER_H
#define FK_HOST_SWEEPER_H

#include "port/clock.h"
#include "port/queue.h"
#include "port/store.h"

/* Properties of ZooKeeper: znode.container.* */
struct fk_sweeper_options {
    int32_t interval_ms;   /* checkIntervalMs; 0: no sweeps */
    int32_t per_minute;    /* maxPerMinute */
    int64_t never_used_ms; /* maxNeverUsedIntervalMs; 0: unused containers stay */
};

struct fk_sweeper {
    struct fk_sweeper_options options;
    struct fk_store *store; /* a local one */
    struct fk_queue *queue;
    struct fk_clock *clock;
    int64_t last_ms;   /* times are monotonic: of the last tick, */
    int64_t pass_ms;   /* of the next pass, */
    int64_t jumped_ms; /* of the wall clock's last jump forward, if there was one */
    bool jumped;
    int64_t offset_ms; /* wall clock against the monotonic one */
    size_t left;       /* nodes that the pass has not looked at */
    int64_t credit;    /* ends that may be asked for, times FK_SWEEPER_MINUTE_MS */
};

enum {
    /* ZooKeeper's defaults. */
    FK_SWEEP_INTERVAL_MS = 60000,
    FK_SWEEPS_PER_MINUTE = 10000,
    FK_SWEEPER_MINUTE_MS = 60000,
    /* Nodes that a tick looks at: a millisecond or two. */
    FK_SWEEPER_LOOKS_MAX = 20000,
    /* Both clocks are slewed alike; more of a difference is a jump. */
    FK_SWEEPER_JUMP_MS = 1000,
};

/* The first pass comes after one interval. */
void fk_sweeper_init(struct fk_sweeper *sweeper, const struct fk_sweeper_options *options, struct fk_store *store,
                     struct fk_queue *queue, struct fk_clock *clock);

/* Call at least once per interval, and the more often, the finer the ends are spread. True where it sent a message. */
bool fk_sweeper_tick(struct fk_sweeper *sweeper);

#endif
