// SPDX-License-Identifier: Apache-2.0
/* Time that passes when its owner says so, and dice that fall the same way for the same seed: for tests and
 * simulations. */
#ifndef FK_DRIVER_MEMORY_CLOCK_H
#define FK_DRIVER_MEMORY_CLOCK_H

#include "port/clock.h"

struct fk_memory_clock {
    struct fk_clock base;
    int64_t monotonic_ns;
    int64_t wall_ms;
};

/* Starts at monotonic 0 and this time of day. Owns nothing. */
void fk_memory_clock_init(struct fk_memory_clock *clock, int64_t wall_ms);

/* Both times go on by `ms`, which is not negative. */
void fk_memory_clock_advance_ms(struct fk_memory_clock *clock, int64_t ms);

/* Anybody can guess what it gives: never for a server that runs. */
struct fk_memory_random {
    struct fk_random base;
    uint64_t state;
};

void fk_memory_random_init(struct fk_memory_random *random, uint64_t seed);

#endif
