// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/schedule.h"

#include "deploy/fake_aws.h"

#include <jansson.h>

#define SCHEDULE(state)                                                                                                \
    "{\"Arn\":\"arn:1\",\"CreationDate\":1.5,\"Description\":\"d\",\"FlexibleTimeWindow\":{\"Mode\":\"OFF\"},"         \
    "\"GroupName\":\"default\",\"KmsKeyArn\":null,\"LastModificationDate\":2.5,\"Name\":\"n\","                        \
    "\"ScheduleExpression\":\"rate(1 minute)\",\"ScheduleExpressionTimezone\":\"UTC\",\"State\":\"" state              \
    "\",\"Target\":{\"Arn\":\"arn:2\",\"RoleArn\":\"arn:3\",\"Input\":\"{}\"}}"

static struct fk_deploy deploy;

/* An update that left something out would set it back to its default. */
static void only_the_state_changes(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.call = "GET /schedules/faaskeeper-demo-heartbeat ", .answer = SCHEDULE("DISABLED")},
        {.call = "PUT /schedules/faaskeeper-demo-heartbeat ", .answer = "{}"},
    };
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_schedule_set(NULL, "demo", true), FK_OK);
    json_t *before = json_loads(SCHEDULE("ENABLED"), 0, NULL);
    json_t *sent = json_loads(strchr(fake_call(1), '{'), 0, NULL);
    assert_non_null(sent);
    static const char *const answered_only[] = {"Arn", "CreationDate", "KmsKeyArn", "LastModificationDate", "Name"};
    for (size_t i = 0; i < sizeof answered_only / sizeof answered_only[0]; i++) {
        assert_int_equal(json_object_del(before, answered_only[i]), 0);
    }
    assert_true(json_equal(before, sent));
    json_decref(before);
    json_decref(sent);
    fake_end();
}

static void what_is_so_already_is_not_written(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.call = "GET /schedules/", .answer = SCHEDULE("ENABLED")},
        {.call = "GET /schedules/", .answer = SCHEDULE("DISABLED")},
        {.call = "GET /schedules/", .answer = SCHEDULE("ENABLED")},
    };
    bool enabled = false;
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_schedule_set(NULL, "demo", true), FK_OK);
    assert_int_equal(fk_schedule_set(NULL, "demo", false), FK_OK);
    assert_int_equal(fk_schedule_get(NULL, "demo", &enabled), FK_OK);
    assert_true(enabled);
    fake_end();
}

static void no_schedule_and_no_answer(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.call = "GET /schedules/", .error = "NotFound", .message = "x"},
        {.call = "GET /schedules/", .answer = "{\"Name\":\"n\"}"},
        {.call = "GET /schedules/", .answer = "no JSON"},
        {.call = "GET /schedules/", .answer = SCHEDULE("ENABLED")},
        {.call = "PUT /schedules/", .error = "AccessDenied", .message = "x"},
    };
    bool enabled = false;
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_schedule_set(NULL, "demo", true), FK_ERR_NOT_FOUND);
    assert_int_equal(fk_schedule_get(NULL, "demo", &enabled), FK_ERR_MALFORMED);
    assert_int_equal(fk_schedule_set(NULL, "demo", true), FK_ERR_MALFORMED);
    assert_int_equal(fk_schedule_set(NULL, "demo", false), FK_ERR_INVALID);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(only_the_state_changes),
        FK_TEST(what_is_so_already_is_not_written),
        FK_TEST(no_schedule_and_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
