// SPDX-License-Identifier: Apache-2.0
#include "sim/client.h"

#include "base/alloc.h"
#include "sim/client_internal.h"
#include "sim/dice.h"
#include "sim/own.h"
#include "wire/records.h"

int64_t sim_client_now(const struct sim_client *client)
{
    return sim_now_ns(client->options.world);
}

uint64_t sim_client_below(struct sim_client *client, uint64_t below)
{
    return sim_dice_scale(sim_dice_next(&client->dice), below);
}

void sim_client_become(struct sim_client *client, enum sim_client_state state)
{
    client->state = state;
    sim_wake(client->options.world, &client->changed);
}

struct sim_client *sim_client_new(struct sim_process *process, const struct sim_client_options *options)
{
    struct sim_client *client = SIM_OWN_NEW(struct sim_client);
    client->process = process;
    client->options = *options;
    client->dice = options->seed;
    client->timeout_ms = options->timeout_ms;
    client->port = -1;
    client->next_port = -1;
    sim_signal_init(&client->changed);
    fk_list_init(&client->calls);
    return client;
}

void sim_client_start(struct sim_client *client, int port)
{
    client->next_port = port;
    sim_client_retry(client, 0);
}

void sim_client_leave(struct sim_client *client)
{
    sim_client_drop(client);
    sim_client_become(client, SIM_CLIENT_IDLE);
}

void sim_client_forget(struct sim_client *client)
{
    sim_client_leave(client);
    sim_watches_clear(&client->watches);
    client->session_id = 0;
    memset(client->password, 0, sizeof client->password);
    client->timeout_ms = client->options.timeout_ms;
    client->last_zxid = 0;
    client->auth_count = 0;
}

void sim_client_adopt(struct sim_client *client, const struct sim_client *other, bool with_zxid)
{
    sim_client_forget(client);
    client->session_id = other->session_id;
    memcpy(client->password, other->password, sizeof client->password);
    client->timeout_ms = other->timeout_ms;
    client->last_zxid = with_zxid ? other->last_zxid : 0;
}

void sim_client_forge_password(struct sim_client *client)
{
    client->password[sim_client_below(client, sizeof client->password)] ^= 1;
}

void sim_client_forge_zxid(struct sim_client *client, int64_t ahead)
{
    client->last_zxid += ahead;
}

void sim_client_move(struct sim_client *client, int port)
{
    sim_client_drop(client);
    client->next_port = port;
    sim_client_retry(client, 0);
}

void sim_client_freeze(struct sim_client *client, bool frozen)
{
    client->frozen = frozen;
    if (client->link != NULL) {
        sim_link_pause(client->link, SIM_CLIENT, frozen);
    }
    if (!frozen) {
        sim_client_arm(client);
    }
}

void sim_client_auth(struct sim_client *client, const char *credentials)
{
    if (client->auth_count == SIM_CLIENT_AUTH_MAX) {
        return;
    }
    client->auth[client->auth_count++] = credentials;
    if (client->link != NULL) {
        struct fk_buf body = FK_BUF_EMPTY;
        fk_write_auth_request(
            &body, &(struct fk_auth_request){.scheme = FK_BYTES_LITERAL("digest"), .auth = fk_bytes_text(credentials)});
        sim_client_frame(client, FK_XID_AUTH, FK_OP_AUTH, fk_buf_view(&body));
        fk_buf_deinit(&body);
    }
}

bool sim_client_usable(const struct sim_client *client)
{
    bool known = client->state == SIM_CLIENT_CONNECTING && client->session_id != 0;
    return client->state == SIM_CLIENT_READY || (known && client->options.eager);
}

static bool hopeless(const struct sim_client *client)
{
    return client->state == SIM_CLIENT_IDLE || client->state >= SIM_CLIENT_CLOSING;
}

bool sim_client_wait_usable(struct sim_client *client, int64_t deadline_ns)
{
    while (!sim_client_usable(client)) {
        if (hopeless(client) || !sim_wait(&client->changed, deadline_ns)) {
            return sim_client_usable(client);
        }
    }
    return true;
}

/* --- calls --- */

static void request_free(struct sim_request *call)
{
    fk_buf_deinit(&call->request);
    fk_buf_deinit(&call->reply);
    sim_own_free(call);
}

void sim_request_done(struct sim_request *call)
{
    if (call->done) {
        request_free(call);
    } else {
        call->dropped = true;
    }
}

void sim_client_finish(struct sim_client *client, struct sim_request *call)
{
    fk_list_remove(&call->link);
    client->call_count--;
    call->done = true;
    if (call->dropped) {
        request_free(call);
    }
    sim_wake(client->options.world, &client->changed);
}

void sim_client_lose_calls(struct sim_client *client)
{
    while (!fk_list_empty(&client->calls)) {
        struct sim_request *call = FK_CONTAINER_OF(client->calls.next, struct sim_request, link);
        call->lost = true;
        sim_client_finish(client, call);
    }
}

struct sim_request *sim_client_send(struct sim_client *client, int32_t op, struct fk_bytes body)
{
    struct sim_request *call = SIM_OWN_NEW(struct sim_request);
    fk_list_init(&call->link);
    call->op = op;
    if (!sim_client_usable(client)) {
        call->done = true;
        call->lost = true;
        return call;
    }
    call->xid = ++client->xid;
    fk_buf_append(&call->request, body);
    fk_list_append(&client->calls, &call->link);
    client->call_count++;
    client->sent++;
    sim_client_frame(client, call->xid, op, body);
    if (op == FK_OP_CLOSE_SESSION) {
        sim_client_become(client, SIM_CLIENT_CLOSING);
    }
    return call;
}

bool sim_request_wait(struct sim_client *client, struct sim_request *call, int64_t deadline_ns)
{
    while (!call->done) {
        if (!sim_wait(&client->changed, deadline_ns)) {
            return call->done;
        }
    }
    return true;
}

/* --- what it is like --- */

enum sim_client_state sim_client_state(const struct sim_client *client)
{
    return client->state;
}

struct sim_process *sim_client_process(const struct sim_client *client)
{
    return client->process;
}

uint32_t sim_client_number(const struct sim_client *client)
{
    return client->options.number;
}

int64_t sim_client_session(const struct sim_client *client)
{
    return client->session_id;
}

int32_t sim_client_timeout_ms(const struct sim_client *client)
{
    return client->timeout_ms;
}

int32_t sim_client_xid(const struct sim_client *client)
{
    return client->xid;
}

int sim_client_port(const struct sim_client *client)
{
    return client->port;
}

struct sim_link *sim_client_link(const struct sim_client *client)
{
    return client->link;
}

size_t sim_client_open_calls(const struct sim_client *client)
{
    return client->call_count;
}

uint64_t sim_client_sent(const struct sim_client *client)
{
    return client->sent;
}

struct sim_signal *sim_client_signal(struct sim_client *client)
{
    return &client->changed;
}

struct fk_bytes sim_client_watched(const struct sim_client *client, size_t i, unsigned *kinds)
{
    if (i >= client->watches.count) {
        return FK_BYTES_NULL;
    }
    *kinds = client->watches.items[i].kinds;
    return client->watches.items[i].path;
}

unsigned sim_client_watches(const struct sim_client *client, struct fk_bytes path)
{
    return sim_watches_get(&client->watches, path);
}

uint64_t sim_client_events(const struct sim_client *client)
{
    return client->events;
}
