// SPDX-License-Identifier: Apache-2.0
#include "sim/workload.h"

#include "sim/dice.h"
#include "sim/own.h"
#include "sim/workload_internal.h"

#include <stdio.h>

enum {
    AUDIT_TIMEOUT_MS = 10000,
};

/* Text and usual weight of each action; a run leaves some out and stresses others. */
static const char *const TEXTS[SIM_ACTION_COUNT] = {
#define SIM_ACTION_ROW(name, text) text,
    SIM_ACTION_TABLE(SIM_ACTION_ROW)
#undef SIM_ACTION_ROW
};

static const uint32_t USUAL[SIM_ACTION_COUNT] = {
    [SIM_ACTION_CREATE] = 12,
    [SIM_ACTION_CREATE2] = 5,
    [SIM_ACTION_CREATE_EPHEMERAL] = 6,
    [SIM_ACTION_CREATE_SEQUENTIAL] = 5,
    [SIM_ACTION_CREATE_CONTAINER] = 3,
    [SIM_ACTION_CREATE_TTL] = 3,
    [SIM_ACTION_DELETE] = 8,
    [SIM_ACTION_DELETE_VERSION] = 3,
    [SIM_ACTION_SET] = 12,
    [SIM_ACTION_SET_VERSION] = 6,
    [SIM_ACTION_SET_BIG] = 4,
    [SIM_ACTION_GET] = 14,
    [SIM_ACTION_EXISTS] = 10,
    [SIM_ACTION_CHILDREN] = 8,
    [SIM_ACTION_SYNC] = 4,
    [SIM_ACTION_GET_ACL] = 2,
    [SIM_ACTION_SET_ACL] = 2,
    [SIM_ACTION_AUTH] = 2,
    [SIM_ACTION_MULTI_MIXED] = 5,
    [SIM_ACTION_MULTI_CHECK] = 3,
    [SIM_ACTION_BANK] = 5,
    [SIM_ACTION_WATCH_PERSISTENT] = 2,
    [SIM_ACTION_WATCH_RECURSIVE] = 2,
    [SIM_ACTION_BURST] = 4,
    [SIM_ACTION_EPHEMERALS] = 2,
    [SIM_ACTION_LOCK] = 3,
    [SIM_ACTION_QUEUE] = 4,
    [SIM_ACTION_MOVE] = 4,
    [SIM_ACTION_FREEZE] = 2,
    [SIM_ACTION_CLOSE] = 3,
    [SIM_ACTION_ABANDON] = 2,
    [SIM_ACTION_TAKEOVER] = 2,
    [SIM_ACTION_MULTI_LARGE] = 1,
    [SIM_ACTION_WRONG_PASSWORD] = 1,
    [SIM_ACTION_AHEAD] = 1,
    [SIM_ACTION_TAKEOVER_CLOSE] = 1,
};

const char *sim_action_text(enum sim_action action)
{
    return action < SIM_ACTION_COUNT ? TEXTS[action] : NULL;
}

static void draw_weights(struct sim_workload_options *options, uint64_t *dice)
{
    for (int i = 0; i < SIM_ACTION_COUNT; i++) {
        uint64_t fate = sim_dice_scale(sim_dice_next(dice), 10);
        options->weights[i] = fate < 4 ? 0 : fate < 9 ? USUAL[i] : USUAL[i] * 6;
    }
    if (!options->wide_ops) {
        options->weights[SIM_ACTION_CREATE_CONTAINER] = 0;
        options->weights[SIM_ACTION_CREATE_TTL] = 0;
    }
    /* Never a run without writes and reads. */
    options->weights[SIM_ACTION_CREATE] += 4;
    options->weights[SIM_ACTION_SET] += 2;
    options->weights[SIM_ACTION_GET] += 4;
}

void sim_workload_draw(struct sim_workload_options *options, uint64_t seed, const struct fk_cloud_options *cloud)
{
    static const int DEPTHS[] = {1, 1, 2, 4, 8, 16, 64};
    static const int32_t THINKS[] = {0, 10, 100, 500, 2000};
    static const int32_t TIMEOUTS[] = {4000, 6000, 10000, 30000};
    uint64_t dice = seed;
    *options = (struct sim_workload_options){.seed = seed, .mask = UINT64_MAX, .actions_max = INT32_MAX};
    options->wide_ops = cloud != NULL;
    options->clients = 1 + (int)sim_dice_scale(sim_dice_next(&dice), 6);
    options->depth = DEPTHS[sim_dice_scale(sim_dice_next(&dice), 7)];
    options->think_ms = THINKS[sim_dice_scale(sim_dice_next(&dice), 5)];
    options->timeout_ms = TIMEOUTS[sim_dice_scale(sim_dice_next(&dice), 4)];
    options->watch_per_million = (uint32_t)sim_dice_scale(sim_dice_next(&dice), 4) * 250000;
    options->paths = 1 + (int)sim_dice_scale(sim_dice_next(&dice), 5);
    options->eager = sim_dice_scale(sim_dice_next(&dice), 3) == 0;
    options->actions = 160 / options->clients;
    options->sizes[0] = cloud == NULL ? 700 : cloud->inline_size_max;
    options->sizes[1] = cloud == NULL ? 8192 : cloud->item_size_max;
    options->sizes[2] = 2 * options->sizes[1];
    options->items = cloud == NULL ? 20 : cloud->commit_items_max;
    options->ephemerals = cloud == NULL ? 10 : cloud->commit_items_max / 2 + 4;
    draw_weights(options, &dice);
}

void sim_workload_print(const struct sim_workload_options *options, struct fk_buf *out)
{
    fk_buf_print(out,
                 "clients=%d actions=%d mask=%llx actions-max=%d depth=%d think=%dms timeout=%dms watch=%u%% paths=%d "
                 "ephemerals=%d items=%d sizes=%d,%d,%d eager=%d weights=",
                 options->clients, options->actions, (unsigned long long)options->mask, options->actions_max,
                 options->depth, options->think_ms, options->timeout_ms, options->watch_per_million / 10000,
                 options->paths, options->ephemerals, options->items, options->sizes[0], options->sizes[1],
                 options->sizes[2], options->eager);
    for (int i = 0; i < SIM_ACTION_COUNT; i++) {
        fk_buf_print(out, "%s%u", i == 0 ? "" : ",", options->weights[i]);
    }
}

/* --- one client's task --- */

static enum sim_action choose(struct sim_actor *actor)
{
    uint64_t sum = 0;
    for (int i = 0; i < SIM_ACTION_COUNT; i++) {
        sum += actor->options->weights[i];
    }
    uint64_t at = sim_actor_below(actor, sum);
    int action = 0;
    while (at >= actor->options->weights[action]) {
        at -= actor->options->weights[action++];
    }
    return (enum sim_action)action;
}

/* Each action has dice of its own, so that leaving one out changes no other. */
static void act(struct sim_actor *actor, int i)
{
    actor->dice = sim_mix(actor->options->seed + sim_mix((uint64_t)(actor->number * 1000003 + i)));
    sim_actor_sleep(actor, (int64_t)sim_actor_below(actor, (uint64_t)(2 * actor->options->think_ms + 1)));
    if (!sim_actor_ready(actor)) {
        return;
    }
    if (actor->options->newer && sim_actor_newer(actor)) {
        return;
    }
    if (actor->options->quotas && sim_actor_quota(actor)) {
        return;
    }
    enum sim_action action = choose(actor);
    actor->doing = TEXTS[action];
    sim_actor_act(actor, action);
}

static void actor_run(void *context)
{
    struct sim_actor *actor = (struct sim_actor *)context;
    struct sim_workload *workload = actor->workload;
    if (actor->number == 0 && sim_actor_ready(actor)) {
        sim_actor_found(actor);
    }
    for (int i = 0; i < actor->options->actions && !workload->quiescing; i++) {
        if (i * actor->options->clients + actor->number < actor->options->actions_max) {
            act(actor, i);
        }
    }
    actor->done = true;
    actor->doing = "waiting for the end";
    while (!workload->quiescing) {
        sim_sleep_ns(SIM_S);
    }
    actor->doing = "waiting for answers, then reading what it watches";
    sim_actor_settle(actor);
    actor->doing = "at rest";
    actor->quiet = true;
}

static void actor_start(struct sim_workload *workload, int number)
{
    char name[32];
    struct sim_actor *actor = &workload->actors[number];
    actor->workload = workload;
    actor->options = &workload->options;
    actor->number = number;
    actor->doing = "connecting";
    if ((workload->options.mask >> number & 1) == 0 && number != 0) {
        actor->done = true;
        actor->quiet = true;
        return;
    }
    (void)snprintf(name, sizeof name, "client/%d", number + 1);
    struct sim_process *process = sim_process_new(workload->world, name);
    struct sim_client_options options = {
        .world = workload->world,
        .net = workload->net,
        .history = workload->history,
        .number = (uint32_t)(number + 1),
        .ports = workload->ports,
        .timeout_ms = workload->options.timeout_ms,
        .next_timeout_ms = workload->options.next_timeout_ms,
        .seed = sim_mix(workload->options.seed + (uint64_t)number + 1),
        .eager = workload->options.eager,
    };
    actor->client = sim_client_new(process, &options);
    sim_spawn(process, actor_run, actor);
}

struct sim_workload *sim_workload_start(struct sim_world *world, const struct sim_workload_options *options,
                                        struct sim_net *net, struct sim_history *history, int ports)
{
    struct sim_workload *workload = SIM_OWN_NEW(struct sim_workload);
    workload->world = world;
    workload->options = *options;
    workload->net = net;
    workload->history = history;
    workload->ports = ports;
    for (int i = 0; i < options->clients && i < SIM_WORKLOAD_CLIENTS_MAX; i++) {
        actor_start(workload, i);
    }
    return workload;
}

bool sim_workload_done(const struct sim_workload *workload)
{
    bool done = true;
    for (int i = 0; i < workload->options.clients; i++) {
        done = done && workload->actors[i].done;
    }
    return done;
}

void sim_workload_quiesce(struct sim_workload *workload)
{
    workload->quiescing = true;
}

bool sim_workload_quiet(const struct sim_workload *workload)
{
    bool quiet = true;
    for (int i = 0; i < workload->options.clients; i++) {
        quiet = quiet && workload->actors[i].done && workload->actors[i].quiet;
    }
    return quiet;
}

void sim_workload_describe(const struct sim_workload *workload, struct fk_buf *out)
{
    for (int i = 0; i < workload->options.clients; i++) {
        const struct sim_actor *actor = &workload->actors[i];
        if (!actor->quiet && actor->client != NULL) {
            fk_buf_print(out, "%sclient %d: %s (state %d, %zu requests open)", fk_buf_left(out) == 0 ? "" : "; ", i + 1,
                         actor->doing, (int)sim_client_state(actor->client), sim_client_open_calls(actor->client));
        }
    }
}

void sim_workload_audit(struct sim_workload *workload)
{
    struct sim_process *process = sim_process_new(workload->world, "client/audit");
    for (int i = 0; i < SIM_AUDITORS; i++) {
        struct sim_client_options options = {
            .world = workload->world,
            .net = workload->net,
            .history = workload->history,
            .number = (uint32_t)(2 * SIM_WORKLOAD_CLIENTS_MAX + 1 + i),
            .ports = workload->ports,
            .timeout_ms = AUDIT_TIMEOUT_MS,
            .seed = sim_mix(workload->options.seed + (uint64_t)i),
        };
        workload->auditors[i] = sim_client_new(process, &options);
    }
    sim_spawn(process, sim_audit_run, workload);
}

bool sim_workload_audited(const struct sim_workload *workload)
{
    return workload->audited;
}

uint64_t sim_workload_operations(const struct sim_workload *workload)
{
    uint64_t sum = 0;
    for (int i = 0; i < SIM_AUDITORS; i++) {
        sum += workload->auditors[i] == NULL ? 0 : sim_client_sent(workload->auditors[i]);
    }
    for (int i = 0; i < workload->options.clients; i++) {
        const struct sim_actor *actor = &workload->actors[i];
        sum += actor->client == NULL ? 0 : sim_client_sent(actor->client);
        sum += actor->second == NULL ? 0 : sim_client_sent(actor->second);
    }
    return sum;
}

uint64_t sim_workload_actions(const struct sim_workload *workload, enum sim_action action)
{
    return workload->done[action];
}
