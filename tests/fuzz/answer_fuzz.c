// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: answers of HTTP and chunked bodies. What is taken lies within the input; a prefix is never taken for the
 * whole; a chunked body is the same however its bytes come, and never larger than its bound. The first byte says how
 * they come. */
#include "base/assert.h"
#include "http/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    BODY_SIZE_MAX = 1000,
};

static void check_within(struct fk_bytes part, struct fk_bytes whole)
{
    FK_ASSERT(part.size == 0 || (part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

static void check_head(struct fk_bytes input)
{
    static struct fk_http_answer answer;
    static struct fk_http_answer shorter;
    struct fk_http_answer_head head;
    struct fk_http_answer_head shorter_head;
    if (fk_http_answer_parse(input, false, &answer, &head) != FK_HTTP_DONE) {
        return;
    }
    struct fk_bytes whole = fk_bytes_head(input, head.size);
    FK_ASSERT(head.size <= input.size && head.size <= FK_HTTP_HEAD_SIZE_MAX && head.body_size >= 0);
    FK_ASSERT(answer.status >= 100 && answer.status < 600);
    for (size_t i = 0; i < answer.header_count; i++) {
        check_within(answer.headers[i].name, whole);
        check_within(answer.headers[i].value, whole);
        FK_ASSERT(memchr(answer.headers[i].name.data, '\n', answer.headers[i].name.size) == NULL);
    }
    FK_ASSERT(fk_http_answer_parse(fk_bytes_head(whole, whole.size - 1), false, &shorter, &shorter_head) ==
              FK_HTTP_MORE);
    FK_ASSERT(fk_http_answer_parse(whole, true, &shorter, &shorter_head) == FK_HTTP_DONE);
    FK_ASSERT(shorter_head.framing == FK_HTTP_BODY_NONE && shorter.header_count == answer.header_count);
}

/* Takes the input in pieces; gives the last step and what was used. */
static enum fk_http_step take(struct fk_bytes input, size_t piece, struct fk_buf *body, size_t *used)
{
    struct fk_http_chunks chunks = {0};
    struct fk_buf waiting = FK_BUF_EMPTY;
    enum fk_http_step step = FK_HTTP_MORE;
    *used = 0;
    while (step == FK_HTTP_MORE && input.size > 0) {
        size_t done = 0;
        fk_buf_append(&waiting, fk_bytes_head(input, piece));
        input = fk_bytes_tail(input, piece);
        step = fk_http_chunks_take(&chunks, fk_buf_view(&waiting), BODY_SIZE_MAX, &done, body);
        FK_ASSERT(done <= fk_buf_left(&waiting) && fk_buf_left(body) <= BODY_SIZE_MAX);
        fk_buf_consume(&waiting, done);
        *used += done;
    }
    fk_buf_deinit(&waiting);
    return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct fk_bytes input = fk_bytes_of(data + 1, size - 1);
    check_head(input);
    struct fk_buf whole = FK_BUF_EMPTY;
    struct fk_buf in_pieces = FK_BUF_EMPTY;
    size_t used = 0;
    size_t used_in_pieces = 0;
    enum fk_http_step step = take(input, size, &whole, &used);
    FK_ASSERT(take(input, (size_t)(data[0] % 32) + 1, &in_pieces, &used_in_pieces) == step);
    if (step == FK_HTTP_DONE || step == FK_HTTP_MORE) {
        FK_ASSERT(used == used_in_pieces && fk_bytes_equal(fk_buf_view(&whole), fk_buf_view(&in_pieces)));
    }
    fk_buf_deinit(&whole);
    fk_buf_deinit(&in_pieces);
    return 0;
}
