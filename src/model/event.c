// SPDX-License-Identifier: Apache-2.0
#include "model/event.h"

#include "base/assert.h"
#include "model/path.h"

/* ZK: the node's own event comes before its parent's NodeChildrenChanged (DataTree.createNode, deleteNode). */
static size_t events_with_parent(const struct fk_put *put, struct fk_event *events)
{
    struct fk_bytes parent;
    struct fk_bytes name;
    bool split = fk_path_split(put->node.path, &parent, &name);
    FK_ASSERT(split);
    events[0] = put->kind == FK_PUT_CREATE
                    ? (struct fk_event){FK_EVENT_CREATED, put->node.path, FK_WATCH_DATA}
                    : (struct fk_event){FK_EVENT_DELETED, put->node.path, FK_WATCH_DATA | FK_WATCH_CHILD};
    events[1] = (struct fk_event){FK_EVENT_CHILDREN_CHANGED, parent, FK_WATCH_CHILD};
    return 2;
}

size_t fk_put_events(const struct fk_put *put, struct fk_event events[FK_EVENTS_OF_PUT])
{
    switch (put->kind) {
    case FK_PUT_CREATE:
    case FK_PUT_DELETE:
        return events_with_parent(put, events);
    case FK_PUT_DATA:
        events[0] = (struct fk_event){FK_EVENT_DATA_CHANGED, put->node.path, FK_WATCH_DATA};
        return 1;
    case FK_PUT_ACL: /* ZK: setACL fires no watch */
    case FK_PUT_CHILDREN:
    case FK_PUT_STATS: /* ZK: nor does DataTree.updateQuotaStat */
    case FK_PUT_SESSION:
    case FK_PUT_SESSION_END:
        return 0;
    }
    return 0;
}

struct fk_bytes fk_change_parent_acl(const struct fk_change *change, const struct fk_put *put, struct fk_bytes parent,
                                     const struct fk_node *after)
{
    if (after->path.data != NULL && after->czxid != change->zxid) {
        return after->acl;
    }
    for (const struct fk_put *later = put; later < change->puts + change->count; later++) {
        if (later->kind == FK_PUT_DELETE && fk_bytes_equal(later->node.path, parent)) {
            return later->node.acl;
        }
    }
    return after->path.data != NULL ? after->acl : FK_BYTES_NULL;
}

/* ZK: a recursive watch never hears NodeChildrenChanged: the children's own events tell it more. */
unsigned fk_watch_heard_kinds(enum fk_event_type type, unsigned kinds, struct fk_bytes path, struct fk_bytes watched)
{
    if (!fk_path_within(path, watched)) {
        return 0;
    }
    unsigned recursive = type == FK_EVENT_CHILDREN_CHANGED ? 0 : FK_WATCH_RECURSIVE;
    return path.size == watched.size ? kinds | FK_WATCH_PERSISTENT | recursive : recursive;
}
