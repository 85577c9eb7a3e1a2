// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include "support/test.h"

static void append_text(struct fk_buf *buf, const char *text)
{
    fk_buf_append(buf, fk_bytes_text(text));
}

static void appended_bytes_come_out_in_order(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    append_text(&buf, "abc");
    append_text(&buf, "");
    fk_buf_append(&buf, FK_BYTES_NULL);
    append_text(&buf, "def");
    fk_assert_text(fk_buf_view(&buf), "abcdef");
    fk_buf_consume(&buf, 2);
    fk_assert_text(fk_buf_view(&buf), "cdef");
    assert_int_equal(fk_buf_left(&buf), 4);
    fk_buf_consume(&buf, 4);
    assert_int_equal(fk_buf_left(&buf), 0);
    assert_int_equal(buf.start, 0);
    fk_buf_deinit(&buf);
    assert_int_equal(fk_test_blocks(), 0);
}

static void an_empty_buffer_has_an_empty_view(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    assert_int_equal(fk_buf_view(&buf).size, 0);
    fk_buf_consume(&buf, 0);
    fk_buf_clear(&buf);
    fk_buf_trim(&buf, 0);
    fk_buf_append(&buf, FK_BYTES_NULL);
    assert_false(buf.failed);
    assert_int_equal(fk_buf_left(&buf), 0);
    fk_buf_deinit(&buf);
}

/* A stream of random pieces in and out, against a plain counter as its model. */
static void a_long_stream_survives_growth_and_compaction(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_buf buf = FK_BUF_EMPTY;
    uint64_t written = 0;
    uint64_t taken = 0;
    for (int i = 0; i < 20000; i++) {
        uint8_t piece[700];
        size_t size = (size_t)fk_prng_below(&prng, sizeof piece);
        for (size_t at = 0; at < size; at++) {
            piece[at] = (uint8_t)(written++ % 251);
        }
        fk_buf_append(&buf, fk_bytes_of(piece, size));
        size_t out = (size_t)fk_prng_below(&prng, fk_buf_left(&buf) + 1);
        struct fk_bytes view = fk_buf_view(&buf);
        for (size_t at = 0; at < out; at++) {
            assert_int_equal(view.data[at], (taken + at) % 251);
        }
        fk_buf_consume(&buf, out);
        taken += out;
        assert_int_equal(fk_buf_left(&buf), written - taken);
    }
    assert_true(buf.capacity < 64 * 1024);
    fk_buf_deinit(&buf);
}

static void consumed_space_is_used_again(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    append_text(&buf, "0123456789");
    size_t capacity = buf.capacity;
    fk_test_fail_all(true);
    for (int i = 0; i < 10000; i++) {
        append_text(&buf, "0123456789");
        fk_buf_consume(&buf, 10);
    }
    assert_false(buf.failed);
    assert_int_equal(buf.capacity, capacity);
    fk_assert_text(fk_buf_view(&buf), "0123456789");
    fk_buf_deinit(&buf);
}

static void reserve_does_not_change_the_size(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    append_text(&buf, "ab");
    uint8_t *room = fk_buf_reserve(&buf, 100000);
    assert_non_null(room);
    assert_ptr_equal(room, buf.data + 2);
    memset(room, 'x', 100000);
    fk_assert_text(fk_buf_view(&buf), "ab");
    assert_non_null(fk_buf_reserve(&buf, 0));
    fk_buf_deinit(&buf);
}

static void a_failure_is_sticky_until_cleared(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    append_text(&buf, "kept");
    fk_test_fail_alloc(1);
    assert_null(fk_buf_reserve(&buf, 100000));
    assert_true(buf.failed);
    append_text(&buf, "lost");
    fk_buf_print(&buf, "%d", 1);
    assert_null(fk_buf_reserve(&buf, 1));
    fk_assert_text(fk_buf_view(&buf), "kept");
    fk_buf_clear(&buf);
    assert_false(buf.failed);
    append_text(&buf, "again");
    fk_assert_text(fk_buf_view(&buf), "again");
    fk_buf_deinit(&buf);
}

static void sizes_beyond_the_range_fail(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 2};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        append_text(&buf, "ab");
        assert_null(fk_buf_reserve(&buf, sizes[i]));
        assert_true(buf.failed);
        fk_buf_deinit(&buf);
    }
}

static void printed_text_of_any_length_is_whole(void **state)
{
    (void)state;
    static const int lengths[] = {0, 1, 1022, 1023, 1024, 1025, 5000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        fk_buf_print(&buf, "%0*d", lengths[i], 0);
        size_t expected = lengths[i] == 0 ? 1 : (size_t)lengths[i];
        assert_int_equal(fk_buf_left(&buf), expected);
        for (size_t at = 0; at < expected; at++) {
            assert_int_equal(buf.data[at], '0');
        }
        fk_buf_print(&buf, "-%s", "end");
        fk_assert_text(fk_bytes_tail(fk_buf_view(&buf), expected), "-end");
        fk_buf_deinit(&buf);
    }
}

static void trim_frees_large_empty_buffers_only(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    assert_non_null(fk_buf_reserve(&buf, 10000));
    append_text(&buf, "x");
    fk_buf_trim(&buf, 100);
    assert_non_null(buf.data);
    fk_buf_consume(&buf, 1);
    fk_buf_trim(&buf, 1000000);
    assert_non_null(buf.data);
    fk_buf_trim(&buf, 100);
    assert_null(buf.data);
    append_text(&buf, "y");
    fk_assert_text(fk_buf_view(&buf), "y");
    fk_buf_deinit(&buf);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(appended_bytes_come_out_in_order),
    FK_TEST(an_empty_buffer_has_an_empty_view),
    FK_TEST(a_long_stream_survives_growth_and_compaction),
    FK_TEST(consumed_space_is_used_again),
    FK_TEST(reserve_does_not_change_the_size),
    FK_TEST(a_failure_is_sticky_until_cleared),
    FK_TEST(sizes_beyond_the_range_fail),
    FK_TEST(printed_text_of_any_length_is_whole),
    FK_TEST(trim_frees_large_empty_buffers_only),
};

FK_TEST_MAIN(tests)
