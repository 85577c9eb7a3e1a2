// SPDX-License-Identifier: Apache-2.0
/* Actions that take several requests and their answers: recipes, and what happens to sessions. */
#include "sim/workload_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    ACCOUNTS = 6,
    LOCK_ROUNDS = 4,
    LOCK_WAIT_MS = 8000,
};

static struct fk_buf *body_of(struct sim_actor *actor)
{
    fk_buf_clear(&actor->body);
    return &actor->body;
}

/* --- bank --- */

/* "amount unique": what an account holds. */
static struct fk_bytes balance(struct sim_actor *actor, long amount, char *text)
{
    struct fk_bytes value = sim_actor_value(actor, 0);
    int size = snprintf(text, SIM_VALUE_MAX, "%ld %.*s", amount, (int)value.size, (const char *)value.data);
    return fk_bytes_of(text, (size_t)size);
}

/* Balance and version of an account; false: no such account, or no answer. */
static bool read_account(struct sim_actor *actor, const char *path, long *amount, int32_t *version)
{
    struct fk_stat stat;
    sim_body_read(body_of(actor), path, false);
    struct sim_request *request = sim_actor_ask(actor, FK_OP_GET_DATA);
    bool ok = request != NULL && request->code == FK_CODE_OK;
    if (ok) {
        char text[SIM_VALUE_MAX] = "";
        struct fk_reader reader = fk_reader_of(fk_buf_view(&request->reply));
        struct fk_bytes data = fk_bytes_head(fk_read_bytes(&reader), sizeof text - 1);
        memcpy(text, data.data, data.size);
        fk_read_stat(&reader, &stat);
        *amount = strtol(text, NULL, 10);
        *version = stat.version;
    }
    if (request != NULL) {
        sim_request_done(request);
    }
    return ok;
}

void sim_action_bank(struct sim_actor *actor)
{
    char paths[2][SIM_PATH_MAX];
    char text[SIM_VALUE_MAX];
    long amounts[2];
    int32_t versions[2];
    unsigned from = (unsigned)sim_actor_below(actor, ACCOUNTS);
    unsigned to = (from + 1 + (unsigned)sim_actor_below(actor, ACCOUNTS - 1)) % ACCOUNTS;
    (void)snprintf(paths[0], sizeof paths[0], "/bank/%u", from);
    (void)snprintf(paths[1], sizeof paths[1], "/bank/%u", to);
    if (!read_account(actor, paths[0], &amounts[0], &versions[0]) ||
        !read_account(actor, paths[1], &amounts[1], &versions[1])) {
        return;
    }
    long moved = 1 + (long)sim_actor_below(actor, 10);
    struct fk_buf *body = body_of(actor);
    sim_body_multi_next(body, FK_OP_CHECK);
    sim_body_version(body, "/bank", 0);
    sim_body_multi_next(body, FK_OP_SET_DATA);
    sim_body_set(body, paths[0], balance(actor, amounts[0] - moved, text), versions[0]);
    sim_body_multi_next(body, FK_OP_SET_DATA);
    sim_body_set(body, paths[1], balance(actor, amounts[1] + moved, text), versions[1]);
    sim_body_multi_end(body);
    sim_actor_send(actor, FK_OP_MULTI);
}

/* --- ephemerals --- */

void sim_action_ephemerals(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    for (int i = 0; i < actor->options->ephemerals; i++) {
        (void)snprintf(path, sizeof path, "/e/c%d-%d", actor->number, i);
        sim_body_create(body_of(actor), path, sim_actor_value(actor, 0), FK_ACL_OPEN, FK_CREATE_EPHEMERAL);
        sim_actor_send(actor, FK_OP_CREATE);
    }
}

/* --- lock, queue --- */

/* The name behind the last '/' of a reply to create; false: there is none. */
static bool created_name(const struct sim_request *request, char *name)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&request->reply));
    struct fk_bytes path = fk_read_bytes(&reader);
    (void)snprintf(name, SIM_PATH_MAX, "%.*s", (int)path.size, path.data == NULL ? "" : (const char *)path.data);
    return request->code == FK_CODE_OK && !reader.failed;
}

/* The children of a directory: the smallest name, and the greatest that is smaller than `below`. */
struct names {
    char smallest[SIM_PATH_MAX];
    char before[SIM_PATH_MAX];
    size_t count;
};

static void names_add(struct names *names, struct fk_bytes name, const char *below)
{
    char text[SIM_PATH_MAX];
    (void)snprintf(text, sizeof text, "%.*s", (int)name.size, (const char *)name.data);
    if (names->count++ == 0 || strcmp(text, names->smallest) < 0) {
        memcpy(names->smallest, text, sizeof text);
    }
    if (strcmp(text, below) < 0 && strcmp(text, names->before) > 0) {
        memcpy(names->before, text, sizeof text);
    }
}

static bool list_names(struct sim_actor *actor, const char *directory, const char *below, struct names *names)
{
    memset(names, 0, sizeof *names);
    sim_body_read(body_of(actor), directory, false);
    struct sim_request *request = sim_actor_ask(actor, FK_OP_GET_CHILDREN);
    if (request == NULL) {
        return false;
    }
    struct fk_reader reader = fk_reader_of(fk_buf_view(&request->reply));
    int32_t count = request->code == FK_CODE_OK ? fk_read_count(&reader, 4) : 0;
    for (int32_t i = 0; i < count; i++) {
        names_add(names, fk_read_bytes(&reader), below);
    }
    sim_request_done(request);
    return true;
}

static void delete_path(struct sim_actor *actor, const char *path)
{
    sim_body_version(body_of(actor), path, -1);
    sim_actor_send(actor, FK_OP_DELETE);
}

/* Waits until the watch on the path has fired; false where it takes too long. */
static bool wait_fired(struct sim_actor *actor, const char *path)
{
    int64_t deadline = sim_actor_now(actor) + LOCK_WAIT_MS * SIM_MS;
    while (sim_client_watches(actor->client, fk_bytes_text(path)) != 0) {
        if (actor->workload->quiescing || !sim_wait(sim_client_signal(actor->client), deadline)) {
            return false;
        }
    }
    return true;
}

/* Waits for the one before in the line; true where the lock is held. */
static bool lock_wait(struct sim_actor *actor, const char *own)
{
    char path[SIM_PATH_MAX * 2];
    struct names names;
    for (int round = 0; round < LOCK_ROUNDS; round++) {
        if (!list_names(actor, "/lock", own + strlen("/lock/"), &names)) {
            return false;
        }
        if (names.before[0] == '\0') {
            return names.count > 0;
        }
        (void)snprintf(path, sizeof path, "/lock/%s", names.before);
        sim_body_read(body_of(actor), path, true);
        if (sim_actor_code(actor, FK_OP_EXISTS) == FK_CODE_OK && !wait_fired(actor, path)) {
            return false;
        }
    }
    return false;
}

void sim_action_lock(struct sim_actor *actor)
{
    char own[SIM_PATH_MAX];
    sim_body_create(body_of(actor), "/lock/l-", sim_actor_value(actor, 0), FK_ACL_OPEN,
                    FK_CREATE_EPHEMERAL | FK_CREATE_SEQUENTIAL);
    struct sim_request *request = sim_actor_ask(actor, FK_OP_CREATE);
    if (request == NULL) {
        return;
    }
    bool created = created_name(request, own);
    sim_request_done(request);
    if (!created) {
        return;
    }
    if (lock_wait(actor, own)) {
        sim_body_set(body_of(actor), "/lock", sim_actor_value(actor, 0), -1);
        sim_actor_send(actor, FK_OP_SET_DATA);
    }
    delete_path(actor, own);
}

void sim_action_queue(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX * 2];
    struct names names;
    if (sim_actor_chance(actor, 500000)) {
        sim_body_create(body_of(actor), "/queue/q-", sim_actor_value(actor, 0), FK_ACL_OPEN, FK_CREATE_SEQUENTIAL);
        sim_actor_send(actor, FK_OP_CREATE);
        return;
    }
    if (list_names(actor, "/queue", "", &names) && names.count > 0) {
        (void)snprintf(path, sizeof path, "/queue/%s", names.smallest);
        sim_body_read(body_of(actor), path, false);
        sim_actor_send(actor, FK_OP_GET_DATA);
        delete_path(actor, path);
    }
}

/* --- sessions --- */

void sim_action_move(struct sim_actor *actor)
{
    sim_client_move(actor->client, -1);
}

void sim_action_freeze(struct sim_actor *actor)
{
    int64_t timeout_ms = sim_client_timeout_ms(actor->client);
    sim_client_freeze(actor->client, true);
    sim_actor_sleep(actor, (int64_t)sim_actor_below(actor, (uint64_t)(2 * timeout_ms)));
    sim_client_freeze(actor->client, false);
}

void sim_action_close(struct sim_actor *actor)
{
    (void)body_of(actor);
    struct sim_request *request = sim_client_send(actor->client, FK_OP_CLOSE_SESSION, FK_BYTES_NULL);
    if (sim_actor_chance(actor, 800000)) {
        (void)sim_request_wait(actor->client, request, sim_actor_now(actor) + LOCK_WAIT_MS * SIM_MS);
    }
    sim_request_done(request);
    sim_client_forget(actor->client);
}

/* Half of the time the connection stays, and says nothing more. */
void sim_action_abandon(struct sim_actor *actor)
{
    struct sim_link *link = sim_client_link(actor->client);
    if (link != NULL && sim_actor_chance(actor, 500000)) {
        sim_link_break(link, SIM_FAULT_BLACKHOLE, 0);
    }
    sim_client_forget(actor->client);
}

/* --- the beginning and the end --- */

static void found_node(struct sim_actor *actor, const char *path)
{
    sim_body_create(body_of(actor), path, sim_actor_value(actor, 0), FK_ACL_OPEN, 0);
    (void)sim_actor_send(actor, FK_OP_CREATE);
}

/* All the accounts at once, with the same amount in each. */
static void found_bank(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    char text[SIM_VALUE_MAX];
    struct fk_buf *body = body_of(actor);
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        (void)snprintf(path, sizeof path, "/bank/%u", i);
        sim_body_multi_next(body, FK_OP_CREATE);
        sim_body_create(body, path, balance(actor, 100, text), FK_ACL_OPEN, 0);
    }
    sim_body_multi_end(body);
    sim_actor_send(actor, FK_OP_MULTI);
}

void sim_actor_found(struct sim_actor *actor)
{
    static const char *const PATHS[] = {"/a", "/b", "/c", "/d", "/e", "/lock", "/queue", "/bank"};
    static const char *const DEEP[] = {"/d/1", "/d/1/2", "/d/1/2/3", "/d/1/2/3/4", "/d/1/2/3/4/5", "/d/1/2/3/4/5/6"};
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        found_node(actor, PATHS[i]);
    }
    if (actor->options->weights[SIM_ACTION_BANK] > 0) {
        found_bank(actor);
    }
    for (size_t i = 0; i < sizeof DEEP / sizeof *DEEP; i++) {
        found_node(actor, DEEP[i]);
    }
}

static bool ask_plain(struct sim_actor *actor, int32_t op)
{
    return sim_actor_code(actor, op) != INT32_MIN;
}

/* Reads what the i-th watch stands for, so that every event up to now has to come first. */
static bool read_watched(struct sim_actor *actor, size_t i, bool *more)
{
    char path[SIM_PATH_MAX];
    unsigned kinds = 0;
    struct fk_bytes watched = sim_client_watched(actor->client, i, &kinds);
    *more = watched.data != NULL;
    if (!*more) {
        return true;
    }
    (void)snprintf(path, sizeof path, "%.*s", (int)watched.size, (const char *)watched.data);
    sim_body_read(body_of(actor), path, false);
    if (!ask_plain(actor, FK_OP_EXISTS)) {
        return false;
    }
    sim_body_read(body_of(actor), path, false);
    return (kinds & ~(unsigned)(SIM_WATCH_DATA | SIM_WATCH_EXIST)) == 0 || ask_plain(actor, FK_OP_GET_CHILDREN2);
}

static bool settle_once(struct sim_actor *actor)
{
    enum sim_client_state state = sim_client_state(actor->client);
    if (state == SIM_CLIENT_EXPIRED || state == SIM_CLIENT_CLOSED || state == SIM_CLIENT_IDLE) {
        sim_client_forget(actor->client);
        sim_client_start(actor->client, -1);
    }
    if (!sim_client_wait_usable(actor->client, sim_actor_now(actor) + SIM_S) ||
        sim_client_open_calls(actor->client) > 0) {
        return false;
    }
    sim_body_path(body_of(actor), "/");
    if (!ask_plain(actor, FK_OP_SYNC)) {
        return false;
    }
    bool more = true;
    for (size_t i = 0; more; i++) {
        if (!read_watched(actor, i, &more)) {
            return false;
        }
    }
    return true;
}

void sim_actor_settle(struct sim_actor *actor)
{
    while (!settle_once(actor)) {
        sim_sleep_ns(100 * SIM_MS);
    }
}
