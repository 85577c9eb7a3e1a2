// SPDX-License-Identifier: Apache-2.0
/* Reads of more than one node over the table, and requests about a connection's own watches. */
#include "cloud_world.h"
#include "gateway/gateway_internal.h"

static struct fk_connect_response session;

static void send_parts(struct peer *peer, int32_t xid, const char *first, const char *second)
{
    struct fk_buf *frame = request_begin(xid, FK_OP_MULTI_READ);
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_GET_DATA, false, -1});
    fk_write_watch_request(frame, &(struct fk_watch_request){fk_bytes_text(first), true});
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_GET_CHILDREN, false, -1});
    fk_write_watch_request(frame, &(struct fk_watch_request){fk_bytes_text(second), true});
    fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
    request_end(peer);
}

static void expect_header(struct fk_reader *reader, int32_t op, int32_t code)
{
    struct fk_multi_header header;
    fk_read_multi_header(reader, &header);
    assert_int_equal(header.op, op);
    assert_int_equal(header.code, code);
    assert_int_equal(header.done, op == FK_OP_ERROR && code == FK_OP_ERROR);
}

static void expect_data(struct fk_reader *reader, const char *data)
{
    struct fk_stat stat;
    expect_header(reader, FK_OP_GET_DATA, 0);
    fk_assert_text(fk_read_bytes(reader), data);
    fk_read_stat(reader, &stat);
}

static void expect_end(struct fk_reader *reader)
{
    expect_header(reader, FK_OP_ERROR, FK_OP_ERROR);
    assert_false(reader->failed);
    assert_int_equal(reader->left, 0);
}

static void parts_have_answers_of_their_own(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud_commit(FK_OP_CREATE, "/a/c", "y");
    send_parts(peer, 1, "/a", "/a");
    cloud_settle();
    struct fk_reader reader = expect_reply(peer, 1, 0);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
    expect_data(&reader, "x");
    expect_header(&reader, FK_OP_GET_CHILDREN, 0);
    assert_int_equal(fk_read_i32(&reader), 1);
    fk_assert_text(fk_read_bytes(&reader), "c");
    expect_end(&reader);
    send_parts(peer, 2, "/missing", "/a/c");
    cloud_settle();
    reader = expect_reply(peer, 2, 0);
    expect_header(&reader, FK_OP_ERROR, FK_CODE_NO_NODE);
    assert_int_equal(fk_read_i32(&reader), FK_CODE_NO_NODE);
    expect_header(&reader, FK_OP_GET_CHILDREN, 0);
    assert_int_equal(fk_read_i32(&reader), 0);
    expect_end(&reader);
    cloud_commit(FK_OP_SET_DATA, "/a", "z");
    cloud_settle();
    assert_true(peer_quiet(peer)); /* no watch was set */
}

static void change_both(void)
{
    cloud_commit(FK_OP_SET_DATA, "/a", "new");
    cloud_commit(FK_OP_CREATE, "/b/c", "x");
}

/* Between the reads of the parts both nodes change: both are shown as they were, or both as they are. */
static void parts_show_one_state(void **state)
{
    (void)state;
    for (int before = 1; before < 4; before++) {
        struct peer *peer = cloud_connect(0, &session);
        cloud_commit(FK_OP_CREATE, "/a", "old");
        cloud_commit(FK_OP_CREATE, "/b", "x");
        cloud.table.before_read = change_both;
        cloud.table.reads_first = before;
        send_parts(peer, 1, "/a", "/b");
        cloud_settle();
        struct fk_reader reader = expect_reply(peer, 1, 0);
        bool is_new = reader.left > 14 + 3 && memcmp(reader.at + 13, "new", 3) == 0;
        expect_data(&reader, is_new ? "new" : "old");
        expect_header(&reader, FK_OP_GET_CHILDREN, 0);
        assert_int_equal(fk_read_i32(&reader), is_new ? 1 : 0);
        assert_true(cloud.table.before_read == NULL); /* it happened */
        cloud_commit(FK_OP_DELETE, "/b/c", NULL);
        cloud_commit(FK_OP_DELETE, "/b", NULL);
        cloud_commit(FK_OP_DELETE, "/a", NULL);
        cloud_leave(peer);
    }
}

static void add_child(void)
{
    cloud_commit(FK_OP_CREATE, "/a/c", "x");
}

/* A child is made between the reads of the parent and of its list: the list is not newer than what it is told with. */
static void a_list_alone_is_of_one_state(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud.table.before_list = add_child;
    struct fk_buf *frame = request_begin(1, FK_OP_MULTI_READ);
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_GET_CHILDREN, false, -1});
    fk_write_watch_request(frame, &(struct fk_watch_request){FK_BYTES_LITERAL("/a"), false});
    fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
    request_end(peer);
    cloud_settle();
    struct fk_reader reader = expect_reply(peer, 1, 0);
    expect_header(&reader, FK_OP_GET_CHILDREN, 0);
    assert_int_equal(fk_read_i32(&reader), 1);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
}

static void there_is_a_bound_on_parts(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    for (int parts = FK_CLOUD_MULTI_READ_MAX; parts <= FK_CLOUD_MULTI_READ_MAX + 1; parts++) {
        struct fk_buf *frame = request_begin(parts, FK_OP_MULTI_READ);
        for (int i = 0; i < parts; i++) {
            fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_GET_DATA, false, -1});
            fk_write_watch_request(frame, &(struct fk_watch_request){FK_BYTES_LITERAL("/"), false});
        }
        fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
        request_end(peer);
        cloud_settle();
        (void)expect_reply(peer, parts, parts > FK_CLOUD_MULTI_READ_MAX ? FK_CODE_BAD_ARGUMENTS : 0);
    }
}

static struct fk_reader ask(struct peer *peer, int32_t xid, int32_t op, const char *path, int32_t code)
{
    fk_write_bytes(request_begin(xid, op), fk_bytes_text(path));
    request_end(peer);
    cloud_settle();
    return expect_reply(peer, xid, code);
}

static void ephemerals_of_the_own_session(void **state)
{
    (void)state;
    struct fk_connect_response others;
    struct peer *peer = cloud_connect(0, &session);
    struct peer *other = cloud_connect(0, &others);
    struct fk_reader reader = ask(peer, 1, FK_OP_GET_EPHEMERALS, "/", 0);
    assert_int_equal(fk_read_i32(&reader), 0);
    send_create(peer, 2, "/a", "x", FK_CREATE_EPHEMERAL);
    send_create(peer, 3, "/b", "x", FK_CREATE_EPHEMERAL);
    send_create(other, 1, "/c", "x", FK_CREATE_EPHEMERAL);
    cloud_settle();
    (void)expect_reply(peer, 2, 0);
    (void)expect_reply(peer, 3, 0);
    reader = ask(peer, 4, FK_OP_GET_EPHEMERALS, "", 0);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
    assert_int_equal(fk_read_i32(&reader), 2);
    fk_assert_text(fk_read_bytes(&reader), "/a");
    fk_assert_text(fk_read_bytes(&reader), "/b");
    reader = ask(peer, 5, FK_OP_GET_EPHEMERALS, "/b", 0);
    assert_int_equal(fk_read_i32(&reader), 1);
    fk_assert_text(fk_read_bytes(&reader), "/b");
}

static void add_below(void)
{
    cloud_commit(FK_OP_CREATE, "/a/later", "x");
}

static int32_t count_of(struct peer *peer, int32_t xid, const char *path)
{
    struct fk_reader reader = ask(peer, xid, FK_OP_GET_ALL_CHILDREN_NUMBER, path, 0);
    return fk_read_i32(&reader);
}

static void descendants_are_counted(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    assert_int_equal(count_of(peer, 1, "/a"), 0);
    cloud_commit(FK_OP_CREATE, "/a/b", "x");
    cloud_commit(FK_OP_CREATE, "/a/b/c", "x");
    cloud_commit(FK_OP_CREATE, "/a/d", "x");
    cloud_commit(FK_OP_CREATE, "/e", "x");
    cloud_commit(FK_OP_DELETE, "/a/d", NULL);
    assert_int_equal(count_of(peer, 2, "/a"), 2);
    assert_int_equal(count_of(peer, 3, "/"), 3 + 4);
    (void)ask(peer, 4, FK_OP_GET_ALL_CHILDREN_NUMBER, "/missing", FK_CODE_NO_NODE);
    cloud.table.before_list = add_below; /* while it is counted: it is counted again */
    assert_int_equal(count_of(peer, 5, "/a"), 3);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
}

static void send_watcher(struct peer *peer, int32_t xid, int32_t op, const char *path, int32_t kind, int32_t code)
{
    struct fk_watcher_request request = {.path = fk_bytes_text(path), .kind = kind};
    fk_write_watcher_request(request_begin(xid, op), &request);
    request_end(peer);
    cloud_settle();
    (void)expect_reply(peer, xid, code);
}

static void a_removed_watch_is_not_heard(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    send_watcher(peer, 1, FK_OP_ADD_WATCH, "/a", FK_WATCH_MODE_PERSISTENT, 0);
    send_watcher(peer, 2, FK_OP_ADD_WATCH, "/a", FK_WATCH_MODE_RECURSIVE, 0);
    send_watcher(peer, 3, FK_OP_CHECK_WATCHES, "/a", FK_WATCHER_PERSISTENT, 0);
    send_watcher(peer, 4, FK_OP_CHECK_WATCHES, "/a", FK_WATCHER_DATA, FK_CODE_NO_WATCHER);
    send_watcher(peer, 5, FK_OP_REMOVE_WATCHES, "/a", FK_WATCHER_PERSISTENT, 0);
    send_watcher(peer, 6, FK_OP_REMOVE_WATCHES, "/a", FK_WATCHER_PERSISTENT, FK_CODE_NO_WATCHER);
    cloud_commit(FK_OP_CREATE, "/a/b", "x");
    cloud_settle();
    expect_event(peer, FK_EVENT_CREATED, "/a/b");
    assert_true(peer_quiet(peer));
    send_watcher(peer, 7, FK_OP_REMOVE_WATCHES, "/a", FK_WATCHER_ANY, 0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_settle();
    assert_true(peer_quiet(peer));
    send_watcher(peer, 8, FK_OP_ADD_WATCH, "/a", FK_WATCH_MODE_PERSISTENT, 0); /* it is set anew */
    cloud_commit(FK_OP_SET_DATA, "/a", "z");
    cloud_settle();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
}

static void a_path_that_can_be_no_node_s_is_watched_for_nothing(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    for (int32_t mode = 0; mode < 2; mode++) {
        send_watcher(peer, 1 + mode, FK_OP_ADD_WATCH, "bad//", mode, 0);
        send_watcher(peer, 3 + mode, FK_OP_CHECK_WATCHES, "bad//", FK_WATCHER_PERSISTENT + mode, 0);
    }
}

static void a_watch_over_the_limit_is_refused(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud.at[0].gateway->watches.limits.watches_of_one = 1;
    send_watcher(peer, 1, FK_OP_ADD_WATCH, "/a", FK_WATCH_MODE_RECURSIVE, 0);
    send_watcher(peer, 2, FK_OP_ADD_WATCH, "/a", FK_WATCH_MODE_PERSISTENT, FK_CODE_SYSTEM_ERROR);
    send_watch(peer, 3, FK_OP_GET_DATA, "/a", true);
    cloud_settle();
    (void)expect_reply(peer, 3, FK_CODE_SYSTEM_ERROR);
    send_watch(peer, 4, FK_OP_GET_DATA, "/a", false);
    cloud_settle();
    (void)expect_reply(peer, 4, 0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_settle();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a"); /* of the first */
    assert_true(peer_quiet(peer));
}

/* A client takes no notice of the reply to setWatches: it has to come again. */
static void watches_set_again_over_the_limit_cost_the_connection(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    struct fk_set_watches_request request = {.relative_zxid = 1 << 20,
                                             .data = FK_BYTES_LITERAL("\0\0\0\0"),
                                             .exist = FK_BYTES_LITERAL("\0\0\0\0"),
                                             .child = FK_BYTES_LITERAL("\0\0\0\0"),
                                             .persistent = FK_BYTES_LITERAL("\0\0\0\1\0\0\0\2/a"),
                                             .recursive = FK_BYTES_LITERAL("\0\0\0\1\0\0\0\2/b")};
    cloud.at[0].gateway->watches.limits.watches = 1;
    fk_write_set_watches2_request(request_begin(FK_XID_SET_WATCHES, FK_OP_SET_WATCHES2), &request);
    request_end(peer);
    cloud_settle();
    assert_true(peer_closed(peer));
    assert_int_equal(cloud.at[0].gateway->watches.count, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CLOUD_TEST(parts_have_answers_of_their_own),   CLOUD_TEST(parts_show_one_state),
        CLOUD_TEST(a_list_alone_is_of_one_state),      CLOUD_TEST(there_is_a_bound_on_parts),
        CLOUD_TEST(ephemerals_of_the_own_session),     CLOUD_TEST(descendants_are_counted),
        CLOUD_TEST(a_removed_watch_is_not_heard),      CLOUD_TEST(a_path_that_can_be_no_node_s_is_watched_for_nothing),
        CLOUD_TEST(a_watch_over_the_limit_is_refused), CLOUD_TEST(watches_set_again_over_the_limit_cost_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
