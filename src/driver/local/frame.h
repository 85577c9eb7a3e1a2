// SPDX-License-Identifier: Apache-2.0
/* A frame is the unit of the log: what one round of the event loop commits. Big-endian:
 *   0  magic        4   "FKdt" data, "FKsw" the log goes on in the next segment
 *   4  payload size 4
 *   8  position     8   of this header, in the log
 *  16  durable      8   everything before this position was synced when the frame was written
 *  24  previous     4   CRC of the frame before it: a frame that was cut can't line up again (H28)
 *  28  CRC          4   CRC-32C of bytes 0-27 and the payload, started with the segment's seed
 *  32  payload
 * A frame validates by itself: magic, position and CRC. The seed is random per segment, so that data which clients
 * store can't pass for a frame. */
#ifndef FK_DRIVER_LOCAL_FRAME_H
#define FK_DRIVER_LOCAL_FRAME_H

#include "base/bytes.h"

enum {
    FK_FRAME_HEADER_SIZE = 32,
};

enum fk_frame_kind {
    FK_FRAME_DATA = 0x464b6474,
    FK_FRAME_SWITCH = 0x464b7377,
};

struct fk_frame {
    enum fk_frame_kind kind;
    size_t payload_size;
    int64_t position;
    int64_t durable;
    uint32_t previous;
    uint32_t crc;
};

/* Writes what is known when a frame is queued: kind, payload size, position. */
void fk_frame_begin(uint8_t *header, enum fk_frame_kind kind, size_t payload_size, int64_t position);

/* Writes the rest of the header; the payload follows it in memory. Returns the CRC. */
uint32_t fk_frame_seal(uint8_t *header, uint32_t seed, uint32_t previous, int64_t durable);

/* Reads a header (FK_FRAME_HEADER_SIZE bytes). False where the magic is wrong. */
bool fk_frame_parse(const uint8_t *header, struct fk_frame *frame);

/* True where the CRC is right; header and payload lie together in memory. */
bool fk_frame_check(const uint8_t *header, const struct fk_frame *frame, uint32_t seed);

/* Position behind the frame. */
static inline int64_t fk_frame_end(const struct fk_frame *frame)
{
    return frame->position + FK_FRAME_HEADER_SIZE + (int64_t)frame->payload_size;
}

#endif
