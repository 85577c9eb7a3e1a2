// SPDX-License-Identifier: Apache-2.0
/* A small deterministic generator for tests (splitmix64): same seed, same values, on every machine. */
#ifndef FK_TESTS_UNIT_SUPPORT_PRNG_H
#define FK_TESTS_UNIT_SUPPORT_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fk_prng {
    uint64_t state;
};

static inline uint64_t fk_prng_next(struct fk_prng *prng)
{
    uint64_t word = prng->state += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

/* Below `bound`, which is not 0. */
static inline uint64_t fk_prng_below(struct fk_prng *prng, uint64_t bound)
{
    return fk_prng_next(prng) % bound;
}

static inline bool fk_prng_chance(struct fk_prng *prng, unsigned percent)
{
    return fk_prng_below(prng, 100) < percent;
}

static inline void fk_prng_fill(struct fk_prng *prng, void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)data)[i] = (uint8_t)fk_prng_next(prng);
    }
}

/* Integers with a liking for the ends of the range, 0 and -1. */
static inline int64_t fk_prng_i64(struct fk_prng *prng)
{
    static const int64_t corners[] = {0, 1, -1, INT64_MAX, INT64_MIN, INT32_MAX, INT32_MIN, 0x0102030405060708};
    uint64_t choice = fk_prng_below(prng, 16);
    return choice < 8 ? corners[choice] : (int64_t)fk_prng_next(prng);
}

static inline int32_t fk_prng_i32(struct fk_prng *prng)
{
    static const int32_t corners[] = {0, 1, -1, INT32_MAX, INT32_MIN, 0x01020304, -101, 31};
    uint64_t choice = fk_prng_below(prng, 16);
    return choice < 8 ? corners[choice] : (int32_t)(uint32_t)fk_prng_next(prng);
}

#endif
