// SPDX-License-Identifier: Apache-2.0
#include "deploy/fake_aws.h"
#include "deploy/status.h"

#include <jansson.h>
#include <stdlib.h>

static struct fk_deploy deploy;

static void what_lambda_and_sqs_say(void **state)
{
    (void)state;
    struct fk_status_function function = {.part = "writer"};
    struct fk_status_queue queue = {.part = "requests"};
    assert_int_equal(
        fk_status_read_function(
            FK_BYTES_LITERAL("{\"State\":\"Active\",\"LastUpdateStatus\":\"Successful\",\"MemorySize\":512,"
                             "\"CodeSize\":5000000,\"LastModified\":\"2026-11-29T14:00:00.000+0000\"}"),
            &function),
        FK_OK);
    assert_string_equal(function.state, "Active");
    assert_int_equal(function.memory_mb, 512);
    assert_int_equal(fk_status_read_function(FK_BYTES_LITERAL("[]"), &function), FK_ERR_MALFORMED);
    assert_int_equal(fk_status_read_queue(FK_BYTES_LITERAL("{\"Attributes\":{\"ApproximateNumberOfMessages\":\"7\","
                                                           "\"ApproximateNumberOfMessagesNotVisible\":\"2\"}}"),
                                          &queue),
                     FK_OK);
    assert_int_equal(queue.waiting, 7);
    assert_int_equal(queue.in_flight, 2);
    assert_int_equal(fk_status_read_queue(FK_BYTES_LITERAL("{\"Attributes\":{}}"), &queue), FK_ERR_MALFORMED);
    assert_int_equal(fk_status_read_queue(FK_BYTES_LITERAL(""), &queue), FK_ERR_MALFORMED);
}

static void sums_of_a_metric(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    double total = -1;
    double month = -1;
    assert_int_equal(
        fk_cost_sum(FK_BYTES_LITERAL("<GetMetricStatisticsResponse><GetMetricStatisticsResult><Datapoints>"
                                     "<member><Timestamp>2026-10-31T00:00:00Z</Timestamp><Sum>10.5</Sum></member>"
                                     "<member><Timestamp>2026-11-01T00:00:00Z</Timestamp><Sum>2</Sum></member>"
                                     "</Datapoints></GetMetricStatisticsResult></GetMetricStatisticsResponse>"),
                    "2026-11", &arena, &total, &month),
        FK_OK);
    assert_true(total > 12.49 && total < 12.51);
    assert_true(month > 1.99 && month < 2.01);
    assert_int_equal(fk_cost_sum(FK_BYTES_LITERAL("<a/>"), "2026-11", &arena, &total, &month), FK_ERR_MALFORMED);
    fk_arena_deinit(&arena);
}

static struct fk_status status_of(const struct fk_stack *stack)
{
    struct fk_status status = {.stack = stack, .function_count = 1, .queue_count = 2, .census_known = true};
    status.functions[0] = (struct fk_status_function){
        .part = "writer", .name = "faaskeeper-demo-writer", .known = true, .state = "Active", .memory_mb = 512};
    status.queues[0] = (struct fk_status_queue){.part = "requests", .known = true, .waiting = 3};
    status.queues[1] = (struct fk_status_queue){.part = "dead", .known = true};
    status.census = (struct fk_deploy_census){.gateways_alive = 1, .sessions = 5};
    status.schedule_known = true;
    status.schedule_enabled = true;
    return status;
}

static void what_is_a_problem(void **state)
{
    (void)state;
    struct fk_stack stack = {.status = "UPDATE_COMPLETE", .reason = "", .created = "2026-11-01T10:00:00.000Z"};
    struct fk_status status = status_of(&stack);
    fk_status_judge(&status);
    assert_int_equal(status.problem_count, 0);
    status.queues[1].waiting = 4;
    status.schedule_enabled = false;
    stack.status = "UPDATE_ROLLBACK_COMPLETE";
    stack.reason = "because";
    (void)snprintf(status.functions[0].update, sizeof status.functions[0].update, "Failed");
    fk_status_judge(&status);
    assert_int_equal(status.problem_count, 4);
    assert_string_equal(status.problems[0].text, "stack: UPDATE_ROLLBACK_COMPLETE: because");
    assert_non_null(strstr(status.problems[2].text, "dead letters: 4"));
    for (int i = 0; i < 2 * FK_STATUS_PROBLEMS_MAX; i++) {
        fk_status_problem(&status, "%d", i);
    }
    assert_int_equal(status.problem_count, FK_STATUS_PROBLEMS_MAX);
}

/* Both ways to print it; what is not known is null in JSON. */
static void it_is_printed(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    const struct fk_stack stack = {.status = "UPDATE_COMPLETE", .reason = "", .created = "2026-11-01T10:00:00.000Z"};
    struct fk_status status = status_of(&stack);
    fake_begin(&deploy, "demo", NULL, 0);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(fk_status_print_json(&deploy, &status, out), FK_OK);
    assert_int_equal(fclose(out), 0);
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(value, "sessions"), "count")), 5);
    assert_true(json_is_true(json_object_get(value, "healthy")));
    assert_true(json_is_null(json_object_get(value, "cost")));
    json_decref(value);
    free(text); /* NOLINT: open_memstream's */
    out = open_memstream(&text, &size);
    assert_non_null(out);
    status.cost_known = true;
    status.cost.lines[0] = (struct fk_cost_line){.what = "dynamodb_write_units", .amount = 1e6, .usd = 0.625};
    status.cost.count = 1;
    fk_status_print(&deploy, &status, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "requests      3 waiting, 0 in flight\n"));
    assert_non_null(strstr(text, "dynamodb_write_units"));
    assert_non_null(strstr(text, "healthy\n"));
    free(text); /* NOLINT: open_memstream's */
    fake_end();
}

/* What does not answer is a problem, and the rest is shown. */
static void a_service_that_fails_is_a_problem(void **state)
{
    (void)state;
    static const char stack[] =
        FAKE_STACK("CREATE_COMPLETE",
                   "<Parameters>" FAKE_PARAMETER("Name", "demo") "</Parameters><Outputs>" FAKE_OUTPUT("TableName", "t")
                       FAKE_OUTPUT("RequestQueueUrl", "https://q/r") "</Outputs>");
    static const struct fake_step steps[] = {
        {.call = "Action=DescribeStacks", .answer = stack},
        {.call = "GET /2015-03-31/functions/faaskeeper-demo-writer/configuration", .answer = "{\"State\":\"Active\"}"},
        {.call = "GET /2015-03-31/functions/faaskeeper-demo-heartbeat/configuration",
         .error = "NotFound",
         .message = "x"},
        {.call = "AmazonSQS.GetQueueAttributes", .error = "AccessDenied", .message = "no"},
        {.call = "AmazonSQS.GetQueueAttributes",
         .answer = "{\"Attributes\":{\"ApproximateNumberOfMessages\":\"0\","
                   "\"ApproximateNumberOfMessagesNotVisible\":\"0\"}}"},
        {.call = "GET /schedules/faaskeeper-demo-heartbeat", .answer = "{\"State\":\"DISABLED\"}"},
        {.call = "Action=GetMetricStatistics", .error = "AccessDenied", .message = "no"},
    };
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_status_run(&deploy, false), FK_ERR_REFUSED);
    assert_string_equal(deploy.diag.text, "");
    assert_non_null(strstr(fake_call(6), "StartTime=2026-11-01T10%3A00%3A00Z"));
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(what_lambda_and_sqs_say),
        FK_TEST(sums_of_a_metric),
        FK_TEST(what_is_a_problem),
        FK_TEST(it_is_printed),
        FK_TEST(a_service_that_fails_is_a_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
