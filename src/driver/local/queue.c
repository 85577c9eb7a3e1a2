// SPDX-License-Identifier: Apache-2.0
#include "driver/local/queue.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/limits.h"
#include "driver/local/fifo.h"

struct local_queue {
    struct fk_queue base;
    struct fk_fifo fifo;
};

static struct local_queue *local(struct fk_queue *queue)
{
    return FK_CONTAINER_OF(queue, struct local_queue, base);
}

static enum fk_err queue_send(struct fk_queue *queue, int64_t group, int64_t deduplication_id, struct fk_bytes message)
{
    (void)group; /* one FIFO is a FIFO for each group */
    return fk_fifo_put(&local(queue)->fifo, deduplication_id, message);
}

static void queue_free(struct fk_queue *queue)
{
    fk_fifo_deinit(&local(queue)->fifo);
    fk_free(local(queue));
}

static const struct fk_queue_ops local_queue_ops = {.name = "local", .send = queue_send, .free = queue_free};

struct fk_queue *fk_local_queue_new(void)
{
    struct local_queue *queue = (struct local_queue *)fk_alloc(sizeof *queue);
    if (queue == NULL) {
        return NULL;
    }
    queue->base.ops = &local_queue_ops;
    fk_fifo_init(&queue->fifo, FK_QUEUE_SIZE_MAX);
    return &queue->base;
}

bool fk_local_queue_peek(struct fk_queue *queue, struct fk_bytes *message)
{
    int64_t number = 0;
    return fk_fifo_peek(&local(queue)->fifo, &number, message);
}

void fk_local_queue_done(struct fk_queue *queue)
{
    fk_fifo_drop(&local(queue)->fifo);
}
