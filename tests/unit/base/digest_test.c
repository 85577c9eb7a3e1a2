// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include "support/test.h"

static void assert_id(struct fk_bytes credentials, const char *id)
{
    struct fk_buf out = FK_BUF_EMPTY;
    assert_int_equal(fk_digest_id(credentials, &out), FK_OK);
    fk_assert_text(fk_buf_view(&out), id);
    fk_buf_deinit(&out);
}

/* Printed by ZooKeeper 3.8.0 itself: java -cp /usr/share/java/zookeeper.jar
 * org.apache.zookeeper.server.auth.DigestAuthenticationProvider TEXT; those of the empty text by openssl. */
static void ids_are_those_of_zookeeper(void **state)
{
    (void)state;
    assert_id(FK_BYTES_LITERAL("super:test"), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    assert_id(FK_BYTES_LITERAL("user:password"), "user:tpUq/4Pn5A64fVZyQ0gOJ8ZWqkY=");
    assert_id(FK_BYTES_LITERAL("a:b:c"), "a:cLzgnoJ6mP5qz3w+mwvPE2vDgu0=");
    assert_id(FK_BYTES_LITERAL("nocolon"), "nocolon:Ra+cHr2ZoHvBjtNArFGNGlVie4g=");
    assert_id(FK_BYTES_LITERAL(":x"), ":57b19mLA2vMhI/edHul/TytWqWE=");
    assert_id(FK_BYTES_LITERAL(""), ":2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
    assert_id(FK_BYTES_NULL, ":2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
}

static void ids_are_appended(void **state)
{
    (void)state;
    struct fk_buf out = FK_BUF_EMPTY;
    fk_buf_append(&out, FK_BYTES_LITERAL("digest:"));
    assert_int_equal(fk_digest_id(FK_BYTES_LITERAL("super:test"), &out), FK_OK);
    fk_assert_text(fk_buf_view(&out), "digest:super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    fk_buf_deinit(&out);
}

static void no_memory_is_reported(void **state)
{
    (void)state;
    struct fk_buf out = FK_BUF_EMPTY;
    fk_test_fail_all(true);
    assert_int_equal(fk_digest_id(FK_BYTES_LITERAL("super:test"), &out), FK_ERR_NOMEM);
    fk_test_fail_all(false);
    fk_buf_deinit(&out);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(ids_are_those_of_zookeeper),
    FK_TEST(ids_are_appended),
    FK_TEST(no_memory_is_reported),
};

FK_TEST_MAIN(tests)
