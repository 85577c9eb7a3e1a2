// SPDX-License-Identifier: Apache-2.0
/* The client's connection: bytes over TCP or TLS, never blocking beyond a deadline (monotonic milliseconds). */
#ifndef FK_HTTP_CLIENT_SOCKET_H
#define FK_HTTP_CLIENT_SOCKET_H

#include "base/bytes.h"
#include "base/err.h"
#include "http/client.h"

struct ssl_st;
struct ssl_session_st;

#define FK_HTTP_NO_DEADLINE INT64_MAX

struct fk_http_socket {
    int fd;                         /* -1: closed */
    struct ssl_st *ssl;             /* NULL: plain */
    struct ssl_session_st *session; /* of the last connection, which makes the next handshake cheaper; or NULL */
};

enum fk_http_io {
    FK_HTTP_IO_OK,
    FK_HTTP_IO_END,      /* the peer has closed */
    FK_HTTP_IO_LATE,     /* the deadline has passed */
    FK_HTTP_IO_BROKEN,   /* the connection, or its TLS */
    FK_HTTP_IO_READABLE, /* nothing could be written, but something may be read */
};

int64_t fk_http_now_ms(void);

/* Tries the addresses of the name in turn. BUSY: no connection in time; USAGE: a certificate that isn't trusted. */
enum fk_err fk_http_socket_open(struct fk_http_socket *socket, const struct fk_http_origin *origin,
                                struct ssl_ctx_st *tls, int64_t deadline_ms, struct fk_diag *diag);
void fk_http_socket_close(struct fk_http_socket *socket);
/* Closes, and forgets the session too. */
void fk_http_socket_deinit(struct fk_http_socket *socket);

/* Waits until there is something; a deadline of 0 does not wait. */
enum fk_http_io fk_http_socket_read(struct fk_http_socket *socket, uint8_t *data, size_t size, int64_t deadline_ms,
                                    size_t *got);
/* Waits until something was written, or may be read. */
enum fk_http_io fk_http_socket_write(struct fk_http_socket *socket, struct fk_bytes bytes, int64_t deadline_ms,
                                     size_t *done);

#endif
