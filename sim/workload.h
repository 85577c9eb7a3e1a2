// SPDX-License-Identifier: Apache-2.0
/* What the clients of a random run do: each is a task that throws dice of its own for every action, so that leaving an
 * action or a client out changes nothing in the others. A run draws what its clients like (swarm testing): some kinds
 * of operations often, some never. */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "function/cloud.h"
#include "sim/client.h"

/*    name               what */
#define SIM_ACTION_TABLE(X)                                                                                            \
    X(CREATE, "create a node")                                                                                         \
    X(CREATE2, "create a node, asking for its stat")                                                                   \
    X(CREATE_EPHEMERAL, "create an ephemeral node")                                                                    \
    X(CREATE_SEQUENTIAL, "create a sequential node, some of them ephemeral")                                           \
    X(CREATE_CONTAINER, "create a container, or a node in one")                                                        \
    X(CREATE_TTL, "create a node with a time to live")                                                                 \
    X(DELETE, "delete a node, whatever its version")                                                                   \
    X(DELETE_VERSION, "delete a node of a version that may be wrong")                                                  \
    X(SET, "set data, whatever the version")                                                                           \
    X(SET_VERSION, "read data, then set it if it is the same version still")                                           \
    X(SET_BIG, "set data around and above the limits of records and items")                                            \
    X(GET, "read data, some with a watch")                                                                             \
    X(EXISTS, "ask whether a node exists, some with a watch")                                                          \
    X(CHILDREN, "list children, some with a watch")                                                                    \
    X(SYNC, "sync, then read")                                                                                         \
    X(GET_ACL, "read an ACL")                                                                                          \
    X(SET_ACL, "set an ACL")                                                                                           \
    X(AUTH, "add an identity")                                                                                         \
    X(MULTI_MIXED, "a multi of several operations, some failing")                                                      \
    X(MULTI_CHECK, "a multi whose check fails")                                                                        \
    X(BANK, "move money between two accounts in a multi")                                                              \
    X(WATCH_PERSISTENT, "add a persistent watch")                                                                      \
    X(WATCH_RECURSIVE, "add a recursive watch")                                                                        \
    X(BURST, "several requests at once, writes and reads mixed")                                                       \
    X(EPHEMERALS, "many ephemeral nodes")                                                                              \
    X(LOCK, "the lock recipe")                                                                                         \
    X(QUEUE, "the queue recipe")                                                                                       \
    X(MOVE, "leave for another gateway")                                                                               \
    X(FREEZE, "stand still for a while, perhaps for too long")                                                         \
    X(CLOSE, "close the session, begin a new one")                                                                     \
    X(ABANDON, "leave the session to expire, begin a new one")                                                         \
    X(TAKEOVER, "a second process takes over the session")                                                             \
    X(MULTI_LARGE, "a multi around or above the size of a transaction")                                                \
    X(WRONG_PASSWORD, "a second process tries the session with a wrong password")                                      \
    X(AHEAD, "a second process has seen what never was, then takes over the session")                                  \
    X(TAKEOVER_CLOSE, "a second process takes over the session and closes it, the first one writes on")

enum sim_action {
#define SIM_ACTION_ROW(name, text) SIM_ACTION_##name,
    SIM_ACTION_TABLE(SIM_ACTION_ROW)
#undef SIM_ACTION_ROW
    SIM_ACTION_COUNT
};

enum {
    SIM_WORKLOAD_CLIENTS_MAX = 8,
};

struct sim_workload_options {
    uint64_t seed;
    int clients;
    int actions;     /* of each client */
    uint64_t mask;   /* bit i: client i takes part */
    int actions_max; /* actions behind this one, of all clients, are left out; for shrinking */
    int depth;       /* requests in flight of a client */
    int32_t think_ms;
    int32_t timeout_ms;
    int32_t next_timeout_ms; /* what every second connection of a client asks for; 0: the same */
    bool newer;              /* one action in five is sim_actor_newer's */
    bool quotas;             /* and some are sim_actor_quota's */
    uint32_t watch_per_million;
    int paths;        /* different names in each directory */
    int ephemerals;   /* of one burst of them */
    int items;        /* of a transaction */
    int32_t sizes[3]; /* limits of data that big values lie around */
    bool eager;
    bool wide_ops; /* the gateway takes createContainer, createTTL and addWatch */
    uint32_t weights[SIM_ACTION_COUNT];
};

/* Draws them; `cloud` gives the limits that matter. */
void sim_workload_draw(struct sim_workload_options *options, uint64_t seed, const struct fk_cloud_options *cloud);
/* One line. */
void sim_workload_print(const struct sim_workload_options *options, struct fk_buf *out);
const char *sim_action_text(enum sim_action action);

struct sim_workload;

/* Clients begin at once. `ports`: number of gateways. */
struct sim_workload *sim_workload_start(struct sim_world *world, const struct sim_workload_options *options,
                                        struct sim_net *net, struct sim_history *history, int ports);
/* Every client has done all its actions. */
bool sim_workload_done(const struct sim_workload *workload);
/* No more actions: each client waits for its answers, syncs, and reads what it watches. */
void sim_workload_quiesce(struct sim_workload *workload);
/* All have done that. */
bool sim_workload_quiet(const struct sim_workload *workload);
/* Whom the run waits for: one line, for the report of a run that does not come to rest. */
void sim_workload_describe(const struct sim_workload *workload, struct fk_buf *out);
/* New sessions read the whole tree into the history's final nodes. */
void sim_workload_audit(struct sim_workload *workload);
bool sim_workload_audited(const struct sim_workload *workload);
/* Requests that clients sent, pings and the like not counted; actions that were done, by kind. */
uint64_t sim_workload_operations(const struct sim_workload *workload);
uint64_t sim_workload_actions(const struct sim_workload *workload, enum sim_action action);

#endif
