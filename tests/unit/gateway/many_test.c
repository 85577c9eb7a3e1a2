// SPDX-License-Identifier: Apache-2.0
/* 100 000 connections that watch one node, its data and its children: what a watch costs, and what an event costs that
 * all of them hear. The gateway is a read-only one, whose sessions need no store. */
#include "base/alloc.h"
#include "driver/memory/clock.h"
#include "driver/memory/store.h"
#include "gateway/gateway.h"
#include "gateway/read.h"
#include "support/test.h"
#include "wire/records.h"

#include <malloc.h>
#include <time.h>

enum {
    MANY = 100000,
    WATCHES_EACH = 2,
    SIZE_MAX_EACH = 300,
    HEADER_SIZE = 32,     /* of each block, by the allocator of the tests */
    FIRE_SECONDS_MAX = 5, /* a few milliseconds; hours, if each event looked at every other watch */
    NODE_EVENT_SIZE = 4 + FK_REPLY_HEADER_SIZE + 12 + 16,
};

static const char node[] = "/zookeeper/quota";

static struct fk_memory_clock clock_port;
static struct fk_memory_random random_port;
static struct fk_store *store;
static struct fk_gateway *gateway;
static struct fk_conn **conns;
static size_t sent_size;
static size_t sent_frames;

static void drain(void)
{
    struct fk_conn *conn = NULL;
    struct fk_job *job = NULL;
    while ((job = fk_gateway_take_job(gateway)) != NULL) {
        fk_job_run(job, store);
        fk_gateway_job_done(gateway, job);
    }
    while ((conn = fk_gateway_take_output(gateway)) != NULL) {
        struct fk_buf *out = fk_conn_output(conn);
        assert_false(fk_conn_closing(conn));
        sent_size += fk_buf_left(out);
        sent_frames++;
        fk_buf_consume(out, fk_buf_left(out));
        fk_gateway_sent(gateway, conn);
    }
}

static void send(struct fk_conn *conn, struct fk_buf *frame)
{
    fk_patch_i32(frame, 0, (int32_t)frame->size - 4);
    assert_false(frame->failed);
    fk_gateway_input(gateway, conn, fk_buf_view(frame));
    fk_buf_deinit(frame);
    drain();
}

static void hello(struct fk_conn *conn)
{
    struct fk_connect_request request = {.timeout_ms = 10000, .read_only = true, .has_read_only = true};
    struct fk_buf frame = FK_BUF_EMPTY;
    fk_write_i32(&frame, 0);
    fk_write_connect_request(&frame, &request);
    send(conn, &frame);
}

static void read_node(struct fk_conn *conn, int32_t op, bool watch)
{
    struct fk_buf frame = FK_BUF_EMPTY;
    fk_write_i32(&frame, 0);
    fk_write_request_header(&frame, &(struct fk_request_header){.xid = 1, .op = op});
    fk_write_watch_request(&frame, &(struct fk_watch_request){fk_bytes_text(node), watch});
    send(conn, &frame);
}

static void read_all(bool watch)
{
    for (size_t i = 0; i < MANY; i++) {
        read_node(conns[i], FK_OP_GET_DATA, watch);
        read_node(conns[i], FK_OP_GET_CHILDREN, watch);
    }
}

/* A change of the node itself, or of its children: each connection gets one event, in time that grows with their
 * number only. */
static void fire_all(int64_t zxid, enum fk_put_kind kind, const char *path)
{
    struct fk_put put = {.kind = kind, .node = {.path = fk_bytes_text(path), .acl = FK_ACL_OPEN}};
    struct fk_change change = {.zxid = zxid, .puts = &put, .count = 1};
    clock_t start = clock();
    sent_size = 0;
    sent_frames = 0;
    fk_gateway_change(gateway, &change);
    drain();
    assert_int_equal(sent_frames, MANY);
    assert_int_equal(sent_size, (size_t)MANY * NODE_EVENT_SIZE);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    print_message("# %d events in %.3f s\n", MANY, seconds);
    assert_true(seconds < FIRE_SECONDS_MAX);
}

static void open_all(void)
{
    for (size_t i = 0; i < MANY; i++) {
        conns[i] = fk_gateway_open(gateway, FK_BYTES_LITERAL("127.0.0.1"), 1, NULL);
        assert_non_null(conns[i]);
        hello(conns[i]);
    }
}

static int setup(void **state)
{
    int result = fk_test_begin(state);
    struct fk_gateway_options options = {
        .tick_ms = 2000, .session_timeout_min_ms = 4000, .session_timeout_max_ms = 40000, .read_only = true};
    fk_memory_clock_init(&clock_port, 1000);
    fk_memory_random_init(&random_port, 1);
    store = fk_memory_store_new();
    gateway = fk_gateway_new(&options, store, NULL, &clock_port.base, &random_port.base);
    conns = (struct fk_conn **)fk_alloc(MANY * sizeof(struct fk_conn *));
    return store == NULL || gateway == NULL || conns == NULL ? -1 : result;
}

static int teardown(void **state)
{
    fk_gateway_free(gateway);
    fk_store_free(store);
    fk_free(conns);
    return fk_test_end(state);
}

static void a_hundred_thousand_connections_watch_one_node(void **state)
{
    (void)state;
    open_all();
    read_all(false); /* what reading needs is there already */
    size_t blocks = fk_test_blocks();
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    read_all(true);
    size_t used = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    if (mallinfo2().uordblks > 0) { /* a sanitizer's allocator does not tell sizes */
        used -= (fk_test_blocks() - blocks) * HEADER_SIZE;
        print_message("# %zu bytes for each of %d watches\n", used / MANY / WATCHES_EACH, MANY * WATCHES_EACH);
        assert_true(used / MANY / WATCHES_EACH <= SIZE_MAX_EACH);
    }
    fire_all(1, FK_PUT_DATA, node);
    fire_all(2, FK_PUT_CREATE, "/zookeeper/quota/a");
    sent_frames = 0;
    struct fk_put put = {.kind = FK_PUT_DATA, .node = {.path = fk_bytes_text(node), .acl = FK_ACL_OPEN}};
    fk_gateway_change(gateway, &(struct fk_change){.zxid = 3, .puts = &put, .count = 1});
    drain();
    assert_int_equal(sent_frames, 0); /* once */
    for (size_t i = 0; i < MANY; i++) {
        fk_gateway_gone(gateway, conns[i]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_hundred_thousand_connections_watch_one_node, setup, teardown),
};

FK_TEST_MAIN(tests)
