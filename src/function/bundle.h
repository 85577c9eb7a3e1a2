// SPDX-License-Identifier: Apache-2.0
/* Request messages of several sessions of one gateway in one message of the queue. The queue hands a function few
 * messages at a time, so that under load what one message holds decides how much is done (single hop only: in the
 * pipeline each session is a group of its own). */
#ifndef FK_FUNCTION_BUNDLE_H
#define FK_FUNCTION_BUNDLE_H

#include "base/arena.h"
#include "function/message.h"

void fk_bundle_begin(struct fk_buf *buf);
void fk_bundle_add(struct fk_buf *buf, struct fk_bytes message);

/* A batch whose bundles are opened: a list of plain messages, and where each came from. */
struct fk_unbundled {
    const struct fk_bytes *messages;
    size_t count;
    size_t given;        /* messages of the queue */
    const size_t *owner; /* by message: which one of the queue it stood in; NULL: the lists are the same */
    struct fk_arena arena;
};

/* `messages` are borrowed. A bundle that is cut short, or holds another one, is opened up to there, with a line in the
 * log. NOMEM. Close in any case. */
enum fk_err fk_unbundle(struct fk_unbundled *unbundled, const struct fk_bytes *messages, size_t count);
/* How many messages of the queue are done when the first `done` of the list are. */
size_t fk_unbundled_done(const struct fk_unbundled *unbundled, size_t done);
void fk_unbundled_close(struct fk_unbundled *unbundled);

#endif
