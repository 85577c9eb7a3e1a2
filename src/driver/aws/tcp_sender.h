// SPDX-License-Identifier: Apache-2.0
/* One connection to a gateway's listener, opened when it is needed. */
#ifndef FK_DRIVER_AWS_TCP_SENDER_H
#define FK_DRIVER_AWS_TCP_SENDER_H

#include "base/bytes.h"
#include "base/err.h"
#include "port/clock.h"

struct fk_tcp_sender {
    int fd; /* -1: not connected */
    bool failed;
    int64_t failed_ms; /* monotonic, of the last failure */
};

#define FK_TCP_SENDER_CLOSED ((struct fk_tcp_sender){.fd = -1})

/* Writes all of the bytes; opens the connection to `way` (HOST:PORT, in numbers) where there is none, or the peer has
 * closed it. BUSY: nothing was sent, and for a second nothing else is tried. UNKNOWN: some of it may have been sent,
 * the connection is closed. USAGE: `way` is no address. */
enum fk_err fk_tcp_sender_send(struct fk_tcp_sender *sender, struct fk_clock *clock, const char *way,
                               struct fk_bytes bytes);
void fk_tcp_sender_close(struct fk_tcp_sender *sender);

/* Reads HOST:PORT, both in numbers, the address of IPv6 in brackets, into a socket address of `room` bytes; its size, 0
 * where it is none. */
struct sockaddr;
size_t fk_tcp_address(const char *way, struct sockaddr *address, size_t room);

#endif
