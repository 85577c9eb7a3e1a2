// SPDX-License-Identifier: Apache-2.0
/* What happened in a run, as its clients saw it, and the ground log G of what was committed. Clients append what they
 * send and receive as raw frames (without the length in front), in the order in which it happens; the checkers
 * (check.h) parse them, so no operation needs anything of its own here. Single thread; appending is a copy.
 *
 * Memory is the judge's own (bump.h), so a client that is killed leaves its history behind. */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include "base/err.h"
#include "sim/bump.h"

#include <stdio.h>

enum sim_record_kind {
    SIM_RECORD_CONNECT = 1, /* a connection was opened; frame: the ConnectRequest */
    SIM_RECORD_ACCEPTED,    /* frame: the ConnectResponse (session 0: expired) */
    SIM_RECORD_SENT,        /* frame: a request, header included; also pings, auth, setWatches */
    SIM_RECORD_RECEIVED,    /* frame: a reply or an event, header included */
    SIM_RECORD_LOST,        /* the connection ended, whoever ended it; no frame */
};

struct sim_record {
    int64_t time_ns;
    enum sim_record_kind kind;
    uint32_t client;
    uint32_t connection; /* counted from 1 over the whole history */
    struct fk_bytes frame;
};

/* One connection, as far as its records do not tell it. */
struct sim_connection {
    uint32_t client;
    int64_t gateway; /* as the ground log names it; 0: unknown */
    int64_t epoch;   /* of its session at the attach; 0: unknown, then it is the newest of its gateway when the client
                      * was accepted */
    int64_t session_id; /* that the gateway gave it, told to the client or not; 0: unknown */
    bool lost;          /* has its SIM_RECORD_LOST */
};

enum sim_ground_kind {
    SIM_GROUND_REQUEST = 1,    /* a client's request other than closeSession: session, epoch, number, code */
    SIM_GROUND_CREATE_SESSION, /* only where a new session takes a zxid (local topology): session */
    SIM_GROUND_ATTACH,         /* session, epoch (the new one), gateway (the new owner) */
    SIM_GROUND_CLOSE_CHUNK,    /* session, paths that this piece deletes */
    SIM_GROUND_CLOSE,          /* session is gone with the rest of its ephemerals; closeSession: epoch and number;
                                * expiry: number 0 */
    SIM_GROUND_GATEWAY_DEAD,   /* gateway */
    SIM_GROUND_SWEEP_NODE,     /* paths[0]: container or TTL node that was deleted; code where it was not */
};

/* One zxid of the ground log, appended in zxid order when its commit was accepted. */
struct sim_ground {
    int64_t zxid;
    int64_t time_ns; /* when the commit was applied; 0: unknown */
    enum sim_ground_kind kind;
    int64_t session_id;
    int64_t epoch;
    int64_t number; /* of the request in its epoch; 0: none */
    int64_t gateway;
    int32_t code;         /* FK_CODE_... */
    struct fk_bytes body; /* of the reply, as the session's record keeps it; may be null: then it is not compared */
    const struct fk_bytes *paths;
    size_t path_count;
};

/* One node of the first or the final state, as a client reads it (the final one after everything was restarted). */
struct sim_final_node {
    struct fk_bytes path;
    struct fk_bytes data;
    struct fk_bytes acl;  /* encoded vector<ACL>; null: not read */
    struct fk_bytes stat; /* 68 bytes, encoded */
};

struct sim_history {
    struct sim_bump bump;
    struct sim_record *records;
    size_t record_count;
    size_t record_capacity;
    struct sim_connection *connections; /* number N at [N - 1] */
    size_t connection_count;
    size_t connection_capacity;
    struct sim_ground *ground;
    size_t ground_count;
    size_t ground_capacity;
    struct sim_final_node *first_nodes; /* the tree at the start, parents first; none: the fresh one */
    size_t first_count;
    size_t first_capacity;
    struct sim_final_node *nodes; /* all nodes, in any order */
    size_t node_count;
    size_t node_capacity;
    int64_t *sessions; /* live ones in the final state */
    size_t session_count;
    size_t session_capacity;
    bool has_ground;       /* G was kept, from zxid 1 on and without a gap */
    bool has_nodes;        /* the final state was read */
    bool has_sessions;     /* the list of live sessions is there */
    int64_t first_zxid;    /* zxid of the state at the start */
    int64_t final_zxid;    /* of the final state; 0: unknown */
    int64_t faults_end_ns; /* the liveness phase began; 0: there is none */
    int64_t end_ns;        /* the run ended; what was to be answered, was. 0: not known to be quiescent */
};

void sim_history_init(struct sim_history *history);
/* Empties it for the next run, keeps the memory. */
void sim_history_reset(struct sim_history *history);
void sim_history_deinit(struct sim_history *history);

/* --- by clients; frames are copied --- */

/* Gives the number of the connection. */
uint32_t sim_history_connect(struct sim_history *history, int64_t time_ns, uint32_t client, int64_t gateway,
                             struct fk_bytes frame);
void sim_history_accepted(struct sim_history *history, int64_t time_ns, uint32_t connection, struct fk_bytes frame);
void sim_history_sent(struct sim_history *history, int64_t time_ns, uint32_t connection, struct fk_bytes frame);
void sim_history_received(struct sim_history *history, int64_t time_ns, uint32_t connection, struct fk_bytes frame);
/* Once per connection; more calls do nothing. */
void sim_history_lost(struct sim_history *history, int64_t time_ns, uint32_t connection);

/* --- by the simulator --- */

/* The connection's session and its epoch there, where the simulator can look into the gateway. */
void sim_history_epoch(struct sim_history *history, uint32_t connection, int64_t session_id, int64_t epoch);
/* The entry, its body and paths are copied; sets has_ground. */
void sim_history_ground(struct sim_history *history, const struct sim_ground *entry);
/* A node of the state at the start. */
void sim_history_first_node(struct sim_history *history, const struct sim_final_node *node);
/* The final state: all nodes, then all live sessions. */
void sim_history_final_node(struct sim_history *history, const struct sim_final_node *node);
void sim_history_final_session(struct sim_history *history, int64_t session_id);

/* --- files: NDJSON, the format is described in history_file.c --- */

void sim_history_write(const struct sim_history *history, FILE *file);
/* Line by line, for a recorder that must not keep it: the header, then records. `connection` is for CONNECT only. */
void sim_history_write_header(FILE *file, int64_t first_zxid);
void sim_history_write_record(FILE *file, const struct sim_record *record, const struct sim_connection *connection);
/* Into an empty history. MALFORMED with the line in `diag`, VERSION for a newer format, IO. */
enum fk_err sim_history_read(struct sim_history *history, FILE *file, struct fk_diag *diag);

#endif
