// SPDX-License-Identifier: Apache-2.0
/* The queue port on SQS FIFO: groups and deduplication ids are 16 hexadecimal digits, bodies base64, as SQS takes text
 * only. The receiving end is Lambda's event source mapping. One request each. */
#ifndef FK_DRIVER_AWS_SQS_H
#define FK_DRIVER_AWS_SQS_H

#include "driver/aws/aws.h"
#include "port/queue.h"

/* Over a queue that exists. `aws` is borrowed, the URL is copied. Used by one thread. NULL without memory. Free with
 * fk_queue_free. */
struct fk_queue *fk_sqs_queue_new(struct fk_aws *aws, const char *queue_url);

/* One call of SQS: `action` without its prefix ("SendMessage"), the body is JSON. Its reply is in the arena. */
enum fk_err fk_sqs_call(struct fk_aws *aws, const char *action, struct fk_bytes body, bool idempotent,
                        int32_t timeout_ms, struct fk_arena *arena, struct fk_aws_reply *reply);

/* Whether a call was refused because there is no such queue. */
bool fk_sqs_is_gone(const struct fk_aws_reply *reply);

#endif
