// SPDX-License-Identifier: Apache-2.0
#include "cost/units.h"

#include "base/assert.h"
#include "wire/codes.h"

/* One measured operation. The rows of an operation stand together, those of one topology in the order of amounts. */
struct row {
    enum fk_cost_op op;
    bool pipeline; /* none of an operation: it is the same in both */
    size_t amount;
    struct fk_units units;
    int64_t invocations;
};

static const struct row rows[] = {
#include "cost/units_table.inc"
};

enum time_kind {
    TIME_READ, /* of one small item */
    TIME_CALL, /* of a function, for a write */
};

/* Rows of one topology and channel stand together, in the order of sizes. */
struct time_row {
    enum time_kind kind;
    bool pipeline;
    bool tcp;
    size_t size;
    double ms;
};

static const struct time_row times[] = {
#include "cost/units_durations.inc"
};

enum {
    ROWS = sizeof rows / sizeof rows[0],
    TIMES = sizeof times / sizeof times[0],
};

static const char *const names[] = {
#define FK_COST_OP_ROW(id, name, amount) name,
    FK_COST_OP_TABLE(FK_COST_OP_ROW)
#undef FK_COST_OP_ROW
};

/* The row of an amount: the first that is not smaller, or else the largest one. NULL: not of this topology. */
static const struct row *find(enum fk_cost_op op, size_t amount, bool pipeline)
{
    const struct row *found = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        bool fits = rows[i].op == op && rows[i].pipeline == pipeline;
        if (fits && (found == NULL || found->amount < amount)) {
            found = &rows[i];
        }
    }
    return found;
}

/* `count` times as much as `one` has, for `measured` of them; rounded up. */
static int64_t grow(int64_t number, size_t amount, size_t measured)
{
    double grown = (double)number * (double)amount / (double)measured;
    int64_t whole = (int64_t)grown;
    return (double)whole < grown ? whole + 1 : whole;
}

/* A list longer than any that was measured: requests stay, what they carry grows. */
static void extrapolate(struct fk_cost_use *use, size_t amount, size_t measured)
{
    use->units.read_units = grow(use->units.read_units, amount, measured);
    use->units.write_units = grow(use->units.write_units, amount, measured);
    use->units.read_bytes = grow(use->units.read_bytes, amount, measured);
    use->units.written_bytes = grow(use->units.written_bytes, amount, measured);
    use->units.queue_bytes = grow(use->units.queue_bytes, amount, measured);
    use->units.channel_bytes = grow(use->units.channel_bytes, amount, measured);
}

/* Two rows apart: whatever changed, somebody is told. */
static struct fk_cost_use event_use(bool pipeline)
{
    const struct fk_cost_use without = fk_cost_units(FK_COST_SET_DATA, 0, pipeline);
    const struct fk_cost_use with = fk_cost_units(FK_COST_SET_DATA_WATCHED, 0, pipeline);
    return (struct fk_cost_use){.units = fk_units_between(&without.units, &with.units),
                                .invocations = with.invocations - without.invocations};
}

struct fk_cost_use fk_cost_units(enum fk_cost_op op, size_t amount, bool pipeline)
{
    if (op == FK_COST_EVENT) {
        return event_use(pipeline);
    }
    const struct row *row = find(op, amount, pipeline);
    if (row == NULL) {
        row = find(op, amount, false);
    }
    FK_ASSERT(row != NULL);
    struct fk_cost_use use = {.units = row->units, .invocations = row->invocations};
    if (row->amount != 0 && amount > row->amount) {
        extrapolate(&use, amount, row->amount);
    }
    return use;
}

size_t fk_cost_amount(enum fk_cost_op op, size_t amount)
{
    const struct row *row = find(op, amount, false);
    return row == NULL || row->amount == 0 ? 0 : row->amount < amount ? amount : row->amount;
}

static double between(const struct time_row *below, const struct time_row *above, size_t size)
{
    double part = (double)(size - below->size) / (double)(above->size - below->size);
    return below->ms + part * (above->ms - below->ms);
}

double fk_cost_call_ms(size_t size, bool pipeline, bool tcp)
{
    const struct time_row *below = NULL;
    for (size_t i = 0; i < TIMES; i++) {
        const struct time_row *row = &times[i];
        if (row->kind != TIME_CALL || row->pipeline != pipeline || row->tcp != tcp) {
            continue;
        }
        if (row->size >= size) {
            return below == NULL ? row->ms : between(below, row, size);
        }
        below = row;
    }
    FK_ASSERT(below != NULL);
    return below->ms * (double)size / (double)below->size; /* what is larger waits for S3 in proportion */
}

double fk_cost_read_ms(void)
{
    FK_ASSERT(times[0].kind == TIME_READ);
    return times[0].ms;
}

const char *fk_cost_op_name(enum fk_cost_op op)
{
    return names[op];
}

enum fk_cost_op fk_cost_op_named(const char *name)
{
    size_t op = 0;
    while (op < FK_COST_OP_COUNT && strcmp(names[op], name) != 0) {
        op++;
    }
    return (enum fk_cost_op)op;
}

static enum fk_cost_op create_of(int32_t opcode, int32_t flags)
{
    if (opcode == FK_OP_CREATE_CONTAINER || opcode == FK_OP_CREATE_TTL) {
        return FK_COST_CREATE_CONTAINER; /* a TTL node has the same record beside it */
    }
    if ((flags & ~3) != 0) {
        return FK_COST_CREATE_CONTAINER;
    }
    if ((flags & FK_CREATE_EPHEMERAL) != 0) {
        return FK_COST_CREATE_EPHEMERAL;
    }
    return (flags & FK_CREATE_SEQUENTIAL) != 0 ? FK_COST_CREATE_SEQUENTIAL : FK_COST_CREATE;
}

enum fk_cost_op fk_cost_op_of(int32_t opcode, int32_t flags)
{
    switch (opcode) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        return create_of(opcode, flags);
    case FK_OP_DELETE:
        return FK_COST_DELETE;
    case FK_OP_EXISTS:
        return FK_COST_EXISTS;
    case FK_OP_GET_DATA:
        return FK_COST_GET_DATA;
    case FK_OP_SET_DATA:
        return FK_COST_SET_DATA;
    case FK_OP_GET_ACL:
        return FK_COST_GET_ACL;
    case FK_OP_SET_ACL:
        return FK_COST_SET_ACL;
    case FK_OP_GET_CHILDREN:
    case FK_OP_GET_CHILDREN2:
        return FK_COST_GET_CHILDREN;
    case FK_OP_SYNC:
        return FK_COST_SYNC;
    case FK_OP_PING:
        return FK_COST_PING;
    case FK_OP_MULTI:
        return FK_COST_MULTI;
    case FK_OP_MULTI_READ:
        return FK_COST_MULTI_READ;
    case FK_OP_AUTH:
        return FK_COST_AUTH;
    case FK_OP_GET_EPHEMERALS:
        return FK_COST_GET_EPHEMERALS;
    case FK_OP_GET_ALL_CHILDREN_NUMBER:
        return FK_COST_GET_ALL_CHILDREN_NUMBER;
    case FK_OP_ADD_WATCH:
        return FK_COST_ADD_WATCH;
    case FK_OP_CREATE_SESSION:
        return FK_COST_SESSION_NEW;
    case FK_OP_CLOSE_SESSION:
        return FK_COST_SESSION_CLOSED;
    default:
        return FK_COST_OP_COUNT;
    }
}

bool fk_cost_op_writes(enum fk_cost_op op)
{
    return fk_cost_units(op, 0, false).invocations > 0 && op != FK_COST_HEARTBEAT;
}
