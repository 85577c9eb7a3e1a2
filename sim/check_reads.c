// SPDX-License-Identifier: Apache-2.0
/* Reads against the states that their paths had. An answer's zxid is a moment at which what it says was true, moments
 * never go back on a connection nor behind what its client had seen before (C3), own writes and what sync waited for
 * lie before them (C4), and the events of everything up to there came first (check_watches.c). */
#include "sim/check_internal.h"

#include <inttypes.h>

static bool is_read(int32_t op)
{
    return op == FK_OP_EXISTS || op == FK_OP_GET_DATA || op == FK_OP_GET_ACL || op == FK_OP_GET_CHILDREN ||
           op == FK_OP_GET_CHILDREN2;
}

/* The code that a read must have in a state. */
static int32_t read_code(const struct check_request *request, const struct sim_ref_state *state)
{
    if (!state->exists) {
        return FK_CODE_NO_NODE;
    }
    bool may = sim_ref_allows(state->acl, FK_PERM_READ, request->ids) ||
               (request->op == FK_OP_GET_ACL && sim_ref_allows(state->acl, FK_PERM_ADMIN, request->ids));
    return may ? FK_CODE_OK : FK_CODE_NO_AUTH;
}

/* The sum of the hashes of all names tells whether it is the same set, each name once. */
static bool names_match(struct fk_reader *reader, const struct sim_ref_state *state)
{
    int32_t count = fk_read_count(reader, 4);
    uint64_t names = 0;
    for (int32_t i = 0; i < count; i++) {
        names += sim_ref_hash(fk_read_bytes(reader));
    }
    return count == state->children && names == state->names;
}

static bool acl_matches(struct check *check, const struct check_request *request, struct fk_reader *reader,
                        const struct sim_ref_state *state)
{
    struct fk_bytes shown = fk_read_acl(reader);
    bool admin = sim_ref_allows(state->acl, FK_PERM_ADMIN, request->ids);
    return fk_bytes_equal(shown, admin ? state->acl : sim_ref_redact(&check->bump, state->acl));
}

static bool same_bytes(struct fk_bytes a, struct fk_bytes b)
{
    return (a.data == NULL) == (b.data == NULL) && fk_bytes_equal(a, b);
}

bool check_read_matches(struct check *check, const struct check_request *request, const struct sim_ref_state *state,
                        const char **why)
{
    struct fk_reader reader = fk_reader_of(request->reply);
    struct fk_stat stat;
    *why = "code";
    if (request->code != read_code(request, state)) {
        return false;
    }
    if (request->code != FK_CODE_OK) {
        return true;
    }
    if (request->op == FK_OP_GET_DATA && !same_bytes(fk_read_bytes(&reader), state->data)) {
        *why = "data";
        return false;
    }
    bool list = request->op == FK_OP_GET_CHILDREN || request->op == FK_OP_GET_CHILDREN2;
    if (list && !names_match(&reader, state)) {
        *why = "list of children";
        return false;
    }
    if (request->op == FK_OP_GET_ACL && !acl_matches(check, request, &reader, state)) {
        *why = "ACL";
        return false;
    }
    if (request->op == FK_OP_GET_CHILDREN) {
        return true;
    }
    fk_read_stat(&reader, &stat);
    return check_stat(check, &stat, state, why);
}

static int64_t end_of(const struct sim_ref_path *path, size_t index)
{
    return index + 1 < path->count ? path->states[index + 1].zxid : INT64_MAX;
}

/* The answer is not true at its zxid: says what it is instead. `index` is the state in which it was. */
static void explain(struct check *check, const struct check_request *request, const struct sim_ref_path *path,
                    int64_t lo, const char *why)
{
    const char *ignored = NULL;
    bool later = false;
    for (size_t i = path->count; i-- > 0;) {
        if (!check_read_matches(check, request, &path->states[i], &ignored)) {
            continue;
        }
        if (path->states[i].zxid > request->zxid) {
            later = true; /* look for an older one too: it says more */
            continue;
        }
        check_fail(check, "C3",
                   "a session never sees an older state than it has seen: %s shows what was true from zxid %" PRId64
                   " to %" PRId64 ", but the connection had seen zxid %" PRId64,
                   check_words(request), path->states[i].zxid, end_of(path, i), lo);
        return;
    }
    int32_t wanted = read_code(request, sim_ref_state_at(path, request->zxid));
    bool verdict = request->code != wanted && (request->code == FK_CODE_NO_AUTH || wanted == FK_CODE_NO_AUTH);
    check_fail(check, verdict ? "C13" : "C3", "a read shows a committed state, the one of its zxid: %s %s (%s)",
               check_words(request), later ? "shows a later one" : "shows what never was", why);
}

static void check_read(struct check *check, const struct check_connection *connection,
                       const struct check_request *request)
{
    static const struct sim_ref_path nowhere;
    struct fk_reader reader = fk_reader_of(request->body);
    struct fk_bytes bytes = fk_read_bytes(&reader);
    if (request->code != FK_CODE_OK && request->code != FK_CODE_NO_NODE && request->code != FK_CODE_NO_AUTH) {
        bool argued = request->code == FK_CODE_BAD_ARGUMENTS || request->code == FK_CODE_MARSHALLING_ERROR ||
                      request->code == FK_CODE_OPERATION_TIMEOUT;
        if (!argued) {
            check_fail(check, "C15", "a read fails only for what ZooKeeper fails it for: %s", check_words(request));
        }
        return;
    }
    const struct sim_ref_path *path = sim_ref_find(&check->tree, bytes);
    const char *why = NULL;
    path = path == NULL ? &nowhere : path;
    check->counts.reads++;
    if (!check_read_matches(check, request, sim_ref_state_at(path, request->zxid), &why)) {
        explain(check, request, path, connection->lo, why);
    }
}

static void check_sync(struct check *check, const struct check_request *request)
{
    if (request->code == FK_CODE_OK && request->zxid < request->floor) {
        check_fail(check, "C4",
                   "after sync a session sees all that was answered to anybody before: %s, but zxid %" PRId64
                   " had been shown when it was sent",
                   check_words(request), request->floor);
    }
}

static void check_committed(struct check *check, const struct check_request *request)
{
    const struct sim_ground *entry = check_ground_at(check, request->zxid);
    if (request->zxid > check->last_zxid) {
        check_fail(check, "C11", "zxids that clients are shown are committed: %s, but the last commit is zxid %" PRId64,
                   check_words(request), check->last_zxid);
    } else if (entry != NULL && entry->time_ns > request->replied_ns) {
        check_fail(check, "C6", "nothing is shown before it is committed: %s was shown zxid %" PRId64 " too early",
                   check_words(request), request->zxid);
    }
}

static void on_answer(struct check *check, struct check_connection *connection, const struct check_request *request)
{
    connection->sure = request->ids;
    if (request->op == FK_OP_PING || request->op == FK_OP_AUTH || request->zxid < 0) {
        return;
    }
    check_committed(check, request);
    if (request->zxid < connection->lo) {
        check_fail(
            check, "C3",
            "a session never sees an older state than it has seen: %s, but the connection had seen zxid %" PRId64,
            check_words(request), connection->lo);
    }
    check_watch_due(check, connection, request);
    if (is_read(request->op)) {
        check_read(check, connection, request);
    } else if (request->op == FK_OP_SYNC) {
        check_sync(check, request);
    } else {
        check_newer(check, request);
    }
    check_watch_reply(check, connection, request);
    connection->lo = request->zxid > connection->lo ? request->zxid : connection->lo;
}

static void on_frame(struct check *check, struct check_connection *connection, const struct sim_record *record,
                     const struct check_request *answered)
{
    struct fk_reply_header header;
    struct fk_reader reader = fk_reader_of(record->frame);
    if (answered != NULL) {
        on_answer(check, connection, answered);
        return;
    }
    fk_read_reply_header(&reader, &header);
    if (header.xid == FK_XID_NOTIFICATION) {
        check_watch_event(check, connection, header.zxid, fk_bytes_of(reader.at, reader.left));
    }
}

void check_reads(struct check *check)
{
    size_t count = check->history->connection_count;
    struct check_request **unsent = sim_bump_alloc(&check->bump, (count + 1) * sizeof *unsent);
    for (size_t i = 0; i < count; i++) {
        check->connections[i].lo = check->connections[i].last_seen;
        unsent[i] = check->connections[i].first;
    }
    for (size_t i = 0; i < check->history->record_count; i++) {
        const struct sim_record *record = &check->history->records[i];
        struct check_connection *connection = &check->connections[record->connection - 1];
        if (record->kind == SIM_RECORD_SENT) {
            check_watch_sent(check, connection, unsent[record->connection - 1]);
            unsent[record->connection - 1] = unsent[record->connection - 1]->next;
        } else if (record->kind == SIM_RECORD_RECEIVED) {
            on_frame(check, connection, record, check->answers[i]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        check_watch_end(check, &check->connections[i]);
    }
}
