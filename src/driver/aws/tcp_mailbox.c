// SPDX-License-Identifier: Apache-2.0
/* A listener and its connections. What a connection sends is kept until a frame is whole; the head of a frame is looked
 * at before there is room for the rest. Whoever sends anything that does not verify loses the connection. */
#include "base/alloc.h"
#include "base/container.h"
#include "base/log.h"
#include "driver/aws/address.h"
#include "driver/aws/channel.h"
#include "driver/aws/mailbox.h"
#include "driver/aws/tcp_sender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WAIT_MS = 20 * 1000,
    PIECE_SIZE = 64 * 1024,
    BUFFER_KEPT = 4096,
    BACKLOG = 64,
    TEXT_SIZE = 64,
};

struct link {
    int fd;           /* -1: free */
    uint64_t used;    /* the mailbox's count of rounds when something came last */
    struct fk_buf in; /* from the begin of a frame on */
};

struct tcp_mailbox {
    struct fk_mailbox base;
    int64_t gateway;
    struct fk_address address;
    struct fk_buf text; /* of the address */
    int fd;
    uint64_t rounds;
    struct link links[FK_TCP_MAILBOX_CONNECTIONS];
};

static struct tcp_mailbox *tcp_mailbox(struct fk_mailbox *mailbox)
{
    return FK_CONTAINER_OF(mailbox, struct tcp_mailbox, base);
}

static void end_link(struct link *link)
{
    if (link->fd >= 0) {
        (void)close(link->fd);
    }
    fk_buf_deinit(&link->in);
    link->fd = -1;
}

/* --- receiving --- */

/* A free place, or that of the connection that was silent for longest. */
static struct link *place(struct tcp_mailbox *mailbox)
{
    struct link *oldest = &mailbox->links[0];
    for (size_t i = 0; i < FK_TCP_MAILBOX_CONNECTIONS; i++) {
        struct link *link = &mailbox->links[i];
        if (link->fd < 0) {
            return link;
        }
        oldest = link->used < oldest->used ? link : oldest;
    }
    end_link(oldest);
    return oldest;
}

static void accept_one(struct tcp_mailbox *mailbox)
{
    int fd = accept4(mailbox->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct link *link = place(mailbox);
    *link = (struct link){.fd = fd, .used = mailbox->rounds, .in = FK_BUF_EMPTY};
}

/* Gives the frames that are whole; false where something does not verify. */
static bool take_frames(struct tcp_mailbox *mailbox, struct fk_buf *in, fk_mailbox_take_fn take, void *context,
                        size_t *taken)
{
    for (;;) {
        struct fk_bytes view = fk_buf_view(in);
        struct fk_bytes message;
        if (view.size < FK_FRAME_HEAD_SIZE) {
            return true;
        }
        size_t size = fk_frame_size(view.data, mailbox->gateway);
        if (size > view.size) {
            return true;
        }
        if (size == 0 ||
            fk_frame_read(fk_bytes_head(view, size), mailbox->address.key, mailbox->gateway, &message) != FK_OK) {
            return false;
        }
        take(context, message);
        fk_buf_consume(in, size);
        (*taken)++;
    }
}

static void drop(struct tcp_mailbox *mailbox, struct link *link)
{
    (void)atomic_fetch_add(&fk_aws_channel_counts.dropped, 1);
    fk_log_security(FK_LOG_WARN, "a connection that sent what does not verify was closed",
                    fk_log_id("gateway", mailbox->gateway));
    end_link(link);
}

/* Reads what is there, by pieces, with the frames in between: the buffer never holds more than one and a piece. */
static void read_link(struct tcp_mailbox *mailbox, struct link *link, fk_mailbox_take_fn take, void *context,
                      size_t *taken)
{
    link->used = mailbox->rounds;
    for (;;) {
        uint8_t *room = fk_buf_reserve(&link->in, PIECE_SIZE);
        ssize_t got = room == NULL ? 0 : recv(link->fd, room, PIECE_SIZE, 0);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            break;
        }
        if (got <= 0) { /* its end; or no memory, and the sender comes again */
            end_link(link);
            return;
        }
        link->in.size += (size_t)got;
        if (!take_frames(mailbox, &link->in, take, context, taken)) {
            drop(mailbox, link);
            return;
        }
    }
    fk_buf_trim(&link->in, BUFFER_KEPT);
}

static enum fk_err tcp_receive(struct fk_mailbox *base, fk_mailbox_take_fn take, void *context)
{
    struct tcp_mailbox *mailbox = tcp_mailbox(base);
    size_t taken = 0;
    if (mailbox->fd < 0) {
        return FK_ERR_NOT_FOUND;
    }
    while (taken == 0) {
        struct pollfd fds[FK_TCP_MAILBOX_CONNECTIONS + 1];
        mailbox->rounds++;
        fds[0] = (struct pollfd){.fd = mailbox->fd, .events = POLLIN};
        for (size_t i = 0; i < FK_TCP_MAILBOX_CONNECTIONS; i++) {
            fds[i + 1] = (struct pollfd){.fd = mailbox->links[i].fd, .events = POLLIN};
        }
        int ready = poll(fds, FK_TCP_MAILBOX_CONNECTIONS + 1, WAIT_MS);
        if (ready < 0 && errno != EINTR) {
            return FK_ERR_BUSY;
        }
        if (ready <= 0) {
            return FK_OK;
        }
        for (size_t i = 0; i < FK_TCP_MAILBOX_CONNECTIONS; i++) {
            if (fds[i + 1].revents != 0) {
                read_link(mailbox, &mailbox->links[i], take, context, &taken);
            }
        }
        if (fds[0].revents != 0) {
            accept_one(mailbox);
        }
    }
    return FK_OK;
}

static void tcp_leave(struct fk_mailbox *base)
{
    struct tcp_mailbox *mailbox = tcp_mailbox(base);
    for (size_t i = 0; i < FK_TCP_MAILBOX_CONNECTIONS; i++) {
        end_link(&mailbox->links[i]);
    }
    if (mailbox->fd >= 0) {
        (void)close(mailbox->fd);
    }
    mailbox->fd = -1;
}

static void tcp_free(struct fk_mailbox *base)
{
    struct tcp_mailbox *mailbox = tcp_mailbox(base);
    tcp_leave(base);
    fk_buf_deinit(&mailbox->text);
    fk_free(mailbox);
}

static const struct fk_mailbox_ops tcp_mailbox_ops = {
    .name = "tcp", .receive = tcp_receive, .leave = tcp_leave, .free = tcp_free};

/* --- creating --- */

/* The port that the listener has. */
static uint16_t port_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address.ss_family == AF_INET6) {
        memcpy(&v6, &address, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    memcpy(&v4, &address, sizeof v4);
    return ntohs(v4.sin_port);
}

static enum fk_err open_listener(struct tcp_mailbox *mailbox, const char *way, struct fk_diag *diag)
{
    struct sockaddr_storage address;
    int on = 1;
    size_t size = fk_tcp_address(way, (struct sockaddr *)&address, sizeof address);
    if (size == 0) {
        fk_diag_set(diag, "'%.80s' is no address: HOST:PORT, both in numbers, IPv6 in brackets", way);
        return FK_ERR_USAGE;
    }
    mailbox->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (mailbox->fd >= 0 && setsockopt(mailbox->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(mailbox->fd, (const struct sockaddr *)&address, (socklen_t)size) == 0 &&
        listen(mailbox->fd, BACKLOG) == 0) {
        return FK_OK;
    }
    enum fk_err err = errno == EADDRINUSE ? FK_ERR_LOCKED : FK_ERR_IO;
    fk_diag_set(diag, "the channel's listener on %.80s: %s", way, strerror(errno));
    return err;
}

/* What the functions connect to: a port 0 is the listener's. */
static enum fk_err set_way(struct tcp_mailbox *mailbox, const char *way, struct fk_diag *diag)
{
    struct sockaddr_storage address;
    const char *colon = strrchr(way, ':');
    if (fk_tcp_address(way, (struct sockaddr *)&address, sizeof address) == 0 || colon == NULL) {
        fk_diag_set(diag, "'%.80s' is no address: HOST:PORT, both in numbers, IPv6 in brackets", way);
        return FK_ERR_USAGE;
    }
    int size = strcmp(colon, ":0") == 0 ? snprintf(mailbox->address.way, TEXT_SIZE, "%.*s:%u", (int)(colon - way), way,
                                                   (unsigned)port_of(mailbox->fd))
                                        : snprintf(mailbox->address.way, TEXT_SIZE, "%s", way);
    if (size < 0 || size >= TEXT_SIZE) {
        return FK_ERR_USAGE;
    }
    fk_address_append(&mailbox->text, &mailbox->address);
    mailbox->base.address = fk_buf_view(&mailbox->text);
    return mailbox->text.failed ? FK_ERR_NOMEM : FK_OK;
}

enum fk_err fk_tcp_mailbox_new(const char *way, const char *advertised, int64_t gateway, struct fk_random *random,
                               struct fk_mailbox **result, struct fk_diag *diag)
{
    struct tcp_mailbox *mailbox = (struct tcp_mailbox *)fk_alloc(sizeof *mailbox);
    if (mailbox == NULL) {
        return FK_ERR_NOMEM;
    }
    *mailbox = (struct tcp_mailbox){.base = {.ops = &tcp_mailbox_ops},
                                    .gateway = gateway,
                                    .address = {.kind = FK_ADDRESS_TCP},
                                    .text = FK_BUF_EMPTY,
                                    .fd = -1};
    for (size_t i = 0; i < FK_TCP_MAILBOX_CONNECTIONS; i++) {
        mailbox->links[i] = (struct link){.fd = -1, .in = FK_BUF_EMPTY};
    }
    fk_random_fill(random, mailbox->address.key, sizeof mailbox->address.key);
    enum fk_err err = open_listener(mailbox, way, diag);
    if (err == FK_OK) {
        err = set_way(mailbox, advertised == NULL ? way : advertised, diag);
    }
    if (err != FK_OK) {
        tcp_free(&mailbox->base);
        return err;
    }
    *result = &mailbox->base;
    return FK_OK;
}
