// SPDX-License-Identifier: Apache-2.0
/* Messages in order in one buffer: length and number in front of each. The queue and the channel of one machine. */
#ifndef FK_DRIVER_LOCAL_FIFO_H
#define FK_DRIVER_LOCAL_FIFO_H

#include "base/buf.h"

struct fk_fifo {
    struct fk_buf buf;
    size_t size_max; /* bytes beyond which nothing more is taken */
};

static inline void fk_fifo_init(struct fk_fifo *fifo, size_t size_max)
{
    *fifo = (struct fk_fifo){.buf = FK_BUF_EMPTY, .size_max = size_max};
}

static inline void fk_fifo_deinit(struct fk_fifo *fifo)
{
    fk_buf_deinit(&fifo->buf);
}

/* Appends a copy. BUSY while the FIFO is full; NOMEM. */
enum fk_err fk_fifo_put(struct fk_fifo *fifo, int64_t number, struct fk_bytes message);

/* The oldest message, a view until the next put; false where there is none. It stays until fk_fifo_drop. */
bool fk_fifo_peek(const struct fk_fifo *fifo, int64_t *number, struct fk_bytes *message);
void fk_fifo_drop(struct fk_fifo *fifo);

#endif
