// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/assert.h"
#include "sim/ground.h"
#include "sim/port_internal.h"

static struct sim_ports *ports_of(struct fk_table *table)
{
    return FK_CONTAINER_OF(table, struct sim_ports, table);
}

/* No snapshot: some of the items are read now, the others a moment later. */
static enum fk_err get_apart(struct sim_ports *ports, const struct fk_key *keys, size_t count, struct fk_arena *arena,
                             struct fk_item *items)
{
    struct sim_world *world = ports->cloud->world;
    uint64_t now = sim_dice(world, SIM_DICE_SCHEDULE);
    enum fk_err err = FK_OK;
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < count && err == FK_OK; i++) {
            if ((now >> (i % 64) & 1) == round) {
                err = fk_table_get_many(ports->cloud->table, &keys[i], 1, arena, &items[i]);
            }
        }
        if (round == 0 && err == FK_OK) {
            sim_sleep_ns((int64_t)sim_below(world, SIM_DICE_SCHEDULE, (uint64_t)ports->cloud->latency_ns + 1));
        }
    }
    return err;
}

static enum fk_err get_many(struct fk_table *table, const struct fk_key *keys, size_t count, struct fk_arena *arena,
                            struct fk_item *items)
{
    struct sim_ports *ports = ports_of(table);
    struct sim_fault fault;
    enum fk_err err;
    if (!sim_call_begin(ports, SIM_SERVICE_TABLE, SIM_CALL_TABLE_GET, SIM_KINDS_READ, &fault, &err)) {
        return err;
    }
    err = count == 1 ? fk_table_get_many(ports->cloud->table, keys, count, arena, items)
                     : get_apart(ports, keys, count, arena, items);
    sim_trace(ports->cloud->world, "table.get %zu from %.*s/%.*s -> %d", count, (int)keys[0].partition.size,
              (const char *)keys[0].partition.data, (int)keys[0].name.size, (const char *)keys[0].name.data, (int)err);
    return sim_call_end(ports, &fault, err);
}

static enum fk_err list(struct fk_table *table, struct fk_bytes partition, struct fk_bytes after, size_t limit,
                        struct fk_arena *arena, struct fk_item_page *page)
{
    struct sim_ports *ports = ports_of(table);
    struct sim_fault fault;
    enum fk_err err;
    if (!sim_call_begin(ports, SIM_SERVICE_TABLE, SIM_CALL_TABLE_LIST, SIM_KINDS_READ, &fault, &err)) {
        return err;
    }
    err = fk_table_list(ports->cloud->table, partition, after, limit, arena, page);
    sim_trace(ports->cloud->world, "table.list %.*s -> %d, %zu items", (int)partition.size,
              (const char *)partition.data, (int)err, err == FK_OK ? page->count : 0);
    return sim_call_end(ports, &fault, err);
}

/* A write whose effect comes when its caller no longer waits. */
struct late_write {
    struct sim_cloud *cloud;
    struct fk_arena arena;
    struct fk_write *writes;
    size_t count;
    struct sim_notes *notes;
};

/* A write at its moment. */
static enum fk_err apply(struct sim_cloud *cloud, const struct fk_write *writes, size_t count, struct sim_notes *notes)
{
    enum fk_err err = fk_table_write(cloud->table, writes, count);
    if (err == FK_OK) {
        sim_ground_applied(notes, sim_now_ns(cloud->world));
    } else {
        sim_ground_dropped(notes);
    }
    return err;
}

static struct fk_bytes kept(struct fk_arena *arena, struct fk_bytes bytes)
{
    struct fk_bytes copy = fk_arena_copy(arena, bytes);
    FK_ASSERT(copy.data != NULL || bytes.data == NULL);
    return copy;
}

static void apply_late(void *context)
{
    struct late_write *late = context;
    enum fk_err err = apply(late->cloud, late->writes, late->count, late->notes);
    sim_trace(late->cloud->world, "table.write of %zu items, late -> %d", late->count, (int)err);
    fk_arena_deinit(&late->arena);
    fk_free(late);
}

static void write_later(struct sim_ports *ports, const struct sim_fault *fault, const struct fk_write *writes,
                        size_t count, struct sim_notes *notes)
{
    struct late_write *late = fk_alloc_zero(sizeof *late);
    FK_ASSERT(late != NULL);
    late->cloud = ports->cloud;
    late->count = count;
    late->notes = notes;
    late->writes = fk_arena_alloc(&late->arena, count * sizeof *writes);
    FK_ASSERT(late->writes != NULL);
    for (size_t i = 0; i < count; i++) {
        late->writes[i] = writes[i];
        late->writes[i].key.partition = kept(&late->arena, writes[i].key.partition);
        late->writes[i].key.name = kept(&late->arena, writes[i].key.name);
        late->writes[i].value = kept(&late->arena, writes[i].value);
    }
    sim_at(ports->cloud->world, NULL, sim_call_later_ns(ports, fault), apply_late, late);
}

static enum fk_err write_items(struct fk_table *table, const struct fk_write *writes, size_t count)
{
    struct sim_ports *ports = ports_of(table);
    struct sim_fault fault;
    enum fk_err err;
    if (!sim_call_begin(ports, SIM_SERVICE_TABLE, SIM_CALL_TABLE_WRITE, SIM_KINDS_WRITE | SIM_FAULT_BIT(FULL), &fault,
                        &err)) {
        return err;
    }
    struct sim_process *before = sim_memory_of(NULL);
    struct sim_notes *notes = sim_ground_take(writes, count);
    if (fault.kind == SIM_FAULT_UNKNOWN_LATER) {
        write_later(ports, &fault, writes, count, notes);
        err = FK_ERR_UNKNOWN;
    } else {
        err = apply(ports->cloud, writes, count, notes);
    }
    (void)sim_memory_of(before);
    sim_trace(ports->cloud->world, "table.write of %zu items, first %.*s/%.*s -> %d", count,
              (int)writes[0].key.partition.size, (const char *)writes[0].key.partition.data,
              (int)writes[0].key.name.size, (const char *)writes[0].key.name.data, (int)err);
    return sim_call_end(ports, &fault, err);
}

static void free_table(struct fk_table *table)
{
    (void)table; /* the world frees it */
}

const struct fk_table_ops sim_table_ops = {
    .name = "sim", .get_many = get_many, .list = list, .write = write_items, .free = free_table};
