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
#include "gateway/tally.h"
#include "gateway/version.h"
#include "host/audit.h"
#include "host/log.h"
#include "host/posix_clock.h"

#include <stdio.h>
#include <unistd.h>

enum {
    EXIT_SYNC_FAILED = 4,
    NS_PER_MS = 1000000,
};

struct fk_local_host {
    struct fk_front front;
    struct fk_tally_session tally_weights[FK_TALLY_CELLS];
    uv_timer_t sweep;
    struct fk_sweeper sweeper;
    struct fk_store *store;
    struct fk_queue *queue;
    struct fk_channel *channel;
    struct fk_writer writer;
    struct fk_gateway *gateway;
    struct fk_host_audit *audit; /* NULL: off */
    struct fk_fifo deferred;     /* ends of sessions that found the disk full */
    int32_t done;                /* operations decided of the queue's oldest message */
    bool busy;                   /* the store has to be waited for: it wakes the loop, or the tick does */
    bool served;                 /* it has started */
    uint64_t reads_seen;
    uint64_t read_weight; /* decaying counts of reads and writes: the kind of load */
    uint64_t write_weight;
    uint64_t writes;
};

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
    run_jobs((struct fk_local_host *)context);
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
static bool work_left(void *context)
{
    struct fk_local_host *host = (struct fk_local_host *)context;
    struct fk_bytes message;
    bool requests = !host->busy && fk_local_queue_peek(host->queue, &message) &&
                    fk_local_store_in_flight(host->store) < FK_IN_FLIGHT_SIZE_MAX;
    return requests || fk_gateway_has_jobs(host->gateway) || fk_gateway_has_more(host->gateway);
}

static void run_round(void *context)
{
    struct fk_local_host *host = (struct fk_local_host *)context;
    struct fk_uv_server *server = host->front.server;
    run_jobs(host);
    fk_uv_server_flush(server); /* replies of reads do not wait for a sync, nor for the waking of its thread */
    run_functions(host);
    tell_lost_answers(host);
    fk_local_store_flush(host->store, prefers_inline_sync(host));
    deliver(host);
    fk_gateway_resume(host->gateway);
    run_jobs(host);
    fk_sasl_worker_run(&host->front.sasl);
    fk_uv_server_flush(server);
}

/* The log has made something durable. */
static void on_woken(void *context)
{
    ((struct fk_local_host *)context)->busy = false;
}

/* Ephemerals end with their sessions, which are waited for. Containers and TTL nodes are not: the next start sweeps. */
static bool is_idle(void *context)
{
    struct fk_local_host *host = (struct fk_local_host *)context;
    struct fk_bytes message;
    int64_t number = 0;
    return fk_gateway_connections(host->gateway) == 0 && fk_local_store_next_session(host->store, NULL) == NULL &&
           fk_local_store_in_flight(host->store) == 0 && !fk_local_queue_peek(host->queue, &message) &&
           !fk_fifo_peek(&host->deferred, &number, &message);
}

static void on_tick(void *context)
{
    struct fk_local_host *host = (struct fk_local_host *)context;
    retry_deferred(host);
    host->busy = false;
}

static void on_sweep(uv_timer_t *timer)
{
    struct fk_local_host *host = (struct fk_local_host *)timer->data;
    if (fk_sweeper_tick(&host->sweeper)) {
        fk_front_dirty(&host->front);
    }
}

static void on_reopen(void *context)
{
    fk_host_audit_reopen(((struct fk_local_host *)context)->audit);
}

static void on_stop(void *context, const char *reason)
{
    struct fk_local_host *host = (struct fk_local_host *)context;
    fk_log_with(FK_LOG_INFO, "stopping", fk_log_text("reason", reason),
                fk_log_number("connections", (int64_t)fk_gateway_connections(host->gateway)),
                fk_log_id("zxid", fk_store_zxid(host->store, FK_VIEW_VISIBLE)));
    fk_front_stop(&host->front);
}

static void on_progress(void *context)
{
    fk_front_wake(&((struct fk_local_host *)context)->front);
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

static void init_front(struct fk_local_host *host)
{
    const struct fk_front_host calls = {.context = host,
                                        .round = run_round,
                                        .input = on_input,
                                        .more = work_left,
                                        .woken = on_woken,
                                        .tick = on_tick,
                                        .idle = is_idle,
                                        .reopen = on_reopen,
                                        .stop = on_stop};
    fk_front_init(&host->front, &calls);
    (void)uv_timer_init(&host->front.loop, &host->sweep);
    host->sweep.data = host;
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
    fk_tally_weigh(host->tally_weights, false); /* priced as a deployment of the default topology */
    gateway.tally_weights = host->tally_weights;
    gateway.bounds.events_at_once = FK_EVENTS_AT_ONCE;
    gateway.bounds.expiries_at_once = FK_EXPIRIES_AT_ONCE;
    host->gateway = fk_gateway_new(&gateway, host->store, host->queue, fk_posix_clock(), fk_posix_random());
    if (host->gateway == NULL) {
        return FK_ERR_NOMEM;
    }
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

static void log_start(struct fk_local_host *host, int64_t took_ms)
{
    struct fk_store_counts counts;
    fk_store_counts(host->store, &counts);
    fk_log_with(FK_LOG_INFO, "serving", fk_log_text("addresses", fk_front_addresses(&host->front)),
                fk_log_id("zxid", fk_store_zxid(host->store, FK_VIEW_VISIBLE)), fk_log_number("nodes", counts.nodes),
                fk_log_number("sessions", counts.sessions), fk_log_number("took_ms", took_ms));
    fk_front_log_exposure(&host->front);
}

enum fk_err fk_local_host_new(const struct fk_local_host_options *options, struct fk_local_host **out,
                              struct fk_diag *diag)
{
    struct fk_local_host *host = (struct fk_local_host *)fk_alloc_zero(sizeof *host);
    if (host == NULL) {
        return FK_ERR_NOMEM;
    }
    uint64_t started_ns = uv_hrtime();
    fk_fifo_init(&host->deferred, SIZE_MAX);
    init_front(host);
    enum fk_err err = fk_front_check(&host->front, &options->front, diag);
    if (err == FK_OK) {
        fk_log_with(FK_LOG_INFO, "starting", fk_log_text("version", FK_VERSION), fk_log_number("pid", getpid()),
                    fk_log_text("data", options->data_directory == NULL ? "(memory)" : options->data_directory));
    }
    if (err == FK_OK) {
        err = fk_front_certify(&host->front, &options->front, diag);
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
        err = fk_front_listen(&host->front, &options->front, host->gateway, diag);
    }
    if (err != FK_OK) {
        fk_local_host_free(host);
        return err;
    }
    start_sweeper(host, options, (uint64_t)fk_gateway_tick_ms(host->gateway));
    log_start(host, (int64_t)(uv_hrtime() - started_ns) / NS_PER_MS);
    host->served = true;
    fk_host_audit_server(host->audit, "serverStart", "success");
    *out = host;
    return FK_OK;
}

const char *fk_local_host_addresses(const struct fk_local_host *host)
{
    return fk_front_addresses(&host->front);
}

const char *fk_local_host_admin_addresses(const struct fk_local_host *host)
{
    return fk_front_admin_addresses(&host->front);
}

void fk_local_host_run(struct fk_local_host *host)
{
    fk_front_run(&host->front);
}

void fk_local_host_free(struct fk_local_host *host)
{
    fk_front_hang_up(&host->front);
    /* The store first: its threads wake the loop. What was accepted is written and synced. */
    fk_store_free(host->store);
    fk_host_audit_durable(host->audit, INT64_MAX);
    if (host->served) {
        fk_host_audit_server(host->audit, "serverStop", "invoked");
    }
    fk_host_audit_close(host->audit);
    fk_front_close(&host->front);
    fk_front_deinit(&host->front);
    if (host->gateway != NULL) {
        fk_gateway_free(host->gateway);
    }
    fk_writer_deinit(&host->writer);
    fk_channel_free(host->channel);
    fk_queue_free(host->queue);
    fk_fifo_deinit(&host->deferred);
    fk_free(host);
}
