// SPDX-License-Identifier: Apache-2.0
#include "function/sweep_internal.h"

#include "base/crc32c.h"

enum fk_err fk_sweep_each(struct fk_sweep *sweep, struct fk_bytes partition, fk_sweep_item_fn call)
{
    struct fk_item_page page = {.more = true};
    struct fk_bytes after = FK_BYTES_NULL;
    while (page.more) {
        enum fk_err err = fk_table_list(sweep->ports->table, partition, after, FK_SWEEP_PAGE, sweep->arena, &page);
        for (size_t i = 0; err == FK_OK && i < page.count; i++) {
            err = call(sweep, &page.items[i]);
            after = page.items[i].key.name;
        }
        if (err != FK_OK) {
            return err;
        }
    }
    return FK_OK;
}

enum fk_err fk_sweep_request(const struct fk_sweep *sweep, int64_t gateway, int64_t session_id, int64_t epoch,
                             int32_t op, struct fk_bytes body)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_request_message message = {
        .gateway = gateway, .session_id = session_id, .epoch = epoch, .ids = FK_BYTES_LITERAL("\0\0\0\0")};
    int64_t group = sweep->options->pipeline ? session_id : FK_GROUP_SINGLE_HOP;
    fk_request_message_begin(&buf, &message);
    fk_request_message_add(&buf, &(struct fk_request_operation){.op = op, .body = body});
    /* Many sweeps find the same: the queue takes it once, or a backlog would grow by what it keeps from being done
     * (F32). Each request is decided by what it names (a counter, an epoch, versions), so that one is as good as many.
     */
    int64_t deduplication_id = (int64_t)((uint64_t)fk_crc32c(0, fk_buf_view(&buf)) << 32 | buf.size);
    enum fk_err err =
        buf.failed ? FK_ERR_NOMEM : fk_queue_send(sweep->ports->queue, group, deduplication_id, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
    return err == FK_ERR_UNKNOWN ? FK_OK : err; /* the next sweep looks again */
}

/* The zxid record first: what is listed after it is at least as new. */
static enum fk_err read_zx(struct fk_sweep *sweep)
{
    struct fk_key key = fk_key_zx();
    struct fk_item item;
    enum fk_err err = fk_table_get(sweep->ports->table, &key, sweep->arena, &item);
    return err == FK_OK && item.stamp != 0 ? fk_zx_record_read(item.value, sweep->arena, &sweep->zx) : err;
}

/* True in `share` of `whole` cases. */
static bool draw(const struct fk_sweep *sweep, size_t share, size_t whole)
{
    uint8_t dice[4];
    if (share >= whole) {
        return true;
    }
    fk_random_fill(sweep->ports->random, dice, sizeof dice);
    return fk_load_u32(dice) % whole < share;
}

/* Lists the gateways; looks whether those that live still move. */
static enum fk_err sweep_gateways(struct fk_sweep *sweep)
{
    enum fk_err err = fk_sweep_list_gateways(sweep);
    return err == FK_OK ? fk_sweep_check_gateways(sweep) : err;
}

/* Sessions that have a live owner are ended by it: nothing is lost where they are not all read each time. What a rare
 * look finds is an end that was begun and forgotten with its request, in the queue of dead letters. */
static bool wants_sessions(const struct fk_sweep *sweep, bool full)
{
    size_t alive = sweep->result->gateways_alive;
    bool somebody_died = alive < sweep->count;
    return somebody_died || (full && (alive == 0 || draw(sweep, 1, (size_t)sweep->options->session_sweeps)));
}

void fk_sweep_due(struct fk_sweep *sweep, int64_t ms)
{
    int64_t *due_ms = &sweep->result->due_ms;
    *due_ms = *due_ms == 0 || ms < *due_ms ? ms : *due_ms;
}

static enum fk_err run(struct fk_sweep *sweep, bool full)
{
    bool orphans = full && draw(sweep, 1, (size_t)sweep->options->orphan_sweeps);
    enum fk_err err = orphans ? read_zx(sweep) : FK_OK;
    sweep->result->orphans = orphans;
    if (err == FK_OK) {
        err = sweep_gateways(sweep);
    }
    if (err == FK_OK && wants_sessions(sweep, full)) {
        err = fk_sweep_sessions(sweep);
    }
    if (err == FK_OK && full) {
        err = fk_sweep_events(sweep);
    }
    if (err == FK_OK && full) {
        err = fk_sweep_due_nodes(sweep);
    }
    if (err == FK_OK && orphans) {
        err = fk_sweep_orphans(sweep);
    }
    return err;
}

static enum fk_err sweep_once(struct fk_sweep *sweep, bool full)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    // cppcheck-suppress autoVariables ; taken back below
    sweep->arena = &arena;
    sweep->now_ms = fk_clock_wall_ms(sweep->ports->clock);
    sweep->begun_ms = fk_clock_monotonic_ms(sweep->ports->clock);
    *sweep->result = (struct fk_sweep_result){.gateways_alive = 0};
    enum fk_err err = run(sweep, full);
    sweep->arena = NULL;
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_sweep_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                         struct fk_sweep_result *result)
{
    struct fk_sweep sweep = {.options = options, .ports = ports, .result = result};
    return sweep_once(&sweep, true);
}

enum fk_err fk_sweep_gateways(const struct fk_cloud_options *options, const struct fk_ports *ports, int64_t self,
                              struct fk_sweep_memory *memory, struct fk_sweep_result *result)
{
    struct fk_sweep sweep = {.options = options, .ports = ports, .result = result, .self = self, .memory = memory};
    return sweep_once(&sweep, false);
}
