// SPDX-License-Identifier: Apache-2.0
/* Requests of a connection (H15): a read starts when the writes before it are answered, writes are sent when the read
 * before them is replied. What has to wait stays in the input, unread. */
#include "gateway/cloud_internal.h"

#include "base/alloc.h"
#include "model/path.h"
#include "model/plan.h"

enum {
    HEADER_SIZE = 8, /* xid and op */
};

bool fk_cloud_conn_new(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = (struct fk_cloud_conn *)fk_alloc_zero(sizeof *cloud);
    (void)gateway;
    if (cloud == NULL) {
        return false;
    }
    cloud->conn = conn;
    fk_list_init(&cloud->dirty);
    fk_list_init(&cloud->waiting);
    fk_list_init(&cloud->events);
    conn->cloud = cloud;
    return true;
}

void fk_cloud_conn_dirty(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (conn->cloud != NULL && fk_list_empty(&conn->cloud->dirty)) {
        fk_list_append(&gateway->cloud->dirty, &conn->cloud->dirty);
    }
}

/* A job at work ends without its connection. */
static void let_go(struct fk_cloud_job *job)
{
    if (job != NULL) {
        job->base.conn = NULL;
        fk_list_remove(&job->in_list);
    }
}

static void detach_session(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_gateway_session *session = conn->session;
    conn->session = NULL;
    if (session == NULL || session->conn != conn) {
        return;
    }
    session->conn = NULL;
    if (session->closing) { /* its record is gone; only the answer to closeSession was missing */
        fk_cloud_session_free(gateway, FK_CONTAINER_OF(session, struct fk_cloud_session, base));
    }
}

void fk_cloud_conn_detach(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    struct fk_list *link = NULL;
    if (cloud == NULL) {
        return;
    }
    fk_watch_remove_all(&gateway->watches, &conn->watcher);
    if (cloud->read_back) {
        fk_cloud_job_release(gateway, cloud->read);
    } else {
        let_go(cloud->read);
    }
    let_go(cloud->send);
    let_go(cloud->poll);
    for (uint32_t i = 0; i < cloud->count; i++) {
        fk_cloud_send_answered(gateway->cloud, fk_cloud_write_at(cloud, i));
        fk_buf_deinit(&fk_cloud_write_at(cloud, i)->body);
    }
    gateway->stats.outstanding -= cloud->count;
    conn->outstanding.count = 0;
    while ((link = fk_list_take(&cloud->events)) != NULL) {
        fk_free(FK_CONTAINER_OF(link, struct fk_cloud_event, link));
    }
    if (cloud->attach != NULL) {
        cloud->attach->conn = NULL;
    }
    detach_session(gateway, conn);
    fk_list_remove(&cloud->dirty);
    fk_list_remove(&cloud->waiting);
    fk_free(cloud);
    conn->cloud = NULL;
}

void fk_cloud_conn_drop(struct fk_gateway *gateway, struct fk_conn *conn)
{
    fk_cloud_conn_detach(gateway, conn);
    fk_conn_kill(gateway, conn);
}

static bool is_read(int32_t op)
{
    return fk_job_knows(op) || op == FK_OP_SYNC;
}

/* Fills in what the core has to know of a read that sets watches. */
static void note_watch(struct fk_gateway *gateway, struct fk_cloud_job *job, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_watch_request request;
    int32_t op = job->base.op;
    bool child = op == FK_OP_GET_CHILDREN || op == FK_OP_GET_CHILDREN2;
    job->registers = op == FK_OP_SET_WATCHES || op == FK_OP_SET_WATCHES2 || op == FK_OP_ADD_WATCH;
    if (child || op == FK_OP_EXISTS || op == FK_OP_GET_DATA) {
        fk_read_watch_request(&reader, &request);
        job->registers = !reader.failed && request.watch;
        struct fk_event event = {.path = fk_path_alias(request.path), .kinds = child ? FK_WATCH_CHILD : FK_WATCH_DATA};
        job->local_watch = job->registers && fk_watch_heard(&gateway->watches, &event);
    }
    if (job->registers) {
        fk_list_append(&gateway->cloud->registering, &job->in_list);
    }
}

static void start_read(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_request_header *header,
                       struct fk_bytes body)
{
    struct fk_cloud_job *job = fk_cloud_job_new(gateway, header->op == FK_OP_SYNC ? FK_JOB_SYNC : FK_JOB_READ);
    if (job == NULL) {
        fk_cloud_conn_drop(gateway, conn);
        return;
    }
    job->base.conn = conn;
    job->base.xid = header->xid;
    job->base.op = header->op;
    job->base.started_ms = gateway->now_ms;
    job->base.session_id = conn->session->id;
    fk_buf_append(&job->base.request, body);
    fk_buf_append(&job->base.ids, fk_buf_view(&conn->ids));
    conn->cloud->read = job;
    conn->cloud->read_back = false;
    conn->cloud->read_behind = conn->cloud->next_number - 1;
    gateway->stats.reads++;
    note_watch(gateway, job, body);
    fk_cloud_job_start(gateway, job);
}

void fk_cloud_read_again(struct fk_gateway *gateway, struct fk_conn *conn)
{
    fk_list_remove(&conn->cloud->waiting);
    conn->cloud->read_back = false;
    fk_cloud_job_start(gateway, conn->cloud->read);
}

void fk_cloud_read_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_cloud *cloud = gateway->cloud;
    struct fk_conn *conn = job->base.conn;
    if (conn == NULL) {
        fk_cloud_job_release(gateway, job);
        return;
    }
    enum fk_retry retry = fk_err_retry(job->err);
    if (job->err != FK_OK && job->err != FK_ERR_NOMEM && retry != FK_RETRY_PERMANENT) {
        fk_cloud_job_later(gateway, job);
        return;
    }
    if (job->err != FK_OK || job->base.reply.failed || job->base.request.failed || job->base.ids.failed) {
        job->base.code = FK_CODE_SYSTEM_ERROR; /* nothing was read, no watch is set */
        job->base.watch = 0;
        fk_buf_clear(&job->base.actions);
        job->pend = 0;
    } else {
        fk_cloud_learn_zxid(cloud, job->base.zxid);
        if (job->generation > cloud->generation) {
            cloud->generation = job->generation; /* the job has seen that this gateway is alive in it */
            fk_cloud_wake(gateway);
        }
    }
    conn->cloud->read_back = true;
    fk_cloud_conn_dirty(gateway, conn);
}

static void reply_empty(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, int64_t zxid, int32_t code)
{
    fk_conn_reply(gateway, conn, &(struct fk_reply_header){.xid = xid, .zxid = zxid, .code = code}, FK_BYTES_NULL);
}

/* A request that is no write; nothing before it is unanswered. */
static void take_other(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes frame)
{
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_request_header header;
    fk_read_request_header(&reader, &header);
    struct fk_bytes body = fk_bytes_tail(frame, HEADER_SIZE);
    if (is_read(header.op)) {
        start_read(gateway, conn, &header, body);
        return;
    }
    switch (header.op) {
    case FK_OP_PING:
        fk_gateway_tally(gateway, conn, FK_COST_PING, 0);
        /* ZK: whatever xid came, -2 goes back. */
        reply_empty(gateway, conn, FK_XID_PING, conn->cloud->floor, FK_CODE_OK);
        break;
    case FK_OP_AUTH:
        fk_gateway_tally(gateway, conn, FK_COST_AUTH, 0);
        fk_auth_request(gateway, conn, header.xid, body);
        break;
    case FK_OP_SASL:
        fk_sasl_request(gateway, conn, header.xid, body);
        break;
    default:
        if (fk_watch_request(gateway, conn, &header, body, conn->cloud->floor)) {
            break;
        }
        /* ZK: an answer, then the end (UnimplementedRequestProcessor). */
        reply_empty(gateway, conn, header.xid, -1, FK_CODE_UNIMPLEMENTED);
        fk_conn_close(gateway, conn);
        break;
    }
}

static bool may_read(const struct fk_cloud_conn *cloud)
{
    return cloud->read == NULL && ((cloud->count == 0 && cloud->send == NULL) || FK_MUTANT(READ_BEFORE_ANSWER));
}

static bool may_write(const struct fk_cloud_conn *cloud)
{
    return cloud->send == NULL && cloud->count < FK_UNANSWERED_MAX &&
           (cloud->read == NULL || FK_MUTANT(WRITE_BEFORE_REPLY));
}

/* Takes what is first in the input; gives the bytes taken, 0 where it has to wait. */
static size_t take_first(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes input)
{
    int64_t size = fk_conn_frame_size(conn, input);
    if (size == FK_FRAME_INCOMPLETE) {
        return 0;
    }
    if (size < HEADER_SIZE) {
        if (may_read(conn->cloud)) { /* what came before it is answered */
            fk_conn_close(gateway, conn);
        }
        return 0;
    }
    struct fk_bytes frame = fk_bytes_of(input.data + FK_FRAME_LENGTH_SIZE, (size_t)size);
    int32_t op = (int32_t)fk_load_u32(frame.data + 4);
    if (fk_auth_gate(gateway, conn, (int32_t)fk_load_u32(frame.data), op) != FK_AUTH_PASS) {
        return 0;
    }
    if (fk_plan_knows(op) || op == FK_OP_CLOSE_SESSION) {
        return may_write(conn->cloud) ? fk_cloud_take_writes(gateway, conn, input) : 0;
    }
    if (!may_read(conn->cloud)) {
        return 0;
    }
    gateway->stats.packets_received++;
    conn->received++;
    take_other(gateway, conn, frame);
    return FK_FRAME_LENGTH_SIZE + (size_t)size;
}

void fk_cloud_process(struct fk_gateway *gateway, struct fk_conn *conn)
{
    while (conn->state == FK_CONN_READY && conn->cloud != NULL && fk_buf_left(&conn->out) < FK_OUTPUT_SIZE_HIGH) {
        size_t taken = take_first(gateway, conn, fk_buf_view(&conn->in));
        if (taken == 0 || conn->state == FK_CONN_CLOSING) {
            return;
        }
        fk_buf_consume(&conn->in, taken);
    }
}
