// SPDX-License-Identifier: Apache-2.0
/* What a run is like: everything is drawn from the seed, can be printed in one line and set again by name. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "function/cloud.h"
#include "sim/fault.h"
#include "sim/scenario.h"

/*    name             what */
#define SIM_OPTION_TABLE(X)                                                                                            \
    X(gateways, "gateways, 1 to 4")                                                                                    \
    X(pipeline, "1: the pipeline topology")                                                                            \
    X(latency_us, "longest usual latency of half a port call")                                                         \
    X(net_us, "longest latency of the network")                                                                        \
    X(visibility_ms, "visibility timeout of the queues")                                                               \
    X(batch, "messages of a batch at most")                                                                            \
    X(sweep_ms, "period of the scheduled sweeps")                                                                      \
    X(restart_ms, "a dead gateway is back within")                                                                     \
    X(timeout_min_ms, "shortest session timeout")                                                                      \
    X(timeout_max_ms, "longest session timeout")                                                                       \
    X(safety_ms, "the phase with faults is cut after")                                                                 \
    X(faults, "faults per million calls")                                                                              \
    X(kinds, "mask of fault kinds")                                                                                    \
    X(roles, "mask of roles that have faults")                                                                         \
    X(zombie_ms, "a pause longer than leases and visibility")                                                          \
    X(clock_ms, "bound of the clocks' skews and jumps")                                                                \
    X(wild_clocks, "1: that bound is beyond what the deployment allows")                                               \
    X(period_ms, "lease renewal")                                                                                      \
    X(lease_ms, "lease")                                                                                               \
    X(hold_ms, "hold before a fetch")                                                                                  \
    X(skew_ms, "bound of skews that the deployment allows")                                                            \
    X(answer_ms, "look for an answer after")                                                                           \
    X(lock_ms, "life of a lock")                                                                                       \
    X(function_ms, "a function starts nothing new after")                                                              \
    X(items, "items of a transaction at most")                                                                         \
    X(inline_size, "data in the node's record at most")                                                                \
    X(pend, "gateways that a record names without reading whether they are behind")                                    \
    X(item_size, "data in an item at most")                                                                            \
    X(clients, "clients, 1 to 8")                                                                                      \
    X(actions, "actions of each client")                                                                               \
    X(client_mask, "which clients take part")                                                                          \
    X(actions_max, "actions of all clients at most")                                                                   \
    X(depth, "requests in flight of a client")                                                                         \
    X(think_ms, "pause between actions at most")                                                                       \
    X(session_ms, "session timeout that clients ask for")                                                              \
    X(next_ms, "what every second connection of a client asks for")                                                    \
    X(containers, "1: clients ask for containers and TTL nodes")                                                       \
    X(newer, "1: clients use the operations of 3.6 and later too")                                                     \
    X(quotas, "1: clients set quotas; single hop: hard limits refuse")

struct sim_options {
    uint64_t seed;
#define SIM_OPTION_ROW(name, what) int64_t name;
    SIM_OPTION_TABLE(SIM_OPTION_ROW)
#undef SIM_OPTION_ROW
    struct fk_cloud_options cloud; /* follow from those above */
    struct sim_swarm swarm;
    struct sim_workload_options workload;
};

/* Draws everything, settings excepted, from the seed: "name=value,name=value" (may be NULL). False with the name of the
 * first setting that is none. */
bool sim_options_draw(struct sim_options *options, uint64_t seed, const char *settings, char *wrong, size_t size);
/* The same for a scenario: its limits, and no faults but those of a plan. */
bool sim_options_scenario(struct sim_options *options, const struct sim_scenario *scenario, uint64_t seed,
                          const char *settings, char *wrong, size_t size);
/* "name=value,..." for all of them. */
void sim_options_print(const struct sim_options *options, struct fk_buf *out);
/* For --help. */
void sim_options_help(struct fk_buf *out);

#endif
