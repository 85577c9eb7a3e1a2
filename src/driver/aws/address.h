// SPDX-License-Identifier: Apache-2.0
/* The address of a gateway's mailbox, as it stands in the gateway's record: the way and the key of its frames.
 *
 *   sqs:URL#KEY          a queue                KEY: 64 hexadecimal digits
 *   tcp:HOST:PORT#KEY    a listener; HOST is an address in numbers, that of IPv6 in brackets
 *
 * It is a secret: whoever has it can send the gateway messages. */
#ifndef FK_DRIVER_AWS_ADDRESS_H
#define FK_DRIVER_AWS_ADDRESS_H

#include "base/buf.h"
#include "driver/aws/frame.h"

enum fk_address_kind {
    FK_ADDRESS_SQS = 1,
    FK_ADDRESS_TCP = 2,
};

enum {
    FK_ADDRESS_WAY_MAX = 511,
};

struct fk_address {
    enum fk_address_kind kind;
    char way[FK_ADDRESS_WAY_MAX + 1]; /* URL, or HOST:PORT */
    uint8_t key[FK_FRAME_KEY_SIZE];
};

void fk_address_append(struct fk_buf *buf, const struct fk_address *address);
/* MALFORMED: it is none that this program knows. */
enum fk_err fk_address_read(struct fk_bytes text, struct fk_address *address);

#endif
