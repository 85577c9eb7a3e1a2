// SPDX-License-Identifier: Apache-2.0
/* A server that is told to be read-only behaves as a ZooKeeper server without a quorum does: it serves clients that
 * allow it (the readOnly byte of the handshake), and refuses what would change or need the quorum. Sources:
 * ReadOnlyZooKeeperServer, ReadOnlyRequestProcessor.
 *
 * New sessions are this process's own: they are not stored, and nobody else knows them. Stored ones can be attached to,
 * and do not end here: the servers that write will see to that. */
#include "gateway/gateway_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "model/plan.h"

enum {
    HEADER_SIZE = 8, /* xid and op */
};

/* A session without a record; `live` is not set in it. */
struct own_session {
    struct fk_gateway_session base;
    uint8_t password[FK_PASSWORD_SIZE];
};

static struct own_session *own_session(struct fk_gateway_session *session)
{
    return FK_CONTAINER_OF(session, struct own_session, base);
}

static void welcome(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_gateway_session *session,
                    int32_t timeout_ms)
{
    session->conn = conn;
    session->timeout_ms = fk_handshake_timeout(gateway, timeout_ms);
    session->last_packet_ms = gateway->now_ms;
    conn->session = session;
    conn->state = FK_CONN_READY;
    fk_handshake_respond(gateway, conn, session->id, session->timeout_ms, own_session(session)->password);
}

static void create_session(struct fk_gateway *gateway, struct fk_conn *conn, int32_t timeout_ms)
{
    struct own_session *session = (struct own_session *)fk_alloc_zero(sizeof *session);
    if (session == NULL) {
        fk_conn_close(gateway, conn);
        return;
    }
    fk_random_fill(gateway->random, session->password, sizeof session->password);
    fk_session_add(gateway, &session->base, fk_session_draw_id(gateway), timeout_ms);
    welcome(gateway, conn, &session->base, timeout_ms);
}

static void reattach(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_gateway_session *session,
                     const struct fk_connect_request *request)
{
    struct fk_bytes password = fk_bytes_of(own_session(session)->password, FK_PASSWORD_SIZE);
    if (!fk_bytes_equal_secret(request->password, password)) {
        fk_handshake_refuse(gateway, conn);
        return;
    }
    if (session->conn != NULL) {
        struct fk_conn *before = session->conn;
        fk_session_detach(gateway, before);
        fk_conn_kill(gateway, before);
    }
    welcome(gateway, conn, session, request->timeout_ms);
}

void fk_read_only_connect(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_connect_request *request)
{
    struct fk_gateway_session *session =
        request->session_id == 0 ? NULL : fk_session_find(gateway, request->session_id);
    bool ahead = request->last_zxid_seen > fk_store_zxid(gateway->store, FK_VIEW_VISIBLE);
    if (!request->read_only || ahead) {
        fk_log(FK_LOG_INFO, "connection refused: its client %s",
               ahead ? "has seen a zxid which is ahead of ours" : "does not allow a read-only server");
        fk_conn_close(gateway, conn);
    } else if (request->session_id == 0) {
        create_session(gateway, conn, request->timeout_ms);
    } else if (session != NULL && !session->live) {
        reattach(gateway, conn, session, request);
    } else {
        fk_local_connect(gateway, conn, request);
    }
}

/* ZK: sync too, which needs the leader. */
static bool refused(int32_t op)
{
    return fk_plan_knows(op) || op == FK_OP_SYNC || op == FK_OP_RECONFIG || op == FK_OP_CREATE_CONTAINER ||
           op == FK_OP_CREATE_TTL || op == FK_OP_DELETE_CONTAINER;
}

static void end_session(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_gateway_session *session = conn->session;
    fk_session_detach(gateway, conn);
    fk_session_free(gateway, session);
    fk_conn_close(gateway, conn);
}

bool fk_read_only_request(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes frame)
{
    int32_t op = (int32_t)fk_load_u32(frame.data + 4);
    bool own = !conn->session->live;
    struct fk_reply_header header = {.xid = (int32_t)fk_load_u32(frame.data),
                                     .zxid = fk_store_zxid(gateway->store, FK_VIEW_VISIBLE),
                                     .code = FK_CODE_NOT_READ_ONLY};
    FK_ASSERT(frame.size >= HEADER_SIZE);
    if (op == FK_OP_CLOSE_SESSION && own) {
        header.code = FK_CODE_OK;
    } else if (op != FK_OP_CLOSE_SESSION && !refused(op)) {
        return fk_request(gateway, conn, frame);
    }
    fk_conn_reply(gateway, conn, &header, FK_BYTES_NULL);
    if (header.code == FK_CODE_OK) {
        end_session(gateway, conn);
    }
    return true;
}

/* ZK: ticks of the session tracker: a session lives until its timeout has passed and the tick it ended in. */
static bool expired(const struct fk_gateway *gateway, const struct fk_gateway_session *session)
{
    int64_t silent_ms = gateway->now_ms - session->last_packet_ms;
    return !session->live && silent_ms > (int64_t)session->timeout_ms + gateway->options.tick_ms;
}

void fk_read_only_tick(struct fk_gateway *gateway)
{
    struct fk_map_entry *entry = fk_map_next(&gateway->sessions, NULL);
    while (entry != NULL && gateway->now_ms >= gateway->expire_after_ms) {
        struct fk_gateway_session *session = FK_CONTAINER_OF(entry, struct fk_gateway_session, entry);
        entry = fk_map_next(&gateway->sessions, entry);
        if (expired(gateway, session)) {
            fk_session_ended(gateway, session->id);
        }
    }
}
