// SPDX-License-Identifier: Apache-2.0
/* Which events a put fires, the fresh tree, and the Stat that clients see. */
#include "model/event.h"

#include "model/tree.h"
#include "support/test.h"

static void events_of_each_put(void **state)
{
    (void)state;
    static const struct {
        enum fk_put_kind kind;
        const char *path;
        size_t count;
        struct {
            enum fk_event_type type;
            const char *path;
            unsigned kinds;
        } events[FK_EVENTS_OF_PUT];
    } rows[] = {
        {FK_PUT_CREATE,
         "/a/b",
         2,
         {{FK_EVENT_CREATED, "/a/b", FK_WATCH_DATA}, {FK_EVENT_CHILDREN_CHANGED, "/a", FK_WATCH_CHILD}}},
        {FK_PUT_CREATE,
         "/a",
         2,
         {{FK_EVENT_CREATED, "/a", FK_WATCH_DATA}, {FK_EVENT_CHILDREN_CHANGED, "/", FK_WATCH_CHILD}}},
        {FK_PUT_DELETE,
         "/a/b",
         2,
         {{FK_EVENT_DELETED, "/a/b", FK_WATCH_DATA | FK_WATCH_CHILD},
          {FK_EVENT_CHILDREN_CHANGED, "/a", FK_WATCH_CHILD}}},
        {FK_PUT_DATA, "/a", 1, {{FK_EVENT_DATA_CHANGED, "/a", FK_WATCH_DATA}}},
        {FK_PUT_ACL, "/a", 0, {{0}}},
        {FK_PUT_CHILDREN, "/a", 0, {{0}}},
        {FK_PUT_SESSION, "", 0, {{0}}},
        {FK_PUT_SESSION_END, "", 0, {{0}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_event events[FK_EVENTS_OF_PUT];
        struct fk_put put = {.kind = rows[i].kind, .node = {.path = fk_bytes_text(rows[i].path)}};
        assert_int_equal(fk_put_events(&put, events), rows[i].count);
        for (size_t e = 0; e < rows[i].count; e++) {
            assert_int_equal(events[e].type, rows[i].events[e].type);
            fk_assert_text(events[e].path, rows[i].events[e].path);
            assert_int_equal(events[e].kinds, rows[i].events[e].kinds);
        }
    }
}

static void watches_that_hear_an_event(void **state)
{
    (void)state;
    enum {
        D = FK_WATCH_DATA,
        C = FK_WATCH_CHILD,
        P = FK_WATCH_PERSISTENT,
        R = FK_WATCH_RECURSIVE,
    };
    static const struct {
        enum fk_put_kind kind;
        unsigned kinds[FK_EVENTS_OF_PUT][5]; /* on /a/b, /a, /, /a/b/c, /a/bc */
    } rows[] = {
        {FK_PUT_CREATE, {{D | P | R, R, R, 0, 0}, {0, C | P, 0, 0, 0}}},
        {FK_PUT_DELETE, {{D | C | P | R, R, R, 0, 0}, {0, C | P, 0, 0, 0}}},
        {FK_PUT_DATA, {{D | P | R, R, R, 0, 0}, {0}}},
    };
    static const char *const watched[] = {"/a/b", "/a", "/", "/a/b/c", "/a/bc"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_event events[FK_EVENTS_OF_PUT];
        struct fk_put put = {.kind = rows[i].kind, .node = {.path = FK_BYTES_LITERAL("/a/b")}};
        size_t count = fk_put_events(&put, events);
        for (size_t e = 0; e < count; e++) {
            for (size_t w = 0; w < sizeof watched / sizeof watched[0]; w++) {
                unsigned heard =
                    fk_watch_heard_kinds(events[e].type, events[e].kinds, events[e].path, fk_bytes_text(watched[w]));
                assert_int_equal(heard, rows[i].kinds[e][w]);
            }
        }
    }
    /* The root's children change as well; nothing is above it. */
    assert_int_equal(fk_watch_heard_kinds(FK_EVENT_CHILDREN_CHANGED, C, fk_bytes_text("/"), fk_bytes_text("/")), C | P);
}

/* Containers and TTL nodes are nobody's: clients see no owner (DataNode.copyStat). */
static void owners(void **state)
{
    (void)state;
    static const struct {
        int64_t owner;
        int64_t session;
        int64_t ttl_ms;
    } rows[] = {
        {0, 0, 0},
        {7, 7, 0},
        {-5, -5, 0},
        {INT64_MAX, INT64_MAX, 0},
        {INT64_MIN, 0, 0},
        {INT64_MIN + 1, INT64_MIN + 1, 0},
        {(int64_t)0xff00000000000001, 0, 1},
        {(int64_t)0xff0000ffffffffff, 0, 0xffffffffff},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_node node = {.ephemeral_owner = rows[i].owner};
        struct fk_stat stat;
        fk_node_stat(&node, &stat);
        assert_int_equal(stat.ephemeral_owner, rows[i].session);
        assert_int_equal(fk_owner_session(rows[i].owner), rows[i].session);
        assert_int_equal(fk_owner_ttl_ms(rows[i].owner), rows[i].ttl_ms);
        if (rows[i].ttl_ms > 0) {
            assert_int_equal(fk_owner_of_ttl(rows[i].ttl_ms), rows[i].owner);
        }
    }
    assert_int_equal(FK_OWNER_CONTAINER, (int64_t)0x8000000000000000);
}

static void the_fresh_tree(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int32_t num_children;
        int32_t cversion;
    } rows[FK_TREE_FIRST_NODES] = {
        {"/", 1, -1}, {"/zookeeper", 2, -2}, {"/zookeeper/quota", 0, 0}, {"/zookeeper/config", 0, 0}};
    for (size_t i = 0; i < FK_TREE_FIRST_NODES; i++) {
        struct fk_node node = fk_tree_first_node(i);
        struct fk_stat stat;
        fk_node_stat(&node, &stat);
        fk_assert_text(node.path, rows[i].path);
        assert_int_equal(stat.num_children, rows[i].num_children);
        assert_int_equal(stat.cversion, rows[i].cversion);
        assert_int_equal(stat.czxid, 0);
        assert_int_equal(stat.ctime_ms, 0);
        fk_assert_bytes(node.acl, i == 3 ? FK_ACL_READ : FK_ACL_OPEN);
        assert_true(fk_tree_is_special(node.path));
    }
    assert_false(fk_tree_is_special(FK_BYTES_LITERAL("/zookeeper/")));
    assert_false(fk_tree_is_special(FK_BYTES_LITERAL("/zookeeper/quota/a")));
    assert_false(fk_tree_is_special(FK_BYTES_LITERAL("")));
    assert_false(fk_tree_is_special(FK_BYTES_LITERAL("/a")));
}

static void the_stat_of_a_record(void **state)
{
    (void)state;
    struct fk_node node = {.data = FK_BYTES_LITERAL("12345"),
                           .czxid = 1,
                           .mzxid = 2,
                           .pzxid = 3,
                           .ctime_ms = 4,
                           .mtime_ms = 5,
                           .ephemeral_owner = 6,
                           .version = 7,
                           .aversion = 8,
                           .created_children = 10,
                           .num_children = 4};
    struct fk_stat stat;
    fk_node_stat(&node, &stat);
    const struct fk_stat expected = {.czxid = 1,
                                     .mzxid = 2,
                                     .ctime_ms = 4,
                                     .mtime_ms = 5,
                                     .version = 7,
                                     .cversion = 16,
                                     .aversion = 8,
                                     .ephemeral_owner = 6,
                                     .data_length = 5,
                                     .num_children = 4,
                                     .pzxid = 3};
    assert_int_equal(stat.czxid, expected.czxid);
    assert_int_equal(stat.mzxid, expected.mzxid);
    assert_int_equal(stat.ctime_ms, expected.ctime_ms);
    assert_int_equal(stat.mtime_ms, expected.mtime_ms);
    assert_int_equal(stat.version, expected.version);
    assert_int_equal(stat.cversion, expected.cversion);
    assert_int_equal(stat.aversion, expected.aversion);
    assert_int_equal(stat.ephemeral_owner, expected.ephemeral_owner);
    assert_int_equal(stat.data_length, expected.data_length);
    assert_int_equal(stat.num_children, expected.num_children);
    assert_int_equal(stat.pzxid, expected.pzxid);
    node.created_children = INT32_MAX; /* wraps as Java's int does */
    node.num_children = 0;
    fk_node_stat(&node, &stat);
    assert_int_equal(stat.cversion, -2);
}

/* A parent that goes and comes again within a change: each put has the list of its moment. */
static void the_list_of_a_parent_at_a_put(void **state)
{
    (void)state;
    const struct fk_bytes parent = FK_BYTES_LITERAL("/p");
    const struct fk_bytes before = FK_BYTES_LITERAL("before");
    const struct fk_bytes anew = FK_BYTES_LITERAL("anew");
    const struct fk_put puts[] = {
        {.kind = FK_PUT_DELETE, .node = {.path = FK_BYTES_LITERAL("/p/c"), .acl = FK_BYTES_LITERAL("child")}},
        {.kind = FK_PUT_DELETE, .node = {.path = parent, .acl = before}},
        {.kind = FK_PUT_CREATE, .node = {.path = parent, .acl = anew}},
        {.kind = FK_PUT_CREATE, .node = {.path = FK_BYTES_LITERAL("/p/c"), .acl = FK_BYTES_LITERAL("child")}},
    };
    const struct fk_change whole = {.zxid = 7, .puts = puts, .count = 4};
    const struct fk_change deletes = {.zxid = 7, .puts = puts, .count = 2};
    const struct fk_node made = {.path = parent, .acl = anew, .czxid = 7};
    const struct fk_node old = {.path = parent, .acl = before, .czxid = 6};
    const struct fk_node gone = {.path = FK_BYTES_NULL};
    fk_assert_text(fk_change_parent_acl(&whole, &puts[0], parent, &made), "before");
    fk_assert_text(fk_change_parent_acl(&whole, &puts[3], parent, &made), "anew");
    fk_assert_text(fk_change_parent_acl(&deletes, &puts[0], parent, &gone), "before");
    fk_assert_text(fk_change_parent_acl(&whole, &puts[0], parent, &old), "before");
    assert_null(fk_change_parent_acl(&whole, &puts[3], parent, &gone).data);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(events_of_each_put),
    FK_TEST(the_list_of_a_parent_at_a_put),
    FK_TEST(watches_that_hear_an_event),
    FK_TEST(owners),
    FK_TEST(the_fresh_tree),
    FK_TEST(the_stat_of_a_record),
};

FK_TEST_MAIN(tests)
