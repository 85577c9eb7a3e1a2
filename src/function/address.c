// SPDX-License-Identifier: Apache-2.0
#include "function/address.h"

#include "function/record.h"

enum fk_err fk_gateway_address(struct fk_table *table, int64_t gateway, struct fk_arena *arena,
                               struct fk_bytes *address)
{
    struct fk_key key = fk_key_gateway(arena, gateway);
    struct fk_gateway_record record;
    struct fk_item item;
    enum fk_err err = key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(table, &key, arena, &item);
    if (err == FK_OK && item.stamp == 0) {
        return FK_ERR_NOT_FOUND;
    }
    if (err == FK_OK) {
        err = fk_gateway_record_read(item.value, &record);
    }
    if (err != FK_OK) {
        return err;
    }
    *address = record.address;
    return record.alive ? FK_OK : FK_ERR_NOT_FOUND;
}
