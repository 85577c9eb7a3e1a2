// SPDX-License-Identifier: Apache-2.0
/* Rules of paths: org.apache.zookeeper.common.PathUtils.validatePath, and where a path is split. */
#include "model/path.h"

#include "support/test.h"

#include <stdio.h>

#define PATH(literal) FK_BYTES_LITERAL(literal)

static void valid_paths(void **state)
{
    (void)state;
    const struct fk_bytes paths[] = {
        PATH("/"),
        PATH("/a"),
        PATH("/a/b"),
        PATH("/..."),
        PATH("/.a"),
        PATH("/a."),
        PATH("/..a"),
        PATH("/a/..b/c"),
        PATH("/a b"),
        PATH("/\x20"),
        PATH("/~"),
        PATH("/a:b@c#d"),
        PATH("/zookeeper/x"),
        PATH("/\\"),
        PATH("/\xc2\xa0"),     /* U+00A0: the first behind the C1 controls */
        PATH("/\xdf\xbf"),     /* U+07FF: the last of two bytes */
        PATH("/\xe0\xa0\x80"), /* U+0800: the first of three */
        PATH("/\xed\x9f\xbf"), /* U+D7FF: the last before the surrogates */
        PATH("/\xef\xa4\x80"), /* U+F900: the first behind the private use area */
        PATH("/\xef\xbf\xaf"), /* U+FFEF: the last before the specials */
        PATH("/\xe6\x97\xa5\xe6\x9c\xac/\xc3\xa9"),
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (!fk_path_valid(paths[i])) {
            fail_msg("row %zu: %.*s is valid", i, (int)paths[i].size, (const char *)paths[i].data);
        }
    }
}

static void invalid_paths(void **state)
{
    (void)state;
    const struct fk_bytes paths[] = {
        FK_BYTES_NULL,
        PATH(""),
        PATH("t"),
        PATH("a/b"),
        PATH(" /a"),
        PATH("/t/"),
        PATH("//"),
        PATH("//x"),
        PATH("/a//b"),
        PATH("/."),
        PATH("/.."),
        PATH("/t/."),
        PATH("/t/.."),
        PATH("/./t"),
        PATH("/../t"),
        PATH("/a/./b"),
        PATH("/a/../b"),
        PATH("/a\0"),
        PATH("/\0/b"),
        PATH("/\x01"),
        PATH("/a\x1f"),
        PATH("/\x7f"),
        PATH("/\xc2\x80"),         /* U+0080 */
        PATH("/\xc2\x9f"),         /* U+009F */
        PATH("/\xed\xa0\x80"),     /* U+D800: a surrogate, which is no UTF-8 either */
        PATH("/\xee\x80\x80"),     /* U+E000 */
        PATH("/\xef\xa3\xbf"),     /* U+F8FF */
        PATH("/\xef\xbf\xb0"),     /* U+FFF0 */
        PATH("/\xef\xbf\xbd"),     /* U+FFFD, what Java makes of bad UTF-8 */
        PATH("/\xef\xbf\xbf"),     /* U+FFFF */
        PATH("/\xf0\x9f\x98\x80"), /* U+1F600: two surrogates in Java */
        PATH("/\x80"),
        PATH("/\xc0\xaf"),
        PATH("/\xc1\xbf"),
        PATH("/\xe0\x9f\xbf"),
        PATH("/\xf8\x88\x80\x80\x80"),
        PATH("/\xff"),
        PATH("/\xfe"),
        PATH("/\xc3"),
        PATH("/\xc3/"),
        PATH("/\xe6\x97"),
        PATH("/\xe6\x97/"),
        PATH("/\xe6"),
        PATH("/\xc3\x28"),
        PATH("/\xe6\x28\xa5"),
        PATH("/\xe6\x97\x28"),
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (fk_path_valid(paths[i])) {
            fail_msg("row %zu is not valid (size %zu)", i, paths[i].size);
        }
    }
}

/* Encodes a character of the basic plane. */
static struct fk_bytes encode(uint32_t character, uint8_t bytes[4])
{
    size_t size = 0;
    bytes[size++] = '/';
    if (character < 0x80) {
        bytes[size++] = (uint8_t)character;
    } else if (character < 0x800) {
        bytes[size++] = (uint8_t)(0xc0 | (character >> 6));
        bytes[size++] = (uint8_t)(0x80 | (character & 0x3f));
    } else {
        bytes[size++] = (uint8_t)(0xe0 | (character >> 12));
        bytes[size++] = (uint8_t)(0x80 | ((character >> 6) & 0x3f));
        bytes[size++] = (uint8_t)(0x80 | (character & 0x3f));
    }
    return fk_bytes_of(bytes, size);
}

/* The rule as PathUtils has it, over the whole basic plane; '/' and '.' alone are no names for other reasons. */
static void every_character_of_the_basic_plane(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0xffff; c++) {
        uint8_t bytes[4];
        bool expected = !(c <= 0x1f || (c >= 0x7f && c <= 0x9f) || (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0 ||
                          c == '/' || c == '.');
        if (fk_path_valid(encode(c, bytes)) != expected) {
            fail_msg("U+%04X: expected %d", c, expected);
        }
    }
}

static void validation_stays_inside_the_view(void **state)
{
    (void)state;
    struct fk_guard guard;
    const struct fk_bytes whole = PATH("/a/\xe6\x97\xa5/..");
    fk_guard_init(&guard, whole.size);
    for (size_t size = 0; size <= whole.size; size++) {
        (void)fk_path_valid(fk_guard_copy(&guard, fk_bytes_head(whole, size)));
    }
    fk_guard_deinit(&guard);
}

static void splitting_at_the_last_slash(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *parent;
        const char *name;
    } rows[] = {
        {"/a", "/", "a"},  {"/a/b", "/a", "b"}, {"/", "/", ""},          {"/a/", "/a", ""},
        {"a/b", "a", "b"}, {"//x", "/", "x"},   {"/a/b/c", "/a/b", "c"}, {"//", "/", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_bytes parent;
        struct fk_bytes name;
        assert_true(fk_path_split(fk_bytes_text(rows[i].path), &parent, &name));
        fk_assert_text(parent, rows[i].parent);
        fk_assert_text(name, rows[i].name);
    }
}

static void what_can_not_be_split(void **state)
{
    (void)state;
    const struct fk_bytes paths[] = {FK_BYTES_NULL, PATH(""), PATH("t"), PATH("/a\0b"), PATH("\0/")};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct fk_bytes parent;
        struct fk_bytes name;
        assert_false(fk_path_split(paths[i], &parent, &name));
    }
}

static void the_empty_path_is_the_root(void **state)
{
    (void)state;
    fk_assert_text(fk_path_alias(PATH("")), "/");
    fk_assert_text(fk_path_alias(FK_BYTES_NULL), "/");
    fk_assert_text(fk_path_alias(PATH("/")), "/");
    fk_assert_text(fk_path_alias(PATH("/a")), "/a");
    fk_assert_text(fk_path_alias(PATH("t")), "t");
}

static void subtrees(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *ancestor;
        bool within;
    } rows[] = {
        {"/", "/", true},         {"/a", "/", true},      {"/a/b", "/", true},    {"/a", "/a", true},
        {"/a/b", "/a", true},     {"/a/b/c", "/a", true}, {"/a/b", "/a/b", true}, {"/", "/a", false},
        {"/a", "/a/b", false},    {"/ab", "/a", false},   {"/b", "/a", false},    {"/a", "/ab", false},
        {"/a/bc", "/a/b", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(fk_path_within(fk_bytes_text(rows[i].path), fk_bytes_text(rows[i].ancestor)), rows[i].within);
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(valid_paths),
    FK_TEST(invalid_paths),
    FK_TEST(every_character_of_the_basic_plane),
    FK_TEST(validation_stays_inside_the_view),
    FK_TEST(splitting_at_the_last_slash),
    FK_TEST(what_can_not_be_split),
    FK_TEST(the_empty_path_is_the_root),
    FK_TEST(subtrees),
};

FK_TEST_MAIN(tests)
