// SPDX-License-Identifier: Apache-2.0
/* C5: what a connection watches, and the events to come. For each watch the model knows the one event to come (the
 * first one behind its setpoint that it hears); it must come before any answer that shows its zxid or a later one, in
 * zxid order, once, and never to somebody who may not read the node (C13). Persistent watches hear every event, in the
 * model's order.
 *
 * What a watch re-registered by setWatches must tell is decided by what its path is at some moment between the attach
 * and the answer: an event that came in between may be of either kind, a catch-up event or the change itself. */
#include "sim/check_watches.h"

#include <inttypes.h>

/* Identities only grow (addauth), so what the gateway knew for sure allows whatever it knew besides. */
static bool must_hear(const struct check_connection *connection, const struct sim_ref_event *event)
{
    return sim_ref_allows(event->acl, FK_PERM_READ, connection->sure);
}

bool check_watch_may_hear(const struct check_connection *connection, const struct sim_ref_event *event)
{
    return sim_ref_allows(event->acl, FK_PERM_READ, connection->past);
}

static unsigned mask_of(enum check_watch_kind kind)
{
    switch (kind) {
    case CHECK_WATCH_CHILD:
        return SIM_REF_WATCH_CHILD;
    case CHECK_WATCH_PERSISTENT:
        return SIM_REF_WATCH_DATA | SIM_REF_WATCH_CHILD;
    case CHECK_WATCH_DATA:
    case CHECK_WATCH_EXIST:
    case CHECK_WATCH_RECURSIVE:
        break;
    }
    return SIM_REF_WATCH_DATA;
}

bool check_watch_persistent(const struct check_watch *watch)
{
    return watch->kind == CHECK_WATCH_PERSISTENT || watch->kind == CHECK_WATCH_RECURSIVE;
}

/* Whether `path` is `root` or stands below it. */
static bool below(const struct sim_ref_path *path, const struct sim_ref_path *root)
{
    while (path != NULL && path != root) {
        path = path->parent;
    }
    return path != NULL;
}

bool check_watch_heard(const struct check_watch *watch, const struct sim_ref_event *event)
{
    bool there = watch->kind == CHECK_WATCH_RECURSIVE ? below(event->path, watch->path) : event->path == watch->path;
    return there && (event->watches & mask_of(watch->kind)) != 0;
}

/* Index of the first event of a list behind a zxid. */
size_t check_watch_first_after(struct sim_ref_event *const *events, size_t count, int64_t zxid)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (events[middle]->zxid <= zxid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool check_watch_was_early(const struct check_watch *watch, const struct sim_ref_event *event)
{
    const struct check_early *early = watch->early;
    while (early != NULL && early->event != event) {
        early = early->next;
    }
    return early != NULL;
}

/* The first event that the watch hears behind its setpoint, and behind event `after` if there is one. */
void check_watch_find_due(const struct check *check, const struct check_connection *connection,
                          struct check_watch *watch, const struct sim_ref_event *after)
{
    bool all = watch->kind == CHECK_WATCH_RECURSIVE;
    struct sim_ref_event *const *events = all ? check->tree.events : watch->path->events;
    size_t count = all ? check->tree.event_count : watch->path->event_count;
    watch->due = NULL;
    watch->hidden = NULL;
    for (size_t i = check_watch_first_after(events, count, after == NULL ? watch->setpoint : after->zxid - 1);
         i < count; i++) {
        const struct sim_ref_event *event = events[i];
        if (!check_watch_heard(watch, event) || check_watch_was_early(watch, event) ||
            (after != NULL && event->index <= after->index)) {
            continue;
        }
        if (must_hear(connection, event)) {
            watch->due = event;
            return;
        }
        if (!check_watch_persistent(watch)) {
            watch->hidden = event; /* it is gone without a word, or with one */
            return;
        }
    }
}

void check_watch_update_due(struct check_connection *connection)
{
    connection->due_zxid = INT64_MAX;
    for (const struct check_watch *watch = connection->watches; watch != NULL; watch = watch->next) {
        if (watch->due != NULL && watch->due->zxid < connection->due_zxid) {
            connection->due_zxid = watch->due->zxid;
        }
    }
}

static struct check_watch *find_watch(struct check_connection *connection, enum check_watch_kind kind,
                                      const struct sim_ref_path *path)
{
    struct check_watch *watch = connection->watches;
    while (watch != NULL && (watch->request != NULL || watch->kind != kind || watch->path != path)) {
        watch = watch->next;
    }
    return watch;
}

/* Paths that nobody ever wrote have no events: they get a place in the model here. */
static struct sim_ref_path *path_of(struct check *check, struct fk_bytes bytes)
{
    struct sim_ref_path *path = sim_ref_find(&check->tree, bytes);
    if (path == NULL) {
        path = sim_bump_alloc(&check->bump, sizeof *path);
        path->path = bytes;
        path->hash = sim_ref_hash(bytes);
        path->next_in_bucket = check->tree.buckets[path->hash % SIM_REF_BUCKETS];
        check->tree.buckets[path->hash % SIM_REF_BUCKETS] = path;
    }
    return path;
}

static void activate(struct check *check, struct check_connection *connection, enum check_watch_kind kind,
                     struct sim_ref_path *path, int64_t setpoint)
{
    struct check_watch *watch = find_watch(connection, kind, path);
    if (watch == NULL) {
        watch = sim_bump_alloc(&check->bump, sizeof *watch);
        watch->kind = kind;
        watch->path = path;
        watch->next = connection->watches;
        connection->watches = watch;
    } else if (watch->due != NULL) {
        return; /* it is there already, nothing has fired since */
    }
    watch->setpoint = setpoint;
    check_watch_find_due(check, connection, watch, NULL);
    check_watch_update_due(connection);
    check->counts.watches++;
}

/* --- registrations --- */

static void pend(struct check *check, struct check_connection *connection, const struct check_request *request,
                 enum check_watch_kind kind, struct fk_bytes path, int64_t relative_zxid)
{
    struct check_watch *watch = sim_bump_alloc(&check->bump, sizeof *watch);
    *watch = (struct check_watch){.next = connection->watches,
                                  .kind = kind,
                                  .path = path_of(check, path),
                                  .setpoint = connection->lo,
                                  .request = request,
                                  .relative_zxid = relative_zxid};
    connection->watches = watch;
}

static void pend_lists(struct check *check, struct check_connection *connection, const struct check_request *request)
{
    static const enum check_watch_kind kinds[] = {CHECK_WATCH_DATA, CHECK_WATCH_EXIST, CHECK_WATCH_CHILD,
                                                  CHECK_WATCH_PERSISTENT, CHECK_WATCH_RECURSIVE};
    struct fk_reader reader = fk_reader_of(request->body);
    int64_t relative_zxid = fk_read_i64(&reader);
    size_t lists = request->op == FK_OP_SET_WATCHES ? 3 : 5;
    for (size_t list = 0; list < lists; list++) {
        int32_t count = fk_read_count(&reader, 4);
        for (int32_t i = 0; i < count; i++) {
            pend(check, connection, request, kinds[list], fk_read_bytes(&reader), relative_zxid);
        }
    }
}

void check_watch_sent(struct check *check, struct check_connection *connection, const struct check_request *request)
{
    struct fk_reader reader = fk_reader_of(request->body);
    connection->past = request->ids;
    if (request->op == FK_OP_SET_WATCHES || request->op == FK_OP_SET_WATCHES2) {
        pend_lists(check, connection, request);
    } else if (request->op == FK_OP_ADD_WATCH) {
        struct fk_bytes path = fk_read_bytes(&reader);
        int32_t mode = fk_read_i32(&reader);
        pend(check, connection, request, mode == 1 ? CHECK_WATCH_RECURSIVE : CHECK_WATCH_PERSISTENT, path, 0);
    }
}

/* The catch-up event that setWatches owes for a path in a state; 0: none, the watch is set. */
int32_t check_watch_owed(const struct check_watch *watch, const struct sim_ref_state *state)
{
    switch (watch->kind) {
    case CHECK_WATCH_DATA:
        return !state->exists ? FK_EVENT_DELETED : state->mzxid > watch->relative_zxid ? FK_EVENT_DATA_CHANGED : 0;
    case CHECK_WATCH_EXIST:
        return state->exists ? FK_EVENT_CREATED : 0;
    case CHECK_WATCH_CHILD:
        return !state->exists ? FK_EVENT_DELETED : state->pzxid > watch->relative_zxid ? FK_EVENT_CHILDREN_CHANGED : 0;
    case CHECK_WATCH_PERSISTENT:
    case CHECK_WATCH_RECURSIVE:
        break;
    }
    return 0;
}

/* A deletion told once stands for all watches of the path. */
static bool told_deleted(const struct check_connection *connection, const struct check_watch *of)
{
    for (const struct check_watch *watch = connection->watches; watch != NULL; watch = watch->next) {
        if (watch->request == of->request && watch->path == of->path && watch->delivered == FK_EVENT_DELETED) {
            return true;
        }
    }
    return false;
}

/* The answer is there: what was owed must have come, the rest is set. */
static void confirm(struct check *check, struct check_connection *connection, const struct check_request *request,
                    const struct check_watch *watch)
{
    const struct sim_ref_state *state = sim_ref_state_at(watch->path, request->zxid);
    if (watch->delivered != 0 && !check_watch_persistent(watch)) {
        check->counts.events++;
        return;
    }
    int32_t missing = check_watch_owed(watch, state);
    bool readable = !state->exists || sim_ref_allows(state->acl, FK_PERM_READ, request->ids);
    if (missing != 0 && readable && !told_deleted(connection, watch)) {
        check_fail(check, "C5",
                   "a watch set again tells of what changed meanwhile: %s for %.*s relative to zxid %" PRId64
                   " gave no event of type %d",
                   check_words(request), (int)watch->path->path.size, (const char *)watch->path->path.data,
                   watch->relative_zxid, missing);
        return;
    }
    if (missing == 0 || !readable) {
        enum check_watch_kind kind = watch->kind == CHECK_WATCH_EXIST ? CHECK_WATCH_DATA : watch->kind;
        activate(check, connection, kind, watch->path, request->zxid);
    }
}

static void settle(struct check *check, struct check_connection *connection, const struct check_request *request)
{
    for (struct check_watch *watch = connection->watches; watch != NULL; watch = watch->next) {
        if (watch->request == request && request->code == FK_CODE_OK) {
            confirm(check, connection, request, watch);
        }
    }
    struct check_watch **link = &connection->watches;
    while (*link != NULL) {
        if ((*link)->request == request) {
            *link = (*link)->next;
        } else {
            link = &(*link)->next;
        }
    }
}

void check_watch_reply(struct check *check, struct check_connection *connection, const struct check_request *request)
{
    struct fk_watch_request watch;
    struct fk_reader reader = fk_reader_of(request->body);
    bool missing = request->op == FK_OP_EXISTS && request->code == FK_CODE_NO_NODE;
    switch (request->op) {
    case FK_OP_SET_WATCHES:
    case FK_OP_SET_WATCHES2:
    case FK_OP_ADD_WATCH:
        settle(check, connection, request);
        break;
    case FK_OP_REMOVE_WATCHES:
    case FK_OP_CHECK_WATCHES:
        check_watch_removed(check, connection, request);
        break;
    case FK_OP_EXISTS:
    case FK_OP_GET_DATA:
    case FK_OP_GET_CHILDREN:
    case FK_OP_GET_CHILDREN2:
        fk_read_watch_request(&reader, &watch);
        if (watch.watch && (request->code == FK_CODE_OK || missing)) {
            bool data = request->op == FK_OP_EXISTS || request->op == FK_OP_GET_DATA;
            activate(check, connection, data ? CHECK_WATCH_DATA : CHECK_WATCH_CHILD, path_of(check, watch.path),
                     request->zxid);
        }
        break;
    default:
        break;
    }
}
