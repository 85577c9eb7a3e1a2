// SPDX-License-Identifier: Apache-2.0
/* Requests of the local topology that are not writes. All of them wait until the session's own earlier writes are
 * answered: replies keep the order of requests, and a read sees what its session wrote. */
#include "gateway/gateway_internal.h"

enum {
    HEADER_SIZE = 8,
};

static void start_job(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_request_header *header,
                      struct fk_bytes body)
{
    struct fk_job *job = fk_gateway_job_new(gateway);
    if (job == NULL) {
        fk_conn_close(gateway, conn);
        return;
    }
    job->conn = conn;
    job->xid = header->xid;
    job->op = header->op;
    job->started_ms = gateway->now_ms;
    job->session_id = conn->session->id;
    job->watch = 0;
    fk_buf_append(&job->request, body);
    fk_buf_append(&job->ids, fk_buf_view(&conn->ids));
    conn->job = job;
    gateway->stats.reads++;
    fk_list_append(&gateway->jobs, &job->link);
}

static void reply_empty(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, int64_t zxid, int32_t code)
{
    fk_conn_reply(gateway, conn, &(struct fk_reply_header){.xid = xid, .zxid = zxid, .code = code}, FK_BYTES_NULL);
}

/* ZK: sync echoes the path, whatever it is. The visible state holds all that anybody was told, so that a read after it
 * is linearizable. */
static void request_sync(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_bytes path = fk_read_bytes(&reader);
    int64_t zxid = fk_store_zxid(gateway->store, FK_VIEW_VISIBLE);
    if (reader.failed) {
        reply_empty(gateway, conn, xid, zxid, FK_CODE_MARSHALLING_ERROR);
        return;
    }
    fk_gateway_tally(gateway, conn, FK_COST_SYNC, 0);
    fk_conn_reply(gateway, conn, &(struct fk_reply_header){.xid = xid, .zxid = zxid},
                  fk_bytes_of(body.data, 4 + path.size));
}

bool fk_request(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes frame)
{
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_request_header header;
    struct fk_bytes body = fk_bytes_tail(frame, HEADER_SIZE);
    if (conn->outstanding.count > 0) {
        return false;
    }
    fk_read_request_header(&reader, &header);
    if (fk_job_knows(header.op)) {
        start_job(gateway, conn, &header, body);
        return true;
    }
    switch (header.op) {
    case FK_OP_PING:
        fk_gateway_tally(gateway, conn, FK_COST_PING, 0);
        /* ZK: whatever xid came, -2 goes back. */
        reply_empty(gateway, conn, FK_XID_PING, fk_store_zxid(gateway->store, FK_VIEW_VISIBLE), FK_CODE_OK);
        break;
    case FK_OP_SYNC:
        request_sync(gateway, conn, header.xid, body);
        break;
    case FK_OP_AUTH:
        fk_gateway_tally(gateway, conn, FK_COST_AUTH, 0);
        fk_auth_request(gateway, conn, header.xid, body);
        break;
    case FK_OP_SASL:
        fk_sasl_request(gateway, conn, header.xid, body);
        break;
    default:
        if (fk_watch_request(gateway, conn, &header, body, fk_store_zxid(gateway->store, FK_VIEW_VISIBLE))) {
            break;
        }
        /* ZK: an answer, then the end: a client that is not answered hangs (UnimplementedRequestProcessor). */
        reply_empty(gateway, conn, header.xid, -1, FK_CODE_UNIMPLEMENTED);
        fk_conn_close(gateway, conn);
        break;
    }
    return true;
}
