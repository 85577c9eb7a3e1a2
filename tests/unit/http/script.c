// SPDX-License-Identifier: Apache-2.0
#include "http/script.h"

#include "support/test.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REQUESTS_MAX = 32,
    REQUEST_SIZE_MAX = 64 * 1024,
};

struct peer {
    int fd;
    SSL *ssl;
};

static struct {
    const struct script_step *steps;
    size_t count;
    SSL_CTX *tls;
    int listener;
    int wake[2];
    pthread_t thread;
    atomic_size_t step;
    atomic_size_t requests;
    atomic_size_t connections;
    char texts[REQUESTS_MAX][REQUEST_SIZE_MAX];
} script;

/* False where the test ends. */
static bool wait_readable(int fd)
{
    struct pollfd two[2] = {{.fd = fd, .events = POLLIN}, {.fd = script.wake[0], .events = POLLIN}};
    (void)poll(two, 2, -1);
    return two[1].revents == 0;
}

static ssize_t peer_read(const struct peer *peer, char *data, size_t size)
{
    if (peer->ssl != NULL) {
        return SSL_pending(peer->ssl) > 0 || wait_readable(peer->fd) ? SSL_read(peer->ssl, data, (int)size) : -1;
    }
    return wait_readable(peer->fd) ? recv(peer->fd, data, size, 0) : -1;
}

static bool peer_write(const struct peer *peer, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t done =
            peer->ssl != NULL ? SSL_write(peer->ssl, data, (int)size) : send(peer->fd, data, size, MSG_NOSIGNAL);
        if (done <= 0) {
            return false;
        }
        data += done;
        size -= (size_t)done;
    }
    return true;
}

/* The size that the request has with its body; 0 while its head is not whole. */
static size_t request_size(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    const char *length = strcasestr(text, "\r\nContent-Length:");
    size_t body = length != NULL && length < end ? (size_t)strtoul(length + 17, NULL, 10) : 0;
    return (size_t)(end - text) + 4 + body;
}

static bool read_request(const struct peer *peer)
{
    char *text = script.texts[script.requests];
    size_t size = 0;
    text[0] = '\0';
    for (;;) {
        size_t whole = request_size(text);
        bool early = script.steps[script.step].early && whole > 0;
        if (early || (whole > 0 && size >= whole)) {
            script.requests++;
            return true;
        }
        /* What is too large to keep is read all the same; its head stays. */
        size_t room = REQUEST_SIZE_MAX - 1;
        char piece[4096];
        ssize_t got = peer_read(peer, piece, sizeof piece);
        if (got <= 0) {
            return false;
        }
        size_t kept = size < room ? room - size : 0;
        kept = kept < (size_t)got ? kept : (size_t)got;
        memcpy(text + (size < room ? size : room), piece, kept);
        size += (size_t)got;
        text[size < room ? size : room] = '\0';
    }
}

static bool send_answer(const struct peer *peer, const struct script_step *step)
{
    if (step->wait_ms > 0) {
        struct pollfd wake = {.fd = script.wake[0], .events = POLLIN};
        (void)poll(&wake, 1, step->wait_ms);
    }
    if (step->answer == NULL) {
        return false;
    }
    size_t size = step->size == 0 ? strlen(step->answer) : step->size;
    size_t piece = step->in_bytes ? 1 : size;
    for (size_t at = 0; at < size; at += piece) {
        if (!peer_write(peer, step->answer + at, piece)) {
            return false;
        }
    }
    return true;
}

static void serve(struct peer *peer)
{
    while (script.step < script.count && read_request(peer)) {
        const struct script_step *step = &script.steps[script.step++];
        if (!send_answer(peer, step) || step->end == SCRIPT_CLOSE) {
            return;
        }
    }
    if (script.step == script.count && peer->ssl == NULL) {
        (void)wait_readable(peer->fd); /* it is the client that ends it */
    }
}

static void *run(void *context)
{
    (void)context;
    while (script.step < script.count && wait_readable(script.listener)) {
        struct peer peer = {.fd = accept(script.listener, NULL, NULL)};
        script.connections++;
        if (script.tls != NULL) {
            peer.ssl = SSL_new(script.tls);
            (void)SSL_set_fd(peer.ssl, peer.fd);
        }
        if (peer.ssl == NULL || SSL_accept(peer.ssl) == 1) {
            serve(&peer);
        }
        if (peer.ssl != NULL) {
            (void)SSL_shutdown(peer.ssl);
        }
        SSL_free(peer.ssl);
        (void)close(peer.fd);
    }
    return NULL;
}

uint16_t script_start(const struct script_step *steps, size_t count, struct ssl_ctx_st *tls)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    script.steps = steps;
    script.count = count;
    script.tls = tls;
    script.step = 0;
    script.requests = 0;
    script.connections = 0;
    script.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(script.listener >= 0);
    assert_int_equal(bind(script.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(script.listener, 8), 0);
    assert_int_equal(getsockname(script.listener, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pipe(script.wake), 0);
    assert_int_equal(pthread_create(&script.thread, NULL, run, NULL), 0);
    return ntohs(address.sin_port);
}

void script_abandon(void)
{
    (void)close(script.wake[1]);
    (void)pthread_join(script.thread, NULL);
    (void)close(script.wake[0]);
    (void)close(script.listener);
}

void script_stop(void)
{
    script_abandon();
    assert_int_equal(script.step, script.count);
}

size_t script_requests(void)
{
    return script.requests;
}

size_t script_connections(void)
{
    return script.connections;
}

const char *script_request(size_t index)
{
    assert_true(index < script.requests);
    return script.texts[index];
}

bool script_request_has(size_t index, const char *text)
{
    return strstr(script_request(index), text) != NULL;
}
