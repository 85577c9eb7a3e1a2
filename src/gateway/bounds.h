// SPDX-License-Identifier: Apache-2.0
/* What all clients together may take of a gateway: connections, sessions, memory, outstanding requests, and how fast
 * sessions may come. What one connection may take stands in limits.h alone. */
#ifndef FK_GATEWAY_BOUNDS_H
#define FK_GATEWAY_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: ZooKeeper's defaults where it has the bound, those of limits.h where it has none. */
struct fk_bounds {
    int32_t connections_max;     /* maxCnxns; 0 or less: none but the descriptors */
    int32_t outstanding_max;     /* globalOutstandingLimit; 0 or less: none but each connection's own */
    int32_t large_request_size;  /* largeRequestThreshold: larger ones count as large; 0 or less: none does */
    int32_t large_requests_size; /* largeRequestMaxBytes of all large requests; 0: FK_LARGE_REQUESTS_SIZE_MAX */
    int32_t connect_tokens;      /* connection_throttle_tokens: handshakes at once; 0 or less: no throttle */
    int32_t connect_fill_ms;     /* connection_throttle_fill_time; 0: 1 */
    int32_t connect_fill_count;  /* connection_throttle_fill_count: tokens that come back in that time; 0: 1 */
    int32_t sessions_max;        /* 0: FK_SESSIONS_MAX */
    int32_t ephemerals_max;      /* of one session; 0: FK_EPHEMERALS_MAX */
    int32_t events_at_once;      /* connections that take_output gives for events only before NULL; 0: all */
    int32_t expiries_at_once;    /* sessions that a tick or a round ends; 0: all that are due */
    int64_t held_size_max;       /* bytes of all buffers; 0: FK_HELD_SIZE_MAX */
};

/* Where a gateway stands. */
struct fk_bounds_state {
    int64_t held_size;  /* bytes in the buffers of all connections */
    int64_t large_size; /* of them, of large requests that are not whole or not taken yet */
    int64_t tokens;
    int64_t filled_ms;
    bool filled; /* the bucket was full once */
    /* refused since the last tick: a flood may not fill the log */
    int64_t connections;
    int64_t handshakes;
    int64_t sessions;
    int64_t starved; /* connections closed for the memory that they held */
    int64_t large;
};

#endif
