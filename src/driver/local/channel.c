// SPDX-License-Identifier: Apache-2.0
#include "driver/local/channel.h"

#include "base/alloc.h"
#include "base/container.h"
#include "driver/local/fifo.h"

struct local_channel {
    struct fk_channel base;
    struct fk_fifo fifo; /* the number of a message is the zxid that it follows; never falling */
};

static struct local_channel *local(struct fk_channel *channel)
{
    return FK_CONTAINER_OF(channel, struct local_channel, base);
}

static enum fk_err channel_notify(struct fk_channel *channel, int64_t gateway, struct fk_bytes message,
                                  int64_t after_zxid)
{
    (void)gateway; /* there is one */
    return fk_fifo_put(&local(channel)->fifo, after_zxid, message);
}

static void channel_free(struct fk_channel *channel)
{
    fk_fifo_deinit(&local(channel)->fifo);
    fk_free(local(channel));
}

static const struct fk_channel_ops local_channel_ops = {
    .name = "local", .notify = channel_notify, .free = channel_free};

struct fk_channel *fk_local_channel_new(void)
{
    struct local_channel *channel = (struct local_channel *)fk_alloc(sizeof *channel);
    if (channel == NULL) {
        return NULL;
    }
    channel->base.ops = &local_channel_ops;
    /* Bounded by the queue: each message of it has a bounded number of answers, which are dropped each round. */
    fk_fifo_init(&channel->fifo, SIZE_MAX);
    return &channel->base;
}

bool fk_local_channel_peek(struct fk_channel *channel, int64_t visible_zxid, struct fk_bytes *message)
{
    int64_t after_zxid = 0;
    return fk_fifo_peek(&local(channel)->fifo, &after_zxid, message) && after_zxid <= visible_zxid;
}

void fk_local_channel_done(struct fk_channel *channel)
{
    fk_fifo_drop(&local(channel)->fifo);
}
