// SPDX-License-Identifier: Apache-2.0
/* Random clients against the core, with a queue that fills up, reads and writes that are held, readers that do not
 * read, takeovers and time: replies stand in the order of requests and their zxids never fall. */
#include "world.h"

#include <stdio.h>

enum {
    CLIENTS = 6,
    XIDS_MAX = 20000,
    STEPS = 6000,
};

/* A client with a session, and the connection it has now. */
struct client {
    struct peer *peer;
    struct fk_connect_response welcome; /* session_id 0: has none */
    uint8_t password[FK_PASSWORD_SIZE];
    bool greeted;            /* its welcome has been read */
    int32_t asked[XIDS_MAX]; /* xids of requests on this connection, in order */
    size_t asked_count;
    size_t answered;
    int64_t zxid; /* of the last reply with one */
};

static struct client clients[CLIENTS];

static void read_all(struct client *client)
{
    struct peer *peer = client->peer;
    for (struct fk_bytes frame = peer_frame(peer); frame.data != NULL; frame = peer_frame(peer)) {
        struct fk_reader reader = fk_reader_of(frame);
        struct fk_reply_header header;
        if (!client->greeted) {
            fk_read_connect_response(&reader, &client->welcome);
            assert_false(reader.failed);
            memcpy(client->password, client->welcome.password.data, sizeof client->password);
            client->greeted = true;
            continue;
        }
        fk_read_reply_header(&reader, &header);
        assert_false(reader.failed);
        if (header.zxid > 0) {
            assert_true(header.zxid >= client->zxid);
            client->zxid = header.zxid;
        }
        if (header.xid == FK_XID_NOTIFICATION) {
            continue;
        }
        assert_true(client->answered < client->asked_count);
        assert_int_equal(header.xid, client->asked[client->answered]);
        client->answered++;
    }
}

static void connect_client(struct client *client, bool anew)
{
    struct hello hello = {.timeout_ms = 8000};
    if (!anew && client->welcome.session_id != 0) {
        hello.session_id = client->welcome.session_id;
        hello.password = fk_bytes_of(client->password, sizeof client->password);
        hello.last_zxid = client->zxid; /* what it has seen is visible to all */
    }
    size_t slot = 2 * (size_t)(client - clients); /* two slots for each: a takeover has both connections at once */
    slot += client->peer == &world.peers[slot] ? 1 : 0;
    client->peer = peer_open_at(slot, "10.0.0.1");
    client->greeted = false;
    client->asked_count = 0;
    client->answered = 0;
    peer_hello(client->peer, &hello);
}

static int32_t ask(struct client *client)
{
    int32_t xid = (int32_t)client->asked_count + 1;
    assert_true(client->asked_count < XIDS_MAX);
    client->asked[client->asked_count++] = xid;
    return xid;
}

static void random_request(struct fk_prng *prng, struct client *client)
{
    struct peer *peer = client->peer;
    char path[16];
    (void)snprintf(path, sizeof path, "/%d", (int)fk_prng_below(prng, 8));
    switch (fk_prng_below(prng, 8)) {
    case 0:
        send_create(peer, ask(client), path, "x", fk_prng_chance(prng, 50) ? FK_CREATE_EPHEMERAL : 0);
        break;
    case 1:
        send_delete(peer, ask(client), path);
        break;
    case 2:
        send_set(peer, ask(client), path, fk_bytes_text(path));
        break;
    case 3:
        send_watch(peer, ask(client), FK_OP_EXISTS, path, fk_prng_chance(prng, 50));
        break;
    case 4:
        send_watch(peer, ask(client), FK_OP_GET_CHILDREN2, "/", fk_prng_chance(prng, 50));
        break;
    case 5:
        send_watch(peer, ask(client), FK_OP_GET_DATA, path, fk_prng_chance(prng, 50));
        break;
    case 6:
        client->asked[client->asked_count++] = FK_XID_PING;
        send_plain(peer, FK_XID_PING, FK_OP_PING);
        break;
    default:
        send_sync(peer, ask(client), path);
        break;
    }
}

/* Lets everything go on that was held, and what was not read. */
static void release(void)
{
    world.hold_writes = false;
    world.hold_jobs = false;
    world.queue.full = false;
    for (size_t i = 0; i < CLIENTS; i++) {
        struct peer *peer = clients[i].peer;
        if (peer != NULL && peer->slow && !peer_closed(peer)) {
            peer->slow = false;
            struct fk_buf *out = fk_conn_output(peer->conn);
            fk_buf_append(&peer->in, fk_buf_view(out));
            fk_buf_consume(out, fk_buf_left(out));
            if (fk_conn_closing(peer->conn)) {
                peer_hang_up(peer);
            } else {
                fk_gateway_sent(world.gateway, peer->conn);
            }
        }
    }
    world_settle();
}

static void random_step(struct fk_prng *prng)
{
    struct client *client = &clients[fk_prng_below(prng, CLIENTS)];
    uint64_t choice = fk_prng_below(prng, 100);
    if (client->peer == NULL || peer_closed(client->peer)) {
        if (client->peer != NULL) {
            read_all(client);
        }
        connect_client(client, fk_prng_chance(prng, 20));
    } else if (choice < 70) {
        random_request(prng, client);
    } else if (choice < 74) {
        read_all(client);
        peer_hang_up(client->peer);
    } else if (choice < 76 && client->greeted && !client->peer->slow) {
        struct peer *before = client->peer; /* a second connection takes the session over */
        read_all(client);
        connect_client(client, false);
        world.hold_writes = world.hold_jobs = false;
        world_settle();
        assert_true(peer_closed(before) || client->welcome.session_id == 0);
        peer_hang_up(before);
    } else if (choice < 78) {
        world.queue.full = !world.queue.full;
    } else if (choice < 80) {
        world.hold_writes = !world.hold_writes;
    } else if (choice < 82) {
        world.hold_jobs = !world.hold_jobs;
    } else if (choice < 84) {
        client->peer->slow = true;
    } else if (choice < 86) {
        world_pass_ms((int64_t)fk_prng_below(prng, 6000));
    } else if (choice < 87) {
        world_jump_ms((int64_t)fk_prng_below(prng, 20000));
    } else if (choice < 90) {
        release();
    }
    if (fk_prng_chance(prng, 60)) {
        world_settle();
    }
}

static void replies_stand_in_order_whatever_happens(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    memset(clients, 0, sizeof clients);
    for (int step = 0; step < STEPS; step++) {
        random_step(&prng);
    }
    release();
    for (size_t i = 0; i < CLIENTS; i++) {
        if (clients[i].peer == NULL) {
            continue;
        }
        bool open = !peer_closed(clients[i].peer);
        read_all(&clients[i]);
        assert_true(!open || clients[i].answered == clients[i].asked_count);
    }
    /* When all are gone and their time has passed, nothing of theirs is left. */
    struct fk_store_counts counts;
    for (size_t i = 0; i < WORLD_PEERS; i++) {
        peer_hang_up(&world.peers[i]);
    }
    world_tick();
    world_pass_ms(20000);
    fk_store_counts(world.store, &counts);
    assert_int_equal(counts.sessions, 0);
    assert_int_equal(counts.ephemerals, 0);
}

static const struct CMUnitTest tests[] = {
    WORLD_TEST(replies_stand_in_order_whatever_happens),
};

FK_TEST_MAIN(tests)
