// SPDX-License-Identifier: Apache-2.0
/* The records of the pipeline besides the visible ones (record.h): what is accepted, and who may accept more. Writers
 * plan against it; readers never look at it.
 *
 * A path that has none is accepted as it is visible: only a path that a writer ever locked has one. It is removed when
 * a deletion has become visible. */
#ifndef FK_FUNCTION_PIPELINE_RECORD_H
#define FK_FUNCTION_PIPELINE_RECORD_H

#include "function/record.h"

/* The timed lock in an accepted record. The token is what counts: it is drawn for one attempt, and each later write of
 * the attempt is conditional on it. The time only says when another writer may replace it. */
struct fk_lock {
    int64_t token;      /* 0: free */
    int64_t session_id; /* of the holder: its later attempts replace it at once, as its group runs one at a time */
    int64_t until_ms;   /* wall clock of the holder */
};

struct fk_accepted_node {
    struct fk_lock lock;
    bool known; /* false: the accepted state is the visible one; only the lock counts */
    /* node, exists, place, attempt, and counter: the number of the path's changes so far. zxids are 0, the distributor
     * gives them. */
    struct fk_node_record record;
};

enum fk_accepted_state {
    FK_ACCEPTED_LIVE = 1,
    FK_ACCEPTED_CLOSING = 2,
    FK_ACCEPTED_OVER = 3,
};

/* One accepted attempt that is perhaps not visible yet (H24). */
struct fk_accepted_step {
    int64_t epoch;
    int64_t number;
    int64_t token;
    struct fk_bytes *paths; /* of ephemeral nodes that it creates */
    size_t count;
};

/* Of a session, or of the sweeps' group (id 0), which has neither epochs nor numbers. */
struct fk_accepted_session {
    struct fk_lock lock;
    enum fk_accepted_state state;
    int64_t epoch;
    int64_t last;           /* number of the last step accepted in this epoch */
    struct fk_bytes cursor; /* closing: ephemeral nodes up to this path are done with */
    struct fk_accepted_step *steps;
    size_t count;
};

struct fk_key fk_key_accepted_node(struct fk_arena *arena, struct fk_bytes path);
struct fk_key fk_key_accepted_session(struct fk_arena *arena, int64_t id);

/* As the codecs of record.h. */
enum fk_err fk_accepted_node_read(struct fk_bytes value, struct fk_bytes path, struct fk_arena *arena,
                                  struct fk_accepted_node *record);
void fk_accepted_node_write(struct fk_buf *buf, const struct fk_accepted_node *record);
enum fk_err fk_accepted_session_read(struct fk_bytes value, struct fk_arena *arena, struct fk_accepted_session *record);
void fk_accepted_session_write(struct fk_buf *buf, const struct fk_accepted_session *record);

/* The step accepted under this token, or NULL. */
const struct fk_accepted_step *fk_accepted_session_step(const struct fk_accepted_session *record, int64_t token);

/* True where (epoch, number) is not beyond (reached_epoch, reached_number). */
static inline bool fk_step_reached(int64_t epoch, int64_t number, int64_t reached_epoch, int64_t reached_number)
{
    return epoch < reached_epoch || (epoch == reached_epoch && number <= reached_number);
}

#endif
