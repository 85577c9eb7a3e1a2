// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: requests of HTTP. What is taken lies within the input and takes no more of it than was there; a prefix
 * is never taken for the whole; values of the query fit. */
#include "base/assert.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(struct fk_bytes part, struct fk_bytes whole)
{
    FK_ASSERT(part.size == 0 || (part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fk_http_request request;
    static struct fk_http_request shorter;
    struct fk_bytes input = fk_bytes_of(data, size);
    int status = fk_http_parse(input, &request);
    if (status != FK_HTTP_OK) {
        FK_ASSERT(status == FK_HTTP_INCOMPLETE || (status >= 400 && status < 600));
        return 0;
    }
    struct fk_bytes head = fk_bytes_head(input, request.head_size);
    FK_ASSERT(request.head_size <= size && request.head_size <= FK_HTTP_HEAD_SIZE_MAX && request.body_size >= 0);
    FK_ASSERT(request.path.size > 0 && request.path.data[0] == '/' && request.method.size > 0);
    check_within(request.method, head);
    check_within(request.path, head);
    check_within(request.query, head);
    for (size_t i = 0; i < request.header_count; i++) {
        check_within(request.headers[i].name, head);
        check_within(request.headers[i].value, head);
        FK_ASSERT(memchr(request.headers[i].name.data, '\n', request.headers[i].name.size) == NULL);
    }
    FK_ASSERT(fk_http_parse(fk_bytes_head(head, head.size - 1), &shorter) == FK_HTTP_INCOMPLETE);
    FK_ASSERT(fk_http_parse(head, &shorter) == FK_HTTP_OK && shorter.head_size == request.head_size);
    char value[16];
    if (fk_http_query(&request, "a", value, sizeof value)) {
        FK_ASSERT(memchr(value, '\0', sizeof value) != NULL);
    }
    return 0;
}
