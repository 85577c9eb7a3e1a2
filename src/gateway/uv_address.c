// SPDX-License-Identifier: Apache-2.0
/* Addresses as texts: HOST:PORT, [v6]:PORT, unix:PATH. */
#include "gateway/uv_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

bool fk_uv_is_local(const char *address, const char **path)
{
    static const char prefix[] = "unix:";
    *path = address + sizeof prefix - 1;
    return strncmp(address, prefix, sizeof prefix - 1) == 0;
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

enum fk_err fk_uv_resolve(uv_loop_t *loop, const char *address, struct sockaddr_storage *out, struct fk_diag *diag)
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

void fk_uv_socket_name(const uv_tcp_t *socket, struct fk_buf *out)
{
    struct sockaddr_storage name;
    int size = sizeof name;
    char text[INET6_ADDRSTRLEN] = "";
    if (uv_tcp_getsockname(socket, (struct sockaddr *)&name, &size) != 0) {
        fk_buf_print(out, "(unknown)");
    } else if (name.ss_family == AF_INET) {
        (void)uv_ip4_name((struct sockaddr_in *)(void *)&name, text, sizeof text);
        fk_buf_print(out, "%s:%u", text, ntohs(((struct sockaddr_in *)(void *)&name)->sin_port));
    } else {
        (void)uv_ip6_name((struct sockaddr_in6 *)(void *)&name, text, sizeof text);
        fk_buf_print(out, "[%s]:%u", text, ntohs(((struct sockaddr_in6 *)(void *)&name)->sin6_port));
    }
}

void fk_uv_bound_name(const struct fk_uv_listener *listener, const char *address, struct fk_buf *bound)
{
    if (listener->local) {
        fk_buf_print(bound, "%s", address);
    } else {
        fk_uv_socket_name(&listener->socket.tcp, bound);
    }
}

int fk_uv_stream_init(uv_loop_t *loop, union fk_uv_stream *socket, bool local)
{
    return local ? uv_pipe_init(loop, &socket->pipe, 0) : uv_tcp_init(loop, &socket->tcp);
}

void fk_uv_peer(const union fk_uv_stream *socket, char *text, uint16_t *port)
{
    struct sockaddr_storage peer;
    int length = sizeof peer;
    text[0] = '\0';
    *port = 0;
    if (socket->handle.type != UV_TCP || uv_tcp_getpeername(&socket->tcp, (struct sockaddr *)&peer, &length) != 0) {
        return;
    }
    if (peer.ss_family == AF_INET) {
        (void)uv_ip4_name((struct sockaddr_in *)(void *)&peer, text, FK_UV_ADDRESS_SIZE);
        *port = ntohs(((struct sockaddr_in *)(void *)&peer)->sin_port);
        return;
    }
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&peer;
    *port = ntohs(six->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
        (void)uv_inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, text, FK_UV_ADDRESS_SIZE);
    } else {
        (void)uv_ip6_name(six, text, FK_UV_ADDRESS_SIZE);
    }
}

static bool is_loopback(const struct sockaddr_storage *name)
{
    if (name->ss_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)(const void *)name)->sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)name)->sin6_addr);
}

enum fk_err fk_uv_server_check(uv_loop_t *loop, const char *address, bool *exposed, struct fk_diag *diag)
{
    enum {
        PATH_MAX_SIZE = sizeof(struct sockaddr_un) - offsetof(struct sockaddr_un, sun_path) - 1,
    };
    struct sockaddr_storage name;
    const char *path = NULL;
    *exposed = false;
    if (!fk_uv_is_local(address, &path)) {
        enum fk_err err = fk_uv_resolve(loop, address, &name, diag);
        *exposed = err == FK_OK && !is_loopback(&name);
        return err;
    }
    if (*path == '\0' || strlen(path) > PATH_MAX_SIZE) {
        fk_diag_set(diag, "'%s': the path of a socket has 1 to %d bytes", address, PATH_MAX_SIZE);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}
