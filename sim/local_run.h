// SPDX-License-Identifier: Apache-2.0
/* The second stack: the engine of one machine (log, checkpoint, recovery), its store and the writer, on a disk that
 * loses power, tears, lies and fills up. A run is one data directory and the lives of the servers on it: clients send
 * requests in rounds as host/local.c takes them, a fault ends a life or disturbs it, the next one recovers what the
 * disk has kept; after the faults a last life must answer everything, and end cleanly. */
#ifndef SIM_LOCAL_RUN_H
#define SIM_LOCAL_RUN_H

#include "sim/fault.h"

struct sim_local_options {
    uint64_t kinds;       /* of faults, as in struct sim_swarm */
    uint32_t per_million; /* chance of a fault at a call */
    int64_t segment_size;
    int64_t checkpoint_size;
    int64_t checkpoint_ms;
    int64_t log_size_max;
    uint32_t operations;     /* that clients ask for, about */
    uint32_t clients;        /* sessions at a time */
    uint32_t pipeline;       /* operations of one message at most */
    uint32_t data_max;       /* bytes of a node */
    bool uniform;            /* all data of that size */
    bool alike;              /* hardly anything but sets: frames that were cut line up with new ones */
    uint32_t paths;          /* that are worked on */
    uint32_t inline_percent; /* rounds that sync on the loop's own thread */
    uint32_t sync_us;        /* that a sync takes at most: the longer, the more frames of a group; 0: 2000 */
    uint32_t think_ms;       /* between two messages of a client, on average */
    uint32_t restarts;       /* clean ones, per million rounds */
};

struct sim_local_result {
    uint64_t hash; /* of the trace */
    uint64_t operations;
    uint64_t answered;
    uint64_t faults;
    uint64_t lives;
    uint64_t refusals; /* starts that ended because of damage */
    int64_t virtual_ns;
    const char *promise; /* NULL: all kept */
    char violation[1024];
    struct sim_plan done; /* to be freed (sim_plan_free) */
};

/* Options drawn from a seed: a swarm. */
void sim_local_draw(uint64_t seed, struct sim_local_options *options);

/* `plan` NULL: the dice draw the faults. `trace` may be NULL. True where all promises were kept. */
bool sim_local_run(uint64_t seed, const struct sim_local_options *options, const struct sim_plan *plan,
                   struct sim_coverage *coverage, void (*trace)(void *context, const char *line), void *context,
                   struct sim_local_result *result);

#endif
