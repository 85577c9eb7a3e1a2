// SPDX-License-Identifier: Apache-2.0
/* Where records stand in the table. */
#include "function/record.h"
#include "support/test.h"

static void assert_key(struct fk_key key, const char *partition, const char *name)
{
    fk_assert_text(key.partition, partition);
    fk_assert_text(key.name, name);
}

static void keys_of_all_records(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    assert_key(fk_key_zx(), "zx", "zx");
    assert_key(fk_key_recursive(), "rs", "rs");
    assert_key(fk_key_node(&arena, fk_bytes_text("/")), "n", "/");
    assert_key(fk_key_node(&arena, fk_bytes_text("/a")), "n/", "a");
    assert_key(fk_key_node(&arena, fk_bytes_text("/a/b")), "n/a", "b");
    assert_key(fk_key_node(&arena, fk_bytes_text("/a/b/c")), "n/a/b", "c");
    assert_key(fk_key_data(fk_bytes_text("try")), "d", "try");
    assert_key(fk_key_due(fk_bytes_text("/a/b")), "c", "/a/b");
    assert_key(fk_key_session(&arena, 0x0102030405060708), "s", "0102030405060708");
    assert_key(fk_key_ephemerals(&arena, 1), "e", "0000000000000001");
    assert_key(fk_key_events(&arena, 0xabcdef), "ev", "0000000000abcdef");
    assert_key(fk_key_gateway(&arena, INT64_MAX), "g", "7fffffffffffffff");
    assert_key(fk_key_observation(&arena, 16), "h", "0000000000000010");
    fk_arena_deinit(&arena);
}

static void children_stand_in_the_partition_of_their_parent(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/a", "/a/b"};
    static const char *const children[] = {"/x", "/a/x", "/a/b/x"};
    struct fk_arena arena = FK_ARENA_EMPTY;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct fk_bytes partition = fk_partition_children(&arena, fk_bytes_text(paths[i]));
        fk_assert_bytes(fk_key_node(&arena, fk_bytes_text(children[i])).partition, partition);
        fk_assert_text(fk_key_node(&arena, fk_bytes_text(children[i])).name, "x");
        /* A node is not among its own children: the root neither. */
        assert_false(fk_bytes_equal(fk_key_node(&arena, fk_bytes_text(paths[i])).partition, partition));
    }
    fk_arena_deinit(&arena);
}

static void numbers_come_back_and_sort(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_prng prng = fk_test_prng();
    for (int round = 0; round < 500; round++) {
        int64_t a = fk_prng_i64(&prng) & INT64_MAX;
        int64_t b = fk_prng_i64(&prng) & INT64_MAX;
        struct fk_bytes name_a = fk_key_events(&arena, a).name;
        struct fk_bytes name_b = fk_key_events(&arena, b).name;
        assert_int_equal(fk_key_number(name_a), a);
        assert_int_equal(fk_key_number(name_b), b);
        int order = memcmp(name_a.data, name_b.data, name_a.size);
        assert_int_equal(order < 0, a < b);
        assert_int_equal(order == 0, a == b);
    }
    fk_arena_deinit(&arena);
}

static void names_that_are_no_numbers(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "zx",
        "000000000000001",
        "00000000000000001",
        "000000000000000g",
        "00000000000000A0",
        " 000000000000001",
        "-00000000000001f",
        "000000000000000/",
        "000000000000000:",
        "000000000000000`",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(fk_key_number(fk_bytes_text(names[i])), -1);
    }
    assert_int_equal(fk_key_number(FK_BYTES_NULL), -1);
}

static void without_memory_a_key_is_null(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    fk_test_fail_all(true);
    struct fk_key keys[] = {fk_key_node(&arena, fk_bytes_text("/a")), fk_key_session(&arena, 1)};
    struct fk_bytes partition = fk_partition_children(&arena, fk_bytes_text("/a"));
    fk_test_fail_all(false);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_null(keys[i].partition.data);
        assert_null(keys[i].name.data);
    }
    assert_null(partition.data);
    fk_arena_deinit(&arena);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(keys_of_all_records),          FK_TEST(children_stand_in_the_partition_of_their_parent),
    FK_TEST(numbers_come_back_and_sort),   FK_TEST(names_that_are_no_numbers),
    FK_TEST(without_memory_a_key_is_null),
};

FK_TEST_MAIN(tests)
