// SPDX-License-Identifier: Apache-2.0
/* Short scripts with names, for the exhaustive modes (every fault at every call of each), golden traces, and people.
 * One line of a script: a client (1 ... 4; 0: the world), '&' where it does not wait for the answer, a verb, its words,
 * and perhaps "=CODE", the result that it must have where no fault happens. A client connects with its first line.
 *
 *   create|create2 PATH DATA [e|s|es|c]   ttl PATH DATA MS       delete PATH [VERSION]   set PATH DATA [VERSION]
 *   get|exists|ls|ls2 PATH [w]            sync PATH              getacl PATH             setacl PATH ACL
 *   multi OP;OP;...                       watch PATH 0|1         big PATH SIZE           many PATH COUNT
 *   auth USER:PASSWORD     close          forget (the session, which then expires)       move [PORT]
 *   leave   back [PORT]    freeze   thaw  takeover CLIENT        events COUNT (waits for so many in all)
 *   wait (for its answers) expired (waits until its session is over)                     reset (its connection breaks)
 *   0 sleep MS             0 crash PORT   0 vanish PORT          0 suspend PORT MS      0 retire PORT (hands over) */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/workload.h"

enum {
    SIM_SCENARIO_CLIENTS = 4,
};

struct sim_scenario {
    const char *name;
    const char *what; /* one line */
    int gateways;
    int32_t items; /* of one transaction; 0: as usual */
    bool small;    /* one of those that pairs of faults are tried on */
    bool race;     /* one of those whose interleavings are tried */
    bool wide;     /* needs containers, TTL or addWatch of the gateway */
    const char *script;
};

/* The scenarios in their order; NULL behind the last. */
const struct sim_scenario *sim_scenario_at(size_t i);
/* NULL: no such name. */
const struct sim_scenario *sim_scenario_find(const char *name);

/* What lines of client 0 do to gateways: "crash" (its process), "vanish" (its machine), "suspend" (for `ms`), "retire"
 * (it hands over). */
typedef void (*sim_gateway_verb_fn)(void *context, int port, const char *verb, int64_t ms);

struct sim_scenario_options {
    bool strict; /* no fault happens: results that are not those of the script are violations */
    sim_gateway_verb_fn gateway;
    void *context;
};

/* Limits under which the script does what its name says: small records, items and transactions, short times. */
void sim_scenario_limits(const struct sim_scenario *scenario, struct fk_cloud_options *options);

/* Runs as a workload does: sim_workload_done, _quiesce, _quiet, _audit. The options are copied. */
struct sim_workload *sim_scenario_start(struct sim_world *world, const struct sim_scenario *scenario,
                                        const struct sim_scenario_options *options, struct sim_net *net,
                                        struct sim_history *history);

#endif
