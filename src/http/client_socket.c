// SPDX-License-Identifier: Apache-2.0
#include "http/client_socket.h"

#include "base/assert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t fk_http_now_ms(void)
{
    struct timespec now;
    int status = clock_gettime(CLOCK_MONOTONIC, &now);
    FK_ASSERT(status == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for one of `events`; 0 where the deadline passes first. */
static short wait_for(int fd, short events, int64_t deadline_ms)
{
    struct pollfd one = {.fd = fd, .events = events};
    for (;;) {
        int64_t left = deadline_ms == FK_HTTP_NO_DEADLINE ? -1 : deadline_ms == 0 ? 0 : deadline_ms - fk_http_now_ms();
        if (left < 0 && deadline_ms != FK_HTTP_NO_DEADLINE) {
            return 0;
        }
        int count = poll(&one, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (count > 0) {
            return one.revents;
        }
        if (count == 0 && left <= INT32_MAX) {
            return 0;
        }
        FK_ASSERT(count == 0 || errno == EINTR || errno == ENOMEM);
    }
}

/* --- TLS reads and writes through these: OpenSSL's own socket BIO would raise SIGPIPE --- */

static int bio_result(BIO *bio, ssize_t count, int retry_flag)
{
    BIO_clear_retry_flags(bio);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        BIO_set_flags(bio, retry_flag | BIO_FLAGS_SHOULD_RETRY);
    }
    return (int)count;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    const struct fk_http_socket *owner = (const struct fk_http_socket *)BIO_get_data(bio);
    return bio_result(bio, send(owner->fd, data, (size_t)size, MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

static int bio_read(BIO *bio, char *data, int size)
{
    const struct fk_http_socket *owner = (const struct fk_http_socket *)BIO_get_data(bio);
    return bio_result(bio, recv(owner->fd, data, (size_t)size, 0), BIO_FLAGS_READ);
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *bio_method;

static void make_bio_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fk_http_socket");
    if (bio_method != NULL) {
        (void)BIO_meth_set_write(bio_method, bio_write);
        (void)BIO_meth_set_read(bio_method, bio_read);
        (void)BIO_meth_set_ctrl(bio_method, bio_ctrl);
    }
}

static BIO *bio_new(struct fk_http_socket *owner)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, make_bio_method);
    BIO *bio = bio_method == NULL ? NULL : BIO_new(bio_method);
    if (bio != NULL) {
        BIO_set_data(bio, owner);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* What an operation of TLS that did not succeed waits for; 0: nothing, and `io` says what happened. */
static short tls_events(SSL *ssl, int result, enum fk_http_io *io)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return POLLIN;
    case SSL_ERROR_WANT_WRITE:
        return POLLOUT;
    case SSL_ERROR_ZERO_RETURN:
        *io = FK_HTTP_IO_END;
        return 0;
    default:
        *io = FK_HTTP_IO_BROKEN;
        return 0;
    }
}

/* The name that the certificate must have. */
static bool set_name(SSL *ssl, const char *host)
{
    uint8_t address[sizeof(struct in6_addr)];
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    }
    char name[TLSEXT_MAXLEN_host_name + 1]; /* OpenSSL's macro takes no constant */
    int size = snprintf(name, sizeof name, "%s", host);
    return size < (int)sizeof name && SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static enum fk_err tls_new(struct fk_http_socket *socket, const char *host, SSL_CTX *context)
{
    static const uint8_t protocols[] = "\x08http/1.1";
    SSL *ssl = SSL_new(context);
    BIO *bio = ssl == NULL ? NULL : bio_new(socket);
    if (bio == NULL || !set_name(ssl, host)) {
        BIO_free(bio);
        SSL_free(ssl);
        return FK_ERR_NOMEM;
    }
    SSL_set_bio(ssl, bio, bio);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    (void)SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
    (void)SSL_set_alpn_protos(ssl, protocols, sizeof protocols - 1);
    if (socket->session != NULL) {
        (void)SSL_set_session(ssl, socket->session);
    }
    SSL_set_connect_state(ssl);
    socket->ssl = ssl;
    return FK_OK;
}

static enum fk_err tls_failure(SSL *ssl, const char *host, enum fk_http_io io, struct fk_diag *diag)
{
    long verified = SSL_get_verify_result(ssl);
    if (verified != X509_V_OK) {
        fk_diag_set(diag, "%s: its certificate is not to be trusted: %s", host,
                    X509_verify_cert_error_string(verified));
        ERR_clear_error();
        return FK_ERR_USAGE;
    }
    unsigned long error = ERR_get_error();
    const char *reason = error == 0 ? NULL : ERR_reason_error_string(error);
    fk_diag_set(diag, "%s: no TLS connection: %s", host,
                io == FK_HTTP_IO_LATE ? "it takes too long"
                : reason != NULL      ? reason
                                      : "the peer closed the connection");
    ERR_clear_error();
    return FK_ERR_BUSY;
}

static enum fk_err tls_open(struct fk_http_socket *socket, const char *host, SSL_CTX *context, int64_t deadline_ms,
                            struct fk_diag *diag)
{
    enum fk_err err = tls_new(socket, host, context);
    if (err != FK_OK) {
        return err;
    }
    for (;;) {
        ERR_clear_error();
        int result = SSL_connect(socket->ssl);
        if (result == 1) {
            return FK_OK;
        }
        enum fk_http_io io = FK_HTTP_IO_BROKEN;
        short events = tls_events(socket->ssl, result, &io);
        if (events != 0 && wait_for(socket->fd, events, deadline_ms) == 0) {
            events = 0;
            io = FK_HTTP_IO_LATE;
        }
        if (events == 0) {
            return tls_failure(socket->ssl, host, io, diag);
        }
    }
}

/* --- TCP --- */

/* 0, or an errno. */
static int connect_to(struct fk_http_socket *owner, const struct addrinfo *address, int64_t deadline_ms)
{
    owner->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (owner->fd < 0) {
        return errno;
    }
    int on = 1;
    (void)setsockopt(owner->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(owner->fd, address->ai_addr, address->ai_addrlen) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS && errno != EINTR) {
        return errno;
    }
    if (wait_for(owner->fd, POLLOUT, deadline_ms) == 0) {
        return ETIMEDOUT;
    }
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(owner->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 ? errno : error;
}

/* Each address gets its share of the time that is left. */
static enum fk_err connect_any(struct fk_http_socket *socket, const struct addrinfo *addresses, int64_t deadline_ms,
                               const char *host, struct fk_diag *diag)
{
    int64_t count = 0;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        count++;
    }
    int error = EADDRNOTAVAIL;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        int64_t now = fk_http_now_ms();
        bool bounded = deadline_ms != FK_HTTP_NO_DEADLINE;
        error = connect_to(socket, at, bounded ? now + (deadline_ms - now) / count : FK_HTTP_NO_DEADLINE);
        if (error == 0) {
            return FK_OK;
        }
        fk_http_socket_close(socket);
        count--;
    }
    char text[128];
    fk_diag_set(diag, "%s: no connection: %s", host, strerror_r(error, text, sizeof text));
    return FK_ERR_BUSY;
}

enum fk_err fk_http_socket_open(struct fk_http_socket *socket, const struct fk_http_origin *origin,
                                struct ssl_ctx_st *tls, int64_t deadline_ms, struct fk_diag *diag)
{
    /* The resolver has limits of its own (resolv.conf), and no other. */
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    char port[8];
    (void)snprintf(port, sizeof port, "%u", origin->port);
    int status = getaddrinfo(origin->host, port, &hints, &addresses);
    if (status != 0) {
        fk_diag_set(diag, "%s: no address: %s", origin->host, gai_strerror(status));
        return status == EAI_MEMORY ? FK_ERR_NOMEM : FK_ERR_BUSY;
    }
    enum fk_err err = connect_any(socket, addresses, deadline_ms, origin->host, diag);
    freeaddrinfo(addresses);
    if (err == FK_OK && origin->tls) {
        err = tls_open(socket, origin->host, tls, deadline_ms, diag);
    }
    if (err != FK_OK) {
        fk_http_socket_close(socket);
    }
    return err;
}

void fk_http_socket_close(struct fk_http_socket *socket)
{
    if (socket->ssl != NULL) {
        SSL_SESSION *session = SSL_is_init_finished(socket->ssl) ? SSL_get1_session(socket->ssl) : NULL;
        if (session != NULL && SSL_SESSION_is_resumable(session)) {
            SSL_SESSION_free(socket->session);
            socket->session = session;
        } else {
            SSL_SESSION_free(session);
        }
        if (SSL_is_init_finished(socket->ssl)) {
            (void)SSL_shutdown(socket->ssl); /* says good bye, and does not wait for the answer */
        }
        ERR_clear_error();
        SSL_free(socket->ssl);
        socket->ssl = NULL;
    }
    if (socket->fd >= 0) {
        (void)close(socket->fd);
        socket->fd = -1;
    }
}

void fk_http_socket_deinit(struct fk_http_socket *socket)
{
    fk_http_socket_close(socket);
    SSL_SESSION_free(socket->session);
    socket->session = NULL;
}

/* --- bytes --- */

/* One try to read; the events to wait for, or 0. */
static short try_read(struct fk_http_socket *socket, uint8_t *data, size_t size, enum fk_http_io *io, size_t *got)
{
    int result = 0;
    if (socket->ssl != NULL) {
        ERR_clear_error();
        result = SSL_read(socket->ssl, data, size > INT32_MAX ? INT32_MAX : (int)size);
        if (result <= 0) {
            return tls_events(socket->ssl, result, io);
        }
    } else {
        ssize_t count = recv(socket->fd, data, size > INT32_MAX ? INT32_MAX : size, 0);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            return POLLIN;
        }
        if (count <= 0) {
            *io = count == 0 ? FK_HTTP_IO_END : FK_HTTP_IO_BROKEN;
            return 0;
        }
        result = (int)count;
    }
    *io = FK_HTTP_IO_OK;
    *got = (size_t)result;
    return 0;
}

enum fk_http_io fk_http_socket_read(struct fk_http_socket *socket, uint8_t *data, size_t size, int64_t deadline_ms,
                                    size_t *got)
{
    *got = 0;
    for (;;) {
        enum fk_http_io io = FK_HTTP_IO_BROKEN;
        short events = try_read(socket, data, size, &io, got);
        if (events == 0) {
            return io;
        }
        if (deadline_ms == 0 || wait_for(socket->fd, events, deadline_ms) == 0) {
            return FK_HTTP_IO_LATE;
        }
    }
}

static short try_write(struct fk_http_socket *socket, struct fk_bytes bytes, enum fk_http_io *io, size_t *done)
{
    int result = 0;
    size_t size = bytes.size > INT32_MAX ? INT32_MAX : bytes.size;
    if (socket->ssl != NULL) {
        ERR_clear_error();
        result = SSL_write(socket->ssl, bytes.data, (int)size);
        if (result <= 0) {
            return tls_events(socket->ssl, result, io);
        }
    } else {
        ssize_t count = send(socket->fd, bytes.data, size, MSG_NOSIGNAL);
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            return POLLOUT;
        }
        if (count < 0) {
            *io = FK_HTTP_IO_BROKEN;
            return 0;
        }
        result = (int)count;
    }
    *io = FK_HTTP_IO_OK;
    *done = (size_t)result;
    return 0;
}

enum fk_http_io fk_http_socket_write(struct fk_http_socket *socket, struct fk_bytes bytes, int64_t deadline_ms,
                                     size_t *done)
{
    *done = 0;
    for (;;) {
        enum fk_http_io io = FK_HTTP_IO_BROKEN;
        short events = try_write(socket, bytes, &io, done);
        if (events == 0) {
            return io;
        }
        short got = wait_for(socket->fd, (short)(events | POLLIN), deadline_ms);
        if (got == 0) {
            return FK_HTTP_IO_LATE;
        }
        if (events == POLLOUT && (got & POLLOUT) == 0) {
            return FK_HTTP_IO_READABLE;
        }
    }
}
