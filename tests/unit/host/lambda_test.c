// SPDX-License-Identifier: Apache-2.0
/* The loop of the runtime API against a runtime that says what the test tells it: as AWS (keep-alive, chunked), and as
 * emulators (HTTP/1.0 to the end of the connection). */
#include "host/lambda.h"

#include "driver/memory/clock.h"
#include "http/script.h"
#include "support/test.h"

#include <stdlib.h>

#define HEADERS(id)                                                                                                    \
    "Lambda-Runtime-Aws-Request-Id: " id "\r\nLambda-Runtime-Deadline-Ms: 1700000000123\r\n"                           \
    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:x\r\nLambda-Runtime-Trace-Id: Root=1-2;Sampled=1\r\n"
#define NEXT(id) "HTTP/1.1 200 OK\r\n" HEADERS(id) "Content-Length: 2\r\n\r\n{}"
#define ACCEPTED "HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n{\"status\":\"OK\"}\n"
#define END      "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
#define STEP(text)                                                                                                     \
    {                                                                                                                  \
        .answer = (text), .end = SCRIPT_KEEP                                                                           \
    }
#define LAST(text)                                                                                                     \
    {                                                                                                                  \
        .answer = (text), .end = SCRIPT_CLOSE                                                                          \
    }
#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))

/* What the function saw and does. */
static struct {
    size_t count;
    char request_id[64];
    char arn[64];
    char trace_id[64];
    char event[64];
    char trace_set[64];
    int64_t deadline_ms;
    bool fails;
} seen;

static struct fk_diag diag;

static void keep(char *out, size_t size, struct fk_bytes text)
{
    (void)snprintf(out, size, "%.*s", (int)text.size, text.size == 0 ? "" : (const char *)text.data);
}

static bool run(void *context, const struct fk_invocation *invocation, struct fk_arena *arena, struct fk_buf *out,
                struct fk_lambda_error *error)
{
    const char *trace = getenv("_X_AMZN_TRACE_ID");
    (void)context;
    (void)arena;
    seen.count++;
    keep(seen.request_id, sizeof seen.request_id, invocation->request_id);
    keep(seen.arn, sizeof seen.arn, invocation->arn);
    keep(seen.trace_id, sizeof seen.trace_id, invocation->trace_id);
    keep(seen.event, sizeof seen.event, invocation->event);
    keep(seen.trace_set, sizeof seen.trace_set, fk_bytes_text(trace == NULL ? "" : trace));
    seen.deadline_ms = invocation->deadline_ms;
    if (seen.fails) {
        fk_lambda_error_set(error, "Event.Malformed", "no \"%s\"\n", "Records");
        return false;
    }
    fk_buf_print(out, "{\"n\":%zu}", seen.count);
    return true;
}

static int setup(void **state)
{
    memset(&seen, 0, sizeof seen);
    diag.text[0] = '\0';
    return fk_test_begin(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, fk_test_end)

/* Serves until the script ends it. */
static enum fk_err serve(const struct script_step *steps, size_t count)
{
    char api[32];
    struct fk_memory_clock clock;
    fk_memory_clock_init(&clock, 0);
    (void)snprintf(api, sizeof api, "127.0.0.1:%u", script_start(steps, count, NULL));
    struct fk_lambda_options options = {.api = api, .clock = &clock.base, .run = run, .sets_environment = true};
    enum fk_err err = fk_lambda_serve(&options, &diag);
    script_stop();
    return err;
}

static void invocations_come_and_answers_go(void **state)
{
    static const struct script_step steps[] = {STEP(NEXT("8476a536-e9f4-11e8-9739-2dfe598c3fcd")), STEP(ACCEPTED),
                                               STEP(NEXT("second")), STEP(ACCEPTED), STEP(END)};
    (void)state;
    assert_int_equal(serve(steps, COUNT(steps)), FK_ERR_IO);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.request_id, "second");
    assert_string_equal(seen.arn, "arn:aws:lambda:x");
    assert_string_equal(seen.trace_id, "Root=1-2;Sampled=1");
    assert_string_equal(seen.trace_set, "Root=1-2;Sampled=1");
    assert_string_equal(seen.event, "{}");
    assert_int_equal(seen.deadline_ms, 1700000000123);
    assert_true(script_request_has(0, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"));
    assert_true(script_request_has(
        1, "POST /2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response HTTP/1.1\r\n"));
    assert_true(script_request_has(1, "\r\n\r\n{\"n\":1}"));
    assert_true(script_request_has(3, "/invocation/second/response "));
    assert_int_equal(script_connections(), 1);
    assert_non_null(strstr(diag.text, "500"));
}

static void http_1_0_to_the_end_of_the_connection(void **state)
{
    static const struct script_step steps[] = {LAST("HTTP/1.0 200 OK\r\n" HEADERS("a") "\r\n{\"x\":1}"),
                                               LAST("HTTP/1.0 202 Accepted\r\n\r\n"),
                                               LAST("HTTP/1.0 410 Gone\r\nContent-Length: 0\r\n\r\n")};
    (void)state;
    assert_int_equal(serve(steps, COUNT(steps)), FK_ERR_IO);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.event, "{\"x\":1}");
    assert_int_equal(script_connections(), 3);
}

static void chunked(void **state)
{
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\n" HEADERS("a") "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"y\r\n5;a=b\r\n"
                                                      "\":22}\r\n0\r\nX-Trailer: 1\r\n\r\n",
         .end = SCRIPT_KEEP,
         .in_bytes = true},
        STEP(ACCEPTED),
        STEP(END)};
    (void)state;
    assert_int_equal(serve(steps, COUNT(steps)), FK_ERR_IO);
    assert_string_equal(seen.event, "{\"y\":22}");
}

static void what_fails_is_reported_with_its_type(void **state)
{
    static const struct script_step steps[] = {STEP(NEXT("a")), STEP(ACCEPTED), STEP(END)};
    (void)state;
    seen.fails = true;
    assert_int_equal(serve(steps, COUNT(steps)), FK_ERR_IO);
    assert_true(script_request_has(1, "POST /2018-06-01/runtime/invocation/a/error HTTP/1.1\r\n"));
    assert_true(script_request_has(1, "Lambda-Runtime-Function-Error-Type: Event.Malformed\r\n"));
    assert_true(script_request_has(1, "{\"errorMessage\":\"no \\\"Records\\\"\\n\",\"errorType\":\"Event.Malformed\","
                                      "\"stackTrace\":[]}"));
}

static void an_answer_that_is_not_taken_is_not_the_end(void **state)
{
    static const struct script_step steps[] = {
        STEP(NEXT("a")), STEP("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        STEP(NEXT("b")), STEP("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"),
        STEP(ACCEPTED),  STEP(END)};
    (void)state;
    assert_int_equal(serve(steps, COUNT(steps)), FK_ERR_IO);
    assert_int_equal(seen.count, 2);
    assert_true(script_request_has(4, "/invocation/b/error "));
    assert_true(script_request_has(4, "Function.ResponseSizeTooLarge"));
}

static void a_runtime_that_closes_its_connections_is_asked_again(void **state)
{
    static const struct script_step steps[] = {STEP(NEXT("a")), LAST(ACCEPTED), {.answer = NULL},
                                               STEP(NEXT("b")), STEP(ACCEPTED), STEP(END)};
    (void)state;
    assert_int_equal(serve(steps, COUNT(steps)), FK_ERR_IO);
    assert_int_equal(seen.count, 2);
}

static void without_an_id_nothing_is_run(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: \r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: ../x\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: a b\r\nContent-Length: 2\r\n\r\n{}"};
    (void)state;
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct script_step step = STEP(answers[i]);
        assert_int_equal(serve(&step, 1), FK_ERR_MALFORMED);
        assert_int_equal(seen.count, 0);
    }
}

static void odd_deadlines_are_none(void **state)
{
    static const char *const texts[] = {"", "soon", "-1", "99999999999999999999", "1e3"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        char answer[256];
        (void)snprintf(answer, sizeof answer,
                       "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: a\r\nLambda-Runtime-Deadline-Ms: %s\r\n"
                       "Content-Length: 2\r\n\r\n{}",
                       texts[i]);
        struct script_step steps[] = {STEP(answer), STEP(ACCEPTED), STEP(END)};
        seen.deadline_ms = 7;
        assert_int_equal(serve(steps, COUNT(steps)), FK_ERR_IO);
        assert_int_equal(seen.deadline_ms, 0);
        assert_string_equal(seen.trace_set, "");
    }
}

static void a_start_that_failed_is_told(void **state)
{
    static const struct script_step steps[] = {STEP(ACCEPTED)};
    char api[32];
    struct fk_lambda_error error;
    (void)state;
    fk_lambda_error_set(&error, "Config.Invalid", "FK_TABLE is not set");
    (void)snprintf(api, sizeof api, "127.0.0.1:%u", script_start(steps, 1, NULL));
    assert_int_equal(fk_lambda_init_error(api, &error, &diag), FK_OK);
    script_stop();
    assert_true(script_request_has(0, "POST /2018-06-01/runtime/init/error HTTP/1.1\r\n"));
    assert_true(script_request_has(0, "Lambda-Runtime-Function-Error-Type: Config.Invalid\r\n"));
    assert_true(script_request_has(0, "{\"errorMessage\":\"FK_TABLE is not set\",\"errorType\":\"Config.Invalid\","));
}

static void an_address_that_is_none_is_told(void **state)
{
    static const char *const addresses[] = {"", "host", ":80", "host:", "host:0", "host:65536", "host:8x", "host:+8"};
    struct fk_memory_clock clock;
    (void)state;
    fk_memory_clock_init(&clock, 0);
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct fk_lambda_options options = {.api = addresses[i], .clock = &clock.base, .run = run};
        diag.text[0] = '\0';
        assert_int_equal(fk_lambda_serve(&options, &diag), FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, "AWS_LAMBDA_RUNTIME_API"));
    }
}

static void a_runtime_that_is_not_there_ends_it(void **state)
{
    char api[32];
    struct fk_memory_clock clock;
    (void)state;
    fk_memory_clock_init(&clock, 0);
    (void)snprintf(api, sizeof api, "127.0.0.1:%u", script_start(NULL, 0, NULL));
    script_stop();
    struct fk_lambda_options options = {.api = api, .clock = &clock.base, .run = run};
    assert_int_equal(fk_lambda_serve(&options, &diag), FK_ERR_BUSY);
    assert_true(clock.monotonic_ns > 0); /* it was tried more than once */
}

static const struct CMUnitTest tests[] = {
    ROW(invocations_come_and_answers_go),
    ROW(http_1_0_to_the_end_of_the_connection),
    ROW(chunked),
    ROW(what_fails_is_reported_with_its_type),
    ROW(an_answer_that_is_not_taken_is_not_the_end),
    ROW(a_runtime_that_closes_its_connections_is_asked_again),
    ROW(without_an_id_nothing_is_run),
    ROW(odd_deadlines_are_none),
    ROW(a_start_that_failed_is_told),
    ROW(an_address_that_is_none_is_told),
    ROW(a_runtime_that_is_not_there_ends_it),
};

FK_TEST_MAIN(tests)
