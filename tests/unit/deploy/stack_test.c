// SPDX-License-Identifier: Apache-2.0
/* CloudFormation's answers, and what deploy and destroy make of them. */
#include "deploy/fake_aws.h"
#include "deploy/follow.h"
#include "deploy/template.h"
#include "port/table.h"

#define OURS                                                                                                           \
    "<Parameters>" FAKE_PARAMETER("Name", "demo") FAKE_PARAMETER("Topology", "single-hop")                             \
        FAKE_PARAMETER("MemorySize", "512") FAKE_PARAMETER("Architecture", "arm64")                                    \
            FAKE_PARAMETER("CodeKey", "code/old.zip") "</Parameters><Outputs>" FAKE_OUTPUT("TableName", "t")           \
                FAKE_OUTPUT("BucketName", "b") FAKE_OUTPUT("RequestQueueUrl", "https://q/r") "</Outputs>"

static struct fk_deploy deploy;

static void states(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        enum fk_stack_state state;
    } rows[] = {
        {"CREATE_COMPLETE", FK_STACK_READY},
        {"UPDATE_ROLLBACK_COMPLETE", FK_STACK_READY},
        {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", FK_STACK_BUSY},
        {"ROLLBACK_IN_PROGRESS", FK_STACK_BUSY},
        {"REVIEW_IN_PROGRESS", FK_STACK_REVIEW},
        {"ROLLBACK_COMPLETE", FK_STACK_BROKEN},
        {"DELETE_FAILED", FK_STACK_BROKEN},
        {"DELETE_COMPLETE", FK_STACK_NONE},
        {"UPDATE_ROLLBACK_FAILED", FK_STACK_STUCK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(fk_stack_state_of(rows[i].status), rows[i].state);
    }
}

static void an_answer_is_read(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_stack stack;
    struct fk_bytes xml = FK_BYTES_LITERAL("<?xml version=\"1.0\"?>" FAKE_STACK("CREATE_COMPLETE", OURS));
    assert_int_equal(fk_stack_read(xml, &arena, &stack), FK_OK);
    assert_string_equal(stack.id, "arn:stack/1");
    assert_string_equal(stack.created, "2026-11-01T10:00:00.000Z");
    assert_string_equal(fk_stack_values_get(&stack.parameters, "CodeKey"), "code/old.zip");
    assert_string_equal(fk_stack_values_get(&stack.outputs, "RequestQueueUrl"), "https://q/r");
    assert_string_equal(fk_stack_values_get(&stack.outputs, "CodeKey"), "");
    assert_int_equal(fk_stack_read(FK_BYTES_LITERAL("<html>no</html>"), &arena, &stack), FK_ERR_MALFORMED);
    fk_arena_deinit(&arena);
    uint64_t nth = 1;
    enum fk_err err = FK_OK;
    do {
        fk_test_fail_alloc(nth++);
        err = fk_stack_read(xml, &arena, &stack);
        fk_arena_deinit(&arena);
    } while (fk_test_alloc_failed());
    assert_int_equal(err, FK_OK);
}

static void the_template_fits_a_call(void **state)
{
    (void)state;
    assert_true(fk_deploy_template().size < 51200); /* CloudFormation's limit of TemplateBody */
    assert_non_null(memmem(fk_deploy_template().data, fk_deploy_template().size, "AWS::DynamoDB::Table", 20));
}

static void options(void **state)
{
    (void)state;
    static const struct {
        struct fk_deploy_options options;
        const char *error; /* NULL: right */
    } rows[] = {
        {{.topology = NULL}, NULL},
        {{.topology = "pipeline", .memory = "128", .architecture = "x86_64", .log_days = "365", .recovery = "true"},
         NULL},
        {{.channel = "tcp", .subnets = "subnet-1,subnet-2", .security_groups = "sg-1"}, NULL},
        {{.topology = "star"}, "--topology 'star': expected single-hop or pipeline"},
        {{.memory = "127"}, "--memory '127': expected 128 to 10240 (MB)"},
        {{.memory = "10241"}, "--memory"},
        {{.memory = "1 GB"}, "--memory"},
        {{.memory = ""}, "--memory"},
        {{.memory = "99999999999999999999"}, "--memory"},
        {{.memory = "-512"}, "--memory"},
        {{.architecture = "riscv"}, "--arch 'riscv': expected arm64 or x86_64"},
        {{.log_days = "2"}, "--log-days '2': expected one of 1 3 5 7"},
        {{.recovery = "yes"}, "--point-in-time-recovery 'yes': expected true or false"},
        {{.channel = "udp"}, "--channel"},
        {{.channel = "tcp"}, "needs --subnets and --security-groups"},
        {{.subnets = "10.0.0.0/8"}, "--subnets"},
        {{.security_groups = "default"}, "--security-groups"},
        {{.alarm_topic = "me@example.org"}, "--alarm-topic"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_diag diag = {.text = ""};
        enum fk_err err = fk_deploy_options_check(&rows[i].options, &diag);
        assert_int_equal(err, rows[i].error == NULL ? FK_OK : FK_ERR_USAGE);
        assert_non_null(strstr(diag.text, rows[i].error == NULL ? "" : rows[i].error));
    }
}

/* A new stack takes the template's defaults, an old one keeps what is not given. */
static void parameters(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_stack stack = {.state = FK_STACK_NONE};
    struct fk_stack_values values;
    const struct fk_deploy_options few = {.memory = "256"};
    const struct fk_deploy_options rules = {.rules = {[2] = "true"}};
    fake_begin(&deploy, "demo", NULL, 0);
    fk_deploy_parameters(&deploy, &rules, &stack, NULL, &values);
    assert_int_equal(values.count, 2);
    assert_string_equal(fk_stack_values_get(&values, fk_deployment_rules[2].parameter), "true");
    fk_deploy_parameters(&deploy, &few, &stack, NULL, &values);
    assert_int_equal(values.count, 2);
    assert_string_equal(fk_stack_values_get(&values, "Name"), "demo");
    assert_string_equal(fk_stack_values_get(&values, "MemorySize"), "256");
    assert_int_equal(fk_stack_read(FK_BYTES_LITERAL(FAKE_STACK("CREATE_COMPLETE", OURS)), &arena, &stack), FK_OK);
    fk_deploy_parameters(&deploy, &few, &stack, "code/new.zip", &values);
    assert_int_equal(values.count, 5);
    assert_null(fk_stack_values_get(&values, "Topology"));
    assert_string_equal(fk_stack_values_get(&values, "CodeKey"), "code/new.zip");
    fk_arena_deinit(&arena);
    fake_end();
}

/* No code beside the test: what runs stays, and nothing changes. */
static void a_second_run_changes_nothing(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.call = "Action=GetCallerIdentity", .answer = FAKE_IDENTITY},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_COMPLETE", OURS)},
        {.call = "GET /schedules/faaskeeper-demo-heartbeat", .answer = "{\"State\":\"DISABLED\"}"},
        {.call = "Action=CreateChangeSet"},
        {.call = "Action=DescribeChangeSet", .answer = FAKE_CHANGES("CREATE_IN_PROGRESS", "", "")},
        {.call = "Action=DescribeChangeSet",
         .answer = FAKE_CHANGES("FAILED", "The submitted information didn&apos;t contain changes. Submit", "")},
        {.call = "Action=DeleteChangeSet"},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_COMPLETE", OURS)},
    };
    const struct fk_deploy_options options = {.topology = NULL};
    const struct fk_key key = {.partition = FK_BYTES_LITERAL("deployment"), .name = FK_BYTES_LITERAL("deployment")};
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_item item;
    struct fk_deployment deployment;
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_deploy_run(&deploy, &options), FK_OK);
    assert_non_null(strstr(fake_call(3), "ChangeSetType=UPDATE"));
    assert_non_null(
        strstr(fake_call(3), "Parameters.member.2.ParameterKey=Topology&Parameters.member.2.UsePreviousValue"));
    assert_non_null(strstr(fake_call(3), "TemplateBody=%23%20SPDX"));
    assert_int_equal(fk_table_get(fake_table(), &key, &arena, &item), FK_OK);
    assert_int_equal(fk_deployment_init(&deployment, "demo", &deploy.diag), FK_OK);
    assert_int_equal(fk_deployment_read(item.value, &deployment, &deploy.diag), FK_OK);
    assert_string_equal(deployment.bucket, "b");
    assert_string_equal(deployment.requests, "https://q/r");
    assert_string_equal(deployment.schedule, "faaskeeper-demo-heartbeat");
    assert_false(deployment.pipeline);
    fk_arena_deinit(&arena);
    fake_end();
}

/* What failed first is named, with its reason and what to do. */
static void a_failure_names_resource_reason_and_next_step(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.call = "Action=GetCallerIdentity", .answer = FAKE_IDENTITY},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_COMPLETE", OURS)},
        {.call = "GET /schedules/", .answer = "{\"State\":\"DISABLED\"}"},
        {.call = "Action=CreateChangeSet"},
        {.call = "Action=DescribeChangeSet", .answer = FAKE_CHANGES("CREATE_COMPLETE", "", "")},
        {.call = "Action=DescribeStackEvents", .answer = FAKE_EVENTS(FAKE_EVENT("1", "x", "y", "CREATE_COMPLETE", ""))},
        {.call = "Action=ExecuteChangeSet"},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_IN_PROGRESS", OURS)},
        {.call = "Action=DescribeStackEvents", .answer = FAKE_EVENTS(FAKE_EVENT("1", "x", "y", "CREATE_COMPLETE", ""))},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_ROLLBACK_COMPLETE", OURS)},
        {.call = "Action=DescribeStackEvents",
         .answer = FAKE_EVENTS(
             FAKE_EVENT("4", "faaskeeper-demo", "AWS::CloudFormation::Stack", "UPDATE_ROLLBACK_COMPLETE", "")
                 FAKE_EVENT("3", "Heartbeat", "AWS::Lambda::Function", "UPDATE_FAILED", "Resource update cancelled")
                     FAKE_EVENT("2", "Writer", "AWS::Lambda::Function", "UPDATE_FAILED", "MemorySize &gt; quota")
                         FAKE_EVENT("1", "x", "y", "CREATE_COMPLETE", ""))},
    };
    const struct fk_deploy_options options = {.memory = "10240"};
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_deploy_run(&deploy, &options), FK_ERR_REFUSED);
    assert_non_null(strstr(deploy.diag.text, "Writer (AWS::Lambda::Function): MemorySize > quota\n"));
    assert_non_null(strstr(deploy.diag.text, "as it was before; remove the cause and run the command again"));
    fake_end();
}

static void refused_before_anything_is_touched(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        struct fk_deploy_options options;
        const char *error;
    } rows[] = {
        {FAKE_STACK("CREATE_COMPLETE", ""), {.topology = NULL}, "no deployment of FaaSKeeper"},
        {FAKE_STACK("CREATE_COMPLETE", OURS), {.topology = "pipeline"}, "single-hop, and stays so"},
        {FAKE_STACK("DELETE_FAILED", OURS), {.topology = NULL}, "faaskeeper destroy aws --name demo"},
        {FAKE_STACK("UPDATE_ROLLBACK_FAILED", OURS), {.topology = NULL}, "continue-update-rollback"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct fake_step steps[] = {
            {.call = "Action=GetCallerIdentity", .answer = FAKE_IDENTITY},
            {.call = "Action=DescribeStacks", .answer = rows[i].answer},
        };
        fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
        assert_int_not_equal(fk_deploy_run(&deploy, &rows[i].options), FK_OK);
        assert_non_null(strstr(deploy.diag.text, rows[i].error));
        fake_end();
    }
}

static bool agree(const struct fk_deploy *asked)
{
    (void)asked;
    return true;
}

static bool disagree(const struct fk_deploy *asked)
{
    (void)asked;
    return false;
}

/* The bucket that fills again while it goes is emptied again. */
static void destroy_goes_on_until_it_is_gone(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.call = "Action=GetCallerIdentity", .answer = FAKE_IDENTITY},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_COMPLETE", OURS)},
        {.call = "HEAD /b"},
        {.call = "GET /b?list-type=2&prefix= ",
         .answer = FAKE_OBJECTS("true", FAKE_OBJECT("code/a.zip") FAKE_OBJECT("data/a&amp;b"))},
        {.call = "POST /b?delete="},
        {.call = "GET /b?list-type=2&prefix=&start-after=data%2Fa%26b ",
         .answer = FAKE_OBJECTS("false", FAKE_OBJECT("data/c"))},
        {.call = "POST /b?delete= ", .answer = "<DeleteResult/>"},
        {.call = "Action=DescribeStackEvents", .answer = FAKE_EVENTS("")},
        {.call = "Action=DeleteStack"},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("DELETE_FAILED", OURS)},
        {.call = "Action=DescribeStackEvents",
         .answer = FAKE_EVENTS(FAKE_EVENT("2", "Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "not empty"))},
        {.call = "HEAD /b"},
        {.call = "GET /b?list-type=2", .answer = FAKE_OBJECTS("false", "")},
        {.call = "Action=DescribeStackEvents",
         .answer = FAKE_EVENTS(FAKE_EVENT("2", "Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "not empty"))},
        {.call = "Action=DeleteStack"},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("DELETE_COMPLETE", "")},
        {.call = "Action=DescribeStackEvents",
         .answer = FAKE_EVENTS(FAKE_EVENT("3", "Bucket", "AWS::S3::Bucket", "DELETE_COMPLETE", ""))},
        {.call = "AmazonSQS.ListQueues", .answer = "{\"QueueUrls\":[\"https://q/gw-1\",\"https://q/gw-2\"]}"},
        {.call = "AmazonSQS.DeleteQueue"},
        {.call = "AmazonSQS.DeleteQueue", .error = "AWS.SimpleQueueService.NonExistentQueue", .message = "gone"},
    };
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_destroy_run(&deploy, agree), FK_OK);
    assert_non_null(strstr(fake_call(4), "<Object><Key>code/a.zip</Key></Object><Object><Key>data/a&amp;b</Key>"));
    assert_non_null(strstr(fake_call(8), "StackName=arn%3Astack%2F1"));
    assert_non_null(strstr(fake_call(17), "\"QueueNamePrefix\":\"faaskeeper-demo-gw-\""));
    assert_non_null(strstr(fake_call(18), "{\"QueueUrl\":\"https://q/gw-1\"}"));
    fake_end();
}

static void destroy_of_what_is_not_there_or_not_wanted(void **state)
{
    (void)state;
    static const struct fake_step gone[] = {
        {.call = "Action=GetCallerIdentity", .answer = FAKE_IDENTITY},
        {.call = "Action=DescribeStacks", .error = "ValidationError", .message = "Stack with id x does not exist"},
        {.call = "AmazonSQS.ListQueues", .answer = "{}"},
    };
    static const struct fake_step there[] = {
        {.call = "Action=GetCallerIdentity", .answer = FAKE_IDENTITY},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_COMPLETE", OURS)},
    };
    fake_begin(&deploy, "demo", gone, sizeof gone / sizeof gone[0]);
    assert_int_equal(fk_destroy_run(&deploy, disagree), FK_OK);
    fake_end();
    fake_begin(&deploy, "demo", there, sizeof there / sizeof there[0]);
    assert_int_equal(fk_destroy_run(&deploy, disagree), FK_ERR_USAGE);
    fake_end();
}

static void an_object_that_stays_is_told(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.call = "Action=GetCallerIdentity", .answer = FAKE_IDENTITY},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_COMPLETE", OURS)},
        {.call = "HEAD /b"},
        {.call = "GET /b?list-type=2", .answer = FAKE_OBJECTS("false", FAKE_OBJECT("x"))},
        {.call = "POST /b?delete=",
         .answer = "<DeleteResult><Error><Key>x</Key><Message>Access Denied</Message></Error></DeleteResult>"},
    };
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_destroy_run(&deploy, agree), FK_ERR_REFUSED);
    assert_string_equal(deploy.diag.text, "S3 does not delete an object of b: Access Denied");
    fake_end();
}

static void a_rehearsal_leaves_nothing(void **state)
{
    (void)state;
    static const struct fake_step steps[] = {
        {.call = "Action=GetCallerIdentity", .answer = FAKE_IDENTITY},
        {.call = "Action=DescribeStacks", .answer = FAKE_STACK("UPDATE_COMPLETE", OURS)},
        {.call = "Action=CreateChangeSet"},
        {.call = "Action=DescribeChangeSet",
         .answer = FAKE_CHANGES("CREATE_COMPLETE", "",
                                "<member><ResourceChange><Action>Modify</Action><LogicalResourceId>Writer"
                                "</LogicalResourceId><ResourceType>AWS::Lambda::Function</ResourceType>"
                                "<Replacement>False</Replacement></ResourceChange></member>")},
        {.call = "Action=DeleteChangeSet"},
    };
    const struct fk_deploy_options options = {.memory = "256", .dry_run = true};
    fake_begin(&deploy, "demo", steps, sizeof steps / sizeof steps[0]);
    assert_int_equal(fk_deploy_run(&deploy, &options), FK_OK);
    fake_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(states),
        FK_TEST(an_answer_is_read),
        FK_TEST(the_template_fits_a_call),
        FK_TEST(options),
        FK_TEST(parameters),
        FK_TEST(a_second_run_changes_nothing),
        FK_TEST(a_failure_names_resource_reason_and_next_step),
        FK_TEST(refused_before_anything_is_touched),
        FK_TEST(destroy_goes_on_until_it_is_gone),
        FK_TEST(destroy_of_what_is_not_there_or_not_wanted),
        FK_TEST(an_object_that_stays_is_told),
        FK_TEST(a_rehearsal_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
