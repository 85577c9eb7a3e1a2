// SPDX-License-Identifier: Apache-2.0
/* The table port on DynamoDB. An item:
 *
 *   p  B  partition, the partition key       s  N  stamp
 *   n  B  name, the sort key                 v  B  value
 *
 * DynamoDB's keys have at most 2,048 and 1,024 bytes. A part of a key that reaches its limit is cut and ends with the
 * SHA-256 of the whole instead, so that it is as long as the limit, which no other key is; the whole part is kept in an
 * attribute P or N. What that means: items are listed in the order of the first 992 bytes of their names, names of
 * 1,024 bytes or more that have these in common in the order of their hashes; and what is kept twice counts against the
 * item's largest size.
 *
 * What calls take (capacity units): get_many one read unit per 4 KB of each item; list one per 4 KB of the page; a
 * single write one write unit per KB of the item, the old or the new one, whichever is larger, held condition or not;
 * a lone check what reading the item takes; a write of several items two units per KB of each, checks included.
 *
 * Stamps are random positive numbers. A single put whose condition names a stamp is repeated where no answer came, as
 * it can't be applied twice; other single writes are not. Transactions carry a token, and are repeated: DynamoDB knows
 * tokens for ten minutes. */
#ifndef FK_DRIVER_AWS_DYNAMODB_H
#define FK_DRIVER_AWS_DYNAMODB_H

#include "driver/aws/aws.h"
#include "port/table.h"

/* Over a table that exists. `aws` and `random` are borrowed, the name is copied. Used by one thread. NULL without
 * memory. Free with fk_table_free. */
struct fk_table *fk_dynamodb_table_new(struct fk_aws *aws, struct fk_random *random, const char *table);

#endif
