// SPDX-License-Identifier: Apache-2.0
/* Replays the ground log through the model: every decided request was sent, once, in its session's order, after all
 * that had been answered before it was sent, and what was answered is what the model gives at its zxid. */
#include "sim/check_internal.h"

#include <inttypes.h>

/* Which promise a wrong result breaks. */
static const char *promise_of(const struct check_request *request, int32_t told, int32_t wanted)
{
    struct fk_create_request create;
    struct fk_reader reader = fk_reader_of(request->body);
    if ((told == FK_CODE_OK) != (wanted == FK_CODE_OK) && told != FK_CODE_NO_AUTH && wanted != FK_CODE_NO_AUTH) {
        return "C1";
    }
    if (told == FK_CODE_NO_AUTH || wanted == FK_CODE_NO_AUTH) {
        return "C13";
    }
    if (request->op == FK_OP_MULTI) {
        return "C10";
    }
    if (request->op == FK_OP_CREATE || request->op == FK_OP_CREATE2) {
        fk_read_create_request(&reader, &create);
        return (create.flags & FK_CREATE_SEQUENTIAL) != 0 ? "C9" : "C12";
    }
    return told == wanted ? "C12" : "C1";
}

/* --- which connection has which epoch --- */

static bool epoch_taken(const struct check_session *session, int64_t epoch)
{
    const struct check_connection *connection = session->connections;
    while (connection != NULL && connection->epoch != epoch) {
        connection = connection->next_of_session;
    }
    return connection != NULL;
}

/* The newest attach to the connection's gateway when its client was accepted. */
static int64_t find_epoch(const struct check *check, const struct check_connection *connection)
{
    if (connection->asked_new) {
        return 1;
    }
    int64_t epoch = 0;
    for (size_t i = 0; i < check->ground_count; i++) {
        const struct sim_ground *entry = &check->ground[i];
        bool fits = entry->kind == SIM_GROUND_ATTACH && entry->session_id == connection->session->id &&
                    (connection->gateway == 0 || entry->gateway == connection->gateway) &&
                    entry->time_ns <= connection->accepted_ns;
        if (fits && !epoch_taken(connection->session, entry->epoch)) {
            epoch = entry->epoch;
        }
    }
    return epoch;
}

/* A client that was never told of its session may have sent requests all the same. */
static void adopt(struct check *check, struct check_connection *connection)
{
    int64_t given = check->history->connections[connection->index - 1].session_id;
    int64_t id = connection->asked_new ? given : connection->asked_session;
    if (connection->accepted || id == 0 || connection->write_count == 0) {
        return;
    }
    struct check_session *session = check_session_of(check, id);
    connection->session = session;
    connection->next_of_session = session->connections;
    session->connections = connection;
    connection->accepted_ns = INT64_MAX;
}

static void find_epochs(struct check *check)
{
    for (size_t i = 0; i < check->history->connection_count; i++) {
        struct check_connection *connection = &check->connections[i];
        adopt(check, connection);
        if (connection->session != NULL && connection->epoch == 0) {
            connection->epoch = find_epoch(check, connection);
        }
    }
}

static struct check_connection *connection_of(const struct check_session *session, int64_t epoch)
{
    struct check_connection *connection = session->connections;
    while (connection != NULL && connection->epoch != epoch) {
        connection = connection->next_of_session;
    }
    return connection;
}

/* --- one entry --- */

static void check_body(struct check *check, const struct check_request *request, const struct sim_ref_outcome *outcome)
{
    const char *why = NULL;
    int32_t code = outcome->code;
    if (request->replied_ns >= 0 && request->code == code &&
        !check_outcome(check, outcome, request->op, request->reply, &why)) {
        check_fail(check, promise_of(request, request->code, code),
                   "results are those of the writes one after the other in zxid order: %s: the %s differs from the "
                   "model's",
                   check_words(request), why);
    }
    const struct sim_ground *entry = request->ground;
    bool same = request->replied_ns >= 0 && fk_bytes_equal(entry->body, request->reply);
    if (entry->body.data != NULL && entry->code == code && !same &&
        !check_outcome(check, outcome, request->op, entry->body, &why)) {
        check_fail(check, promise_of(request, code, code),
                   "what was recorded at zxid %" PRId64 " for %s is not what the model gives: %s", entry->zxid,
                   check_words(request), why);
    }
}

/* A multi that is larger than a transaction of the store is refused as a whole. */
static bool refused_whole(struct check *check, const struct check_request *request, int32_t code)
{
    if (request->op != FK_OP_MULTI) {
        return false;
    }
    return code == FK_CODE_SYSTEM_ERROR ||
           (code == FK_CODE_BAD_ARGUMENTS && (check->options.items == 0 || check_multi_may_be_large(check, request)));
}

static void check_result(struct check *check, struct check_request *request)
{
    const struct sim_ground *entry = request->ground;
    struct sim_ref_caller caller = {.session_id = entry->session_id, .ids = request->ids};
    if (refused_whole(check, request, entry->code)) {
        return;
    }
    struct sim_ref_outcome outcome = sim_ref_apply(&check->tree, entry->zxid, &caller, request->op, request->body);
    check->counts.writes++;
    if (entry->code != outcome.code) {
        check_fail(check, promise_of(request, entry->code, outcome.code),
                   "results are those of the writes one after the other in zxid order: zxid %" PRId64
                   " decided %s with code %d, the model gives %d",
                   entry->zxid, check_words(request), entry->code, outcome.code);
        return;
    }
    check_body(check, request, &outcome);
}

/* Real time: behind all that anybody had been answered when it was sent, and decided before it was answered. */
static void check_moment(struct check *check, const struct check_request *request)
{
    const struct sim_ground *entry = request->ground;
    if (entry->zxid <= request->floor) {
        check_fail(check, "C1",
                   "writes are linearizable: zxid %" PRId64 " decided %s, but zxid %" PRId64
                   " had been shown to a client before it was sent",
                   entry->zxid, check_words(request), request->floor);
    }
    if (entry->time_ns != 0 && request->replied_ns >= 0 && entry->time_ns > request->replied_ns) {
        check_fail(check, "C6", "nothing is answered before it is committed: %s was answered %" PRId64 " ns too early",
                   check_words(request), entry->time_ns - request->replied_ns);
    }
}

static void check_order(struct check *check, struct check_connection *connection, const struct sim_ground *entry)
{
    if (entry->number <= connection->decided) {
        check_fail(check, "C7",
                   "a request takes effect at most once: number %" PRId64 " of session 0x%" PRIx64 ", epoch %" PRId64
                   " was decided again at zxid %" PRId64,
                   entry->number, (uint64_t)entry->session_id, entry->epoch, entry->zxid);
    } else if (entry->number != connection->decided + 1) {
        check_fail(check, "C2",
                   "a session's writes are decided in its order: number %" PRId64 " of session 0x%" PRIx64
                   ", epoch %" PRId64 " was decided at zxid %" PRId64 " without number %" PRId64,
                   entry->number, (uint64_t)entry->session_id, entry->epoch, entry->zxid, connection->decided + 1);
    }
    connection->decided = entry->number > connection->decided ? entry->number : connection->decided;
}

/* The request that an entry decides, or NULL: nobody sent it. */
static struct check_request *request_of(struct check *check, const struct check_session *session,
                                        const struct sim_ground *entry)
{
    struct check_connection *connection = connection_of(session, entry->epoch);
    if (connection == NULL || entry->number < 1 || (uint64_t)entry->number > connection->write_count) {
        check_fail(check, "C7",
                   "only what a client sent takes effect: zxid %" PRId64 " decided number %" PRId64
                   " of session 0x%" PRIx64 ", epoch %" PRId64 ", which no connection sent",
                   entry->zxid, entry->number, (uint64_t)entry->session_id, entry->epoch);
        return NULL;
    }
    struct check_request *request = connection->writes[entry->number - 1];
    check_order(check, connection, entry);
    if (request->ground == NULL) {
        request->ground = entry;
    }
    return request;
}

static void check_alive(struct check *check, const struct check_session *session, const struct sim_ground *entry)
{
    if (session->close_zxid != 0) {
        check_fail(check, "C8",
                   "nothing of a session happens after its end: zxid %" PRId64 " is of session 0x%" PRIx64
                   ", which ended at zxid %" PRId64,
                   entry->zxid, (uint64_t)session->id, session->close_zxid);
    }
}

static void replay_request(struct check *check, const struct sim_ground *entry)
{
    struct check_session *session = check_session_of(check, entry->session_id);
    check_alive(check, session, entry);
    if (session->closing) {
        check_fail(check, "C8",
                   "nothing of a session happens after its end began: zxid %" PRId64 " is of session 0x%" PRIx64,
                   entry->zxid, (uint64_t)session->id);
    }
    if (check->history->has_ground && entry->epoch != session->epoch) {
        check_fail(check, "C7",
                   "a connection that lost its session writes no more: zxid %" PRId64 " is of session 0x%" PRIx64
                   ", epoch %" PRId64 ", which has epoch %" PRId64,
                   entry->zxid, (uint64_t)session->id, entry->epoch, session->epoch);
    }
    struct check_request *request = request_of(check, session, entry);
    if (request != NULL && request->ground == entry) {
        check_moment(check, request);
        check_result(check, request);
    }
}

/* Its client had sent a closeSession when the end began: whoever goes on with that end (a sweep does, where the
 * function died over it) does what was asked for. */
static bool asked_before(const struct check_session *session)
{
    for (const struct check_connection *connection = session->connections; connection != NULL;
         connection = connection->next_of_session) {
        for (const struct check_request *request = connection->first; request != NULL; request = request->next) {
            if (request->op == FK_OP_CLOSE_SESSION && request->sent_ns <= session->closing_ns) {
                return true;
            }
        }
    }
    return false;
}

static void replay_close(struct check *check, const struct sim_ground *entry)
{
    struct check_session *session = check_session_of(check, entry->session_id);
    check_alive(check, session, entry);
    if (entry->number > 0) {
        struct check_request *request = request_of(check, session, entry);
        if (request != NULL) {
            check_moment(check, request);
            check->counts.writes++;
        }
    }
    session->close_zxid = entry->zxid;
    session->close_ns = entry->time_ns;
    session->asked_close = entry->number > 0 || (session->closing && asked_before(session));
    (void)sim_ref_close(&check->tree, entry->zxid, entry->session_id, NULL, 0);
}

static void replay_chunk(struct check *check, const struct sim_ground *entry)
{
    struct check_session *session = check_session_of(check, entry->session_id);
    check_alive(check, session, entry);
    session->closing_ns = session->closing ? session->closing_ns : entry->time_ns;
    session->closing = true;
    if (!sim_ref_close(&check->tree, entry->zxid, entry->session_id, entry->paths, entry->path_count)) {
        check_fail(check, "C8",
                   "the end of a session removes its own ephemerals only: zxid %" PRId64 " of session 0x%" PRIx64
                   " names another node",
                   entry->zxid, (uint64_t)session->id);
    }
}

static void replay_attach(struct check *check, const struct sim_ground *entry)
{
    struct check_session *session = check_session_of(check, entry->session_id);
    check_alive(check, session, entry);
    if (entry->epoch != session->epoch + 1) {
        check_fail(check, "C7",
                   "each attach begins the next epoch: zxid %" PRId64 " begins epoch %" PRId64 " after %" PRId64,
                   entry->zxid, entry->epoch, session->epoch);
    }
    session->epoch = entry->epoch;
    struct check_connection *connection = connection_of(session, entry->epoch);
    if (connection != NULL && connection->last_seen < entry->zxid) {
        connection->last_seen = entry->zxid;
    }
}

static void replay(struct check *check, const struct sim_ground *entry)
{
    switch (entry->kind) {
    case SIM_GROUND_REQUEST:
        replay_request(check, entry);
        break;
    case SIM_GROUND_CLOSE:
        replay_close(check, entry);
        break;
    case SIM_GROUND_CLOSE_CHUNK:
        replay_chunk(check, entry);
        break;
    case SIM_GROUND_ATTACH:
        replay_attach(check, entry);
        break;
    case SIM_GROUND_SWEEP_NODE:
        if (entry->code == FK_CODE_OK && entry->path_count == 1 &&
            !sim_ref_sweep(&check->tree, entry->zxid, entry->paths[0])) {
            check_fail(check, "C1",
                       "a sweep removes only empty containers and old TTL nodes: zxid %" PRId64
                       " removed another node, %.*s",
                       entry->zxid, (int)entry->paths[0].size, (const char *)entry->paths[0].data);
        }
        break;
    case SIM_GROUND_CREATE_SESSION:
    case SIM_GROUND_GATEWAY_DEAD:
        break;
    }
}

/* --- what was answered, against what was decided --- */

static bool answered_by_end(const struct check_request *request)
{
    const struct check_session *session = request->connection->session;
    return request->op == FK_OP_CLOSE_SESSION && session != NULL && session->close_zxid == request->zxid;
}

/* Answers that claim no decision: the session is gone, or nothing could be decided and no zxid was taken. */
static bool undecided(const struct check_request *request)
{
    return request->code == FK_CODE_SESSION_EXPIRED || (request->code == FK_CODE_SYSTEM_ERROR && request->zxid <= 0);
}

static void check_answer(struct check *check, const struct check_request *request)
{
    const struct sim_ground *entry = request->ground;
    if (request->replied_ns < 0) {
        check->counts.unknown++;
        check->counts.applied += entry != NULL ? 1 : 0;
        return;
    }
    if (answered_by_end(request)) {
        return;
    }
    if (entry == NULL) {
        if (!undecided(request)) {
            check_fail(check, request->code == FK_CODE_OK ? "C6" : "C15",
                       "what was answered is decided for good: %s is in no commit", check_words(request));
        }
        return;
    }
    if (undecided(request) || (request->code == FK_CODE_OK) != (entry->code == FK_CODE_OK)) {
        check_fail(check, "C15",
                   "success means an effect and an error none: %s, but zxid %" PRId64 " decided it with code %d",
                   check_words(request), entry->zxid, entry->code);
    } else if (request->zxid != entry->zxid || request->code != entry->code) {
        check_fail(check, "C1", "an answer tells what was decided: %s, but zxid %" PRId64 " decided it with code %d",
                   check_words(request), entry->zxid, entry->code);
    }
}

void check_writes(struct check *check)
{
    if (check->history->has_ground) {
        find_epochs(check);
    }
    for (size_t i = 0; i < check->ground_count; i++) {
        replay(check, &check->ground[i]);
    }
    for (size_t i = 0; i < check->history->connection_count; i++) {
        const struct check_connection *connection = &check->connections[i];
        for (size_t k = 0; k < connection->write_count; k++) {
            check_answer(check, connection->writes[k]);
        }
    }
}
