// SPDX-License-Identifier: Apache-2.0
/* Operations of 3.6 and later: multiRead shows one state, that of its zxid, as all reads do; getEphemerals the nodes
 * that the session has in it; removeWatches finds what stands, and leaves the rest. */
#include "sim/check_watches.h"

#include <inttypes.h>

/* Takes the answer of one part out of the reply, as the answer of a request of its own. */
static void take_part(struct fk_reader *request, struct fk_reader *reply, struct check_request *part)
{
    struct fk_multi_header asked;
    struct fk_multi_header answered;
    struct fk_watch_request read;
    struct fk_stat stat;
    fk_read_multi_header(request, &asked);
    fk_read_watch_request(request, &read);
    fk_read_multi_header(reply, &answered);
    part->op = asked.op;
    part->code = answered.code;
    part->body = read.path;
    part->reply = fk_bytes_of(reply->at, reply->left);
    if (answered.code != FK_CODE_OK) {
        (void)fk_read_i32(reply);
    } else if (asked.op == FK_OP_GET_DATA) {
        (void)fk_read_bytes(reply);
        fk_read_stat(reply, &stat);
    } else {
        (void)fk_read_strings(reply);
    }
}

static bool at_end(struct fk_reader *reader)
{
    struct fk_reader ahead = *reader;
    struct fk_multi_header header;
    fk_read_multi_header(&ahead, &header);
    return ahead.failed || header.done;
}

static void check_multi_read(struct check *check, const struct check_request *request)
{
    static const struct sim_ref_path nowhere;
    struct fk_reader asked = fk_reader_of(request->body);
    struct fk_reader reply = fk_reader_of(request->reply);
    const char *why = NULL;
    while (!at_end(&asked)) {
        struct check_request part = *request;
        take_part(&asked, &reply, &part);
        const struct sim_ref_path *path = sim_ref_find(&check->tree, part.body);
        path = path == NULL ? &nowhere : path;
        check->counts.reads++;
        if (asked.failed || reply.failed ||
            !check_read_matches(check, &part, sim_ref_state_at(path, request->zxid), &why)) {
            check_fail(check, "C3", "the parts of a multiRead show the state of its zxid: %s does not for %.*s (%s)",
                       check_words(request), (int)part.body.size, (const char *)part.body.data,
                       reply.failed ? "bytes" : why);
            return;
        }
    }
}

/* How many of the session's nodes have the prefix at a zxid; `names` is the sum of their hashes. */
static int32_t owned(const struct check *check, const struct check_request *request, struct fk_bytes prefix,
                     uint64_t *names)
{
    const struct sim_ref_session *session = check->tree.sessions;
    int64_t id = request->connection->session->id;
    int32_t count = 0;
    while (session != NULL && session->id != id) {
        session = session->next;
    }
    for (size_t i = 0; session != NULL && i < session->count; i++) {
        const struct sim_ref_path *path = session->paths[i];
        const struct sim_ref_state *state = sim_ref_state_at(path, request->zxid);
        bool again = false;
        for (size_t before = 0; before < i; before++) {
            again = again || session->paths[before] == path;
        }
        bool named = prefix.size == 1 || fk_bytes_equal(fk_bytes_head(path->path, prefix.size), prefix);
        if (!again && named && state->exists && state->owner == id) {
            *names += sim_ref_hash(path->path);
            count++;
        }
    }
    return count;
}

static void check_ephemerals(struct check *check, const struct check_request *request)
{
    struct fk_reader asked = fk_reader_of(request->body);
    struct fk_reader reply = fk_reader_of(request->reply);
    uint64_t expected = 0;
    uint64_t shown = 0;
    int32_t count = owned(check, request, fk_read_bytes(&asked), &expected);
    int32_t got = fk_read_count(&reply, 4);
    for (int32_t i = 0; i < got; i++) {
        shown += sim_ref_hash(fk_read_bytes(&reply));
    }
    check->counts.reads++;
    if (reply.failed || got != count || shown != expected) {
        check_fail(check, "C3", "getEphemerals shows what the session has at its zxid: %s shows %d, it had %d",
                   check_words(request), got, count);
    }
}

void check_newer(struct check *check, const struct check_request *request)
{
    if (request->code != FK_CODE_OK) {
        return;
    }
    if (request->op == FK_OP_MULTI_READ) {
        check_multi_read(check, request);
    } else if (request->op == FK_OP_GET_EPHEMERALS) {
        check_ephemerals(check, request);
    }
}

static bool is_asked(const struct check_watch *watch, int32_t type)
{
    switch (watch->kind) {
    case CHECK_WATCH_CHILD:
        return type == FK_WATCHER_CHILDREN || type == FK_WATCHER_ANY;
    case CHECK_WATCH_DATA:
    case CHECK_WATCH_EXIST:
        return type == FK_WATCHER_DATA || type == FK_WATCHER_ANY;
    case CHECK_WATCH_PERSISTENT:
        return type == FK_WATCHER_PERSISTENT || type == FK_WATCHER_ANY;
    case CHECK_WATCH_RECURSIVE:
        return type == FK_WATCHER_RECURSIVE || type == FK_WATCHER_ANY;
    }
    return false;
}

void check_watch_removed(struct check *check, struct check_connection *connection, const struct check_request *request)
{
    struct fk_reader reader = fk_reader_of(request->body);
    struct fk_watcher_request asked;
    bool stays = false;
    fk_read_watcher_request(&reader, &asked);
    struct check_watch **link = &connection->watches;
    while (*link != NULL) {
        struct check_watch *watch = *link;
        bool meant =
            watch->request == NULL && is_asked(watch, asked.kind) && fk_bytes_equal(watch->path->path, asked.path);
        stays = stays || (meant && check_watch_persistent(watch));
        if (meant && request->op == FK_OP_REMOVE_WATCHES && request->code == FK_CODE_OK) {
            *link = watch->next;
        } else {
            link = &watch->next;
        }
    }
    check_watch_update_due(connection);
    bool persistent = asked.kind == FK_WATCHER_PERSISTENT || asked.kind == FK_WATCHER_RECURSIVE;
    if (stays ? request->code != FK_CODE_OK : persistent && request->code != FK_CODE_NO_WATCHER) {
        check_fail(check, "C5", "a watch that stays is found until it is removed: %s", check_words(request));
    }
}
