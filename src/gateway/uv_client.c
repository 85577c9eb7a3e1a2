// SPDX-License-Identifier: Apache-2.0
/* A connection's socket: bytes to the gateway and back, through TLS where it speaks that. */
#include "gateway/uv_internal.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"

static void client_freed(uv_handle_t *handle)
{
    struct fk_uv_client *client = (struct fk_uv_client *)handle->data;
    client->server->client_count--;
    fk_buf_deinit(&client->sending);
    fk_tls_free(client->tls);
    fk_free(client);
}

/* The last words of TLS, an alert or the end: sent where the socket takes them at once. */
static void say_goodbye(struct fk_uv_client *client)
{
    fk_tls_shutdown(client->tls);
    struct fk_bytes left = fk_buf_view(fk_tls_output(client->tls));
    if (left.size > 0 && !client->writing) {
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)left.data, (unsigned)left.size);
        (void)uv_try_write(&client->socket.stream, &buf, 1);
    }
}

void fk_uv_client_close(struct fk_uv_client *client)
{
    if (client->closed) {
        return;
    }
    client->closed = true;
    if (client->tls != NULL) {
        say_goodbye(client);
    }
    if (client->handshaking) {
        fk_gateway_handshake_ends(client->server->options.gateway, false);
    }
    fk_list_remove(&client->link);
    if (client->conn != NULL) {
        fk_gateway_gone(client->server->options.gateway, client->conn);
        client->conn = NULL;
    }
    uv_close(&client->socket.handle, client_freed);
}

/* --- reading --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct fk_uv_client *client = (struct fk_uv_client *)handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)client->server->buffer,
                       fk_conn_is_fresh(client->conn) ? FK_FRESH_INPUT_SIZE_MAX : FK_UV_READ_SIZE);
}

/* After the handshake: who is the client? False where it may not be here. */
static bool identify(struct fk_uv_client *client)
{
    struct fk_gateway *gateway = client->server->options.gateway;
    struct fk_buf subject = FK_BUF_EMPTY;
    char address[FK_UV_ADDRESS_SIZE] = "";
    uint16_t port = 0;
    fk_uv_peer(&client->socket, address, &port);
    client->handshaking = false;
    fk_gateway_secured(client->conn);
    fk_gateway_handshake_ends(gateway, true);
    bool ok = fk_tls_subject(client->tls, &subject) == FK_OK;
    if (ok && !fk_tls_address_fits(client->tls, address)) {
        fk_log_security(FK_LOG_WARN, "TLS connection closed: its certificate names other addresses",
                        fk_log_text("address", address));
        ok = false;
    }
    if (ok && fk_buf_left(&subject) > 0) {
        ok = fk_gateway_certified(gateway, client->conn, fk_buf_view(&subject));
    }
    fk_buf_deinit(&subject);
    return ok;
}

static void tell_failure(struct fk_uv_client *client)
{
    char address[FK_UV_ADDRESS_SIZE] = "";
    uint16_t port = 0;
    fk_uv_peer(&client->socket, address, &port);
    fk_log_security(FK_LOG_WARN, fk_tls_established(client->tls) ? "TLS connection failed" : "TLS handshake failed",
                    fk_log_text("address", address), fk_log_number("port", port),
                    fk_log_text("error", fk_tls_error(client->tls)));
}

/* Ciphertext came. */
static void receive_sealed(struct fk_uv_client *client, struct fk_bytes bytes)
{
    struct fk_uv_server *server = client->server;
    fk_buf_clear(&server->plain);
    enum fk_tls_result result = fk_tls_receive(client->tls, bytes, &server->plain);
    if (client->handshaking && fk_tls_established(client->tls) && !identify(client)) {
        fk_uv_client_close(client);
        return;
    }
    if (fk_buf_left(&server->plain) > 0) {
        fk_gateway_input(server->options.gateway, client->conn, fk_buf_view(&server->plain));
    }
    fk_buf_trim(&server->plain, FK_UV_READ_SIZE);
    if (result == FK_TLS_FAILED) {
        tell_failure(client);
    }
    if (result != FK_TLS_OK) {
        fk_uv_client_close(client);
        return;
    }
    fk_uv_client_send(client); /* of the handshake, too */
}

static bool begin_handshake(struct fk_uv_client *client)
{
    client->handshaking = fk_gateway_handshake_begins(client->server->options.gateway);
    client->tls = client->handshaking ? fk_tls_new(client->server->options.tls) : NULL;
    return client->tls != NULL;
}

static void receive(struct fk_uv_client *client, struct fk_bytes bytes)
{
    enum {
        HANDSHAKE_RECORD = 0x16, /* RFC 8446, 5.1; a plain client begins with the length of a small frame, or a word */
    };
    struct fk_uv_server *server = client->server;
    if (client->mode == FK_LISTEN_EITHER) {
        client->mode = bytes.data[0] == HANDSHAKE_RECORD ? FK_LISTEN_TLS : FK_LISTEN_PLAIN;
    }
    if (client->mode == FK_LISTEN_TLS && client->tls == NULL && !begin_handshake(client)) {
        fk_uv_client_close(client);
        return;
    }
    if (client->tls != NULL) {
        receive_sealed(client, bytes);
    } else {
        fk_gateway_input(server->options.gateway, client->conn, bytes);
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct fk_uv_client *client = (struct fk_uv_client *)stream->data;
    struct fk_uv_server *server = client->server;
    if (size == 0 || client->closed) {
        return;
    }
    if (size < 0) {
        fk_uv_client_close(client);
        return;
    }
    receive(client, fk_bytes_of(buf->base, (size_t)size));
    if (!client->closed) {
        fk_uv_client_set_reading(client, fk_conn_wants_input(client->conn)); /* libuv reads on and on otherwise */
    }
    server->options.progress(server->options.context);
}

void fk_uv_client_set_reading(struct fk_uv_client *client, bool reading)
{
    if (client->reading == reading || client->closed) {
        return;
    }
    client->reading = reading;
    if (!reading) {
        (void)uv_read_stop(&client->socket.stream);
    } else if (uv_read_start(&client->socket.stream, on_alloc, on_read) != 0) {
        fk_uv_client_close(client);
    }
}

/* --- writing --- */

static void on_written(uv_write_t *request, int status)
{
    struct fk_uv_client *client = (struct fk_uv_client *)request->data;
    client->writing = false;
    if (client->closed) {
        return;
    }
    fk_buf_clear(&client->sending);
    fk_buf_trim(&client->sending, 0);
    if (status < 0) {
        fk_uv_client_close(client);
        return;
    }
    fk_gateway_sent(client->server->options.gateway, client->conn);
    fk_uv_client_send(client);
    client->server->options.progress(client->server->options.context);
}

/* The socket is full: libuv gets the bytes, the gateway an empty buffer, and goes on when they are gone. */
static void send_later(struct fk_uv_client *client, struct fk_buf *out)
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
        fk_uv_client_close(client);
        return;
    }
    client->writing = true;
    fk_buf_consume(out, piece.size);
}

/* What the socket gets next: the gateway's output, or what TLS makes of a piece of it. NULL where the session broke. */
static struct fk_buf *outgoing(struct fk_uv_client *client)
{
    struct fk_buf *plain = fk_conn_output(client->conn);
    if (client->tls == NULL) {
        return plain;
    }
    struct fk_buf *sealed = fk_tls_output(client->tls);
    if (fk_buf_left(sealed) == 0 && fk_buf_left(plain) > 0) {
        struct fk_bytes piece = fk_bytes_head(fk_buf_view(plain), FK_TLS_PIECE_SIZE);
        if (!fk_tls_send(client->tls, piece)) {
            return NULL;
        }
        fk_buf_consume(plain, piece.size);
    }
    return sealed;
}

/* Gives the socket what it takes at once; false where the connection is over. */
static bool send_now(struct fk_uv_client *client, struct fk_buf *out)
{
    struct fk_bytes left = fk_buf_view(out);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)left.data, (unsigned)left.size);
    int sent = uv_try_write(&client->socket.stream, &buf, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        return false;
    }
    if (sent > 0) {
        fk_buf_consume(out, (size_t)sent);
        if (client->tls != NULL) {
            fk_buf_trim(out, FK_IDLE_BUFFER_SIZE);
        }
        fk_gateway_sent(client->server->options.gateway, client->conn);
    }
    return true;
}

void fk_uv_client_send(struct fk_uv_client *client)
{
    if (client->writing) {
        return;
    }
    struct fk_buf *out = outgoing(client);
    if (out != NULL && fk_buf_left(out) > 0) {
        out = send_now(client, out) ? outgoing(client) : NULL;
    }
    if (out == NULL) {
        fk_uv_client_close(client);
    } else if (fk_buf_left(out) > 0) {
        send_later(client, out);
    } else if (fk_conn_closing(client->conn)) {
        fk_uv_client_close(client);
    }
}

/* --- accepting --- */

bool fk_uv_accept(struct fk_uv_listener *listener)
{
    struct fk_uv_server *server = listener->server;
    struct fk_uv_client *client = (struct fk_uv_client *)fk_alloc_zero(sizeof *client);
    if (client == NULL) {
        return false;
    }
    client->server = server;
    client->mode = listener->mode;
    client->sending = FK_BUF_EMPTY;
    fk_list_init(&client->link);
    (void)fk_uv_stream_init(server->options.loop, &client->socket, listener->local);
    client->socket.handle.data = client;
    server->client_count++;
    if (uv_accept(&listener->socket.stream, &client->socket.stream) != 0) {
        client->closed = true;
        uv_close(&client->socket.handle, client_freed);
        return false;
    }
    fk_list_append(&server->clients, &client->link);
    char text[FK_UV_ADDRESS_SIZE] = "";
    uint16_t port = 0;
    fk_uv_peer(&client->socket, text, &port);
    if (!listener->local) {
        (void)uv_tcp_nodelay(&client->socket.tcp, 1);
        (void)uv_tcp_keepalive(&client->socket.tcp, 1, 60);
    }
    client->conn = fk_gateway_open(server->options.gateway, fk_bytes_text(text), port, client);
    if (client->conn == NULL) {
        fk_uv_client_close(client);
    } else {
        fk_uv_client_set_reading(client, true);
    }
    return true;
}
