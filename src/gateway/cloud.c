// SPDX-License-Identifier: Apache-2.0
/* The cloud topologies behind the gateway's core: timers, dispatch, what is known of the world. */
#include "gateway/cloud_internal.h"

#include "base/alloc.h"
#include "base/log.h"

void fk_cloud_learn_zxid(struct fk_cloud *cloud, int64_t zxid)
{
    cloud->newest = zxid > cloud->newest ? zxid : cloud->newest;
}

bool fk_cloud_generation_checked(struct fk_gateway *gateway, int64_t generation)
{
    struct fk_cloud *cloud = gateway->cloud;
    if (generation <= cloud->generation || FK_MUTANT(GENERATION_NOT_CHECKED) || FK_MUTANT(NO_LEASE_NO_GENERATION)) {
        return true;
    }
    cloud->generation_seen = generation > cloud->generation_seen ? generation : cloud->generation_seen;
    return false;
}

void fk_cloud_wake(struct fk_gateway *gateway)
{
    struct fk_list *waiting = &gateway->cloud->waiting;
    for (struct fk_list *link = waiting->next; link != waiting; link = link->next) {
        fk_cloud_conn_dirty(gateway, FK_CONTAINER_OF(link, struct fk_cloud_conn, waiting)->conn);
    }
}

void fk_cloud_settle(struct fk_gateway *gateway)
{
    struct fk_list *link = NULL;
    while ((link = fk_list_take(&gateway->cloud->dirty)) != NULL) {
        fk_cloud_flush(gateway, FK_CONTAINER_OF(link, struct fk_cloud_conn, dirty)->conn);
    }
    fk_cloud_send_more(gateway);
    if (gateway->cloud->generation_seen > gateway->cloud->generation && !gateway->cloud->fetching) {
        fk_cloud_want_fetch(gateway); /* it reads the own record */
    }
}

void fk_cloud_declared_dead(struct fk_gateway *gateway)
{
    if (gateway->cloud->dead) {
        return;
    }
    fk_log(FK_LOG_ERROR, "this gateway was declared dead: it drops its connections");
    fk_cloud_gateway_end(gateway);
}

void fk_cloud_gateway_end(struct fk_gateway *gateway)
{
    gateway->cloud->dead = true;
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        fk_cloud_conn_drop(gateway, FK_CONTAINER_OF(link, struct fk_conn, link));
    }
    fk_cloud_drop_jobs(gateway);
}

static void cloud_process(struct fk_gateway *gateway, struct fk_conn *conn)
{
    const struct fk_cloud *cloud = gateway->cloud;
    if (!cloud->dead && !cloud->leaving) { /* who leaves takes nothing new */
        fk_cloud_process(gateway, conn);
    }
}

static void take_notice(struct fk_gateway *gateway, struct fk_bytes message)
{
    struct fk_answer_message answer;
    int32_t kind = fk_notice_kind(message);
    if (kind == FK_NOTICE_EVENTS) {
        fk_cloud_events_notice(gateway, message);
    } else if (kind == FK_NOTICE_ANSWER && fk_answer_message_read(message, &answer) == FK_OK) {
        if (answer.number == 0) {
            fk_cloud_attach_hint(gateway, answer.session_id);
        } else {
            fk_cloud_answer(gateway, &answer);
        }
    }
}

static void cloud_notice(struct fk_gateway *gateway, struct fk_bytes message)
{
    struct fk_reader reader;
    struct fk_bytes one;
    if (gateway->cloud->dead) {
        return;
    }
    if (fk_many_message_read(message, &reader) != FK_OK) {
        take_notice(gateway, message);
    } else {
        while (fk_many_message_next(&reader, &one)) {
            take_notice(gateway, one);
        }
    }
    fk_cloud_settle(gateway);
}

static void finish(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    switch (job->kind) {
    case FK_JOB_READ:
    case FK_JOB_SYNC:
        fk_cloud_read_done(gateway, job);
        break;
    case FK_JOB_SEND:
        fk_cloud_send_done(gateway, job);
        break;
    case FK_JOB_POLL:
        fk_cloud_poll_done(gateway, job);
        break;
    case FK_JOB_CREATE:
    case FK_JOB_SESSION:
    case FK_JOB_ATTACH:
        fk_cloud_attach_done(gateway, job);
        break;
    case FK_JOB_EXPIRE:
        fk_cloud_expire_done(gateway, job);
        break;
    case FK_JOB_RENEW:
        fk_cloud_renew_done(gateway, job);
        break;
    case FK_JOB_FETCH:
        fk_cloud_fetch_done(gateway, job);
        break;
    case FK_JOB_SWEEP:
        fk_cloud_sweep_done(gateway, job);
        break;
    case FK_JOB_UNSUBSCRIBE:
        fk_cloud_unsubscribe_done(gateway, job);
        break;
    case FK_JOB_LEAVE:
        fk_cloud_leave_done(gateway, job);
        break;
    }
}

/* Whatever became of it, it was billed. */
static void meter_job(struct fk_cloud *cloud, struct fk_cloud_job *job)
{
    fk_meter_label(&cloud->meter, fk_cloud_job_meter_label(job));
    fk_meter_add(&cloud->meter, &job->used);
    job->used = (struct fk_units){.table_gets = 0};
}

void fk_cloud_gateway_received(struct fk_gateway *gateway, int64_t receives, int64_t deletes)
{
    gateway->cloud->channel_receives += receives;
    gateway->cloud->channel_deletes += deletes;
}

static void cloud_job_done(struct fk_gateway *gateway, struct fk_job *base)
{
    struct fk_cloud_job *job = fk_cloud_job_of(base);
    fk_gateway_touch_clock(gateway);
    meter_job(gateway->cloud, job);
    if (job->err == FK_OK && job->dead) {
        fk_cloud_declared_dead(gateway);
    }
    if (gateway->cloud->dead) {
        fk_cloud_job_release(gateway, job);
        return;
    }
    finish(gateway, job);
    fk_cloud_settle(gateway);
}

static void cloud_gone(struct fk_gateway *gateway, struct fk_conn *conn)
{
    fk_cloud_conn_detach(gateway, conn);
}

/* Jobs of a connection that has gone are not worth another try. */
static void retry_jobs(struct fk_gateway *gateway)
{
    struct fk_list again;
    struct fk_list *link = NULL;
    fk_list_init(&again);
    while ((link = fk_list_take(&gateway->cloud->later)) != NULL) {
        fk_list_append(&again, link);
    }
    while ((link = fk_list_take(&again)) != NULL) {
        struct fk_cloud_job *job = fk_cloud_job_of(FK_CONTAINER_OF(link, struct fk_job, link));
        bool of_conn = job->kind <= FK_JOB_POLL && fk_list_empty(&job->members);
        if (of_conn && job->base.conn == NULL) {
            fk_cloud_job_release(gateway, job);
        } else {
            fk_cloud_job_start(gateway, job);
        }
    }
}

/* What waits for events for longer than they take to come makes the gateway look for them (H13). */
static void check_waiting(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    for (struct fk_list *link = cloud->waiting.next; link != &cloud->waiting; link = link->next) {
        struct fk_cloud_conn *waiting = FK_CONTAINER_OF(link, struct fk_cloud_conn, waiting);
        if (gateway->now_ms - waiting->waiting_since_ms >= cloud->options.hold_ms) {
            waiting->waiting_since_ms = gateway->now_ms;
            fk_cloud_want_fetch(gateway);
        }
    }
}

static void cloud_tick(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    if (cloud->dead) {
        return;
    }
    retry_jobs(gateway);
    if (!cloud->renewing && !cloud->asked && gateway->now_ms >= cloud->renew_ms) {
        fk_cloud_renew_start(gateway);
    }
    if (cloud->serving && !cloud->sweeping && !cloud->leaving && gateway->now_ms >= cloud->sweep_ms) {
        fk_cloud_sweep_start(gateway);
    }
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        fk_cloud_write_tick(gateway, FK_CONTAINER_OF(link, struct fk_conn, link));
    }
    check_waiting(gateway);
    if (cloud->fetch_wanted) {
        fk_cloud_want_fetch(gateway);
    }
    fk_cloud_attach_tick(gateway);
    if (gateway->now_ms >= gateway->expire_after_ms) {
        fk_cloud_expire_tick(gateway);
    }
    fk_cloud_settle(gateway);
    fk_cloud_leave_tick(gateway);
}

static int64_t cloud_facts(const struct fk_gateway *gateway, struct fk_store_counts *counts)
{
    /* Nobody counts what the table holds. */
    *counts = (struct fk_store_counts){
        .nodes = -1, .ephemerals = -1, .data_size = -1, .sessions = (int64_t)gateway->sessions.count};
    return gateway->cloud->newest;
}

/* H21: nothing leaves after the lease that the last successful renewal began. */
static bool cloud_may_send(struct fk_gateway *gateway)
{
    const struct fk_cloud *cloud = gateway->cloud;
    if (cloud->dead || !cloud->serving || FK_MUTANT(LEASE_NOT_CHECKED) || FK_MUTANT(NO_LEASE_NO_GENERATION) ||
        fk_clock_monotonic_ms(gateway->clock) <= cloud->lease_ms + cloud->options.lease_ms) {
        return true;
    }
    if (!fk_list_empty(&gateway->outputs)) {
        FK_MARK(LEASE_OVER);
    }
    return false;
}

static const char *cloud_unready(const struct fk_gateway *gateway)
{
    const struct fk_cloud *cloud = gateway->cloud;
    bool valid = cloud->serving && fk_clock_monotonic_ms(gateway->clock) <= cloud->lease_ms + cloud->options.lease_ms;
    return cloud->dead || cloud->leaving ? "the gateway leaves"
           : valid                       ? NULL
                                         : "no valid lease: the deployment's table can't be reached";
}

static void cloud_free(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    struct fk_list *link = NULL;
    while ((link = fk_list_take(&cloud->later)) != NULL) {
        fk_cloud_job_release(gateway, fk_cloud_job_of(FK_CONTAINER_OF(link, struct fk_job, link)));
    }
    while ((link = fk_list_take(&cloud->unsent)) != NULL) {
        fk_cloud_job_release(gateway, FK_CONTAINER_OF(link, struct fk_cloud_job, in_bundle));
    }
    while (!fk_list_empty(&cloud->attaches)) {
        fk_cloud_attach_free(gateway, FK_CONTAINER_OF(cloud->attaches.next, struct fk_cloud_attach, link));
    }
    while (!fk_list_empty(&cloud->sessions)) {
        fk_cloud_session_free(gateway, FK_CONTAINER_OF(cloud->sessions.next, struct fk_cloud_session, link));
    }
    fk_sweep_memory_deinit(&cloud->seen);
    fk_buf_deinit(&cloud->address);
    fk_free(cloud);
}

static const struct fk_backend cloud_backend = {
    .job_size = sizeof(struct fk_cloud_job),
    .connect = fk_cloud_connect,
    .process = cloud_process,
    .notice = cloud_notice,
    .job_done = cloud_job_done,
    .gone = cloud_gone,
    .tick = cloud_tick,
    .facts = cloud_facts,
    .may_send = cloud_may_send,
    .unready = cloud_unready,
    .free = cloud_free,
};

struct fk_gateway *fk_cloud_gateway_new(const struct fk_gateway_options *options,
                                        const struct fk_cloud_options *cloud_options, struct fk_clock *clock,
                                        struct fk_random *random)
{
    struct fk_cloud *cloud = (struct fk_cloud *)fk_alloc_zero(sizeof *cloud);
    struct fk_gateway *gateway = cloud == NULL ? NULL : fk_gateway_create(&cloud_backend, options, clock, random);
    if (gateway == NULL) {
        fk_free(cloud);
        return NULL;
    }
    gateway->cloud = cloud;
    gateway->tick_max_ms = cloud_options->hold_ms > 20 ? cloud_options->hold_ms / 2 : 10;
    cloud->options = *cloud_options;
    fk_meter_init(&cloud->meter);
    cloud->id = fk_cloud_draw(gateway);
    cloud->sweep_ms = gateway->now_ms + cloud->options.look_ms;
    fk_list_init(&cloud->sessions);
    fk_list_init(&cloud->attaches);
    fk_list_init(&cloud->dirty);
    fk_list_init(&cloud->waiting);
    fk_list_init(&cloud->registering);
    fk_list_init(&cloud->unsubscribing);
    fk_list_init(&cloud->later);
    fk_list_init(&cloud->unsent);
    fk_cloud_renew_start(gateway);
    return gateway;
}

bool fk_cloud_gateway_set_address(struct fk_gateway *gateway, struct fk_bytes address)
{
    fk_buf_clear(&gateway->cloud->address);
    fk_buf_append(&gateway->cloud->address, address);
    return !gateway->cloud->address.failed;
}

int64_t fk_cloud_gateway_id(const struct fk_gateway *gateway)
{
    return gateway->cloud->id;
}

bool fk_cloud_gateway_dead(const struct fk_gateway *gateway)
{
    return gateway->cloud->dead;
}

int64_t fk_conn_session_id(const struct fk_conn *conn)
{
    return conn->session == NULL ? 0 : conn->session->id;
}

int64_t fk_conn_epoch(const struct fk_conn *conn)
{
    return conn->cloud == NULL ? 0 : conn->cloud->epoch;
}
