// SPDX-License-Identifier: Apache-2.0
/* The channel port between machines, over queues (SQS) and connections (TCP): which of them is for the gateway to say,
 * in the address of its record. An address is looked up once and kept; what fails is forgotten, and looked up again
 * with the next message. Ids of gateways are never used again, so that no address is ever another gateway's.
 *
 * A message costs one request of SQS for each 64 KiB of base64, or a write to a connection that is kept. A failure is a
 * lost message, which is counted and logged: notify says FK_OK all the same. */
#ifndef FK_DRIVER_AWS_CHANNEL_H
#define FK_DRIVER_AWS_CHANNEL_H

#include "driver/aws/aws.h"
#include "port/channel.h"
#include "port/table.h"

#include <stdatomic.h>

/* Of the process. */
struct fk_aws_channel_counts {
    _Atomic uint64_t sent;
    _Atomic uint64_t lost;    /* not sent: no address, no way, too large */
    _Atomic uint64_t dropped; /* came and did not verify */
};

extern struct fk_aws_channel_counts fk_aws_channel_counts;

/* All borrowed. Used by one thread. NULL without memory. Free with fk_channel_free. */
struct fk_channel *fk_aws_channel_new(struct fk_aws *aws, struct fk_table *table, fk_address_fn find,
                                      struct fk_clock *clock);

#endif
