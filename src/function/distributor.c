// SPDX-License-Identifier: Apache-2.0
#include "function/distributor.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/mark.h"
#include "base/mutant.h"
#include "function/commit.h"
#include "function/data.h"
#include "function/distributor_internal.h"
#include "function/pipeline_accept.h"

/* An entry of the batch. */
struct work {
    struct fk_entry entry;
    bool read;
    enum fk_fate fate;
};

/* One invocation. Everything before `done` is visible, or lost for good. */
struct run {
    const struct fk_cloud_options *options;
    const struct fk_ports *ports;
    const struct fk_bytes *messages;
    size_t count;
    size_t done;
    struct work *works;
    struct fk_arena entries; /* of the works */
    struct fk_arena arena;   /* of one commit */
    int64_t started_ms;
    size_t entries_max; /* that one commit takes: 1 once the store has refused several as too large */
};

/* --- fates --- */

/* Looks up what was decided of an entry; decides it where its writer has not (H25, H26). */
static enum fk_err find_fate(struct run *run, struct work *work)
{
    struct fk_key key = fk_key_session(&run->arena, work->entry.session_id);
    struct fk_session_record visible;
    struct fk_item item;
    enum fk_err err =
        key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(run->ports->table, &key, &run->arena, &item);
    bool exists = err == FK_OK && item.stamp != 0;
    if (exists) {
        err = fk_session_record_read(item.value, &run->arena, &visible);
    }
    if (err != FK_OK) {
        return err;
    }
    if (exists && !FK_MUTANT(VISIBLE_NOT_CHECKED) &&
        fk_step_reached(work->entry.epoch, work->entry.number, visible.epoch, visible.last)) {
        work->fate = FK_FATE_ACCEPTED; /* this attempt or another one: it is visible, and answered from the ring */
        return FK_OK;
    }
    return fk_accept(run->options, run->ports, &run->arena, &work->entry, exists ? &visible : NULL,
                     FK_ACCEPTER_DISTRIBUTOR, &work->fate);
}

static void drop(struct work *work, const char *why, size_t size)
{
    FK_MARK(MESSAGE_UNREADABLE);
    fk_log(FK_LOG_ERROR, "an entry of %zu bytes %s is dropped", size, why);
    work->fate = FK_FATE_LOST;
}

/* Takes a message apart, once. */
static enum fk_err read_entry(struct run *run, size_t i)
{
    struct work *work = &run->works[i];
    if (work->read || work->fate != FK_FATE_UNDECIDED) {
        return FK_OK;
    }
    enum fk_err err = fk_entry_read(run->messages[i], &run->entries, &work->entry);
    if (err == FK_ERR_MALFORMED) {
        drop(work, "that is none", run->messages[i].size);
        return FK_OK;
    }
    if (err == FK_ERR_VERSION) {
        FK_MARK(MESSAGE_NEWER);
    }
    work->read = err == FK_OK;
    return err;
}

static bool is_open(const struct work *work)
{
    return work->read && work->fate == FK_FATE_UNDECIDED;
}

/* The sessions of open entries, each once: the index of its first entry. */
static size_t open_sessions(struct run *run, size_t works[FK_TABLE_GET_MAX])
{
    size_t count = 0;
    for (size_t i = run->done; i < run->count && count < FK_TABLE_GET_MAX && read_entry(run, i) == FK_OK; i++) {
        struct work *work = &run->works[i];
        bool known = !is_open(work);
        if (!known && work->entry.kind == FK_STEP_DEAD) {
            work->fate = FK_FATE_ACCEPTED;
            known = true;
        }
        for (size_t j = 0; j < count && !known; j++) {
            known = run->works[works[j]].entry.session_id == work->entry.session_id;
        }
        if (!known) {
            works[count++] = i;
        }
    }
    return count;
}

static enum fk_err mark_accepted(struct run *run, int64_t session_id, const struct fk_overlay_item *item)
{
    struct fk_accepted_session session = {.count = 0};
    enum fk_err err = item->stamp == 0 ? FK_OK : fk_accepted_session_read(item->value, &run->arena, &session);
    for (size_t i = run->done; err == FK_OK && i < run->count; i++) {
        struct work *work = &run->works[i];
        if (is_open(work) && work->entry.session_id == session_id &&
            fk_accepted_session_step(&session, work->entry.token) != NULL) {
            work->fate = FK_FATE_ACCEPTED;
        }
    }
    return err;
}

/* What most entries are: accepted by their writers. The one reading of the batch tells it of all of them; of the others
 * nothing. */
static enum fk_err find_accepted(struct run *run, struct fk_overlay *overlay)
{
    size_t works[FK_TABLE_GET_MAX];
    size_t count = open_sessions(run, works);
    for (size_t i = 0; i < count; i++) {
        int64_t session_id = run->works[works[i]].entry.session_id;
        struct fk_key key = fk_key_accepted_session(&run->arena, session_id);
        const struct fk_overlay_item *item = fk_overlay_item(overlay, &key);
        enum fk_err err = item == NULL ? overlay->err : mark_accepted(run, session_id, item);
        if (err != FK_OK) {
            return err;
        }
    }
    return FK_OK;
}

static enum fk_err decide_entry(struct run *run, size_t i)
{
    struct work *work = &run->works[i];
    enum fk_err err = read_entry(run, i);
    if (err != FK_OK || work->fate != FK_FATE_UNDECIDED) {
        return err;
    }
    err = find_fate(run, work);
    if (err == FK_OK && work->fate == FK_FATE_LOST) {
        FK_MARK(ATTEMPT_DISCARDED);
    }
    return err;
}

/* Finds the fates of the entries from the first open one on; *end is behind the last one that is decided. */
static enum fk_err read_entries(struct run *run, struct fk_overlay *overlay, size_t *end)
{
    enum fk_err err = find_accepted(run, overlay);
    for (*end = run->done; err == FK_OK && *end < run->count; (*end)++) {
        err = decide_entry(run, *end);
        if (err != FK_OK && FK_MUTANT(UNDECIDED_PASSED)) {
            run->works[*end].fate = FK_FATE_LOST;
            err = FK_OK;
        }
        if (err != FK_OK) {
            break;
        }
    }
    return *end > run->done ? FK_OK : err; /* what is decided first; then this one again */
}

/* --- one commit --- */

struct attempt {
    struct fk_decision decision;
    struct fk_list superseded;
    size_t end;
    size_t entries;
};

static void want_entry(const struct work *work, struct fk_overlay *overlay)
{
    const struct fk_entry *entry = &work->entry;
    struct fk_key key = fk_key_accepted_session(overlay->arena, entry->session_id);
    if (work->fate == FK_FATE_UNDECIDED && entry->kind != FK_STEP_DEAD) {
        fk_overlay_want(overlay, &key);
    }
    key = fk_key_session(overlay->arena, entry->session_id);
    if (entry->session_id != 0) {
        fk_overlay_want(overlay, &key);
    }
    if (entry->kind == FK_STEP_DEAD || entry->kind == FK_STEP_ATTACH) {
        key = fk_key_gateway(overlay->arena, entry->gateway);
        fk_overlay_want(overlay, &key);
    }
    for (size_t i = 0; i < entry->path_count; i++) {
        if (entry->paths[i].counter != 0) {
            key = fk_key_node(overlay->arena, entry->paths[i].path);
            fk_overlay_want(overlay, &key);
        }
    }
}

/* Names all that the batch touches, and what says which of it is accepted, so that one read brings it. */
static void want_entries(struct run *run, struct fk_overlay *overlay)
{
    for (size_t i = run->done; i < run->count && read_entry(run, i) == FK_OK; i++) {
        if (run->works[i].read && run->works[i].fate != FK_FATE_LOST) {
            want_entry(&run->works[i], overlay);
        }
    }
}

static enum fk_err apply_entries(struct run *run, struct attempt *attempt, size_t end)
{
    for (attempt->end = run->done; attempt->end < end; attempt->end++) {
        const struct work *work = &run->works[attempt->end];
        if (work->fate != FK_FATE_ACCEPTED) {
            continue;
        }
        if (attempt->entries == run->entries_max) {
            return FK_OK;
        }
        enum fk_verdict verdict = fk_distributor_apply(&attempt->decision, &work->entry, &attempt->superseded);
        enum fk_err err = fk_decision_err(&attempt->decision);
        if (err != FK_OK || verdict == FK_VERDICT_CUT) {
            return err;
        }
        attempt->entries++;
    }
    return FK_OK;
}

static void remove_superseded(const struct run *run, const struct attempt *attempt)
{
    for (const struct fk_list *link = attempt->superseded.next; link != &attempt->superseded; link = link->next) {
        const struct fk_superseded *item = FK_CONTAINER_OF(link, struct fk_superseded, link);
        (void)!fk_data_remove(run->ports, item->place, item->attempt);
    }
}

static enum fk_err try_once(struct run *run, struct attempt *attempt)
{
    struct fk_overlay *overlay = &attempt->decision.overlay;
    size_t end = run->done;
    want_entries(run, overlay);
    enum fk_err err = fk_overlay_begin(overlay);
    if (err == FK_OK) {
        err = read_entries(run, overlay, &end);
    }
    if (err == FK_OK) {
        err = apply_entries(run, attempt, end);
    }
    if (err != FK_OK) {
        return err;
    }
    if (FK_MUTANT(ANSWER_BEFORE_COMMIT) || FK_MUTANT(EVENT_BEFORE_COMMIT)) {
        fk_outcome_send(overlay, &attempt->decision.outcomes);
    }
    if (overlay->changed) {
        err = fk_overlay_confirm(overlay);
        err = err == FK_OK ? fk_commit(overlay) : err;
    }
    if ((FK_MUTANT(UNKNOWN_IS_DONE) || FK_MUTANT(UNKNOWN_IS_REFUSED)) && err == FK_ERR_UNKNOWN) {
        err = FK_OK;
    }
    if (err == FK_OK) {
        fk_outcome_send(overlay, &attempt->decision.outcomes);
        fk_data_remove_replaced(overlay);
        remove_superseded(run, attempt);
    }
    return err;
}

static enum fk_err step(struct run *run)
{
    struct attempt *attempt = (struct attempt *)fk_alloc_zero(sizeof *attempt);
    if (attempt == NULL) {
        return FK_ERR_NOMEM;
    }
    fk_list_init(&attempt->superseded);
    fk_decision_init(&attempt->decision, run->options, run->ports, &run->arena);
    attempt->decision.chunk_max = SIZE_MAX;
    enum fk_err err = try_once(run, attempt);
    if (err == FK_ERR_TOO_LARGE && attempt->entries > 1) {
        run->entries_max = 1;
        err = FK_ERR_REFUSED;
    } else if (err == FK_OK) {
        run->done = attempt->end;
        run->entries_max = SIZE_MAX;
    }
    fk_decision_deinit(&attempt->decision);
    fk_free(attempt);
    fk_arena_reset(&run->arena);
    return err;
}

static bool worth_another_try(const struct run *run, enum fk_err err)
{
    if (err != FK_ERR_REFUSED && err != FK_ERR_BUSY && err != FK_ERR_UNKNOWN) {
        return false;
    }
    bool time_left = fk_clock_monotonic_ms(run->ports->clock) - run->started_ms < run->options->function_ms;
    if (!time_left) {
        FK_MARK(FUNCTION_OUT_OF_TIME);
    }
    return time_left;
}

static enum fk_err run_all(struct run *run)
{
    struct fk_backoff backoff = {.clock = run->ports->clock, .random = run->ports->random};
    while (run->done < run->count) {
        enum fk_err err = step(run);
        if (err == FK_OK) {
            backoff.tries = 0;
            continue;
        }
        if (FK_MUTANT(SKIP_FAILED)) {
            run->done++;
            continue;
        }
        if (!worth_another_try(run, err)) {
            return err;
        }
        fk_backoff_wait(&backoff);
    }
    return FK_OK;
}

enum fk_err fk_distributor_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                               const struct fk_bytes *messages, size_t count, size_t *done)
{
    struct run run = {.options = options,
                      .ports = ports,
                      .messages = messages,
                      .count = count,
                      .entries = FK_ARENA_EMPTY,
                      .arena = FK_ARENA_EMPTY,
                      .started_ms = fk_clock_monotonic_ms(ports->clock),
                      .entries_max = SIZE_MAX};
    run.works = (struct work *)fk_alloc_zero((count + 1) * sizeof *run.works);
    enum fk_err err = run.works == NULL ? FK_ERR_NOMEM : run_all(&run);
    *done = run.done;
    fk_free(run.works);
    fk_arena_deinit(&run.entries);
    fk_arena_deinit(&run.arena);
    return err;
}
