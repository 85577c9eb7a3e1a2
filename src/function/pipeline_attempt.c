// SPDX-License-Identifier: Apache-2.0
/* Push, then accept (H25): an accepted attempt is in the distributor's queue for sure. */
#include "function/pipeline_internal.h"

#include "base/mark.h"
#include "base/mutant.h"
#include "function/data.h"
#include "function/outcome.h"

static enum fk_err push(const struct fk_writer_job *job, struct fk_bytes message)
{
    struct fk_backoff backoff = {.clock = job->ports->clock, .random = job->ports->random};
    int64_t deduplication_id = 0; /* of this attempt: the same bytes again while the outcome is unknown */
    fk_random_fill(job->ports->random, (uint8_t *)&deduplication_id, sizeof deduplication_id);
    for (;;) {
        enum fk_err err = fk_queue_send(job->ports->distributor, FK_GROUP_DISTRIBUTOR, deduplication_id, message);
        if (err == FK_ERR_UNKNOWN) {
            FK_MARK(PUSH_UNKNOWN);
        }
        if (FK_MUTANT(PUSH_NOT_REPEATED) && err == FK_ERR_UNKNOWN) {
            return FK_OK;
        }
        if ((err != FK_ERR_UNKNOWN && err != FK_ERR_BUSY) ||
            fk_clock_monotonic_ms(job->ports->clock) >= job->give_up_ms) {
            return err;
        }
        fk_backoff_wait(&backoff);
    }
}

enum fk_err fk_writer_push(const struct fk_writer_job *job, const struct fk_entry *entry)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_entry_write(&buf, entry);
    enum fk_err err = buf.failed ? FK_ERR_NOMEM : push(job, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
    return err;
}

/* True where the visible record of the path names the data. */
static bool is_visible(const struct fk_writer_try *attempt, const struct fk_node_record *stored)
{
    const struct fk_writer_job *job = attempt->job;
    struct fk_key key = fk_key_node(job->arena, stored->node.path);
    struct fk_node_record record;
    struct fk_item item;
    if (key.partition.data == NULL || fk_table_get(job->ports->table, &key, job->arena, &item) != FK_OK) {
        return true; /* perhaps */
    }
    return item.stamp != 0 && (fk_node_record_read(item.value, stored->node.path, job->arena, &record) != FK_OK ||
                               fk_bytes_equal(record.attempt, stored->attempt));
}

/* The attempt is lost: its data is of no use, unless it was accepted and has become visible since, and left the list.
 */
static void remove_stored(const struct fk_writer_try *attempt)
{
    for (size_t i = 0; i < attempt->stored_count; i++) {
        if (!is_visible(attempt, attempt->stored[i])) {
            (void)!fk_data_remove(attempt->job->ports, attempt->stored[i]->place, attempt->stored[i]->attempt);
        }
    }
}

/* What a writer must not do (H23): the error may be of a state that nobody can see yet. */
static void answer_error(const struct fk_writer_try *attempt)
{
    struct fk_answer_message answer = {.session_id = attempt->entry.session_id,
                                       .epoch = attempt->entry.epoch,
                                       .number = attempt->entry.number,
                                       .code = attempt->entry.code};
    fk_outcome_send_answer(attempt->job->ports, attempt->entry.gateway, &answer);
}

static enum fk_err accept_all(struct fk_writer_try *attempt)
{
    const struct fk_writer_job *job = attempt->job;
    enum fk_fate fate = FK_FATE_UNDECIDED;
    enum fk_err err = fk_accept(job->options, job->ports, job->arena, &attempt->entry,
                                attempt->visible_exists ? &attempt->visible : NULL, FK_ACCEPTER_WRITER, &fate);
    if (err != FK_OK) {
        return err;
    }
    if (fate == FK_FATE_LOST) {
        FK_MARK(TOKENS_LOST);
        remove_stored(attempt);
        return FK_ERR_REFUSED;
    }
    return FK_OK;
}

enum fk_err fk_writer_finish(struct fk_writer_try *attempt)
{
    const struct fk_writer_job *job = attempt->job;
    enum fk_err err = FK_OK;
    if (FK_MUTANT(ERRORS_BY_WRITER) && attempt->entry.code != FK_CODE_OK) {
        answer_error(attempt);
    }
    if (FK_MUTANT(PUSH_AFTER_ACCEPT)) {
        err = accept_all(attempt);
        return err == FK_OK ? fk_writer_push(job, &attempt->entry) : err;
    }
    err = fk_writer_push(job, &attempt->entry);
    if (err != FK_OK || FK_MUTANT(DONE_WHEN_PUSHED)) {
        return err;
    }
    return accept_all(attempt);
}
