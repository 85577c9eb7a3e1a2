// SPDX-License-Identifier: Apache-2.0
/* The local topology behind the gateway's core: one process, whose store shows what is visible, and whose changes come
 * in order (fk_gateway_change). */
#include "gateway/gateway_internal.h"

#include "base/log.h"
#include "model/acl.h"
#include "model/plan.h"

enum {
    HEADER_SIZE = 8, /* xid and op */
};

/* Writes of this connection that were put into the gateway's message and are not sent yet. */
struct batch {
    size_t at;      /* offset in the input behind the last frame taken */
    size_t sent_at; /* the same, of what was sent for good */
    int64_t first_number;
    uint32_t count; /* operations in the message */
    bool bad;       /* a frame that can't be one came: the connection ends behind what was taken */
};

/* Sends the message. Without room its requests go back into the input, as if they had not been read. */
static bool batch_send(struct fk_gateway *gateway, struct fk_conn *conn, struct batch *batch)
{
    if (batch->count == 0) {
        batch->sent_at = batch->at;
        return true;
    }
    enum fk_err err = gateway->message.failed ? FK_ERR_NOMEM
                                              : fk_queue_send(gateway->queue, conn->session->id, batch->first_number,
                                                              fk_buf_view(&gateway->message));
    fk_buf_clear(&gateway->message);
    if (err == FK_OK) {
        batch->count = 0;
        batch->sent_at = batch->at;
        return true;
    }
    conn->outstanding.count -= batch->count;
    gateway->stats.outstanding -= batch->count;
    conn->session->next_number = batch->first_number;
    batch->count = 0;
    batch->at = batch->sent_at;
    if (conn->state == FK_CONN_LEAVING) {
        conn->state = FK_CONN_READY;
    }
    if (fk_list_empty(&conn->stalled)) {
        fk_list_append(&gateway->stalled, &conn->stalled);
    }
    return false;
}

/* Takes a write into the message; false where it has to wait. */
static bool batch_add(struct fk_gateway *gateway, struct fk_conn *conn, struct batch *batch, int32_t xid, int32_t op,
                      struct fk_bytes body)
{
    struct fk_gateway_session *session = conn->session;
    struct fk_outstanding item = {.number = session->next_number,
                                  .started_ms = gateway->now_ms,
                                  .xid = xid,
                                  .op = op,
                                  .tally = fk_tally_write_of(op, body, session->ephemerals)};
    if (!fk_bounds_outstanding(gateway, conn) || !fk_outstanding_add(&conn->outstanding, &item)) {
        return false;
    }
    if (batch->count == 0) {
        struct fk_request_message message = {.gateway = FK_GATEWAY_ADDRESS,
                                             .session_id = session->id,
                                             .first_number = session->next_number,
                                             .ids = fk_buf_view(&conn->ids)};
        fk_request_message_begin(&gateway->message, &message);
        batch->first_number = session->next_number;
    }
    fk_request_message_add(&gateway->message, &(struct fk_request_operation){.op = op, .body = body});
    session->next_number++;
    batch->count++;
    gateway->stats.outstanding++;
    if (op == FK_OP_CLOSE_SESSION) {
        conn->state = FK_CONN_LEAVING;
    }
    return true;
}

/* Answers a write that no function sees, in its turn; false where earlier ones are not answered yet. */
static bool refuse_write(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, int32_t code)
{
    if (conn->outstanding.count > 0) {
        return false;
    }
    int64_t zxid = fk_store_zxid(gateway->store, FK_VIEW_VISIBLE);
    fk_conn_reply(gateway, conn, &(struct fk_reply_header){.xid = xid, .zxid = zxid, .code = code}, FK_BYTES_NULL);
    return true;
}

/* Takes one frame of a connection with a session; false where it has to wait. */
static bool take_request(struct fk_gateway *gateway, struct fk_conn *conn, struct batch *batch, struct fk_bytes frame)
{
    if (frame.size < HEADER_SIZE) {
        batch->bad = true;
        return false;
    }
    int32_t xid = (int32_t)fk_load_u32(frame.data);
    int32_t op = (int32_t)fk_load_u32(frame.data + 4);
    enum fk_auth_gate gate = fk_auth_gate(gateway, conn, xid, op);
    if (gate != FK_AUTH_PASS) {
        return gate == FK_AUTH_REFUSED;
    }
    if (gateway->options.read_only) {
        return fk_read_only_request(gateway, conn, frame);
    }
    if (!fk_plan_knows(op) && op != FK_OP_CLOSE_SESSION) {
        return fk_request(gateway, conn, frame);
    }
    struct fk_bytes body = fk_bytes_tail(frame, HEADER_SIZE);
    if (!fk_bounds_ephemerals(gateway, conn->session, op, body)) {
        return refuse_write(gateway, conn, xid, FK_CODE_QUOTA_EXCEEDED);
    }
    return batch_add(gateway, conn, batch, xid, op, body);
}

static bool take_frame(struct fk_gateway *gateway, struct fk_conn *conn, struct batch *batch, struct fk_bytes frame)
{
    bool taken = take_request(gateway, conn, batch, frame);
    if (taken) {
        gateway->stats.packets_received++;
        conn->received++;
    }
    return taken;
}

static bool may_take(const struct fk_conn *conn)
{
    return conn->state == FK_CONN_READY && conn->job == NULL && fk_buf_left(&conn->out) < FK_OUTPUT_SIZE_HIGH;
}

/* Takes frames until one has to wait, or none is left. */
static void take_frames(struct fk_gateway *gateway, struct fk_conn *conn, struct batch *batch, struct fk_bytes input)
{
    while (may_take(conn)) {
        struct fk_bytes rest = fk_bytes_tail(input, batch->at);
        int64_t size = fk_conn_frame_size(conn, rest);
        if (size < 0) {
            batch->bad = size == FK_FRAME_BAD;
            return;
        }
        if (!take_frame(gateway, conn, batch, fk_bytes_of(rest.data + FK_FRAME_LENGTH_SIZE, (size_t)size))) {
            return;
        }
        batch->at += FK_FRAME_LENGTH_SIZE + (size_t)size;
        if (batch->count == 0) {
            batch->sent_at = batch->at; /* done with: a full queue gives back no more than what is in the message */
        }
        if (fk_buf_left(&gateway->message) > FK_MESSAGE_SIZE_MAX && !batch_send(gateway, conn, batch)) {
            return;
        }
    }
}

static void local_process(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct batch batch = {.at = 0};
    take_frames(gateway, conn, &batch, fk_buf_view(&conn->in));
    bool sent = batch_send(gateway, conn, &batch);
    if (conn->state == FK_CONN_CLOSING) {
        return;
    }
    if (batch.bad && sent) {
        fk_conn_close(gateway, conn);
        return;
    }
    fk_buf_consume(&conn->in, batch.sent_at);
}

/* The answer of the oldest outstanding request of a connection. */
static void answer_request(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_answer_message *answer)
{
    struct fk_outstanding *item = fk_outstanding_first(&conn->outstanding);
    if (item == NULL || item->number > answer->number) {
        return; /* of an earlier connection of the session */
    }
    if (item->number < answer->number) {
        fk_log(FK_LOG_ERROR, "connection closed: the answer to one of its requests is lost");
        fk_conn_kill(gateway, conn);
        return;
    }
    struct fk_reply_header header = {.xid = item->xid, .zxid = answer->zxid, .code = answer->code};
    int32_t op = item->op;
    if (header.zxid == 0) {
        header.zxid = fk_store_zxid(gateway->store, FK_VIEW_VISIBLE);
    }
    fk_gateway_count_answer(gateway, conn, item, header.zxid, true);
    fk_gateway_tally_write(gateway, conn, &item->tally, header.code, answer->body);
    fk_outstanding_drop(&conn->outstanding);
    gateway->stats.outstanding--;
    fk_conn_reply(gateway, conn, &header, answer->body);
    if (op == FK_OP_CLOSE_SESSION) {
        struct fk_gateway_session *session = conn->session;
        fk_session_detach(gateway, conn);
        fk_session_free(gateway, session);
        fk_conn_close(gateway, conn);
        return;
    }
    if (conn->outstanding.count == 0 || fk_buf_left(&conn->in) > 0) {
        fk_conn_process(gateway, conn);
    }
}

void fk_gateway_answer_lost(struct fk_gateway *gateway)
{
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        struct fk_conn *conn = FK_CONTAINER_OF(link, struct fk_conn, link);
        if (conn->state == FK_CONN_CREATING || conn->outstanding.count > 0) {
            fk_conn_kill(gateway, conn);
        }
    }
}

static void local_notice(struct fk_gateway *gateway, struct fk_bytes message)
{
    struct fk_answer_message answer;
    if (fk_answer_message_read(message, &answer) != FK_OK || answer.number == 0) {
        return;
    }
    struct fk_gateway_session *session = fk_session_find(gateway, answer.session_id);
    if (session == NULL) {
        return;
    }
    struct fk_conn *conn = session->conn;
    if (conn == NULL) {
        if (!session->live) { /* it could not be created, and its client has gone */
            fk_session_free(gateway, session);
        }
        return;
    }
    if (conn->state == FK_CONN_CREATING) {
        fk_local_created(gateway, conn, &answer);
        return;
    }
    answer_request(gateway, conn, &answer);
}

/* What firing an event needs. */
struct firing {
    struct fk_gateway *gateway;
    int64_t zxid;
    struct fk_bytes acl; /* of the node that the event names */
};

/* ZK: who can't read a node does not hear of it, though the watch is used up (CVE-2024-23944). */
static void fire(void *context, struct fk_watcher *watcher, const struct fk_event *event)
{
    struct firing *firing = (struct firing *)context;
    struct fk_conn *conn = FK_CONTAINER_OF(watcher, struct fk_conn, watcher);
    struct fk_caller caller = fk_conn_caller(firing->gateway, conn);
    if (fk_acl_allows(firing->acl, FK_PERM_READ, &caller)) {
        fk_conn_event(firing->gateway, conn, firing->zxid, (int32_t)event->type, event->path);
    }
}

/* Nobody is told what can't be checked: a null list, which allows nobody, stands for an error of the store. */
static struct fk_bytes parent_acl(struct fk_gateway *gateway, const struct fk_change *change, const struct fk_put *put,
                                  struct fk_bytes path, struct fk_arena *arena)
{
    struct fk_node parent;
    if (fk_store_get(gateway->store, FK_VIEW_VISIBLE, path, arena, &parent) != FK_OK) {
        return FK_BYTES_NULL;
    }
    return fk_change_parent_acl(change, put, path, &parent);
}

/* True where somebody has watched for it. */
static bool fire_put(struct fk_gateway *gateway, const struct fk_change *change, const struct fk_put *put)
{
    struct fk_event events[FK_EVENTS_OF_PUT];
    size_t count = fk_put_events(put, events);
    bool heard = false;
    for (size_t i = 0; i < count; i++) {
        struct firing firing = {.gateway = gateway, .zxid = change->zxid, .acl = put->node.acl};
        if (!fk_watch_heard(&gateway->watches, &events[i])) {
            continue;
        }
        heard = true;
        if (events[i].type == FK_EVENT_CHILDREN_CHANGED) {
            struct fk_arena arena = FK_ARENA_EMPTY;
            firing.acl = parent_acl(gateway, change, put, events[i].path, &arena);
            fk_watch_fire(&gateway->watches, &events[i], change->zxid, fire, &firing);
            fk_arena_deinit(&arena);
            continue;
        }
        fk_watch_fire(&gateway->watches, &events[i], change->zxid, fire, &firing);
    }
    return heard;
}

void fk_gateway_change(struct fk_gateway *gateway, const struct fk_change *change)
{
    bool heard = false;
    for (size_t i = 0; i < change->count; i++) {
        const struct fk_put *put = &change->puts[i];
        if (put->kind == FK_PUT_SESSION) {
            fk_gateway_touch_clock(gateway);
            fk_session_began(gateway, put->session.id);
        } else if (put->kind == FK_PUT_SESSION_END) {
            fk_session_ended(gateway, put->session.id);
        } else {
            fk_bounds_put(gateway, put);
            heard = (gateway->watches.count > 0 && fire_put(gateway, change, put)) || heard;
        }
    }
    if (heard) {
        fk_tally_watched(&gateway->tally);
    }
}

static void finish_job(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_job *job)
{
    conn->job = NULL;
    if (conn->state == FK_CONN_CLOSING) {
        return;
    }
    fk_gateway_tally_read(gateway, conn, job);
    if (!fk_conn_do_actions(gateway, conn, job)) {
        return;
    }
    const struct fk_outstanding request = {.started_ms = job->started_ms, .xid = job->xid, .op = job->op};
    fk_gateway_count_answer(gateway, conn, &request, job->zxid, false);
    fk_conn_reply(gateway, conn, &(struct fk_reply_header){.xid = job->xid, .zxid = job->zxid, .code = job->code},
                  fk_buf_view(&job->reply));
    fk_conn_process(gateway, conn);
}

static void local_job_done(struct fk_gateway *gateway, struct fk_job *job)
{
    if (job->conn != NULL) {
        finish_job(gateway, job->conn, job);
    }
    fk_gateway_job_release(gateway, job);
}

static void local_gone(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (conn->job != NULL) {
        conn->job->conn = NULL;
    }
    fk_session_detach(gateway, conn);
}

static void local_tick(struct fk_gateway *gateway)
{
    if (gateway->now_ms >= gateway->expire_after_ms) {
        fk_session_expire_all(gateway);
    }
}

static int64_t local_facts(const struct fk_gateway *gateway, struct fk_store_counts *counts)
{
    fk_store_counts(gateway->store, counts);
    return fk_store_zxid(gateway->store, FK_VIEW_VISIBLE);
}

static const struct fk_backend local_backend = {
    .job_size = sizeof(struct fk_job),
    .connect = fk_local_connect,
    .process = local_process,
    .notice = local_notice,
    .job_done = local_job_done,
    .gone = local_gone,
    .tick = local_tick,
    .facts = local_facts,
};

static const struct fk_backend read_only_backend = {
    .job_size = sizeof(struct fk_job),
    .connect = fk_read_only_connect,
    .process = local_process,
    .notice = local_notice,
    .job_done = local_job_done,
    .gone = local_gone,
    .tick = fk_read_only_tick,
    .facts = local_facts,
};

struct fk_gateway *fk_gateway_new(const struct fk_gateway_options *options, struct fk_store *store,
                                  struct fk_queue *queue, struct fk_clock *clock, struct fk_random *random)
{
    struct fk_gateway *gateway =
        fk_gateway_create(options->read_only ? &read_only_backend : &local_backend, options, clock, random);
    if (gateway != NULL) {
        gateway->store = store;
        gateway->queue = queue;
    }
    return gateway;
}

static enum fk_err count_ephemerals(struct fk_gateway *gateway, struct fk_gateway_session *session)
{
    struct fk_list_key key = {.kind = FK_LIST_EPHEMERALS, .session_id = session->id};
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_page page = {.names = NULL};
    enum fk_err err = FK_OK;
    do {
        err = fk_store_list(gateway->store, FK_VIEW_VISIBLE, &key, &arena, &page);
        session->ephemerals += err == FK_OK ? (int32_t)page.count : 0;
        fk_arena_reset(&arena);
    } while (err == FK_OK && page.more);
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_gateway_load_session(struct fk_gateway *gateway, const struct fk_session *record)
{
    struct fk_gateway_session *session = fk_session_new(gateway, record->id, record->timeout_ms);
    if (session == NULL) {
        return FK_ERR_NOMEM;
    }
    session->live = true;
    return count_ephemerals(gateway, session);
}
