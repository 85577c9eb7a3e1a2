// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/dynamodb_internal.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"
#include "base/log.h"
#include "driver/aws/dynamodb.h"

#include <stdio.h>

#define ACTION(name) "DynamoDB_20120810." name

enum {
    BUFFER_KEPT = 64 * 1024, /* most requests are smaller, and the buffer stays */
};

struct dynamodb {
    struct fk_table base;
    struct fk_aws *aws;
    struct fk_random *random;
    struct fk_buf request;
    struct fk_arena scratch; /* of one call of the port */
    char table[];
};

static struct dynamodb *dynamodb(struct fk_table *table)
{
    return FK_CONTAINER_OF(table, struct dynamodb, base);
}

/* --- calls --- */

static void begin(struct dynamodb *table)
{
    fk_arena_reset(&table->scratch);
    fk_buf_clear(&table->request);
    fk_buf_trim(&table->request, BUFFER_KEPT);
}

/* Sends what was written to table->request. */
static enum fk_err call(struct dynamodb *table, const char *action, bool idempotent, struct fk_aws_reply *reply)
{
    const struct fk_aws_call request = {.service = FK_AWS_DYNAMODB,
                                        .method = "POST",
                                        .target = FK_BYTES_LITERAL("/"),
                                        .action = action,
                                        .body = fk_buf_view(&table->request),
                                        .idempotent = idempotent};
    if (table->request.failed) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = fk_aws_call(table->aws, &request, &table->scratch, reply);
    fk_buf_clear(&table->request);
    return err;
}

/* What the port has no name for: a table that is not there, no credentials, a request that is wrong. */
static enum fk_err give_up(struct dynamodb *table, const char *what)
{
    fk_log(FK_LOG_ERROR, "DynamoDB table %s: %s: %s", table->table, what, fk_aws_diag(table->aws));
    return FK_ERR_IO;
}

/* The outcome of a read that failed. */
static enum fk_err read_failed(struct dynamodb *table, enum fk_err err)
{
    switch ((int)err) {
    case FK_ERR_BUSY:
    case FK_ERR_FULL:
        return FK_ERR_BUSY;
    case FK_ERR_UNKNOWN:
    case FK_ERR_TOO_LARGE: /* an answer that was cut or is none of DynamoDB's */
    case FK_ERR_MALFORMED:
        return FK_ERR_UNKNOWN;
    case FK_ERR_NOMEM:
    case FK_ERR_DAMAGED:
        return err;
    default:
        return give_up(table, "a read was refused");
    }
}

/* --- reading --- */

static void check_key(const struct fk_key *key)
{
    FK_ASSERT(key->partition.size > 0);
    FK_ASSERT(key->name.size > 0);
}

static bool same_key(const struct fk_key *a, const struct fk_key *b)
{
    return fk_bytes_equal(a->name, b->name) && fk_bytes_equal(a->partition, b->partition);
}

static enum fk_err get_one(struct dynamodb *table, const struct fk_key *stored, struct fk_arena *arena,
                           struct fk_item *item)
{
    struct fk_aws_reply reply;
    fk_dynamodb_get(&table->request, table->table, stored, false);
    enum fk_err err = call(table, ACTION("GetItem"), true, &reply);
    return err == FK_OK ? fk_dynamodb_read_get(reply.http.body, arena, item) : err;
}

static enum fk_err get_stamp(struct dynamodb *table, const struct fk_key *stored, int64_t *stamp)
{
    struct fk_aws_reply reply;
    fk_dynamodb_get(&table->request, table->table, stored, true);
    enum fk_err err = call(table, ACTION("GetItem"), true, &reply);
    return err == FK_OK ? fk_dynamodb_read_stamp(reply.http.body, stamp) : err;
}

static size_t count_wanted(const bool *wanted, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        left += wanted[i] ? 1 : 0;
    }
    return left;
}

/* DynamoDB may answer for some of the keys only, as it does where the answer would be large; where it does so for none
 * it is throttled. */
static enum fk_err get_batch(struct dynamodb *table, const struct fk_key *stored, size_t count, struct fk_arena *arena,
                             struct fk_item *items)
{
    bool wanted[FK_TABLE_GET_MAX];
    size_t left = count;
    memset(wanted, 1, sizeof wanted);
    while (left > 0) {
        struct fk_aws_reply reply;
        size_t before = left;
        fk_dynamodb_batch_get(&table->request, table->table, stored, wanted, count);
        enum fk_err err = call(table, ACTION("BatchGetItem"), true, &reply);
        if (err == FK_OK) {
            err = fk_dynamodb_read_batch(reply.http.body, stored, count, wanted, &table->scratch, arena, items);
        }
        if (err != FK_OK) {
            return err;
        }
        left = count_wanted(wanted, count);
        if (left == before) {
            return FK_ERR_BUSY;
        }
    }
    return FK_OK;
}

static enum fk_err table_get_many(struct fk_table *base, const struct fk_key *keys, size_t count,
                                  struct fk_arena *arena, struct fk_item *items)
{
    struct dynamodb *table = dynamodb(base);
    struct fk_key stored[FK_TABLE_GET_MAX];
    FK_ASSERT(count <= FK_TABLE_GET_MAX);
    begin(table);
    for (size_t i = 0; i < count; i++) {
        check_key(&keys[i]);
        for (size_t j = 0; j < i; j++) {
            FK_ASSERT(!same_key(&keys[i], &keys[j]));
        }
        items[i] = (struct fk_item){.key = keys[i], .stamp = 0, .value = FK_BYTES_NULL};
        stored[i] = fk_dynamodb_key(&keys[i], &table->scratch);
        if (stored[i].partition.data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    enum fk_err err = FK_OK;
    if (count == 1) {
        err = get_one(table, stored, arena, items);
    } else if (count > 1) {
        err = get_batch(table, stored, count, arena, items);
    }
    return err == FK_OK ? FK_OK : read_failed(table, err);
}

static enum fk_err table_list(struct fk_table *base, struct fk_bytes name, struct fk_bytes after, size_t limit,
                              struct fk_arena *arena, struct fk_item_page *page)
{
    struct dynamodb *table = dynamodb(base);
    struct fk_aws_reply reply;
    FK_ASSERT(name.size > 0);
    FK_ASSERT(limit > 0);
    begin(table);
    const struct fk_key from = {name, after.size == 0 ? FK_BYTES_LITERAL("") : after};
    struct fk_key stored = fk_dynamodb_key(&from, &table->scratch);
    struct fk_bytes copy = fk_arena_copy(arena, name);
    if (copy.data == NULL || stored.partition.data == NULL) {
        return FK_ERR_NOMEM;
    }
    fk_dynamodb_query(&table->request, table->table, stored.partition, stored.name, limit);
    enum fk_err err = call(table, ACTION("Query"), true, &reply);
    if (err == FK_OK) {
        err = fk_dynamodb_read_query(reply.http.body, copy, arena, page);
    }
    return err == FK_OK ? FK_OK : read_failed(table, err);
}

/* --- writing --- */

static bool check_writes(const struct fk_write *writes, size_t count)
{
    size_t total = 0;
    FK_ASSERT(count > 0);
    if (count > FK_TABLE_WRITE_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        bool put = writes[i].kind == FK_WRITE_PUT;
        check_key(&writes[i].key);
        FK_ASSERT(!put || writes[i].value.data != NULL);
        FK_ASSERT(writes[i].expected >= FK_STAMP_ANY);
        for (size_t j = 0; j < i; j++) {
            FK_ASSERT(!same_key(&writes[i].key, &writes[j].key));
        }
        size_t size = fk_item_size(&writes[i].key, put ? writes[i].value : FK_BYTES_NULL) +
                      (put ? fk_dynamodb_key_extra(&writes[i].key) : 0);
        if (size > FK_TABLE_ITEM_SIZE_MAX) {
            return false;
        }
        total += size;
    }
    return total <= FK_TABLE_WRITE_SIZE_MAX;
}

static int64_t stamp_of(const struct dynamodb *table, const struct fk_write *write)
{
    return write->stamp != 0 ? write->stamp : fk_stamp_draw(table->random);
}

/* No answer came, or none that says what happened. A stamp of this very write that is there shows that it was applied,
 * in a transaction all of it; else it may still come. */
static enum fk_err read_back(struct dynamodb *table, const struct fk_key *stored, int64_t stamp)
{
    int64_t there = 0;
    return get_stamp(table, stored, &there) == FK_OK && there == stamp ? FK_OK : FK_ERR_UNKNOWN;
}

static bool is_error(const struct fk_aws_reply *reply, const char *error)
{
    return strcmp(reply->error, error) == 0;
}

/* The outcome of a write by its answer, as far as that says it. */
static enum fk_err write_outcome(enum fk_err err, const struct fk_aws_reply *reply)
{
    switch ((int)err) {
    case FK_OK:
    case FK_ERR_BUSY:
    case FK_ERR_FULL:
    case FK_ERR_UNKNOWN:
        return err;
    case FK_ERR_TOO_LARGE: /* the answer is: it has nothing that matters, but what was applied is not known */
    case FK_ERR_NOMEM:     /* likewise */
    case FK_ERR_MALFORMED:
        return FK_ERR_UNKNOWN;
    default:
        break;
    }
    if (is_error(reply, "ConditionalCheckFailedException")) {
        return FK_ERR_REFUSED;
    }
    if (is_error(reply, "TransactionCanceledException")) {
        return fk_dynamodb_read_reasons(reply->http.body);
    }
    if (is_error(reply, "TransactionConflictException")) {
        return FK_ERR_BUSY;
    }
    if (is_error(reply, "TransactionInProgressException")) {
        return FK_ERR_UNKNOWN; /* an earlier attempt of this one */
    }
    if (is_error(reply, "ItemCollectionSizeLimitExceededException") || reply->http.status == 413 ||
        (is_error(reply, "ValidationException") && strstr(reply->message, "size") != NULL)) {
        return FK_ERR_TOO_LARGE;
    }
    return FK_ERR_IO;
}

/* The condition failed, but it may have been an earlier attempt that made it fail: the stamp that is there tells. */
static enum fk_err refused_after_repeat(const struct fk_aws_reply *reply, int64_t stamp)
{
    int64_t there = 0;
    enum fk_err err = fk_dynamodb_read_stamp(reply->http.body, &there);
    return err == FK_OK && stamp != 0 && there == stamp ? FK_OK : FK_ERR_UNKNOWN;
}

static enum fk_err write_single(struct dynamodb *table, const struct fk_write *write, const struct fk_key *stored)
{
    struct fk_aws_reply reply = {.error = ""};
    bool put = write->kind == FK_WRITE_PUT;
    bool once = write->expected > 0; /* the stamp that it names is gone when it was applied, and never comes back */
    int64_t stamp = put ? stamp_of(table, write) : 0;
    fk_dynamodb_single(&table->request, table->table, write, stored, stamp, put && once);
    if (table->request.failed) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = call(table, put ? ACTION("PutItem") : ACTION("DeleteItem"), once, &reply);
    err = write_outcome(err, &reply);
    if (err == FK_ERR_REFUSED && reply.repeated) {
        err = refused_after_repeat(&reply, stamp);
    }
    if (err == FK_ERR_UNKNOWN && put) {
        err = read_back(table, stored, stamp);
    }
    return err;
}

/* A lone condition is a read: at a quarter of the price, or less. */
static enum fk_err check_single(struct dynamodb *table, const struct fk_write *write, const struct fk_key *stored)
{
    int64_t there = 0;
    enum fk_err err = get_stamp(table, stored, &there);
    if (err != FK_OK) {
        err = read_failed(table, err);
        return err == FK_ERR_UNKNOWN ? FK_ERR_BUSY : err; /* nothing was to be applied */
    }
    return there == write->expected ? FK_OK : FK_ERR_REFUSED;
}

static void draw_token(struct fk_random *random, char token[FK_DYNAMODB_TOKEN_SIZE + 1])
{
    uint8_t bytes[FK_DYNAMODB_TOKEN_SIZE / 2];
    fk_random_fill(random, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    }
}

static enum fk_err write_all(struct dynamodb *table, const struct fk_write *writes, const struct fk_key *stored,
                             size_t count)
{
    struct fk_aws_reply reply = {.error = ""};
    char token[FK_DYNAMODB_TOKEN_SIZE + 1];
    int64_t stamps[FK_TABLE_WRITE_MAX] = {0};
    size_t a_put = count;
    for (size_t i = 0; i < count; i++) {
        if (writes[i].kind == FK_WRITE_PUT) {
            stamps[i] = stamp_of(table, &writes[i]);
            a_put = i;
        }
    }
    draw_token(table->random, token);
    fk_dynamodb_transact(&table->request, table->table, writes, stored, stamps, count, token);
    if (table->request.failed) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = call(table, ACTION("TransactWriteItems"), true, &reply);
    err = write_outcome(err, &reply);
    if (err == FK_ERR_UNKNOWN && a_put < count) {
        err = read_back(table, &stored[a_put], stamps[a_put]);
    }
    return err;
}

static enum fk_err table_write(struct fk_table *base, const struct fk_write *writes, size_t count)
{
    struct dynamodb *table = dynamodb(base);
    struct fk_write kept[FK_TABLE_WRITE_MAX];
    struct fk_key stored[FK_TABLE_WRITE_MAX];
    size_t kept_count = 0;
    enum fk_err err = FK_OK;
    if (!check_writes(writes, count)) {
        return FK_ERR_TOO_LARGE;
    }
    begin(table);
    for (size_t i = 0; i < count; i++) {
        if (writes[i].kind == FK_WRITE_CHECK && writes[i].expected == FK_STAMP_ANY) {
            continue; /* it always holds */
        }
        kept[kept_count] = writes[i];
        stored[kept_count] = fk_dynamodb_key(&writes[i].key, &table->scratch);
        if (stored[kept_count++].partition.data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    if (kept_count == 1) {
        err = kept[0].kind == FK_WRITE_CHECK ? check_single(table, kept, stored) : write_single(table, kept, stored);
    } else if (kept_count > 1) {
        err = write_all(table, kept, stored, kept_count);
    }
    return err == FK_ERR_IO ? give_up(table, "a write was refused") : err;
}

static void table_free(struct fk_table *base)
{
    struct dynamodb *table = dynamodb(base);
    fk_buf_deinit(&table->request);
    fk_arena_deinit(&table->scratch);
    fk_free(table);
}

static const struct fk_table_ops dynamodb_ops = {
    .name = "dynamodb", .get_many = table_get_many, .list = table_list, .write = table_write, .free = table_free};

struct fk_table *fk_dynamodb_table_new(struct fk_aws *aws, struct fk_random *random, const char *name)
{
    size_t size = strlen(name) + 1;
    struct dynamodb *table = (struct dynamodb *)fk_alloc(sizeof *table + size);
    if (table == NULL) {
        return NULL;
    }
    *table = (struct dynamodb){.base = {.ops = &dynamodb_ops},
                               .aws = aws,
                               .random = random,
                               .request = FK_BUF_EMPTY,
                               .scratch = FK_ARENA_EMPTY};
    memcpy(table->table, name, size);
    return &table->base;
}
