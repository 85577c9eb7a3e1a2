// SPDX-License-Identifier: Apache-2.0
#include "aws_fixture.h"

#include "driver/aws/json.h"
#include "driver/aws/sqs.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static int64_t monotonic_ns(struct fk_clock *clock)
{
    struct timespec now;
    (void)clock;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t wall_ms(struct fk_clock *clock)
{
    struct timespec now;
    (void)clock;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(struct fk_clock *clock, int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)clock;
    (void)nanosleep(&time, NULL);
}

static void fill(struct fk_random *random, uint8_t *bytes, size_t size)
{
    (void)random;
    for (size_t done = 0; done < size;) {
        ssize_t got = getrandom(bytes + done, size - done, 0);
        done += got > 0 ? (size_t)got : 0;
    }
}

static const struct fk_clock_ops clock_ops = {.monotonic_ns = monotonic_ns, .wall_ms = wall_ms, .pause_ms = pause_ms};
static const struct fk_random_ops random_ops = {.fill = fill};
static struct fk_clock the_clock = {.ops = &clock_ops};
static struct fk_random the_random = {.ops = &random_ops};

static struct fk_aws_settings *settings;
static struct fk_aws *aws;
static char name[32];
static char queue_url[256];

struct fk_clock *fk_cloud_clock(void)
{
    return &the_clock;
}

struct fk_random *fk_cloud_random(void)
{
    return &the_random;
}

static const char *url_of(enum fk_emulator emulator)
{
    return getenv(emulator == FK_EMULATOR_MOTO ? "FK_CLOUD_MOTO" : "FK_CLOUD_MINISTACK");
}

bool fk_cloud_there(enum fk_emulator emulator)
{
    return emulator == FK_EMULATOR_NONE || url_of(emulator) != NULL;
}

const char *fk_cloud_name(void)
{
    return name;
}

static void draw_name(void)
{
    uint64_t word = 0;
    fill(&the_random, (uint8_t *)&word, sizeof word);
    (void)snprintf(name, sizeof name, "fk-%016llx", (unsigned long long)word);
}

struct fk_aws *fk_cloud_open(enum fk_emulator emulator)
{
    struct fk_diag diag = {.text = ""};
    draw_name();
    if (emulator != FK_EMULATOR_NONE) {
        (void)setenv("AWS_ENDPOINT_URL", url_of(emulator), 1);
    }
    if (fk_aws_settings_new(&the_clock, "us-east-1", &settings, &diag) != FK_OK) {
        (void)printf("# settings: %s\n", diag.text);
        return NULL;
    }
    aws = fk_aws_new(settings, &the_clock, &the_random);
    return aws;
}

struct fk_aws *fk_cloud_aws(void)
{
    return aws;
}

void fk_cloud_close(void)
{
    fk_aws_free(aws);
    fk_aws_settings_free(settings);
    aws = NULL;
    settings = NULL;
}

static bool check(enum fk_err err, const char *what)
{
    if (err != FK_OK) {
        (void)printf("# %s: %s\n", what, fk_aws_diag(aws));
    }
    return err == FK_OK;
}

bool fk_cloud_create_table(void)
{
    char body[512];
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply;
    int size = snprintf(body, sizeof body,
                        "{\"TableName\":\"%s\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
                        "{\"AttributeName\":\"p\",\"AttributeType\":\"B\"},{\"AttributeName\":\"n\",\"AttributeType\":"
                        "\"B\"}],\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":"
                        "\"n\",\"KeyType\":\"RANGE\"}]}",
                        name);
    const struct fk_aws_call call = {.service = FK_AWS_DYNAMODB,
                                     .method = "POST",
                                     .target = FK_BYTES_LITERAL("/"),
                                     .action = "DynamoDB_20120810.CreateTable",
                                     .body = fk_bytes_of(body, (size_t)size),
                                     .timeout_ms = 20000};
    bool made = check(fk_aws_call(aws, &call, &arena, &reply), "CreateTable");
    fk_arena_deinit(&arena);
    return made;
}

bool fk_cloud_create_bucket(void)
{
    char target[64];
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply;
    int size = snprintf(target, sizeof target, "/%s", name);
    const struct fk_aws_call call = {
        .service = FK_AWS_S3, .method = "PUT", .target = fk_bytes_of(target, (size_t)size), .timeout_ms = 20000};
    bool made = check(fk_aws_call(aws, &call, &arena, &reply), "CreateBucket");
    fk_arena_deinit(&arena);
    return made;
}

const char *fk_cloud_create_queue(bool fifo)
{
    char body[512];
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply;
    int size = snprintf(body, sizeof body, "{\"QueueName\":\"%s%s\",\"Attributes\":{%s\"VisibilityTimeout\":\"30\"}}",
                        name, fifo ? ".fifo" : "", fifo ? "\"FifoQueue\":\"true\"," : "");
    bool made = check(fk_sqs_call(aws, "CreateQueue", fk_bytes_of(body, (size_t)size), true, 20000, &arena, &reply),
                      "CreateQueue");
    if (made) {
        json_t *answer = fk_json_load(reply.http.body);
        struct fk_bytes url = fk_json_text(answer, "QueueUrl");
        made = url.size > 0 && url.size < sizeof queue_url;
        (void)snprintf(queue_url, sizeof queue_url, "%.*s", (int)url.size, (const char *)url.data);
        json_decref(answer);
    }
    fk_arena_deinit(&arena);
    return made ? queue_url : NULL;
}

static void drivers_over_emulators(void **state)
{
    (void)state;
    FK_TEST_SKIP("no test cloud in the environment (tests/aws/cloud.py)");
}

int fk_cloud_run_tests(const char *group, const struct CMUnitTest *tests, size_t count)
{
    struct CMUnitTest *chosen = (struct CMUnitTest *)calloc(count + 1, sizeof *chosen);
    size_t kept = 0;
    if (chosen == NULL) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        const enum fk_emulator *emulator = (const enum fk_emulator *)tests[i].initial_state;
        if (emulator == NULL || fk_cloud_there(*emulator)) {
            chosen[kept++] = tests[i];
        }
    }
    if (kept < count) {
        chosen[kept++] = (struct CMUnitTest){.name = "drivers_over_emulators", .test_func = drivers_over_emulators};
    }
    int failed = _cmocka_run_group_tests(group, chosen, kept, NULL, NULL);
    free(chosen);
    return failed;
}
