// SPDX-License-Identifier: Apache-2.0
/* Takes the records apart: connections, sessions, requests with their answers. Decides on the way what needs no model:
 * answers come in the order of the requests (C2), zxids of a connection never go back (C11), and every failure is one
 * that ZooKeeper has a code for (C15). */
#include "sim/check_internal.h"

#include "base/digest.h"

#include <inttypes.h>

/* What the pass over the records carries along. */
struct pass {
    struct check *check;
    int64_t newest; /* largest zxid that any answer has shown */
};

static struct fk_bytes with_id(struct check *check, struct fk_bytes ids, const char *scheme, struct fk_bytes id)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_reader reader = fk_reader_of(ids);
    int32_t count = fk_read_count(&reader, 8);
    fk_write_i32(&buf, count + 1);
    if (reader.left > 0) {
        fk_buf_append(&buf, fk_bytes_of(reader.at, reader.left));
    }
    fk_write_bytes(&buf, fk_bytes_text(scheme));
    fk_write_bytes(&buf, id);
    struct fk_bytes all = sim_bump_copy(&check->bump, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
    return all;
}

/* ZK: DigestAuthenticationProvider.handleAuthentication. */
static void take_auth(struct check *check, struct check_connection *connection, struct fk_bytes body)
{
    struct fk_auth_request auth;
    struct fk_reader reader = fk_reader_of(body);
    struct fk_buf id = FK_BUF_EMPTY;
    fk_read_auth_request(&reader, &auth);
    if (reader.failed || !fk_bytes_equal_text(auth.scheme, "digest") || fk_digest_id(auth.auth, &id) != FK_OK) {
        fk_buf_deinit(&id);
        return;
    }
    const char *super = check->options.super_digest;
    if (super != NULL && fk_bytes_equal_text(fk_buf_view(&id), super)) {
        connection->ids = with_id(check, connection->ids, "super", FK_BYTES_LITERAL(""));
    }
    connection->ids = with_id(check, connection->ids, "digest", fk_buf_view(&id));
    fk_buf_deinit(&id);
}

static void on_connect(struct pass *pass, struct check_connection *connection, const struct sim_record *record)
{
    struct fk_connect_request request;
    struct fk_reader reader = fk_reader_of(record->frame);
    struct check *check = pass->check;
    const char *address = check->options.address;
    fk_read_connect_request(&reader, &request);
    connection->connect_ns = record->time_ns;
    connection->asked_new = request.session_id == 0;
    connection->asked_session = request.session_id;
    connection->asked_timeout_ns = (int64_t)request.timeout_ms * 1000000;
    connection->last_seen = request.last_zxid_seen;
    connection->password = request.password;
    connection->ids = with_id(check, FK_BYTES_NULL, "ip", fk_bytes_text(address == NULL ? "127.0.0.1" : address));
}

static void on_accepted(struct pass *pass, struct check_connection *connection, const struct sim_record *record)
{
    struct fk_connect_response response;
    struct fk_reader reader = fk_reader_of(record->frame);
    fk_read_connect_response(&reader, &response);
    connection->accepted_ns = record->time_ns;
    connection->refused = response.session_id == 0;
    if (connection->refused) {
        return;
    }
    if (!connection->asked_new && response.session_id != connection->asked_session) {
        check_fail(pass->check, "C15",
                   "an expired session is told so, never replaced: connection %u asked for session 0x%" PRIx64
                   " and got 0x%" PRIx64,
                   connection->index, (uint64_t)connection->asked_session, (uint64_t)response.session_id);
    }
    struct check_session *session = check_session_of(pass->check, response.session_id);
    connection->accepted = true;
    connection->session = session;
    connection->next_of_session = session->connections;
    session->connections = connection;
    if (connection->asked_new) {
        session->password = response.password;
    }
    connection->timeout_ns = (int64_t)response.timeout_ms * 1000000;
}

static void on_sent(struct pass *pass, struct check_connection *connection, const struct sim_record *record)
{
    struct check *check = pass->check;
    struct fk_request_header header;
    struct fk_reader reader = fk_reader_of(record->frame);
    fk_read_request_header(&reader, &header);
    struct check_request *request = sim_bump_alloc(&check->bump, sizeof *request);
    *request = (struct check_request){.connection = connection,
                                      .sent_ns = record->time_ns,
                                      .replied_ns = -1,
                                      .xid = header.xid,
                                      .op = header.op,
                                      .body = fk_bytes_of(reader.at, reader.left),
                                      .floor = pass->newest};
    if (header.op == FK_OP_AUTH) {
        take_auth(check, connection, request->body);
    }
    request->ids = connection->ids;
    if (check_is_write(header.op)) {
        connection->writes = sim_bump_grow(&check->bump, connection->writes, connection->write_count,
                                           &connection->write_capacity, sizeof *connection->writes);
        connection->writes[connection->write_count++] = request;
        request->number = (int64_t)connection->write_count;
    }
    *(connection->last == NULL ? &connection->first : &connection->last->next) = request;
    connection->last = request;
    if (connection->waiting == NULL) {
        connection->waiting = request;
    }
    check->counts.requests++;
}

static bool out_of_order(const struct check_request *request)
{
    return request->op == FK_OP_PING || request->op == FK_OP_AUTH;
}

/* The request that an answer with this xid is for: the oldest, but pings and auth go beside the others. */
static struct check_request *answered(struct check_connection *connection, int32_t xid)
{
    struct check_request *request = connection->waiting;
    while (request != NULL) {
        bool waits = request->replied_ns < 0;
        if (waits && xid == FK_XID_PING && request->op == FK_OP_PING) {
            return request;
        }
        if (waits && xid == FK_XID_AUTH && request->op == FK_OP_AUTH) {
            return request;
        }
        if (waits && xid != FK_XID_PING && xid != FK_XID_AUTH && !out_of_order(request)) {
            return request->xid == xid ? request : NULL;
        }
        request = request->next;
    }
    return NULL;
}

static bool code_known(int32_t code)
{
    return code == FK_CODE_OK || (code >= -8 && code <= -1 && code != -4) || (code >= -127 && code <= -100);
}

static void take_answer(struct pass *pass, struct check_connection *connection, struct check_request *request)
{
    bool counts = request->zxid > 0 && request->op != FK_OP_PING && request->op != FK_OP_AUTH;
    if (!code_known(request->code)) {
        check_fail(pass->check, "C15", "a failure has a code of ZooKeeper's: %s", check_words(request));
    }
    if (counts && request->zxid < connection->lo) {
        check_fail(pass->check, "C11", "zxids of answers never go back on a connection: %s after zxid %" PRId64,
                   check_words(request), connection->lo);
    }
    if (counts) {
        connection->lo = request->zxid > connection->lo ? request->zxid : connection->lo;
        pass->newest = request->zxid > pass->newest ? request->zxid : pass->newest;
    }
    while (connection->waiting != NULL && connection->waiting->replied_ns >= 0) {
        connection->waiting = connection->waiting->next;
    }
}

static void on_received(struct pass *pass, struct check_connection *connection, const struct sim_record *record,
                        const struct check_request **answer)
{
    struct fk_reply_header header;
    struct fk_reader reader = fk_reader_of(record->frame);
    fk_read_reply_header(&reader, &header);
    if (header.xid == FK_XID_NOTIFICATION) {
        pass->newest = header.zxid > pass->newest ? header.zxid : pass->newest;
        return;
    }
    struct check_request *request = answered(connection, header.xid);
    if (request == NULL) {
        check_fail(pass->check, "C2",
                   "answers come in the order of the requests: connection %u got an answer with xid %d, but waited for "
                   "%s",
                   connection->index, header.xid,
                   connection->waiting == NULL ? "none" : check_words(connection->waiting));
        return;
    }
    request->replied_ns = record->time_ns;
    request->code = header.code;
    request->zxid = header.zxid;
    request->reply = fk_bytes_of(reader.at, reader.left);
    *answer = request;
    take_answer(pass, connection, request);
}

static void begin(struct check *check)
{
    const struct sim_history *history = check->history;
    check->connections = sim_bump_alloc(&check->bump, (history->connection_count + 1) * sizeof *check->connections);
    for (size_t i = 0; i < history->connection_count; i++) {
        check->connections[i].index = (uint32_t)i + 1;
        check->connections[i].gateway = history->connections[i].gateway;
        check->connections[i].epoch = history->connections[i].epoch;
        check->connections[i].due_zxid = INT64_MAX;
    }
    check->answers = sim_bump_alloc(&check->bump, (history->record_count + 1) * sizeof *check->answers);
}

void check_parse(struct check *check)
{
    struct pass pass = {.check = check};
    begin(check);
    for (size_t i = 0; i < check->history->record_count; i++) {
        const struct sim_record *record = &check->history->records[i];
        struct check_connection *connection = &check->connections[record->connection - 1];
        switch (record->kind) {
        case SIM_RECORD_CONNECT:
            on_connect(&pass, connection, record);
            break;
        case SIM_RECORD_ACCEPTED:
            on_accepted(&pass, connection, record);
            break;
        case SIM_RECORD_SENT:
            on_sent(&pass, connection, record);
            break;
        case SIM_RECORD_RECEIVED:
            on_received(&pass, connection, record, &check->answers[i]);
            break;
        case SIM_RECORD_LOST:
            connection->lost = true;
            connection->lost_ns = record->time_ns;
            break;
        }
    }
}
