// SPDX-License-Identifier: Apache-2.0
/* The sessions of the local topology: a new one is a write and answered when it is visible; an old one is taken over if
 * the password is right. */
#include "gateway/gateway_internal.h"

#include "base/log.h"

static bool send_create(struct fk_gateway *gateway, struct fk_gateway_session *session)
{
    uint8_t password[FK_PASSWORD_SIZE];
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_session_request request = {.timeout_ms = session->timeout_ms,
                                         .password = fk_bytes_of(password, sizeof password)};
    struct fk_request_message message = {.gateway = FK_GATEWAY_ADDRESS,
                                         .session_id = session->id,
                                         .first_number = session->next_number,
                                         .ids = FK_BYTES_LITERAL("\0\0\0\0")};
    fk_random_fill(gateway->random, password, sizeof password);
    fk_write_session_request(&body, &request);
    fk_request_message_begin(&gateway->message, &message);
    fk_request_message_add(&gateway->message,
                           &(struct fk_request_operation){.op = FK_OP_CREATE_SESSION, .body = fk_buf_view(&body)});
    bool sent =
        !body.failed && !gateway->message.failed &&
        fk_queue_send(gateway->queue, session->id, session->next_number, fk_buf_view(&gateway->message)) == FK_OK;
    session->next_number++;
    fk_buf_clear(&gateway->message);
    fk_buf_deinit(&body);
    return sent;
}

static void create_session(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_gateway_session *session =
        fk_bounds_session(gateway)
            ? fk_session_new(gateway, fk_session_draw_id(gateway), fk_handshake_timeout(gateway, conn->timeout_ms))
            : NULL;
    if (session == NULL) {
        fk_conn_close(gateway, conn);
        return;
    }
    session->conn = conn;
    conn->session = session;
    conn->state = FK_CONN_CREATING;
    if (!send_create(gateway, session)) {
        /* Nothing will come of it: nobody else would free it. */
        fk_session_detach(gateway, conn);
        fk_session_free(gateway, session);
        fk_conn_close(gateway, conn);
    }
}

/* The newest connection of a session is its owner: the one before is closed first. */
static void reattach(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_connect_request *request)
{
    struct fk_session record;
    struct fk_gateway_session *session = fk_session_find(gateway, request->session_id);
    bool leaving = session != NULL && session->conn != NULL && session->conn->state == FK_CONN_LEAVING;
    bool known = session != NULL && session->live && !session->closing && !leaving &&
                 fk_store_get_session(gateway->store, FK_VIEW_VISIBLE, request->session_id, &record) == FK_OK;
    if (!known || !fk_bytes_equal_secret(request->password, fk_bytes_of(record.password, sizeof record.password))) {
        fk_handshake_refuse(gateway, conn);
        return;
    }
    if (session->conn != NULL) {
        struct fk_conn *before = session->conn;
        fk_session_detach(gateway, before);
        fk_conn_kill(gateway, before);
    }
    session->conn = conn;
    session->timeout_ms = fk_handshake_timeout(gateway, request->timeout_ms);
    session->last_packet_ms = gateway->now_ms;
    conn->session = session;
    conn->state = FK_CONN_READY;
    fk_gateway_tally(gateway, conn, FK_COST_SESSION_MOVED, 0);
    fk_handshake_respond(gateway, conn, session->id, session->timeout_ms, record.password);
}

void fk_local_connect(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_connect_request *request)
{
    /* ZK: a client that has seen a later state must try another server: no bytes, no session. */
    if (request->last_zxid_seen > fk_store_zxid(gateway->store, FK_VIEW_VISIBLE)) {
        fk_log_with(FK_LOG_WARN, "connection refused: its client has seen a zxid ahead of ours",
                    fk_log_bytes("address", fk_bytes_of(conn->address->text, conn->address->size)),
                    fk_log_id("session", request->session_id), fk_log_id("seen", request->last_zxid_seen),
                    fk_log_id("zxid", fk_store_zxid(gateway->store, FK_VIEW_VISIBLE)));
        fk_conn_close(gateway, conn);
        return;
    }
    if (request->session_id != 0) {
        reattach(gateway, conn, request);
        return;
    }
    conn->timeout_ms = request->timeout_ms;
    create_session(gateway, conn);
}

void fk_local_created(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_answer_message *answer)
{
    struct fk_gateway_session *session = conn->session;
    struct fk_session record;
    if (answer->code != FK_CODE_OK ||
        fk_store_get_session(gateway->store, FK_VIEW_VISIBLE, session->id, &record) != FK_OK) {
        /* The id is taken, by chance: the client gets the end and comes again. Or there is no space: no session. */
        fk_session_detach(gateway, conn);
        fk_session_free(gateway, session);
        fk_conn_close(gateway, conn);
        return;
    }
    session->live = true;
    session->last_packet_ms = gateway->now_ms;
    conn->state = FK_CONN_READY;
    fk_gateway_tally(gateway, conn, FK_COST_SESSION_NEW, 0);
    fk_handshake_respond(gateway, conn, session->id, session->timeout_ms, record.password);
    fk_conn_process(gateway, conn);
}
