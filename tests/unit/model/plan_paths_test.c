// SPDX-License-Identifier: Apache-2.0
/* The paths that an operation will look up, known from its body alone. */
#include "world.h"

static struct world world;
static struct fk_buf seen; /* paths called back with, each followed by a blank */

static int setup(void **state)
{
    int result = fk_test_begin(state);
    world_init(&world);
    seen = FK_BUF_EMPTY;
    return result;
}

static int teardown(void **state)
{
    fk_buf_deinit(&seen);
    world_deinit(&world);
    return fk_test_end(state);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void remember(void *context, struct fk_bytes path)
{
    assert_ptr_equal(context, &seen);
    fk_buf_append(&seen, path);
    fk_buf_append(&seen, FK_BYTES_LITERAL(" "));
}

static void expect(int32_t op, const char *paths)
{
    fk_buf_clear(&seen);
    fk_plan_paths(op, fk_buf_view(&world.body), remember, &seen);
    fk_buf_append(&seen, FK_BYTES_LITERAL("."));
    struct fk_buf expected = FK_BUF_EMPTY;
    fk_buf_print(&expected, "%s.", paths);
    fk_assert_bytes(fk_buf_view(&seen), fk_buf_view(&expected));
    fk_buf_deinit(&expected);
    fk_buf_clear(&world.body);
}

static void write_create(const char *path, int32_t flags)
{
    fk_write_create_request(
        &world.body, &(struct fk_create_request){
                         .path = fk_bytes_text(path), .data = FK_BYTES_NULL, .acl = FK_ACL_OPEN, .flags = flags});
}

static void creates(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int32_t flags;
        const char *paths;
    } rows[] = {
        {"/a", 0, "/ /a "}, {"/a/b", 1, "/a /a/b "}, {"/a/b", 2, "/a "}, {"/a/b", 3, "/a "}, {"/a/b", 4, "/a /a/b "},
        {"/a/", 2, "/a "}, /* a sequential node with no name but its number */
        {"/a/", 0, "/a "},  {"/", 0, "/ / "},        {"//a", 0, "/ "},   {"a", 0, ""},       {"", 0, ""},
    };
    static const int32_t ops[] = {FK_OP_CREATE, FK_OP_CREATE2, FK_OP_CREATE_CONTAINER};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t o = 0; o < sizeof ops / sizeof ops[0]; o++) {
            write_create(rows[i].path, rows[i].flags);
            expect(ops[o], rows[i].paths);
        }
    }
    write_create("/a/b", 5);
    fk_write_i64(&world.body, 1000);
    expect(FK_OP_CREATE_TTL, "/a /a/b ");
    write_create("/a/b", 6);
    fk_write_i64(&world.body, 1000);
    expect(FK_OP_CREATE_TTL, "/a ");
}

static void other_operations(void **state)
{
    (void)state;
    struct fk_version_request delete = {.path = fk_bytes_text("/a/b"), .version = -1};
    fk_write_version_request(&world.body, &delete);
    expect(FK_OP_DELETE, "/a /a/b ");
    fk_write_version_request(&world.body, &delete);
    expect(FK_OP_CHECK, "/a/b ");
    fk_write_set_data_request(&world.body, &(struct fk_set_data_request){.path = fk_bytes_text("/a/b")});
    expect(FK_OP_SET_DATA, "/a/b ");
    fk_write_set_acl_request(&world.body,
                             &(struct fk_set_acl_request){.path = fk_bytes_text("/a/b"), .acl = FK_ACL_OPEN});
    expect(FK_OP_SET_ACL, "/a/b ");
    fk_write_version_request(&world.body, &delete);
    expect(FK_OP_GET_DATA, "");
    fk_write_version_request(&world.body, &delete);
    expect(FK_OP_CLOSE_SESSION, "");
}

static void a_multi_has_those_of_all_its_operations(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE, "/a/b", 0);
    multi_set(&world, "/c", "data", -1);
    multi_check(&world, "/d", -1);
    multi_delete(&world, "/a/b", -1);
    multi_end(&world);
    expect(FK_OP_MULTI, "/a /a/b /c /d /a /a/b ");
}

static void bodies_that_do_not_parse_give_those_in_front(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE, "/a", 0);
    multi_header(&world, FK_OP_MULTI);
    multi_delete(&world, "/b", -1);
    expect(FK_OP_MULTI, "/ /a ");
    expect(FK_OP_MULTI, "");
    expect(FK_OP_CREATE, "");
    fk_write_bytes(&world.body, fk_bytes_text("/a"));
    expect(FK_OP_DELETE, "");
}

/* Whatever the planner looks up, but for the final paths of sequential creates, is among them. */
static void the_planner_asks_for_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/a", 0), FK_CODE_OK);
    multi_create(&world, FK_OP_CREATE, "/a/b", 0);
    multi_set(&world, "/a", "data", -1);
    multi_check(&world, "/zookeeper", 0);
    multi_delete(&world, "/a/b", -1);
    multi_end(&world);
    struct fk_buf body = FK_BUF_EMPTY;
    fk_buf_append(&body, fk_buf_view(&world.body));
    assert_int_equal(world_do(&world, FK_OP_MULTI), FK_CODE_OK);
    assert_int_equal(world.lookups, 3); /* /a, /a/b, /zookeeper: the rest is in the plan */
    fk_buf_clear(&world.body);
    fk_buf_append(&world.body, fk_buf_view(&body));
    expect(FK_OP_MULTI, "/a /a/b /a /zookeeper /a /a/b ");
    fk_buf_deinit(&body);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(creates),
    WORLD_TEST(other_operations),
    WORLD_TEST(a_multi_has_those_of_all_its_operations),
    WORLD_TEST(bodies_that_do_not_parse_give_those_in_front),
    WORLD_TEST(the_planner_asks_for_nothing_else),
};

FK_TEST_MAIN(tests)
