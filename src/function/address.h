// SPDX-License-Identifier: Apache-2.0
/* Where the way to a gateway is written. */
#ifndef FK_FUNCTION_ADDRESS_H
#define FK_FUNCTION_ADDRESS_H

#include "port/channel.h"
#include "port/table.h"

/* An fk_address_fn: reads the gateway's record. */
enum fk_err fk_gateway_address(struct fk_table *table, int64_t gateway, struct fk_arena *arena,
                               struct fk_bytes *address);

#endif
