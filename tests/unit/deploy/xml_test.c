// SPDX-License-Identifier: Apache-2.0
#include "deploy/xml.h"

#include "support/test.h"

static struct fk_xml_element element;

static bool next(struct fk_bytes *rest)
{
    return fk_xml_next(rest, &element);
}

static void elements_one_after_the_other(void **state)
{
    (void)state;
    struct fk_bytes rest =
        FK_BYTES_LITERAL("<?xml version=\"1.0\"?>\n<!-- <x> --><a k=\"v\">1<b/></a > <c/><d>2</d>tail");
    assert_true(next(&rest));
    fk_assert_text(element.name, "a");
    fk_assert_text(element.inner, "1<b/>");
    assert_true(next(&rest));
    fk_assert_text(element.name, "c");
    assert_int_equal(element.inner.size, 0);
    assert_true(next(&rest));
    fk_assert_text(element.inner, "2");
    assert_false(next(&rest));
}

/* Lists of lists have members in members. */
static void equal_names_nest(void **state)
{
    (void)state;
    struct fk_bytes rest = FK_BYTES_LITERAL("<m><m>1</m><m/><m>2</m></m><m>3</m>");
    assert_true(next(&rest));
    fk_assert_text(element.inner, "<m>1</m><m/><m>2</m>");
    assert_true(next(&rest));
    fk_assert_text(element.inner, "3");
}

static void what_does_not_nest_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"",         "text",     "<",       "<a",    "<a>",         "<a>1<b></a>",
                                        "<a>1</b>", "</a>",     "<a><b/>", "<!-- ", "<a><!--</a>", "<![CDATA[<a></a>",
                                        "<a></a",   "<a>1</ a>"};
    struct fk_guard guard;
    fk_guard_init(&guard, 64);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fk_bytes rest = fk_guard_copy(&guard, fk_bytes_text(texts[i]));
        assert_false(next(&rest));
    }
    fk_guard_deinit(&guard);
}

static void an_element_is_found_by_its_path(void **state)
{
    (void)state;
    struct fk_bytes xml = FK_BYTES_LITERAL("<r><s><x>no</x></s><t><l><m>1</m></l><l><m>2</m></l></t></r>");
    fk_assert_text(fk_xml_find(xml, "r/t/l/m"), "1");
    fk_assert_text(fk_xml_find(xml, "r/s/x"), "no");
    assert_null(fk_xml_find(xml, "r/x").data);
    assert_null(fk_xml_find(xml, "r/t/l/n").data);
    assert_null(fk_xml_find(FK_BYTES_NULL, "r").data);
}

static void texts_without_entities(void **state)
{
    (void)state;
    static const struct {
        const char *inner;
        const char *text;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"a &lt;b&gt; &amp;amp; &quot;c&quot; didn&apos;t", "a <b> &amp; \"c\" didn't"},
        {"didn&#39;t &#x27;&#x2F;", "didn't '/"},
        {"&unknown; & &; &#; &#x; &#xZ; &#0; &#233; &", "&unknown; & &; &#; &#x; &#xZ; &#0; &#233; &"},
        {"&amp", "&amp"},
    };
    struct fk_arena arena = FK_ARENA_EMPTY;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(fk_xml_text(&arena, fk_bytes_text(rows[i].inner)), rows[i].text);
    }
    assert_string_equal(fk_xml_find_text(&arena, FK_BYTES_LITERAL("<a>1</a>"), "b"), "");
    fk_arena_deinit(&arena);
    fk_test_fail_all(true);
    assert_null(fk_xml_text(&arena, FK_BYTES_LITERAL("x")));
    fk_test_fail_all(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(elements_one_after_the_other),    FK_TEST(equal_names_nest),       FK_TEST(what_does_not_nest_is_none),
        FK_TEST(an_element_is_found_by_its_path), FK_TEST(texts_without_entities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
