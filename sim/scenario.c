// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.h"

#include "sim/dice.h"
#include "sim/own.h"
#include "sim/scenario_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    WAIT_MS = 60000, /* for anything; faults and expiry need less */
    TIMEOUT_MS = 6000,
    TRIES = 5,
};

/* A script at work. */
struct script {
    struct sim_workload *workload;
    const struct sim_scenario *scenario;
    struct sim_scenario_options options;
    struct sim_line line;
    /* Requests that nobody waited for, with the code that they must have. */
    struct {
        struct sim_request *request;
        int client;
        bool has_code;
        int32_t code;
    } open[64];
    size_t open_count;
};

static int64_t deadline_of(const struct script *script)
{
    return sim_now_ns(script->workload->world) + WAIT_MS * SIM_MS;
}

static void wrong(struct script *script, const char *what)
{
    if (script->options.strict) {
        sim_violation(script->workload->world, "harness", "scenario %s: \"%d %s %s\": %s", script->scenario->name,
                      script->line.client, script->line.verb, script->line.words[0], what);
    }
}

static void judge(struct script *script, const struct sim_request *request, bool has_code, int32_t code)
{
    char text[96];
    if (has_code && (!request->done || request->lost)) {
        wrong(script, "no answer");
    } else if (has_code && request->code != code) {
        (void)snprintf(text, sizeof text, "%d instead of %d", request->code, code);
        wrong(script, text);
    }
}

/* --- clients --- */

static struct sim_actor *actor_of(struct script *script)
{
    struct sim_workload *workload = script->workload;
    int number = script->line.client - 1;
    struct sim_actor *actor = &workload->actors[number];
    if (actor->client == NULL) {
        char name[32];
        (void)snprintf(name, sizeof name, "client/%d", number + 1);
        struct sim_client_options options = {
            .world = workload->world,
            .net = workload->net,
            .history = workload->history,
            .number = (uint32_t)(number + 1),
            .ports = workload->ports,
            .timeout_ms = TIMEOUT_MS,
            .seed = sim_mix((uint64_t)number + 1),
        };
        actor->client = sim_client_new(sim_process_new(workload->world, name), &options);
        actor->quiet = false;
    }
    return actor;
}

/* A client that can send; a session that is over by surprise is followed by a new one. */
static bool usable(struct script *script, struct sim_actor *actor)
{
    enum sim_client_state state = sim_client_state(actor->client);
    if (state == SIM_CLIENT_IDLE || state == SIM_CLIENT_CLOSED || state == SIM_CLIENT_EXPIRED) {
        if (state != SIM_CLIENT_IDLE) {
            sim_client_forget(actor->client);
        }
        sim_client_start(actor->client, actor->number);
    }
    return sim_client_wait_usable(actor->client, deadline_of(script));
}

/* --- verbs that are no requests --- */

static void wait_open(struct script *script, int client)
{
    size_t kept = 0;
    for (size_t i = 0; i < script->open_count; i++) {
        if (script->open[i].client != client) {
            script->open[kept++] = script->open[i];
            continue;
        }
        struct sim_request *request = script->open[i].request;
        (void)sim_request_wait(script->workload->actors[client - 1].client, request, deadline_of(script));
        judge(script, request, script->open[i].has_code, script->open[i].code);
        sim_request_done(request);
    }
    script->open_count = kept;
}

static void verb_wait(struct script *script, struct sim_actor *actor)
{
    (void)actor;
    wait_open(script, script->line.client);
}

static void verb_auth(struct script *script, struct sim_actor *actor)
{
    for (size_t i = 0; sim_identity(i) != NULL; i++) {
        if (strcmp(sim_identity(i), script->line.words[0]) == 0 && usable(script, actor)) {
            sim_client_auth(actor->client, sim_identity(i));
        }
    }
}

static void verb_forget(struct script *script, struct sim_actor *actor)
{
    (void)script;
    sim_client_forget(actor->client);
}

static int port_word(const struct script *script)
{
    const char *word = script->line.words[0];
    return *word == '\0' ? -1 : (int)strtol(word, NULL, 10);
}

static void verb_move(struct script *script, struct sim_actor *actor)
{
    sim_client_move(actor->client, port_word(script));
}

static void verb_leave(struct script *script, struct sim_actor *actor)
{
    (void)script;
    sim_client_leave(actor->client);
}

static void verb_back(struct script *script, struct sim_actor *actor)
{
    if (sim_client_state(actor->client) == SIM_CLIENT_IDLE) {
        sim_client_start(actor->client, port_word(script));
    }
}

static void verb_freeze(struct script *script, struct sim_actor *actor)
{
    (void)script;
    sim_client_freeze(actor->client, true);
}

static void verb_thaw(struct script *script, struct sim_actor *actor)
{
    (void)script;
    sim_client_freeze(actor->client, false);
}

static void verb_reset(struct script *script, struct sim_actor *actor)
{
    (void)script;
    if (sim_client_link(actor->client) != NULL) {
        sim_link_break(sim_client_link(actor->client), SIM_FAULT_RESET, 0);
    }
}

static void verb_takeover(struct script *script, struct sim_actor *actor)
{
    const struct sim_client *other = script->workload->actors[script->line.words[0][0] - '1'].client;
    sim_client_adopt(actor->client, other, false);
    sim_client_start(actor->client, actor->number);
    if (!sim_client_wait_usable(actor->client, deadline_of(script))) {
        wrong(script, "the session was not taken over");
    }
}

static void verb_events(struct script *script, struct sim_actor *actor)
{
    uint64_t count = strtoull(script->line.words[0], NULL, 10);
    int64_t deadline = script->options.strict ? deadline_of(script) : sim_now_ns(script->workload->world) + SIM_S;
    while (sim_client_events(actor->client) < count) {
        if (!sim_wait(sim_client_signal(actor->client), deadline)) {
            wrong(script, "the events did not come");
            return;
        }
    }
}

static void verb_expired(struct script *script, struct sim_actor *actor)
{
    int64_t deadline = deadline_of(script);
    while (sim_client_state(actor->client) != SIM_CLIENT_EXPIRED) {
        if (!sim_wait(sim_client_signal(actor->client), deadline)) {
            wrong(script, "the session is not over");
            return;
        }
    }
}

static void verb_many(struct script *script, struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    int count = (int)strtol(script->line.words[1], NULL, 10);
    for (int i = 0; i < count && usable(script, actor); i++) {
        (void)snprintf(path, sizeof path, "%.100s%d", script->line.words[0], i);
        fk_buf_clear(&actor->body);
        sim_body_create(&actor->body, path, fk_bytes_text(path), FK_ACL_OPEN, FK_CREATE_EPHEMERAL);
        sim_request_done(sim_client_send(actor->client, FK_OP_CREATE, fk_buf_view(&actor->body)));
    }
    int64_t deadline = deadline_of(script);
    while (sim_client_open_calls(actor->client) > 0 && sim_wait(sim_client_signal(actor->client), deadline)) {
    }
}

static const struct {
    const char *verb;
    void (*run)(struct script *script, struct sim_actor *actor);
} VERBS[] = {
    {"wait", verb_wait},   {"auth", verb_auth},         {"forget", verb_forget}, {"move", verb_move},
    {"leave", verb_leave}, {"back", verb_back},         {"freeze", verb_freeze}, {"thaw", verb_thaw},
    {"reset", verb_reset}, {"takeover", verb_takeover}, {"events", verb_events}, {"expired", verb_expired},
    {"many", verb_many},
};

/* --- lines --- */

static void run_world(struct script *script)
{
    const struct sim_line *line = &script->line;
    if (strcmp(line->verb, "sleep") == 0) {
        sim_sleep_ns(strtoll(line->words[0], NULL, 10) * SIM_MS);
    } else if (script->options.gateway != NULL) {
        script->options.gateway(script->options.context, (int)strtol(line->words[0], NULL, 10), line->verb,
                                strtoll(line->words[1], NULL, 10));
    }
}

/* Sent without waiting. */
static void keep_open(struct script *script, struct sim_request *request)
{
    const struct sim_line *line = &script->line;
    script->open[script->open_count].request = request;
    script->open[script->open_count].client = line->client;
    script->open[script->open_count].has_code = line->has_code;
    script->open[script->open_count++].code = line->code;
}

static bool reads(int32_t op)
{
    return op == FK_OP_EXISTS || op == FK_OP_GET_DATA || op == FK_OP_GET_CHILDREN || op == FK_OP_GET_CHILDREN2 ||
           op == FK_OP_GET_ACL || op == FK_OP_SYNC;
}

/* Reads are asked again where the connection was lost, as applications do. */
static void run_request(struct script *script, struct sim_actor *actor)
{
    const struct sim_line *line = &script->line;
    fk_buf_clear(&actor->body);
    int32_t op = sim_line_request(line, &actor->body);
    for (int tries = 0; tries < TRIES; tries++) {
        if (op == 0 || !usable(script, actor)) {
            wrong(script, op == 0 ? "no such verb" : "no connection");
            return;
        }
        struct sim_request *request = sim_client_send(actor->client, op, fk_buf_view(&actor->body));
        if (!line->wait && script->open_count < sizeof script->open / sizeof *script->open) {
            keep_open(script, request);
            return;
        }
        (void)sim_request_wait(actor->client, request, deadline_of(script));
        bool again = request->lost && reads(op) && tries + 1 < TRIES;
        if (!again) {
            judge(script, request, line->has_code, line->code);
            tries = TRIES;
        }
        sim_request_done(request);
    }
}

static void run_line(struct script *script, const char *text, size_t size)
{
    if (!sim_line_parse(&script->line, text, size)) {
        sim_violation(script->workload->world, "harness", "scenario %s: not a line: %.*s", script->scenario->name,
                      (int)size, text);
        return;
    }
    sim_trace(script->workload->world, "script %.*s", (int)size, text);
    if (script->line.client == 0) {
        run_world(script);
        return;
    }
    struct sim_actor *actor = actor_of(script);
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        if (strcmp(VERBS[i].verb, script->line.verb) == 0) {
            VERBS[i].run(script, actor);
            return;
        }
    }
    run_request(script, actor);
}

static void script_run(void *context)
{
    struct script *script = (struct script *)context;
    struct sim_workload *workload = script->workload;
    for (const char *at = script->scenario->script; *at != '\0';) {
        size_t size = strcspn(at, "\n");
        run_line(script, at, size);
        at += size + (at[size] == '\n' ? 1 : 0);
    }
    for (int i = 0; i < SIM_SCENARIO_CLIENTS; i++) {
        wait_open(script, i + 1);
        workload->actors[i].done = true;
    }
    while (!workload->quiescing) {
        sim_sleep_ns(100 * SIM_MS);
    }
    for (int i = 0; i < SIM_SCENARIO_CLIENTS; i++) {
        if (workload->actors[i].client != NULL) {
            sim_client_freeze(workload->actors[i].client, false);
            sim_actor_settle(&workload->actors[i]);
        }
        workload->actors[i].quiet = true;
    }
}

struct sim_workload *sim_scenario_start(struct sim_world *world, const struct sim_scenario *scenario,
                                        const struct sim_scenario_options *options, struct sim_net *net,
                                        struct sim_history *history)
{
    struct sim_workload *workload = SIM_OWN_NEW(struct sim_workload);
    struct script *script = SIM_OWN_NEW(struct script);
    workload->world = world;
    workload->options = (struct sim_workload_options){.clients = SIM_SCENARIO_CLIENTS, .timeout_ms = TIMEOUT_MS};
    workload->net = net;
    workload->history = history;
    workload->ports = scenario->gateways;
    for (int i = 0; i < SIM_SCENARIO_CLIENTS; i++) {
        workload->actors[i].workload = workload;
        workload->actors[i].options = &workload->options;
        workload->actors[i].number = i;
        workload->actors[i].doing = "the script";
        workload->actors[i].quiet = true;
    }
    script->workload = workload;
    script->scenario = scenario;
    script->options = *options;
    sim_spawn(sim_process_new(world, "script"), script_run, script);
    return workload;
}

const struct sim_scenario *sim_scenario_at(size_t i)
{
    if (i < SIM_SCENARIOS_NODES_COUNT) {
        return &SIM_SCENARIOS_NODES[i];
    }
    i -= SIM_SCENARIOS_NODES_COUNT;
    return i < SIM_SCENARIOS_SESSIONS_COUNT ? &SIM_SCENARIOS_SESSIONS[i] : NULL;
}

const struct sim_scenario *sim_scenario_find(const char *name)
{
    const struct sim_scenario *scenario = NULL;
    for (size_t i = 0; (scenario = sim_scenario_at(i)) != NULL; i++) {
        if (strcmp(scenario->name, name) == 0) {
            break;
        }
    }
    return scenario;
}

void sim_scenario_limits(const struct sim_scenario *scenario, struct fk_cloud_options *options)
{
    options->inline_size_max = 64;
    options->item_size_max = 256;
    if (scenario->items > 0) {
        options->commit_items_max = scenario->items;
    }
}
