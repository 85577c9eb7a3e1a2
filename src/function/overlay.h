// SPDX-License-Identifier: Apache-2.0
/* What one commit reads and changes: each item of the table is read once, decoded once, changed in place by one request
 * after the other, and written by the commit on the condition that nobody has written it meanwhile. The condition on
 * the zxid record makes all that was read after it a state that existed at one moment (H4). One call reads it together
 * with what is known to be wanted, in no order: of these items those that the commit does not write, and so has no
 * condition on, are looked at again before it (fk_overlay_confirm). */
#ifndef FK_FUNCTION_OVERLAY_H
#define FK_FUNCTION_OVERLAY_H

#include "base/list.h"
#include "base/map.h"
#include "function/cloud.h"
#include "function/record.h"

/* An item as it was read. Typed ones below begin with it. */
struct fk_overlay_item {
    struct fk_map_entry entry;
    struct fk_list link; /* in the list of its kind, in the order of first use */
    struct fk_key key;
    int64_t stamp;
    struct fk_bytes value; /* null: there was none */
    void *typed;           /* the struct below whose first member points back here; NULL: not decoded yet */
    bool put;              /* the commit writes it */
    bool early;            /* perhaps read before the zxid record */
};

struct fk_overlay_node {
    struct fk_overlay_item *item;
    struct fk_node_record record;
    enum fk_data_place old_place; /* of the data that the item names as it was read */
    struct fk_bytes old_attempt;
    bool data_changed;
    bool placed;      /* the pipeline: a writer has stored the new data already */
    bool due_changed; /* a container or TTL node is new or gone */
};

struct fk_overlay_session {
    struct fk_overlay_item *item;
    struct fk_session_record record;
    bool exists;
};

struct fk_overlay_ephemerals {
    struct fk_overlay_item *item;
    struct fk_bytes *paths; /* sorted */
    size_t count;
    size_t size; /* of all paths, in bytes */
    size_t capacity;
};

struct fk_overlay_gateway {
    struct fk_overlay_item *item;
    struct fk_gateway_record record;
    int64_t id;
    bool exists; /* false: never heard of; counts as dead */
};

/* The events of one change; grows while it is planned. */
struct fk_overlay_events {
    struct fk_list link;
    struct fk_events_record record;
    size_t capacity;
};

/* A write of the commit that is none of the records above. */
struct fk_overlay_extra {
    struct fk_list link;
    struct fk_write write; /* key and value in the arena */
};

struct fk_overlay {
    const struct fk_cloud_options *options;
    const struct fk_ports *ports;
    struct fk_arena *arena;
    enum fk_err err; /* sticky: a port's or a record's; nothing here may be used then */
    struct fk_map items;
    struct fk_list nodes; /* of struct fk_overlay_item */
    struct fk_list sessions;
    struct fk_list ephemerals;
    struct fk_list gateways;
    struct fk_list events; /* of struct fk_overlay_events, by zxid */
    struct fk_list extras; /* of struct fk_overlay_extra */
    struct fk_overlay_item *zx_item;
    struct fk_zx_record zx; /* zxid: of the last change so far */
    int64_t base_zxid;      /* as it was read */
    size_t lastev_capacity;
    struct fk_recursive_record recursive;
    bool changed;    /* there is something to commit */
    bool front_read; /* what is read now is read after the zxid record */
};

/* An overlay that has read nothing, on an empty arena. */
void fk_overlay_init(struct fk_overlay *overlay, const struct fk_cloud_options *options, const struct fk_ports *ports,
                     struct fk_arena *arena);
void fk_overlay_deinit(struct fk_overlay *overlay);

/* Names an item that will be wanted, for one read of them all by fk_overlay_begin. */
void fk_overlay_want(struct fk_overlay *overlay, const struct fk_key *key);

/* Reads the zxid record and what is wanted in one call, then what the record tells of; before anything else is read. A
 * fresh store gets its first tree (bootstrap.h), and the error is REFUSED: begin anew. */
enum fk_err fk_overlay_begin(struct fk_overlay *overlay);

/* Before the commit: what was perhaps read before the zxid record, was used and is not written, must still be as it was
 * read. REFUSED where it is not: begin anew. */
enum fk_err fk_overlay_confirm(struct fk_overlay *overlay);

/* An item as it is stored, read where it is not here yet; NULL after an error. */
const struct fk_overlay_item *fk_overlay_item(struct fk_overlay *overlay, const struct fk_key *key);

/* The records, read where they are not here yet; NULL after an error (sticky). Valid until the overlay is closed. */
struct fk_overlay_node *fk_overlay_node(struct fk_overlay *overlay, struct fk_bytes path);
struct fk_overlay_session *fk_overlay_session(struct fk_overlay *overlay, int64_t id);
struct fk_overlay_ephemerals *fk_overlay_ephemerals(struct fk_overlay *overlay, int64_t session_id);
struct fk_overlay_gateway *fk_overlay_gateway(struct fk_overlay *overlay, int64_t id);

/* Adds a path to, or takes it out of, a session's ephemeral nodes. */
void fk_overlay_ephemeral(struct fk_overlay *overlay, int64_t session_id, struct fk_bytes path, bool owned);

/* True for a gateway that exists and was not declared dead. */
bool fk_overlay_alive(struct fk_overlay *overlay, int64_t gateway);

/* zxid of the newest event for a gateway; 0: none. */
int64_t fk_overlay_lastev(const struct fk_overlay *overlay, int64_t gateway);

/* True where records name every gateway that may be behind its events (unless settled: record.h): there are few, and
 * their own records are not read. */
bool fk_overlay_names_all(const struct fk_overlay *overlay);

/* The item of a key if it was read already, or NULL. */
const struct fk_overlay_item *fk_overlay_known(const struct fk_overlay *overlay, const struct fk_key *key);

/* Marks an item as written by the commit. */
void fk_overlay_put(struct fk_overlay *overlay, struct fk_overlay_item *item);

/* Adds a write to the commit; no key twice, and none of a record that has its own function above. */
void fk_overlay_write(struct fk_overlay *overlay, const struct fk_write *write);

/* Items that the commit has so far. */
size_t fk_overlay_items(const struct fk_overlay *overlay);

#endif
