// SPDX-License-Identifier: Apache-2.0
/* Threads that run a cloud gateway's jobs beside its loop. Ports block, so that a thread is needed for each call that
 * is under way: 2 000 reads a second that take 5 ms need 10 of them. They are started when all others are at work, and
 * the one that was at work last is woken first: a gateway that has little to do keeps few connections to the table, and
 * these stay open.
 *
 * The lease has a thread of its own. Of what waits, the lowest lane goes first (fk_job_lane). What waits is bounded by
 * the gateway: a connection has a read, a message and a look for answers under way at most, a session its end. */
#ifndef FK_HOST_WORKERS_H
#define FK_HOST_WORKERS_H

#include "gateway/cloud.h"

/* Where ports come from. Called on the threads, many at once; what it gives is used by that thread alone. */
struct fk_port_source {
    void *context;
    /* NULL without memory: the thread tries again. */
    const struct fk_ports *(*open)(void *context);
    void (*close)(void *context, const struct fk_ports *ports);
    /* The last failure of a port, for people; NULL: nothing is known. */
    const char *(*error)(void *context, const struct fk_ports *ports);
};

struct fk_workers_options {
    const struct fk_cloud_options *cloud; /* borrowed, as source */
    const struct fk_port_source *source;
    size_t threads_max; /* besides the lease's */
    /* From a thread: something is done. */
    void (*wake)(void *context);
    void *context;
};

struct fk_workers;

/* No thread yet. NULL without memory. */
struct fk_workers *fk_workers_new(const struct fk_workers_options *options);

/* The job will be run, by and by. */
void fk_workers_add(struct fk_workers *workers, struct fk_job *job);

/* The next one that was run, in no order; NULL: none. */
struct fk_job *fk_workers_take_done(struct fk_workers *workers);

/* Threads that were started, and jobs that wait for one. */
void fk_workers_count(struct fk_workers *workers, size_t *threads, size_t *waiting);

/* Waits for the jobs at work, and ends the threads. Those that were not begun come out with those that were run. False
 * where a thread does not return within `wait_ms`: then everything that it may use must be left alone, the process is
 * about to end. */
bool fk_workers_stop(struct fk_workers *workers, int64_t wait_ms);
void fk_workers_free(struct fk_workers *workers);

#endif
