// SPDX-License-Identifier: Apache-2.0
/* The table port: items with a key, a stamp and a value, and one conditional transaction over some of them. What the
 * functions of the cloud keep their records in (DynamoDB; memory in the simulator). Keys have two parts: items of one
 * partition can be listed in the order of their second part, `name`.
 *
 * The stamp is what conditions name: each accepted put gives the item a stamp that it never had before, in this life or
 * an earlier one, so that "unchanged since I read it" is one comparison and a zombie can't be lucky (ABA). An item that
 * does not exist has stamp 0. */
#ifndef FK_PORT_TABLE_H
#define FK_PORT_TABLE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "port/clock.h"

struct fk_key {
    struct fk_bytes partition; /* never empty */
    struct fk_bytes name;      /* never empty */
};

struct fk_item {
    struct fk_key key;
    int64_t stamp; /* 0: there is no such item, value is null */
    struct fk_bytes value;
};

enum fk_write_kind {
    FK_WRITE_PUT = 1,
    FK_WRITE_DELETE = 2, /* of an item that does not exist: no effect */
    FK_WRITE_CHECK = 3,  /* only the condition */
};

enum {
    FK_STAMP_ANY = -1,
};

/* A stamp for one write, for who wants to know it without reading: positive, at random, so that it never was before. */
static inline int64_t fk_stamp_draw(struct fk_random *random)
{
    int64_t stamp = 0;
    while (stamp == 0) {
        fk_random_fill(random, (uint8_t *)&stamp, sizeof stamp);
        stamp &= INT64_MAX;
    }
    return stamp;
}

struct fk_write {
    enum fk_write_kind kind;
    struct fk_key key;
    int64_t expected;      /* the stamp that the item must have; 0: must not exist; FK_STAMP_ANY */
    struct fk_bytes value; /* of puts, not null */
    int64_t stamp; /* of puts: what the item gets, from fk_stamp_draw for this write alone; 0: the driver draws */
};

/* What an item counts against the limits. */
static inline size_t fk_item_size(const struct fk_key *key, struct fk_bytes value)
{
    return key->partition.size + key->name.size + value.size + FK_TABLE_ITEM_OVERHEAD;
}

/* A page of a listing: items in the arena. `more` is set where another page follows, which may be an empty one: a
 * driver that stops at the limit does not look further. */
struct fk_item_page {
    struct fk_item *items;
    size_t count;
    bool more;
};

struct fk_table;

struct fk_table_ops {
    const char *name;
    /* Fills `items[i]` for keys[i], at most FK_TABLE_GET_MAX, no key twice. Each is strongly consistent (every write
     * acknowledged before the call is seen), but they are no snapshot: they are read one after the other, in no order.
     * Values live in the arena. BUSY (throttled), UNKNOWN (no answer in time; reading again is harmless), NOMEM. */
    enum fk_err (*get_many)(struct fk_table *table, const struct fk_key *keys, size_t count, struct fk_arena *arena,
                            struct fk_item *items);
    /* Items of a partition whose name is greater than `after` (null: from the first on), ascending bytewise; strongly
     * consistent item by item, no snapshot over a page or over pages. `limit` items at most, fewer where their values
     * exceed FK_TABLE_PAGE_SIZE_MAX, but one at least where there is any. The same errors. */
    enum fk_err (*list)(struct fk_table *table, struct fk_bytes partition, struct fk_bytes after, size_t limit,
                        struct fk_arena *arena, struct fk_item_page *page);
    /* All writes if all conditions hold, or none; no key twice; 1 to FK_TABLE_WRITE_MAX writes. Everything is borrowed
     * for the call.
     *
     * OK         applied
     * REFUSED    a condition did not hold; nothing applied
     * BUSY       throttled, or in conflict with another transaction at the same moment; nothing applied
     * FULL       no space (a quota); nothing applied
     * TOO_LARGE  too many writes, a put above FK_TABLE_ITEM_SIZE_MAX, or all above FK_TABLE_WRITE_SIZE_MAX, each
     *            counted with fk_item_size, whether or not conditions hold; nothing applied
     * UNKNOWN    no answer in time: may have been applied, may still be applied later, or never
     * NOMEM      nothing applied */
    enum fk_err (*write)(struct fk_table *table, const struct fk_write *writes, size_t count);
    void (*free)(struct fk_table *table);
};

/* Drivers put this first in their struct. */
struct fk_table {
    const struct fk_table_ops *ops;
};

static inline enum fk_err fk_table_get_many(struct fk_table *table, const struct fk_key *keys, size_t count,
                                            struct fk_arena *arena, struct fk_item *items)
{
    return table->ops->get_many(table, keys, count, arena, items);
}

static inline enum fk_err fk_table_get(struct fk_table *table, const struct fk_key *key, struct fk_arena *arena,
                                       struct fk_item *item)
{
    return table->ops->get_many(table, key, 1, arena, item);
}

static inline enum fk_err fk_table_list(struct fk_table *table, struct fk_bytes partition, struct fk_bytes after,
                                        size_t limit, struct fk_arena *arena, struct fk_item_page *page)
{
    return table->ops->list(table, partition, after, limit, arena, page);
}

static inline enum fk_err fk_table_write(struct fk_table *table, const struct fk_write *writes, size_t count)
{
    return table->ops->write(table, writes, count);
}

static inline void fk_table_free(struct fk_table *table)
{
    if (table != NULL) {
        table->ops->free(table);
    }
}

#endif
