// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "base/container.h"
#include "gateway/read.h"

struct world world;

/* --- ports --- */

static enum fk_err pipe_put(struct world_pipe *pipe, int64_t number, struct fk_bytes message)
{
    struct fk_bytes copy = fk_arena_copy(&world.arena, message);
    assert_true(pipe->first + pipe->count < WORLD_MESSAGES);
    if (copy.data == NULL) {
        return FK_ERR_NOMEM;
    }
    pipe->messages[pipe->first + pipe->count] = copy;
    pipe->numbers[pipe->first + pipe->count] = number;
    pipe->count++;
    return FK_OK;
}

static void pipe_drop(struct world_pipe *pipe)
{
    pipe->first++;
    pipe->count--;
    if (pipe->count == 0) {
        pipe->first = 0;
    }
}

static enum fk_err queue_send(struct fk_queue *base, int64_t group, int64_t deduplication_id, struct fk_bytes message)
{
    struct world_queue *queue = FK_CONTAINER_OF(base, struct world_queue, base);
    (void)group;
    if (queue->full) {
        return FK_ERR_BUSY;
    }
    return pipe_put(&queue->pipe, deduplication_id, message);
}

static enum fk_err channel_notify(struct fk_channel *base, int64_t gateway, struct fk_bytes message, int64_t after_zxid)
{
    struct world_channel *channel = FK_CONTAINER_OF(base, struct world_channel, base);
    (void)gateway;
    return pipe_put(&channel->pipe, after_zxid, message);
}

static const struct fk_queue_ops queue_ops = {.name = "world", .send = queue_send};
static const struct fk_channel_ops channel_ops = {.name = "world", .notify = channel_notify};

/* --- the host --- */

static void open_gateway(void)
{
    world.gateway =
        fk_gateway_new(&world.options, world.store, &world.queue.base, &world.clock.base, &world.random.base);
    assert_non_null(world.gateway);
}

static void close_gateway(void)
{
    for (size_t i = 0; i < WORLD_PEERS; i++) {
        peer_hang_up(&world.peers[i]);
        fk_buf_deinit(&world.peers[i].in);
        world.peers[i] = (struct peer){.conn = NULL};
    }
    fk_gateway_free(world.gateway);
}

int world_setup(void **state)
{
    int result = fk_test_begin(state);
    memset(&world, 0, sizeof world);
    world.queue.base.ops = &queue_ops;
    world.channel.base.ops = &channel_ops;
    fk_memory_clock_init(&world.clock, 1700000000000);
    fk_memory_clock_advance_ms(&world.clock, 100000);
    fk_memory_random_init(&world.random, 42);
    world.store = fk_memory_store_new();
    fk_writer_init(&world.writer, world.store, &world.channel.base, &world.clock.base);
    world.options = (struct fk_gateway_options){.tick_ms = WORLD_TICK_MS,
                                                .session_timeout_min_ms = 4000,
                                                .session_timeout_max_ms = 40000,
                                                .connections_per_address = 0,
                                                .words = FK_WORD_SRVR,
                                                .super_digest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU="};
    open_gateway();
    return world.store == NULL ? -1 : result;
}

int world_teardown(void **state)
{
    close_gateway();
    fk_writer_deinit(&world.writer);
    fk_store_free(world.store);
    fk_arena_deinit(&world.arena);
    return fk_test_end(state);
}

void world_restart(void)
{
    close_gateway();
    open_gateway();
}

static void deliver_answers(int64_t zxid)
{
    struct world_pipe *pipe = &world.channel.pipe;
    while (pipe->count > 0 && pipe->numbers[pipe->first] <= zxid) {
        struct fk_bytes message = pipe->messages[pipe->first];
        pipe_drop(pipe);
        fk_gateway_answer(world.gateway, message);
    }
}

/* Runs one message of the queue and delivers what came of it, change by change. */
static bool run_function(void)
{
    struct world_pipe *pipe = &world.queue.pipe;
    const struct fk_change *change = NULL;
    if (world.hold_writes || pipe->count == 0) {
        return false;
    }
    int64_t before = fk_store_zxid(world.store, FK_VIEW_VISIBLE);
    enum fk_err err = fk_writer_run(&world.writer, pipe->messages[pipe->first], &world.done);
    if (err == FK_OK) {
        world.done = 0;
        pipe_drop(pipe);
    } else {
        assert_int_equal(err, FK_ERR_NOMEM); /* the end of a session has to wait */
    }
    deliver_answers(before);
    while ((change = fk_memory_store_next(world.store)) != NULL) {
        fk_gateway_change(world.gateway, change);
        deliver_answers(change->zxid);
    }
    return err == FK_OK;
}

static bool run_jobs(void)
{
    struct fk_job *job = NULL;
    bool some = false;
    while (!world.hold_jobs && (job = fk_gateway_take_job(world.gateway)) != NULL) {
        fk_job_run(job, world.store);
        fk_gateway_job_done(world.gateway, job);
        some = true;
    }
    return some;
}

/* Moves the bytes of one connection to its peer, and ends it where it is closing. */
static void drain(struct peer *peer, struct fk_conn *conn)
{
    struct fk_buf *out = fk_conn_output(conn);
    if (peer->slow) {
        return;
    }
    if (fk_buf_left(out) > 0) {
        fk_buf_append(&peer->in, fk_buf_view(out));
        fk_buf_consume(out, fk_buf_left(out));
    }
    if (fk_conn_closing(conn)) {
        peer->conn = NULL;
        fk_gateway_gone(world.gateway, conn);
    } else {
        fk_gateway_sent(world.gateway, conn);
    }
}

static bool run_outputs(void)
{
    struct fk_conn *conn = NULL;
    bool some = false;
    for (int count = 0; (conn = fk_gateway_take_output(world.gateway)) != NULL; count++) {
        assert_true(count < 100000);
        drain((struct peer *)fk_conn_socket(conn), conn);
        some = true;
    }
    return some;
}

void world_settle(void)
{
    bool some = true;
    for (int rounds = 0; some; rounds++) {
        assert_true(rounds < 100000); /* it comes to rest */
        some = run_jobs();
        some = run_function() || some;
        if (!world.queue.full) {
            fk_gateway_resume(world.gateway);
        }
        some = run_outputs() || some;
        some = some || (!world.hold_writes && world.queue.pipe.count > 0 && world.done == 0);
    }
}

void world_tick(void)
{
    fk_gateway_tick(world.gateway);
    world_settle();
}

void world_jump_ms(int64_t ms)
{
    fk_memory_clock_advance_ms(&world.clock, ms);
}

void world_pass_ms(int64_t ms)
{
    while (ms > 0) {
        int64_t step_ms = ms < fk_gateway_tick_ms(world.gateway) ? ms : fk_gateway_tick_ms(world.gateway);
        world_jump_ms(step_ms);
        world_tick();
        ms -= step_ms;
    }
}

/* --- clients --- */

struct peer *peer_open_at(size_t slot, const char *address)
{
    struct peer *peer = &world.peers[slot];
    assert_true(slot < WORLD_PEERS && peer->conn == NULL);
    fk_buf_deinit(&peer->in);
    *peer = (struct peer){.in = FK_BUF_EMPTY, .gateway = world.gateway, .arena = &world.arena};
    peer->conn = fk_gateway_open(world.gateway, fk_bytes_text(address), 1234, peer);
    peer->refused = peer->conn == NULL;
    return peer;
}

struct peer *peer_open(const char *address)
{
    size_t slot = 0;
    while (slot < WORLD_PEERS && world.peers[slot].conn != NULL) {
        slot++;
    }
    return peer_open_at(slot, address);
}

struct peer *peer_connect(struct fk_connect_response *response)
{
    struct peer *peer = peer_open("10.0.0.1");
    peer_hello(peer, &(struct hello){.timeout_ms = 8000});
    world_settle();
    *response = peer_welcome(peer);
    assert_true(response->session_id != 0);
    return peer;
}

struct peer *peer_session(void)
{
    struct fk_connect_response response;
    return peer_connect(&response);
}
