// SPDX-License-Identifier: Apache-2.0
#include "host/service.h"

#include "host/notify.h"

#include <inttypes.h>
#include <time.h>

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    fk_notify("WATCHDOG=1");
}

void fk_service_start(struct fk_service *service, uv_loop_t *loop, const char *addresses, uint64_t idle_limit_ms)
{
    uint64_t watchdog_ms = fk_notify_watchdog_ms();
    *service = (struct fk_service){
        .loop = loop, .idle_limit_ms = idle_limit_ms, .busy_ms = uv_now(loop), .addresses = addresses};
    (void)uv_timer_init(loop, &service->watchdog);
    if (watchdog_ms > 1) {
        /* Twice as often as asked for, as sd_watchdog_enabled(3) recommends. */
        (void)uv_timer_start(&service->watchdog, on_watchdog, 0, watchdog_ms / 2);
    }
    fk_notify("READY=1\nSTATUS=serving on %s", addresses);
}

/* systemd's notify-reload wants the time too, to know which reload this is. */
void fk_service_reloading(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    fk_notify("RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\nSTATUS=reading certificates",
              (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void fk_service_reloaded(const struct fk_service *service)
{
    fk_notify("READY=1\nSTATUS=serving on %s", service->addresses);
}

void fk_service_stopping(void)
{
    fk_notify("STOPPING=1\nSTATUS=stopping");
}

void fk_service_busy(struct fk_service *service)
{
    service->busy_ms = uv_now(service->loop);
}

bool fk_service_had_enough(struct fk_service *service, bool idle)
{
    if (!idle) {
        fk_service_busy(service);
    }
    return service->idle_limit_ms > 0 && uv_now(service->loop) - service->busy_ms >= service->idle_limit_ms;
}
