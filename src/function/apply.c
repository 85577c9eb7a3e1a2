// SPDX-License-Identifier: Apache-2.0
#include "function/apply.h"

#include "base/mutant.h"
#include "model/path.h"
#include "model/quota.h"

enum {
    EVENTS_FIRST = 4,
};

/* --- the chain of events --- */

static void set_lastev(struct fk_overlay *overlay, int64_t gateway, int64_t zxid)
{
    struct fk_gateway_zxids *set = &overlay->zx.lastev;
    size_t at = 0;
    while (at < set->count && set->items[at].gateway < gateway) {
        at++;
    }
    if (at < set->count && set->items[at].gateway == gateway) {
        set->items[at].zxid = zxid;
        set->items[at].settled = set->items[at].settled && FK_MUTANT(SETTLED_FOR_GOOD);
        return;
    }
    if (set->count == overlay->lastev_capacity) {
        size_t capacity = 2 * set->count + EVENTS_FIRST;
        struct fk_gateway_zxid *items =
            (struct fk_gateway_zxid *)fk_arena_alloc(overlay->arena, capacity * sizeof *items);
        if (items == NULL) {
            overlay->err = FK_ERR_NOMEM;
            return;
        }
        if (set->count > 0) {
            memcpy(items, set->items, set->count * sizeof *items);
        }
        set->items = items;
        overlay->lastev_capacity = capacity;
    }
    memmove(set->items + at + 1, set->items + at, (set->count - at) * sizeof *set->items);
    set->items[at] = (struct fk_gateway_zxid){.gateway = gateway, .zxid = zxid};
    set->count++;
}

/* The events record of a change, the newest one; made with its first event. */
static struct fk_overlay_events *events_of(struct fk_overlay *overlay, int64_t zxid)
{
    if (!fk_list_empty(&overlay->events)) {
        struct fk_overlay_events *last = FK_CONTAINER_OF(overlay->events.prev, struct fk_overlay_events, link);
        if (last->record.zxid == zxid) {
            return last;
        }
    }
    struct fk_overlay_events *events = (struct fk_overlay_events *)fk_arena_alloc(overlay->arena, sizeof *events);
    if (events == NULL) {
        overlay->err = FK_ERR_NOMEM;
        return NULL;
    }
    *events = (struct fk_overlay_events){.record = {.zxid = zxid}};
    fk_list_init(&events->link);
    fk_list_append(&overlay->events, &events->link);
    return events;
}

/* The part of a gateway in a change's events; with its first one the gateway's chain goes on. */
static struct fk_gateway_events *gateway_of(struct fk_overlay *overlay, struct fk_overlay_events *events,
                                            int64_t gateway)
{
    struct fk_events_record *record = &events->record;
    for (size_t i = 0; i < record->count; i++) {
        if (record->gateways[i].gateway == gateway) {
            return &record->gateways[i];
        }
    }
    if (record->count == events->capacity) {
        size_t capacity = 2 * events->capacity + EVENTS_FIRST;
        struct fk_gateway_events *all =
            (struct fk_gateway_events *)fk_arena_alloc(overlay->arena, capacity * sizeof *all);
        if (all == NULL) {
            overlay->err = FK_ERR_NOMEM;
            return NULL;
        }
        if (record->count > 0) {
            memcpy(all, record->gateways, record->count * sizeof *all);
        }
        record->gateways = all;
        events->capacity = capacity;
    }
    struct fk_gateway_events *added = &record->gateways[record->count++];
    *added = (struct fk_gateway_events){.gateway = gateway, .prev = fk_overlay_lastev(overlay, gateway)};
    set_lastev(overlay, gateway, record->zxid);
    return added;
}

/* The same event, not only an equal one: a multi that changes a node twice tells persistent watches twice
 * (DataTree.processTxn). */
static bool same_entry(const struct fk_event_entry *a, const struct fk_event_entry *b)
{
    return a->kind == FK_ENTRY_NODE && b->kind == FK_ENTRY_NODE && a->origin == b->origin &&
           a->origin_index == b->origin_index;
}

/* Nobody is told of an event twice, whoever watches it how often. */
static void add_entry(struct fk_overlay *overlay, int64_t zxid, int64_t gateway, const struct fk_event_entry *entry)
{
    if (!fk_overlay_alive(overlay, gateway)) {
        return;
    }
    struct fk_overlay_events *events = events_of(overlay, zxid);
    struct fk_gateway_events *mine = events == NULL ? NULL : gateway_of(overlay, events, gateway);
    if (mine == NULL || (mine->count > 0 && same_entry(&mine->entries[mine->count - 1], entry))) {
        return;
    }
    if ((mine->count & (mine->count - 1)) == 0) { /* full at 0 and at powers of two */
        size_t capacity = mine->count == 0 ? 1 : 2 * mine->count;
        struct fk_event_entry *entries =
            (struct fk_event_entry *)fk_arena_alloc(overlay->arena, capacity * sizeof *entries);
        if (entries == NULL) {
            overlay->err = FK_ERR_NOMEM;
            return;
        }
        if (mine->count > 0) {
            memcpy(entries, mine->entries, mine->count * sizeof *entries);
        }
        mine->entries = entries;
    }
    mine->entries[mine->count++] = *entry;
}

void fk_apply_session_gone(struct fk_overlay *overlay, int64_t zxid, int64_t gateway, int64_t session_id, int64_t epoch,
                           enum fk_gone gone)
{
    struct fk_event_entry entry = {
        .kind = FK_ENTRY_SESSION_GONE, .session_id = session_id, .epoch = epoch, .gone = gone};
    if (FK_MUTANT(SESSION_GONE_NOT_TOLD)) {
        return;
    }
    add_entry(overlay, zxid, gateway, &entry);
}

/* --- watches --- */

static bool dead(struct fk_overlay *overlay, int64_t gateway)
{
    return !fk_overlay_alive(overlay, gateway) && overlay->err == FK_OK;
}

/* Fires the subscriptions of one path; one-shot ones are used up, those of dead gateways go (protocol.md H14). */
static void fire_path(struct fk_overlay *overlay, int64_t zxid, const struct fk_event *event,
                      const struct fk_event_entry *entry)
{
    struct fk_overlay_node *node = fk_overlay_node(overlay, event->path);
    if (node == NULL) {
        return;
    }
    struct fk_subscriptions *subs = &node->record.subs;
    size_t kept = 0;
    for (size_t i = 0; i < subs->count; i++) {
        struct fk_subscription sub = subs->items[i];
        bool heard = (sub.kinds & (event->kinds | FK_WATCH_PERSISTENT)) != 0;
        if (heard) {
            add_entry(overlay, zxid, sub.gateway, entry);
            sub.kinds &= FK_MUTANT(FIRED_NOT_REMOVED) ? ~0U : ~event->kinds;
        }
        if (sub.kinds != 0 && !(heard && dead(overlay, sub.gateway))) {
            subs->items[kept++] = sub;
        }
    }
    if (kept != subs->count && !node->item->put) {
        fk_overlay_put(overlay, node->item); /* a parent is put anyway; kept for what is not */
    }
    subs->count = kept;
}

static bool is_at_or_below(struct fk_bytes path, struct fk_bytes top)
{
    if (top.size == 1) { /* "/" */
        return true;
    }
    return path.size >= top.size && memcmp(path.data, top.data, top.size) == 0 &&
           (path.size == top.size || path.data[top.size] == '/');
}

/* Recursive watches hear of nodes, not of lists of children (PersistentRecursive, WatchManager). */
static void fire_recursive(struct fk_overlay *overlay, int64_t zxid, const struct fk_event *event,
                           const struct fk_event_entry *entry)
{
    if (event->type == FK_EVENT_CHILDREN_CHANGED) {
        return;
    }
    for (size_t i = 0; i < overlay->recursive.count && !FK_MUTANT(RECURSIVE_NOT_READ); i++) {
        const struct fk_recursive_subscription *sub = &overlay->recursive.items[i];
        if (is_at_or_below(event->path, sub->path)) {
            add_entry(overlay, zxid, sub->gateway, entry);
        }
    }
}

/* The list that decides who may hear of an event: of the node it names, at that put. */
static struct fk_bytes event_acl(struct fk_overlay *overlay, const struct fk_change *change, const struct fk_put *put,
                                 const struct fk_event *event)
{
    if (event->type != FK_EVENT_CHILDREN_CHANGED) {
        return put->node.acl;
    }
    struct fk_overlay_node *parent = fk_overlay_node(overlay, event->path);
    if (parent == NULL) {
        return FK_BYTES_NULL;
    }
    struct fk_node after = parent->record.node;
    if (!parent->record.exists) {
        after.path = FK_BYTES_NULL;
    }
    return fk_change_parent_acl(change, put, event->path, &after);
}

static void fire_put(struct fk_overlay *overlay, const struct fk_change *change, const struct fk_put *put)
{
    struct fk_event events[FK_EVENTS_OF_PUT];
    size_t count = fk_put_events(put, events);
    for (size_t i = 0; i < count; i++) {
        struct fk_event_entry entry = {.kind = FK_ENTRY_NODE,
                                       .type = (int32_t)events[i].type,
                                       .kinds = events[i].kinds,
                                       .path = events[i].path,
                                       .acl = event_acl(overlay, change, put, &events[i]),
                                       .origin = put,
                                       .origin_index = i};
        fire_path(overlay, change->zxid, &events[i], &entry);
        fire_recursive(overlay, change->zxid, &events[i], &entry);
    }
}

/* --- records --- */

/* Containers and TTL nodes end by themselves. */
static bool is_due(int64_t owner)
{
    return owner != 0 && fk_owner_session(owner) == 0;
}

/* Nodes that limit a tree are counted, so that nobody looks for any where there are none. */
static void count_limits(struct fk_overlay *overlay, const struct fk_put *put)
{
    struct fk_bytes target;
    if ((put->kind == FK_PUT_CREATE || put->kind == FK_PUT_DELETE) && fk_quota_of_limits(put->node.path, &target)) {
        overlay->zx.limits += put->kind == FK_PUT_CREATE ? 1 : -1;
    }
}

/* Statistics change in data only: no version, no event. */
static void apply_stats(struct fk_overlay *overlay, int64_t zxid, const struct fk_put *put)
{
    struct fk_overlay_node *node = fk_overlay_node(overlay, put->node.path);
    if (node != NULL && node->record.exists) {
        node->record.node.data = put->node.data;
        node->record.zxid = zxid;
        node->data_changed = true;
        node->placed = false;
        fk_overlay_put(overlay, node->item);
    }
}

static void apply_node(struct fk_overlay *overlay, int64_t zxid, const struct fk_put *put)
{
    struct fk_overlay_node *node = fk_overlay_node(overlay, put->node.path);
    if (node == NULL) {
        return;
    }
    int64_t owner = put->node.ephemeral_owner;
    struct fk_bytes path = node->record.node.path;
    node->record.node = put->node;
    node->record.node.path = path;
    node->record.exists = put->kind != FK_PUT_DELETE;
    node->record.zxid = zxid;
    if (put->kind != FK_PUT_CHILDREN && put->kind != FK_PUT_ACL) {
        node->data_changed = true;
    }
    fk_overlay_put(overlay, node->item);
    if (is_due(owner) && (put->kind == FK_PUT_CREATE || put->kind == FK_PUT_DELETE)) {
        node->due_changed = true;
    }
    if (fk_owner_session(owner) != 0 && (put->kind == FK_PUT_CREATE || put->kind == FK_PUT_DELETE)) {
        fk_overlay_ephemeral(overlay, owner, path, put->kind == FK_PUT_CREATE);
    }
}

void fk_apply_change(struct fk_overlay *overlay, const struct fk_change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        if (change->puts[i].kind <= FK_PUT_DELETE) {
            apply_node(overlay, change->zxid, &change->puts[i]);
            count_limits(overlay, &change->puts[i]);
        } else if (change->puts[i].kind == FK_PUT_STATS) {
            apply_stats(overlay, change->zxid, &change->puts[i]);
        }
    }
    for (size_t i = 0; i < change->count; i++) {
        if (change->puts[i].kind <= FK_PUT_DELETE) {
            fire_put(overlay, change, &change->puts[i]);
        }
    }
}

/* True where one of the first `count` puts is of the same path, or of an ephemeral node of the same session. */
static bool seen_path(const struct fk_change *change, size_t count, struct fk_bytes path)
{
    for (size_t i = 0; i < count; i++) {
        if (fk_put_is_node(change->puts[i].kind) && fk_bytes_equal(change->puts[i].node.path, path)) {
            return true;
        }
    }
    return false;
}

static bool seen_owner(const struct fk_change *change, size_t count, int64_t owner)
{
    for (size_t i = 0; i < count; i++) {
        if (change->puts[i].kind <= FK_PUT_DELETE && change->puts[i].node.ephemeral_owner == owner) {
            return true;
        }
    }
    return false;
}

size_t fk_apply_cost(struct fk_overlay *overlay, const struct fk_change *change)
{
    size_t cost = 1; /* its events */
    for (size_t i = 0; i < change->count; i++) {
        const struct fk_put *put = &change->puts[i];
        if (!fk_put_is_node(put->kind)) {
            continue;
        }
        int64_t owner = put->kind == FK_PUT_STATS ? 0 : put->node.ephemeral_owner;
        cost += is_due(owner) && (put->kind == FK_PUT_CREATE || put->kind == FK_PUT_DELETE) ? 1 : 0;
        if (!seen_path(change, i, put->node.path)) {
            struct fk_overlay_node *node = fk_overlay_node(overlay, put->node.path);
            cost += node != NULL && !node->item->put ? 1 : 0;
        }
        if (fk_owner_session(owner) != 0 && !seen_owner(change, i, owner)) {
            struct fk_overlay_ephemerals *set = fk_overlay_ephemerals(overlay, owner);
            cost += set != NULL && !set->item->put ? 1 : 0;
        }
    }
    return cost;
}
