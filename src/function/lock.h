// SPDX-License-Identifier: Apache-2.0
/* The timed locks of the pipeline: a writer locks the accepted records of all paths that its operation looks at, in the
 * order of the paths, and gets each record with its lock. A lock excludes nobody for sure, as clocks and pauses are
 * what they are; its token does: whatever the holder writes later is conditional on it (pipeline_accept.h). */
#ifndef FK_FUNCTION_LOCK_H
#define FK_FUNCTION_LOCK_H

#include "function/cloud.h"
#include "function/pipeline_record.h"

/* A path that is locked, and its accepted state: the record, or what is visible where that is all there is. */
struct fk_locked {
    struct fk_bytes path;
    struct fk_node_record record;
};

/* Accepted records of paths, read before their locks are asked for. */
struct fk_read_ahead {
    const struct fk_bytes *paths;
    const struct fk_item *items;
    size_t count;
};

/* The locks of one attempt, sorted by path. */
struct fk_locks {
    const struct fk_cloud_options *options;
    const struct fk_ports *ports;
    struct fk_arena *arena;
    int64_t token;
    int64_t session_id;
    int64_t give_up_ms; /* monotonic: nobody is waited for any longer */
    struct fk_locked *items;
    size_t count;
    size_t capacity;
    struct fk_read_ahead ahead; /* for the first try: a lock is conditional on what was read */
};

/* No locks, and a new token. */
void fk_locks_init(struct fk_locks *locks, const struct fk_cloud_options *options, const struct fk_ports *ports,
                   struct fk_arena *arena, int64_t session_id, int64_t give_up_ms);

/* The lock that the holder of the token writes into a record now. */
struct fk_lock fk_locks_lock(const struct fk_locks *locks);

/* Locks the paths, which are sorted and each there once, waiting for each. BUSY: one was not to be had in time. Port
 * errors. */
enum fk_err fk_locks_take(struct fk_locks *locks, const struct fk_bytes *paths, size_t count);

/* Locks more paths at once and without waiting, as they may stand before others that are locked already. BUSY: somebody
 * else has one of them; some may be locked. */
enum fk_err fk_locks_try(struct fk_locks *locks, const struct fk_bytes *paths, size_t count);

/* NULL: not locked. */
struct fk_locked *fk_locks_find(const struct fk_locks *locks, struct fk_bytes path);

/* Gives all back that is still held; what can't be given back now runs out. */
void fk_locks_release(const struct fk_locks *locks);

#endif
