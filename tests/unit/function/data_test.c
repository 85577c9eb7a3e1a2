// SPDX-License-Identifier: Apache-2.0
/* Where data stands, and what becomes of what nobody names: in both topologies. */
#include "function/data.h"

#include "driver/memory/blob.h"
#include "function/cloud_world.h"
#include "function/sweep.h"
#include "wire/codes.h"

static struct cloud cloud;
static bool pipeline;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, pipeline);
    cloud.options.inline_size_max = 10;
    cloud.options.item_size_max = 100;
    cloud.options.orphan_sweeps = 1;
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void sweep(void)
{
    struct fk_sweep_result result;
    assert_int_equal(fk_sweep_run(&cloud.options, &cloud.ports, &result), FK_OK);
}

static void data_stands_where_its_size_says(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        enum fk_data_place place;
    } rows[] = {{10, FK_DATA_INLINE}, {11, FK_DATA_ITEM}, {100, FK_DATA_ITEM}, {101, FK_DATA_BLOB}};
    static const char *const paths[] = {"/a", "/b", "/c", "/d"};
    for (size_t i = 0; i < 4; i++) {
        struct fk_node_record node;
        struct fk_bytes data;
        cloud_do(&cloud, (int64_t)i + 1, cloud_create_sized(&cloud, paths[i], rows[i].size));
        assert_true(cloud_node(&cloud, paths[i], &node));
        assert_int_equal(node.place, rows[i].place);
        assert_int_equal(node.node.data.size, rows[i].size);
        assert_int_equal(fk_data_read(&cloud.ports, &node, &cloud.arena, &data), FK_OK);
        assert_int_equal(data.size, rows[i].size);
    }
    assert_int_equal(cloud_count(&cloud, "d"), 2);
    assert_int_equal(fk_memory_blobs_count(cloud.ports.blobs), 1);
}

static void what_is_replaced_or_deleted_is_removed(void **state)
{
    (void)state;
    struct fk_node_record node;
    cloud_do(&cloud, 1, cloud_create_sized(&cloud, "/a", 50));
    cloud_do(&cloud, 2, cloud_set(&cloud, "/a", "twenty bytes of data", -1));
    assert_int_equal(cloud_count(&cloud, "d"), 1);
    cloud_do(&cloud, 3, cloud_create(&cloud, "/a/b", "", 0)); /* the parent is put, its data stays */
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.place, FK_DATA_ITEM);
    assert_int_equal(node.node.data.size, 20);
    cloud_do(&cloud, 4, cloud_set(&cloud, "/a", "", -1));
    assert_int_equal(cloud_count(&cloud, "d"), 0);
    cloud_do(&cloud, 5, cloud_create_sized(&cloud, "/c", 200));
    cloud_do(&cloud, 6, cloud_delete(&cloud, "/c"));
    assert_int_equal(fk_memory_blobs_count(cloud.ports.blobs), 0);
}

static void sweeps_leave_what_is_named(void **state)
{
    (void)state;
    cloud_do(&cloud, 1, cloud_create_sized(&cloud, "/a", 50));
    cloud_do(&cloud, 2, cloud_create_sized(&cloud, "/b", 200));
    cloud_do(&cloud, 3, cloud_create(&cloud, "/c", "", 0));
    sweep();
    assert_int_equal(cloud_count(&cloud, "d"), 1);
    assert_int_equal(fk_memory_blobs_count(cloud.ports.blobs), 1);
}

static void leave(const char *name);

/* Each look reads all data: it is a rare one. */
static void one_sweep_of_many_looks_for_orphans(void **state)
{
    (void)state;
    cloud.options.orphan_sweeps = 4;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_do(&cloud, 2, cloud_set(&cloud, "/a", "", -1));
    cloud_do(&cloud, 3, cloud_set(&cloud, "/a", "", -1));
    leave("0000000000000000aaaaaaaaaaaaaaaa/a");
    int sweeps = 0;
    while (cloud_count(&cloud, "d") > 0) {
        sweep();
        sweeps++;
        assert_true(sweeps < 100);
    }
    assert_true(sweeps > 1); /* with the dice of this test */
}

static void leave(const char *name)
{
    struct fk_key key = fk_key_data(fk_bytes_text(name));
    cloud_put(&cloud, &key, FK_BYTES_LITERAL("data"));
    assert_int_equal(fk_blob_put(cloud.ports.blobs, fk_bytes_text(name), FK_BYTES_LITERAL("data")), FK_OK);
}

/* Single hop: a commit on zxid 1 may still come, one on zxid 0 not. Pipeline: the path has shown its change 1. */
static void sweeps_remove_what_nobody_will_name(void **state)
{
    (void)state;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    leave("0000000000000000aaaaaaaaaaaaaaaa/a");
    leave("0000000000000002bbbbbbbbbbbbbbbb/a");
    sweep();
    assert_int_equal(cloud_count(&cloud, "d"), 1);
    assert_int_equal(fk_memory_blobs_count(cloud.ports.blobs), 1);
    cloud_do(&cloud, 2, cloud_set(&cloud, "/a", "", -1));
    cloud_do(&cloud, 3, cloud_set(&cloud, "/a", "", -1));
    sweep();
    assert_int_equal(cloud_count(&cloud, "d"), 0);
    assert_int_equal(fk_memory_blobs_count(cloud.ports.blobs), 0);
}

static void attempts_name_number_and_path(void **state)
{
    (void)state;
    int64_t number = 0;
    struct fk_bytes path;
    struct fk_bytes name = FK_BYTES_LITERAL("000000000000001fffffffffffffffff/a/b");
    assert_true(fk_data_attempt_parse(name, &number, &path));
    assert_int_equal(number, 31);
    fk_assert_text(path, "/a/b");
    assert_false(fk_data_attempt_parse(fk_bytes_head(name, 32), &number, &path));
    assert_false(fk_data_attempt_parse(FK_BYTES_LITERAL("x00000000000001fffffffffffffffff/a"), &number, &path));
}

/* The limits of a deployment. */
static void use_defaults(void)
{
    cloud.options.inline_size_max = fk_cloud_defaults().inline_size_max;
    cloud.options.item_size_max = fk_cloud_defaults().item_size_max;
}

static void set_sized(int64_t number, size_t size)
{
    char *text = (char *)fk_arena_alloc(&cloud.arena, size + 1);
    assert_non_null(text);
    memset(text, 'y', size);
    text[size] = '\0';
    cloud_do(&cloud, number, cloud_set(&cloud, "/a", text, -1));
}

static void expect_place(enum fk_data_place place, size_t size)
{
    struct fk_node_record node;
    struct fk_bytes data;
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.place, place);
    assert_int_equal(fk_data_read(&cloud.ports, &node, &cloud.arena, &data), FK_OK);
    assert_int_equal(data.size, size);
    assert_int_equal(cloud_count(&cloud, "d"), place == FK_DATA_ITEM ? 1 : 0);
    assert_int_equal(fk_memory_blobs_count(cloud.ports.blobs), place == FK_DATA_BLOB ? 1 : 0);
}

/* The own item comes and goes with the limit, and so does the blob. */
static void data_moves_when_its_size_crosses_a_limit(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        enum fk_data_place place;
    } steps[] = {{1024, FK_DATA_INLINE}, {2048, FK_DATA_ITEM},  {1024, FK_DATA_INLINE}, {8193, FK_DATA_BLOB},
                 {1500, FK_DATA_INLINE}, {8192, FK_DATA_ITEM},  {8193, FK_DATA_BLOB},   {8192, FK_DATA_ITEM},
                 {0, FK_DATA_INLINE},    {100000, FK_DATA_BLOB}};
    use_defaults();
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        set_sized((int64_t)i + 2, steps[i].size);
        expect_place(steps[i].place, steps[i].size);
        sweep();
        expect_place(steps[i].place, steps[i].size);
    }
}

/* A record of an older version, whose limit was lower. */
static void data_that_an_older_limit_put_elsewhere_is_read_and_moves_when_it_is_set(void **state)
{
    (void)state;
    use_defaults();
    cloud.options.inline_size_max = 700;
    cloud_do(&cloud, 1, cloud_create_sized(&cloud, "/a", 1000));
    expect_place(FK_DATA_ITEM, 1000);
    use_defaults();
    expect_place(FK_DATA_ITEM, 1000);
    cloud_do(&cloud, 2, cloud_create(&cloud, "/a/b", "", 0)); /* the record is put, its data stays where it is */
    sweep();
    expect_place(FK_DATA_ITEM, 1000);
    set_sized(3, 1000);
    expect_place(FK_DATA_INLINE, 1000);
    cloud.options.inline_size_max = 700; /* and back */
    cloud_do(&cloud, 4, cloud_delete(&cloud, "/a/b"));
    expect_place(FK_DATA_INLINE, 1000);
    set_sized(5, 1000);
    expect_place(FK_DATA_ITEM, 1000);
}

static const struct CMUnitTest tests[] = {
    ROW(data_moves_when_its_size_crosses_a_limit),
    ROW(data_that_an_older_limit_put_elsewhere_is_read_and_moves_when_it_is_set),
    ROW(data_stands_where_its_size_says),
    ROW(what_is_replaced_or_deleted_is_removed),
    ROW(sweeps_leave_what_is_named),
    ROW(sweeps_remove_what_nobody_will_name),
    ROW(one_sweep_of_many_looks_for_orphans),
    ROW(attempts_name_number_and_path),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("single hop", tests, NULL, NULL);
    pipeline = true;
    return failed + cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
