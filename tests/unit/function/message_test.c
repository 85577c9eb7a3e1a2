// SPDX-License-Identifier: Apache-2.0
#include "function/message.h"

#include "base/limits.h"
#include "support/test.h"

static void random_request_messages_come_back(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_buf buf = FK_BUF_EMPTY;
    for (int round = 0; round < 200; round++) {
        uint8_t bytes[64];
        fk_prng_fill(&prng, bytes, sizeof bytes);
        struct fk_request_message sent = {.gateway = fk_prng_i64(&prng),
                                          .session_id = fk_prng_i64(&prng),
                                          .epoch = fk_prng_i64(&prng),
                                          .first_number = fk_prng_i64(&prng),
                                          .taken = fk_prng_i64(&prng),
                                          .ids = fk_bytes_of(bytes, (size_t)fk_prng_below(&prng, 64))};
        struct fk_request_operation operations[5];
        int32_t count = (int32_t)fk_prng_below(&prng, 6);
        fk_buf_clear(&buf);
        fk_request_message_begin(&buf, &sent);
        for (int32_t i = 0; i < count; i++) {
            bool null = fk_prng_chance(&prng, 20);
            operations[i].op = fk_prng_i32(&prng);
            operations[i].body = null ? FK_BYTES_NULL : fk_bytes_of(bytes, (size_t)fk_prng_below(&prng, 64));
            fk_request_message_add(&buf, &operations[i]);
        }
        struct fk_reader reader = fk_reader_of(fk_buf_view(&buf));
        struct fk_request_message got;
        assert_int_equal(fk_request_message_read(&reader, &got), FK_OK);
        assert_int_equal(got.gateway, sent.gateway);
        assert_int_equal(got.session_id, sent.session_id);
        assert_int_equal(got.epoch, sent.epoch);
        assert_int_equal(got.first_number, sent.first_number);
        assert_int_equal(got.taken, sent.taken);
        assert_int_equal(got.count, count);
        fk_assert_bytes(got.ids, sent.ids);
        for (int32_t i = 0; i < count; i++) {
            struct fk_request_operation operation;
            assert_int_equal(fk_request_message_next(&reader, &operation), FK_OK);
            assert_int_equal(operation.op, operations[i].op);
            fk_assert_bytes(operation.body, operations[i].body);
        }
        assert_int_equal(reader.left, 0);
    }
    fk_buf_deinit(&buf);
}

static void build_request(struct fk_buf *buf)
{
    fk_request_message_begin(
        buf, &(struct fk_request_message){
                 .gateway = 1, .session_id = 2, .epoch = 3, .first_number = 4, .ids = FK_BYTES_LITERAL("ids")});
    fk_request_message_add(buf, &(struct fk_request_operation){.op = 1, .body = FK_BYTES_LITERAL("one")});
    fk_request_message_add(buf, &(struct fk_request_operation){.op = 2, .body = FK_BYTES_NULL});
}

/* Reads as the writer does: the front, then as many operations as it announces. */
static enum fk_err read_all(struct fk_bytes bytes)
{
    struct fk_reader reader = fk_reader_of(bytes);
    struct fk_request_message message;
    struct fk_request_operation operation;
    enum fk_err err = fk_request_message_read(&reader, &message);
    for (int32_t i = 0; err == FK_OK && i < message.count; i++) {
        err = fk_request_message_next(&reader, &operation);
    }
    return err;
}

static void each_truncation_of_a_request_is_malformed(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_guard guard;
    build_request(&buf);
    fk_guard_init(&guard, buf.size);
    for (size_t size = 0; size < buf.size; size++) {
        assert_int_equal(read_all(fk_guard_copy(&guard, fk_bytes_head(fk_buf_view(&buf), size))), FK_ERR_MALFORMED);
    }
    assert_int_equal(read_all(fk_guard_copy(&guard, fk_buf_view(&buf))), FK_OK);
    fk_guard_deinit(&guard);
    fk_buf_deinit(&buf);
}

static void counts_that_lie(void **state)
{
    (void)state;
    enum {
        COUNT_OFFSET = 36,
    };
    static const int32_t counts[] = {-1, -2, INT32_MIN, INT32_MAX, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        build_request(&buf);
        assert_int_equal(fk_load_u32(buf.data + COUNT_OFFSET), 2);
        fk_patch_i32(&buf, COUNT_OFFSET, counts[i]);
        assert_int_equal(read_all(fk_buf_view(&buf)), FK_ERR_MALFORMED);
        fk_buf_deinit(&buf);
    }
}

static void another_format_is_another_version(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_answer_message answer;
    build_request(&buf);
    fk_patch_i32(&buf, 0, FK_MESSAGE_FORMAT_NEWEST + 1);
    assert_int_equal(read_all(fk_buf_view(&buf)), FK_ERR_VERSION);
    fk_patch_i32(&buf, 0, 0);
    assert_int_equal(read_all(fk_buf_view(&buf)), FK_ERR_VERSION);
    fk_buf_clear(&buf);
    fk_answer_message_write(&buf, &(struct fk_answer_message){.number = 1});
    fk_patch_i32(&buf, 0, FK_MESSAGE_FORMAT_NEWEST + 1);
    assert_int_equal(fk_answer_message_read(fk_buf_view(&buf), &answer), FK_ERR_VERSION);
    fk_buf_deinit(&buf);
}

/* As gateways sent them before they said what they had taken. */
static void a_request_of_the_first_format(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_request_message got;
    struct fk_request_operation operation;
    fk_test_unhex(&buf, "00000001 0000000000000001 0000000000000002 0000000000000003 0000000000000004 00000001 00000003"
                        "696473 0000000b ffffffff");
    struct fk_reader reader = fk_reader_of(fk_buf_view(&buf));
    assert_int_equal(fk_request_message_read(&reader, &got), FK_OK);
    assert_int_equal(got.first_number, 4);
    assert_int_equal(got.taken, 0);
    assert_int_equal(fk_request_message_next(&reader, &operation), FK_OK);
    assert_int_equal(operation.op, 11);
    assert_int_equal(reader.left, 0);
    fk_buf_deinit(&buf);
}

static void random_answers_come_back(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_buf buf = FK_BUF_EMPTY;
    for (int round = 0; round < 200; round++) {
        uint8_t bytes[64];
        fk_prng_fill(&prng, bytes, sizeof bytes);
        bool null = fk_prng_chance(&prng, 20);
        struct fk_answer_message sent = {.session_id = fk_prng_i64(&prng),
                                         .epoch = fk_prng_i64(&prng),
                                         .number = fk_prng_i64(&prng),
                                         .zxid = fk_prng_i64(&prng),
                                         .code = fk_prng_i32(&prng),
                                         .need = fk_prng_i64(&prng),
                                         .generation = fk_prng_i64(&prng)};
        sent.body = null ? FK_BYTES_NULL : fk_bytes_of(bytes, (size_t)fk_prng_below(&prng, 64));
        struct fk_answer_message got;
        fk_buf_clear(&buf);
        fk_answer_message_write(&buf, &sent);
        assert_int_equal(fk_answer_message_read(fk_buf_view(&buf), &got), FK_OK);
        assert_int_equal(got.session_id, sent.session_id);
        assert_int_equal(got.epoch, sent.epoch);
        assert_int_equal(got.number, sent.number);
        assert_int_equal(got.zxid, sent.zxid);
        assert_int_equal(got.code, sent.code);
        fk_assert_bytes(got.body, sent.body);
        assert_int_equal(got.need, sent.need);
        assert_int_equal(got.generation, sent.generation);
        assert_int_equal(fk_notice_kind(fk_buf_view(&buf)), FK_NOTICE_ANSWER);
        for (size_t size = 0; size < buf.size; size++) {
            assert_int_equal(fk_answer_message_read(fk_bytes_head(fk_buf_view(&buf), size), &got), FK_ERR_MALFORMED);
        }
    }
    fk_buf_deinit(&buf);
}

static void session_requests_come_back(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_session_request got;
    fk_write_session_request(
        &buf, &(struct fk_session_request){.timeout_ms = 4000, .password = FK_BYTES_LITERAL("0123456789abcdef")});
    struct fk_reader reader = fk_reader_of(fk_buf_view(&buf));
    fk_read_session_request(&reader, &got);
    assert_false(reader.failed);
    assert_int_equal(got.timeout_ms, 4000);
    fk_assert_text(got.password, "0123456789abcdef");
    for (size_t size = 0; size < buf.size; size++) {
        reader = fk_reader_of(fk_bytes_head(fk_buf_view(&buf), size));
        fk_read_session_request(&reader, &got);
        assert_true(reader.failed);
    }
    fk_buf_deinit(&buf);
}

static void events_come_back(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_bytes got;
    fk_events_message_write(&buf, FK_BYTES_LITERAL("record"));
    assert_int_equal(fk_notice_kind(fk_buf_view(&buf)), FK_NOTICE_EVENTS);
    assert_int_equal(fk_events_message_read(fk_buf_view(&buf), &got), FK_OK);
    fk_assert_text(got, "record");
    for (size_t size = 0; size < buf.size; size++) {
        assert_int_equal(fk_events_message_read(fk_bytes_head(fk_buf_view(&buf), size), &got), FK_ERR_MALFORMED);
    }
    fk_buf_clear(&buf);
    fk_events_message_write(&buf, FK_BYTES_NULL);
    assert_int_equal(fk_events_message_read(fk_buf_view(&buf), &got), FK_ERR_MALFORMED);
    fk_buf_deinit(&buf);
}

static void many_messages_come_back(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_reader reader;
    struct fk_bytes got;
    fk_many_message_begin(&buf);
    assert_int_equal(fk_many_message_read(fk_buf_view(&buf), &reader), FK_OK);
    assert_false(fk_many_message_next(&reader, &got));
    fk_many_message_add(&buf, FK_BYTES_LITERAL("one"));
    fk_many_message_add(&buf, FK_BYTES_LITERAL(""));
    assert_int_equal(fk_notice_kind(fk_buf_view(&buf)), FK_NOTICE_MANY);
    assert_int_equal(fk_many_message_read(fk_buf_view(&buf), &reader), FK_OK);
    assert_true(fk_many_message_next(&reader, &got));
    fk_assert_text(got, "one");
    assert_true(fk_many_message_next(&reader, &got));
    assert_int_equal(got.size, 0);
    assert_false(fk_many_message_next(&reader, &got));
    for (size_t size = 0; size < buf.size; size++) { /* what is cut short ends there */
        struct fk_bytes part = fk_bytes_head(fk_buf_view(&buf), size);
        int count = 0;
        if (fk_many_message_read(part, &reader) == FK_OK) {
            while (fk_many_message_next(&reader, &got)) {
                count++;
            }
            assert_true(count < 2);
        } else {
            assert_true(size < 8);
        }
    }
    fk_buf_deinit(&buf);
}

static void a_notice_is_of_one_kind(void **state)
{
    (void)state;
    enum {
        KIND_OFFSET = 4,
        UNKNOWN_KIND = 4,
    };
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_answer_message answer;
    struct fk_bytes events;
    fk_events_message_write(&buf, FK_BYTES_LITERAL("record"));
    assert_int_equal(fk_answer_message_read(fk_buf_view(&buf), &answer), FK_ERR_MALFORMED);
    fk_patch_i32(&buf, KIND_OFFSET, UNKNOWN_KIND);
    assert_int_equal(fk_notice_kind(fk_buf_view(&buf)), 0);
    assert_int_equal(fk_events_message_read(fk_buf_view(&buf), &events), FK_ERR_MALFORMED);
    fk_patch_i32(&buf, 0, FK_MESSAGE_FORMAT_NEWEST + 1);
    assert_int_equal(fk_notice_kind(fk_buf_view(&buf)), 0);
    assert_int_equal(fk_events_message_read(fk_buf_view(&buf), &events), FK_ERR_VERSION);
    assert_int_equal(fk_notice_kind(FK_BYTES_LITERAL("\0\0\0\1\0\0\0")), 0);
    fk_buf_clear(&buf);
    fk_answer_message_write(&buf, &(struct fk_answer_message){.number = 1});
    assert_int_equal(fk_events_message_read(fk_buf_view(&buf), &events), FK_ERR_MALFORMED);
    fk_buf_deinit(&buf);
}

static void sweep_requests_come_back(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_sweep_request got;
    fk_write_sweep_request(&buf,
                           &(struct fk_sweep_request){.path = FK_BYTES_LITERAL("/c"), .version = -3, .cversion = 4});
    struct fk_reader reader = fk_reader_of(fk_buf_view(&buf));
    fk_read_sweep_request(&reader, &got);
    assert_false(reader.failed);
    fk_assert_text(got.path, "/c");
    assert_int_equal(got.version, -3);
    assert_int_equal(got.cversion, 4);
    for (size_t size = 0; size < buf.size; size++) {
        reader = fk_reader_of(fk_bytes_head(fk_buf_view(&buf), size));
        fk_read_sweep_request(&reader, &got);
        assert_true(reader.failed);
    }
    fk_buf_deinit(&buf);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(random_request_messages_come_back),
    FK_TEST(each_truncation_of_a_request_is_malformed),
    FK_TEST(counts_that_lie),
    FK_TEST(another_format_is_another_version),
    FK_TEST(a_request_of_the_first_format),
    FK_TEST(random_answers_come_back),
    FK_TEST(session_requests_come_back),
    FK_TEST(events_come_back),
    FK_TEST(many_messages_come_back),
    FK_TEST(a_notice_is_of_one_kind),
    FK_TEST(sweep_requests_come_back),
};

FK_TEST_MAIN(tests)
