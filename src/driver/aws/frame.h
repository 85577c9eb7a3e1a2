// SPDX-License-Identifier: Apache-2.0
/* A message of a channel as it travels between machines: whose it is, how long it is, and a proof that somebody sent it
 * who may read the gateway's record, where the key stands.
 *
 *   "FKC1"      the format
 *   8 bytes     the gateway it is for
 *   4 bytes     size of the message
 *   message
 *   32 bytes    HMAC-SHA256, under the gateway's key, of all before it
 *
 * Numbers have their highest byte first. A message that is sent again is as good as the first: gateways tell repeats.
 */
#ifndef FK_DRIVER_AWS_FRAME_H
#define FK_DRIVER_AWS_FRAME_H

#include "base/buf.h"
#include "base/limits.h"

enum {
    FK_FRAME_KEY_SIZE = 32,
    FK_FRAME_HEAD_SIZE = 16,
    FK_FRAME_TAIL_SIZE = 32,
};

/* Appends a frame; failure is the buffer's. The message has FK_CHANNEL_MESSAGE_SIZE_MAX bytes at most. */
void fk_frame_append(struct fk_buf *buf, const uint8_t key[FK_FRAME_KEY_SIZE], int64_t gateway,
                     struct fk_bytes message);

/* The size of the frame that begins with this head of FK_FRAME_HEAD_SIZE bytes; 0 where it is none for the gateway. */
size_t fk_frame_size(const uint8_t *head, int64_t gateway);

/* The message of a whole frame, a view of it. MALFORMED: it is none for the gateway. REFUSED: whoever wrote it does not
 * have the key. */
enum fk_err fk_frame_read(struct fk_bytes frame, const uint8_t key[FK_FRAME_KEY_SIZE], int64_t gateway,
                          struct fk_bytes *message);

#endif
