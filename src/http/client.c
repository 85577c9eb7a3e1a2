// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "http/client_socket.h"
#include "http/field.h"

#include <openssl/ssl.h>
#include <stdio.h>

enum {
    READ_SIZE = 16 * 1024,       /* what one record of TLS has */
    JOINED_SIZE_MAX = 64 * 1024, /* bodies up to this are sent in one piece with their head */
    IDLE_SIZE = 64 * 1024,       /* of the buffers, between two calls */
};

struct fk_http_client {
    struct fk_http_client_options options;
    struct fk_http_socket socket;
    struct fk_buf input;
    struct fk_buf output;
    char *host; /* as Host; the origin's lies behind it */
};

/* The state of one call. */
struct exchange {
    struct fk_http_client *client;
    const struct fk_http_call *call;
    int64_t deadline_ms;
    size_t reply_size_max;
    struct fk_arena *arena;
    struct fk_http_answer *answer;
    struct fk_http_answer_head head;
    bool on_kept;  /* the connection is one of an earlier call */
    bool is_stale; /* it was closed before anything of the answer came */
    struct fk_diag *diag;
};

struct fk_http_client *fk_http_client_new(const struct fk_http_client_options *options)
{
    size_t size = strlen(options->origin.host);
    size_t text_size = size + sizeof "[]:65535";
    struct fk_http_client *client = (struct fk_http_client *)fk_alloc_zero(sizeof *client);
    char *texts = client == NULL ? NULL : (char *)fk_alloc(text_size + size + 1);
    if (texts == NULL) {
        fk_free(client);
        return NULL;
    }
    client->options = *options;
    client->socket.fd = -1;
    client->host = texts;
    client->options.origin.host = texts + text_size;
    memcpy(texts + text_size, options->origin.host, size + 1);
    bool is_v6 = strchr(options->origin.host, ':') != NULL;
    bool is_usual = options->origin.port == (options->origin.tls ? 443 : 80);
    int end = snprintf(texts, text_size, is_v6 ? "[%s]" : "%s", options->origin.host);
    if (!is_usual) {
        (void)snprintf(texts + end, text_size - (size_t)end, ":%u", options->origin.port);
    }
    if (options->tls != NULL) {
        (void)SSL_CTX_up_ref(options->tls);
    }
    return client;
}

void fk_http_client_free(struct fk_http_client *client)
{
    if (client == NULL) {
        return;
    }
    fk_http_socket_deinit(&client->socket);
    SSL_CTX_free(client->options.tls);
    fk_buf_deinit(&client->input);
    fk_buf_deinit(&client->output);
    fk_free(client->host);
    fk_free(client);
}

const char *fk_http_client_host(const struct fk_http_client *client)
{
    return client->host;
}

/* --- the request --- */

/* What would read as something else on the other side is not sent: a line end in a value makes another header. */
static bool is_sendable(const struct fk_http_call *call)
{
    bool is_good =
        fk_http_is_token(fk_bytes_text(call->method)) && call->target.size > 0 && call->target.data[0] == '/';
    for (size_t i = 0; i < call->target.size && is_good; i++) {
        is_good = call->target.data[i] > ' ' && call->target.data[i] < 0x7f && call->target.data[i] != '#';
    }
    for (size_t i = 0; i < call->header_count && is_good; i++) {
        struct fk_bytes value = call->headers[i].value;
        is_good = fk_http_is_token(call->headers[i].name);
        for (size_t k = 0; k < value.size && is_good; k++) {
            is_good = (value.data[k] >= ' ' || value.data[k] == '\t') && value.data[k] != 0x7f;
        }
    }
    return is_good;
}

static void print_request(struct fk_http_client *client, const struct fk_http_call *call)
{
    struct fk_buf *out = &client->output;
    fk_buf_clear(out);
    fk_buf_print(out, "%s ", call->method);
    fk_buf_append(out, call->target);
    fk_buf_print(out, " HTTP/1.1\r\nHost: %s\r\n", client->host);
    for (size_t i = 0; i < call->header_count; i++) {
        fk_buf_append(out, call->headers[i].name);
        fk_buf_append(out, FK_BYTES_LITERAL(": "));
        fk_buf_append(out, call->headers[i].value);
        fk_buf_append(out, FK_BYTES_LITERAL("\r\n"));
    }
    if (call->body.size > 0 || (strcmp(call->method, "GET") != 0 && strcmp(call->method, "HEAD") != 0)) {
        fk_buf_print(out, "Content-Length: %zu\r\n", call->body.size);
    }
    fk_buf_append(out, FK_BYTES_LITERAL("\r\n"));
    if (call->body.size <= JOINED_SIZE_MAX) {
        fk_buf_append(out, call->body);
    }
}

/* --- reading --- */

static enum fk_http_io read_more(struct exchange *exchange, int64_t deadline_ms)
{
    struct fk_buf *input = &exchange->client->input;
    uint8_t *room = fk_buf_reserve(input, READ_SIZE);
    if (room == NULL) {
        return FK_HTTP_IO_BROKEN;
    }
    size_t got = 0;
    enum fk_http_io io = fk_http_socket_read(&exchange->client->socket, room, READ_SIZE, deadline_ms, &got);
    input->size += got;
    return io;
}

/* No whole answer came. */
static enum fk_err lost(struct exchange *exchange, enum fk_http_io io)
{
    const char *host = exchange->client->host;
    if (exchange->client->input.failed) {
        fk_diag_set(exchange->diag, "%s: no memory for the answer", host);
        return FK_ERR_NOMEM;
    }
    if (io == FK_HTTP_IO_LATE) {
        fk_diag_set(exchange->diag, "%s: no whole answer within %d ms", host, (int)exchange->call->timeout_ms);
    } else {
        exchange->is_stale = fk_buf_left(&exchange->client->input) == 0 && exchange->head.size == 0;
        fk_diag_set(exchange->diag, "%s: the connection ended before the answer did", host);
    }
    return FK_ERR_UNKNOWN;
}

static enum fk_err refused(struct exchange *exchange, enum fk_http_step step)
{
    bool is_large = step == FK_HTTP_TOO_LARGE;
    fk_diag_set(exchange->diag, "%s: the answer is %s", exchange->client->host,
                is_large ? "larger than its limit" : "no HTTP/1.1");
    return is_large ? FK_ERR_TOO_LARGE : FK_ERR_MALFORMED;
}

/* --- sending --- */

/* The server has answered already; it may not want the rest of the body. */
static bool has_answered(struct exchange *exchange)
{
    struct fk_http_answer answer;
    struct fk_http_answer_head head;
    enum fk_http_step step = fk_http_answer_parse(fk_buf_view(&exchange->client->input), false, &answer, &head);
    return step != FK_HTTP_MORE && (step != FK_HTTP_DONE || answer.status >= 200);
}

/* `*is_whole` tells whether all was sent; an answer may have come before that, or the connection be broken: the bytes
 * that came say more than that. */
static enum fk_err send_bytes(struct exchange *exchange, struct fk_bytes bytes, bool *is_whole)
{
    struct fk_http_socket *socket = &exchange->client->socket;
    while (bytes.size > 0 && *is_whole) {
        size_t done = 0;
        enum fk_http_io io = fk_http_socket_write(socket, bytes, exchange->deadline_ms, &done);
        bytes = fk_bytes_tail(bytes, done);
        if (io == FK_HTTP_IO_LATE) {
            return lost(exchange, io);
        }
        if (io == FK_HTTP_IO_READABLE) {
            io = read_more(exchange, 0);
            *is_whole = (io == FK_HTTP_IO_OK || io == FK_HTTP_IO_LATE) && !has_answered(exchange);
        } else if (io != FK_HTTP_IO_OK) {
            *is_whole = false;
        }
    }
    return FK_OK;
}

static enum fk_err send_request(struct exchange *exchange, bool *is_whole)
{
    *is_whole = true;
    enum fk_err err = send_bytes(exchange, fk_buf_view(&exchange->client->output), is_whole);
    if (err == FK_OK && exchange->call->body.size > JOINED_SIZE_MAX) {
        err = send_bytes(exchange, exchange->call->body, is_whole);
    }
    return err;
}

/* --- the answer --- */

/* Reads heads until one is final: 100 and 103 come before it. It is parsed again where its copy lies. */
static enum fk_err receive_head(struct exchange *exchange)
{
    struct fk_buf *input = &exchange->client->input;
    bool to_head = strcmp(exchange->call->method, "HEAD") == 0;
    for (;;) {
        enum fk_http_step step = fk_http_answer_parse(fk_buf_view(input), to_head, exchange->answer, &exchange->head);
        if (step == FK_HTTP_DONE && exchange->answer->status >= 200) {
            break;
        }
        if (step == FK_HTTP_DONE) {
            fk_buf_consume(input, exchange->head.size);
            continue;
        }
        if (step != FK_HTTP_MORE) {
            return refused(exchange, step);
        }
        enum fk_http_io io = read_more(exchange, exchange->deadline_ms);
        if (io != FK_HTTP_IO_OK) {
            return lost(exchange, io);
        }
    }
    struct fk_bytes copy = fk_arena_copy(exchange->arena, fk_bytes_head(fk_buf_view(input), exchange->head.size));
    if (copy.data == NULL) {
        return FK_ERR_NOMEM;
    }
    fk_buf_consume(input, exchange->head.size);
    (void)fk_http_answer_parse(copy, to_head, exchange->answer, &exchange->head);
    return FK_OK;
}

/* Straight into the arena. */
static enum fk_err receive_sized(struct exchange *exchange)
{
    struct fk_buf *input = &exchange->client->input;
    if ((uint64_t)exchange->head.body_size > exchange->reply_size_max) {
        return refused(exchange, FK_HTTP_TOO_LARGE);
    }
    size_t size = (size_t)exchange->head.body_size;
    uint8_t *body = (uint8_t *)fk_arena_alloc(exchange->arena, size);
    if (body == NULL) {
        return FK_ERR_NOMEM;
    }
    struct fk_bytes first = fk_bytes_head(fk_buf_view(input), size);
    if (first.size > 0) {
        memcpy(body, first.data, first.size);
        fk_buf_consume(input, first.size);
    }
    size_t filled = first.size;
    while (filled < size) {
        size_t got = 0;
        enum fk_http_io io =
            fk_http_socket_read(&exchange->client->socket, body + filled, size - filled, exchange->deadline_ms, &got);
        if (io != FK_HTTP_IO_OK) {
            return lost(exchange, io);
        }
        filled += got;
    }
    exchange->answer->body = fk_bytes_of(body, size);
    return FK_OK;
}

static enum fk_err receive_chunks(struct exchange *exchange, struct fk_buf *body)
{
    struct fk_buf *input = &exchange->client->input;
    struct fk_http_chunks chunks = {0};
    for (;;) {
        size_t used = 0;
        enum fk_http_step step =
            fk_http_chunks_take(&chunks, fk_buf_view(input), exchange->reply_size_max, &used, body);
        fk_buf_consume(input, used);
        if (step == FK_HTTP_DONE) {
            return FK_OK;
        }
        if (step != FK_HTTP_MORE) {
            return refused(exchange, step);
        }
        enum fk_http_io io = read_more(exchange, exchange->deadline_ms);
        if (io != FK_HTTP_IO_OK) {
            return lost(exchange, io);
        }
    }
}

static enum fk_err receive_to_end(struct exchange *exchange, struct fk_buf *body)
{
    struct fk_buf *input = &exchange->client->input;
    for (;;) {
        if (fk_buf_left(body) + fk_buf_left(input) > exchange->reply_size_max) {
            return refused(exchange, FK_HTTP_TOO_LARGE);
        }
        fk_buf_append(body, fk_buf_view(input));
        fk_buf_consume(input, fk_buf_left(input));
        enum fk_http_io io = read_more(exchange, exchange->deadline_ms);
        if (io == FK_HTTP_IO_END) {
            return FK_OK;
        }
        if (io != FK_HTTP_IO_OK) {
            return lost(exchange, io);
        }
    }
}

static enum fk_err receive_body(struct exchange *exchange)
{
    if (exchange->head.framing == FK_HTTP_BODY_NONE) {
        return FK_OK;
    }
    if (exchange->head.framing == FK_HTTP_BODY_SIZED) {
        return receive_sized(exchange);
    }
    struct fk_buf body = FK_BUF_EMPTY;
    enum fk_err err = exchange->head.framing == FK_HTTP_BODY_CHUNKED ? receive_chunks(exchange, &body)
                                                                     : receive_to_end(exchange, &body);
    if (err == FK_OK && fk_buf_left(&body) > 0) {
        exchange->answer->body = fk_arena_copy(exchange->arena, fk_buf_view(&body));
    }
    if (err == FK_OK && (body.failed || exchange->answer->body.data == NULL)) {
        err = FK_ERR_NOMEM;
    }
    fk_buf_deinit(&body);
    return err;
}

/* --- the call --- */

/* A kept connection is used only where nothing has come over it: neither its end nor bytes that nobody asked for. */
static bool is_fresh(struct fk_http_client *client)
{
    uint8_t byte;
    size_t got = 0;
    return client->socket.fd >= 0 && fk_http_socket_read(&client->socket, &byte, 1, 0, &got) == FK_HTTP_IO_LATE;
}

static enum fk_err open_connection(struct exchange *exchange)
{
    struct fk_http_client *client = exchange->client;
    exchange->on_kept = is_fresh(client);
    if (exchange->on_kept) {
        return FK_OK;
    }
    fk_http_socket_close(&client->socket);
    int64_t deadline_ms = exchange->deadline_ms;
    if (client->options.connect_ms > 0) {
        int64_t limit = fk_http_now_ms() + client->options.connect_ms;
        deadline_ms = limit < deadline_ms ? limit : deadline_ms;
    }
    return fk_http_socket_open(&client->socket, &client->options.origin, client->options.tls, deadline_ms,
                               exchange->diag);
}

static enum fk_err run(struct exchange *exchange)
{
    struct fk_http_client *client = exchange->client;
    exchange->head.size = 0;
    exchange->is_stale = false;
    fk_buf_clear(&client->input);
    enum fk_err err = open_connection(exchange);
    if (err != FK_OK) {
        return err;
    }
    bool is_whole = false;
    err = send_request(exchange, &is_whole);
    if (err == FK_OK) {
        err = receive_head(exchange);
    }
    if (err == FK_OK) {
        err = receive_body(exchange);
    }
    if (err != FK_OK || !is_whole || !exchange->head.keep_alive || fk_buf_left(&client->input) > 0) {
        fk_http_socket_close(&client->socket);
    }
    return err;
}

enum fk_err fk_http_client_call(struct fk_http_client *client, const struct fk_http_call *call, struct fk_arena *arena,
                                struct fk_http_answer *answer, struct fk_diag *diag)
{
    if (!is_sendable(call)) {
        fk_diag_set(diag, "%s: method, target or a header of the call is not one", client->host);
        return FK_ERR_INVALID;
    }
    print_request(client, call);
    if (client->output.failed) {
        fk_buf_deinit(&client->output);
        return FK_ERR_NOMEM;
    }
    struct fk_diag first = {""};
    struct exchange exchange = {
        .client = client,
        .call = call,
        .deadline_ms = call->timeout_ms == 0 ? FK_HTTP_NO_DEADLINE : fk_http_now_ms() + call->timeout_ms,
        .reply_size_max = call->reply_size_max == 0 ? FK_HTTP_REPLY_SIZE_MAX : call->reply_size_max,
        .arena = arena,
        .answer = answer,
        .diag = &first,
    };
    enum fk_err err = run(&exchange);
    if (err == FK_ERR_UNKNOWN && exchange.on_kept && exchange.is_stale && call->idempotent) {
        first.text[0] = '\0';
        err = run(&exchange);
        err =
            err == FK_ERR_BUSY || err == FK_ERR_USAGE ? FK_ERR_UNKNOWN : err; /* the first one may have come through */
    }
    if (err != FK_OK) {
        fk_diag_set(diag, "%s", first.text[0] == '\0' ? fk_err_text(err) : first.text);
    }
    fk_buf_clear(&client->input);
    fk_buf_clear(&client->output);
    fk_buf_trim(&client->input, IDLE_SIZE);
    fk_buf_trim(&client->output, IDLE_SIZE);
    return err;
}
