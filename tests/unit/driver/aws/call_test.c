// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/aws.h"

#include "driver/aws/settings.h"
#include "driver/memory/clock.h"
#include "env.h"
#include "http/script.h"
#include "support/test.h"

static const int64_t now_ms = INT64_C(1795960800000); /* 2026-11-29T14:00:00Z */

static struct fk_memory_clock clock_of_test;
static struct fk_memory_random random_of_test;
static struct fk_aws_settings *settings;
static struct fk_aws *aws;
static struct fk_arena arena;
static struct fk_aws_reply reply;

static void begin(const struct script_step *steps, size_t count)
{
    static const char *const pairs[] = {"AWS_REGION",
                                        "eu-west-1",
                                        "AWS_ACCESS_KEY_ID",
                                        "AKID",
                                        "AWS_SESSION_TOKEN",
                                        "hush-token",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "hush-secret",
                                        "AWS_CA_BUNDLE",
                                        "/dev/null",
                                        NULL};
    struct fk_diag diag;
    env_set(pairs);
    env_print("AWS_ENDPOINT_URL", "http://127.0.0.1:%u", script_start(steps, count, NULL));
    fk_memory_clock_init(&clock_of_test, now_ms);
    fk_memory_random_init(&random_of_test, 1);
    assert_int_equal(fk_aws_settings_new(&clock_of_test.base, NULL, &settings, &diag), FK_OK);
    aws = fk_aws_new(settings, &clock_of_test.base, &random_of_test.base);
    assert_non_null(aws);
}

static void release(void)
{
    assert_null(strstr(fk_aws_diag(aws), "hush"));
    fk_aws_free(aws);
    fk_aws_settings_free(settings);
    fk_arena_deinit(&arena);
}

static void finish(void)
{
    release();
    script_stop();
}

static enum fk_err get_item(bool idempotent)
{
    const struct fk_aws_call call = {.service = FK_AWS_DYNAMODB,
                                     .method = "POST",
                                     .target = FK_BYTES_LITERAL("/"),
                                     .action = "DynamoDB_20120810.GetItem",
                                     .body = FK_BYTES_LITERAL("{}"),
                                     .idempotent = idempotent,
                                     .timeout_ms = 2000};
    return fk_aws_call(aws, &call, &arena, &reply);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

/* A JSON error with this code and further headers. */
static const char *json_error(char *text, size_t size, int status, const char *code, const char *more)
{
    char body[256];
    int body_size = snprintf(body, sizeof body, "{\"__type\":\"a.b#%s\",\"message\":\"why\"}", code);
    (void)snprintf(text, size, "HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s", status, more, body_size, body);
    return text;
}

static void a_signed_call(void **state)
{
    (void)state;
    static const struct script_step steps[] = {{.answer = OK_ANSWER}};
    begin(steps, 1);
    assert_int_equal(get_item(false), FK_OK);
    assert_int_equal(reply.http.status, 200);
    fk_assert_text(reply.http.body, "{}");
    assert_string_equal(reply.error, "");
    assert_false(reply.repeated);
    assert_true(script_request_has(0, "POST / HTTP/1.1\r\nHost: 127.0.0.1:"));
    assert_true(script_request_has(0, "\r\nX-Amz-Date: 20261129T140000Z\r\n"));
    assert_true(script_request_has(0, "\r\nX-Amz-Security-Token: hush-token\r\n"));
    assert_true(script_request_has(0, "\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n"));
    assert_true(script_request_has(0, "\r\nContent-Type: application/x-amz-json-1.0\r\n"));
    assert_true(script_request_has(0, "\r\nX-Amz-Content-Sha256: "
                                      "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\r\n"));
    assert_true(script_request_has(
        0, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKID/20261129/eu-west-1/dynamodb/aws4_request, "
           "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amz-target, "
           "Signature="));
    assert_null(strstr(script_request(0), "hush-secret"));
    finish();
}

static void throttled_until_it_works(void **state)
{
    (void)state;
    char text[512];
    const char *throttled = json_error(text, sizeof text, 400, "ProvisionedThroughputExceededException", "");
    const struct script_step steps[] = {{.answer = throttled}, {.answer = throttled}, {.answer = OK_ANSWER}};
    begin(steps, 3);
    assert_int_equal(get_item(false), FK_OK);
    assert_false(reply.repeated);
    assert_int_equal(script_connections(), 1);
    assert_true(clock_of_test.wall_ms >= now_ms && clock_of_test.wall_ms <= now_ms + 150);
    finish();
}

static void throttled_for_good(void **state)
{
    (void)state;
    char text[512];
    const char *throttled = json_error(text, sizeof text, 400, "ThrottlingException", "");
    struct script_step steps[6];
    for (size_t i = 0; i < 6; i++) {
        steps[i] = (struct script_step){.answer = throttled};
    }
    begin(steps, 6);
    assert_int_equal(get_item(false), FK_ERR_BUSY);
    assert_string_equal(reply.error, "ThrottlingException");
    assert_string_equal(reply.message, "why");
    assert_non_null(strstr(fk_aws_diag(aws), "ThrottlingException (status 400): why"));
    finish();
}

static void refusals_are_not_repeated(void **state)
{
    (void)state;
    char texts[3][512];
    const struct script_step steps[] = {
        {.answer = json_error(texts[0], sizeof texts[0], 400, "ConditionalCheckFailedException", "")},
        {.answer = json_error(texts[1], sizeof texts[1], 400, "ResourceNotFoundException", "")},
        {.answer = json_error(texts[2], sizeof texts[2], 400, "AccessDeniedException", "")},
    };
    begin(steps, 3);
    assert_int_equal(get_item(true), FK_ERR_REFUSED);
    assert_int_equal(get_item(true), FK_ERR_NOT_FOUND);
    assert_int_equal(get_item(true), FK_ERR_USAGE);
    assert_int_equal(script_connections(), 1);
    finish();
}

static void answers_that_are_lost(void **state)
{
    (void)state;
    char texts[2][512];
    const struct script_step steps[] = {
        {.answer = NULL},
        {.answer = json_error(texts[0], sizeof texts[0], 500, "InternalServerError", "")},
        /* idempotent: */
        {.answer = NULL},
        {.answer = json_error(texts[0], sizeof texts[0], 500, "InternalServerError", "")},
        {.answer = OK_ANSWER},
        /* and the condition fails because of the first attempt: */
        {.answer = NULL},
        {.answer = json_error(texts[1], sizeof texts[1], 400, "ConditionalCheckFailedException", "")},
    };
    begin(steps, 7);
    assert_int_equal(get_item(false), FK_ERR_UNKNOWN);
    assert_string_equal(reply.error, "");
    assert_int_equal(get_item(false), FK_ERR_UNKNOWN);
    assert_string_equal(reply.error, "InternalServerError");
    assert_int_equal(get_item(true), FK_OK);
    assert_true(reply.repeated);
    assert_int_equal(get_item(true), FK_ERR_REFUSED);
    assert_true(reply.repeated);
    finish();
}

/* The last attempts say that nothing of them was applied: of the first one nobody knows. */
static void lost_and_then_throttled(void **state)
{
    (void)state;
    char text[512];
    struct script_step steps[6];
    for (size_t i = 0; i < 6; i++) {
        steps[i] = (struct script_step){
            .answer = i == 0 ? NULL : json_error(text, sizeof text, 400, "ThrottlingException", "")};
    }
    begin(steps, 6);
    assert_int_equal(get_item(true), FK_ERR_UNKNOWN);
    assert_true(reply.repeated);
    finish();
}

static void nobody_answers(void **state)
{
    (void)state;
    begin(NULL, 0);
    script_stop();
    assert_int_equal(get_item(true), FK_ERR_BUSY);
    assert_false(reply.repeated);
    assert_non_null(strstr(fk_aws_diag(aws), "Connection refused"));
    release();
}

static void a_clock_that_is_wrong(void **state)
{
    (void)state;
    char texts[2][512];
    const struct script_step steps[] = {
        {.answer = json_error(texts[0], sizeof texts[0], 400, "InvalidSignatureException",
                              "Date: Sun, 29 Nov 2026 15:00:00 GMT\r\n")},
        {.answer = OK_ANSWER},
        {.answer = OK_ANSWER},
        /* The clocks agree now: it is the key that is wrong. */
        {.answer = json_error(texts[0], sizeof texts[0], 400, "InvalidSignatureException",
                              "Date: Sun, 29 Nov 2026 15:00:00 GMT\r\n")},
    };
    begin(steps, 4);
    assert_int_equal(get_item(false), FK_OK);
    assert_true(script_request_has(1, "\r\nX-Amz-Date: 20261129T150000Z\r\n"));
    assert_int_equal(get_item(false), FK_OK);
    assert_true(script_request_has(2, "\r\nX-Amz-Date: 20261129T150000Z\r\n"));
    assert_int_equal(get_item(false), FK_ERR_USAGE);
    finish();
}

static void credentials_that_have_expired(void **state)
{
    (void)state;
    char text[512];
    const char *expired = json_error(text, sizeof text, 400, "ExpiredTokenException", "");
    const struct script_step steps[] = {
        {.answer = expired}, {.answer = OK_ANSWER}, {.answer = expired}, {.answer = expired}};
    begin(steps, 4);
    assert_int_equal(get_item(false), FK_OK);
    assert_int_equal(get_item(false), FK_ERR_USAGE);
    finish();
}

static void s3_at_an_endpoint_of_ones_own(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 62\r\n\r\n<Error><Code>NoSuchKey</Code>"
                   "<Message>none</Message></Error>  "},
    };
    static const struct fk_http_header header = {FK_BYTES_LITERAL("If-None-Match"), FK_BYTES_LITERAL("*")};
    begin(steps, 1);
    const struct fk_aws_call call = {.service = FK_AWS_S3,
                                     .method = "PUT",
                                     .target = FK_BYTES_LITERAL("/bucket/a%20b"),
                                     .headers = &header,
                                     .header_count = 1,
                                     .body = FK_BYTES_LITERAL("x")};
    assert_int_equal(fk_aws_call(aws, &call, &arena, &reply), FK_ERR_NOT_FOUND);
    assert_string_equal(reply.error, "NoSuchKey");
    assert_true(script_request_has(0, "PUT /bucket/a%20b HTTP/1.1\r\nHost: 127.0.0.1:"));
    assert_true(script_request_has(0, "SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date;"));
    finish();
}

static void calls_that_are_none(void **state)
{
    (void)state;
    static struct fk_http_header headers[FK_HTTP_HEADERS_MAX];
    begin(NULL, 0);
    struct fk_aws_call call = {.service = FK_AWS_SQS, .method = "POST"};
    assert_int_equal(fk_aws_call(aws, &call, &arena, &reply), FK_ERR_INVALID);
    call.target = FK_BYTES_LITERAL("/");
    call.headers = headers;
    call.header_count = FK_HTTP_HEADERS_MAX;
    assert_int_equal(fk_aws_call(aws, &call, &arena, &reply), FK_ERR_INVALID);
    finish();
}

static void without_memory(void **state)
{
    (void)state;
    struct script_step steps[32];
    for (size_t i = 0; i < 32; i++) {
        steps[i] = (struct script_step){.answer = OK_ANSWER};
    }
    begin(steps, 32);
    uint64_t nth = 1;
    do {
        fk_aws_free(aws);
        fk_arena_deinit(&arena);
        aws = fk_aws_new(settings, &clock_of_test.base, &random_of_test.base);
        fk_test_fail_alloc(nth++);
        enum fk_err err = get_item(false);
        if (fk_test_alloc_failed()) {
            assert_true(err == FK_ERR_NOMEM || err == FK_ERR_USAGE || err == FK_ERR_UNKNOWN);
        } else {
            assert_int_equal(err, FK_OK);
        }
    } while (fk_test_alloc_failed() && nth < 32);
    assert_true(nth > 5 && nth < 32);
    fk_test_fail_alloc(0);
    release();
    script_abandon();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(a_signed_call),
        FK_TEST(throttled_until_it_works),
        FK_TEST(throttled_for_good),
        FK_TEST(refusals_are_not_repeated),
        FK_TEST(answers_that_are_lost),
        FK_TEST(lost_and_then_throttled),
        FK_TEST(nobody_answers),
        FK_TEST(a_clock_that_is_wrong),
        FK_TEST(credentials_that_have_expired),
        FK_TEST(s3_at_an_endpoint_of_ones_own),
        FK_TEST(calls_that_are_none),
        FK_TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
