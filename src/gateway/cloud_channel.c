// SPDX-License-Identifier: Apache-2.0
/* The chain of events of this gateway (H13): each names the one before it, none is applied before that. What is missing
 * is fetched from the outbox. Renewal and sweeps are started here too: both are timers of the gateway. */
#include "gateway/cloud_internal.h"

#include "model/acl.h"
#include "model/path.h"

struct firing {
    struct fk_gateway *gateway;
    int64_t zxid;
    struct fk_bytes acl;
    bool heard;
};

/* ZK: who can't read a node does not hear of it, though the watch is used up (CVE-2024-23944). */
static void fire(void *context, struct fk_watcher *watcher, const struct fk_event *event)
{
    struct firing *firing = (struct firing *)context;
    struct fk_conn *conn = FK_CONTAINER_OF(watcher, struct fk_conn, watcher);
    struct fk_caller caller = fk_conn_caller(firing->gateway, conn);
    firing->heard = true;
    if (firing->acl.data != NULL && !fk_acl_allows(firing->acl, FK_PERM_READ, &caller)) {
        return;
    }
    if (!fk_cloud_queue_event(conn, firing->zxid, event)) {
        fk_conn_kill(firing->gateway, conn);
        return;
    }
    fk_cloud_conn_dirty(firing->gateway, conn);
}

static bool list_names(struct fk_bytes list, struct fk_bytes path, bool below_too)
{
    struct fk_reader reader = fk_reader_of(list);
    int32_t count = fk_read_count(&reader, 4);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes watched = fk_read_bytes(&reader);
        watched = below_too ? watched : fk_path_alias(watched);
        if (watched.size > 0 && (below_too ? fk_path_within(path, watched) : fk_bytes_equal(path, watched))) {
            return true;
        }
    }
    return false;
}

static bool job_names(const struct fk_cloud_job *job, struct fk_bytes path)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->base.request));
    struct fk_set_watches_request watches;
    if (job->base.op != FK_OP_SET_WATCHES && job->base.op != FK_OP_SET_WATCHES2) {
        struct fk_bytes watched = fk_read_bytes(&reader);
        bool below_too = job->base.op == FK_OP_ADD_WATCH;
        watched = below_too ? watched : fk_path_alias(watched);
        return watched.size > 0 && (below_too ? fk_path_within(path, watched) : fk_bytes_equal(path, watched));
    }
    if (job->base.op == FK_OP_SET_WATCHES2) {
        fk_read_set_watches2_request(&reader, &watches);
    } else {
        fk_read_set_watches_request(&reader, &watches);
    }
    return list_names(watches.data, path, false) || list_names(watches.exist, path, false) ||
           list_names(watches.child, path, false) || list_names(watches.persistent, path, true) ||
           list_names(watches.recursive, path, true);
}

bool fk_cloud_registering(const struct fk_cloud *cloud, struct fk_bytes path)
{
    for (struct fk_list *link = cloud->registering.next; link != &cloud->registering; link = link->next) {
        if (job_names(FK_CONTAINER_OF(link, struct fk_cloud_job, in_list), path)) {
            return true;
        }
    }
    return false;
}

/* H14: reads that are at work on the path have to be done again. */
static void note_reads(struct fk_cloud *cloud, int64_t zxid, struct fk_bytes path)
{
    for (struct fk_list *link = cloud->registering.next; link != &cloud->registering; link = link->next) {
        struct fk_cloud_job *job = FK_CONTAINER_OF(link, struct fk_cloud_job, in_list);
        if (job->again_zxid < zxid && job_names(job, path)) {
            job->again_zxid = zxid;
        }
    }
}

static void apply(struct fk_gateway *gateway, int64_t zxid, const struct fk_gateway_events *events)
{
    struct fk_cloud *cloud = gateway->cloud;
    bool heard = false;
    for (size_t i = 0; i < events->count; i++) {
        const struct fk_event_entry *entry = &events->entries[i];
        if (entry->kind == FK_ENTRY_SESSION_GONE) {
            fk_cloud_session_gone(gateway, entry, zxid);
            continue;
        }
        struct fk_event event = {(enum fk_event_type)entry->type, entry->path, entry->kinds};
        struct firing firing = {.gateway = gateway, .zxid = zxid, .acl = entry->acl};
        note_reads(cloud, zxid, entry->path);
        fk_watch_fire(&gateway->watches, &event, zxid, fire, &firing);
        heard = heard || firing.heard;
        if (!firing.heard) {
            fk_cloud_unheard(gateway, entry->path);
        }
    }
    if (heard) {
        fk_tally_watched(&gateway->tally);
    }
    cloud->applied = zxid;
    fk_cloud_learn_zxid(cloud, zxid);
    fk_cloud_wake(gateway);
}

/* Applies the events of one commit if nothing before them is missing; false where something is. */
static bool apply_next(struct fk_gateway *gateway, int64_t zxid, const struct fk_gateway_events *events)
{
    struct fk_cloud *cloud = gateway->cloud;
    cloud->heard = zxid > cloud->heard ? zxid : cloud->heard;
    if (zxid <= cloud->applied) {
        FK_MARK(EVENT_REPEATED);
        return true;
    }
    if (events->prev > cloud->applied && !FK_MUTANT(PREV_NOT_CHECKED)) {
        FK_MARK(EVENTS_MISSING);
        return false;
    }
    apply(gateway, zxid, events);
    return true;
}

void fk_cloud_events_notice(struct fk_gateway *gateway, struct fk_bytes message)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_events_record record;
    struct fk_bytes bytes;
    bool read = fk_events_message_read(message, &bytes) == FK_OK &&
                fk_events_record_read(bytes, &arena, &record) == FK_OK; /* if not, it is missing, and fetched */
    for (size_t i = 0; read && i < record.count; i++) {
        if (record.gateways[i].gateway == gateway->cloud->id &&
            !apply_next(gateway, record.zxid, &record.gateways[i])) {
            fk_cloud_want_fetch(gateway);
        }
    }
    fk_arena_deinit(&arena);
}

/* NULL without memory: the next tick tries again. */
static struct fk_cloud_job *start(struct fk_gateway *gateway, enum fk_cloud_job_kind kind)
{
    struct fk_cloud_job *job = fk_cloud_job_new(gateway, kind);
    if (job != NULL) {
        fk_cloud_job_start(gateway, job);
    }
    return job;
}

void fk_cloud_want_fetch(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    if (FK_MUTANT(MISSED_EVENTS_NOT_FETCHED) && cloud->generation_seen <= cloud->generation) {
        return;
    }
    cloud->fetch_wanted = true;
    if (!cloud->fetching && start(gateway, FK_JOB_FETCH) != NULL) {
        cloud->fetching = true;
        cloud->fetch_wanted = false;
    }
}

void fk_cloud_fetch_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_cloud *cloud = gateway->cloud;
    if (job->err != FK_OK) {
        fk_cloud_job_later(gateway, job);
        return;
    }
    cloud->fetching = false;
    if (job->generation > cloud->generation) {
        FK_MARK(GENERATION_ALIVE);
        cloud->generation = job->generation;
    }
    for (size_t i = 0; i < job->found_count; i++) {
        int64_t before = cloud->applied;
        if (!apply_next(gateway, job->found[i].zxid, job->found[i].events)) {
            cloud->fetch_wanted = true; /* the list was read while it grew: again, at the next tick */
            break;
        }
        if (cloud->applied > before) {
            FK_MARK(EVENTS_FETCHED);
        }
    }
    fk_cloud_wake(gateway);
    fk_cloud_job_release(gateway, job);
}

void fk_cloud_renew_start(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    struct fk_cloud_job *job = start(gateway, FK_JOB_RENEW);
    if (job == NULL) {
        return;
    }
    cloud->renewing = true;
    job->first = !cloud->serving;
    job->address = &cloud->address;
    job->self = cloud->self;
    if (FK_MUTANT(ACKED_NOT_APPLIED) && cloud->heard > job->applied) {
        job->applied = cloud->heard;
    }
}

/* The zxid record that was read after the renewal: everything that this gateway should have heard of up to then. If it
 * has, it is as far as the record: else an idle gateway would keep all events from being trimmed. */
static void take_zx(struct fk_gateway *gateway, const struct fk_cloud_job *job)
{
    struct fk_cloud *cloud = gateway->cloud;
    if (job->zx_zxid == 0) {
        return;
    }
    fk_cloud_learn_zxid(cloud, job->zx_zxid);
    cloud->heard = job->zx_lastev > cloud->heard ? job->zx_lastev : cloud->heard;
    if (!fk_cloud_generation_checked(gateway, job->generation) || job->zx_lastev > cloud->applied) {
        fk_cloud_want_fetch(gateway);
    } else if (job->zx_zxid > cloud->applied) {
        cloud->applied = job->zx_zxid;
        fk_cloud_wake(gateway);
    }
}

void fk_cloud_renew_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_cloud *cloud = gateway->cloud;
    cloud->renewing = false;
    cloud->self = job->self;
    if (job->err != FK_OK) {
        cloud->renew_ms = gateway->now_ms; /* the next tick tries again */
        fk_cloud_job_release(gateway, job);
        return;
    }
    bool first = !cloud->serving;
    cloud->serving = true;
    cloud->lease_ms = job->started_ms;
    cloud->renew_ms = job->started_ms + cloud->options.period_ms;
    take_zx(gateway, job);
    fk_cloud_job_release(gateway, job);
    if (first) {
        gateway->last_tick_ms = gateway->now_ms; /* the host may have waited for it: that is no stall */
        fk_cloud_attach_tick(gateway);           /* clients have waited for it */
    }
}

void fk_cloud_sweep_start(struct fk_gateway *gateway)
{
    struct fk_cloud *cloud = gateway->cloud;
    cloud->sweep_ms = gateway->now_ms + cloud->options.look_ms;
    struct fk_cloud_job *job = start(gateway, FK_JOB_SWEEP);
    if (job != NULL) {
        job->seen = &cloud->seen;
        cloud->sweeping = true;
    }
}

/* What it could not do, the next one does; that one comes early for what is due before its time. */
void fk_cloud_sweep_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_cloud *cloud = gateway->cloud;
    int64_t after_ms = job->due_ms > FK_SWEEP_PAUSE_MS ? job->due_ms : FK_SWEEP_PAUSE_MS;
    cloud->sweeping = false;
    if (job->err == FK_OK && job->due_ms > 0 && job->started_ms + after_ms < cloud->sweep_ms) {
        FK_MARK(SWEEP_EARLY);
        cloud->sweep_ms = job->started_ms + after_ms;
    }
    fk_cloud_job_release(gateway, job);
}
