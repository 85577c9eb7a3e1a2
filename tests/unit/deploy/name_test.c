// SPDX-License-Identifier: Apache-2.0
#include "deploy/name.h"

#include "deploy/form.h"
#include "support/test.h"

static struct fk_deploy_names names;
static struct fk_diag diag;

static enum fk_err init(const char *deployment)
{
    diag.text[0] = '\0';
    return fk_deploy_names_init(&names, deployment, &diag);
}

static void parts_are_named_after_the_deployment(void **state)
{
    (void)state;
    assert_int_equal(init("prod-1"), FK_OK);
    assert_string_equal(names.stack, "faaskeeper-prod-1");
    assert_string_equal(names.requests, "faaskeeper-prod-1-requests.fifo");
    assert_string_equal(names.distributor, "faaskeeper-prod-1-distributor.fifo");
    assert_string_equal(names.dead, "faaskeeper-prod-1-dead.fifo");
    assert_string_equal(names.gateway_prefix, "faaskeeper-prod-1-gw-");
    assert_string_equal(names.writer_function, "faaskeeper-prod-1-writer");
    assert_string_equal(names.schedule, "faaskeeper-prod-1-heartbeat");
}

/* What AWS takes at most, of the longest name. */
static void the_longest_name_fits_everywhere(void **state)
{
    (void)state;
    char name[FK_DEPLOY_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    name[FK_DEPLOY_NAME_MAX + 1] = '\0';
    assert_int_equal(init(name), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "1 to 40"));
    name[FK_DEPLOY_NAME_MAX] = '\0';
    assert_int_equal(init(name), FK_OK);
    assert_true(strlen(names.distributor_function) <= 64);
    assert_true(strlen(names.heartbeat_function) <= 64);
    assert_true(strlen(names.schedule) <= 64);
    assert_true(strlen(names.distributor) <= 80);
    assert_true(strlen(names.gateway_prefix) + 16 <= 80);
    assert_true(strlen(names.stack) <= 128);
}

static void names_that_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-a", "a-", "A", "a_b", "a.b", "a b", "é", "a/b", "-"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(init(bad[i]), FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, "a-z, 0-9 and '-'"));
    }
    assert_int_equal(init("7"), FK_OK);
}

static void regions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum fk_err err;
    } rows[] = {
        {"eu-central-1", FK_OK},
        {"us-gov-east-1", FK_OK},
        {"ap-southeast-12", FK_OK},
        {"", FK_ERR_USAGE},
        {"eu", FK_ERR_USAGE},
        {"eu-central", FK_ERR_USAGE},
        {"eu-1", FK_ERR_USAGE},
        {"EU-central-1", FK_ERR_USAGE},
        {"eu-central-1.evil.org", FK_ERR_USAGE},
        {"e-central-1", FK_ERR_USAGE},
        {"-eu-central-1", FK_ERR_USAGE},
        {"eu-central-1-", FK_ERR_USAGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_diag text = {.text = ""};
        assert_int_equal(fk_deploy_region_check(rows[i].text, &text), rows[i].err);
        assert_int_equal(text.text[0] == '\0', rows[i].err == FK_OK);
    }
}

static void forms(void **state)
{
    (void)state;
    struct fk_buf form = FK_BUF_EMPTY;
    fk_form_add(&form, "Action", "List");
    fk_form_add(&form, "A", "a b&c=d/~-_.\xc3\xa9");
    fk_form_add_member(&form, "P", 2, "Key", "x");
    fk_form_add_member(&form, "C", 1, "", "y");
    fk_assert_text(fk_buf_view(&form), "Action=List&A=a%20b%26c%3Dd%2F~-_.%C3%A9&P.member.2.Key=x&C.member.1=y");
    fk_buf_clear(&form);
    fk_form_encode(&form, FK_BYTES_LITERAL("a/b c"), true);
    fk_assert_text(fk_buf_view(&form), "a/b%20c");
    fk_buf_deinit(&form);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(parts_are_named_after_the_deployment),
        FK_TEST(the_longest_name_fits_everywhere),
        FK_TEST(names_that_are_refused),
        FK_TEST(regions),
        FK_TEST(forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
