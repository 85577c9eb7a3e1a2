// SPDX-License-Identifier: Apache-2.0
#include "host/lambda.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "host/lambda_json.h"
#include "host/lambda_log.h"
#include "http/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define API_PATH "/2018-06-01/runtime/"

enum {
    HOST_SIZE = 256,
    REPORT_MS = 5000,   /* the runtime is on the same machine */
    NEXT_TRIES = 3,     /* of asking for the next invocation, while nobody answers */
    NEXT_PAUSE_MS = 50, /* between them */
    STATUS_ACCEPTED = 202,
    STATUS_TOO_LARGE = 413,
    STATUS_BROKEN = 500, /* the container is: the runtime shall end */
};

struct runtime {
    const struct fk_lambda_options *options;
    struct fk_http_client *client;
    struct fk_arena arena;
    struct fk_buf out;
};

void fk_lambda_error_set(struct fk_lambda_error *error, const char *type, const char *format, ...)
{
    va_list args;
    (void)snprintf(error->type, sizeof error->type, "%s", type);
    va_start(args, format);
    (void)vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
}

/* host:port; an address of IPv6 has brackets. */
static enum fk_err parse_api(const char *api, char host[HOST_SIZE], struct fk_http_origin *origin, struct fk_diag *diag)
{
    const char *colon = strrchr(api, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - api);
    char *end = NULL;
    unsigned long port = colon == NULL ? 0 : strtoul(colon + 1, &end, 10);
    if (size == 0 || size >= HOST_SIZE || port == 0 || port > UINT16_MAX || *end != '\0' || colon[1] < '0' ||
        colon[1] > '9') {
        fk_diag_set(diag, "AWS_LAMBDA_RUNTIME_API is no HOST:PORT: '%.100s'", api);
        return FK_ERR_USAGE;
    }
    bool brackets = api[0] == '[' && api[size - 1] == ']';
    (void)snprintf(host, HOST_SIZE, "%.*s", (int)(brackets ? size - 2 : size), brackets ? api + 1 : api);
    *origin = (struct fk_http_origin){.host = host, .port = (uint16_t)port};
    return FK_OK;
}

static enum fk_err connect_to(const char *api, struct fk_http_client **client, struct fk_diag *diag)
{
    char host[HOST_SIZE];
    struct fk_http_client_options options = {.connect_ms = REPORT_MS};
    enum fk_err err = parse_api(api, host, &options.origin, diag);
    if (err == FK_OK) {
        *client = fk_http_client_new(&options);
        err = *client == NULL ? FK_ERR_NOMEM : FK_OK;
    }
    return err;
}

/* --- reports --- */

static enum fk_err post(struct fk_http_client *client, struct fk_arena *arena, const char *path, const char *type,
                        struct fk_bytes body, int *status, struct fk_diag *diag)
{
    struct fk_http_header headers[] = {
        {.name = FK_BYTES_LITERAL("Content-Type"), .value = FK_BYTES_LITERAL("application/json")},
        {.name = FK_BYTES_LITERAL("Lambda-Runtime-Function-Error-Type"),
         .value = type == NULL ? FK_BYTES_NULL : fk_bytes_text(type)},
    };
    /* What comes a second time is refused by the runtime, with no harm done. */
    struct fk_http_call call = {.method = "POST",
                                .target = fk_bytes_text(path),
                                .headers = headers,
                                .header_count = type == NULL ? 1 : 2,
                                .body = body,
                                .timeout_ms = REPORT_MS,
                                .idempotent = true};
    struct fk_http_answer *answer = (struct fk_http_answer *)fk_arena_alloc(arena, sizeof *answer);
    if (answer == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = fk_http_client_call(client, &call, arena, answer, diag);
    *status = err == FK_OK ? answer->status : 0;
    return err;
}

/* A text that is no UTF-8 is left out. */
static void write_error(struct fk_buf *out, const struct fk_lambda_error *error)
{
    json_t *text = json_string(error->text);
    fk_lambda_json_append(out, json_pack("{s:o, s:s, s:[]}", "errorMessage", text == NULL ? json_string("?") : text,
                                         "errorType", error->type, "stackTrace"));
}

static enum fk_err report_error(struct runtime *runtime, const struct fk_invocation *invocation,
                                const struct fk_lambda_error *error, struct fk_diag *diag)
{
    char path[256];
    int status = 0;
    fk_log_with(FK_LOG_ERROR, "the invocation failed", fk_log_text("type", error->type),
                fk_log_text("reason", error->text));
    (void)snprintf(path, sizeof path, API_PATH "invocation/%.*s/error", (int)invocation->request_id.size,
                   (const char *)invocation->request_id.data);
    fk_buf_clear(&runtime->out);
    write_error(&runtime->out, error);
    enum fk_err err = runtime->out.failed ? FK_ERR_NOMEM
                                          : post(runtime->client, &runtime->arena, path, error->type,
                                                 fk_buf_view(&runtime->out), &status, diag);
    if (err == FK_OK && status != STATUS_ACCEPTED) {
        fk_log_with(FK_LOG_WARN, "the runtime did not take a report", fk_log_number("status", status));
    }
    return err;
}

static enum fk_err report_result(struct runtime *runtime, const struct fk_invocation *invocation, struct fk_diag *diag)
{
    char path[256];
    int status = 0;
    struct fk_lambda_error error = {.type = ""};
    (void)snprintf(path, sizeof path, API_PATH "invocation/%.*s/response", (int)invocation->request_id.size,
                   (const char *)invocation->request_id.data);
    enum fk_err err = post(runtime->client, &runtime->arena, path, NULL, fk_buf_view(&runtime->out), &status, diag);
    if (err == FK_OK && status == STATUS_TOO_LARGE) {
        fk_lambda_error_set(&error, "Function.ResponseSizeTooLarge", "the answer has %zu bytes",
                            fk_buf_left(&runtime->out));
        return report_error(runtime, invocation, &error, diag);
    }
    if (err == FK_OK && status >= STATUS_BROKEN) {
        fk_diag_set(diag, "the runtime answers an answer with status %d", status);
        return FK_ERR_IO;
    }
    if (err == FK_OK && status != STATUS_ACCEPTED) { /* too late perhaps: it has ended the invocation itself */
        fk_log_with(FK_LOG_WARN, "the runtime did not take an answer", fk_log_number("status", status));
    }
    return err;
}

enum fk_err fk_lambda_init_error(const char *api, const struct fk_lambda_error *error, struct fk_diag *diag)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf out = FK_BUF_EMPTY;
    struct fk_http_client *client = NULL;
    int status = 0;
    enum fk_err err = connect_to(api, &client, diag);
    write_error(&out, error);
    if (err == FK_OK) {
        err = out.failed ? FK_ERR_NOMEM
                         : post(client, &arena, API_PATH "init/error", error->type, fk_buf_view(&out), &status, diag);
    }
    fk_http_client_free(client);
    fk_buf_deinit(&out);
    fk_arena_deinit(&arena);
    return err;
}

/* --- invocations --- */

/* The id becomes a part of a path. */
static bool is_request_id(struct fk_bytes id)
{
    enum {
        ID_SIZE_MAX = 128,
    };
    for (size_t i = 0; i < id.size; i++) {
        uint8_t c = id.data[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        if (!word) {
            return false;
        }
    }
    return id.size > 0 && id.size <= ID_SIZE_MAX;
}

/* Milliseconds since 1970; 0 for anything else. */
static int64_t parse_deadline(struct fk_bytes text)
{
    enum {
        DIGITS_MAX = 15,
    };
    int64_t number = 0;
    for (size_t i = 0; i < text.size && i < DIGITS_MAX; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return 0;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    return text.size > DIGITS_MAX ? 0 : number;
}

static enum fk_err read_next(const struct fk_http_answer *answer, struct fk_invocation *invocation,
                             struct fk_diag *diag)
{
    if (answer->status != 200) {
        fk_diag_set(diag, "the runtime answers status %d instead of an invocation", answer->status);
        return FK_ERR_IO;
    }
    *invocation = (struct fk_invocation){
        .request_id = fk_http_answer_header(answer, "Lambda-Runtime-Aws-Request-Id"),
        .arn = fk_http_answer_header(answer, "Lambda-Runtime-Invoked-Function-Arn"),
        .trace_id = fk_http_answer_header(answer, "Lambda-Runtime-Trace-Id"),
        .deadline_ms = parse_deadline(fk_http_answer_header(answer, "Lambda-Runtime-Deadline-Ms")),
        .event = answer->body,
    };
    if (!is_request_id(invocation->request_id)) {
        fk_diag_set(diag, "the runtime hands out an invocation without a request id");
        return FK_ERR_MALFORMED;
    }
    return FK_OK;
}

/* Waits for the next invocation, for as long as it takes: the sandbox stands still meanwhile. */
static enum fk_err get_next(struct runtime *runtime, struct fk_invocation *invocation, struct fk_diag *diag)
{
    struct fk_http_call call = {.method = "GET",
                                .target = FK_BYTES_LITERAL(API_PATH "invocation/next"),
                                .reply_size_max = FK_LAMBDA_EVENT_SIZE_MAX,
                                .idempotent = true};
    struct fk_http_answer *answer = (struct fk_http_answer *)fk_arena_alloc(&runtime->arena, sizeof *answer);
    if (answer == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = fk_http_client_call(runtime->client, &call, &runtime->arena, answer, diag);
    for (int tries = 1; (err == FK_ERR_BUSY || err == FK_ERR_UNKNOWN) && tries < NEXT_TRIES; tries++) {
        fk_clock_pause_ms(runtime->options->clock, NEXT_PAUSE_MS);
        err = fk_http_client_call(runtime->client, &call, &runtime->arena, answer, diag);
    }
    return err == FK_OK ? read_next(answer, invocation, diag) : err;
}

/* X-Ray's convention: the environment has the trace of the invocation that runs. */
static void set_trace(const struct fk_invocation *invocation)
{
    char text[512];
    (void)snprintf(text, sizeof text, "%.*s", (int)invocation->trace_id.size,
                   invocation->trace_id.size == 0 ? "" : (const char *)invocation->trace_id.data);
    if (text[0] == '\0') {
        (void)unsetenv("_X_AMZN_TRACE_ID");
    } else {
        (void)setenv("_X_AMZN_TRACE_ID", text, 1);
    }
}

static enum fk_err serve_one(struct runtime *runtime, struct fk_diag *diag)
{
    struct fk_invocation invocation;
    struct fk_lambda_error error = {.type = "Function.Failed"};
    enum fk_err err = get_next(runtime, &invocation, diag);
    if (err != FK_OK) {
        return err;
    }
    if (runtime->options->sets_environment) {
        set_trace(&invocation);
    }
    fk_lambda_log_begin(&invocation);
    bool done = runtime->options->run(runtime->options->context, &invocation, &runtime->arena, &runtime->out, &error);
    if (done && runtime->out.failed) {
        fk_lambda_error_set(&error, "Function.OutOfMemory", "no memory for the answer");
        done = false;
    }
    err = done ? report_result(runtime, &invocation, diag) : report_error(runtime, &invocation, &error, diag);
    fk_lambda_log_end();
    return err;
}

enum fk_err fk_lambda_serve(const struct fk_lambda_options *options, struct fk_diag *diag)
{
    struct runtime runtime = {.options = options};
    enum fk_err err = connect_to(options->api, &runtime.client, diag);
    while (err == FK_OK) {
        err = serve_one(&runtime, diag);
        fk_buf_clear(&runtime.out);
        fk_arena_reset(&runtime.arena);
    }
    fk_http_client_free(runtime.client);
    fk_buf_deinit(&runtime.out);
    fk_arena_deinit(&runtime.arena);
    return err;
}
