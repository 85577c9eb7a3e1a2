// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#if defined(__x86_64__)
#    include <nmmintrin.h>
#endif

uint32_t fk_crc32c_portable(uint32_t crc, struct fk_bytes bytes)
{
    /* One table entry per nibble, of the reflected polynomial 0x82f63b78. */
    static const uint32_t nibbles[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    crc = ~crc;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        crc = (crc >> 4) ^ nibbles[crc & 15];
        crc = (crc >> 4) ^ nibbles[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse(uint32_t crc, struct fk_bytes bytes)
{
    uint64_t state = (uint32_t)~crc;
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        state = _mm_crc32_u64(state, word);
    }
    uint32_t tail = (uint32_t)state;
    for (; left > 0; at++, left--) {
        tail = _mm_crc32_u8(tail, *at);
    }
    return ~tail;
}
#endif

uint32_t fk_crc32c(uint32_t crc, struct fk_bytes bytes)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return crc32c_sse(crc, bytes);
    }
#endif
    return fk_crc32c_portable(crc, bytes);
}
