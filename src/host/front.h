// SPDX-License-Identifier: Apache-2.0
/* What hosts have in common: the event loop with its signals and ticks, and what faces clients and operators:
 * listeners, certificates, steps of SASL, the admin port, the service manager. The host decides what happens in a
 * round; the front calls one whenever something came, before the loop sleeps and after it has read sockets. */
#ifndef FK_HOST_FRONT_H
#define FK_HOST_FRONT_H

#include "base/err.h"
#include "gateway/gateway.h"
#include "gateway/tls.h"
#include "gateway/uv_server.h"
#include "host/admin.h"
#include "host/certificates.h"
#include "host/sasl_worker.h"
#include "host/service.h"

enum {
    FK_FRONT_SIGNALS = 3,
};

struct fk_front_options {
    const struct fk_listen *listen;
    size_t listen_count;
    int32_t backlog;               /* as fk_uv_server_options has it */
    bool insecure;                 /* other machines may connect without TLS and without authentication */
    struct fk_tls_options tls;     /* key_store NULL: no TLS */
    bool tls_reload;               /* read certificates again when their files change; SIGHUP does it always */
    struct fk_admin_options admin; /* no addresses: no admin port */
    uint64_t idle_limit_ms;        /* stops after so long without anything to do; 0: never */
};

/* The host's side; all are called on the loop's thread. */
struct fk_front_host {
    void *context;
    void (*round)(void *context);
    void (*input)(void *context);                    /* bytes came, or a connection ended; NULL: the round is enough */
    bool (*more)(void *context);                     /* the next round has something to do that no event will tell of */
    void (*woken)(void *context);                    /* fk_front_wake was called, perhaps several times */
    void (*tick)(void *context);                     /* behind the gateway's own */
    bool (*idle)(void *context);                     /* nobody is connected, nothing is to be done */
    void (*reopen)(void *context);                   /* SIGHUP: its log files */
    void (*stop)(void *context, const char *reason); /* somebody wants it to end: fk_front_stop, now or later */
};

struct fk_front {
    struct fk_front_host host;
    struct fk_gateway *gateway;
    struct fk_uv_server *server;
    struct fk_buf addresses; /* zero-terminated once it listens, as admin_addresses */
    struct fk_buf admin_addresses;
    uv_loop_t loop;
    uv_async_t wake;
    uv_prepare_t before; /* a round before the loop sleeps: timers and late writes make work too */
    uv_check_t after;    /* a round after it has read sockets */
    uv_idle_t again;     /* active while work is left: the loop does not sleep */
    uv_timer_t tick;
    uv_signal_t signals[FK_FRONT_SIGNALS];
    struct fk_certificates certificates;
    struct fk_sasl_worker sasl;
    struct fk_service service;
    struct fk_admin *admin;
    struct fk_prices *prices; /* of the admin port's costs */
    uint64_t idle_limit_ms;
    size_t connections_most; /* since memory was given back to the system */
    bool dirty;              /* there may be work for a round */
    bool stopping;
    bool exposed; /* other machines reach a port without TLS */
};

/* The loop and its signals; also seeds the hashes of the process. Deinit it in any case. */
void fk_front_init(struct fk_front *front, const struct fk_front_host *host);

/* Before anything else is opened: do the addresses parse, may they be listened on? USAGE with diag. */
enum fk_err fk_front_check(struct fk_front *front, const struct fk_front_options *options, struct fk_diag *diag);

/* Reads certificates where a listener needs them. USAGE with diag. */
enum fk_err fk_front_certify(struct fk_front *front, const struct fk_front_options *options, struct fk_diag *diag);

/* Listens for clients of the gateway, which is borrowed, and for operators, and starts its ticks. USAGE or IO with
 * diag. */
enum fk_err fk_front_listen(struct fk_front *front, const struct fk_front_options *options, struct fk_gateway *gateway,
                            struct fk_diag *diag);

/* Tells the log where other machines may connect without TLS. */
void fk_front_log_exposure(const struct fk_front *front);

/* The addresses it listens on, separated by ", ". */
const char *fk_front_addresses(const struct fk_front *front);
/* The admin port's, named, or "" where there is none. */
const char *fk_front_admin_addresses(const struct fk_front *front);

/* Tells the service manager that it serves, and runs the loop until fk_front_stop. */
void fk_front_run(struct fk_front *front);

/* There may be work for a round. */
void fk_front_dirty(struct fk_front *front);
/* The same from any thread; calls `woken` before. */
void fk_front_wake(struct fk_front *front);

/* The run ends after this round. */
void fk_front_stop(struct fk_front *front);

/* Listeners and connections close. Nothing is served any more. */
void fk_front_hang_up(struct fk_front *front);
/* Ends the loop: whoever could wake it has ended. Signals are ignored from here on. */
void fk_front_close(struct fk_front *front);
/* Frees what is left; the gateway has no connections any more. */
void fk_front_deinit(struct fk_front *front);

#endif
