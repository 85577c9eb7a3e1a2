// SPDX-License-Identifier: Apache-2.0
#include "function/writer.h"

#include "base/log.h"
#include "base/mutant.h"
#include "model/plan.h"

#include <stdio.h>

enum {
    QUOTA_WARNING_MS = 15000,
};

/* What the planner's lookup needs. */
struct loader {
    struct fk_store *store;
    struct fk_arena *arena;
};

void fk_writer_init(struct fk_writer *writer, struct fk_store *store, struct fk_channel *channel,
                    struct fk_clock *clock)
{
    *writer = (struct fk_writer){.store = store,
                                 .channel = channel,
                                 .clock = clock,
                                 .arena = FK_ARENA_EMPTY,
                                 .body = FK_BUF_EMPTY,
                                 .answer = FK_BUF_EMPTY};
}

void fk_writer_deinit(struct fk_writer *writer)
{
    fk_arena_deinit(&writer->arena);
    fk_buf_deinit(&writer->body);
    fk_buf_deinit(&writer->answer);
}

static enum fk_err load_node(void *context, struct fk_bytes path, struct fk_node *node)
{
    struct loader *loader = (struct loader *)context;
    enum fk_err err = fk_store_get(loader->store, FK_VIEW_ACCEPTED, path, loader->arena, node);
    return err == FK_OK && node->path.data == NULL ? FK_ERR_NOT_FOUND : err;
}

static enum fk_err measure(void *context, struct fk_bytes path, struct fk_extent *extent)
{
    return fk_store_measure(((struct loader *)context)->store, path, extent);
}

/* One warning of a quota per QUOTA_WARNING_MS: clients repeat what is refused. */
static void warn_of_quota(struct fk_writer *writer, const struct fk_excess *excess)
{
    int64_t now_ms = fk_clock_monotonic_ms(writer->clock);
    if (writer->warned_ms != 0 && now_ms - writer->warned_ms < QUOTA_WARNING_MS) {
        writer->unwarned++;
        return;
    }
    struct fk_bytes path = fk_bytes_head(excess->path, 256);
    char more[64] = "";
    if (writer->unwarned > 0) {
        (void)snprintf(more, sizeof more, "; %lld times more since the last warning", (long long)writer->unwarned);
    }
    fk_log(FK_LOG_WARN, "quota exceeded: %.*s: %s %lld is over the %s limit %lld%s", (int)path.size,
           (const char *)path.data, excess->what, (long long)excess->value, excess->hard ? "hard" : "soft",
           (long long)excess->limit, more);
    writer->warned_ms = now_ms;
    writer->unwarned = 0;
}

/* Plans the end of a session, or the next piece of it. */
static enum fk_err plan_close(struct fk_writer *writer, int64_t session_id, struct fk_plan *plan, enum fk_code *code)
{
    struct fk_list_key key = {.kind = FK_LIST_EPHEMERALS, .session_id = session_id};
    struct fk_page page = {.more = true};
    size_t capacity = 0;
    size_t count = 0;
    struct fk_bytes *paths = NULL;
    while (page.more) {
        enum fk_err err = fk_store_list(writer->store, FK_VIEW_ACCEPTED, &key, &writer->arena, &page);
        if (err != FK_OK) {
            return err;
        }
        if (count + page.count > capacity) {
            capacity = 2 * (count + page.count);
            struct fk_bytes *more = (struct fk_bytes *)fk_arena_alloc(&writer->arena, capacity * sizeof *more);
            if (more == NULL) {
                return FK_ERR_NOMEM;
            }
            if (count > 0) {
                memcpy(more, paths, count * sizeof *more);
            }
            paths = more;
        }
        if (page.count > 0) {
            memcpy(paths + count, page.names, page.count * sizeof *paths);
        }
        count += page.count;
    }
    bool last = count <= writer->close_max;
    fk_plan_close_session(plan, session_id, paths, last ? count : writer->close_max, last);
    if (!last) {
        *code = FK_CODE_RUNTIME_INCONSISTENCY; /* more to do: nobody is answered yet */
    } else if (writer->close_max > count) {
        writer->close_max = count; /* what a store that refuses it takes is searched below this */
    }
    return plan->err;
}

static enum fk_code plan_create_session(struct fk_plan *plan, int64_t session_id, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_session_request request;
    struct fk_session session = {.id = session_id};
    fk_read_session_request(&reader, &request);
    if (reader.failed || request.password.size != FK_PASSWORD_SIZE) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    session.timeout_ms = request.timeout_ms;
    memcpy(session.password, request.password.data, FK_PASSWORD_SIZE);
    fk_plan_create_session(plan, &session);
    return FK_CODE_OK;
}

/* The end of a session is irrevocable and takes no answer from a client: it can't be refused for want of space. */
static bool must_happen(int32_t op)
{
    return op == FK_OP_CLOSE_SESSION;
}

static enum fk_code plan_sweep(struct fk_plan *plan, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_sweep_request request;
    fk_read_sweep_request(&reader, &request);
    return reader.failed || request.path.data == NULL
               ? FK_CODE_MARSHALLING_ERROR
               : fk_plan_sweep_node(plan, request.path, request.version, request.cversion);
}

/* Plans one operation of a live session, or of nobody: the sweeper's. Sets *code; an error is one of a port. */
static enum fk_err plan_request(struct fk_writer *writer, const struct fk_request_message *message,
                                const struct fk_request_operation *operation, struct fk_plan *plan, enum fk_code *code)
{
    struct fk_session session;
    struct fk_caller caller = {.session_id = message->session_id, .ids = message->ids, .rules = &writer->rules};
    if (operation->op == FK_OP_SWEEP_NODE) {
        *code = plan_sweep(plan, operation->body);
        return plan->err;
    }
    enum fk_err err = fk_store_get_session(writer->store, FK_VIEW_ACCEPTED, message->session_id, &session);
    if (err != FK_OK && err != FK_ERR_NOT_FOUND) {
        return err;
    }
    bool live = err == FK_OK;
    if (operation->op == FK_OP_CREATE_SESSION) {
        /* Ids are random: one that is taken is refused, the gateway draws another. */
        *code = live ? FK_CODE_NODE_EXISTS : plan_create_session(plan, message->session_id, operation->body);
    } else if (!live) {
        *code = FK_CODE_SESSION_EXPIRED;
    } else if (operation->op == FK_OP_CLOSE_SESSION) {
        *code = FK_CODE_OK;
        return plan_close(writer, message->session_id, plan, code);
    } else {
        *code = fk_plan_operation(plan, &caller, operation->op, operation->body, &writer->body);
    }
    return plan->err;
}

/* Sends an answer. One that gets lost changes nothing: what was decided must not be decided again. The gateway meets
 * the gap in the numbers and ends the connection, whose client then knows that it does not know. */
static void send_answer(struct fk_writer *writer, const struct fk_request_message *message, int64_t number,
                        int64_t zxid, enum fk_code code, int64_t after_zxid)
{
    bool ok = code == FK_CODE_OK;
    struct fk_answer_message answer = {.session_id = message->session_id,
                                       .epoch = message->epoch,
                                       .number = number,
                                       .zxid = zxid,
                                       .code = (int32_t)code,
                                       .body = ok ? fk_buf_view(&writer->body) : FK_BYTES_NULL};
    fk_buf_clear(&writer->answer);
    fk_answer_message_write(&writer->answer, &answer);
    enum fk_err err = writer->answer.failed ? FK_ERR_NOMEM
                                            : fk_channel_notify(writer->channel, message->gateway,
                                                                fk_buf_view(&writer->answer), after_zxid);
    if (err != FK_OK) {
        writer->answer_lost = true;
        fk_log(FK_LOG_ERROR, "an answer to session 0x%llx is lost: %s", (unsigned long long)message->session_id,
               fk_err_text(err));
    }
}

/* load, plan, commit: one try. Errors: REFUSED, BUSY, UNKNOWN = load again; FULL; NOMEM. */
static enum fk_err decide(struct fk_writer *writer, const struct fk_request_message *message,
                          const struct fk_request_operation *operation, enum fk_code *code, int64_t *zxid)
{
    struct loader loader = {.store = writer->store, .arena = &writer->arena};
    struct fk_plan plan;
    fk_arena_reset(&writer->arena);
    fk_buf_clear(&writer->body);
    int64_t before = fk_store_zxid(writer->store, FK_VIEW_ACCEPTED);
    fk_plan_init(&plan, &writer->arena, load_node, &loader);
    plan.rules = &writer->rules;
    plan.measure = measure;
    plan.quotas = fk_store_has_quotas(writer->store);
    fk_plan_begin(&plan, before + 1, fk_clock_wall_ms(writer->clock));
    enum fk_err err = plan_request(writer, message, operation, &plan, code);
    if (err == FK_OK && writer->body.failed) {
        err = FK_ERR_NOMEM;
    }
    if (err == FK_OK && !plan.unread) {
        struct fk_change change = fk_plan_change(&plan);
        err = fk_store_commit(writer->store, &change, 1, before);
        *zxid = change.zxid;
    }
    if (err == FK_OK && writer->audit.event != NULL && operation->op == FK_OP_CLOSE_SESSION) {
        struct fk_change change = fk_plan_change(&plan);
        fk_audit_session_end(&writer->audit, message->session_id, &change);
    }
    if (err == FK_OK && plan.excess.what != NULL) {
        warn_of_quota(writer, &plan.excess);
        if (plan.excess.hard && writer->rules.enforce_quota) {
            fk_quota_count(&writer->refused, plan.excess.path);
        }
    }
    fk_plan_deinit(&plan);
    return err;
}

/* True where an operation is not decided yet: the store has moved on, or the end of a session goes on in smaller
 * pieces. */
static bool again(struct fk_writer *writer, const struct fk_request_operation *operation, enum fk_err err,
                  enum fk_code code)
{
    if (err == FK_ERR_REFUSED || err == FK_ERR_UNKNOWN) {
        return true;
    }
    if (operation->op != FK_OP_CLOSE_SESSION) {
        return false;
    }
    if (err == FK_ERR_TOO_LARGE && writer->close_max > 1) {
        writer->close_max /= 2;
        return true;
    }
    return err == FK_OK && code == FK_CODE_RUNTIME_INCONSISTENCY;
}

static void audit(struct fk_writer *writer, const struct fk_request_message *message,
                  const struct fk_request_operation *operation, enum fk_code code, int64_t after_zxid)
{
    if (writer->audit.event != NULL) {
        fk_audit_request(&writer->audit, after_zxid, message, operation, code, fk_buf_view(&writer->body));
    }
}

/* Decides one operation and answers it. FULL and BUSY only for what must happen. */
static enum fk_err run_operation(struct fk_writer *writer, const struct fk_request_message *message,
                                 const struct fk_request_operation *operation, int64_t number)
{
    enum fk_code code = FK_CODE_OK;
    int64_t zxid = 0;
    writer->close_max = SIZE_MAX;
    enum fk_err err = decide(writer, message, operation, &code, &zxid);
    while (again(writer, operation, err, code)) {
        err = decide(writer, message, operation, &code, &zxid);
    }
    if (err == FK_OK) {
        bool early = FK_MUTANT(ERRORS_NOT_DURABLE) && code != FK_CODE_OK;
        int64_t after = zxid == 0 ? fk_store_zxid(writer->store, FK_VIEW_ACCEPTED) : zxid;
        audit(writer, message, operation, code, after);
        send_answer(writer, message, number, zxid, code, early ? 0 : after);
        return FK_OK;
    }
    if (err == FK_ERR_BUSY || must_happen(operation->op)) {
        return err;
    }
    /* Nothing was applied and no zxid taken; in order behind what was accepted before. */
    audit(writer, message, operation, FK_CODE_SYSTEM_ERROR, fk_store_zxid(writer->store, FK_VIEW_ACCEPTED));
    send_answer(writer, message, number, 0, FK_CODE_SYSTEM_ERROR, fk_store_zxid(writer->store, FK_VIEW_ACCEPTED));
    return FK_OK;
}

enum fk_err fk_writer_run(struct fk_writer *writer, struct fk_bytes bytes, int32_t *done)
{
    struct fk_reader reader = fk_reader_of(bytes);
    struct fk_request_message message;
    enum fk_err err = fk_request_message_read(&reader, &message);
    for (int32_t i = 0; err == FK_OK && i < message.count; i++) {
        struct fk_request_operation operation;
        err = fk_request_message_next(&reader, &operation);
        if (err != FK_OK || i < *done) {
            continue;
        }
        err = run_operation(writer, &message, &operation, message.first_number + i);
        if (err == FK_OK) {
            *done = i + 1;
        }
    }
    return err;
}
