// SPDX-License-Identifier: Apache-2.0
/* The real clock and the real dice. */
#ifndef FK_HOST_POSIX_CLOCK_H
#define FK_HOST_POSIX_CLOCK_H

#include "port/clock.h"

/* CLOCK_MONOTONIC, which stands still in suspend, and CLOCK_REALTIME. */
struct fk_clock *fk_posix_clock(void);

/* getrandom. */
struct fk_random *fk_posix_random(void);

#endif
