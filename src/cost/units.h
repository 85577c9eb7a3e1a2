// SPDX-License-Identifier: Apache-2.0
/* What one operation uses of AWS: the measured table of docs/aws-units.md, as data. units_table.inc is made by
 * `build/tests/units/faaskeeper-units --table`, which runs each operation through the gateway, the functions and the
 * meters of port/meter.h; a test fails where it is not what the code does.
 *
 * The table holds one gateway, a session that has written before, no contention. What a workload adds to that (refused
 * conditions, polling, notifications of other gateways) is workload.h's.
 *
 * How long a call of a function takes comes from the simulator: units_durations.inc is made by `faaskeeper-sim-latency
 * --functions`, the production code on services as slow as AWS's were measured to be (docs/aws-latency.md). */
#ifndef FK_COST_UNITS_H
#define FK_COST_UNITS_H

#include "port/meter.h"

/*    identifier               name in metrics      what `amount` counts */
#define FK_COST_OP_TABLE(X)                                                                                            \
    X(GET_DATA, "getData", "bytes of data")                                                                            \
    X(GET_DATA_WATCH, "getDataWatch", "") /* the gateway's first watch on the path; another one is a GET_DATA */       \
    X(EXISTS, "exists", "")                                                                                            \
    X(EXISTS_NOT, "existsNot", "") /* no such node */                                                                  \
    X(EXISTS_NOT_WATCH, "existsNotWatch", "")                                                                          \
    X(GET_ACL, "getACL", "")                                                                                           \
    X(GET_CHILDREN, "getChildren", "children")                                                                         \
    X(GET_EPHEMERALS, "getEphemerals", "")                                                                             \
    X(GET_ALL_CHILDREN_NUMBER, "getAllChildrenNumber", "nodes below")                                                  \
    X(MULTI_READ, "multiRead", "parts")                                                                                \
    X(ADD_WATCH, "addWatch", "")                                                                                       \
    X(ADD_WATCH_RECURSIVE, "addWatchRecursive", "")                                                                    \
    X(SYNC, "sync", "")                                                                                                \
    X(PING, "ping", "")                                                                                                \
    X(AUTH, "auth", "")                                                                                                \
    X(CREATE, "create", "bytes of data")                                                                               \
    X(CREATE_EPHEMERAL, "createEphemeral", "bytes of data")                                                            \
    X(CREATE_SEQUENTIAL, "createSequential", "bytes of data")                                                          \
    X(CREATE_CONTAINER, "createContainer", "")                                                                         \
    X(CREATE_REFUSED, "createRefused", "") /* the node exists: what a write that fails uses */                         \
    X(DELETE, "delete", "")                                                                                            \
    X(SET_DATA, "setData", "bytes of data")                                                                            \
    X(SET_DATA_WATCHED, "setDataWatched", "") /* one gateway watches the node */                                       \
    X(SET_ACL, "setACL", "")                                                                                           \
    X(MULTI, "multi", "parts")                                                                                         \
    X(SESSION_NEW, "sessionNew", "")                                                                                   \
    X(SESSION_MOVED, "sessionMoved", "") /* taken over by another gateway */                                           \
    X(SESSION_CLOSED, "sessionClosed", "ephemeral nodes")                                                              \
    X(SESSION_EXPIRED, "sessionExpired", "")                                                                           \
    X(GATEWAY_PERIOD, "gatewayPeriod", "")         /* a gateway's renewal and sweep */                                 \
    X(GATEWAY_MINUTE, "gatewayMinute", "gateways") /* what gateways do by themselves in a minute */                    \
    X(HEARTBEAT, "heartbeat", "sessions")          /* one call of the heartbeat function */                            \
    X(HEARTBEATS, "heartbeats", "sessions") /* FK_COST_HEARTBEAT_CALLS of them, a minute apart: some look further */   \
    X(EVENT_TRIMMED, "eventTrimmed", "")    /* what becomes of an event: acknowledged, trimmed by a sweep */           \
    X(ORPHAN_SWEEP, "orphanSweep", "bytes of data") /* the look for data without a record, over 100 nodes */           \
    X(EVENT, "event", "") /* a change that a gateway watches for: what setDataWatched has beyond setData */

enum fk_cost_op {
#define FK_COST_OP_ROW(id, name, amount) FK_COST_##id,
    FK_COST_OP_TABLE(FK_COST_OP_ROW)
#undef FK_COST_OP_ROW
    FK_COST_OP_COUNT
};

enum {
    FK_COST_ORPHAN_NODES = 100,    /* of ORPHAN_SWEEP */
    FK_COST_HEARTBEAT_CALLS = 300, /* of HEARTBEATS */
};

/* What an operation uses: the meter's numbers, and calls of functions of any kind. */
struct fk_cost_use {
    struct fk_units units;
    int64_t invocations;
};

/* Of one operation; `amount` is what FK_COST_OP_TABLE says that it counts, 0 where that is nothing. Between two
 * measured amounts the larger one is taken; beyond the largest one its numbers grow in proportion. Pure; O(rows). */
struct fk_cost_use fk_cost_units(enum fk_cost_op op, size_t amount, bool pipeline);

/* The measured amount that stands for `amount`: that of the row which fk_cost_units takes; beyond the largest one
 * `amount` itself. */
size_t fk_cost_amount(enum fk_cost_op op, size_t amount);

/* Mean duration, ms, of one call of a function for a write of `size` bytes; `tcp`: it tells gateways over TCP. Between
 * sizes linearly. Measured at 2 048 MB, and taken for every memory: such a call waits for services (docs/cost.md). */
double fk_cost_call_ms(size_t size, bool pipeline, bool tcp);
/* Of a strongly consistent read of the table: the calls of the heartbeat are such, one after the other. */
double fk_cost_read_ms(void);

/* "setData"; the names of metrics files. */
const char *fk_cost_op_name(enum fk_cost_op op);
/* COUNT: there is none of this name. */
enum fk_cost_op fk_cost_op_named(const char *name);

/* The operation of a request of ZooKeeper's protocol (enum fk_op of wire/codes.h); flags are those of a create, 0
 * otherwise. COUNT: it uses nothing (a ping's is PING, which is nothing too), or is answered by the gateway itself. */
enum fk_cost_op fk_cost_op_of(int32_t opcode, int32_t flags);

/* True where a function is called for it. */
bool fk_cost_op_writes(enum fk_cost_op op);

#endif
