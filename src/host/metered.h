// SPDX-License-Identifier: Apache-2.0
/* The ports of one thread under meters (port/meter.h): what each job or invocation uses of AWS. */
#ifndef FK_HOST_METERED_H
#define FK_HOST_METERED_H

#include "function/cloud.h"
#include "port/meter.h"

struct fk_metered {
    struct fk_meter meter;
    struct fk_ports ports; /* to be used instead of those behind them */
};

/* `inner` is borrowed until deinit. False without memory; then nothing is left to be deinitialised. */
bool fk_metered_init(struct fk_metered *metered, const struct fk_ports *inner);
void fk_metered_deinit(struct fk_metered *metered);

/* What was used since the beginning, or the last call of this. */
struct fk_units fk_metered_take(struct fk_metered *metered);

#endif
