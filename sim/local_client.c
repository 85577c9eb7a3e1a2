// SPDX-License-Identifier: Apache-2.0
/* The clients of the local stack: what they ask for, and what they make of the answers. */
#include "driver/local/queue.h"
#include "sim/local_internal.h"
#include "sim/memory.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    TIMEOUT_MS = 4000,
};

static uint64_t below(const struct sim_local *lab, uint64_t bound)
{
    return sim_below(lab->world, SIM_DICE_WORKLOAD, bound);
}

static bool chance(const struct sim_local *lab, uint32_t percent)
{
    return below(lab, 100) < percent;
}

/* "/n3", or below it "/n3/c1": few enough that requests meet. */
static struct fk_bytes draw_path(const struct sim_local *lab, char text[64])
{
    uint64_t top = below(lab, lab->options->paths);
    int size = !lab->options->alike && chance(lab, 40)
                   ? snprintf(text, 64, "/n%" PRIu64 "/c%" PRIu64, top, below(lab, 3))
                   : snprintf(text, 64, "/n%" PRIu64, top);
    return fk_bytes_of(text, (size_t)size);
}

/* A value that no other request has, of any size. */
static struct fk_bytes draw_data(struct sim_local *lab, uint8_t *bytes)
{
    size_t size = lab->options->uniform ? lab->options->data_max : 1 + (size_t)below(lab, lab->options->data_max);
    char text[32];
    size_t front = (size_t)snprintf(text, sizeof text, "%" PRIu64 ":", ++lab->values);
    size = size < front ? front : size;
    memset(bytes, 'F', size); /* what the log's search for frames stops at */
    memcpy(bytes, text, front);
    return fk_bytes_of(bytes, size);
}

static void write_create(struct sim_local *lab, struct fk_buf *body)
{
    static const int32_t flags[] = {0, 0, 0, 1, 1, 2, 3};
    char path[64];
    uint8_t bytes[4096];
    struct fk_create_request request = {.path = draw_path(lab, path),
                                        .data = chance(lab, 10) ? FK_BYTES_NULL : draw_data(lab, bytes),
                                        .acl = FK_ACL_OPEN,
                                        .flags = flags[below(lab, sizeof flags / sizeof flags[0])]};
    fk_write_create_request(body, &request);
}

static void write_set(struct sim_local *lab, struct fk_buf *body)
{
    char path[64];
    uint8_t bytes[4096];
    struct fk_set_data_request request = {.path = draw_path(lab, path),
                                          .data = draw_data(lab, bytes),
                                          .version = chance(lab, 80) ? -1 : (int32_t)below(lab, 4)};
    fk_write_set_data_request(body, &request);
}

static void write_delete(struct sim_local *lab, struct fk_buf *body)
{
    char path[64];
    struct fk_version_request request = {.path = draw_path(lab, path),
                                         .version = chance(lab, 80) ? -1 : (int32_t)below(lab, 4)};
    fk_write_version_request(body, &request);
}

static void write_multi(struct sim_local *lab, struct fk_buf *body)
{
    const struct fk_multi_header end = {.op = -1, .done = true, .code = -1};
    for (uint64_t i = 0, count = 1 + below(lab, 4); i < count; i++) {
        struct fk_multi_header header = {.op = chance(lab, 50) ? FK_OP_SET_DATA : FK_OP_CREATE, .code = -1};
        fk_write_multi_header(body, &header);
        if (header.op == FK_OP_SET_DATA) {
            write_set(lab, body);
        } else {
            write_create(lab, body);
        }
    }
    fk_write_multi_header(body, &end);
}

static void write_acl(struct sim_local *lab, struct fk_buf *body)
{
    static const struct fk_acl_entry entries[2] = {
        {.perms = 31, .scheme = {(const uint8_t *)"world", 5}, .id = {(const uint8_t *)"anyone", 6}},
        {.perms = 1, .scheme = {(const uint8_t *)"ip", 2}, .id = {(const uint8_t *)"10.0.0.1", 8}}};
    char path[64];
    struct fk_buf acl = FK_BUF_EMPTY;
    int32_t count = 1 + (int32_t)below(lab, 2);
    fk_write_i32(&acl, count);
    for (int32_t i = 0; i < count; i++) {
        fk_write_acl_entry(&acl, &entries[i]);
    }
    struct fk_set_acl_request request = {.path = draw_path(lab, path), .acl = fk_buf_view(&acl), .version = -1};
    fk_write_set_acl_request(body, &request);
    fk_buf_deinit(&acl);
}

/* A piece of the quota of a path: its place, its limits, its statistics. */
static void write_quota_piece(struct fk_buf *body, uint64_t top, size_t piece)
{
    static const char *const names[] = {"", "/zookeeper_limits", "/zookeeper_stats"};
    char path[96];
    int size = snprintf(path, sizeof path, "/zookeeper/quota/n%" PRIu64 "%s", top, names[piece]);
    struct fk_create_request request = {.path = fk_bytes_of(path, (size_t)size),
                                        .data = FK_BYTES_LITERAL("count=3,bytes=-1=;countHardLimit=4"),
                                        .acl = FK_ACL_OPEN};
    fk_write_create_request(body, &request);
}

/* All of it at once, or its limits go, or one piece comes. */
static int32_t write_quota(struct sim_local *lab, struct fk_buf *body)
{
    uint64_t top = below(lab, lab->options->paths);
    uint64_t kind = below(lab, 8);
    if (kind == 0) {
        char path[96];
        int size = snprintf(path, sizeof path, "/zookeeper/quota/n%" PRIu64 "/zookeeper_limits", top);
        fk_write_version_request(body,
                                 &(struct fk_version_request){.path = fk_bytes_of(path, (size_t)size), .version = -1});
        return FK_OP_DELETE;
    }
    if (kind < 4) {
        write_quota_piece(body, top, (size_t)kind - 1);
        return FK_OP_CREATE;
    }
    for (size_t piece = 0; piece < 3; piece++) {
        fk_write_multi_header(body, &(struct fk_multi_header){.op = FK_OP_CREATE, .code = -1});
        write_quota_piece(body, top, piece);
    }
    fk_write_multi_header(body, &(struct fk_multi_header){.op = -1, .done = true, .code = -1});
    return FK_OP_MULTI;
}

static int32_t write_operation(struct sim_local *lab, struct fk_buf *body)
{
    uint64_t kind = below(lab, 100);
    if (lab->options->alike && kind >= 10) {
        write_set(lab, body);
        return FK_OP_SET_DATA;
    }
    if (kind < 40) {
        write_create(lab, body);
        return kind < 10 ? FK_OP_CREATE_CONTAINER : FK_OP_CREATE;
    }
    if (kind < 75) {
        write_set(lab, body);
        return FK_OP_SET_DATA;
    }
    if (kind < 88) {
        write_delete(lab, body);
        return FK_OP_DELETE;
    }
    if (kind < 95) {
        write_multi(lab, body);
        return FK_OP_MULTI;
    }
    if (kind < 98) {
        write_acl(lab, body);
        return FK_OP_SET_ACL;
    }
    return write_quota(lab, body);
}

static void begin_message(struct sim_local_client *client, struct fk_buf *message)
{
    fk_request_message_begin(message, &(struct fk_request_message){.gateway = 1,
                                                                   .session_id = client->session_id,
                                                                   .epoch = client->epoch,
                                                                   .first_number = client->sent + 1,
                                                                   .ids = FK_BYTES_LITERAL("\0\0\0\0")});
}

static void add(struct sim_local *lab, struct sim_local_client *client, struct fk_buf *message, int32_t op,
                const struct fk_buf *body)
{
    fk_request_message_add(message, &(struct fk_request_operation){.op = op, .body = fk_buf_view(body)});
    client->sent++;
    lab->result->operations++;
}

static void send_message(struct sim_local_server *server, struct sim_local_client *client, struct fk_buf *message)
{
    enum fk_err err = fk_queue_send(server->queue, client->session_id, client->sent, fk_buf_view(message));
    if (err != FK_OK) {
        sim_violation(server->lab->world, "harness", "the queue took no message: %s", fk_err_text(err));
    }
    fk_buf_deinit(message);
}

static void open_session(struct sim_local_server *server, struct sim_local_client *client)
{
    struct sim_local *lab = server->lab;
    struct fk_buf message = FK_BUF_EMPTY;
    struct fk_buf body = FK_BUF_EMPTY;
    uint8_t password[FK_PASSWORD_SIZE];
    *client = (struct sim_local_client){.session_id = (int64_t)++lab->session_ids + (INT64_C(1) << 56),
                                        .epoch = 1,
                                        .last_packet_ms = fk_clock_monotonic_ms(server->clock)};
    memset(password, (int)(lab->session_ids & 0xff), sizeof password);
    fk_write_session_request(&body, &(struct fk_session_request){.timeout_ms = TIMEOUT_MS,
                                                                 .password = fk_bytes_of(password, sizeof password)});
    begin_message(client, &message);
    add(lab, client, &message, FK_OP_CREATE_SESSION, &body);
    send_message(server, client, &message);
    fk_buf_deinit(&body);
}

void sim_local_attach(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    for (uint32_t i = 0; i < lab->options->clients; i++) {
        struct sim_local_client *client = &lab->clients[i];
        struct fk_session session;
        bool known = client->session_id != 0 &&
                     fk_store_get_session(server->store, FK_VIEW_VISIBLE, client->session_id, &session) == FK_OK;
        client->sent = client->answered = 0;
        client->epoch++;
        client->next_ns = sim_now_ns(lab->world) + (int64_t)below(lab, 20) * SIM_MS;
        client->last_packet_ms = fk_clock_monotonic_ms(server->clock);
        client->closing = false;
        if (!known) {
            client->session_id = 0;
        }
    }
}

/* What one client sends now. */
static void act(struct sim_local_server *server, struct sim_local_client *client)
{
    struct sim_local *lab = server->lab;
    if (client->session_id == 0) {
        open_session(server, client);
        return;
    }
    if (client->closing || client->silent) {
        return;
    }
    client->last_packet_ms = fk_clock_monotonic_ms(server->clock);
    client->silent = chance(lab, 1);
    struct fk_buf message = FK_BUF_EMPTY;
    begin_message(client, &message);
    for (uint64_t i = 0, count = 1 + below(lab, lab->options->pipeline); i < count; i++) {
        struct fk_buf body = FK_BUF_EMPTY;
        int32_t op = write_operation(lab, &body);
        add(lab, client, &message, op, &body);
        fk_buf_deinit(&body);
    }
    if (chance(lab, 3)) {
        struct fk_buf body = FK_BUF_EMPTY;
        add(lab, client, &message, FK_OP_CLOSE_SESSION, &body);
        client->closing = true;
    }
    send_message(server, client, &message);
}

static void gone(struct sim_local_client *client)
{
    client->session_id = 0;
    client->silent = false;
    client->closing = false;
}

int64_t sim_local_act(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    int64_t now = sim_now_ns(lab->world);
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < lab->options->clients && !lab->settling; i++) {
        struct sim_local_client *client = &lab->clients[i];
        if (client->next_ns <= now && client->sent - client->answered <= 3 * (int64_t)lab->options->pipeline) {
            sim_memory_spare_begin();
            act(server, client);
            sim_memory_spare_end();
            client->next_ns = now + (int64_t)below(lab, (uint64_t)lab->options->think_ms * 2 * (uint64_t)SIM_MS + 1);
        }
        next = client->next_ns > now && client->next_ns < next ? client->next_ns : next;
    }
    return next;
}

static struct sim_local_client *client_of(struct sim_local *lab, int64_t session_id)
{
    for (uint32_t i = 0; i < lab->options->clients; i++) {
        if (lab->clients[i].session_id == session_id) {
            return &lab->clients[i];
        }
    }
    return NULL;
}

/* An answer without a zxid says that there was no space. */
static void check_no_space(struct sim_local_server *server, const struct fk_answer_message *answer)
{
    enum {
        RECOVERY_S = 5, /* after this time with space, requests must be taken again */
    };
    int64_t full = sim_disk_full_ns(server->lab->disk);
    full = full != INT64_MIN && full < server->resumed_ns ? server->resumed_ns : full;
    int64_t now = sim_now_ns(server->lab->world);
    if (answer->code != FK_CODE_SYSTEM_ERROR) {
        sim_violation(server->lab->world, "C2", "request %" PRId64 " was answered %" PRId32 " without a zxid",
                      answer->number, answer->code);
    } else if (sim_memory_refused()) {
        return; /* for want of memory */
    } else if (full == INT64_MIN || now > full + RECOVERY_S * SIM_S) {
        sim_violation(server->lab->world, "C12", "request %" PRId64 " was refused, but the disk has had space for long",
                      answer->number);
    }
}

void sim_local_answer(struct sim_local_server *server, struct fk_bytes message)
{
    struct sim_local *lab = server->lab;
    struct fk_answer_message answer;
    if (fk_answer_message_read(message, &answer) != FK_OK) {
        sim_violation(lab->world, "C2", "an answer can't be read");
        return;
    }
    sim_trace(lab->world, "answer %" PRIx64 " %" PRId64 " code %" PRId32 " zxid %" PRId64, (uint64_t)answer.session_id,
              answer.number, answer.code, answer.zxid);
    int64_t visible = fk_store_zxid(server->store, FK_VIEW_VISIBLE);
    if (answer.zxid > visible) {
        sim_violation(lab->world, "C4", "the answer names zxid %" PRId64 ", but %" PRId64 " is the newest visible one",
                      answer.zxid, visible);
    }
    lab->told_zxid = answer.zxid > lab->told_zxid ? answer.zxid : lab->told_zxid;
    lab->result->answered++;
    struct sim_local_client *client = client_of(lab, answer.session_id);
    if (answer.number == 0 && client != NULL && answer.code == FK_CODE_OK) { /* expired: nobody waits for this answer */
        gone(client);
        return;
    }
    if (client == NULL || answer.number == 0) {
        return;
    }
    if (sim_memory_refused() && answer.number <= client->answered) {
        return; /* its connection was closed for the sake of a lost answer */
    }
    if (answer.number != client->answered + 1 || answer.number > client->sent || answer.epoch != client->epoch) {
        sim_violation(lab->world, "C2",
                      "session %" PRIx64 " got the answer to request %" PRId64 ", expected was %" PRId64,
                      (uint64_t)answer.session_id, answer.number, client->answered + 1);
    }
    client->answered = answer.number;
    if (answer.zxid == 0) {
        check_no_space(server, &answer);
    }
    bool ends = client->closing && client->answered == client->sent && answer.code == FK_CODE_OK;
    bool refused = client->sent == 1 && answer.zxid == 0; /* the session was not opened */
    if (ends || answer.code == FK_CODE_SESSION_EXPIRED || refused) {
        gone(client);
    }
}

void sim_local_answers_lost(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    for (uint32_t i = 0; i < lab->options->clients; i++) {
        struct sim_local_client *client = &lab->clients[i];
        if (client->session_id != 0 && client->answered < client->sent) {
            client->answered = client->sent;
            if (client->closing) {
                gone(client);
            }
        }
    }
}

bool sim_local_waiting(const struct sim_local *lab)
{
    for (uint32_t i = 0; i < lab->options->clients; i++) {
        const struct sim_local_client *client = &lab->clients[i];
        if (client->session_id != 0 && (client->answered < client->sent || client->closing)) {
            return true;
        }
    }
    return false;
}

void sim_local_expire(struct sim_local_server *server)
{
    struct sim_local *lab = server->lab;
    struct fk_heartbeat heartbeat = {.queue = server->queue, .gateway = 1, .tick_ms = SIM_LOCAL_TICK_MS};
    for (uint32_t i = 0; i < lab->options->clients; i++) {
        struct sim_local_client *client = &lab->clients[i];
        struct fk_lease lease = {.session_id = client->session_id,
                                 .epoch = client->epoch,
                                 .last_packet_ms = client->last_packet_ms,
                                 .timeout_ms = TIMEOUT_MS};
        bool expired = false;
        if (client->session_id == 0 || client->closing || !client->silent) {
            continue;
        }
        enum fk_err err = fk_heartbeat_check(&heartbeat, &lease, fk_clock_monotonic_ms(server->clock), &expired);
        client->closing = err == FK_OK && expired;
    }
}
