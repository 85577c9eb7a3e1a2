// SPDX-License-Identifier: Apache-2.0
/* What one request does: its zxid and the records it puts, in the order of its operations. A put carries the record as
 * it is after it (for a delete: as it was before), and says which part of it changed, so that a store need write no
 * more than that. A refused request is a change without puts: it takes a zxid all the same. Which watch events a change
 * fires follows from its puts (model/event.h). */
#ifndef FK_MODEL_CHANGE_H
#define FK_MODEL_CHANGE_H

#include "model/node.h"

enum fk_put_kind {
    FK_PUT_CREATE = 1,      /* the whole record is new */
    FK_PUT_DATA = 2,        /* data, version, mzxid, mtime */
    FK_PUT_ACL = 3,         /* acl, aversion */
    FK_PUT_CHILDREN = 4,    /* of a parent: created_children, num_children, pzxid */
    FK_PUT_DELETE = 5,      /* the record is gone */
    FK_PUT_SESSION = 6,     /* a session is new */
    FK_PUT_SESSION_END = 7, /* a session is gone; only session.id counts */
    FK_PUT_STATS = 8,       /* data of a zookeeper_stats node, and nothing else of it (quota.h) */
};

/* The put is about a node, not about a session. */
static inline bool fk_put_is_node(enum fk_put_kind kind)
{
    return kind != FK_PUT_SESSION && kind != FK_PUT_SESSION_END;
}

struct fk_put {
    enum fk_put_kind kind;
    struct fk_node node;       /* of node puts */
    struct fk_session session; /* of session puts */
};

struct fk_change {
    int64_t zxid;
    int64_t time_ms; /* wall clock, one for the whole change */
    const struct fk_put *puts;
    size_t count;
};

#endif
