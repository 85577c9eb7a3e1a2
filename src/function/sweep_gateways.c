// SPDX-License-Identifier: Apache-2.0
/* Gateways: whose counter stands still is asked to be declared dead; who is dead and owns nothing is forgotten. */
#include "function/sweep_internal.h"

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
static enum fk_err check(struct fk_sweep *sweep, const struct fk_sweep_gateway *gateway)
{
    struct fk_observation_record record = {.counter = 0};
    struct fk_key key = fk_key_observation(sweep->arena, gateway->id);
    struct fk_item item;
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
    int64_t limit_ms = sweep->options->lease_ms +
                       (FK_MUTANT(DEAD_TOO_EARLY) ? -sweep->options->lease_ms : 2 * (int64_t)sweep->options->skew_ms);
    if (sweep->now_ms - record.since_ms <= limit_ms) {
        return FK_OK;
    }
    FK_MARK(GATEWAY_SEEN_SILENT);
    return fk_sweep_declare_dead(sweep->options, sweep->ports, gateway->id, record.counter);
}

enum fk_err fk_sweep_list_gateways(struct fk_sweep *sweep)
{
    return fk_sweep_each(sweep, FK_BYTES_LITERAL("g"), add);
}

enum fk_err fk_sweep_check_gateways(struct fk_sweep *sweep)
{
    enum fk_err err = FK_OK;
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
