// SPDX-License-Identifier: Apache-2.0
/* The client against a peer that is told what to say. */
#include "sim/client.h"

#include "sim/body.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    TIMEOUT_MS = 6000,
    PORTS = 2,
    SESSION = 77,
};

/* What the peer does, and what it has heard. */
static struct {
    bool mute;    /* says nothing to requests and pings */
    bool expire;  /* refuses sessions */
    int32_t code; /* of its replies */
    int64_t zxid; /* of its next reply */
    int pings;
    int requests;
    int connects;
    struct fk_connect_request connect; /* the last one; the password is not kept */
    uint8_t password[16];
    int32_t watches_op; /* of the last setWatches; 0: none */
    uint8_t watches[256];
    size_t watches_size;
    int auths;
} peer;

static struct sim_world *world;
static struct sim_process *server;
static struct sim_net *net;
static struct sim_history history;
static struct sim_client *client;
static struct sim_link *last_link;

static struct side {
    struct fk_buf in;
    bool shaken;
} sides[32];
static size_t side_count;

static void answer(struct sim_link *link, struct fk_buf *out)
{
    fk_patch_i32(out, 0, (int32_t)(out->size - 4));
    assert_int_equal(sim_link_send(link, SIM_SERVER, fk_buf_view(out)), out->size);
    fk_buf_deinit(out);
}

static void shake(struct sim_link *link, struct fk_bytes frame)
{
    static const uint8_t password[16] = "0123456789abcdef";
    struct fk_buf out = FK_BUF_EMPTY;
    struct fk_reader reader = fk_reader_of(frame);
    fk_read_connect_request(&reader, &peer.connect);
    assert_false(reader.failed);
    memcpy(peer.password, peer.connect.password.data, sizeof peer.password);
    peer.connects++;
    fk_write_i32(&out, 0);
    fk_write_connect_response(&out, &(struct fk_connect_response){.timeout_ms = peer.expire ? 0 : TIMEOUT_MS,
                                                                  .session_id = peer.expire ? 0 : SESSION,
                                                                  .password = fk_bytes_of(password, 16),
                                                                  .has_read_only = true});
    answer(link, &out);
}

static void serve(struct sim_link *link, struct fk_bytes frame)
{
    struct fk_buf out = FK_BUF_EMPTY;
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_request_header header;
    fk_read_request_header(&reader, &header);
    peer.pings += header.op == FK_OP_PING;
    peer.auths += header.op == FK_OP_AUTH;
    peer.requests += header.xid > 0;
    if (header.xid == FK_XID_SET_WATCHES) {
        peer.watches_op = header.op;
        peer.watches_size = reader.left;
        memcpy(peer.watches, reader.at, reader.left);
    }
    if (!peer.mute) {
        fk_write_i32(&out, 0);
        fk_write_reply_header(&out, &(struct fk_reply_header){
                                        .xid = header.xid, .zxid = peer.zxid, .code = header.xid > 0 ? peer.code : 0});
        answer(link, &out);
    }
}

static void on_bytes(void *owner, struct sim_link *link, struct fk_bytes bytes)
{
    struct side *side = (struct side *)owner;
    fk_buf_append(&side->in, bytes);
    while (fk_buf_left(&side->in) >= 4) {
        struct fk_bytes input = fk_buf_view(&side->in);
        size_t size = fk_load_u32(input.data);
        if (input.size < 4 + size) {
            return;
        }
        (side->shaken ? serve : shake)(link, fk_bytes_of(input.data + 4, size));
        side->shaken = true;
        fk_buf_consume(&side->in, 4 + size);
    }
}

static void on_nothing(void *owner, struct sim_link *link)
{
    (void)owner;
    (void)link;
}

static bool on_accept(void *owner, struct sim_link *link, struct sim_endpoint *end)
{
    (void)owner;
    assert_true(side_count < sizeof sides / sizeof *sides);
    struct side *side = &sides[side_count++];
    *side = (struct side){.in = FK_BUF_EMPTY};
    last_link = link;
    *end = (struct sim_endpoint){
        .process = server, .owner = side, .bytes = on_bytes, .room = on_nothing, .gone = on_nothing};
    return true;
}

static void run(int64_t ms)
{
    assert_true(sim_world_run(world, sim_now_ns(world) + ms * SIM_MS));
}

static int set_up(void **state)
{
    (void)state;
    memset(&peer, 0, sizeof peer);
    side_count = 0;
    world = sim_world_new(3);
    sim_history_init(&history);
    struct sim_net_options options = {.latency_min_ns = 1000, .latency_max_ns = SIM_MS, .split_per_million = 300000};
    net = sim_net_new(world, &options);
    server = sim_process_new(world, "server");
    for (int port = 0; port < PORTS; port++) {
        sim_net_listen(net, port, server, port + 1, on_accept, NULL);
    }
    struct sim_client_options like = {.world = world,
                                      .net = net,
                                      .history = &history,
                                      .number = 1,
                                      .ports = PORTS,
                                      .timeout_ms = TIMEOUT_MS,
                                      .seed = 5};
    client = sim_client_new(sim_process_new(world, "client"), &like);
    peer.zxid = 9;
    sim_client_start(client, 0);
    run(10);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_net_free(net);
    sim_history_deinit(&history);
    sim_world_free(world);
    return 0;
}

static struct sim_request *ask(int32_t op, const char *path, bool watch)
{
    struct fk_buf body = FK_BUF_EMPTY;
    if (op == FK_OP_ADD_WATCH) {
        sim_body_add_watch(&body, path, watch);
    } else {
        sim_body_read(&body, path, watch);
    }
    struct sim_request *request = sim_client_send(client, op, fk_buf_view(&body));
    fk_buf_deinit(&body);
    return request;
}

/* A read with a watch, answered with this code. */
static void watch(int32_t op, const char *path, int32_t code)
{
    peer.code = code;
    struct sim_request *request = ask(op, path, true);
    run(20);
    assert_true(request->done && !request->lost);
    sim_request_done(request);
}

static void event(int32_t type, const char *path)
{
    struct fk_buf out = FK_BUF_EMPTY;
    fk_write_i32(&out, 0);
    fk_write_reply_header(&out, &(struct fk_reply_header){.xid = FK_XID_NOTIFICATION, .zxid = 50});
    fk_write_watcher_event(&out, &(struct fk_watcher_event){.type = type, .state = 3, .path = fk_bytes_text(path)});
    answer(last_link, &out);
    run(20);
}

static unsigned kinds(const char *path)
{
    return sim_client_watches(client, fk_bytes_text(path));
}

static void a_new_session(void **state)
{
    (void)state;
    assert_int_equal(sim_client_state(client), SIM_CLIENT_READY);
    assert_int_equal(peer.connect.session_id, 0);
    assert_int_equal(peer.connect.last_zxid_seen, 0);
    assert_int_equal(peer.connect.timeout_ms, TIMEOUT_MS);
    assert_int_equal(sim_client_session(client), SESSION);
    assert_int_equal(peer.watches_op, 0);
    assert_int_equal(history.records[0].kind, SIM_RECORD_CONNECT);
    assert_int_equal(history.records[1].kind, SIM_RECORD_ACCEPTED);
}

static void pings_at_a_third(void **state)
{
    (void)state;
    run(TIMEOUT_MS / 3 - 100);
    assert_int_equal(peer.pings, 0);
    run(200);
    assert_int_equal(peer.pings, 1);
    run(10 * TIMEOUT_MS);
    assert_in_range(peer.pings, 30, 32);
    assert_int_equal(peer.connects, 1);
}

static void a_silent_server_is_left(void **state)
{
    (void)state;
    watch(FK_OP_GET_DATA, "/a", FK_CODE_OK);
    peer.mute = true;
    struct sim_request *request = ask(FK_OP_GET_DATA, "/b", false);
    run(TIMEOUT_MS * 2 / 3 - 200);
    assert_false(request->done);
    assert_int_equal(sim_client_port(client), 0);
    peer.mute = false;
    run(1500);
    assert_true(request->done && request->lost);
    sim_request_done(request);
    assert_int_equal(sim_client_port(client), 1);
    assert_int_equal(peer.connect.session_id, SESSION);
    assert_int_equal(peer.connect.last_zxid_seen, 9);
    assert_memory_equal(peer.password, "0123456789abcdef", 16);
    assert_int_equal(peer.watches_op, FK_OP_SET_WATCHES);
    assert_int_equal(sim_client_state(client), SIM_CLIENT_READY);
}

static void watches_are_set_again(void **state)
{
    (void)state;
    watch(FK_OP_GET_DATA, "/a", FK_CODE_OK);
    watch(FK_OP_EXISTS, "/b", FK_CODE_NO_NODE);
    watch(FK_OP_GET_CHILDREN, "/c", FK_CODE_OK);
    watch(FK_OP_GET_CHILDREN2, "/d", FK_CODE_NO_NODE); /* no watch */
    peer.zxid = 12;
    watch(FK_OP_ADD_WATCH, "/e", FK_CODE_OK);
    sim_client_move(client, 1);
    run(20);
    struct fk_reader reader = fk_reader_of(fk_bytes_of(peer.watches, peer.watches_size));
    static const char *const LISTS[] = {"/a", "/b", "/c", NULL, "/e"};
    assert_int_equal(peer.watches_op, FK_OP_SET_WATCHES2);
    assert_int_equal(fk_read_i64(&reader), 12);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(fk_read_i32(&reader), LISTS[i] != NULL);
        if (LISTS[i] != NULL) {
            assert_true(fk_bytes_equal_text(fk_read_bytes(&reader), LISTS[i]));
        }
    }
    assert_true(!reader.failed && reader.left == 0);
}

static void events_use_watches_up(void **state)
{
    (void)state;
    watch(FK_OP_GET_DATA, "/a", FK_CODE_OK);
    watch(FK_OP_GET_CHILDREN, "/a", FK_CODE_OK);
    watch(FK_OP_ADD_WATCH, "/a", FK_CODE_OK);
    assert_int_equal(kinds("/a"), SIM_WATCH_DATA | SIM_WATCH_CHILD | SIM_WATCH_RECURSIVE);
    event(FK_EVENT_CHILDREN_CHANGED, "/a");
    assert_int_equal(kinds("/a"), SIM_WATCH_DATA | SIM_WATCH_RECURSIVE);
    event(FK_EVENT_DATA_CHANGED, "/a/b");
    event(FK_EVENT_DELETED, "/a");
    assert_int_equal(kinds("/a"), SIM_WATCH_RECURSIVE);
    assert_int_equal(sim_client_events(client), 3);
    sim_client_move(client, 1);
    run(20);
    assert_int_equal(peer.connect.last_zxid_seen, 9); /* events do not count */
}

static void an_expired_session(void **state)
{
    (void)state;
    watch(FK_OP_GET_DATA, "/a", FK_CODE_OK);
    peer.expire = true;
    sim_client_move(client, -1);
    run(20);
    assert_int_equal(sim_client_state(client), SIM_CLIENT_EXPIRED);
    assert_int_equal(kinds("/a"), 0);
    struct sim_request *request = ask(FK_OP_GET_DATA, "/a", false);
    assert_true(request->done && request->lost);
    sim_request_done(request);
    run(10 * TIMEOUT_MS);
    assert_int_equal(peer.connects, 2);
}

static void a_frozen_client(void **state)
{
    (void)state;
    sim_client_freeze(client, true);
    run(TIMEOUT_MS * 2);
    assert_int_equal(peer.pings, 0);
    sim_client_freeze(client, false);
    run(1500);
    assert_int_equal(peer.connects, 2);
    assert_int_equal(sim_client_state(client), SIM_CLIENT_READY);
}

static void closing(void **state)
{
    (void)state;
    struct sim_request *request = sim_client_send(client, FK_OP_CLOSE_SESSION, FK_BYTES_NULL);
    assert_int_equal(sim_client_state(client), SIM_CLIENT_CLOSING);
    run(20);
    assert_true(request->done && !request->lost);
    sim_request_done(request);
    assert_int_equal(sim_client_state(client), SIM_CLIENT_CLOSED);
    assert_null(sim_client_link(client));
}

static void identities_go_along(void **state)
{
    (void)state;
    sim_client_auth(client, "alice:1");
    sim_client_auth(client, "bob:2");
    run(20);
    assert_int_equal(peer.auths, 2);
    sim_client_move(client, 1);
    run(20);
    assert_int_equal(peer.auths, 4);
}

static void another_process_takes_the_session(void **state)
{
    (void)state;
    struct sim_client_options like = {.world = world,
                                      .net = net,
                                      .history = &history,
                                      .number = 2,
                                      .ports = PORTS,
                                      .timeout_ms = TIMEOUT_MS,
                                      .seed = 6};
    struct sim_client *second = sim_client_new(sim_process_new(world, "second"), &like);
    watch(FK_OP_GET_DATA, "/a", FK_CODE_OK);
    sim_client_adopt(second, client, true);
    sim_client_start(second, 1);
    run(20);
    assert_int_equal(peer.connect.session_id, SESSION);
    assert_int_equal(peer.connect.last_zxid_seen, 9);
    assert_int_equal(peer.watches_op, 0); /* watches are the process's, not the session's */
    assert_memory_equal(peer.password, "0123456789abcdef", 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pings_at_a_third, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_silent_server_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(watches_are_set_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_use_watches_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_expired_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frozen_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(identities_go_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_process_takes_the_session, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
