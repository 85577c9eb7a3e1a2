// SPDX-License-Identifier: Apache-2.0
/* The queue port: requests on their way to a function. FIFO inside a group; at least once, and what was delivered may
 * come again for hours: the receiver tells repeats by (session, epoch, number). */
#ifndef FK_PORT_QUEUE_H
#define FK_PORT_QUEUE_H

#include "base/bytes.h"
#include "base/err.h"

struct fk_queue;

struct fk_queue_ops {
    const char *name;
    /* Sends `message` (borrowed for the call) to `group`. Sending the same message again with the same
     * `deduplication_id` while the outcome of the first is unknown is allowed and needed: of the messages of one queue,
     * whatever their group, that come with the same id within FK_QUEUE_DEDUPLICATION_MS of the first, the others are
     * taken (OK) and dropped, even after the first was received and deleted. (The local queue delivers them.)
     * OK: it will be delivered. BUSY: not sent. UNKNOWN: repeat the same bytes. TOO_LARGE, NOMEM. */
    enum fk_err (*send)(struct fk_queue *queue, int64_t group, int64_t deduplication_id, struct fk_bytes message);
    void (*free)(struct fk_queue *queue);
};

/* Drivers put this first in their struct. Receiving is the host's affair, each has its own way. */
struct fk_queue {
    const struct fk_queue_ops *ops;
};

static inline enum fk_err fk_queue_send(struct fk_queue *queue, int64_t group, int64_t deduplication_id,
                                        struct fk_bytes message)
{
    return queue->ops->send(queue, group, deduplication_id, message);
}

static inline void fk_queue_free(struct fk_queue *queue)
{
    if (queue != NULL) {
        queue->ops->free(queue);
    }
}

#endif
