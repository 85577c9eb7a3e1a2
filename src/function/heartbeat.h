// SPDX-License-Identifier: Apache-2.0
/* The heartbeat function: finds sessions whose time has run out and requests their closing. On one machine the tick
 * timer runs it over the session table of the gateway. Rounding is ZooKeeper's (ExpiryQueue): a session lives until the
 * first tick that is later than last packet + timeout. */
#ifndef FK_FUNCTION_HEARTBEAT_H
#define FK_FUNCTION_HEARTBEAT_H

#include "port/queue.h"

/* One session as the heartbeat sees it. */
struct fk_lease {
    int64_t session_id;
    int64_t epoch;
    int64_t last_packet_ms; /* monotonic */
    int32_t timeout_ms;
};

/* The moment at which a session expires, in monotonic ms; a multiple of tick_ms. */
int64_t fk_lease_deadline_ms(const struct fk_lease *lease, int32_t tick_ms);

/* Where the answers to closings go; number 0 marks a request that no client waits for. */
struct fk_heartbeat {
    struct fk_queue *queue;
    int64_t gateway;
    int32_t tick_ms;
};

/* Sends the closing of one session whose deadline has passed at `now_ms`; *expired tells whether it was sent. An error
 * of the queue leaves the session for the next sweep. */
enum fk_err fk_heartbeat_check(const struct fk_heartbeat *heartbeat, const struct fk_lease *lease, int64_t now_ms,
                               bool *expired);

#endif
