// SPDX-License-Identifier: Apache-2.0
/* The end of a session: all its ephemeral nodes and its record in one step, or in as many as it takes (H8). */
#include "function/pipeline_internal.h"

#include "base/mark.h"
#include "model/path.h"

enum {
    /* Of a commit: zxid, events, the session, its accepted record, its list, and one to spare; and the statistics of
     * quotas, FK_QUOTAS_OF_CHANGE. */
    END_FIXED = 6,
    NODE_ITEMS = 2,   /* of each ephemeral node: its record, and its accepted one */
    PARENT_ITEMS = 1, /* of each parent */
};

/* What is left to remove, in order; *count of them. */
static enum fk_err read_rest(struct fk_writer_try *attempt, struct fk_bytes **paths, size_t *count)
{
    enum fk_err err = fk_writer_ephemerals(attempt, paths, count);
    size_t skip = 0;
    while (err == FK_OK && attempt->session.cursor.size > 0 && skip < *count &&
           fk_bytes_compare((*paths)[skip], attempt->session.cursor) <= 0) {
        skip++;
    }
    *paths = skip == 0 ? *paths : *paths + skip;
    *count -= skip;
    return err;
}

/* How many of the paths one commit takes. `locked` gets these and their parents. */
static size_t take(const struct fk_writer_try *attempt, const struct fk_bytes *paths, size_t count,
                   struct fk_bytes *locked, size_t *locked_count)
{
    size_t max = (size_t)attempt->job->options->commit_items_max;
    size_t cost = END_FIXED + FK_QUOTAS_OF_CHANGE(max);
    size_t taken = 0;
    struct fk_bytes last = FK_BYTES_NULL; /* parent: children of one stand together, mostly */
    *locked_count = 0;
    for (; taken < count && taken < attempt->job->chunk_max; taken++) {
        struct fk_bytes parent;
        struct fk_bytes name;
        if (!fk_path_split(paths[taken], &parent, &name)) {
            continue;
        }
        cost += (size_t)NODE_ITEMS + (size_t)(fk_bytes_equal(parent, last) ? 0 : PARENT_ITEMS);
        if (taken > 0 && cost > max) {
            break;
        }
        last = parent;
        locked[(*locked_count)++] = paths[taken];
        locked[(*locked_count)++] = parent;
    }
    return taken;
}

enum fk_err fk_writer_plan_end(struct fk_writer_try *attempt, bool *again)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_bytes *paths = NULL;
    size_t count = 0;
    enum fk_err err = read_rest(attempt, &paths, &count);
    struct fk_bytes *locked = (struct fk_bytes *)fk_arena_alloc(job->arena, (2 * count + 1) * sizeof *locked);
    if (err != FK_OK || locked == NULL) {
        return err != FK_OK ? err : FK_ERR_NOMEM;
    }
    size_t locked_count = 0;
    size_t taken = take(attempt, paths, count, locked, &locked_count);
    *again = taken < count;
    err = fk_writer_lock(attempt, locked, locked_count);
    if (err != FK_OK) {
        return err;
    }
    if (attempt->too_many) {
        job->chunk_max = taken > 1 ? taken / 2 : 1;
        return FK_ERR_REFUSED;
    }
    fk_plan_begin(&attempt->plan, FK_ZXID_PLANNED, fk_clock_wall_ms(job->ports->clock));
    fk_plan_close_session(&attempt->plan, job->message->session_id, paths, taken, !*again);
    if (attempt->plan.err != FK_OK) {
        return attempt->plan.err;
    }
    if (*again) {
        FK_MARK(CLOSE_IN_CHUNKS);
        attempt->entry.cursor = paths[taken - 1];
    }
    attempt->entry.kind = *again ? FK_STEP_CHUNK : FK_STEP_END;
    attempt->entry.answered = job->operation->op == FK_OP_CLOSE_SESSION && !*again ? job->number : -1;
    return fk_writer_fill(attempt);
}
