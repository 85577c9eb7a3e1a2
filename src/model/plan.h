// SPDX-License-Identifier: Apache-2.0
/* The planner: what a write operation does to the tree, as a pure function. Records come in through a lookup, puts or a
 * result code come out; nothing is read or written elsewhere, and time is given. Rules and order of errors are
 * those of ZooKeeper's PrepRequestProcessor (3.9), DataTree for what a change leaves behind.
 *
 * Operations planned one after the other in the same plan see each other's puts, in a multi and in a batch. */
#ifndef FK_MODEL_PLAN_H
#define FK_MODEL_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "model/acl.h"
#include "model/change.h"
#include "model/quota.h"
#include "model/rules.h"

/* Gives the record of `path`, a valid one, as it is before the plan; FK_ERR_NOT_FOUND where there is none. Other errors
 * end the plan. */
typedef enum fk_err (*fk_lookup_fn)(void *context, struct fk_bytes path, struct fk_node *node);

/* Gives what is under `path`, itself included, before the plan; nothing where there is no node. NOT_FOUND: that can't
 * be known, and the statistics stay as the client has written them. Other errors end the plan. */
typedef enum fk_err (*fk_measure_fn)(void *context, struct fk_bytes path, struct fk_extent *extent);

/* A limit that an operation went beyond, or would have: for the log. */
struct fk_excess {
    struct fk_bytes path; /* of the quota */
    const char *what;     /* "count" or "bytes"; NULL: none */
    int64_t value;
    int64_t limit;
    bool hard;
};

struct fk_plan {
    struct fk_arena *arena; /* everything planned lives here */
    fk_lookup_fn lookup;
    void *lookup_context;
    const struct fk_rules *rules; /* never NULL; the defaults after init */
    fk_measure_fn measure;        /* with the same context; NULL after init: quotas are not kept */
    bool quotas;                  /* there may be limits in the tree; false after init */
    fk_lookup_fn quota_lookup;    /* gives the nodes that quotas are kept in; NULL after init: `lookup` does */
    struct fk_excess excess;      /* the first one of the plan */
    enum fk_err err;              /* sticky: memory, or the lookup's error; then nothing planned may be used */
    int64_t zxid;                 /* of the operation being planned */
    int64_t time_ms;
    bool unread; /* ZK: the operation's body could not even be read; a request that stands alone takes no zxid then */
    struct fk_put *puts;
    size_t count;
    size_t capacity;
    size_t first;         /* first put of the operation being planned */
    struct fk_map latest; /* path -> newest put, once there are too many to scan */
};

/* A plan without puts, on an arena that the caller resets after fk_plan_deinit. */
void fk_plan_init(struct fk_plan *plan, struct fk_arena *arena, fk_lookup_fn lookup, void *lookup_context);
void fk_plan_deinit(struct fk_plan *plan);

/* Starts an operation: its zxid and time; the puts from here on are its own. */
void fk_plan_begin(struct fk_plan *plan, int64_t zxid, int64_t time_ms);

/* Plans one operation of a client (create, create2, createContainer, createTTL, delete, setData, setACL, multi,
 * reconfig). Appends the body of its reply to `reply`. A code other than OK means no puts and no body. ZK: a failed
 * multi is OK with a body of error results and without puts. */
enum fk_code fk_plan_operation(struct fk_plan *plan, const struct fk_caller *caller, int32_t op, struct fk_bytes body,
                               struct fk_buf *reply);

/* True for the operations that fk_plan_operation plans. */
bool fk_plan_knows(int32_t op);

/* Calls back with each valid path whose record fk_plan_operation looks up for this operation, some of them more than
 * once: what its body names, and the parents of what it creates or deletes. The final path of a sequential create is
 * not among them, as it depends on the parent's record; a body that does not parse gives those in front. */
typedef void (*fk_path_fn)(void *context, struct fk_bytes path);
void fk_plan_paths(int32_t op, struct fk_bytes body, fk_path_fn callback, void *context);

/* True for a create of an ephemeral node, and for a multi with one in it. */
bool fk_plan_makes_ephemerals(int32_t op, struct fk_bytes body);

/* Plans the end of a node that is due (fk_node_due), if it still has the versions (of Stat) that a sweep saw. NO_NODE,
 * NOT_EMPTY; BAD_VERSION for other versions and for a node that is not due. */
enum fk_code fk_plan_sweep_node(struct fk_plan *plan, struct fk_bytes path, int32_t version, int32_t cversion);

/* Plans a new session. */
void fk_plan_create_session(struct fk_plan *plan, const struct fk_session *session);

/* Plans the end of a session: its ephemeral nodes (paths that may be gone or somebody else's meanwhile) and its record,
 * under one zxid. Where that is more than a store takes at once, `last` is false for all pieces but the last, which
 * removes the record (protocol.md H8). */
void fk_plan_close_session(struct fk_plan *plan, int64_t session_id, const struct fk_bytes *ephemerals, size_t count,
                           bool last);

/* Plans a change again that was planned elsewhere, without statistics: its puts and theirs. Its puts come with the
 * change's zxid and time. */
void fk_plan_follow(struct fk_plan *plan, const struct fk_put *puts, size_t count);

/* Takes back all puts of the operation begun last. */
void fk_plan_rollback(struct fk_plan *plan);

/* The change of the operation begun last; a view of the plan. */
struct fk_change fk_plan_change(const struct fk_plan *plan);

#endif
