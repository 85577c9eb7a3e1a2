// SPDX-License-Identifier: Apache-2.0
/* A ZooKeeper client on the wire, with the rules of the Java client (ClientCnxn): pings at a third of the session's
 * timeout, a server that is silent for two thirds is left for another one, requests in flight are then lost, the
 * session and its watches go on elsewhere (lastZxidSeen, password, addauth, setWatches). It shares nothing with the
 * gateway but jute, and writes all that passes into the history.
 *
 * Calls of one client come from tasks of its process, or from calls in it. */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include "base/buf.h"
#include "sim/history.h"
#include "sim/net.h"

struct sim_client;

enum sim_client_state {
    SIM_CLIENT_IDLE,       /* not connected, and does not want to be */
    SIM_CLIENT_WAITING,    /* comes back in a while */
    SIM_CLIENT_CONNECTING, /* the handshake is on its way */
    SIM_CLIENT_READY,
    SIM_CLIENT_CLOSING, /* closeSession was sent */
    SIM_CLIENT_CLOSED,
    SIM_CLIENT_EXPIRED,
};

struct sim_client_options {
    struct sim_world *world;
    struct sim_net *net;
    struct sim_history *history;
    uint32_t number;
    int ports; /* gateways listen at 0 ... ports - 1 */
    int32_t timeout_ms;
    int32_t next_timeout_ms; /* what every second connection asks for */
    uint64_t seed;           /* of its own dice: which gateway, how long it waits */
    bool eager; /* requests may be sent before the handshake is answered, where the session is known: nobody could
                 * tell later whose the first ones of a new session were */
};

/* A request and what became of it. */
struct sim_request {
    struct fk_list link;
    int32_t xid;
    int32_t op;
    struct fk_buf request; /* body */
    bool done;
    bool lost;    /* the connection ended first: nobody knows */
    bool dropped; /* nobody waits for it: freed when done */
    int32_t code;
    int64_t zxid;
    struct fk_buf reply; /* body, for code 0 */
};

/* Kinds of watches as the Java client keeps them; a mask. */
enum sim_watch {
    SIM_WATCH_DATA = 1,
    SIM_WATCH_EXIST = 2,
    SIM_WATCH_CHILD = 4,
    SIM_WATCH_PERSISTENT = 8,
    SIM_WATCH_RECURSIVE = 16,
};

/* Its process is the caller's to end; memory goes with the world. */
struct sim_client *sim_client_new(struct sim_process *process, const struct sim_client_options *options);

/* Begins to connect, for a new session or the one it has. `port` -1: any. */
void sim_client_start(struct sim_client *client, int port);
/* Forgets the session (closed, expired or left to itself), its watches and identities; IDLE. */
void sim_client_forget(struct sim_client *client);
/* Takes the session of another client, as a second process that knows its password does; IDLE. */
void sim_client_adopt(struct sim_client *client, const struct sim_client *other, bool with_zxid);
/* From now on it shows a password that is not the session's, or a zxid that is so much ahead of what it has seen. */
void sim_client_forge_password(struct sim_client *client);
void sim_client_forge_zxid(struct sim_client *client, int64_t ahead);
/* Leaves its connection, and comes back at `port` (-1: another one). */
void sim_client_move(struct sim_client *client, int port);
/* Stands still: it reads nothing and sends nothing, its connection stays. */
void sim_client_freeze(struct sim_client *client, bool frozen);
/* Leaves its connection, or the attempt, without a word, and does not come back by itself; IDLE. */
void sim_client_leave(struct sim_client *client);

/* Adds an identity ("user:password") to this and later connections. */
void sim_client_auth(struct sim_client *client, const char *credentials);

/* True where requests can be sent. */
bool sim_client_usable(const struct sim_client *client);
/* Waits until it is; false at the deadline, or where it never will be (expired, closed, idle). */
bool sim_client_wait_usable(struct sim_client *client, int64_t deadline_ns);

/* Sends a request; one that cannot be sent is lost at once. Give it back with sim_request_done. */
struct sim_request *sim_client_send(struct sim_client *client, int32_t op, struct fk_bytes body);
/* Waits for its end; false at the deadline (then it is still open). */
bool sim_request_wait(struct sim_client *client, struct sim_request *call, int64_t deadline_ns);
void sim_request_done(struct sim_request *call);

enum sim_client_state sim_client_state(const struct sim_client *client);
struct sim_process *sim_client_process(const struct sim_client *client);
uint32_t sim_client_number(const struct sim_client *client);
int64_t sim_client_session(const struct sim_client *client);
int32_t sim_client_timeout_ms(const struct sim_client *client);
/* Of the newest request. */
int32_t sim_client_xid(const struct sim_client *client);
/* Of the present or last connection; -1: none yet. */
int sim_client_port(const struct sim_client *client);
struct sim_link *sim_client_link(const struct sim_client *client);
/* Requests that are not answered. */
size_t sim_client_open_calls(const struct sim_client *client);
/* Requests sent in all, pings and the like not counted. */
uint64_t sim_client_sent(const struct sim_client *client);
/* Woken by every change: state, answer, event. */
struct sim_signal *sim_client_signal(struct sim_client *client);

/* Watches that the client believes to have: the i-th path (null view behind the last) and its kinds. */
struct fk_bytes sim_client_watched(const struct sim_client *client, size_t i, unsigned *kinds);
/* Kinds of watches it has on the path. */
unsigned sim_client_watches(const struct sim_client *client, struct fk_bytes path);
/* Events received, in all. */
uint64_t sim_client_events(const struct sim_client *client);

#endif
