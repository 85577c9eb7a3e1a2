// SPDX-License-Identifier: Apache-2.0
/* The receiving end of a channel (channel.h): messages for one gateway. Used by a thread of its own, which waits in
 * `receive`; whoever wants that to return early sends the gateway a message. */
#ifndef FK_PORT_MAILBOX_H
#define FK_PORT_MAILBOX_H

#include "base/bytes.h"
#include "base/err.h"

struct fk_mailbox;

/* A message that came, borrowed for the call. */
typedef void (*fk_mailbox_take_fn)(void *context, struct fk_bytes message);

struct fk_mailbox_ops {
    const char *name;
    /* Waits until something comes, or for as long as the driver finds right (20 s at most), and gives what came to
     * `take`, in any order, perhaps twice. What nobody who may has sent is not given. OK also where nothing came; BUSY,
     * UNKNOWN: again, after a pause. NOT_FOUND: the mailbox is gone. */
    enum fk_err (*receive)(struct fk_mailbox *mailbox, fk_mailbox_take_fn take, void *context);
    /* Nobody receives any more: removes what stands for it in the world. What fails is collected by a sweep. */
    void (*leave)(struct fk_mailbox *mailbox);
    void (*free)(struct fk_mailbox *mailbox);
};

/* Drivers put this first in their struct. */
struct fk_mailbox {
    const struct fk_mailbox_ops *ops;
    bool billed;             /* each receive is a request that costs something */
    struct fk_bytes address; /* for the gateway's record: what senders have to know, opaque to everybody else */
};

static inline enum fk_err fk_mailbox_receive(struct fk_mailbox *mailbox, fk_mailbox_take_fn take, void *context)
{
    return mailbox->ops->receive(mailbox, take, context);
}

static inline void fk_mailbox_leave(struct fk_mailbox *mailbox)
{
    mailbox->ops->leave(mailbox);
}

static inline void fk_mailbox_free(struct fk_mailbox *mailbox)
{
    if (mailbox != NULL) {
        mailbox->ops->free(mailbox);
    }
}

#endif
