// SPDX-License-Identifier: Apache-2.0
/* Subscriptions that nobody here needs any more (docs/adr/0008): they go when an event comes that no watch hears. One
 * job looks first, whether there is one and at which stamp its record is; then the core decides, at one moment T; then
 * the same job removes it, if the record is still at that stamp.
 *
 * A watch never stands here without its subscription, because
 *   - what a watch needs that stands at T is kept;
 *   - a registration of the path that began before T and has not ended keeps all of it;
 *   - a registration that begins after T, while the removal is not settled, writes the record even if that lists the
 *     gateway already (write_anyway). It read before the removal and is refused, or after it and writes the
 *     subscription anew; or it wrote first, then the record has another stamp and the removal is refused for ever.
 * A removal is settled when the record is known to have another stamp: an unknown outcome alone does not settle it, the
 * write may be applied much later. Other gateways do not matter: each removes only what is its own.
 *
 * Recursive subscriptions stay: a first try to remove them lost one (seed 6278); they go with the gateway. */
#include "gateway/cloud_internal.h"

#include "model/path.h"

enum {
    AT_WORK_MAX = 4, /* what does not fit is left to the next event */
};

/* --- core --- */

static struct fk_cloud_job *job_at(struct fk_list *link)
{
    return FK_CONTAINER_OF(link, struct fk_cloud_job, in_list);
}

bool fk_cloud_removing(const struct fk_cloud *cloud)
{
    for (struct fk_list *link = cloud->unsubscribing.next; link != &cloud->unsubscribing; link = link->next) {
        if (job_at(link)->unsubscribe.removing) {
            return true;
        }
    }
    return false;
}

void fk_cloud_unheard(struct fk_gateway *gateway, struct fk_bytes path)
{
    struct fk_list *all = &gateway->cloud->unsubscribing;
    size_t count = 0;
    for (struct fk_list *link = all->next; link != all; link = link->next) {
        count++;
        if (fk_bytes_equal(fk_buf_view(&job_at(link)->base.request), path)) {
            return;
        }
    }
    struct fk_cloud_job *job = count < AT_WORK_MAX ? fk_cloud_job_new(gateway, FK_JOB_UNSUBSCRIBE) : NULL;
    if (job == NULL) {
        return;
    }
    fk_buf_append(&job->base.request, path);
    if (job->base.request.failed) {
        fk_cloud_job_release(gateway, job);
        return;
    }
    fk_list_append(all, &job->in_list);
    fk_cloud_job_start(gateway, job);
}

/* The moment T. */
static void decide(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    struct fk_cloud_unsubscribe *unsubscribe = &job->unsubscribe;
    struct fk_bytes path = fk_buf_view(&job->base.request);
    unsigned needed = fk_watch_kinds(&gateway->watches, path);
    bool registering = fk_cloud_registering(gateway->cloud, path) && !FK_MUTANT(UNSUBSCRIBE_RACE);
    if (registering || (unsubscribe->kinds & ~needed) == 0) {
        FK_MARK(UNSUBSCRIBE_GAVE_WAY);
        fk_cloud_job_release(gateway, job);
        return;
    }
    unsubscribe->kinds = needed;
    unsubscribe->removing = true;
    fk_cloud_job_start(gateway, job);
}

void fk_cloud_unsubscribe_done(struct fk_gateway *gateway, struct fk_cloud_job *job)
{
    const struct fk_cloud_unsubscribe *unsubscribe = &job->unsubscribe;
    if (unsubscribe->unsettled) {
        fk_cloud_job_later(gateway, job);
    } else if (unsubscribe->removing || job->err != FK_OK || unsubscribe->kinds == 0) {
        fk_cloud_job_release(gateway, job);
    } else {
        decide(gateway, job);
    }
}

/* --- blocking --- */

static enum fk_err get_node(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_node_record *record,
                            int64_t *stamp)
{
    struct fk_arena *arena = &job->base.arena;
    struct fk_bytes path = fk_buf_view(&job->base.request);
    struct fk_key key = fk_key_node(arena, path);
    struct fk_item item;
    *record = (struct fk_node_record){.exists = false};
    enum fk_err err = fk_cloud_get(ports, &key, arena, &item);
    *stamp = err == FK_OK ? item.stamp : 0;
    return *stamp == 0 ? err : fk_node_record_read(item.value, path, arena, record);
}

/* Which subscription of this gateway the path's record has; kinds 0: none. */
static enum fk_err look(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_cloud_unsubscribe *found = &job->unsubscribe;
    struct fk_node_record node;
    found->kinds = 0; /* not `removing`, which the core looks at meanwhile */
    found->unsettled = false;
    enum fk_err err = get_node(job, ports, &node, &found->stamp);
    for (size_t i = 0; err == FK_OK && i < node.subs.count; i++) {
        if (node.subs.items[i].gateway == job->gateway) {
            found->kinds = node.subs.items[i].kinds;
        }
    }
    return err;
}

/* The record without the gateway's kinds that nobody needs; a missing node without subscriptions has no item. */
static void leave_node(struct fk_node_record *record, const struct fk_cloud_job *job, struct fk_write *write,
                       struct fk_buf *value)
{
    size_t kept = 0;
    for (size_t i = 0; i < record->subs.count; i++) {
        struct fk_subscription sub = record->subs.items[i];
        if (sub.gateway == job->gateway) {
            sub.kinds &= job->unsubscribe.kinds;
        }
        if (sub.kinds != 0) {
            record->subs.items[kept++] = sub;
        }
    }
    record->subs.count = kept;
    write->kind = record->exists || kept > 0 ? FK_WRITE_PUT : FK_WRITE_DELETE;
    if (write->kind == FK_WRITE_PUT) {
        fk_node_record_write(value, record);
    }
}

/* One try; OK where the removal is settled, done or not. */
static enum fk_err try_remove(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_cloud_unsubscribe *unsubscribe = &job->unsubscribe;
    struct fk_node_record node;
    struct fk_buf value = FK_BUF_EMPTY;
    struct fk_write write = {.kind = FK_WRITE_PUT, .expected = unsubscribe->stamp};
    int64_t stamp = 0;
    enum fk_err err = get_node(job, ports, &node, &stamp);
    if (err != FK_OK || stamp != unsubscribe->stamp) {
        return err;
    }
    write.key = fk_key_node(&job->base.arena, fk_buf_view(&job->base.request));
    leave_node(&node, job, &write, &value);
    write.value = fk_buf_view(&value);
    err = value.failed || write.key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_write(ports->table, &write, 1);
    fk_buf_deinit(&value);
    if (err == FK_OK) {
        FK_MARK(UNSUBSCRIBED);
    }
    unsubscribe->unsettled = unsubscribe->unsettled || err == FK_ERR_UNKNOWN;
    return err == FK_ERR_REFUSED ? FK_OK : err;
}

void fk_cloud_unsubscribe_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_backoff backoff = fk_cloud_backoff(ports);
    if (!job->unsubscribe.removing) {
        job->err = look(job, ports);
        return;
    }
    do {
        job->err = try_remove(job, ports);
    } while (fk_cloud_try_again(&backoff, job->err));
    job->unsubscribe.unsettled = job->unsubscribe.unsettled && job->err != FK_OK;
}
