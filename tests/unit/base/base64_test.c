// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include "support/test.h"

/* RFC 4648, section 10. */
static void vectors_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"},
                                             {"\xff\xef\xfe", "/+/+"}};
    struct fk_arena arena = FK_ARENA_EMPTY;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        struct fk_bytes bytes = FK_BYTES_NULL;
        fk_base64_append(&buf, fk_bytes_text(vectors[i][0]));
        fk_assert_text(fk_buf_view(&buf), vectors[i][1]);
        assert_int_equal(fk_base64_read(fk_bytes_text(vectors[i][1]), &arena, &bytes), FK_OK);
        fk_assert_text(bytes, vectors[i][0]);
        fk_buf_deinit(&buf);
    }
    fk_arena_deinit(&arena);
}

static void what_is_no_base64_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"Z",    "Zg",    "Zg=",  "Zg=Zg===", "====",     "Z===",        "Zm 8",
                                        "Zm-_", "Zm8\n", "=Zg=", "Zm=v",     "Zg==Zm9v", "Zm9vZ\xffg=", "Zm9vZm9v\n"};
    struct fk_arena arena = FK_ARENA_EMPTY;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fk_bytes bytes;
        assert_int_equal(fk_base64_read(fk_bytes_text(wrong[i]), &arena, &bytes), FK_ERR_MALFORMED);
    }
    fk_arena_deinit(&arena);
}

static void any_bytes_come_back(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_guard guard;
    uint8_t bytes[200];
    fk_guard_init(&guard, 400);
    for (int i = 0; i < 2000; i++) {
        struct fk_arena arena = FK_ARENA_EMPTY;
        struct fk_buf buf = FK_BUF_EMPTY;
        struct fk_bytes read = FK_BYTES_NULL;
        struct fk_bytes sent = fk_bytes_of(bytes, (size_t)fk_prng_below(&prng, sizeof bytes));
        fk_prng_fill(&prng, bytes, sent.size);
        fk_buf_append(&buf, FK_BYTES_LITERAL("x"));
        fk_base64_append(&buf, sent);
        assert_int_equal(buf.size, 1 + fk_base64_size(sent.size));
        struct fk_bytes text = fk_guard_copy(&guard, fk_bytes_tail(fk_buf_view(&buf), 1));
        assert_int_equal(fk_base64_read(text, &arena, &read), FK_OK);
        fk_assert_bytes(read, fk_bytes_of(bytes, sent.size));
        fk_buf_deinit(&buf);
        fk_arena_deinit(&arena);
    }
    fk_guard_deinit(&guard);
}

static void without_memory_nothing_is_read(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_bytes bytes;
    fk_test_fail_all(true);
    fk_base64_append(&buf, FK_BYTES_LITERAL("foo"));
    assert_int_equal(fk_base64_read(FK_BYTES_LITERAL("Zm9v"), &arena, &bytes), FK_ERR_NOMEM);
    fk_test_fail_all(false);
    assert_true(buf.failed);
    fk_buf_deinit(&buf);
    fk_arena_deinit(&arena);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(vectors_of_rfc_4648),
    FK_TEST(what_is_no_base64_is_refused),
    FK_TEST(any_bytes_come_back),
    FK_TEST(without_memory_nothing_is_read),
};

FK_TEST_MAIN(tests)
