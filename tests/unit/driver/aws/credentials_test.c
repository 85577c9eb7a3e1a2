// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/credentials.h"

#include "driver/memory/clock.h"
#include "env.h"
#include "http/script.h"
#include "support/test.h"

enum {
    THREADS = 4,
};

static const int64_t now_ms = INT64_C(1795960800000); /* 2026-11-29T14:00:00Z */
static const char *const nothing[] = {"AWS_REGION", "eu-west-1", "AWS_EC2_METADATA_DISABLED", "true", NULL};

static struct fk_memory_clock clock_of_test;
static struct fk_aws_settings *settings;
static struct fk_aws_keys keys;
static struct fk_diag diag;

static enum fk_err get(void)
{
    diag.text[0] = '\0';
    return fk_aws_keys_get(settings, &keys, &diag);
}

static void make(void)
{
    fk_memory_clock_init(&clock_of_test, now_ms);
    assert_int_equal(fk_aws_settings_new(&clock_of_test.base, NULL, &settings, &diag), FK_OK);
}

static void check_usage(const char *text)
{
    make();
    assert_int_equal(get(), FK_ERR_USAGE);
    if (strstr(diag.text, text) == NULL) {
        (void)printf("%s\n", diag.text);
    }
    assert_non_null(strstr(diag.text, text));
    assert_null(strstr(diag.text, "hush"));
    fk_aws_settings_free(settings);
}

static void times(void **state)
{
    (void)state;
    assert_int_equal(fk_aws_time_parse(FK_BYTES_LITERAL("2026-11-29T14:00:00Z")), now_ms);
    assert_int_equal(fk_aws_time_parse(FK_BYTES_LITERAL("2026-11-29T14:00:00.123Z")), now_ms);
    assert_int_equal(fk_aws_time_parse(FK_BYTES_LITERAL("2026-11-29T14:00:00+00:00")), now_ms);
    assert_int_equal(fk_aws_date_parse(FK_BYTES_LITERAL("Sun, 29 Nov 2026 14:00:00 GMT")), now_ms);
    static const char *const bad[] = {"",
                                      "2026-11-29",
                                      "2026-11-29T14:00:00",
                                      "2026-11-29T14:00:00Zz",
                                      "tomorrow",
                                      "2026-11-29T14:00:00+01:00",
                                      "2026-11-29T14:00:00.1234567890123456789Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(fk_aws_time_parse(fk_bytes_text(bad[i])), -1);
        assert_int_equal(fk_aws_date_parse(fk_bytes_text(bad[i])), -1);
    }
}

static void from_the_environment(void **state)
{
    (void)state;
    env_set(nothing);
    env_print("AWS_ACCESS_KEY_ID", "AKID");
    check_usage("the secret access key is missing");
    env_print("AWS_SECRET_ACCESS_KEY", "hush hush");
    check_usage("the secret access key is too long, or has blanks");
    env_print("AWS_SECRET_ACCESS_KEY", "hush");
    make();
    assert_int_equal(get(), FK_OK);
    assert_string_equal(keys.id, "AKID");
    assert_string_equal(keys.secret, "hush");
    assert_string_equal(keys.token, "");
    assert_int_equal(keys.serial, 1);
    fk_memory_clock_advance_ms(&clock_of_test, INT64_C(365) * 24 * 3600 * 1000);
    assert_int_equal(get(), FK_OK);
    assert_int_equal(keys.serial, 1);
    fk_aws_keys_expired(settings, 1);
    assert_int_equal(get(), FK_OK);
    assert_int_equal(keys.serial, 2);
    fk_aws_keys_expired(settings, 1); /* somebody who is late */
    assert_int_equal(get(), FK_OK);
    assert_int_equal(keys.serial, 2);
    fk_aws_settings_free(settings);
    env_print("AWS_SESSION_TOKEN", "tok\nhush");
    check_usage("the session token is too long, or has");
}

static void from_shared_files(void **state)
{
    (void)state;
    env_set(nothing);
    check_usage("no credentials of AWS: not in the environment");
    env_print("AWS_SHARED_CREDENTIALS_FILE", "%s",
              env_file("credentials", "[default]\naws_access_key_id = ID1\naws_secret_access_key = hush1\n"
                                      "[token]\naws_access_key_id=ID2\naws_secret_access_key=hush2\n"
                                      "aws_session_token=tok\n[half]\naws_secret_access_key = hush\n[empty]\n"));
    env_print("AWS_CONFIG_FILE", "%s",
              env_file("config", "[profile role]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = default\n"
                                 "[profile process]\ncredential_process = /bin/cat hush\n"
                                 "[profile sso]\nsso_session = s\n"
                                 "[profile inline]\naws_access_key_id = ID3\naws_secret_access_key = hush3\n"));
    static const struct {
        const char *profile;
        const char *id;
        const char *token;
    } rows[] = {{NULL, "ID1", ""}, {"default", "ID1", ""}, {"token", "ID2", "tok"}, {"inline", "ID3", ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].profile != NULL) {
            env_print("AWS_PROFILE", "%s", rows[i].profile);
        }
        make();
        assert_int_equal(get(), FK_OK);
        assert_string_equal(keys.id, rows[i].id);
        assert_string_equal(keys.token, rows[i].token);
        fk_aws_settings_free(settings);
    }
    static const struct {
        const char *profile;
        const char *text;
    } bad[] = {
        {"role", "profile 'role': role_arn is not supported"},
        {"process", "profile 'process': credential_process is not supported"},
        {"sso", "profile 'sso': sso_session is not supported; `aws configure export-credentials --profile sso"},
        {"half", "profile 'half': the access key id is missing"},
        {"none", "has a profile 'none'"},
        {"empty", "no credentials of AWS"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        env_print("AWS_PROFILE", "%s", bad[i].profile);
        check_usage(bad[i].text);
    }
    env_print("AWS_WEB_IDENTITY_TOKEN_FILE", "/x");
    check_usage("roles by web identity are not supported");
}

#define ANSWER(body)                                                                                                   \
    {                                                                                                                  \
        .answer = "HTTP/1.0 200 OK\r\n\r\n" body, .end = SCRIPT_CLOSE                                                  \
    }
#define KEYS(id, end)                                                                                                  \
    "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"hush\",\"Token\":\"tok\",\"Expiration\":\"" end "\"}"

static void from_a_container(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        ANSWER(KEYS("ID1", "2026-11-29T15:00:00Z")), {.answer = "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"},
        ANSWER(KEYS("ID2", "2026-11-29T16:00:00Z")), {.answer = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"},
        ANSWER("{\"AccessKeyId\":\"hush\"}"),
    };
    env_set(nothing);
    env_print("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:%u/role?a=b", script_start(steps, 5, NULL));
    env_print("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "%s", env_file("token", "hush-token\n"));
    make();
    assert_int_equal(get(), FK_OK);
    assert_string_equal(keys.id, "ID1");
    assert_string_equal(keys.token, "tok");
    assert_true(script_request_has(0, "GET /role?a=b HTTP/1.1\r\n"));
    assert_true(script_request_has(0, "\r\nAuthorization: hush-token\r\n"));
    fk_memory_clock_advance_ms(&clock_of_test, 54 * 60 * 1000);
    assert_int_equal(get(), FK_OK);
    assert_string_equal(keys.id, "ID1");
    fk_memory_clock_advance_ms(&clock_of_test, 2 * 60 * 1000); /* less than 5 minutes are left */
    assert_int_equal(get(), FK_OK);
    assert_string_equal(keys.id, "ID2");
    fk_memory_clock_advance_ms(&clock_of_test, 60 * 60 * 1000);
    assert_int_equal(get(), FK_OK); /* refused, but the old ones are still good */
    assert_string_equal(keys.id, "ID2");
    assert_int_equal(get(), FK_OK); /* and nobody is asked again so soon */
    assert_int_equal(script_requests(), 4);
    fk_memory_clock_advance_ms(&clock_of_test, 10 * 60 * 1000);
    assert_int_equal(get(), FK_ERR_MALFORMED);
    assert_non_null(strstr(diag.text, "the secret access key is missing"));
    assert_null(strstr(diag.text, "hush"));
    fk_aws_settings_free(settings);
    script_stop();
    env_print("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.org/");
    check_usage("http is only allowed to this machine, not to example.org");
    env_print("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/does/not/exist");
    env_print("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
    check_usage("/does/not/exist");
}

static void from_an_instance(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nTOKEN"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nmy-role\nxyz"},
        ANSWER("{\"Code\":\"Success\",\"AccessKeyId\":\"ID1\",\"SecretAccessKey\":\"hush\",\"Token\":\"tok\","
               "\"Expiration\":\"2026-11-29T20:00:00Z\"}"),
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nTOKEN"},
        {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
        {.answer = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"},
    };
    static const char *const here[] = {"AWS_REGION", "eu-west-1", NULL};
    env_set(here);
    env_print("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:%u/", script_start(steps, 6, NULL));
    make();
    assert_int_equal(get(), FK_OK);
    assert_string_equal(keys.id, "ID1");
    assert_true(script_request_has(0, "PUT /latest/api/token HTTP/1.1\r\n"));
    assert_true(script_request_has(0, "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\n"));
    assert_true(script_request_has(1, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1\r\n"));
    assert_true(script_request_has(2, "GET /latest/meta-data/iam/security-credentials/my-role HTTP/1.1\r\n"));
    assert_true(script_request_has(2, "X-aws-ec2-metadata-token: TOKEN\r\n"));
    fk_aws_settings_free(settings);
    check_usage("the instance has no role (status 404");
    check_usage("no credentials of AWS");
    script_stop();
}

static void *get_in_a_thread(void *context)
{
    static _Thread_local struct fk_aws_keys own;
    struct fk_diag none;
    enum fk_err err = fk_aws_keys_get(settings, &own, &none);
    *(bool *)context = err == FK_OK && strcmp(own.id, "ID1") == 0;
    return NULL;
}

/* All wait for the one that asks. */
static void many_threads_at_once(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {.answer = "HTTP/1.0 200 OK\r\n\r\n" KEYS("ID1", "2026-11-29T15:00:00Z"), .end = SCRIPT_CLOSE, .wait_ms = 50}};
    pthread_t threads[THREADS];
    bool done[THREADS];
    env_set(nothing);
    env_print("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:%u", script_start(steps, 1, NULL));
    make();
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, get_in_a_thread, &done[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_true(done[i]);
    }
    fk_aws_settings_free(settings);
    script_stop();
}

static int end(void **state)
{
    env_clean();
    return fk_test_end(state);
}

#define KEYS_TEST(function) cmocka_unit_test_setup_teardown(function, fk_test_begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYS_TEST(times),
        KEYS_TEST(from_the_environment),
        KEYS_TEST(from_shared_files),
        KEYS_TEST(from_a_container),
        KEYS_TEST(from_an_instance),
        KEYS_TEST(many_threads_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
