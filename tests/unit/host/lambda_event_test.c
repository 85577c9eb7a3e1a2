// SPDX-License-Identifier: Apache-2.0
/* Events of queues, and the answers to them. */
#include "host/lambda_event.h"

#include "base/limits.h"
#include "support/test.h"

#define RECORD(id, body, group)                                                                                        \
    "{\"messageId\":\"" id "\",\"receiptHandle\":\"h\",\"body\":\"" body "\",\"attributes\":{\"SequenceNumber\":"      \
    "\"18849496460467696128\",\"MessageGroupId\":\"" group "\",\"ApproximateReceiveCount\":\"1\"},"                    \
    "\"messageAttributes\":{},\"eventSource\":\"aws:sqs\",\"awsRegion\":\"us-east-1\"}"

static struct fk_arena arena;
static struct fk_lambda_batch batch;
static struct fk_diag diag;

static int setup(void **state)
{
    arena = FK_ARENA_EMPTY;
    diag.text[0] = '\0';
    return fk_test_begin(state);
}

static int teardown(void **state)
{
    fk_arena_deinit(&arena);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static enum fk_err read_event(const char *event)
{
    return fk_lambda_batch_read(fk_bytes_text(event), &arena, &batch, &diag);
}

static void a_batch_is_read_in_order(void **state)
{
    (void)state;
    const char *event = "{\"Records\":[" RECORD("a-1", "AQI=", "7") "," RECORD("a-2", "", "8") "]}";
    assert_int_equal(read_event(event), FK_OK);
    assert_int_equal(batch.count, 2);
    fk_assert_text(batch.messages[0].id, "a-1");
    fk_assert_text(batch.messages[0].group, "7");
    fk_assert_bytes(batch.messages[0].body, FK_BYTES_LITERAL("\1\2"));
    fk_assert_text(batch.messages[1].group, "8");
    assert_int_equal(batch.messages[1].body.size, 0);
    assert_false(batch.messages[1].failed);
}

static void an_event_without_messages_is_one(void **state)
{
    (void)state;
    assert_int_equal(read_event("{\"Records\":[]}"), FK_OK);
    assert_int_equal(batch.count, 0);
}

static void a_queue_without_groups_has_one_of_no_name(void **state)
{
    (void)state;
    assert_int_equal(read_event("{\"Records\":[{\"messageId\":\"m\",\"body\":\"AA==\"}]}"), FK_OK);
    fk_assert_text(batch.messages[0].group, "");
}

static void escapes_are_resolved(void **state)
{
    (void)state;
    assert_int_equal(read_event("{\"Records\":[" RECORD("\\u0061", "\\/\\/8=", "g") "]}"), FK_OK);
    fk_assert_text(batch.messages[0].id, "a");
    fk_assert_bytes(batch.messages[0].body, FK_BYTES_LITERAL("\xff\xff"));
}

static void a_body_that_is_no_base64_is_an_empty_message(void **state)
{
    (void)state;
    assert_int_equal(read_event("{\"Records\":[" RECORD("m", "hello, world", "g") "]}"), FK_OK);
    assert_int_equal(batch.count, 1);
    assert_int_equal(batch.messages[0].body.size, 0);
    assert_non_null(batch.messages[0].body.data);
}

static void what_is_no_event_of_a_queue_is_told(void **state)
{
    static const struct {
        const char *event;
        const char *told;
    } rows[] = {
        {"", "no JSON"},
        {"{\"Records\":[", "no JSON"},
        {"{\"Records\":[]} x", "no JSON"},
        {"[]", "Records"},
        {"null", "no JSON"},
        {"{}", "no list Records"},
        {"{\"Records\":{}}", "no list Records"},
        {"{\"Records\":[7]}", "Records[0] has no messageId"},
        {"{\"Records\":[{\"body\":\"\"}]}", "Records[0] has no messageId"},
        {"{\"Records\":[{\"messageId\":7,\"body\":\"\"}]}", "Records[0] has no messageId"},
        {"{\"Records\":[" RECORD("m", "", "g") ",{\"messageId\":\"n\"}]}", "Records[1] has no body"},
        {"{\"Records\":[{\"messageId\":\"n\",\"body\":{}}]}", "Records[0] has no body"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        diag.text[0] = '\0';
        assert_int_equal(read_event(rows[i].event), FK_ERR_MALFORMED);
        assert_int_equal(batch.count, 0);
        if (strstr(diag.text, rows[i].told) == NULL) {
            fail_msg("'%s' tells '%s'", rows[i].event, diag.text);
        }
    }
}

static void too_many_records_are_refused(void **state)
{
    struct fk_buf event = FK_BUF_EMPTY;
    (void)state;
    fk_buf_print(&event, "{\"Records\":[{}");
    for (int i = 0; i < FK_LAMBDA_RECORDS_MAX; i++) {
        fk_buf_print(&event, ",{}");
    }
    fk_buf_print(&event, "]}");
    assert_int_equal(fk_lambda_batch_read(fk_buf_view(&event), &arena, &batch, &diag), FK_ERR_TOO_LARGE);
    fk_buf_deinit(&event);
}

static void assert_failures(const char *expected)
{
    struct fk_buf out = FK_BUF_EMPTY;
    fk_lambda_batch_write_failures(&batch, &out);
    assert_false(out.failed);
    fk_assert_text(fk_buf_view(&out), expected);
    fk_buf_deinit(&out);
}

static void what_failed_is_named(void **state)
{
    (void)state;
    const char *event = "{\"Records\":[" RECORD("a", "", "7") "," RECORD("b", "", "7") "," RECORD("c", "", "7") "]}";
    assert_int_equal(read_event(event), FK_OK);
    assert_failures("{\"batchItemFailures\":[]}");
    batch.messages[1].failed = true;
    batch.messages[2].failed = true;
    assert_failures("{\"batchItemFailures\":[{\"itemIdentifier\":\"b\"},{\"itemIdentifier\":\"c\"}]}");
}

static void without_memory_it_says_so(void **state)
{
    uint64_t nth = 1;
    (void)state;
    do {
        fk_test_fail_alloc(nth++);
        enum fk_err err = read_event("{\"Records\":[" RECORD("m", "AQI=", "g") "]}");
        assert_true(err == FK_OK || err == FK_ERR_NOMEM);
        assert_true(err == FK_OK || fk_test_alloc_failed());
        fk_arena_deinit(&arena);
    } while (fk_test_alloc_failed());
    fk_test_fail_alloc(0);
}

static const struct CMUnitTest tests[] = {
    ROW(a_batch_is_read_in_order),
    ROW(an_event_without_messages_is_one),
    ROW(a_queue_without_groups_has_one_of_no_name),
    ROW(escapes_are_resolved),
    ROW(a_body_that_is_no_base64_is_an_empty_message),
    ROW(what_is_no_event_of_a_queue_is_told),
    ROW(too_many_records_are_refused),
    ROW(what_failed_is_named),
    ROW(without_memory_it_says_so),
};

FK_TEST_MAIN(tests)
