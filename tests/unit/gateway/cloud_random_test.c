// SPDX-License-Identifier: Apache-2.0
/* Random clients between two cloud gateways, while jobs and messages are held, lost and fail. On each connection
 * replies stand in the order of requests, zxids never fall, and nothing older is read than before; in the end
 * everything is answered and no watch was forgotten. */
#include "cloud_world.h"

enum {
    CLIENTS = 6,
    NODES = 4,
    STEPS = 4000,
    ASKED_MAX = 4096,
};

struct asked {
    int32_t xid;
    int32_t op;
    int node;
    bool watch;
};

struct client {
    struct peer *peer; /* NULL: none */
    struct fk_connect_response welcome;
    uint8_t password[FK_PASSWORD_SIZE];
    bool greeted;
    struct asked asked[ASKED_MAX];
    size_t asked_count;
    size_t answered;
    int32_t xid;
    int64_t zxid;            /* header of the last reply of this session */
    int64_t seen[NODES];     /* mzxid read last */
    int64_t watching[NODES]; /* mzxid at which a data watch was set on this connection; -1: none */
};

static struct client clients[CLIENTS];
static struct fk_prng prng;
static const char *const nodes[NODES] = {"/n0", "/n1", "/n2", "/n3"};
static const char *const labels[] = {"read", "register", "send", "poll", "fetch", "attach", "session", "sync"};

static int64_t chosen(int64_t bound)
{
    return (int64_t)fk_prng_below(&prng, (uint64_t)bound);
}

static int node_of(struct fk_bytes path)
{
    for (int i = 0; i < NODES; i++) {
        if (fk_bytes_equal_text(path, nodes[i])) {
            return i;
        }
    }
    return -1;
}

static void take_event(struct client *client, struct fk_reader *reader)
{
    struct fk_watcher_event event;
    fk_read_watcher_event(reader, &event);
    int node = node_of(event.path);
    assert_true(node >= 0);
    assert_int_equal(event.type, FK_EVENT_DATA_CHANGED);
    assert_true(client->watching[node] >= 0); /* nobody hears of what it did not ask for */
    client->watching[node] = -1;
}

static void take_data(struct client *client, const struct asked *asked, struct fk_reader *reader, int64_t zxid)
{
    struct fk_stat stat;
    (void)fk_read_bytes(reader);
    fk_read_stat(reader, &stat);
    assert_true(stat.mzxid <= zxid);
    assert_true(stat.mzxid >= client->seen[asked->node]);
    /* A watch that would have fired is not silent while its client reads the change. */
    assert_true(client->watching[asked->node] < 0 || client->watching[asked->node] == stat.mzxid);
    client->seen[asked->node] = stat.mzxid;
    if (asked->watch) {
        client->watching[asked->node] = stat.mzxid;
    }
}

static void take_frame(struct client *client, struct fk_bytes frame)
{
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_reply_header header;
    fk_read_reply_header(&reader, &header);
    assert_false(reader.failed);
    if (header.xid == FK_XID_NOTIFICATION) {
        assert_true(header.zxid >= client->zxid);
        client->zxid = header.zxid;
        take_event(client, &reader);
        return;
    }
    assert_true(client->answered < client->asked_count);
    const struct asked *asked = &client->asked[client->answered++];
    assert_int_equal(header.xid, asked->xid);
    assert_int_equal(header.code, 0);
    assert_true(header.zxid >= client->zxid);
    client->zxid = header.zxid;
    if (asked->op == FK_OP_GET_DATA) {
        take_data(client, asked, &reader, header.zxid);
    }
}

static void take_welcome(struct client *client, struct fk_bytes frame)
{
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_connect_response welcome;
    fk_read_connect_response(&reader, &welcome);
    assert_false(reader.failed);
    client->greeted = true;
    if (client->welcome.session_id != welcome.session_id) {
        client->zxid = 0;
    }
    memcpy(client->password, welcome.password.data, sizeof client->password);
    client->welcome = welcome;
}

static void drain_all(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *client = &clients[i];
        while (client->peer != NULL) {
            struct fk_bytes frame = peer_frame(client->peer);
            if (frame.data == NULL) {
                break;
            }
            if (client->greeted) {
                take_frame(client, frame);
            } else {
                take_welcome(client, frame);
            }
        }
        if (client->peer != NULL && peer_closed(client->peer)) {
            cloud_leave(client->peer);
            client->peer = NULL;
        }
    }
}

static void connect_client(struct client *client)
{
    if (client->peer != NULL) {
        cloud_leave(client->peer);
    }
    client->peer = cloud_peer((size_t)chosen(GATEWAYS));
    client->greeted = false;
    client->asked_count = 0;
    client->answered = 0;
    for (int i = 0; i < NODES; i++) {
        client->watching[i] = -1;
    }
    peer_hello(client->peer, &(struct hello){.timeout_ms = 20000,
                                             .session_id = client->welcome.session_id,
                                             .last_zxid = client->zxid,
                                             .password = fk_bytes_of(client->password, FK_PASSWORD_SIZE)});
}

static void ask(struct client *client)
{
    struct asked asked = {.xid = ++client->xid, .node = (int)chosen(NODES)};
    if (client->peer == NULL || !client->greeted || client->asked_count == ASKED_MAX) {
        return;
    }
    switch (chosen(8)) {
    case 0:
        asked.op = FK_OP_PING;
        asked.xid = FK_XID_PING;
        send_plain(client->peer, asked.xid, asked.op);
        break;
    case 1:
        asked.op = FK_OP_SYNC;
        send_sync(client->peer, asked.xid, "/");
        break;
    case 2:
    case 3:
    case 4:
        asked.op = FK_OP_SET_DATA;
        send_set(client->peer, asked.xid, nodes[asked.node], FK_BYTES_LITERAL("x"));
        break;
    default:
        asked.op = FK_OP_GET_DATA;
        asked.watch = chosen(2) == 0;
        send_watch(client->peer, asked.xid, asked.op, nodes[asked.node], asked.watch);
        break;
    }
    client->asked[client->asked_count++] = asked;
}

static void disturb(void)
{
    size_t gateway = (size_t)chosen(GATEWAYS);
    const char *label = labels[chosen(sizeof labels / sizeof labels[0])];
    switch (chosen(9)) {
    case 0:
        cloud.hold_function = !cloud.hold_function;
        break;
    case 1:
        cloud.at[gateway].hold_channel = !cloud.at[gateway].hold_channel;
        break;
    case 2:
        cloud_lose_messages(gateway);
        break;
    case 3:
        if (cloud.at[gateway].hold[0] == NULL) {
            cloud_hold(gateway, label);
        }
        break;
    case 4:
        cloud_run_held(gateway, label);
        break;
    case 5:
    case 6:
        for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
            cloud_go(gateway, labels[i]);
        }
        break;
    case 7:
        cloud.table.fail_writes = chosen(2) == 0 ? FK_ERR_UNKNOWN : FK_ERR_BUSY;
        cloud.table.applied = cloud.table.fail_writes == FK_ERR_UNKNOWN && chosen(2) == 0;
        cloud.table.count = (int)chosen(6);
        break;
    default:
        cloud.queue.fail = chosen(2) == 0 ? FK_ERR_UNKNOWN : FK_ERR_BUSY;
        cloud.queue.applied = cloud.queue.fail == FK_ERR_UNKNOWN && chosen(2) == 0;
        cloud.queue.count = (int)chosen(6);
        break;
    }
}

static void act(void)
{
    struct client *client = &clients[chosen(CLIENTS)];
    int64_t what = chosen(100);
    if (what < 70) {
        ask(client);
    } else if (what < 72 || client->peer == NULL) {
        connect_client(client);
    } else if (what < 85) {
        disturb();
    } else {
        cloud_pass_ms(chosen(300));
    }
    if (chosen(3) > 0) {
        cloud_settle();
    }
    drain_all();
}

static void heal(void)
{
    cloud.hold_function = false;
    cloud.table.count = 0;
    cloud.queue.count = 0;
    for (size_t i = 0; i < GATEWAYS; i++) {
        cloud.at[i].hold_channel = false;
        for (size_t j = 0; j < sizeof labels / sizeof labels[0]; j++) {
            cloud_go(i, labels[j]);
        }
    }
    for (int i = 0; i < 30; i++) {
        cloud_pass_ms(500);
        drain_all();
    }
}

static void judge(void)
{
    size_t connected = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        const struct client *client = &clients[i];
        if (client->peer == NULL || !client->greeted) {
            continue;
        }
        connected++;
        assert_int_equal(client->answered, client->asked_count);
        for (int node = 0; node < NODES; node++) {
            bool exists = false;
            struct fk_node_record record = cloud_node(nodes[node], &exists);
            assert_true(client->watching[node] < 0 || client->watching[node] == record.node.mzxid);
        }
    }
    assert_true(connected > 0);
}

static void clients_see_one_history(void **state)
{
    (void)state;
    prng = fk_test_prng();
    for (int i = 0; i < NODES; i++) {
        cloud_commit(FK_OP_CREATE, nodes[i], "x");
    }
    memset(clients, 0, sizeof clients);
    for (int step = 1; step <= STEPS; step++) {
        act();
        if (step % 200 == 0) {
            heal();
            judge();
        }
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        if (clients[i].peer != NULL) {
            cloud_leave(clients[i].peer);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOUD_TEST(clients_see_one_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
