// SPDX-License-Identifier: Apache-2.0
/* The check before the library: each required field once, ours; and how a name becomes an identity. */
#include "host/sasl_digest.h"

#include "support/test.h"

#define USER  "username=\"bob\""
#define REALM "realm=\"zk-sasl-md5\""
#define NONCE "nonce=\"abc\",cnonce=\"def\",nc=00000001"
#define URI   "digest-uri=\"zookeeper/zk-sasl-md5\""
#define PROOF "response=0123456789abcdef0123456789abcdef"
#define REST  REALM "," NONCE "," URI "," PROOF

static void tokens_that_pass(void **state)
{
    static const char *const good[] = {
        USER "," REST,
        REST "," USER ",qop=auth,charset=utf-8,maxbuf=65536",
        " UserName = \"b\\\"ob\" , " REST ",QOP=\"auth\",unknown=\"thing\"",
        USER "," REST ",authzid=\"bob\"",
        USER "," REST ",authzid=\"\"",
        "username=bob," REST,
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!fk_sasl_digest_check(fk_bytes_text(good[i]))) {
            fail_msg("%s", good[i]);
        }
    }
}

static void tokens_that_do_not(void **state)
{
    static const char *const bad[] = {
        "",
        ",",
        REST,
        USER "," REALM "," NONCE "," URI,
        USER "," REALM "," NONCE "," PROOF,
        USER "," NONCE "," URI "," PROOF,
        USER "," REALM ",nonce=\"abc\",nc=00000001," URI "," PROOF,
        USER "," REALM ",nonce=\"abc\",cnonce=\"def\"," URI "," PROOF,
        "username=\"\"," REST,
        "username=\" bob\"," REST,
        "username=\"bob \"," REST,
        USER "," USER "," REST,
        USER ",USERNAME=\"eve\"," REST,
        USER "," REST "," PROOF,
        USER "," REST ",qop=auth-int",
        USER "," REST ",qop=auth,qop=auth",
        USER "," REST ",charset=latin1",
        USER "," REST ",authzid=\"eve\"",
        USER ",realm=\"other\"," NONCE "," URI "," PROOF,
        USER "," REALM "," NONCE ",digest-uri=\"zookeeper/other\"," PROOF,
        USER "," REALM ",nonce=\"abc\",cnonce=\"def\",nc=00000002," URI "," PROOF,
        USER "," REALM "," NONCE "," URI ",response=0123",
        USER "," REALM "," NONCE "," URI ",response=0123456789ABCDEF0123456789ABCDEF",
        USER "," REST ",",
        USER "," REST ",x",
        USER "," REST ",x=\"",
        USER "," REST ",=y",
        USER ";" REST,
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (fk_sasl_digest_check(fk_bytes_text(bad[i]))) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void a_nul_or_a_long_token(void **state)
{
    static const char nul[] = "username=\"b\0b\"," REST;
    char large[5000];
    (void)state;
    assert_false(fk_sasl_digest_check(fk_bytes_of(nul, sizeof nul - 1)));
    (void)snprintf(large, sizeof large, "%s", USER "," REST ",x=\"");
    memset(large + strlen(large), 'y', sizeof large - 1 - strlen(USER "," REST ",x=\""));
    large[sizeof large - 2] = '"';
    large[sizeof large - 1] = '\0';
    assert_false(fk_sasl_digest_check(fk_bytes_text(large)));
}

static void names_to_identities(void **state)
{
    static const struct {
        const char *name;
        bool host, realm;
        const char *identity; /* NULL: none */
    } cases[] = {
        {"alice@OURS", false, false, "alice@OURS"},
        {"alice@OURS", false, true, "alice"},
        {"alice/h@OURS", false, false, "alice/h@OURS"},
        {"alice/h@OURS", true, false, "alice@OURS"},
        {"alice/h@OURS", false, true, "alice/h"},
        {"alice/h@OURS", true, true, "alice"},
        {"alice/h@THEIRS", true, true, "alice/h@THEIRS"},
        {"alice@THEIRS", false, true, "alice@THEIRS"},
        {"alice", true, true, "alice"},
        {"alice/h", true, true, "alice/h"},
        {"", false, false, NULL},
        {"@OURS", false, false, NULL},
        {"alice@", false, false, NULL},
        {"alice@OURS@OURS", true, true, NULL},
        {"alice/a/b@OURS", true, true, NULL},
        {"/h@OURS", true, true, NULL},
        {"alice/@OURS", true, true, NULL},
        {"alice@OURS/h", true, true, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fk_buf identity = FK_BUF_EMPTY;
        bool ok = fk_sasl_identity(fk_bytes_text(cases[i].name), "OURS", cases[i].host, cases[i].realm, &identity);
        if (ok != (cases[i].identity != NULL) ||
            (ok && !fk_bytes_equal_text(fk_buf_view(&identity), cases[i].identity))) {
            fail_msg("%s: %.*s", cases[i].name, (int)fk_buf_left(&identity), (const char *)identity.data);
        }
        fk_buf_deinit(&identity);
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(tokens_that_pass),
    FK_TEST(tokens_that_do_not),
    FK_TEST(a_nul_or_a_long_token),
    FK_TEST(names_to_identities),
};

FK_TEST_MAIN(tests)
