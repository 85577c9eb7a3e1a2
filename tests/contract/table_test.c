// SPDX-License-Identifier: Apache-2.0
/* What port/table.h promises, over each of its drivers, and what the table in memory has besides. */
#include "port/table.h"

#include "aws_fixture.h"
#include "driver/aws/dynamodb.h"
#include "driver/memory/table.h"
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* How the suite gets an empty table. */
struct driver {
    enum fk_emulator emulator; /* first: see FK_CLOUD_TEST_MAIN */
    struct fk_table *(*open)(void);
    bool in_process; /* its memory is this process's: it can be denied */
};

static const struct driver *driver;
static struct fk_table *table;
static struct fk_arena arena;

static struct fk_table *dynamodb_open(void)
{
    struct fk_aws *aws = fk_cloud_open(driver->emulator);
    return aws != NULL && fk_cloud_create_table() ? fk_dynamodb_table_new(aws, fk_cloud_random(), fk_cloud_name())
                                                  : NULL;
}

static struct driver memory_driver = {.open = fk_memory_table_new, .in_process = true};
static struct driver ministack_driver = {.open = dynamodb_open, .emulator = FK_EMULATOR_MINISTACK};
static struct driver moto_driver = {.open = dynamodb_open, .emulator = FK_EMULATOR_MOTO};

static int setup(void **state)
{
    driver = (const struct driver *)*state;
    (void)fk_test_begin(state);
    arena = FK_ARENA_EMPTY;
    table = driver->open();
    return table == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    fk_table_free(table);
    fk_cloud_close();
    fk_arena_deinit(&arena);
    return fk_test_end(state);
}

/* --- shorthands --- */

static struct fk_key key_of(const char *partition, const char *name)
{
    return (struct fk_key){fk_bytes_text(partition), fk_bytes_text(name)};
}

static struct fk_write put(const char *partition, const char *name, int64_t expected, const char *value)
{
    return (struct fk_write){FK_WRITE_PUT, key_of(partition, name), expected, fk_bytes_text(value), 0};
}

static struct fk_write without_value(enum fk_write_kind kind, const char *partition, const char *name, int64_t expected)
{
    return (struct fk_write){kind, key_of(partition, name), expected, FK_BYTES_NULL, 0};
}

static enum fk_err write_one(struct fk_write write)
{
    return fk_table_write(table, &write, 1);
}

static struct fk_item get(const char *partition, const char *name)
{
    struct fk_key key = key_of(partition, name);
    struct fk_item item = {.stamp = -7};
    assert_int_equal(fk_table_get(table, &key, &arena, &item), FK_OK);
    assert_true(item.stamp >= 0);
    assert_true((item.stamp == 0) == (item.value.data == NULL));
    fk_assert_bytes(item.key.partition, key.partition);
    fk_assert_bytes(item.key.name, key.name);
    return item;
}

static int64_t put_now(const char *partition, const char *name, const char *value)
{
    assert_int_equal(write_one(put(partition, name, FK_STAMP_ANY, value)), FK_OK);
    struct fk_item item = get(partition, name);
    fk_assert_text(item.value, value);
    return item.stamp;
}

static struct fk_item_page list(const char *partition, struct fk_bytes after, size_t limit)
{
    struct fk_item_page page;
    assert_int_equal(fk_table_list(table, fk_bytes_text(partition), after, limit, &arena, &page), FK_OK);
    assert_true(page.count <= limit);
    for (size_t i = 0; i < page.count; i++) {
        fk_assert_text(page.items[i].key.partition, partition);
        assert_true(page.items[i].stamp > 0);
        assert_true(fk_bytes_compare(i == 0 ? after : page.items[i - 1].key.name, page.items[i].key.name) < 0);
    }
    return page;
}

/* Items of the partition, by pages of `limit`; fails where one comes twice or where pages do not end. */
static size_t count_by(const char *partition, size_t limit)
{
    struct fk_bytes after = FK_BYTES_NULL;
    size_t count = 0;
    struct fk_item_page page;
    do {
        page = list(partition, after, limit);
        count += page.count;
        after = page.count == 0 ? after : page.items[page.count - 1].key.name;
        assert_true(!page.more || page.count > 0);
    } while (page.more);
    return count;
}

/* --- items and stamps --- */

static void what_is_not_there_has_no_stamp_and_no_value(void **state)
{
    (void)state;
    assert_non_null(table->ops->name);
    assert_int_equal(get("p", "a").stamp, 0);
    (void)put_now("p", "a", "one");
    assert_int_equal(get("p", "b").stamp, 0);
    assert_int_equal(get("q", "a").stamp, 0);
    assert_int_equal(write_one(without_value(FK_WRITE_DELETE, "p", "a", FK_STAMP_ANY)), FK_OK);
    assert_int_equal(get("p", "a").stamp, 0);
}

static void each_put_gives_a_stamp_that_never_was(void **state)
{
    (void)state;
    int64_t seen[64];
    for (size_t i = 0; i < 64; i++) {
        if (i % 4 == 3) { /* not even a deletion starts it again */
            assert_int_equal(write_one(without_value(FK_WRITE_DELETE, "p", "a", FK_STAMP_ANY)), FK_OK);
        }
        seen[i] = put_now("p", "a", "the same");
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(seen[i], seen[j]);
        }
    }
}

/* Who brings a stamp knows what the next condition names, without reading. */
static void a_put_may_bring_its_stamp(void **state)
{
    (void)state;
    int64_t expected = 0;
    for (int i = 0; i < 5; i++) {
        struct fk_write write = put("p", "a", expected, "mine");
        write.stamp = INT64_MAX - i;
        assert_int_equal(write_one(write), FK_OK);
        assert_int_equal(get("p", "a").stamp, write.stamp);
        assert_int_equal(write_one(put("p", "a", 1 + write.stamp / 2, "theirs")), FK_ERR_REFUSED);
        expected = write.stamp;
    }
    struct fk_write writes[] = {put("p", "a", expected, "x"), put("p", "b", 0, "y")};
    writes[1].stamp = 7000000;
    assert_int_equal(fk_table_write(table, writes, 2), FK_OK);
    assert_int_equal(get("p", "b").stamp, 7000000);
    assert_int_not_equal(get("p", "a").stamp, expected);
}

static void keys_are_two_parts_and_any_bytes(void **state)
{
    (void)state;
    (void)put_now("a", "bc", "one");
    (void)put_now("ab", "c", "two");
    fk_assert_text(get("a", "bc").value, "one");
    struct fk_write writes[] = {
        {FK_WRITE_PUT, {FK_BYTES_LITERAL("x\0"), FK_BYTES_LITERAL("\0")}, 0, FK_BYTES_LITERAL("\0\xff"), 0},
        {FK_WRITE_PUT, {FK_BYTES_LITERAL("x"), FK_BYTES_LITERAL("\0")}, 0, FK_BYTES_LITERAL("three"), 0},
        {FK_WRITE_PUT, {FK_BYTES_LITERAL("x\0"), FK_BYTES_LITERAL("\0\0")}, 0, FK_BYTES_LITERAL(""), 0},
    };
    struct fk_key keys[] = {writes[0].key, writes[1].key, writes[2].key};
    struct fk_item items[3];
    assert_int_equal(fk_table_write(table, writes, 3), FK_OK);
    assert_int_equal(fk_table_get_many(table, keys, 3, &arena, items), FK_OK);
    fk_assert_bytes(items[0].value, writes[0].value);
    fk_assert_bytes(items[1].value, writes[1].value);
    fk_assert_bytes(items[2].value, writes[2].value); /* empty, and not null */
}

static void keys_may_be_long(void **state)
{
    (void)state;
    static char text[6][3000];
    static const size_t sizes[] = {1023, 1024, 1025, 2047, 2048, 3000};
    struct fk_write writes[12];
    for (size_t i = 0; i < 6; i++) {
        memset(text[i], 'k', sizes[i]);
        text[i][sizes[i] - 1] = (char)('a' + i); /* they differ at the very end only */
        struct fk_bytes part = fk_bytes_of(text[i], sizes[i]);
        writes[i] = (struct fk_write){FK_WRITE_PUT, {FK_BYTES_LITERAL("p"), part}, 0, fk_bytes_of(text[i], i), 0};
        writes[i + 6] = (struct fk_write){FK_WRITE_PUT, {part, FK_BYTES_LITERAL("n")}, 0, fk_bytes_of(text[i], i), 0};
    }
    assert_int_equal(fk_table_write(table, writes, 12), FK_OK);
    for (size_t i = 0; i < 12; i++) {
        struct fk_item item;
        assert_int_equal(fk_table_get(table, &writes[i].key, &arena, &item), FK_OK);
        fk_assert_bytes(item.value, writes[i].value);
        assert_int_equal(write_one(writes[i]), FK_ERR_REFUSED);
    }
    struct fk_item_page page = {.more = true};
    struct fk_bytes after = FK_BYTES_NULL;
    size_t seen = 0;
    while (page.more) { /* each once, and whole, in whatever order such names have */
        assert_int_equal(fk_table_list(table, FK_BYTES_LITERAL("p"), after, 2, &arena, &page), FK_OK);
        for (size_t i = 0; i < page.count; i++) {
            size_t which = page.items[i].value.size;
            fk_assert_bytes(page.items[i].key.name, writes[which].key.name);
            assert_int_equal(seen & 1U << which, 0);
            seen |= 1U << which;
            after = page.items[i].key.name;
        }
    }
    assert_int_equal(seen, 63);
    assert_int_equal(fk_table_list(table, writes[11].key.partition, FK_BYTES_NULL, 5, &arena, &page), FK_OK);
    assert_int_equal(page.count, 1);
    fk_assert_bytes(page.items[0].key.partition, writes[11].key.partition);
}

static void everything_is_borrowed_for_the_call_only(void **state)
{
    (void)state;
    char text[] = "partition name value";
    struct fk_write write = {
        FK_WRITE_PUT, {fk_bytes_of(text, 9), fk_bytes_of(text + 10, 4)}, FK_STAMP_ANY, fk_bytes_of(text + 15, 5), 0};
    assert_int_equal(write_one(write), FK_OK);
    memset(text, 'x', sizeof text);
    struct fk_item item = get("partition", "name");
    struct fk_item_page page = list("partition", FK_BYTES_NULL, 5);
    fk_assert_text(item.value, "value");
    (void)put_now("partition", "name", "other"); /* and what was read is the arena's */
    fk_assert_text(item.value, "value");
    assert_int_equal(page.count, 1);
    fk_assert_text(page.items[0].key.name, "name");
    fk_assert_text(page.items[0].value, "value");
}

static void one_call_reads_many_items(void **state)
{
    (void)state;
    static char names[FK_TABLE_GET_MAX][32];
    struct fk_key keys[FK_TABLE_GET_MAX];
    struct fk_item items[FK_TABLE_GET_MAX];
    for (size_t i = 0; i < FK_TABLE_GET_MAX; i++) {
        size_t number = (i * 37) % FK_TABLE_GET_MAX; /* in no order */
        (void)snprintf(names[i], sizeof names[i], "n%zu", number);
        keys[i] = key_of(number % 2 == 0 ? "even" : "odd", names[i]);
        if (number % 3 != 0) {
            (void)put_now(number % 2 == 0 ? "even" : "odd", names[i], names[i]);
        }
    }
    assert_int_equal(fk_table_get_many(table, keys, FK_TABLE_GET_MAX, &arena, items), FK_OK);
    for (size_t i = 0; i < FK_TABLE_GET_MAX; i++) {
        bool there = ((i * 37) % FK_TABLE_GET_MAX) % 3 != 0;
        assert_int_equal(items[i].stamp != 0, there);
        fk_assert_bytes(items[i].key.name, keys[i].name);
        fk_assert_bytes(items[i].value, there ? fk_bytes_text(names[i]) : FK_BYTES_NULL);
    }
}

/* --- conditions --- */

static void conditions_are_on_the_stamp(void **state)
{
    (void)state;
    static const enum fk_write_kind kinds[] = {FK_WRITE_PUT, FK_WRITE_DELETE, FK_WRITE_CHECK};
    for (size_t i = 0; i < 24; i++) {
        enum fk_write_kind kind = kinds[i % 3];
        bool there = i / 3 % 2 == 0;
        int64_t old = put_now("p", "a", "old");
        int64_t now = put_now("p", "a", "now");
        if (!there) {
            assert_int_equal(write_one(without_value(FK_WRITE_DELETE, "p", "a", now)), FK_OK);
        }
        const int64_t expected[] = {0, old, now, FK_STAMP_ANY};
        const bool holds[] = {!there, false, there, true};
        size_t which = i / 6;
        struct fk_write write = without_value(kind, "p", "a", expected[which]);
        write.value = kind == FK_WRITE_PUT ? fk_bytes_text("new") : FK_BYTES_NULL;
        assert_int_equal(write_one(write), holds[which] ? FK_OK : FK_ERR_REFUSED);
        struct fk_item item = get("p", "a");
        if (!holds[which] || kind == FK_WRITE_CHECK) {
            assert_int_equal(item.stamp, there ? now : 0);
            fk_assert_bytes(item.value, there ? fk_bytes_text("now") : FK_BYTES_NULL);
        } else {
            fk_assert_bytes(item.value, kind == FK_WRITE_PUT ? fk_bytes_text("new") : FK_BYTES_NULL);
        }
    }
}

static void all_writes_are_applied_or_none(void **state)
{
    (void)state;
    int64_t kept = put_now("p", "kept", "1");
    int64_t gone = put_now("p", "gone", "2");
    int64_t other = put_now("q", "other", "3");
    struct fk_write writes[] = {
        put("p", "new", 0, "new"),
        put("p", "kept", kept, "changed"),
        without_value(FK_WRITE_DELETE, "p", "gone", gone),
        put("r", "first", 0, "of its partition"),
        without_value(FK_WRITE_CHECK, "q", "other", other),
    };
    for (size_t wrong = 0; wrong < 5; wrong++) {
        int64_t right = writes[wrong].expected;
        writes[wrong].expected = right + 1000000;
        assert_int_equal(fk_table_write(table, writes, 5), FK_ERR_REFUSED);
        writes[wrong].expected = right;
        assert_int_equal(get("p", "new").stamp, 0);
        assert_int_equal(get("r", "first").stamp, 0);
        assert_int_equal(get("p", "kept").stamp, kept);
        assert_int_equal(get("p", "gone").stamp, gone);
        assert_int_equal(count_by("p", 10), 2);
        assert_int_equal(count_by("r", 10), 0);
    }
    assert_int_equal(fk_table_write(table, writes, 5), FK_OK);
    fk_assert_text(get("p", "new").value, "new");
    fk_assert_text(get("p", "kept").value, "changed");
    assert_int_equal(get("p", "gone").stamp, 0);
    fk_assert_text(get("r", "first").value, "of its partition");
    assert_int_equal(get("q", "other").stamp, other);
    assert_int_not_equal(get("p", "new").stamp, get("p", "kept").stamp);
    assert_int_equal(fk_table_write(table, writes, 5), FK_ERR_REFUSED); /* the same again: it is all different now */
}

static void a_partition_may_lose_its_last_item_and_get_a_new_one(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        int64_t stamp = put_now("p", "a", "1");
        struct fk_write writes[] = {
            without_value(FK_WRITE_DELETE, "p", "a", stamp),
            put("p", "b", 0, "2"),
            without_value(FK_WRITE_DELETE, "p", "c", 0),
            without_value(FK_WRITE_DELETE, "nothing", "c", FK_STAMP_ANY),
        };
        assert_int_equal(fk_table_write(table, writes, 4), FK_OK);
        assert_int_equal(count_by("p", 10), 1);
        writes[0] = without_value(FK_WRITE_DELETE, "p", "b", FK_STAMP_ANY);
        writes[1] = without_value(FK_WRITE_DELETE, "p", "a", FK_STAMP_ANY);
        assert_int_equal(fk_table_write(table, writes, 4), FK_OK);
        assert_int_equal(count_by("p", 10), 0);
    }
}

/* --- listings --- */

static void names_come_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    static const char *const sorted[] = {"\x01", "/", "A", "a", "a/b", "aa", "b", "\x7f", "\xc3\xa4", "\xff"};
    static const size_t order[] = {6, 0, 9, 3, 5, 1, 8, 2, 4, 7};
    for (size_t i = 0; i < 10; i++) {
        (void)put_now("p", sorted[order[i]], sorted[order[i]]);
        (void)put_now("p2", sorted[order[i]], "of another partition");
    }
    struct fk_item_page page = list("p", FK_BYTES_NULL, 1000);
    assert_int_equal(page.count, 10);
    assert_false(page.more);
    for (size_t i = 0; i < 10; i++) {
        fk_assert_text(page.items[i].key.name, sorted[i]);
        fk_assert_text(page.items[i].value, sorted[i]);
        assert_int_equal(page.items[i].stamp, get("p", sorted[i]).stamp);
    }
}

static void pages_have_a_limit_and_go_on_where_the_last_one_ended(void **state)
{
    (void)state;
    char name[32];
    assert_int_equal(count_by("p", 3), 0);
    for (int i = 0; i < 12; i++) {
        (void)snprintf(name, sizeof name, "n%02d", i);
        (void)put_now("p", name, "");
    }
    for (size_t limit = 1; limit < 15; limit++) {
        assert_int_equal(count_by("p", limit), 12);
        struct fk_item_page page = list("p", FK_BYTES_NULL, limit);
        assert_int_equal(page.count, limit < 12 ? limit : 12);
        assert_true(limit > 12 ? !page.more : page.more || limit == 12);
    }
    fk_assert_text(list("p", fk_bytes_text("n05"), 2).items[0].key.name, "n06");
    fk_assert_text(list("p", fk_bytes_text("n05x"), 2).items[0].key.name, "n06"); /* it need not be there */
    fk_assert_text(list("p", fk_bytes_text("a"), 2).items[0].key.name, "n00");
    struct fk_item_page page = list("p", fk_bytes_text("n11"), 2);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
}

static void pages_are_cut_by_size_too(void **state)
{
    (void)state;
    static uint8_t bytes[300 * 1024];
    char name[32];
    for (int i = 0; i < 8; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        struct fk_write write = {FK_WRITE_PUT, key_of("p", name), 0, fk_bytes_of(bytes, sizeof bytes), 0};
        assert_int_equal(write_one(write), FK_OK);
    }
    struct fk_item_page page = list("p", FK_BYTES_NULL, 100);
    assert_true(page.more);
    assert_true(page.count >= 1);
    assert_true((page.count - 1) * sizeof bytes <= FK_TABLE_PAGE_SIZE_MAX);
    assert_int_equal(count_by("p", 100), 8);
    assert_int_equal(count_by("p", 2), 8);
}

/* --- limits --- */

static uint8_t large[FK_TABLE_ITEM_SIZE_MAX + 1];

/* A put of an item with this size. */
static struct fk_write put_of_size(const char *name, size_t size)
{
    struct fk_write write = put("p", name, FK_STAMP_ANY, "");
    write.value = fk_bytes_of(large, size - fk_item_size(&write.key, FK_BYTES_NULL));
    return write;
}

static void items_have_a_largest_size(void **state)
{
    (void)state;
    if (driver->emulator == FK_EMULATOR_MOTO) {
        FK_TEST_SKIP("moto counts an item's base64");
    }
    struct fk_write write = put_of_size("a", FK_TABLE_ITEM_SIZE_MAX);
    assert_int_equal(write_one(write), FK_OK);
    assert_int_equal(get("p", "a").value.size, write.value.size);
    write = put_of_size("a", FK_TABLE_ITEM_SIZE_MAX + 1);
    assert_int_equal(write_one(write), FK_ERR_TOO_LARGE);
    write.expected = 0; /* and that is known before conditions are looked at */
    assert_int_equal(write_one(write), FK_ERR_TOO_LARGE);
    struct fk_write two[] = {put("p", "b", 0, "small"), put_of_size("c", FK_TABLE_ITEM_SIZE_MAX + 1)};
    assert_int_equal(fk_table_write(table, two, 2), FK_ERR_TOO_LARGE);
    assert_int_equal(get("p", "b").stamp, 0);
    assert_int_equal(get("p", "a").value.size, write.value.size - 1);
}

static void writes_have_a_largest_size(void **state)
{
    (void)state;
    enum {
        EACH = 256 * 1024,
        COUNT = FK_TABLE_WRITE_SIZE_MAX / EACH,
    };
    static char names[COUNT][32];
    struct fk_write writes[COUNT];
    if (driver->emulator == FK_EMULATOR_MINISTACK) {
        FK_TEST_SKIP("MiniStack counts a transaction's base64");
    }
    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%zu", i);
        writes[i] = put_of_size(names[i], EACH);
    }
    writes[COUNT - 1].value.size++;
    assert_int_equal(fk_table_write(table, writes, COUNT), FK_ERR_TOO_LARGE);
    assert_int_equal(count_by("p", 100), 0);
    writes[COUNT - 1].value.size--;
    assert_int_equal(fk_table_write(table, writes, COUNT), FK_OK);
    assert_int_equal(count_by("p", 100), COUNT);
}

static void writes_have_a_largest_count(void **state)
{
    (void)state;
    static char names[FK_TABLE_WRITE_MAX + 1][32];
    struct fk_write writes[FK_TABLE_WRITE_MAX + 1];
    for (size_t i = 0; i <= FK_TABLE_WRITE_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%zu", (i * 61) % (FK_TABLE_WRITE_MAX + 1));
        writes[i] = put(i % 2 == 0 ? "even" : "odd", names[i], 0, names[i]);
    }
    assert_int_equal(fk_table_write(table, writes, FK_TABLE_WRITE_MAX + 1), FK_ERR_TOO_LARGE);
    assert_int_equal(count_by("even", 1000) + count_by("odd", 1000), 0);
    assert_int_equal(fk_table_write(table, writes, FK_TABLE_WRITE_MAX), FK_OK);
    assert_int_equal(count_by("even", 1000), FK_TABLE_WRITE_MAX / 2);
    assert_int_equal(count_by("odd", 1000), FK_TABLE_WRITE_MAX / 2);
    writes[FK_TABLE_WRITE_MAX - 1].expected = FK_STAMP_ANY;
    assert_int_equal(fk_table_write(table, writes, FK_TABLE_WRITE_MAX), FK_ERR_REFUSED);
}

/* --- random writes, compared with a list of what should be there --- */

enum {
    MODEL_PARTITIONS = 3,
    MODEL_NAMES = 12,
    MODEL_KEYS = MODEL_PARTITIONS * MODEL_NAMES,
};

struct model_item {
    bool there;
    int value;
    int64_t stamp;     /* now */
    int64_t old_stamp; /* before; never again */
    char partition[32];
    char name[32];
};

static struct model_item model[MODEL_KEYS];

static void assert_same_as_model(void)
{
    char value[32];
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        struct fk_item item = get(model[i].partition, model[i].name);
        assert_int_equal(item.stamp != 0, model[i].there);
        assert_int_equal(item.stamp, model[i].stamp);
        (void)snprintf(value, sizeof value, "%d", model[i].value);
        fk_assert_bytes(item.value, model[i].there ? fk_bytes_text(value) : FK_BYTES_NULL);
    }
    for (size_t p = 0; p < MODEL_PARTITIONS; p++) {
        size_t expected = 0;
        for (size_t i = 0; i < MODEL_NAMES; i++) {
            expected += model[p * MODEL_NAMES + i].there ? 1 : 0;
        }
        assert_int_equal(count_by(model[p * MODEL_NAMES].partition, 5), expected);
    }
    fk_arena_reset(&arena);
}

/* Writes that were accepted, into the model; the stamps are the table's to choose. */
static void apply_to_model(const struct fk_write *writes, const size_t *indexes, size_t count, int value)
{
    for (size_t i = 0; i < count; i++) {
        struct model_item *item = &model[indexes[i]];
        if (writes[i].kind == FK_WRITE_CHECK) {
            continue;
        }
        bool is_put = writes[i].kind == FK_WRITE_PUT;
        int64_t stamp = get(item->partition, item->name).stamp;
        assert_true(!is_put || (stamp != item->stamp && stamp != item->old_stamp));
        item->old_stamp = item->stamp == 0 ? item->old_stamp : item->stamp;
        item->there = is_put;
        item->value = value;
        item->stamp = is_put ? stamp : 0;
    }
}

static void random_write(struct fk_prng *prng, int value)
{
    static const enum fk_write_kind kinds[] = {FK_WRITE_PUT, FK_WRITE_PUT, FK_WRITE_DELETE, FK_WRITE_CHECK};
    struct fk_write writes[8];
    size_t indexes[8];
    char text[32];
    size_t count = 1 + (size_t)fk_prng_below(prng, 8);
    size_t first = (size_t)fk_prng_below(prng, MODEL_KEYS);
    bool holds = true;
    (void)snprintf(text, sizeof text, "%d", value);
    for (size_t i = 0; i < count; i++) {
        indexes[i] = (first + i * 5) % MODEL_KEYS; /* 8 different ones */
        const struct model_item *item = &model[indexes[i]];
        writes[i] = without_value(kinds[fk_prng_below(prng, 4)], item->partition, item->name, item->stamp);
        if (fk_prng_chance(prng, 20)) {
            writes[i].expected = FK_STAMP_ANY;
        } else if (fk_prng_chance(prng, 5)) {
            writes[i].expected = item->old_stamp;
            holds = holds && item->old_stamp == item->stamp;
        }
        writes[i].value = writes[i].kind == FK_WRITE_PUT ? fk_bytes_text(text) : FK_BYTES_NULL;
    }
    assert_int_equal(fk_table_write(table, writes, count), holds ? FK_OK : FK_ERR_REFUSED);
    if (holds) {
        apply_to_model(writes, indexes, count, value);
    }
}

static void random_writes_do_what_they_should(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        model[i] = (struct model_item){.there = false};
        (void)snprintf(model[i].partition, sizeof model[i].partition, "p%zu", i / MODEL_NAMES);
        (void)snprintf(model[i].name, sizeof model[i].name, "n%zu", i % MODEL_NAMES);
    }
    int steps = driver->in_process ? 3000 : 200;
    for (int step = 0; step < steps; step++) {
        random_write(&prng, step);
        if (step % 10 == 0) {
            assert_same_as_model();
        }
    }
    assert_same_as_model();
}

/* --- without memory --- */

static void without_memory_nothing_is_applied(void **state)
{
    (void)state;
    if (!driver->in_process) {
        FK_TEST_SKIP("its memory is elsewhere");
    }
    int64_t kept = put_now("p", "kept", "1");
    int64_t gone = put_now("p", "gone", "2");
    struct fk_write writes[] = {
        put("p", "new", 0, "new"),     without_value(FK_WRITE_DELETE, "p", "gone", gone),
        put("q", "first", 0, "other"), put("q", "second", 0, "other"),
        put("p", "kept", kept, "3"),
    };
    enum fk_err err = FK_ERR_NOMEM;
    for (uint64_t nth = 1; err != FK_OK; nth++) {
        fk_test_fail_alloc(nth);
        err = fk_table_write(table, writes, 5);
        fk_test_fail_alloc(0);
        assert_true(err == FK_OK || err == FK_ERR_NOMEM);
        assert_true(nth > 1 || err == FK_ERR_NOMEM);
        assert_int_equal(get("p", "new").stamp != 0, err == FK_OK);
        assert_int_equal(get("p", "gone").stamp == 0, err == FK_OK);
        assert_int_equal(get("p", "kept").stamp != kept, err == FK_OK);
        assert_int_equal(count_by("q", 10), err == FK_OK ? 2 : 0);
    }
}

static void without_memory_nothing_is_read(void **state)
{
    (void)state;
    struct fk_key key = key_of("p", "a");
    struct fk_item item;
    struct fk_item_page page;
    (void)put_now("p", "a", "one");
    fk_arena_deinit(&arena);
    fk_test_fail_all(true);
    assert_int_equal(fk_table_get(table, &key, &arena, &item), FK_ERR_NOMEM);
    assert_int_equal(fk_table_list(table, key.partition, FK_BYTES_NULL, 10, &arena, &page), FK_ERR_NOMEM);
    fk_test_fail_all(false);
    fk_assert_text(get("p", "a").value, "one");
}

/* --- what a driver in this process does with a caller that has a bug --- */

static void write_a_key_twice(void)
{
    struct fk_write writes[] = {put("p", "a", 0, "1"), put("p", "b", 0, "1"),
                                without_value(FK_WRITE_CHECK, "p", "a", FK_STAMP_ANY)};
    (void)fk_table_write(table, writes, 3);
}

static void get_a_key_twice(void)
{
    struct fk_key keys[] = {key_of("p", "a"), key_of("p", "a")};
    struct fk_item items[2];
    (void)fk_table_get_many(table, keys, 2, &arena, items);
}

static void write_a_null(void)
{
    struct fk_write write = without_value(FK_WRITE_PUT, "p", "a", 0);
    (void)fk_table_write(table, &write, 1);
}

static void write_without_a_name(void)
{
    struct fk_write write = put("p", "", 0, "1");
    (void)fk_table_write(table, &write, 1);
}

/* True where a child process that does it aborts. */
static bool aborts(void (*act)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        act();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void bugs_of_callers_do_not_pass(void **state)
{
    (void)state;
    assert_true(aborts(write_a_key_twice));
    assert_true(aborts(get_a_key_twice));
    assert_true(aborts(write_a_null));
    assert_true(aborts(write_without_a_name));
}

/* --- what the simulation sees of the table in memory --- */

struct observed {
    size_t calls;
    size_t count;
    int64_t first_stamp;
    struct fk_bytes second_name;
};

static void on_write(void *context, const struct fk_write *writes, size_t count, int64_t first_stamp)
{
    struct observed *observed = (struct observed *)context;
    observed->calls++;
    observed->count = count;
    observed->first_stamp = first_stamp;
    observed->second_name = writes[1].key.name;
    assert_int_equal(get("p", "b").stamp, first_stamp + 1); /* it is applied by then */
}

static void accepted_writes_are_observed(void **state)
{
    (void)state;
    struct observed observed = {.calls = 0};
    struct fk_write writes[] = {put("p", "a", 0, "1"), put("p", "b", 0, "2")};
    fk_memory_table_observe(table, on_write, &observed);
    assert_int_equal(fk_table_write(table, writes, 2), FK_OK);
    assert_int_equal(fk_table_write(table, writes, 2), FK_ERR_REFUSED);
    assert_int_equal(observed.calls, 1);
    assert_int_equal(observed.count, 2);
    fk_assert_text(observed.second_name, "b");
    assert_int_equal(get("p", "a").stamp, observed.first_stamp);
    fk_memory_table_observe(table, NULL, NULL);
    (void)put_now("p", "a", "2");
    assert_int_equal(observed.calls, 1);
}

static void all_items_are_dumped_in_order(void **state)
{
    (void)state;
    static const char *const keys[][2] = {{"a", "1"}, {"a", "2"}, {"aa", "0"}, {"b", "1"}, {"c", "3"}};
    static const size_t order[] = {3, 1, 4, 0, 2};
    struct fk_item *items = NULL;
    size_t count = 7;
    size_t size = 0;
    assert_int_equal(fk_memory_table_dump(table, &arena, &items, &count), FK_OK);
    assert_int_equal(count, 0);
    assert_int_equal(fk_memory_table_size(table), 0);
    for (size_t i = 0; i < 5; i++) {
        (void)put_now(keys[order[i]][0], keys[order[i]][1], "before");
        (void)put_now(keys[order[i]][0], keys[order[i]][1], "value");
    }
    (void)put_now("c", "4", "deleted");
    assert_int_equal(write_one(without_value(FK_WRITE_DELETE, "c", "4", FK_STAMP_ANY)), FK_OK);
    assert_int_equal(fk_memory_table_dump(table, &arena, &items, &count), FK_OK);
    assert_int_equal(count, 5);
    for (size_t i = 0; i < 5; i++) {
        fk_assert_text(items[i].key.partition, keys[i][0]);
        fk_assert_text(items[i].key.name, keys[i][1]);
        fk_assert_text(items[i].value, "value");
        assert_int_equal(items[i].stamp, get(keys[i][0], keys[i][1]).stamp);
        size += fk_item_size(&items[i].key, items[i].value);
    }
    assert_int_equal(fk_memory_table_count(table), 5);
    assert_int_equal(fk_memory_table_size(table), size);
}

static void empty_partitions_leave_nothing_behind(void **state)
{
    (void)state;
    char name[32];
    (void)put_now("p", "a", "1");
    size_t blocks = fk_test_blocks();
    for (int i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof name, "session %d", i);
        (void)put_now(name, "a", "1");
        assert_int_equal(write_one(without_value(FK_WRITE_DELETE, name, "a", FK_STAMP_ANY)), FK_OK);
    }
    assert_int_equal(fk_test_blocks(), blocks);
}

static void replacing_an_item_takes_one_block(void **state)
{
    (void)state;
    (void)put_now("p", "a", "1");
    (void)put_now("p", "a", "2"); /* from now on the partition has room */
    for (int i = 0; i < 100; i++) {
        fk_test_fail_alloc(2);
        assert_int_equal(write_one(put("p", "a", FK_STAMP_ANY, "3")), FK_OK);
        fk_test_fail_alloc(0);
    }
}

#define ON_MEMORY(function)                                                                                            \
    {                                                                                                                  \
#        function " [memory]", function, setup, teardown, &memory_driver                                               \
    }
#define ON(function, driver)                                                                                           \
    {                                                                                                                  \
#        function " [" #        driver "]", function, setup, teardown, &driver##_driver                                \
    }
#define ON_EACH(function) ON_MEMORY(function), ON(function, ministack), ON(function, moto)

static const struct CMUnitTest tests[] = {
    ON_EACH(what_is_not_there_has_no_stamp_and_no_value),
    ON_EACH(each_put_gives_a_stamp_that_never_was),
    ON_EACH(a_put_may_bring_its_stamp),
    ON_EACH(keys_are_two_parts_and_any_bytes),
    ON_EACH(keys_may_be_long),
    ON_EACH(everything_is_borrowed_for_the_call_only),
    ON_EACH(one_call_reads_many_items),
    ON_EACH(conditions_are_on_the_stamp),
    ON_EACH(all_writes_are_applied_or_none),
    ON_EACH(a_partition_may_lose_its_last_item_and_get_a_new_one),
    ON_EACH(names_come_in_the_order_of_their_bytes),
    ON_EACH(pages_have_a_limit_and_go_on_where_the_last_one_ended),
    ON_EACH(pages_are_cut_by_size_too),
    ON_EACH(items_have_a_largest_size),
    ON_EACH(writes_have_a_largest_size),
    ON_EACH(writes_have_a_largest_count),
    ON_EACH(random_writes_do_what_they_should),
    ON_EACH(without_memory_nothing_is_applied),
    ON_EACH(without_memory_nothing_is_read),
    ON_EACH(bugs_of_callers_do_not_pass),
    ON_MEMORY(accepted_writes_are_observed),
    ON_MEMORY(all_items_are_dumped_in_order),
    ON_MEMORY(empty_partitions_leave_nothing_behind),
    ON_MEMORY(replacing_an_item_takes_one_block),
};

FK_CLOUD_TEST_MAIN(tests)
