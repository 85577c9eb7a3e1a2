// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/deployment.h"

#include "driver/memory/table.h"
#include "support/test.h"

#include <stdlib.h>

static struct fk_deployment sample(void)
{
    struct fk_deployment deployment;
    assert_int_equal(fk_deployment_init(&deployment, "prod-1", NULL), FK_OK);
    (void)snprintf(deployment.bucket, sizeof deployment.bucket, "faaskeeper-prod-1-data");
    (void)snprintf(deployment.requests, sizeof deployment.requests, "https://sqs.eu-west-1.amazonaws.com/1/\"r\"");
    return deployment;
}

static void names_have_rules(void **state)
{
    (void)state;
    static const char *const right[] = {"a", "0", "prod-1", "a123456789012345678901234567890123456789"};
    static const char *const wrong[] = {
        "", "-a", "a-", "A", "a_b", "a.b", "a b", "\xc3\xa4", "a1234567890123456789012345678901234567890"};
    struct fk_deployment deployment;
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        assert_int_equal(fk_deployment_init(&deployment, right[i], NULL), FK_OK);
        assert_string_equal(deployment.name, right[i]);
    }
    assert_int_equal(strlen(deployment.gateway_prefix) + 16, strlen("faaskeeper--gw-") + 40 + 16);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fk_diag diag = {.text = ""};
        assert_int_equal(fk_deployment_init(&deployment, wrong[i], &diag), FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, "a-z"));
    }
}

static void what_is_stored_is_read(void **state)
{
    (void)state;
    struct fk_table *table = fk_memory_table_new();
    struct fk_arena arena = FK_ARENA_EMPTY;
    const struct fk_key key = {FK_BYTES_LITERAL("deployment"), FK_BYTES_LITERAL("deployment")};
    for (int pipeline = 0; pipeline < 2; pipeline++) {
        struct fk_deployment stored = sample();
        struct fk_deployment read;
        struct fk_item item;
        stored.pipeline = pipeline == 1;
        if (stored.pipeline) {
            (void)snprintf(stored.distributor, sizeof stored.distributor, "https://d");
            (void)snprintf(stored.schedule, sizeof stored.schedule, "faaskeeper-prod-1-heartbeat");
        }
        assert_int_equal(fk_deployment_store(table, &stored), FK_OK);
        assert_int_equal(fk_table_get(table, &key, &arena, &item), FK_OK);
        assert_int_equal(fk_deployment_init(&read, "prod-1", NULL), FK_OK);
        assert_int_equal(fk_deployment_read(item.value, &read, NULL), FK_OK);
        assert_string_equal(read.table, "faaskeeper-prod-1");
        assert_string_equal(read.gateway_prefix, "faaskeeper-prod-1-gw-");
        assert_string_equal(read.bucket, stored.bucket);
        assert_string_equal(read.requests, stored.requests);
        assert_string_equal(read.distributor, stored.distributor);
        assert_string_equal(read.schedule, stored.schedule);
        assert_int_equal(read.pipeline, stored.pipeline);
    }
    fk_arena_deinit(&arena);
    fk_table_free(table);
}

static void wrong_items_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum fk_err err;
        const char *named;
    } cases[] = {
        {"", FK_ERR_DAMAGED, "format"},
        {"[]", FK_ERR_DAMAGED, "format"},
        {"{\"format\":\"1\"}", FK_ERR_DAMAGED, "format"},
        {"{\"format\":2}", FK_ERR_VERSION, "2"},
        {"{\"format\":1}", FK_ERR_DAMAGED, "topology"},
        {"{\"format\":1,\"topology\":\"ring\"}", FK_ERR_DAMAGED, "topology"},
        {"{\"format\":1,\"topology\":\"single-hop\"}", FK_ERR_DAMAGED, "bucket"},
        {"{\"format\":1,\"topology\":\"single-hop\",\"bucket\":\"b\",\"requests\":\"\"}", FK_ERR_DAMAGED, "requests"},
        {"{\"format\":1,\"topology\":\"single-hop\",\"bucket\":\"b\\u0000c\",\"requests\":\"r\"}", FK_ERR_DAMAGED,
         "format"},
        {"{\"format\":1,\"topology\":\"pipeline\",\"bucket\":\"b\",\"requests\":\"r\"}", FK_ERR_DAMAGED, "distributor"},
        {"{\"format\":1,\"topology\":\"single-hop\",\"bucket\":\"b\",\"requests\":\"r\"}", FK_OK, ""},
        {"{\"format\":1,\"topology\":\"single-hop\",\"bucket\":\"b\",\"requests\":\"r\",\"rules\":{\"skipACL\":true}}",
         FK_ERR_DAMAGED, "skipACL"},
        {"{\"format\":1,\"topology\":\"single-hop\",\"bucket\":\"b\",\"requests\":\"r\",\"rules\":{}}", FK_OK, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fk_deployment deployment;
        struct fk_diag diag = {.text = ""};
        assert_int_equal(fk_deployment_init(&deployment, "prod-1", NULL), FK_OK);
        assert_int_equal(fk_deployment_read(fk_bytes_text(cases[i].value), &deployment, &diag), cases[i].err);
        assert_non_null(strstr(diag.text, cases[i].named));
    }
}

static void the_environment_is_read(void **state)
{
    (void)state;
    struct fk_deployment deployment;
    struct fk_diag diag = {.text = ""};
    static const char *const variables[][2] = {
        {"FK_DEPLOYMENT", "prod-1"}, {"FK_BUCKET", "b"}, {"FK_REQUESTS_URL", "r"}, {"FK_DISTRIBUTOR_URL", "d"}};
    (void)unsetenv("FK_TABLE");
    (void)setenv("FK_TOPOLOGY", "pipeline", 1);
    for (size_t i = 0; i < 4; i++) {
        (void)unsetenv(variables[i][0]);
    }
    assert_int_equal(fk_deployment_from_environment(&deployment, &diag), FK_ERR_USAGE);
    for (size_t i = 0; i < 4; i++) {
        diag.text[0] = '\0';
        assert_int_equal(fk_deployment_from_environment(&deployment, &diag), FK_ERR_USAGE);
        assert_true(i == 0 || strstr(diag.text, variables[i][0]) != NULL);
        (void)setenv(variables[i][0], variables[i][1], 1);
    }
    assert_int_equal(fk_deployment_from_environment(&deployment, NULL), FK_OK);
    assert_true(deployment.pipeline);
    assert_string_equal(deployment.table, "faaskeeper-prod-1");
    assert_string_equal(deployment.distributor, "d");
    (void)setenv("FK_TABLE", "other", 1);
    (void)setenv("FK_TOPOLOGY", "single-hop", 1);
    assert_int_equal(fk_deployment_from_environment(&deployment, NULL), FK_OK);
    assert_string_equal(deployment.table, "other");
    assert_false(deployment.pipeline);
    (void)setenv("FK_TOPOLOGY", "ring", 1);
    diag.text[0] = '\0';
    assert_int_equal(fk_deployment_from_environment(&deployment, &diag), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "ring"));
}

/* Each value of each rule, and what it stands for; what has no place in a list is no value. */
static void rules_have_texts(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *text;
        const char *canonical; /* NULL: refused */
    } rows[] = {
        {"extendedTypesEnabled", "true", "true"},
        {"extendedTypesEnabled", "", "false"},
        {"extendedTypesEnabled", "yes", NULL},
        {"enforceQuota", "false", "false"},
        {"enforceQuota", "True", NULL},
        {"skipACL", "true", "true"},
        {"skipACL", "true ", NULL},
        {"reconfigEnabled", "true", "true"},
        {"DigestAuthenticationProvider.enabled", "", "true"},
        {"DigestAuthenticationProvider.enabled", "false", "false"},
        {"DigestAuthenticationProvider.enabled", "0", NULL},
        {"authProvider", "", "none"},
        {"authProvider", "sasl", "sasl"},
        {"authProvider", "sasl,x509", "sasl,x509"},
        {"authProvider", "x509,sasl", NULL},
        {"letAnySaslUserDoX", "", "none"},
        {"letAnySaslUserDoX", "alice@REALM", "alice@REALM"},
        {"letAnySaslUserDoX", "a\nb", NULL},
        {"znode.container.maxNeverUsedIntervalMs", "", "0"},
        {"znode.container.maxNeverUsedIntervalMs", "999999999999999999", "999999999999999999"},
        {"znode.container.maxNeverUsedIntervalMs", "1000000000000000000", NULL},
        {"znode.container.maxNeverUsedIntervalMs", "-1", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_rules rules = {.extended_types = false};
        char text[FK_DEPLOYMENT_RULE_SIZE];
        size_t index = 0;
        while (strcmp(fk_deployment_rules[index].key, rows[i].key) != 0) {
            index++;
        }
        assert_int_equal(fk_deployment_rule_set(index, rows[i].text, &rules), rows[i].canonical != NULL);
        if (rows[i].canonical != NULL) {
            fk_deployment_rule_text(index, &rules, text);
            assert_string_equal(text, rows[i].canonical);
        }
    }
}

static void rules_are_stored_and_read(void **state)
{
    (void)state;
    struct fk_deployment stored = sample();
    struct fk_deployment read;
    struct fk_buf buf = FK_BUF_EMPTY;
    const struct fk_rules rules = {.digest_disabled = true,
                                   .enforce_quota = true,
                                   .schemes = FK_SCHEME_SASL | FK_SCHEME_X509,
                                   .any_sasl = "\"x\"",
                                   .never_used_ms = 60000};
    fk_deployment_set_rules(&stored, &rules);
    fk_deployment_write(&buf, &stored);
    assert_int_equal(fk_deployment_init(&read, "prod-1", NULL), FK_OK);
    assert_int_equal(fk_deployment_read(fk_buf_view(&buf), &read, NULL), FK_OK);
    struct fk_rules got = fk_deployment_get_rules(&read);
    assert_true(got.digest_disabled && got.enforce_quota && !got.extended_types && !got.skip_acl);
    assert_int_equal(got.schemes, rules.schemes);
    assert_int_equal(got.never_used_ms, 60000);
    assert_string_equal(got.any_sasl, "\"x\"");
    fk_buf_deinit(&buf);
}

/* A value that is none ends the function's start, and says what there is. */
static void the_environment_has_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        struct fk_diag diag = {.text = ""};
        struct fk_rules rules;
        (void)setenv(fk_deployment_rules[i].variable, "\t", 1);
        assert_int_equal(fk_deployment_rules_from_environment(&rules, &diag), FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, fk_deployment_rules[i].variable));
        assert_non_null(strstr(diag.text, fk_deployment_rules[i].expected));
        (void)unsetenv(fk_deployment_rules[i].variable);
    }
    struct fk_rules rules;
    (void)setenv("FK_SKIP_ACL", "true", 1);
    assert_int_equal(fk_deployment_rules_from_environment(&rules, NULL), FK_OK);
    assert_true(rules.skip_acl && !rules.extended_types && !rules.digest_disabled && rules.any_sasl == NULL);
    (void)unsetenv("FK_SKIP_ACL");
}

static const struct CMUnitTest tests[] = {
    FK_TEST(rules_have_texts),        FK_TEST(rules_are_stored_and_read), FK_TEST(the_environment_has_rules),
    FK_TEST(names_have_rules),        FK_TEST(what_is_stored_is_read),    FK_TEST(wrong_items_are_named),
    FK_TEST(the_environment_is_read),
};

FK_TEST_MAIN(tests)
