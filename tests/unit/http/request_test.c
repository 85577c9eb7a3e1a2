// SPDX-License-Identifier: Apache-2.0
#include "http/request.h"

#include "http/response.h"
#include "support/test.h"

#include <stdio.h>

static struct fk_http_request request;

static int parse(const char *text)
{
    return fk_http_parse(fk_bytes_text(text), &request);
}

static void a_request_with_all_its_parts(void **state)
{
    (void)state;
    static const char text[] = "POST /a/b?c=d&e HTTP/1.1\r\nHost: x\r\ncontent-LENGTH:\t 12 \r\nX-Y:\r\n\r\nbody";
    assert_int_equal(parse(text), FK_HTTP_OK);
    assert_true(fk_bytes_equal_text(request.method, "POST"));
    assert_true(fk_bytes_equal_text(request.path, "/a/b"));
    assert_true(fk_bytes_equal_text(request.query, "c=d&e"));
    assert_int_equal(request.head_size, strlen(text) - 4);
    assert_int_equal(request.body_size, 12);
    assert_true(request.keep_alive);
    assert_true(fk_bytes_equal_text(fk_http_header(&request, "host"), "x"));
    assert_int_equal(fk_http_header(&request, "X-Y").size, 0);
    assert_null(fk_http_header(&request, "Z").data);
}

/* However the bytes come, the answer is the same. */
static void every_prefix_is_incomplete(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n";
    for (size_t size = 0; size < sizeof text - 1; size++) {
        assert_int_equal(fk_http_parse(fk_bytes_of(text, size), &request), FK_HTTP_INCOMPLETE);
    }
    assert_int_equal(parse(text), FK_HTTP_OK);
}

static void who_wants_the_connection_to_stay(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep_alive;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nConnection: upgrade\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(rows[i].text), FK_HTTP_OK);
        assert_int_equal(request.keep_alive, rows[i].keep_alive);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET /\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1 \r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"G(T / HTTP/1.1\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET x HTTP/1.1\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET /#x HTTP/1.1\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.2\r\n\r\n", FK_HTTP_VERSION},
        {"GET / HTTP/3.0\r\n\r\n", FK_HTTP_VERSION},
        {"GET / http/1.1\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\n: x\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nA b\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nA: b\n\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nContent-Length: 9999999999999999\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", FK_HTTP_BAD_REQUEST},
        {"PUT / HTTP/1.1\r\n\r\n", FK_HTTP_LENGTH_REQUIRED},
        {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", FK_HTTP_NOT_IMPLEMENTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(rows[i].text), rows[i].status);
    }
}

static void the_head_is_bounded(void **state)
{
    (void)state;
    static char text[FK_HTTP_HEAD_SIZE_MAX + 64];
    memset(text, 'x', sizeof text);
    memcpy(text, "GET /", 5);
    assert_int_equal(fk_http_parse(fk_bytes_of(text, FK_HTTP_HEAD_SIZE_MAX - 1), &request), FK_HTTP_INCOMPLETE);
    assert_int_equal(fk_http_parse(fk_bytes_of(text, FK_HTTP_HEAD_SIZE_MAX), &request), FK_HTTP_HEADERS_TOO_LARGE);
    memcpy(text + FK_HTTP_HEAD_SIZE_MAX - 13, " HTTP/1.1\r\n\r\n", 13);
    assert_int_equal(fk_http_parse(fk_bytes_of(text, sizeof text), &request), FK_HTTP_OK);
    size_t size = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < FK_HTTP_HEADERS_MAX; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "A: b\r\n");
    }
    memcpy(text + size, "\r\n", 2);
    assert_int_equal(fk_http_parse(fk_bytes_of(text, size + 2), &request), FK_HTTP_OK);
    memcpy(text + size, "A: b\r\n\r\n", 8);
    assert_int_equal(fk_http_parse(fk_bytes_of(text, size + 8), &request), FK_HTTP_HEADERS_TOO_LARGE);
}

static void values_of_a_query(void **state)
{
    (void)state;
    char value[8];
    assert_int_equal(parse("GET /?a=1&bb=x%20y+z&c=%4&d=%00&e=&f=12345678&g HTTP/1.1\r\n\r\n"), FK_HTTP_OK);
    assert_true(fk_http_query(&request, "a", value, sizeof value));
    assert_string_equal(value, "1");
    assert_true(fk_http_query(&request, "bb", value, sizeof value));
    assert_string_equal(value, "x y z");
    assert_true(fk_http_query(&request, "e", value, sizeof value));
    assert_string_equal(value, "");
    static const char *const none[] = {"b", "c", "d", "f", "g", "h", ""};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(fk_http_query(&request, none[i], value, sizeof value));
    }
    assert_int_equal(parse("GET / HTTP/1.1\r\n\r\n"), FK_HTTP_OK);
    assert_false(fk_http_query(&request, "a", value, sizeof value));
}

static void an_answer(void **state)
{
    (void)state;
    struct fk_buf out = FK_BUF_EMPTY;
    struct fk_http_response response = {
        .status = 404, .type = "a/b", .body = FK_BYTES_LITERAL("hello"), .more = "X: y\r\n"};
    fk_http_respond(&out, &response);
    fk_buf_append(&out, fk_bytes_of("", 1));
    assert_non_null(strstr((char *)out.data, "HTTP/1.1 404 Not Found\r\n"));
    assert_non_null(strstr((char *)out.data, "Content-Length: 5\r\n"));
    assert_non_null(strstr((char *)out.data, "Connection: close\r\nX: y\r\n\r\nhello"));
    fk_buf_clear(&out);
    response.head = true;
    fk_http_respond(&out, &response);
    fk_buf_append(&out, fk_bytes_of("", 1));
    assert_non_null(strstr((char *)out.data, "Content-Length: 5\r\n"));
    assert_null(strstr((char *)out.data, "hello"));
    fk_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_with_all_its_parts),
        cmocka_unit_test(every_prefix_is_incomplete),
        cmocka_unit_test(who_wants_the_connection_to_stay),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(the_head_is_bounded),
        cmocka_unit_test(values_of_a_query),
        cmocka_unit_test(an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
