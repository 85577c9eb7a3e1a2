// SPDX-License-Identifier: Apache-2.0
#include "sim/workload_internal.h"

#include "base/digest.h"
#include "sim/dice.h"

#include <stdio.h>

enum {
    ASK_MS = 20000,  /* how long an actor waits for one answer before it goes on */
    READY_MS = 1000, /* how often it looks whether the workload comes to rest */
    ROOM_MS = 5000,  /* how long it waits for room in the pipeline */
};

static const char *const DIRECTORIES[] = {"/a", "/b", "/c"};
static const char *const IDENTITIES[] = {"alice:1", "bob:2", "carol:3", NULL};

const char *sim_identity(size_t i)
{
    return IDENTITIES[i];
}

uint64_t sim_actor_below(struct sim_actor *actor, uint64_t below)
{
    return sim_dice_scale(sim_dice_next(&actor->dice), below);
}

bool sim_actor_chance(struct sim_actor *actor, uint32_t per_million)
{
    return sim_actor_below(actor, 1000000) < per_million;
}

int64_t sim_actor_now(const struct sim_actor *actor)
{
    return sim_now_ns(actor->workload->world);
}

void sim_actor_sleep(struct sim_actor *actor, int64_t ms)
{
    int64_t until = sim_actor_now(actor) + ms * SIM_MS;
    while (!actor->workload->quiescing && sim_actor_now(actor) < until) {
        int64_t left = until - sim_actor_now(actor);
        sim_sleep_ns(left < READY_MS * SIM_MS ? left : READY_MS * SIM_MS);
    }
}

bool sim_actor_ready(struct sim_actor *actor)
{
    while (!actor->workload->quiescing) {
        enum sim_client_state state = sim_client_state(actor->client);
        if (state == SIM_CLIENT_EXPIRED || state == SIM_CLIENT_CLOSED || state == SIM_CLIENT_IDLE) {
            sim_client_forget(actor->client);
            sim_client_start(actor->client, -1);
        }
        if (sim_client_wait_usable(actor->client, sim_actor_now(actor) + READY_MS * SIM_MS)) {
            return true;
        }
    }
    return false;
}

void sim_actor_send(struct sim_actor *actor, int32_t op)
{
    int64_t deadline = sim_actor_now(actor) + ROOM_MS * SIM_MS;
    while (sim_client_open_calls(actor->client) >= (size_t)actor->options->depth) {
        if (!sim_wait(sim_client_signal(actor->client), deadline)) {
            return;
        }
    }
    sim_request_done(sim_client_send(actor->client, op, fk_buf_view(&actor->body)));
}

struct sim_request *sim_actor_ask(struct sim_actor *actor, int32_t op)
{
    struct sim_request *request = sim_client_send(actor->client, op, fk_buf_view(&actor->body));
    if (sim_request_wait(actor->client, request, sim_actor_now(actor) + ASK_MS * SIM_MS) && !request->lost) {
        return request;
    }
    sim_request_done(request);
    return NULL;
}

int32_t sim_actor_code(struct sim_actor *actor, int32_t op)
{
    struct sim_request *request = sim_actor_ask(actor, op);
    int32_t code = request == NULL ? INT32_MIN : request->code;
    if (request != NULL) {
        sim_request_done(request);
    }
    return code;
}

void sim_actor_directory(struct sim_actor *actor, char *path)
{
    size_t i = (size_t)sim_actor_below(actor, sizeof DIRECTORIES / sizeof *DIRECTORIES);
    (void)snprintf(path, SIM_PATH_MAX, "%s", DIRECTORIES[i]);
}

void sim_actor_path(struct sim_actor *actor, char *path)
{
    char directory[SIM_PATH_MAX];
    uint64_t kind = sim_actor_below(actor, 20);
    uint64_t paths = (uint64_t)actor->options->paths;
    unsigned node = (unsigned)sim_actor_below(actor, paths);
    sim_actor_directory(actor, directory);
    if (kind == 0) {
        (void)snprintf(path, SIM_PATH_MAX, "%.32s", directory);
    } else if (kind < 13) {
        (void)snprintf(path, SIM_PATH_MAX, "%.32s/n%u", directory, node);
    } else if (kind < 17) {
        (void)snprintf(path, SIM_PATH_MAX, "%.32s/n%u/m%u", directory, node, (unsigned)sim_actor_below(actor, paths));
    } else if (kind < 19) {
        (void)snprintf(path, SIM_PATH_MAX, "/d/1/2/3/4/5/6/n%u", node);
    } else {
        (void)snprintf(path, SIM_PATH_MAX, "/n%u", node);
    }
}

struct fk_bytes sim_actor_value(struct sim_actor *actor, size_t size)
{
    static const char FILL[] = "................................................................";
    struct fk_buf *value = &actor->value;
    fk_buf_clear(value);
    fk_buf_print(value, "%llx:%d:%d.%llu ", (unsigned long long)sim_client_session(actor->client),
                 sim_client_xid(actor->client) + 1, actor->number, (unsigned long long)++actor->values);
    while (fk_buf_left(value) < size) {
        fk_buf_append(value, fk_bytes_of(FILL, size - fk_buf_left(value) < sizeof FILL - 1 ? size - fk_buf_left(value)
                                                                                           : sizeof FILL - 1));
    }
    return fk_buf_view(value);
}

/* Replaces "@name" by the digest id of that identity. */
static void acl_text(struct fk_buf *text, const char *pattern)
{
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '@') {
            (void)fk_digest_id(fk_bytes_text(IDENTITIES[*++at - '0']), text);
        } else {
            fk_buf_append(text, fk_bytes_of(at, 1));
        }
    }
    fk_buf_append(text, fk_bytes_of("", 1));
}

struct fk_bytes sim_actor_acl(struct sim_actor *actor)
{
    static const char *const PATTERNS[] = {
        "31 world anyone",
        "31 digest @0",
        "31 digest @0;1 world anyone",
        "31 digest @1;1 digest @0;6 world anyone",
        "31 auth ",
        "31 digest @2;3 ip 127.0.0.1",
    };
    struct fk_buf text = FK_BUF_EMPTY;
    acl_text(&text, PATTERNS[sim_actor_below(actor, sizeof PATTERNS / sizeof *PATTERNS)]);
    fk_buf_clear(&actor->acl);
    sim_body_acl(&actor->acl, (const char *)text.data);
    fk_buf_deinit(&text);
    return fk_buf_view(&actor->acl);
}

const char *sim_actor_identity(struct sim_actor *actor)
{
    return IDENTITIES[sim_actor_below(actor, sizeof IDENTITIES / sizeof *IDENTITIES - 1)];
}
