// SPDX-License-Identifier: Apache-2.0
/* The login file, against what Java's ConfigFile takes; and what is refused, with the place and never a value. */
#include "host/jaas.h"

#include "support/test.h"

#define DIGEST   "org.apache.zookeeper.server.auth.DigestLoginModule"
#define KERBEROS "com.sun.security.auth.module.Krb5LoginModule"

static struct fk_jaas_login login;
static struct fk_diag diag;

static enum fk_err parse(const char *text)
{
    diag.text[0] = '\0';
    return fk_jaas_parse(fk_bytes_text(text), "login.conf", "Server", &login, &diag);
}

static void users_of_the_section(void **state)
{
    (void)state;
    assert_int_equal(parse("Client { " DIGEST " required user_no=\"other\"; };\n"
                           "Server { // comment\n  " DIGEST " REQUIRED /* and\n another */\n"
                           "  user_bob=\"bobs secret\" user_eve='e\"v\\\\e' user_a.b-c_d=word$1 debug=true;\n};"),
                     FK_OK);
    assert_true(login.found && !login.kerberos);
    assert_int_equal(login.user_count, 3);
    assert_string_equal(login.users[0].name, "bob");
    assert_string_equal(login.users[0].password, "bobs secret");
    assert_string_equal(login.users[1].password, "e\"v\\e");
    assert_string_equal(login.users[2].name, "a.b-c_d");
    assert_string_equal(login.users[2].password, "word$1");
    fk_jaas_login_deinit(&login);
}

static void escapes_are_javas(void **state)
{
    (void)state;
    assert_int_equal(parse("Server { " DIGEST " required user_a=\"\\\"\\\\\\t\\101\\0601\\7z\\q\"; };"), FK_OK);
    assert_string_equal(login.users[0].password, "\"\\\tA01\az"
                                                 "q");
    fk_jaas_login_deinit(&login);
}

static void a_file_without_the_section(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "// nothing\n", "Client { a.B required; };",
                                        "Server2 { a.B optional c=d; };"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(parse(texts[i]), FK_OK);
        assert_false(login.found);
        assert_int_equal(login.user_count, 0);
        fk_jaas_login_deinit(&login);
    }
}

static void a_principal_and_its_keytab(void **state)
{
    (void)state;
    assert_int_equal(parse("Server { " KERBEROS " required useKeyTab=true storeKey=true keyTab=\"/etc/zk.keytab\""
                           " principal=\"zookeeper/zk1@EXAMPLE.ORG\"; };"),
                     FK_OK);
    assert_true(login.kerberos);
    assert_string_equal(login.keytab, "/etc/zk.keytab");
    assert_string_equal(login.principal, "zookeeper/zk1@EXAMPLE.ORG");
    fk_jaas_login_deinit(&login);
}

static void many_users(void **state)
{
    (void)state;
    struct fk_buf text = FK_BUF_EMPTY;
    fk_buf_append(&text, FK_BYTES_LITERAL("Server { " DIGEST " required"));
    for (int i = 0; i < 1000; i++) {
        fk_buf_print(&text, " user_u%d=\"p%d\"", i, i);
    }
    fk_buf_append(&text, FK_BYTES_LITERAL("; };"));
    assert_int_equal(fk_jaas_parse(fk_buf_view(&text), "login.conf", "Server", &login, &diag), FK_OK);
    assert_int_equal(login.user_count, 1000);
    assert_string_equal(login.users[999].password, "p999");
    fk_jaas_login_deinit(&login);
    fk_buf_deinit(&text);
}

static void what_is_wrong_is_named_and_no_value_repeated(void **state)
{
    static const struct {
        const char *text;
        const char *message; /* begins with it */
    } bad[] = {
        {"Server", "login.conf:1: expected '{'"},
        {"Server {\n " DIGEST " required\n user_a=\"canary\"", "login.conf:3: "},
        {"Server { " DIGEST " required user_a=\"canary; };", "login.conf:1: this quoted text has no end"},
        {"Server { " DIGEST " required user_a=\"canary\\\n\"; };", "login.conf:1: this quoted text has no end"},
        {"Server { /* canary", "login.conf:1: this comment has no end"},
        {"Server { " DIGEST " canary; };", "login.conf:1: expected required"},
        {"Server { canary required; };", "login.conf:1: unknown login module"},
        {"Server { " DIGEST " required user_a=\"\"; };", "login.conf:1: an empty password"},
        {"Server { " DIGEST " required user_=\"canary\"; };", "login.conf:1: user_ needs a name"},
        {"Server { " DIGEST " required\nuser_a=canary\nuser_a=canary; };", "login.conf:3: this user stands"},
        {"Server { " DIGEST " required user_a=\"${canary}\"; };", "login.conf:1: ${...}"},
        {"Server { " DIGEST " required user_a canary; };", "login.conf:1: expected '='"},
        {"Server { " DIGEST " required user_a=; };", "login.conf:1: expected a value"},
        {"Server { " DIGEST " required; };\nServer { };", "login.conf:2: this section stands"},
        {"Server { " DIGEST " required; }", "login.conf:1: expected ';'"},
        {"Server { " DIGEST " required user_a=can(ary; };", "login.conf:1: unexpected character"},
        {"Server { " KERBEROS " required principal=\"a/b@C\"; };", "login.conf:1: Krb5LoginModule needs useKeyTab"},
        {"Server { " KERBEROS " required useKeyTab=true keyTab=k principal=a; };",
         "login.conf:1: Krb5LoginModule needs principal"},
        {"Server { " KERBEROS " required useKeyTab=true keyTab=k principal=\"a/@R\"; };",
         "login.conf:1: Krb5LoginModule needs principal"},
        {"Server { " KERBEROS " required keyTab=k keyTab=l; };", "login.conf:1: keyTab stands"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(parse(bad[i].text), FK_ERR_USAGE);
        if (strncmp(diag.text, bad[i].message, strlen(bad[i].message)) != 0) {
            fail_msg("%s: %s", bad[i].text, diag.text);
        }
        assert_null(strstr(diag.text, "canary"));
        assert_null(login.users);
    }
}

static void a_nul_or_a_long_text(void **state)
{
    (void)state;
    static const char nul[] = "Server { " DIGEST " required user_a=\"a\0b\"; };";
    assert_int_equal(fk_jaas_parse(fk_bytes_of(nul, sizeof nul - 1), "login.conf", "Server", &login, &diag),
                     FK_ERR_USAGE);
    struct fk_buf text = FK_BUF_EMPTY;
    fk_buf_append(&text, FK_BYTES_LITERAL("Server { " DIGEST " required user_a=\""));
    for (int i = 0; i < 100000; i++) {
        fk_buf_append(&text, FK_BYTES_LITERAL("x"));
    }
    assert_int_equal(fk_jaas_parse(fk_buf_view(&text), "login.conf", "Server", &login, &diag), FK_ERR_USAGE);
    fk_buf_deinit(&text);
}

static void a_file_that_is_not_there(void **state)
{
    (void)state;
    diag.text[0] = '\0';
    assert_int_equal(fk_jaas_load("/nowhere/login.conf", "Server", &login, &diag), FK_ERR_IO);
    assert_non_null(strstr(diag.text, "/nowhere/login.conf"));
}

static void each_allocation_may_fail(void **state)
{
    uint64_t nth = 1;
    enum fk_err err = FK_OK;
    (void)state;
    do {
        fk_test_fail_alloc(nth++);
        err = parse("Server { " DIGEST " required user_a=b user_c=d user_e=f; " KERBEROS
                    " optional useKeyTab=true keyTab=k principal=\"a/b\"; };");
        assert_true(fk_test_alloc_failed() ? err == FK_ERR_NOMEM : err == FK_OK);
        fk_jaas_login_deinit(&login);
    } while (fk_test_alloc_failed());
    fk_test_fail_alloc(0);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(users_of_the_section),
    FK_TEST(escapes_are_javas),
    FK_TEST(a_file_without_the_section),
    FK_TEST(a_principal_and_its_keytab),
    FK_TEST(many_users),
    FK_TEST(what_is_wrong_is_named_and_no_value_repeated),
    FK_TEST(a_nul_or_a_long_text),
    FK_TEST(a_file_that_is_not_there),
    FK_TEST(each_allocation_may_fail),
};

FK_TEST_MAIN(tests)
