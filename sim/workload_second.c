// SPDX-License-Identifier: Apache-2.0
/* A second process that knows of the session: it takes it over, closes it, or tries what must be refused. */
#include "sim/workload_internal.h"

enum {
    SECOND_MS = 4000,
    SECOND_ACTIONS = 4,
};

static struct sim_client *second_client(struct sim_actor *actor)
{
    if (actor->second == NULL) {
        struct sim_workload *workload = actor->workload;
        struct sim_client_options options = {
            .world = workload->world,
            .net = workload->net,
            .history = workload->history,
            .number = (uint32_t)(SIM_WORKLOAD_CLIENTS_MAX + actor->number + 1),
            .ports = workload->ports,
            .timeout_ms = actor->options->timeout_ms,
            .seed = actor->dice,
        };
        actor->second = sim_client_new(sim_client_process(actor->client), &options);
    }
    return actor->second;
}

/* Connects the second process; false where it does not get the session in time. */
static bool second_start(struct sim_actor *actor, struct sim_client *second)
{
    sim_client_start(second, -1);
    return sim_client_wait_usable(second, sim_actor_now(actor) + SECOND_MS * SIM_MS);
}

static void second_acts(struct sim_actor *actor, struct sim_client *second)
{
    struct sim_client *first = actor->client;
    actor->client = second;
    for (int i = 0; i < SECOND_ACTIONS; i++) {
        sim_actor_act(actor, sim_actor_chance(actor, 500000) ? SIM_ACTION_SET : SIM_ACTION_GET);
    }
    sim_actor_sleep(actor, (int64_t)sim_actor_below(actor, SECOND_MS));
    actor->client = first;
}

/* The first one stands still, stays idle, or takes the session back. */
void sim_action_takeover(struct sim_actor *actor)
{
    struct sim_client *first = actor->client;
    struct sim_client *second = second_client(actor);
    bool frozen = sim_actor_chance(actor, 500000);
    sim_client_adopt(second, first, sim_actor_chance(actor, 500000));
    if (frozen) {
        sim_client_freeze(first, true);
    }
    if (second_start(actor, second)) {
        second_acts(actor, second);
    }
    sim_client_leave(second);
    sim_client_freeze(first, false);
}

/* The session owns much, so that its end takes several commits; what the first one sends meanwhile comes too late. */
void sim_action_takeover_close(struct sim_actor *actor)
{
    struct sim_client *first = actor->client;
    struct sim_client *second = second_client(actor);
    sim_action_ephemerals(actor);
    sim_client_adopt(second, first, true);
    sim_client_freeze(first, true);
    if (second_start(actor, second)) {
        sim_client_freeze(first, false);
        struct sim_request *request = sim_client_send(second, FK_OP_CLOSE_SESSION, FK_BYTES_NULL);
        for (int i = 0; i < SECOND_ACTIONS; i++) {
            sim_actor_act(actor, SIM_ACTION_SET);
        }
        (void)sim_request_wait(second, request, sim_actor_now(actor) + SECOND_MS * SIM_MS);
        sim_request_done(request);
    }
    sim_client_leave(second);
    sim_client_freeze(first, false);
}

/* It is told that there is no such session; the first one must not notice. */
void sim_action_wrong_password(struct sim_actor *actor)
{
    struct sim_client *second = second_client(actor);
    sim_client_adopt(second, actor->client, true);
    sim_client_forge_password(second);
    (void)second_start(actor, second);
    sim_client_forget(second);
}

/* It gets no answer until it says what it has really seen. */
void sim_action_ahead(struct sim_actor *actor)
{
    static const int64_t AHEAD = INT64_C(1) << 40;
    struct sim_client *second = second_client(actor);
    sim_client_adopt(second, actor->client, true);
    sim_client_forge_zxid(second, AHEAD);
    sim_client_start(second, -1);
    sim_actor_sleep(actor, (int64_t)sim_actor_below(actor, SECOND_MS));
    sim_client_adopt(second, actor->client, true);
    if (second_start(actor, second)) {
        second_acts(actor, second);
    }
    sim_client_leave(second);
}
