// SPDX-License-Identifier: Apache-2.0
/* The queue of one machine: one FIFO, delivered once, in the order in which it was sent. */
#ifndef FK_DRIVER_LOCAL_QUEUE_H
#define FK_DRIVER_LOCAL_QUEUE_H

#include "port/queue.h"

/* NULL without memory. Free with fk_queue_free. */
struct fk_queue *fk_local_queue_new(void);

/* For the host: the oldest message, until it is done; false where there is none. */
bool fk_local_queue_peek(struct fk_queue *queue, struct fk_bytes *message);
void fk_local_queue_done(struct fk_queue *queue);

#endif
