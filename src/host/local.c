// SPDX-License-Identifier: Apache-2.0
#include "host/local.h"

#include "base/alloc.h"
#include "base/log.h"
#include "driver/local/channel.h"
#include "driver/local/fifo.h"
#include "driver/local/queue.h"
#include "driver/local/store.h"
#include "function/writer.h"
#include "gateway/read.h"
#include "gateway/uv_server.h"
#include "gateway/version.h"
#include "host/audit.h"
#include "host/certificates.h"
#include "host/log.h"
#include "host/posix_clock.h"
#include "host/sasl_worker.h"
#include "host/service.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    EXIT_SYNC_FAILED = 4,
    SIGNALS = 3,
    NS_PER_MS = 1000000,
};

struct fk_local_host {
    uv_loop_t loop;
    uv_async_t wake;     /* the log thread has made something durable */
    uv_prepare_t before; /* a round before the loop sleeps: timers and late writes make work too */
    uv_check_t after;    /* a round after it has read sockets */
    uv_idle_t again;     /* active while work is left: the loop does not sleep */
    uv_timer_t tick;
    uv_timer_t sweep;
    struct fk_sweeper sweeper;
    uv_signal_t signals[SIGNALS];
    struct fk_certificates certificates;
    struct fk_sasl_worker sasl;
    struct fk_service service;
    uint64_t idle_limit_ms;
    struct fk_store *store;
    struct fk_queue *queue;
    struct fk_channel *channel;
    struct fk_writer writer;
    struct fk_gateway *gateway;
    struct fk_uv_server *server;
    struct fk_admin *admin;
    struct fk_host_audit *audit; /* NULL: off */
    struct fk_buf addresses;
    struct fk_buf admin_addresses;
    struct fk_fifo deferred; /* ends of sessions that found the disk full */
    int32_t done;            /* operations decided of the queue's oldest message */
    bool dirty;              /* there may be work for a round */
    bool busy;               /* the store has to be waited for: it wakes the loop, or the tick does */
    bool stopping;
    bool served;  /* it has started */
    bool exposed; /* other machines reach a port without TLS */
    uint64_t reads_seen;
    uint64_t read_weight; /* decaying counts of reads and writes: the kind of load */
    uint64_t write_weight;
    uint64_t writes;
    size_t connections_most; /* since memory was given back to the system */
};

static void mark_dirty(void *context)
{
    ((struct fk_local_host *)context)->dirty = true;
}

static void run_jobs(struct fk_local_host *host)
{
    struct fk_job *job = NULL;
    while ((job = fk_gateway_take_job(host->gateway)) != NULL) {
        fk_job_run(job, host->store);
        fk_gateway_job_done(host->gateway, job);
    }
}

/* Bytes came: reads are answered at once, writes wait for the round. */
static void on_input(void *context)
{
    struct fk_local_host *host = (struct fk_local_host *)context;
    fk_service_busy(&host->service);
    run_jobs(host);
    host->dirty = true;
}

/* An end of a session that the disk has no room for waits here and stops nobody else. `done` operations before it in
 * its message are decided and answered. */
static void defer(struct fk_local_host *host, int32_t done, struct fk_bytes message)
{
    if (fk_fifo_put(&host->deferred, done, message) != FK_OK) {
        fk_log(FK_LOG_ERROR, "the end of a session could not be kept for later; it comes with the next start");
    }
}

/* Runs the function over one message. False where it has to wait. */
static bool run_message(struct fk_local_host *host, struct fk_bytes message)
{
    int32_t before = host->done;
    enum fk_err err = fk_writer_run(&host->writer, message, &host->done);
    host->writes += (uint64_t)(host->done - before);
    if (err == FK_ERR_BUSY) {
        host->busy = true;
        return false;
    }
    if (err == FK_ERR_FULL || err == FK_ERR_NOMEM) {
        defer(host, host->done, message);
    } else if (err != FK_OK) {
        fk_log(FK_LOG_ERROR, "a request message was dropped: %s", fk_err_text(err));
    }
    host->done = 0;
    return true;
}

/* Runs the functions over what has come, up to a bound: a round shall end. */
static void run_functions(struct fk_local_host *host)
{
    struct fk_bytes message;
    uint64_t stop = host->writes + FK_BATCH_REQUESTS_MAX;
    while (!host->busy && host->writes < stop && fk_local_store_in_flight(host->store) < FK_IN_FLIGHT_SIZE_MAX &&
           fk_local_queue_peek(host->queue, &message)) {
        if (!run_message(host, message)) {
            return;
        }
        fk_local_queue_done(host->queue);
    }
}

/* Answers that the queue of answers had no memory for: a client that waited for one would wait for ever. */
static void tell_lost_answers(struct fk_local_host *host)
{
    if (host->writer.answer_lost) {
        host->writer.answer_lost = false;
        fk_gateway_answer_lost(host->gateway);
    }
}

/* One more try for what was deferred, each tick. */
static void retry_deferred(struct fk_local_host *host)
{
    struct fk_fifo waiting = host->deferred;
    int64_t number = 0;
    struct fk_bytes message;
    fk_fifo_init(&host->deferred, SIZE_MAX);
    while (fk_fifo_peek(&waiting, &number, &message)) {
        int32_t done = (int32_t)number;
        enum fk_err err = fk_writer_run(&host->writer, message, &done);
        if (err == FK_ERR_BUSY || err == FK_ERR_FULL || err == FK_ERR_NOMEM) {
            defer(host, done, message);
        }
        fk_fifo_drop(&waiting);
    }
    fk_fifo_deinit(&waiting);
}

/* Syncing on this thread is faster than waking another one (0.14 against 0.18 ms for a lone set), and holds the loop.
 * So it is for loads without reads, and for a lone connection, which waits anyway. */
static bool prefers_inline_sync(struct fk_local_host *host)
{
    enum {
        WEIGHT_MAX = 4096,
        READ_SHARE = 16, /* one read in so many requests counts as a load with reads */
    };
    uint64_t reads = fk_gateway_reads(host->gateway);
    host->read_weight += reads - host->reads_seen;
    host->write_weight += host->writes;
    host->reads_seen = reads;
    host->writes = 0;
    while (host->read_weight + host->write_weight > WEIGHT_MAX) {
        host->read_weight /= 2;
        host->write_weight /= 2;
    }
    return fk_gateway_connections(host->gateway) <= 1 || host->read_weight * READ_SHARE < host->write_weight;
}

static void deliver_answers(struct fk_local_host *host, int64_t visible_zxid)
{
    struct fk_bytes message;
    while (fk_local_channel_peek(host->channel, visible_zxid, &message)) {
        fk_gateway_answer(host->gateway, message);
        fk_local_channel_done(host->channel);
    }
}

/* Per change in log order: make it visible, send its events, send its answer. */
static void deliver(struct fk_local_host *host)
{
    const struct fk_change *change = NULL;
    deliver_answers(host, fk_store_zxid(host->store, FK_VIEW_VISIBLE));
    while ((change = fk_local_store_next(host->store)) != NULL) {
        fk_gateway_change(host->gateway, change);
        deliver_answers(host, change->zxid);
    }
    fk_host_audit_durable(host->audit, fk_store_zxid(host->store, FK_VIEW_VISIBLE));
}

/* True where the next round has something to do that no event will tell of. */
static bool work_left(struct fk_local_host *host)
{
    struct fk_bytes message;
    bool requests = !host->busy && fk_local_queue_peek(host->queue, &message) &&
                    fk_local_store_in_flight(host->store) < FK_IN_FLIGHT_SIZE_MAX;
    return requests || fk_gateway_has_jobs(host->gateway) || fk_gateway_has_more(host->gateway);
}

static void on_again(uv_idle_t *idle)
{
    mark_dirty(idle->data);
}

static void run_round(struct fk_local_host *host)
{
    host->dirty = false;
    run_jobs(host);
    fk_uv_server_flush(host->server); /* replies of reads do not wait for a sync, nor for the waking of its thread */
    run_functions(host);
    tell_lost_answers(host);
    fk_local_store_flush(host->store, prefers_inline_sync(host));
    deliver(host);
    fk_gateway_resume(host->gateway);
    run_jobs(host);
    fk_sasl_worker_run(&host->sasl);
    fk_uv_server_flush(host->server);
    if (work_left(host)) {
        (void)uv_idle_start(&host->again, on_again);
    } else {
        (void)uv_idle_stop(&host->again);
    }
}

static void on_before(uv_prepare_t *prepare)
{
    struct fk_local_host *host = (struct fk_local_host *)prepare->data;
    if (host->dirty && !host->stopping) {
        run_round(host);
    }
}

static void on_after(uv_check_t *check)
{
    struct fk_local_host *host = (struct fk_local_host *)check->data;
    if (host->dirty && !host->stopping) {
        run_round(host);
    }
}

static void on_wake(uv_async_t *wake)
{
    struct fk_local_host *host = (struct fk_local_host *)wake->data;
    host->busy = false;
    mark_dirty(host);
}

/* After a crowd has left, what it used is given back: malloc keeps it otherwise, in pieces between what stays. */
static void give_back_memory(struct fk_local_host *host)
{
    enum {
        CROWD = 256,
    };
    size_t now = fk_gateway_connections(host->gateway);
    host->connections_most = now > host->connections_most ? now : host->connections_most;
    if (host->connections_most >= CROWD && now < host->connections_most / 2) {
        host->connections_most = now;
        (void)malloc_trim(0);
    }
}

static void stop(struct fk_local_host *host)
{
    fk_service_stopping();
    host->stopping = true;
    uv_stop(&host->loop);
}

/* Ephemerals end with their sessions, which are waited for. Containers and TTL nodes are not: the next start sweeps. */
static bool is_idle(struct fk_local_host *host)
{
    struct fk_bytes message;
    int64_t number = 0;
    return fk_gateway_connections(host->gateway) == 0 && fk_local_store_next_session(host->store, NULL) == NULL &&
           fk_local_store_in_flight(host->store) == 0 && !fk_local_queue_peek(host->queue, &message) &&
           !fk_fifo_peek(&host->deferred, &number, &message);
}

static void stop_when_idle(struct fk_local_host *host)
{
    if (!host->stopping && fk_service_had_enough(&host->service, is_idle(host))) {
        fk_log_with(FK_LOG_INFO, "stopping", fk_log_text("reason", "idle"));
        /* At once: a connection that comes now stays with the socket's owner, who starts us again. */
        fk_uv_server_stop(host->server);
        stop(host);
    }
}

static void on_tick(uv_timer_t *timer)
{
    /* libuv runs timers before it reads sockets; the gateway knows, and expires nobody right after a stall. */
    struct fk_local_host *host = (struct fk_local_host *)timer->data;
    fk_gateway_tick(host->gateway);
    retry_deferred(host);
    give_back_memory(host);
    stop_when_idle(host);
    host->busy = false;
    host->dirty = true;
}

static void on_sweep(uv_timer_t *timer)
{
    struct fk_local_host *host = (struct fk_local_host *)timer->data;
    if (fk_sweeper_tick(&host->sweeper)) {
        host->dirty = true;
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct fk_local_host *host = (struct fk_local_host *)handle->data;
    if (number == SIGHUP) {
        fk_service_reloading();
        fk_host_log_reopen();
        fk_host_audit_reopen(host->audit);
        fk_certificates_reload(&host->certificates);
        fk_service_reloaded(&host->service);
        return;
    }
    fk_log_with(FK_LOG_INFO, "stopping", fk_log_text("reason", number == SIGINT ? "SIGINT" : "SIGTERM"),
                fk_log_number("connections", (int64_t)fk_gateway_connections(host->gateway)),
                fk_log_id("zxid", fk_store_zxid(host->store, FK_VIEW_VISIBLE)));
    stop(host);
}

static void on_progress(void *context)
{
    (void)uv_async_send(&((struct fk_local_host *)context)->wake);
}

/* What was not synced was not acknowledged: the process ends, the next start reads what is on the disk. */
static void on_fatal(void *context, const char *what)
{
    (void)context;
    fk_log_with(FK_LOG_ERROR, "nothing unsynced was acknowledged; check the disk, then start again",
                fk_log_text("error", what));
    fk_host_log_flush();
    (void)fprintf(stderr, "faaskeeper: %s; nothing unsynced was acknowledged; check the disk, then start again\n",
                  what);
    (void)fflush(stderr);
    _exit(EXIT_SYNC_FAILED);
}

static void init_loop(struct fk_local_host *host)
{
    static const int numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    (void)uv_loop_init(&host->loop);
    (void)uv_async_init(&host->loop, &host->wake, on_wake);
    (void)uv_prepare_init(&host->loop, &host->before);
    (void)uv_check_init(&host->loop, &host->after);
    (void)uv_idle_init(&host->loop, &host->again);
    (void)uv_timer_init(&host->loop, &host->tick);
    (void)uv_timer_init(&host->loop, &host->sweep);
    host->wake.data = host->before.data = host->after.data = host->again.data = host->tick.data = host->sweep.data =
        host;
    (void)uv_prepare_start(&host->before, on_before);
    (void)uv_check_start(&host->after, on_after);
    for (size_t i = 0; i < SIGNALS; i++) {
        (void)uv_signal_init(&host->loop, &host->signals[i]);
        host->signals[i].data = host;
        (void)uv_signal_start(&host->signals[i], on_signal, numbers[i]);
    }
}

static enum fk_err open_store(struct fk_local_host *host, const struct fk_local_host_options *options,
                              struct fk_diag *diag)
{
    struct fk_local_store_options store_options = {.directory = options->data_directory,
                                                   .segment_size = options->segment_size,
                                                   .sync = options->sync,
                                                   .progress = on_progress,
                                                   .fatal = on_fatal,
                                                   .context = host};
    return fk_local_store_open(&store_options, &host->store, diag);
}

static enum fk_err open_gateway(struct fk_local_host *host, const struct fk_local_host_options *options)
{
    host->queue = fk_local_queue_new();
    host->channel = fk_local_channel_new();
    if (host->queue == NULL || host->channel == NULL) {
        return FK_ERR_NOMEM;
    }
    fk_writer_init(&host->writer, host->store, host->channel, fk_posix_clock());
    host->writer.rules = options->gateway.rules;
    host->writer.audit = fk_host_audit_port(host->audit);
    struct fk_gateway_options gateway = options->gateway;
    gateway.quota_refused = &host->writer.refused;
    gateway.bounds.events_at_once = FK_EVENTS_AT_ONCE;
    gateway.bounds.expiries_at_once = FK_EXPIRIES_AT_ONCE;
    host->gateway = fk_gateway_new(&gateway, host->store, host->queue, fk_posix_clock(), fk_posix_random());
    if (host->gateway == NULL) {
        return FK_ERR_NOMEM;
    }
    host->sasl =
        (struct fk_sasl_worker){.loop = &host->loop, .gateway = host->gateway, .progress = mark_dirty, .context = host};
    enum fk_err err = FK_OK;
    for (const struct fk_session *session = fk_local_store_next_session(host->store, NULL);
         session != NULL && err == FK_OK; session = fk_local_store_next_session(host->store, session)) {
        err = fk_gateway_load_session(host->gateway, session);
    }
    return err;
}

/* No tick of it is longer than a pass, none is much shorter than the host's own. */
static void start_sweeper(struct fk_local_host *host, const struct fk_local_host_options *options, uint64_t tick_ms)
{
    struct fk_sweeper_options sweeper = options->sweeper;
    uint64_t interval_ms = (uint64_t)sweeper.interval_ms;
    sweeper.never_used_ms = options->gateway.rules.never_used_ms;
    fk_sweeper_init(&host->sweeper, &sweeper, host->store, host->queue, fk_posix_clock());
    if (interval_ms > 0 && !options->gateway.read_only) {
        tick_ms = interval_ms < tick_ms ? interval_ms : tick_ms;
        (void)uv_timer_start(&host->sweep, on_sweep, tick_ms, tick_ms);
    }
}

/* Sockets may not take the last descriptors: the log needs some for its next segment. */
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

static enum fk_err open_server(struct fk_local_host *host, const struct fk_local_host_options *options,
                               struct fk_diag *diag)
{
    struct fk_uv_server_options server_options = {.loop = &host->loop,
                                                  .gateway = host->gateway,
                                                  .tls = host->certificates.context,
                                                  .clients_max = clients_max(),
                                                  .backlog = options->backlog,
                                                  .progress = on_input,
                                                  .context = host};
    enum fk_err err = FK_OK;
    host->server = fk_uv_server_new(&server_options);
    if (host->server == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < options->listen_count && err == FK_OK; i++) {
        if (i > 0) {
            fk_buf_print(&host->addresses, ", ");
        }
        err = fk_uv_server_listen(host->server, &options->listen[i], &host->addresses, diag);
    }
    fk_buf_append(&host->addresses, fk_bytes_of("", 1));
    return err;
}

static enum fk_err open_admin(struct fk_local_host *host, const struct fk_local_host_options *options,
                              struct fk_diag *diag)
{
    enum fk_err err = FK_OK;
    if (options->admin.address != NULL || options->admin.metrics_address != NULL) {
        err = fk_admin_new(&options->admin, &host->loop, host->gateway, &host->admin, &host->admin_addresses, diag);
    }
    fk_buf_append(&host->admin_addresses, fk_bytes_of("", 1));
    return err;
}

/* Before anything is opened: do the addresses parse, and may they be listened on? */
static enum fk_err check_addresses(struct fk_local_host *host, const struct fk_local_host_options *options,
                                   struct fk_diag *diag)
{
    for (size_t i = 0; i < options->listen_count; i++) {
        const struct fk_listen *listen = &options->listen[i];
        bool exposed = false;
        enum fk_err err = fk_uv_server_check(&host->loop, listen->address, &exposed, diag);
        if (err != FK_OK) {
            return err;
        }
        exposed = exposed && listen->mode != FK_LISTEN_TLS;
        host->exposed = host->exposed || exposed;
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

static bool wants_tls(const struct fk_local_host_options *options)
{
    bool wanted = false;
    for (size_t i = 0; i < options->listen_count; i++) {
        wanted = wanted || options->listen[i].mode != FK_LISTEN_PLAIN;
    }
    return wanted;
}

static void log_start(struct fk_local_host *host, int64_t took_ms)
{
    struct fk_store_counts counts;
    fk_store_counts(host->store, &counts);
    fk_log_with(FK_LOG_INFO, "serving", fk_log_text("addresses", fk_local_host_addresses(host)),
                fk_log_id("zxid", fk_store_zxid(host->store, FK_VIEW_VISIBLE)), fk_log_number("nodes", counts.nodes),
                fk_log_number("sessions", counts.sessions), fk_log_number("took_ms", took_ms));
    if (host->exposed) {
        fk_log_security(FK_LOG_WARN, "other machines may be able to connect without TLS",
                        fk_log_text("addresses", fk_local_host_addresses(host)));
    }
}

enum fk_err fk_local_host_new(const struct fk_local_host_options *options, struct fk_local_host **out,
                              struct fk_diag *diag)
{
    struct fk_local_host *host = (struct fk_local_host *)fk_alloc_zero(sizeof *host);
    if (host == NULL) {
        return FK_ERR_NOMEM;
    }
    uint64_t started_ns = uv_hrtime();
    uint64_t seed = 0;
    fk_random_fill(fk_posix_random(), (uint8_t *)&seed, sizeof seed);
    fk_hash_seed(seed);
    fk_fifo_init(&host->deferred, SIZE_MAX);
    init_loop(host);
    enum fk_err err = check_addresses(host, options, diag);
    if (err == FK_OK) {
        fk_log_with(FK_LOG_INFO, "starting", fk_log_text("version", FK_VERSION), fk_log_number("pid", getpid()),
                    fk_log_text("data", options->data_directory == NULL ? "(memory)" : options->data_directory));
    }
    if (err == FK_OK && wants_tls(options)) {
        err = fk_certificates_open(&host->certificates, &options->tls, diag);
    }
    if (err == FK_OK && options->audit) {
        err = fk_host_audit_open(options->audit_file, &host->audit, diag);
    }
    if (err == FK_OK) {
        err = open_store(host, options, diag);
    }
    if (err == FK_OK) {
        err = open_gateway(host, options);
    }
    if (err == FK_OK) {
        err = open_server(host, options, diag);
    }
    if (err == FK_OK) {
        err = open_admin(host, options, diag);
    }
    if (err != FK_OK) {
        fk_local_host_free(host);
        return err;
    }
    host->idle_limit_ms = options->idle_limit_ms;
    uint64_t tick_ms = (uint64_t)fk_gateway_tick_ms(host->gateway);
    (void)uv_timer_start(&host->tick, on_tick, tick_ms, tick_ms);
    start_sweeper(host, options, tick_ms);
    if (options->tls_reload) {
        fk_certificates_watch(&host->certificates, &host->loop, &options->tls);
    }
    log_start(host, (int64_t)(uv_hrtime() - started_ns) / NS_PER_MS);
    host->served = true;
    fk_host_audit_server(host->audit, "serverStart", "success");
    *out = host;
    return FK_OK;
}

const char *fk_local_host_addresses(const struct fk_local_host *host)
{
    return (const char *)host->addresses.data;
}

const char *fk_local_host_admin_addresses(const struct fk_local_host *host)
{
    return (const char *)host->admin_addresses.data;
}

void fk_local_host_run(struct fk_local_host *host)
{
    fk_service_start(&host->service, &host->loop, fk_local_host_addresses(host), host->idle_limit_ms);
    (void)uv_run(&host->loop, UV_RUN_DEFAULT);
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

void fk_local_host_free(struct fk_local_host *host)
{
    host->stopping = true;
    if (host->server != NULL) {
        fk_uv_server_stop(host->server);
    }
    fk_admin_stop(host->admin);
    /* The store first: its threads wake the loop. What was accepted is written and synced. */
    fk_store_free(host->store);
    fk_host_audit_durable(host->audit, INT64_MAX);
    if (host->served) {
        fk_host_audit_server(host->audit, "serverStop", "invoked");
    }
    fk_host_audit_close(host->audit);
    ignore_signals();
    uv_walk(&host->loop, close_handle, NULL);
    (void)uv_run(&host->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&host->loop);
    if (host->server != NULL) {
        fk_uv_server_free(host->server);
    }
    if (host->gateway != NULL) {
        fk_gateway_free(host->gateway);
    }
    fk_certificates_close(&host->certificates);
    fk_writer_deinit(&host->writer);
    fk_channel_free(host->channel);
    fk_queue_free(host->queue);
    fk_fifo_deinit(&host->deferred);
    fk_admin_free(host->admin);
    fk_buf_deinit(&host->addresses);
    fk_buf_deinit(&host->admin_addresses);
    fk_free(host);
}
