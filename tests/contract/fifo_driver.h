// SPDX-License-Identifier: Apache-2.0
/* How the suite of FIFO queues (fifo_queue_test.c) handles a driver: receiving is not part of the port, each host has
 * its own way. Receipts and deliveries are those of the queue in memory. */
#ifndef FK_TESTS_CONTRACT_FIFO_DRIVER_H
#define FK_TESTS_CONTRACT_FIFO_DRIVER_H

#include "aws_fixture.h"
#include "base/limits.h"
#include "driver/memory/queue.h"

struct driver {
    enum fk_emulator emulator;                                            /* first: see FK_CLOUD_TEST_MAIN */
    struct fk_queue *(*open)(enum fk_emulator where);                     /* an empty queue */
    void (*close)(void);                                                  /* after the queue was freed; may be NULL */
    void (*pass_ms)(int64_t ms);                                          /* lets this time pass for it */
    size_t (*ready)(struct fk_queue *queue, int64_t *groups, size_t max); /* NULL: it does not tell */
    enum fk_err (*receive)(struct fk_queue *queue, int64_t group, size_t max, int64_t visibility_ms,
                           struct fk_arena *arena, struct fk_delivery *deliveries, size_t *count);
    bool (*remove)(struct fk_queue *queue, struct fk_receipt receipt);
    bool (*hide)(struct fk_queue *queue, struct fk_receipt receipt, int64_t visibility_ms);
    size_t (*count)(struct fk_queue *queue);
    int64_t visibility_ms; /* that the cases receive with */
    int64_t tick_ms; /* so long before a moment the case is surely before it; 1: time stands still for the driver */
    int random_steps;
    bool late_receipts; /* a receipt is honoured after its timeout too, until the message is delivered again */
    bool deletes_again; /* deleting what was deleted is told as done */
    bool counts_more;   /* a message may have been delivered more often than a case received it */
};

/* SQS of an emulator, by our driver; received from by our calls. A receive there is of any group: what is of another
 * one is given back at once, which counts as a delivery of it. */
extern const struct driver fk_ministack_fifo;
extern const struct driver fk_moto_fifo;

#endif
