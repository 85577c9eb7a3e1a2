// SPDX-License-Identifier: Apache-2.0
#include "stub.h"

#include "support/test.h"

struct fk_stub_call fk_stub_calls[FK_STUB_CALLS_MAX];
size_t fk_stub_call_count;

static struct fk_stub_answer answers[FK_STUB_CALLS_MAX];
static size_t answer_count;
static char connections;

void fk_stub_reset(void)
{
    fk_stub_call_count = 0;
    answer_count = 0;
}

void fk_stub_answer(struct fk_stub_answer answer)
{
    assert_true(answer_count < FK_STUB_CALLS_MAX);
    answers[answer_count++] = answer;
}

struct fk_aws *fk_stub_aws(void)
{
    return (struct fk_aws *)(void *)&connections;
}

static void copy(char *to, size_t room, struct fk_bytes bytes)
{
    size_t size = bytes.size < room - 1 ? bytes.size : room - 1;
    if (size > 0) {
        memcpy(to, bytes.data, size);
    }
    to[size] = '\0';
}

static void keep(const struct fk_aws_call *call, struct fk_stub_call *kept)
{
    *kept = (struct fk_stub_call){
        .idempotent = call->idempotent, .body_size = call->body.size, .header_count = call->header_count};
    copy(kept->action, sizeof kept->action, fk_bytes_text(call->action == NULL ? "" : call->action));
    copy(kept->method, sizeof kept->method, fk_bytes_text(call->method));
    copy(kept->target, sizeof kept->target, call->target);
    copy(kept->body, sizeof kept->body, call->body);
    for (size_t i = 0; i < call->header_count && i < 4; i++) {
        (void)snprintf(kept->headers[i], sizeof kept->headers[i], "%.*s: %.*s", (int)call->headers[i].name.size,
                       (const char *)call->headers[i].name.data, (int)call->headers[i].value.size,
                       (const char *)call->headers[i].value.data);
    }
}

enum fk_err fk_aws_call(struct fk_aws *aws, const struct fk_aws_call *call, struct fk_arena *arena,
                        struct fk_aws_reply *reply)
{
    assert_ptr_equal(aws, fk_stub_aws());
    assert_true(fk_stub_call_count < answer_count);
    const struct fk_stub_answer *answer = &answers[fk_stub_call_count];
    keep(call, &fk_stub_calls[fk_stub_call_count++]);
    *reply = (struct fk_aws_reply){.http = {.status = answer->status}, .repeated = answer->repeated};
    copy(reply->error, sizeof reply->error, fk_bytes_text(answer->error == NULL ? "" : answer->error));
    if (answer->body != NULL) {
        reply->http.body = fk_arena_copy(arena, fk_bytes_text(answer->body));
        copy(reply->message, sizeof reply->message, reply->http.body);
    }
    if (answer->header != NULL) {
        const char *colon = strchr(answer->header, ':');
        reply->http.headers[0] = (struct fk_http_header){fk_bytes_of(answer->header, (size_t)(colon - answer->header)),
                                                         fk_bytes_text(colon + 2)};
        reply->http.header_count = 1;
    }
    return answer->err;
}

const char *fk_aws_diag(const struct fk_aws *aws)
{
    (void)aws;
    return "as the test says";
}
