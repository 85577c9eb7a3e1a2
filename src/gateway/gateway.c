// SPDX-License-Identifier: Apache-2.0
/* Events in, outputs out: see gateway.h. */
#include "gateway/gateway_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"

enum {
    TRACE_MASK = 306, /* ZooKeeper's own, which nothing here looks at */
};

void fk_gateway_touch_clock(struct fk_gateway *gateway)
{
    gateway->now_ms = fk_clock_monotonic_ms(gateway->clock);
}

struct fk_gateway *fk_gateway_create(const struct fk_backend *backend, const struct fk_gateway_options *options,
                                     struct fk_clock *clock, struct fk_random *random)
{
    struct fk_gateway *gateway = (struct fk_gateway *)fk_alloc_zero(sizeof *gateway);
    if (gateway == NULL) {
        return NULL;
    }
    gateway->backend = backend;
    gateway->options = *options;
    if (gateway->options.frame_size_max == 0) {
        gateway->options.frame_size_max = FK_FRAME_SIZE_MAX;
    }
    if (gateway->options.handshake_ms == 0) {
        gateway->options.handshake_ms = FK_HANDSHAKE_MS;
    }
    gateway->clock = clock;
    gateway->random = random;
    fk_map_init(&gateway->sessions);
    fk_map_init(&gateway->addresses);
    fk_watch_table_init(&gateway->watches);
    fk_list_init(&gateway->conns);
    fk_list_init(&gateway->outputs);
    fk_list_init(&gateway->events);
    fk_list_init(&gateway->stalled);
    fk_list_init(&gateway->jobs);
    fk_list_init(&gateway->free_jobs);
    fk_list_init(&gateway->sasl_jobs);
    fk_gateway_touch_clock(gateway);
    gateway->started_ms = gateway->now_ms;
    gateway->trace_mask = TRACE_MASK;
    gateway->last_tick_ms = gateway->now_ms;
    fk_tally_init(&gateway->tally, options->tally_weights, gateway->now_ms);
    return gateway;
}

struct fk_job *fk_gateway_job_new(struct fk_gateway *gateway)
{
    struct fk_list *link = fk_list_take(&gateway->free_jobs);
    if (link != NULL) {
        gateway->free_job_count--;
        return FK_CONTAINER_OF(link, struct fk_job, link);
    }
    struct fk_job *job = (struct fk_job *)fk_alloc_zero(gateway->backend->job_size);
    if (job != NULL) {
        fk_list_init(&job->link);
        job->rules = &gateway->options.rules;
    }
    return job;
}

static void job_free(struct fk_job *job)
{
    fk_buf_deinit(&job->request);
    fk_buf_deinit(&job->ids);
    fk_buf_deinit(&job->reply);
    fk_buf_deinit(&job->actions);
    fk_arena_deinit(&job->arena);
    fk_free(job);
}

void fk_gateway_job_release(struct fk_gateway *gateway, struct fk_job *job)
{
    enum {
        KEEP_SIZE = 64 * 1024,
        KEEP_COUNT = 64, /* of the most that are at work; each may keep 64 KB of an arena */
    };
    if (gateway->free_job_count == KEEP_COUNT) {
        job_free(job);
        return;
    }
    fk_buf_clear(&job->request);
    fk_buf_clear(&job->ids);
    fk_buf_clear(&job->reply);
    fk_buf_clear(&job->actions);
    fk_buf_trim(&job->reply, KEEP_SIZE);
    fk_buf_trim(&job->actions, KEEP_SIZE);
    fk_buf_trim(&job->request, KEEP_SIZE);
    fk_arena_reset(&job->arena);
    fk_list_append(&gateway->free_jobs, &job->link);
    gateway->free_job_count++;
}

void fk_gateway_free(struct fk_gateway *gateway)
{
    struct fk_list *link = NULL;
    FK_ASSERT(fk_list_empty(&gateway->conns));
    if (gateway->backend->free != NULL) {
        gateway->backend->free(gateway);
    }
    while ((link = fk_list_take(&gateway->jobs)) != NULL || (link = fk_list_take(&gateway->free_jobs)) != NULL) {
        job_free(FK_CONTAINER_OF(link, struct fk_job, link));
    }
    struct fk_map_entry *entry = fk_map_next(&gateway->sessions, NULL);
    while (entry != NULL) { /* not from the front each time: a million sessions would take hours */
        struct fk_map_entry *next = fk_map_next(&gateway->sessions, entry);
        fk_session_free(gateway, FK_CONTAINER_OF(entry, struct fk_gateway_session, entry));
        entry = next;
    }
    fk_map_deinit(&gateway->sessions);
    FK_ASSERT(gateway->addresses.count == 0);
    fk_map_deinit(&gateway->addresses);
    fk_throttle_deinit(&gateway->throttle);
    fk_watch_table_deinit(&gateway->watches);
    fk_buf_deinit(&gateway->message);
    fk_free(gateway);
}

static bool address_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_gateway_address *address = FK_CONTAINER_OF(entry, struct fk_gateway_address, entry);
    return fk_bytes_equal(fk_bytes_of(address->text, address->size), *(const struct fk_bytes *)key);
}

/* Counts one more connection of the address; NULL where there are too many, or no memory. */
static struct fk_gateway_address *address_acquire(struct fk_gateway *gateway, struct fk_bytes text)
{
    uint64_t hash = fk_bytes_hash(text);
    struct fk_map_entry *entry = fk_map_get(&gateway->addresses, hash, address_matches, &text);
    struct fk_gateway_address *address = NULL;
    if (entry != NULL) {
        address = FK_CONTAINER_OF(entry, struct fk_gateway_address, entry);
    } else {
        address = (struct fk_gateway_address *)fk_alloc(sizeof *address + text.size);
        if (address == NULL) {
            return NULL;
        }
        *address = (struct fk_gateway_address){.size = (uint32_t)text.size};
        memcpy(address->text, text.data, text.size);
        fk_map_add(&gateway->addresses, &address->entry, hash);
    }
    int32_t limit = gateway->options.connections_per_address;
    if (limit > 0 && text.size > 0 && address->connections >= limit) {
        gateway->stats.connections_refused++;
        if (gateway->refused++ == 0) { /* told once per tick: a flood may not fill the log */
            fk_log_security(FK_LOG_WARN, "connection refused: its address has too many (maxClientCnxns)",
                            fk_log_bytes("address", text), fk_log_number("limit", limit));
        }
        return NULL;
    }
    address->connections++;
    return address;
}

static void address_release(struct fk_gateway *gateway, struct fk_gateway_address *address)
{
    if (--address->connections == 0) {
        fk_map_remove(&gateway->addresses, &address->entry);
        fk_free(address);
    }
}

static void conn_free(struct fk_conn *conn)
{
    fk_buf_deinit(&conn->in);
    fk_buf_deinit(&conn->out);
    fk_buf_deinit(&conn->ids);
    fk_free(conn->outstanding.items);
    fk_free(conn);
}

struct fk_conn *fk_gateway_open(struct fk_gateway *gateway, struct fk_bytes address, uint16_t port, void *socket)
{
    struct fk_conn *conn = fk_bounds_connection(gateway) ? (struct fk_conn *)fk_alloc_zero(sizeof *conn) : NULL;
    if (conn == NULL) {
        return NULL;
    }
    fk_gateway_touch_clock(gateway);
    conn->socket = socket;
    conn->port = port;
    conn->state = FK_CONN_NEW;
    conn->opened_ms = gateway->now_ms;
    conn->told_input = true;
    conn->stats = (struct fk_conn_stats){.established_ms = fk_clock_wall_ms(gateway->clock), .last_op = FK_OP_NONE};
    conn->frame_size_max = gateway->options.frame_size_max;
    fk_list_init(&conn->link);
    fk_list_init(&conn->output);
    fk_list_init(&conn->stalled);
    fk_watcher_init(&conn->watcher);
    fk_auth_init(conn);
    bool ok = !conn->ids.failed && (address.size == 0 || fk_auth_add(conn, fk_bytes_text("ip"), address));
    conn->address = ok ? address_acquire(gateway, address) : NULL;
    if (conn->address == NULL) {
        conn_free(conn);
        return NULL;
    }
    fk_list_append(&gateway->conns, &conn->link);
    gateway->conn_count++;
    return conn;
}

void fk_gateway_secured(struct fk_conn *conn)
{
    conn->secure = true;
}

void fk_gateway_input(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes bytes)
{
    fk_gateway_touch_clock(gateway);
    conn->idle = false;
    if (conn->session != NULL) {
        conn->session->last_packet_ms = gateway->now_ms; /* any packet, not only pings */
    }
    if (conn->state >= FK_CONN_LEAVING) {
        return;
    }
    gateway->stats.bytes_received += (int64_t)bytes.size;
    fk_buf_append(&conn->in, bytes);
    if (conn->in.failed) {
        fk_conn_kill(gateway, conn);
        return;
    }
    fk_conn_process(gateway, conn);
}

void fk_gateway_sent(struct fk_gateway *gateway, struct fk_conn *conn)
{
    conn->idle = false;
    fk_conn_process(gateway, conn);
}

void fk_gateway_gone(struct fk_gateway *gateway, struct fk_conn *conn)
{
    fk_sasl_drop(conn);
    gateway->backend->gone(gateway, conn);
    fk_list_remove(&conn->link);
    fk_list_remove(&conn->output);
    fk_list_remove(&conn->stalled);
    address_release(gateway, conn->address);
    fk_bounds_gone(gateway, conn);
    gateway->conn_count--;
    conn_free(conn);
}

void fk_gateway_count_answer(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_outstanding *request,
                             int64_t zxid, bool write)
{
    struct fk_conn_stats *stats = &conn->stats;
    int64_t latency_ms = gateway->now_ms - request->started_ms;
    fk_summary_add(&gateway->stats.latency, latency_ms);
    fk_summary_add(write ? &gateway->stats.writes_latency : &gateway->stats.reads_latency, latency_ms);
    stats->latency_min_ms =
        stats->count == 0 || latency_ms < stats->latency_min_ms ? latency_ms : stats->latency_min_ms;
    stats->latency_max_ms = latency_ms > stats->latency_max_ms ? latency_ms : stats->latency_max_ms;
    stats->latency_sum_ms += latency_ms;
    stats->count++;
    stats->last_latency_ms = latency_ms;
    stats->last_response_ms = gateway->now_ms;
    stats->last_zxid = zxid;
    stats->last_op = request->op;
    stats->last_cxid = request->xid;
}

static struct fk_tally_session *tally_of(struct fk_conn *conn)
{
    return conn->session == NULL ? NULL : &conn->session->tally;
}

void fk_gateway_tally(struct fk_gateway *gateway, struct fk_conn *conn, enum fk_cost_op op, size_t amount)
{
    fk_tally_add(&gateway->tally, tally_of(conn), op, amount);
}

void fk_gateway_tally_write(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_tally_write *write,
                            int32_t code, struct fk_bytes reply)
{
    fk_tally_wrote(&gateway->tally, tally_of(conn), write, code, reply);
}

void fk_gateway_tally_read(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_job *job)
{
    const struct fk_event event = {.path = job->watch_path, .kinds = job->watch};
    const struct fk_tally_read read = {.opcode = job->op,
                                       .code = job->code,
                                       .request = fk_buf_view(&job->request),
                                       .reply = fk_buf_view(&job->reply),
                                       .actions = fk_buf_view(&job->actions),
                                       .watch = job->watch != 0 && !fk_watch_heard(&gateway->watches, &event)};
    fk_tally_read(&gateway->tally, tally_of(conn), &read);
}

void fk_gateway_answer(struct fk_gateway *gateway, struct fk_bytes message)
{
    fk_gateway_touch_clock(gateway);
    gateway->backend->notice(gateway, message);
}

void fk_gateway_resume(struct fk_gateway *gateway)
{
    struct fk_list stalled;
    fk_list_init(&stalled);
    struct fk_list *link = NULL;
    while ((link = fk_list_take(&gateway->stalled)) != NULL) {
        fk_list_append(&stalled, link);
    }
    while ((link = fk_list_take(&stalled)) != NULL) {
        fk_conn_process(gateway, FK_CONTAINER_OF(link, struct fk_conn, stalled));
    }
    if (gateway->expiring) {
        fk_gateway_touch_clock(gateway);
        fk_session_expire_all(gateway);
    }
}

bool fk_gateway_has_more(const struct fk_gateway *gateway)
{
    return gateway->expiring || !fk_list_empty(&gateway->events);
}

int32_t fk_gateway_tick_ms(const struct fk_gateway *gateway)
{
    int32_t quarter = gateway->options.tick_ms / 4;
    int32_t tick_ms = quarter < 10 ? 10 : quarter > 500 ? 500 : quarter;
    return gateway->tick_max_ms > 0 && tick_ms > gateway->tick_max_ms ? gateway->tick_max_ms : tick_ms;
}

static void check_deadlines(struct fk_gateway *gateway, struct fk_conn *conn)
{
    int64_t age_ms = gateway->now_ms - conn->opened_ms;
    if (conn->state == FK_CONN_NEW && age_ms > gateway->options.handshake_ms) {
        fk_conn_kill(gateway, conn);
    } else if (conn->state == FK_CONN_CLOSING && age_ms > FK_CLOSE_MS) {
        fk_buf_clear(&conn->out); /* the peer does not take its last bytes */
        fk_conn_mark(gateway, conn);
    }
    if (conn->idle) {
        fk_buf_trim(&conn->in, FK_IDLE_BUFFER_SIZE);
        fk_buf_trim(&conn->out, FK_IDLE_BUFFER_SIZE);
    }
    conn->idle = true;
}

void fk_gateway_tick(struct fk_gateway *gateway)
{
    fk_gateway_touch_clock(gateway);
    /* Stopped or starved for longer than a tick should take: what clients sent meanwhile is in the sockets. Nobody
     * expires before there was a whole tick to read it. */
    if (gateway->now_ms - gateway->last_tick_ms > 2 * (int64_t)fk_gateway_tick_ms(gateway)) {
        fk_log(FK_LOG_WARN, "stalled for %lld ms; sessions are given a tick before they expire",
               (long long)(gateway->now_ms - gateway->last_tick_ms));
        gateway->expire_after_ms = gateway->now_ms + gateway->options.tick_ms;
    }
    gateway->last_tick_ms = gateway->now_ms;
    if (gateway->refused > 0) {
        fk_log_security(FK_LOG_WARN, "connections refused within a tick (maxClientCnxns)",
                        fk_log_number("connections", gateway->refused));
        gateway->refused = 0;
    }
    fk_bounds_tick(gateway);
    fk_tally_tick(&gateway->tally, gateway->now_ms);
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        check_deadlines(gateway, FK_CONTAINER_OF(link, struct fk_conn, link));
        fk_auth_tick(gateway, FK_CONTAINER_OF(link, struct fk_conn, link));
    }
    gateway->backend->tick(gateway);
}

struct fk_job *fk_gateway_take_job(struct fk_gateway *gateway)
{
    struct fk_list *link = fk_list_take(&gateway->jobs);
    return link == NULL ? NULL : FK_CONTAINER_OF(link, struct fk_job, link);
}

bool fk_gateway_has_jobs(const struct fk_gateway *gateway)
{
    return !fk_list_empty(&gateway->jobs);
}

/* setWatches: first what was missed, then the reply; ZK: such events have zxid -1. */
bool fk_conn_do_actions(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_job *job)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->actions));
    enum fk_err err = FK_OK;
    while (reader.left > 0 && !reader.failed && err == FK_OK) {
        const uint8_t *action = fk_read_raw(&reader, 1);
        int32_t value = fk_read_i32(&reader);
        int64_t setpoint = fk_read_i64(&reader);
        struct fk_bytes path = fk_read_bytes(&reader);
        if (*action == FK_ACTION_EVENT) {
            fk_conn_event(gateway, conn, -1, value, path);
        } else {
            err = fk_watch_add(&gateway->watches, &conn->watcher, path, (unsigned)value, setpoint);
        }
    }
    if (err == FK_OK && job->watch != 0) {
        err = fk_watch_add(&gateway->watches, &conn->watcher, job->watch_path, job->watch, job->node_zxid);
        if (err == FK_ERR_FULL) {
            job->code = FK_CODE_SYSTEM_ERROR;
            return true;
        }
    }
    if (err != FK_OK) {
        fk_log_with(FK_LOG_WARN, "connection closed: its watches could not be set",
                    fk_log_id("session", conn->session == NULL ? 0 : conn->session->id),
                    fk_log_text("error", fk_err_text(err)));
        fk_conn_kill(gateway, conn); /* a watch may not be lost in silence */
    }
    return err == FK_OK;
}

void fk_gateway_job_done(struct fk_gateway *gateway, struct fk_job *job)
{
    gateway->backend->job_done(gateway, job);
}

struct fk_conn *fk_gateway_take_output(struct fk_gateway *gateway)
{
    if (gateway->backend->may_send != NULL && !gateway->backend->may_send(gateway)) {
        return NULL;
    }
    int32_t limit = gateway->options.bounds.events_at_once;
    struct fk_list *link = fk_list_take(&gateway->outputs);
    if (link == NULL && (limit == 0 || gateway->events_taken < limit)) {
        link = fk_list_take(&gateway->events);
        gateway->events_taken++;
    }
    if (link == NULL) {
        gateway->events_taken = 0;
        return NULL;
    }
    struct fk_conn *conn = FK_CONTAINER_OF(link, struct fk_conn, output);
    conn->in_events = false;
    conn->told_input = fk_conn_wants_input(conn);
    return conn;
}

size_t fk_gateway_connections(const struct fk_gateway *gateway)
{
    return gateway->conn_count;
}

uint64_t fk_gateway_reads(const struct fk_gateway *gateway)
{
    return gateway->stats.reads;
}

const struct fk_gateway_options *fk_gateway_get_options(const struct fk_gateway *gateway)
{
    return &gateway->options;
}

const char *fk_gateway_unready(const struct fk_gateway *gateway)
{
    if (gateway->backend->unready != NULL) {
        return gateway->backend->unready(gateway);
    }
    return fk_list_empty(&gateway->stalled) ? NULL : "writes wait: the disk is full or the server stops";
}
