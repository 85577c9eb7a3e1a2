// SPDX-License-Identifier: Apache-2.0
#include "driver/local/frame.h"

#include "base/crc32c.h"
#include "wire/jute.h"

enum {
    AT_SIZE = 4,
    AT_POSITION = 8,
    AT_DURABLE = 16,
    AT_PREVIOUS = 24,
    AT_CRC = 28,
};

void fk_frame_begin(uint8_t *header, enum fk_frame_kind kind, size_t payload_size, int64_t position)
{
    fk_store_u32(header, (uint32_t)kind);
    fk_store_u32(header + AT_SIZE, (uint32_t)payload_size);
    fk_store_u64(header + AT_POSITION, (uint64_t)position);
}

static uint32_t frame_crc(const uint8_t *header, size_t payload_size, uint32_t seed)
{
    uint32_t crc = fk_crc32c(seed, fk_bytes_of(header, AT_CRC));
    return fk_crc32c(crc, fk_bytes_of(header + FK_FRAME_HEADER_SIZE, payload_size));
}

uint32_t fk_frame_seal(uint8_t *header, uint32_t seed, uint32_t previous, int64_t durable)
{
    fk_store_u64(header + AT_DURABLE, (uint64_t)durable);
    fk_store_u32(header + AT_PREVIOUS, previous);
    uint32_t crc = frame_crc(header, fk_load_u32(header + AT_SIZE), seed);
    fk_store_u32(header + AT_CRC, crc);
    return crc;
}

bool fk_frame_parse(const uint8_t *header, struct fk_frame *frame)
{
    uint32_t magic = fk_load_u32(header);
    if (magic != FK_FRAME_DATA && magic != FK_FRAME_SWITCH) {
        return false;
    }
    *frame = (struct fk_frame){
        .kind = (enum fk_frame_kind)magic,
        .payload_size = fk_load_u32(header + AT_SIZE),
        .position = (int64_t)fk_load_u64(header + AT_POSITION),
        .durable = (int64_t)fk_load_u64(header + AT_DURABLE),
        .previous = fk_load_u32(header + AT_PREVIOUS),
        .crc = fk_load_u32(header + AT_CRC),
    };
    return true;
}

bool fk_frame_check(const uint8_t *header, const struct fk_frame *frame, uint32_t seed)
{
    return frame_crc(header, frame->payload_size, seed) == frame->crc;
}
