// SPDX-License-Identifier: Apache-2.0
/* Damage on the way from a client to the server, and the dice for it. */
#ifndef FK_TESTS_MANGLE_DAMAGE_H
#define FK_TESTS_MANGLE_DAMAGE_H

#include "base/buf.h"

/* Numbers from a seed (xorshift64*). */
struct random {
    uint64_t state;
};

void random_seed(struct random *random, uint64_t seed);
/* 0 to bound - 1. */
size_t random_below(struct random *random, size_t bound);
bool random_one_in(struct random *random, size_t chances);
void random_bytes(struct random *random, uint8_t *out, size_t size);

/* Damages bytes on their way; may change their number. */
void damage(struct random *random, struct fk_buf *bytes);

#endif
