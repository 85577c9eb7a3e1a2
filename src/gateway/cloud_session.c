// SPDX-License-Identifier: Apache-2.0
/* Sessions (H9): made by this gateway itself, or taken over by an attach through the queue; and their end when they are
 * silent (H21). */
#include "gateway/cloud_internal.h"

#include "base/alloc.h"
#include "base/log.h"

void fk_cloud_attach_free(struct fk_gateway *gateway, struct fk_cloud_attach *attach)
{
    (void)gateway;
    if (attach->conn != NULL) {
        attach->conn->cloud->attach = NULL;
    }
    fk_list_remove(&attach->link);
    fk_free(attach);
}

/* It comes to nothing: the client is told that its session is expired, or nothing at all. */
static void give_up(struct fk_gateway *gateway, struct fk_cloud_attach *attach, bool expired)
{
    struct fk_conn *conn = attach->conn;
    fk_cloud_attach_free(gateway, attach);
    if (conn == NULL) {
        return;
    }
    if (expired) {
        fk_handshake_refuse(gateway, conn);
    } else {
        fk_conn_close(gateway, conn);
    }
}

static struct fk_cloud_job *attach_job(struct fk_gateway *gateway, struct fk_cloud_attach *attach,
                                       enum fk_cloud_job_kind kind)
{
    struct fk_cloud_job *job = fk_cloud_job_new(gateway, kind);
    if (job != NULL) {
        job->attach = attach;
        job->base.session_id = attach->id;
        attach->job = job;
    }
    return job;
}

static void start_create(struct fk_gateway *gateway, struct fk_cloud_attach *attach)
{
    struct fk_cloud_job *job = attach_job(gateway, attach, FK_JOB_CREATE);
    if (job == NULL) {
        return;
    }
    job->session = (struct fk_session_record){.session = {.id = attach->id, .timeout_ms = attach->timeout_ms},
                                              .state = FK_SESSION_LIVE,
                                              .epoch = 1,
                                              .owner = gateway->cloud->id,
                                              .nonce = attach->nonce};
    memcpy(job->session.session.password, attach->password, FK_PASSWORD_SIZE);
    job->last_zxid_seen = attach->last_zxid_seen;
    attach->step = FK_ATTACH_CREATED;
    fk_cloud_job_start(gateway, job);
}

static void start_session(struct fk_gateway *gateway, struct fk_cloud_attach *attach)
{
    struct fk_cloud_job *job = attach_job(gateway, attach, FK_JOB_SESSION);
    if (job != NULL) {
        attach->look_ms = gateway->now_ms + gateway->cloud->options.answer_ms;
        fk_cloud_job_start(gateway, job);
    }
}

/* A message with one internal operation. */
static void write_operation(struct fk_gateway *gateway, struct fk_cloud_job *job, int64_t epoch, int32_t op,
                            struct fk_bytes body)
{
    struct fk_request_message message = {.gateway = gateway->cloud->id,
                                         .session_id = job->base.session_id,
                                         .epoch = epoch,
                                         .ids = FK_BYTES_LITERAL("\0\0\0\0")};
    fk_request_message_begin(&job->base.request, &message);
    fk_request_message_add(&job->base.request, &(struct fk_request_operation){.op = op, .body = body});
    job->group = gateway->cloud->options.pipeline ? job->base.session_id : FK_GROUP_SINGLE_HOP;
    job->deduplication_id = fk_cloud_draw(gateway);
}

static void start_attach(struct fk_gateway *gateway, struct fk_cloud_attach *attach)
{
    struct fk_cloud_job *job = attach_job(gateway, attach, FK_JOB_ATTACH);
    struct fk_buf body = FK_BUF_EMPTY;
    if (job == NULL) {
        give_up(gateway, attach, false);
        return;
    }
    fk_write_attach_request(&body,
                            &(struct fk_attach_request){.nonce = attach->nonce, .timeout_ms = attach->timeout_ms});
    write_operation(gateway, job, attach->epoch, FK_OP_ATTACH, fk_buf_view(&body));
    job->base.request.failed |= body.failed;
    fk_buf_deinit(&body);
    attach->step = FK_ATTACH_SENT;
    attach->look_ms = gateway->now_ms + gateway->cloud->options.answer_ms;
    if (job->base.request.failed) {
        fk_cloud_job_release(gateway, job);
        give_up(gateway, attach, false);
        return;
    }
    fk_cloud_job_start(gateway, job);
}

static void step(struct fk_gateway *gateway, struct fk_cloud_attach *attach)
{
    if (attach->job != NULL || !gateway->cloud->serving) {
        return;
    }
    if (attach->conn == NULL && (attach->step == FK_ATTACH_NEW || attach->step == FK_ATTACH_CHECK)) {
        fk_cloud_attach_free(gateway, attach); /* nobody knows of it yet */
        return;
    }
    switch (attach->step) {
    case FK_ATTACH_NEW:
    case FK_ATTACH_CREATED:
        if (attach->is_new) {
            start_create(gateway, attach);
        } else {
            attach->step = FK_ATTACH_CHECK;
            start_session(gateway, attach);
        }
        break;
    case FK_ATTACH_CHECK:
        start_session(gateway, attach);
        break;
    case FK_ATTACH_SENT:
        if (gateway->now_ms >= attach->look_ms) {
            start_session(gateway, attach);
        }
        break;
    }
}

void fk_cloud_attach_tick(struct fk_gateway *gateway)
{
    struct fk_list *attaches = &gateway->cloud->attaches;
    for (struct fk_list *link = attaches->next, *next = link->next; link != attaches; link = next, next = link->next) {
        step(gateway, FK_CONTAINER_OF(link, struct fk_cloud_attach, link));
    }
}

void fk_cloud_attach_hint(struct fk_gateway *gateway, int64_t session_id)
{
    struct fk_list *attaches = &gateway->cloud->attaches;
    for (struct fk_list *link = attaches->next, *next = link->next; link != attaches; link = next, next = link->next) {
        struct fk_cloud_attach *attach = FK_CONTAINER_OF(link, struct fk_cloud_attach, link);
        if (attach->id == session_id && attach->step == FK_ATTACH_SENT) {
            attach->look_ms = gateway->now_ms;
            step(gateway, attach);
        }
    }
}

void fk_cloud_connect(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_connect_request *request)
{
    struct fk_cloud_attach *attach = (struct fk_cloud_attach *)fk_alloc_zero(sizeof *attach);
    if (attach == NULL || gateway->cloud->dead || gateway->cloud->leaving || !fk_cloud_conn_new(gateway, conn)) {
        fk_free(attach);
        fk_conn_close(gateway, conn);
        return;
    }
    attach->conn = conn;
    attach->is_new = request->session_id == 0;
    attach->id = attach->is_new ? fk_session_draw_id(gateway) : request->session_id;
    attach->nonce = fk_cloud_draw(gateway);
    attach->last_zxid_seen = request->last_zxid_seen;
    attach->timeout_ms = fk_handshake_timeout(gateway, request->timeout_ms);
    if (attach->is_new) {
        fk_random_fill(gateway->random, attach->password, FK_PASSWORD_SIZE);
    } else if (request->password.size == FK_PASSWORD_SIZE) {
        memcpy(attach->password, request->password.data, FK_PASSWORD_SIZE);
        attach->password_whole = true;
    }
    fk_list_init(&attach->link);
    fk_list_append(&gateway->cloud->attaches, &attach->link);
    conn->cloud->attach = attach;
    conn->state = FK_CONN_CREATING;
    step(gateway, attach);
}

static struct fk_cloud_session *find_session(struct fk_gateway *gateway, int64_t id)
{
    struct fk_gateway_session *session = fk_session_find(gateway, id);
    return session == NULL ? NULL : FK_CONTAINER_OF(session, struct fk_cloud_session, base);
}

static struct fk_cloud_session *session_new(struct fk_gateway *gateway, const struct fk_session *record)
{
    struct fk_cloud_session *session = (struct fk_cloud_session *)fk_alloc_zero(sizeof *session);
    if (session != NULL) {
        fk_session_add(gateway, &session->base, record->id, record->timeout_ms);
        fk_list_init(&session->link);
        fk_list_append(&gateway->cloud->sessions, &session->link);
    }
    return session;
}

void fk_cloud_session_free(struct fk_gateway *gateway, struct fk_cloud_session *session)
{
    if (session->expire != NULL) {
        session->expire->expire = NULL;
    }
    if (session->base.conn != NULL) {
        session->base.conn->session = NULL;
    }
    fk_list_remove(&session->link);
    fk_session_free(gateway, &session->base);
}

/* The session is this gateway's now: its time runs from here, whether or not its client is still there. */
static void attached(struct fk_gateway *gateway, struct fk_cloud_attach *attach, const struct fk_session_record *record)
{
    struct fk_conn *conn = attach->conn;
    struct fk_cloud_session *session = find_session(gateway, attach->id);
    if (session != NULL) { /* an earlier epoch of it here */
        struct fk_conn *before = session->base.conn;
        fk_cloud_session_free(gateway, session);
        if (before != NULL) {
            fk_cloud_conn_drop(gateway, before);
        }
    }
    session = session_new(gateway, &record->session);
    if (session == NULL) {
        return; /* again at the next tick */
    }
    session->epoch = record->epoch;
    session->base.live = true;
    enum fk_cost_op op = attach->is_new ? FK_COST_SESSION_NEW : FK_COST_SESSION_MOVED;
    fk_tally_add(&gateway->tally, &session->base.tally, op, 0);
    int64_t floor = record->attach_zxid > attach->last_zxid_seen ? record->attach_zxid : attach->last_zxid_seen;
    fk_cloud_attach_free(gateway, attach);
    if (conn == NULL) {
        FK_MARK(ATTACH_WITHOUT_CLIENT);
        return;
    }
    session->base.conn = conn;
    conn->session = &session->base;
    conn->cloud->epoch = record->epoch;
    conn->cloud->next_number = 1;
    conn->cloud->floor = floor;
    conn->state = FK_CONN_READY;
    fk_handshake_respond(gateway, conn, record->session.id, record->session.timeout_ms, record->session.password);
    fk_conn_process(gateway, conn);
}

static bool ahead(const struct fk_cloud_attach *attach, const struct fk_cloud_job *job)
{
    if (attach->last_zxid_seen <= job->zx_zxid) {
        return false;
    }
    FK_MARK(CLIENT_AHEAD);
    fk_log(FK_LOG_INFO, "connection refused: its client has seen zxid 0x%llx, which is ahead of ours",
           (unsigned long long)attach->last_zxid_seen);
    return true;
}

static void created(struct fk_gateway *gateway, struct fk_cloud_attach *attach, const struct fk_cloud_job *job)
{
    if (ahead(attach, job)) {
        give_up(gateway, attach, false);
    } else if (job->taken) {
        attach->id = fk_session_draw_id(gateway);
        attach->nonce = fk_cloud_draw(gateway);
        start_create(gateway, attach);
    } else {
        attached(gateway, attach, &job->session);
    }
}

/* Whose session is it, and may this client have it? */
static void checked(struct fk_gateway *gateway, struct fk_cloud_attach *attach, const struct fk_cloud_job *job)
{
    const struct fk_session *session = &job->session.session;
    if (job->absent || job->session.state != FK_SESSION_LIVE) {
        give_up(gateway, attach, true);
    } else if (!attach->password_whole || !fk_bytes_equal_secret(fk_bytes_of(attach->password, FK_PASSWORD_SIZE),
                                                                 fk_bytes_of(session->password, FK_PASSWORD_SIZE))) {
        FK_MARK(ATTACH_WRONG_PASSWORD);
        give_up(gateway, attach, true);
    } else if (ahead(attach, job)) {
        give_up(gateway, attach, false);
    } else if (attach->conn == NULL) {
        fk_cloud_attach_free(gateway, attach);
    } else {
        attach->epoch = job->session.epoch;
        attach->timeout_ms = attach->timeout_ms == session->timeout_ms ? 0 : attach->timeout_ms;
        start_attach(gateway, attach);
    }
}

/* Has the attach been decided? */
static void looked(struct fk_gateway *gateway, struct fk_cloud_attach *attach, const struct fk_cloud_job *job)
{
    if (job->absent || job->session.state != FK_SESSION_LIVE) {
        give_up(gateway, attach, true);
    } else if (job->session.nonce == attach->nonce && !attach->gone) {
        attached(gateway, attach, &job->session);
    } else if (job->session.epoch > attach->epoch || attach->gone) {
        FK_MARK(ATTACH_LOST);
        give_up(gateway, attach, false);
    }
}

void fk_cloud_attach_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_cloud_attach *attach = job->attach;
    if (job->err != FK_OK) {
        fk_cloud_job_later(gateway, job); /* its outcome must be known: a session without a timer would stay for ever */
        return;
    }
    attach->job = NULL;
    job->attach = NULL;
    if (attach->conn != NULL && attach->conn->state == FK_CONN_CLOSING) {
        attach->conn->cloud->attach = NULL;
        attach->conn = NULL;
    }
    fk_cloud_learn_zxid(gateway->cloud, job->zx_zxid);
    if (job->kind == FK_JOB_CREATE) {
        created(gateway, attach, job);
    } else if (job->kind == FK_JOB_SESSION && attach->step == FK_ATTACH_CHECK) {
        checked(gateway, attach, job);
    } else if (job->kind == FK_JOB_SESSION) {
        looked(gateway, attach, job);
    } else {
        attach->look_ms = gateway->now_ms + gateway->cloud->options.answer_ms;
    }
    fk_cloud_job_release(gateway, job);
}

void fk_cloud_session_gone(struct fk_gateway *gateway, const struct fk_event_entry *entry, int64_t zxid)
{
    int64_t id = entry->session_id;
    int64_t epoch = entry->epoch;
    struct fk_list *attaches = &gateway->cloud->attaches;
    for (struct fk_list *link = attaches->next; link != attaches; link = link->next) {
        struct fk_cloud_attach *attach = FK_CONTAINER_OF(link, struct fk_cloud_attach, link);
        /* Of a session that is not known here yet: it is lost before it came. */
        int64_t expected = attach->is_new ? 0 : attach->epoch;
        attach->gone = attach->gone || (attach->id == id && attach->step >= FK_ATTACH_CREATED &&
                                        attach->step != FK_ATTACH_CHECK && epoch > expected);
    }
    struct fk_cloud_session *session = find_session(gateway, id);
    if (session == NULL || session->epoch > epoch) {
        return;
    }
    struct fk_conn *conn = session->base.conn;
    bool closed = entry->gone == FK_GONE_CLOSED || FK_MUTANT(GONE_IS_CLOSED);
    if (closed && conn != NULL && conn->state == FK_CONN_LEAVING && conn->cloud != NULL) {
        session->base.closing = true; /* goes with the connection */
        fk_cloud_closed(gateway, conn, zxid);
        return;
    }
    fk_cloud_session_free(gateway, session);
    if (conn != NULL) {
        FK_MARK(SESSION_GONE_EVENT);
        fk_cloud_conn_drop(gateway, conn);
    }
}

static bool silent(const struct fk_gateway *gateway, const struct fk_cloud_session *session)
{
    int64_t now_ms = gateway->now_ms;
    return session->expire == NULL && !session->base.closing &&
           now_ms - session->base.last_packet_ms > session->base.timeout_ms &&
           (session->expired_ms == 0 || now_ms - session->expired_ms > FK_EXPIRE_AGAIN_MS);
}

static void start_expire(struct fk_gateway *gateway, struct fk_cloud_session *session)
{
    struct fk_cloud_job *job = fk_cloud_job_new(gateway, FK_JOB_EXPIRE);
    if (job == NULL) {
        return;
    }
    job->base.session_id = session->base.id;
    write_operation(gateway, job, session->epoch, FK_OP_EXPIRE, FK_BYTES_LITERAL(""));
    if (job->base.request.failed) {
        fk_cloud_job_release(gateway, job);
        return;
    }
    fk_log_with(FK_LOG_INFO, "session expired", fk_log_id("session", session->base.id),
                fk_log_number("timeout_ms", session->base.timeout_ms));
    job->expire = session;
    session->expire = job;
    fk_tally_expired(&gateway->tally, 0); /* how many nodes end with it, the function knows */
    fk_cloud_job_start(gateway, job);
    if (session->base.conn != NULL) { /* nobody is told that the session lives once its end is asked for */
        fk_cloud_conn_drop(gateway, session->base.conn);
    }
}

void fk_cloud_expire_tick(struct fk_gateway *gateway)
{
    struct fk_list *sessions = &gateway->cloud->sessions;
    for (struct fk_list *link = sessions->next; link != sessions; link = link->next) {
        struct fk_cloud_session *session = FK_CONTAINER_OF(link, struct fk_cloud_session, link);
        if (silent(gateway, session)) {
            start_expire(gateway, session);
        }
    }
}

void fk_cloud_expire_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    if (job->err != FK_OK && job->expire != NULL) {
        fk_cloud_job_later(gateway, job); /* kept until it is sent */
        return;
    }
    if (job->expire != NULL) {
        FK_MARK(EXPIRY_SENT);
        job->expire->expire = NULL;
        job->expire->expired_ms = gateway->now_ms;
    }
    fk_cloud_job_release(gateway, job);
}
