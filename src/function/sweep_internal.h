// SPDX-License-Identifier: Apache-2.0
/* What the parts of a sweep share: sweep.c (the order), sweep_gateways.c, sweep_sessions.c, sweep_events.c and
 * sweep_nodes.c. */
#ifndef FK_FUNCTION_SWEEP_INTERNAL_H
#define FK_FUNCTION_SWEEP_INTERNAL_H

#include "function/message.h"
#include "function/record.h"
#include "function/sweep.h"

enum {
    FK_SWEEP_PAGE = 100,
    /* TTL nodes that one sweep asks to remove at most: whatever a clock says, they do not go all at once. */
    FK_SWEEP_TTL_MAX = 100,
};

/* A gateway as the sweep found it. */
struct fk_sweep_gateway {
    int64_t id;
    int64_t stamp;
    struct fk_gateway_record record;
    bool owns; /* some session names it as its owner */
};

struct fk_sweep {
    const struct fk_cloud_options *options;
    const struct fk_ports *ports;
    struct fk_arena *arena;
    struct fk_sweep_result *result;
    int64_t self; /* the gateway that sweeps; 0: a function does */
    struct fk_sweep_memory *memory;
    int64_t now_ms;   /* wall clock, before anything was read */
    int64_t begun_ms; /* the same by the monotonic clock */
    struct fk_zx_record zx;
    struct fk_sweep_gateway *gateways;
    size_t count;
    size_t capacity;
    size_t due; /* nodes whose end this sweep asked for */
};

/* Called with each item of a partition; an error ends the walk. */
typedef enum fk_err (*fk_sweep_item_fn)(struct fk_sweep *sweep, const struct fk_item *item);
enum fk_err fk_sweep_each(struct fk_sweep *sweep, struct fk_bytes partition, fk_sweep_item_fn call);

/* The gateway with this id, read if it is newer than the list; *gateway is NULL where there is none (any more). */
enum fk_err fk_sweep_find_gateway(struct fk_sweep *sweep, int64_t id, struct fk_sweep_gateway **gateway);

/* Sends a request that stands alone (message.h): about a session, or about a gateway. */
enum fk_err fk_sweep_request(const struct fk_sweep *sweep, int64_t gateway, int64_t session_id, int64_t epoch,
                             int32_t op, struct fk_bytes body);

/* Something can be acted on in so many ms: positive. */
void fk_sweep_due(struct fk_sweep *sweep, int64_t ms);

enum fk_err fk_sweep_list_gateways(struct fk_sweep *sweep);
/* Remembers the counters that have moved, in the table or in the gateway's memory; asks for the end of gateways whose
 * counter has not. */
enum fk_err fk_sweep_check_gateways(struct fk_sweep *sweep);
enum fk_err fk_sweep_forget_gateways(struct fk_sweep *sweep);
enum fk_err fk_sweep_sessions(struct fk_sweep *sweep);
enum fk_err fk_sweep_events(struct fk_sweep *sweep);
enum fk_err fk_sweep_due_nodes(struct fk_sweep *sweep);
enum fk_err fk_sweep_orphans(struct fk_sweep *sweep);

#endif
