// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/shared_file.h"

#include "support/test.h"

static const char config[] = "; a comment\n"
                             "outside = 1\n"
                             "[default]\n"
                             "region = eu-west-1 # here\n"
                             "  indented = no\n"
                             "output=json\r\n"
                             "[profile  two]\r\n"
                             "REGION\t=\tus-east-1\r\n"
                             "url = http://a#b;c\n"
                             "s3 =\n"
                             "  addressing_style = path\n"
                             "  max = 1\n"
                             "region = us-east-2\n"
                             "empty =\n"
                             "[profile \"three four\"]\n"
                             "region = ap-south-1\n"
                             "[services local]\n"
                             "dynamodb =\n"
                             "  endpoint_url = http://127.0.0.1:8000\n"
                             "s3 = \n"
                             "\tendpoint_url = http://127.0.0.1:9000\n"
                             "[profile two]\n"
                             "more = yes\n"
                             "[broken\n"
                             "region = none\n"
                             "no equals sign\n"
                             "= no key";

static void check(const char *kind, const char *name, const char *outer, const char *key, const char *value)
{
    struct fk_bytes found = fk_shared_file_get(fk_bytes_text(config), kind, name, outer, key);
    if (value == NULL) {
        assert_null(found.data);
    } else {
        fk_assert_text(found, value);
    }
}

static void values(void **state)
{
    (void)state;
    check("profile", "default", "", "region", "eu-west-1");
    check("", "default", "", "region", "eu-west-1");
    check("profile", "default", "", "indented", NULL);
    check("profile", "default", "", "output", "json");
    check("profile", "default", "", "outside", NULL);
    check("profile", "two", "", "region", "us-east-2");
    check("profile", "two", "", "Url", "http://a#b;c");
    check("profile", "two", "s3", "addressing_style", "path");
    check("profile", "two", "S3", "max", "1");
    check("profile", "two", "", "max", NULL);
    check("profile", "two", "", "empty", NULL);
    check("profile", "two", "", "more", "yes");
    check("profile", "three four", "", "region", "ap-south-1");
    check("services", "local", "dynamodb", "endpoint_url", "http://127.0.0.1:8000");
    check("services", "local", "s3", "endpoint_url", "http://127.0.0.1:9000");
    check("services", "local", "sqs", "endpoint_url", NULL);
    check("", "two", "", "region", NULL);
    check("profile", "none", "", "region", NULL);
    check("services", "default", "", "region", NULL);
    assert_null(fk_shared_file_get(FK_BYTES_NULL, "", "a", "", "b").data);
}

static void sections(void **state)
{
    (void)state;
    assert_true(fk_shared_file_has_section(fk_bytes_text(config), "profile", "three four"));
    assert_true(fk_shared_file_has_section(fk_bytes_text(config), "profile", "default"));
    assert_false(fk_shared_file_has_section(fk_bytes_text(config), "profile", "broken"));
    assert_false(fk_shared_file_has_section(fk_bytes_text(config), "profile", "tw"));
    assert_false(fk_shared_file_has_section(FK_BYTES_NULL, "profile", "two"));
}

/* Whatever it ends with, nothing behind the text is read. */
static void texts_that_end_early(void **state)
{
    (void)state;
    struct fk_guard guard;
    fk_guard_init(&guard, sizeof config);
    for (size_t size = 0; size < sizeof config; size++) {
        struct fk_bytes text = fk_guard_copy(&guard, fk_bytes_of(config, size));
        (void)fk_shared_file_get(text, "profile", "two", "s3", "max");
        (void)fk_shared_file_has_section(text, "services", "none");
    }
    fk_guard_deinit(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {FK_TEST(values), FK_TEST(sections), FK_TEST(texts_that_end_early)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
