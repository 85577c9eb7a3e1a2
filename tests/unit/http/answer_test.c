// SPDX-License-Identifier: Apache-2.0
#include "http/answer.h"

#include "support/test.h"

static struct fk_http_answer answer;
static struct fk_http_answer_head head;

static enum fk_http_step parse(const char *text)
{
    return fk_http_answer_parse(fk_bytes_text(text), false, &answer, &head);
}

static void an_answer_with_all_its_parts(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\nX-A:  b c \r\n\r\nbody";
    assert_int_equal(parse(text), FK_HTTP_DONE);
    assert_int_equal(answer.status, 404);
    assert_int_equal(head.size, sizeof text - 1 - 4);
    assert_int_equal(head.framing, FK_HTTP_BODY_SIZED);
    assert_int_equal(head.body_size, 4);
    assert_true(head.keep_alive);
    fk_assert_text(fk_http_answer_header(&answer, "x-a"), "b c");
    assert_null(fk_http_answer_header(&answer, "x-b").data);
    for (size_t size = 0; size < head.size; size++) {
        struct fk_http_answer_head shorter;
        assert_int_equal(fk_http_answer_parse(fk_bytes_of(text, size), false, &answer, &shorter), FK_HTTP_MORE);
    }
}

static void how_a_body_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum fk_http_framing framing;
        bool keep_alive;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", FK_HTTP_BODY_SIZED, true},
        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", FK_HTTP_BODY_SIZED, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", FK_HTTP_BODY_SIZED, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: x, close\r\n\r\n", FK_HTTP_BODY_SIZED, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", FK_HTTP_BODY_SIZED, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n", FK_HTTP_BODY_SIZED, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", FK_HTTP_BODY_CHUNKED, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Length: 5\r\n\r\n", FK_HTTP_BODY_CHUNKED, false},
        {"HTTP/1.1 200 OK\r\n\r\n", FK_HTTP_BODY_TO_END, false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", FK_HTTP_BODY_TO_END, false},
        {"HTTP/1.1 204 No Content\r\n\r\n", FK_HTTP_BODY_NONE, true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", FK_HTTP_BODY_NONE, true},
        {"HTTP/1.1 100 Continue\r\n\r\n", FK_HTTP_BODY_NONE, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(rows[i].text), FK_HTTP_DONE);
        assert_int_equal(head.framing, rows[i].framing);
        assert_int_equal(head.keep_alive, rows[i].keep_alive);
    }
    struct fk_bytes to_head = fk_bytes_text(rows[2].text);
    assert_int_equal(fk_http_answer_parse(to_head, true, &answer, &head), FK_HTTP_DONE);
    assert_int_equal(head.framing, FK_HTTP_BODY_NONE);
    assert_true(head.keep_alive);
}

static void what_is_no_answer(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 2000\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n",
        "HTTP/1.1 600 X\r\n\r\n",
        "HTTP/1.1 -20 X\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(rows[i]), FK_HTTP_BROKEN);
    }
}

static void a_head_is_bounded(void **state)
{
    (void)state;
    static char text[FK_HTTP_HEAD_SIZE_MAX + 1];
    memset(text, 'x', sizeof text);
    assert_int_equal(fk_http_answer_parse(fk_bytes_of(text, FK_HTTP_HEAD_SIZE_MAX - 1), false, &answer, &head),
                     FK_HTTP_MORE);
    assert_int_equal(fk_http_answer_parse(fk_bytes_of(text, FK_HTTP_HEAD_SIZE_MAX), false, &answer, &head),
                     FK_HTTP_TOO_LARGE);
    size_t size = (size_t)snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i <= FK_HTTP_HEADERS_MAX; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "A: b\r\n");
    }
    (void)snprintf(text + size, sizeof text - size, "\r\n");
    assert_int_equal(parse(text), FK_HTTP_TOO_LARGE);
}

/* Takes a chunked body in pieces of `piece` bytes; gives the last step, and what is left of the input. */
static enum fk_http_step take(const char *text, size_t piece, size_t size_max, struct fk_buf *body, size_t *left)
{
    struct fk_http_chunks chunks = {0};
    struct fk_buf input = FK_BUF_EMPTY;
    struct fk_bytes rest = fk_bytes_text(text);
    enum fk_http_step step = FK_HTTP_MORE;
    while (step == FK_HTTP_MORE && rest.size > 0) {
        size_t used = 0;
        fk_buf_append(&input, fk_bytes_head(rest, piece));
        rest = fk_bytes_tail(rest, piece);
        step = fk_http_chunks_take(&chunks, fk_buf_view(&input), size_max, &used, body);
        fk_buf_consume(&input, used);
    }
    *left = fk_buf_left(&input) + rest.size;
    fk_buf_deinit(&input);
    return step;
}

static void chunks_however_they_come(void **state)
{
    (void)state;
    static const char text[] =
        "4\r\nWiki\r\n5;a=b\r\npedia\r\nE \r\n in\r\n\r\nchunks.\r\n0\r\nX-T: y\r\nZ:\r\n\r\nnext";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct fk_buf body = FK_BUF_EMPTY;
        size_t left = 0;
        assert_int_equal(take(text, piece, 100, &body, &left), FK_HTTP_DONE);
        fk_assert_text(fk_buf_view(&body), "Wikipedia in\r\n\r\nchunks.");
        assert_int_equal(left, 4);
        fk_buf_deinit(&body);
    }
}

static void what_is_no_chunk(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum fk_http_step step;
    } rows[] = {
        {"\r\n", FK_HTTP_BROKEN},
        {"x\r\n", FK_HTTP_BROKEN},
        {"-1\r\n", FK_HTTP_BROKEN},
        {"1 2\r\n", FK_HTTP_BROKEN},
        {"1\na\r\n", FK_HTTP_BROKEN},
        {"1\r\nab\r\n", FK_HTTP_BROKEN},
        {"1\r\nab\r", FK_HTTP_MORE},
        {"0\r\nA b\r\n\r\n", FK_HTTP_BROKEN},
        {"ffffffffffffffff\r\n", FK_HTTP_BROKEN},
        {"7fffffffffffffff\r\n", FK_HTTP_BROKEN},
        {"fffffffffffffff\r\nabcdefghijkl", FK_HTTP_TOO_LARGE},
        {"b\r\nabcdefghijk\r\n0\r\n\r\n", FK_HTTP_TOO_LARGE},
        {"a\r\nabcdefghij\r\n0\r\n\r\n", FK_HTTP_DONE},
        {"5\r\nabcde\r\n6\r\nfghijk\r\n0\r\n\r\n", FK_HTTP_TOO_LARGE},
        {"1\r\na", FK_HTTP_MORE},
        {"0\r\n", FK_HTTP_MORE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_buf body = FK_BUF_EMPTY;
        size_t left = 0;
        assert_int_equal(take(rows[i].text, 100, 10, &body, &left), rows[i].step);
        assert_true(fk_buf_left(&body) <= 10);
        fk_buf_deinit(&body);
    }
}

static void lines_of_chunks_are_bounded(void **state)
{
    (void)state;
    struct fk_buf body = FK_BUF_EMPTY;
    size_t left = 0;
    static char text[8192];
    memset(text, ';', sizeof text - 1);
    text[0] = '1';
    assert_int_equal(take(text, 100, 10, &body, &left), FK_HTTP_BROKEN);
    size_t size = (size_t)snprintf(text, sizeof text, "0\r\n");
    for (int i = 0; i <= FK_HTTP_HEADERS_MAX; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "A: b\r\n");
    }
    assert_int_equal(take(text, 100, 10, &body, &left), FK_HTTP_TOO_LARGE);
    fk_buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(an_answer_with_all_its_parts),
        FK_TEST(how_a_body_ends),
        FK_TEST(what_is_no_answer),
        FK_TEST(a_head_is_bounded),
        FK_TEST(chunks_however_they_come),
        FK_TEST(what_is_no_chunk),
        FK_TEST(lines_of_chunks_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
