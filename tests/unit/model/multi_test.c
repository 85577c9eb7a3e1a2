// SPDX-License-Identifier: Apache-2.0
/* multi: one zxid, all or none, later operations see earlier ones; the two forms of the answer. */
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

static struct fk_reader reader;

static enum fk_code run(void)
{
    multi_end(&world);
    enum fk_code code = world_do(&world, FK_OP_MULTI);
    reader = fk_reader_of(fk_buf_view(&world.reply));
    return code;
}

static void expect_header(int32_t op, bool done, int32_t code)
{
    struct fk_multi_header header;
    fk_read_multi_header(&reader, &header);
    assert_false(reader.failed);
    assert_int_equal(header.op, op);
    assert_int_equal(header.done, done);
    assert_int_equal(header.code, code);
}

static void expect_end(void)
{
    expect_header(-1, true, -1);
    assert_int_equal(reader.left, 0);
}

static struct fk_stat expect_stat(void)
{
    struct fk_stat stat;
    fk_read_stat(&reader, &stat);
    assert_false(reader.failed);
    return stat;
}

/* The whole answer of a failed multi. */
static void expect_failure(const int32_t *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        expect_header(FK_OP_ERROR, false, codes[i]);
        assert_int_equal(fk_read_i32(&reader), codes[i]);
    }
    expect_end();
    assert_int_equal(fk_plan_change(&world.plan).count, 0);
}

static void the_form_of_success(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE, "/a", 0);
    multi_create(&world, FK_OP_CREATE2, "/b", 0);
    multi_set(&world, "/a", "longer", 0);
    multi_check(&world, "/a", 1);
    multi_delete(&world, "/b", -1);
    assert_int_equal(run(), FK_CODE_OK);
    expect_header(FK_OP_CREATE, false, 0);
    fk_assert_text(fk_read_bytes(&reader), "/a");
    expect_header(FK_OP_CREATE2, false, 0);
    fk_assert_text(fk_read_bytes(&reader), "/b");
    assert_int_equal(expect_stat().data_length, 4);
    expect_header(FK_OP_SET_DATA, false, 0);
    struct fk_stat stat = expect_stat();
    assert_int_equal(stat.version, 1);
    assert_int_equal(stat.data_length, 6);
    assert_int_equal(stat.mzxid, 1); /* all share one zxid and one time */
    assert_int_equal(stat.czxid, 1);
    assert_int_equal(stat.mtime_ms, stat.ctime_ms);
    expect_header(FK_OP_CHECK, false, 0);
    expect_header(FK_OP_DELETE, false, 0);
    expect_end();
    assert_null(world_find(&world, "/b"));
    assert_int_equal(world_stat(&world, "/").num_children, 2);
    assert_int_equal(world_stat(&world, "/").cversion, 2); /* -1, two creates, one delete */
}

static void an_empty_multi(void **state)
{
    (void)state;
    assert_int_equal(run(), FK_CODE_OK);
    expect_end();
    assert_int_equal(fk_plan_change(&world.plan).count, 0);
    assert_int_equal(fk_plan_change(&world.plan).zxid, 1);
}

static void the_form_of_failure(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE, "/a", 0);
    multi_check(&world, "/a", 9);
    multi_delete(&world, "/a", -1);
    assert_int_equal(run(), FK_CODE_OK);
    expect_failure((const int32_t[]){0, FK_CODE_BAD_VERSION, FK_CODE_RUNTIME_INCONSISTENCY}, 3);
    assert_null(world_find(&world, "/a"));
    assert_int_equal(world_stat(&world, "/").num_children, 1);

    multi_delete(&world, "/missing", -1);
    multi_create(&world, FK_OP_CREATE2, "/a", 0);
    multi_set(&world, "/missing", "x", -1);
    assert_int_equal(run(), FK_CODE_OK);
    expect_failure((const int32_t[]){FK_CODE_NO_NODE, FK_CODE_RUNTIME_INCONSISTENCY, FK_CODE_RUNTIME_INCONSISTENCY}, 3);
}

static void each_operation_can_be_the_one_that_fails(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE, "/", 0);
    assert_int_equal(run(), FK_CODE_OK);
    expect_failure((const int32_t[]){FK_CODE_NODE_EXISTS}, 1);
    multi_create(&world, FK_OP_CREATE2, "a", 0);
    assert_int_equal(run(), FK_CODE_OK);
    expect_failure((const int32_t[]){FK_CODE_BAD_ARGUMENTS}, 1);
    multi_delete(&world, "/zookeeper", -1);
    assert_int_equal(run(), FK_CODE_OK);
    expect_failure((const int32_t[]){FK_CODE_BAD_ARGUMENTS}, 1);
    multi_set(&world, "/zookeeper/config", "x", -1);
    assert_int_equal(run(), FK_CODE_OK);
    expect_failure((const int32_t[]){FK_CODE_NO_AUTH}, 1);
}

/* ZK 3.9: what CreateOptions refuses is found while the multi is read; without an ACL it takes no zxid. */
static void options_that_are_none_make_it_unparsable(void **state)
{
    (void)state;
    static const int32_t flags[] = {-1, 5, 6, 99};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        multi_create(&world, FK_OP_CREATE2, "/a", flags[i]);
        assert_int_equal(run(), FK_CODE_MARSHALLING_ERROR);
        assert_false(world.plan.unread);
    }
    static const struct {
        int32_t flags;
        bool unread;
    } without_acl[] = {{0, true}, {4, true}, {5, true}, {6, true}, {7, false}, {-1, false}};
    for (size_t i = 0; i < sizeof without_acl / sizeof without_acl[0]; i++) {
        int32_t given = without_acl[i].flags;
        struct fk_create_request request = {.path = fk_bytes_text("/a"), .acl = FK_BYTES_NULL, .flags = given};
        multi_header(&world, FK_OP_CREATE);
        fk_write_create_request(&world.body, &request);
        assert_int_equal(run(), FK_CODE_MARSHALLING_ERROR);
        assert_int_equal(world.plan.unread, without_acl[i].unread);
    }
    multi_create(&world, FK_OP_CREATE, "/a", 0);
    assert_int_equal(run(), FK_CODE_OK);
    assert_false(world.plan.unread);
}

static void order_of_errors_of_check(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int32_t version;
        enum fk_code code;
    } rows[] = {
        {"t", 3, FK_CODE_BAD_ARGUMENTS},   {"/missing", 3, FK_CODE_NO_NODE},   {"/secret", 3, FK_CODE_NO_AUTH},
        {"/open", 3, FK_CODE_BAD_VERSION}, {"/open", -2, FK_CODE_BAD_VERSION},
    };
    (void)world_plant(&world, "/open");
    assert_int_equal(world_create_acl(&world, "/secret", "world", "anyone", FK_PERM_ALL & ~FK_PERM_READ), FK_CODE_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        multi_check(&world, rows[i].path, rows[i].version);
        assert_int_equal(run(), FK_CODE_OK);
        expect_failure((const int32_t[]){(int32_t)rows[i].code}, 1);
    }
    multi_check(&world, "/open", 0);
    multi_check(&world, "/open", -1);
    assert_int_equal(run(), FK_CODE_OK);
    expect_header(FK_OP_CHECK, false, 0);
    expect_header(FK_OP_CHECK, false, 0);
    expect_end();
}

static void later_operations_see_earlier_ones(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE, "/p", 0);
    multi_create(&world, FK_OP_CREATE, "/p/q", 0);
    multi_set(&world, "/p/q", "1", 0);
    multi_set(&world, "/p/q", "2", 1);
    multi_check(&world, "/p/q", 2);
    multi_delete(&world, "/p/q", 2);
    multi_delete(&world, "/p", 0);
    assert_int_equal(run(), FK_CODE_OK);
    assert_null(world_find(&world, "/p"));
    assert_null(world_find(&world, "/p/q"));
    assert_int_equal(world_stat(&world, "/").num_children, 1);

    multi_create(&world, FK_OP_CREATE, "/p", 0);
    multi_delete(&world, "/p", -1);
    multi_create(&world, FK_OP_CREATE, "/p", 0);
    multi_delete(&world, "/p", -1);
    multi_check(&world, "/p", -1);
    assert_int_equal(run(), FK_CODE_OK);
    expect_failure((const int32_t[]){0, 0, 0, 0, FK_CODE_NO_NODE}, 5);
}

static void sequence_numbers_go_on_inside(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE, "/s", 2);
    multi_create(&world, FK_OP_CREATE, "/s", 2);
    multi_delete(&world, "/s0000000000", -1);
    multi_create(&world, FK_OP_CREATE, "/s", 3);
    assert_int_equal(run(), FK_CODE_OK);
    expect_header(FK_OP_CREATE, false, 0);
    fk_assert_text(fk_read_bytes(&reader), "/s0000000000");
    expect_header(FK_OP_CREATE, false, 0);
    fk_assert_text(fk_read_bytes(&reader), "/s0000000001");
    expect_header(FK_OP_DELETE, false, 0);
    expect_header(FK_OP_CREATE, false, 0);
    fk_assert_text(fk_read_bytes(&reader), "/s0000000002");
    expect_end();

    /* A multi that failed used no numbers. */
    multi_create(&world, FK_OP_CREATE, "/s", 2);
    multi_check(&world, "/missing", -1);
    assert_int_equal(run(), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/s", 2), FK_CODE_OK);
    assert_non_null(world_find(&world, "/s0000000003"));
}

/* ZK: a request with an operation that a multi can't hold does not parse as a whole, wherever it stands. */
static void unknown_operations_spoil_the_whole(void **state)
{
    (void)state;
    static const int32_t ops[] = {FK_OP_GET_DATA, FK_OP_SET_ACL, FK_OP_EXISTS, FK_OP_MULTI, FK_OP_PING, 0, 99, -1};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        multi_create(&world, FK_OP_CREATE, "/a", 0);
        multi_header(&world, ops[i]);
        fk_write_watch_request(&world.body, &(struct fk_watch_request){.path = fk_bytes_text("/"), .watch = false});
        assert_int_equal(run(), FK_CODE_MARSHALLING_ERROR);
        assert_null(world_find(&world, "/a"));
        multi_delete(&world, "/missing", -1); /* behind a failure too */
        multi_header(&world, ops[i]);
        assert_int_equal(run(), FK_CODE_MARSHALLING_ERROR);
    }
}

static void each_truncation_is_a_marshalling_error(void **state)
{
    (void)state;
    struct fk_buf whole = FK_BUF_EMPTY;
    multi_create(&world, FK_OP_CREATE, "/a", 0);
    multi_set(&world, "/a", "x", -1);
    multi_check(&world, "/a", 1);
    multi_delete(&world, "/a", 1);
    multi_end(&world);
    fk_buf_append(&whole, fk_buf_view(&world.body));
    for (size_t size = 0; size < whole.size; size++) {
        world.body.size = 0;
        fk_buf_append(&world.body, fk_bytes_head(fk_buf_view(&whole), size));
        assert_int_equal(world_do(&world, FK_OP_MULTI), FK_CODE_MARSHALLING_ERROR);
    }
    fk_buf_append(&world.body, fk_buf_view(&whole));
    assert_int_equal(world_do(&world, FK_OP_MULTI), FK_CODE_OK);
    fk_buf_deinit(&whole);
}

/* Beyond 16 puts the plan finds records by a map; a rollback has to take that back as well. */
static void large_multis(void **state)
{
    (void)state;
    static const size_t sizes[] = {7, 8, 9, 15, 16, 17, 18, 40};
    char path[32];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int fails = 0; fails < 2; fails++) {
            multi_create(&world, FK_OP_CREATE, "/m", 0);
            for (size_t n = 0; n < sizes[i]; n++) {
                (void)snprintf(path, sizeof path, "/m/%zu", n);
                multi_create(&world, FK_OP_CREATE, path, 0);
                multi_set(&world, path, "x", 0);
            }
            multi_check(&world, "/m/0", fails == 0 ? 1 : 7);
            (void)snprintf(path, sizeof path, "/m/%zu", sizes[i] - 1);
            multi_check(&world, path, 1);
            assert_int_equal(run(), FK_CODE_OK);
            if (fails == 1) {
                assert_null(world_find(&world, "/m"));
                assert_int_equal(fk_plan_change(&world.plan).count, 0);
                continue;
            }
            assert_int_equal(world_stat(&world, "/m").num_children, sizes[i]);
            assert_int_equal(world_stat(&world, "/m").cversion, sizes[i]);
            assert_int_equal(world_stat(&world, path).version, 1);
            for (size_t n = 0; n < sizes[i]; n++) {
                (void)snprintf(path, sizeof path, "/m/%zu", n);
                multi_delete(&world, path, 1);
            }
            multi_delete(&world, "/m", 0);
            assert_int_equal(run(), FK_CODE_OK);
            assert_null(world_find(&world, "/m"));
        }
    }
}

/* Operations planned one after the other in one plan see each other too, and a failed one goes alone. */
static void operations_in_one_plan(void **state)
{
    (void)state;
    struct fk_buf reply = FK_BUF_EMPTY;
    struct fk_buf body = FK_BUF_EMPTY;
    char path[32];
    for (int64_t n = 1; n <= 30; n++) {
        (void)snprintf(path, sizeof path, "/n%lld", (long long)(n - n % 2)); /* each second one exists already */
        fk_buf_clear(&world.body);
        struct fk_create_request request = {.path = fk_bytes_text(path), .acl = FK_ACL_OPEN};
        size_t at = body.size;
        fk_write_create_request(&body, &request);
        struct fk_bytes view = fk_arena_copy(&world.memory, fk_bytes_of(body.data + at, body.size - at));
        fk_plan_begin(&world.plan, n, n);
        enum fk_code code = fk_plan_operation(&world.plan, &world.caller, FK_OP_CREATE, view, &reply);
        assert_int_equal(code, n > 1 && n % 2 == 1 ? FK_CODE_NODE_EXISTS : FK_CODE_OK);
        assert_int_equal(fk_plan_change(&world.plan).count, code == FK_CODE_OK ? 2 : 0);
        assert_int_equal(fk_plan_change(&world.plan).zxid, n);
    }
    assert_int_equal(world.plan.count, 2 * 16);
    fk_buf_deinit(&reply);
    fk_buf_deinit(&body);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(the_form_of_success),
    WORLD_TEST(an_empty_multi),
    WORLD_TEST(the_form_of_failure),
    WORLD_TEST(each_operation_can_be_the_one_that_fails),
    WORLD_TEST(options_that_are_none_make_it_unparsable),
    WORLD_TEST(order_of_errors_of_check),
    WORLD_TEST(later_operations_see_earlier_ones),
    WORLD_TEST(sequence_numbers_go_on_inside),
    WORLD_TEST(unknown_operations_spoil_the_whole),
    WORLD_TEST(each_truncation_is_a_marshalling_error),
    WORLD_TEST(large_multis),
    WORLD_TEST(operations_in_one_plan),
};

FK_TEST_MAIN(tests)
