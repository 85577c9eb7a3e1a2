// SPDX-License-Identifier: Apache-2.0
/* What the parts of a writer share: pipeline.c (messages, and what is due in a session), pipeline_plan.c (what an
 * operation does), pipeline_end.c (the end of a session), pipeline_attempt.c (push and accept). */
#ifndef FK_FUNCTION_PIPELINE_INTERNAL_H
#define FK_FUNCTION_PIPELINE_INTERNAL_H

#include "function/lock.h"
#include "function/message.h"
#include "function/pipeline.h"
#include "function/pipeline_accept.h"
#include "model/plan.h"

/* One operation of one message at work, through all its tries. */
struct fk_writer_job {
    const struct fk_cloud_options *options;
    const struct fk_ports *ports;
    struct fk_arena *arena; /* lives as long as the job */
    int64_t give_up_ms;     /* monotonic */
    const struct fk_request_message *message;
    const struct fk_request_operation *operation;
    int64_t number;
    bool refuse_large;       /* the store or the queue has refused it as too large */
    size_t chunk_max;        /* ephemeral nodes of one chunk of a session's end */
    struct fk_bytes *extras; /* paths that earlier tries have found out they need */
    size_t extra_count;
};

/* One try. */
struct fk_writer_try {
    struct fk_writer_job *job;
    bool visible_exists;
    struct fk_session_record visible;
    struct fk_accepted_session session;
    struct fk_key session_key;
    int64_t session_stamp;
    int64_t visible_stamp;
    bool quotas; /* hard limits are kept, and there are some */
    struct fk_locks locks;
    struct fk_plan plan;
    struct fk_buf reply;
    bool too_many; /* paths to lock */
    struct fk_entry entry;
    const struct fk_node_record **stored; /* whose data the try has stored */
    size_t stored_count;
};

/* Plan: locks, plans and fills the entry. REFUSED: begin anew. */
enum fk_err fk_writer_plan_request(struct fk_writer_try *attempt);
enum fk_err fk_writer_plan_sweep(struct fk_writer_try *attempt, bool *due);
/* *again: a chunk; the job is not done with it. */
enum fk_err fk_writer_plan_end(struct fk_writer_try *attempt, bool *again);

/* Locks `count` paths (any order, repeats allowed) and those that earlier tries have found. */
enum fk_err fk_writer_lock(struct fk_writer_try *attempt, const struct fk_bytes *paths, size_t count);
/* Fills the entry with what was planned, and stores its data. */
enum fk_err fk_writer_fill(struct fk_writer_try *attempt);
/* Items of the commit that makes the planned change visible, and of the one that accepts it: the greater. */
size_t fk_writer_cost(const struct fk_writer_try *attempt);
/* The planner's lookup. */
enum fk_err fk_writer_lookup(void *context, struct fk_bytes path, struct fk_node *node);
/* Reads the paths of the session's ephemeral nodes, visible and accepted: a superset, sorted. */
enum fk_err fk_writer_ephemerals(struct fk_writer_try *attempt, struct fk_bytes **paths, size_t *count);
/* Sorts, and leaves each once. Returns how many. */
size_t fk_writer_sort(struct fk_bytes *paths, size_t count);

/* Pushes an entry, as often as it takes. */
enum fk_err fk_writer_push(const struct fk_writer_job *job, const struct fk_entry *entry);
/* Pushes and accepts what was planned. REFUSED: the attempt is lost, begin anew. */
enum fk_err fk_writer_finish(struct fk_writer_try *attempt);

#endif
