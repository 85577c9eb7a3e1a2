// SPDX-License-Identifier: Apache-2.0
#include "host/front.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/map.h"
#include "host/log.h"
#include "host/posix_clock.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

void fk_front_dirty(struct fk_front *front)
{
    front->dirty = true;
}

void fk_front_wake(struct fk_front *front)
{
    (void)uv_async_send(&front->wake);
}

static void mark_dirty(void *context)
{
    fk_front_dirty((struct fk_front *)context);
}

static void on_again(uv_idle_t *idle)
{
    mark_dirty(idle->data);
}

static void run_round(struct fk_front *front)
{
    if (!front->dirty || front->stopping) {
        return;
    }
    front->dirty = false;
    front->host.round(front->host.context);
    if (front->host.more(front->host.context)) {
        (void)uv_idle_start(&front->again, on_again);
    } else {
        (void)uv_idle_stop(&front->again);
    }
}

static void on_before(uv_prepare_t *prepare)
{
    run_round((struct fk_front *)prepare->data);
}

static void on_after(uv_check_t *check)
{
    run_round((struct fk_front *)check->data);
}

static void on_wake(uv_async_t *wake)
{
    struct fk_front *front = (struct fk_front *)wake->data;
    front->host.woken(front->host.context);
    front->dirty = true;
}

/* Bytes came, or a connection ended. */
static void on_input(void *context)
{
    struct fk_front *front = (struct fk_front *)context;
    fk_service_busy(&front->service);
    if (front->host.input != NULL) {
        front->host.input(front->host.context);
    }
    front->dirty = true;
}

/* After a crowd has left, what it used is given back: malloc keeps it otherwise, in pieces between what stays. */
static void give_back_memory(struct fk_front *front)
{
    enum {
        CROWD = 256,
    };
    size_t now = fk_gateway_connections(front->gateway);
    front->connections_most = now > front->connections_most ? now : front->connections_most;
    if (front->connections_most >= CROWD && now < front->connections_most / 2) {
        front->connections_most = now;
        (void)malloc_trim(0);
    }
}

void fk_front_stop(struct fk_front *front)
{
    fk_service_stopping();
    front->stopping = true;
    uv_stop(&front->loop);
}

static void stop_when_idle(struct fk_front *front)
{
    if (!front->stopping && fk_service_had_enough(&front->service, front->host.idle(front->host.context))) {
        fk_log_with(FK_LOG_INFO, "stopping", fk_log_text("reason", "idle"));
        /* At once: a connection that comes now stays with the socket's owner, who starts us again. */
        fk_uv_server_stop(front->server);
        front->host.stop(front->host.context, "idle");
    }
}

static void on_tick(uv_timer_t *timer)
{
    /* libuv runs timers before it reads sockets; the gateway knows, and expires nobody right after a stall. */
    struct fk_front *front = (struct fk_front *)timer->data;
    fk_gateway_tick(front->gateway);
    front->host.tick(front->host.context);
    give_back_memory(front);
    stop_when_idle(front);
    front->dirty = true;
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct fk_front *front = (struct fk_front *)handle->data;
    if (number == SIGHUP) {
        fk_service_reloading();
        fk_host_log_reopen();
        front->host.reopen(front->host.context);
        fk_certificates_reload(&front->certificates);
        fk_service_reloaded(&front->service);
        return;
    }
    front->host.stop(front->host.context, number == SIGINT ? "SIGINT" : "SIGTERM");
}

void fk_front_init(struct fk_front *front, const struct fk_front_host *host)
{
    static const int numbers[FK_FRONT_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    uint64_t seed = 0;
    fk_random_fill(fk_posix_random(), (uint8_t *)&seed, sizeof seed);
    fk_hash_seed(seed);
    *front = (struct fk_front){.host = *host, .addresses = FK_BUF_EMPTY, .admin_addresses = FK_BUF_EMPTY};
    (void)uv_loop_init(&front->loop);
    (void)uv_async_init(&front->loop, &front->wake, on_wake);
    (void)uv_prepare_init(&front->loop, &front->before);
    (void)uv_check_init(&front->loop, &front->after);
    (void)uv_idle_init(&front->loop, &front->again);
    (void)uv_timer_init(&front->loop, &front->tick);
    front->wake.data = front->before.data = front->after.data = front->again.data = front->tick.data = front;
    (void)uv_prepare_start(&front->before, on_before);
    (void)uv_check_start(&front->after, on_after);
    for (size_t i = 0; i < FK_FRONT_SIGNALS; i++) {
        (void)uv_signal_init(&front->loop, &front->signals[i]);
        front->signals[i].data = front;
        (void)uv_signal_start(&front->signals[i], on_signal, numbers[i]);
    }
}

enum fk_err fk_front_check(struct fk_front *front, const struct fk_front_options *options, struct fk_diag *diag)
{
    for (size_t i = 0; i < options->listen_count; i++) {
        const struct fk_listen *listen = &options->listen[i];
        bool exposed = false;
        enum fk_err err = fk_uv_server_check(&front->loop, listen->address, &exposed, diag);
        if (err != FK_OK) {
            return err;
        }
        exposed = exposed && listen->mode != FK_LISTEN_TLS;
        front->exposed = front->exposed || exposed;
        if (exposed && !options->insecure) {
            fk_diag_set(diag,
                        "%s: every machine that reaches this address could read and change everything. Use TLS "
                        "(secureClientPort), or require authentication (enforce.auth.enabled, "
                        "sessionRequireClientSASLAuth), or say --insecure where a firewall stands before it",
                        listen->address);
            return FK_ERR_USAGE;
        }
    }
    return FK_OK;
}

enum fk_err fk_front_certify(struct fk_front *front, const struct fk_front_options *options, struct fk_diag *diag)
{
    bool wanted = false;
    for (size_t i = 0; i < options->listen_count; i++) {
        wanted = wanted || options->listen[i].mode != FK_LISTEN_PLAIN;
    }
    return wanted ? fk_certificates_open(&front->certificates, &options->tls, diag) : FK_OK;
}

/* Sockets may not take the last descriptors: files and connections of the host's own need some. */
static size_t clients_max(void)
{
    enum {
        RESERVE = 40,
        LEAST = 8,
    };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return SIZE_MAX;
    }
    return limit.rlim_cur < RESERVE + LEAST ? LEAST : (size_t)limit.rlim_cur - RESERVE;
}

static enum fk_err open_server(struct fk_front *front, const struct fk_front_options *options, struct fk_diag *diag)
{
    struct fk_uv_server_options server_options = {.loop = &front->loop,
                                                  .gateway = front->gateway,
                                                  .tls = front->certificates.context,
                                                  .clients_max = clients_max(),
                                                  .backlog = options->backlog,
                                                  .progress = on_input,
                                                  .context = front};
    enum fk_err err = FK_OK;
    front->server = fk_uv_server_new(&server_options);
    if (front->server == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < options->listen_count && err == FK_OK; i++) {
        if (i > 0) {
            fk_buf_print(&front->addresses, ", ");
        }
        err = fk_uv_server_listen(front->server, &options->listen[i], &front->addresses, diag);
    }
    fk_buf_append(&front->addresses, fk_bytes_of("", 1));
    return err;
}

static enum fk_err open_admin(struct fk_front *front, const struct fk_front_options *options, struct fk_diag *diag)
{
    enum fk_err err = FK_OK;
    if (options->admin.address != NULL || options->admin.metrics_address != NULL) {
        struct fk_admin_options admin = options->admin;
        err = fk_prices_new(FK_PRICE_REGION, NULL, &front->prices, diag);
        admin.prices = front->prices;
        if (err == FK_OK) {
            err = fk_admin_new(&admin, &front->loop, front->gateway, &front->admin, &front->admin_addresses, diag);
        }
    }
    fk_buf_append(&front->admin_addresses, fk_bytes_of("", 1));
    return err;
}

enum fk_err fk_front_listen(struct fk_front *front, const struct fk_front_options *options, struct fk_gateway *gateway,
                            struct fk_diag *diag)
{
    front->gateway = gateway;
    front->sasl =
        (struct fk_sasl_worker){.loop = &front->loop, .gateway = gateway, .progress = mark_dirty, .context = front};
    enum fk_err err = open_server(front, options, diag);
    if (err == FK_OK) {
        err = open_admin(front, options, diag);
    }
    if (err != FK_OK) {
        return err;
    }
    front->idle_limit_ms = options->idle_limit_ms;
    uint64_t tick_ms = (uint64_t)fk_gateway_tick_ms(gateway);
    (void)uv_timer_start(&front->tick, on_tick, tick_ms, tick_ms);
    if (options->tls_reload) {
        fk_certificates_watch(&front->certificates, &front->loop, &options->tls);
    }
    return FK_OK;
}

void fk_front_log_exposure(const struct fk_front *front)
{
    if (front->exposed) {
        fk_log_security(FK_LOG_WARN, "other machines may be able to connect without TLS",
                        fk_log_text("addresses", fk_front_addresses(front)));
    }
}

const char *fk_front_addresses(const struct fk_front *front)
{
    return (const char *)front->addresses.data;
}

const char *fk_front_admin_addresses(const struct fk_front *front)
{
    return (const char *)front->admin_addresses.data;
}

void fk_front_run(struct fk_front *front)
{
    fk_service_start(&front->service, &front->loop, fk_front_addresses(front), front->idle_limit_ms);
    (void)uv_run(&front->loop, UV_RUN_DEFAULT);
}

void fk_front_hang_up(struct fk_front *front)
{
    front->stopping = true;
    if (front->server != NULL) {
        fk_uv_server_stop(front->server);
    }
    fk_admin_stop(front->admin);
}

/* libuv gives a signal its default action back when its handle closes: a second SIGTERM, from somebody impatient, would
 * kill what is ending cleanly. Only this thread is left, so that blocking here holds for the process. */
static void ignore_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void close_handle(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void fk_front_close(struct fk_front *front)
{
    ignore_signals();
    uv_walk(&front->loop, close_handle, NULL);
    (void)uv_run(&front->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&front->loop);
}

void fk_front_deinit(struct fk_front *front)
{
    if (front->server != NULL) {
        fk_uv_server_free(front->server);
    }
    fk_certificates_close(&front->certificates);
    fk_admin_free(front->admin);
    fk_prices_free(front->prices);
    fk_buf_deinit(&front->addresses);
    fk_buf_deinit(&front->admin_addresses);
}
