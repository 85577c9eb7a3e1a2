// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include "support/test.h"

#include <stdio.h>

static void equality_treats_null_as_empty(void **state)
{
    (void)state;
    assert_true(fk_bytes_equal(FK_BYTES_NULL, FK_BYTES_LITERAL("")));
    assert_true(fk_bytes_equal(FK_BYTES_LITERAL("a\0b"), fk_bytes_of("a\0b", 3)));
    assert_false(fk_bytes_equal(FK_BYTES_LITERAL("a\0b"), FK_BYTES_LITERAL("a\0c")));
    assert_false(fk_bytes_equal(FK_BYTES_LITERAL("ab"), FK_BYTES_LITERAL("abc")));
    assert_true(fk_bytes_equal_text(FK_BYTES_LITERAL("abc"), "abc"));
    assert_false(fk_bytes_equal_text(FK_BYTES_NULL, "abc"));
}

static void order_is_bytewise_and_beginnings_come_first(void **state)
{
    (void)state;
    static const struct fk_bytes sorted[] = {
        FK_BYTES_LITERAL(""),     FK_BYTES_LITERAL("\0"),   FK_BYTES_LITERAL("\0\0"),
        FK_BYTES_LITERAL("a"),    FK_BYTES_LITERAL("ab"),   FK_BYTES_LITERAL("b"),
        FK_BYTES_LITERAL("\x7f"), FK_BYTES_LITERAL("\x80"), FK_BYTES_LITERAL("\xff"),
    };
    for (size_t i = 0; i < 9; i++) {
        for (size_t j = 0; j < 9; j++) {
            int order = fk_bytes_compare(sorted[i], sorted[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    assert_int_equal(fk_bytes_compare(FK_BYTES_NULL, sorted[0]), 0);
    assert_true(fk_bytes_compare(FK_BYTES_NULL, sorted[1]) < 0);
}

static void literals_have_their_size(void **state)
{
    (void)state;
    assert_int_equal(FK_BYTES_LITERAL("").size, 0);
    assert_non_null(FK_BYTES_LITERAL("").data);
    assert_int_equal(FK_BYTES_LITERAL("a\0b").size, 3);
    assert_int_equal(fk_bytes_text("a\0b").size, 1);
    assert_null(FK_BYTES_NULL.data);
}

static void heads_and_tails_stay_inside(void **state)
{
    (void)state;
    struct fk_bytes text = FK_BYTES_LITERAL("abc");
    for (size_t cut = 0; cut <= 5; cut++) {
        struct fk_bytes head = fk_bytes_head(text, cut);
        struct fk_bytes tail = fk_bytes_tail(text, cut);
        assert_int_equal(head.size, cut < 3 ? cut : 3);
        assert_int_equal(tail.size, cut < 3 ? 3 - cut : 0);
        assert_memory_equal(head.data, text.data, head.size);
        assert_memory_equal(tail.data, text.data + 3 - tail.size, tail.size);
    }
    assert_int_equal(fk_bytes_head(FK_BYTES_NULL, 7).size, 0);
    assert_int_equal(fk_bytes_tail(FK_BYTES_NULL, 7).size, 0);
    assert_int_equal(fk_bytes_tail(FK_BYTES_NULL, 0).size, 0);
}

/* Each size has its own path through the hash: 16-byte rounds and a tail; none may read past the end. */
static void hashes_depend_on_every_byte_and_on_the_size(void **state)
{
    (void)state;
    struct fk_guard guard;
    fk_guard_init(&guard, 80);
    uint8_t data[80] = {0};
    uint64_t previous = 0;
    for (size_t size = 0; size <= sizeof data; size++) {
        struct fk_bytes bytes = fk_guard_copy(&guard, fk_bytes_of(data, size));
        uint64_t hash = fk_bytes_hash(bytes);
        assert_int_equal(hash, fk_bytes_hash(bytes));
        assert_int_not_equal(hash, previous);
        previous = hash;
        for (size_t at = 0; at < size; at++) {
            data[at] = 1;
            assert_int_not_equal(fk_bytes_hash(fk_bytes_of(data, size)), hash);
            data[at] = 0;
        }
    }
    assert_int_equal(fk_bytes_hash(FK_BYTES_NULL), fk_bytes_hash(FK_BYTES_LITERAL("")));
    fk_guard_deinit(&guard);
}

/* Numbered paths, as sequential nodes have them, fill the buckets of a power-of-two table evenly. */
static void hashes_of_numbered_paths_spread(void **state)
{
    (void)state;
    enum {
        BUCKETS = 1024,
        KEYS = 64 * BUCKETS,
    };
    static unsigned counts[BUCKETS];
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < KEYS; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/locks/lock-%010d", i);
        counts[fk_bytes_hash(fk_bytes_text(path)) % BUCKETS]++;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        assert_in_range(counts[i], 16, 128);
    }
}

static void another_seed_gives_other_hashes(void **state)
{
    (void)state;
    struct fk_bytes path = FK_BYTES_LITERAL("/some/path");
    fk_hash_seed(1);
    uint64_t one = fk_bytes_hash(path);
    fk_hash_seed(2);
    uint64_t two = fk_bytes_hash(path);
    assert_int_not_equal(one, two);
    fk_hash_seed(1);
    assert_int_equal(fk_bytes_hash(path), one);
}

static void secrets_compare_whole(void **state)
{
    (void)state;
    uint8_t a[16] = {1, 2, 3};
    uint8_t b[16] = {1, 2, 3};
    assert_true(fk_bytes_equal_secret(fk_bytes_of(a, 16), fk_bytes_of(b, 16)));
    assert_false(fk_bytes_equal_secret(fk_bytes_of(a, 16), fk_bytes_of(b, 15)));
    for (size_t at = 0; at < sizeof b; at++) {
        b[at] ^= 0x80;
        assert_false(fk_bytes_equal_secret(fk_bytes_of(a, 16), fk_bytes_of(b, 16)));
        b[at] ^= 0x80;
    }
    assert_true(fk_bytes_equal_secret(FK_BYTES_NULL, FK_BYTES_LITERAL("")));
}

static const struct CMUnitTest tests[] = {
    FK_TEST(equality_treats_null_as_empty),
    FK_TEST(order_is_bytewise_and_beginnings_come_first),
    FK_TEST(literals_have_their_size),
    FK_TEST(heads_and_tails_stay_inside),
    FK_TEST(hashes_depend_on_every_byte_and_on_the_size),
    FK_TEST(hashes_of_numbered_paths_spread),
    FK_TEST(another_seed_gives_other_hashes),
    FK_TEST(secrets_compare_whole),
};

FK_TEST_MAIN(tests)
