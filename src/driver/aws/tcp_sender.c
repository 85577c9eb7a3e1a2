// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/tcp_sender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECT_MS = 500, /* in one network it takes 1 ms; a packet that is lost once takes 200 to 1,000 more */
    SEND_MS = 1000,   /* a gateway that does not read for so long gets no more */
    PAUSE_MS = 1000,
    HOST_SIZE = 64,
};

static bool parse_port(const char *text, uint16_t *port)
{
    char *end = NULL;
    long value = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : -1;
    *port = (uint16_t)value;
    return value >= 0 && value <= UINT16_MAX && *end == '\0';
}

size_t fk_tcp_address(const char *way, struct sockaddr *address, size_t room)
{
    char host[HOST_SIZE];
    bool brackets = way[0] == '[';
    const char *colon = strrchr(way, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - way);
    uint16_t port = 0;
    if (size == 0 || size >= sizeof host || !parse_port(colon + 1, &port) || (brackets && colon[-1] != ']')) {
        return 0;
    }
    size_t skip = brackets ? 1 : 0;
    memcpy(host, way + skip, size - 2 * skip);
    host[size - 2 * skip] = '\0';
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (!brackets && room >= sizeof v4 && inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(address, &v4, sizeof v4);
        return sizeof v4;
    }
    if (brackets && room >= sizeof v6 && inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(address, &v6, sizeof v6);
        return sizeof v6;
    }
    return 0;
}

void fk_tcp_sender_close(struct fk_tcp_sender *sender)
{
    if (sender->fd >= 0) {
        (void)close(sender->fd);
    }
    sender->fd = -1;
}

/* Waits until the socket can be written; false after the time, or where it is broken. */
static bool wait_writable(int fd, struct fk_clock *clock, int64_t until_ms)
{
    for (;;) {
        int64_t left = until_ms - fk_clock_monotonic_ms(clock);
        struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
        int ready = left <= 0 ? 0 : poll(&poll_fd, 1, (int)left);
        if (ready > 0) {
            return (poll_fd.revents & POLLOUT) != 0;
        }
        if (left <= 0 || (ready < 0 && errno != EINTR)) {
            return false;
        }
    }
}

static bool finish_connect(int fd, struct fk_clock *clock)
{
    int error = 0;
    socklen_t size = sizeof error;
    return wait_writable(fd, clock, fk_clock_monotonic_ms(clock) + CONNECT_MS) &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static enum fk_err connect_to(struct fk_tcp_sender *sender, struct fk_clock *clock, const char *way)
{
    struct sockaddr_storage address;
    size_t size = fk_tcp_address(way, (struct sockaddr *)&address, sizeof address);
    if (size == 0) {
        return FK_ERR_USAGE;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return FK_ERR_BUSY;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int connected = connect(fd, (const struct sockaddr *)&address, (socklen_t)size);
    if (connected != 0 && (errno != EINPROGRESS || !finish_connect(fd, clock))) {
        (void)close(fd);
        return FK_ERR_BUSY;
    }
    sender->fd = fd;
    return FK_OK;
}

/* A gateway never sends anything: what can be read is its end. */
static bool is_open(const struct fk_tcp_sender *sender)
{
    uint8_t byte = 0;
    return sender->fd >= 0 && recv(sender->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

static bool write_all(const struct fk_tcp_sender *sender, struct fk_clock *clock, struct fk_bytes bytes)
{
    int64_t until_ms = fk_clock_monotonic_ms(clock) + SEND_MS;
    while (bytes.size > 0) {
        ssize_t sent = send(sender->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes = fk_bytes_tail(bytes, (size_t)sent);
        } else if (sent < 0 && errno != EINTR &&
                   ((errno != EAGAIN && errno != EWOULDBLOCK) || !wait_writable(sender->fd, clock, until_ms))) {
            return false;
        }
    }
    return true;
}

enum fk_err fk_tcp_sender_send(struct fk_tcp_sender *sender, struct fk_clock *clock, const char *way,
                               struct fk_bytes bytes)
{
    if (sender->failed && fk_clock_monotonic_ms(clock) - sender->failed_ms < PAUSE_MS) {
        return FK_ERR_BUSY;
    }
    sender->failed = false;
    enum fk_err err = FK_OK;
    if (!is_open(sender)) {
        fk_tcp_sender_close(sender);
        err = connect_to(sender, clock, way);
    }
    if (err == FK_OK && !write_all(sender, clock, bytes)) {
        fk_tcp_sender_close(sender);
        err = FK_ERR_UNKNOWN;
    }
    if (err != FK_OK) {
        sender->failed = true;
        sender->failed_ms = fk_clock_monotonic_ms(clock);
    }
    return err;
}
