// SPDX-License-Identifier: Apache-2.0
#include "units/cases.h"

#include "base/alloc.h"
#include "function/sweep.h"

#include <stdio.h>

enum {
    PATH_MAX_SIZE = 64,
    CHILDREN = 100,
    MULTI = 10,
    MINUTE_MS = 60 * 1000,
    MINUTE_PINGS = 12,
    WARM = 20, /* writes before the one that is measured: the session's record is as it usually is */
};

static struct peer *client(struct units_world *world)
{
    return &world->peers[0];
}

/* A reply without an error. */
static void done(struct units_world *world, struct peer *peer, int32_t xid)
{
    units_settle(world);
    (void)expect_reply(peer, xid, FK_CODE_OK);
}

static struct fk_bytes bytes_of(struct units_world *world, size_t size)
{
    uint8_t *bytes = (uint8_t *)fk_arena_alloc(&world->arena, size + 1);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    return fk_bytes_of(bytes, size);
}

static void create_sized(struct units_world *world, const char *path, size_t size, int32_t flags)
{
    struct fk_create_request request = {
        .path = fk_bytes_text(path), .data = bytes_of(world, size), .acl = FK_ACL_OPEN, .flags = flags};
    fk_write_create_request(request_begin(1, FK_OP_CREATE), &request);
    request_end(client(world));
    done(world, client(world), 1);
}

static void create(struct units_world *world, const char *path)
{
    create_sized(world, path, 100, 0);
}

static void set_sized(struct units_world *world, size_t size)
{
    send_set(client(world), 1, "/app/config", bytes_of(world, size));
    done(world, client(world), 1);
}

/* The tree of all cases, and a session that has written before; what it wrote is acknowledged. */
static void prepare(struct units_world *world)
{
    create(world, "/app");
    create(world, "/app/config");
    for (int i = 0; i < WARM; i++) {
        set_sized(world, 100);
    }
}

static void prepare_sized(struct units_world *world, size_t size)
{
    prepare(world);
    set_sized(world, size);
}

/* --- reads --- */

static void watch_request(struct units_world *world, int32_t op, const char *path, bool watch)
{
    send_watch(client(world), 1, op, path, watch);
    units_settle(world);
}

static void get(struct units_world *world)
{
    watch_request(world, FK_OP_GET_DATA, "/app/config", false);
}

static void get_watch(struct units_world *world)
{
    watch_request(world, FK_OP_GET_DATA, "/app/config", true);
}

static void exists(struct units_world *world)
{
    watch_request(world, FK_OP_EXISTS, "/app/config", false);
}

static void exists_missing(struct units_world *world)
{
    watch_request(world, FK_OP_EXISTS, "/app/missing", false);
}

static void exists_missing_watch(struct units_world *world)
{
    watch_request(world, FK_OP_EXISTS, "/app/missing", true);
}

static void children(struct units_world *world)
{
    watch_request(world, FK_OP_GET_CHILDREN2, "/app", false);
}

static void no_node(struct units_world *world)
{
    (void)expect_reply(client(world), 1, FK_CODE_NO_NODE);
}

static void ok(struct units_world *world)
{
    (void)expect_reply(client(world), 1, FK_CODE_OK);
}

static void prepare_watched(struct units_world *world)
{
    prepare(world);
    get_watch(world);
    ok(world);
}

static void prepare_1k(struct units_world *world)
{
    prepare_sized(world, 1024);
}

static void prepare_2k(struct units_world *world)
{
    prepare_sized(world, 2 * 1024);
}

static void prepare_8k(struct units_world *world)
{
    prepare_sized(world, 8 * 1024);
}

static void prepare_100k(struct units_world *world)
{
    prepare_sized(world, 100 * 1024);
}

static void prepare_children(struct units_world *world)
{
    char path[PATH_MAX_SIZE];
    prepare(world);
    for (int i = 0; i < CHILDREN; i++) {
        (void)snprintf(path, sizeof path, "/app/member-%04d", i);
        create(world, path);
    }
}

static void sync_path(struct units_world *world)
{
    send_sync(client(world), 1, "/app");
    units_settle(world);
}

static void ping(struct units_world *world)
{
    send_plain(client(world), FK_XID_PING, FK_OP_PING);
    done(world, client(world), FK_XID_PING);
}

static void add_auth(struct units_world *world)
{
    send_auth(client(world), "digest", "user:word");
    done(world, client(world), FK_XID_AUTH);
}

static void get_acl(struct units_world *world)
{
    fk_write_bytes(request_begin(1, FK_OP_GET_ACL), FK_BYTES_LITERAL("/app/config"));
    request_end(client(world));
    units_settle(world);
}

static void get_ephemerals(struct units_world *world)
{
    fk_write_bytes(request_begin(1, FK_OP_GET_EPHEMERALS), FK_BYTES_LITERAL("/"));
    request_end(client(world));
    units_settle(world);
}

static void all_children_number(struct units_world *world)
{
    fk_write_bytes(request_begin(1, FK_OP_GET_ALL_CHILDREN_NUMBER), FK_BYTES_LITERAL("/app"));
    request_end(client(world));
    units_settle(world);
}

static void multi_read(struct units_world *world)
{
    struct fk_buf *frame = request_begin(1, FK_OP_MULTI_READ);
    const char *const paths[] = {"/app", "/app/config"};
    for (size_t i = 0; i < 2; i++) {
        fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_GET_DATA, false, -1});
        fk_write_watch_request(frame, &(struct fk_watch_request){fk_bytes_text(paths[i]), false});
    }
    fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
    request_end(client(world));
    units_settle(world);
}

static void add_watch(struct units_world *world, int32_t mode)
{
    struct fk_watcher_request request = {.path = FK_BYTES_LITERAL("/app"), .kind = mode};
    fk_write_watcher_request(request_begin(1, FK_OP_ADD_WATCH), &request);
    request_end(client(world));
    units_settle(world);
}

static void add_persistent(struct units_world *world)
{
    add_watch(world, FK_WATCH_MODE_PERSISTENT);
}

static void add_recursive(struct units_world *world)
{
    add_watch(world, FK_WATCH_MODE_RECURSIVE);
}

/* --- writes --- */

static void create_node(struct units_world *world)
{
    create(world, "/app/new");
}

static void create_1k(struct units_world *world)
{
    create_sized(world, "/app/new", 1024, 0);
}

static void create_below(struct units_world *world)
{
    create(world, "/app/config/new");
}

static void create_ephemeral(struct units_world *world)
{
    create_sized(world, "/app/new", 100, FK_CREATE_EPHEMERAL);
}

static void create_sequential(struct units_world *world)
{
    create_sized(world, "/app/new-", 100, FK_CREATE_SEQUENTIAL);
}

static void create_both(struct units_world *world)
{
    create_sized(world, "/app/new-", 100, FK_CREATE_SEQUENTIAL | FK_CREATE_EPHEMERAL);
}

static void create_exists(struct units_world *world)
{
    send_create(client(world), 1, "/app/config", "x", 0);
    units_settle(world);
    (void)expect_reply(client(world), 1, FK_CODE_NODE_EXISTS);
}

static void create_container(struct units_world *world)
{
    struct fk_create_request request = {
        .path = FK_BYTES_LITERAL("/app/new"), .data = FK_BYTES_LITERAL("x"), .acl = FK_ACL_OPEN, .flags = 4};
    fk_write_create_request(request_begin(1, FK_OP_CREATE_CONTAINER), &request);
    request_end(client(world));
    done(world, client(world), 1);
}

static void quota_of(struct units_world *world, const char *place, const char *limits, const char *stats)
{
    prepare(world);
    create(world, place);
    send_create(client(world), 1, limits, "count=100000,bytes=-1", 0);
    done(world, client(world), 1);
    create(world, stats);
}

static void prepare_quota(struct units_world *world)
{
    quota_of(world, "/zookeeper/quota/app", "/zookeeper/quota/app/zookeeper_limits",
             "/zookeeper/quota/app/zookeeper_stats");
}

static void prepare_quota_elsewhere(struct units_world *world)
{
    quota_of(world, "/zookeeper/quota/other", "/zookeeper/quota/other/zookeeper_limits",
             "/zookeeper/quota/other/zookeeper_stats");
}

static void delete_node(struct units_world *world)
{
    send_delete(client(world), 1, "/app/config");
    done(world, client(world), 1);
}

static void set_100(struct units_world *world)
{
    set_sized(world, 100);
}

static void set_400(struct units_world *world)
{
    set_sized(world, 400);
}

static void set_1k(struct units_world *world)
{
    set_sized(world, 1024);
}

static void set_2k(struct units_world *world)
{
    set_sized(world, 2 * 1024);
}

static void set_8k(struct units_world *world)
{
    set_sized(world, 8 * 1024);
}

static void set_100k(struct units_world *world)
{
    set_sized(world, 100 * 1024);
}

static void set_1m(struct units_world *world)
{
    set_sized(world, 0xfffff - 64);
}

static void set_acl(struct units_world *world)
{
    struct fk_set_acl_request request = {.path = FK_BYTES_LITERAL("/app/config"), .acl = FK_ACL_OPEN, .version = -1};
    fk_write_set_acl_request(request_begin(1, FK_OP_SET_ACL), &request);
    request_end(client(world));
    done(world, client(world), 1);
}

/* Ends a watch's event too. */
static void set_watched(struct units_world *world)
{
    send_set(client(world), 1, "/app/config", bytes_of(world, 100));
    units_settle(world);
    expect_event(client(world), FK_EVENT_DATA_CHANGED, "/app/config");
    (void)expect_reply(client(world), 1, FK_CODE_OK);
}

static void prepare_event(struct units_world *world)
{
    prepare_watched(world);
    set_watched(world);
}

/* `count` sets of different nodes by one client, in one piece. */
static void send_sets(struct units_world *world, struct peer *peer, int first, int count)
{
    char path[PATH_MAX_SIZE];
    struct fk_buf frames = FK_BUF_EMPTY;
    for (int i = 0; i < count; i++) {
        size_t start = frames.size;
        (void)snprintf(path, sizeof path, "/app/member-%04d", first + i);
        fk_write_i32(&frames, 0);
        fk_write_request_header(&frames, &(struct fk_request_header){.xid = i + 1, .op = FK_OP_SET_DATA});
        fk_write_set_data_request(
            &frames,
            &(struct fk_set_data_request){.path = fk_bytes_text(path), .data = bytes_of(world, 400), .version = -1});
        fk_patch_i32(&frames, start, (int32_t)(frames.size - start) - 4);
    }
    assert_false(frames.failed);
    peer_send(peer, fk_buf_view(&frames));
    fk_buf_deinit(&frames);
}

static void replies(struct peer *peer, int count)
{
    for (int i = 0; i < count; i++) {
        (void)expect_reply(peer, i + 1, FK_CODE_OK);
    }
}

static void prepare_batch(struct units_world *world)
{
    struct fk_connect_response response;
    prepare_children(world);
    (void)units_connect(world, 0, NULL, &response);
    send_sets(world, &world->peers[1], 50, 7);
    units_settle(world);
    replies(&world->peers[1], 7);
}

static void seven_sets(struct units_world *world)
{
    send_sets(world, client(world), 0, 7);
    units_settle(world);
    replies(client(world), 7);
}

static void ten_sets(struct units_world *world)
{
    send_sets(world, client(world), 0, 5);
    send_sets(world, &world->peers[1], 5, 5);
    units_settle(world);
    replies(client(world), 5);
    replies(&world->peers[1], 5);
}

static void multi_sets(struct units_world *world)
{
    char path[PATH_MAX_SIZE];
    struct fk_buf *frame = request_begin(1, FK_OP_MULTI);
    for (int i = 0; i < MULTI; i++) {
        (void)snprintf(path, sizeof path, "/app/member-%04d", i);
        fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_SET_DATA, false, -1});
        fk_write_set_data_request(frame, &(struct fk_set_data_request){
                                             .path = fk_bytes_text(path), .data = bytes_of(world, 100), .version = -1});
    }
    fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
    request_end(client(world));
    done(world, client(world), 1);
}

static void multi_check(struct units_world *world)
{
    struct fk_buf *frame = request_begin(1, FK_OP_MULTI);
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_CHECK, false, -1});
    fk_write_version_request(frame, &(struct fk_version_request){FK_BYTES_LITERAL("/app"), -1});
    fk_write_multi_header(frame, &(struct fk_multi_header){FK_OP_SET_DATA, false, -1});
    fk_write_set_data_request(frame, &(struct fk_set_data_request){.path = FK_BYTES_LITERAL("/app/config"),
                                                                   .data = bytes_of(world, 100),
                                                                   .version = -1});
    fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
    request_end(client(world));
    done(world, client(world), 1);
}

/* --- sessions --- */

static void session_new(struct units_world *world)
{
    struct fk_connect_response response;
    (void)units_connect(world, 0, NULL, &response);
}

static void session_close(struct units_world *world)
{
    send_plain(client(world), 1, FK_OP_CLOSE_SESSION);
    done(world, client(world), 1);
}

static void prepare_ephemerals(struct units_world *world)
{
    char path[PATH_MAX_SIZE];
    prepare(world);
    for (int i = 0; i < MULTI; i++) {
        (void)snprintf(path, sizeof path, "/app/e-%d", i);
        create_sized(world, path, 100, FK_CREATE_EPHEMERAL);
    }
}

static struct fk_connect_response session;

static void prepare_attach(struct units_world *world)
{
    units_add_gateway(world);
    struct peer *peer = units_connect(world, 0, NULL, &session);
    peer_hang_up(peer);
}

static void session_attach(struct units_world *world)
{
    struct fk_connect_response response;
    (void)units_connect(world, 1, &session, &response);
}

static void prepare_expire(struct units_world *world)
{
    prepare(world);
    peer_hang_up(client(world));
    units_pass_ms(world, 7900); /* a renewal and a sweep */
}

/* Its time is over: 8 s. The next renewal is 2 s away. */
static void session_expire(struct units_world *world)
{
    units_pass_ms(world, 300);
}

/* --- what a gateway does by itself --- */

/* Nobody asks for anything, but clients keep their sessions. */
static void idle_minute(struct units_world *world)
{
    for (int i = 0; i < MINUTE_PINGS; i++) {
        for (size_t peer = 0; peer < world->peer_count; peer++) {
            send_plain(&world->peers[peer], FK_XID_PING, FK_OP_PING);
        }
        units_settle(world);
        for (size_t peer = 0; peer < world->peer_count; peer++) {
            (void)expect_reply(&world->peers[peer], FK_XID_PING, FK_CODE_OK);
        }
        units_pass_ms(world, MINUTE_MS / MINUTE_PINGS);
    }
}

/* What was new is known. */
static void prepare_idle(struct units_world *world)
{
    prepare(world);
    idle_minute(world);
}

/* 64 clients, each of which has written: as many as the figure of the requirements names. */
static void prepare_clients(struct units_world *world)
{
    char path[PATH_MAX_SIZE];
    struct fk_connect_response response;
    prepare(world);
    while (world->peer_count < UNITS_CLIENTS) {
        struct peer *peer = units_connect(world, 0, NULL, &response);
        (void)snprintf(path, sizeof path, "/app/client-%zu", world->peer_count);
        send_create(peer, 1, path, "x", 0);
        done(world, peer, 1);
    }
    idle_minute(world);
}

static void heartbeat(struct units_world *world)
{
    struct fk_sweep_result result;
    world->invocations++;
    assert_int_equal(fk_sweep_run(&world->options, &world->ports, &result), FK_OK);
    assert_int_equal(result.gateways_alive, 1);
}

/* So many that its rarer parts have come about as often as they do. */
static void heartbeats(struct units_world *world)
{
    for (int i = 0; i < UNITS_HEARTBEATS; i++) {
        struct units_use start = units_now(world);
        idle_minute(world);
        units_leave_out(world, &start);
        heartbeat(world);
    }
}

const struct units_case units_cases[] = {
    {"getData, 100 bytes", "1 read unit, or 1 S3 GET", prepare, get, ok, true},
    {"getData, 1 kB", "1 read unit, or 1 S3 GET", prepare_1k, get, ok, true},
    {"getData, 2 KiB", "1 read unit, or 1 S3 GET", prepare_2k, get, ok, true},
    {"getData, 8 KiB", "2 read units, or 1 S3 GET", prepare_8k, get, ok, true},
    {"getData, 100 KiB", "1 S3 GET", prepare_100k, get, ok, true},
    {"getData with a watch, the gateway's first on the path", NULL, prepare, get_watch, ok, true},
    {"getData with a watch, the gateway watches it already", NULL, prepare_watched, get_watch, ok, true},
    {"exists", "1 read unit, or 1 S3 GET", prepare, exists, ok, true},
    {"exists, no such node", "1 read unit, or 1 S3 GET", prepare, exists_missing, no_node, true},
    {"exists with a watch, no such node", NULL, prepare, exists_missing_watch, no_node, true},
    {"getACL", NULL, prepare, get_acl, ok, true},
    {"getChildren, 1 child", "1 read unit, or 1 S3 GET", prepare, children, ok, true},
    {"getChildren, 101 children of 100 bytes", NULL, prepare_children, children, ok, true},
    {"getEphemerals", NULL, prepare_ephemerals, get_ephemerals, ok, true},
    {"getAllChildrenNumber, 101 nodes", NULL, prepare_children, all_children_number, ok, true},
    {"multiRead of 2", NULL, prepare, multi_read, ok, true},
    {"addWatch, persistent", NULL, prepare, add_persistent, ok, true},
    {"addWatch, recursive", NULL, prepare, add_recursive, ok, true},
    {"sync", NULL, prepare, sync_path, ok, true},
    {"ping", "none", prepare, ping, NULL, true},
    {"addauth", "not possible", prepare, add_auth, NULL, true},
    {"create, 100 bytes", NULL, prepare, create_node, NULL, false},
    {"create, 1 kB", NULL, prepare, create_1k, NULL, false},
    {"create, 100 bytes, below a node of 1 kB", NULL, prepare_1k, create_below, NULL, false},
    {"create, ephemeral", NULL, prepare, create_ephemeral, NULL, false},
    {"create, sequential", NULL, prepare, create_sequential, NULL, false},
    {"create, ephemeral and sequential", NULL, prepare, create_both, NULL, false},
    {"create, container", NULL, prepare, create_container, NULL, false},
    {"create, refused: the node exists", NULL, prepare, create_exists, NULL, false},
    {"delete", NULL, prepare, delete_node, NULL, false},
    {"setData, 100 bytes", "2 SQS, 4 write and 1 read units", prepare, set_100, NULL, false},
    {"setData, 400 bytes", "2 SQS, 4 write and 1 read units", prepare, set_400, NULL, false},
    {"setData, 1 kB", "2 SQS, 4 write and 1 read units", prepare_1k, set_1k, NULL, false},
    {"setData, 2 KiB", "2 SQS, 5 write and 1 read units", prepare_2k, set_2k, NULL, false},
    {"setData, 8 KiB", "2 SQS, 11 write and 1 read units", prepare_8k, set_8k, NULL, false},
    {"setData, 100 KiB", "6 SQS, 3 write and 1 read units, 1 S3 PUT", prepare_100k, set_100k, NULL, false},
    {"setData, 1 MiB", "not possible", prepare_100k, set_1m, NULL, false},
    {"setData of a node that the gateway watches", NULL, prepare_watched, set_watched, NULL, false},
    {"setData while the gateway has an event to acknowledge", NULL, prepare_event, set_400, NULL, false},
    {"setData below a quota", NULL, prepare_quota, set_400, NULL, false},
    {"setData where there is a quota elsewhere", NULL, prepare_quota_elsewhere, set_400, NULL, false},
    {"setACL", NULL, prepare, set_acl, NULL, false},
    {"7 setData of one session at once, 400 bytes", NULL, prepare_batch, seven_sets, NULL, false},
    {"10 setData of two sessions at once, 400 bytes", NULL, prepare_batch, ten_sets, NULL, false},
    {"multi of 10 setData", "not possible", prepare_children, multi_sets, NULL, false},
    {"multi of check and setData", "not possible", prepare, multi_check, NULL, false},
    {"session: new", NULL, prepare, session_new, NULL, true},
    {"session: taken over by another gateway", NULL, prepare_attach, session_attach, NULL, false},
    {"session: closed", NULL, prepare, session_close, NULL, false},
    {"session: closed, with 10 ephemeral nodes", NULL, prepare_ephemerals, session_close, NULL, false},
    {"session: expired", NULL, prepare_expire, session_expire, NULL, false},
    {UNITS_CASE_GATEWAY, NULL, prepare_idle, idle_minute, NULL, true},
    {"heartbeat function, each minute while a gateway lives", "2 read units, and a call for each client", prepare_idle,
     heartbeat, NULL, true},
    {UNITS_CASE_HEARTBEATS, NULL, prepare_clients, heartbeats, NULL, true},
};

const size_t units_case_count = sizeof units_cases / sizeof units_cases[0];

const struct units_case *units_find(const char *name)
{
    for (size_t i = 0; i < units_case_count; i++) {
        if (strcmp(units_cases[i].name, name) == 0) {
            return &units_cases[i];
        }
    }
    fail_msg("no case '%s'", name);
    return NULL;
}

struct units_use units_measure(const struct units_case *one, bool pipeline)
{
    struct units_world *world = (struct units_world *)fk_alloc_zero(sizeof *world);
    assert_non_null(world);
    units_open(world, pipeline);
    if (one->prepare != NULL) {
        one->prepare(world);
    }
    struct units_use start = units_now(world);
    one->operate(world);
    struct units_use used = units_since(world, &start);
    if (one->check != NULL) {
        one->check(world);
    }
    units_close(world);
    fk_free(world);
    return used;
}
