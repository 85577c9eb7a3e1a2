// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"

#include "support/test.h"

static void sizes_of_zero_give_distinct_blocks(void **state)
{
    (void)state;
    void *a = fk_alloc(0);
    void *b = fk_alloc_zero(0);
    void *c = fk_realloc(NULL, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_ptr_not_equal(a, b);
    assert_ptr_not_equal(b, c);
    c = fk_realloc(c, 0);
    assert_non_null(c);
    fk_free(a);
    fk_free(b);
    fk_free(c);
    fk_free(NULL);
}

static void zeroed_memory_is_zero(void **state)
{
    (void)state;
    uint8_t *block = (uint8_t *)fk_alloc_zero(4096);
    assert_non_null(block);
    for (size_t i = 0; i < 4096; i++) {
        assert_int_equal(block[i], 0);
    }
    fk_free(block);
}

static void realloc_keeps_contents_and_on_failure_the_block(void **state)
{
    (void)state;
    char *block = (char *)fk_alloc(4);
    assert_non_null(block);
    memcpy(block, "abc", 4);
    block = (char *)fk_realloc(block, 100000);
    assert_non_null(block);
    assert_string_equal(block, "abc");
    fk_test_fail_alloc(1);
    assert_null(fk_realloc(block, 200000));
    assert_true(fk_test_alloc_failed());
    assert_string_equal(block, "abc");
    fk_free(block);
}

/* The wrapper that counts blocks is what all other tests rely on. */
static void the_wrapper_fails_exactly_the_nth_allocation(void **state)
{
    (void)state;
    size_t before = fk_test_blocks();
    fk_test_fail_alloc(2);
    void *first = fk_alloc(1);
    assert_non_null(first);
    assert_false(fk_test_alloc_failed());
    assert_null(fk_alloc_zero(1));
    assert_true(fk_test_alloc_failed());
    void *third = fk_alloc(1);
    assert_non_null(third);
    assert_int_equal(fk_test_blocks(), before + 2);
    fk_free(first);
    fk_free(third);
    assert_int_equal(fk_test_blocks(), before);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(sizes_of_zero_give_distinct_blocks),
    FK_TEST(zeroed_memory_is_zero),
    FK_TEST(realloc_keeps_contents_and_on_failure_the_block),
    FK_TEST(the_wrapper_fails_exactly_the_nth_allocation),
};

FK_TEST_MAIN(tests)
