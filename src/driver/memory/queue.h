// SPDX-License-Identifier: Apache-2.0
/* The FIFO queue in memory, with the semantics of SQS: many groups, in each of which messages come in the order in
 * which they were sent. Received messages stay, hidden, until they are deleted with the receipt of that delivery; as
 * long as one of its messages is hidden, nothing of a group is delivered. What is not deleted before its visibility
 * timeout ends comes again, before anything later of its group, and the receipts of the earlier delivery are void from
 * that moment. What was deleted never comes again; what nobody deletes is dropped after FK_QUEUE_RETENTION_MS.
 *
 * Which group is served when is up to the caller. Each call happens at one moment of the clock's monotonic time and
 * never fails but for memory. Used by one thread. Receiving takes memory of the caller's arena only, sending for the
 * queue only. */
#ifndef FK_DRIVER_MEMORY_QUEUE_H
#define FK_DRIVER_MEMORY_QUEUE_H

#include "base/arena.h"
#include "port/clock.h"
#include "port/queue.h"

/* The clock is borrowed as long as the queue lives. NULL without memory. Free with fk_queue_free. */
struct fk_queue *fk_memory_queue_new(struct fk_clock *clock);

/* Names one delivery of one message. */
struct fk_receipt {
    int64_t sequence; /* of the message; rises with each send of the queue */
    int32_t delivery; /* 1: it was the first */
};

struct fk_delivery {
    struct fk_receipt receipt;
    int64_t group;
    int64_t deduplication_id;
    struct fk_bytes body; /* in the arena */
};

/* The groups of which something can be received now, the one whose first message was sent first in front: at most `max`
 * of them. Returns how many there are in `groups`. */
size_t fk_memory_queue_ready(struct fk_queue *queue, int64_t *groups, size_t max);

/* The monotonic time (ms) at which a group is or becomes ready if nobody sends or deletes; INT64_MAX: never. */
int64_t fk_memory_queue_ready_ms(struct fk_queue *queue);

/* The first messages of a group, at most `max` (1 to FK_QUEUE_BATCH_MAX), in order, hidden for `visibility_ms` (0 to
 * FK_QUEUE_VISIBILITY_MAX_MS); *count is 0 where the group is empty or one of its messages is hidden. NOMEM: nothing
 * was received. */
enum fk_err fk_memory_queue_receive(struct fk_queue *queue, int64_t group, size_t max, int64_t visibility_ms,
                                    struct fk_arena *arena, struct fk_delivery *deliveries, size_t *count);

/* Deletes a message; false where the receipt is void or the message gone, and nothing happens. */
bool fk_memory_queue_delete(struct fk_queue *queue, struct fk_receipt receipt);

/* The message is hidden for `visibility_ms` from now on, instead of what it was; 0 returns it to the queue at once.
 * False where the receipt is void, the message gone, or the delivery would last longer than FK_QUEUE_VISIBILITY_MAX_MS
 * in all (ChangeMessageVisibility says so), and nothing happens. */
bool fk_memory_queue_hide(struct fk_queue *queue, struct fk_receipt receipt, int64_t visibility_ms);

/* Messages that are neither deleted nor dropped, hidden ones included. */
size_t fk_memory_queue_count(struct fk_queue *queue);

#endif
