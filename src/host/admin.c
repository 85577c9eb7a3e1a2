// SPDX-License-Identifier: Apache-2.0
/* Sockets of the admin port: a request is read whole, answered, and the next one follows. Each connection has one timer
 * and bounded buffers, and there are few of them: nothing here can hold up those who are served. */
#include "host/admin_internal.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "gateway/uv_address.h"
#include "http/response.h"

#include <stdio.h>

enum {
    READ_SIZE = 4096,
    BACKLOG = 64,
};

struct listener {
    struct fk_admin *admin;
    uv_tcp_t socket;
    bool metrics_only;
};

struct client {
    struct fk_list link;
    struct fk_admin *admin;
    uv_tcp_t socket;
    uv_timer_t idle;
    uv_write_t write;
    struct fk_buf in;
    struct fk_buf out;
    int64_t skip; /* bytes of a body that nobody reads */
    int handles;
    bool metrics_only;
    bool closing; /* after what is being written */
    bool closed;
    bool writing;
    uint8_t room[READ_SIZE];
};

struct fk_admin {
    struct fk_admin_options options;
    uv_loop_t *loop;
    struct fk_gateway *gateway;
    struct listener listeners[FK_ADMIN_LISTENERS];
    size_t listener_count;
    struct fk_list clients;
    size_t client_count;
};

/* --- a connection --- */

static void client_freed(uv_handle_t *handle)
{
    struct client *client = (struct client *)handle->data;
    if (--client->handles == 0) {
        client->admin->client_count--;
        fk_buf_deinit(&client->in);
        fk_buf_deinit(&client->out);
        fk_free(client);
    }
}

static void client_close(struct client *client)
{
    if (!client->closed) {
        client->closed = true;
        fk_list_remove(&client->link);
        uv_close((uv_handle_t *)&client->socket, client_freed);
        uv_close((uv_handle_t *)&client->idle, client_freed);
    }
}

static void on_idle(uv_timer_t *timer)
{
    client_close((struct client *)timer->data);
}

static void restart_timer(struct client *client)
{
    (void)uv_timer_start(&client->idle, on_idle, (uint64_t)client->admin->options.idle_ms, 0);
}

static void serve_requests(struct client *client);

static void on_written(uv_write_t *request, int status)
{
    struct client *client = (struct client *)request->data;
    client->writing = false;
    fk_buf_clear(&client->out);
    fk_buf_trim(&client->out, 0);
    if (status < 0 || client->closing) {
        client_close(client);
    } else {
        restart_timer(client);
        serve_requests(client);
    }
}

static void send_answer(struct client *client, const struct fk_http_response *response)
{
    fk_http_respond(&client->out, response);
    struct fk_bytes out = fk_buf_view(&client->out);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)out.data, (unsigned)out.size);
    client->closing = !response->keep_alive;
    client->write.data = client;
    client->writing = true;
    if (client->out.failed || uv_write(&client->write, (uv_stream_t *)&client->socket, &buf, 1, on_written) != 0) {
        client->writing = false;
        client_close(client);
    }
}

static void send_error(struct client *client, int status)
{
    char body[64];
    (void)snprintf(body, sizeof body, "%d %s\n", status, fk_http_reason(status));
    send_answer(client, &(struct fk_http_response){
                            .status = status, .type = "text/plain; charset=utf-8", .body = fk_bytes_text(body)});
}

static void answer_request(struct client *client, const struct fk_http_request *request)
{
    struct fk_admin_answer answer = {.body = FK_BUF_EMPTY};
    bool head = fk_bytes_equal_text(request->method, "HEAD");
    fk_admin_route(client->admin->gateway, &client->admin->options, client->metrics_only, request, &answer);
    if (answer.body.failed) {
        send_error(client, 500);
    } else {
        const struct fk_http_response response = {.status = answer.status,
                                                  .type = answer.type,
                                                  .body = fk_buf_view(&answer.body),
                                                  .head = head,
                                                  .keep_alive = request->keep_alive,
                                                  .more = answer.more};
        send_answer(client, &response);
    }
    fk_buf_deinit(&answer.body);
}

/* Bodies are read over. */
static void skip_body(struct client *client)
{
    size_t left = fk_buf_left(&client->in);
    size_t size = (int64_t)left < client->skip ? left : (size_t)client->skip;
    fk_buf_consume(&client->in, size);
    client->skip -= (int64_t)size;
}

static void serve_requests(struct client *client)
{
    struct fk_http_request request;
    skip_body(client);
    if (client->writing || client->closed || client->skip > 0 || fk_buf_left(&client->in) == 0) {
        return;
    }
    int status = fk_http_parse(fk_buf_view(&client->in), &request);
    if (status == FK_HTTP_INCOMPLETE) {
        return;
    }
    if (status == FK_HTTP_OK && request.body_size > FK_ADMIN_BODY_SIZE_MAX) {
        status = 413;
    }
    if (status != FK_HTTP_OK) {
        send_error(client, status);
        return;
    }
    request.keep_alive = request.keep_alive && !request.expects;
    answer_request(client, &request);
    if (!client->closed) {
        fk_buf_consume(&client->in, request.head_size);
        client->skip = request.body_size;
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *client = (struct client *)handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)client->room, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct client *client = (struct client *)stream->data;
    if (size == 0 || client->closed) {
        return;
    }
    bool full = fk_buf_left(&client->in) > FK_HTTP_HEAD_SIZE_MAX + FK_ADMIN_BODY_SIZE_MAX;
    if (size < 0 || full) {
        client_close(client);
        return;
    }
    fk_buf_append(&client->in, fk_bytes_of(buf->base, (size_t)size));
    if (client->in.failed) {
        client_close(client);
        return;
    }
    serve_requests(client);
}

/* --- listening --- */

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = (struct listener *)stream->data;
    struct fk_admin *admin = listener->admin;
    struct client *client = status < 0 ? NULL : (struct client *)fk_alloc_zero(sizeof *client);
    if (client == NULL) {
        return;
    }
    client->admin = admin;
    client->in = client->out = FK_BUF_EMPTY;
    client->metrics_only = listener->metrics_only;
    client->handles = 2;
    (void)uv_tcp_init(admin->loop, &client->socket);
    (void)uv_timer_init(admin->loop, &client->idle);
    client->socket.data = client->idle.data = client;
    fk_list_init(&client->link);
    fk_list_append(&admin->clients, &client->link);
    admin->client_count++;
    if (uv_accept(stream, (uv_stream_t *)&client->socket) != 0 || admin->client_count > FK_ADMIN_CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&client->socket, on_alloc, on_read) != 0) {
        client_close(client);
        return;
    }
    restart_timer(client);
}

static enum fk_err listen_on(struct fk_admin *admin, const char *address, bool metrics_only, struct fk_buf *bound,
                             struct fk_diag *diag)
{
    struct sockaddr_storage name;
    struct listener *listener = &admin->listeners[admin->listener_count];
    enum fk_err err = fk_uv_resolve(admin->loop, address, &name, diag);
    if (err != FK_OK) {
        return err;
    }
    listener->admin = admin;
    listener->metrics_only = metrics_only;
    (void)uv_tcp_init(admin->loop, &listener->socket);
    listener->socket.data = listener;
    admin->listener_count++;
    int status = uv_tcp_bind(&listener->socket, (const struct sockaddr *)&name, 0);
    if (status == 0) {
        status = uv_listen((uv_stream_t *)&listener->socket, BACKLOG, on_connection);
    }
    if (status != 0) {
        fk_diag_set(diag, "can't listen on %s (%s): %s", address,
                    metrics_only ? "metricsProvider.httpPort" : "admin.serverPort", uv_strerror(status));
        return FK_ERR_IO;
    }
    fk_buf_print(bound, "%s%s ", fk_buf_left(bound) == 0 ? "" : ", ", metrics_only ? "metrics" : "admin");
    fk_uv_socket_name(&listener->socket, bound);
    return FK_OK;
}

enum fk_err fk_admin_new(const struct fk_admin_options *options, uv_loop_t *loop, struct fk_gateway *gateway,
                         struct fk_admin **out, struct fk_buf *bound, struct fk_diag *diag)
{
    struct fk_admin *admin = (struct fk_admin *)fk_alloc_zero(sizeof *admin);
    if (admin == NULL) {
        return FK_ERR_NOMEM;
    }
    admin->options = *options;
    admin->loop = loop;
    admin->gateway = gateway;
    fk_list_init(&admin->clients);
    *out = admin;
    enum fk_err err = FK_OK;
    if (options->address != NULL) {
        err = listen_on(admin, options->address, false, bound, diag);
    }
    if (err == FK_OK && options->metrics_address != NULL) {
        err = listen_on(admin, options->metrics_address, true, bound, diag);
    }
    return err;
}

void fk_admin_stop(struct fk_admin *admin)
{
    if (admin == NULL) {
        return;
    }
    for (size_t i = 0; i < admin->listener_count; i++) {
        uv_close((uv_handle_t *)&admin->listeners[i].socket, NULL);
    }
    while (!fk_list_empty(&admin->clients)) {
        client_close(FK_CONTAINER_OF(admin->clients.next, struct client, link));
    }
}

void fk_admin_free(struct fk_admin *admin)
{
    fk_free(admin);
}
