// SPDX-License-Identifier: Apache-2.0
/* The gateway's own record, the zxid record, sessions' records: what jobs read and write besides the tree. Blocking. */
#include "gateway/cloud_internal.h"

#include "base/log.h"
#include "function/bootstrap.h"

enum {
    PAGE_ITEMS = 100,
};

enum fk_err fk_cloud_self_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_gateway_record *record,
                              int64_t *stamp)
{
    struct fk_key key = fk_key_gateway(&job->base.arena, job->gateway);
    struct fk_item item;
    enum fk_err err = fk_cloud_get(ports, &key, &job->base.arena, &item);
    if (err != FK_OK) {
        return err;
    }
    *stamp = item.stamp;
    return item.stamp == 0 ? FK_OK : fk_gateway_record_read(item.value, record);
}

/* H20: a newer generation says that some gateway was declared dead. The own record, read after it, tells whether it was
 * this one. */
enum fk_err fk_cloud_check_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_gateway_record self;
    int64_t stamp = 0;
    if (job->generation <= job->given_generation || FK_MUTANT(GENERATION_NOT_CHECKED) ||
        FK_MUTANT(NO_LEASE_NO_GENERATION)) {
        return FK_OK;
    }
    enum fk_err err = fk_cloud_self_run(job, ports, &self, &stamp);
    if (err != FK_OK) {
        return err;
    }
    job->dead = stamp == 0 || !self.alive;
    if (job->dead) {
        FK_MARK(GENERATION_DEAD);
    } else {
        FK_MARK(GENERATION_ALIVE);
    }
    return FK_OK;
}

enum fk_err fk_cloud_zx_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_zx_record *zx,
                            int64_t *stamp)
{
    struct fk_key key = fk_key_zx();
    struct fk_item item;
    enum fk_err err = fk_cloud_get(ports, &key, &job->base.arena, &item);
    if (err == FK_OK) {
        err = item.stamp == 0 ? FK_ERR_DAMAGED : fk_zx_record_read(item.value, &job->base.arena, zx);
    }
    if (err != FK_OK) {
        return err;
    }
    *stamp = item.stamp;
    if (zx->zxid < job->given_zxid) { /* restored from a backup, while we knew more (F31) */
        fk_log(FK_LOG_ERROR, "the store is at zxid 0x%llx and was at 0x%llx before: it was set back; this gateway ends",
               (unsigned long long)zx->zxid, (unsigned long long)job->given_zxid);
        job->dead = true;
    }
    job->zx_zxid = zx->zxid;
    job->zx_lastev = fk_gateway_zxids_get(&zx->lastev, job->gateway);
    job->generation = zx->generation > job->generation ? zx->generation : job->generation;
    job->base.node_zxid = zx->zxid;
    job->base.zxid = zx->zxid > job->base.zxid ? zx->zxid : job->base.zxid;
    job->pend = job->zx_lastev > job->pend ? job->zx_lastev : job->pend;
    return FK_OK;
}

/* ZK: sync echoes the path, whatever it is. Everything that anybody was told has a zxid up to the record's, and is in
 * the table: a read after it is linearizable. */
void fk_cloud_sync_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_bytes body = fk_buf_view(&job->base.request);
    struct fk_reader reader = fk_reader_of(body);
    struct fk_bytes path = fk_read_bytes(&reader);
    struct fk_zx_record zx;
    int64_t stamp = 0;
    job->err = fk_cloud_zx_run(job, ports, &zx, &stamp);
    if (job->err == FK_OK) {
        job->err = fk_cloud_check_run(job, ports);
    }
    if (FK_MUTANT(SYNC_NOT_HELD)) {
        job->pend = 0;
    }
    job->base.code = reader.failed ? FK_CODE_MARSHALLING_ERROR : FK_CODE_OK;
    fk_buf_append(&job->base.reply, fk_bytes_head(body, 4 + path.size));
}

void fk_cloud_session_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_key key = fk_key_session(&job->base.arena, job->base.session_id);
    struct fk_zx_record zx;
    struct fk_item item;
    int64_t stamp = 0;
    job->err = fk_cloud_get(ports, &key, &job->base.arena, &item);
    if (job->err == FK_OK) {
        job->absent = item.stamp == 0;
        job->err = job->absent ? FK_OK : fk_session_record_read(item.value, &job->base.arena, &job->session);
    }
    if (job->err == FK_OK && job->kind == FK_JOB_SESSION) {
        job->err = fk_cloud_zx_run(job, ports, &zx, &stamp); /* is the client ahead of us? */
    }
}

/* Writes the next counter over the record that was read: nobody but this gateway and the commit that declares it dead
 * writes it. */
static enum fk_err put_self(struct fk_cloud_job *job, const struct fk_ports *ports,
                            const struct fk_gateway_record *record, int64_t expected, int64_t stamp)
{
    struct fk_buf value = FK_BUF_EMPTY;
    struct fk_write write = {.kind = FK_WRITE_PUT,
                             .key = fk_key_gateway(&job->base.arena, job->gateway),
                             .expected = expected,
                             .stamp = stamp};
    fk_gateway_record_write(&value, record);
    write.value = fk_buf_view(&value);
    enum fk_err err =
        value.failed || write.key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_write(ports->table, &write, 1);
    fk_buf_deinit(&value);
    return err;
}

/* A write whose outcome is unknown may be applied much later, when the session that it makes was closed long ago. It is
 * conditional on the stamp of this gateway's record: once that has a new one, it was applied before or never will be.
 */
static enum fk_err fence(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_gateway_record self;
    int64_t stamp = 0;
    enum fk_err err = fk_cloud_self_run(job, ports, &self, &stamp);
    if (err != FK_OK || stamp == 0 || !self.alive) {
        return err; /* dead: no such write will be applied */
    }
    FK_MARK(CREATE_FENCED);
    self.counter++;
    return put_self(job, ports, &self, stamp, 0);
}

/* H9: put if absent, by a gateway that is alive, never through the queue. */
static enum fk_err try_create(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_arena *arena = &job->base.arena;
    struct fk_key key = fk_key_session(arena, job->base.session_id);
    struct fk_gateway_record self;
    struct fk_session_record there;
    struct fk_buf value = FK_BUF_EMPTY;
    struct fk_item item;
    int64_t stamp = 0;
    enum fk_err err = fk_cloud_get(ports, &key, arena, &item);
    if (err == FK_OK && item.stamp != 0) { /* ours, of a try whose outcome was unknown, or somebody else's */
        err = fk_session_record_read(item.value, arena, &there);
        job->taken = err == FK_OK && there.nonce != job->session.nonce;
        return err;
    }
    if (err == FK_OK) {
        err = fk_cloud_self_run(job, ports, &self, &stamp);
    }
    if (err != FK_OK) {
        return err;
    }
    job->dead = stamp == 0 || !self.alive;
    if (job->dead) {
        return FK_OK;
    }
    fk_session_record_write(&value, &job->session);
    struct fk_write writes[2] = {
        {.kind = FK_WRITE_PUT, .key = key, .expected = 0, .value = fk_buf_view(&value)},
        {.kind = FK_WRITE_CHECK, .key = fk_key_gateway(arena, job->gateway), .expected = stamp}};
    err = value.failed || writes[1].key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_write(ports->table, writes, 2);
    fk_buf_deinit(&value);
    return err;
}

void fk_cloud_create_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_backoff backoff = fk_cloud_backoff(ports);
    struct fk_zx_record zx;
    int64_t stamp = 0;
    job->err = fk_cloud_zx_run(job, ports, &zx, &stamp);
    if (job->err != FK_OK || job->last_zxid_seen > zx.zxid) {
        return; /* a client that is ahead of us gets no session */
    }
    do {
        job->err = job->fence && !FK_MUTANT(CREATE_NOT_FENCED) ? fence(job, ports) : FK_OK;
        job->fence = job->fence && job->err != FK_OK;
        if (job->err == FK_OK) {
            job->err = try_create(job, ports);
            job->fence = job->err == FK_ERR_UNKNOWN;
        }
    } while (fk_cloud_try_again(&backoff, job->err));
}

/* The record as it is, where the last renewal does not tell. */
static enum fk_err find_self(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_gateway_record self = {.counter = 0};
    enum fk_err err = fk_cloud_self_run(job, ports, &self, &job->self.stamp);
    if (err == FK_OK) {
        job->dead = job->self.stamp == 0 ? !job->first : !self.alive;
        job->self.counter = self.counter;
    }
    return err;
}

/* One write, conditional on the stamp that the last one gave the record. Where that is not its stamp any more (the
 * gateway was declared dead; or its own fence or a write of unknown outcome was there) the record is read. */
static enum fk_err try_renew(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    enum fk_err err = job->self.stamp == 0 ? find_self(job, ports) : FK_OK;
    if (err != FK_OK) {
        return err;
    }
    if (job->dead) {
        FK_MARK(RENEWAL_DEAD);
        return FK_OK;
    }
    struct fk_cloud_self renewed = {.counter = job->self.counter + 1, .stamp = fk_stamp_draw(ports->random)};
    struct fk_gateway_record next = {.counter = renewed.counter,
                                     .acked = job->applied,
                                     .alive = true,
                                     .wall_ms = fk_clock_wall_ms(ports->clock),
                                     .address = fk_buf_view(job->address)};
    err = put_self(job, ports, &next, job->self.stamp, renewed.stamp);
    if (err == FK_ERR_UNKNOWN) {
        FK_MARK(RENEWAL_UNKNOWN);
    }
    job->self = err == FK_OK ? renewed : (struct fk_cloud_self){.stamp = 0};
    return err;
}

void fk_cloud_renew_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_backoff backoff = fk_cloud_backoff(ports);
    struct fk_zx_record zx;
    int64_t stamp = 0;
    job->err = job->first ? fk_cloud_bootstrap(ports) : FK_OK;
    if (job->err != FK_OK) {
        return;
    }
    do {
        job->err = try_renew(job, ports);
    } while (fk_cloud_try_again(&backoff, job->err));
    if (job->err == FK_OK && !job->dead && fk_cloud_zx_run(job, ports, &zx, &stamp) != FK_OK) {
        job->zx_zxid = 0; /* next time */
    }
}

/* Gathers the events of this gateway in one page of the outbox. */
static enum fk_err take_events(struct fk_cloud_job *job, const struct fk_item_page *page)
{
    struct fk_arena *arena = &job->base.arena;
    struct fk_cloud_found *found =
        (struct fk_cloud_found *)fk_arena_alloc(arena, (job->found_count + page->count + 1) * sizeof *found);
    if (found == NULL) {
        return FK_ERR_NOMEM;
    }
    if (job->found_count > 0) {
        memcpy(found, job->found, job->found_count * sizeof *found);
    }
    job->found = found;
    for (size_t i = 0; i < page->count; i++) {
        struct fk_events_record record;
        enum fk_err err = fk_events_record_read(page->items[i].value, arena, &record);
        if (err != FK_OK) {
            return err;
        }
        for (size_t j = 0; j < record.count; j++) {
            if (record.gateways[j].gateway == job->gateway) {
                found[job->found_count++] = (struct fk_cloud_found){record.zxid, &record.gateways[j]};
            }
        }
    }
    return FK_OK;
}

static enum fk_err list_events(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_key after = fk_key_events(&job->base.arena, job->applied);
    struct fk_item_page page = {.more = true};
    while (page.more) {
        struct fk_backoff backoff = fk_cloud_backoff(ports);
        enum fk_err err = after.partition.data == NULL ? FK_ERR_NOMEM : FK_OK;
        while (err == FK_OK) {
            err = fk_table_list(ports->table, after.partition, after.name, PAGE_ITEMS, &job->base.arena, &page);
            if (!fk_cloud_try_again(&backoff, err)) {
                break;
            }
            err = FK_OK;
        }
        if (err == FK_OK) {
            err = take_events(job, &page);
        }
        if (err != FK_OK) {
            return err;
        }
        if (page.count == 0) {
            return FK_OK;
        }
        after.name = page.items[page.count - 1].key.name;
    }
    return FK_OK;
}

void fk_cloud_fetch_run(struct fk_cloud_job *job, const struct fk_ports *ports)
{
    struct fk_gateway_record self;
    int64_t stamp = 0;
    job->err = fk_cloud_self_run(job, ports, &self, &stamp);
    if (job->err != FK_OK) {
        return;
    }
    job->dead = stamp == 0 || !self.alive;
    if (job->dead) {
        FK_MARK(GENERATION_DEAD);
        return;
    }
    job->err = list_events(job, ports);
}
