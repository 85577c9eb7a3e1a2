// SPDX-License-Identifier: Apache-2.0
/* The thread that waits for messages of a gateway's channel, and the place where they wait for its loop. */
#ifndef FK_HOST_RECEIVER_H
#define FK_HOST_RECEIVER_H

#include "port/clock.h"
#include "port/mailbox.h"

#include <stdbool.h>
#include <stdint.h>

struct fk_receiver;

/* Starts it. The mailbox is borrowed; `wake` is called on the thread, when there is something to take. NULL without
 * memory or a thread. */
struct fk_receiver *fk_receiver_new(struct fk_mailbox *mailbox, void (*wake)(void *context), void *context);

/* Gives what has come to `take`, in the order in which it came. */
void fk_receiver_take(struct fk_receiver *receiver, fk_mailbox_take_fn take, void *context);

/* Calls of the mailbox since the last call of this, and how many of them brought something. */
void fk_receiver_count(struct fk_receiver *receiver, int64_t *receives, int64_t *with_messages);

/* Ends the thread; false where it does not return within `wait_ms`: then it and the mailbox must be left alone, the
 * process is about to end. A message to the gateway makes it return. */
bool fk_receiver_stop(struct fk_receiver *receiver, int64_t wait_ms);
void fk_receiver_free(struct fk_receiver *receiver);

#endif
