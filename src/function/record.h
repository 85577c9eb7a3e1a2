// SPDX-License-Identifier: Apache-2.0
/* The records of the cloud topologies (protocol.md section 1) and their keys in the table. A record is a value: views
 * into the bytes or the arena it was read from. Each encoding begins with its format version. Those that every write
 * puts are kept small: DynamoDB bills each KB begun.
 *
 *   record          partition        name        written by
 *   zx              "zx"             "zx"        commits; registering a recursive watch
 *   node            "n"+parent path  name        commits; (un)registering watches   ("/" itself: partition "n", name
 * "/") data            "d"              attempt     writers, before the commit that names it; immutable (data.h) due
 * "c"              path        commits: that there is a container or a TTL node, for sweeps session         "s" id
 * created by its gateway, then commits only ephemerals      "e"              session id  commits: the paths of the
 * session's ephemeral nodes, if it has any events          "ev"             zxid        commits; trimmed by sweeps
 *   gateway         "g"              id          its gateway; the commit that declares it dead
 *   observation     "h"              gateway id  sweeps: when a counter was seen first
 *   recursive       "rs"             "rs"        (un)registering recursive watches: who watches which subtree
 *   accepted node   "a"+parent path  name        pipeline: the accepted state and the lock (pipeline_record.h)
 *   accepted session "as"            id          pipeline: what was accepted of a session, and the lock
 *
 * Ids and zxids in keys are 16 hexadecimal digits, so that names sort as numbers. */
#ifndef FK_FUNCTION_RECORD_H
#define FK_FUNCTION_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/event.h"
#include "port/table.h"
#include "wire/jute.h"

/* A gateway and a zxid: the last event written for it, or an undelivered one. */
struct fk_gateway_zxid {
    int64_t gateway;
    int64_t zxid;
    bool settled; /* lastev: the gateway is known to have applied it; nobody need read its record to see that */
};

/* A set of them, sorted by gateway, each once. */
struct fk_gateway_zxids {
    struct fk_gateway_zxid *items;
    size_t count;
};

/* What gateway `gateway` has in the set; 0 where it is not in it. */
int64_t fk_gateway_zxids_get(const struct fk_gateway_zxids *set, int64_t gateway);

struct fk_zx_record {
    int64_t zxid;
    int64_t generation;             /* raised by each commit that declares a gateway dead (H20) */
    int64_t recursive_version;      /* raised by each registration of a recursive watch; 0: there never was one */
    int64_t limits;                 /* nodes there are that limit a tree (quota.h) */
    struct fk_gateway_zxids lastev; /* zxid of the newest event written for each gateway */
};

struct fk_subscription {
    int64_t gateway;
    uint32_t kinds; /* mask of enum fk_watch_kind */
};

/* Sorted by gateway, each once. */
struct fk_subscriptions {
    struct fk_subscription *items;
    size_t count;
};

enum fk_data_place {
    FK_DATA_INLINE = 0,
    FK_DATA_ITEM = 1,
    FK_DATA_BLOB = 2,
};

/* A path of the tree, whether or not there is a node: watches on what does not exist have to stand somewhere. In `node`
 * the path is the key's; data is a view of the inline data, and where the data is elsewhere it has the size and
 * data.data == NULL. */
struct fk_node_record {
    struct fk_node node;
    bool exists;
    int64_t zxid;                 /* of the last commit that put this record */
    int64_t generation;           /* of the zxid record, at that commit */
    int64_t counter;              /* pipeline: which accepted change of this path it shows (H26) */
    struct fk_gateway_zxids pend; /* gateways that had not applied all their events at that commit: H11 */
    struct fk_subscriptions subs;
    enum fk_data_place place;
    struct fk_bytes attempt; /* name of the data item, or of the blob (data.h) */
};

enum fk_session_state {
    FK_SESSION_LIVE = 1,
    FK_SESSION_CLOSING = 2, /* irrevocable; its ephemerals are being removed */
};

/* The fate of one request, kept until its answer was taken (H1). */
struct fk_result {
    int64_t epoch;
    int64_t number;
    int64_t zxid;
    int64_t need;       /* the owner's newest event at that commit: the answer waits for it (H13) */
    int64_t generation; /* at that commit */
    int32_t code;
    struct fk_bytes body; /* of the reply, for code 0 */
};

struct fk_session_record {
    struct fk_session session;
    enum fk_session_state state;
    int64_t epoch; /* 1 at the creation; raised by each attach */
    int64_t last;  /* number of the last request decided in this epoch */
    int64_t owner; /* gateway */
    int64_t nonce; /* of the attach, or of the creation */
    int64_t attach_zxid;
    size_t count; /* results, oldest first */
    struct fk_result results[FK_RING_SIZE];
};

/* The paths of a session's ephemeral nodes. */
struct fk_ephemerals_record {
    struct fk_bytes *paths; /* sorted */
    size_t count;
};

struct fk_gateway_record {
    int64_t counter; /* raised by each renewal */
    int64_t acked;   /* all events up to this one are applied (w) */
    bool alive;
    int64_t wall_ms; /* wall clock: its last renewal, 0 where older code wrote that; of who is dead the commit that said
                        so */
    struct fk_bytes address;
};

/* What a sweep saw: the counter, and the wall clock when it saw it first. */
struct fk_observation_record {
    int64_t counter;
    int64_t since_ms;
};

/* One subtree that one gateway watches. */
struct fk_recursive_subscription {
    int64_t gateway;
    struct fk_bytes path;
};

struct fk_recursive_record {
    struct fk_recursive_subscription *items;
    size_t count;
};

enum fk_entry_kind {
    FK_ENTRY_NODE = 1,         /* watches fire */
    FK_ENTRY_SESSION_GONE = 2, /* the session has a new owner, or none: its connection here ends */
};

/* Why a session is gone from its gateway. */
enum fk_gone {
    FK_GONE_MOVED = 1,  /* it has a new owner */
    FK_GONE_ENDED = 2,  /* it expired */
    FK_GONE_CLOSED = 3, /* by its own closeSession, which this event answers too */
};

/* One event of one gateway. */
struct fk_event_entry {
    enum fk_entry_kind kind;
    int32_t type;   /* enum fk_event_type */
    uint32_t kinds; /* watches on `path` that hear it: enum fk_watch_kind; recursive ones above it besides */
    struct fk_bytes path;
    struct fk_bytes acl; /* of the node that the event names: who may not read it does not hear of it; null: anybody */
    int64_t session_id;
    int64_t epoch;      /* session gone: connections of this epoch and before */
    enum fk_gone gone;  /* session gone: why */
    const void *origin; /* while it is planned: what it comes from, so that nobody is told of it twice; not stored */
    size_t origin_index;
};

/* The events of one commit (zxid) for one gateway, in the order in which they are given to watches. */
struct fk_gateway_events {
    int64_t gateway;
    int64_t prev; /* zxid of the events for this gateway before these; 0: none */
    struct fk_event_entry *entries;
    size_t count;
};

struct fk_events_record {
    int64_t zxid;
    struct fk_gateway_events *gateways;
    size_t count;
};

/* Keys; views in the arena. A key without memory has partition.data == NULL. */
struct fk_key fk_key_zx(void);
struct fk_key fk_key_recursive(void);
struct fk_key fk_key_node(struct fk_arena *arena, struct fk_bytes path);
struct fk_key fk_key_data(struct fk_bytes attempt);
struct fk_key fk_key_due(struct fk_bytes path);
struct fk_key fk_key_session(struct fk_arena *arena, int64_t id);
struct fk_key fk_key_ephemerals(struct fk_arena *arena, int64_t session_id);
struct fk_key fk_key_events(struct fk_arena *arena, int64_t zxid);
struct fk_key fk_key_gateway(struct fk_arena *arena, int64_t id);
struct fk_key fk_key_observation(struct fk_arena *arena, int64_t gateway);
/* The partition of a path's children. */
struct fk_bytes fk_partition_children(struct fk_arena *arena, struct fk_bytes path);
/* The id or zxid of a key's name; -1 where it is none. */
int64_t fk_key_number(struct fk_bytes name);

/* Codecs. Readers want an existing item's value; errors: VERSION (written by newer code), DAMAGED, NOMEM. Vectors are
 * in the arena, bytes are views of the value. Writers append; failure is the buffer's. */
enum fk_err fk_zx_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_zx_record *record);
void fk_zx_record_write(struct fk_buf *buf, const struct fk_zx_record *record);
/* The path is not part of the value: the caller gives it. */
enum fk_err fk_node_record_read(struct fk_bytes value, struct fk_bytes path, struct fk_arena *arena,
                                struct fk_node_record *record);
void fk_node_record_write(struct fk_buf *buf, const struct fk_node_record *record);
enum fk_err fk_session_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_session_record *record);
void fk_session_record_write(struct fk_buf *buf, const struct fk_session_record *record);
enum fk_err fk_ephemerals_record_read(struct fk_bytes value, struct fk_arena *arena,
                                      struct fk_ephemerals_record *record);
void fk_ephemerals_record_write(struct fk_buf *buf, const struct fk_ephemerals_record *record);
enum fk_err fk_gateway_record_read(struct fk_bytes value, struct fk_gateway_record *record);
void fk_gateway_record_write(struct fk_buf *buf, const struct fk_gateway_record *record);
enum fk_err fk_observation_record_read(struct fk_bytes value, struct fk_observation_record *record);
void fk_observation_record_write(struct fk_buf *buf, const struct fk_observation_record *record);
enum fk_err fk_recursive_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_recursive_record *record);
void fk_recursive_record_write(struct fk_buf *buf, const struct fk_recursive_record *record);
enum fk_err fk_events_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_events_record *record);
void fk_events_record_write(struct fk_buf *buf, const struct fk_events_record *record);

/* The result of a request in the session's record, or NULL. */
const struct fk_result *fk_session_record_result(const struct fk_session_record *record, int64_t epoch, int64_t number);

/* The path of a child of `parent`, in the arena; null without memory. */
struct fk_bytes fk_path_of_child(struct fk_arena *arena, struct fk_bytes parent, struct fk_bytes name);

#endif
