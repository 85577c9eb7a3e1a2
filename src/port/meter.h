// SPDX-License-Identifier: Apache-2.0
/* Decorators of the ports that count what AWS would bill: requests, bytes, and units of DynamoDB, in all and by label
 * (the operation that a caller says it is at). Prices are put to the numbers elsewhere. Sources, all of them pages of
 * AWS: "DynamoDB on-demand capacity", "DynamoDB item sizes and formats", "DynamoDB transactions: how it works"; "Amazon
 * SQS pricing"; "Amazon S3 pricing".
 *
 * What is behind the numbers:
 *
 *   item         names of its attributes (p, n, s, v: one byte each), partition, name, value, and the stamp: a number
 *                of 19 digits, 11 bytes
 *   read units   strongly consistent: one for each 4 KB begun, of each item read by key (1 where there is none), of
 *                the sum of a page's items (1 for an empty page)
 *   write units  one for each KB begun of the larger of the item before and after the write, 1 where there is none,
 *                twice that in a transaction (two or more writes); condition checks, deletes and writes whose condition
 *                does not hold count like the others. A check of any stamp is none, and a check alone is a read
 *   queue        one request for each 64 KB begun of a message's text, which is its base64
 *   blobs        one request for each call; removals are free
 *
 * A call that is throttled (BUSY) is a request and nothing else; one whose outcome is unknown counts as done. A driver
 * that repeats a call inside counts its tries itself: the meter sees one.
 *
 * A meter and its decorators are used by one thread; the ports behind them are borrowed, and freed by whoever has them.
 */
#ifndef FK_PORT_METER_H
#define FK_PORT_METER_H

#include "port/blob.h"
#include "port/channel.h"
#include "port/queue.h"
#include "port/table.h"

#include <stdint.h>

/* Plain numbers, all of them counts since the beginning. */
struct fk_units {
    int64_t table_gets;         /* GetItem, BatchGetItem */
    int64_t table_lists;        /* Query */
    int64_t table_writes;       /* PutItem, DeleteItem */
    int64_t table_transactions; /* TransactWriteItems */
    int64_t table_refused;      /* of the last two: a condition did not hold */
    int64_t table_failed;       /* calls that were throttled, or whose outcome is unknown */
    int64_t read_units;
    int64_t write_units;
    int64_t read_bytes;    /* of items */
    int64_t written_bytes; /* of items put */
    int64_t queue_sends;
    int64_t queue_requests; /* as they are billed: a large message is several */
    int64_t queue_bytes;    /* of text */
    int64_t channel_sends;
    int64_t channel_requests; /* as they are billed over SQS; over TCP they cost nothing */
    int64_t channel_bytes;    /* of text, over SQS */
    int64_t blob_puts;
    int64_t blob_gets;
    int64_t blob_lists;
    int64_t blob_removes;
    int64_t blob_put_bytes;
    int64_t blob_get_bytes;
};

enum {
    FK_METER_LABELS_MAX = 64, /* operations that anybody tells apart; what is beyond counts in all only */
};

struct fk_meter_label {
    const char *name;
    struct fk_units units;
};

struct fk_meter {
    struct fk_units all;
    struct fk_meter_label labels[FK_METER_LABELS_MAX];
    size_t label_count;
    struct fk_units *current; /* of a label; NULL: none */
};

void fk_meter_init(struct fk_meter *meter);

/* What is called from now on counts for this label too. `name` is borrowed as long as the meter; NULL: for none. */
void fk_meter_label(struct fk_meter *meter, const char *name);

/* The numbers of a label; NULL: nobody has named it. */
const struct fk_units *fk_meter_units(const struct fk_meter *meter, const char *name);

/* Adds what a meter of another thread has counted, to the current label too. */
void fk_meter_add(struct fk_meter *meter, const struct fk_units *units);

void fk_units_add(struct fk_units *sum, const struct fk_units *more);

/* later - earlier: what was used in between. */
struct fk_units fk_units_between(const struct fk_units *earlier, const struct fk_units *later);

/* Bytes of an item as DynamoDB counts them. */
size_t fk_meter_item_size(const struct fk_key *key, struct fk_bytes value);

/* Decorators; NULL without memory. `exact`: each write is preceded by a reading of `inner`, which is not counted, so
 * that what an item was before is known; for drivers in memory. Without it an item counts as large as it is after the
 * write, and one that goes as 1 KB. */
struct fk_table *fk_meter_table_new(struct fk_meter *meter, struct fk_table *inner, bool exact);
struct fk_queue *fk_meter_queue_new(struct fk_meter *meter, struct fk_queue *inner);
struct fk_channel *fk_meter_channel_new(struct fk_meter *meter, struct fk_channel *inner);
struct fk_blobs *fk_meter_blobs_new(struct fk_meter *meter, struct fk_blobs *inner);

#endif
