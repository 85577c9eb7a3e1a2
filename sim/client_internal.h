// SPDX-License-Identifier: Apache-2.0
/* What client.c (sessions, requests) and client_conn.c (connections, frames, time) share. */
#ifndef SIM_CLIENT_INTERNAL_H
#define SIM_CLIENT_INTERNAL_H

#include "base/limits.h"
#include "sim/client_watch.h"

enum {
    SIM_CLIENT_AUTH_MAX = 4,
};

struct sim_client {
    struct sim_process *process;
    struct sim_client_options options;
    uint64_t dice;
    enum sim_client_state state;
    struct sim_signal changed;
    /* the session */
    int64_t session_id;
    uint8_t password[FK_PASSWORD_SIZE];
    int32_t timeout_ms; /* agreed */
    int64_t last_zxid;
    const char *auth[SIM_CLIENT_AUTH_MAX];
    size_t auth_count;
    struct sim_watches watches;
    /* the connection */
    struct sim_link *link;
    uint32_t connection; /* its number in the history */
    int port;
    uint32_t connects; /* handshakes begun so far */
    int next_port;     /* where to connect next; -1: any */
    bool accepted;     /* the handshake was answered */
    bool frozen;
    int32_t xid; /* of the last request */
    struct fk_buf in;
    struct fk_buf out;
    struct fk_list calls; /* sent, not answered, in their order */
    size_t call_count;
    int64_t received_ns;
    int64_t sent_ns;
    int64_t retry_ns; /* WAITING: when to connect */
    int64_t timer_ns; /* when the timer goes off; 0: not set */
    uint64_t sent;
    uint64_t events;
};

int64_t sim_client_now(const struct sim_client *client);
uint64_t sim_client_below(struct sim_client *client, uint64_t below);
void sim_client_become(struct sim_client *client, enum sim_client_state state);

/* client_conn.c */
/* Sends a frame of xid, op and body, and writes it down. */
void sim_client_frame(struct sim_client *client, int32_t xid, int32_t op, struct fk_bytes body);
/* Ends the connection, if there is one: requests in flight are lost. */
void sim_client_drop(struct sim_client *client);
/* Comes back in `ms`. */
void sim_client_retry(struct sim_client *client, int64_t ms);
void sim_client_arm(struct sim_client *client);

/* client.c */
void sim_client_lose_calls(struct sim_client *client);
void sim_client_finish(struct sim_client *client, struct sim_request *call);

#endif
