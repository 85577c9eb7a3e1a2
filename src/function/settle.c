// SPDX-License-Identifier: Apache-2.0
#include "function/settle.h"

#include "base/mark.h"
#include "base/mutant.h"
#include "function/apply.h"

static void tell(struct fk_decision *decision, int64_t gateway, const struct fk_answer_message *answer)
{
    if (!fk_outcome_add(&decision->outcomes, decision->arena, gateway, answer)) {
        decision->overlay.err = FK_ERR_NOMEM;
    }
}

int64_t fk_settle_zxid(struct fk_decision *decision)
{
    decision->overlay.changed = true;
    return ++decision->overlay.zx.zxid;
}

void fk_settle_expired(struct fk_decision *decision, const struct fk_request_message *message, int64_t number)
{
    struct fk_answer_message answer = {.session_id = message->session_id,
                                       .epoch = message->epoch,
                                       .number = number,
                                       .zxid = decision->overlay.zx.zxid,
                                       .code = FK_CODE_SESSION_EXPIRED,
                                       .generation = decision->overlay.zx.generation};
    FK_MARK(EXPIRED_ANSWERED);
    tell(decision, message->gateway, &answer);
}

void fk_settle_answer(struct fk_decision *decision, const struct fk_request_message *message,
                      const struct fk_result *result)
{
    struct fk_answer_message answer = {.session_id = message->session_id,
                                       .epoch = result->epoch,
                                       .number = result->number,
                                       .zxid = result->zxid,
                                       .code = result->code,
                                       .body = result->body,
                                       .need = result->need,
                                       .generation = result->generation};
    tell(decision, message->gateway, &answer);
}

/* What the gateway has taken out of the ring, it need not find there again. */
static void forget_taken(struct fk_session_record *record, const struct fk_request_message *message)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->count; i++) {
        if (record->results[i].epoch != message->epoch || record->results[i].number > message->taken) {
            record->results[kept++] = record->results[i];
        }
    }
    record->count = kept;
}

/* H1: the oldest result makes room; a gateway has one request less unanswered than there are slots. */
static void remember(struct fk_session_record *record, const struct fk_result *result)
{
    size_t size = FK_MUTANT(ONE_RESULT) ? 1 : FK_RING_SIZE;
    while (record->count >= size) {
        memmove(record->results, record->results + 1, (record->count - 1) * sizeof *record->results);
        record->count--;
    }
    record->results[record->count++] = *result;
}

void fk_settle_request(struct fk_decision *decision, const struct fk_request_message *message, int64_t number,
                       struct fk_overlay_session *session, enum fk_code code, int64_t zxid)
{
    struct fk_overlay *overlay = &decision->overlay;
    struct fk_bytes body =
        code == FK_CODE_OK ? fk_arena_copy(decision->arena, fk_buf_view(&decision->reply)) : FK_BYTES_NULL;
    struct fk_result result = {.epoch = message->epoch,
                               .number = number,
                               .zxid = zxid,
                               .need = fk_overlay_lastev(overlay, session->record.owner),
                               .generation = overlay->zx.generation,
                               .code = (int32_t)code,
                               .body = body};
    session->record.last = number;
    forget_taken(&session->record, message);
    remember(&session->record, &result);
    fk_overlay_put(overlay, session->item);
    fk_settle_answer(decision, message, &result);
}

void fk_settle_end(struct fk_decision *decision, struct fk_overlay_session *session, int64_t zxid, bool closed)
{
    fk_apply_session_gone(&decision->overlay, zxid, session->record.owner, session->record.session.id,
                          session->record.epoch, closed ? FK_GONE_CLOSED : FK_GONE_ENDED);
    session->exists = false;
    fk_overlay_put(&decision->overlay, session->item);
}

void fk_settle_close(struct fk_decision *decision, const struct fk_request_message *message, int64_t number,
                     const struct fk_overlay_session *session, int64_t zxid)
{
    struct fk_result result = {.epoch = message->epoch,
                               .number = number,
                               .zxid = zxid,
                               .need = fk_overlay_lastev(&decision->overlay, session->record.owner),
                               .generation = decision->overlay.zx.generation};
    fk_settle_answer(decision, message, &result);
}

void fk_settle_tell_attached(struct fk_decision *decision, const struct fk_overlay_session *session)
{
    struct fk_answer_message hint = {.session_id = session->record.session.id,
                                     .epoch = session->record.epoch,
                                     .zxid = session->record.attach_zxid,
                                     .need = fk_overlay_lastev(&decision->overlay, session->record.owner),
                                     .generation = decision->overlay.zx.generation};
    tell(decision, session->record.owner, &hint);
}

void fk_settle_attach(struct fk_decision *decision, struct fk_overlay_session *session, int64_t gateway,
                      const struct fk_attach_request *request)
{
    int64_t zxid = fk_settle_zxid(decision);
    struct fk_session_record *record = &session->record;
    fk_apply_session_gone(&decision->overlay, zxid, record->owner, record->session.id, record->epoch, FK_GONE_MOVED);
    record->epoch++;
    record->last = 0;
    record->count = 0;
    record->owner = gateway;
    record->nonce = request->nonce;
    record->session.timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : record->session.timeout_ms;
    record->attach_zxid = zxid;
    fk_overlay_put(&decision->overlay, session->item);
    fk_settle_tell_attached(decision, session);
}
