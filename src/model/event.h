// SPDX-License-Identifier: Apache-2.0
/* Which watch events a put fires (DataTree.processTxn, WatchManager): the table of research on watches, as a function.
 */
#ifndef FK_MODEL_EVENT_H
#define FK_MODEL_EVENT_H

#include "model/change.h"

/* Which watches hear an event; a mask. Persistent ones (addWatch) are not removed when they fire: one of mode
 * PERSISTENT hears what data and child watches on its path hear, one of mode PERSISTENT_RECURSIVE the data events of
 * its path and of all paths below it. */
enum fk_watch_kind {
    FK_WATCH_DATA = 1,  /* set by getData and exists */
    FK_WATCH_CHILD = 2, /* set by getChildren */
    FK_WATCH_PERSISTENT = 4,
    FK_WATCH_RECURSIVE = 8,
};

struct fk_event {
    enum fk_event_type type;
    struct fk_bytes path;
    unsigned kinds; /* watches on `path` that hear it; each connection once */
};

enum {
    FK_EVENTS_OF_PUT = 2,
};

/* Events of one put in the order in which a connection gets them; gives their number. Paths are views of the put's. */
size_t fk_put_events(const struct fk_put *put, struct fk_event events[FK_EVENTS_OF_PUT]);

/* The list of a parent whose children a put of `change` changed, as it was at that put: it decides who hears of it.
 * `after` is the parent as the change left it, with a null path where it is gone. Lists do not change within a change,
 * but the parent may be deleted later in it, and created anew. */
struct fk_bytes fk_change_parent_acl(const struct fk_change *change, const struct fk_put *put, struct fk_bytes parent,
                                     const struct fk_node *after);

/* The kinds of watches on the path `watched` that hear the event: those on the event's own path, and recursive ones
 * above it. `kinds` are the event's. */
unsigned fk_watch_heard_kinds(enum fk_event_type type, unsigned kinds, struct fk_bytes path, struct fk_bytes watched);

#endif
