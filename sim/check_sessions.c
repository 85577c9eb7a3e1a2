// SPDX-License-Identifier: Apache-2.0
/* C8: sessions end when they should, and not before. C14: what was asked is answered. That nothing happens after a
 * session's end, and that its ephemerals go with it, is decided by the replay (check_writes.c) and by reads. */
#include "sim/check_internal.h"

#include <inttypes.h>

/* The newest owner's epoch by `until`. */
static int64_t last_epoch(const struct check_session *session, int64_t until)
{
    int64_t epoch = 0;
    for (const struct check_connection *connection = session->connections; connection != NULL;
         connection = connection->next_of_session) {
        bool counts = connection->accepted && connection->accepted_ns <= until && connection->epoch > epoch;
        epoch = counts ? connection->epoch : epoch;
    }
    return epoch;
}

/* The last thing that the client did and was answered for by `until`. What an older owner still answers, which has not
 * heard that the session has moved, keeps nothing alive: the client has another connection. */
static int64_t last_acknowledged(const struct check_session *session, int64_t until)
{
    int64_t last = INT64_MIN;
    int64_t epoch = last_epoch(session, until);
    for (const struct check_connection *connection = session->connections; connection != NULL;
         connection = connection->next_of_session) {
        if (connection->accepted && connection->accepted_ns <= until && connection->connect_ns > last) {
            last = connection->connect_ns;
        }
        for (const struct check_request *request = connection->first; request != NULL && connection->epoch >= epoch;
             request = request->next) {
            bool counts = request->replied_ns >= 0 && request->replied_ns <= until;
            last = counts && request->sent_ns > last ? request->sent_ns : last;
        }
    }
    return last;
}

/* The last moment at which the server may have heard of the client. */
static int64_t last_possible(const struct check_session *session)
{
    int64_t last = INT64_MIN;
    for (const struct check_connection *connection = session->connections; connection != NULL;
         connection = connection->next_of_session) {
        int64_t begun = connection->accepted ? connection->accepted_ns : connection->connect_ns;
        int64_t ended = connection->lost ? connection->lost_ns : begun;
        int64_t sent = connection->last == NULL ? begun : connection->last->sent_ns;
        last = begun > last ? begun : last;
        last = ended > last ? ended : last;
        last = sent > last ? sent : last;
    }
    return last;
}

/* The timeouts that may hold at `until`: that of the newest owner, and those of handshakes nobody knows the end of. */
struct timeouts {
    int64_t least_ns;
    int64_t most_ns;
};

static void add_timeout(struct timeouts *timeouts, int64_t timeout_ns)
{
    timeouts->least_ns = timeout_ns < timeouts->least_ns ? timeout_ns : timeouts->least_ns;
    timeouts->most_ns = timeout_ns > timeouts->most_ns ? timeout_ns : timeouts->most_ns;
}

static struct timeouts timeouts_of(const struct check *check, const struct check_session *session, int64_t until)
{
    struct timeouts timeouts = {.least_ns = INT64_MAX};
    int64_t epoch = last_epoch(session, until);
    for (const struct check_connection *connection = session->connections; connection != NULL;
         connection = connection->next_of_session) {
        if (connection->accepted && connection->accepted_ns <= until && connection->epoch >= epoch) {
            add_timeout(&timeouts, connection->timeout_ns);
        }
    }
    for (size_t i = 0; i < check->history->connection_count; i++) {
        const struct check_connection *connection = &check->connections[i];
        bool told = (connection->accepted || connection->refused) && connection->accepted_ns <= until;
        if (!told && connection->connect_ns <= until && connection->asked_session == session->id) {
            add_timeout(&timeouts, connection->asked_timeout_ns);
        }
    }
    return timeouts;
}

static void check_early(struct check *check, const struct check_session *session)
{
    if (session->close_ns == 0 || session->asked_close) {
        return;
    }
    int64_t last = last_acknowledged(session, session->close_ns);
    struct timeouts timeouts = timeouts_of(check, session, session->close_ns);
    check->counts.ended++;
    if (last != INT64_MIN && session->close_ns - last < timeouts.least_ns - check->options.early_ns) {
        check_fail(check, "C8",
                   "a session lives for its timeout after all that was answered: session 0x%" PRIx64
                   " (timeout %" PRId64 " ms) was ended at zxid %" PRId64 ", %" PRId64 " ms after its client did "
                   "something that was answered",
                   (uint64_t)session->id, timeouts.least_ns / 1000000, session->close_zxid,
                   (session->close_ns - last) / 1000000);
    }
}

/* Only what happened after the faults is bounded. */
static void check_late(struct check *check, const struct check_session *session)
{
    const struct sim_history *history = check->history;
    int64_t end_ns = session->close_zxid != 0 ? session->close_ns : history->end_ns;
    int64_t from = last_possible(session);
    if (check->options.late_ns == 0 || history->end_ns == 0 || session->asked_close || from == INT64_MIN) {
        return;
    }
    struct timeouts timeouts = timeouts_of(check, session, end_ns);
    from = from < history->faults_end_ns ? history->faults_end_ns : from;
    if (end_ns > from + timeouts.most_ns + check->options.late_ns) {
        check_fail(check, "C8",
                   "a silent session ends in time: session 0x%" PRIx64 " (timeout %" PRId64 " ms) %s %" PRId64
                   " ms after it was heard last",
                   (uint64_t)session->id, timeouts.most_ns / 1000000,
                   session->close_zxid != 0 ? "was ended" : "is still there", (end_ns - from) / 1000000);
    }
}

static bool is_live(const struct sim_history *history, int64_t id)
{
    for (size_t i = 0; i < history->session_count; i++) {
        if (history->sessions[i] == id) {
            return true;
        }
    }
    return false;
}

/* The final list of sessions is that of the ground log. */
static void check_list(struct check *check, const struct check_session *session)
{
    int64_t final_zxid = check->history->final_zxid == 0 ? INT64_MAX : check->history->final_zxid;
    if (!check->history->has_sessions || !check->history->has_ground || session->connections == NULL) {
        return;
    }
    bool live = is_live(check->history, session->id);
    bool over = session->close_zxid != 0 && session->close_zxid <= final_zxid;
    if (live && over) {
        check_fail(check, "C8",
                   "the end of a session is for good: session 0x%" PRIx64 " ended at zxid %" PRId64
                   ", and is there at the end",
                   (uint64_t)session->id, session->close_zxid);
    } else if (!live && session->close_zxid == 0 && !session->closing) {
        check_fail(check, "C8", "a session ends by a commit only: session 0x%" PRIx64 " is gone without one",
                   (uint64_t)session->id);
    }
}

/* Whether the client shows another password than the one that the session was given. */
static bool stranger(const struct check_connection *connection, const struct check_session *session)
{
    return session->password.data != NULL && !fk_bytes_equal(connection->password, session->password);
}

/* Who has no right to a session, or has seen what this store has not, is not let in. */
static void check_entry(struct check *check, const struct check_connection *connection)
{
    if (!connection->accepted || connection->asked_new) {
        return;
    }
    if (stranger(connection, connection->session)) {
        check_fail(check, "C8",
                   "a session is its owner's, who knows the password: connection %u got session 0x%" PRIx64
                   " with a wrong one",
                   connection->index, (uint64_t)connection->session->id);
    }
    if (connection->last_seen > check->last_zxid) {
        check_fail(check, "C11",
                   "a client that has seen a later state is refused: connection %u was accepted, whose client had seen "
                   "zxid %" PRId64 " of %" PRId64,
                   connection->index, connection->last_seen, check->last_zxid);
    }
}

/* A client is told that its session is gone only when it is, or it does not know the password. */
static void check_refusals(struct check *check)
{
    for (size_t i = 0; check->history->has_ground && i < check->history->connection_count; i++) {
        const struct check_connection *connection = &check->connections[i];
        check_entry(check, connection);
        if (!connection->refused || connection->asked_new) {
            continue;
        }
        const struct check_session *session = check_session_of(check, connection->asked_session);
        bool ended = session->closing || (session->close_zxid != 0 && session->close_ns <= connection->accepted_ns);
        if (session->connections != NULL && !ended && !stranger(connection, session)) {
            check_fail(check, "C8",
                       "a session is called expired only when it is: connection %u was refused session 0x%" PRIx64
                       ", which was alive",
                       connection->index, (uint64_t)session->id);
        }
    }
}

static void check_answers(struct check *check)
{
    const struct sim_history *history = check->history;
    for (size_t i = 0; i < history->connection_count; i++) {
        const struct check_connection *connection = &check->connections[i];
        if (connection->lost || !connection->accepted) {
            continue;
        }
        for (const struct check_request *request = connection->first; request != NULL; request = request->next) {
            int64_t from = request->sent_ns < history->faults_end_ns ? history->faults_end_ns : request->sent_ns;
            int64_t to = request->replied_ns < 0 ? history->end_ns : request->replied_ns;
            if (to - from > check->options.answer_ns) {
                check_fail(check, "C14", "after the faults every request is answered in time: %s waited %" PRId64 " ms",
                           check_words(request), (to - from) / 1000000);
                return;
            }
        }
    }
}

void check_sessions(struct check *check)
{
    for (const struct check_session *session = check->sessions; session != NULL; session = session->next) {
        check->counts.sessions += session->connections != NULL ? 1 : 0;
        check_early(check, session);
        check_late(check, session);
        check_list(check, session);
    }
    check_refusals(check);
    if (check->options.answer_ns != 0 && check->history->end_ns != 0) {
        check_answers(check);
    }
}
