// SPDX-License-Identifier: Apache-2.0
/* The channel in memory: one mailbox for each gateway that listens. A message is there at once, whatever it follows:
 * in the cloud it is sent after the commit. Used by one thread; only notify and listen take memory. */
#ifndef FK_DRIVER_MEMORY_CHANNEL_H
#define FK_DRIVER_MEMORY_CHANNEL_H

#include "port/channel.h"

/* NULL without memory. Free with fk_channel_free. */
struct fk_channel *fk_memory_channel_new(void);

/* Opens the mailbox of a gateway, which has none. Messages to gateways without one are lost (FK_OK). NOMEM. */
enum fk_err fk_memory_channel_listen(struct fk_channel *channel, int64_t gateway);
/* Closes it, and loses what is in it; harmless for a gateway that has none. */
void fk_memory_channel_leave(struct fk_channel *channel, int64_t gateway);

/* The oldest message of the gateway, a view until it is done; false where there is none. It stays until done. */
bool fk_memory_channel_peek(struct fk_channel *channel, int64_t gateway, struct fk_bytes *message);
void fk_memory_channel_done(struct fk_channel *channel, int64_t gateway);

#endif
