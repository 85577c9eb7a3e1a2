// SPDX-License-Identifier: Apache-2.0
/* What the files of the local stack share. */
#ifndef SIM_LOCAL_INTERNAL_H
#define SIM_LOCAL_INTERNAL_H

#include "driver/local/fifo.h"
#include "driver/local/store.h"
#include "function/heartbeat.h"
#include "function/writer.h"
#include "sim/local_disk.h"
#include "sim/local_ledger.h"
#include "sim/local_run.h"

enum {
    SIM_LOCAL_CLIENTS_MAX = 16,
    SIM_LOCAL_TICK_MS = 500,
};

/* A client and its session. Requests are answered in their order, each once, as long as a life lasts. */
struct sim_local_client {
    int64_t session_id; /* 0: none */
    int64_t epoch;      /* raised each time it attaches */
    int64_t sent;       /* number of the last request */
    int64_t answered;   /* number of the last answer */
    bool closing;       /* has asked for its end, or was expired */
    bool silent;        /* says nothing until it expires */
    int64_t next_ns;    /* when it acts again */
    int64_t last_packet_ms;
};

/* The lab: what outlives the servers. Its memory is the world's. */
struct sim_local {
    struct sim_world *world;
    const struct sim_local_options *options;
    struct sim_local_result *result;
    struct sim_faults *faults;
    struct sim_disk *disk;
    struct sim_ledger *ledger;
    struct fk_vfs *vfs; /* of the server that lives; SQLite knows it */
    struct sim_bump *bump;
    struct sim_local_client clients[SIM_LOCAL_CLIENTS_MAX];
    uint64_t session_ids;
    uint64_t values;
    int64_t told_zxid; /* the newest that anybody was told or shown */
    bool settling;     /* no more faults, no more requests: everything must be answered */
    struct sim_damage damage;
    bool refused;      /* the last start ended because of damage */
    bool started;      /* it did not end */
    bool excused;      /* damage that nobody can notice may have cut the log */
    bool rotten;       /* damage stays in the checkpoint: that it is refused from now on is right */
    int64_t kept_zxid; /* what a start may come back to at least: told_zxid but for damage that can't be told */
    struct sim_signal ended;
};

/* One life of a server. */
struct sim_local_server {
    struct sim_local *lab;
    struct sim_process *process;
    struct fk_clock *clock;
    struct fk_store *store;
    struct fk_store *watched; /* store, as the writer sees it */
    struct fk_queue *queue;
    struct fk_channel *channel;
    struct fk_writer writer;
    struct fk_fifo deferred;
    int32_t done;
    bool busy;
    bool over;
    struct sim_signal progress;
    int64_t tick_ns;
    int64_t started_ns;
    int64_t resumed_ns; /* when it stood still last: nothing recovers meanwhile */
};

/* local_client.c */

/* All clients attach to a server that has just started: sessions that are gone are replaced. */
void sim_local_attach(struct sim_local_server *server);
/* Clients that are due send something; gives the time when the next one is. */
int64_t sim_local_act(struct sim_local_server *server);
/* Connections whose answers can't be told apart end, as with fk_gateway_answer_lost. */
void sim_local_answers_lost(struct sim_local_server *server);
void sim_local_answer(struct sim_local_server *server, struct fk_bytes message);
/* Whether a request is not answered. */
bool sim_local_waiting(const struct sim_local *lab);
/* Expires the sessions that were silent too long. */
void sim_local_expire(struct sim_local_server *server);

/* local_server.c: the whole life, as a task; context is a sim_local_server of the lab. */
void sim_local_live(void *server);

/* local_judge.c */

/* Before damage is done or read: what it lets the server lose without notice (H27) lowers lab->kept_zxid. `lab` is a
 * sim_local. */
void sim_local_excuse(void *lab, const struct sim_damage *damage);
/* A start that was refused: is it right? */
void sim_local_judge_refusal(struct sim_local *lab, enum fk_err err, const struct fk_diag *diag);
/* A start that was not: the state must be that after one of the accepted changes, none that was told is missing. */
void sim_local_judge_start(struct sim_local *lab, struct fk_store *store);

#endif
