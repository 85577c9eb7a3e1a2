// SPDX-License-Identifier: Apache-2.0
/* Reads: blocking code over the store port, run where the host likes (inline on one machine). A job carries its own
 * copy of the request and of the caller's identities, so that its connection may go away meanwhile. */
#ifndef FK_GATEWAY_READ_H
#define FK_GATEWAY_READ_H

#include "base/arena.h"
#include "base/list.h"
#include "model/event.h"
#include "model/rules.h"
#include "port/store.h"

/* What the gateway does for setWatches and setWatches2 when the job is done, encoded in fk_job.actions: byte action,
 * int type or kinds, long zxid of the record, ustring path. */
enum fk_action {
    FK_ACTION_EVENT = 1,
    FK_ACTION_WATCH = 2,
};

struct fk_job {
    struct fk_list link;
    struct fk_conn *conn; /* NULL once the connection is gone */
    int32_t xid;
    int32_t op;
    int64_t started_ms;    /* monotonic */
    struct fk_buf request; /* body of the frame */
    struct fk_buf ids;     /* of the caller */
    int64_t session_id;
    const struct fk_rules *rules; /* of the gateway's options */
    /* results */
    int32_t code;
    int64_t zxid;               /* for the reply's header */
    struct fk_buf reply;        /* body */
    unsigned watch;             /* enum fk_watch_kind to set on watch_path, or 0 */
    struct fk_bytes watch_path; /* view of request */
    struct fk_buf actions;
    struct fk_arena arena;
    /* between a read and its store */
    unsigned wanted;     /* kind of the watch that the record being read is read for, or 0 */
    bool wanted_missing; /* a watch is set where there is no node, too */
    bool wanted_data;    /* the node's data is asked for */
    int64_t node_zxid;   /* cloud: zxid of the record read last; a watch hears of what is newer */
};

/* True for the operations that jobs do. */
bool fk_job_knows(int32_t op);

/* Runs the job against the visible state. Port errors become SYSTEM_ERROR. */
void fk_job_run(struct fk_job *job, struct fk_store *store);

#endif
