// SPDX-License-Identifier: Apache-2.0
#include "driver/memory/clock.h"

#include "base/assert.h"
#include "base/container.h"

enum {
    NS_PER_MS = 1000000,
};

static int64_t monotonic_ns(struct fk_clock *clock)
{
    return FK_CONTAINER_OF(clock, struct fk_memory_clock, base)->monotonic_ns;
}

static int64_t wall_ms(struct fk_clock *clock)
{
    return FK_CONTAINER_OF(clock, struct fk_memory_clock, base)->wall_ms;
}

/* Nobody else moves this time while its owner waits. */
static void pause_ms(struct fk_clock *clock, int64_t ms)
{
    fk_memory_clock_advance_ms(FK_CONTAINER_OF(clock, struct fk_memory_clock, base), ms);
}

void fk_memory_clock_init(struct fk_memory_clock *clock, int64_t start_ms)
{
    static const struct fk_clock_ops ops = {.monotonic_ns = monotonic_ns, .wall_ms = wall_ms, .pause_ms = pause_ms};
    *clock = (struct fk_memory_clock){.base = {.ops = &ops}, .wall_ms = start_ms};
}

void fk_memory_clock_advance_ms(struct fk_memory_clock *clock, int64_t ms)
{
    FK_ASSERT(ms >= 0);
    clock->monotonic_ns += ms * NS_PER_MS;
    clock->wall_ms += ms;
}

/* splitmix64: each step mixes a counter, so that any seed is good. */
static uint64_t next_word(struct fk_memory_random *random)
{
    uint64_t word = random->state += UINT64_C(0x9e3779b97f4a7c15);
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

static void fill(struct fk_random *base, uint8_t *bytes, size_t size)
{
    struct fk_memory_random *random = FK_CONTAINER_OF(base, struct fk_memory_random, base);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)next_word(random);
    }
}

void fk_memory_random_init(struct fk_memory_random *random, uint64_t seed)
{
    static const struct fk_random_ops ops = {.fill = fill};
    *random = (struct fk_memory_random){.base = {.ops = &ops}, .state = seed};
}
