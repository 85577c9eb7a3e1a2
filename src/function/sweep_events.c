// SPDX-License-Identifier: Apache-2.0
/* Events: what a gateway has not acknowledged is sent again, what all have applied is trimmed (H13). */
#include "function/sweep_internal.h"

#include "base/mark.h"
#include "base/mutant.h"
#include "function/outcome.h"

static enum fk_err remove_item(struct fk_sweep *sweep, const struct fk_item *item)
{
    struct fk_write write = {.kind = FK_WRITE_DELETE, .key = item->key, .expected = item->stamp};
    enum fk_err err = fk_table_write(sweep->ports->table, &write, 1);
    return err == FK_ERR_REFUSED || err == FK_ERR_UNKNOWN ? FK_OK : err;
}

static enum fk_err check(struct fk_sweep *sweep, const struct fk_item *item)
{
    struct fk_events_record record = {.count = 0};
    bool wanted = false;
    enum fk_err err = fk_events_record_read(item->value, sweep->arena, &record);
    for (size_t i = 0; err == FK_OK && i < record.count; i++) {
        struct fk_sweep_gateway *gateway = NULL;
        err = fk_sweep_find_gateway(sweep, record.gateways[i].gateway, &gateway);
        if (err != FK_OK || gateway == NULL || !gateway->record.alive || gateway->record.acked >= record.zxid) {
            continue;
        }
        wanted = true;
        FK_MARK(EVENTS_SENT_AGAIN);
        fk_outcome_send_events(sweep->ports, record.zxid, &record.gateways[i]);
    }
    if (err != FK_OK || (wanted && !FK_MUTANT(TRIM_UNACKED))) {
        return err;
    }
    FK_MARK(EVENTS_TRIMMED);
    return remove_item(sweep, item);
}

enum fk_err fk_sweep_events(struct fk_sweep *sweep)
{
    return fk_sweep_each(sweep, FK_BYTES_LITERAL("ev"), check);
}
