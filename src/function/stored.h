// SPDX-License-Identifier: Apache-2.0
/* Requests that are larger than a message of the queue shall be (design.md section 8): the message itself is put as a
 * blob, and what is queued names it. The function that decides the message removes the blob afterwards; where nobody
 * gets to that, a sweep does when no queue can hold the message any more. */
#ifndef FK_FUNCTION_STORED_H
#define FK_FUNCTION_STORED_H

#include "function/cloud.h"

/* Sends a request message to the queue, by way of a blob where it is larger than options->message_size_max. Results are
 * as of fk_queue_send: on BUSY and UNKNOWN repeat it with the same id and bytes. */
enum fk_err fk_stored_send(const struct fk_cloud_options *options, const struct fk_ports *ports, int64_t group,
                           int64_t deduplication_id, struct fk_bytes message);

/* A batch whose stored messages are fetched. */
struct fk_stored {
    const struct fk_ports *ports;
    const struct fk_bytes *given;
    const struct fk_bytes *messages; /* the same in whole */
    size_t count;                    /* fewer than given where fetching failed */
    struct fk_arena arena;
};

/* Fetches, trying again until the clock says give_up_ms; `messages` is borrowed until the close. A blob that is gone
 * was removed by the one who decided its message: that message becomes one that asks for nothing. An error says why
 * stored->count is less than `count`; close in any case. */
enum fk_err fk_stored_open(struct fk_stored *stored, const struct fk_ports *ports, int64_t give_up_ms,
                           const struct fk_bytes *messages, size_t count);
/* Removes the blobs of the first `done` messages, which are decided. */
void fk_stored_close(struct fk_stored *stored, size_t done);

/* Is this a blob's name of ours? *old: no queue can hold its message at this time of the wall clock. */
bool fk_stored_parse(struct fk_bytes name, int64_t now_ms, bool *old);

#endif
