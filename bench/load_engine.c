// SPDX-License-Identifier: Apache-2.0
/*
 * The loop: wait, read what a connection has, check the replies, refill to depth, write it all in one call.
 * A run has three phases by the clock: warm-up, measurement, drain. In the drain nothing new is sent but what leaves
 * the tree as it was (the delete of a last create, closeSession), and the loop ends when every session is closed.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECEIVE_SIZE = 64 * 1024,
    EVENTS_SIZE = 128,
    WAIT_MS = 50,
};

enum phase {
    PHASE_WARMUP,
    PHASE_MEASURE,
    PHASE_DRAIN
};

struct engine {
    struct load_run *run;
    struct load_conn *conns;
    int epoll_fd;
    enum phase phase;
    unsigned open_count; /* connections that are not done */
    int64_t phase_end_ns;
    int64_t progress_ns; /* when the last reply came */
};

/* ---- requests ---- */

static struct load_slot *slot_push(const struct load_run *run, struct load_conn *conn, int64_t now_ns)
{
    unsigned position = conn->slot_first + conn->slot_count;
    if (position > run->options.depth) {
        position -= run->options.depth + 1;
    }
    conn->slot_count++;
    conn->slots[position].sent_ns = now_ns;
    return &conn->slots[position];
}

static struct load_slot slot_pop(const struct load_run *run, struct load_conn *conn)
{
    struct load_slot slot = conn->slots[conn->slot_first];
    conn->slot_first = conn->slot_first == run->options.depth ? 0 : conn->slot_first + 1;
    conn->slot_count--;
    return slot;
}

static void close_session(const struct load_run *run, struct load_conn *conn, int64_t now_ns)
{
    struct load_slot *slot = slot_push(run, conn, now_ns);
    slot->xid = ++conn->xid;
    slot->op = ZKRAW_OP_CLOSE_SESSION;
    zkraw_put_close_session(&conn->out, slot->xid);
    conn->state = LOAD_CONN_CLOSING;
}

/* Tops the connection up to depth, or begins its end. */
static void refill(struct engine *engine, struct load_conn *conn, int64_t now_ns)
{
    struct load_run *run = engine->run;
    bool is_full = run->options.op == LOAD_SEQ && conn->created >= LOAD_SEQ_PER_SESSION;
    while (conn->slot_count < run->options.depth && !is_full &&
           (engine->phase != PHASE_DRAIN || conn->delete_is_next)) {
        load_request_put(run, conn, slot_push(run, conn, now_ns));
        is_full = run->options.op == LOAD_SEQ && conn->created >= LOAD_SEQ_PER_SESSION;
    }
    if (is_full || (engine->phase == PHASE_DRAIN && conn->slot_count == 0)) {
        close_session(run, conn, now_ns);
    }
}

static void watch_events(const struct engine *engine, struct load_conn *conn, int how)
{
    struct epoll_event event = {.data.ptr = conn};
    event.events = conn->wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (epoll_ctl(engine->epoll_fd, how, conn->fd, &event) != 0) {
        load_fail("epoll_ctl: %s", strerror(errno));
    }
}

static void flush(struct engine *engine, struct load_conn *conn)
{
    if (conn->out.size > 0) {
        ssize_t count = send(conn->fd, conn->out.data, conn->out.size, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            load_fail("connection %u: send: %s", conn->index, strerror(errno));
        }
        zkraw_buf_consume(&conn->out, count < 0 ? 0 : (size_t)count);
    }
    if (conn->wants_write != (conn->out.size > 0)) {
        conn->wants_write = conn->out.size > 0;
        watch_events(engine, conn, EPOLL_CTL_MOD);
    }
}

/* ---- connections ---- */

/* Dials (which does not wait on a local address) and sends the handshake without waiting for its answer, so that a
 * session that is replaced in the middle of a run holds up no other connection. */
static void conn_open(struct engine *engine, struct load_conn *conn)
{
    char error[ZKRAW_ERROR_SIZE];
    struct zkraw_connect request = {.timeout_ms = engine->run->options.session_timeout_ms,
                                    .last_zxid_seen = conn->zxid};
    conn->fd = zkraw_dial(engine->run->options.target, LOAD_IO_TIMEOUT_MS, error);
    if (conn->fd < 0) {
        load_fail("%s", error);
    }
    int flags = fcntl(conn->fd, F_GETFL);
    if (flags < 0 || fcntl(conn->fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        load_fail("fcntl: %s", strerror(errno));
    }
    conn->state = LOAD_CONN_HANDSHAKE;
    conn->wants_write = false;
    conn->in.size = 0;
    conn->out.size = 0;
    conn->xid = 0;
    if (engine->run->options.op == LOAD_SEQ) {
        conn->created = 0;
    }
    zkraw_put_connect(&conn->out, &request);
    watch_events(engine, conn, EPOLL_CTL_ADD);
    flush(engine, conn);
}

static void conn_init(struct engine *engine, struct load_conn *conn, unsigned index)
{
    const struct load_options *options = &engine->run->options;
    conn->index = index;
    conn->last_sequence = -1;
    conn->slots = load_alloc(options->depth + 1, sizeof *conn->slots);
    conn->versions = load_alloc(options->nodes, sizeof *conn->versions);
    conn_open(engine, conn);
}

static void conn_deinit(struct load_conn *conn)
{
    free(conn->slots);
    free(conn->versions);
    zkraw_buf_deinit(&conn->in);
    zkraw_buf_deinit(&conn->out);
}

static void conn_closed(struct engine *engine, struct load_conn *conn)
{
    if (conn->slot_count != 0) {
        load_fail("connection %u: session closed with %u requests unanswered", conn->index, conn->slot_count);
    }
    close(conn->fd);
    if (engine->phase == PHASE_DRAIN) {
        conn->state = LOAD_CONN_DONE;
        engine->open_count--;
    } else {
        conn_open(engine, conn);
    }
}

/* ---- replies ---- */

/* Returns false if the frame was the end of its session: what was buffered of the connection is gone then. */
static bool frame_handle(struct engine *engine, struct load_conn *conn, const uint8_t *frame, size_t size,
                         int64_t now_ns)
{
    struct load_run *run = engine->run;
    struct zkraw_connected connected;
    struct zkraw_reply reply;
    if (conn->state == LOAD_CONN_HANDSHAKE) {
        if (!zkraw_read_connected(frame, size, &connected) || connected.session_id == 0) {
            load_fail("connection %u: no session in a handshake answer of %zu bytes", conn->index, size);
        }
        conn->state = LOAD_CONN_RUNNING;
        return true;
    }
    if (conn->slot_count == 0 || !zkraw_read_reply(frame, size, &reply)) {
        load_fail("connection %u: a frame of %zu bytes that answers no request", conn->index, size);
    }
    struct load_slot slot = slot_pop(run, conn);
    load_reply_check(run, conn, &slot, &reply);
    if (slot.op == ZKRAW_OP_CLOSE_SESSION) {
        conn_closed(engine, conn);
        return false;
    }
    run->verified++;
    if (engine->phase == PHASE_MEASURE) {
        run->operations++;
        histogram_add(&run->latency, now_ns - slot.sent_ns);
    }
    return true;
}

static void frames_handle(struct engine *engine, struct load_conn *conn, int64_t now_ns)
{
    size_t consumed = 0;
    const uint8_t *frame = NULL;
    size_t frame_size = 0;
    int found = 0;
    while ((found = zkraw_frame_find(conn->in.data + consumed, conn->in.size - consumed, &frame, &frame_size)) > 0) {
        consumed += ZKRAW_FRAME_PREFIX_SIZE + frame_size;
        if (!frame_handle(engine, conn, frame, frame_size, now_ns)) {
            return;
        }
    }
    if (found < 0) {
        load_fail("connection %u: frame length out of range", conn->index);
    }
    zkraw_buf_consume(&conn->in, consumed);
}

static void conn_readable(struct engine *engine, struct load_conn *conn)
{
    zkraw_buf_reserve(&conn->in, RECEIVE_SIZE);
    ssize_t count = recv(conn->fd, conn->in.data + conn->in.size, conn->in.capacity - conn->in.size, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (count <= 0) {
        load_fail("connection %u: %s", conn->index, count == 0 ? "closed by the server" : strerror(errno));
    }
    conn->in.size += (size_t)count;
    int64_t now_ns = process_clock_ns();
    engine->progress_ns = now_ns;
    frames_handle(engine, conn, now_ns);
    if (conn->state == LOAD_CONN_RUNNING) {
        refill(engine, conn, now_ns);
    }
}

/* ---- phases ---- */

static void phase_check(struct engine *engine, int64_t now_ns)
{
    struct load_run *run = engine->run;
    if (now_ns - engine->progress_ns > (int64_t)LOAD_IO_TIMEOUT_MS * 1000000) {
        load_fail("no reply for %d s", LOAD_IO_TIMEOUT_MS / 1000);
    }
    if (engine->phase == PHASE_DRAIN || now_ns < engine->phase_end_ns) {
        return;
    }
    if (engine->phase == PHASE_WARMUP) {
        engine->phase = PHASE_MEASURE;
        run->from = process_sample_take(run->options.pid);
        engine->phase_end_ns = run->from.time_ns + (int64_t)(run->options.seconds * 1e9);
    } else {
        engine->phase = PHASE_DRAIN;
        run->to = process_sample_take(run->options.pid);
        run->rss_bytes = run->options.pid == 0 ? -1 : process_rss_bytes(run->options.pid);
    }
}

static void loop(struct engine *engine)
{
    struct epoll_event events[EVENTS_SIZE];
    while (engine->open_count > 0) {
        int count = epoll_wait(engine->epoll_fd, events, EVENTS_SIZE, WAIT_MS);
        if (count < 0 && errno != EINTR) {
            load_fail("epoll_wait: %s", strerror(errno));
        }
        phase_check(engine, process_clock_ns());
        for (int i = 0; i < count; i++) {
            struct load_conn *conn = events[i].data.ptr;
            if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0) {
                conn_readable(engine, conn);
            }
            if (conn->state != LOAD_CONN_DONE) {
                flush(engine, conn);
            }
        }
    }
}

void load_engine_run(struct load_run *run)
{
    struct engine engine = {.run = run, .open_count = run->options.connections};
    engine.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (engine.epoll_fd < 0) {
        load_fail("epoll_create1: %s", strerror(errno));
    }
    engine.conns = load_alloc(run->options.connections, sizeof *engine.conns);
    engine.progress_ns = process_clock_ns();
    for (unsigned i = 0; i < run->options.connections; i++) {
        conn_init(&engine, &engine.conns[i], i);
    }
    engine.phase_end_ns = process_clock_ns() + (int64_t)(run->options.warmup_seconds * 1e9);
    loop(&engine);
    for (unsigned i = 0; i < run->options.connections; i++) {
        conn_deinit(&engine.conns[i]);
    }
    free(engine.conns);
    close(engine.epoll_fd);
}
