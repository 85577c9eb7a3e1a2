// SPDX-License-Identifier: Apache-2.0
/* Values go to the buffer as base64 at once: nothing is copied in between. */
#include "driver/aws/dynamodb_internal.h"

#include "base/base64.h"
#include "driver/aws/json.h"

#include <openssl/evp.h>

enum {
    HASH_SIZE = 32,
};

static void text(struct fk_buf *buf, const char *part)
{
    fk_buf_append(buf, fk_bytes_text(part));
}

/* --- keys --- */

/* A part of a key, cut and with its hash where it is long; data is NULL without memory. */
static struct fk_bytes part_of(struct fk_bytes part, size_t limit, struct fk_arena *arena)
{
    if (part.size < limit) {
        return part;
    }
    uint8_t *cut = (uint8_t *)fk_arena_alloc(arena, limit);
    unsigned size = HASH_SIZE;
    if (cut == NULL || EVP_Digest(part.data, part.size, cut + limit - HASH_SIZE, &size, EVP_sha256(), NULL) != 1) {
        return FK_BYTES_NULL;
    }
    memcpy(cut, part.data, limit - HASH_SIZE);
    return fk_bytes_of(cut, limit);
}

struct fk_key fk_dynamodb_key(const struct fk_key *key, struct fk_arena *arena)
{
    struct fk_key stored = {part_of(key->partition, FK_DYNAMODB_PARTITION_SIZE, arena),
                            part_of(key->name, FK_DYNAMODB_NAME_SIZE, arena)};
    if (stored.name.data == NULL) {
        stored.partition = FK_BYTES_NULL;
    }
    return stored;
}

size_t fk_dynamodb_key_extra(const struct fk_key *key)
{
    size_t extra = key->partition.size < FK_DYNAMODB_PARTITION_SIZE ? 0 : FK_DYNAMODB_PARTITION_SIZE;
    return extra + (key->name.size < FK_DYNAMODB_NAME_SIZE ? 0 : FK_DYNAMODB_NAME_SIZE);
}

/* --- parts of requests --- */

/* "name":{"B":"..."} */
static void binary(struct fk_buf *buf, const char *name, struct fk_bytes bytes)
{
    text(buf, "\"");
    text(buf, name);
    text(buf, "\":{\"B\":\"");
    fk_base64_append(buf, bytes);
    text(buf, "\"}");
}

static void number(struct fk_buf *buf, const char *name, int64_t value)
{
    fk_buf_print(buf, "\"%s\":{\"N\":\"%lld\"}", name, (long long)value);
}

static void table_name(struct fk_buf *buf, const char *table)
{
    text(buf, "\"TableName\":");
    fk_json_append_string(buf, fk_bytes_text(table));
}

static void key_parts(struct fk_buf *buf, const struct fk_key *stored)
{
    binary(buf, "p", stored->partition);
    text(buf, ",");
    binary(buf, "n", stored->name);
}

static void key_member(struct fk_buf *buf, const struct fk_key *stored)
{
    text(buf, ",\"Key\":{");
    key_parts(buf, stored);
    text(buf, "}");
}

static void item_member(struct fk_buf *buf, const struct fk_write *write, const struct fk_key *stored, int64_t stamp)
{
    text(buf, ",\"Item\":{");
    key_parts(buf, stored);
    text(buf, ",");
    number(buf, "s", stamp);
    text(buf, ",");
    binary(buf, "v", write->value);
    if (stored->partition.data != write->key.partition.data) {
        text(buf, ",");
        binary(buf, "P", write->key.partition);
    }
    if (stored->name.data != write->key.name.data) {
        text(buf, ",");
        binary(buf, "N", write->key.name);
    }
    text(buf, "}");
}

static void condition(struct fk_buf *buf, int64_t expected)
{
    if (expected == 0) {
        text(buf, ",\"ConditionExpression\":\"attribute_not_exists(p)\"");
    } else if (expected != FK_STAMP_ANY) {
        text(buf, ",\"ConditionExpression\":\"s = :s\",\"ExpressionAttributeValues\":{");
        number(buf, ":s", expected);
        text(buf, "}");
    }
}

/* --- requests --- */

void fk_dynamodb_get(struct fk_buf *buf, const char *table, const struct fk_key *stored, bool stamp_only)
{
    text(buf, "{");
    table_name(buf, table);
    key_member(buf, stored);
    text(buf, ",\"ConsistentRead\":true,\"ProjectionExpression\":\"");
    text(buf, stamp_only ? "s\"}" : "s,v\"}");
}

void fk_dynamodb_batch_get(struct fk_buf *buf, const char *table, const struct fk_key *stored, const bool *wanted,
                           size_t count)
{
    bool first = true;
    text(buf, "{\"RequestItems\":{");
    fk_json_append_string(buf, fk_bytes_text(table));
    text(buf, ":{\"ConsistentRead\":true,\"ProjectionExpression\":\"p,n,s,v\",\"Keys\":[");
    for (size_t i = 0; i < count; i++) {
        if (wanted[i]) {
            text(buf, first ? "{" : ",{");
            key_parts(buf, &stored[i]);
            text(buf, "}");
            first = false;
        }
    }
    text(buf, "]}}}");
}

void fk_dynamodb_query(struct fk_buf *buf, const char *table, struct fk_bytes partition, struct fk_bytes after,
                       size_t limit)
{
    text(buf, "{");
    table_name(buf, table);
    fk_buf_print(buf, ",\"ConsistentRead\":true,\"Limit\":%zu,\"ProjectionExpression\":\"n,s,v,N\"",
                 limit < INT32_MAX ? limit : (size_t)INT32_MAX);
    text(buf, ",\"KeyConditionExpression\":\"");
    text(buf, after.size == 0 ? "p = :p" : "p = :p AND n > :n");
    text(buf, "\",\"ExpressionAttributeValues\":{");
    binary(buf, ":p", partition);
    if (after.size > 0) {
        text(buf, ",");
        binary(buf, ":n", after);
    }
    text(buf, "}}");
}

void fk_dynamodb_single(struct fk_buf *buf, const char *table, const struct fk_write *write,
                        const struct fk_key *stored, int64_t stamp, bool tell)
{
    text(buf, "{");
    table_name(buf, table);
    if (write->kind == FK_WRITE_PUT) {
        item_member(buf, write, stored, stamp);
    } else {
        key_member(buf, stored);
    }
    condition(buf, write->expected);
    text(buf, tell ? ",\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\"}" : "}");
}

void fk_dynamodb_transact(struct fk_buf *buf, const char *table, const struct fk_write *writes,
                          const struct fk_key *stored, const int64_t *stamps, size_t count,
                          const char token[FK_DYNAMODB_TOKEN_SIZE + 1])
{
    fk_buf_print(buf, "{\"ClientRequestToken\":\"%s\",\"TransactItems\":[", token);
    for (size_t i = 0; i < count; i++) {
        bool put = writes[i].kind == FK_WRITE_PUT;
        text(buf, i == 0 ? "{" : ",{");
        text(buf, put ? "\"Put\":{" : writes[i].kind == FK_WRITE_DELETE ? "\"Delete\":{" : "\"ConditionCheck\":{");
        table_name(buf, table);
        if (put) {
            item_member(buf, &writes[i], &stored[i], stamps[i]);
        } else {
            key_member(buf, &stored[i]);
        }
        condition(buf, writes[i].expected);
        text(buf, "}}");
    }
    text(buf, "]}");
}
