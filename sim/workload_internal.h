// SPDX-License-Identifier: Apache-2.0
/* What the files of the workload share: workload.c (options, phases), actor.c (one client's tools), actions.c (single
 * requests), recipes.c (what takes several), second.c (two processes of one session), audit.c. */
#ifndef SIM_WORKLOAD_INTERNAL_H
#define SIM_WORKLOAD_INTERNAL_H

#include "sim/body.h"
#include "sim/workload.h"

enum {
    SIM_PATH_MAX = 160,
    SIM_VALUE_MAX = 160,
    SIM_AUDITORS = 6,
};

struct sim_actor {
    struct sim_workload *workload;
    const struct sim_workload_options *options;
    struct sim_client *client;
    struct sim_client *second; /* takes over the session now and then; NULL: not yet */
    uint64_t dice;             /* of the present action */
    uint64_t values;           /* values made, for unique data */
    int number;                /* from 0 */
    bool done;
    bool quiet;
    const char *doing;
    struct fk_buf body; /* of the request being built */
    struct fk_buf acl;
    struct fk_buf value;
};

struct sim_workload {
    struct sim_world *world;
    struct sim_workload_options options;
    struct sim_net *net;
    struct sim_history *history;
    int ports;
    bool quiescing;
    bool audited;
    struct sim_actor actors[SIM_WORKLOAD_CLIENTS_MAX];
    struct sim_client *auditors[SIM_AUDITORS]; /* NULL: not yet */
    uint64_t done[SIM_ACTION_COUNT];
};

/* --- actor.c --- */

uint64_t sim_actor_below(struct sim_actor *actor, uint64_t below);
bool sim_actor_chance(struct sim_actor *actor, uint32_t per_million);
int64_t sim_actor_now(const struct sim_actor *actor);
/* Waits until the client can send, with a new session where the old one is over; false: the workload comes to rest. */
bool sim_actor_ready(struct sim_actor *actor);
/* Sleeps, unless the workload comes to rest. */
void sim_actor_sleep(struct sim_actor *actor, int64_t ms);
/* Sends actor->body when there is room in the pipeline, and does not wait for the answer. */
void sim_actor_send(struct sim_actor *actor, int32_t op);
/* Sends actor->body and waits. NULL: no answer (lost, or waited too long); else give it back with sim_request_done. */
struct sim_request *sim_actor_ask(struct sim_actor *actor, int32_t op);
/* The same; gives the code, or INT32_MIN where there was no answer. */
int32_t sim_actor_code(struct sim_actor *actor, int32_t op);
/* A path of the pool: directories, nodes in them, some deep ones. */
void sim_actor_path(struct sim_actor *actor, char *path);
/* A directory, to create sequential nodes in. */
void sim_actor_directory(struct sim_actor *actor, char *path);
/* Unique data: session:xid:nonce, filled up to `size` bytes where that is more. Valid until the next one. */
struct fk_bytes sim_actor_value(struct sim_actor *actor, size_t size);
/* One of the ACLs in use; always somebody known has all permissions. */
struct fk_bytes sim_actor_acl(struct sim_actor *actor);
const char *sim_actor_identity(struct sim_actor *actor);
const char *sim_identity(size_t i); /* NULL behind the last */

/* --- actions.c, recipes.c, second.c --- */

typedef void (*sim_action_fn)(struct sim_actor *actor);

void sim_actor_act(struct sim_actor *actor, enum sim_action action);
void sim_action_bank(struct sim_actor *actor);
void sim_action_ephemerals(struct sim_actor *actor);
void sim_action_lock(struct sim_actor *actor);
void sim_action_queue(struct sim_actor *actor);
void sim_action_move(struct sim_actor *actor);
void sim_action_freeze(struct sim_actor *actor);
void sim_action_close(struct sim_actor *actor);
void sim_action_abandon(struct sim_actor *actor);
void sim_action_takeover(struct sim_actor *actor);
void sim_action_takeover_close(struct sim_actor *actor);
void sim_action_wrong_password(struct sim_actor *actor);
void sim_action_ahead(struct sim_actor *actor);
/* The nodes that all others stand on. */
void sim_actor_found(struct sim_actor *actor);
/* Answers are waited for, what is watched is read once more. */
void sim_actor_settle(struct sim_actor *actor);

/* --- workload_quota.c: sets, or takes away, the quota of a directory; now and then --- */

bool sim_actor_quota(struct sim_actor *actor);

/* --- newer.c --- */
/* Now and then, an operation of 3.6 or later instead of an action; false: not now. */
bool sim_actor_newer(struct sim_actor *actor);

/* --- audit.c --- */
void sim_audit_run(void *context); /* struct sim_workload */

#endif
