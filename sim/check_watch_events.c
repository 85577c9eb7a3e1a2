// SPDX-License-Identifier: Apache-2.0
/* C5: the events that came, against those that had to (check_watches.c). */
#include "sim/check_watches.h"

#include <inttypes.h>

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
    check_watch_update_due(connection);
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
        if (watch->due == NULL || !watch->due->closing || !check_watch_persistent(watch)) {
            continue;
        }
        for (size_t i = watch->due->index;
             i < check->tree.event_count && check->tree.events[i]->zxid == watch->due->zxid; i++) {
            const struct sim_ref_event *event = check->tree.events[i];
            if (is_event(event, got, zxid) && check_watch_heard(watch, event) &&
                check_watch_may_hear(connection, event) && !check_watch_was_early(watch, event)) {
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
        size_t at = check_watch_first_after(check->tree.events, check->tree.event_count, watch->setpoint);
        for (; at < check->tree.event_count && check_watch_persistent(watch) && watch->request == NULL; at++) {
            const struct sim_ref_event *event = check->tree.events[at];
            bool passed = watch->due == NULL || watch->due->index > event->index;
            if (passed && event->index >= connection->event_index && is_event(event, got, zxid) &&
                check_watch_heard(watch, event) && check_watch_may_hear(connection, event) &&
                !check_watch_was_early(watch, event)) {
                return event;
            }
        }
    }
    return NULL;
}

static void hear_early(struct check *check, struct check_watch *watch, const struct sim_ref_event *event)
{
    if (check_watch_persistent(watch) && watch->due != NULL && watch->due->zxid == event->zxid &&
        check_watch_heard(watch, event)) {
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
        } else if (check_watch_persistent(watch)) {
            check_watch_find_due(check, connection, watch, event);
            link = &watch->next;
        } else {
            *link = watch->next;
        }
    }
    check_watch_update_due(connection);
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
    if (check_watch_owed(watch, sim_ref_state_at(watch->path, watch->setpoint)) == type) {
        return true;
    }
    for (size_t i = 0; i < watch->path->count; i++) {
        const struct sim_ref_state *state = &watch->path->states[i];
        if (state->zxid > watch->setpoint && state->zxid <= upper && check_watch_owed(watch, state) == type) {
            return true;
        }
    }
    return false;
}

/* Whether the persistent watch under way may have heard this. */
static bool passed_by(const struct check *check, const struct check_watch *watch, const struct fk_watcher_event *got,
                      int64_t zxid)
{
    for (size_t i = check_watch_first_after(check->tree.events, check->tree.event_count, watch->setpoint);
         i < check->tree.event_count; i++) {
        const struct sim_ref_event *event = check->tree.events[i];
        if (is_event(event, got, zxid) && check_watch_heard(watch, event)) {
            return true;
        }
    }
    return false;
}

static bool may_take(const struct check *check, const struct check_watch *watch, const struct fk_watcher_event *got)
{
    return watch->request != NULL && !check_watch_persistent(watch) && watch->delivered == 0 &&
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
        taken = watch->request != NULL && check_watch_persistent(watch) && passed_by(check, watch, got, zxid);
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
    if (event != NULL && check_watch_may_hear(connection, event)) {
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
