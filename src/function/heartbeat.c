// SPDX-License-Identifier: Apache-2.0
#include "function/heartbeat.h"

#include "function/message.h"
#include "wire/codes.h"

int64_t fk_lease_deadline_ms(const struct fk_lease *lease, int32_t tick_ms)
{
    /* ZK: ExpiryQueue.roundToNextInterval */
    return ((lease->last_packet_ms + lease->timeout_ms) / tick_ms + 1) * tick_ms;
}

enum fk_err fk_heartbeat_check(const struct fk_heartbeat *heartbeat, const struct fk_lease *lease, int64_t now_ms,
                               bool *expired)
{
    *expired = false;
    if (now_ms < fk_lease_deadline_ms(lease, heartbeat->tick_ms)) {
        return FK_OK;
    }
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_request_message_begin(&buf, &(struct fk_request_message){.gateway = heartbeat->gateway,
                                                                .session_id = lease->session_id,
                                                                .epoch = lease->epoch,
                                                                .ids = FK_BYTES_LITERAL("\0\0\0\0")});
    fk_request_message_add(&buf, &(struct fk_request_operation){.op = FK_OP_CLOSE_SESSION, .body = FK_BYTES_NULL});
    enum fk_err err =
        buf.failed ? FK_ERR_NOMEM : fk_queue_send(heartbeat->queue, lease->session_id, lease->epoch, fk_buf_view(&buf));
    *expired = err == FK_OK;
    fk_buf_deinit(&buf);
    return err;
}
