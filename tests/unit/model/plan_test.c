// SPDX-License-Identifier: Apache-2.0
/* The operations of one client against a small tree: results, the order of errors, what is left behind. Sources:
 * PrepRequestProcessor.pRequest2Txn for results, DataTree for records. */
#include "world.h"

#include <stdio.h>

static struct world world;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    world_init(&world);
    return result;
}

static int teardown(void **state)
{
    world_deinit(&world);
    return fk_test_end(state);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct fk_bytes replied_path(void)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
    struct fk_bytes path = fk_read_bytes(&reader);
    assert_false(reader.failed);
    return path;
}

static size_t puts_count(void)
{
    return fk_plan_change(&world.plan).count;
}

/* --- create --- */

static void a_created_node(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/a", 0), FK_CODE_OK);
    fk_assert_text(replied_path(), "/a");
    assert_int_equal(world.reply.size, 4 + 2); /* create answers with the path alone */
    const struct fk_node *node = world_node(&world, "/a");
    fk_assert_text(node->data, "data");
    fk_assert_bytes(node->acl, FK_ACL_OPEN);
    struct fk_stat stat = world_stat(&world, "/a");
    assert_int_equal(stat.czxid, 1);
    assert_int_equal(stat.mzxid, 1);
    assert_int_equal(stat.pzxid, 1);
    assert_int_equal(stat.ctime_ms, 2000);
    assert_int_equal(stat.mtime_ms, 2000);
    assert_int_equal(stat.version, 0);
    assert_int_equal(stat.cversion, 0);
    assert_int_equal(stat.aversion, 0);
    assert_int_equal(stat.ephemeral_owner, 0);
    assert_int_equal(stat.data_length, 4);
    assert_int_equal(stat.num_children, 0);
}

static void create2_answers_with_the_stat(void **state)
{
    (void)state;
    struct fk_stat stat;
    struct fk_create_request request = {
        .path = fk_bytes_text("/a"), .data = FK_BYTES_NULL, .acl = FK_ACL_OPEN, .flags = FK_CREATE_EPHEMERAL};
    fk_write_create_request(&world.body, &request);
    assert_int_equal(world_do(&world, FK_OP_CREATE2), FK_CODE_OK);
    struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
    fk_assert_text(fk_read_bytes(&reader), "/a");
    fk_read_stat(&reader, &stat);
    assert_false(reader.failed);
    assert_int_equal(reader.left, 0);
    assert_int_equal(stat.czxid, 1);
    assert_int_equal(stat.ephemeral_owner, 7);
    assert_int_equal(stat.data_length, 0);
    assert_null(world_node(&world, "/a")->data.data); /* null data is kept apart from empty data */
}

static void the_parent_follows_a_create(void **state)
{
    (void)state;
    assert_int_equal(world_stat(&world, "/").cversion, -1); /* a fresh root */
    assert_int_equal(world_create(&world, "/a", 0), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/a/b", 0), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/a/c", 0), FK_CODE_OK);
    assert_int_equal(world_delete(&world, "/a/b", -1), FK_CODE_OK);
    struct fk_stat stat = world_stat(&world, "/a");
    assert_int_equal(stat.cversion, 3); /* creates and deletes */
    assert_int_equal(stat.num_children, 1);
    assert_int_equal(stat.pzxid, 4);
    assert_int_equal(stat.mzxid, 1);
    assert_int_equal(stat.mtime_ms, 2000);
    assert_int_equal(stat.version, 0);
    assert_int_equal(world_stat(&world, "/").cversion, 0);
    assert_int_equal(world_stat(&world, "/").num_children, 2);
    assert_int_equal(world_stat(&world, "/").pzxid, 1); /* grandchildren do not count */
}

static void flags_of_create(void **state)
{
    (void)state;
    static const struct {
        int32_t flags;
        enum fk_code code;
        const char *path;
        int64_t owner;
    } rows[] = {
        {0, FK_CODE_OK, "/p/n", 0},
        {1, FK_CODE_OK, "/p/n", 7},
        {2, FK_CODE_OK, "/p/n0000000000", 0},
        {3, FK_CODE_OK, "/p/n0000000000", 7},
        {4, FK_CODE_OK, "/p/n", 0}, /* container through op 1: a plain node */
        {5, FK_CODE_UNIMPLEMENTED, NULL, 0},
        {6, FK_CODE_UNIMPLEMENTED, NULL, 0},
        {7, FK_CODE_BAD_ARGUMENTS, NULL, 0},
        {8, FK_CODE_BAD_ARGUMENTS, NULL, 0},
        {-1, FK_CODE_BAD_ARGUMENTS, NULL, 0},
        {INT32_MIN, FK_CODE_BAD_ARGUMENTS, NULL, 0},
        {INT32_MAX, FK_CODE_BAD_ARGUMENTS, NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_node parent = *world_plant(&world, "/p");
        assert_int_equal(world_create(&world, "/p/n", rows[i].flags), rows[i].code);
        if (rows[i].path != NULL) {
            fk_assert_text(replied_path(), rows[i].path);
            assert_int_equal(world_node(&world, rows[i].path)->ephemeral_owner, rows[i].owner);
        } else {
            assert_int_equal(world_node(&world, "/p")->num_children, parent.num_children);
        }
        world_deinit(&world);
        world_init(&world);
    }
}

/* The suffix counts the creates ever done under the parent: deletes do not matter, failed creates do not count. */
static void sequence_numbers(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/p", 0), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/p/plain", 0), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/p/s-", 2), FK_CODE_OK);
    fk_assert_text(replied_path(), "/p/s-0000000001");
    assert_int_equal(world_delete(&world, "/p/plain", -1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/p/s-", 3), FK_CODE_OK);
    fk_assert_text(replied_path(), "/p/s-0000000002");
    assert_int_equal(world_create(&world, "/p/s-0000000002", 0), FK_CODE_NODE_EXISTS);
    assert_int_equal(world_create(&world, "/p/\x01", 2), FK_CODE_BAD_ARGUMENTS);
    assert_int_equal(world_create(&world, "/p/", 2), FK_CODE_OK); /* valid once the suffix is there */
    fk_assert_text(replied_path(), "/p/0000000003");
}

static void sequence_numbers_overflow_into_the_sign(void **state)
{
    (void)state;
    static const struct {
        int32_t created;
        const char *path;
        int32_t after;
    } rows[] = {
        {999999999, "/p/n0999999999", 1000000000},
        {2147483646, "/p/n2147483646", 2147483647},
        {2147483647, "/p/n2147483647", INT32_MIN},
        {INT32_MIN, "/p/n-2147483648", INT32_MIN + 1},
        {-1, "/p/n-000000001", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_plant(&world, "/p")->created_children = rows[i].created;
        assert_int_equal(world_create(&world, "/p/n", 2), FK_CODE_OK);
        fk_assert_text(replied_path(), rows[i].path);
        assert_int_equal(world_node(&world, "/p")->created_children, rows[i].after);
        world_deinit(&world);
        world_init(&world);
    }
}

static void a_sequential_node_that_is_there_already(void **state)
{
    (void)state;
    world_plant(&world, "/p")->created_children = 5;
    (void)world_plant(&world, "/p/n0000000005");
    assert_int_equal(world_create(&world, "/p/n", 2), FK_CODE_NODE_EXISTS);
}

/* A tree in which each check of create can fail. */
static void plant_for_errors(void)
{
    struct fk_buf acl = FK_BUF_EMPTY;
    world_write_acl(&acl, &(struct world_acl){FK_PERM_ALL, "digest", "some:body"}, 1);
    struct fk_bytes closed = fk_arena_copy(&world.memory, fk_buf_view(&acl));
    fk_buf_deinit(&acl);
    (void)world_plant(&world, "/open");
    (void)world_plant(&world, "/open/child");
    world_node(&world, "/open")->num_children = 1;
    world_plant(&world, "/eph")->ephemeral_owner = 9;
    (void)world_plant(&world, "/eph/child");
    world_plant(&world, "/closed")->acl = closed;
    world_plant(&world, "/closed/child")->acl = closed;
    world_plant(&world, "/closed/leaf")->acl = closed;
    world_node(&world, "/closed")->num_children = 2;
    world_plant(&world, "/locked")->acl = closed;
}

/* Each row fails in two checks at least; the code is that of the first. */
static void order_of_errors_of_create(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *scheme;
        int32_t flags;
        enum fk_code code;
    } rows[] = {
        {"no slash", "bad", 99, FK_CODE_BAD_ARGUMENTS},
        {"no slash", "bad", 5, FK_CODE_UNIMPLEMENTED},   /* flags before the path */
        {"/missing/x", "bad", 7, FK_CODE_BAD_ARGUMENTS}, /* flags before the list */
        {"t", "bad", 0, FK_CODE_BAD_ARGUMENTS},          /* path before the list */
        {"", "bad", 0, FK_CODE_BAD_ARGUMENTS},
        {"/missing/x", "bad", 0, FK_CODE_INVALID_ACL}, /* list before the parent */
        {"/missing/..", "world", 0, FK_CODE_NO_NODE},  /* parent before the final path */
        {"a/b", "world", 0, FK_CODE_NO_NODE},
        {"/closed/..", "world", 0, FK_CODE_NO_AUTH},    /* permission before the final path */
        {"/closed/child", "world", 0, FK_CODE_NO_AUTH}, /* permission before exists */
        {"/eph/", "world", 0, FK_CODE_BAD_ARGUMENTS},   /* path before the ephemeral parent */
        {"/open/", "world", 0, FK_CODE_BAD_ARGUMENTS},
        {"/open/\xff", "world", 0, FK_CODE_BAD_ARGUMENTS},
        {"//x", "world", 0, FK_CODE_BAD_ARGUMENTS},
        {"/eph/child", "world", 0, FK_CODE_NODE_EXISTS}, /* exists before the ephemeral parent */
        {"/eph/new", "world", 0, FK_CODE_NO_CHILDREN_FOR_EPHEMERALS},
        {"/eph/new", "world", 3, FK_CODE_NO_CHILDREN_FOR_EPHEMERALS},
        {"/open/child", "world", 0, FK_CODE_NODE_EXISTS},
        {"/", "world", 0, FK_CODE_NODE_EXISTS},
        {"/zookeeper", "world", 0, FK_CODE_NODE_EXISTS},
        {"/open/new", "world", 0, FK_CODE_OK},
    };
    plant_for_errors();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_buf acl = FK_BUF_EMPTY;
        world_write_acl(&acl, &(struct world_acl){31, rows[i].scheme, "anyone"}, 1);
        fk_write_create_request(&world.body, &(struct fk_create_request){.path = fk_bytes_text(rows[i].path),
                                                                         .acl = fk_buf_view(&acl),
                                                                         .flags = rows[i].flags});
        fk_buf_deinit(&acl);
        enum fk_code code = world_do(&world, FK_OP_CREATE);
        if (code != rows[i].code) {
            fail_msg("row %zu, %s: %d, expected %d", i, rows[i].path, code, rows[i].code);
        }
    }
}

static void a_nul_in_the_path_comes_before_the_list_and_the_parent(void **state)
{
    (void)state;
    fk_write_create_request(
        &world.body, &(struct fk_create_request){.path = FK_BYTES_LITERAL("/missing/a\0b"), .acl = FK_BYTES_NULL});
    assert_int_equal(world_do(&world, FK_OP_CREATE), FK_CODE_BAD_ARGUMENTS);
    fk_write_create_request(&world.body, &(struct fk_create_request){.path = FK_BYTES_NULL, .acl = FK_ACL_OPEN});
    assert_int_equal(world_do(&world, FK_OP_CREATE), FK_CODE_MARSHALLING_ERROR); /* a NullPointerException in Java */
    fk_write_create_request(&world.body,
                            &(struct fk_create_request){.path = fk_bytes_text("/a"), .acl = FK_BYTES_NULL});
    assert_int_equal(world_do(&world, FK_OP_CREATE), FK_CODE_INVALID_ACL);
}

static void create_checks_the_parents_list(void **state)
{
    (void)state;
    plant_for_errors();
    assert_int_equal(world_create(&world, "/closed/x", 0), FK_CODE_NO_AUTH);
    world_add_id(&world, "digest", "some:body");
    assert_int_equal(world_create(&world, "/closed/x", 0), FK_CODE_OK);
    world_be(&world, 8);
    assert_int_equal(world_create(&world, "/closed/y", 0), FK_CODE_NO_AUTH);
    world_add_id(&world, "super", "");
    assert_int_equal(world_create(&world, "/closed/y", 0), FK_CODE_OK);
    assert_int_equal(world_set_acl(&world, "/closed", "world", "anyone", FK_PERM_ALL & ~FK_PERM_CREATE, -1),
                     FK_CODE_OK);
    world_be(&world, 8);
    assert_int_equal(world_create(&world, "/closed/z", 0), FK_CODE_NO_AUTH);
}

static void auth_in_the_list_is_the_callers_identity(void **state)
{
    (void)state;
    struct fk_buf expected = FK_BUF_EMPTY;
    assert_int_equal(world_create_acl(&world, "/a", "auth", "", 31), FK_CODE_INVALID_ACL);
    world_add_id(&world, "digest", "u:h");
    assert_int_equal(world_create_acl(&world, "/a", "auth", "", 31), FK_CODE_OK);
    world_write_acl(&expected, &(struct world_acl){31, "digest", "u:h"}, 1);
    fk_assert_bytes(world_node(&world, "/a")->acl, fk_buf_view(&expected));
    fk_buf_deinit(&expected);
}

/* --- delete --- */

static void order_of_errors_of_delete(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int32_t version;
        enum fk_code code;
    } rows[] = {
        {"t", -1, FK_CODE_BAD_ARGUMENTS},
        {"", -1, FK_CODE_BAD_ARGUMENTS},
        {"/", -1, FK_CODE_BAD_ARGUMENTS},
        {"/zookeeper", -1, FK_CODE_BAD_ARGUMENTS},
        {"/zookeeper/quota", -1, FK_CODE_BAD_ARGUMENTS},
        {"/zookeeper/config", 5, FK_CODE_BAD_ARGUMENTS},
        {"/missing/x", 5, FK_CODE_NO_NODE},
        {"/closed/missing", -1, FK_CODE_NO_AUTH}, /* the parent's list before the node */
        {"/closed/child", 5, FK_CODE_NO_AUTH},
        {"/open/missing", 5, FK_CODE_NO_NODE},
        {"/open/", -1, FK_CODE_NO_NODE},   /* a path is not validated here */
        {"/open", 5, FK_CODE_BAD_VERSION}, /* version before children */
        {"/open", -2, FK_CODE_BAD_VERSION},
        {"/open", INT32_MIN, FK_CODE_BAD_VERSION},
        {"/open", 0, FK_CODE_NOT_EMPTY},
        {"/open", -1, FK_CODE_NOT_EMPTY},
        {"/open/child", 0, FK_CODE_OK},
        {"/open", -1, FK_CODE_OK},
        {"/locked", -1, FK_CODE_OK}, /* its own list does not matter */
    };
    plant_for_errors();
    world_node(&world, "/")->num_children = 5;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum fk_code code = world_delete(&world, rows[i].path, rows[i].version);
        if (code != rows[i].code) {
            fail_msg("row %zu, %s: %d, expected %d", i, rows[i].path, code, rows[i].code);
        }
    }
    assert_null(world_find(&world, "/open"));
    fk_write_version_request(&world.body,
                             &(struct fk_version_request){.path = FK_BYTES_LITERAL("/a\0/b"), .version = -1});
    assert_int_equal(world_do(&world, FK_OP_DELETE), FK_CODE_BAD_ARGUMENTS);
}

static void a_delete_has_no_body_and_puts_the_record_as_it_was(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/a", 0), FK_CODE_OK);
    assert_int_equal(world_set(&world, "/a", "x", 0), FK_CODE_OK);
    assert_int_equal(world_delete(&world, "/a", 1), FK_CODE_OK);
    assert_int_equal(fk_buf_left(&world.reply), 0);
    struct fk_change change = fk_plan_change(&world.plan);
    assert_int_equal(change.count, 2);
    assert_int_equal(change.puts[0].kind, FK_PUT_DELETE);
    fk_assert_text(change.puts[0].node.path, "/a");
    fk_assert_text(change.puts[0].node.data, "x");
    assert_int_equal(change.puts[0].node.version, 1);
    assert_int_equal(change.puts[1].kind, FK_PUT_CHILDREN);
    fk_assert_text(change.puts[1].node.path, "/");
    assert_int_equal(change.puts[1].node.pzxid, 3);
    assert_int_equal(change.puts[1].node.num_children, 1);
    assert_int_equal(change.puts[1].node.created_children, 1);
}

/* --- setData, setACL, check --- */

static void set_data_changes_four_fields(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/a", 0), FK_CODE_OK);
    struct fk_node before = *world_node(&world, "/a");
    assert_int_equal(world_set(&world, "/a", NULL, 0), FK_CODE_OK);
    const struct fk_node *after = world_node(&world, "/a");
    assert_null(after->data.data);
    assert_int_equal(after->version, 1);
    assert_int_equal(after->mzxid, 2);
    assert_int_equal(after->mtime_ms, 3000);
    assert_int_equal(after->czxid, before.czxid);
    assert_int_equal(after->ctime_ms, before.ctime_ms);
    assert_int_equal(after->pzxid, before.pzxid);
    assert_int_equal(after->aversion, 0);
    assert_int_equal(world_stat(&world, "/").pzxid, 1);
    assert_int_equal(puts_count(), 1); /* the parent does not hear of it */
    struct fk_stat stat;
    struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
    fk_read_stat(&reader, &stat);
    assert_false(reader.failed);
    assert_int_equal(reader.left, 0);
    assert_int_equal(stat.version, 1);
    assert_int_equal(stat.data_length, 0);
}

static void versions_wrap_and_skip_minus_one(void **state)
{
    (void)state;
    static const struct {
        int32_t before;
        int32_t after;
    } rows[] = {{0, 1}, {INT32_MAX - 1, INT32_MAX}, {INT32_MAX, INT32_MIN}, {INT32_MIN, INT32_MIN + 1}, {-3, -2},
                {-2, 0}};
    (void)world_plant(&world, "/a");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_node(&world, "/a")->version = rows[i].before;
        world_node(&world, "/a")->aversion = rows[i].before;
        assert_int_equal(world_set(&world, "/a", "x", rows[i].before), FK_CODE_OK);
        assert_int_equal(world_node(&world, "/a")->version, rows[i].after);
        assert_int_equal(world_set_acl(&world, "/a", "world", "anyone", 31, rows[i].before), FK_CODE_OK);
        assert_int_equal(world_node(&world, "/a")->aversion, rows[i].after);
    }
}

static void order_of_errors_of_set_data(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int32_t version;
        enum fk_code code;
    } rows[] = {
        {"t", 5, FK_CODE_BAD_ARGUMENTS},
        {"", -1, FK_CODE_BAD_ARGUMENTS},
        {"/missing/", 5, FK_CODE_BAD_ARGUMENTS},
        {"/closed/..", 5, FK_CODE_BAD_ARGUMENTS},
        {"/missing", 5, FK_CODE_NO_NODE},
        {"/locked", 5, FK_CODE_NO_AUTH},
        {"/open", 5, FK_CODE_BAD_VERSION},
        {"/open", -2, FK_CODE_BAD_VERSION},
        {"/open", 0, FK_CODE_OK},
        {"/open", 0, FK_CODE_BAD_VERSION},
        {"/open", -1, FK_CODE_OK},
        {"/", -1, FK_CODE_OK},
        {"/zookeeper", -1, FK_CODE_OK},
        {"/zookeeper/config", -1, FK_CODE_NO_AUTH},
    };
    plant_for_errors();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum fk_code code = world_set(&world, rows[i].path, "x", rows[i].version);
        if (code != rows[i].code) {
            fail_msg("row %zu, %s: %d, expected %d", i, rows[i].path, code, rows[i].code);
        }
    }
}

static void set_data_needs_write(void **state)
{
    (void)state;
    assert_int_equal(world_create_acl(&world, "/a", "world", "anyone", FK_PERM_ALL & ~FK_PERM_WRITE), FK_CODE_OK);
    assert_int_equal(world_set(&world, "/a", "x", -1), FK_CODE_NO_AUTH);
    assert_int_equal(world_create_acl(&world, "/b", "world", "anyone", FK_PERM_WRITE), FK_CODE_OK);
    assert_int_equal(world_set(&world, "/b", "x", -1), FK_CODE_OK);
}

static void set_acl_leaves_mzxid_and_mtime(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/a", 0), FK_CODE_OK);
    struct fk_stat before = world_stat(&world, "/a");
    assert_int_equal(world_set_acl(&world, "/a", "ip", "1.2.3.4", 31, 0), FK_CODE_OK);
    struct fk_stat after = world_stat(&world, "/a");
    assert_int_equal(after.aversion, 1);
    assert_int_equal(after.version, 0);
    assert_int_equal(after.mzxid, before.mzxid);
    assert_int_equal(after.mtime_ms, before.mtime_ms);
    assert_int_equal(after.pzxid, before.pzxid);
    assert_int_equal(puts_count(), 1);
    struct fk_stat stat;
    struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
    fk_read_stat(&reader, &stat);
    assert_int_equal(stat.aversion, 1);
}

static void order_of_errors_of_set_acl(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *scheme;
        int32_t version;
        enum fk_code code;
    } rows[] = {
        {"t", "bad", 5, FK_CODE_BAD_ARGUMENTS},      {"/missing", "bad", 5, FK_CODE_INVALID_ACL},
        {"/missing", "world", 5, FK_CODE_NO_NODE},   {"/locked", "world", 5, FK_CODE_NO_AUTH},
        {"/open", "world", 5, FK_CODE_BAD_VERSION},  {"/open", "auth", 0, FK_CODE_INVALID_ACL},
        {"/open", "world", -2, FK_CODE_BAD_VERSION}, {"/open", "world", 0, FK_CODE_OK},
        {"/open", "world", 0, FK_CODE_BAD_VERSION},  {"/open", "world", -1, FK_CODE_OK},
    };
    plant_for_errors();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum fk_code code = world_set_acl(&world, rows[i].path, rows[i].scheme, "anyone", 31, rows[i].version);
        if (code != rows[i].code) {
            fail_msg("row %zu, %s: %d, expected %d", i, rows[i].path, code, rows[i].code);
        }
    }
}

static void set_acl_needs_admin(void **state)
{
    (void)state;
    assert_int_equal(world_create_acl(&world, "/a", "world", "anyone", FK_PERM_ALL & ~FK_PERM_ADMIN), FK_CODE_OK);
    assert_int_equal(world_set_acl(&world, "/a", "world", "anyone", 31, -1), FK_CODE_NO_AUTH);
    world_add_id(&world, "super", "");
    assert_int_equal(world_set_acl(&world, "/a", "world", "anyone", 31, -1), FK_CODE_OK);
}

/* --- the end of a session --- */

static void closing_removes_the_ephemerals_under_one_zxid(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/p", 0), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/p/e1", 1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/p/e2", 1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/e3", 1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/p/stays", 0), FK_CODE_OK);
    world_close(&world, 7, (const char *const[]){"/p/e1", "/e3", "/p/e2"}, 3, true);
    struct fk_change change = fk_plan_change(&world.plan);
    assert_int_equal(change.count, 6); /* three deletes, each parent once, the session */
    assert_int_equal(change.puts[change.count - 1].kind, FK_PUT_SESSION_END);
    assert_int_equal(change.puts[change.count - 1].session.id, 7);
    assert_null(world_find(&world, "/p/e1"));
    assert_null(world_find(&world, "/p/e2"));
    assert_null(world_find(&world, "/e3"));
    struct fk_stat stat = world_stat(&world, "/p");
    assert_int_equal(stat.pzxid, 6);
    assert_int_equal(stat.num_children, 1);
    assert_int_equal(stat.cversion, 5); /* 3 creates, 2 deletes */
    assert_int_equal(world_stat(&world, "/").pzxid, 6);
}

static void closing_leaves_what_is_not_its_own(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/mine", 1), FK_CODE_OK);
    world_be(&world, 8);
    assert_int_equal(world_create(&world, "/other", 1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/plain", 0), FK_CODE_OK);
    world_close(&world, 7, (const char *const[]){"/gone", "/other", "/plain", "/mine"}, 4, true);
    assert_int_equal(puts_count(), 3);
    assert_non_null(world_find(&world, "/other"));
    assert_non_null(world_find(&world, "/plain"));
    assert_null(world_find(&world, "/mine"));
    world_close(&world, 9, NULL, 0, true);
    assert_int_equal(puts_count(), 1);
}

/* More ephemerals than are searched one by one, under three parents. */
static void closing_with_many_ephemerals_puts_each_parent_once(void **state)
{
    (void)state;
    enum {
        MANY = 60,
    };
    static char names[MANY][16];
    const char *paths[MANY];
    for (size_t i = 0; i < 3; i++) {
        char parent[4];
        (void)snprintf(parent, sizeof parent, "/%zu", i);
        assert_int_equal(world_create(&world, parent, 0), FK_CODE_OK);
    }
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof names[i], "/%zu/e%zu", i % 3, i);
        paths[i] = names[i];
        assert_int_equal(world_create(&world, paths[i], 1), FK_CODE_OK);
    }
    world_close(&world, 7, paths, MANY, true);
    assert_int_equal(puts_count(), MANY + 3 + 1);
    for (size_t i = 0; i < 3; i++) {
        char parent[4];
        (void)snprintf(parent, sizeof parent, "/%zu", i);
        assert_int_equal(world_stat(&world, parent).num_children, 0);
        assert_int_equal(world_stat(&world, parent).cversion, 40);
        assert_int_equal(world_stat(&world, parent).pzxid, world.zxid);
    }
}

static void a_piece_that_is_not_the_last_keeps_the_session(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/e1", 1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/e2", 1), FK_CODE_OK);
    world_close(&world, 7, (const char *const[]){"/e1"}, 1, false);
    struct fk_change change = fk_plan_change(&world.plan);
    assert_int_equal(change.count, 2);
    assert_int_equal(change.puts[0].kind, FK_PUT_DELETE);
    assert_int_equal(change.puts[1].kind, FK_PUT_CHILDREN);
    world_close(&world, 7, (const char *const[]){"/e2"}, 1, true);
    assert_int_equal(puts_count(), 3);
    assert_null(world_find(&world, "/e1"));
    assert_null(world_find(&world, "/e2"));
}

static void a_new_session_is_one_put(void **state)
{
    (void)state;
    struct fk_session session = {.id = 42, .timeout_ms = 4000, .password = {1, 2, 3}};
    fk_plan_begin(&world.plan, 1, 2);
    fk_plan_create_session(&world.plan, &session);
    struct fk_change change = fk_plan_change(&world.plan);
    assert_int_equal(change.count, 1);
    assert_int_equal(change.puts[0].kind, FK_PUT_SESSION);
    assert_memory_equal(&change.puts[0].session, &session, sizeof session);
}

/* --- the plan --- */

static void bodies_that_do_not_parse(void **state)
{
    (void)state;
    static const int32_t ops[] = {FK_OP_CREATE,   FK_OP_CREATE2, FK_OP_DELETE,
                                  FK_OP_SET_DATA, FK_OP_SET_ACL, FK_OP_MULTI};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        assert_true(fk_plan_knows(ops[i]));
        assert_int_equal(world_do(&world, ops[i]), FK_CODE_MARSHALLING_ERROR);
        fk_buf_append(&world.body, FK_BYTES_LITERAL("\x80\x00\x00\x00"));
        assert_int_equal(world_do(&world, ops[i]), FK_CODE_MARSHALLING_ERROR);
    }
    assert_true(fk_plan_knows(FK_OP_RECONFIG));
    assert_false(fk_plan_knows(FK_OP_CHECK));
    assert_false(fk_plan_knows(FK_OP_GET_DATA));
    assert_false(fk_plan_knows(FK_OP_CLOSE_SESSION));
    assert_int_equal(world_do(&world, FK_OP_CHECK), FK_CODE_UNIMPLEMENTED);
}

static enum fk_code reconfig(void)
{
    for (int i = 0; i < 3; i++) {
        fk_write_bytes(&world.body, FK_BYTES_NULL);
    }
    fk_write_i64(&world.body, -1);
    return world_do(&world, FK_OP_RECONFIG);
}

static void one_server_has_no_members_to_change(void **state)
{
    (void)state;
    assert_int_equal(reconfig(), FK_CODE_RECONFIG_DISABLED);
    world.rules.reconfig_enabled = true;
    assert_int_equal(reconfig(), FK_CODE_UNIMPLEMENTED);
    fk_write_i32(&world.body, -1);
    assert_int_equal(world_do(&world, FK_OP_RECONFIG), FK_CODE_MARSHALLING_ERROR);
}

static void nobody_is_refused_where_permissions_are_skipped(void **state)
{
    (void)state;
    assert_int_equal(world_create_acl(&world, "/a", "ip", "10.9.9.9", 31), FK_CODE_OK);
    assert_int_equal(world_set(&world, "/a", "x", -1), FK_CODE_NO_AUTH);
    world.rules.skip_acl = true;
    assert_int_equal(world_set(&world, "/a", "x", -1), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/a/b", 0), FK_CODE_OK);
    assert_int_equal(world_delete(&world, "/a/b", -1), FK_CODE_OK);
    assert_int_equal(world_create_acl(&world, "/c", "nobody", "x", 31), FK_CODE_INVALID_ACL);
}

/* Stores whose keys are made of parent and name would find "/a" for it. */
static void paths_that_are_none_are_not_looked_up(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/a", 0), FK_CODE_OK);
    (void)world_plant(&world, "//a");
    (void)world_plant(&world, "/a/");
    assert_int_equal(world_delete(&world, "//a", -1), FK_CODE_NO_NODE);
    assert_int_equal(world_delete(&world, "/a/", -1), FK_CODE_NO_NODE);
    assert_int_equal(world_create(&world, "/a//b", 0), FK_CODE_NO_NODE);
    assert_non_null(world_find(&world, "/a"));
}

static void trailing_garbage_is_ignored(void **state)
{
    (void)state;
    fk_write_version_request(&world.body, &(struct fk_version_request){.path = fk_bytes_text("/x"), .version = -1});
    fk_buf_append(&world.body, fk_bytes_text("garbage"));
    assert_int_equal(world_do(&world, FK_OP_DELETE), FK_CODE_NO_NODE);
}

static void an_error_of_the_lookup_is_sticky(void **state)
{
    (void)state;
    world.lookup_err = FK_ERR_BUSY;
    (void)world_create(&world, "/a", 0);
    assert_int_equal(world.plan.err, FK_ERR_BUSY);
    world.lookup_err = FK_OK;
    struct fk_bytes path = fk_bytes_text("/zookeeper");
    fk_plan_close_session(&world.plan, 7, &path, 1, true);
    assert_int_equal(world.plan.err, FK_ERR_BUSY);
    assert_int_equal(puts_count(), 0);
}

static void without_memory_the_plan_fails_and_says_so(void **state)
{
    (void)state;
    uint64_t nth = 1;
    bool failed = true;
    while (failed) {
        world_deinit(&world);
        world_init(&world);
        fk_arena_deinit(&world.plan_arena);
        multi_create(&world, FK_OP_CREATE, "/s", 2);
        for (int i = 0; i < 12; i++) {
            multi_set(&world, "/", "x", -1);
        }
        multi_create(&world, FK_OP_CREATE, "/t", 0);
        multi_end(&world);
        (void)fk_buf_reserve(&world.reply, 4096);
        (void)fk_arena_alloc(&world.memory, 4096);
        fk_test_fail_alloc(nth++);
        (void)world_do(&world, FK_OP_MULTI);
        failed = fk_test_alloc_failed();
        fk_test_fail_alloc(0);
        /* A map that can't grow stays right, so that not each failure is an error. */
        assert_true(world.plan.err == FK_OK || world.plan.err == FK_ERR_NOMEM);
        assert_true(failed || world.plan.err == FK_OK);
    }
    assert_true(nth > 2);
    assert_non_null(world_find(&world, "/t"));
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(a_created_node),
    WORLD_TEST(create2_answers_with_the_stat),
    WORLD_TEST(the_parent_follows_a_create),
    WORLD_TEST(flags_of_create),
    WORLD_TEST(sequence_numbers),
    WORLD_TEST(sequence_numbers_overflow_into_the_sign),
    WORLD_TEST(a_sequential_node_that_is_there_already),
    WORLD_TEST(order_of_errors_of_create),
    WORLD_TEST(a_nul_in_the_path_comes_before_the_list_and_the_parent),
    WORLD_TEST(create_checks_the_parents_list),
    WORLD_TEST(auth_in_the_list_is_the_callers_identity),
    WORLD_TEST(order_of_errors_of_delete),
    WORLD_TEST(a_delete_has_no_body_and_puts_the_record_as_it_was),
    WORLD_TEST(set_data_changes_four_fields),
    WORLD_TEST(versions_wrap_and_skip_minus_one),
    WORLD_TEST(order_of_errors_of_set_data),
    WORLD_TEST(set_data_needs_write),
    WORLD_TEST(set_acl_leaves_mzxid_and_mtime),
    WORLD_TEST(order_of_errors_of_set_acl),
    WORLD_TEST(set_acl_needs_admin),
    WORLD_TEST(closing_removes_the_ephemerals_under_one_zxid),
    WORLD_TEST(closing_leaves_what_is_not_its_own),
    WORLD_TEST(closing_with_many_ephemerals_puts_each_parent_once),
    WORLD_TEST(a_piece_that_is_not_the_last_keeps_the_session),
    WORLD_TEST(a_new_session_is_one_put),
    WORLD_TEST(one_server_has_no_members_to_change),
    WORLD_TEST(nobody_is_refused_where_permissions_are_skipped),
    WORLD_TEST(bodies_that_do_not_parse),
    WORLD_TEST(paths_that_are_none_are_not_looked_up),
    WORLD_TEST(trailing_garbage_is_ignored),
    WORLD_TEST(an_error_of_the_lookup_is_sticky),
    WORLD_TEST(without_memory_the_plan_fails_and_says_so),
};

FK_TEST_MAIN(tests)
