// SPDX-License-Identifier: Apache-2.0
/* A ground log for histories of a real server, which keeps none. zxids are dense, and every decision takes one, so each
 * zxid that no answer names (a gap) was taken by the begin or end of a session or by a write without an answer.
 *
 * An order of the unanswered writes is searched that keeps each connection's own, explains every answer and ends in the
 * final state, zxids included (check_search.c). Found: the history is judged with it. Every order tried in vain: the
 * likeliest one is taken, and the other checkers say what is wrong with it. Not decided: which of several such orders
 * it was, and what nobody's gaps were (begins of sessions). Expiries of sessions that own nodes are not found: the
 * recorder's sessions outlive a run. */
#include "sim/check_rebuild.h"

#include <inttypes.h>

static size_t index_of(const struct check_rebuild *rebuild, int64_t zxid)
{
    int64_t index = zxid - rebuild->check->first_zxid - 1;
    return index < 0 || (uint64_t)index >= rebuild->count ? SIZE_MAX : (size_t)index;
}

/* --- evidence --- */

static void see(struct check_rebuild *rebuild, struct fk_bytes path, const struct fk_bytes *data,
                const struct fk_stat *stat)
{
    size_t changed = index_of(rebuild, stat->mzxid);
    size_t child = index_of(rebuild, stat->pzxid);
    if (changed != SIZE_MAX) {
        rebuild->evidence[changed].path = path;
        if (data != NULL) {
            rebuild->evidence[changed].data = *data;
        }
    }
    if (child != SIZE_MAX && stat->pzxid != stat->czxid) {
        rebuild->evidence[child].parent = path;
    }
}

static void see_answer(struct check_rebuild *rebuild, const struct check_request *request)
{
    struct fk_reader body = fk_reader_of(request->body);
    struct fk_reader reply = fk_reader_of(request->reply);
    struct fk_bytes path = fk_read_bytes(&body);
    struct fk_bytes data = FK_BYTES_NULL;
    struct fk_stat stat;
    bool with_stat = request->op == FK_OP_GET_DATA || request->op == FK_OP_EXISTS || request->op == FK_OP_GET_CHILDREN2;
    if (request->replied_ns < 0 || request->code != FK_CODE_OK || !with_stat) {
        return;
    }
    if (request->op == FK_OP_GET_DATA) {
        data = fk_read_bytes(&reply);
    } else if (request->op == FK_OP_GET_CHILDREN2) {
        (void)fk_read_strings(&reply);
    }
    fk_read_stat(&reply, &stat);
    if (!reply.failed) {
        see(rebuild, path, request->op == FK_OP_GET_DATA ? &data : NULL, &stat);
    }
}

static void collect(struct check_rebuild *rebuild)
{
    const struct sim_history *history = rebuild->check->history;
    for (size_t i = 0; i < history->connection_count; i++) {
        const struct check_request *request = rebuild->check->connections[i].first;
        for (; request != NULL; request = request->next) {
            see_answer(rebuild, request);
        }
    }
    for (size_t i = 0; i < history->node_count; i++) {
        struct fk_reader reader = fk_reader_of(history->nodes[i].stat);
        struct fk_stat stat;
        fk_read_stat(&reader, &stat);
        if (!reader.failed) {
            see(rebuild, history->nodes[i].path, &history->nodes[i].data, &stat);
        }
    }
}

/* --- does a write fit what was seen? --- */

static bool starts_with(struct fk_bytes path, struct fk_bytes prefix)
{
    return path.size >= prefix.size && fk_bytes_equal(fk_bytes_head(path, prefix.size), prefix);
}

static bool child_of(struct fk_bytes path, struct fk_bytes parent)
{
    size_t size = parent.size == 1 ? 0 : parent.size;
    return path.size > size + 1 && starts_with(path, fk_bytes_head(parent, size)) && path.data[size] == '/' &&
           memchr(path.data + size + 1, '/', path.size - size - 1) == NULL;
}

/* Reads one operation; whether it can have left this trace. */
static bool operation_fits(int32_t op, struct fk_reader *reader, const struct check_evidence *seen)
{
    struct fk_create_request create;
    struct fk_set_data_request set;
    struct fk_version_request version;
    if (op == FK_OP_SET_DATA) {
        fk_read_set_data_request(reader, &set);
        return fk_bytes_equal(set.path, seen->path) &&
               (seen->data.data == NULL || fk_bytes_equal(set.data, seen->data));
    }
    if (op == FK_OP_DELETE || op == FK_OP_CHECK) {
        fk_read_version_request(reader, &version);
        return op == FK_OP_DELETE && seen->path.data == NULL && seen->parent.data != NULL &&
               child_of(version.path, seen->parent);
    }
    fk_read_create_request(reader, &create);
    bool sequential = (create.flags & FK_CREATE_SEQUENTIAL) != 0;
    bool same = sequential ? starts_with(seen->path, create.path) : fk_bytes_equal(seen->path, create.path);
    bool fits = same && (seen->data.data == NULL || fk_bytes_equal(create.data, seen->data));
    return seen->path.data != NULL ? fits : seen->parent.data != NULL && child_of(create.path, seen->parent);
}

bool check_rebuild_fits(const struct check_request *request, const struct check_evidence *seen)
{
    struct fk_reader reader = fk_reader_of(request->body);
    if (seen->path.data == NULL && seen->parent.data == NULL) {
        return false;
    }
    if (request->op == FK_OP_CLOSE_SESSION || request->op == FK_OP_SET_ACL) {
        return false;
    }
    if (request->op != FK_OP_MULTI) {
        return operation_fits(request->op, &reader, seen);
    }
    while (!reader.failed) {
        struct fk_multi_header header;
        fk_read_multi_header(&reader, &header);
        if (reader.failed || header.done) {
            return false;
        }
        if (operation_fits(header.op, &reader, seen)) {
            return true;
        }
    }
    return false;
}

/* --- assignment --- */

void check_rebuild_take(struct check_rebuild *rebuild, size_t index, const struct check_request *request, int32_t code)
{
    const struct check_connection *connection = request->connection;
    rebuild->taken[index] = true;
    rebuild->entries[index] = (struct sim_ground){
        .zxid = rebuild->check->first_zxid + 1 + (int64_t)index,
        .kind = request->op == FK_OP_CLOSE_SESSION ? SIM_GROUND_CLOSE : SIM_GROUND_REQUEST,
        .session_id = connection->session == NULL ? connection->asked_session : connection->session->id,
        .epoch = connection->epoch,
        .number = request->number,
        .code = code,
    };
}

static void take_answered(struct check_rebuild *rebuild, const struct check_request *request)
{
    size_t index = index_of(rebuild, request->zxid);
    if (request->code == FK_CODE_SESSION_EXPIRED || request->zxid <= 0) {
        return;
    }
    if (index == SIZE_MAX) {
        check_fail(rebuild->check, "C11", "each decision takes a new zxid: %s, but zxid %" PRId64 " was there before",
                   check_words(request), rebuild->check->first_zxid);
    } else if (rebuild->taken[index]) {
        check_fail(rebuild->check, "C11", "each decision takes a zxid of its own: %s, which another write has",
                   check_words(request));
    } else {
        check_rebuild_take(rebuild, index, request, request->code);
    }
}

size_t check_rebuild_open(const struct check_connection *connection, size_t from)
{
    while (from < connection->write_count && connection->writes[from]->replied_ns >= 0) {
        from++;
    }
    return from;
}

/* The gap of a write: the first one behind what was shown before it was sent and behind `after`. */
static size_t find_gap(const struct check_rebuild *rebuild, const struct check_request *request, size_t after,
                       size_t below)
{
    int64_t lowest = request->floor - rebuild->check->first_zxid;
    size_t index = lowest > (int64_t)after ? (size_t)lowest : after;
    while (index < below && index < rebuild->count &&
           (rebuild->taken[index] || rebuild->evidence[index].path.data != NULL)) {
        index++;
    }
    return index < below && index < rebuild->count ? index : SIZE_MAX;
}

/* Places the open writes of a connection up to number `last` (index), which stands at `at`; false where the ones before
 * it find no gaps. */
static bool place_up_to(struct check_rebuild *rebuild, struct check_connection *connection, size_t last, size_t at)
{
    size_t placed[64];
    size_t after = (size_t)connection->lo;
    size_t first = check_rebuild_open(connection, (size_t)connection->decided);
    if (last - first >= sizeof placed / sizeof *placed) {
        return false;
    }
    for (size_t i = first; i < last; i++) {
        placed[i - first] = find_gap(rebuild, connection->writes[i], after, at);
        if (placed[i - first] == SIZE_MAX) {
            return false;
        }
        after = placed[i - first] + 1;
    }
    for (size_t i = first; i < last; i++) {
        check_rebuild_take(rebuild, placed[i - first], connection->writes[i], FK_CODE_OK);
    }
    check_rebuild_take(rebuild, at, connection->writes[last], FK_CODE_OK);
    connection->decided = (int64_t)last + 1;
    connection->lo = (int64_t)at + 1;
    return true;
}

/* The unanswered write that left the trace of a gap. */
static void place_seen(struct check_rebuild *rebuild, size_t index)
{
    int64_t zxid = rebuild->check->first_zxid + 1 + (int64_t)index;
    for (size_t i = 0; i < rebuild->check->history->connection_count; i++) {
        struct check_connection *connection = &rebuild->check->connections[i];
        size_t at = check_rebuild_open(connection, (size_t)connection->decided);
        for (; at < connection->write_count; at++) {
            const struct check_request *request = connection->writes[at];
            if (request->floor < zxid && check_rebuild_fits(request, &rebuild->evidence[index]) &&
                place_up_to(rebuild, connection, at, index)) {
                return;
            }
        }
    }
}

/* --- what left no trace of its zxid: by the final state --- */

/* Codes of unanswered writes are the model's; gives how many nodes of the final state the model does not explain. */
static size_t replay(struct check_rebuild *rebuild)
{
    struct check *check = rebuild->check;
    struct check trial = *check;
    trial.bump = SIM_BUMP_EMPTY;
    check_plant(&trial);
    for (size_t i = 0; i < rebuild->count; i++) {
        struct sim_ground *entry = &rebuild->entries[i];
        if (entry->kind == SIM_GROUND_CLOSE) {
            (void)sim_ref_close(&trial.tree, entry->zxid, entry->session_id, NULL, 0);
        } else if (entry->kind == SIM_GROUND_REQUEST) {
            const struct check_request *request = check->connections[entry->epoch - 1].writes[entry->number - 1];
            struct sim_ref_caller caller = {.session_id = entry->session_id, .ids = request->ids};
            int32_t code = sim_ref_apply(&trial.tree, entry->zxid, &caller, request->op, request->body).code;
            entry->code = request->replied_ns < 0 ? code : entry->code;
        }
    }
    size_t wrong = check_final_differences(&trial);
    sim_bump_deinit(&trial.bump); /* the trial's own */
    return wrong;
}

/* Applies one more of a connection's open writes, at the first gap; false where there is none. */
static bool place_next(struct check_rebuild *rebuild, struct check_connection *connection, size_t *index)
{
    size_t at = check_rebuild_open(connection, (size_t)connection->decided);
    if (at >= connection->write_count) {
        return false;
    }
    *index = find_gap(rebuild, connection->writes[at], (size_t)connection->lo, SIZE_MAX);
    if (*index == SIZE_MAX) {
        return false;
    }
    check_rebuild_take(rebuild, *index, connection->writes[at], FK_CODE_OK);
    connection->decided = (int64_t)at + 1;
    connection->lo = (int64_t)*index + 1;
    return true;
}

/* How many of a connection's open writes explain the final state best; the fewest of them. */
static size_t improve(struct check_rebuild *rebuild, struct check_connection *connection, size_t wrong)
{
    size_t indices[64];
    int64_t decided = connection->decided;
    int64_t lo = connection->lo;
    size_t best = 0;
    size_t count = 0;
    while (count < sizeof indices / sizeof *indices && place_next(rebuild, connection, &indices[count])) {
        size_t now = replay(rebuild);
        count++;
        if (now < wrong) {
            wrong = now;
            best = count;
            decided = connection->decided;
            lo = connection->lo;
        }
    }
    while (count > best) {
        count--;
        rebuild->taken[indices[count]] = false;
        rebuild->entries[indices[count]].kind = SIM_GROUND_CREATE_SESSION;
    }
    connection->decided = decided;
    connection->lo = lo;
    return wrong;
}

static void explain_final(struct check_rebuild *rebuild)
{
    size_t wrong = replay(rebuild);
    for (size_t i = 0; wrong > 0 && i < rebuild->check->history->connection_count; i++) {
        wrong = improve(rebuild, &rebuild->check->connections[i], wrong);
    }
    (void)replay(rebuild);
}

/* --- all --- */

static int64_t largest_zxid(const struct check *check)
{
    int64_t largest = check->history->final_zxid;
    for (size_t i = 0; i < check->history->connection_count; i++) {
        const struct check_connection *connection = &check->connections[i];
        largest = connection->lo > largest ? connection->lo : largest;
    }
    return largest;
}

static void begin(struct check_rebuild *rebuild)
{
    struct check *check = rebuild->check;
    int64_t last = largest_zxid(check);
    rebuild->count = last > check->first_zxid ? (size_t)(last - check->first_zxid) : 0;
    rebuild->entries = sim_bump_alloc(&check->bump, rebuild->count * sizeof *rebuild->entries);
    rebuild->evidence = sim_bump_alloc(&check->bump, rebuild->count * sizeof *rebuild->evidence);
    rebuild->taken = sim_bump_alloc(&check->bump, rebuild->count * sizeof *rebuild->taken);
    for (size_t i = 0; i < rebuild->count; i++) {
        rebuild->entries[i].zxid = check->first_zxid + 1 + (int64_t)i;
        rebuild->entries[i].kind = SIM_GROUND_CREATE_SESSION;
    }
    for (size_t i = 0; i < check->history->connection_count; i++) {
        struct check_connection *connection = &check->connections[i];
        connection->epoch = (int64_t)connection->index;
        connection->decided = 0;
        connection->lo = 0; /* here: index behind the connection's last write */
        for (size_t k = 0; k < connection->write_count; k++) {
            if (connection->writes[k]->replied_ns >= 0) {
                take_answered(rebuild, connection->writes[k]);
                size_t index = index_of(rebuild, connection->writes[k]->zxid);
                connection->lo = index == SIZE_MAX ? connection->lo : (int64_t)index + 1;
            }
        }
    }
}

/* No order explains everything: the likeliest one, for the other checkers to say what is wrong. */
static void guess(struct check_rebuild *rebuild)
{
    for (size_t i = 0; i < rebuild->count; i++) {
        if (!rebuild->taken[i]) {
            place_seen(rebuild, i);
        }
    }
    explain_final(rebuild);
}

void check_rebuild(struct check *check)
{
    bool exhausted = true;
    struct check_rebuild rebuild = {.check = check};
    check->first_zxid = check->history->first_zxid;
    begin(&rebuild);
    collect(&rebuild);
    if (!check_search(&rebuild, &exhausted)) {
        check->counts.undecided = !exhausted;
        guess(&rebuild);
    }
    for (size_t i = 0; i < check->history->connection_count; i++) {
        check->connections[i].decided = 0;
    }
    for (size_t i = 0; i < rebuild.count; i++) {
        check->counts.gaps += rebuild.entries[i].kind == SIM_GROUND_CREATE_SESSION ? 1 : 0;
    }
    check->ground = rebuild.entries;
    check->ground_count = rebuild.count;
    check->last_zxid = check->first_zxid + (int64_t)rebuild.count;
}
