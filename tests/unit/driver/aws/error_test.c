// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/error.h"

#include "driver/aws/retry.h"
#include "support/test.h"

static char code[FK_AWS_CODE_SIZE];
static char message[FK_AWS_MESSAGE_SIZE];

static void read_error(const char *body, const char *header, const char *value, int status)
{
    struct fk_http_answer answer = {.status = status, .body = fk_bytes_text(body)};
    if (header != NULL) {
        answer.headers[answer.header_count++] = (struct fk_http_header){fk_bytes_text(header), fk_bytes_text(value)};
    }
    fk_aws_error_read(&answer, code, message);
}

static void bodies_and_headers(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *header;
        const char *value;
        const char *code;
        const char *message;
    } rows[] = {
        {"{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\",\"message\":\"The "
         "conditional request failed\"}",
         NULL, NULL, "ConditionalCheckFailedException", "The conditional request failed"},
        {"{\"__type\":\"QueueDoesNotExist\",\"Message\":\"no\"}", "x-amzn-query-error",
         "AWS.SimpleQueueService.NonExistentQueue;Sender", "QueueDoesNotExist", "no"},
        {"{}", "X-Amzn-Query-Error", "AWS.SimpleQueueService.NonExistentQueue;Sender",
         "AWS.SimpleQueueService.NonExistentQueue", ""},
        {"{\"Message\":\"Function not found\",\"Type\":\"User\"}", "x-amzn-ErrorType",
         "ResourceNotFoundException:http://internal.amazon.com/coral/", "ResourceNotFoundException",
         "Function not found"},
        {"{\"code\":\"A\",\"errorMessage\":\"b\"}", NULL, NULL, "A", "b"},
        {"{\"message\":[1],\"__type\":{\"a\":\"b\"}}", NULL, NULL, "Http400", ""},
        {"{\"__type\":\"Cut", NULL, NULL, "Http400", ""},
        {"<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>The key &lt;&amp;&gt; &#x41; is not "
         "there.</Message><Token-0>secret</Token-0></Error>",
         NULL, NULL, "NoSuchKey", "The key <&> &#x41; is not there."},
        {"\n <ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>No updates are to be "
         "performed.</Message></Error></ErrorResponse>",
         NULL, NULL, "ValidationError", "No updates are to be performed."},
        {"<Error><Code>NoSuchKey", NULL, NULL, "Http400", ""},
        {"<Code></Code>", NULL, NULL, "Http400", ""},
        {"", NULL, NULL, "Http400", ""},
        {"not found", NULL, NULL, "Http400", ""},
        {"{\"__type\":\"SignatureDoesNotMatch\",\"message\":\"The signature does not match.\\n\\nThe Canonical String "
         "was\\nx-amz-security-token:secret\"}",
         NULL, NULL, "SignatureDoesNotMatch", "The signature does not match."},
        {"{\"__type\":\"A\",\"message\":\"a\\u001b[31m\\u00e9\"}", NULL, NULL, "A", "a?[31m\?\?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        read_error(rows[i].body, rows[i].header, rows[i].value, 400);
        assert_string_equal(code, rows[i].code);
        assert_string_equal(message, rows[i].message);
    }
}

static void what_is_long_is_cut(void **state)
{
    (void)state;
    char body[2048];
    char filling[1000];
    memset(filling, 'x', sizeof filling - 1);
    filling[sizeof filling - 1] = '\0';
    (void)snprintf(body, sizeof body, "{\"__type\":\"%s\",\"message\":\"%s\"}", filling, filling);
    read_error(body, NULL, NULL, 400);
    assert_int_equal(strlen(code), FK_AWS_CODE_SIZE - 1);
    assert_int_equal(strlen(message), FK_AWS_MESSAGE_SIZE - 1);
}

static void conflicts_of_transactions(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool is_conflict;
    } rows[] = {
        {"{\"CancellationReasons\":[{\"Code\":\"None\"},{\"Code\":\"TransactionConflict\",\"Message\":\"m\"}]}", true},
        {"{\"a\":[{}],\"CancellationReasons\":[{\"Code\":\"ThrottlingError\"},{\"Item\":{\"a\":{\"S\":\"b\"}},\"Code\":"
         "\"ProvisionedThroughputExceeded\"}]}",
         true},
        {"{\"CancellationReasons\":[{\"Code\":\"TransactionConflict\"},{\"Code\":\"ConditionalCheckFailed\"}]}", false},
        {"{\"CancellationReasons\":[{\"Code\":\"None\"}]}", false},
        {"{\"CancellationReasons\":[{\"Code\":\"TransactionConflict\"},{}]}", false},
        {"{\"CancellationReasons\":[]}", false},
        {"{\"CancellationReasons\":\"TransactionConflict\"}", false},
        {"{\"CancellationReasons\":[{\"Code\":\"TransactionConflict\"}]", false},
        {"{}", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(fk_aws_error_is_conflict(fk_bytes_text(rows[i].body)), rows[i].is_conflict);
    }
}

/* --- what follows from it --- */

static void verdicts(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *code;
        enum fk_aws_fate fate;
        enum fk_err err;
    } rows[] = {
        {200, "", FK_AWS_FINAL, FK_OK},
        {204, "", FK_AWS_FINAL, FK_OK},
        {400, "ConditionalCheckFailedException", FK_AWS_FINAL, FK_ERR_REFUSED},
        {400, "TransactionCanceledException", FK_AWS_FINAL, FK_ERR_REFUSED},
        {400, "TransactionConflictException", FK_AWS_CONFLICT, FK_ERR_BUSY},
        {400, "TransactionInProgressException", FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN},
        {400, "ProvisionedThroughputExceededException", FK_AWS_THROTTLED, FK_ERR_BUSY},
        {503, "SlowDown", FK_AWS_THROTTLED, FK_ERR_BUSY},
        {503, "ServiceUnavailable", FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN},
        {503, "Http503", FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN},
        {500, "InternalServerError", FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN},
        {502, "Http502", FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN},
        {429, "Http429", FK_AWS_THROTTLED, FK_ERR_BUSY},
        {404, "Http404", FK_AWS_FINAL, FK_ERR_NOT_FOUND},
        {400, "QueueDoesNotExist", FK_AWS_FINAL, FK_ERR_NOT_FOUND},
        {412, "PreconditionFailed", FK_AWS_FINAL, FK_ERR_REFUSED},
        {412, "Http412", FK_AWS_FINAL, FK_ERR_REFUSED},
        {304, "Http304", FK_AWS_FINAL, FK_ERR_REFUSED},
        {409, "ConditionalRequestConflict", FK_AWS_CONFLICT, FK_ERR_BUSY},
        {409, "Http409", FK_AWS_FINAL, FK_ERR_EXISTS},
        {400, "ValidationException", FK_AWS_FINAL, FK_ERR_INVALID},
        {301, "PermanentRedirect", FK_AWS_FINAL, FK_ERR_INVALID},
        {400, "ExpiredTokenException", FK_AWS_EXPIRED, FK_ERR_USAGE},
        {403, "RequestTimeTooSkewed", FK_AWS_SKEWED, FK_ERR_USAGE},
        {403, "AccessDenied", FK_AWS_FINAL, FK_ERR_USAGE},
        {403, "Http403", FK_AWS_FINAL, FK_ERR_USAGE},
        {400, "LimitExceededException", FK_AWS_FINAL, FK_ERR_FULL},
        {400, "ResourceInUseException", FK_AWS_FINAL, FK_ERR_EXISTS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fk_http_answer answer = {.status = rows[i].status};
        struct fk_aws_verdict verdict = fk_aws_judge(&answer, rows[i].code);
        assert_int_equal(verdict.fate, rows[i].fate);
        assert_int_equal(verdict.err, rows[i].err);
    }
    const struct fk_http_answer conflict = {
        .status = 400, .body = FK_BYTES_LITERAL("{\"CancellationReasons\":[{\"Code\":\"TransactionConflict\"}]}")};
    assert_int_equal(fk_aws_judge(&conflict, "TransactionCanceledException").fate, FK_AWS_CONFLICT);
}

/* Dice that always show the same number. */
static void fill_high(struct fk_random *random, uint8_t *bytes, size_t size)
{
    (void)random;
    uint32_t number = UINT32_MAX;
    memset(bytes, 0, size);
    memcpy(bytes, &number, size < sizeof number ? size : sizeof number);
}

static void pauses_grow_up_to_a_bound(void **state)
{
    (void)state;
    static const struct fk_random_ops ops = {.fill = fill_high};
    struct fk_random random = {.ops = &ops};
    struct fk_aws_retry retry;
    struct fk_aws_repeats repeats = {.attempts = 0};
    int64_t delay_ms = 0;
    fk_aws_retry_init(&retry);
    int64_t bound_ms = 50;
    for (int i = 1; i < 6; i++) {
        repeats.attempts = i;
        assert_true(fk_aws_retry_next(&retry, &repeats, FK_AWS_THROTTLED, 0, 5000, &random, &delay_ms));
        assert_true(delay_ms >= 0 && delay_ms <= bound_ms);
        bound_ms *= 2;
    }
    repeats.attempts = 6;
    assert_false(fk_aws_retry_next(&retry, &repeats, FK_AWS_THROTTLED, 0, 5000, &random, &delay_ms));
    repeats.attempts = 1;
    assert_true(fk_aws_retry_next(&retry, &repeats, FK_AWS_DOUBTFUL, 6000, 5000, &random, &delay_ms));
    assert_false(fk_aws_retry_next(&retry, &repeats, FK_AWS_DOUBTFUL, 6001, 5000, &random, &delay_ms));
}

static void a_budget_for_all_calls(void **state)
{
    (void)state;
    static const struct fk_random_ops ops = {.fill = fill_high};
    struct fk_random random = {.ops = &ops};
    struct fk_aws_retry retry;
    struct fk_aws_repeats repeats = {.attempts = 1};
    int64_t delay_ms = 0;
    int count = 0;
    fk_aws_retry_init(&retry);
    while (fk_aws_retry_next(&retry, &repeats, FK_AWS_DOUBTFUL, 0, 5000, &random, &delay_ms)) {
        count++;
    }
    assert_int_equal(count, 50);
    const struct fk_aws_repeats none = {.attempts = 1};
    for (int i = 0; i < 10; i++) {
        fk_aws_retry_succeeded(&retry, &none);
    }
    assert_true(fk_aws_retry_next(&retry, &repeats, FK_AWS_DOUBTFUL, 0, 5000, &random, &delay_ms));
    assert_false(fk_aws_retry_next(&retry, &repeats, FK_AWS_THROTTLED, 0, 5000, &random, &delay_ms));
    fk_aws_retry_succeeded(&retry, &repeats);
    fk_aws_retry_succeeded(&retry, &repeats);
    assert_int_equal(retry.tokens, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(bodies_and_headers), FK_TEST(what_is_long_is_cut),       FK_TEST(conflicts_of_transactions),
        FK_TEST(verdicts),           FK_TEST(pauses_grow_up_to_a_bound), FK_TEST(a_budget_for_all_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
