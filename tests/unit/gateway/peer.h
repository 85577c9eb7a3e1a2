// SPDX-License-Identifier: Apache-2.0
/* Clients that speak ZooKeeper's protocol with a gateway core, byte by byte: what they send and what they expect. */
#ifndef FK_TESTS_UNIT_GATEWAY_PEER_H
#define FK_TESTS_UNIT_GATEWAY_PEER_H

#include "base/arena.h"
#include "gateway/gateway.h"
#include "support/test.h"
#include "wire/records.h"

/* One end of a connection. */
struct peer {
    struct fk_gateway *gateway;
    struct fk_arena *arena;
    struct fk_conn *conn; /* NULL: closed */
    struct fk_buf in;     /* what came, not read by the test yet */
    bool slow;            /* takes no bytes out of its connection */
    bool refused;         /* was not let in */
};

void peer_send(struct peer *peer, struct fk_bytes bytes);
void peer_hang_up(struct peer *peer);
bool peer_closed(const struct peer *peer);

struct hello {
    int32_t version;
    int64_t last_zxid;
    int32_t timeout_ms;
    int64_t session_id;
    struct fk_bytes password;
    bool old; /* without the read-only byte */
};
void peer_hello(struct peer *peer, const struct hello *hello);
/* What came back: all zero for an expired session. Fails where nothing did. */
struct fk_connect_response peer_welcome(struct peer *peer);
/* Requests; the body is written by the caller between begin and end, or in one go. */
struct fk_buf *request_begin(int32_t xid, int32_t op);
void request_end(struct peer *peer);
void send_plain(struct peer *peer, int32_t xid, int32_t op);
void send_create(struct peer *peer, int32_t xid, const char *path, const char *data, int32_t flags);
void send_set(struct peer *peer, int32_t xid, const char *path, struct fk_bytes data);
void send_delete(struct peer *peer, int32_t xid, const char *path);
void send_watch(struct peer *peer, int32_t xid, int32_t op, const char *path, bool watch);
void send_sync(struct peer *peer, int32_t xid, const char *path);
void send_auth(struct peer *peer, const char *scheme, const char *auth);

/* The next frame; NULL data where none has come. */
struct fk_bytes peer_frame(struct peer *peer);
bool peer_quiet(struct peer *peer);
/* The next frame is the reply to xid with this code; gives the reader at its body, and the zxid. */
struct fk_reader expect_reply(struct peer *peer, int32_t xid, int32_t code);
extern int64_t replied_zxid;
void expect_event(struct peer *peer, int32_t type, const char *path);

#endif
