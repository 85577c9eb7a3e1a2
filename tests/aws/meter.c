// SPDX-License-Identifier: Apache-2.0
/* One call of the table after the other, under the meter, for tests/aws/run-meter: it waits for a line, makes the next
 * call on the DynamoDB that FK_CLOUD_MINISTACK names, and prints what the meter says of it: "NAME READ WRITE". The
 * items before a write are read, as the meter wants to know them (port/meter.h, `exact`); those reads are not counted.
 */
#include "port/meter.h"
#include "contract/aws_fixture.h"
#include "driver/aws/dynamodb.h"

#include <stdio.h>
#include <string.h>

enum {
    LINE_SIZE = 64,
    DATA_MAX = 100 * 1024,
    PAGE = 10,
};

static struct fk_meter meter;
static struct fk_table *table; /* under the meter */
static uint8_t bytes[DATA_MAX];

static struct fk_key key_of(const char *name)
{
    return (struct fk_key){.partition = FK_BYTES_LITERAL("partition"), .name = fk_bytes_text(name)};
}

static struct fk_write put(const char *name, size_t size, int64_t expected)
{
    return (struct fk_write){
        .kind = FK_WRITE_PUT, .key = key_of(name), .expected = expected, .value = fk_bytes_of(bytes, size)};
}

static struct fk_write other(enum fk_write_kind kind, const char *name, int64_t expected)
{
    return (struct fk_write){.kind = kind, .key = key_of(name), .expected = expected};
}

/* Waits to be told; then the numbers count from zero. */
static bool begin(void)
{
    char line[LINE_SIZE];
    bool told = fgets(line, sizeof line, stdin) != NULL;
    fk_meter_init(&meter);
    return told;
}

static void end(const char *name, enum fk_err err)
{
    (void)printf("%s %lld %lld %s\n", name, (long long)meter.all.read_units, (long long)meter.all.write_units,
                 err == FK_OK ? "ok" : fk_err_text(err));
    (void)fflush(stdout);
}

static void write_one(const char *name, struct fk_write write)
{
    if (begin()) {
        end(name, fk_table_write(table, &write, 1));
    }
}

static void write_two(const char *name, struct fk_write first, struct fk_write second)
{
    const struct fk_write writes[] = {first, second};
    if (begin()) {
        end(name, fk_table_write(table, writes, 2));
    }
}

static void read_some(const char *name, const char *const *names, size_t count)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_key keys[FK_TABLE_GET_MAX];
    struct fk_item items[FK_TABLE_GET_MAX];
    for (size_t i = 0; i < count; i++) {
        keys[i] = key_of(names[i]);
    }
    if (begin()) {
        end(name, fk_table_get_many(table, keys, count, &arena, items));
    }
    fk_arena_deinit(&arena);
}

static void list(const char *name, const char *partition)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_item_page page = {.count = 0};
    if (begin()) {
        end(name, fk_table_list(table, fk_bytes_text(partition), FK_BYTES_NULL, PAGE, &arena, &page));
    }
    fk_arena_deinit(&arena);
}

/* The stamp of an item; 0: it is not there. */
static int64_t stamp_of(struct fk_table *inner, const char *name)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_item item = {.stamp = 0};
    const struct fk_key key = key_of(name);
    enum fk_err err = fk_table_get(inner, &key, &arena, &item);
    fk_arena_deinit(&arena);
    return err == FK_OK ? item.stamp : 0;
}

static void run_writes(void)
{
    write_one("put_small", put("small", 10, 0));
    write_one("put_900", put("kilo", 900, 0));
    write_one("put_1000", put("more", 1000, 0));
    write_one("put_5000", put("five", 5000, 0));
    write_one("put_100000", put("large", 100000, 0));
    write_one("put_less_over_more", put("five", 10, FK_STAMP_ANY));
    write_one("put_more_over_less", put("five", 5000, FK_STAMP_ANY));
    write_one("put_refused", put("five", 10, 0));
    write_one("delete_large", other(FK_WRITE_DELETE, "large", FK_STAMP_ANY));
    write_one("delete_missing", other(FK_WRITE_DELETE, "none", FK_STAMP_ANY));
    write_two("transaction_of_puts", put("a", 10, 0), put("b", 3000, 0));
    write_two("transaction_put_and_delete", put("c", 10, 0), other(FK_WRITE_DELETE, "b", FK_STAMP_ANY));
    write_two("transaction_refused", put("d", 10, 0), put("a", 10, 0));
}

static void run_checks(struct fk_table *inner)
{
    int64_t stamp = stamp_of(inner, "a");
    write_two("transaction_put_and_check", put("e", 10, 0), other(FK_WRITE_CHECK, "a", stamp));
    write_one("check_alone", other(FK_WRITE_CHECK, "a", stamp));
}

static void run_reads(void)
{
    static const char *const small[] = {"small"};
    static const char *const five[] = {"five"};
    static const char *const missing[] = {"missing"};
    static const char *const three[] = {"small", "five", "missing"};
    read_some("get_small", small, 1);
    read_some("get_missing", missing, 1);
    read_some("get_5000", five, 1);
    read_some("get_many", three, 3);
    list("list", "partition");
    list("list_nothing", "nobody");
}

int main(void)
{
    struct fk_aws *aws = fk_cloud_there(FK_EMULATOR_MINISTACK) ? fk_cloud_open(FK_EMULATOR_MINISTACK) : NULL;
    if (aws == NULL || !fk_cloud_create_table()) {
        (void)fputs("meter: no table; FK_CLOUD_MINISTACK names the emulator\n", stderr);
        return 1;
    }
    struct fk_table *inner = fk_dynamodb_table_new(aws, fk_cloud_random(), fk_cloud_name());
    table = inner == NULL ? NULL : fk_meter_table_new(&meter, inner, true);
    if (table == NULL) {
        return 1;
    }
    run_writes();
    run_checks(inner);
    run_reads();
    fk_table_free(table);
    fk_table_free(inner);
    fk_cloud_close();
    return 0;
}
