// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/settings.h"

#include "driver/memory/clock.h"
#include "env.h"
#include "support/test.h"

#include <openssl/ssl.h>

static struct fk_memory_clock clock_of_test;
static struct fk_diag diag;

static enum fk_err make(const char *region, struct fk_aws_settings **settings)
{
    diag.text[0] = '\0';
    fk_memory_clock_init(&clock_of_test, 0);
    return fk_aws_settings_new(&clock_of_test.base, region, settings, &diag);
}

static void check_region(const char *argument, const char *region)
{
    struct fk_aws_settings *settings = NULL;
    assert_int_equal(make(argument, &settings), FK_OK);
    assert_string_equal(fk_aws_region(settings), region);
    fk_aws_settings_free(settings);
}

static void check_usage(const char *text)
{
    struct fk_aws_settings *settings = NULL;
    assert_int_equal(make(NULL, &settings), FK_ERR_USAGE);
    if (strstr(diag.text, text) == NULL) {
        (void)printf("%s\n", diag.text);
    }
    assert_non_null(strstr(diag.text, text));
}

static const char *const nothing[] = {NULL};

static void where_the_region_comes_from(void **state)
{
    (void)state;
    const char *config = env_file("config", "[default]\nregion = eu-south-1\n[profile p]\nregion = eu-north-1\n");
    env_set(nothing);
    check_usage("no region is set");
    env_print("AWS_CONFIG_FILE", "%s", config);
    check_region(NULL, "eu-south-1");
    env_print("AWS_PROFILE", "p");
    check_region(NULL, "eu-north-1");
    env_print("AWS_DEFAULT_REGION", "us-east-1");
    check_region(NULL, "us-east-1");
    env_print("AWS_REGION", "us-west-2");
    check_region(NULL, "us-west-2");
    check_region("ap-south-1", "ap-south-1");
    env_print("AWS_REGION", "eu-west-1.example.org/");
    check_usage("'eu-west-1.example.org/' is no region");
    env_print("AWS_REGION", "a-region-whose-name-is-much-longer-than-any-other");
    check_usage("is no region");
}

static void check_endpoint(enum fk_aws_service service, const char *host, uint16_t port, bool tls, bool is_own)
{
    struct fk_aws_settings *settings = NULL;
    assert_int_equal(make("eu-west-1", &settings), FK_OK);
    const struct fk_aws_endpoint *endpoint = &settings->endpoints[service];
    assert_string_equal(endpoint->host, host);
    assert_int_equal(endpoint->port, port);
    assert_int_equal(endpoint->tls, tls);
    assert_int_equal(endpoint->is_own, is_own);
    fk_aws_settings_free(settings);
}

static void where_services_are(void **state)
{
    (void)state;
    env_set(nothing);
    check_endpoint(FK_AWS_DYNAMODB, "dynamodb.eu-west-1.amazonaws.com", 443, true, false);
    check_endpoint(FK_AWS_LOGS, "logs.eu-west-1.amazonaws.com", 443, true, false);
    check_endpoint(FK_AWS_CLOUDWATCH, "monitoring.eu-west-1.amazonaws.com", 443, true, false);
    const char *config = env_file("config", "[default]\nendpoint_url = http://[::1]:1\nservices = local\n"
                                            "[services local]\ns3 =\n  endpoint_url = https://s3.example.org/\n");
    env_print("AWS_CONFIG_FILE", "%s", config);
    check_endpoint(FK_AWS_SQS, "::1", 1, false, true);
    check_endpoint(FK_AWS_S3, "s3.example.org", 443, true, true);
    env_print("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
    check_endpoint(FK_AWS_SQS, "127.0.0.1", 4566, false, true);
    check_endpoint(FK_AWS_S3, "127.0.0.1", 4566, false, true);
    env_print("AWS_ENDPOINT_URL_S3", "http://localhost/");
    check_endpoint(FK_AWS_S3, "localhost", 80, false, true);
    env_print("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    check_endpoint(FK_AWS_S3, "s3.eu-west-1.amazonaws.com", 443, true, false);
    struct fk_aws_endpoint endpoint;
    assert_int_equal(fk_aws_endpoint_of(FK_AWS_SQS, "cn-north-1", &endpoint, NULL), FK_OK);
    assert_string_equal(endpoint.host, "sqs.cn-north-1.amazonaws.com.cn");
    assert_int_equal(fk_aws_endpoint_of(FK_AWS_SQS, "us-isob-east-1", &endpoint, &diag), FK_ERR_USAGE);
}

static void urls_that_are_none(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",
        "127.0.0.1:4566",
        "ftp://a",
        "http://",
        "http://:80",
        "http://a:",
        "http://a:0",
        "http://a:65536",
        "http://a:-1",
        "http://a: 1",
        "http://a/b",
        "http://a?b",
        "http://user:password@a",
        "http://[::1",
        "http://[::x]",
        "http://a b",
        "http://a\r\nb",
        "http://"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    };
    struct fk_aws_endpoint endpoint;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        diag.text[0] = '\0';
        assert_int_equal(fk_aws_endpoint_parse(urls[i], "X", &endpoint, NULL, &diag), FK_ERR_USAGE);
        assert_null(strstr(diag.text, "password"));
    }
    env_set(nothing);
    env_print("AWS_REGION", "eu-west-1");
    env_print("AWS_ENDPOINT_URL_SQS", "localhost:1");
    check_usage("AWS_ENDPOINT_URL_SQS: it is no URL");
    env_set(nothing);
    env_print("AWS_REGION", "eu-west-1");
    env_print("AWS_USE_FIPS_ENDPOINT", "true");
    check_usage("AWS_USE_FIPS_ENDPOINT is not supported");
}

static void whom_to_trust(void **state)
{
    (void)state;
    struct fk_aws_settings *settings = NULL;
    struct ssl_ctx_st *first = NULL;
    struct ssl_ctx_st *second = NULL;
    env_set(nothing);
    assert_int_equal(make("eu-west-1", &settings), FK_OK);
    const struct fk_aws_endpoint *endpoint = &settings->endpoints[FK_AWS_SQS];
    assert_int_equal(fk_aws_settings_tls(settings, endpoint, &first, &diag), FK_OK);
    assert_int_equal(fk_aws_settings_tls(settings, endpoint, &second, &diag), FK_OK);
    assert_ptr_equal(first, second);
    STACK_OF(X509_OBJECT) *roots = X509_STORE_get0_objects(SSL_CTX_get_cert_store(first));
    assert_int_equal(sk_X509_OBJECT_num(roots), FK_AWS_ROOT_COUNT);
    const struct fk_aws_endpoint own = {.is_own = true, .tls = true};
    assert_int_equal(fk_aws_settings_tls(settings, &own, &second, &diag), FK_OK);
    assert_ptr_not_equal(first, second);
    fk_aws_settings_free(settings);

    env_print("AWS_CA_BUNDLE", "%s", env_file("bundle.pem", "nothing\n"));
    assert_int_equal(make("eu-west-1", &settings), FK_OK);
    assert_int_equal(fk_aws_settings_tls(settings, &own, &second, &diag), FK_ERR_USAGE);
    assert_non_null(strstr(diag.text, "AWS_CA_BUNDLE"));
    fk_aws_settings_free(settings);
}

static void without_memory(void **state)
{
    (void)state;
    env_set(nothing);
    env_print("AWS_CONFIG_FILE", "%s", env_file("config", "[default]\nendpoint_url = http://a\nregion = eu-west-1\n"));
    uint64_t nth = 1;
    enum fk_err err = FK_ERR_NOMEM;
    while (err == FK_ERR_NOMEM) {
        struct fk_aws_settings *settings = NULL;
        fk_test_fail_alloc(nth++);
        err = make(NULL, &settings);
        fk_aws_settings_free(settings);
    }
    assert_int_equal(err, FK_OK);
    assert_false(fk_test_alloc_failed());
    assert_true(nth > 5);
}

static int end(void **state)
{
    env_clean();
    return fk_test_end(state);
}

#define SETTINGS_TEST(function) cmocka_unit_test_setup_teardown(function, fk_test_begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SETTINGS_TEST(where_the_region_comes_from),
        SETTINGS_TEST(where_services_are),
        SETTINGS_TEST(urls_that_are_none),
        SETTINGS_TEST(whom_to_trust),
        SETTINGS_TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
