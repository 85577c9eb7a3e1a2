// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include "support/test.h"

static void every_code_has_its_own_text(void **state)
{
    (void)state;
    for (int a = 0; a < FK_ERR_COUNT; a++) {
        const char *text = fk_err_text((enum fk_err)a);
        assert_non_null(text);
        assert_true(text[0] != '\0');
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(text, fk_err_text((enum fk_err)b));
        }
    }
    assert_string_equal(fk_err_text(FK_OK), "no error");
    assert_string_equal(fk_err_text(FK_ERR_MALFORMED), "bytes do not parse");
}

/* The classes that callers decide on: a wrong one would repeat what was applied, or give up on what can be repeated. */
static void retry_classes(void **state)
{
    (void)state;
    assert_int_equal(fk_err_retry(FK_ERR_UNKNOWN), FK_RETRY_UNKNOWN);
    assert_int_equal(fk_err_retry(FK_ERR_BUSY), FK_RETRY_TRANSIENT);
    assert_int_equal(fk_err_retry(FK_ERR_REFUSED), FK_RETRY_TRANSIENT);
    assert_int_equal(fk_err_retry(FK_ERR_NOMEM), FK_RETRY_TRANSIENT);
    assert_int_equal(fk_err_retry(FK_ERR_FULL), FK_RETRY_TRANSIENT);
    assert_int_equal(fk_err_retry(FK_ERR_MALFORMED), FK_RETRY_PERMANENT);
    assert_int_equal(fk_err_retry(FK_ERR_DAMAGED), FK_RETRY_PERMANENT);
    for (int err = 0; err < FK_ERR_COUNT; err++) {
        assert_in_range(fk_err_retry((enum fk_err)err), FK_RETRY_PERMANENT, FK_RETRY_UNKNOWN);
    }
}

static void the_first_message_is_kept(void **state)
{
    (void)state;
    struct fk_diag diag = {""};
    fk_diag_set(&diag, "file %s, offset %d", "log.1", 42);
    assert_string_equal(diag.text, "file log.1, offset 42");
    fk_diag_set(&diag, "a later one");
    assert_string_equal(diag.text, "file log.1, offset 42");
    fk_diag_set(NULL, "nobody asked: %d", 1);
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    struct fk_diag diag = {""};
    fk_diag_set(&diag, "%0*d", 2000, 7);
    assert_int_equal(strlen(diag.text), sizeof diag.text - 1);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(every_code_has_its_own_text),
    FK_TEST(retry_classes),
    FK_TEST(the_first_message_is_kept),
    FK_TEST(long_messages_are_cut),
};

FK_TEST_MAIN(tests)
