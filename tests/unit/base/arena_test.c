// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include "support/test.h"

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_arena arena = FK_ARENA_EMPTY;
    enum {
        PIECES = 2000,
    };
    static struct {
        uint8_t *data;
        size_t size;
    } pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i].size = (size_t)fk_prng_below(&prng, i % 50 == 0 ? 200000 : 300);
        pieces[i].data = (uint8_t *)fk_arena_alloc(&arena, pieces[i].size);
        assert_non_null(pieces[i].data);
        assert_int_equal((uintptr_t)pieces[i].data % 16, 0);
        memset(pieces[i].data, (int)(i & 0xff), pieces[i].size);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t at = 0; at < pieces[i].size; at++) {
            assert_int_equal(pieces[i].data[at], i & 0xff);
        }
    }
    fk_arena_deinit(&arena);
    assert_int_equal(fk_test_blocks(), 0);
}

static void steady_work_allocates_nothing(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    assert_non_null(fk_arena_alloc(&arena, 100));
    fk_arena_reset(&arena);
    fk_test_fail_all(true);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 500; i++) {
            assert_non_null(fk_arena_alloc(&arena, 100));
        }
        fk_arena_reset(&arena);
    }
    fk_arena_deinit(&arena);
}

static void reset_keeps_one_chunk_and_frees_large_ones(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    fk_arena_reset(&arena);
    assert_int_equal(fk_test_blocks(), 0);
    assert_non_null(fk_arena_alloc(&arena, 1));
    assert_non_null(fk_arena_alloc(&arena, 1000000));
    assert_non_null(fk_arena_alloc(&arena, 60000));
    assert_non_null(fk_arena_alloc(&arena, 60000));
    assert_true(fk_test_blocks() > 1);
    fk_arena_reset(&arena);
    assert_int_equal(fk_test_blocks(), 1);
    fk_arena_deinit(&arena);
    assert_int_equal(fk_test_blocks(), 0);
    fk_arena_deinit(&arena);
}

static void copies_keep_null_and_empty_apart(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    char text[] = "text";
    struct fk_bytes copy = fk_arena_copy(&arena, fk_bytes_text(text));
    text[0] = 'T';
    fk_assert_text(copy, "text");
    fk_assert_bytes(fk_arena_copy(&arena, FK_BYTES_NULL), FK_BYTES_NULL);
    fk_assert_text(fk_arena_copy(&arena, FK_BYTES_LITERAL("")), "");
    fk_arena_deinit(&arena);
}

static void failure_leaves_the_arena_as_it_was(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    fk_test_fail_all(true);
    assert_null(fk_arena_alloc(&arena, 1));
    assert_null(fk_arena_copy(&arena, FK_BYTES_LITERAL("x")).data);
    fk_test_fail_all(false);
    uint8_t *piece = (uint8_t *)fk_arena_alloc(&arena, 16);
    assert_non_null(piece);
    fk_test_fail_all(true);
    assert_null(fk_arena_alloc(&arena, 1000000));
    uint8_t *next = (uint8_t *)fk_arena_alloc(&arena, 16);
    assert_ptr_equal(next, piece + 16);
    fk_test_fail_all(false);
    fk_arena_deinit(&arena);
}

static void sizes_near_the_end_of_the_range_fail(void **state)
{
    (void)state;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2 + 1, SIZE_MAX / 2};
    struct fk_arena arena = FK_ARENA_EMPTY;
    fk_test_fail_all(true); /* a sanitizer's malloc would end the test instead of refusing half of the address space */
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_null(fk_arena_alloc(&arena, sizes[i]));
    }
    fk_arena_deinit(&arena);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(pieces_are_aligned_and_do_not_overlap),      FK_TEST(steady_work_allocates_nothing),
    FK_TEST(reset_keeps_one_chunk_and_frees_large_ones), FK_TEST(copies_keep_null_and_empty_apart),
    FK_TEST(failure_leaves_the_arena_as_it_was),         FK_TEST(sizes_near_the_end_of_the_range_fail),
};

FK_TEST_MAIN(tests)
