// SPDX-License-Identifier: Apache-2.0
/* The store of one machine: the state in memory, and the engine (log and checkpoint) that makes it durable. A commit is
 * accepted at once; fk_local_store_flush hands what was accepted to the log as one frame, and fk_local_store_next makes
 * visible what has become durable, change by change, in order. */
#ifndef FK_DRIVER_LOCAL_STORE_H
#define FK_DRIVER_LOCAL_STORE_H

#include "driver/local/engine.h"
#include "port/store.h"

struct fk_local_store_options {
    const char *directory;                  /* NULL: nothing on disk, a commit is durable as soon as it is flushed */
    int64_t segment_size;                   /* bytes of a log segment; 0: the default */
    bool sync;                              /* forceSync */
    const struct fk_engine_options *engine; /* for simulators: files, threads, sizes; NULL: the normal ones */
    void (*progress)(void *context);        /* something became durable, or space came back; any thread */
    void (*fatal)(void *context, const char *what); /* a write or a sync failed; any thread; must end the process */
    void *context;
};

/* Opens, recovers, starts the engine's threads. Errors are those of fk_engine_open, with the details in diag. */
enum fk_err fk_local_store_open(const struct fk_local_store_options *options, struct fk_store **store,
                                struct fk_diag *diag);

/* Hands accepted changes to the log; nothing to do where there are none. `inline_sync`: write and sync on this thread,
 * if the log is idle. */
void fk_local_store_flush(struct fk_store *store, bool inline_sync);

/* Makes the oldest durable change visible; the view is valid until the next call, which forgets it. NULL: none is. */
const struct fk_change *fk_local_store_next(struct fk_store *store);

/* Bytes accepted and not yet visible, about. */
size_t fk_local_store_in_flight(struct fk_store *store);

/* The containers and TTL nodes of both views, one after the other, again and again: gives the record that the next one
 * has in the accepted view, or one without a path where it is deleted there. False where there are none. */
bool fk_local_store_next_swept(struct fk_store *store, struct fk_node *node);
/* How many there are. */
size_t fk_local_store_swept(const struct fk_store *store);

/* Walks the visible sessions: NULL gives the first. For the gateway's start. */
const struct fk_session *fk_local_store_next_session(struct fk_store *store, const struct fk_session *session);

#endif
