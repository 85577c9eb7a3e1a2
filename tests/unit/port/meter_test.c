// SPDX-License-Identifier: Apache-2.0
/* The meters count as AWS's pages say that it bills. */
#include "port/meter.h"

#include "base/container.h"
#include "driver/memory/blob.h"
#include "driver/memory/channel.h"
#include "driver/memory/clock.h"
#include "driver/memory/queue.h"
#include "driver/memory/table.h"
#include "support/test.h"

static struct fk_arena arena;
static struct fk_meter meter;
static struct fk_table *inner;
static struct fk_table *table;
static struct fk_buf filler;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    arena = FK_ARENA_EMPTY;
    filler = FK_BUF_EMPTY;
    for (int i = 0; i < 300 * 1024; i++) {
        fk_buf_append(&filler, FK_BYTES_LITERAL("x"));
    }
    fk_meter_init(&meter);
    inner = fk_memory_table_new();
    table = fk_meter_table_new(&meter, inner, true);
    assert_non_null(table);
    return result;
}

static int teardown(void **state)
{
    fk_table_free(table);
    fk_table_free(inner);
    fk_arena_deinit(&arena);
    fk_buf_deinit(&filler);
    return fk_test_end(state);
}

enum {
    FIXED = 4 + 11 + 2, /* attributes, stamp, the key below */
};

static struct fk_key key_of(const char *name)
{
    return (struct fk_key){FK_BYTES_LITERAL("k"), fk_bytes_text(name)};
}

/* A put of an item of `size` bytes in all. */
static struct fk_write put(const char *name, size_t size)
{
    return (struct fk_write){.kind = FK_WRITE_PUT,
                             .key = key_of(name),
                             .expected = FK_STAMP_ANY,
                             .value = fk_bytes_head(fk_buf_view(&filler), size - FIXED)};
}

static struct fk_write remove_of(const char *name)
{
    return (struct fk_write){.kind = FK_WRITE_DELETE, .key = key_of(name), .expected = FK_STAMP_ANY};
}

/* Units of a call. */
static int64_t written(const struct fk_write *writes, size_t count, enum fk_err expected)
{
    struct fk_units before = meter.all;
    assert_int_equal(fk_table_write(table, writes, count), expected);
    return fk_units_between(&before, &meter.all).write_units;
}

static int64_t written_one(struct fk_write write)
{
    return written(&write, 1, FK_OK);
}

static void a_write_is_a_unit_for_each_kilobyte_begun(void **state)
{
    (void)state;
    assert_int_equal(written_one(put("a", FIXED + 1)), 1);
    assert_int_equal(written_one(put("a", 1024)), 1);
    assert_int_equal(written_one(put("a", 1025)), 2);
    assert_int_equal(written_one(put("a", 2048)), 2);
    assert_int_equal(meter.all.table_writes, 4);
    assert_int_equal(meter.all.written_bytes, FIXED + 1 + 1024 + 1025 + 2048);
    assert_int_equal(meter.all.table_transactions, 0);
}

static void the_larger_of_before_and_after_counts(void **state)
{
    (void)state;
    (void)written_one(put("a", 5000));
    assert_int_equal(written_one(put("a", 100)), 5);
    assert_int_equal(written_one(put("a", 100)), 1);
    (void)written_one(put("a", 3000));
    assert_int_equal(written_one(remove_of("a")), 3);
    assert_int_equal(written_one(remove_of("a")), 1); /* there is none */
}

static struct fk_write check_of(const char *name, int64_t expected)
{
    return (struct fk_write){.kind = FK_WRITE_CHECK, .key = key_of(name), .expected = expected};
}

static int64_t stamp_of(const char *name)
{
    struct fk_item item;
    const struct fk_key key = key_of(name);
    assert_int_equal(fk_table_get(inner, &key, &arena, &item), FK_OK);
    return item.stamp;
}

static void a_transaction_counts_twice_and_checks_count(void **state)
{
    (void)state;
    (void)written_one(put("a", 1500));
    struct fk_write writes[] = {put("b", 1024), check_of("a", stamp_of("a")), remove_of("c")};
    assert_int_equal(written(writes, 3, FK_OK), 2 * (1 + 2 + 1));
    assert_int_equal(meter.all.table_transactions, 1);
}

/* As the driver of DynamoDB does it. */
static void a_check_alone_is_a_read_and_one_of_any_stamp_is_nothing(void **state)
{
    (void)state;
    struct fk_write write = put("a", 5000);
    assert_int_equal(fk_table_write(inner, &write, 1), FK_OK);
    struct fk_write check = check_of("a", 0);
    assert_int_equal(fk_table_write(table, &check, 1), FK_ERR_REFUSED);
    assert_int_equal(meter.all.read_units, 2);
    assert_int_equal(meter.all.table_gets, 1);
    assert_int_equal(meter.all.write_units, 0);
    check = check_of("a", FK_STAMP_ANY);
    assert_int_equal(fk_table_write(table, &check, 1), FK_OK);
    assert_int_equal(meter.all.table_gets, 1);
    const struct fk_write both[] = {check, put("b", 100)};
    assert_int_equal(fk_table_write(table, both, 2), FK_OK);
    assert_int_equal(meter.all.table_writes, 1); /* no transaction */
    assert_int_equal(meter.all.table_transactions, 0);
    assert_int_equal(meter.all.write_units, 1);
}

static void a_failed_condition_is_billed(void **state)
{
    (void)state;
    (void)written_one(put("a", 3000));
    struct fk_write writes[] = {put("a", 100), put("b", 100)};
    writes[0].expected = 0;
    assert_int_equal(written(writes, 1, FK_ERR_REFUSED), 3);
    assert_int_equal(written(writes, 2, FK_ERR_REFUSED), 2 * (3 + 1));
    assert_int_equal(meter.all.table_refused, 2);
    assert_int_equal(meter.all.written_bytes, 3000);
}

static void without_a_look_before_an_item_counts_as_it_is_after(void **state)
{
    (void)state;
    struct fk_table *cheap = fk_meter_table_new(&meter, inner, false);
    struct fk_write writes[] = {put("a", 5000), put("a", 100), remove_of("a")};
    static const int64_t units[] = {5, 1, 1};
    for (size_t i = 0; i < 3; i++) {
        struct fk_units before = meter.all;
        assert_int_equal(fk_table_write(cheap, &writes[i], 1), FK_OK);
        assert_int_equal(fk_units_between(&before, &meter.all).write_units, units[i]);
    }
    fk_table_free(cheap);
}

static int64_t read_units(const char *const *names, size_t count)
{
    struct fk_key keys[4];
    struct fk_item items[4];
    struct fk_units before = meter.all;
    for (size_t i = 0; i < count; i++) {
        keys[i] = key_of(names[i]);
    }
    assert_int_equal(fk_table_get_many(table, keys, count, &arena, items), FK_OK);
    return fk_units_between(&before, &meter.all).read_units;
}

static void a_read_is_a_unit_for_each_four_kilobytes_of_each_item(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c", "none"};
    (void)written_one(put("a", 4096));
    (void)written_one(put("b", 4097));
    (void)written_one(put("c", 100));
    assert_int_equal(read_units(names, 1), 1);
    assert_int_equal(read_units(names + 1, 1), 2);
    assert_int_equal(read_units(names + 3, 1), 1);
    assert_int_equal(read_units(names, 4), 1 + 2 + 1 + 1);
    assert_int_equal(meter.all.table_gets, 4);
    assert_int_equal(meter.all.read_bytes, 4096 + 4097 + 4096 + 4097 + 100);
}

static int64_t list_units(const char *partition, size_t limit)
{
    struct fk_item_page page;
    struct fk_units before = meter.all;
    assert_int_equal(fk_table_list(table, fk_bytes_text(partition), FK_BYTES_NULL, limit, &arena, &page), FK_OK);
    return fk_units_between(&before, &meter.all).read_units;
}

static void a_listing_is_a_unit_for_each_four_kilobytes_of_the_sum(void **state)
{
    (void)state;
    (void)written_one(put("a", 2000));
    (void)written_one(put("b", 2000));
    (void)written_one(put("c", 2000));
    assert_int_equal(list_units("k", 10), 2); /* 6 000 bytes */
    assert_int_equal(list_units("k", 2), 1);
    assert_int_equal(list_units("other", 10), 1);
    assert_int_equal(meter.all.table_lists, 3);
}

/* A table whose calls all have the same outcome. */
struct broken_table {
    struct fk_table base;
    enum fk_err err;
};

static enum fk_err broken_get(struct fk_table *base, const struct fk_key *keys, size_t count, struct fk_arena *memory,
                              struct fk_item *items)
{
    (void)keys;
    (void)count;
    (void)memory;
    (void)items;
    return FK_CONTAINER_OF(base, struct broken_table, base)->err;
}

static enum fk_err broken_list(struct fk_table *base, struct fk_bytes partition, struct fk_bytes after, size_t limit,
                               struct fk_arena *memory, struct fk_item_page *page)
{
    (void)partition;
    (void)after;
    (void)limit;
    (void)memory;
    (void)page;
    return FK_CONTAINER_OF(base, struct broken_table, base)->err;
}

static enum fk_err broken_write(struct fk_table *base, const struct fk_write *writes, size_t count)
{
    (void)writes;
    (void)count;
    return FK_CONTAINER_OF(base, struct broken_table, base)->err;
}

static const struct fk_table_ops broken_ops = {.get_many = broken_get, .list = broken_list, .write = broken_write};

static void throttled_calls_are_requests_and_unknown_ones_are_done(void **state)
{
    (void)state;
    struct broken_table broken = {.base = {.ops = &broken_ops}, .err = FK_ERR_BUSY};
    struct fk_table *over = fk_meter_table_new(&meter, &broken.base, false);
    struct fk_key keys[2] = {key_of("a"), key_of("b")};
    struct fk_item items[2];
    struct fk_item_page page;
    struct fk_write writes[2] = {put("a", 1024), put("b", 1025)};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fk_table_get_many(over, keys, 2, &arena, items), broken.err);
        assert_int_equal(fk_table_list(over, keys[0].partition, FK_BYTES_NULL, 1, &arena, &page), broken.err);
        assert_int_equal(fk_table_write(over, writes, 2), broken.err);
        assert_int_equal(meter.all.table_failed, 3 * (i + 1));
        assert_int_equal(meter.all.read_units, i == 0 ? 0 : 2 + 1);
        assert_int_equal(meter.all.write_units, i == 0 ? 0 : 2 * (1 + 2));
        broken.err = FK_ERR_UNKNOWN;
    }
    assert_int_equal(meter.all.table_gets, 2);
    assert_int_equal(meter.all.table_lists, 2);
    assert_int_equal(meter.all.table_transactions, 2);
    fk_table_free(over);
}

static void messages_are_counted_as_text(void **state)
{
    (void)state;
    struct fk_memory_clock clock;
    fk_memory_clock_init(&clock, 1000);
    struct fk_queue *messages = fk_memory_queue_new(&clock.base);
    struct fk_channel *mail = fk_memory_channel_new();
    struct fk_queue *queue = fk_meter_queue_new(&meter, messages);
    struct fk_channel *channel = fk_meter_channel_new(&meter, mail);
    static const size_t sizes[] = {1, 2, 3, 48 * 1024, 48 * 1024 + 1};
    static const int64_t text[] = {4, 4, 4, 65536, 65540};
    for (size_t i = 0; i < 5; i++) {
        struct fk_units before = meter.all;
        struct fk_bytes message = fk_bytes_head(fk_buf_view(&filler), sizes[i]);
        assert_int_equal(fk_queue_send(queue, 0, (int64_t)i + 1, message), FK_OK);
        assert_int_equal(fk_channel_notify(channel, 7, message, 0), FK_OK);
        struct fk_units used = fk_units_between(&before, &meter.all);
        assert_int_equal(used.queue_bytes, text[i]);
        assert_int_equal(used.channel_bytes, text[i]);
        assert_int_equal(used.queue_requests, i == 4 ? 2 : 1);
        assert_int_equal(used.channel_requests, i == 4 ? 2 : 1);
        assert_int_equal(used.queue_sends, 1);
        assert_int_equal(used.channel_sends, 1);
    }
    assert_int_equal(fk_memory_queue_count(messages), 5);
    fk_queue_free(queue);
    fk_channel_free(channel);
    fk_queue_free(messages);
    fk_channel_free(mail);
}

static void blobs_are_requests_and_bytes(void **state)
{
    (void)state;
    struct fk_blobs *objects = fk_memory_blobs_new();
    struct fk_blobs *blobs = fk_meter_blobs_new(&meter, objects);
    struct fk_blob_page page;
    struct fk_bytes bytes;
    assert_int_equal(fk_blob_put(blobs, FK_BYTES_LITERAL("a"), FK_BYTES_LITERAL("12345")), FK_OK);
    assert_int_equal(fk_blob_get(blobs, FK_BYTES_LITERAL("a"), &arena, &bytes), FK_OK);
    assert_int_equal(fk_blob_get(blobs, FK_BYTES_LITERAL("none"), &arena, &bytes), FK_ERR_NOT_FOUND);
    assert_int_equal(fk_blob_list(blobs, FK_BYTES_NULL, 10, &arena, &page), FK_OK);
    assert_int_equal(fk_blob_remove(blobs, FK_BYTES_LITERAL("a")), FK_OK);
    assert_int_equal(meter.all.blob_puts, 1);
    assert_int_equal(meter.all.blob_put_bytes, 5);
    assert_int_equal(meter.all.blob_gets, 2);
    assert_int_equal(meter.all.blob_get_bytes, 5);
    assert_int_equal(meter.all.blob_lists, 1);
    assert_int_equal(meter.all.blob_removes, 1);
    fk_blobs_free(blobs);
    fk_blobs_free(objects);
}

static void each_label_has_numbers_of_its_own(void **state)
{
    (void)state;
    char copy[] = "set"; /* the same name in another place */
    fk_meter_label(&meter, "get");
    (void)list_units("k", 1);
    fk_meter_label(&meter, "set");
    (void)written_one(put("a", 100));
    fk_meter_label(&meter, NULL);
    (void)written_one(put("a", 100));
    fk_meter_label(&meter, copy);
    (void)written_one(put("a", 2000));
    assert_int_equal(meter.label_count, 2);
    assert_int_equal(fk_meter_units(&meter, "get")->read_units, 1);
    assert_int_equal(fk_meter_units(&meter, "get")->write_units, 0);
    assert_int_equal(fk_meter_units(&meter, "set")->write_units, 3);
    assert_null(fk_meter_units(&meter, "other"));
    assert_int_equal(meter.all.write_units, 4);
}

static void labels_beyond_the_bound_count_in_all(void **state)
{
    (void)state;
    char names[FK_METER_LABELS_MAX + 1][4];
    for (int i = 0; i <= FK_METER_LABELS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "%d", i);
        fk_meter_label(&meter, names[i]);
        (void)list_units("k", 1);
    }
    assert_int_equal(meter.label_count, FK_METER_LABELS_MAX);
    assert_int_equal(meter.all.read_units, FK_METER_LABELS_MAX + 1);
    assert_null(fk_meter_units(&meter, names[FK_METER_LABELS_MAX]));
}

static void sums(void **state)
{
    (void)state;
    struct fk_units sum = {.read_units = 1, .queue_bytes = 2};
    fk_units_add(&sum, &(struct fk_units){.read_units = 3, .blob_removes = 4});
    assert_int_equal(sum.read_units, 4);
    assert_int_equal(sum.queue_bytes, 2);
    assert_int_equal(sum.blob_removes, 4);
}

static void without_memory(void **state)
{
    (void)state;
    fk_test_fail_all(true);
    struct fk_table *no_table = fk_meter_table_new(&meter, inner, true);
    struct fk_queue *no_queue = fk_meter_queue_new(&meter, NULL);
    struct fk_channel *no_channel = fk_meter_channel_new(&meter, NULL);
    struct fk_blobs *no_blobs = fk_meter_blobs_new(&meter, NULL);
    fk_test_fail_all(false);
    assert_null(no_table);
    assert_null(no_queue);
    assert_null(no_channel);
    assert_null(no_blobs);
}

#define METER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const struct CMUnitTest tests[] = {
    METER_TEST(a_write_is_a_unit_for_each_kilobyte_begun),
    METER_TEST(the_larger_of_before_and_after_counts),
    METER_TEST(a_transaction_counts_twice_and_checks_count),
    METER_TEST(a_check_alone_is_a_read_and_one_of_any_stamp_is_nothing),
    METER_TEST(a_failed_condition_is_billed),
    METER_TEST(without_a_look_before_an_item_counts_as_it_is_after),
    METER_TEST(a_read_is_a_unit_for_each_four_kilobytes_of_each_item),
    METER_TEST(a_listing_is_a_unit_for_each_four_kilobytes_of_the_sum),
    METER_TEST(throttled_calls_are_requests_and_unknown_ones_are_done),
    METER_TEST(messages_are_counted_as_text),
    METER_TEST(blobs_are_requests_and_bytes),
    METER_TEST(each_label_has_numbers_of_its_own),
    METER_TEST(labels_beyond_the_bound_count_in_all),
    METER_TEST(sums),
    METER_TEST(without_memory),
};

FK_TEST_MAIN(tests)
