// SPDX-License-Identifier: Apache-2.0
/* The gateway's core: ZooKeeper's protocol on one side, the ports on the other. A step function: an event comes in
 * (bytes, an answer, a visible change, a tick, a connection gone), outputs go out (bytes to send, jobs to run,
 * connections to close). It owns no socket, waits for nothing, and runs in one thread; whoever owns the sockets calls
 * it.
 *
 * Order (design.md section 4): each connection has one output buffer, and everything is appended to it in the order in
 * which it became true: requests are answered in the order in which they came, a read waits for the session's own
 * earlier writes, an event stands before any reply that shows its change. */
#ifndef FK_GATEWAY_GATEWAY_H
#define FK_GATEWAY_GATEWAY_H

#include "base/buf.h"
#include "gateway/auth.h"
#include "gateway/bounds.h"
#include "model/quota_count.h"
#include "model/rules.h"
#include "port/clock.h"
#include "port/queue.h"
#include "port/store.h"

/* A four-letter word that the gateway answers; a mask for the whitelist. */
enum fk_word {
    FK_WORD_SRVR = 1,
    FK_WORD_RUOK = 2,
    FK_WORD_STAT = 4,
    FK_WORD_MNTR = 8,
    FK_WORD_ISRO = 16,
    FK_WORD_ENVI = 32,
    FK_WORD_CONF = 64,
    FK_WORD_CONS = 128,
    FK_WORD_CRST = 256,
    FK_WORD_DIRS = 512,
    FK_WORD_DUMP = 1024,
    FK_WORD_GTMK = 2048,
    FK_WORD_STMK = 4096,
    FK_WORD_SRST = 8192,
    FK_WORD_WCHC = 16384,
    FK_WORD_WCHP = 32768,
    FK_WORD_WCHS = 65536,
    FK_WORD_HASH = 131072,
    FK_WORD_ALL = 262143,
};

/* The word of four letters, or 0. */
unsigned fk_word_parse(struct fk_bytes name);

/* Numbers of the process that four-letter words show and only the host knows. */
struct fk_process_facts {
    int64_t open_files;
    int64_t open_files_max;
    const struct fk_summary *syncs; /* milliseconds of syncs of the log; NULL: not known */
};

struct fk_tally_session;

/* What `conf` and `dirs` show. */
struct fk_server_settings {
    const char *data_directory; /* NULL: in memory */
    int32_t client_port;
    int32_t secure_port; /* -1: none */
    int32_t backlog;
    int64_t (*data_size)(void); /* bytes of the data directory now; NULL: 0 */
};

struct fk_gateway_options {
    int32_t tick_ms;
    int32_t session_timeout_min_ms;
    int32_t session_timeout_max_ms;
    int32_t frame_size_max;          /* largest request; 0: FK_FRAME_SIZE_MAX */
    int32_t handshake_ms;            /* for the first frame; 0: FK_HANDSHAKE_MS */
    int32_t connections_per_address; /* 0 or less: no limit */
    struct fk_bounds bounds;
    bool read_only; /* as a ZooKeeper server without a quorum: read_only.c */
    unsigned words; /* whitelist, mask of enum fk_word */
    struct fk_auth_options auth;
    struct fk_rules rules;                       /* of permissions, for reads and events: skip_acl */
    const char *super_digest;                    /* "name:hash" of DigestAuthenticationProvider.superDigest, or NULL */
    const struct fk_quota_counts *quota_refused; /* for mntr; borrowed, or NULL */
    const char *environment;                     /* lines "key=value\n" of `envi` behind the version */
    struct fk_server_settings settings;
    const struct fk_tally_session *tally_weights; /* tally.h: sessions are summed with them; borrowed, or NULL */
    void (*process_facts)(struct fk_process_facts *facts); /* NULL: zeros */
};

struct fk_gateway;
struct fk_conn;
struct fk_job;
struct fk_sasl_job;

/* A gateway whose sessions are those of the store, each with a full timeout from now. NULL without memory. The ports
 * are borrowed, the options copied (strings are borrowed). */
struct fk_gateway *fk_gateway_new(const struct fk_gateway_options *options, struct fk_store *store,
                                  struct fk_queue *queue, struct fk_clock *clock, struct fk_random *random);
/* All connections must be gone. */
void fk_gateway_free(struct fk_gateway *gateway);

/* Adds a session that the store has at the start; NOMEM. */
enum fk_err fk_gateway_load_session(struct fk_gateway *gateway, const struct fk_session *session);

/* --- events --- */

/* A connection came. `address` is the text of the peer's IP ("" for a local socket), `socket` is the caller's. NULL:
 * refused (too many from this address, no memory): close it. */
struct fk_conn *fk_gateway_open(struct fk_gateway *gateway, struct fk_bytes address, uint16_t port, void *socket);

/* The client has shown a certificate: its subject is an identity of scheme x509, and the super user's where
 * X509AuthenticationProvider.superUser names it. Before any bytes. False where there is no room for it: close. */
bool fk_gateway_certified(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes subject);

/* A handshake of TLS begins; false where there are too many at once: close the connection. The numbers show them. */
bool fk_gateway_handshake_begins(struct fk_gateway *gateway);
/* One that began is over, for good or because its connection ends. */
void fk_gateway_handshake_ends(struct fk_gateway *gateway, bool done);

/* The connection speaks TLS: for those who look. */
void fk_gateway_secured(struct fk_conn *conn);

/* Bytes came. Drain the outputs afterwards. */
void fk_gateway_input(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes bytes);

/* Bytes of conn's output left it; requests that waited for room go on. */
void fk_gateway_sent(struct fk_gateway *gateway, struct fk_conn *conn);

/* The connection is closed, by the peer or by the caller as asked; frees conn. */
void fk_gateway_gone(struct fk_gateway *gateway, struct fk_conn *conn);

/* A message of the channel. Messages that nobody waits for are dropped. */
void fk_gateway_answer(struct fk_gateway *gateway, struct fk_bytes message);

/* An answer of the local topology is lost: whoever waits for one now can't know whether it is theirs, and loses the
 * connection. */
void fk_gateway_answer_lost(struct fk_gateway *gateway);

/* A change became visible: its events are queued, before the answer of the request that made it. */
void fk_gateway_change(struct fk_gateway *gateway, const struct fk_change *change);

/* The queue has room again, or a round begins: what was left for later goes on. */
void fk_gateway_resume(struct fk_gateway *gateway);

/* Time passed: deadlines, expiry. Call at least as often as fk_gateway_tick_ms says, after sockets were read. */
void fk_gateway_tick(struct fk_gateway *gateway);
int32_t fk_gateway_tick_ms(const struct fk_gateway *gateway);

/* --- outputs --- */

/* The next read to run (read.h), or NULL. Give it back with fk_gateway_job_done. */
struct fk_job *fk_gateway_take_job(struct fk_gateway *gateway);
bool fk_gateway_has_jobs(const struct fk_gateway *gateway);
void fk_gateway_job_done(struct fk_gateway *gateway, struct fk_job *job);

/* The next step of a SASL exchange to run where the driver may wait, or NULL. Run it on any thread, one at a time, then
 * give it back on the gateway's. */
struct fk_sasl_job *fk_gateway_take_sasl(struct fk_gateway *gateway);
void fk_sasl_job_run(struct fk_sasl_job *job);
void fk_gateway_sasl_done(struct fk_gateway *gateway, struct fk_sasl_job *job);

/* The next connection that has bytes to send, wants to be closed, or changed its mind about input; NULL: none. */
struct fk_conn *fk_gateway_take_output(struct fk_gateway *gateway);

/* True while something was left for the next round, so that others are served in between: events for many connections,
 * the end of many sessions (struct fk_bounds). */
bool fk_gateway_has_more(const struct fk_gateway *gateway);

/* Bytes to send; the socket layer consumes what it sent, then calls fk_gateway_sent. */
struct fk_buf *fk_conn_output(struct fk_conn *conn);
/* True: send what is left of the output, then close and call fk_gateway_gone. */
bool fk_conn_closing(const struct fk_conn *conn);
/* True before it has a session: its socket is read in pieces of FK_FRESH_INPUT_SIZE_MAX. */
bool fk_conn_is_fresh(const struct fk_conn *conn);
/* False: do not read from the socket for now. */
bool fk_conn_wants_input(const struct fk_conn *conn);
void *fk_conn_socket(const struct fk_conn *conn);

/* --- numbers --- */

/* What it was made with. */
const struct fk_gateway_options *fk_gateway_get_options(const struct fk_gateway *gateway);
/* NULL where it serves what clients ask for; otherwise why not, for operators. */
const char *fk_gateway_unready(const struct fk_gateway *gateway);

/* Connections open. */
size_t fk_gateway_connections(const struct fk_gateway *gateway);
/* Reads, and requests in all, since the start: tells the host what kind of load it has. */
uint64_t fk_gateway_reads(const struct fk_gateway *gateway);

#endif
