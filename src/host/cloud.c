// SPDX-License-Identifier: Apache-2.0
#include "host/cloud.h"

#include "base/alloc.h"
#include "base/log.h"
#include "gateway/read.h"
#include "gateway/tally.h"
#include "gateway/version.h"
#include "host/metered.h"
#include "host/posix_clock.h"
#include "host/receiver.h"

#include <malloc.h>
#include <unistd.h>

enum {
    END_MS = 1500, /* for a thread that was told to end */
    KEEP_MS = 3600 * 1000,
};

struct fk_cloud_host {
    struct fk_front front;
    struct fk_tally_session tally_weights[FK_TALLY_CELLS];
    struct fk_cloud_host_options options;
    struct fk_gateway *gateway;
    struct fk_workers *workers;
    struct fk_mailbox *mailbox;
    struct fk_receiver *receiver;
    const struct fk_ports *ports; /* of the thread that opens and ends all this; NULL: not opened */
    uv_timer_t keep_timer;
    uv_work_t keep_work;
    bool keeping;
    int64_t give_up_ms; /* the hand-over is over then; 0: it has not begun */
};

/* --- rounds --- */

static void start_jobs(struct fk_cloud_host *host)
{
    struct fk_job *job = NULL;
    while ((job = fk_gateway_take_job(host->gateway)) != NULL) {
        fk_workers_add(host->workers, job);
    }
}

static void take_message(void *context, struct fk_bytes message)
{
    fk_gateway_answer(((struct fk_cloud_host *)context)->gateway, message);
}

/* A job is done, or a message has come. */
static void on_woken(void *context)
{
    struct fk_cloud_host *host = (struct fk_cloud_host *)context;
    struct fk_job *job = NULL;
    while ((job = fk_workers_take_done(host->workers)) != NULL) {
        fk_gateway_job_done(host->gateway, job);
    }
    fk_receiver_take(host->receiver, take_message, host);
}

static bool ended(const struct fk_cloud_host *host)
{
    return fk_cloud_gateway_dead(host->gateway) ||
           (host->give_up_ms > 0 && fk_clock_monotonic_ms(fk_posix_clock()) >= host->give_up_ms);
}

static void run_round(void *context)
{
    struct fk_cloud_host *host = (struct fk_cloud_host *)context;
    start_jobs(host);
    fk_sasl_worker_run(&host->front.sasl);
    fk_uv_server_flush(host->front.server);
    start_jobs(host); /* what has left makes room for more */
    if (ended(host)) {
        fk_front_stop(&host->front);
    }
}

static bool work_left(void *context)
{
    return fk_gateway_has_jobs(((struct fk_cloud_host *)context)->gateway);
}

/* The round does it, but for what the channel cost: over SQS each receive is billed, and the deletion of what came. */
static void on_tick(void *context)
{
    struct fk_cloud_host *host = (struct fk_cloud_host *)context;
    int64_t receives = 0;
    int64_t with_messages = 0;
    if (host->mailbox->billed) {
        fk_receiver_count(host->receiver, &receives, &with_messages);
        fk_cloud_gateway_received(host->gateway, receives, with_messages);
    }
}

static bool is_idle(void *context)
{
    return fk_gateway_connections(((struct fk_cloud_host *)context)->gateway) == 0;
}

static void on_reopen(void *context)
{
    (void)context; /* changes are made elsewhere: no audit log */
}

static void on_stop(void *context, const char *reason)
{
    struct fk_cloud_host *host = (struct fk_cloud_host *)context;
    if (host->give_up_ms > 0) { /* somebody is impatient */
        host->give_up_ms = 1;
        fk_front_dirty(&host->front);
        return;
    }
    fk_log_with(FK_LOG_INFO, "stopping: clients are sent to other gateways", fk_log_text("reason", reason),
                fk_log_number("connections", (int64_t)fk_gateway_connections(host->gateway)));
    host->give_up_ms = fk_clock_monotonic_ms(fk_posix_clock()) + FK_HAND_OVER_MS - (int64_t)2 * END_MS;
    fk_service_stopping();
    fk_uv_server_pause(host->front.server);
    fk_cloud_gateway_leave(host->gateway);
    fk_front_dirty(&host->front);
}

static void on_progress(void *context)
{
    fk_front_wake(&((struct fk_cloud_host *)context)->front);
}

/* --- what is done once an hour --- */

static void keep(uv_work_t *work)
{
    const struct fk_cloud_host *host = (const struct fk_cloud_host *)work->data;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = host->options.keep(host->options.context, &diag);
    if (err != FK_OK) {
        fk_log_with(FK_LOG_WARN, "upkeep of the deployment failed", fk_log_text("error", fk_err_text(err)),
                    fk_log_text("detail", diag.text));
    }
}

static void on_kept(uv_work_t *work, int status)
{
    (void)status; /* one that was cancelled is not missed */
    ((struct fk_cloud_host *)work->data)->keeping = false;
}

static void on_keep(uv_timer_t *timer)
{
    struct fk_cloud_host *host = (struct fk_cloud_host *)timer->data;
    if (!host->keeping) {
        host->keeping = uv_queue_work(&host->front.loop, &host->keep_work, keep, on_kept) == 0;
    }
}

static void start_keeping(struct fk_cloud_host *host)
{
    (void)uv_timer_init(&host->front.loop, &host->keep_timer);
    host->keep_timer.data = host->keep_work.data = host;
    if (host->options.keep != NULL) {
        (void)uv_timer_start(&host->keep_timer, on_keep, 0, KEEP_MS);
    }
}

/* --- life --- */

static void init_front(struct fk_cloud_host *host)
{
    const struct fk_front_host calls = {.context = host,
                                        .round = run_round,
                                        .more = work_left,
                                        .woken = on_woken,
                                        .tick = on_tick,
                                        .idle = is_idle,
                                        .reopen = on_reopen,
                                        .stop = on_stop};
    fk_front_init(&host->front, &calls);
}

static enum fk_err open_gateway(struct fk_cloud_host *host, struct fk_diag *diag)
{
    const struct fk_cloud_host_options *options = &host->options;
    host->gateway = fk_cloud_gateway_new(&options->gateway, &options->cloud, fk_posix_clock(), fk_posix_random());
    host->ports = host->gateway == NULL ? NULL : options->source.open(options->source.context);
    if (host->ports == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = options->open_mailbox(options->context, fk_cloud_gateway_id(host->gateway), &host->mailbox, diag);
    if (err != FK_OK) {
        return err;
    }
    return fk_cloud_gateway_set_address(host->gateway, host->mailbox->address) ? FK_OK : FK_ERR_NOMEM;
}

/* The first renewal, here and now: who can't take the lease had better say so at once. */
static enum fk_err take_lease(struct fk_cloud_host *host, struct fk_diag *diag)
{
    const struct fk_port_source *source = &host->options.source;
    struct fk_metered metered;
    struct fk_job *job = fk_metered_init(&metered, host->ports) ? fk_gateway_take_job(host->gateway) : NULL;
    enum fk_err err = job == NULL ? FK_ERR_NOMEM : FK_OK;
    if (err == FK_OK) {
        fk_cloud_job_run(job, &host->options.cloud, &metered.ports);
        err = fk_job_error(job);
        const struct fk_units used = fk_metered_take(&metered);
        fk_job_set_used(job, &used);
        fk_gateway_job_done(host->gateway, job);
        fk_metered_deinit(&metered);
    }
    if (err != FK_OK) {
        const char *detail = source->error == NULL ? NULL : source->error(source->context, host->ports);
        fk_diag_set(diag, "the deployment '%s' can't be used: %s%s%s", host->options.deployment, fk_err_text(err),
                    detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
    }
    return err;
}

static enum fk_err start_threads(struct fk_cloud_host *host)
{
    const struct fk_workers_options options = {.cloud = &host->options.cloud,
                                               .source = &host->options.source,
                                               .threads_max = host->options.threads == 0 ? FK_CLOUD_THREADS
                                                                                         : host->options.threads,
                                               .wake = on_progress,
                                               .context = host};
    host->workers = fk_workers_new(&options);
    host->receiver = host->workers == NULL ? NULL : fk_receiver_new(host->mailbox, on_progress, host);
    return host->receiver == NULL ? FK_ERR_NOMEM : FK_OK;
}

static enum fk_err open_all(struct fk_cloud_host *host, struct fk_diag *diag)
{
    const struct fk_front_options *front = &host->options.front;
    enum fk_err err = fk_front_check(&host->front, front, diag);
    if (err == FK_OK) {
        fk_log_with(FK_LOG_INFO, "starting", fk_log_text("version", FK_VERSION), fk_log_number("pid", getpid()),
                    fk_log_text("deployment", host->options.deployment));
        err = fk_front_certify(&host->front, front, diag);
    }
    if (err == FK_OK) {
        err = open_gateway(host, diag);
    }
    if (err == FK_OK) {
        host->options.front.admin.tcp = !host->mailbox->billed;
        err = take_lease(host, diag);
    }
    if (err == FK_OK) {
        err = start_threads(host);
    }
    return err == FK_OK ? fk_front_listen(&host->front, front, host->gateway, diag) : err;
}

enum fk_err fk_cloud_host_new(const struct fk_cloud_host_options *options, struct fk_cloud_host **out,
                              struct fk_diag *diag)
{
    struct fk_cloud_host *host = (struct fk_cloud_host *)fk_alloc_zero(sizeof *host);
    if (host == NULL) {
        return FK_ERR_NOMEM;
    }
    host->options = *options;
    host->options.gateway.bounds.events_at_once = FK_EVENTS_AT_ONCE;
    fk_tally_weigh(host->tally_weights, options->cloud.pipeline);
    host->options.gateway.tally_weights = host->tally_weights;
    init_front(host);
    enum fk_err err = open_all(host, diag);
    if (err != FK_OK) {
        (void)fk_cloud_host_free(host);
        return err;
    }
    fk_log_with(FK_LOG_INFO, "serving", fk_log_text("addresses", fk_cloud_host_addresses(host)),
                fk_log_text("deployment", options->deployment),
                fk_log_id("gateway", fk_cloud_gateway_id(host->gateway)),
                fk_log_text("channel", host->mailbox->ops->name));
    fk_front_log_exposure(&host->front);
    start_keeping(host);
    *out = host;
    return FK_OK;
}

const char *fk_cloud_host_addresses(const struct fk_cloud_host *host)
{
    return fk_front_addresses(&host->front);
}

const char *fk_cloud_host_admin_addresses(const struct fk_cloud_host *host)
{
    return fk_front_admin_addresses(&host->front);
}

enum fk_err fk_cloud_host_run(struct fk_cloud_host *host, struct fk_diag *diag)
{
    fk_front_run(&host->front);
    if (host->give_up_ms == 0 && fk_cloud_gateway_dead(host->gateway)) {
        fk_diag_set(diag,
                    "this gateway was declared dead: its lease could not be renewed in time, or the store was set "
                    "back; start it again, its clients go on elsewhere meanwhile");
        return FK_ERR_REFUSED;
    }
    if (!fk_cloud_gateway_left(host->gateway)) {
        fk_log(FK_LOG_WARN, "the hand-over did not end in time: sessions wait until the lease has run out");
    }
    return FK_OK;
}

/* The thread waits for a message: it gets one. */
static bool stop_receiver(struct fk_cloud_host *host)
{
    if (host->receiver == NULL) {
        return true;
    }
    (void)fk_channel_notify(host->ports->channel, fk_cloud_gateway_id(host->gateway), FK_BYTES_LITERAL("end"), 0);
    if (!fk_receiver_stop(host->receiver, END_MS)) {
        return false;
    }
    fk_receiver_free(host->receiver);
    return true;
}

static bool stop_workers(struct fk_cloud_host *host)
{
    struct fk_job *job = NULL;
    if (host->workers == NULL) {
        return true;
    }
    if (!fk_workers_stop(host->workers, END_MS)) {
        return false;
    }
    while ((job = fk_workers_take_done(host->workers)) != NULL) {
        fk_gateway_job_done(host->gateway, job);
    }
    fk_workers_free(host->workers);
    return true;
}

bool fk_cloud_host_free(struct fk_cloud_host *host)
{
    if (host->gateway != NULL) {
        fk_cloud_gateway_end(host->gateway);
    }
    fk_front_hang_up(&host->front);
    bool received = stop_receiver(host);
    if (received && host->mailbox != NULL) {
        fk_mailbox_leave(host->mailbox);
    }
    if (!stop_workers(host) || !received) {
        fk_log(FK_LOG_WARN, "a call does not end; the process goes without it");
        return false;
    }
    fk_mailbox_free(host->mailbox);
    fk_front_close(&host->front);
    fk_front_deinit(&host->front);
    if (host->gateway != NULL) {
        fk_gateway_free(host->gateway);
    }
    if (host->ports != NULL) {
        host->options.source.close(host->options.source.context, host->ports);
    }
    fk_free(host);
    return true;
}
