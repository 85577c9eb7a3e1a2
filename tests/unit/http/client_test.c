// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include "http/script.h"
#include "support/test.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <time.h>

static struct fk_arena arena;
static struct fk_http_answer answer;
static struct fk_diag diag;

static struct fk_http_client *client_of(uint16_t port)
{
    const struct fk_http_client_options options = {.origin = {.host = "127.0.0.1", .port = port}, .connect_ms = 2000};
    struct fk_http_client *client = fk_http_client_new(&options);
    assert_non_null(client);
    return client;
}

static enum fk_err call_with(struct fk_http_client *client, struct fk_http_call call)
{
    call.method = call.method == NULL ? "GET" : call.method;
    call.target = call.target.size == 0 ? FK_BYTES_LITERAL("/a?b=c") : call.target;
    call.timeout_ms = call.timeout_ms == 0 ? 5000 : call.timeout_ms;
    diag.text[0] = '\0';
    fk_arena_reset(&arena);
    return fk_http_client_call(client, &call, &arena, &answer, &diag);
}

static enum fk_err call(struct fk_http_client *client)
{
    return call_with(client, (struct fk_http_call){0});
}

static void calls_over_one_connection(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\n\r\nhello", .in_bytes = true},
        {.answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n0\r\nT: x\r\n\r\n",
         .in_bytes = true},
        {.answer = "HTTP/1.1 204 No Content\r\n\r\n"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"},
        {.answer = "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"},
    };
    uint16_t port = script_start(steps, 5, NULL);
    struct fk_http_client *client = client_of(port);
    assert_int_equal(call(client), FK_OK);
    assert_int_equal(answer.status, 200);
    fk_assert_text(answer.body, "hello");
    fk_assert_text(fk_http_answer_header(&answer, "a"), "b");
    const struct fk_http_header headers[] = {{FK_BYTES_LITERAL("X-Y"), FK_BYTES_LITERAL("z")}};
    struct fk_http_call post = {
        .method = "POST", .headers = headers, .header_count = 1, .body = FK_BYTES_LITERAL("question")};
    assert_int_equal(call_with(client, post), FK_OK);
    assert_int_equal(answer.status, 201);
    fk_assert_text(answer.body, "abc");
    assert_int_equal(call(client), FK_OK);
    assert_int_equal(answer.body.size, 0);
    assert_int_equal(call_with(client, (struct fk_http_call){.method = "HEAD"}), FK_OK);
    assert_int_equal(call_with(client, (struct fk_http_call){.method = "DELETE"}), FK_OK);
    assert_int_equal(answer.status, 500);
    fk_http_client_free(client);
    script_stop();
    assert_int_equal(script_connections(), 1);
    char host[64];
    (void)snprintf(host, sizeof host, "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", port);
    assert_string_equal(script_request(0), host);
    assert_true(script_request_has(1, "\r\nX-Y: z\r\nContent-Length: 8\r\n\r\nquestion"));
    assert_true(script_request_has(4, "\r\nContent-Length: 0\r\n"));
}

static void answers_that_end_the_connection(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.0 200 OK\r\n\r\nto the end", .end = SCRIPT_CLOSE, .in_bytes = true},
        {.answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nyHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"},
    };
    struct fk_http_client *client = client_of(script_start(steps, 4, NULL));
    static const char *const bodies[] = {"to the end", "x", "y", "a"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(call(client), FK_OK);
        fk_assert_text(answer.body, bodies[i]);
    }
    fk_http_client_free(client);
    script_stop();
    assert_int_equal(script_connections(), 4);
}

static void a_connection_that_was_closed_in_between(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .end = SCRIPT_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
        {.answer = NULL}, /* closed when the request had come */
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
        {.answer = NULL},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    };
    struct fk_http_client *client = client_of(script_start(steps, 6, NULL));
    assert_int_equal(call(client), FK_OK);
    struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
    (void)nanosleep(&pause, NULL);
    assert_int_equal(call(client), FK_OK); /* nothing was sent over the closed one: not idempotent, and it works */
    assert_int_equal(call_with(client, (struct fk_http_call){.idempotent = true}), FK_OK);
    assert_int_equal(script_requests(), 4);
    assert_int_equal(call(client), FK_ERR_UNKNOWN);
    assert_non_null(strstr(diag.text, "ended before the answer"));
    assert_int_equal(call(client), FK_OK);
    fk_http_client_free(client);
    script_stop();
}

static void answers_that_are_none(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "SSH-2.0-x\r\n\r\n"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n"},
        {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n"},
        {.answer = "HTTP/1.0 200 OK\r\n\r\n0123456789012345678901234567890123456789012345678901234567890123456789"
                   "0123456789012345678901234567890"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .end = SCRIPT_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", .end = SCRIPT_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Le", .end = SCRIPT_CLOSE},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"},
    };
    static const enum fk_err errs[] = {FK_ERR_MALFORMED, FK_ERR_TOO_LARGE, FK_ERR_UNKNOWN, FK_ERR_TOO_LARGE,
                                       FK_ERR_UNKNOWN,   FK_ERR_UNKNOWN,   FK_ERR_UNKNOWN, FK_ERR_UNKNOWN};
    struct fk_http_client *client = client_of(script_start(steps, 8, NULL));
    for (size_t i = 0; i < 8; i++) {
        struct fk_http_call bounded = {.reply_size_max = 100, .timeout_ms = 300, .idempotent = true};
        assert_int_equal(call_with(client, bounded), errs[i]);
        assert_true(diag.text[0] != '\0');
    }
    fk_http_client_free(client);
    script_stop();
    assert_int_equal(script_connections(), 8);
}

static void a_server_that_takes_its_time(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .wait_ms = 10 * 1000},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .wait_ms = 100},
    };
    struct fk_http_client *client = client_of(script_start(steps, 2, NULL));
    assert_int_equal(call_with(client, (struct fk_http_call){.timeout_ms = 50, .idempotent = true}), FK_ERR_UNKNOWN);
    assert_non_null(strstr(diag.text, "within 50 ms"));
    fk_http_client_free(client);
    script_abandon();
}

static void nobody_listens(void **state)
{
    (void)state;
    uint16_t port = script_start(NULL, 0, NULL);
    script_stop();
    struct fk_http_client *client = client_of(port);
    assert_int_equal(call_with(client, (struct fk_http_call){.idempotent = true}), FK_ERR_BUSY);
    assert_non_null(strstr(diag.text, "127.0.0.1: no connection: Connection refused"));
    fk_http_client_free(client);
    const struct fk_http_client_options options = {.origin = {.host = "no.such.host.invalid", .port = 80}};
    client = fk_http_client_new(&options);
    assert_int_equal(call(client), FK_ERR_BUSY);
    assert_non_null(strstr(diag.text, "no.such.host.invalid: no address"));
    fk_http_client_free(client);
}

/* 8 MB fill the buffers of the kernel: the answer comes while the client still sends. */
static void an_answer_before_the_body_was_sent(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"},
        {.answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", .early = true, .wait_ms = 50},
    };
    enum {
        BODY_SIZE = 8 * 1024 * 1024,
    };
    static uint8_t body[BODY_SIZE];
    struct fk_http_client *client = client_of(script_start(steps, 2, NULL));
    struct fk_http_call put = {.method = "PUT", .body = fk_bytes_of(body, sizeof body)};
    assert_int_equal(call_with(client, put), FK_OK);
    assert_int_equal(answer.status, 200);
    assert_int_equal(call_with(client, put), FK_OK);
    assert_int_equal(answer.status, 413);
    fk_http_client_free(client);
    script_abandon();
    assert_int_equal(script_connections(), 1);
}

static void what_cannot_be_sent(void **state)
{
    (void)state;
    struct fk_http_client *client = client_of(1);
    static const struct fk_http_header bad_value = {FK_BYTES_LITERAL("A"), FK_BYTES_LITERAL("b\r\nC: d")};
    static const struct fk_http_header bad_name = {FK_BYTES_LITERAL("A b"), FK_BYTES_LITERAL("c")};
    const struct fk_http_call calls[] = {
        {.headers = &bad_value, .header_count = 1},
        {.headers = &bad_name, .header_count = 1},
        {.method = "GET /"},
        {.target = FK_BYTES_LITERAL("/a b")},
        {.target = FK_BYTES_LITERAL("/a\r\n")},
        {.target = FK_BYTES_LITERAL("a")},
    };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        assert_int_equal(call_with(client, calls[i]), FK_ERR_INVALID);
    }
    fk_http_client_free(client);
}

static void hosts_as_they_are_written(void **state)
{
    (void)state;
    static const struct {
        struct fk_http_origin origin;
        const char *host;
    } rows[] = {
        {{.tls = true, .host = "a.b", .port = 443}, "a.b"},      {{.tls = true, .host = "a.b", .port = 80}, "a.b:80"},
        {{.tls = false, .host = "a.b", .port = 80}, "a.b"},      {{.tls = false, .host = "::1", .port = 80}, "[::1]"},
        {{.tls = false, .host = "::1", .port = 81}, "[::1]:81"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fk_http_client_options options = {.origin = rows[i].origin};
        struct fk_http_client *client = fk_http_client_new(&options);
        assert_string_equal(fk_http_client_host(client), rows[i].host);
        fk_http_client_free(client);
    }
}

static void without_memory(void **state)
{
    (void)state;
    struct script_step steps[32];
    for (size_t i = 0; i < 32; i++) {
        steps[i] =
            (struct script_step){.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"};
    }
    uint16_t port = script_start(steps, 32, NULL);
    uint64_t nth = 1;
    do {
        fk_arena_deinit(&arena);
        fk_test_fail_alloc(nth++);
        const struct fk_http_client_options options = {.origin = {.host = "127.0.0.1", .port = port}};
        struct fk_http_client *client = fk_http_client_new(&options);
        if (client != NULL) {
            struct fk_http_call get = {.method = "GET", .target = FK_BYTES_LITERAL("/"), .timeout_ms = 5000};
            enum fk_err err = fk_http_client_call(client, &get, &arena, &answer, NULL);
            assert_int_equal(err, fk_test_alloc_failed() ? FK_ERR_NOMEM : FK_OK);
        }
        fk_http_client_free(client);
    } while (fk_test_alloc_failed() && nth < 32);
    fk_test_fail_alloc(0);
    assert_true(nth > 4 && nth < 32);
    script_abandon();
}

/* --- TLS --- */

static EVP_PKEY *key;
static X509 *certificate;

static void make_certificate(const char *names)
{
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    (void)X509_set_version(certificate, 2);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    (void)X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"localhost", -1, -1, 0);
    (void)X509_set_issuer_name(certificate, name);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    (void)X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
}

static void free_certificate(void)
{
    EVP_PKEY_free(key);
    X509_free(certificate);
}

static SSL_CTX *server_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    (void)SSL_CTX_set_session_id_context(context, (const uint8_t *)"test", 4);
    return context;
}

static SSL_CTX *trusting_context(bool trusts)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (trusts) {
        assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate), 1);
    }
    return context;
}

static struct fk_http_client *tls_client(const char *host, uint16_t port, bool trusts)
{
    SSL_CTX *context = trusting_context(trusts);
    const struct fk_http_client_options options = {
        .origin = {.tls = true, .host = host, .port = port}, .connect_ms = 3000, .tls = context};
    struct fk_http_client *client = fk_http_client_new(&options);
    SSL_CTX_free(context);
    return client;
}

static void calls_over_tls(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nagain",
         .in_bytes = true,
         .end = SCRIPT_CLOSE},
        {.answer = "HTTP/1.0 200 OK\r\n\r\nto the end", .end = SCRIPT_CLOSE},
    };
    make_certificate("DNS:localhost,IP:127.0.0.1");
    SSL_CTX *context = server_context();
    uint16_t port = script_start(steps, 3, context);
    struct fk_http_client *client = tls_client("127.0.0.1", port, true);
    static const char *const bodies[] = {"hello", "again", "to the end"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(call(client), FK_OK);
        fk_assert_text(answer.body, bodies[i]);
    }
    fk_http_client_free(client);
    script_stop();
    assert_int_equal(script_connections(), 2);
    SSL_CTX_free(context);
    free_certificate();
}

static void certificates_that_are_not_to_be_trusted(void **state)
{
    (void)state;
    static const struct script_step steps[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    make_certificate("DNS:example.org,IP:127.0.0.2");
    SSL_CTX *context = server_context();
    uint16_t port = script_start(steps, 1, context);
    struct fk_http_client *client = tls_client("127.0.0.1", port, true);
    assert_int_equal(call(client), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "not to be trusted: IP address mismatch"));
    fk_http_client_free(client);
    client = tls_client("localhost", port, true);
    assert_int_equal(call(client), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "hostname mismatch"));
    fk_http_client_free(client);
    client = tls_client("localhost", port, false);
    assert_int_equal(call(client), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "self-signed"));
    fk_http_client_free(client);
    script_abandon();
    assert_int_equal(script_requests(), 0);
    SSL_CTX_free(context);
    free_certificate();
}

static void a_server_without_tls(void **state)
{
    (void)state;
    static const struct script_step steps[] = {{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
    make_certificate("DNS:localhost");
    struct fk_http_client *client = tls_client("localhost", script_start(steps, 1, NULL), true);
    assert_int_equal(call_with(client, (struct fk_http_call){.timeout_ms = 300}), FK_ERR_BUSY);
    assert_non_null(strstr(diag.text, "no TLS connection"));
    fk_http_client_free(client);
    script_abandon();
    free_certificate();
}

static int end(void **state)
{
    fk_arena_deinit(&arena);
    return fk_test_end(state);
}

#define CLIENT_TEST(function) cmocka_unit_test_setup_teardown(function, fk_test_begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(calls_over_one_connection),
        CLIENT_TEST(answers_that_end_the_connection),
        CLIENT_TEST(a_connection_that_was_closed_in_between),
        CLIENT_TEST(answers_that_are_none),
        CLIENT_TEST(a_server_that_takes_its_time),
        CLIENT_TEST(nobody_listens),
        CLIENT_TEST(an_answer_before_the_body_was_sent),
        CLIENT_TEST(what_cannot_be_sent),
        CLIENT_TEST(hosts_as_they_are_written),
        CLIENT_TEST(without_memory),
        CLIENT_TEST(calls_over_tls),
        CLIENT_TEST(certificates_that_are_not_to_be_trusted),
        CLIENT_TEST(a_server_without_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
