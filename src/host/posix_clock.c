// SPDX-License-Identifier: Apache-2.0
#include "host/posix_clock.h"

#include "base/assert.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static int64_t monotonic_ns(struct fk_clock *clock)
{
    struct timespec now;
    (void)clock;
    int status = clock_gettime(CLOCK_MONOTONIC, &now);
    FK_ASSERT(status == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t wall_ms(struct fk_clock *clock)
{
    struct timespec now;
    (void)clock;
    int status = clock_gettime(CLOCK_REALTIME, &now);
    FK_ASSERT(status == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(struct fk_clock *clock, int64_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)clock;
    while (nanosleep(&left, &left) != 0) {
        FK_ASSERT(errno == EINTR);
    }
}

struct fk_clock *fk_posix_clock(void)
{
    static const struct fk_clock_ops ops = {.monotonic_ns = monotonic_ns, .wall_ms = wall_ms, .pause_ms = pause_ms};
    static struct fk_clock clock = {.ops = &ops};
    return &clock;
}

static void fill(struct fk_random *random, uint8_t *bytes, size_t size)
{
    (void)random;
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        FK_ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            bytes += got;
            size -= (size_t)got;
        }
    }
}

struct fk_random *fk_posix_random(void)
{
    static const struct fk_random_ops ops = {.fill = fill};
    static struct fk_random random = {.ops = &ops};
    return &random;
}
