// SPDX-License-Identifier: Apache-2.0
/* The protocol of systemd's sd_notify(3), without its library: a datagram of VARIABLE=VALUE lines to the socket that
 * NOTIFY_SOCKET names. Where nobody asked, nothing is sent. */
#ifndef FK_HOST_NOTIFY_H
#define FK_HOST_NOTIFY_H

#include <stdint.h>

/* Sends lines such as "READY=1\nSTATUS=...". Waits for nothing; a manager that does not read misses it. */
void fk_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often the manager wants to hear WATCHDOG=1 at least, in milliseconds; 0: not at all. */
uint64_t fk_notify_watchdog_ms(void);

#endif
