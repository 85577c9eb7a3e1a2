// SPDX-License-Identifier: Apache-2.0
/* zoo.cfg: the syntax of a properties file, each key with good and bad values, and where a bad one stands. */
#include "cli/config_internal.h"

#include "gateway/gateway.h"
#include "support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct fk_config config;
static struct fk_diag diag;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    fk_config_init(&config);
    diag = (struct fk_diag){.text = ""};
    return result;
}

static int teardown(void **state)
{
    fk_config_deinit(&config);
    return fk_test_end(state);
}

#define CONFIG_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void again(void)
{
    fk_config_deinit(&config);
    fk_config_init(&config);
    diag = (struct fk_diag){.text = ""};
}

static enum fk_err parse(const char *text)
{
    return fk_config_parse(&config, fk_bytes_text(text), "zoo.cfg", &diag);
}

static void parse_ok(const char *text)
{
    again();
    if (parse(text) != FK_OK) {
        fail_msg("refused: %s\n%s", diag.text, text);
    }
}

static void parse_bad(const char *text, const char *message)
{
    again();
    assert_int_equal(parse(text), FK_ERR_USAGE);
    assert_string_equal(diag.text, message);
}

/* Valid until the next call. */
static const char *text_of(const struct fk_buf *buf)
{
    static char text[1024];
    size_t size = fk_buf_left(buf);
    assert_true(size < sizeof text);
    if (size > 0) {
        memcpy(text, fk_buf_view(buf).data, size);
    }
    text[size] = '\0';
    return text;
}

static const char *unknown(void)
{
    return text_of(&config.unknown);
}

static void defaults(void **state)
{
    (void)state;
    parse_ok("");
    assert_null(config.data_directory);
    assert_null(config.client_address);
    assert_null(config.auth.super_digest);
    assert_int_equal(config.client_port, -1);
    assert_int_equal(config.tick_ms, 3000);
    assert_int_equal(config.connections_per_address, 60);
    assert_int_equal(config.segment_size_kb, 0);
    assert_true(config.sync);
    assert_int_equal(config.words, FK_WORD_SRVR);
    assert_int_equal(config.servers, 0);
    assert_int_equal(fk_config_finish(&config, &diag), FK_OK);
    assert_int_equal(config.session_timeout_min_ms, 6000);
    assert_int_equal(config.session_timeout_max_ms, 60000);
}

static void the_file_that_everybody_has(void **state)
{
    (void)state;
    parse_ok("# The number of milliseconds of each tick\n"
             "tickTime=2000\n"
             "initLimit=10\n"
             "syncLimit=5\n"
             "dataDir=/var/lib/zookeeper\n"
             "clientPort=2181\n"
             "#maxClientCnxns=60\n"
             "server.1=localhost:2888:3888\n");
    assert_int_equal(config.tick_ms, 2000);
    assert_string_equal(config.data_directory, "/var/lib/zookeeper");
    assert_int_equal(config.client_port, 2181);
    assert_int_equal(config.servers, 1);
    assert_string_equal(unknown(), "");
    assert_int_equal(fk_config_finish(&config, &diag), FK_OK);
    assert_int_equal(config.session_timeout_min_ms, 4000);
    assert_int_equal(config.session_timeout_max_ms, 40000);
}

/* Each line sets the port to 5, or the directory to what is said. */
static void separators(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "clientPort=5",       "clientPort:5",         "clientPort 5",         "clientPort\t5",
        "clientPort = 5",     "clientPort :5",        "  clientPort=5",       "\t\f clientPort=5",
        "clientPort=5  ",     "clientPort=5\t\f ",    "clientPort=5\r\n",     "clientPort=5\n",
        "clientPort   5\n",   "\n\n  \nclientPort=5", "client\\Port=5",       "\\clientPort=5",
        "clientPort=\\u0035", "clientPort=\\5",       "#x\n!y\nclientPort=5", "clientPort=4\nclientPort=5",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        parse_ok(lines[i]);
        if (config.client_port != 5) {
            fail_msg("row %zu: %d from %s", i, config.client_port, lines[i]);
        }
    }
}

static void values_of_text(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *value;
    } rows[] = {
        {"dataDir=/a b/c", "/a b/c"},
        {"dataDir=/a=b:c", "/a=b:c"},
        {"dataDir==/a", "=/a"},
        {"dataDir=/a#b", "/a#b"},
        {"dataDir=/a\\\\b", "/a\\b"},
        {"dataDir=\\ /a", " /a"},
        {"dataDir=/a\\tb", "/a\tb"},
        {"dataDir=/a\\nb", "/a\nb"},
        {"dataDir=/a\\rb", "/a\rb"},
        {"dataDir=/a\\fb", "/a\fb"},
        {"dataDir=/a\\:b", "/a:b"},
        {"dataDir=/a\\qb", "/aqb"},
        {"dataDir=/a\\u0041b", "/aAb"},
        {"dataDir /a = b", "/a = b"},
        {"dataDir=/\xc3\xa9", "/\xc3\xa9"},
        {"dataDir=/a\\\n/b", "/a/b"},
        {"dataDir=/a\\\r\n/b", "/a/b"},
        {"dataDir=/a\\\n   /b", "/a/b"},
        {"dataDir=/a\\\n\t\\\n  /b", "/a/b"},
        {"dataDir\\\n=/b", "/b"},
        {"data\\\n   Dir=/b", "/b"},
        {"dataDir=/a\\\\\nclientPort=5", "/a\\"},
        {"# a comment \\\ndataDir=/b", "/b"},
        {"! another \\\ndataDir=/b", "/b"},
        {"dataDir=/a\\\n# no comment", "/a# no comment"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        parse_ok(rows[i].line);
        if (config.data_directory == NULL || strcmp(config.data_directory, rows[i].value) != 0) {
            fail_msg("row %zu: '%s', expected '%s'", i, config.data_directory, rows[i].value);
        }
    }
}

static void lines_without_a_key_or_value(void **state)
{
    (void)state;
    parse_ok("");
    parse_ok("\n\r\n \t\f\n#\n!\n# x = y\n");
    assert_string_equal(unknown(), "");
    parse_ok("alone");
    assert_string_equal(unknown(), "alone");
    parse_ok("alone=\n");
    assert_string_equal(unknown(), "alone");
    parse_ok("\\");
    again();
    assert_int_equal(fk_config_parse(&config, FK_BYTES_LITERAL("a=\0b"), "zoo.cfg", &diag), FK_ERR_USAGE);
    assert_string_equal(diag.text, "zoo.cfg: has a NUL byte, this is no text file");
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t offset;
        int64_t min;
        int64_t max;
    } rows[] = {
        {"clientPort", offsetof(struct fk_config, client_port), 0, 65535},
        {"tickTime", offsetof(struct fk_config, tick_ms), 1, 86400000},
        {"minSessionTimeout", offsetof(struct fk_config, session_timeout_min_ms), -1, 86400000},
        {"maxSessionTimeout", offsetof(struct fk_config, session_timeout_max_ms), -1, 86400000},
        {"maxClientCnxns", offsetof(struct fk_config, connections_per_address), INT32_MIN, INT32_MAX},
        {"preAllocSize", offsetof(struct fk_config, segment_size_kb), 0, 1048576},
        {"nio.sessionlessCnxnTimeout", offsetof(struct fk_config, handshake_ms), 1, 86400000},
        {"jute.maxbuffer", offsetof(struct fk_config, frame_size_max), 64, 64 * 1024 * 1024},
    };
    static const char *const bad[] = {"", "x", "5x", "0x10", "1.5", "99999999999999999999", "--5", "1,000"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t good[] = {rows[i].min, rows[i].min + 1, rows[i].max};
        char line[128];
        char message[256];
        for (size_t n = 0; n < 3; n++) {
            int32_t value = 0;
            (void)snprintf(line, sizeof line, "%s=%lld", rows[i].key, (long long)good[n]);
            parse_ok(line);
            memcpy(&value, (const char *)&config + rows[i].offset, sizeof value);
            assert_int_equal(value, good[n]);
        }
        for (size_t n = 0; n < sizeof bad / sizeof bad[0] + 2; n++) {
            char value[32];
            size_t count = sizeof bad / sizeof bad[0];
            (void)snprintf(value, sizeof value, "%lld", (long long)(n == count ? rows[i].min - 1 : rows[i].max + 1));
            const char *text = n < count ? bad[n] : value;
            (void)snprintf(line, sizeof line, "# first\n\n  %s = %s\nother=1\n", rows[i].key, text);
            (void)snprintf(message, sizeof message, "zoo.cfg:3: %s=%s: expected a whole number from %lld to %lld",
                           rows[i].key, text, (long long)rows[i].min, (long long)rows[i].max);
            parse_bad(line, message);
        }
    }
}

static void texts_yes_and_no(void **state)
{
    (void)state;
    parse_ok("clientPortAddress=127.0.0.1");
    assert_string_equal(config.client_address, "127.0.0.1");
    parse_ok("forceSync=no");
    assert_false(config.sync);
    parse_ok("forceSync=false");
    assert_false(config.sync);
    parse_ok("forceSync=no\nforceSync=yes");
    assert_true(config.sync);
    parse_ok("forceSync=no\nforceSync=true");
    assert_true(config.sync);
    parse_bad("forceSync=maybe", "zoo.cfg:1: forceSync=maybe: expected yes or no");
    parse_bad("forceSync=", "zoo.cfg:1: forceSync=: expected yes or no");
    parse_bad("\ndataDir=", "zoo.cfg:2: dataDir=: expected a path");
    parse_bad("clientPortAddress", "zoo.cfg:1: clientPortAddress=: expected a host name or address");
}

static void the_place_of_a_line_that_goes_on(void **state)
{
    (void)state;
    parse_bad("a=1\nclientPort\\\n=\\\n  x\n", "zoo.cfg:2: clientPort=x: expected a whole number from 0 to 65535");
    parse_bad("a=b\\\nc\nclientPort=x", "zoo.cfg:3: clientPort=x: expected a whole number from 0 to 65535");
}

static void the_whitelist(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        unsigned words;
    } rows[] = {
        {"*", FK_WORD_ALL},
        {"srvr", FK_WORD_SRVR},
        {"ruok,stat", FK_WORD_RUOK | FK_WORD_STAT},
        {" ruok , mntr,isro\t,envi ", FK_WORD_RUOK | FK_WORD_MNTR | FK_WORD_ISRO | FK_WORD_ENVI},
        {"", 0},
        {",,ruok,", FK_WORD_RUOK},
        {"cons,ruok,wchp", FK_WORD_CONS | FK_WORD_RUOK | FK_WORD_WCHP},
        {"ruok,*", FK_WORD_ALL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "4lw.commands.whitelist=%s", rows[i].value);
        parse_ok(line);
        assert_int_equal(config.words, rows[i].words);
    }
    parse_ok("4lw.commands.whitelist=ruok,\\\n    stat");
    assert_int_equal(config.words, FK_WORD_RUOK | FK_WORD_STAT);
    parse_ok("4lw.commands.whitelist=foo bar,, bar :.,ruok,status,");
    assert_int_equal(config.words, FK_WORD_RUOK);
    assert_non_null(strstr((const char *)config.warnings.data, "status is no four-letter word"));
}

static void the_super_digest(void **state)
{
    (void)state;
    parse_ok("DigestAuthenticationProvider.superDigest=super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    assert_string_equal(config.auth.super_digest, "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    parse_ok("DigestAuthenticationProvider.superDigest=curator-test:zghsj3JfJqK7DbWf0RQ1BgbJH9w=");
    assert_string_equal(config.auth.super_digest, "curator-test:zghsj3JfJqK7DbWf0RQ1BgbJH9w=");
    static const char *const bad[] = {"", "super:", "secret", ":hash"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "DigestAuthenticationProvider.superDigest=%s", bad[i]);
        /* The secret is not repeated. */
        parse_bad(line, "zoo.cfg:1: DigestAuthenticationProvider.superDigest: expected NAME:HASH, as "
                        "DigestAuthenticationProvider prints it");
    }
}

static void unknown_keys_are_collected(void **state)
{
    (void)state;
    parse_ok("nosuch.key=1\nclientPort=5\nadmin.enableServer=false\nclientport=6\n");
    assert_string_equal(unknown(), "nosuch.key, clientport (clientPort?)");
    assert_int_equal(config.client_port, 5);
}

static const char *warnings(void)
{
    return text_of(&config.warnings);
}

static void prefixes_and_definitions(void **state)
{
    (void)state;
    parse_ok("zookeeper.tickTime=500\nfaaskeeper.clientPort=7\n");
    assert_int_equal(config.tick_ms, 500);
    assert_int_equal(config.client_port, 7);
    assert_int_equal(fk_config_define(&config, "zookeeper.tickTime=600", &diag), FK_OK);
    assert_int_equal(fk_config_define(&config, "jute.maxbuffer=4096", &diag), FK_OK);
    assert_int_equal(config.tick_ms, 600);
    assert_int_equal(config.frame_size_max, 4096);
    assert_int_equal(fk_config_define(&config, "tickTime", &diag), FK_ERR_USAGE);
    assert_string_equal(diag.text, "-D: expected KEY=VALUE");
    diag.text[0] = '\0';
    assert_int_equal(fk_config_define(&config, "tickTime=never", &diag), FK_ERR_USAGE);
    assert_string_equal(diag.text, "-D: tickTime=never: expected a whole number from 1 to 86400000");
    assert_int_equal(config.tick_ms, 600);
}

static void secrets_are_not_taken_from_the_command_line(void **state)
{
    static const char *const secret[] = {"DigestAuthenticationProvider.superDigest=super:canary",
                                         "zookeeper.SASLAuthenticationProvider.superPassword=canary",
                                         "ssl.keyStore.password=canary", "faaskeeper.ssl.trustStore.password=canary"};
    (void)state;
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++) {
        diag.text[0] = '\0';
        assert_int_equal(fk_config_define(&config, secret[i], &diag), FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, "everybody on this machine can read a command line"));
        assert_null(strstr(diag.text, "canary"));
    }
}

static void known_keys_that_are_not_honoured_say_why(void **state)
{
    (void)state;
    parse_ok("initLimit=10\ndataLogDir=/log\nautopurge.purgeInterval=1\nssl.quorum.keyStore.location=x\n");
    assert_string_equal(unknown(), "");
    assert_string_equal(warnings(),
                        "zoo.cfg:2: dataLogDir is not honoured: the log and the checkpoint share dataDir; put dataDir "
                        "on the faster disk\n"
                        "zoo.cfg:4: ssl.quorum.keyStore.location is not honoured: of a quorum; this is one server\n");
}

/* Every row with a value of its kind, and one that is none. */
static void each_key_takes_what_its_row_says(void **state)
{
    (void)state;
    size_t refused = 0;
    for (size_t i = 0; i < fk_config_key_count; i++) {
        const struct fk_config_key *key = &fk_config_keys[i];
        char line[256];
        if (key->kind == FK_CONFIG_SPECIAL) {
            continue; /* by hand, elsewhere */
        }
        bool number = key->kind == FK_CONFIG_NUMBER || key->kind == FK_CONFIG_LONG;
        assert_int_equal(strchr(key->name, '*') != NULL && key->kind < FK_CONFIG_IGNORED, false);
        (void)snprintf(line, sizeof line, "%s=%s", key->name,
                       key->kind == FK_CONFIG_SWITCH    ? "true"
                       : key->kind == FK_CONFIG_ADDRESS ? "host-1.example"
                                                        : "x");
        if (number) {
            (void)snprintf(line, sizeof line, "%s=%" PRId64, key->name, key->min);
        }
        parse_ok(line);
        assert_string_equal(unknown(), "");
        if (number) {
            (void)snprintf(line, sizeof line, "%s=%" PRId64, key->name, key->max);
            parse_ok(line);
            (void)snprintf(line, sizeof line, "%s=%" PRId64, key->name, key->min - 1);
        } else {
            (void)snprintf(line, sizeof line, "%s=", key->name);
        }
        bool strict =
            number || key->kind == FK_CONFIG_SWITCH || key->kind == FK_CONFIG_PATH || key->kind == FK_CONFIG_ADDRESS;
        again();
        assert_int_equal(parse(line), strict ? FK_ERR_USAGE : FK_OK);
        refused += strict ? 1 : 0;
    }
    assert_true(refused > 30);
}

static void values_of_their_own(void **state)
{
    (void)state;
    parse_ok("ssl.clientAuth=WANT\nlog.format=json\nrequireClientAuthScheme=sasl\nsuperUser=a\nsuperUser.1=b\n"
             "DigestAuthenticationProvider.digestAlg=SHA-256\n");
    assert_int_equal(config.tls.client_auth, FK_CLIENT_AUTH_WANT);
    assert_true(config.log.json && config.auth.require_sasl);
    assert_int_equal(config.auth.digest, FK_DIGEST_SHA256);
    assert_true(fk_bytes_equal_text(fk_buf_view(&config.auth.supers), "a\nb\n"));
    parse_bad("ssl.clientAuth=maybe", "zoo.cfg:1: ssl.clientAuth=maybe: expected need, want or none");
    parse_bad("log.format=xml", "zoo.cfg:1: log.format=xml: expected text or json");
    parse_bad("requireClientAuthScheme=x509", "zoo.cfg:1: requireClientAuthScheme=x509: expected sasl");
    parse_bad("superUser=", "zoo.cfg:1: superUser=: expected the name of a user");
}

static void servers(void **state)
{
    (void)state;
    parse_ok("server.0=a:1:2\n");
    assert_int_equal(fk_config_finish(&config, &diag), FK_OK);
    parse_ok("server.1=a:1:2\nserver.2=b:1:2\nserver.255=c:1:2\n");
    assert_int_equal(config.servers, 3);
    assert_int_equal(fk_config_finish(&config, &diag), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "names 3 servers"));
    assert_non_null(strstr(diag.text, "not a quorum"));
    parse_bad("server.x=a:1:2", "zoo.cfg:1: server.x=a:1:2: expected server.N with N from 0 to 255");
    parse_bad("server.256=a:1:2", "zoo.cfg:1: server.256=a:1:2: expected server.N with N from 0 to 255");
    parse_bad("server.=a:1:2", "zoo.cfg:1: server.=a:1:2: expected server.N with N from 0 to 255");
}

static void timeouts_are_checked_against_each_other(void **state)
{
    (void)state;
    parse_ok("tickTime=100\nminSessionTimeout=500\nmaxSessionTimeout=500");
    assert_int_equal(fk_config_finish(&config, &diag), FK_OK);
    assert_int_equal(config.session_timeout_min_ms, 500);
    assert_int_equal(config.session_timeout_max_ms, 500);
    parse_ok("minSessionTimeout=501\nmaxSessionTimeout=500");
    assert_int_equal(fk_config_finish(&config, &diag), FK_ERR_USAGE);
    assert_string_equal(diag.text, "minSessionTimeout (501 ms) is larger than maxSessionTimeout (500 ms)");
    parse_ok("tickTime=100\nminSessionTimeout=5000");
    assert_int_equal(fk_config_finish(&config, &diag), FK_ERR_USAGE); /* above 20 ticks */
    parse_ok("tickTime=86400000");                                    /* the largest: 20 of it still fit */
    assert_int_equal(fk_config_finish(&config, &diag), FK_OK);
    assert_int_equal(config.session_timeout_max_ms, 1728000000);
}

static void files(void **state)
{
    (void)state;
    char path[] = "fk-config-XXXXXX";
    assert_int_equal(fk_config_load(&config, "no/such/file", &diag), FK_ERR_IO);
    assert_string_equal(diag.text, "can't read no/such/file: No such file or directory");
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, "clientPort=7", 12), 12);
    assert_int_equal(close(file), 0);
    again();
    assert_int_equal(fk_config_load(&config, path, &diag), FK_OK);
    assert_int_equal(config.client_port, 7);
    assert_int_equal(truncate(path, 2 * 1024 * 1024), 0);
    again();
    assert_int_equal(fk_config_load(&config, path, &diag), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "is larger than 1048576 bytes"));
    assert_int_equal(unlink(path), 0);
    again();
    assert_int_equal(fk_config_load(&config, ".", &diag), FK_ERR_IO);
}

static void without_memory(void **state)
{
    (void)state;
    uint64_t nth = 1;
    enum fk_err err = FK_ERR_NOMEM;
    while (err != FK_OK) {
        again();
        fk_test_fail_alloc(nth++);
        err = parse("dataDir=/a\nclientPortAddress=b\\\nc\nDigestAuthenticationProvider.superDigest=super:x\n");
        fk_test_fail_alloc(0);
        assert_true(err == FK_OK || err == FK_ERR_NOMEM);
    }
    assert_true(nth > 3);
}

static void rules_of_the_tree(void **state)
{
    (void)state;
    parse_ok("");
    assert_false(config.rules.extended_types || config.rules.enforce_quota || config.rules.reconfig_enabled);
    assert_int_equal(config.rules.schemes, 0);
    assert_int_equal(config.rules.never_used_ms, 0);
    assert_int_equal(config.sweeper.interval_ms, 60000);
    assert_int_equal(config.sweeper.per_minute, 10000);
    parse_ok("extendedTypesEnabled=true\nenforceQuota=true\nreconfigEnabled=true\nskipACL=yes\n"
             "emulate353TTLNodes=true\nznode.container.checkIntervalMs=500\nznode.container.maxPerMinute=7\n"
             "znode.container.maxNeverUsedIntervalMs=300000\n");
    assert_true(config.rules.extended_types && config.rules.enforce_quota && config.rules.reconfig_enabled);
    assert_true(config.rules.skip_acl);
    assert_int_equal(config.rules.never_used_ms, 300000);
    assert_int_equal(config.sweeper.interval_ms, 500);
    assert_int_equal(config.sweeper.per_minute, 7);
    assert_string_equal(unknown(), "");
    parse_ok("authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n"
             "authProvider.x509=org.apache.zookeeper.server.auth.X509AuthenticationProvider\n"
             "X509AuthenticationProvider.superUser=CN=root,O=a\n");
    assert_int_equal(config.rules.schemes, FK_SCHEME_SASL | FK_SCHEME_X509);
    assert_string_equal(config.tls.x509_super, "CN=root,O=a");
    parse_bad("enforceQuota=maybe", "zoo.cfg:1: enforceQuota=maybe: expected yes or no");
    parse_bad("znode.container.maxPerMinute=0",
              "zoo.cfg:1: znode.container.maxPerMinute=0: expected a whole number from 1 to 2147483647");
    again();
    assert_int_equal(parse("authProvider.1=com.example.Mine"), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "zoo.cfg:1: authProvider.1=com.example.Mine: classes can't be loaded"));
}

static const struct CMUnitTest tests[] = {
    CONFIG_TEST(rules_of_the_tree),
    CONFIG_TEST(defaults),
    CONFIG_TEST(the_file_that_everybody_has),
    CONFIG_TEST(separators),
    CONFIG_TEST(values_of_text),
    CONFIG_TEST(lines_without_a_key_or_value),
    CONFIG_TEST(numbers),
    CONFIG_TEST(texts_yes_and_no),
    CONFIG_TEST(the_place_of_a_line_that_goes_on),
    CONFIG_TEST(the_whitelist),
    CONFIG_TEST(the_super_digest),
    CONFIG_TEST(unknown_keys_are_collected),
    CONFIG_TEST(prefixes_and_definitions),
    CONFIG_TEST(secrets_are_not_taken_from_the_command_line),
    CONFIG_TEST(known_keys_that_are_not_honoured_say_why),
    CONFIG_TEST(each_key_takes_what_its_row_says),
    CONFIG_TEST(values_of_their_own),
    CONFIG_TEST(servers),
    CONFIG_TEST(timeouts_are_checked_against_each_other),
    CONFIG_TEST(files),
    CONFIG_TEST(without_memory),
};

FK_TEST_MAIN(tests)
