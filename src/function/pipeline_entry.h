// SPDX-License-Identifier: Apache-2.0
/* What a writer pushes to the distributor: one attempt at one step of a session, whole, so that the distributor can
 * accept it on behalf of a writer that died, and make it visible. */
#ifndef FK_FUNCTION_PIPELINE_ENTRY_H
#define FK_FUNCTION_PIPELINE_ENTRY_H

#include "base/arena.h"
#include "function/record.h"
#include "model/change.h"

/* Stands in planned records and replies where the zxid of the change belongs, which the distributor gives. */
#define FK_ZXID_PLANNED INT64_MAX

enum fk_step_kind {
    FK_STEP_REQUEST = 1, /* a client's operation: its change, or its error (H23) */
    FK_STEP_CHUNK = 2,   /* a part of a session's end (H8) */
    FK_STEP_END = 3,     /* the end of a session, or its last part */
    FK_STEP_ATTACH = 4,
    FK_STEP_SWEEP = 5, /* the end of a container or TTL node: of no session */
    FK_STEP_DEAD = 6,  /* declare a gateway dead: nothing is locked or accepted, the distributor decides */
};

/* A path that the attempt has locked. */
struct fk_entry_path {
    struct fk_bytes path;
    int64_t counter; /* of the change; 0: it is only looked at */
};

struct fk_entry_put {
    enum fk_put_kind kind;
    int32_t path;                 /* index */
    struct fk_node_record record; /* node as planned, place, attempt */
};

/* A Stat in the reply: its zxids and times are of the visible record of `path`, or of the change. */
struct fk_entry_stat {
    int32_t offset;
    struct fk_bytes path;
};

struct fk_entry {
    enum fk_step_kind kind;
    int64_t token;
    int64_t session_id; /* 0: none */
    int64_t epoch;      /* of the step; an attach is step 0 of the new epoch */
    int64_t number;     /* of the step */
    int64_t gateway;    /* who gets the answer; of an attach: the new owner; of DEAD: the one to declare dead */
    int64_t answered;   /* number of the request to answer; -1: none */
    int64_t taken;      /* as in the request message */
    int64_t word;       /* of an attach: the nonce; of DEAD: the counter */
    int32_t timeout_ms; /* of an attach: the session's from now on; 0: as it was */
    int32_t code;       /* enum fk_code */
    struct fk_bytes reply;
    struct fk_bytes cursor; /* of a chunk */
    struct fk_entry_path *paths;
    size_t path_count;
    struct fk_entry_put *puts;
    size_t put_count;
    struct fk_entry_stat *stats;
    size_t stat_count;
};

/* Errors: VERSION, MALFORMED, NOMEM. Vectors are in the arena, bytes are views of the message. */
enum fk_err fk_entry_read(struct fk_bytes message, struct fk_arena *arena, struct fk_entry *entry);
void fk_entry_write(struct fk_buf *buf, const struct fk_entry *entry);

/* The last put of a path, which is its state after the change; NULL: it is only looked at. */
const struct fk_entry_put *fk_entry_last_put(const struct fk_entry *entry, size_t path);

/* Finds the Stats in the planned reply of an operation. NOMEM. */
enum fk_err fk_entry_find_stats(struct fk_entry *entry, int32_t op, struct fk_bytes body, struct fk_arena *arena);

/* Gives the planned zxids and times of a node, and of an encoded Stat, their values: those of the change, or of the
 * visible record as it was before it. */
void fk_entry_fill_node(struct fk_node *node, const struct fk_node *before, int64_t zxid, int64_t time_ms);
void fk_entry_fill_stat(uint8_t *stat, const struct fk_node *before, int64_t zxid, int64_t time_ms);

#endif
