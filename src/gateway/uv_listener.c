// SPDX-License-Identifier: Apache-2.0
/* Listeners: binding, accepting, and backing off where descriptors run out. */
#include "gateway/uv_internal.h"

#include "base/alloc.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    ACCEPT_PAUSE_MS = 100, /* after EMFILE and the like: time for descriptors to come back */
};

/* A connection that is not accepted stays in the system's queue, and libuv does not look at the listener until it is.
 */
static void accept_waiting(struct fk_uv_server *server)
{
    for (struct fk_list *link = server->listeners.next; link != &server->listeners; link = link->next) {
        struct fk_uv_listener *listener = FK_CONTAINER_OF(link, struct fk_uv_listener, link);
        if (listener->waiting && server->client_count < server->options.clients_max) {
            listener->waiting = !fk_uv_accept(listener);
        }
    }
}

static void on_pause_over(uv_timer_t *timer)
{
    struct fk_uv_listener *listener = (struct fk_uv_listener *)timer->data;
    accept_waiting(listener->server);
    if (!listener->waiting) {
        (void)uv_timer_stop(timer);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct fk_uv_listener *listener = (struct fk_uv_listener *)stream->data;
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
    listener->waiting = server->client_count >= server->options.clients_max || !fk_uv_accept(listener);
    if (listener->waiting && !pausing) {
        fk_log(FK_LOG_WARN, "no descriptors left for more than %zu connections; new ones wait", server->client_count);
        (void)uv_timer_start(&listener->pause, on_pause_over, ACCEPT_PAUSE_MS, ACCEPT_PAUSE_MS);
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

static int bind_listener(struct fk_uv_listener *listener, const char *path, const struct sockaddr_storage *name)
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

static int adopt_socket(struct fk_uv_listener *listener, int descriptor)
{
    return listener->local ? uv_pipe_open(&listener->socket.pipe, descriptor)
                           : uv_tcp_open(&listener->socket.tcp, descriptor);
}

static void listener_freed(uv_handle_t *handle)
{
    struct fk_uv_listener *listener = (struct fk_uv_listener *)handle->data;
    if (--listener->handles == 0) {
        fk_free(listener);
    }
}

void fk_uv_listener_close(struct fk_uv_listener *listener)
{
    fk_list_remove(&listener->link);
    uv_close(&listener->socket.handle, listener_freed);
    uv_close((uv_handle_t *)&listener->pause, listener_freed);
}

enum fk_err fk_uv_server_listen(struct fk_uv_server *server, const struct fk_listen *listen, struct fk_buf *bound,
                                struct fk_diag *diag)
{
    static const char *const spoken[] = {"", " (TLS)", " (plain or TLS)"};
    const char *address = listen->address;
    bool exposed = false;
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    const char *path = NULL;
    bool local = fk_uv_is_local(address, &path);
    enum fk_err err = fk_uv_server_check(server->options.loop, address, &exposed, diag);
    if (err == FK_OK && !local) {
        err = fk_uv_resolve(server->options.loop, address, &name, diag);
    }
    if (err != FK_OK) {
        return err;
    }
    struct fk_uv_listener *listener = (struct fk_uv_listener *)fk_alloc_zero(sizeof *listener);
    if (listener == NULL) {
        return FK_ERR_NOMEM;
    }
    listener->server = server;
    listener->local = local;
    listener->mode = listen->mode;
    listener->handles = 2;
    (void)fk_uv_stream_init(server->options.loop, &listener->socket, local);
    (void)uv_timer_init(server->options.loop, &listener->pause);
    listener->socket.handle.data = listener;
    listener->pause.data = listener;
    fk_list_init(&listener->link);
    fk_list_append(&server->listeners, &listener->link);
    int status =
        listen->descriptor > 0 ? adopt_socket(listener, listen->descriptor) : bind_listener(listener, path, &name);
    if (status == 0) {
        status = uv_listen(&listener->socket.stream, server->options.backlog < 0 ? SOMAXCONN : server->options.backlog,
                           on_connection);
    }
    if (status != 0) {
        fk_diag_set(diag, "can't listen on %s: %s", address, uv_strerror(status));
        fk_uv_listener_close(listener);
        return FK_ERR_IO;
    }
    fk_uv_bound_name(listener, address, bound);
    fk_buf_print(bound, "%s", spoken[listen->mode]);
    return FK_OK;
}
