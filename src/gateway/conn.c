// SPDX-License-Identifier: Apache-2.0
/* A connection: bytes in, frames out of them, replies and events into its output. The input buffer is also the queue of
 * requests that have to wait: they stay in it, unread. */
#include "gateway/gateway_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "model/acl.h"

void fk_conn_mark(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (conn->in_events) {
        fk_list_remove(&conn->output);
        conn->in_events = false;
    }
    if (fk_list_empty(&conn->output)) {
        fk_list_append(&gateway->outputs, &conn->output);
    }
}

/* Events alone may wait for those who asked for something: one change can have an event for everybody. */
static void mark_events(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (fk_list_empty(&conn->output)) {
        fk_list_append(&gateway->events, &conn->output);
        conn->in_events = true;
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

bool fk_conn_is_fresh(const struct fk_conn *conn)
{
    return conn->state < FK_CONN_READY;
}

bool fk_conn_wants_input(const struct fk_conn *conn)
{
    if (conn->state == FK_CONN_CREATING) {
        return fk_buf_left(&conn->in) < FK_FRESH_INPUT_SIZE_MAX;
    }
    size_t frame = FK_FRAME_LENGTH_SIZE + (size_t)conn->frame_size_max;
    size_t size_max = frame < FK_INPUT_SIZE_MAX ? FK_INPUT_SIZE_MAX : frame;
    return conn->state < FK_CONN_LEAVING && fk_buf_left(&conn->in) < size_max;
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

struct fk_caller fk_conn_caller(const struct fk_gateway *gateway, const struct fk_conn *conn)
{
    return (struct fk_caller){.session_id = conn->session == NULL ? 0 : conn->session->id,
                              .ids = fk_buf_view(&conn->ids),
                              .rules = &gateway->options.rules};
}

/* A connection that can't take what it must get is of no use to its client: without memory, or far behind with events.
 * Replies have no limit, as in ZooKeeper: requests wait while one is unsent. */
static void check_output(struct fk_gateway *gateway, struct fk_conn *conn, size_t size_max)
{
    if (conn->out.failed || fk_buf_left(&conn->out) > size_max) {
        fk_log_with(FK_LOG_WARN, "connection closed: its client does not read",
                    fk_log_bytes("address", fk_bytes_of(conn->address->text, conn->address->size)),
                    fk_log_number("port", conn->port),
                    fk_log_id("session", conn->session == NULL ? 0 : conn->session->id),
                    fk_log_number("unsent", (int64_t)fk_buf_left(&conn->out)));
        fk_conn_kill(gateway, conn);
    } else if (!fk_bounds_memory(gateway, conn)) {
        fk_conn_kill(gateway, conn);
    }
}

void fk_conn_reply_whole(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_reply_header *header,
                         struct fk_bytes body)
{
    if (conn->state == FK_CONN_CLOSING) {
        return;
    }
    fk_write_i32(&conn->out, (int32_t)(FK_REPLY_HEADER_SIZE + body.size));
    fk_write_reply_header(&conn->out, header);
    fk_buf_append(&conn->out, body);
    gateway->stats.packets_sent++;
    conn->sent++;
    check_output(gateway, conn, SIZE_MAX);
    fk_conn_mark(gateway, conn);
}

void fk_conn_reply(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_reply_header *header,
                   struct fk_bytes body)
{
    fk_conn_reply_whole(gateway, conn, header, header->code == FK_CODE_OK ? body : FK_BYTES_NULL);
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
    mark_events(gateway, conn);
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

int64_t fk_conn_frame_size(const struct fk_conn *conn, struct fk_bytes input)
{
    if (input.size < FK_FRAME_LENGTH_SIZE) {
        return FK_FRAME_INCOMPLETE;
    }
    int32_t size = (int32_t)fk_load_u32(input.data);
    int32_t size_max = conn->state == FK_CONN_NEW ? FK_CONNECT_FRAME_SIZE_MAX : conn->frame_size_max;
    if (size < 0 || size > size_max) {
        return FK_FRAME_BAD;
    }
    return input.size - FK_FRAME_LENGTH_SIZE < (size_t)size ? FK_FRAME_INCOMPLETE : size;
}

/* Takes the first frame of a connection; true where its session is there at once. */
static bool take_handshake(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_bytes input = fk_buf_view(&conn->in);
    if (fk_word_answer(gateway, conn, input) != FK_WORD_NONE) {
        return false;
    }
    int64_t size = fk_conn_frame_size(conn, input);
    if (size == FK_FRAME_BAD) {
        fk_conn_close(gateway, conn);
    }
    if (size < 0) {
        return false;
    }
    fk_handshake(gateway, conn, fk_bytes_of(input.data + FK_FRAME_LENGTH_SIZE, (size_t)size));
    if (conn->state != FK_CONN_CLOSING) { /* else its input is gone */
        fk_buf_consume(&conn->in, FK_FRAME_LENGTH_SIZE + (size_t)size);
    }
    return conn->state == FK_CONN_READY;
}

void fk_conn_process(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (fk_buf_left(&conn->in) == 0 || (conn->state == FK_CONN_NEW && !take_handshake(gateway, conn))) {
        (void)fk_bounds_memory(gateway, conn);
        return;
    }
    if (conn->state == FK_CONN_READY) {
        gateway->backend->process(gateway, conn);
    }
    if (!fk_bounds_memory(gateway, conn)) {
        fk_conn_kill(gateway, conn);
    }
    if (conn->state != FK_CONN_CLOSING && fk_conn_wants_input(conn) != conn->told_input) {
        fk_conn_mark(gateway, conn);
    }
}
