// SPDX-License-Identifier: Apache-2.0
/* Actions of one or a few requests, sent without waiting for answers where the action does not need them. */
#include "sim/workload_internal.h"

#include <stdio.h>

enum {
    CREATE_CONTAINER_FLAGS = 4,
    CREATE_TTL_FLAGS = 5,
    CREATE_TTL_SEQUENTIAL_FLAGS = 6,
    TTL_MAX_MS = 30000,
    BURST_MAX = 24,
};

static struct fk_buf *body_of(struct sim_actor *actor)
{
    fk_buf_clear(&actor->body);
    return &actor->body;
}

static struct fk_bytes new_acl(struct sim_actor *actor)
{
    bool own = actor->options->weights[SIM_ACTION_SET_ACL] > 0 && sim_actor_chance(actor, 100000);
    return own ? sim_actor_acl(actor) : FK_ACL_OPEN;
}

static void create(struct sim_actor *actor, int32_t op, int32_t flags)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    sim_body_create(body_of(actor), path, sim_actor_value(actor, 0), new_acl(actor), flags);
    sim_actor_send(actor, op);
}

static void act_create(struct sim_actor *actor)
{
    create(actor, FK_OP_CREATE, 0);
}

static void act_create2(struct sim_actor *actor)
{
    create(actor, FK_OP_CREATE2, sim_actor_chance(actor, 300000) ? FK_CREATE_EPHEMERAL : 0);
}

static void act_create_ephemeral(struct sim_actor *actor)
{
    create(actor, FK_OP_CREATE, FK_CREATE_EPHEMERAL);
}

static void act_create_sequential(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_directory(actor, path);
    (void)strcat(path, "/s-");
    int32_t flags = FK_CREATE_SEQUENTIAL | (sim_actor_chance(actor, 400000) ? FK_CREATE_EPHEMERAL : 0);
    sim_body_create(body_of(actor), path, sim_actor_value(actor, 0), FK_ACL_OPEN, flags);
    sim_actor_send(actor, sim_actor_chance(actor, 500000) ? FK_OP_CREATE : FK_OP_CREATE2);
}

static void act_create_container(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    (void)snprintf(path, sizeof path, "/box%u", (unsigned)sim_actor_below(actor, 3));
    if (sim_actor_chance(actor, 500000)) {
        sim_body_create(body_of(actor), path, sim_actor_value(actor, 0), FK_ACL_OPEN, CREATE_CONTAINER_FLAGS);
        sim_actor_send(actor, FK_OP_CREATE_CONTAINER);
        return;
    }
    (void)strcat(path, "/in");
    if (sim_actor_chance(actor, 500000)) {
        sim_body_create(body_of(actor), path, sim_actor_value(actor, 0), FK_ACL_OPEN, 0);
        sim_actor_send(actor, FK_OP_CREATE);
    } else {
        sim_body_version(body_of(actor), path, -1);
        sim_actor_send(actor, FK_OP_DELETE);
    }
}

static void act_create_ttl(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    int32_t flags = sim_actor_chance(actor, 200000) ? CREATE_TTL_SEQUENTIAL_FLAGS : CREATE_TTL_FLAGS;
    int64_t ttl_ms = 1 + (int64_t)sim_actor_below(actor, TTL_MAX_MS);
    sim_body_create_ttl(body_of(actor), path, sim_actor_value(actor, 0), flags, ttl_ms);
    sim_actor_send(actor, FK_OP_CREATE_TTL);
}

static void act_delete(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    sim_body_version(body_of(actor), path, -1);
    sim_actor_send(actor, FK_OP_DELETE);
}

static void act_delete_version(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    sim_body_version(body_of(actor), path, (int32_t)sim_actor_below(actor, 3));
    sim_actor_send(actor, FK_OP_DELETE);
}

static void act_set(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    sim_body_set(body_of(actor), path, sim_actor_value(actor, 0), -1);
    sim_actor_send(actor, FK_OP_SET_DATA);
}

/* Version of a node as read now; INT32_MIN: there is none, or no answer. */
static int32_t read_version(struct sim_actor *actor, const char *path)
{
    struct fk_stat stat = {.version = INT32_MIN};
    sim_body_read(body_of(actor), path, false);
    struct sim_request *request = sim_actor_ask(actor, FK_OP_EXISTS);
    if (request == NULL) {
        return INT32_MIN;
    }
    if (request->code == FK_CODE_OK) {
        struct fk_reader reader = fk_reader_of(fk_buf_view(&request->reply));
        fk_read_stat(&reader, &stat);
    }
    sim_request_done(request);
    return stat.version;
}

static void act_set_version(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    int32_t version = read_version(actor, path);
    if (version != INT32_MIN) {
        sim_body_set(body_of(actor), path, sim_actor_value(actor, 0), version);
        sim_actor_send(actor, FK_OP_SET_DATA);
    }
}

static void act_set_big(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    int32_t limit = actor->options->sizes[sim_actor_below(actor, 3)];
    int32_t size = limit - 1 + (int32_t)sim_actor_below(actor, 3);
    struct fk_bytes value = sim_actor_value(actor, size > 0 ? (size_t)size : 0);
    if (sim_actor_chance(actor, 300000)) {
        sim_body_create(body_of(actor), path, value, FK_ACL_OPEN, 0);
        sim_actor_send(actor, FK_OP_CREATE);
    } else {
        sim_body_set(body_of(actor), path, value, -1);
        sim_actor_send(actor, FK_OP_SET_DATA);
    }
}

static void read_path(struct sim_actor *actor, int32_t op)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    sim_body_read(body_of(actor), path, sim_actor_chance(actor, actor->options->watch_per_million));
    sim_actor_send(actor, op);
}

static void act_get(struct sim_actor *actor)
{
    read_path(actor, FK_OP_GET_DATA);
}

static void act_exists(struct sim_actor *actor)
{
    read_path(actor, FK_OP_EXISTS);
}

static void act_children(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    if (sim_actor_chance(actor, 700000)) {
        sim_actor_directory(actor, path);
    } else {
        sim_actor_path(actor, path);
    }
    sim_body_read(body_of(actor), path, sim_actor_chance(actor, actor->options->watch_per_million));
    sim_actor_send(actor, sim_actor_chance(actor, 500000) ? FK_OP_GET_CHILDREN : FK_OP_GET_CHILDREN2);
}

static void act_sync(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    sim_body_path(body_of(actor), path);
    sim_actor_send(actor, FK_OP_SYNC);
    sim_body_read(body_of(actor), path, false);
    sim_actor_send(actor, FK_OP_GET_DATA);
}

static void act_get_acl(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    sim_body_path(body_of(actor), path);
    sim_actor_send(actor, FK_OP_GET_ACL);
}

/* Not of directories: nobody could work in them. */
static void act_set_acl(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    char directory[SIM_PATH_MAX];
    sim_actor_directory(actor, directory);
    (void)snprintf(path, sizeof path, "%.32s/n%u", directory,
                   (unsigned)sim_actor_below(actor, (uint64_t)actor->options->paths));
    int32_t version = sim_actor_chance(actor, 700000) ? -1 : (int32_t)sim_actor_below(actor, 2);
    sim_body_set_acl(body_of(actor), path, sim_actor_acl(actor), version);
    sim_actor_send(actor, FK_OP_SET_ACL);
}

static void act_auth(struct sim_actor *actor)
{
    sim_client_auth(actor->client, sim_actor_identity(actor));
}

static void multi_part(struct sim_actor *actor, struct fk_buf *body)
{
    char path[SIM_PATH_MAX];
    sim_actor_path(actor, path);
    switch (sim_actor_below(actor, 4)) {
    case 0:
        sim_body_multi_next(body, FK_OP_CREATE);
        sim_body_create(body, path, sim_actor_value(actor, 0), FK_ACL_OPEN,
                        sim_actor_chance(actor, 250000) ? FK_CREATE_EPHEMERAL : 0);
        break;
    case 1:
        sim_body_multi_next(body, FK_OP_DELETE);
        sim_body_version(body, path, -1);
        break;
    case 2:
        sim_body_multi_next(body, FK_OP_SET_DATA);
        sim_body_set(body, path, sim_actor_value(actor, 0), -1);
        break;
    default:
        sim_actor_directory(actor, path);
        sim_body_multi_next(body, FK_OP_CREATE2);
        (void)strcat(path, "/s-");
        sim_body_create(body, path, sim_actor_value(actor, 0), FK_ACL_OPEN, FK_CREATE_SEQUENTIAL);
        break;
    }
}

static void act_multi_mixed(struct sim_actor *actor)
{
    struct fk_buf *body = body_of(actor);
    uint64_t parts = sim_actor_below(actor, 5);
    for (uint64_t i = 0; i < parts; i++) {
        multi_part(actor, body);
    }
    sim_body_multi_end(body);
    sim_actor_send(actor, FK_OP_MULTI);
}

static void act_multi_check(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    struct fk_buf *body = body_of(actor);
    multi_part(actor, body);
    sim_actor_path(actor, path);
    sim_body_multi_next(body, FK_OP_CHECK);
    sim_body_version(body, path, (int32_t)sim_actor_below(actor, 2));
    multi_part(actor, body);
    sim_body_multi_end(body);
    sim_actor_send(actor, FK_OP_MULTI);
}

enum large_kind {
    LARGE_CREATE,
    LARGE_SET,
    LARGE_DELETE,
    LARGE_SEQUENTIAL, /* all new, gone with the session */
};

static void large_part(struct sim_actor *actor, struct fk_buf *body, enum large_kind kind, unsigned i)
{
    char path[SIM_PATH_MAX];
    (void)snprintf(path, sizeof path, "/e/m%d-%u", actor->number, i);
    switch (kind) {
    case LARGE_CREATE:
        sim_body_multi_next(body, FK_OP_CREATE);
        sim_body_create(body, path, sim_actor_value(actor, 0), FK_ACL_OPEN, 0);
        break;
    case LARGE_SET:
        sim_body_multi_next(body, FK_OP_SET_DATA);
        sim_body_set(body, path, sim_actor_value(actor, 0), -1);
        break;
    case LARGE_DELETE:
        sim_body_multi_next(body, FK_OP_DELETE);
        sim_body_version(body, path, -1);
        break;
    case LARGE_SEQUENTIAL:
        sim_body_multi_next(body, FK_OP_CREATE);
        sim_body_create(body, "/e/m-", sim_actor_value(actor, 0), FK_ACL_OPEN,
                        FK_CREATE_EPHEMERAL | FK_CREATE_SEQUENTIAL);
        break;
    }
}

/* Half as much as a transaction holds, up to three times as much. */
static void act_multi_large(struct sim_actor *actor)
{
    struct fk_buf *body = body_of(actor);
    unsigned items = (unsigned)actor->options->items;
    unsigned parts = items / 2 + (unsigned)sim_actor_below(actor, 5 * items / 2);
    enum large_kind kind = (enum large_kind)sim_actor_below(actor, LARGE_SEQUENTIAL + 1);
    for (unsigned i = 0; i < parts; i++) {
        large_part(actor, body, kind, i);
    }
    sim_body_multi_end(body);
    sim_actor_send(actor, FK_OP_MULTI);
}

static void add_watch(struct sim_actor *actor, int32_t mode)
{
    char path[SIM_PATH_MAX];
    if (sim_actor_chance(actor, 500000)) {
        sim_actor_directory(actor, path);
    } else {
        sim_actor_path(actor, path);
    }
    sim_body_add_watch(body_of(actor), path, mode);
    sim_actor_send(actor, FK_OP_ADD_WATCH);
}

static void act_watch_persistent(struct sim_actor *actor)
{
    add_watch(actor, 0);
}

static void act_watch_recursive(struct sim_actor *actor)
{
    add_watch(actor, 1);
}

static void act_burst(struct sim_actor *actor)
{
    static const sim_action_fn PARTS[] = {act_set,
                                          act_get,
                                          act_create,
                                          act_exists,
                                          act_children,
                                          act_delete,
                                          act_set,
                                          act_sync,
                                          act_create_sequential,
                                          act_create_ephemeral};
    uint64_t count = 2 + sim_actor_below(actor, BURST_MAX);
    for (uint64_t i = 0; i < count; i++) {
        PARTS[sim_actor_below(actor, sizeof PARTS / sizeof *PARTS)](actor);
    }
}

static const sim_action_fn ACTIONS[SIM_ACTION_COUNT] = {
    [SIM_ACTION_CREATE] = act_create,
    [SIM_ACTION_CREATE2] = act_create2,
    [SIM_ACTION_CREATE_EPHEMERAL] = act_create_ephemeral,
    [SIM_ACTION_CREATE_SEQUENTIAL] = act_create_sequential,
    [SIM_ACTION_CREATE_CONTAINER] = act_create_container,
    [SIM_ACTION_CREATE_TTL] = act_create_ttl,
    [SIM_ACTION_DELETE] = act_delete,
    [SIM_ACTION_DELETE_VERSION] = act_delete_version,
    [SIM_ACTION_SET] = act_set,
    [SIM_ACTION_SET_VERSION] = act_set_version,
    [SIM_ACTION_SET_BIG] = act_set_big,
    [SIM_ACTION_GET] = act_get,
    [SIM_ACTION_EXISTS] = act_exists,
    [SIM_ACTION_CHILDREN] = act_children,
    [SIM_ACTION_SYNC] = act_sync,
    [SIM_ACTION_GET_ACL] = act_get_acl,
    [SIM_ACTION_SET_ACL] = act_set_acl,
    [SIM_ACTION_AUTH] = act_auth,
    [SIM_ACTION_MULTI_MIXED] = act_multi_mixed,
    [SIM_ACTION_MULTI_CHECK] = act_multi_check,
    [SIM_ACTION_BANK] = sim_action_bank,
    [SIM_ACTION_WATCH_PERSISTENT] = act_watch_persistent,
    [SIM_ACTION_WATCH_RECURSIVE] = act_watch_recursive,
    [SIM_ACTION_BURST] = act_burst,
    [SIM_ACTION_EPHEMERALS] = sim_action_ephemerals,
    [SIM_ACTION_LOCK] = sim_action_lock,
    [SIM_ACTION_QUEUE] = sim_action_queue,
    [SIM_ACTION_MOVE] = sim_action_move,
    [SIM_ACTION_FREEZE] = sim_action_freeze,
    [SIM_ACTION_CLOSE] = sim_action_close,
    [SIM_ACTION_ABANDON] = sim_action_abandon,
    [SIM_ACTION_TAKEOVER] = sim_action_takeover,
    [SIM_ACTION_MULTI_LARGE] = act_multi_large,
    [SIM_ACTION_WRONG_PASSWORD] = sim_action_wrong_password,
    [SIM_ACTION_AHEAD] = sim_action_ahead,
    [SIM_ACTION_TAKEOVER_CLOSE] = sim_action_takeover_close,
};

void sim_actor_act(struct sim_actor *actor, enum sim_action action)
{
    ACTIONS[action](actor);
    actor->workload->done[action]++;
}
