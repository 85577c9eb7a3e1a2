// SPDX-License-Identifier: Apache-2.0
#include "driver/local/fifo.h"

#include "base/assert.h"

enum {
    KEEP_SIZE = 256 * 1024, /* memory that stays when the FIFO runs empty */
};

struct header {
    int64_t number;
    size_t size;
};

enum fk_err fk_fifo_put(struct fk_fifo *fifo, int64_t number, struct fk_bytes message)
{
    if (fk_buf_left(&fifo->buf) > fifo->size_max) {
        return FK_ERR_BUSY;
    }
    struct header header = {.number = number, .size = message.size};
    if (fk_buf_reserve(&fifo->buf, sizeof header + message.size) == NULL) {
        fifo->buf.failed = false; /* what is in it stays good */
        return FK_ERR_NOMEM;
    }
    fk_buf_append(&fifo->buf, fk_bytes_of(&header, sizeof header));
    fk_buf_append(&fifo->buf, message);
    return FK_OK;
}

bool fk_fifo_peek(const struct fk_fifo *fifo, int64_t *number, struct fk_bytes *message)
{
    struct fk_bytes view = fk_buf_view(&fifo->buf);
    if (view.size == 0) {
        return false;
    }
    struct header header;
    FK_ASSERT(view.size >= sizeof header);
    memcpy(&header, view.data, sizeof header);
    *number = header.number;
    *message = fk_bytes_of(view.data + sizeof header, header.size);
    return true;
}

void fk_fifo_drop(struct fk_fifo *fifo)
{
    int64_t number = 0;
    struct fk_bytes message;
    bool some = fk_fifo_peek(fifo, &number, &message);
    FK_ASSERT(some);
    fk_buf_consume(&fifo->buf, sizeof(struct header) + message.size);
    fk_buf_trim(&fifo->buf, KEEP_SIZE);
}
