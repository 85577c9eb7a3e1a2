// SPDX-License-Identifier: Apache-2.0
/* A connection: bytes in, frames out of them, replies and events into its output. The input buffer is also the queue of
 * requests that have to wait: they stay in it, unread. */
#include "gateway/gateway_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "model/plan.h"

enum {
    LENGTH_SIZE = 4,
    HEADER_SIZE = 8, /* xid and op */
};

void fk_conn_mark(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (fk_list_empty(&conn->output)) {
        fk_list_append(&gateway->outputs, &conn->output);
    }
}

struct fk_buf *fk_conn_output(struct fk_conn *conn)
{
    return &conn->out;
}

bool fk_conn_closing(const struct fk_conn *conn)
{
    return conn->state == FK_CONN_CLOSING;
}

bool fk_conn_wants_input(const struct fk_conn *conn)
{
    return conn->state < FK_CONN_LEAVING && fk_buf_left(&conn->in) < FK_INPUT_SIZE_MAX;
}

void *fk_conn_socket(const struct fk_conn *conn)
{
    return conn->socket;
}

void fk_conn_close(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (conn->state != FK_CONN_CLOSING) {
        conn->state = FK_CONN_CLOSING;
        conn->opened_ms = gateway->now_ms;
        fk_buf_clear(&conn->in);
    }
    fk_conn_mark(gateway, conn);
}

void fk_conn_kill(struct fk_gateway *gateway, struct fk_conn *conn)
{
    fk_conn_close(gateway, conn);
    fk_buf_clear(&conn->out);
}

struct fk_caller fk_conn_caller(const struct fk_conn *conn)
{
    return (struct fk_caller){.session_id = conn->session == NULL ? 0 : conn->session->id,
                              .ids = fk_buf_view(&conn->ids)};
}

/* A connection that can't take what it must get is of no use to its client: without memory, or far behind with events.
 * Replies have no limit, as in ZooKeeper: requests wait while one is unsent. */
static void check_output(struct fk_gateway *gateway, struct fk_conn *conn, size_t size_max)
{
    if (conn->out.failed || fk_buf_left(&conn->out) > size_max) {
        fk_log(FK_LOG_WARN, "connection closed: its client does not read (%zu bytes unsent)", fk_buf_left(&conn->out));
        fk_conn_kill(gateway, conn);
    }
    fk_conn_mark(gateway, conn);
}

void fk_conn_reply(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_reply_header *header,
                   struct fk_bytes body)
{
    if (conn->state == FK_CONN_CLOSING) {
        return;
    }
    size_t body_size = header->code == FK_CODE_OK ? body.size : 0;
    fk_write_i32(&conn->out, (int32_t)(FK_REPLY_HEADER_SIZE + body_size));
    fk_write_reply_header(&conn->out, header);
    fk_buf_append(&conn->out, fk_bytes_head(body, body_size));
    gateway->stats.packets_sent++;
    conn->sent++;
    check_output(gateway, conn, SIZE_MAX);
}

void fk_conn_event(struct fk_gateway *gateway, struct fk_conn *conn, int64_t zxid, int32_t type, struct fk_bytes path)
{
    struct fk_reply_header header = {.xid = FK_XID_NOTIFICATION, .zxid = zxid, .code = 0};
    struct fk_watcher_event event = {.type = type, .state = FK_STATE_SYNC_CONNECTED, .path = path};
    if (conn->state == FK_CONN_CLOSING) {
        return;
    }
    fk_write_i32(&conn->out, (int32_t)(FK_REPLY_HEADER_SIZE + 12 + path.size));
    fk_write_reply_header(&conn->out, &header);
    fk_write_watcher_event(&conn->out, &event);
    gateway->stats.packets_sent++;
    conn->sent++;
    check_output(gateway, conn, FK_OUTPUT_SIZE_MAX);
}

static bool ring_grow(struct fk_outstanding_ring *ring)
{
    uint32_t capacity = ring->capacity == 0 ? 4 : ring->capacity * 2;
    struct fk_outstanding *items = (struct fk_outstanding *)fk_alloc(capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < ring->count; i++) {
        items[i] = ring->items[(ring->first + i) & (ring->capacity - 1)];
    }
    fk_free(ring->items);
    ring->items = items;
    ring->capacity = capacity;
    ring->first = 0;
    return true;
}

bool fk_outstanding_add(struct fk_outstanding_ring *ring, const struct fk_outstanding *item)
{
    if (ring->count == ring->capacity && !ring_grow(ring)) {
        return false;
    }
    ring->items[(ring->first + ring->count) & (ring->capacity - 1)] = *item;
    ring->count++;
    return true;
}

struct fk_outstanding *fk_outstanding_first(struct fk_outstanding_ring *ring)
{
    return ring->count == 0 ? NULL : &ring->items[ring->first];
}

void fk_outstanding_drop(struct fk_outstanding_ring *ring)
{
    FK_ASSERT(ring->count > 0);
    ring->first = (ring->first + 1) & (ring->capacity - 1);
    ring->count--;
}

/* Writes of this connection that were put into the gateway's message and are not sent yet. */
struct batch {
    size_t at;      /* offset in the input behind the last frame taken */
    size_t sent_at; /* the same, of what was sent for good */
    int64_t first_number;
    uint32_t count; /* operations in the message */
    bool bad;       /* a frame that can't be one came: the connection ends behind what was taken */
};

enum {
    FRAME_INCOMPLETE = -1,
    FRAME_BAD = -2,
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
    struct fk_outstanding item = {.number = session->next_number, .started_ms = gateway->now_ms, .xid = xid, .op = op};
    if (conn->outstanding.count >= FK_OUTSTANDING_MAX || !fk_outstanding_add(&conn->outstanding, &item)) {
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

/* Size of the frame at the front of `input`, or why there is none. */
static int64_t frame_size(const struct fk_conn *conn, struct fk_bytes input)
{
    if (input.size < LENGTH_SIZE) {
        return FRAME_INCOMPLETE;
    }
    int32_t size = (int32_t)fk_load_u32(input.data);
    int32_t size_max = conn->state == FK_CONN_NEW ? FK_CONNECT_FRAME_SIZE_MAX : FK_FRAME_SIZE_MAX;
    if (size < 0 || size > size_max) {
        return FRAME_BAD;
    }
    return input.size - LENGTH_SIZE < (size_t)size ? FRAME_INCOMPLETE : size;
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
    if (!fk_plan_knows(op) && op != FK_OP_CLOSE_SESSION) {
        return fk_request(gateway, conn, frame);
    }
    return batch_add(gateway, conn, batch, xid, op, fk_bytes_tail(frame, HEADER_SIZE));
}

static bool take_frame(struct fk_gateway *gateway, struct fk_conn *conn, struct batch *batch, struct fk_bytes frame)
{
    if (conn->state == FK_CONN_NEW) {
        fk_handshake(gateway, conn, frame);
        return true;
    }
    bool taken = take_request(gateway, conn, batch, frame);
    if (taken) {
        gateway->stats.packets_received++;
        conn->received++;
    }
    return taken;
}

static bool may_take(const struct fk_conn *conn)
{
    return (conn->state == FK_CONN_NEW || conn->state == FK_CONN_READY) && conn->job == NULL &&
           fk_buf_left(&conn->out) < FK_OUTPUT_SIZE_HIGH;
}

/* Takes frames until one has to wait, or none is left. */
static void take_frames(struct fk_gateway *gateway, struct fk_conn *conn, struct batch *batch, struct fk_bytes input)
{
    while (may_take(conn)) {
        struct fk_bytes rest = fk_bytes_tail(input, batch->at);
        int64_t size = frame_size(conn, rest);
        if (size < 0) {
            batch->bad = size == FRAME_BAD;
            return;
        }
        if (!take_frame(gateway, conn, batch, fk_bytes_of(rest.data + LENGTH_SIZE, (size_t)size))) {
            return;
        }
        batch->at += LENGTH_SIZE + (size_t)size;
        if (batch->count == 0) {
            batch->sent_at = batch->at; /* done with: a full queue gives back no more than what is in the message */
        }
        if (fk_buf_left(&gateway->message) > FK_MESSAGE_SIZE_MAX && !batch_send(gateway, conn, batch)) {
            return;
        }
    }
}

void fk_conn_process(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_bytes input = fk_buf_view(&conn->in);
    struct batch batch = {.at = 0};
    if (input.size == 0) {
        return;
    }
    if (conn->state == FK_CONN_NEW && input.size >= LENGTH_SIZE &&
        fk_word_answer(gateway, conn, fk_bytes_head(input, LENGTH_SIZE))) {
        return;
    }
    take_frames(gateway, conn, &batch, input);
    bool sent = batch_send(gateway, conn, &batch);
    if (conn->state == FK_CONN_CLOSING) {
        return;
    }
    if (batch.bad && sent) {
        fk_conn_close(gateway, conn);
        return;
    }
    fk_buf_consume(&conn->in, batch.sent_at);
    if (fk_conn_wants_input(conn) != conn->told_input) {
        fk_conn_mark(gateway, conn);
    }
}
