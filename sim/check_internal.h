// SPDX-License-Identifier: Apache-2.0
/* What the checkers share: the history taken apart, and the model with all its states. */
#ifndef SIM_CHECK_INTERNAL_H
#define SIM_CHECK_INTERNAL_H

#include "sim/check.h"
#include "sim/model_ref.h"

enum {
    CHECK_VIOLATIONS_MAX = 16,
    CHECK_TEXT_SIZE = 768,
    CHECK_NOT = -1, /* index of a record that is not there */
};

/* A request, and its answer if one came. */
struct check_request {
    struct check_request *next; /* of its connection */
    struct check_connection *connection;
    int64_t sent_ns;
    int64_t replied_ns; /* -1: never */
    int32_t xid;
    int32_t op;
    struct fk_bytes body;
    struct fk_bytes ids; /* of the connection when it was sent */
    int64_t number;      /* among the writes of its connection; 0: not a write */
    int64_t floor;       /* largest zxid that any answer had shown when it was sent */
    int32_t code;
    int64_t zxid;
    struct fk_bytes reply;
    const struct sim_ground *ground; /* where it was decided */
};

enum check_watch_kind {
    CHECK_WATCH_DATA,
    CHECK_WATCH_EXIST, /* only as a list of setWatches: a data watch on what is not there */
    CHECK_WATCH_CHILD,
    CHECK_WATCH_PERSISTENT,
    CHECK_WATCH_RECURSIVE,
};

/* Events of a session's end that a watch heard before their turn. */
struct check_early {
    struct check_early *next;
    const struct sim_ref_event *event;
};

/* A watch of a connection. While its registration is under way (`request`) its setpoint is not known. */
struct check_watch {
    struct check_watch *next;
    enum check_watch_kind kind;
    struct sim_ref_path *path;
    int64_t setpoint;                /* events behind it fire */
    const struct sim_ref_event *due; /* the one to come; NULL: none */
    struct check_early *early;
    const struct sim_ref_event *hidden;  /* one that the caller may not hear of */
    const struct check_request *request; /* setWatches or addWatch without its answer so far */
    int64_t relative_zxid;
    int32_t delivered; /* type of the event that came meanwhile */
};

struct check_connection {
    uint32_t index; /* from 1 */
    struct check_connection *next_of_session;
    struct check_session *session;
    int64_t gateway;
    int64_t epoch;
    bool accepted;
    bool refused; /* told that the session is gone */
    bool lost;
    bool asked_new;
    int64_t asked_session;
    int64_t asked_timeout_ns;
    int64_t timeout_ns; /* as it was told; 0: it was not */
    int64_t connect_ns;
    int64_t accepted_ns;
    int64_t lost_ns;
    struct fk_bytes password; /* of the connect request */
    int64_t last_seen;        /* lastZxidSeen of the connect request; the attach, where it is known and later */
    struct fk_bytes ids;
    struct check_request *first;
    struct check_request *last;
    struct check_request *waiting; /* oldest without an answer, pings and auth apart */
    struct check_request **writes; /* number N at [N - 1] */
    size_t write_count;
    size_t write_capacity;
    int64_t decided; /* highest number in the ground log */
    /* check_reads.c, check_watches.c */
    int64_t lo; /* the newest state that this connection has shown */
    struct check_watch *watches;
    int64_t due_zxid;   /* of the first event to come; INT64_MAX: none */
    int64_t event_zxid; /* of the last event */
    size_t event_index; /* of the last event, plus 1 */
    /* Whom the gateway took the connection for, in the pass over the records: it knows the identities of the newest
     * request that was answered, and may know those of the newest that was sent. */
    struct fk_bytes sure;
    struct fk_bytes past;
};

struct check_session {
    struct check_session *next;
    int64_t id;
    struct fk_bytes password; /* as its first client was told; null: unknown */
    int64_t epoch;            /* in the ground log, so far */
    bool closing;
    int64_t closing_ns; /* when its end began, where that took several commits */
    int64_t close_zxid; /* 0: alive */
    int64_t close_ns;   /* 0: unknown */
    bool asked_close;   /* ended by its own closeSession */
    struct check_connection *connections;
};

struct check {
    const struct sim_history *history;
    struct sim_check_options options;
    struct sim_check_counts counts;
    sim_check_fn violation;
    void *context;
    size_t violations;
    struct sim_bump bump;
    struct sim_ref_tree tree;
    struct check_connection *connections;
    struct check_session *sessions;
    const struct check_request **answers; /* per record: the request that it answers */
    const struct sim_ground *ground;      /* kept or rebuilt */
    size_t ground_count;
    int64_t first_zxid; /* ground entry i has zxid first_zxid + 1 + i */
    int64_t last_zxid;
    int64_t *times; /* per ground entry: the wall clock that stats show for it, once one did */
};

void check_fail(struct check *check, const char *promise, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A request in words; the text is valid until the fourth call after it. */
const char *check_words(const struct check_request *request);
bool check_is_write(int32_t op);
struct check_session *check_session_of(struct check *check, int64_t id);
/* The ground entry of a zxid, or NULL. */
const struct sim_ground *check_ground_at(const struct check *check, int64_t zxid);

/* The model at the start of the history. */
void check_plant(struct check *check);
/* check_parse.c: records into connections, sessions, requests. */
void check_parse(struct check *check);
/* check_rebuild.c: a ground log where none was kept. */
void check_rebuild(struct check *check);
/* check_writes.c: C1, C2, C7, C9, C10, C11, C12, C13, C15 of writes. */
void check_writes(struct check *check);
/* check_multi.c: whether a multi may be refused because it does not fit a transaction. */
bool check_multi_may_be_large(struct check *check, const struct check_request *request);
/* check_reads.c: C3, C4, and the pass over the records for check_watches.c. */
void check_reads(struct check *check);
/* Whether an answer is true in a state; `why` says what is not. */
bool check_read_matches(struct check *check, const struct check_request *request, const struct sim_ref_state *state,
                        const char **why);
/* check_newer.c: multiRead and getEphemerals; nothing for all others. */
void check_newer(struct check *check, const struct check_request *request);
/* check_sessions.c: C8, C14. */
void check_sessions(struct check *check);
/* check_final.c: C6. */
void check_final(struct check *check);
/* How many nodes of the final state differ from the model's last one, missing and unexpected ones included. */
size_t check_final_differences(const struct check *check);

/* check_reply.c */

/* Whether a stat is that of a state; learns and compares the times. `why` says what is not. */
bool check_stat(struct check *check, const struct fk_stat *stat, const struct sim_ref_state *state, const char **why);
/* Whether the body of a reply is that of an outcome; `why` as above. */
bool check_outcome(struct check *check, const struct sim_ref_outcome *outcome, int32_t op, struct fk_bytes body,
                   const char **why);

/* check_watches.c, check_watch_events.c: called in the order of the records. */

void check_watch_sent(struct check *check, struct check_connection *connection, const struct check_request *request);
/* Before anything that was answered counts: the events up to its zxid must have come. */
void check_watch_due(struct check *check, struct check_connection *connection, const struct check_request *request);
/* Registers what an answer confirms. */
void check_watch_reply(struct check *check, struct check_connection *connection, const struct check_request *request);
void check_watch_event(struct check *check, struct check_connection *connection, int64_t zxid, struct fk_bytes body);
/* What removeWatches took away, and whether it found what stands (C5). */
void check_watch_removed(struct check *check, struct check_connection *connection, const struct check_request *request);
/* At the end: nothing is missing. */
void check_watch_end(struct check *check, struct check_connection *connection);

#endif
