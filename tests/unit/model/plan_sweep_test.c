// SPDX-License-Identifier: Apache-2.0
/* Containers and TTL nodes: how they are made, and when a sweep may remove them. */
#include "world.h"

static struct world world;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    world_init(&world);
    world.rules.extended_types = true;
    return result;
}

static int teardown(void **state)
{
    world_deinit(&world);
    return fk_test_end(state);
}

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

enum {
    CONTAINER = 4,
    TTL = 5,
    TTL_SEQUENTIAL = 6,
};

static void write_create(const char *path, int32_t flags)
{
    fk_write_create_request(&world.body, &(struct fk_create_request){.path = fk_bytes_text(path),
                                                                     .data = fk_bytes_text("data"),
                                                                     .acl = FK_ACL_OPEN,
                                                                     .flags = flags});
}

static enum fk_code create_container(const char *path, int32_t flags)
{
    write_create(path, flags);
    return world_do(&world, FK_OP_CREATE_CONTAINER);
}

static void write_ttl(const char *path, int32_t flags, int64_t ttl_ms)
{
    write_create(path, flags);
    fk_write_i64(&world.body, ttl_ms);
}

static enum fk_code create_ttl(const char *path, int32_t flags, int64_t ttl_ms)
{
    write_ttl(path, flags, ttl_ms);
    return world_do(&world, FK_OP_CREATE_TTL);
}

/* A sweep that saw these versions, at this time; its puts are not applied. */
static enum fk_code sweep_at(const char *path, int32_t version, int32_t cversion, int64_t time_ms)
{
    fk_plan_begin(&world.plan, world.zxid + 1, time_ms);
    return fk_plan_sweep_node(&world.plan, fk_bytes_text(path), version, cversion);
}

static enum fk_code sweep(const char *path)
{
    struct fk_stat stat = world_stat(&world, path);
    return sweep_at(path, stat.version, stat.cversion, world.time_ms);
}

static size_t puts_count(void)
{
    return fk_plan_change(&world.plan).count;
}

static void the_operation_makes_the_container(void **state)
{
    (void)state;
    static const int32_t flags[] = {CONTAINER, 0, 1};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        char path[] = {'/', (char)('a' + i), '\0'};
        struct fk_stat stat;
        assert_int_equal(create_container(path, flags[i]), FK_CODE_OK);
        assert_int_equal(world_node(&world, path)->ephemeral_owner, FK_OWNER_CONTAINER);
        struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
        fk_assert_text(fk_read_bytes(&reader), path);
        fk_read_stat(&reader, &stat);
        assert_false(reader.failed);
        assert_int_equal(reader.left, 0);
        assert_int_equal(stat.ephemeral_owner, 0);
        assert_int_equal(stat.czxid, world.zxid);
    }
    assert_int_equal(create_container("/s", 2), FK_CODE_OK);
    assert_int_equal(world_node(&world, "/s0000000003")->ephemeral_owner, FK_OWNER_CONTAINER);
    assert_int_equal(create_container("/t", TTL), FK_CODE_BAD_ARGUMENTS); /* without a TTL */
    assert_int_equal(create_container("/t", 7), FK_CODE_BAD_ARGUMENTS);
    assert_int_equal(create_container("/a", CONTAINER), FK_CODE_NODE_EXISTS);
    /* They are nobody's ephemerals: children are welcome. */
    assert_int_equal(world_create(&world, "/a/child", 0), FK_CODE_OK);
    assert_int_equal(world_create(&world, "/a/eph", 1), FK_CODE_OK);
}

static void ttls(void **state)
{
    (void)state;
    static const struct {
        int32_t flags;
        int64_t ttl_ms;
        enum fk_code code;
    } rows[] = {
        {TTL, 1, FK_CODE_OK},
        {TTL, INT64_C(0xffffffffff), FK_CODE_OK},
        {TTL_SEQUENTIAL, 1000, FK_CODE_OK},
        {TTL, 0, FK_CODE_BAD_ARGUMENTS},
        {TTL, -1, FK_CODE_BAD_ARGUMENTS},
        {TTL, INT64_C(0x10000000000), FK_CODE_BAD_ARGUMENTS},
        {TTL, INT64_MAX, FK_CODE_BAD_ARGUMENTS},
        {TTL, INT64_MIN, FK_CODE_BAD_ARGUMENTS},
        {0, 1000, FK_CODE_BAD_ARGUMENTS},
        {0, -1, FK_CODE_BAD_ARGUMENTS}, /* ZK dies of this one */
        {1, -1, FK_CODE_BAD_ARGUMENTS},
        {CONTAINER, 1000, FK_CODE_BAD_ARGUMENTS},
        {7, 1000, FK_CODE_BAD_ARGUMENTS},
        {-1, 1000, FK_CODE_BAD_ARGUMENTS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(create_ttl("/t", rows[i].flags, rows[i].ttl_ms), rows[i].code);
        if (rows[i].code == FK_CODE_OK) {
            const char *path = rows[i].flags == TTL ? "/t" : "/t0000000000";
            const struct fk_node *node = world_node(&world, path);
            assert_int_equal(node->ephemeral_owner, fk_owner_of_ttl(rows[i].ttl_ms));
            assert_int_equal(fk_owner_ttl_ms(node->ephemeral_owner), rows[i].ttl_ms);
            assert_int_equal(world_stat(&world, path).ephemeral_owner, 0);
        }
        world_deinit(&world);
        world_init(&world);
        world.rules.extended_types = true;
    }
    write_create("/t", TTL);
    assert_int_equal(world_do(&world, FK_OP_CREATE_TTL), FK_CODE_MARSHALLING_ERROR); /* the TTL is missing */
}

static void the_end_of_a_session_leaves_them(void **state)
{
    (void)state;
    assert_int_equal(create_container("/c", CONTAINER), FK_CODE_OK);
    assert_int_equal(create_ttl("/t", TTL, 1), FK_CODE_OK);
    world_close(&world, 7, (const char *const[]){"/c", "/t"}, 2, true);
    assert_non_null(world_find(&world, "/c"));
    assert_non_null(world_find(&world, "/t"));
}

static void an_empty_container_that_was_used_is_due(void **state)
{
    (void)state;
    assert_int_equal(create_container("/c", CONTAINER), FK_CODE_OK);
    assert_int_equal(sweep("/c"), FK_CODE_BAD_VERSION); /* never used */
    assert_int_equal(world_create(&world, "/c/a", 0), FK_CODE_OK);
    assert_int_equal(sweep("/c"), FK_CODE_NOT_EMPTY);
    assert_int_equal(world_delete(&world, "/c/a", -1), FK_CODE_OK);
    struct fk_stat stat = world_stat(&world, "/c");
    assert_int_equal(stat.cversion, 2);
    assert_int_equal(sweep_at("/c", stat.version + 1, stat.cversion, world.time_ms), FK_CODE_BAD_VERSION);
    assert_int_equal(sweep_at("/c", stat.version, stat.cversion - 1, world.time_ms), FK_CODE_BAD_VERSION);
    assert_int_equal(sweep_at("/c", -1, stat.cversion, world.time_ms), FK_CODE_BAD_VERSION); /* -1 is no "any" here */
    assert_int_equal(puts_count(), 0);
    assert_int_equal(sweep("/c"), FK_CODE_OK);
    struct fk_change change = fk_plan_change(&world.plan);
    assert_int_equal(change.count, 2);
    assert_int_equal(change.puts[0].kind, FK_PUT_DELETE);
    fk_assert_text(change.puts[0].node.path, "/c");
    assert_int_equal(change.puts[1].kind, FK_PUT_CHILDREN);
    fk_assert_text(change.puts[1].node.path, "/");
    assert_int_equal(change.puts[1].node.pzxid, world.zxid + 1);
    assert_int_equal(change.puts[1].node.num_children, 1);
    /* In the same plan it is gone. */
    assert_int_equal(sweep_at("/c", stat.version, stat.cversion, world.time_ms), FK_CODE_NO_NODE);
}

static void an_old_ttl_node_without_children_is_due(void **state)
{
    (void)state;
    assert_int_equal(create_ttl("/t", TTL, 500), FK_CODE_OK);
    int64_t made_ms = world.time_ms;
    assert_int_equal(sweep_at("/t", 0, 0, made_ms + 499), FK_CODE_BAD_VERSION);
    assert_int_equal(sweep_at("/t", 0, 0, made_ms - 1000), FK_CODE_BAD_VERSION); /* the clock was set back */
    assert_int_equal(puts_count(), 0);
    assert_int_equal(world_set(&world, "/t", "new", -1), FK_CODE_OK); /* its time begins anew */
    int64_t set_ms = world.time_ms;
    assert_int_equal(sweep_at("/t", 0, 0, set_ms + 500), FK_CODE_BAD_VERSION);
    assert_int_equal(sweep_at("/t", 1, 0, set_ms + 499), FK_CODE_BAD_VERSION);
    assert_int_equal(world_create(&world, "/t/a", 0), FK_CODE_OK);
    assert_int_equal(sweep_at("/t", 1, 1, set_ms + 5000), FK_CODE_NOT_EMPTY);
    assert_int_equal(world_delete(&world, "/t/a", -1), FK_CODE_OK);
    assert_int_equal(sweep_at("/t", 1, 2, set_ms + 500), FK_CODE_OK);
    assert_int_equal(puts_count(), 2);
}

static void other_nodes_are_never_due(void **state)
{
    (void)state;
    assert_int_equal(world_create(&world, "/plain", CONTAINER), FK_CODE_OK); /* through op 1: a plain node */
    assert_int_equal(world_create(&world, "/plain/a", 1), FK_CODE_OK);
    assert_int_equal(sweep("/plain/a"), FK_CODE_BAD_VERSION);
    assert_int_equal(world_delete(&world, "/plain/a", -1), FK_CODE_OK);
    assert_int_equal(sweep("/plain"), FK_CODE_BAD_VERSION);
    assert_int_equal(sweep("/zookeeper/quota"), FK_CODE_BAD_VERSION);
    assert_int_equal(sweep("/"), FK_CODE_NOT_EMPTY);
    assert_int_equal(sweep_at("/missing", 0, 0, world.time_ms), FK_CODE_NO_NODE);
    assert_int_equal(sweep_at("//plain", 0, 0, world.time_ms), FK_CODE_NO_NODE);
    assert_int_equal(sweep_at("", 0, 0, world.time_ms), FK_CODE_NO_NODE);
    assert_int_equal(puts_count(), 0);
}

static void an_error_of_the_lookup_is_no_decision(void **state)
{
    (void)state;
    world.lookup_err = FK_ERR_UNKNOWN;
    assert_int_equal(sweep_at("/zookeeper/quota", 0, 0, 1), FK_CODE_NO_NODE);
    assert_int_equal(world.plan.err, FK_ERR_UNKNOWN);
    assert_int_equal(puts_count(), 0);
}

/* --- inside of a multi --- */

static void expect_created(struct fk_reader *reader, int32_t op, const char *path)
{
    struct fk_multi_header header;
    struct fk_stat stat;
    fk_read_multi_header(reader, &header);
    assert_int_equal(header.op, op);
    assert_false(header.done);
    fk_assert_text(fk_read_bytes(reader), path);
    if (op != FK_OP_CREATE) {
        fk_read_stat(reader, &stat);
        assert_int_equal(stat.ephemeral_owner, 0);
    }
    assert_false(reader->failed);
}

static void in_a_multi_the_flags_have_a_say(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE_CONTAINER, "/a", CONTAINER);
    multi_create(&world, FK_OP_CREATE, "/b", CONTAINER);
    multi_create(&world, FK_OP_CREATE_CONTAINER, "/c", 0);
    multi_header(&world, FK_OP_CREATE_TTL);
    write_ttl("/d", TTL, 1000);
    multi_header(&world, FK_OP_CREATE_TTL);
    write_ttl("/e", 1, -1);
    multi_end(&world);
    assert_int_equal(world_do(&world, FK_OP_MULTI), FK_CODE_OK);
    struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
    expect_created(&reader, FK_OP_CREATE2, "/a");
    expect_created(&reader, FK_OP_CREATE2, "/b");
    expect_created(&reader, FK_OP_CREATE2, "/c");
    expect_created(&reader, FK_OP_CREATE2, "/d");
    expect_created(&reader, FK_OP_CREATE, "/e");
    assert_int_equal(world_node(&world, "/a")->ephemeral_owner, FK_OWNER_CONTAINER);
    assert_int_equal(world_node(&world, "/b")->ephemeral_owner, FK_OWNER_CONTAINER);
    assert_int_equal(world_node(&world, "/c")->ephemeral_owner, FK_OWNER_CONTAINER);
    assert_int_equal(world_node(&world, "/d")->ephemeral_owner, fk_owner_of_ttl(1000));
    assert_int_equal(world_node(&world, "/e")->ephemeral_owner, 7);
}

static void a_ttl_that_is_wrong_fails_the_multi(void **state)
{
    (void)state;
    multi_create(&world, FK_OP_CREATE, "/a", 0);
    multi_header(&world, FK_OP_CREATE_TTL);
    write_ttl("/b", TTL, 0);
    multi_end(&world);
    assert_int_equal(world_do(&world, FK_OP_MULTI), FK_CODE_OK);
    assert_int_equal(puts_count(), 0);
    assert_null(world_find(&world, "/a"));
    struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
    struct fk_multi_header header;
    fk_read_multi_header(&reader, &header);
    (void)fk_read_i32(&reader);
    fk_read_multi_header(&reader, &header);
    assert_int_equal(header.code, FK_CODE_BAD_ARGUMENTS);
}

/* ZK: TTL nodes are an extended type, containers are none. */
static void without_extended_types_there_are_no_ttls(void **state)
{
    (void)state;
    world.rules.extended_types = false;
    assert_int_equal(create_ttl("/t", TTL, 1000), FK_CODE_UNIMPLEMENTED);
    assert_int_equal(create_ttl("/t", TTL_SEQUENTIAL, -5), FK_CODE_UNIMPLEMENTED); /* the type before the TTL */
    assert_int_equal(create_ttl("/t", 0, 1000), FK_CODE_BAD_ARGUMENTS);
    assert_int_equal(create_ttl("/t", 7, 1000), FK_CODE_BAD_ARGUMENTS);
    assert_int_equal(create_container("/c", CONTAINER), FK_CODE_OK);
    multi_header(&world, FK_OP_CREATE_TTL);
    write_ttl("/a", TTL, 1000);
    multi_end(&world);
    assert_int_equal(world_do(&world, FK_OP_MULTI), FK_CODE_OK);
    struct fk_reader reader = fk_reader_of(fk_buf_view(&world.reply));
    struct fk_multi_header header;
    fk_read_multi_header(&reader, &header);
    assert_int_equal(header.code, FK_CODE_UNIMPLEMENTED);
}

static void a_container_that_was_never_used_is_due_where_that_is_asked_for(void **state)
{
    (void)state;
    assert_int_equal(create_container("/c", CONTAINER), FK_CODE_OK);
    int64_t born_ms = world.time_ms;
    assert_int_equal(sweep_at("/c", 0, 0, born_ms + 1000000), FK_CODE_BAD_VERSION);
    world.rules.never_used_ms = 500;
    assert_int_equal(sweep_at("/c", 0, 0, born_ms + 500), FK_CODE_BAD_VERSION);
    assert_int_equal(sweep_at("/c", 0, 0, born_ms + 501), FK_CODE_OK);
    assert_int_equal(puts_count(), 2);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(the_operation_makes_the_container),
    WORLD_TEST(ttls),
    WORLD_TEST(the_end_of_a_session_leaves_them),
    WORLD_TEST(an_empty_container_that_was_used_is_due),
    WORLD_TEST(an_old_ttl_node_without_children_is_due),
    WORLD_TEST(other_nodes_are_never_due),
    WORLD_TEST(an_error_of_the_lookup_is_no_decision),
    WORLD_TEST(in_a_multi_the_flags_have_a_say),
    WORLD_TEST(a_ttl_that_is_wrong_fails_the_multi),
    WORLD_TEST(without_extended_types_there_are_no_ttls),
    WORLD_TEST(a_container_that_was_never_used_is_due_where_that_is_asked_for),
};

FK_TEST_MAIN(tests)
