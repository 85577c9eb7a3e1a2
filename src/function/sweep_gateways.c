// SPDX-License-Identifier: Apache-2.0
/* Gateways: whose counter stands still is asked to be declared dead; who is dead and owns nothing is forgotten. */
#include "function/sweep_internal.h"

#include "base/alloc.h"
#include "base/mark.h"
#include "base/mutant.h"

static struct fk_sweep_gateway *append(struct fk_sweep *sweep)
{
    if (sweep->count == sweep->capacity) {
        size_t capacity = 2 * sweep->capacity + 8;
        struct fk_sweep_gateway *all = (struct fk_sweep_gateway *)fk_arena_alloc(sweep->arena, capacity * sizeof *all);
        if (all == NULL) {
            return NULL;
        }
        if (sweep->count > 0) {
            memcpy(all, sweep->gateways, sweep->count * sizeof *all);
        }
        sweep->gateways = all;
        sweep->capacity = capacity;
    }
    return &sweep->gateways[sweep->count++];
}

static enum fk_err add(struct fk_sweep *sweep, const struct fk_item *item)
{
    struct fk_sweep_gateway *gateway = append(sweep);
    if (gateway == NULL) {
        return FK_ERR_NOMEM;
    }
    *gateway = (struct fk_sweep_gateway){.id = fk_key_number(item->key.name), .stamp = item->stamp};
    enum fk_err err = fk_gateway_record_read(item->value, &gateway->record);
    sweep->result->gateways_alive += err == FK_OK && gateway->record.alive ? 1 : 0;
    return err;
}

enum fk_err fk_sweep_find_gateway(struct fk_sweep *sweep, int64_t id, struct fk_sweep_gateway **gateway)
{
    struct fk_key key = fk_key_gateway(sweep->arena, id);
    struct fk_item item;
    *gateway = NULL;
    for (size_t i = 0; i < sweep->count; i++) {
        if (sweep->gateways[i].id == id) {
            *gateway = &sweep->gateways[i];
            return FK_OK;
        }
    }
    enum fk_err err =
        key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(sweep->ports->table, &key, sweep->arena, &item);
    if (err == FK_OK && item.stamp != 0) {
        err = add(sweep, &item);
        *gateway = err == FK_OK ? &sweep->gateways[sweep->count - 1] : NULL;
    }
    return err;
}

/* Remembers that the counter was seen now for the first time. Another sweep may have done it, or do it later. The time
 * is that after the reading: a sweep that stood still in between must not date it back. */
static enum fk_err observe(struct fk_sweep *sweep, const struct fk_item *seen, int64_t counter)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    int64_t since_ms = FK_MUTANT(OBSERVED_TOO_EARLY) ? sweep->now_ms : fk_clock_wall_ms(sweep->ports->clock);
    fk_observation_record_write(&buf, &(struct fk_observation_record){.counter = counter, .since_ms = since_ms});
    struct fk_write write = {
        .kind = FK_WRITE_PUT, .key = seen->key, .expected = seen->stamp, .value = fk_buf_view(&buf)};
    enum fk_err err = buf.failed ? FK_ERR_NOMEM : fk_table_write(sweep->ports->table, &write, 1);
    fk_buf_deinit(&buf);
    return err == FK_ERR_REFUSED || err == FK_ERR_UNKNOWN ? FK_OK : err;
}

enum fk_err fk_sweep_declare_dead(const struct fk_cloud_options *options, const struct fk_ports *ports, int64_t gateway,
                                  int64_t counter)
{
    const struct fk_sweep sweep = {.options = options, .ports = ports};
    uint8_t body[8];
    fk_store_u64(body, (uint64_t)counter);
    return fk_sweep_request(&sweep, gateway, 0, 0, FK_OP_GATEWAY_DEAD, fk_bytes_of(body, sizeof body));
}

/* H21: declared dead only if the counter has not moved for longer than its lease, whatever the difference between the
 * clock that saw it first and this one. */
static enum fk_err judge(struct fk_sweep *sweep, const struct fk_sweep_gateway *gateway, int64_t still_ms)
{
    int64_t limit_ms = sweep->options->lease_ms +
                       (FK_MUTANT(DEAD_TOO_EARLY) ? -sweep->options->lease_ms : 2 * (int64_t)sweep->options->skew_ms);
    if (still_ms <= limit_ms) {
        fk_sweep_due(sweep, limit_ms - still_ms + 1);
        return FK_OK;
    }
    FK_MARK(GATEWAY_SEEN_SILENT);
    return fk_sweep_declare_dead(sweep->options, sweep->ports, gateway->id, gateway->record.counter);
}

/* --- functions: what they saw is in the table --- */

/* By both clocks its lease is not over: there is nothing to remember of it. Its clock is believed no further than that:
 * whether it is dead, the counter tells, and one that claims to be of later than now is looked at like any other. */
static bool renewed_lately(const struct fk_sweep *sweep, const struct fk_gateway_record *record)
{
    int64_t ago_ms = fk_clock_wall_ms(sweep->ports->clock) - record->wall_ms;
    int64_t skew_ms = 2 * (int64_t)sweep->options->skew_ms;
    return ago_ms >= -skew_ms && ago_ms <= sweep->options->lease_ms + skew_ms;
}

static enum fk_err check(struct fk_sweep *sweep, const struct fk_sweep_gateway *gateway)
{
    struct fk_observation_record record = {.counter = 0};
    struct fk_key key = fk_key_observation(sweep->arena, gateway->id);
    struct fk_item item;
    if (renewed_lately(sweep, &gateway->record)) {
        return FK_OK;
    }
    enum fk_err err =
        key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(sweep->ports->table, &key, sweep->arena, &item);
    if (err == FK_OK && item.stamp != 0) {
        err = fk_observation_record_read(item.value, &record);
    }
    if (err != FK_OK) {
        return err;
    }
    item.key = key;
    if (item.stamp == 0 || record.counter != gateway->record.counter) {
        return observe(sweep, &item, gateway->record.counter);
    }
    return judge(sweep, gateway, sweep->now_ms - record.since_ms);
}

/* --- gateways: what they saw is in their memory --- */

void fk_sweep_memory_deinit(struct fk_sweep_memory *memory)
{
    fk_free(memory->seen);
    *memory = (struct fk_sweep_memory){.seen = NULL};
}

static const struct fk_sweep_seen *find_seen(const struct fk_sweep_memory *memory, int64_t gateway)
{
    for (size_t i = 0; i < memory->count; i++) {
        if (memory->seen[i].gateway == gateway) {
            return &memory->seen[i];
        }
    }
    return NULL;
}

/* A counter that is new counts from after its reading, and what is old stands still until before this one. */
static enum fk_err watch(struct fk_sweep *sweep, struct fk_sweep_memory *next)
{
    int64_t read_ms = FK_MUTANT(OBSERVED_TOO_EARLY) ? sweep->begun_ms : fk_clock_monotonic_ms(sweep->ports->clock);
    enum fk_err err = FK_OK;
    for (size_t i = 0; i < sweep->count; i++) {
        const struct fk_sweep_gateway *gateway = &sweep->gateways[i];
        const struct fk_sweep_seen *seen = find_seen(sweep->memory, gateway->id);
        if (!gateway->record.alive || gateway->id == sweep->self) {
            continue;
        }
        bool still = seen != NULL && seen->counter == gateway->record.counter;
        next->seen[next->count++] =
            still ? *seen : (struct fk_sweep_seen){gateway->id, gateway->record.counter, read_ms};
        if (still && err == FK_OK) {
            err = judge(sweep, gateway, sweep->begun_ms - seen->since_ms);
        }
    }
    return err;
}

static enum fk_err watch_gateways(struct fk_sweep *sweep)
{
    struct fk_sweep_memory next = {.seen = NULL};
    if (sweep->count > 0) {
        next.seen = (struct fk_sweep_seen *)fk_alloc(sweep->count * sizeof *next.seen);
        if (next.seen == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    enum fk_err err = watch(sweep, &next);
    fk_sweep_memory_deinit(sweep->memory);
    *sweep->memory = next;
    return err;
}

enum fk_err fk_sweep_list_gateways(struct fk_sweep *sweep)
{
    return fk_sweep_each(sweep, FK_BYTES_LITERAL("g"), add);
}

enum fk_err fk_sweep_check_gateways(struct fk_sweep *sweep)
{
    enum fk_err err = FK_OK;
    if (sweep->memory != NULL) {
        return watch_gateways(sweep);
    }
    for (size_t i = 0; i < sweep->count && err == FK_OK; i++) {
        if (sweep->gateways[i].record.alive) {
            err = check(sweep, &sweep->gateways[i]);
        }
    }
    return err;
}

enum fk_err fk_sweep_forget_gateways(struct fk_sweep *sweep)
{
    enum fk_err err = FK_OK;
    for (size_t i = 0; i < sweep->count && err == FK_OK; i++) {
        const struct fk_sweep_gateway *gateway = &sweep->gateways[i];
        if (gateway->record.alive || gateway->owns) {
            continue;
        }
        struct fk_write writes[2] = {
            {.kind = FK_WRITE_DELETE, .key = fk_key_gateway(sweep->arena, gateway->id), .expected = gateway->stamp},
            {.kind = FK_WRITE_DELETE, .key = fk_key_observation(sweep->arena, gateway->id), .expected = FK_STAMP_ANY}};
        bool ok = writes[0].key.partition.data != NULL && writes[1].key.partition.data != NULL;
        err = ok ? fk_table_write(sweep->ports->table, writes, 2) : FK_ERR_NOMEM;
        if (err == FK_OK) {
            FK_MARK(GATEWAY_FORGOTTEN);
        }
        err = err == FK_ERR_REFUSED || err == FK_ERR_UNKNOWN ? FK_OK : err;
    }
    return err;
}
