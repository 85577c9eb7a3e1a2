// SPDX-License-Identifier: Apache-2.0
/* Requests and answers of the table driver: bytes only. dynamodb.c calls, dynamodb_request.c writes, dynamodb_answer.c
 * reads. */
#ifndef FK_DRIVER_AWS_DYNAMODB_INTERNAL_H
#define FK_DRIVER_AWS_DYNAMODB_INTERNAL_H

#include "base/buf.h"
#include "port/table.h"

enum {
    /* DynamoDB's limits of its keys. */
    FK_DYNAMODB_PARTITION_SIZE = 2048,
    FK_DYNAMODB_NAME_SIZE = 1024,
    /* Of a client request token: 1 to 36 characters. */
    FK_DYNAMODB_TOKEN_SIZE = 32,
};

/* The key as the item has it: a view of `key` or of the arena. partition.data is NULL without memory. */
struct fk_key fk_dynamodb_key(const struct fk_key *key, struct fk_arena *arena);

/* What an item takes beyond fk_item_size because its key is long. */
size_t fk_dynamodb_key_extra(const struct fk_key *key);

/* Requests, appended; failure is the buffer's. `stored` is fk_dynamodb_key's of the same key. */
void fk_dynamodb_get(struct fk_buf *buf, const char *table, const struct fk_key *stored, bool stamp_only);
/* Of those keys whose `wanted` is set. */
void fk_dynamodb_batch_get(struct fk_buf *buf, const char *table, const struct fk_key *stored, const bool *wanted,
                           size_t count);
/* after.data NULL: from the first on. */
void fk_dynamodb_query(struct fk_buf *buf, const char *table, struct fk_bytes partition, struct fk_bytes after,
                       size_t limit);
/* A put or a delete. `tell`: a refusal shall tell what is there. */
void fk_dynamodb_single(struct fk_buf *buf, const char *table, const struct fk_write *write,
                        const struct fk_key *stored, int64_t stamp, bool tell);
/* stamps[i]: of a put writes[i]. */
void fk_dynamodb_transact(struct fk_buf *buf, const char *table, const struct fk_write *writes,
                          const struct fk_key *stored, const int64_t *stamps, size_t count,
                          const char token[FK_DYNAMODB_TOKEN_SIZE + 1]);

/* Answers. UNKNOWN: it is none (reading again may help); DAMAGED: an item that no driver of ours wrote; NOMEM. */

/* Of GetItem, or of a refused write that told what is there: fills stamp and value (in the arena), where there is an
 * item. */
enum fk_err fk_dynamodb_read_get(struct fk_bytes body, struct fk_arena *arena, struct fk_item *item);
/* The stamp alone, 0 where there is no item. */
enum fk_err fk_dynamodb_read_stamp(struct fk_bytes body, int64_t *stamp);
/* Fills the items that came, and clears `wanted` of all that were answered, the missing ones too. */
enum fk_err fk_dynamodb_read_batch(struct fk_bytes body, const struct fk_key *stored, size_t count, bool *wanted,
                                   struct fk_arena *scratch, struct fk_arena *arena, struct fk_item *items);
enum fk_err fk_dynamodb_read_query(struct fk_bytes body, struct fk_bytes partition, struct fk_arena *arena,
                                   struct fk_item_page *page);
/* Of a cancelled transaction: REFUSED, BUSY, TOO_LARGE, or IO for what can't be put right. */
enum fk_err fk_dynamodb_read_reasons(struct fk_bytes body);

#endif
