// SPDX-License-Identifier: Apache-2.0
/* The channel port: messages from functions to gateways. They may be lost, repeated or reordered on a network; the
 * chain of event marks and the request numbers repair it. */
#ifndef FK_PORT_CHANNEL_H
#define FK_PORT_CHANNEL_H

#include "base/arena.h"
#include "base/err.h"

struct fk_channel;
struct fk_table;

struct fk_channel_ops {
    const char *name;
    /* Sends `message` (borrowed for the call) to the gateway with this address, not before `after_zxid` is durable
     * (and, on one machine, visible). FK_OK says nothing about its arrival. NOMEM, BUSY. */
    enum fk_err (*notify)(struct fk_channel *channel, int64_t gateway, struct fk_bytes message, int64_t after_zxid);
    void (*free)(struct fk_channel *channel);
};

/* Drivers put this first in their struct. */
struct fk_channel {
    const struct fk_channel_ops *ops;
};

/* How a channel between machines finds the way to a gateway: what its mailbox (mailbox.h) said of itself, as the
 * gateway's record in the table has it; in the arena, opaque to whoever looks it up. NOT_FOUND: no such gateway is
 * alive. The errors of the table. */
typedef enum fk_err (*fk_address_fn)(struct fk_table *table, int64_t gateway, struct fk_arena *arena,
                                     struct fk_bytes *address);

static inline enum fk_err fk_channel_notify(struct fk_channel *channel, int64_t gateway, struct fk_bytes message,
                                            int64_t after_zxid)
{
    return channel->ops->notify(channel, gateway, message, after_zxid);
}

static inline void fk_channel_free(struct fk_channel *channel)
{
    if (channel != NULL) {
        channel->ops->free(channel);
    }
}

#endif
