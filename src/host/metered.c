// SPDX-License-Identifier: Apache-2.0
#include "host/metered.h"

/* An item counts as large as it is after a write: nobody reads it before, only to know. */
bool fk_metered_init(struct fk_metered *metered, const struct fk_ports *inner)
{
    struct fk_ports *ports = &metered->ports;
    struct fk_meter *meter = &metered->meter;
    fk_meter_init(meter);
    *ports = *inner;
    ports->table = fk_meter_table_new(meter, inner->table, false);
    ports->blobs = fk_meter_blobs_new(meter, inner->blobs);
    ports->queue = fk_meter_queue_new(meter, inner->queue);
    ports->distributor = inner->distributor == NULL ? NULL : fk_meter_queue_new(meter, inner->distributor);
    ports->channel = fk_meter_channel_new(meter, inner->channel);
    bool ok = ports->table != NULL && ports->blobs != NULL && ports->queue != NULL && ports->channel != NULL &&
              (ports->distributor == NULL) == (inner->distributor == NULL);
    if (!ok) {
        fk_metered_deinit(metered);
    }
    return ok;
}

void fk_metered_deinit(struct fk_metered *metered)
{
    struct fk_ports *ports = &metered->ports;
    fk_channel_free(ports->channel);
    fk_queue_free(ports->distributor);
    fk_queue_free(ports->queue);
    fk_blobs_free(ports->blobs);
    fk_table_free(ports->table);
    *ports = (struct fk_ports){.table = NULL};
}

struct fk_units fk_metered_take(struct fk_metered *metered)
{
    struct fk_units units = metered->meter.all;
    metered->meter.all = (struct fk_units){.table_gets = 0};
    return units;
}
