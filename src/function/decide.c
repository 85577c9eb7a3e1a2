// SPDX-License-Identifier: Apache-2.0
#include "function/decide.h"

#include "base/log.h"
#include "base/mark.h"
#include "base/mutant.h"
#include "function/apply.h"
#include "function/data.h"
#include "function/measure.h"
#include "function/settle.h"
#include "model/path.h"

enum {
    CHUNK_FIXED_ITEMS = 4, /* of a chunk of a session's end: zxid, events, session, list of ephemerals */
};

static enum fk_err load_node(void *context, struct fk_bytes path, struct fk_node *node)
{
    struct fk_overlay *overlay = (struct fk_overlay *)context;
    if (!fk_path_valid(path)) { /* the planner asks for parents before it has looked at a path */
        return FK_ERR_NOT_FOUND;
    }
    struct fk_overlay_node *found = fk_overlay_node(overlay, path);
    if (found == NULL) {
        return overlay->err;
    }
    *node = found->record.node;
    return found->record.exists ? FK_OK : FK_ERR_NOT_FOUND;
}

/* Texts of quotas stand in the node's record, as a rule. */
static enum fk_err load_quota(void *context, struct fk_bytes path, struct fk_node *node)
{
    struct fk_overlay *overlay = (struct fk_overlay *)context;
    enum fk_err err = load_node(context, path, node);
    const struct fk_overlay_node *found = err == FK_OK ? fk_overlay_node(overlay, path) : NULL;
    bool stored = found != NULL && (!found->data_changed || found->placed);
    if (!stored || found->record.place == FK_DATA_INLINE) {
        return err;
    }
    err = fk_data_read(overlay->ports, &found->record, overlay->arena, &node->data);
    return err == FK_ERR_NOT_FOUND ? FK_ERR_REFUSED : err; /* the record is not the newest any more */
}

static enum fk_err measure(void *context, struct fk_bytes path, struct fk_extent *extent)
{
    return fk_overlay_measure((struct fk_overlay *)context, path, extent);
}

void fk_decision_init(struct fk_decision *decision, const struct fk_cloud_options *options,
                      const struct fk_ports *ports, struct fk_arena *arena)
{
    *decision = (struct fk_decision){.arena = arena, .reply = FK_BUF_EMPTY};
    fk_overlay_init(&decision->overlay, options, ports, arena);
    fk_plan_init(&decision->plan, arena, load_node, &decision->overlay);
    decision->plan.rules = &options->rules;
    decision->plan.measure = measure;
    decision->plan.quota_lookup = load_quota;
    fk_list_init(&decision->outcomes);
    decision->time_ms = fk_clock_wall_ms(ports->clock);
}

void fk_decision_deinit(struct fk_decision *decision)
{
    fk_plan_deinit(&decision->plan);
    fk_overlay_deinit(&decision->overlay);
    fk_buf_deinit(&decision->reply);
}

enum fk_err fk_decision_err(const struct fk_decision *decision)
{
    return decision->overlay.err != FK_OK ? decision->overlay.err
           : decision->reply.failed       ? FK_ERR_NOMEM
                                          : decision->plan.err;
}

static void begin(struct fk_decision *decision)
{
    fk_buf_clear(&decision->reply);
    decision->plan.quotas = decision->plan.quotas || decision->overlay.zx.limits > 0;
    fk_plan_begin(&decision->plan, decision->overlay.zx.zxid + 1, decision->time_ms);
}

/* True where `items` more fit the commit. */
static bool fits(const struct fk_decision *decision, size_t items)
{
    return fk_overlay_items(&decision->overlay) + items <= (size_t)decision->overlay.options->commit_items_max;
}

/* --- requests --- */

/* A session can't own more ephemeral nodes than one item lists. */
static bool ephemerals_fit(struct fk_decision *decision, const struct fk_change *change, int64_t session_id)
{
    size_t size = 0;
    for (size_t i = 0; i < change->count; i++) {
        const struct fk_put *put = &change->puts[i];
        if (put->kind == FK_PUT_CREATE && fk_owner_session(put->node.ephemeral_owner) == session_id) {
            size += put->node.path.size;
        }
    }
    if (size == 0) {
        return true;
    }
    struct fk_overlay_ephemerals *set = fk_overlay_ephemerals(&decision->overlay, session_id);
    return set == NULL || set->size + size <= FK_EPHEMERALS_SIZE_MAX;
}

/* What no single commit can hold gets a definite, recorded refusal (ADR 0007). */
static enum fk_code refuse(struct fk_decision *decision)
{
    FK_MARK(MULTI_TOO_LARGE);
    fk_plan_rollback(&decision->plan);
    fk_buf_clear(&decision->reply);
    return FK_CODE_BAD_ARGUMENTS;
}

/* Said once for a batch: clients repeat what is refused. */
static void warn_of_quota(struct fk_decision *decision)
{
    const struct fk_excess *excess = &decision->plan.excess;
    if (excess->what == NULL || decision->warned) {
        return;
    }
    decision->warned = true;
    fk_log_with(FK_LOG_WARN, "quota exceeded", fk_log_bytes("path", excess->path), fk_log_text("what", excess->what),
                fk_log_number("value", excess->value),
                fk_log_number(excess->hard ? "hard_limit" : "limit", excess->limit));
}

/* Plans, applies and records one operation that is next in its session's order. */
static enum fk_verdict run_operation(struct fk_decision *decision, const struct fk_request_message *message,
                                     const struct fk_request_operation *operation, int64_t number,
                                     struct fk_overlay_session *session)
{
    struct fk_caller caller = {.session_id = message->session_id, .ids = message->ids, .rules = decision->plan.rules};
    begin(decision);
    enum fk_code code = decision->refuse_large ? refuse(decision)
                                               : fk_plan_operation(&decision->plan, &caller, operation->op,
                                                                   operation->body, &decision->reply);
    if (fk_decision_err(decision) != FK_OK) {
        return FK_VERDICT_DONE;
    }
    struct fk_change change = fk_plan_change(&decision->plan);
    size_t cost = fk_apply_cost(&decision->overlay, &change) + (session->item->put ? 0 : 1);
    if (!fits(decision, cost) && decision->overlay.changed) {
        FK_MARK(BATCH_CUT);
        fk_plan_rollback(&decision->plan);
        return FK_VERDICT_CUT;
    }
    if (!fits(decision, cost) || decision->reply.size > FK_RESULT_SIZE_MAX ||
        !ephemerals_fit(decision, &change, message->session_id)) {
        code = refuse(decision);
        change = fk_plan_change(&decision->plan);
    }
    if (FK_MUTANT(ERRORS_NOT_RECORDED) && code != FK_CODE_OK) {
        struct fk_result result = {
            .epoch = message->epoch, .number = number, .zxid = change.zxid, .code = (int32_t)code};
        fk_settle_answer(decision, message, &result);
        return FK_VERDICT_DONE;
    }
    int64_t zxid = fk_settle_zxid(decision);
    fk_apply_change(&decision->overlay, &change);
    warn_of_quota(decision);
    fk_settle_request(decision, message, number, session, code, zxid);
    return FK_VERDICT_DONE;
}

/* --- the end of a session --- */

static void plan_end(struct fk_decision *decision, const struct fk_overlay_session *session, size_t count, bool last)
{
    struct fk_overlay_ephemerals *set = fk_overlay_ephemerals(&decision->overlay, session->record.session.id);
    begin(decision);
    if (set != NULL) {
        fk_plan_close_session(&decision->plan, session->record.session.id, set->paths,
                              count < set->count ? count : set->count, last);
    }
}

/* One chunk of an end that does not fit a commit: each has its own zxid, the last one removes the session (H8). */
static enum fk_verdict end_chunk(struct fk_decision *decision, struct fk_overlay_session *session)
{
    size_t items = (size_t)decision->overlay.options->commit_items_max;
    size_t count = items > CHUNK_FIXED_ITEMS + 2 ? (items - CHUNK_FIXED_ITEMS) / 2 : 1;
    plan_end(decision, session, count < decision->chunk_max ? count : decision->chunk_max, false);
    if (fk_decision_err(decision) != FK_OK) {
        return FK_VERDICT_DONE;
    }
    FK_MARK(CLOSE_IN_CHUNKS);
    struct fk_change change = fk_plan_change(&decision->plan);
    (void)fk_settle_zxid(decision);
    fk_apply_change(&decision->overlay, &change);
    session->record.state = FK_SESSION_CLOSING;
    fk_overlay_put(&decision->overlay, session->item);
    if (FK_MUTANT(CHUNKS_ONE_ZXID)) {
        decision->overlay.zx.zxid--;
    }
    return FK_VERDICT_AGAIN;
}

/* Ends a session; *zxid is that of its end where the verdict is DONE. */
static enum fk_verdict end_session(struct fk_decision *decision, struct fk_overlay_session *session, bool closed,
                                   int64_t *zxid)
{
    plan_end(decision, session, SIZE_MAX, true);
    if (fk_decision_err(decision) != FK_OK) {
        return FK_VERDICT_DONE;
    }
    struct fk_change change = fk_plan_change(&decision->plan);
    size_t cost = fk_apply_cost(&decision->overlay, &change) + (session->item->put ? 0 : 1);
    if (!fits(decision, cost) || decision->chunk_max < change.count) {
        fk_plan_rollback(&decision->plan);
        if (decision->overlay.changed) {
            FK_MARK(BATCH_CUT);
            return FK_VERDICT_CUT;
        }
        return end_chunk(decision, session);
    }
    *zxid = fk_settle_zxid(decision);
    fk_apply_change(&decision->overlay, &change);
    fk_settle_end(decision, session, *zxid, closed);
    return FK_VERDICT_DONE;
}

static enum fk_verdict run_close(struct fk_decision *decision, const struct fk_request_message *message, int64_t number,
                                 struct fk_overlay_session *session)
{
    int64_t zxid = 0;
    enum fk_verdict verdict = end_session(decision, session, true, &zxid);
    if (verdict == FK_VERDICT_DONE && fk_decision_err(decision) == FK_OK) {
        fk_settle_close(decision, message, number, session, zxid);
    }
    return verdict;
}

/* True where a request is the next one of its session; what is not is answered from its record or dropped. */
static bool is_next(struct fk_decision *decision, const struct fk_request_message *message, int64_t number,
                    const struct fk_overlay_session *session)
{
    if (message->epoch != session->record.epoch && !FK_MUTANT(NO_EPOCH_FENCE)) {
        FK_MARK(OLD_EPOCH_DROPPED);
        return false;
    }
    if (number <= session->record.last) {
        const struct fk_result *result = fk_session_record_result(&session->record, message->epoch, number);
        if (result != NULL) {
            FK_MARK(ANSWERED_FROM_RING);
            fk_settle_answer(decision, message, result);
        }
        return false;
    }
    if (number != session->record.last + 1 && !FK_MUTANT(NUMBERS_NOT_DENSE) && !FK_MUTANT(ERRORS_NOT_RECORDED)) {
        FK_MARK(GAP_DROPPED);
        return false;
    }
    return true;
}

static enum fk_verdict decide_request(struct fk_decision *decision, const struct fk_request_message *message,
                                      const struct fk_request_operation *operation, int64_t number)
{
    struct fk_overlay_session *session = fk_overlay_session(&decision->overlay, message->session_id);
    bool closes = operation->op == FK_OP_CLOSE_SESSION;
    if (session == NULL) {
        return FK_VERDICT_DONE;
    }
    if (!session->exists && !FK_MUTANT(SESSION_NOT_CHECKED)) {
        fk_settle_expired(decision, message, number);
        return FK_VERDICT_DONE;
    }
    if (session->exists && session->record.state == FK_SESSION_CLOSING && !closes && !FK_MUTANT(SESSION_NOT_CHECKED)) {
        FK_MARK(CLOSING_DROPPED);
        return FK_VERDICT_DONE;
    }
    if (session->exists && !is_next(decision, message, number, session)) {
        return FK_VERDICT_DONE;
    }
    return closes ? run_close(decision, message, number, session)
                  : run_operation(decision, message, operation, number, session);
}

/* --- what gateways and sweeps ask --- */

/* True where the session may get a new owner: it lives, nobody else was faster, and the gateway lives (H9). */
static bool may_attach(struct fk_decision *decision, const struct fk_request_message *message,
                       const struct fk_overlay_session *session)
{
    if (!session->exists || session->record.state != FK_SESSION_LIVE) {
        return false;
    }
    return FK_MUTANT(ATTACH_UNFENCED) ||
           (message->epoch == session->record.epoch && fk_overlay_alive(&decision->overlay, message->gateway));
}

static enum fk_verdict decide_attach(struct fk_decision *decision, const struct fk_request_message *message,
                                     struct fk_bytes body)
{
    struct fk_overlay *overlay = &decision->overlay;
    struct fk_reader reader = fk_reader_of(body);
    struct fk_attach_request request;
    fk_read_attach_request(&reader, &request);
    struct fk_overlay_session *session = fk_overlay_session(overlay, message->session_id);
    if (session == NULL) {
        return FK_VERDICT_DONE;
    }
    if (session->exists && session->record.nonce == request.nonce && !FK_MUTANT(ATTACH_UNFENCED)) {
        FK_MARK(ATTACH_REPEATED);
        fk_settle_tell_attached(decision, session);
        return FK_VERDICT_DONE;
    }
    if (!may_attach(decision, message, session)) {
        FK_MARK(ATTACH_STALE);
        return FK_VERDICT_DONE;
    }
    if (!fits(decision, 2)) {
        return FK_VERDICT_CUT;
    }
    fk_settle_attach(decision, session, message->gateway, &request);
    return FK_VERDICT_DONE;
}

static enum fk_verdict decide_expire(struct fk_decision *decision, const struct fk_request_message *message)
{
    struct fk_overlay_session *session = fk_overlay_session(&decision->overlay, message->session_id);
    int64_t zxid = 0;
    if (session == NULL) {
        return FK_VERDICT_DONE;
    }
    bool due = session->exists && (session->record.state == FK_SESSION_CLOSING ||
                                   session->record.epoch == message->epoch || FK_MUTANT(EXPIRE_ANY_EPOCH));
    if (!due) {
        FK_MARK(EXPIRE_STALE);
        return FK_VERDICT_DONE;
    }
    return end_session(decision, session, false, &zxid);
}

/* Takes a gateway out of the chains: it gets no more events. */
static void forget_gateway(struct fk_overlay *overlay, int64_t id)
{
    struct fk_gateway_zxids *set = &overlay->zx.lastev;
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i].gateway != id) {
            set->items[kept++] = set->items[i];
        }
    }
    set->count = kept;
}

static enum fk_verdict decide_gateway_dead(struct fk_decision *decision, const struct fk_request_message *message,
                                           struct fk_bytes body)
{
    struct fk_overlay *overlay = &decision->overlay;
    struct fk_reader reader = fk_reader_of(body);
    int64_t counter = fk_read_i64(&reader);
    struct fk_overlay_gateway *gateway = fk_overlay_gateway(overlay, message->gateway);
    if (gateway == NULL) {
        return FK_VERDICT_DONE;
    }
    if (!gateway->exists || !gateway->record.alive ||
        (gateway->record.counter != counter && !FK_MUTANT(DEAD_WITHOUT_COUNTER))) {
        FK_MARK(DEAD_STALE);
        return FK_VERDICT_DONE;
    }
    if (!fits(decision, 1)) {
        return FK_VERDICT_CUT;
    }
    FK_MARK(GATEWAY_DECLARED_DEAD);
    (void)fk_settle_zxid(decision);
    gateway->record.alive = false;
    gateway->record.wall_ms = decision->time_ms;
    overlay->zx.generation += FK_MUTANT(DEAD_WITHOUT_GENERATION) ? 0 : 1;
    forget_gateway(overlay, message->gateway);
    fk_overlay_put(overlay, gateway->item);
    return FK_VERDICT_DONE;
}

/* Only a sweep that finds the node as it saw it takes a zxid. */
static enum fk_verdict decide_sweep_node(struct fk_decision *decision, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_sweep_request request;
    fk_read_sweep_request(&reader, &request);
    if (reader.failed || request.path.data == NULL) {
        FK_MARK(MESSAGE_UNREADABLE);
        return FK_VERDICT_DONE;
    }
    begin(decision);
    enum fk_code code = fk_plan_sweep_node(&decision->plan, request.path, request.version, request.cversion);
    if (code != FK_CODE_OK || fk_decision_err(decision) != FK_OK) {
        return FK_VERDICT_DONE;
    }
    struct fk_change change = fk_plan_change(&decision->plan);
    if (!fits(decision, fk_apply_cost(&decision->overlay, &change))) {
        fk_plan_rollback(&decision->plan);
        return FK_VERDICT_CUT;
    }
    (void)fk_settle_zxid(decision);
    fk_apply_change(&decision->overlay, &change);
    return FK_VERDICT_DONE;
}

enum fk_verdict fk_decide(struct fk_decision *decision, const struct fk_request_message *message,
                          const struct fk_request_operation *operation, int64_t number)
{
    switch (operation->op) {
    case FK_OP_ATTACH:
        return decide_attach(decision, message, operation->body);
    case FK_OP_EXPIRE:
        return decide_expire(decision, message);
    case FK_OP_GATEWAY_DEAD:
        return decide_gateway_dead(decision, message, operation->body);
    case FK_OP_SWEEP_NODE:
        return decide_sweep_node(decision, operation->body);
    default:
        return decide_request(decision, message, operation, number);
    }
}
