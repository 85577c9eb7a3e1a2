// SPDX-License-Identifier: Apache-2.0
/* The table of live sessions: who is connected, when each was heard of last, and the end of those that were not. */
#include "gateway/gateway_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "function/heartbeat.h"

static uint64_t id_hash(int64_t id)
{
    return fk_bytes_hash(fk_bytes_of(&id, sizeof id));
}

static bool id_matches(const struct fk_map_entry *entry, const void *key)
{
    return FK_CONTAINER_OF(entry, struct fk_gateway_session, entry)->id == *(const int64_t *)key;
}

struct fk_gateway_session *fk_session_find(struct fk_gateway *gateway, int64_t id)
{
    struct fk_map_entry *entry = fk_map_get(&gateway->sessions, id_hash(id), id_matches, &id);
    return entry == NULL ? NULL : FK_CONTAINER_OF(entry, struct fk_gateway_session, entry);
}

void fk_session_add(struct fk_gateway *gateway, struct fk_gateway_session *session, int64_t id, int32_t timeout_ms)
{
    session->id = id;
    session->next_number = 1;
    session->timeout_ms = timeout_ms;
    session->last_packet_ms = gateway->now_ms;
    fk_map_add(&gateway->sessions, &session->entry, id_hash(id));
}

struct fk_gateway_session *fk_session_new(struct fk_gateway *gateway, int64_t id, int32_t timeout_ms)
{
    struct fk_gateway_session *session = (struct fk_gateway_session *)fk_alloc_zero(sizeof *session);
    if (session != NULL) {
        fk_session_add(gateway, session, id, timeout_ms);
    }
    return session;
}

void fk_session_free(struct fk_gateway *gateway, struct fk_gateway_session *session)
{
    fk_map_remove(&gateway->sessions, &session->entry);
    fk_free(session);
}

int64_t fk_session_draw_id(struct fk_gateway *gateway)
{
    for (;;) {
        uint64_t id = 0;
        fk_random_fill(gateway->random, (uint8_t *)&id, sizeof id);
        /* ZK: the highest byte is a server's number; 0xff and 0x80 mark TTL and container nodes as owners, and clients
         * print ids as signed numbers. A positive id with a small first byte is none of that. */
        id = (id & UINT64_C(0x00ffffffffffffff)) | UINT64_C(0x0100000000000000);
        if (fk_session_find(gateway, (int64_t)id) == NULL) {
            return (int64_t)id;
        }
    }
}

/* The connection has no session any more. A session that was not created yet, or is ended, goes with it. */
void fk_session_detach(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_gateway_session *session = conn->session;
    fk_watch_remove_all(&gateway->watches, &conn->watcher);
    gateway->stats.outstanding -= conn->outstanding.count;
    conn->outstanding.count = 0;
    conn->session = NULL;
    if (session == NULL || session->conn != conn) {
        return;
    }
    session->conn = NULL;
    if (conn->state == FK_CONN_LEAVING) {
        session->closing = true;
    }
}

void fk_session_began(struct fk_gateway *gateway, int64_t id)
{
    struct fk_gateway_session *session = fk_session_find(gateway, id);
    if (session != NULL) {
        session->live = true;
        session->last_packet_ms = gateway->now_ms;
    }
}

void fk_session_ended(struct fk_gateway *gateway, int64_t id)
{
    struct fk_gateway_session *session = fk_session_find(gateway, id);
    if (session == NULL) {
        return;
    }
    struct fk_conn *conn = session->conn;
    if (conn != NULL && conn->state == FK_CONN_LEAVING) {
        session->closing = true; /* its client asked for it and gets the answer next */
        session->live = false;
        return;
    }
    if (conn != NULL) {
        fk_session_detach(gateway, conn);
        fk_conn_kill(gateway, conn);
    }
    fk_session_free(gateway, session);
}

/* A share of all sessions at least: each pass looks at all of them. */
static size_t expiries_at_once(const struct fk_gateway *gateway)
{
    enum {
        PASSES_MAX = 64,
    };
    size_t limit = (size_t)gateway->options.bounds.expiries_at_once;
    size_t share = gateway->sessions.count / PASSES_MAX;
    return limit == 0 ? SIZE_MAX : limit < share ? share : limit;
}

void fk_session_expire_all(struct fk_gateway *gateway)
{
    struct fk_heartbeat heartbeat = {
        .queue = gateway->queue, .gateway = FK_GATEWAY_ADDRESS, .tick_ms = gateway->options.tick_ms};
    size_t limit = expiries_at_once(gateway);
    size_t count = 0;
    gateway->expiring = false;
    for (struct fk_map_entry *entry = fk_map_next(&gateway->sessions, NULL); entry != NULL;
         entry = fk_map_next(&gateway->sessions, entry)) {
        struct fk_gateway_session *session = FK_CONTAINER_OF(entry, struct fk_gateway_session, entry);
        struct fk_lease lease = {
            .session_id = session->id, .last_packet_ms = session->last_packet_ms, .timeout_ms = session->timeout_ms};
        bool expired = false;
        if (!session->live || session->closing) {
            continue;
        }
        if (count >= limit) {
            gateway->expiring = true;
            return;
        }
        if (fk_heartbeat_check(&heartbeat, &lease, gateway->now_ms, &expired) != FK_OK) {
            return; /* the queue is full: the next tick goes on */
        }
        if (expired) {
            gateway->stats.sessions_expired++;
            fk_tally_expired(&gateway->tally, session->ephemerals);
            session->closing = true;
            count++;
            fk_log_with(FK_LOG_INFO, "session expired", fk_log_id("session", session->id),
                        fk_log_number("timeout_ms", session->timeout_ms));
        }
    }
}
