// SPDX-License-Identifier: Apache-2.0
#include "wire/jute.h"

#include "support/test.h"

static const int32_t bad_lengths[] = {-2, -3, INT32_MIN, INT32_MIN + 1, INT32_MAX, INT32_MAX - 3, 1 << 24, 0x01000000};

enum {
    BAD_LENGTHS = sizeof bad_lengths / sizeof bad_lengths[0],
};

static void numbers_are_big_endian(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_i32(&buf, 0x01020304);
    fk_write_i64(&buf, 0x0506070809101112);
    fk_write_i32(&buf, -2);
    fk_write_i64(&buf, INT64_MIN);
    fk_write_bool(&buf, true);
    fk_write_bool(&buf, false);
    fk_assert_bytes(fk_buf_view(&buf), FK_BYTES_LITERAL("\1\2\3\4\5\6\7\x08\x09\x10\x11\x12\xff\xff\xff\xfe"
                                                        "\x80\0\0\0\0\0\0\0\1\0"));
    struct fk_reader reader = fk_reader_of(fk_buf_view(&buf));
    assert_int_equal(fk_read_i32(&reader), 0x01020304);
    assert_int_equal(fk_read_i64(&reader), 0x0506070809101112);
    assert_int_equal(fk_read_i32(&reader), -2);
    assert_true(fk_read_i64(&reader) == INT64_MIN);
    assert_true(fk_read_bool(&reader));
    assert_false(fk_read_bool(&reader));
    assert_false(reader.failed);
    assert_int_equal(reader.left, 0);
    fk_buf_deinit(&buf);
}

static void any_byte_but_zero_is_true(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        uint8_t byte = (uint8_t)value;
        struct fk_reader reader = fk_reader_of(fk_bytes_of(&byte, 1));
        assert_int_equal(fk_read_bool(&reader), value != 0);
        assert_false(reader.failed);
    }
}

static void buffers_keep_null_and_empty_apart(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_bytes(&buf, FK_BYTES_NULL);
    fk_write_bytes(&buf, FK_BYTES_LITERAL(""));
    fk_write_bytes(&buf, FK_BYTES_LITERAL("a\0b"));
    fk_assert_bytes(fk_buf_view(&buf), FK_BYTES_LITERAL("\xff\xff\xff\xff\0\0\0\0\0\0\0\3a\0b"));
    struct fk_reader reader = fk_reader_of(fk_buf_view(&buf));
    fk_assert_bytes(fk_read_bytes(&reader), FK_BYTES_NULL);
    fk_assert_bytes(fk_read_bytes(&reader), FK_BYTES_LITERAL(""));
    fk_assert_bytes(fk_read_bytes(&reader), FK_BYTES_LITERAL("a\0b"));
    assert_false(reader.failed);
    fk_buf_deinit(&buf);
}

/* A reader at the end of readable memory: `size` bytes of it after the number. */
static struct fk_reader number_and_rest(struct fk_guard *guard, int32_t number, size_t size)
{
    uint8_t bytes[64] = {0};
    assert_true(size <= sizeof bytes - 4);
    fk_store_u32(bytes, (uint32_t)number);
    return fk_reader_of(fk_guard_copy(guard, fk_bytes_of(bytes, 4 + size)));
}

static void lengths_beyond_the_frame_fail(void **state)
{
    (void)state;
    struct fk_guard guard;
    fk_guard_init(&guard, 64);
    for (size_t rest = 0; rest < 40; rest++) {
        for (size_t i = 0; i < BAD_LENGTHS; i++) {
            struct fk_reader reader = number_and_rest(&guard, bad_lengths[i], rest);
            fk_assert_bytes(fk_read_bytes(&reader), FK_BYTES_NULL);
            assert_true(reader.failed);
        }
        struct fk_reader reader = number_and_rest(&guard, (int32_t)rest + 1, rest);
        fk_assert_bytes(fk_read_bytes(&reader), FK_BYTES_NULL);
        assert_true(reader.failed);
        reader = number_and_rest(&guard, (int32_t)rest, rest);
        assert_int_equal(fk_read_bytes(&reader).size, rest);
        assert_false(reader.failed);
    }
    fk_guard_deinit(&guard);
}

static void counts_that_can_not_fit_fail(void **state)
{
    (void)state;
    struct fk_guard guard;
    fk_guard_init(&guard, 64);
    for (size_t i = 0; i < BAD_LENGTHS; i++) {
        struct fk_reader reader = number_and_rest(&guard, bad_lengths[i], 48);
        assert_int_equal(fk_read_count(&reader, 4), 0);
        assert_true(reader.failed);
    }
    for (int32_t count = -1; count <= 4; count++) {
        struct fk_reader reader = number_and_rest(&guard, count, 48);
        assert_int_equal(fk_read_count(&reader, 12), count);
        assert_false(reader.failed);
    }
    struct fk_reader reader = number_and_rest(&guard, 5, 48);
    assert_int_equal(fk_read_count(&reader, 12), 0);
    assert_true(reader.failed);
    fk_guard_deinit(&guard);
}

static void vectors_of_strings_are_views_of_their_encoding(void **state)
{
    (void)state;
    struct fk_bytes frame = FK_BYTES_LITERAL("\0\0\0\3\0\0\0\1a\xff\xff\xff\xff\0\0\0\0rest");
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_bytes strings = fk_read_strings(&reader);
    assert_ptr_equal(strings.data, frame.data);
    assert_int_equal(strings.size, frame.size - 4);
    assert_int_equal(reader.left, 4);
    reader = fk_reader_of(FK_BYTES_LITERAL("\xff\xff\xff\xff"));
    fk_assert_bytes(fk_read_strings(&reader), FK_BYTES_NULL);
    assert_false(reader.failed);
    reader = fk_reader_of(FK_BYTES_LITERAL("\0\0\0\0"));
    assert_int_equal(fk_read_strings(&reader).size, 4);
    assert_false(reader.failed);
    /* Each item may be short of its own end although the count can fit. */
    reader = fk_reader_of(FK_BYTES_LITERAL("\0\0\0\2\0\0\0\4\0\0\0\0"));
    fk_assert_bytes(fk_read_strings(&reader), FK_BYTES_NULL);
    assert_true(reader.failed);
}

static void a_failure_sticks_and_gives_zeros(void **state)
{
    (void)state;
    struct fk_reader reader = fk_reader_of(FK_BYTES_LITERAL("\1\2\3"));
    assert_int_equal(fk_read_i32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(fk_read_i32(&reader), 0);
    assert_int_equal(fk_read_i64(&reader), 0);
    assert_false(fk_read_bool(&reader)); /* a byte is left, but not for a reader that has failed */
    fk_assert_bytes(fk_read_bytes(&reader), FK_BYTES_NULL);
    fk_assert_bytes(fk_read_strings(&reader), FK_BYTES_NULL);
    assert_int_equal(fk_read_count(&reader, 1), 0);
    assert_null(fk_read_raw(&reader, 0));
    assert_true(reader.failed);
    reader = fk_reader_of(FK_BYTES_NULL);
    assert_int_equal(fk_read_i64(&reader), 0);
    assert_true(reader.failed);
}

static void a_patched_length_is_written_in_place(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_i32(&buf, 0);
    fk_write_i32(&buf, 0);
    fk_patch_i32(&buf, 4, 0x01020304);
    fk_assert_bytes(fk_buf_view(&buf), FK_BYTES_LITERAL("\0\0\0\0\1\2\3\4"));
    fk_buf_deinit(&buf);
}

static void writing_without_memory_fails_stickily(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_test_fail_all(true);
    fk_write_i32(&buf, 1);
    fk_write_i64(&buf, 1);
    fk_write_bool(&buf, true);
    fk_write_bytes(&buf, FK_BYTES_LITERAL("x"));
    fk_patch_i32(&buf, 0, 1);
    fk_test_fail_all(false);
    fk_write_i32(&buf, 1);
    assert_true(buf.failed);
    assert_int_equal(fk_buf_left(&buf), 0);
    fk_buf_deinit(&buf);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(numbers_are_big_endian),
    FK_TEST(any_byte_but_zero_is_true),
    FK_TEST(buffers_keep_null_and_empty_apart),
    FK_TEST(lengths_beyond_the_frame_fail),
    FK_TEST(counts_that_can_not_fit_fail),
    FK_TEST(vectors_of_strings_are_views_of_their_encoding),
    FK_TEST(a_failure_sticks_and_gives_zeros),
    FK_TEST(a_patched_length_is_written_in_place),
    FK_TEST(writing_without_memory_fails_stickily),
};

FK_TEST_MAIN(tests)
