// SPDX-License-Identifier: Apache-2.0
#include "function/single_hop.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/mark.h"
#include "base/mutant.h"
#include "function/bundle.h"
#include "function/commit.h"
#include "function/data.h"
#include "function/decide.h"
#include "function/stored.h"

/* Where a batch stands: everything before this message and this operation of it is decided or dropped. */
struct position {
    size_t message;
    int32_t operation;
};

/* One invocation. */
struct run {
    const struct fk_cloud_options *options;
    const struct fk_ports *ports;
    const struct fk_bytes *messages;
    size_t count;
    struct position done;
    struct fk_arena arena;
    int64_t started_ms;
    size_t requests_max; /* that one commit takes: 1 once the store has refused several as too large */
    size_t chunk_max;
    bool refuse_large;
};

/* What one commit takes from the batch. */
struct attempt {
    struct fk_decision decision;
    struct position end;
    size_t requests;
    enum fk_verdict verdict;
};

static void want_path(void *context, struct fk_bytes path)
{
    struct fk_overlay *overlay = (struct fk_overlay *)context;
    struct fk_key key = fk_key_node(overlay->arena, path);
    fk_overlay_want(overlay, &key);
}

/* Names all that the batch touches for sure, so that one read brings it. */
static void prefetch(struct run *run, struct fk_overlay *overlay)
{
    for (size_t i = run->done.message; i < run->count; i++) {
        struct fk_reader reader = fk_reader_of(run->messages[i]);
        struct fk_request_message message;
        struct fk_request_operation operation;
        if (fk_request_message_read(&reader, &message) != FK_OK) {
            continue;
        }
        struct fk_key key = fk_key_session(overlay->arena, message.session_id);
        fk_overlay_want(overlay, &key);
        for (int32_t j = 0; j < message.count && fk_request_message_next(&reader, &operation) == FK_OK; j++) {
            fk_plan_paths(operation.op, operation.body, want_path, overlay);
            if (operation.op == FK_OP_CLOSE_SESSION || operation.op == FK_OP_EXPIRE) {
                key = fk_key_ephemerals(overlay->arena, message.session_id);
                fk_overlay_want(overlay, &key);
            }
        }
    }
}

/* Decides operations of one message from `*from` on; counts what is decided there. */
static enum fk_verdict decide_message(struct run *run, struct attempt *attempt, struct fk_reader *reader,
                                      const struct fk_request_message *message, int32_t *from)
{
    for (int32_t i = 0; i < message->count; i++) {
        struct fk_request_operation operation;
        if (fk_request_message_next(reader, &operation) != FK_OK) {
            FK_MARK(MESSAGE_UNREADABLE);
            fk_log(FK_LOG_ERROR, "a request message is cut short; what stands behind its operation %d is dropped", i);
            break;
        }
        if (i < *from) {
            continue;
        }
        if (attempt->requests == run->requests_max) {
            return FK_VERDICT_CUT;
        }
        enum fk_verdict verdict = fk_decide(&attempt->decision, message, &operation, message->first_number + i);
        if (verdict != FK_VERDICT_DONE || fk_decision_err(&attempt->decision) != FK_OK) {
            return verdict;
        }
        attempt->requests++;
        *from = i + 1;
    }
    *from = message->count;
    return FK_VERDICT_DONE;
}

/* Decides messages until the commit is full. VERSION: the next message is one of newer code. */
static enum fk_err decide_batch(struct run *run, struct attempt *attempt)
{
    while (attempt->end.message < run->count) {
        struct fk_reader reader = fk_reader_of(run->messages[attempt->end.message]);
        struct fk_request_message message;
        enum fk_err err = fk_request_message_read(&reader, &message);
        if (err == FK_ERR_VERSION) {
            FK_MARK(MESSAGE_NEWER);
            return attempt->end.message == run->done.message ? FK_ERR_VERSION : FK_OK;
        }
        attempt->verdict = FK_VERDICT_DONE;
        if (err != FK_OK) {
            FK_MARK(MESSAGE_UNREADABLE);
            fk_log(FK_LOG_ERROR, "a message of %zu bytes that is none is dropped",
                   run->messages[attempt->end.message].size);
        } else {
            attempt->verdict = decide_message(run, attempt, &reader, &message, &attempt->end.operation);
        }
        err = fk_decision_err(&attempt->decision);
        if (err != FK_OK || attempt->verdict != FK_VERDICT_DONE) {
            return err;
        }
        attempt->end = (struct position){.message = attempt->end.message + 1, .operation = 0};
    }
    return FK_OK;
}

/* load, plan, commit, tell: one try of what fits one commit. */
static enum fk_err try_once(struct run *run, struct attempt *attempt)
{
    struct fk_overlay *overlay = &attempt->decision.overlay;
    prefetch(run, overlay);
    enum fk_err err = fk_overlay_begin(overlay);
    if (err == FK_OK) {
        err = decide_batch(run, attempt);
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
    }
    return err;
}

/* The store takes less at once than this code thought: fewer requests, then less of one. */
static void take_less(struct run *run, const struct attempt *attempt)
{
    if (attempt->requests > 1 || run->requests_max > 1) {
        run->requests_max = 1;
    } else if (run->chunk_max > 1) {
        run->chunk_max = run->chunk_max == SIZE_MAX ? FK_TABLE_WRITE_MAX / 4 : run->chunk_max / 2;
        run->refuse_large = true;
    }
}

static enum fk_err step(struct run *run)
{
    struct attempt *attempt = (struct attempt *)fk_alloc_zero(sizeof *attempt);
    if (attempt == NULL) {
        return FK_ERR_NOMEM;
    }
    attempt->end = run->done;
    fk_decision_init(&attempt->decision, run->options, run->ports, &run->arena);
    attempt->decision.refuse_large = run->refuse_large;
    attempt->decision.chunk_max = run->chunk_max;
    enum fk_err err = try_once(run, attempt);
    if (err == FK_ERR_TOO_LARGE) {
        take_less(run, attempt);
        err = FK_ERR_REFUSED;
    } else if (err == FK_OK) {
        run->done = attempt->end;
        run->requests_max = SIZE_MAX;
        run->refuse_large = false;
        run->chunk_max = SIZE_MAX;
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
    while (run->done.message < run->count) {
        enum fk_err err = step(run);
        if (err == FK_OK) {
            backoff.tries = 0;
            continue;
        }
        if (FK_MUTANT(SKIP_FAILED)) {
            run->done = (struct position){.message = run->done.message + 1, .operation = 0};
            continue;
        }
        if (!worth_another_try(run, err)) {
            return err;
        }
        fk_backoff_wait(&backoff);
    }
    return FK_OK;
}

enum fk_err fk_single_hop_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                              const struct fk_bytes *messages, size_t count, size_t *done)
{
    struct run run = {.options = options,
                      .ports = ports,
                      .arena = FK_ARENA_EMPTY,
                      .started_ms = fk_clock_monotonic_ms(ports->clock),
                      .requests_max = SIZE_MAX,
                      .chunk_max = SIZE_MAX};
    struct fk_stored stored;
    struct fk_unbundled unbundled;
    enum fk_err opened = fk_stored_open(&stored, ports, run.started_ms + options->function_ms, messages, count);
    enum fk_err err = fk_unbundle(&unbundled, stored.messages, stored.count);
    *done = 0;
    if (err == FK_OK) {
        run.messages = unbundled.messages;
        run.count = unbundled.count;
        err = run_all(&run);
        *done = fk_unbundled_done(&unbundled, run.done.message);
    }
    fk_unbundled_close(&unbundled);
    fk_stored_close(&stored, *done);
    fk_arena_deinit(&run.arena);
    return err == FK_OK ? opened : err;
}
