// SPDX-License-Identifier: Apache-2.0
/* Op 102: the tokens of a client go to the SASL driver, its tokens go back, and at the end the connection has one more
 * identity. Source: ZooKeeperServer.processSasl.
 *
 * One exchange per connection. A driver that may wait runs its steps elsewhere (fk_gateway_take_sasl): the connection's
 * input is held meanwhile, nobody else's. An exchange lives at most FK_SASL_EXCHANGE_MS, has at most FK_SASL_STEPS_MAX
 * steps and tokens of FK_SASL_TOKEN_SIZE_MAX. */
#include "gateway/gateway_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "model/acl.h"

enum sasl_state {
    SASL_WAITING, /* for the client's next token */
    SASL_QUEUED,  /* for the host, in the gateway's sasl_jobs */
    SASL_RUNNING, /* the host has it */
};

struct fk_sasl_job {
    struct fk_list link;
    struct fk_conn *conn; /* NULL once the connection is gone */
    struct fk_sasl *sasl;
    struct fk_sasl_exchange *exchange;
    int64_t started_ms;
    int32_t xid;
    int32_t steps;
    enum sasl_state state;
    struct fk_buf token;
    /* results of a step */
    enum fk_sasl_result result;
    bool has_reply;
    struct fk_buf reply;
    struct fk_buf identity;
};

static void job_free(struct fk_sasl_job *job)
{
    fk_list_remove(&job->link);
    if (job->exchange != NULL) {
        fk_sasl_end(job->sasl, job->exchange);
    }
    fk_buf_deinit(&job->token);
    fk_buf_deinit(&job->reply);
    fk_buf_deinit(&job->identity);
    fk_free(job);
}

static struct fk_sasl_job *job_new(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_sasl_job *job = (struct fk_sasl_job *)fk_alloc_zero(sizeof *job);
    if (job == NULL) {
        return NULL;
    }
    fk_list_init(&job->link);
    job->conn = conn;
    job->sasl = gateway->options.auth.sasl;
    job->started_ms = gateway->now_ms;
    job->exchange = fk_sasl_begin(job->sasl);
    if (job->exchange == NULL) {
        job_free(job);
        return NULL;
    }
    return job;
}

/* The exchange of a connection ends; what the host has at work is freed when it comes back. */
void fk_sasl_drop(struct fk_conn *conn)
{
    struct fk_sasl_job *job = conn->sasl;
    conn->sasl = NULL;
    if (job == NULL) {
        return;
    }
    if (job->state == SASL_RUNNING) {
        job->conn = NULL;
    } else {
        job_free(job);
    }
}

bool fk_sasl_busy(const struct fk_conn *conn)
{
    return conn->sasl != NULL && conn->sasl->state != SASL_WAITING;
}

bool fk_sasl_late(const struct fk_gateway *gateway, const struct fk_conn *conn)
{
    return conn->sasl != NULL && gateway->now_ms - conn->sasl->started_ms > FK_SASL_EXCHANGE_MS;
}

static void reply_token(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, int32_t code,
                        struct fk_bytes token)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_bytes(&body, token);
    if (body.failed) {
        fk_conn_kill(gateway, conn);
    } else {
        fk_conn_reply_whole(gateway, conn, &(struct fk_reply_header){.xid = xid, .code = code}, fk_buf_view(&body));
    }
    fk_buf_deinit(&body);
}

/* ZK: the refusal has a body, a null token; then the end, unless such clients may stay. */
static void refuse(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid)
{
    bool required = fk_auth_enforces(gateway, "sasl");
    fk_auth_failed(gateway, conn, "sasl");
    fk_sasl_drop(conn);
    if (gateway->options.auth.allow_sasl_failed && !required) {
        reply_token(gateway, conn, xid, FK_CODE_OK, FK_BYTES_NULL);
        return;
    }
    reply_token(gateway, conn, xid, required ? FK_CODE_SASL_REQUIRED : FK_CODE_AUTH_FAILED, FK_BYTES_NULL);
    fk_conn_close(gateway, conn);
}

static bool add_identity(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes identity)
{
    if (identity.size == 0 || !fk_auth_add(conn, FK_BYTES_LITERAL("sasl"), identity)) {
        return false;
    }
    bool super = fk_acl_listed(gateway->options.auth.sasl_supers, identity); /* ZK: isSaslSuperUser */
    return !super || fk_auth_add(conn, FK_BYTES_LITERAL("super"), FK_BYTES_LITERAL(""));
}

/* What a step gave goes to the client. */
static void finish_step(struct fk_gateway *gateway, struct fk_conn *conn)
{
    struct fk_sasl_job *job = conn->sasl;
    job->state = SASL_WAITING;
    if (job->result == FK_SASL_FAILED || job->reply.failed || job->identity.failed ||
        (job->result == FK_SASL_DONE && !add_identity(gateway, conn, fk_buf_view(&job->identity)))) {
        refuse(gateway, conn, job->xid);
        return;
    }
    struct fk_bytes reply = fk_buf_view(&job->reply);
    if (reply.size == 0) {
        reply = job->has_reply ? FK_BYTES_LITERAL("") : FK_BYTES_NULL;
    }
    reply_token(gateway, conn, job->xid, FK_CODE_OK, reply);
    if (job->result == FK_SASL_DONE) {
        fk_log_security(FK_LOG_INFO, "session authenticated", fk_log_id("session", conn->session->id),
                        fk_log_text("scheme", "sasl"), fk_log_bytes("user", fk_buf_view(&job->identity)));
        fk_sasl_drop(conn);
        conn->sasl_done = true;
    }
}

void fk_sasl_request(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_bytes token = fk_read_bytes(&reader);
    conn->auth_wait_ms = 0;
    if (gateway->options.auth.sasl == NULL) {
        reply_token(gateway, conn, xid, FK_CODE_OK, FK_BYTES_NULL); /* ZK: saslServer is null, the token is too */
        return;
    }
    /* One proved name per connection, as in ZooKeeper: its SASL server takes no token after its last one. */
    if (reader.failed || token.data == NULL || token.size > FK_SASL_TOKEN_SIZE_MAX || conn->sasl_done ||
        (conn->sasl != NULL && conn->sasl->steps >= FK_SASL_STEPS_MAX)) {
        refuse(gateway, conn, xid);
        return;
    }
    if (conn->sasl == NULL) {
        conn->sasl = job_new(gateway, conn);
    }
    struct fk_sasl_job *job = conn->sasl;
    if (job != NULL) {
        fk_buf_clear(&job->token);
        fk_buf_append(&job->token, token);
    }
    if (job == NULL || job->token.failed) {
        fk_conn_kill(gateway, conn);
        return;
    }
    job->xid = xid;
    job->steps++;
    if (job->sasl->blocks) {
        job->state = SASL_QUEUED;
        fk_list_append(&gateway->sasl_jobs, &job->link);
    } else {
        fk_sasl_job_run(job);
        finish_step(gateway, conn);
    }
}

struct fk_sasl_job *fk_gateway_take_sasl(struct fk_gateway *gateway)
{
    struct fk_list *link = fk_list_take(&gateway->sasl_jobs);
    if (link == NULL) {
        return NULL;
    }
    struct fk_sasl_job *job = FK_CONTAINER_OF(link, struct fk_sasl_job, link);
    job->state = SASL_RUNNING;
    return job;
}

void fk_sasl_job_run(struct fk_sasl_job *job)
{
    fk_buf_clear(&job->reply);
    fk_buf_clear(&job->identity);
    job->has_reply = false;
    job->result =
        fk_sasl_step(job->sasl, job->exchange, fk_buf_view(&job->token), &job->reply, &job->has_reply, &job->identity);
}

void fk_gateway_sasl_done(struct fk_gateway *gateway, struct fk_sasl_job *job)
{
    struct fk_conn *conn = job->conn;
    fk_gateway_touch_clock(gateway);
    if (conn == NULL || conn->state == FK_CONN_CLOSING) {
        if (conn != NULL) {
            conn->sasl = NULL;
        }
        job_free(job);
        return;
    }
    finish_step(gateway, conn);
    fk_conn_process(gateway, conn);
}
