// SPDX-License-Identifier: Apache-2.0
/* The reference model: ZooKeeper's tree as the rules in research on it describe it (PrepRequestProcessor, DataTree),
 * written for judging and independent of src/model. It applies one decided operation after the other, and keeps every
 * state that each path ever had: state i of a path holds for the zxids from its own up to the next one's. */
#ifndef SIM_MODEL_REF_H
#define SIM_MODEL_REF_H

#include "sim/bump.h"
#include "wire/records.h"

/* Which watches hear an event: bits. */
enum sim_ref_watch {
    SIM_REF_WATCH_DATA = 1,
    SIM_REF_WATCH_CHILD = 2,
};

/* What a path is from `zxid` on. Its times are not here: what clients are shown of them is learned (check.h). */
struct sim_ref_state {
    int64_t zxid;
    bool exists;
    bool container;
    int64_t ttl_ms; /* 0: none */
    struct fk_bytes data;
    struct fk_bytes acl; /* encoded vector<ACL> */
    int64_t czxid;
    int64_t mzxid;
    int64_t pzxid;
    int64_t owner;
    int32_t version;
    int32_t aversion;
    int32_t creates; /* under it, ever */
    int32_t children;
    uint64_t names; /* sum of the children's name hashes: tells sets of names apart */
};

struct sim_ref_path {
    struct sim_ref_path *next_in_bucket;
    struct fk_bytes path;
    struct sim_ref_path *parent; /* NULL for "/" */
    uint64_t hash;
    uint64_t name_hash;
    struct sim_ref_state *states; /* by zxid; before the first one the path does not exist */
    size_t count;
    size_t capacity;
    struct sim_ref_event **events; /* on this path, in order */
    size_t event_count;
    size_t event_capacity;
};

/* One event of one change, in the order in which watches hear them. */
struct sim_ref_event {
    int64_t zxid;
    size_t index; /* among all events */
    int32_t type; /* enum fk_event_type */
    unsigned watches;
    bool closing; /* of a session's end, whose nodes go in no order that is promised */
    struct sim_ref_path *path;
    struct fk_bytes acl; /* whoever may not READ under it hears nothing */
};

/* Paths that were created as a session's ephemerals; some may be gone. */
struct sim_ref_session {
    struct sim_ref_session *next;
    int64_t id;
    struct sim_ref_path **paths;
    size_t count;
    size_t capacity;
};

enum {
    SIM_REF_BUCKETS = 1024,
};

struct sim_ref_tree {
    struct sim_bump *bump;
    struct sim_ref_path *buckets[SIM_REF_BUCKETS];
    struct sim_ref_session *sessions;
    struct sim_ref_event **events;
    size_t event_count;
    size_t event_capacity;
    int64_t zxid;                  /* of the operation that runs, or ran last */
    struct sim_ref_path **touched; /* by the operation that runs */
    size_t touched_count;
    size_t touched_capacity;
    size_t first_event; /* of the operation that runs */
    bool closing;
    bool extended_types; /* TTL nodes are allowed */
    bool enforce_quota;
};

/* Who asks. ids: encoded vector<Id>, the authenticated ones and "ip"; scheme "super" may do everything. */
struct sim_ref_caller {
    int64_t session_id;
    struct fk_bytes ids;
};

/* The result of one operation. */
struct sim_ref_result {
    int32_t op;
    int32_t code;
    struct fk_bytes path;       /* create: of the node */
    struct sim_ref_state state; /* of the node after it: create, setData, setACL */
};

struct sim_ref_outcome {
    int32_t code;
    bool multi;
    bool failed; /* a multi with a failed operation: code 0, no effect */
    struct sim_ref_result *results;
    size_t count;
};

/* The fresh tree, under zxid 0. */
void sim_ref_init(struct sim_ref_tree *tree, struct sim_bump *bump);

/* A node of the state at the start as a stat shows it, in place of the fresh tree's; parents first. */
void sim_ref_plant(struct sim_ref_tree *tree, struct fk_bytes path, struct fk_bytes data, struct fk_bytes acl,
                   const struct fk_stat *stat);

/* Decides one request of a client: an operation and its body as in its frame, which must outlive the tree. `zxid` must
 * be higher than all before; a failed operation takes it and changes nothing. */
struct sim_ref_outcome sim_ref_apply(struct sim_ref_tree *tree, int64_t zxid, const struct sim_ref_caller *caller,
                                     int32_t op, struct fk_bytes body);
/* Deletes nodes of an ending session: all of its ephemerals (paths NULL), or these, which must be its own. False where
 * one is not. */
bool sim_ref_close(struct sim_ref_tree *tree, int64_t zxid, int64_t session_id, const struct fk_bytes *paths,
                   size_t count);
/* Removes a container or TTL node that is due as far as the tree tells; false, and no change, where it is not. */
bool sim_ref_sweep(struct sim_ref_tree *tree, int64_t zxid, struct fk_bytes path);

/* A path that was ever written (or named in vain), or NULL. "" is an alias of "/". */
struct sim_ref_path *sim_ref_find(const struct sim_ref_tree *tree, struct fk_bytes path);
/* The state of a path at a zxid; one with exists = false where there is none. path may be NULL. */
const struct sim_ref_state *sim_ref_state_at(const struct sim_ref_path *path, int64_t zxid);
/* Index of that state; SIZE_MAX before the first. */
size_t sim_ref_index_at(const struct sim_ref_path *path, int64_t zxid);
/* Number of ephemerals that a session has now. */
size_t sim_ref_ephemerals(const struct sim_ref_tree *tree, int64_t session_id);

/* model_ref_acl.c */

bool sim_ref_allows(struct fk_bytes acl, int32_t perm, struct fk_bytes ids);
/* The list that is stored for the one asked for; FK_CODE_INVALID_ACL. */
int32_t sim_ref_fix_acl(struct sim_bump *bump, struct fk_bytes acl, struct fk_bytes ids, struct fk_bytes *fixed);
/* The list as those see it who may not ADMIN: hashes of digest ids hidden. */
struct fk_bytes sim_ref_redact(struct sim_bump *bump, struct fk_bytes acl);

/* FNV-1a with a final mix; the same in every process. */
uint64_t sim_ref_hash(struct fk_bytes bytes);
bool sim_ref_path_valid(struct fk_bytes path);

/* cversion as clients see it: creates and deletes. */
static inline int32_t sim_ref_cversion(const struct sim_ref_state *state)
{
    return (int32_t)(2 * (uint32_t)state->creates - (uint32_t)state->children);
}

#endif
