// SPDX-License-Identifier: Apache-2.0
/* One script of requests, with each allocation failing in turn: a request is answered in its order, or its connection
 * ends. Nothing is lost in silence, and nothing leaks. */
#include "world.h"

enum {
    FRAMES_MAX = 32,
    INPUT_SIZE = 64 * 1024,
};

/* A frame of the script, with the xid of its reply. */
struct step {
    struct fk_bytes frame;
    int32_t xid;
};

static struct step steps[FRAMES_MAX];
static size_t step_count;

/* Takes what `request_begin` and its like have written as the next step. */
static void take(struct fk_buf *frame, int32_t xid)
{
    fk_patch_i32(frame, 0, (int32_t)frame->size - 4);
    assert_false(frame->failed);
    assert_true(step_count < FRAMES_MAX);
    steps[step_count++] = (struct step){fk_arena_copy(&world.arena, fk_buf_view(frame)), xid};
    fk_buf_deinit(frame);
}

static void write_strings(struct fk_buf *buf, const char *text)
{
    fk_write_i32(buf, 1);
    fk_write_bytes(buf, fk_bytes_text(text));
}

static void script_multi(int32_t xid)
{
    struct fk_buf *buf = request_begin(xid, FK_OP_MULTI);
    for (int i = 0; i < 20; i++) {
        struct fk_create_request create = {.path = fk_bytes_text("/a/s"), .acl = FK_ACL_READ, .flags = 3};
        fk_write_multi_header(buf, &(struct fk_multi_header){FK_OP_CREATE, false, -1});
        fk_write_create_request(buf, &create);
    }
    fk_write_multi_header(buf, &(struct fk_multi_header){-1, true, -1});
    take(buf, xid);
}

static void script_watches(int32_t xid, int32_t op, const char *path)
{
    struct fk_buf *buf = request_begin(xid, op);
    fk_write_watch_request(buf, &(struct fk_watch_request){.path = fk_bytes_text(path), .watch = true});
    take(buf, xid);
}

static void script_newer(void)
{
    struct fk_buf *buf = request_begin(20, FK_OP_ADD_WATCH);
    fk_write_watcher_request(buf, &(struct fk_watcher_request){fk_bytes_text("/a"), FK_WATCH_MODE_RECURSIVE});
    take(buf, 20);
    buf = request_begin(FK_XID_SET_WATCHES, FK_OP_SET_WATCHES2);
    fk_write_i64(buf, 0);
    for (int i = 0; i < 5; i++) {
        write_strings(buf, "/b");
    }
    take(buf, FK_XID_SET_WATCHES);
    buf = request_begin(21, FK_OP_MULTI_READ);
    for (int i = 0; i < 2; i++) {
        fk_write_multi_header(buf, &(struct fk_multi_header){i == 0 ? FK_OP_GET_DATA : FK_OP_GET_CHILDREN, false, -1});
        fk_write_watch_request(buf, &(struct fk_watch_request){fk_bytes_text("/a"), false});
    }
    fk_write_multi_header(buf, &(struct fk_multi_header){-1, true, -1});
    take(buf, 21);
    buf = request_begin(22, FK_OP_WHO_AM_I);
    take(buf, 22);
    buf = request_begin(23, FK_OP_GET_EPHEMERALS);
    fk_write_bytes(buf, fk_bytes_text("/"));
    take(buf, 23);
    buf = request_begin(24, FK_OP_GET_ALL_CHILDREN_NUMBER);
    fk_write_bytes(buf, fk_bytes_text("/a"));
    take(buf, 24);
    buf = request_begin(25, FK_OP_REMOVE_WATCHES);
    fk_write_watcher_request(buf, &(struct fk_watcher_request){fk_bytes_text("/a"), FK_WATCHER_ANY});
    take(buf, 25);
}

static void write_script(void)
{
    struct fk_create_request create = {.path = fk_bytes_text("/a"), .acl = FK_ACL_OPEN};
    struct fk_set_data_request set = {.path = fk_bytes_text("/a"), .data = fk_bytes_text("x"), .version = -1};
    step_count = 0;
    struct fk_buf *buf = request_begin(FK_XID_AUTH, FK_OP_AUTH);
    fk_write_auth_request(buf, &(struct fk_auth_request){0, fk_bytes_text("digest"), fk_bytes_text("u:p")});
    take(buf, FK_XID_AUTH);
    buf = request_begin(1, FK_OP_CREATE2);
    fk_write_create_request(buf, &create);
    take(buf, 1);
    script_watches(2, FK_OP_GET_DATA, "/a");
    script_watches(3, FK_OP_GET_CHILDREN2, "/a");
    buf = request_begin(4, FK_OP_SET_DATA);
    fk_write_set_data_request(buf, &set);
    take(buf, 4);
    buf = request_begin(FK_XID_SET_WATCHES, FK_OP_SET_WATCHES);
    fk_write_i64(buf, 0);
    write_strings(buf, "/a");
    write_strings(buf, "/missing");
    write_strings(buf, "/a");
    take(buf, FK_XID_SET_WATCHES);
    script_newer();
    script_multi(5);
    script_watches(6, FK_OP_GET_CHILDREN, "/a");
    buf = request_begin(7, FK_OP_SYNC);
    fk_write_bytes(buf, fk_bytes_text("/a"));
    take(buf, 7);
    (void)request_begin(FK_XID_PING, FK_OP_PING);
    take(buf, FK_XID_PING);
    (void)request_begin(8, FK_OP_CLOSE_SESSION);
    take(buf, 8);
}

/* Checks the replies that came against the order of the requests; gives their number. */
static size_t check_replies(struct peer *peer)
{
    size_t count = 0;
    (void)peer_frame(peer); /* the welcome */
    for (struct fk_bytes frame = peer_frame(peer); frame.data != NULL; frame = peer_frame(peer)) {
        struct fk_reader reader = fk_reader_of(frame);
        struct fk_reply_header header;
        fk_read_reply_header(&reader, &header);
        assert_false(reader.failed);
        if (header.xid == FK_XID_NOTIFICATION) {
            continue;
        }
        assert_true(count < step_count);
        assert_int_equal(header.xid, steps[count].xid);
        count++;
    }
    return count;
}

/* Runs the script; the nth allocation fails. True where one did. */
static bool run_script(uint64_t nth, bool pipelined, const struct fk_bytes hello)
{
    struct peer *peer = peer_open("10.0.0.1");
    (void)fk_buf_reserve(&peer->in, INPUT_SIZE);
    fk_test_fail_alloc(nth);
    peer_send(peer, hello);
    for (size_t i = 0; i < step_count; i++) {
        if (!pipelined) {
            world_settle();
        }
        peer_send(peer, steps[i].frame);
    }
    world_settle();
    bool failed = fk_test_alloc_failed();
    fk_test_fail_alloc(0);
    if (!peer_closed(peer)) {
        world_pass_ms(8000 + 2 * WORLD_TICK_MS); /* an answer that got lost: the session expires */
    }
    size_t count = check_replies(peer);
    if (!peer_closed(peer)) {
        fail_msg("allocation %llu: %zu of %zu requests answered, and the connection is open", (unsigned long long)nth,
                 count, step_count);
    }
    assert_true(failed || count == step_count);
    peer_hang_up(peer);
    return failed;
}

static void run_all(bool pipelined)
{
    static uint8_t hello[64];
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_connect_request request = {.timeout_ms = 8000, .has_read_only = true};
    fk_write_i32(&buf, 29);
    fk_write_connect_request(&buf, &request);
    size_t size = buf.size;
    assert_int_equal(size, 4 + 29);
    memcpy(hello, buf.data, size);
    fk_buf_deinit(&buf); /* each round ends with a look for leaks */
    uint64_t nth = 1;
    bool failed = true;
    while (failed) {
        write_script();
        failed = run_script(nth++, pipelined, fk_bytes_of(hello, size));
        void *state = NULL;
        assert_int_equal(world_teardown(&state), 0);
        assert_int_equal(world_setup(&state), 0);
        assert_true(nth < 2000);
    }
    print_message("# %llu allocations\n", (unsigned long long)nth - 2);
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    run_all(false);
}

static void each_allocation_fails_once_with_all_requests_at_once(void **state)
{
    (void)state;
    run_all(true);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(each_allocation_fails_once),
    WORLD_TEST(each_allocation_fails_once_with_all_requests_at_once),
};

FK_TEST_MAIN(tests)
