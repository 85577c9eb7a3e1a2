// SPDX-License-Identifier: Apache-2.0
/* What the parts of the socket layer share: uv_server.c, uv_listener.c (accepts), uv_client.c (reads and writes),
 * uv_address.c (names). */
#ifndef FK_GATEWAY_UV_INTERNAL_H
#define FK_GATEWAY_UV_INTERNAL_H

#include "base/list.h"
#include "gateway/tls.h"
#include "gateway/uv_address.h"
#include "gateway/uv_server.h"

#include <netinet/in.h>

enum {
    FK_UV_READ_SIZE = 256 * 1024,
    FK_UV_ADDRESS_SIZE = INET6_ADDRSTRLEN,
};

union fk_uv_stream {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct fk_uv_listener {
    struct fk_list link;
    struct fk_uv_server *server;
    union fk_uv_stream socket;
    uv_timer_t pause; /* runs while accepting backs off */
    enum fk_listen_mode mode;
    bool local;
    bool waiting; /* a connection waits to be accepted */
    int handles;  /* open handles of this struct */
};

struct fk_uv_client {
    struct fk_list link;
    struct fk_uv_server *server;
    struct fk_conn *conn;
    struct fk_tls *tls; /* NULL: plain, or not known yet */
    union fk_uv_stream socket;
    uv_write_t write;
    struct fk_buf sending;    /* bytes libuv holds while the socket is full */
    enum fk_listen_mode mode; /* EITHER until the first byte came */
    bool handshaking;         /* TLS is; its certificate was not looked at */
    bool writing;
    bool reading;
    bool closed;
};

struct fk_uv_server {
    struct fk_uv_server_options options;
    struct fk_list listeners;
    struct fk_list clients;
    size_t client_count; /* descriptors in use */
    uint8_t *buffer;     /* all sockets are read into this one */
    struct fk_buf plain; /* what came out of TLS, of the connection at work */
    bool stopping;
};

/* uv_address.c */
/* True for unix:PATH; *path is set then. */
bool fk_uv_is_local(const char *address, const char **path);
/* Text of the peer's IP (FK_UV_ADDRESS_SIZE) and its port; an empty text for local sockets. IPv4 in IPv6 is IPv4. */
void fk_uv_peer(const union fk_uv_stream *socket, char *text, uint16_t *port);
/* Appends the address that a listener has got. */
void fk_uv_bound_name(const struct fk_uv_listener *listener, const char *address, struct fk_buf *bound);

int fk_uv_stream_init(uv_loop_t *loop, union fk_uv_stream *socket, bool local);

/* uv_listener.c */
void fk_uv_listener_close(struct fk_uv_listener *listener);

/* uv_client.c */
/* Takes the connection that waits at a listener; false where none could be taken. */
bool fk_uv_accept(struct fk_uv_listener *listener);
void fk_uv_client_close(struct fk_uv_client *client);
void fk_uv_client_send(struct fk_uv_client *client);
void fk_uv_client_set_reading(struct fk_uv_client *client, bool reading);

#endif
