// SPDX-License-Identifier: Apache-2.0
/* C5: the events of a connection. For each watch the model knows the one event to come (the first one behind its
 * setpoint that it hears); it must come before any answer that shows its zxid or a later one, in zxid order, once, and
 * never to somebody who may not read the node (C13). Persistent watches hear every event, in the model's order.
 *
 * What a watch re-registered by setWatches must tell is decided by what its path is at some moment between the attach
 * and the answer: an event that came in between may be of either kind, a catch-up event or the change itself. */
#include "sim/check_internal.h"

#include <inttypes.h>

/* Identities only grow (addauth), so what the gateway knew for sure allows whatever it knew besides. */
static bool must_hear(const struct check_connection *connection, const struct sim_ref_event *event)
{
    return sim_ref_allows(event->acl, FK_PERM_READ, connection->sure);
}

static bool may_hear(const struct check_connection *connection, const struct sim_ref_event *event)
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

static bool persistent(const struct check_watch *watch)
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

static bool heard(const struct check_watch *watch, const struct sim_ref_event *event)
{
    bool there = watch->kind == CHECK_WATCH_RECURSIVE ? below(event->path, watch->path) : event->path == watch->path;
    return there && (event->watches & mask_of(watch->kind)) != 0;
}

/* Index of the first event of a list behind a zxid. */
static size_t first_after(struct sim_ref_event *const *events, size_t count, int64_t zxid)
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

static bool was_early(const struct check_watch *watch, const struct sim_ref_event *event)
{
    const struct check_early *early = watch->early;
    while (early != NULL && early->event != event) {
        early = early->next;
    }
    return early != NULL;
}

/* The first event that the watch hears behind its setpoint, and behind event `after` if there is one. */
static void find_due(const struct check *check, const struct check_connection *connection, struct check_watch *watch,
                     const struct sim_ref_event *after)
{
    bool all = watch->kind == CHECK_WATCH_RECURSIVE;
    struct sim_ref_event *const *events = all ? check->tree.events : watch->path->events;
    size_t count = all ? check->tree.event_count : watch->path->event_count;
    watch->due = NULL;
    watch->hidden = NULL;
    for (size_t i = first_after(events, count, after == NULL ? watch->setpoint : after->zxid - 1); i < count; i++) {
        const struct sim_ref_event *event = events[i];
        if (!heard(watch, event) || was_early(watch, event) || (after != NULL && event->index <= after->index)) {
            continue;
        }
        if (must_hear(connection, event)) {
            watch->due = event;
            return;
        }
        if (!persistent(watch)) {
            watch->hidden = event; /* it is gone without a word, or with one */
            return;
        }
    }
}

static void update_due(struct check_connection *connection)
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
    find_due(check, connection, watch, NULL);
    update_due(connection);
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
static int32_t owed(const struct check_watch *watch, const struct sim_ref_state *state)
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
    if (watch->delivered != 0 && !persistent(watch)) {
        check->counts.events++;
        return;
    }
    int32_t missing = owed(watch, state);
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

/* --- events --- */

static const char *type_name(int32_t type)
{
    static const char *const names[] = {"0", "NodeCreated", "NodeDeleted", "NodeDataChanged", "NodeChildrenChanged"};
    return type >= 1 && type <= 4 ? names[type] : names[0];
}

void check_watch_due(struct check *check, struct check_connection *connection, const struct check_request *request)
{
    if (connection->due_zxid > request->zxid) {
        return;
    }
    const struct check_session *session = connection->session;
    /* What the end of its own session removes is not told to a session. */
    bool over = session != NULL && session->close_zxid != 0 && request->op == FK_OP_CLOSE_SESSION;
    for (struct check_watch *watch = connection->watches; watch != NULL && !over; watch = watch->next) {
        if (watch->due == NULL || watch->due->zxid > request->zxid) {
            continue;
        }
        check_fail(check, "C5",
                   "an event comes before anything that shows its change: %s came before %s of %.*s at zxid %" PRId64
                   ", watched since zxid %" PRId64,
                   check_words(request), type_name(watch->due->type), (int)watch->due->path->path.size,
                   (const char *)watch->due->path->path.data, watch->due->zxid, watch->setpoint);
        watch->due = NULL;
    }
    update_due(connection);
}

static bool is_event(const struct sim_ref_event *event, const struct fk_watcher_event *got, int64_t zxid)
{
    return event != NULL && event->type == got->type && (zxid <= 0 || event->zxid == zxid) &&
           fk_bytes_equal(event->path->path, got->path);
}

/* The first event to come that this one can be. */
static const struct sim_ref_event *find_event(const struct check_connection *connection,
                                              const struct fk_watcher_event *got, int64_t zxid)
{
    const struct sim_ref_event *found = NULL;
    for (const struct check_watch *watch = connection->watches; watch != NULL; watch = watch->next) {
        if (is_event(watch->due, got, zxid) && (found == NULL || watch->due->index < found->index)) {
            found = watch->due;
        }
    }
    return found;
}

/* A persistent watch hears all that the end of a session removes, in no order that is promised: the event may be a
 * later one of the same zxid than the one that is due. */
static const struct sim_ref_event *find_unordered(const struct check *check, const struct check_connection *connection,
                                                  const struct fk_watcher_event *got, int64_t zxid)
{
    for (const struct check_watch *watch = connection->watches; watch != NULL; watch = watch->next) {
        if (watch->due == NULL || !watch->due->closing || !persistent(watch)) {
            continue;
        }
        for (size_t i = watch->due->index;
             i < check->tree.event_count && check->tree.events[i]->zxid == watch->due->zxid; i++) {
            const struct sim_ref_event *event = check->tree.events[i];
            if (is_event(event, got, zxid) && heard(watch, event) && may_hear(connection, event) &&
                !was_early(watch, event)) {
                return event;
            }
        }
    }
    return NULL;
}

/* An event that a persistent watch was not sure to hear, as nobody knows which identities the gateway knew then. */
static const struct sim_ref_event *find_unsure(const struct check *check, const struct check_connection *connection,
                                               const struct fk_watcher_event *got, int64_t zxid)
{
    for (const struct check_watch *watch = connection->watches; watch != NULL; watch = watch->next) {
        size_t at = first_after(check->tree.events, check->tree.event_count, watch->setpoint);
        for (; at < check->tree.event_count && persistent(watch) && watch->request == NULL; at++) {
            const struct sim_ref_event *event = check->tree.events[at];
            bool passed = watch->due == NULL || watch->due->index > event->index;
            if (passed && event->index >= connection->event_index && is_event(event, got, zxid) &&
                heard(watch, event) && may_hear(connection, event) && !was_early(watch, event)) {
                return event;
            }
        }
    }
    return NULL;
}

static void hear_early(struct check *check, struct check_watch *watch, const struct sim_ref_event *event)
{
    if (persistent(watch) && watch->due != NULL && watch->due->zxid == event->zxid && heard(watch, event)) {
        struct check_early *early = sim_bump_alloc(&check->bump, sizeof *early);
        early->event = event;
        early->next = watch->early;
        watch->early = early;
    }
}

/* All watches that waited for it have it now. */
static void consume(struct check *check, struct check_connection *connection, const struct sim_ref_event *event)
{
    struct check_watch **link = &connection->watches;
    while (*link != NULL) {
        struct check_watch *watch = *link;
        if (watch->due != event) {
            hear_early(check, watch, event);
            link = &watch->next;
        } else if (persistent(watch)) {
            find_due(check, connection, watch, event);
            link = &watch->next;
        } else {
            *link = watch->next;
        }
    }
    update_due(connection);
    check->counts.events++;
}

static void check_event_order(struct check *check, struct check_connection *connection,
                              const struct sim_ref_event *event)
{
    if (connection->due_zxid < event->zxid) {
        check_fail(check, "C5",
                   "events of a connection come in zxid order: %s of %.*s at zxid %" PRId64
                   " came to connection %u before the one of zxid %" PRId64,
                   type_name(event->type), (int)event->path->path.size, (const char *)event->path->path.data,
                   event->zxid, connection->index, connection->due_zxid);
    }
    if (event->zxid < connection->event_zxid ||
        (event->zxid == connection->event_zxid && !event->closing && event->index < connection->event_index)) {
        check_fail(check, "C5",
                   "events of a connection come in zxid order: %s of %.*s at zxid %" PRId64
                   " came to connection %u after one of zxid %" PRId64,
                   type_name(event->type), (int)event->path->path.size, (const char *)event->path->path.data,
                   event->zxid, connection->index, connection->event_zxid);
    }
    connection->event_zxid = event->zxid;
    connection->event_index = event->index + 1;
}

static bool list_may_tell(const struct check_watch *watch, int32_t type)
{
    switch (watch->kind) {
    case CHECK_WATCH_DATA:
        return type == FK_EVENT_DELETED || type == FK_EVENT_DATA_CHANGED;
    case CHECK_WATCH_EXIST:
        return type == FK_EVENT_CREATED;
    case CHECK_WATCH_CHILD:
        return type == FK_EVENT_DELETED || type == FK_EVENT_CHILDREN_CHANGED;
    case CHECK_WATCH_PERSISTENT:
    case CHECK_WATCH_RECURSIVE:
        break;
    }
    return false;
}

/* Whether some state between the attach and the answer (or now) calls for this event. */
static bool justified(const struct check *check, const struct check_watch *watch, int32_t type)
{
    int64_t upper = watch->request->replied_ns >= 0 ? watch->request->zxid : check->last_zxid;
    if (owed(watch, sim_ref_state_at(watch->path, watch->setpoint)) == type) {
        return true;
    }
    for (size_t i = 0; i < watch->path->count; i++) {
        const struct sim_ref_state *state = &watch->path->states[i];
        if (state->zxid > watch->setpoint && state->zxid <= upper && owed(watch, state) == type) {
            return true;
        }
    }
    return false;
}

/* Whether the persistent watch under way may have heard this. */
static bool passed_by(const struct check *check, const struct check_watch *watch, const struct fk_watcher_event *got,
                      int64_t zxid)
{
    for (size_t i = first_after(check->tree.events, check->tree.event_count, watch->setpoint);
         i < check->tree.event_count; i++) {
        const struct sim_ref_event *event = check->tree.events[i];
        if (is_event(event, got, zxid) && heard(watch, event)) {
            return true;
        }
    }
    return false;
}

static bool may_take(const struct check *check, const struct check_watch *watch, const struct fk_watcher_event *got)
{
    return watch->request != NULL && !persistent(watch) && watch->delivered == 0 &&
           fk_bytes_equal(watch->path->path, got->path) && list_may_tell(watch, got->type) &&
           justified(check, watch, got->type);
}

/* The watch under way that a catch-up event is for: servers go through the lists in the order of their kinds. */
static struct check_watch *first_owed(const struct check *check, const struct check_connection *connection,
                                      const struct fk_watcher_event *got)
{
    struct check_watch *first = NULL;
    for (struct check_watch *watch = connection->watches; watch != NULL; watch = watch->next) {
        if (may_take(check, watch, got) && (first == NULL || watch->kind < first->kind)) {
            first = watch;
        }
    }
    return first;
}

/* An event for a registration under way. */
static bool take_early(struct check *check, struct check_connection *connection, const struct fk_watcher_event *got,
                       int64_t zxid)
{
    bool taken = false;
    struct check_watch *owed_one = first_owed(check, connection, got);
    while (owed_one != NULL && !(taken && zxid <= 0)) {
        owed_one->delivered = got->type;
        taken = true;
        owed_one = first_owed(check, connection, got);
    }
    for (struct check_watch *watch = connection->watches; watch != NULL && !taken; watch = watch->next) {
        taken = watch->request != NULL && persistent(watch) && passed_by(check, watch, got, zxid);
    }
    return taken;
}

static const struct sim_ref_event *find_hidden(const struct check_connection *connection,
                                               const struct fk_watcher_event *got, int64_t zxid)
{
    const struct check_watch *watch = connection->watches;
    while (watch != NULL && !is_event(watch->hidden, got, zxid)) {
        watch = watch->next;
    }
    return watch == NULL ? NULL : watch->hidden;
}

/* Nobody waited for it: an event twice, one that is too early, or one that never was. */
static void reject(struct check *check, const struct check_connection *connection, const struct fk_watcher_event *got,
                   int64_t zxid)
{
    const struct sim_ref_event *event = find_hidden(connection, got, zxid);
    if (event != NULL && may_hear(connection, event)) {
        return; /* it may have been allowed to when the change was made */
    }
    bool hidden = event != NULL;
    check_fail(check, hidden ? "C13" : "C5", "%s: %s of %.*s at zxid %" PRId64 " on connection %u",
               hidden ? "whoever may not read a node hears nothing of it"
                      : "each change that a watch waits for is told once, and nothing else is",
               type_name(got->type), (int)got->path.size, (const char *)got->path.data, zxid, connection->index);
}

void check_watch_event(struct check *check, struct check_connection *connection, int64_t zxid, struct fk_bytes body)
{
    struct fk_watcher_event got;
    struct fk_reader reader = fk_reader_of(body);
    fk_read_watcher_event(&reader, &got);
    const struct sim_ref_event *event = find_event(connection, &got, zxid);
    event = event == NULL ? find_unordered(check, connection, &got, zxid) : event;
    event = event == NULL ? find_unsure(check, connection, &got, zxid) : event;
    if (event != NULL) {
        (void)take_early(check, connection, &got, event->zxid);
        check_event_order(check, connection, event);
        consume(check, connection, event);
        connection->lo = event->zxid > connection->lo ? event->zxid : connection->lo;
    } else if (!take_early(check, connection, &got, zxid)) {
        reject(check, connection, &got, zxid);
    }
    if (zxid > check->last_zxid) {
        check_fail(check, "C11",
                   "zxids that clients are shown are committed: an event on connection %u has zxid %" PRId64,
                   connection->index, zxid);
    }
}

/* What was committed just before the end may be on its way. */
static bool on_its_way(const struct check *check, int64_t zxid)
{
    const int64_t way_ns = INT64_C(10) * 1000000000;
    const struct sim_ground *entry = check_ground_at(check, zxid);
    return entry != NULL && entry->time_ns > check->history->end_ns - way_ns;
}

void check_watch_end(struct check *check, struct check_connection *connection)
{
    const struct check_session *session = connection->session;
    bool open = connection->accepted && !connection->lost && session->close_zxid == 0;
    if (!open || check->history->end_ns == 0) {
        return;
    }
    for (const struct check_watch *watch = connection->watches; watch != NULL; watch = watch->next) {
        if (watch->due != NULL && !on_its_way(check, watch->due->zxid)) {
            check_fail(check, "C5",
                       "no event is lost: %s of %.*s at zxid %" PRId64 " never came to connection %u, which watched "
                       "since zxid %" PRId64,
                       type_name(watch->due->type), (int)watch->due->path->path.size,
                       (const char *)watch->due->path->path.data, watch->due->zxid, connection->index, watch->setpoint);
        }
    }
}
