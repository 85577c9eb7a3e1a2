// SPDX-License-Identifier: Apache-2.0
#include "gateway/uv_server.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    READ_SIZE = 256 * 1024,
    ACCEPT_PAUSE_MS = 100, /* after EMFILE and the like: time for descriptors to come back */
};

union any_stream {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct listener {
    struct fk_list link;
    struct fk_uv_server *server;
    union any_stream socket;
    uv_timer_t pause; /* runs while accepting backs off */
    bool local;
    bool waiting; /* a connection waits to be accepted */
    int handles;  /* open handles of this struct */
};

struct client {
    struct fk_list link;
    struct fk_uv_server *server;
    struct fk_conn *conn;
    union any_stream socket;
    uv_write_t write;
    struct fk_buf sending; /* bytes libuv holds while the socket is full */
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
    bool stopping;
};

struct fk_uv_server *fk_uv_server_new(const struct fk_uv_server_options *options)
{
    struct fk_uv_server *server = (struct fk_uv_server *)fk_alloc_zero(sizeof *server);
    uint8_t *buffer = (uint8_t *)fk_alloc(READ_SIZE);
    if (server == NULL || buffer == NULL) {
        fk_free(server);
        fk_free(buffer);
        return NULL;
    }
    server->options = *options;
    server->buffer = buffer;
    fk_list_init(&server->listeners);
    fk_list_init(&server->clients);
    return server;
}

static void client_freed(uv_handle_t *handle)
{
    struct client *client = (struct client *)handle->data;
    client->server->client_count--;
    fk_buf_deinit(&client->sending);
    fk_free(client);
}

static void client_close(struct client *client)
{
    if (client->closed) {
        return;
    }
    client->closed = true;
    fk_list_remove(&client->link);
    if (client->conn != NULL) {
        fk_gateway_gone(client->server->options.gateway, client->conn);
        client->conn = NULL;
    }
    uv_close(&client->socket.handle, client_freed);
}

static void set_reading(struct client *client, bool reading);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *client = (struct client *)handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)client->server->buffer,
                       fk_conn_is_fresh(client->conn) ? FK_FRESH_INPUT_SIZE_MAX : READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct client *client = (struct client *)stream->data;
    struct fk_uv_server *server = client->server;
    if (size == 0 || client->closed) {
        return;
    }
    if (size < 0) {
        client_close(client);
        return;
    }
    fk_gateway_input(server->options.gateway, client->conn, fk_bytes_of(buf->base, (size_t)size));
    set_reading(client, fk_conn_wants_input(client->conn)); /* libuv reads on and on otherwise */
    server->options.progress(server->options.context);
}

static void set_reading(struct client *client, bool reading)
{
    if (client->reading == reading || client->closed) {
        return;
    }
    client->reading = reading;
    if (!reading) {
        (void)uv_read_stop(&client->socket.stream);
    } else if (uv_read_start(&client->socket.stream, on_alloc, on_read) != 0) {
        client_close(client);
    }
}

static void client_send(struct client *client);

static void on_written(uv_write_t *request, int status)
{
    struct client *client = (struct client *)request->data;
    client->writing = false;
    if (client->closed) {
        return;
    }
    fk_buf_clear(&client->sending);
    fk_buf_trim(&client->sending, 0);
    if (status < 0) {
        client_close(client);
        return;
    }
    fk_gateway_sent(client->server->options.gateway, client->conn);
    client_send(client);
    client->server->options.progress(client->server->options.context);
}

/* The socket is full: libuv gets the bytes, the gateway an empty buffer, and goes on when they are gone. */
static void send_later(struct client *client, struct fk_buf *out)
{
    enum {
        PIECE = 256 * 1024, /* what is held twice at most */
    };
    struct fk_bytes piece = fk_bytes_head(fk_buf_view(out), PIECE);
    fk_buf_clear(&client->sending);
    fk_buf_append(&client->sending, piece);
    uv_buf_t buf = uv_buf_init((char *)client->sending.data, (unsigned)piece.size);
    client->write.data = client;
    if (client->sending.failed || uv_write(&client->write, &client->socket.stream, &buf, 1, on_written) != 0) {
        client_close(client);
        return;
    }
    client->writing = true;
    fk_buf_consume(out, piece.size);
}

static void client_send(struct client *client)
{
    struct fk_buf *out = fk_conn_output(client->conn);
    if (client->writing) {
        return;
    }
    struct fk_bytes left = fk_buf_view(out);
    if (left.size > 0) {
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)left.data, (unsigned)left.size);
        int sent = uv_try_write(&client->socket.stream, &buf, 1);
        if (sent < 0 && sent != UV_EAGAIN) {
            client_close(client);
            return;
        }
        if (sent > 0) {
            fk_buf_consume(out, (size_t)sent);
            fk_gateway_sent(client->server->options.gateway, client->conn);
        }
    }
    if (fk_buf_left(out) > 0) {
        send_later(client, out);
    } else if (fk_conn_closing(client->conn)) {
        client_close(client);
    }
}

void fk_uv_server_flush(struct fk_uv_server *server)
{
    struct fk_conn *conn = NULL;
    while ((conn = fk_gateway_take_output(server->options.gateway)) != NULL) {
        struct client *client = (struct client *)fk_conn_socket(conn);
        if (fk_conn_closing(conn) && client->writing && fk_buf_left(fk_conn_output(conn)) == 0) {
            /* Killed, or given up on: what libuv holds is not waited for. */
            client_close(client);
            continue;
        }
        set_reading(client, fk_conn_wants_input(conn));
        if (!client->closed) {
            client_send(client);
        }
    }
}

/* Text of the peer's IP and its port; an empty text for local sockets. IPv4 in IPv6 is IPv4. */
static void peer_of(const struct client *client, char *text, size_t size, uint16_t *port)
{
    struct sockaddr_storage peer;
    int length = sizeof peer;
    text[0] = '\0';
    *port = 0;
    if (client->socket.handle.type != UV_TCP ||
        uv_tcp_getpeername(&client->socket.tcp, (struct sockaddr *)&peer, &length) != 0) {
        return;
    }
    if (peer.ss_family == AF_INET) {
        (void)uv_ip4_name((struct sockaddr_in *)(void *)&peer, text, size);
        *port = ntohs(((struct sockaddr_in *)(void *)&peer)->sin_port);
        return;
    }
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&peer;
    *port = ntohs(six->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
        (void)uv_inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, text, size);
    } else {
        (void)uv_ip6_name(six, text, size);
    }
}

static int stream_init(uv_loop_t *loop, union any_stream *socket, bool local)
{
    return local ? uv_pipe_init(loop, &socket->pipe, 0) : uv_tcp_init(loop, &socket->tcp);
}

/* Accepts one connection; false where none could be taken. */
static bool accept_one(struct listener *listener)
{
    struct fk_uv_server *server = listener->server;
    struct client *client = (struct client *)fk_alloc_zero(sizeof *client);
    if (client == NULL) {
        return false;
    }
    client->server = server;
    client->sending = FK_BUF_EMPTY;
    fk_list_init(&client->link);
    (void)stream_init(server->options.loop, &client->socket, listener->local);
    client->socket.handle.data = client;
    server->client_count++;
    if (uv_accept(&listener->socket.stream, &client->socket.stream) != 0) {
        client->closed = true;
        uv_close(&client->socket.handle, client_freed);
        return false;
    }
    fk_list_append(&server->clients, &client->link);
    char text[INET6_ADDRSTRLEN] = "";
    uint16_t port = 0;
    peer_of(client, text, sizeof text, &port);
    if (!listener->local) {
        (void)uv_tcp_nodelay(&client->socket.tcp, 1);
        (void)uv_tcp_keepalive(&client->socket.tcp, 1, 60);
    }
    client->conn = fk_gateway_open(server->options.gateway, fk_bytes_text(text), port, client);
    if (client->conn == NULL) {
        client_close(client);
    } else {
        set_reading(client, true);
    }
    return true;
}

/* A connection that is not accepted stays in the system's queue, and libuv does not look at the listener until it is.
 */
static void accept_waiting(struct fk_uv_server *server)
{
    for (struct fk_list *link = server->listeners.next; link != &server->listeners; link = link->next) {
        struct listener *listener = FK_CONTAINER_OF(link, struct listener, link);
        if (listener->waiting && server->client_count < server->options.clients_max) {
            listener->waiting = !accept_one(listener);
        }
    }
}

static void on_pause_over(uv_timer_t *timer)
{
    struct listener *listener = (struct listener *)timer->data;
    accept_waiting(listener->server);
    if (!listener->waiting) {
        (void)uv_timer_stop(timer);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = (struct listener *)stream->data;
    struct fk_uv_server *server = listener->server;
    if (server->stopping) {
        return;
    }
    bool pausing = uv_is_active((uv_handle_t *)&listener->pause) != 0;
    if (status < 0) {
        /* libuv has closed that connection already, with a descriptor that it keeps for this. */
        if (!pausing) {
            fk_log(FK_LOG_WARN, "can't accept a connection: %s", uv_strerror(status));
            (void)uv_timer_start(&listener->pause, on_pause_over, ACCEPT_PAUSE_MS, ACCEPT_PAUSE_MS);
        }
        return;
    }
    listener->waiting = server->client_count >= server->options.clients_max || !accept_one(listener);
    if (listener->waiting && !pausing) {
        fk_log(FK_LOG_WARN, "no descriptors left for more than %zu connections; new ones wait", server->client_count);
        (void)uv_timer_start(&listener->pause, on_pause_over, ACCEPT_PAUSE_MS, ACCEPT_PAUSE_MS);
    }
}

/* Splits HOST:PORT or [v6]:PORT. */
static bool split_address(const char *address, char *host, size_t host_size, int *port)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || colon[1] == '\0') {
        return false;
    }
    const char *start = address;
    const char *end = colon;
    if (address[0] == '[') {
        start = address + 1;
        end = colon - 1;
        if (*end != ']' || end <= start) {
            return false;
        }
    }
    char *rest = NULL;
    long number = strtol(colon + 1, &rest, 10);
    if (*rest != '\0' || number < 0 || number > 65535 || (size_t)(end - start) >= host_size) {
        return false;
    }
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    *port = (int)number;
    return true;
}

/* A name or number to an address; names are resolved once, at the start. */
static enum fk_err resolve(uv_loop_t *loop, const char *address, struct sockaddr_storage *out, struct fk_diag *diag)
{
    char host[256];
    int port = 0;
    if (!split_address(address, host, sizeof host, &port)) {
        fk_diag_set(diag, "'%s' is not an address; expected HOST:PORT, [v6]:PORT or unix:PATH", address);
        return FK_ERR_USAGE;
    }
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)out) == 0 ||
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)out) == 0) {
        return FK_OK;
    }
    char service[8];
    uv_getaddrinfo_t request;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    (void)snprintf(service, sizeof service, "%d", port);
    int status = uv_getaddrinfo(loop, &request, NULL, host, service, &hints);
    if (status != 0) {
        fk_diag_set(diag, "'%s': host '%s' is not known: %s", address, host, uv_strerror(status));
        return FK_ERR_USAGE;
    }
    memcpy(out, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
    uv_freeaddrinfo(request.addrinfo);
    return FK_OK;
}

static void bound_name(const struct listener *listener, const char *address, struct fk_buf *bound)
{
    struct sockaddr_storage name;
    int size = sizeof name;
    char text[INET6_ADDRSTRLEN] = "";
    if (listener->local || uv_tcp_getsockname(&listener->socket.tcp, (struct sockaddr *)&name, &size) != 0) {
        fk_buf_print(bound, "%s", address);
    } else if (name.ss_family == AF_INET) {
        (void)uv_ip4_name((struct sockaddr_in *)(void *)&name, text, sizeof text);
        fk_buf_print(bound, "%s:%u", text, ntohs(((struct sockaddr_in *)(void *)&name)->sin_port));
    } else {
        (void)uv_ip6_name((struct sockaddr_in6 *)(void *)&name, text, sizeof text);
        fk_buf_print(bound, "[%s]:%u", text, ntohs(((struct sockaddr_in6 *)(void *)&name)->sin6_port));
    }
}

/* A socket file that nobody answers on is left over from a server that was killed. */
static void remove_stale_socket(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return;
    }
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    if (probe >= 0 && connect(probe, (struct sockaddr *)&name, sizeof name) != 0 && errno == ECONNREFUSED) {
        (void)unlink(path);
    }
    if (probe >= 0) {
        (void)close(probe);
    }
}

static int bind_listener(struct listener *listener, const char *path, const struct sockaddr_storage *name)
{
    if (listener->local) {
        remove_stale_socket(path);
        mode_t before = umask(0077);
        int status = uv_pipe_bind(&listener->socket.pipe, path);
        (void)umask(before);
        return status;
    }
    return uv_tcp_bind(&listener->socket.tcp, (const struct sockaddr *)name, 0);
}

static void listener_freed(uv_handle_t *handle)
{
    struct listener *listener = (struct listener *)handle->data;
    if (--listener->handles == 0) {
        fk_free(listener);
    }
}

static void listener_close(struct listener *listener)
{
    fk_list_remove(&listener->link);
    uv_close(&listener->socket.handle, listener_freed);
    uv_close((uv_handle_t *)&listener->pause, listener_freed);
}

/* True for unix:PATH; *path is set then. */
static bool is_local(const char *address, const char **path)
{
    static const char prefix[] = "unix:";
    *path = address + sizeof prefix - 1;
    return strncmp(address, prefix, sizeof prefix - 1) == 0;
}

enum fk_err fk_uv_server_check(uv_loop_t *loop, const char *address, struct fk_diag *diag)
{
    enum {
        PATH_MAX_SIZE = sizeof(struct sockaddr_un) - offsetof(struct sockaddr_un, sun_path) - 1,
    };
    struct sockaddr_storage name;
    const char *path = NULL;
    if (!is_local(address, &path)) {
        return resolve(loop, address, &name, diag);
    }
    if (*path == '\0' || strlen(path) > PATH_MAX_SIZE) {
        fk_diag_set(diag, "'%s': the path of a socket has 1 to %d bytes", address, PATH_MAX_SIZE);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

enum fk_err fk_uv_server_listen(struct fk_uv_server *server, const char *address, struct fk_buf *bound,
                                struct fk_diag *diag)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    const char *path = NULL;
    bool local = is_local(address, &path);
    enum fk_err err = fk_uv_server_check(server->options.loop, address, diag);
    if (err == FK_OK && !local) {
        err = resolve(server->options.loop, address, &name, diag);
    }
    if (err != FK_OK) {
        return err;
    }
    struct listener *listener = (struct listener *)fk_alloc_zero(sizeof *listener);
    if (listener == NULL) {
        return FK_ERR_NOMEM;
    }
    listener->server = server;
    listener->local = local;
    listener->handles = 2;
    (void)stream_init(server->options.loop, &listener->socket, local);
    (void)uv_timer_init(server->options.loop, &listener->pause);
    listener->socket.handle.data = listener;
    listener->pause.data = listener;
    fk_list_init(&listener->link);
    fk_list_append(&server->listeners, &listener->link);
    int status = bind_listener(listener, path, &name);
    if (status == 0) {
        status = uv_listen(&listener->socket.stream, server->options.backlog < 0 ? SOMAXCONN : server->options.backlog,
                           on_connection);
    }
    if (status != 0) {
        fk_diag_set(diag, "can't listen on %s: %s", address, uv_strerror(status));
        listener_close(listener);
        return FK_ERR_IO;
    }
    bound_name(listener, address, bound);
    return FK_OK;
}

void fk_uv_server_stop(struct fk_uv_server *server)
{
    server->stopping = true;
    while (!fk_list_empty(&server->listeners)) {
        listener_close(FK_CONTAINER_OF(server->listeners.next, struct listener, link));
    }
    while (!fk_list_empty(&server->clients)) {
        client_close(FK_CONTAINER_OF(server->clients.next, struct client, link));
    }
}

void fk_uv_server_free(struct fk_uv_server *server)
{
    FK_ASSERT(fk_list_empty(&server->clients) && fk_list_empty(&server->listeners));
    fk_free(server->buffer);
    fk_free(server);
}
