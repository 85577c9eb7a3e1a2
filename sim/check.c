// SPDX-License-Identifier: Apache-2.0
#include "sim/check_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void check_fail(struct check *check, const char *promise, const char *format, ...)
{
    char text[CHECK_TEXT_SIZE];
    va_list arguments;
    check->violations++;
    if (check->violations > CHECK_VIOLATIONS_MAX) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check->violation(check->context, promise, text);
}

static const char *op_name(int32_t op)
{
    static const struct {
        int32_t op;
        const char *name;
    } names[] = {
        {FK_OP_CREATE, "create"},
        {FK_OP_CREATE2, "create2"},
        {FK_OP_CREATE_CONTAINER, "createContainer"},
        {FK_OP_CREATE_TTL, "createTTL"},
        {FK_OP_DELETE, "delete"},
        {FK_OP_EXISTS, "exists"},
        {FK_OP_GET_DATA, "getData"},
        {FK_OP_SET_DATA, "setData"},
        {FK_OP_GET_ACL, "getACL"},
        {FK_OP_SET_ACL, "setACL"},
        {FK_OP_GET_CHILDREN, "getChildren"},
        {FK_OP_GET_CHILDREN2, "getChildren2"},
        {FK_OP_SYNC, "sync"},
        {FK_OP_PING, "ping"},
        {FK_OP_MULTI, "multi"},
        {FK_OP_AUTH, "auth"},
        {FK_OP_SET_WATCHES, "setWatches"},
        {FK_OP_SET_WATCHES2, "setWatches2"},
        {FK_OP_ADD_WATCH, "addWatch"},
        {FK_OP_REMOVE_WATCHES, "removeWatches"},
        {FK_OP_CHECK_WATCHES, "checkWatches"},
        {FK_OP_MULTI_READ, "multiRead"},
        {FK_OP_GET_EPHEMERALS, "getEphemerals"},
        {FK_OP_GET_ALL_CHILDREN_NUMBER, "getAllChildrenNumber"},
        {FK_OP_WHO_AM_I, "whoAmI"},
        {FK_OP_CLOSE_SESSION, "closeSession"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].op == op) {
            return names[i].name;
        }
    }
    return "request";
}

/* The path that a request begins with, if it is one that does. */
static struct fk_bytes path_of(const struct check_request *request)
{
    struct fk_reader reader = fk_reader_of(request->body);
    bool none = request->op == FK_OP_MULTI || request->op == FK_OP_CLOSE_SESSION || request->op == FK_OP_PING ||
                request->op == FK_OP_AUTH || request->op == FK_OP_SET_WATCHES || request->op == FK_OP_SET_WATCHES2 ||
                request->op == FK_OP_MULTI_READ || request->op == FK_OP_WHO_AM_I;
    return none ? FK_BYTES_NULL : fk_read_bytes(&reader);
}

const char *check_words(const struct check_request *request)
{
    static char texts[4][256];
    static unsigned next;
    char *text = texts[next++ % 4];
    struct fk_bytes path = path_of(request);
    int size = snprintf(text, sizeof texts[0], "%s%s%.*s (session 0x%" PRIx64 ", connection %u, xid %d",
                        op_name(request->op), path.size == 0 ? "" : " ", path.size > 80 ? 80 : (int)path.size,
                        path.size == 0 ? "" : (const char *)path.data,
                        request->connection->session == NULL ? 0 : (uint64_t)request->connection->session->id,
                        request->connection->index, request->xid);
    if (request->number > 0) {
        size += snprintf(text + size, sizeof texts[0] - (size_t)size, ", number %" PRId64, request->number);
    }
    if (request->replied_ns >= 0) {
        size += snprintf(text + size, sizeof texts[0] - (size_t)size, ", answered %d at zxid %" PRId64, request->code,
                         request->zxid);
    } else {
        size += snprintf(text + size, sizeof texts[0] - (size_t)size, ", never answered");
    }
    (void)snprintf(text + size, sizeof texts[0] - (size_t)size, ")");
    return text;
}

bool check_is_write(int32_t op)
{
    return op == FK_OP_CREATE || op == FK_OP_CREATE2 || op == FK_OP_CREATE_CONTAINER || op == FK_OP_CREATE_TTL ||
           op == FK_OP_DELETE || op == FK_OP_SET_DATA || op == FK_OP_SET_ACL || op == FK_OP_MULTI ||
           op == FK_OP_CLOSE_SESSION;
}

struct check_session *check_session_of(struct check *check, int64_t id)
{
    struct check_session *session = check->sessions;
    while (session != NULL && session->id != id) {
        session = session->next;
    }
    if (session == NULL) {
        session = sim_bump_alloc(&check->bump, sizeof *session);
        session->id = id;
        session->epoch = 1;
        session->next = check->sessions;
        check->sessions = session;
    }
    return session;
}

const struct sim_ground *check_ground_at(const struct check *check, int64_t zxid)
{
    int64_t index = zxid - check->first_zxid - 1;
    return index < 0 || (uint64_t)index >= check->ground_count ? NULL : &check->ground[index];
}

void check_plant(struct check *check)
{
    sim_ref_init(&check->tree, &check->bump);
    check->tree.extended_types = check->options.extended_types;
    check->tree.enforce_quota = check->options.enforce_quota;
    for (size_t i = 0; i < check->history->first_count; i++) {
        const struct sim_final_node *node = &check->history->first_nodes[i];
        struct fk_reader reader = fk_reader_of(node->stat);
        struct fk_stat stat;
        fk_read_stat(&reader, &stat);
        sim_ref_plant(&check->tree, node->path, node->data, node->acl, &stat);
    }
}

/* The ground log as the simulator kept it: dense and in order, else nothing behind the flaw can be judged (C11). */
static void take_ground(struct check *check)
{
    const struct sim_history *history = check->history;
    check->first_zxid = history->first_zxid;
    check->ground = history->ground;
    for (size_t i = 0; i < history->ground_count; i++) {
        int64_t wanted = history->first_zxid + 1 + (int64_t)i;
        if (history->ground[i].zxid != wanted) {
            check_fail(check, "C11",
                       "zxids are a total order without gaps: zxid %" PRId64 " was committed where %" PRId64
                       " was next",
                       history->ground[i].zxid, wanted);
            break;
        }
        check->ground_count = i + 1;
    }
    check->last_zxid = check->first_zxid + (int64_t)check->ground_count;
}

size_t sim_check(const struct sim_history *history, const struct sim_check_options *options,
                 struct sim_check_counts *counts, sim_check_fn violation, void *context)
{
    struct check check = {
        .history = history, .options = *options, .violation = violation, .context = context, .bump = SIM_BUMP_EMPTY};
    check_plant(&check);
    check_parse(&check);
    if (history->has_ground) {
        take_ground(&check);
    } else {
        check_rebuild(&check);
    }
    check.times = sim_bump_alloc(&check.bump, (check.ground_count + 1) * sizeof *check.times);
    if (!check.counts.undecided) {
        check_writes(&check);
        check_reads(&check);
        check_sessions(&check);
        check_final(&check);
    }
    if (counts != NULL) {
        *counts = check.counts;
    }
    sim_bump_deinit(&check.bump);
    return check.violations;
}
