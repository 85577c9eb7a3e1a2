// SPDX-License-Identifier: Apache-2.0
/* What reads answer (FinalRequestProcessor): bodies, permissions, aliases; and the events of a multi. */
#include "world.h"

#include <stdio.h>

/* Creates a node with one entry in its list. */
static void create_with(struct peer *peer, const char *path, int32_t perms, const char *scheme, const char *id)
{
    struct fk_buf acl = FK_BUF_EMPTY;
    fk_write_i32(&acl, 1);
    fk_write_acl_entry(&acl, &(struct fk_acl_entry){perms, fk_bytes_text(scheme), fk_bytes_text(id)});
    struct fk_create_request request = {
        .path = fk_bytes_text(path), .data = fk_bytes_text("data"), .acl = fk_buf_view(&acl)};
    fk_write_create_request(request_begin(99, FK_OP_CREATE), &request);
    request_end(peer);
    fk_buf_deinit(&acl);
    world_settle();
    (void)expect_reply(peer, 99, 0);
}

static struct fk_stat read_stat(struct fk_reader *reader)
{
    struct fk_stat stat;
    fk_read_stat(reader, &stat);
    assert_false(reader->failed);
    assert_int_equal(reader->left, 0); /* it is the end of each body that has one */
    return stat;
}

static void bodies_of_reads(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    send_create(peer, 1, "/a", "data", 0);
    send_create(peer, 2, "/a/b", "", FK_CREATE_EPHEMERAL);
    send_watch(peer, 3, FK_OP_EXISTS, "/a", false);
    send_watch(peer, 4, FK_OP_GET_DATA, "/a", false);
    send_watch(peer, 5, FK_OP_GET_CHILDREN, "/a", false);
    send_watch(peer, 6, FK_OP_GET_CHILDREN2, "/a", false);
    send_watch(peer, 7, FK_OP_GET_CHILDREN, "/a/b", false);
    fk_write_bytes(request_begin(8, FK_OP_GET_ACL), fk_bytes_text("/a"));
    request_end(peer);
    world_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    struct fk_reader reader = expect_reply(peer, 3, 0);
    struct fk_stat stat = read_stat(&reader);
    assert_int_equal(stat.czxid, 2);
    assert_int_equal(stat.pzxid, 3);
    assert_int_equal(stat.cversion, 1);
    assert_int_equal(stat.num_children, 1);
    assert_int_equal(stat.data_length, 4);
    assert_int_equal(stat.ctime_ms, 1700000100000);
    reader = expect_reply(peer, 4, 0);
    fk_assert_text(fk_read_bytes(&reader), "data");
    assert_int_equal(read_stat(&reader).mzxid, 2);
    reader = expect_reply(peer, 5, 0);
    fk_assert_bytes(fk_bytes_of(reader.at, reader.left), FK_BYTES_LITERAL("\0\0\0\1\0\0\0\1b"));
    reader = expect_reply(peer, 6, 0);
    assert_int_equal(fk_read_i32(&reader), 1);
    fk_assert_text(fk_read_bytes(&reader), "b");
    assert_int_equal(read_stat(&reader).num_children, 1);
    reader = expect_reply(peer, 7, 0);
    fk_assert_bytes(fk_bytes_of(reader.at, reader.left), FK_BYTES_LITERAL("\0\0\0\0"));
    reader = expect_reply(peer, 8, 0);
    fk_assert_bytes(fk_read_acl(&reader), FK_ACL_OPEN);
    (void)read_stat(&reader);
}

static void null_data_comes_back_as_null(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    send_create(peer, 1, "/a", "", 0);
    send_watch(peer, 2, FK_OP_GET_DATA, "/a", false);
    send_set(peer, 3, "/a", FK_BYTES_NULL);
    send_watch(peer, 4, FK_OP_GET_DATA, "/a", false);
    world_settle();
    (void)expect_reply(peer, 1, 0);
    struct fk_reader reader = expect_reply(peer, 2, 0);
    assert_int_equal(fk_read_i32(&reader), 0);
    (void)expect_reply(peer, 3, 0);
    reader = expect_reply(peer, 4, 0);
    assert_int_equal(fk_read_i32(&reader), -1);
}

/* Reads do not validate paths. */
static void paths_of_reads(void **state)
{
    (void)state;
    static const int32_t ops[] = {FK_OP_EXISTS, FK_OP_GET_DATA, FK_OP_GET_CHILDREN, FK_OP_GET_CHILDREN2};
    static const struct {
        struct fk_bytes path;
        int32_t code;
    } rows[] = {
        {{(const uint8_t *)"/", 1}, 0},
        {{(const uint8_t *)"", 0}, 0},
        {{(const uint8_t *)"t", 1}, FK_CODE_NO_NODE},
        {{(const uint8_t *)"/zookeeper/", 11}, FK_CODE_NO_NODE},
        {{(const uint8_t *)"//", 2}, FK_CODE_NO_NODE},
        {{(const uint8_t *)"/\xff", 2}, FK_CODE_NO_NODE},
        {{(const uint8_t *)"/zookeeper/config", 17}, 0},
    };
    struct peer *peer = peer_session();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t op = 0; op < 4; op++) {
            struct fk_watch_request request = {.path = rows[i].path};
            fk_write_watch_request(request_begin(1, ops[op]), &request);
            request_end(peer);
            world_settle();
            (void)expect_reply(peer, 1, rows[i].code);
        }
    }
    struct fk_watch_request request = {.path = FK_BYTES_LITERAL("/a\0b")};
    fk_write_watch_request(request_begin(1, FK_OP_EXISTS), &request);
    request_end(peer);
    world_settle();
    (void)expect_reply(peer, 1, FK_CODE_BAD_ARGUMENTS);
}

static void permissions_of_reads(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int32_t perms;
        int32_t read_code;
        int32_t acl_code;
    } rows[] = {
        {"/all", FK_PERM_ALL, 0, 0},
        {"/read", FK_PERM_READ, 0, 0},
        {"/admin", FK_PERM_ADMIN, FK_CODE_NO_AUTH, 0}, /* getACL needs READ or ADMIN */
        {"/rest", FK_PERM_WRITE | FK_PERM_CREATE | FK_PERM_DELETE, FK_CODE_NO_AUTH, FK_CODE_NO_AUTH},
        {"/none", 0, FK_CODE_NO_AUTH, FK_CODE_NO_AUTH},
    };
    struct peer *peer = peer_session();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        create_with(peer, rows[i].path, rows[i].perms, "world", "anyone");
        send_watch(peer, 1, FK_OP_EXISTS, rows[i].path, false);
        send_watch(peer, 2, FK_OP_GET_DATA, rows[i].path, false);
        send_watch(peer, 3, FK_OP_GET_CHILDREN, rows[i].path, false);
        send_watch(peer, 4, FK_OP_GET_CHILDREN2, rows[i].path, false);
        fk_write_bytes(request_begin(5, FK_OP_GET_ACL), fk_bytes_text(rows[i].path));
        request_end(peer);
        world_settle();
        for (int32_t xid = 1; xid <= 4; xid++) {
            (void)expect_reply(peer, xid, rows[i].read_code);
        }
        (void)expect_reply(peer, 5, rows[i].acl_code);
    }
    fk_write_bytes(request_begin(6, FK_OP_GET_ACL), fk_bytes_text("/missing"));
    request_end(peer);
    world_settle();
    (void)expect_reply(peer, 6, FK_CODE_NO_NODE);
}

static struct fk_bytes shown_id(struct peer *peer, const char *path)
{
    fk_write_bytes(request_begin(1, FK_OP_GET_ACL), fk_bytes_text(path));
    request_end(peer);
    world_settle();
    struct fk_reader reader = expect_reply(peer, 1, 0);
    struct fk_acl_entry entry;
    assert_true(fk_read_i32(&reader) >= 1);
    fk_read_acl_entry(&reader, &entry);
    return entry.id;
}

static void hashes_are_shown_to_admins_only(void **state)
{
    (void)state;
    struct peer *owner = peer_session();
    struct peer *stranger = peer_session();
    struct peer *reader = peer_session();
    send_auth(owner, "digest", "user:pass");
    send_auth(stranger, "digest", "super:test");
    world_settle();
    (void)expect_reply(owner, FK_XID_AUTH, 0);
    (void)expect_reply(stranger, FK_XID_AUTH, 0);
    struct fk_buf acl = FK_BUF_EMPTY;
    fk_write_i32(&acl, 2);
    fk_write_acl_entry(&acl, &(struct fk_acl_entry){FK_PERM_ADMIN, fk_bytes_text("auth"), fk_bytes_text("")});
    fk_write_acl_entry(&acl, &(struct fk_acl_entry){FK_PERM_READ, fk_bytes_text("world"), fk_bytes_text("anyone")});
    struct fk_create_request request = {.path = fk_bytes_text("/a"), .acl = fk_buf_view(&acl)};
    fk_write_create_request(request_begin(1, FK_OP_CREATE), &request);
    request_end(owner);
    fk_buf_deinit(&acl);
    world_settle();
    (void)expect_reply(owner, 1, 0);
    fk_assert_text(shown_id(owner, "/a"), "user:smGaoVKd/cQkjm7b88GyorAUz20=");
    fk_assert_text(shown_id(stranger, "/a"), "user:smGaoVKd/cQkjm7b88GyorAUz20="); /* super */
    fk_assert_text(shown_id(reader, "/a"), "user:x");
}

static void addresses_open_what_they_may(void **state)
{
    (void)state;
    struct peer *peer = peer_session(); /* from 10.0.0.1 */
    create_with(peer, "/here", FK_PERM_ALL, "ip", "10.0.0.0/24");
    create_with(peer, "/there", FK_PERM_ALL, "ip", "10.0.1.0/24");
    send_watch(peer, 1, FK_OP_GET_DATA, "/here", false);
    send_watch(peer, 2, FK_OP_GET_DATA, "/there", false);
    world_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, FK_CODE_NO_AUTH);
}

/* --- events of a multi --- */

static void multi_op(struct fk_buf *buf, int32_t op)
{
    fk_write_multi_header(buf, &(struct fk_multi_header){op, false, -1});
}

static void multi_create(struct fk_buf *buf, const char *path)
{
    multi_op(buf, FK_OP_CREATE);
    fk_write_create_request(buf, &(struct fk_create_request){.path = fk_bytes_text(path), .acl = FK_ACL_OPEN});
}

static void multi_delete(struct fk_buf *buf, const char *path)
{
    multi_op(buf, FK_OP_DELETE);
    fk_write_version_request(buf, &(struct fk_version_request){.path = fk_bytes_text(path), .version = -1});
}

static void multi_set(struct fk_buf *buf, const char *path, int32_t version)
{
    multi_op(buf, FK_OP_SET_DATA);
    fk_write_set_data_request(buf, &(struct fk_set_data_request){.path = fk_bytes_text(path), .version = version});
}

static void multi_end(struct fk_buf *buf, struct peer *peer)
{
    fk_write_multi_header(buf, &(struct fk_multi_header){-1, true, -1});
    request_end(peer);
    world_settle();
}

static void events_of_a_multi_share_its_zxid_and_come_once(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *watcher = peer_session();
    send_create(peer, 1, "/a", "", 0);
    world_settle();
    (void)expect_reply(peer, 1, 0);
    send_watch(watcher, 1, FK_OP_GET_DATA, "/a", true);
    send_watch(watcher, 2, FK_OP_EXISTS, "/b", true);
    send_watch(watcher, 3, FK_OP_GET_CHILDREN, "/", true);
    world_settle();
    (void)expect_reply(watcher, 1, 0);
    (void)expect_reply(watcher, 2, FK_CODE_NO_NODE);
    (void)expect_reply(watcher, 3, 0);
    struct fk_buf *buf = request_begin(2, FK_OP_MULTI);
    multi_set(buf, "/a", 0);
    multi_set(buf, "/a", 1);
    multi_create(buf, "/b");
    multi_delete(buf, "/b");
    multi_create(buf, "/c");
    multi_end(buf, peer);
    (void)expect_reply(peer, 2, 0);
    int64_t zxid = replied_zxid;
    expect_event(watcher, FK_EVENT_DATA_CHANGED, "/a"); /* once for two changes */
    assert_int_equal(replied_zxid, zxid);
    expect_event(watcher, FK_EVENT_CREATED, "/b"); /* created and deleted: the watch heard the first */
    expect_event(watcher, FK_EVENT_CHILDREN_CHANGED, "/");
    assert_int_equal(replied_zxid, zxid);
    assert_true(peer_quiet(watcher));
}

static void a_failed_multi_fires_nothing(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *watcher = peer_session();
    send_watch(watcher, 1, FK_OP_EXISTS, "/b", true);
    send_watch(watcher, 2, FK_OP_GET_CHILDREN, "/", true);
    world_settle();
    (void)expect_reply(watcher, 1, FK_CODE_NO_NODE);
    (void)expect_reply(watcher, 2, 0);
    struct fk_buf *buf = request_begin(1, FK_OP_MULTI);
    multi_create(buf, "/b");
    multi_delete(buf, "/missing");
    multi_end(buf, peer);
    struct fk_reader reader = expect_reply(peer, 1, 0); /* ZK: the header has no error */
    struct fk_multi_header header;
    fk_read_multi_header(&reader, &header);
    assert_int_equal(header.op, FK_OP_ERROR);
    assert_int_equal(header.code, 0);
    assert_true(peer_quiet(watcher));
}

/* A delete names the node first, then its parent; parents that go in the same change are told of their own end. */
static void a_multi_that_removes_a_branch(void **state)
{
    (void)state;
    struct peer *peer = peer_session();
    struct peer *watcher = peer_session();
    send_create(peer, 1, "/a", "", 0);
    send_create(peer, 2, "/a/b", "", 0);
    world_settle();
    (void)expect_reply(peer, 1, 0);
    (void)expect_reply(peer, 2, 0);
    send_watch(watcher, 1, FK_OP_GET_CHILDREN, "/a", true);
    send_watch(watcher, 2, FK_OP_GET_DATA, "/a/b", true);
    world_settle();
    (void)expect_reply(watcher, 1, 0);
    (void)expect_reply(watcher, 2, 0);
    struct fk_buf *buf = request_begin(3, FK_OP_MULTI);
    multi_delete(buf, "/a/b");
    multi_delete(buf, "/a");
    multi_end(buf, peer);
    (void)expect_reply(peer, 3, 0);
    expect_event(watcher, FK_EVENT_DELETED, "/a/b");
    /* ZooKeeper tells NodeChildrenChanged of /a here, as its watch fires with the first delete. */
    expect_event(watcher, FK_EVENT_CHILDREN_CHANGED, "/a");
    assert_true(peer_quiet(watcher));
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(bodies_of_reads),
    WORLD_TEST(null_data_comes_back_as_null),
    WORLD_TEST(paths_of_reads),
    WORLD_TEST(permissions_of_reads),
    WORLD_TEST(hashes_are_shown_to_admins_only),
    WORLD_TEST(addresses_open_what_they_may),
    WORLD_TEST(events_of_a_multi_share_its_zxid_and_come_once),
    WORLD_TEST(a_failed_multi_fires_nothing),
    WORLD_TEST(a_multi_that_removes_a_branch),
};

FK_TEST_MAIN(tests)
