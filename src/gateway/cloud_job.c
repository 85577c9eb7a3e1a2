// SPDX-License-Identifier: Apache-2.0
/* Jobs: made and ended by the core, run anywhere. */
#include "gateway/cloud_internal.h"

#include "function/stored.h"
#include "function/sweep.h"

struct fk_cloud_job *fk_cloud_job_new(struct fk_gateway *gateway, enum fk_cloud_job_kind kind)
{
    struct fk_job *base = fk_gateway_job_new(gateway);
    if (base == NULL) {
        return NULL;
    }
    struct fk_cloud_job *job = fk_cloud_job_of(base);
    struct fk_job kept = *base;
    *job = (struct fk_cloud_job){.kind = kind,
                                 .gateway = gateway->cloud->id,
                                 .group = FK_GROUP_SINGLE_HOP,
                                 .base = {.rules = &gateway->options.rules,
                                          .request = kept.request,
                                          .ids = kept.ids,
                                          .reply = kept.reply,
                                          .actions = kept.actions,
                                          .arena = kept.arena}};
    fk_list_init(&job->base.link);
    fk_list_init(&job->in_list);
    fk_list_init(&job->in_bundle);
    fk_list_init(&job->members);
    return job;
}

/* A job that is run again begins anew. */
static void reset_results(struct fk_cloud_job *job)
{
    fk_buf_clear(&job->base.reply);
    fk_buf_clear(&job->base.actions);
    fk_arena_reset(&job->base.arena);
    job->base.watch = 0;
    job->base.zxid = 0;
    job->base.node_zxid = 0;
    job->base.code = 0;
    job->err = FK_OK;
    job->dead = false;
    job->absent = false;
    job->taken = false;
    job->pend = 0;
    job->zx_zxid = 0;
    job->zx_lastev = 0;
    job->again_zxid = 0;
    job->found = NULL;
    job->found_count = 0;
}

void fk_cloud_job_start(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_cloud *cloud = gateway->cloud;
    reset_results(job);
    job->applied = cloud->applied;
    job->given_generation = cloud->generation;
    job->given_zxid = cloud->newest;
    /* A fetch reads the own record after what was seen so far: that is checked by it. */
    job->generation = job->kind == FK_JOB_FETCH ? cloud->generation_seen : cloud->generation;
    job->started_ms = gateway->now_ms;
    job->write_anyway = job->registers && fk_cloud_removing(cloud) && !FK_MUTANT(UNSUBSCRIBE_RACE);
    fk_list_append(&gateway->jobs, &job->base.link);
}

void fk_cloud_job_later(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    fk_list_append(&gateway->cloud->later, &job->base.link);
}

void fk_cloud_job_release(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_list *member = NULL;
    while ((member = fk_list_take(&job->members)) != NULL) {
        fk_cloud_job_release(gateway, FK_CONTAINER_OF(member, struct fk_cloud_job, in_bundle));
    }
    fk_list_remove(&job->in_list);
    fk_list_remove(&job->in_bundle);
    if (job->expire != NULL) {
        job->expire->expire = NULL;
    }
    if (job->attach != NULL) {
        job->attach->job = NULL;
    }
    fk_gateway_job_release(gateway, &job->base);
}

void fk_cloud_drop_jobs(struct fk_gateway *gateway)
{
    struct fk_list *link = NULL;
    while ((link = fk_list_take(&gateway->jobs)) != NULL) {
        fk_cloud_job_release(gateway, fk_cloud_job_of(FK_CONTAINER_OF(link, struct fk_job, link)));
    }
}

int64_t fk_cloud_draw(struct fk_gateway *gateway)
{
    uint64_t number = 0;
    while (number == 0) {
        fk_random_fill(gateway->random, (uint8_t *)&number, sizeof number);
        number >>= 1; /* printed and sorted as it is: positive */
    }
    return (int64_t)number;
}

struct fk_backoff fk_cloud_backoff(const struct fk_ports *ports)
{
    return (struct fk_backoff){.clock = ports->clock, .random = ports->random};
}

bool fk_cloud_try_again(struct fk_backoff *backoff, enum fk_err err)
{
    if ((err != FK_ERR_BUSY && err != FK_ERR_UNKNOWN && err != FK_ERR_REFUSED) || backoff->tries >= FK_JOB_TRIES) {
        return false;
    }
    fk_backoff_wait(backoff);
    return true;
}

enum fk_err fk_cloud_get(const struct fk_ports *ports, const struct fk_key *key, struct fk_arena *arena,
                         struct fk_item *item)
{
    struct fk_backoff backoff = fk_cloud_backoff(ports);
    enum fk_err err = key->partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(ports->table, key, arena, item);
    while (fk_cloud_try_again(&backoff, err)) {
        err = fk_table_get(ports->table, key, arena, item);
    }
    return err;
}

static void send_run(struct fk_cloud_job *job, const struct fk_cloud_options *options, const struct fk_ports *ports)
{
    struct fk_backoff backoff = fk_cloud_backoff(ports);
    do {
        job->err = fk_stored_send(options, ports, job->group, job->deduplication_id, fk_buf_view(&job->base.request));
        if (job->err == FK_ERR_UNKNOWN) {
            FK_MARK(SEND_UNKNOWN);
            if (FK_MUTANT(SEND_NOT_REPEATED)) {
                job->err = FK_OK;
            }
        }
    } while (fk_cloud_try_again(&backoff, job->err));
}

void fk_cloud_job_run(struct fk_job *base, const struct fk_cloud_options *options, const struct fk_ports *ports)
{
    struct fk_cloud_job *job = fk_cloud_job_of(base);
    struct fk_sweep_result swept;
    switch (job->kind) {
    case FK_JOB_READ:
        fk_cloud_read_run(job, ports);
        break;
    case FK_JOB_SYNC:
        fk_cloud_sync_run(job, ports);
        break;
    case FK_JOB_SEND:
    case FK_JOB_ATTACH:
    case FK_JOB_EXPIRE:
        send_run(job, options, ports);
        break;
    case FK_JOB_POLL:
    case FK_JOB_SESSION:
        fk_cloud_session_run(job, ports);
        break;
    case FK_JOB_CREATE:
        fk_cloud_create_run(job, ports);
        break;
    case FK_JOB_RENEW:
        fk_cloud_renew_run(job, ports);
        break;
    case FK_JOB_FETCH:
        fk_cloud_fetch_run(job, ports);
        break;
    case FK_JOB_SWEEP:
        job->err = fk_sweep_gateways(options, ports, job->gateway, job->seen, &swept);
        job->due_ms = swept.due_ms;
        break;
    case FK_JOB_UNSUBSCRIBE:
        fk_cloud_unsubscribe_run(job, ports);
        break;
    case FK_JOB_LEAVE:
        fk_cloud_leave_run(job, options, ports);
        break;
    }
}

const char *fk_job_label(const struct fk_job *base)
{
    static const char *const labels[] = {
        [FK_JOB_READ] = "read",     [FK_JOB_SYNC] = "sync",     [FK_JOB_SEND] = "send",
        [FK_JOB_POLL] = "poll",     [FK_JOB_CREATE] = "create", [FK_JOB_SESSION] = "session",
        [FK_JOB_ATTACH] = "attach", [FK_JOB_EXPIRE] = "expire", [FK_JOB_RENEW] = "renew",
        [FK_JOB_FETCH] = "fetch",   [FK_JOB_SWEEP] = "sweep",   [FK_JOB_UNSUBSCRIBE] = "unsubscribe",
        [FK_JOB_LEAVE] = "leave",
    };
    const struct fk_cloud_job *job = FK_CONTAINER_OF(base, struct fk_cloud_job, base);
    if (job->kind == FK_JOB_READ) {
        return job->registers ? "register" : "read";
    }
    if (job->kind == FK_JOB_UNSUBSCRIBE && job->unsubscribe.removing) {
        return "remove";
    }
    return labels[job->kind];
}

void fk_job_set_used(struct fk_job *base, const struct fk_units *used)
{
    fk_cloud_job_of(base)->used = *used;
}

const char *fk_cloud_job_meter_label(const struct fk_cloud_job *job)
{
    enum fk_cost_op op = fk_cost_op_of(job->base.op, 0);
    bool known = job->kind == FK_JOB_READ && op != FK_COST_OP_COUNT;
    return known ? fk_cost_op_name(op) : fk_job_label(&job->base);
}

enum fk_job_lane fk_job_lane(const struct fk_job *base)
{
    const struct fk_cloud_job *job = FK_CONTAINER_OF(base, struct fk_cloud_job, base);
    switch (job->kind) {
    case FK_JOB_RENEW:
        return FK_LANE_LEASE;
    case FK_JOB_READ:
    case FK_JOB_SYNC:
    case FK_JOB_UNSUBSCRIBE:
        return FK_LANE_READ;
    case FK_JOB_SWEEP:
        return FK_LANE_IDLE;
    case FK_JOB_SEND:
    case FK_JOB_POLL:
    case FK_JOB_CREATE:
    case FK_JOB_SESSION:
    case FK_JOB_ATTACH:
    case FK_JOB_EXPIRE:
    case FK_JOB_FETCH:
    case FK_JOB_LEAVE:
        break;
    }
    return FK_LANE_URGENT;
}

enum fk_err fk_job_error(const struct fk_job *base)
{
    return FK_CONTAINER_OF(base, struct fk_cloud_job, base)->err;
}
