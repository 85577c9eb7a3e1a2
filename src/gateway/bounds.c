// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateway_internal.h"

#include "base/log.h"
#include "model/plan.h"

static int64_t bound_or(int64_t value, int64_t standard)
{
    return value > 0 ? value : standard;
}

bool fk_bounds_connection(struct fk_gateway *gateway)
{
    int32_t limit = gateway->options.bounds.connections_max;
    if (limit <= 0 || gateway->conn_count < (size_t)limit) {
        return true;
    }
    gateway->bounds.connections++;
    return false;
}

/* ZK: BlueThrottle.checkLimit without its random part, which is off there too unless it is asked for. */
bool fk_bounds_handshake(struct fk_gateway *gateway)
{
    const struct fk_bounds *bounds = &gateway->options.bounds;
    struct fk_bounds_state *state = &gateway->bounds;
    if (bounds->connect_tokens <= 0) {
        return true;
    }
    int64_t fill_ms = bound_or(bounds->connect_fill_ms, 1);
    int64_t passed_ms = gateway->now_ms - state->filled_ms;
    if (!state->filled) {
        state->filled = true;
        state->tokens = bounds->connect_tokens;
        state->filled_ms = gateway->now_ms;
    } else if (passed_ms >= fill_ms) {
        int64_t times = passed_ms / fill_ms;
        int64_t missing = bounds->connect_tokens - state->tokens;
        int64_t count = bound_or(bounds->connect_fill_count, 1);
        state->tokens += times > missing / count ? missing : times * count;
        state->filled_ms += times * fill_ms; /* what is left of the time counts for the next token */
    }
    if (state->tokens == 0) {
        state->handshakes++;
        return false;
    }
    state->tokens--;
    return true;
}

bool fk_bounds_session(struct fk_gateway *gateway)
{
    int64_t limit = bound_or(gateway->options.bounds.sessions_max, FK_SESSIONS_MAX);
    if ((int64_t)gateway->sessions.count < limit) {
        return true;
    }
    gateway->bounds.sessions++;
    return false;
}

bool fk_bounds_outstanding(const struct fk_gateway *gateway, const struct fk_conn *conn)
{
    int32_t limit = gateway->options.bounds.outstanding_max;
    bool throttled = limit > 0 && gateway->stats.outstanding > limit && conn->outstanding.count > 0;
    return conn->outstanding.count < FK_OUTSTANDING_MAX && !throttled;
}

/* The size of the request at the front of the input, if it counts as large. */
static int64_t large_size(const struct fk_gateway *gateway, const struct fk_conn *conn)
{
    int32_t threshold = gateway->options.bounds.large_request_size;
    struct fk_bytes input = fk_buf_view(&conn->in);
    if (threshold <= 0 || conn->state == FK_CONN_NEW || input.size < FK_FRAME_LENGTH_SIZE) {
        return 0;
    }
    int64_t size = (int32_t)fk_load_u32(input.data);
    return size > threshold ? size : 0;
}

static void set_held(struct fk_gateway *gateway, struct fk_conn *conn, int64_t held, int64_t large)
{
    gateway->bounds.held_size += held - conn->held_size;
    gateway->bounds.large_size += large - conn->large_size;
    conn->held_size = held;
    conn->large_size = large;
}

bool fk_bounds_memory(struct fk_gateway *gateway, struct fk_conn *conn)
{
    const struct fk_bounds *bounds = &gateway->options.bounds;
    if (conn->state == FK_CONN_CLOSING) {
        set_held(gateway, conn, (int64_t)fk_buf_left(&conn->out), 0);
        return true;
    }
    int64_t large_before = conn->large_size;
    set_held(gateway, conn, (int64_t)(fk_buf_left(&conn->in) + fk_buf_left(&conn->out)), large_size(gateway, conn));
    bool starved = conn->held_size > FK_HELD_SIZE_FREE &&
                   gateway->bounds.held_size > bound_or(bounds->held_size_max, FK_HELD_SIZE_MAX);
    /* ZK: the request that goes beyond loses its connection, not those that are on their way. */
    bool large = conn->large_size > large_before &&
                 gateway->bounds.large_size > bound_or(bounds->large_requests_size, FK_LARGE_REQUESTS_SIZE_MAX);
    gateway->bounds.starved += starved ? 1 : 0;
    gateway->bounds.large += large && !starved ? 1 : 0;
    return !starved && !large;
}

void fk_bounds_gone(struct fk_gateway *gateway, struct fk_conn *conn)
{
    set_held(gateway, conn, 0, 0);
}

void fk_bounds_put(struct fk_gateway *gateway, const struct fk_put *put)
{
    int64_t owner = fk_owner_session(put->node.ephemeral_owner);
    if (owner == 0 || (put->kind != FK_PUT_CREATE && put->kind != FK_PUT_DELETE)) {
        return;
    }
    struct fk_gateway_session *session = fk_session_find(gateway, owner);
    if (session != NULL) {
        session->ephemerals += put->kind == FK_PUT_CREATE ? 1 : -1;
    }
}

bool fk_bounds_ephemerals(const struct fk_gateway *gateway, const struct fk_gateway_session *session, int32_t op,
                          struct fk_bytes body)
{
    return session->ephemerals < bound_or(gateway->options.bounds.ephemerals_max, FK_EPHEMERALS_MAX) ||
           !fk_plan_makes_ephemerals(op, body);
}

static void tell(int64_t *count, const char *what)
{
    if (*count > 0) {
        fk_log(FK_LOG_WARN, "%lld %s", (long long)*count, what);
        *count = 0;
    }
}

void fk_bounds_tick(struct fk_gateway *gateway)
{
    struct fk_bounds_state *state = &gateway->bounds;
    tell(&state->connections, "connections refused: there are as many as may be (maxCnxns)");
    tell(&state->handshakes, "handshakes refused: they come too fast (connection_throttle_tokens)");
    tell(&state->sessions, "sessions refused: there are as many as may be");
    tell(&state->starved, "connections closed: the buffers of all hold as much as they may");
    tell(&state->large, "connections closed: large requests hold as much as they may (largeRequestMaxBytes)");
}
