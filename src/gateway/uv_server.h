// SPDX-License-Identifier: Apache-2.0
/* The thin layer between the gateway's core and libuv: listeners, sockets, bytes. No protocol, no state of its own
 * beyond handles. Addresses: HOST:PORT, [v6]:PORT, unix:PATH; port 0 takes a free one. */
#ifndef FK_GATEWAY_UV_SERVER_H
#define FK_GATEWAY_UV_SERVER_H

#include "base/err.h"
#include "gateway/gateway.h"

#include <uv.h>

struct fk_uv_server;
struct fk_tls_context;

/* What connections of a listener speak. */
enum fk_listen_mode {
    FK_LISTEN_PLAIN,
    FK_LISTEN_TLS,
    FK_LISTEN_EITHER, /* the first byte tells (client.portUnification) */
};

struct fk_listen {
    const char *address;
    enum fk_listen_mode mode;
    int descriptor; /* of a socket that listens at this address already; 0: open one */
};

/* Where and how to listen. `progress` is called after bytes came or a connection ended: the host then runs a round. */
struct fk_uv_server_options {
    uv_loop_t *loop;
    struct fk_gateway *gateway;
    size_t clients_max;         /* sockets beyond which connections wait in the system's queue */
    int backlog;                /* connections that wait to be accepted; below 0: as many as the system allows */
    struct fk_tls_context *tls; /* NULL: no listener speaks TLS */
    void (*progress)(void *context);
    void *context;
};

/* NULL without memory. */
struct fk_uv_server *fk_uv_server_new(const struct fk_uv_server_options *options);

/* Whether an address parses, and its host is known; USAGE with diag otherwise. For before anything else is done.
 * `exposed`: other machines reach it. */
enum fk_err fk_uv_server_check(uv_loop_t *loop, const char *address, bool *exposed, struct fk_diag *diag);

/* Starts listening; `bound` gets the address with the real port. USAGE: the address does not parse; IO: in use, no such
 * address, no permission; diag says which. */
enum fk_err fk_uv_server_listen(struct fk_uv_server *server, const struct fk_listen *listen, struct fk_buf *bound,
                                struct fk_diag *diag);

/* Sends what the gateway has put out: one write per connection, and closes what it wants closed. */
void fk_uv_server_flush(struct fk_uv_server *server);

/* Closes listeners; connections go on. */
void fk_uv_server_pause(struct fk_uv_server *server);

/* Closes listeners and connections; run the loop until its handles are gone, then free. */
void fk_uv_server_stop(struct fk_uv_server *server);
void fk_uv_server_free(struct fk_uv_server *server);

#endif
