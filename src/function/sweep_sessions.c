// SPDX-License-Identifier: Apache-2.0
/* Sessions: those of dead gateways run out by the wall clock, from the moment their gateway was declared dead; those
 * that are closing are asked to go on. A live gateway ends its own silent sessions. */
#include "function/sweep_internal.h"

#include "base/mark.h"

/* True where the session must end; its epoch is of the same read that showed its owner (H21). */
static bool is_over(struct fk_sweep *sweep, const struct fk_session_record *record,
                    const struct fk_sweep_gateway *owner)
{
    if (record->state == FK_SESSION_CLOSING || owner == NULL) {
        return true;
    }
    if (owner->record.alive) {
        return false;
    }
    int64_t limit_ms = record->session.timeout_ms + 2 * (int64_t)sweep->options->skew_ms;
    int64_t left_ms = limit_ms - (sweep->now_ms - owner->record.wall_ms);
    if (left_ms >= 0) {
        fk_sweep_due(sweep, left_ms + 1);
    }
    return left_ms < 0;
}

static enum fk_err check(struct fk_sweep *sweep, const struct fk_item *item)
{
    struct fk_session_record record;
    struct fk_sweep_gateway *owner = NULL;
    enum fk_err err = fk_session_record_read(item->value, sweep->arena, &record);
    if (err == FK_OK) {
        err = fk_sweep_find_gateway(sweep, record.owner, &owner);
    }
    if (err != FK_OK) {
        return err;
    }
    sweep->result->sessions++;
    if (owner != NULL) {
        owner->owns = true;
    }
    if (!is_over(sweep, &record, owner)) {
        return FK_OK;
    }
    FK_MARK(SESSION_OF_DEAD_GATEWAY_ENDED);
    return fk_sweep_request(sweep, 0, record.session.id, record.epoch, FK_OP_EXPIRE, FK_BYTES_LITERAL(""));
}

enum fk_err fk_sweep_sessions(struct fk_sweep *sweep)
{
    enum fk_err err = fk_sweep_each(sweep, FK_BYTES_LITERAL("s"), check);
    return err == FK_OK ? fk_sweep_forget_gateways(sweep) : err;
}
