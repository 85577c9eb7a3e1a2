// SPDX-License-Identifier: Apache-2.0
/* Writes of a connection: into messages, dense numbers, one message on its way at a time (H3); and what became of them:
 * answers of the channel, or the session's record where none comes (H10). */
#include "gateway/cloud_internal.h"

#include "base/log.h"
#include "model/plan.h"

enum {
    HEADER_SIZE = 8, /* xid and op */
};

struct fk_cloud_write *fk_cloud_write_at(struct fk_cloud_conn *cloud, uint32_t index)
{
    return &cloud->writes[(cloud->first + index) % FK_RING_SIZE];
}

/* Adds one write to the message of the job. */
static void add_write(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_cloud_job *job, struct fk_bytes frame)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    int32_t op = (int32_t)fk_load_u32(frame.data + 4);
    struct fk_request_operation operation = {.op = op, .body = fk_bytes_tail(frame, HEADER_SIZE)};
    fk_request_message_add(&job->base.request, &operation);
    *fk_cloud_write_at(cloud, cloud->count++) =
        (struct fk_cloud_write){.number = cloud->next_number++,
                                .started_ms = gateway->now_ms,
                                .xid = (int32_t)fk_load_u32(frame.data),
                                .op = op,
                                .tally = fk_tally_write_of(op, operation.body, 0)};
    conn->outstanding.count = cloud->count;
    gateway->stats.outstanding++;
    gateway->stats.packets_received++;
    conn->received++;
    if (op == FK_OP_CLOSE_SESSION) {
        conn->state = FK_CONN_LEAVING;
    }
}

/* The next frame, if it is a write that may go into a message that has `used` bytes; null if not. */
static struct fk_bytes next_write(const struct fk_gateway *gateway, const struct fk_conn *conn, size_t used,
                                  struct fk_bytes input)
{
    int64_t size = fk_conn_frame_size(conn, input);
    if (size < HEADER_SIZE || conn->state != FK_CONN_READY || conn->cloud->count >= FK_UNANSWERED_MAX) {
        return FK_BYTES_NULL;
    }
    struct fk_bytes frame = fk_bytes_of(input.data + FK_FRAME_LENGTH_SIZE, (size_t)size);
    int32_t op = (int32_t)fk_load_u32(frame.data + 4);
    bool write = fk_plan_knows(op) || op == FK_OP_CLOSE_SESSION;
    bool fits = used == 0 || used + frame.size <= (size_t)gateway->cloud->options.message_size_max;
    return write && fits ? frame : FK_BYTES_NULL;
}

/* The number up to which all answers are here: nobody need keep them for this gateway. */
static int64_t taken_number(struct fk_cloud_conn *cloud)
{
    for (uint32_t i = 0; i < cloud->count && !FK_MUTANT(TAKEN_WHEN_SENT); i++) {
        const struct fk_cloud_write *write = fk_cloud_write_at(cloud, i);
        if (!write->answered) {
            return write->number - 1;
        }
    }
    return cloud->next_number - 1;
}

size_t fk_cloud_take_writes(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes input)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    struct fk_cloud_job *job = fk_cloud_job_new(gateway, FK_JOB_SEND);
    struct fk_bytes frame = next_write(gateway, conn, 0, input);
    size_t taken = 0;
    if (job == NULL) {
        fk_cloud_conn_drop(gateway, conn);
        return 0;
    }
    struct fk_request_message message = {.gateway = gateway->cloud->id,
                                         .session_id = conn->session->id,
                                         .epoch = cloud->epoch,
                                         .first_number = cloud->next_number,
                                         .taken = taken_number(cloud),
                                         .ids = fk_buf_view(&conn->ids)};
    fk_request_message_begin(&job->base.request, &message);
    while (frame.data != NULL) {
        add_write(gateway, conn, job, frame);
        taken += FK_FRAME_LENGTH_SIZE + frame.size;
        frame = next_write(gateway, conn, fk_buf_left(&job->base.request), fk_bytes_tail(input, taken));
    }
    if (job->base.request.failed) {
        fk_cloud_job_release(gateway, job);
        fk_cloud_conn_drop(gateway, conn);
        return 0;
    }
    job->base.conn = conn;
    job->base.session_id = conn->session->id;
    job->group = gateway->cloud->options.pipeline ? conn->session->id : FK_GROUP_SINGLE_HOP;
    job->deduplication_id = fk_cloud_draw(gateway);
    cloud->send = job;
    fk_cloud_send(gateway, job);
    return taken;
}

/* What became of the requests of one connection. */
static void sent(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_conn *conn = job->base.conn;
    if (conn == NULL) {
        fk_cloud_job_release(gateway, job);
        return;
    }
    if (job->err == FK_ERR_TOO_LARGE) {
        fk_log(FK_LOG_WARN, "connection closed: a request is larger than a message of the queue");
        fk_cloud_conn_drop(gateway, conn);
        fk_cloud_job_release(gateway, job);
        return;
    }
    conn->cloud->send = NULL;
    conn->cloud->look_ms = gateway->now_ms + gateway->cloud->options.answer_ms;
    fk_cloud_job_release(gateway, job);
    fk_cloud_conn_dirty(gateway, conn);
}

void fk_cloud_send_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_list *link = NULL;
    bool nobody = job->base.conn == NULL && fk_list_empty(&job->members);
    if (job->err != FK_OK && job->err != FK_ERR_TOO_LARGE && !nobody) {
        fk_cloud_job_later(gateway, job); /* the same bytes, and nothing after them before they are sent (H3) */
        return;
    }
    if (fk_list_empty(&job->members)) {
        sent(gateway, job);
        return;
    }
    while ((link = fk_list_take(&job->members)) != NULL) {
        struct fk_cloud_job *member = FK_CONTAINER_OF(link, struct fk_cloud_job, in_bundle);
        member->err = job->err;
        sent(gateway, member);
    }
    fk_cloud_job_release(gateway, job);
}

/* Takes the fate of a write; one that is known already stays as it is. False without memory. */
static bool take_answer(struct fk_cloud *cloud, struct fk_cloud_write *write, const struct fk_answer_message *answer)
{
    if (write->answered) {
        return true;
    }
    fk_buf_append(&write->body, answer->body);
    write->answer = *answer;
    write->answer.body = FK_BYTES_NULL;
    write->answered = !write->body.failed;
    fk_cloud_send_answered(cloud, write);
    return write->answered;
}

static struct fk_cloud_write *find_write(struct fk_cloud_conn *cloud, int64_t number)
{
    int64_t index = cloud->count == 0 ? -1 : number - fk_cloud_write_at(cloud, 0)->number;
    return index < 0 || index >= (int64_t)cloud->count ? NULL : fk_cloud_write_at(cloud, (uint32_t)index);
}

void fk_cloud_answer(struct fk_gateway *gateway, const struct fk_answer_message *answer)
{
    struct fk_gateway_session *session = fk_session_find(gateway, answer->session_id);
    struct fk_conn *conn = session == NULL ? NULL : session->conn;
    struct fk_cloud_conn *cloud = conn == NULL ? NULL : conn->cloud;
    gateway->cloud->heard = answer->need > gateway->cloud->heard ? answer->need : gateway->cloud->heard;
    if (cloud == NULL || (answer->epoch != cloud->epoch && !FK_MUTANT(EPOCH_NOT_IN_ANSWERS))) {
        return;
    }
    struct fk_cloud_write *write = find_write(cloud, answer->number);
    if (write == NULL) {
        return;
    }
    fk_cloud_learn_zxid(gateway->cloud, answer->zxid);
    if (answer->code == FK_CODE_SESSION_EXPIRED) {
        /* Says that the session is gone now, not what became of the request: it may have been decided before (C15). A
         * client that is leaving gets its answer from the event. */
        if (conn->state == FK_CONN_LEAVING) {
            fk_cloud_want_fetch(gateway);
        } else {
            fk_cloud_conn_drop(gateway, conn);
        }
        return;
    }
    if (!take_answer(gateway->cloud, write, answer)) {
        fk_cloud_conn_drop(gateway, conn);
        return;
    }
    fk_cloud_conn_dirty(gateway, conn);
}

void fk_cloud_closed(struct fk_gateway *gateway, struct fk_conn *conn, int64_t zxid)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    struct fk_cloud_write *last = cloud->count == 0 ? NULL : fk_cloud_write_at(cloud, cloud->count - 1);
    if (last != NULL && last->op == FK_OP_CLOSE_SESSION && !last->answered) {
        FK_MARK(CLOSE_BY_EVENT);
        (void)take_answer(gateway->cloud, last, &(struct fk_answer_message){.zxid = zxid, .number = last->number});
    }
    fk_cloud_conn_dirty(gateway, conn);
}

void fk_cloud_poll(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    struct fk_cloud_job *job = cloud->poll == NULL ? fk_cloud_job_new(gateway, FK_JOB_POLL) : NULL;
    if (job == NULL) {
        return; /* at work already, or the tick tries again */
    }
    job->base.conn = conn;
    job->base.session_id = conn->session->id;
    cloud->poll = job;
    cloud->look_ms = gateway->now_ms + gateway->cloud->options.answer_ms;
    fk_cloud_job_start(gateway, job);
}

/* Answers from the session's record; false without memory. */
static bool take_results(struct fk_gateway *gateway, struct fk_cloud_conn *cloud,
                         const struct fk_session_record *record)
{
    bool ok = true;
    for (uint32_t i = 0; i < cloud->count; i++) {
        struct fk_cloud_write *write = fk_cloud_write_at(cloud, i);
        const struct fk_result *result = fk_session_record_result(record, cloud->epoch, write->number);
        if (result == NULL || write->answered) {
            continue;
        }
        FK_MARK(ANSWERED_FROM_SESSION);
        ok = take_answer(gateway->cloud, write,
                         &(struct fk_answer_message){.number = result->number,
                                                     .zxid = result->zxid,
                                                     .code = result->code,
                                                     .body = result->body,
                                                     .need = result->need,
                                                     .generation = result->generation}) &&
             ok;
    }
    return ok;
}

void fk_cloud_poll_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_conn *conn = job->base.conn;
    if (conn != NULL && job->err != FK_OK) {
        fk_cloud_job_later(gateway, job);
        return;
    }
    if (conn == NULL) {
        fk_cloud_job_release(gateway, job);
        return;
    }
    struct fk_cloud_conn *cloud = conn->cloud;
    bool leaving = conn->state == FK_CONN_LEAVING;
    bool gone = job->absent || (job->session.state == FK_SESSION_CLOSING && !leaving);
    bool moved = !job->absent && job->session.epoch != cloud->epoch;
    cloud->poll = NULL;
    if (moved || (gone && !leaving)) {
        FK_MARK(EPOCH_MOVED);
        fk_cloud_conn_drop(gateway, conn);
    } else if (gone) {
        fk_cloud_want_fetch(gateway); /* the event of it answers */
    } else if (!take_results(gateway, cloud, &job->session)) {
        fk_cloud_conn_drop(gateway, conn);
    } else {
        cloud->decided_zxid = job->applied > cloud->decided_zxid ? job->applied : cloud->decided_zxid;
        fk_cloud_conn_dirty(gateway, conn);
    }
    fk_cloud_job_release(gateway, job);
}

void fk_cloud_write_tick(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    if (cloud == NULL || cloud->count == 0 || conn->state == FK_CONN_CLOSING) {
        return;
    }
    struct fk_cloud_write *write = fk_cloud_write_at(cloud, 0);
    if (gateway->now_ms - write->started_ms > FK_ANSWER_GIVE_UP_MS) {
        FK_MARK(GAVE_UP_ANSWER);
        fk_log(FK_LOG_WARN, "connection closed: no answer to one of its requests");
        fk_cloud_conn_drop(gateway, conn);
        return;
    }
    if (!write->answered && cloud->send == NULL && gateway->now_ms >= cloud->look_ms) {
        fk_cloud_poll(gateway, conn);
    }
}
