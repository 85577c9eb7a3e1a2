// SPDX-License-Identifier: Apache-2.0
/* A client of HTTP/1.1: one connection to one origin, which it opens when it needs it and keeps for the next call.
 * Blocking, with a time limit on each call; for one thread. Over TLS the peer must show a certificate for the name. */
#ifndef FK_HTTP_CLIENT_H
#define FK_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/err.h"
#include "http/answer.h"

struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

struct fk_http_origin {
    bool tls;
    const char *host; /* a name or an address, that of IPv6 without brackets */
    uint16_t port;
};

struct fk_http_client_options {
    struct fk_http_origin origin; /* copied */
    int32_t connect_ms;           /* until the connection stands, its TLS included; 0: the limit of the call alone */
    struct ssl_ctx_st *tls;       /* whom to trust; used where origin.tls, and the client takes a reference */
};

struct fk_http_client;

struct fk_http_call {
    const char *method;
    struct fk_bytes target;               /* path and query, already encoded: "/a?b=c" */
    const struct fk_http_header *headers; /* further ones; Host and Content-Length are the client's */
    size_t header_count;
    struct fk_bytes body;
    int32_t timeout_ms;    /* until the whole answer is there; 0: no limit */
    size_t reply_size_max; /* of the body; 0: FK_HTTP_REPLY_SIZE_MAX */
    bool idempotent;       /* may be sent again where a kept connection turns out to have been closed */
};

/* NULL without memory. */
struct fk_http_client *fk_http_client_new(const struct fk_http_client_options *options);
void fk_http_client_free(struct fk_http_client *client);

/* What the client writes as Host: the name, with the port where it isn't the usual one. */
const char *fk_http_client_host(const struct fk_http_client *client);

/* Sends the call and waits for the whole answer, which lies in the arena (any status is FK_OK).
 * BUSY: nothing was sent: no connection, or not in time. USAGE: nothing was sent: the peer's certificate is not to be
 * trusted. INVALID: the call itself is none. NOMEM: nothing was sent, or its answer is lost: as UNKNOWN.
 * UNKNOWN: sent, at least in part, and no whole answer. TOO_LARGE, MALFORMED: the answer is; the call was most likely
 * applied.
 * A connection kept from an earlier call, which the server closed before a byte of the answer came, is opened again
 * once, and the call repeated where it is idempotent. */
enum fk_err fk_http_client_call(struct fk_http_client *client, const struct fk_http_call *call, struct fk_arena *arena,
                                struct fk_http_answer *answer, struct fk_diag *diag);

#endif
