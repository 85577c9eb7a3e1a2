// SPDX-License-Identifier: Apache-2.0
/* The watches that a client keeps, and what it tells a new gateway about them (ZKWatchManager, primeConnection). */
#ifndef SIM_CLIENT_WATCH_H
#define SIM_CLIENT_WATCH_H

#include "base/buf.h"
#include "sim/client.h"

struct sim_watch_entry {
    struct fk_bytes path; /* memory of its own */
    unsigned kinds;
};

struct sim_watches {
    struct sim_watch_entry *items; /* in the order in which they were set */
    size_t count;
    size_t capacity;
};

void sim_watches_clear(struct sim_watches *watches);
unsigned sim_watches_get(const struct sim_watches *watches, struct fk_bytes path);
/* What the answer to a request sets: DataWatchRegistration and its like. */
void sim_watches_answered(struct sim_watches *watches, const struct sim_request *call);
/* What an event takes away. */
void sim_watches_fired(struct sim_watches *watches, int32_t type, struct fk_bytes path);
/* Appends the body of setWatches or setWatches2 and gives its op; 0: there are no watches. */
int32_t sim_watches_request(const struct sim_watches *watches, int64_t relative_zxid, struct fk_buf *body);

#endif
