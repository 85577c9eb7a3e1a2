// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "support/test.h"

static struct fk_arena arena;

static int setup(void **state)
{
    arena = FK_ARENA_EMPTY;
    return fk_test_begin(state);
}

static int teardown(void **state)
{
    fk_arena_deinit(&arena);
    return fk_test_end(state);
}

static struct fk_json of(const char *text)
{
    return fk_json_of(fk_bytes_text(text));
}

static void objects_are_walked(void **state)
{
    (void)state;
    struct fk_json json =
        of(" { \"a\" : 1 ,\n\"b\":[ true,false , null,\"x\", {} , [] ],\"c\":{\"d\":-7},\"e\":{}} \r\n");
    struct fk_bytes name;
    fk_json_enter_object(&json);
    assert_true(fk_json_next_member(&json, &name));
    fk_assert_text(name, "a");
    assert_int_equal(fk_json_peek(&json), FK_JSON_NUMBER);
    assert_int_equal(fk_json_integer(&json), 1);
    assert_true(fk_json_next_member(&json, &name));
    fk_assert_text(name, "b");
    assert_int_equal(fk_json_peek(&json), FK_JSON_ARRAY);
    fk_json_enter_array(&json);
    assert_true(fk_json_next_item(&json));
    assert_int_equal(fk_json_peek(&json), FK_JSON_TRUE);
    assert_true(fk_json_boolean(&json));
    assert_true(fk_json_next_item(&json));
    assert_int_equal(fk_json_peek(&json), FK_JSON_FALSE);
    assert_false(fk_json_boolean(&json));
    assert_true(fk_json_next_item(&json));
    assert_int_equal(fk_json_peek(&json), FK_JSON_NULL);
    fk_json_skip(&json);
    assert_true(fk_json_next_item(&json));
    fk_assert_text(fk_json_raw_string(&json), "x");
    assert_true(fk_json_next_item(&json));
    fk_json_enter_object(&json);
    assert_false(fk_json_next_member(&json, &name));
    assert_true(fk_json_next_item(&json));
    fk_json_enter_array(&json);
    assert_false(fk_json_next_item(&json));
    assert_false(fk_json_next_item(&json));
    assert_true(fk_json_next_member(&json, &name));
    fk_assert_text(fk_json_value(&json), "{\"d\":-7}");
    assert_true(fk_json_next_member(&json, &name));
    fk_json_skip(&json);
    assert_false(fk_json_next_member(&json, &name));
    assert_true(fk_json_done(&json));
}

static void strings_are_unescaped(void **state)
{
    (void)state;
    static const char *const strings[][2] = {
        {"\"\"", ""},
        {"\"plain \xc3\xa4\"", "plain \xc3\xa4"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e4\\u20AC\"", "A\xc3\xa4\xe2\x82\xac"},
        {"\"\\ud83d\\ude00!\"", "\xf0\x9f\x98\x80!"},
        {"\"\\ud83d!\"", "\xef\xbf\xbd!"},
        {"\"\\ude00\"", "\xef\xbf\xbd"},
        {"\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                               "A"},
        {"\"a\\\\\"", "a\\"},
    };
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        struct fk_json json = of(strings[i][0]);
        fk_assert_text(fk_json_string(&json, &arena), strings[i][1]);
        assert_true(fk_json_done(&json));
    }
}

static void what_does_not_parse_fails_for_good(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",        "{",           "}",         "[",         "{\"a\"",
                                        "{\"a\":", "{\"a\":1",    "{\"a\":1,", "{\"a\" 1}", "{a:1}",
                                        "[1",      "[1 2]",       "{\"a\":1]", "[1}",       "\"a",
                                        "\"a\\",   "{\"a\":[1}}", "{\"a\":]}", "{,}",       "{\"a\":1 \"b\":2}"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fk_json json = of(wrong[i]);
        struct fk_bytes name;
        size_t count = 0;
        fk_json_enter_object(&json);
        while (fk_json_next_member(&json, &name)) {
            fk_json_skip(&json);
            assert_true(++count < 5);
        }
        assert_false(fk_json_done(&json));
        assert_null(fk_json_value(&json).data);
        assert_int_equal(fk_json_integer(&json), 0);
        assert_false(fk_json_next_item(&json));
    }
    static const char *const escapes[] = {"\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u"};
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        struct fk_json json = of(escapes[i]);
        assert_null(fk_json_string(&json, &arena).data);
        assert_true(json.failed);
    }
}

static void numbers_are_whole_and_fit(void **state)
{
    (void)state;
    static const char *const right[] = {"0", "-1", "9223372036854775807", "-9223372036854775808"};
    static const int64_t values[] = {0, -1, INT64_MAX, INT64_MIN};
    static const char *const wrong[] = {"", "-", "1.5", "1e3", "9223372036854775808", "-9223372036854775809", "true"};
    for (size_t i = 0; i < 4; i++) {
        struct fk_json json = of(right[i]);
        assert_int_equal(fk_json_integer(&json), values[i]);
        assert_true(fk_json_done(&json));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fk_json json = of(wrong[i]);
        (void)fk_json_integer(&json);
        assert_true(json.failed);
    }
}

static void members_are_found(void **state)
{
    (void)state;
    struct fk_bytes object = FK_BYTES_LITERAL("{\"a\":{\"b\":1},\"b\":\"two\",\"b\":3}");
    fk_assert_text(fk_json_member(object, "b"), "\"two\"");
    fk_assert_text(fk_json_member(fk_json_member(object, "a"), "b"), "1");
    assert_null(fk_json_member(object, "c").data);
    assert_null(fk_json_member(FK_BYTES_LITERAL("{\"a\":1"), "a").data);
    assert_null(fk_json_member(FK_BYTES_NULL, "a").data);
}

static void nesting_has_an_end(void **state)
{
    (void)state;
    static char deep[200];
    memset(deep, '[', 100);
    memset(deep + 100, ']', 99);
    struct fk_json json = of(deep);
    fk_json_skip(&json);
    assert_true(json.failed);
    json = of(deep + 40);
    fk_json_skip(&json);
    assert_false(json.failed);
}

static void strings_are_written(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_json_append_string(&buf, FK_BYTES_LITERAL("a\"b\\c\n\x01\xc3\xa4/"));
    fk_assert_text(fk_buf_view(&buf), "\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa4/\"");
    struct fk_json json = fk_json_of(fk_buf_view(&buf));
    fk_assert_text(fk_json_string(&json, &arena), "a\"b\\c\n\x01\xc3\xa4/");
    fk_buf_deinit(&buf);
    fk_json_append_string(&buf, FK_BYTES_NULL);
    fk_assert_text(fk_buf_view(&buf), "\"\"");
    fk_buf_deinit(&buf);
}

static void nothing_is_read_beyond_the_end(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,\"\\u00e4\\\"\",{\"b\":null}],\"c\":\"d\"}";
    struct fk_guard guard;
    fk_guard_init(&guard, sizeof text);
    for (size_t size = 0; size < sizeof text; size++) {
        struct fk_json json = fk_json_of(fk_guard_copy(&guard, fk_bytes_of(text, size)));
        fk_json_skip(&json);
        assert_int_equal(!json.failed, size == sizeof text - 1);
        json = fk_json_of(fk_guard_copy(&guard, fk_bytes_of(text + size, sizeof text - 1 - size)));
        (void)fk_json_string(&json, &arena);
    }
    fk_guard_deinit(&guard);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(objects_are_walked),
    TEST(strings_are_unescaped),
    TEST(what_does_not_parse_fails_for_good),
    TEST(numbers_are_whole_and_fit),
    TEST(members_are_found),
    TEST(nesting_has_an_end),
    TEST(strings_are_written),
    TEST(nothing_is_read_beyond_the_end),
};

FK_TEST_MAIN(tests)
