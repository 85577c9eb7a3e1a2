// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

static uint64_t hash_seed = UINT64_C(0x9e3779b97f4a7c15);

void fk_hash_seed(uint64_t seed)
{
    hash_seed = seed;
}

static inline uint64_t load64(const uint8_t *data)
{
    uint64_t word;
    memcpy(&word, data, sizeof word);
    return word;
}

/* 64x64 -> 128 bit multiplication folded to 64 bits: each input bit reaches every output bit. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t fk_bytes_hash(struct fk_bytes bytes)
{
    const uint64_t k1 = UINT64_C(0xa0761d6478bd642f);
    const uint64_t k2 = UINT64_C(0xe7037ed1a0b428db);
    uint64_t hash = hash_seed ^ fold(bytes.size ^ k1, k2);
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    while (left >= 16) {
        hash = fold(load64(at) ^ k1, load64(at + 8) ^ hash);
        at += 16;
        left -= 16;
    }
    uint64_t tail[2] = {0, 0};
    if (left > 0) {
        memcpy(tail, at, left);
    }
    return fold(fold(tail[0] ^ k1, tail[1] ^ hash) ^ k2, hash_seed ^ k1);
}

uint64_t fk_hash_join(uint64_t hash, uint64_t next)
{
    return fold(hash ^ hash_seed ^ UINT64_C(0xa0761d6478bd642f), next ^ UINT64_C(0xe7037ed1a0b428db));
}

bool fk_bytes_equal_secret(struct fk_bytes a, struct fk_bytes b)
{
    if (a.size != b.size) {
        return false;
    }
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < a.size; i++) {
        difference = (uint8_t)(difference | (a.data[i] ^ b.data[i]));
    }
    return difference == 0;
}
