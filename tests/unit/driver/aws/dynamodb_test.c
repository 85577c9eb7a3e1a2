// SPDX-License-Identifier: Apache-2.0
/* The table port over answers that the test gives: requests, outcomes, what is repeated and read back. What DynamoDB
 * itself does with them is for tests/contract. */
#include "driver/aws/dynamodb.h"

#include "driver/memory/clock.h"
#include "stub.h"
#include "support/test.h"

#include <jansson.h>
#include <stdlib.h>

static struct fk_memory_random dice;
static struct fk_table *table;
static struct fk_arena arena;

static int setup(void **state)
{
    (void)fk_test_begin(state);
    fk_stub_reset();
    fk_memory_random_init(&dice, 1);
    arena = FK_ARENA_EMPTY;
    table = fk_dynamodb_table_new(fk_stub_aws(), &dice.base, "faaskeeper-t");
    return 0;
}

static int teardown(void **state)
{
    fk_table_free(table);
    fk_arena_deinit(&arena);
    return fk_test_end(state);
}

/* --- shorthands --- */

static struct fk_write write_of(enum fk_write_kind kind, const char *name, int64_t expected)
{
    return (struct fk_write){.kind = kind,
                             .key = {FK_BYTES_LITERAL("p"), fk_bytes_text(name)},
                             .expected = expected,
                             .value = kind == FK_WRITE_PUT ? FK_BYTES_LITERAL("value") : FK_BYTES_NULL};
}

static void answer_ok(const char *body)
{
    fk_stub_answer((struct fk_stub_answer){.err = FK_OK, .status = 200, .body = body});
}

static void answer_refused(const char *error, const char *body, bool repeated)
{
    fk_stub_answer((struct fk_stub_answer){
        .err = FK_ERR_REFUSED, .status = 400, .error = error, .body = body, .repeated = repeated});
}

static void answer_err(enum fk_err err)
{
    fk_stub_answer((struct fk_stub_answer){.err = err});
}

/* What a request says at a path of members and indexes ("TransactItems.0.Put"); fails where it does not parse. */
static json_t *request(size_t call)
{
    json_t *parsed = json_loads(fk_stub_calls[call].body, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(parsed);
    return parsed;
}

static const json_t *at(const json_t *value, const char *path)
{
    while (*path != '\0' && value != NULL) {
        char name[64];
        size_t size = strcspn(path, "/");
        (void)snprintf(name, sizeof name, "%.*s", (int)size, path);
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name)) : json_object_get(value, name);
        path += size + (path[size] == '/' ? 1 : 0);
    }
    return value;
}

static void expect(size_t call, const char *path, const char *text)
{
    json_t *parsed = request(call);
    const json_t *found = at(parsed, path);
    if (text == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(json_string_value(found), text);
    }
    json_decref(parsed);
}

/* The stamp that a put of the request gives. */
static int64_t stamp_in(size_t call, const char *path)
{
    json_t *parsed = request(call);
    int64_t stamp = strtoll(json_string_value(at(parsed, path)), NULL, 10);
    json_decref(parsed);
    assert_true(stamp > 0);
    return stamp;
}

static const char *item_with(int64_t stamp)
{
    static char text[128];
    (void)snprintf(text, sizeof text, "{\"Item\":{\"s\":{\"N\":\"%lld\"},\"v\":{\"B\":\"eA==\"}}}", (long long)stamp);
    return text;
}

/* --- reading --- */

static void one_item_is_got(void **state)
{
    (void)state;
    struct fk_key key = {FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("a\xff")};
    struct fk_item item;
    answer_ok("{\"Item\":{\"v\":{\"B\":\"dmFsdWU=\"},\"s\":{\"N\":\"9223372036854775807\"}}}");
    assert_int_equal(fk_table_get(table, &key, &arena, &item), FK_OK);
    assert_int_equal(item.stamp, INT64_MAX);
    fk_assert_text(item.value, "value");
    assert_string_equal(fk_stub_calls[0].action, "DynamoDB_20120810.GetItem");
    assert_true(fk_stub_calls[0].idempotent);
    assert_string_equal(fk_stub_calls[0].body,
                        "{\"TableName\":\"faaskeeper-t\",\"Key\":{\"p\":{\"B\":\"cA==\"},\"n\":{\"B\":\"Yf8=\"}},"
                        "\"ConsistentRead\":true,\"ProjectionExpression\":\"s,v\"}");
    answer_ok("{}");
    assert_int_equal(fk_table_get(table, &key, &arena, &item), FK_OK);
    assert_int_equal(item.stamp, 0);
    assert_null(item.value.data);
    answer_ok("{\"Item\":{\"v\":{\"B\":\"\"},\"s\":{\"N\":\"1\"}}}");
    assert_int_equal(fk_table_get(table, &key, &arena, &item), FK_OK);
    assert_non_null(item.value.data);
    assert_int_equal(item.value.size, 0);
}

static void strange_answers_are_no_items(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum fk_err err;
    } cases[] = {
        {"", FK_ERR_UNKNOWN},
        {"<html>", FK_ERR_UNKNOWN},
        {"[]", FK_ERR_UNKNOWN},
        {"{\"Item\":", FK_ERR_UNKNOWN},
        {"{\"Item\":{}}", FK_ERR_DAMAGED},
        {"{\"Item\":7}", FK_ERR_DAMAGED},
        {"{\"Item\":{\"s\":{\"N\":\"1\"}}}", FK_ERR_DAMAGED},
        {"{\"Item\":{\"s\":{\"N\":\"0\"},\"v\":{\"B\":\"\"}}}", FK_ERR_DAMAGED},
        {"{\"Item\":{\"s\":{\"N\":\"-1\"},\"v\":{\"B\":\"\"}}}", FK_ERR_DAMAGED},
        {"{\"Item\":{\"s\":{\"N\":\"9223372036854775808\"},\"v\":{\"B\":\"\"}}}", FK_ERR_DAMAGED},
        {"{\"Item\":{\"s\":{\"S\":\"1\"},\"v\":{\"B\":\"\"}}}", FK_ERR_DAMAGED},
        {"{\"Item\":{\"s\":{\"N\":\"1\"},\"v\":{\"B\":\"x\"}}}", FK_ERR_DAMAGED},
        {"{\"Item\":{\"s\":{\"N\":\"1\"},\"v\":{\"S\":\"eA==\"}}}", FK_ERR_DAMAGED},
    };
    struct fk_key key = {FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("a")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fk_item item;
        answer_ok(cases[i].body);
        assert_int_equal(fk_table_get(table, &key, &arena, &item), cases[i].err);
    }
}

static void reads_fail_as_the_port_says(void **state)
{
    (void)state;
    static const enum fk_err pairs[][2] = {{FK_ERR_BUSY, FK_ERR_BUSY},       {FK_ERR_FULL, FK_ERR_BUSY},
                                           {FK_ERR_UNKNOWN, FK_ERR_UNKNOWN}, {FK_ERR_TOO_LARGE, FK_ERR_UNKNOWN},
                                           {FK_ERR_NOT_FOUND, FK_ERR_IO},    {FK_ERR_USAGE, FK_ERR_IO}};
    struct fk_key key = {FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("a")};
    struct fk_item item;
    for (size_t i = 0; i < 6; i++) {
        answer_err(pairs[i][0]);
        assert_int_equal(fk_table_get(table, &key, &arena, &item), pairs[i][1]);
    }
}

#define KEY(name) "{\"n\":{\"B\":\"" name "\"},\"p\":{\"B\":\"cA==\"}}"
#define ITEM(name, stamp)                                                                                              \
    "{\"s\":{\"N\":\"" stamp "\"},\"n\":{\"B\":\"" name "\"},\"v\":{\"B\":\"eA==\"},\"p\":{\"B\":\"cA==\"}}"

static void what_was_not_processed_is_asked_for_again(void **state)
{
    (void)state;
    struct fk_key keys[3] = {{FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("a")},
                             {FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("b")},
                             {FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("c")}};
    struct fk_item items[3];
    answer_ok("{\"Responses\":{\"faaskeeper-t\":[" ITEM("Yw==",
                                                        "3") "]},\"UnprocessedKeys\":{\"faaskeeper-t\":"
                                                             "{\"Keys\":[" KEY("YQ==") "],\"ConsistentRead\":true}}}");
    answer_ok("{\"Responses\":{\"faaskeeper-t\":[" ITEM("YQ==", "1") "]},\"UnprocessedKeys\":{}}");
    assert_int_equal(fk_table_get_many(table, keys, 3, &arena, items), FK_OK);
    assert_int_equal(items[0].stamp, 1);
    assert_int_equal(items[1].stamp, 0);
    assert_int_equal(items[2].stamp, 3);
    assert_int_equal(fk_stub_call_count, 2);
    expect(0, "RequestItems/faaskeeper-t/Keys/2/n/B", "Yw==");
    expect(1, "RequestItems/faaskeeper-t/Keys/0/n/B", "YQ==");
    expect(1, "RequestItems/faaskeeper-t/Keys/1", NULL);
    /* Nothing at all was processed: throttled. */
    answer_ok("{\"Responses\":{\"faaskeeper-t\":[]},\"UnprocessedKeys\":{\"faaskeeper-t\":{\"Keys\":[" KEY(
        "YQ==") "," KEY("Yg==") "," KEY("Yw==") "]}}}");
    assert_int_equal(fk_table_get_many(table, keys, 3, &arena, items), FK_ERR_BUSY);
    answer_ok("{\"UnprocessedKeys\":{}}");
    assert_int_equal(fk_table_get_many(table, keys, 3, &arena, items), FK_ERR_UNKNOWN);
}

static void pages_are_listed(void **state)
{
    (void)state;
    struct fk_item_page page;
    answer_ok(
        "{\"Items\":[" ITEM("YQ==", "1") "," ITEM("Yg==", "2") "],\"Count\":2,\"LastEvaluatedKey\":" KEY("Yg==") "}");
    assert_int_equal(fk_table_list(table, FK_BYTES_LITERAL("p"), FK_BYTES_NULL, 2, &arena, &page), FK_OK);
    assert_int_equal(page.count, 2);
    assert_true(page.more);
    fk_assert_text(page.items[1].key.name, "b");
    fk_assert_text(page.items[1].key.partition, "p");
    expect(0, "KeyConditionExpression", "p = :p");
    expect(0, "ExpressionAttributeValues/:n", NULL);
    answer_ok("{\"Items\":[],\"Count\":0}");
    assert_int_equal(fk_table_list(table, FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("b"), 2, &arena, &page), FK_OK);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
    expect(1, "KeyConditionExpression", "p = :p AND n > :n");
    expect(1, "ExpressionAttributeValues/:n/B", "Yg==");
    answer_ok("{\"Count\":0}");
    assert_int_equal(fk_table_list(table, FK_BYTES_LITERAL("p"), FK_BYTES_NULL, 2, &arena, &page), FK_ERR_UNKNOWN);
}

/* --- one write --- */

static void a_single_write_is_no_transaction(void **state)
{
    (void)state;
    struct fk_write put = write_of(FK_WRITE_PUT, "a", 7);
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, &put, 1), FK_OK);
    assert_string_equal(fk_stub_calls[0].action, "DynamoDB_20120810.PutItem");
    assert_true(fk_stub_calls[0].idempotent);
    expect(0, "Item/v/B", "dmFsdWU=");
    expect(0, "Item/P", NULL);
    expect(0, "ConditionExpression", "s = :s");
    expect(0, "ExpressionAttributeValues/:s/N", "7");
    expect(0, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    put.expected = 0;
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, &put, 1), FK_OK);
    assert_false(fk_stub_calls[1].idempotent);
    expect(1, "ConditionExpression", "attribute_not_exists(p)");
    struct fk_write delete = write_of(FK_WRITE_DELETE, "a", FK_STAMP_ANY);
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, &delete, 1), FK_OK);
    assert_string_equal(fk_stub_calls[2].action, "DynamoDB_20120810.DeleteItem");
    assert_false(fk_stub_calls[2].idempotent);
    expect(2, "ConditionExpression", NULL);
    expect(2, "Key/n/B", "YQ==");
}

static void a_lone_check_is_a_read(void **state)
{
    (void)state;
    struct fk_write check = write_of(FK_WRITE_CHECK, "a", 7);
    answer_ok("{\"Item\":{\"s\":{\"N\":\"7\"}}}");
    assert_int_equal(fk_table_write(table, &check, 1), FK_OK);
    assert_string_equal(fk_stub_calls[0].action, "DynamoDB_20120810.GetItem");
    answer_ok("{\"Item\":{\"s\":{\"N\":\"8\"}}}");
    assert_int_equal(fk_table_write(table, &check, 1), FK_ERR_REFUSED);
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, &check, 1), FK_ERR_REFUSED);
    answer_err(FK_ERR_UNKNOWN);
    assert_int_equal(fk_table_write(table, &check, 1), FK_ERR_BUSY);
    check.expected = FK_STAMP_ANY;
    assert_int_equal(fk_table_write(table, &check, 1), FK_OK); /* nobody is asked */
    assert_int_equal(fk_stub_call_count, 4);
}

static void refusals_of_a_single_write(void **state)
{
    (void)state;
    static const struct {
        const char *error;
        const char *body;
        enum fk_err err;
    } cases[] = {
        {"ConditionalCheckFailedException", "{}", FK_ERR_REFUSED},
        {"TransactionConflictException", "{}", FK_ERR_BUSY},
        {"ItemCollectionSizeLimitExceededException", "{}", FK_ERR_TOO_LARGE},
        {"ValidationException", "Item size has exceeded the maximum allowed size", FK_ERR_TOO_LARGE},
        {"ValidationException", "The parameter is empty", FK_ERR_IO},
        {"ResourceNotFoundException", "{}", FK_ERR_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fk_write put = write_of(FK_WRITE_PUT, "a", 7);
        answer_refused(cases[i].error, cases[i].body, false);
        assert_int_equal(fk_table_write(table, &put, 1), cases[i].err);
    }
    static const enum fk_err same[] = {FK_ERR_BUSY, FK_ERR_FULL};
    for (size_t i = 0; i < 2; i++) {
        struct fk_write put = write_of(FK_WRITE_PUT, "a", 7);
        answer_err(same[i]);
        assert_int_equal(fk_table_write(table, &put, 1), same[i]);
    }
}

/* The driver draws the same stamps after the same beginning: a first run tells which. */
static int64_t next_stamp(void)
{
    struct fk_memory_random before = dice;
    struct fk_write put = write_of(FK_WRITE_PUT, "a", 7);
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, &put, 1), FK_OK);
    dice = before;
    return stamp_in(fk_stub_call_count - 1, "Item/s/N");
}

static void a_refusal_may_be_of_a_put_that_was_applied(void **state)
{
    (void)state;
    struct fk_write put = write_of(FK_WRITE_PUT, "a", 7);
    int64_t stamp = next_stamp();
    answer_refused("ConditionalCheckFailedException", item_with(stamp), true);
    assert_int_equal(fk_table_write(table, &put, 1), FK_OK);
    stamp = next_stamp();
    answer_refused("ConditionalCheckFailedException", item_with(stamp), false); /* it can't be, and nobody asks */
    assert_int_equal(fk_table_write(table, &put, 1), FK_ERR_REFUSED);
    /* Another stamp: the first attempt may have been applied, and then somebody else's write. */
    stamp = next_stamp();
    answer_refused("ConditionalCheckFailedException", item_with(stamp ^ 1), true);
    answer_ok(item_with(stamp ^ 1));
    assert_int_equal(fk_table_write(table, &put, 1), FK_ERR_UNKNOWN);
}

static void no_answer_is_read_back(void **state)
{
    (void)state;
    struct fk_write put = write_of(FK_WRITE_PUT, "a", 0);
    int64_t stamp = next_stamp();
    answer_err(FK_ERR_UNKNOWN);
    answer_ok(item_with(stamp));
    assert_int_equal(fk_table_write(table, &put, 1), FK_OK);
    assert_string_equal(fk_stub_calls[2].action, "DynamoDB_20120810.GetItem");
    answer_err(FK_ERR_UNKNOWN);
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, &put, 1), FK_ERR_UNKNOWN);
    answer_err(FK_ERR_NOMEM); /* of the answer: the request was sent */
    answer_err(FK_ERR_UNKNOWN);
    assert_int_equal(fk_table_write(table, &put, 1), FK_ERR_UNKNOWN);
    struct fk_write delete = write_of(FK_WRITE_DELETE, "a", 7);
    answer_err(FK_ERR_UNKNOWN); /* what is not there tells nothing */
    assert_int_equal(fk_table_write(table, &delete, 1), FK_ERR_UNKNOWN);
    answer_refused("ConditionalCheckFailedException", "{}", true);
    assert_int_equal(fk_table_write(table, &delete, 1), FK_ERR_UNKNOWN);
}

/* --- transactions --- */

static void several_writes_are_a_transaction(void **state)
{
    (void)state;
    struct fk_write writes[] = {write_of(FK_WRITE_CHECK, "a", 1), write_of(FK_WRITE_CHECK, "any", FK_STAMP_ANY),
                                write_of(FK_WRITE_PUT, "b", 0), write_of(FK_WRITE_DELETE, "c", 3)};
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, writes, 4), FK_OK);
    assert_string_equal(fk_stub_calls[0].action, "DynamoDB_20120810.TransactWriteItems");
    assert_true(fk_stub_calls[0].idempotent);
    expect(0, "TransactItems/0/ConditionCheck/ExpressionAttributeValues/:s/N", "1");
    expect(0, "TransactItems/1/Put/ConditionExpression", "attribute_not_exists(p)");
    expect(0, "TransactItems/2/Delete/Key/n/B", "Yw==");
    expect(0, "TransactItems/3", NULL);
    json_t *parsed = request(0);
    assert_int_equal(json_string_length(json_object_get(parsed, "ClientRequestToken")), 32);
    json_decref(parsed);
}

#define REASONS(codes) "{\"CancellationReasons\":[" codes "],\"message\":\"cancelled\"}"
#define REASON(code)   "{\"Code\":\"" code "\"}"

static void reasons_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum fk_err err;
    } cases[] = {
        {REASONS(REASON("None") "," REASON("ConditionalCheckFailed")), FK_ERR_REFUSED},
        {REASONS(REASON("TransactionConflict") "," REASON("ConditionalCheckFailed")), FK_ERR_REFUSED},
        {REASONS(REASON("TransactionConflict") "," REASON("None")), FK_ERR_BUSY},
        {REASONS(REASON("ThrottlingError")), FK_ERR_BUSY},
        {REASONS(REASON("ProvisionedThroughputExceeded")), FK_ERR_BUSY},
        {REASONS(REASON("ItemCollectionSizeLimitExceeded")), FK_ERR_TOO_LARGE},
        {REASONS(REASON("ValidationError") "," REASON("TransactionConflict")), FK_ERR_TOO_LARGE},
        {REASONS(REASON("SomethingNew")), FK_ERR_IO},
        {REASONS("{},7,null"), FK_ERR_BUSY},
        {"{}", FK_ERR_BUSY},
        {"no JSON", FK_ERR_BUSY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fk_write writes[] = {write_of(FK_WRITE_CHECK, "a", 1), write_of(FK_WRITE_PUT, "b", 0)};
        answer_refused("TransactionCanceledException", cases[i].body, false);
        assert_int_equal(fk_table_write(table, writes, 2), cases[i].err);
    }
}

static void a_transaction_without_an_answer_is_read_back(void **state)
{
    (void)state;
    struct fk_write writes[] = {write_of(FK_WRITE_PUT, "a", 1), write_of(FK_WRITE_DELETE, "b", 2)};
    struct fk_memory_random before = dice;
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, writes, 2), FK_OK);
    int64_t stamp = stamp_in(0, "TransactItems/0/Put/Item/s/N");
    dice = before;
    answer_err(FK_ERR_UNKNOWN);
    answer_ok(item_with(stamp));
    assert_int_equal(fk_table_write(table, writes, 2), FK_OK);
    answer_refused("TransactionInProgressException", "{}", true);
    answer_ok(item_with(stamp));
    assert_int_equal(fk_table_write(table, writes, 2), FK_ERR_UNKNOWN); /* that stamp is of another one */
    writes[0] = write_of(FK_WRITE_CHECK, "a", 1);
    answer_err(FK_ERR_UNKNOWN);
    assert_int_equal(fk_table_write(table, writes, 2), FK_ERR_UNKNOWN);
    assert_int_equal(fk_stub_call_count, 6);
}

/* --- long keys --- */

static void long_keys_are_cut_and_kept_whole(void **state)
{
    (void)state;
    static char partition[3000];
    static char name[1500];
    memset(partition, 'p', sizeof partition);
    memset(name, 'n', sizeof name);
    struct fk_write put = {.kind = FK_WRITE_PUT,
                           .key = {fk_bytes_of(partition, 2048), fk_bytes_of(name, 1024)},
                           .expected = FK_STAMP_ANY,
                           .value = FK_BYTES_LITERAL("v")};
    const size_t sizes[][4] = {{2047, 1023, 0, 0}, {2048, 1024, 2048, 1024}, {3000, 1500, 3000, 1500}};
    for (size_t i = 0; i < 3; i++) {
        put.key.partition.size = sizes[i][0];
        put.key.name.size = sizes[i][1];
        answer_ok("{}");
        assert_int_equal(fk_table_write(table, &put, 1), FK_OK);
        json_t *parsed = request(i);
        size_t limit = (sizes[i][0] < 2048 ? sizes[i][0] : 2048);
        assert_int_equal(json_string_length(at(parsed, "Item/p/B")), (limit + 2) / 3 * 4);
        limit = sizes[i][1] < 1024 ? sizes[i][1] : 1024;
        assert_int_equal(json_string_length(at(parsed, "Item/n/B")), (limit + 2) / 3 * 4);
        assert_int_equal(json_string_length(at(parsed, "Item/P/B")), (sizes[i][2] + 2) / 3 * 4);
        assert_int_equal(json_string_length(at(parsed, "Item/N/B")), (sizes[i][3] + 2) / 3 * 4);
        json_decref(parsed);
    }
}

static void sizes_are_counted_before_anything_is_sent(void **state)
{
    (void)state;
    static uint8_t bytes[FK_TABLE_ITEM_SIZE_MAX];
    static char name[1024];
    memset(name, 'n', sizeof name);
    struct fk_write put = write_of(FK_WRITE_PUT, "a", 0);
    put.value = fk_bytes_of(bytes, FK_TABLE_ITEM_SIZE_MAX - 2 - FK_TABLE_ITEM_OVERHEAD);
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, &put, 1), FK_OK);
    put.value.size++;
    assert_int_equal(fk_table_write(table, &put, 1), FK_ERR_TOO_LARGE);
    put.key.name = fk_bytes_of(name, 1024); /* it is kept twice */
    put.value.size = FK_TABLE_ITEM_SIZE_MAX - 1 - 2048 - FK_TABLE_ITEM_OVERHEAD;
    answer_ok("{}");
    assert_int_equal(fk_table_write(table, &put, 1), FK_OK);
    put.value.size++;
    assert_int_equal(fk_table_write(table, &put, 1), FK_ERR_TOO_LARGE);
    assert_int_equal(fk_stub_call_count, 2);
}

static void without_memory_nothing_is_sent(void **state)
{
    (void)state;
    struct fk_write put = write_of(FK_WRITE_PUT, "a", 0);
    struct fk_key key = put.key;
    struct fk_item item;
    fk_test_fail_all(true);
    assert_int_equal(fk_table_write(table, &put, 1), FK_ERR_NOMEM);
    assert_int_equal(fk_table_get(table, &key, &arena, &item), FK_ERR_NOMEM);
    fk_test_fail_all(false);
    assert_int_equal(fk_stub_call_count, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(one_item_is_got),
    TEST(strange_answers_are_no_items),
    TEST(reads_fail_as_the_port_says),
    TEST(what_was_not_processed_is_asked_for_again),
    TEST(pages_are_listed),
    TEST(a_single_write_is_no_transaction),
    TEST(a_lone_check_is_a_read),
    TEST(refusals_of_a_single_write),
    TEST(a_refusal_may_be_of_a_put_that_was_applied),
    TEST(no_answer_is_read_back),
    TEST(several_writes_are_a_transaction),
    TEST(reasons_are_told_apart),
    TEST(a_transaction_without_an_answer_is_read_back),
    TEST(long_keys_are_cut_and_kept_whole),
    TEST(sizes_are_counted_before_anything_is_sent),
    TEST(without_memory_nothing_is_sent),
};

FK_TEST_MAIN(tests)
