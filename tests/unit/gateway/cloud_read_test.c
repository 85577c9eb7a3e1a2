// SPDX-License-Identifier: Apache-2.0
/* Reads and registrations (protocol.md H11, H12, H14, H17, H18, H19), sync, addWatch. */
#include "cloud_world.h"

static struct fk_connect_response session;

static void read_now(struct peer *peer, int32_t xid, int32_t op, const char *path, bool watch, int32_t code)
{
    send_watch(peer, xid, op, path, watch);
    cloud_settle();
    (void)expect_reply(peer, xid, code);
}

static unsigned subscribed(const char *path, size_t gateway)
{
    bool exists = false;
    struct fk_node_record record = cloud_node(path, &exists);
    for (size_t i = 0; i < record.subs.count; i++) {
        if (record.subs.items[i].gateway == cloud.at[gateway].id) {
            return record.subs.items[i].kinds;
        }
    }
    return 0;
}

static void set_a(void)
{
    cloud_commit(FK_OP_SET_DATA, "/a", "new");
}

static void a_watch_stands_in_the_record(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    read_now(peer, 1, FK_OP_GET_DATA, "/a", false, 0);
    assert_int_equal(subscribed("/a", 0), 0);
    read_now(peer, 2, FK_OP_GET_DATA, "/a", true, 0);
    assert_int_equal(subscribed("/a", 0), FK_WATCH_DATA);
    read_now(peer, 3, FK_OP_GET_CHILDREN, "/a", true, 0);
    assert_int_equal(subscribed("/a", 0), FK_WATCH_DATA | FK_WATCH_CHILD);
    assert_int_equal(subscribed("/a", 1), 0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    assert_int_equal(subscribed("/a", 0), FK_WATCH_CHILD);
    cloud_settle();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    cloud_commit(FK_OP_SET_DATA, "/a", "z");
    cloud_settle();
    assert_true(peer_quiet(peer)); /* once */
}

/* The change comes between the read and the write back: what is answered is what the write back found. */
static void registering_and_reading_are_one_step(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud.table.before_write = set_a;
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", true);
    cloud_settle();
    struct fk_reader reader = expect_reply(peer, 1, 0);
    fk_assert_text(fk_read_bytes(&reader), "new");
    cloud_commit(FK_OP_SET_DATA, "/a", "newer");
    cloud_settle();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    assert_true(peer_quiet(peer));
}

static void an_unknown_registration_is_read_back(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud.table.fail_writes = FK_ERR_UNKNOWN;
    cloud.table.applied = true;
    cloud.table.count = 1;
    read_now(peer, 1, FK_OP_GET_DATA, "/a", true, 0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_settle();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
}

/* A second client of the gateway watches what the first one watches: the record lists the gateway, or it must be
 * registered again, as the first one's event has used it up. */
static void a_watch_is_local_only_where_the_record_lists_the_gateway(void **state)
{
    (void)state;
    struct peer *first = cloud_connect(0, &session);
    struct peer *second = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    read_now(first, 1, FK_OP_GET_DATA, "/a", true, 0);
    cloud.at[0].hold_channel = true;
    cloud_commit(FK_OP_SET_DATA, "/a", "y"); /* on its way */
    send_watch(second, 1, FK_OP_GET_DATA, "/a", true);
    cloud_settle();
    assert_int_equal(subscribed("/a", 0), FK_WATCH_DATA);
    cloud.at[0].hold_channel = false;
    cloud_settle();
    expect_event(first, FK_EVENT_DATA_CHANGED, "/a");
    (void)expect_reply(second, 1, 0);
    assert_true(peer_quiet(second)); /* it has read the change */
    cloud_commit(FK_OP_SET_DATA, "/a", "z");
    cloud_settle();
    expect_event(second, FK_EVENT_DATA_CHANGED, "/a");
}

/* The event is applied between the registration and the reply: there is no watch yet to hear it. */
static void a_read_is_repeated_for_an_event_in_flight(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud_hold(0, "register");
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", true);
    cloud_settle();
    cloud_run_held(0, "register");
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_settle();
    cloud_go(0, "register");
    struct fk_reader reader = expect_reply(peer, 1, 0);
    fk_assert_text(fk_read_bytes(&reader), "y");
    cloud_commit(FK_OP_SET_DATA, "/a", "z");
    cloud_settle();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    assert_true(peer_quiet(peer));
}

/* H11: an event at or before what the record shows has not come yet, also one of another path. */
static void a_reply_is_held_for_the_events_before_it(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud_commit(FK_OP_CREATE, "/b", "x");
    read_now(peer, 1, FK_OP_GET_DATA, "/a", true, 0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_commit(FK_OP_SET_DATA, "/b", "y");
    cloud_lose_messages(0);
    send_watch(peer, 2, FK_OP_GET_DATA, "/b", false);
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_pass_ms(cloud.options.hold_ms + 200);
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    int64_t event = replied_zxid;
    (void)expect_reply(peer, 2, 0);
    assert_int_equal(replied_zxid, event + 1);
}

/* H12: the record is gone, its parent tells. */
static void a_missing_node_is_held_for_the_events_before_it(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud_commit(FK_OP_CREATE, "/b", "x");
    read_now(peer, 1, FK_OP_GET_DATA, "/b", true, 0);
    cloud_commit(FK_OP_SET_DATA, "/b", "y");
    cloud_commit(FK_OP_DELETE, "/a", NULL);
    int64_t zxid = cloud_zx().zxid;
    cloud_lose_messages(0);
    send_watch(peer, 2, FK_OP_GET_DATA, "/a", false);
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_pass_ms(cloud.options.hold_ms + 200);
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/b");
    (void)expect_reply(peer, 2, FK_CODE_NO_NODE);
    assert_int_equal(replied_zxid, zxid);
}

static void a_missing_node_can_be_watched(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    bool exists = false;
    int64_t zxid = cloud_zx().zxid;
    cloud_commit(FK_OP_CREATE, "/p", "x");
    read_now(peer, 1, FK_OP_EXISTS, "/p/q/r", true, FK_CODE_NO_NODE); /* neither has its parent an item */
    assert_int_equal(replied_zxid, zxid + 1);
    assert_int_equal(subscribed("/p/q/r", 0), FK_WATCH_DATA);
    struct fk_node_record record = cloud_node("/p/q/r", &exists);
    assert_true(exists && !record.exists);
    assert_int_equal(record.zxid, zxid + 1);
    read_now(peer, 2, FK_OP_GET_DATA, "/p/x", true, FK_CODE_NO_NODE); /* ZK: getData sets no watch there */
    (void)cloud_node("/p/x", &exists);
    assert_false(exists);
    cloud_commit(FK_OP_CREATE, "/p/q", "x");
    cloud_commit(FK_OP_CREATE, "/p/q/r", "x");
    cloud_settle();
    expect_event(peer, FK_EVENT_CREATED, "/p/q/r");
}

static void create_missing(void)
{
    cloud_commit(FK_OP_CREATE, "/m", "x");
}

static void create_and_delete_missing(void)
{
    cloud_commit(FK_OP_CREATE, "/m", "x");
    cloud_commit(FK_OP_DELETE, "/m", NULL);
}

/* The node comes, or comes and goes, while it is looked for. */
static void a_missing_node_was_missing_at_the_zxid_it_is_told_with(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud.table.before_write = create_missing;
    send_watch(peer, 1, FK_OP_EXISTS, "/m", true);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    cloud_commit(FK_OP_DELETE, "/m", NULL);
    cloud_settle();
    expect_event(peer, FK_EVENT_DELETED, "/m");
    for (int i = 1; i <= 4; i++) { /* between any two of the reads that it takes */
        cloud.table.before_read = create_and_delete_missing;
        cloud.table.reads_first = i;
        send_watch(peer, 1 + i, FK_OP_EXISTS, "/m", false);
        cloud_settle();
        (void)expect_reply(peer, 1 + i, FK_CODE_NO_NODE);
        assert_true(replied_zxid == cloud_zx().zxid || i == 4);
    }
}

static void add_child(void)
{
    cloud_commit(FK_OP_CREATE, "/p/c2", "x");
}

static void expect_children(struct fk_reader *reader, int32_t count, const char *first)
{
    struct fk_stat stat;
    assert_int_equal(fk_read_i32(reader), count);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes name = fk_read_bytes(reader);
        if (i == 0) {
            fk_assert_text(name, first);
        }
    }
    fk_read_stat(reader, &stat);
    assert_false(reader->failed);
    assert_int_equal(stat.num_children, count);
}

/* One that comes while the list is read is not in it, and the watch, which is older, tells of it. */
static void children_are_of_one_moment(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/p", "x");
    cloud_commit(FK_OP_CREATE, "/p/c1", "x");
    int64_t before = cloud_zx().zxid;
    cloud.table.before_list = add_child; /* after the parent was read */
    send_watch(peer, 1, FK_OP_GET_CHILDREN2, "/p", true);
    cloud_settle();
    struct fk_reader reader = expect_reply(peer, 1, 0);
    expect_children(&reader, 1, "c1");
    assert_int_equal(replied_zxid, before);
    expect_event(peer, FK_EVENT_CHILDREN_CHANGED, "/p");
    send_watch(peer, 2, FK_OP_GET_CHILDREN2, "/p", true);
    cloud_settle();
    reader = expect_reply(peer, 2, 0);
    expect_children(&reader, 2, "c1");
    assert_int_equal(replied_zxid, cloud_zx().zxid);
}

static void remove_child(void)
{
    cloud_commit(FK_OP_DELETE, "/p/c1", NULL);
}

/* One that goes while the list is read is missed, and the list is read again. */
static void a_list_with_a_gap_is_read_again(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/p", "x");
    cloud_commit(FK_OP_CREATE, "/p/c1", "x");
    cloud_commit(FK_OP_CREATE, "/p/c2", "x");
    cloud.table.before_list = remove_child;
    send_watch(peer, 1, FK_OP_GET_CHILDREN2, "/p", false);
    cloud_settle();
    struct fk_reader reader = expect_reply(peer, 1, 0);
    expect_children(&reader, 1, "c2");
    assert_int_equal(replied_zxid, cloud_zx().zxid);
}

/* Each time the list is read, it is another one: two have changed places. */
static void change_places(void)
{
    static int times;
    times++;
    cloud_commit(FK_OP_DELETE, times % 2 == 1 ? "/p/c1" : "/p/c2", NULL);
    cloud_commit(FK_OP_CREATE, times % 2 == 1 ? "/p/c2" : "/p/c1", "x");
    cloud.table.before_list = change_places;
}

static void a_list_that_never_stands_still_is_given_up(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/p", "x");
    cloud_commit(FK_OP_CREATE, "/p/c1", "x");
    cloud.table.before_list = change_places;
    send_watch(peer, 1, FK_OP_GET_CHILDREN2, "/p", false);
    cloud_settle();
    (void)expect_reply(peer, 1, FK_CODE_OPERATION_TIMEOUT);
    assert_int_equal(cloud_zx().zxid, replied_zxid + 2 + 3 * 2); /* three tries */
    cloud.table.before_list = NULL;
    send_watch(peer, 2, FK_OP_GET_CHILDREN2, "/p", false);
    cloud_settle();
    struct fk_reader reader = expect_reply(peer, 2, 0);
    expect_children(&reader, 1, "c2");
}

static void a_missing_child_with_a_watch_is_no_child(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/p", "x");
    read_now(peer, 1, FK_OP_EXISTS, "/p/c", true, FK_CODE_NO_NODE);
    send_watch(peer, 2, FK_OP_GET_CHILDREN, "/p", false);
    cloud_settle();
    struct fk_reader reader = expect_reply(peer, 2, 0);
    assert_int_equal(fk_read_i32(&reader), 0);
}

static struct fk_bytes large(size_t size, char fill)
{
    uint8_t *bytes = (uint8_t *)fk_arena_alloc(&cloud.arena, size);
    memset(bytes, fill, size);
    return fk_bytes_of(bytes, size);
}

static void data_in_items_and_blobs_is_of_its_record(void **state)
{
    (void)state;
    const size_t sizes[] = {10, 2000, 100000};
    struct peer *peer = cloud_connect(0, &session);
    send_create(peer, 1, "/d", "", 0);
    cloud_settle();
    (void)expect_reply(peer, 1, 0);
    for (size_t i = 0; i < 3; i++) {
        send_set(peer, 2, "/d", large(sizes[i], 'a'));
        send_watch(peer, 3, FK_OP_GET_DATA, "/d", false);
        cloud_settle();
        (void)expect_reply(peer, 2, 0);
        struct fk_reader reader = expect_reply(peer, 3, 0);
        fk_assert_bytes(fk_read_bytes(&reader), large(sizes[i], 'a'));
        struct fk_stat stat;
        fk_read_stat(&reader, &stat);
        assert_int_equal(stat.data_length, sizes[i]);
        assert_int_equal(stat.version, i + 1);
    }
}

/* setWatches after a reconnect: what was missed first, then what came meanwhile, then the reply. */
static void set_watches(struct peer *peer, int32_t op, int64_t zxid, const char *data, const char *exist,
                        const char *child)
{
    struct fk_buf *frame = request_begin(FK_XID_SET_WATCHES, op);
    const char *lists[] = {data, exist, child};
    fk_write_i64(frame, zxid);
    for (size_t i = 0; i < 3; i++) {
        fk_write_i32(frame, lists[i] == NULL ? 0 : 1);
        if (lists[i] != NULL) {
            fk_write_bytes(frame, fk_bytes_text(lists[i]));
        }
    }
    if (op == FK_OP_SET_WATCHES2) {
        fk_write_i32(frame, 1);
        fk_write_bytes(frame, FK_BYTES_LITERAL("/persistent"));
        fk_write_i32(frame, 1);
        fk_write_bytes(frame, FK_BYTES_LITERAL("/recursive"));
    }
    request_end(peer);
}

static void watches_are_set_again_on_another_gateway(void **state)
{
    (void)state;
    (void)cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud_commit(FK_OP_CREATE, "/b", "x");
    int64_t seen = cloud_zx().zxid;
    cloud_commit(FK_OP_SET_DATA, "/a", "missed");
    struct peer *peer = cloud_hello(1, &session, seen);
    assert_int_equal(peer_welcome(peer).session_id, session.session_id);
    set_watches(peer, FK_OP_SET_WATCHES, seen, "/a", "/e", "/b");
    cloud_settle();
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    assert_int_equal(replied_zxid, -1);
    (void)expect_reply(peer, FK_XID_SET_WATCHES, 0);
    cloud_commit(FK_OP_CREATE, "/e", "x");
    cloud_commit(FK_OP_CREATE, "/b/c", "x");
    cloud_settle();
    expect_event(peer, FK_EVENT_CREATED, "/e");
    expect_event(peer, FK_EVENT_CHILDREN_CHANGED, "/b");
    assert_true(peer_quiet(peer));
}

static void catch_up_events_go_before_new_ones(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud_commit(FK_OP_CREATE, "/b", "x");
    int64_t seen = cloud_zx().zxid;
    read_now(peer, 1, FK_OP_GET_DATA, "/b", true, 0);
    cloud_commit(FK_OP_SET_DATA, "/a", "missed");
    cloud_settle();
    cloud_hold(0, "register");
    set_watches(peer, FK_OP_SET_WATCHES, seen, "/a", NULL, NULL);
    cloud_settle();
    cloud_commit(FK_OP_SET_DATA, "/b", "y");
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_go(0, "register");
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    assert_int_equal(replied_zxid, -1);
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/b");
    (void)expect_reply(peer, FK_XID_SET_WATCHES, 0);
}

static void set_watches_is_done_again_for_an_event_in_flight(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    int64_t seen = cloud_zx().zxid;
    cloud_hold(0, "register");
    set_watches(peer, FK_OP_SET_WATCHES, seen, "/a", NULL, NULL);
    cloud_settle();
    cloud_run_held(0, "register");
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_settle();
    cloud_go(0, "register");
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    (void)expect_reply(peer, FK_XID_SET_WATCHES, 0);
    assert_true(peer_quiet(peer));
}

static void add_watch(struct peer *peer, int32_t xid, const char *path, int32_t mode, int32_t code)
{
    struct fk_buf *frame = request_begin(xid, FK_OP_ADD_WATCH);
    fk_write_bytes(frame, fk_bytes_text(path));
    fk_write_i32(frame, mode);
    request_end(peer);
    cloud_settle();
    struct fk_reader reader = expect_reply(peer, xid, code);
    if (code == 0) {
        assert_int_equal(fk_read_i32(&reader), 0);
        assert_int_equal(reader.left, 0);
    }
}

static void persistent_watches_stay(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    add_watch(peer, 1, "/a", 0, 0);
    for (int i = 0; i < 3; i++) {
        cloud_commit(FK_OP_SET_DATA, "/a", "y");
        cloud_settle();
        expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    }
    cloud_commit(FK_OP_CREATE, "/a/c", "x");
    cloud_settle();
    expect_event(peer, FK_EVENT_CHILDREN_CHANGED, "/a");
    assert_true(peer_quiet(peer));
    add_watch(peer, 2, "/a", 7, FK_CODE_MARSHALLING_ERROR);
}

static void recursive_watches_hear_the_subtree(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    struct peer *other = cloud_connect(1, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    add_watch(peer, 1, "/a", 1, 0);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
    assert_int_equal(cloud_zx().recursive_version, 1);
    add_watch(peer, 2, "/a", 1, 0);
    assert_int_equal(cloud_zx().recursive_version, 1); /* it is there */
    send_create(other, 1, "/a/b", "x", 0);
    send_create(other, 2, "/c", "x", 0);
    send_set(other, 3, "/a/b", FK_BYTES_LITERAL("y"));
    send_delete(other, 4, "/a/b");
    cloud_settle();
    expect_event(peer, FK_EVENT_CREATED, "/a/b");
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a/b");
    expect_event(peer, FK_EVENT_DELETED, "/a/b");
    assert_true(peer_quiet(peer));
}

static void set_watches2_sets_persistent_ones_too(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    set_watches(peer, FK_OP_SET_WATCHES2, cloud_zx().zxid, NULL, NULL, NULL);
    cloud_settle();
    (void)expect_reply(peer, FK_XID_SET_WATCHES, 0);
    cloud_commit(FK_OP_CREATE, "/persistent", "x");
    cloud_commit(FK_OP_CREATE, "/recursive", "x");
    cloud_commit(FK_OP_CREATE, "/recursive/c", "x");
    cloud_settle();
    expect_event(peer, FK_EVENT_CREATED, "/persistent");
    expect_event(peer, FK_EVENT_CREATED, "/recursive");
    expect_event(peer, FK_EVENT_CREATED, "/recursive/c");
}

/* sync: everything up to the zxid record, events first; what is read after it is at least as new. */
static void sync_waits_for_the_events_up_to_it(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    read_now(peer, 1, FK_OP_GET_DATA, "/a", true, 0);
    cloud_commit(FK_OP_SET_DATA, "/a", "y");
    cloud_commit(FK_OP_CREATE, "/b", "x");
    cloud_lose_messages(0);
    send_sync(peer, 2, "/a");
    cloud_settle();
    assert_true(peer_quiet(peer));
    cloud_pass_ms(cloud.options.hold_ms + 200);
    expect_event(peer, FK_EVENT_DATA_CHANGED, "/a");
    struct fk_reader reader = expect_reply(peer, 2, 0);
    fk_assert_text(fk_read_bytes(&reader), "/a");
    assert_int_equal(replied_zxid, cloud_zx().zxid);
    send_plain(peer, FK_XID_PING, FK_OP_PING);
    cloud_settle();
    (void)expect_reply(peer, FK_XID_PING, 0);
    assert_int_equal(replied_zxid, cloud_zx().zxid);
}

static void what_is_no_path_is_no_node(void **state)
{
    (void)state;
    const char *paths[] = {"/a/", "//", "a", "/a//b", "/a/./b"};
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        read_now(peer, 1, FK_OP_GET_DATA, paths[i], true, FK_CODE_NO_NODE);
        read_now(peer, 2, FK_OP_EXISTS, paths[i], true, FK_CODE_NO_NODE);
    }
    read_now(peer, 3, FK_OP_GET_CHILDREN, "", true, 0); /* ZK: the root */
}

static void a_busy_table_costs_time_only(void **state)
{
    (void)state;
    struct peer *peer = cloud_connect(0, &session);
    cloud_commit(FK_OP_CREATE, "/a", "x");
    cloud.table.fail_reads = FK_ERR_BUSY;
    send_watch(peer, 1, FK_OP_GET_DATA, "/a", true);
    cloud_settle();
    cloud_pass_ms(1000);
    assert_true(peer_quiet(peer));
    cloud.table.fail_reads = FK_OK;
    cloud_pass_ms(1000);
    (void)expect_reply(peer, 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOUD_TEST(a_watch_stands_in_the_record),
        CLOUD_TEST(registering_and_reading_are_one_step),
        CLOUD_TEST(an_unknown_registration_is_read_back),
        CLOUD_TEST(a_watch_is_local_only_where_the_record_lists_the_gateway),
        CLOUD_TEST(a_read_is_repeated_for_an_event_in_flight),
        CLOUD_TEST(a_reply_is_held_for_the_events_before_it),
        CLOUD_TEST(a_missing_node_is_held_for_the_events_before_it),
        CLOUD_TEST(a_missing_node_can_be_watched),
        CLOUD_TEST(a_missing_node_was_missing_at_the_zxid_it_is_told_with),
        CLOUD_TEST(children_are_of_one_moment),
        CLOUD_TEST(a_list_with_a_gap_is_read_again),
        CLOUD_TEST(a_list_that_never_stands_still_is_given_up),
        CLOUD_TEST(a_missing_child_with_a_watch_is_no_child),
        CLOUD_TEST(data_in_items_and_blobs_is_of_its_record),
        CLOUD_TEST(watches_are_set_again_on_another_gateway),
        CLOUD_TEST(catch_up_events_go_before_new_ones),
        CLOUD_TEST(set_watches_is_done_again_for_an_event_in_flight),
        CLOUD_TEST(persistent_watches_stay),
        CLOUD_TEST(recursive_watches_hear_the_subtree),
        CLOUD_TEST(set_watches2_sets_persistent_ones_too),
        CLOUD_TEST(sync_waits_for_the_events_up_to_it),
        CLOUD_TEST(what_is_no_path_is_no_node),
        CLOUD_TEST(a_busy_table_costs_time_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
