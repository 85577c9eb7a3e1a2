// SPDX-License-Identifier: Apache-2.0
/* What a host is to its service manager: ready, alive, reloading, stopping; and when there is no more need of it. */
#ifndef FK_HOST_SERVICE_H
#define FK_HOST_SERVICE_H

#include <stdbool.h>
#include <uv.h>

struct fk_service {
    uv_timer_t watchdog; /* in the loop, so that a loop that stands still is noticed */
    uv_loop_t *loop;
    uint64_t idle_limit_ms; /* 0: it never has enough */
    uint64_t busy_ms;       /* when it last had something to do */
    const char *addresses;
};

/* Tells that it serves. The handle goes when the loop is closed; `addresses` is borrowed. */
void fk_service_start(struct fk_service *service, uv_loop_t *loop, const char *addresses, uint64_t idle_limit_ms);
/* Before and after configuration is read again. */
void fk_service_reloading(void);
void fk_service_reloaded(const struct fk_service *service);
void fk_service_stopping(void);

/* Something came from outside. */
void fk_service_busy(struct fk_service *service);
/* Call each tick; `idle`: nobody is connected, nothing is to be done. True once that has lasted for the limit. */
bool fk_service_had_enough(struct fk_service *service, bool idle);

#endif
