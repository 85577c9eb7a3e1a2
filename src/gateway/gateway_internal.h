// SPDX-License-Identifier: Apache-2.0
/* What the files of the gateway's core share: gateway.c (events and outputs), conn.c (frames and replies), handshake.c,
 * auth.c, session.c, words.c, and behind struct fk_backend the two topologies: local*.c with request.c, and cloud_*.c
 * (cloud_internal.h). */
#ifndef FK_GATEWAY_INTERNAL_H
#define FK_GATEWAY_INTERNAL_H

#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "base/summary.h"
#include "function/message.h"
#include "gateway/gateway.h"
#include "gateway/read.h"
#include "gateway/tally.h"
#include "gateway/watch.h"

enum fk_conn_state {
    FK_CONN_NEW,      /* no handshake yet */
    FK_CONN_CREATING, /* its session is being created */
    FK_CONN_READY,    /* requests are served */
    FK_CONN_LEAVING,  /* closeSession was sent, nothing more is read */
    FK_CONN_CLOSING,  /* what is in the output, then the end */
};

/* A live session. Its record is in the store; here is what only its gateway needs. */
struct fk_gateway_session {
    struct fk_map_entry entry;
    int64_t id;
    int64_t next_number;
    int64_t last_packet_ms; /* monotonic */
    int32_t timeout_ms;
    bool live;            /* its record is known to exist */
    bool closing;         /* its end was requested, which nothing can take back */
    int32_t ephemerals;   /* local: nodes that end with it, of the visible state */
    struct fk_conn *conn; /* NULL: nobody is connected */
    struct fk_tally_session tally;
};

/* A request whose answer has not come. */
struct fk_outstanding {
    int64_t number;
    int64_t started_ms;
    int32_t xid;
    int32_t op;
    struct fk_tally_write tally;
};

/* Ring of outstanding requests, oldest first; grows to FK_OUTSTANDING_MAX. */
struct fk_outstanding_ring {
    struct fk_outstanding *items;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t first;
    uint32_t count;
};

/* Connections of one address. */
struct fk_gateway_address {
    struct fk_map_entry entry;
    int32_t connections;
    uint32_t size;
    uint8_t text[];
};

struct fk_cloud_conn;

enum {
    FK_OP_NONE = INT32_MIN, /* no operation yet */
};

/* What `cons` tells of a connection. */
struct fk_conn_stats {
    int64_t established_ms; /* wall clock */
    int64_t last_zxid;
    int64_t last_response_ms; /* monotonic */
    int64_t last_latency_ms;
    int64_t latency_min_ms;
    int64_t latency_max_ms;
    int64_t latency_sum_ms;
    int64_t count;
    int32_t last_op;
    int32_t last_cxid;
};

struct fk_conn {
    struct fk_list link;    /* in the gateway's conns */
    struct fk_list output;  /* in the gateway's outputs or events, where it has something for the socket layer */
    struct fk_list stalled; /* in the gateway's stalled, where the queue was full */
    struct fk_watcher watcher;
    struct fk_gateway_address *address;
    struct fk_gateway_session *session;
    struct fk_job *job;          /* local: the read at work, or NULL */
    struct fk_cloud_conn *cloud; /* cloud: what only that needs; NULL until the handshake */
    struct fk_sasl_job *sasl;    /* the exchange at work, or NULL */
    void *socket;
    struct fk_buf in;
    struct fk_buf out;
    struct fk_buf ids; /* encoded vector<Id> */
    struct fk_outstanding_ring outstanding;
    int64_t held_size;  /* bytes of in and out, as the gateway's bounds count them */
    int64_t large_size; /* of a large request at the front of in */
    int64_t opened_ms;  /* monotonic; of the closing, once it closes */
    int64_t received;
    int64_t sent;
    struct fk_conn_stats stats;
    enum fk_conn_state state;
    uint16_t port;
    bool has_read_only;     /* the client sent the byte, the reply has it too */
    bool told_input;        /* what the socket layer was told last */
    bool in_events;         /* its output is in the gateway's events */
    bool idle;              /* no bytes since the last tick */
    bool secure;            /* TLS */
    bool sasl_done;         /* a SASL exchange has proved a name */
    int64_t auth_wait_ms;   /* until when an attempt to authenticate waits; 0: none does */
    int32_t frame_size_max; /* of the gateway's options */
    int32_t timeout_ms;     /* asked for by a client whose session is being created */
};

struct fk_gateway_stats {
    int64_t packets_received;
    int64_t packets_sent;
    struct fk_summary latency; /* milliseconds, as all of them */
    struct fk_summary reads_latency;
    struct fk_summary writes_latency;
    int64_t bytes_received;
    int64_t handshakes;
    int64_t connections_refused;
    int64_t sessions_expired;
    int64_t auth_failed;
    int64_t tls_handshaking; /* now */
    int64_t tls_failed;      /* handshakes */
    int64_t tls_refused;     /* since there were too many at once */
    int64_t outstanding;     /* now */
    uint64_t reads;
};

/* What differs between the topologies. */
struct fk_backend {
    size_t job_size; /* of its jobs, which begin with struct fk_job */
    /* The first frame of a connection. */
    void (*connect)(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_connect_request *request);
    /* Takes what it can from the input of a connection with a session. */
    void (*process)(struct fk_gateway *gateway, struct fk_conn *conn);
    /* A message of the channel. */
    void (*notice)(struct fk_gateway *gateway, struct fk_bytes message);
    void (*job_done)(struct fk_gateway *gateway, struct fk_job *job);
    /* The connection is about to be freed. */
    void (*gone)(struct fk_gateway *gateway, struct fk_conn *conn);
    void (*tick)(struct fk_gateway *gateway);
    /* Newest zxid known, and numbers of the store, -1 what is not known. */
    int64_t (*facts)(const struct fk_gateway *gateway, struct fk_store_counts *counts);
    bool (*may_send)(struct fk_gateway *gateway);             /* NULL: always */
    const char *(*unready)(const struct fk_gateway *gateway); /* NULL: writes that wait tell */
    void (*free)(struct fk_gateway *gateway);                 /* NULL: nothing to do */
};

struct fk_cloud;

struct fk_gateway {
    const struct fk_backend *backend;
    struct fk_gateway_options options;
    struct fk_store *store; /* local */
    struct fk_queue *queue; /* local */
    struct fk_cloud *cloud; /* cloud */
    struct fk_clock *clock;
    struct fk_random *random;
    struct fk_map sessions;
    struct fk_map addresses;
    struct fk_watch_table watches;
    struct fk_list conns;
    struct fk_list outputs;
    struct fk_list events; /* connections whose output is events only: they come behind those with replies */
    struct fk_list stalled;
    struct fk_list jobs;
    struct fk_list free_jobs;
    size_t free_job_count;
    struct fk_list sasl_jobs; /* steps for the host to run */
    struct fk_throttle throttle;
    struct fk_buf message; /* request message being built */
    size_t conn_count;
    int64_t now_ms; /* monotonic, at the event at work */
    int64_t started_ms;
    int64_t last_tick_ms;
    int64_t expire_after_ms; /* no session expires before: after a stall sockets are read first */
    int64_t refused;         /* connections, since the last tick */
    int32_t events_taken;    /* connections of events since take_output gave NULL */
    bool expiring;           /* more sessions are due than were ended at once */
    int32_t tick_max_ms;     /* ticks come at least as often; 0: no matter */
    int64_t trace_mask;      /* stmk, gtmk */
    struct fk_gateway_stats stats;
    struct fk_tally tally;
    struct fk_bounds_state bounds;
};

/* Answers go to this gateway: there is one on one machine. */
enum {
    FK_GATEWAY_ADDRESS = 1,
};

/* gateway.c */
struct fk_gateway *fk_gateway_create(const struct fk_backend *backend, const struct fk_gateway_options *options,
                                     struct fk_clock *clock, struct fk_random *random);
void fk_gateway_touch_clock(struct fk_gateway *gateway);
/* A request is answered: for the numbers of the connection and of the server. `write`: it changed something. */
void fk_gateway_count_answer(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_outstanding *request,
                             int64_t zxid, bool write);
/* An operation of the connection's session, for what it would cost. */
void fk_gateway_tally(struct fk_gateway *gateway, struct fk_conn *conn, enum fk_cost_op op, size_t amount);
void fk_gateway_tally_write(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_tally_write *write,
                            int32_t code, struct fk_bytes reply);
/* A read, before its watch is set. */
void fk_gateway_tally_read(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_job *job);
/* A job that is used again keeps what it was but for its buffers; NULL without memory. */
struct fk_job *fk_gateway_job_new(struct fk_gateway *gateway);
void fk_gateway_job_release(struct fk_gateway *gateway, struct fk_job *job);
/* Sets the watches of a read and sends the events that setWatches missed; false where the connection was closed. A
 * watch over the limits makes an error of the read's reply; where the watches are those of a reconnect the connection
 * ends: its client takes no notice of that reply. */
bool fk_conn_do_actions(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_job *job);

/* conn.c */
enum {
    FK_FRAME_LENGTH_SIZE = 4,
    FK_FRAME_INCOMPLETE = -1,
    FK_FRAME_BAD = -2,
};

/* Size of the frame at the front of `input`, or why there is none. */
int64_t fk_conn_frame_size(const struct fk_conn *conn, struct fk_bytes input);
void fk_conn_process(struct fk_gateway *gateway, struct fk_conn *conn);
void fk_conn_mark(struct fk_gateway *gateway, struct fk_conn *conn);
/* What is in the output is sent, then the connection closes. */
void fk_conn_close(struct fk_gateway *gateway, struct fk_conn *conn);
/* Closes without sending what is in the output. */
void fk_conn_kill(struct fk_gateway *gateway, struct fk_conn *conn);
/* Appends a reply; the body only for code 0. */
void fk_conn_reply(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_reply_header *header,
                   struct fk_bytes body);
/* The same with the body whatever the code: SASL's refusals have one. */
void fk_conn_reply_whole(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_reply_header *header,
                         struct fk_bytes body);
void fk_conn_event(struct fk_gateway *gateway, struct fk_conn *conn, int64_t zxid, int32_t type, struct fk_bytes path);
struct fk_caller fk_conn_caller(const struct fk_gateway *gateway, const struct fk_conn *conn);
bool fk_outstanding_add(struct fk_outstanding_ring *ring, const struct fk_outstanding *item);
struct fk_outstanding *fk_outstanding_first(struct fk_outstanding_ring *ring);
void fk_outstanding_drop(struct fk_outstanding_ring *ring);

/* handshake.c */
void fk_handshake(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes frame);
/* The timeout within the limits of the options. */
int32_t fk_handshake_timeout(const struct fk_gateway *gateway, int32_t timeout_ms);
void fk_handshake_respond(struct fk_gateway *gateway, struct fk_conn *conn, int64_t session_id, int32_t timeout_ms,
                          const uint8_t *password);
/* Tells the client that its session is expired. */
void fk_handshake_refuse(struct fk_gateway *gateway, struct fk_conn *conn);

/* local_session.c */
void fk_local_connect(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_connect_request *request);
void fk_local_created(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_answer_message *answer);

/* read_only.c: the parts of the backend that differ. */
void fk_read_only_connect(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_connect_request *request);
bool fk_read_only_request(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes frame);
void fk_read_only_tick(struct fk_gateway *gateway);

/* request.c: one frame; false where it has to wait (and was not taken). */
bool fk_request(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes frame);

/* watch_request.c: false where it is another operation; `zxid` is for the reply. */
bool fk_watch_request(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_request_header *header,
                      struct fk_bytes body, int64_t zxid);

/* bounds.c: what all clients together may take. False: refuse; the tick tells the log how often. */
bool fk_bounds_connection(struct fk_gateway *gateway);
/* Any handshake, and one that would make a session. */
bool fk_bounds_handshake(struct fk_gateway *gateway);
bool fk_bounds_session(struct fk_gateway *gateway);
/* May this connection have one more request outstanding? If not, an answer to it is on its way. */
bool fk_bounds_outstanding(const struct fk_gateway *gateway, const struct fk_conn *conn);
/* Counts what the connection's buffers hold; false: it must be closed. */
bool fk_bounds_memory(struct fk_gateway *gateway, struct fk_conn *conn);
void fk_bounds_gone(struct fk_gateway *gateway, struct fk_conn *conn);
/* Counts ephemeral nodes by their sessions; may the session have what this write would make? */
void fk_bounds_put(struct fk_gateway *gateway, const struct fk_put *put);
bool fk_bounds_ephemerals(const struct fk_gateway *gateway, const struct fk_gateway_session *session, int32_t op,
                          struct fk_bytes body);
void fk_bounds_tick(struct fk_gateway *gateway);

/* auth.c */
void fk_auth_init(struct fk_conn *conn);
bool fk_auth_add(struct fk_conn *conn, struct fk_bytes scheme, struct fk_bytes id);
void fk_auth_request(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, struct fk_bytes body);
enum fk_auth_gate {
    FK_AUTH_PASS,
    FK_AUTH_WAIT,    /* the frame stays where it is; the tick, or the end of a SASL step, looks again */
    FK_AUTH_REFUSED, /* answered, and the connection is closed */
};
/* Stands before every request: may it be taken now? Attempts to authenticate wait where too many failed; everything
 * waits for a SASL step at work; nothing else goes without an identity of an enforced scheme. */
enum fk_auth_gate fk_auth_gate(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, int32_t op);
/* True where connections need an identity of a scheme out of a list that has `scheme`. */
bool fk_auth_enforces(const struct fk_gateway *gateway, const char *scheme);
/* Counts a failed attempt of the connection's address, and tells the log. */
void fk_auth_failed(struct fk_gateway *gateway, struct fk_conn *conn, const char *scheme);
/* Once per tick and connection. */
void fk_auth_tick(struct fk_gateway *gateway, struct fk_conn *conn);

/* sasl.c */
void fk_sasl_request(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, struct fk_bytes body);
bool fk_sasl_busy(const struct fk_conn *conn);
bool fk_sasl_late(const struct fk_gateway *gateway, const struct fk_conn *conn);
void fk_sasl_drop(struct fk_conn *conn);

/* session.c */
struct fk_gateway_session *fk_session_find(struct fk_gateway *gateway, int64_t id);
/* Puts one that begins now into the table. */
void fk_session_add(struct fk_gateway *gateway, struct fk_gateway_session *session, int64_t id, int32_t timeout_ms);
struct fk_gateway_session *fk_session_new(struct fk_gateway *gateway, int64_t id, int32_t timeout_ms);
void fk_session_free(struct fk_gateway *gateway, struct fk_gateway_session *session);
void fk_session_detach(struct fk_gateway *gateway, struct fk_conn *conn);
/* Its record is visible: its time runs, whether or not its client is there and hears of it. */
void fk_session_began(struct fk_gateway *gateway, int64_t id);
void fk_session_ended(struct fk_gateway *gateway, int64_t id);
void fk_session_expire_all(struct fk_gateway *gateway);
/* A random id that the wire allows, not in use here. */
int64_t fk_session_draw_id(struct fk_gateway *gateway);

/* words.c */
enum fk_word_state {
    FK_WORD_NONE,
    FK_WORD_INCOMPLETE, /* more bytes belong to it */
    FK_WORD_ANSWERED,   /* and the connection closes */
};
enum fk_word_state fk_word_answer(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes input);

#endif
