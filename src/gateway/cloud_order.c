// SPDX-License-Identifier: Apache-2.0
/* The one output order of a connection, by zxid (H16): events, answers of writes and replies of reads.
 *
 *   a read is at work       events wait for it: those up to the zxid that its reply shows go before it
 *   writes are unanswered   an event goes when the writes decided before it are answered, which the session's record
 *                           tells if it is read after the event is known
 *   neither                 events go at once */
#include "gateway/cloud_internal.h"

#include "base/alloc.h"

bool fk_cloud_queue_event(struct fk_conn *conn, int64_t zxid, const struct fk_event *event)
{
    struct fk_cloud_event *queued = (struct fk_cloud_event *)fk_alloc(sizeof *queued + event->path.size);
    if (queued == NULL) {
        return false;
    }
    *queued = (struct fk_cloud_event){.zxid = zxid, .type = (int32_t)event->type, .size = (uint32_t)event->path.size};
    memcpy(queued->path, event->path.data, event->path.size);
    fk_list_init(&queued->link);
    fk_list_append(&conn->cloud->events, &queued->link);
    return true;
}

static struct fk_cloud_event *first_event(const struct fk_cloud_conn *cloud)
{
    return fk_list_empty(&cloud->events) ? NULL : FK_CONTAINER_OF(cloud->events.next, struct fk_cloud_event, link);
}

static void raise_floor(struct fk_cloud_conn *cloud, int64_t zxid)
{
    cloud->floor = zxid > cloud->floor ? zxid : cloud->floor;
}

static void emit_event(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_event *event = first_event(conn->cloud);
    fk_list_remove(&event->link);
    raise_floor(conn->cloud, event->zxid);
    fk_conn_event(gateway, conn, event->zxid, event->type, fk_bytes_of(event->path, event->size));
    fk_free(event);
}

/* A reply or an answer can't go yet; the tick looks for what it waits for. */
static void wait_for_events(struct fk_gateway *gateway, struct fk_cloud_conn *cloud, bool read)
{
    if (!fk_list_empty(&cloud->waiting)) {
        return;
    }
    if (read) {
        FK_MARK(REPLY_HELD);
    } else {
        FK_MARK(ANSWER_HELD);
    }
    cloud->waiting_since_ms = gateway->now_ms;
    fk_list_append(&gateway->cloud->waiting, &cloud->waiting);
}

static int64_t reply_zxid(const struct fk_gateway *gateway, const struct fk_cloud_conn *cloud,
                          const struct fk_cloud_job *job)
{
    if (FK_MUTANT(NEWEST_ZXID_IN_REPLIES)) {
        return gateway->cloud->newest;
    }
    if (FK_MUTANT(REPLIES_WITHOUT_FLOOR)) {
        return job->base.zxid;
    }
    return job->base.zxid > cloud->floor ? job->base.zxid : cloud->floor;
}

static bool sets_many(const struct fk_cloud_job *job)
{
    return job->base.op == FK_OP_SET_WATCHES || job->base.op == FK_OP_SET_WATCHES2;
}

/* An event that came while the read was at work, of a change that the read does not show, found no watch and has used
 * up the registration (H14). */
static bool must_read_again(const struct fk_cloud_job *job)
{
    return job->again_zxid > (sets_many(job) ? 0 : job->base.node_zxid) && !FK_MUTANT(NOT_READ_AGAIN);
}

static void emit_reply(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    struct fk_cloud_job *job = cloud->read;
    int64_t zxid = reply_zxid(gateway, cloud, job);
    struct fk_reply_header header = {.xid = job->base.xid, .zxid = zxid};
    bool before = FK_MUTANT(EVENTS_BEFORE_CATCH_UP);
    fk_gateway_tally_read(gateway, conn, &job->base);
    if (!before && !fk_conn_do_actions(gateway, conn, &job->base)) {
        return;
    }
    while (first_event(cloud) != NULL && first_event(cloud)->zxid <= zxid) {
        emit_event(gateway, conn);
    }
    if (before && !fk_conn_do_actions(gateway, conn, &job->base)) {
        return;
    }
    raise_floor(cloud, zxid);
    header.code = job->base.code;
    const struct fk_outstanding request = {
        .started_ms = job->base.started_ms, .xid = job->base.xid, .op = job->base.op};
    fk_gateway_count_answer(gateway, conn, &request, zxid, false);
    fk_conn_reply(gateway, conn, &header, fk_buf_view(&job->base.reply));
    cloud->read = NULL;
    cloud->read_back = false;
    fk_cloud_job_release(gateway, job);
}

/* The read that is next in order; true where something was sent. */
static bool step_read(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    struct fk_cloud_job *job = cloud->read;
    if (!cloud->read_back) {
        if (FK_MUTANT(EVENTS_PASS_READS) && first_event(cloud) != NULL) {
            emit_event(gateway, conn);
            return true;
        }
        return false;
    }
    if (job->pend > gateway->cloud->applied && !FK_MUTANT(READS_NOT_HELD)) {
        wait_for_events(gateway, cloud, true);
        return false;
    }
    if (must_read_again(job)) {
        FK_MARK(READ_AGAIN);
        fk_cloud_read_again(gateway, conn);
        return false;
    }
    emit_reply(gateway, conn);
    return true;
}

static bool answer_ready(struct fk_gateway *gateway, const struct fk_cloud_write *write)
{
    if (!fk_cloud_generation_checked(gateway, write->answer.generation)) {
        return false;
    }
    return write->answer.need <= gateway->cloud->applied || FK_MUTANT(ANSWERS_NOT_HELD);
}

static void emit_answer(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    struct fk_cloud_write *write = fk_cloud_write_at(cloud, 0);
    struct fk_answer_message *answer = &write->answer;
    int32_t op = write->op;
    struct fk_reply_header header = {
        .xid = write->xid, .zxid = answer->zxid > 0 ? answer->zxid : cloud->floor, .code = answer->code};
    raise_floor(cloud, answer->zxid);
    const struct fk_outstanding request = {.started_ms = write->started_ms, .xid = write->xid, .op = op};
    fk_gateway_count_answer(gateway, conn, &request, header.zxid, true);
    fk_gateway_tally_write(gateway, conn, &write->tally, header.code, fk_buf_view(&write->body));
    fk_conn_reply(gateway, conn, &header, fk_buf_view(&write->body));
    fk_buf_deinit(&write->body);
    cloud->first = (cloud->first + 1) % FK_RING_SIZE;
    cloud->count--;
    conn->outstanding.count = cloud->count; /* what `stat` shows */
    gateway->stats.outstanding--;
    cloud->look_ms = gateway->now_ms + gateway->cloud->options.answer_ms;
    if (op == FK_OP_CLOSE_SESSION) {
        int64_t id = fk_conn_session_id(conn);
        fk_cloud_conn_detach(gateway, conn);
        struct fk_gateway_session *session = fk_session_find(gateway, id);
        if (session != NULL) { /* its event has not come yet */
            fk_cloud_session_free(gateway, FK_CONTAINER_OF(session, struct fk_cloud_session, base));
        }
        fk_conn_close(gateway, conn);
    }
}

/* An event while writes are unanswered; true where it was sent. */
static bool step_event_before_write(struct fk_gateway *gateway, struct fk_conn *conn,
                                    const struct fk_cloud_write *write)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    const struct fk_cloud_event *event = first_event(cloud);
    if (event == NULL) {
        return false;
    }
    bool first = write->answered ? event->zxid <= write->answer.zxid : event->zxid <= cloud->decided_zxid;
    if (first || FK_MUTANT(EVENTS_PASS_WRITES)) {
        emit_event(gateway, conn); /* a write's own event goes before its answer */
        return true;
    }
    if (!write->answered) {
        FK_MARK(EVENT_BEHIND_WRITES);
        fk_cloud_poll(gateway, conn);
    }
    return false;
}

static bool step_write(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    struct fk_cloud_write *write = fk_cloud_write_at(cloud, 0);
    if (step_event_before_write(gateway, conn, write)) {
        return true;
    }
    if (!write->answered) {
        return false;
    }
    if (!answer_ready(gateway, write)) {
        wait_for_events(gateway, cloud, false);
        return false;
    }
    emit_answer(gateway, conn);
    return true;
}

/* Sends the next thing; false where there is none, or it has to wait. */
static bool step(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_cloud_conn *cloud = conn->cloud;
    if (cloud == NULL || conn->state == FK_CONN_CLOSING || conn->state == FK_CONN_CREATING) {
        return false;
    }
    bool write_first =
        cloud->count > 0 && (cloud->read == NULL || fk_cloud_write_at(cloud, 0)->number <= cloud->read_behind);
    if (write_first) {
        return step_write(gateway, conn);
    }
    if (cloud->read != NULL) {
        return step_read(gateway, conn);
    }
    if (first_event(cloud) != NULL) {
        emit_event(gateway, conn);
        return true;
    }
    return false;
}

void fk_cloud_flush(struct fk_gateway *gateway, struct fk_conn *conn)
{
    while (step(gateway, conn)) {
        if (conn->cloud != NULL) {
            fk_list_remove(&conn->cloud->waiting);
        }
    }
    if (!fk_cloud_leave_conn(gateway, conn) && conn->cloud != NULL && conn->state == FK_CONN_READY) {
        fk_conn_process(gateway, conn);
    }
}
