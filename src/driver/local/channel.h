// SPDX-License-Identifier: Apache-2.0
/* The channel of one machine: answers wait in one FIFO until the change that they follow is visible. */
#ifndef FK_DRIVER_LOCAL_CHANNEL_H
#define FK_DRIVER_LOCAL_CHANNEL_H

#include "port/channel.h"

/* NULL without memory. Free with fk_channel_free. */
struct fk_channel *fk_local_channel_new(void);

/* For the host: the oldest message if the change that it follows is at most `visible_zxid`; it stays until done. */
bool fk_local_channel_peek(struct fk_channel *channel, int64_t visible_zxid, struct fk_bytes *message);
void fk_local_channel_done(struct fk_channel *channel);

#endif
