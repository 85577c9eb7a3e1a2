// SPDX-License-Identifier: Apache-2.0
/* One connection after the other. Sources of the rules: ClientCnxn.SendThread.run, primeConnection, readResponse. */
#include "base/limits.h"
#include "sim/client_internal.h"
#include "wire/records.h"

enum {
    LENGTH_SIZE = 4,
    PING_MAX_MS = 10000,
    RETRY_MAX_MS = 1000,
};

/* --- sending --- */

static void flush(struct sim_client *client)
{
    struct fk_bytes left = fk_buf_view(&client->out);
    if (client->link != NULL && left.size > 0) {
        fk_buf_consume(&client->out, sim_link_send(client->link, SIM_CLIENT, left));
    }
}

/* Puts a length in front of what was appended to the output behind `at`. */
static void send_from(struct sim_client *client, size_t left_before)
{
    size_t at = client->out.start + left_before;
    fk_patch_i32(&client->out, at, (int32_t)(client->out.size - at - LENGTH_SIZE));
    client->sent_ns = sim_client_now(client);
    flush(client);
}

/* The frame behind the length that starts behind `left_before` bytes. */
static struct fk_bytes frame_from(const struct sim_client *client, size_t left_before)
{
    return fk_bytes_tail(fk_buf_view(&client->out), left_before + LENGTH_SIZE);
}

void sim_client_frame(struct sim_client *client, int32_t xid, int32_t op, struct fk_bytes body)
{
    size_t before = fk_buf_left(&client->out);
    fk_write_i32(&client->out, 0);
    fk_write_request_header(&client->out, &(struct fk_request_header){.xid = xid, .op = op});
    if (body.size > 0) {
        fk_buf_append(&client->out, body);
    }
    sim_history_sent(client->options.history, sim_client_now(client), client->connection, frame_from(client, before));
    sim_trace(client->options.world, "client %u sends request %d, op %d, %zu bytes", client->options.number, xid, op,
              body.size);
    send_from(client, before);
}

/* The session's identities and watches go before all requests. */
static void prime(struct sim_client *client)
{
    struct fk_buf body = FK_BUF_EMPTY;
    for (size_t i = 0; i < client->auth_count; i++) {
        fk_buf_clear(&body);
        fk_write_auth_request(&body, &(struct fk_auth_request){.scheme = FK_BYTES_LITERAL("digest"),
                                                               .auth = fk_bytes_text(client->auth[i])});
        sim_client_frame(client, FK_XID_AUTH, FK_OP_AUTH, fk_buf_view(&body));
    }
    fk_buf_clear(&body);
    int32_t op = sim_watches_request(&client->watches, client->last_zxid, &body);
    if (op != 0) {
        sim_client_frame(client, FK_XID_SET_WATCHES, op, fk_buf_view(&body));
    }
    fk_buf_deinit(&body);
}

/* --- receiving --- */

static void on_event(struct sim_client *client, struct fk_reader *reader)
{
    struct fk_watcher_event event;
    fk_read_watcher_event(reader, &event);
    sim_watches_fired(&client->watches, event.type, event.path);
    client->events++;
    sim_wake(client->options.world, &client->changed);
}

static void on_reply(struct sim_client *client, const struct fk_reply_header *header, struct fk_bytes body)
{
    struct sim_request *call =
        fk_list_empty(&client->calls) ? NULL : FK_CONTAINER_OF(client->calls.next, struct sim_request, link);
    if (call == NULL || call->xid != header->xid) {
        sim_violation(client->options.world, "C2", "client %u got a reply to request %d, which is not its oldest (%d)",
                      client->options.number, header->xid, call == NULL ? 0 : call->xid);
        return;
    }
    call->code = header->code;
    call->zxid = header->zxid;
    fk_buf_append(&call->reply, body);
    sim_watches_answered(&client->watches, call);
    bool closed = call->op == FK_OP_CLOSE_SESSION;
    sim_client_finish(client, call);
    if (closed) {
        sim_client_drop(client);
        sim_client_become(client, SIM_CLIENT_CLOSED);
    }
}

/* The Java client takes its newest zxid from replies only, not from events and pongs. */
static void on_frame(struct sim_client *client, struct fk_bytes frame)
{
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_reply_header header;
    fk_read_reply_header(&reader, &header);
    sim_history_received(client->options.history, sim_client_now(client), client->connection, frame);
    sim_trace(client->options.world, "client %u gets reply %d, zxid %lld, code %d, %zu bytes", client->options.number,
              header.xid, (long long)header.zxid, header.code, frame.size);
    if (header.xid == FK_XID_NOTIFICATION) {
        on_event(client, &reader);
    } else if (header.xid == FK_XID_SET_WATCHES || header.xid >= 0) {
        client->last_zxid = header.zxid > 0 ? header.zxid : client->last_zxid;
        if (header.xid >= 0) {
            on_reply(client, &header, fk_bytes_of(reader.at, reader.left));
        }
    }
}

static void on_accepted(struct sim_client *client, struct fk_bytes frame)
{
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_connect_response response;
    fk_read_connect_response(&reader, &response);
    sim_history_accepted(client->options.history, sim_client_now(client), client->connection, frame);
    sim_trace(client->options.world, "client %u is accepted, session %016llx", client->options.number,
              (unsigned long long)response.session_id);
    client->accepted = true;
    if (response.timeout_ms <= 0 || response.session_id == 0) {
        sim_client_drop(client);
        sim_watches_clear(&client->watches);
        sim_client_become(client, SIM_CLIENT_EXPIRED);
        return;
    }
    client->session_id = response.session_id;
    memcpy(client->password, response.password.data,
           response.password.size < FK_PASSWORD_SIZE ? response.password.size : FK_PASSWORD_SIZE);
    client->timeout_ms = response.timeout_ms;
    if (client->state == SIM_CLIENT_CONNECTING) {
        sim_client_become(client, SIM_CLIENT_READY);
    }
    sim_client_arm(client);
}

static void on_bytes(void *owner, struct sim_link *link, struct fk_bytes bytes)
{
    struct sim_client *client = (struct sim_client *)owner;
    if (client->link != link) {
        return;
    }
    client->received_ns = sim_client_now(client);
    fk_buf_append(&client->in, bytes);
    while (client->link == link && fk_buf_left(&client->in) >= LENGTH_SIZE) {
        struct fk_bytes input = fk_buf_view(&client->in);
        size_t size = fk_load_u32(input.data);
        if (input.size - LENGTH_SIZE < size) {
            break;
        }
        struct fk_bytes frame = fk_bytes_head(fk_bytes_tail(input, LENGTH_SIZE), size);
        if (client->accepted) {
            on_frame(client, frame);
        } else {
            on_accepted(client, frame);
        }
        if (client->link == link) {
            fk_buf_consume(&client->in, LENGTH_SIZE + size);
        }
    }
}

static void on_room(void *owner, struct sim_link *link)
{
    struct sim_client *client = (struct sim_client *)owner;
    if (client->link == link) {
        flush(client);
    }
}

/* --- the connection's life --- */

void sim_client_drop(struct sim_client *client)
{
    if (client->link == NULL) {
        return;
    }
    sim_link_close(client->link, SIM_CLIENT);
    client->link = NULL;
    sim_trace(client->options.world, "client %u leaves connection %u", client->options.number, client->connection);
    sim_history_lost(client->options.history, sim_client_now(client), client->connection);
    fk_buf_clear(&client->in);
    fk_buf_clear(&client->out);
    sim_client_lose_calls(client);
}

/* As the Java client: one that was closing is done, another one tries the next server. */
static void broken(struct sim_client *client)
{
    bool closing = client->state == SIM_CLIENT_CLOSING;
    sim_client_drop(client);
    if (closing) {
        sim_client_become(client, SIM_CLIENT_CLOSED);
    } else if (client->state == SIM_CLIENT_READY || client->state == SIM_CLIENT_CONNECTING) {
        sim_client_retry(client, (int64_t)sim_client_below(client, RETRY_MAX_MS));
    }
}

static void on_gone(void *owner, struct sim_link *link)
{
    struct sim_client *client = (struct sim_client *)owner;
    if (client->link == link) {
        broken(client);
    }
}

void sim_client_retry(struct sim_client *client, int64_t ms)
{
    client->retry_ns = sim_client_now(client) + ms * SIM_MS;
    sim_client_become(client, SIM_CLIENT_WAITING);
    sim_client_arm(client);
}

static int choose_port(struct sim_client *client)
{
    int ports = client->options.ports;
    int port = client->next_port;
    client->next_port = -1;
    if (port >= 0) {
        return port % ports;
    }
    if (client->port < 0 || ports == 1) {
        return (int)sim_client_below(client, (uint64_t)ports);
    }
    return (client->port + 1 + (int)sim_client_below(client, (uint64_t)(ports - 1))) % ports;
}

static int32_t asked_timeout(struct sim_client *client)
{
    bool second = client->connects++ % 2 == 1;
    return second && client->options.next_timeout_ms > 0 ? client->options.next_timeout_ms : client->options.timeout_ms;
}

static void connect_now(struct sim_client *client)
{
    struct sim_endpoint end = {
        .process = client->process, .owner = client, .bytes = on_bytes, .room = on_room, .gone = on_gone};
    struct fk_connect_request request = {.last_zxid_seen = client->last_zxid,
                                         .timeout_ms = asked_timeout(client),
                                         .session_id = client->session_id,
                                         .password = fk_bytes_of(client->password, FK_PASSWORD_SIZE),
                                         .has_read_only = true};
    client->port = choose_port(client);
    client->link = sim_net_connect(client->options.net, client->port, &end);
    client->accepted = false;
    client->received_ns = sim_client_now(client);
    fk_write_i32(&client->out, 0);
    fk_write_connect_request(&client->out, &request);
    client->connection =
        sim_history_connect(client->options.history, sim_client_now(client), client->options.number,
                            sim_net_listener(client->options.net, client->port), frame_from(client, 0));
    sim_link_set_tag(client->link, client->connection);
    sim_trace(client->options.world, "client %u connects to gateway %d, connection %u", client->options.number,
              client->port, client->connection);
    sim_client_become(client, SIM_CLIENT_CONNECTING);
    send_from(client, 0);
    prime(client);
}

/* --- time --- */

/* When something is to be done, if nothing happens before. */
static int64_t next_deadline(const struct sim_client *client)
{
    int64_t third = client->timeout_ms * SIM_MS / 3;
    int64_t ping = third < PING_MAX_MS * SIM_MS ? third : PING_MAX_MS * SIM_MS;
    int64_t silence = client->received_ns + 2 * third;
    switch (client->state) {
    case SIM_CLIENT_WAITING:
        return client->retry_ns;
    case SIM_CLIENT_CONNECTING:
        return client->received_ns + client->timeout_ms * SIM_MS / client->options.ports;
    case SIM_CLIENT_READY:
        return client->sent_ns + ping < silence ? client->sent_ns + ping : silence;
    case SIM_CLIENT_CLOSING:
        return silence;
    case SIM_CLIENT_IDLE:
    case SIM_CLIENT_CLOSED:
    case SIM_CLIENT_EXPIRED:
        break;
    }
    return INT64_MAX;
}

static void due(struct sim_client *client)
{
    int64_t now = sim_client_now(client);
    int64_t silence = client->received_ns + 2 * (client->timeout_ms * SIM_MS / 3);
    if (client->state == SIM_CLIENT_WAITING) {
        connect_now(client);
    } else if (client->state == SIM_CLIENT_CONNECTING || now >= silence) {
        broken(client);
    } else {
        sim_client_frame(client, FK_XID_PING, FK_OP_PING, FK_BYTES_NULL);
    }
}

static void on_timer(void *context)
{
    struct sim_client *client = (struct sim_client *)context;
    if (sim_client_now(client) != client->timer_ns) {
        return; /* it was set again, for an earlier time */
    }
    client->timer_ns = 0;
    if (!client->frozen && next_deadline(client) <= sim_client_now(client)) {
        due(client);
    }
    sim_client_arm(client);
}

void sim_client_arm(struct sim_client *client)
{
    int64_t now = sim_client_now(client);
    int64_t deadline = next_deadline(client);
    if (client->frozen || deadline == INT64_MAX) {
        return;
    }
    deadline = deadline < now ? now : deadline;
    if (client->timer_ns == 0 || deadline < client->timer_ns) {
        client->timer_ns = deadline;
        sim_at(client->options.world, client->process, deadline, on_timer, client);
    }
}
