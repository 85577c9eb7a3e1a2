// SPDX-License-Identifier: Apache-2.0
/* The clock and random ports: nothing else tells the time or throws dice. Safety never depends on either; only times in
 * records, expiry, and names that must not be guessed do. */
#ifndef FK_PORT_CLOCK_H
#define FK_PORT_CLOCK_H

#include "base/bytes.h"

struct fk_clock;

struct fk_clock_ops {
    /* Never goes back; stands still while the machine is suspended. Nanoseconds from an arbitrary start. */
    int64_t (*monotonic_ns)(struct fk_clock *clock);
    /* Milliseconds since 1970, UTC; may jump. */
    int64_t (*wall_ms)(struct fk_clock *clock);
    /* Waits; only functions and jobs may, which run beside the loop. */
    void (*pause_ms)(struct fk_clock *clock, int64_t ms);
};

struct fk_clock {
    const struct fk_clock_ops *ops;
};

struct fk_random;

struct fk_random_ops {
    /* Fills with bytes that nobody can guess. */
    void (*fill)(struct fk_random *random, uint8_t *bytes, size_t size);
};

struct fk_random {
    const struct fk_random_ops *ops;
};

static inline int64_t fk_clock_monotonic_ms(struct fk_clock *clock)
{
    return clock->ops->monotonic_ns(clock) / 1000000;
}

static inline int64_t fk_clock_wall_ms(struct fk_clock *clock)
{
    return clock->ops->wall_ms(clock);
}

static inline void fk_clock_pause_ms(struct fk_clock *clock, int64_t ms)
{
    clock->ops->pause_ms(clock, ms);
}

static inline void fk_random_fill(struct fk_random *random, uint8_t *bytes, size_t size)
{
    random->ops->fill(random, bytes, size);
}

#endif
