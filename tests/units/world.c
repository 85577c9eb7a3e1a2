// SPDX-License-Identifier: Apache-2.0
#include "units/world.h"

#include "driver/memory/blob.h"
#include "driver/memory/channel.h"
#include "driver/memory/queue.h"
#include "driver/memory/table.h"
#include "function/distributor.h"
#include "function/pipeline.h"
#include "function/single_hop.h"

enum {
    VISIBILITY_MS = 120000,
    TICK_MS = 2000,
    TIMEOUT_MS = 8000,
    ROUNDS_MAX = 10000,
};

typedef enum fk_err (*function_fn)(const struct fk_cloud_options *options, const struct fk_ports *ports,
                                   const struct fk_bytes *messages, size_t count, size_t *done);

/* One invocation over what is ready of a queue; false where nothing is. */
static bool invoke(struct units_world *world, struct fk_queue *queue, function_fn function)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_delivery deliveries[FK_QUEUE_BATCH_MAX];
    struct fk_bytes messages[FK_QUEUE_BATCH_MAX];
    int64_t group = 0;
    size_t count = 0;
    size_t done = 0;
    if (fk_memory_queue_ready(queue, &group, 1) == 0) {
        return false;
    }
    assert_int_equal(
        fk_memory_queue_receive(queue, group, FK_QUEUE_BATCH_MAX, VISIBILITY_MS, &arena, deliveries, &count), FK_OK);
    for (size_t i = 0; i < count; i++) {
        messages[i] = deliveries[i].body;
    }
    world->invocations++;
    assert_int_equal(function(&world->options, &world->ports, messages, count, &done), FK_OK);
    for (size_t i = 0; i < done; i++) {
        assert_true(fk_memory_queue_delete(queue, deliveries[i].receipt));
    }
    fk_arena_deinit(&arena);
    return true;
}

static bool run_functions(struct units_world *world)
{
    if (!world->options.pipeline) {
        return invoke(world, world->inner.queue, fk_single_hop_run);
    }
    bool some = invoke(world, world->inner.queue, fk_pipeline_writer_run);
    return invoke(world, world->inner.distributor, fk_distributor_run) || some;
}

static bool run_jobs(struct units_world *world, struct fk_gateway *gateway)
{
    struct fk_job *job = NULL;
    bool some = false;
    while ((job = fk_gateway_take_job(gateway)) != NULL) {
        fk_cloud_job_run(job, &world->options, &world->ports);
        fk_gateway_job_done(gateway, job);
        some = true;
    }
    return some;
}

static bool deliver(struct units_world *world, struct fk_gateway *gateway)
{
    struct fk_bytes message;
    bool some = false;
    int64_t id = fk_cloud_gateway_id(gateway);
    while (fk_memory_channel_peek(world->inner.channel, id, &message)) {
        fk_gateway_answer(gateway, message);
        fk_memory_channel_done(world->inner.channel, id);
        some = true;
    }
    return some;
}

static bool run_outputs(struct fk_gateway *gateway)
{
    struct fk_conn *conn = NULL;
    bool some = false;
    while ((conn = fk_gateway_take_output(gateway)) != NULL) {
        struct peer *peer = (struct peer *)fk_conn_socket(conn);
        struct fk_buf *out = fk_conn_output(conn);
        fk_buf_append(&peer->in, fk_buf_view(out));
        fk_buf_consume(out, fk_buf_left(out));
        some = true;
        if (fk_conn_closing(conn)) {
            peer->conn = NULL;
            fk_gateway_gone(gateway, conn);
        } else {
            fk_gateway_sent(gateway, conn);
        }
    }
    return some;
}

void units_settle(struct units_world *world)
{
    bool some = true;
    for (int rounds = 0; some; rounds++) {
        assert_true(rounds < ROUNDS_MAX); /* it comes to rest */
        some = run_functions(world);
        for (size_t i = 0; i < UNITS_GATEWAYS && world->gateways[i] != NULL; i++) {
            some = run_jobs(world, world->gateways[i]) || some;
            some = deliver(world, world->gateways[i]) || some;
            some = run_outputs(world->gateways[i]) || some;
        }
    }
}

void units_pass_ms(struct units_world *world, int64_t ms)
{
    while (ms > 0) {
        int64_t tick_ms = fk_gateway_tick_ms(world->gateways[0]);
        int64_t step_ms = ms < tick_ms ? ms : tick_ms;
        fk_memory_clock_advance_ms(&world->clock, step_ms);
        for (size_t i = 0; i < UNITS_GATEWAYS && world->gateways[i] != NULL; i++) {
            fk_gateway_tick(world->gateways[i]);
        }
        units_settle(world);
        ms -= step_ms;
    }
}

void units_add_gateway(struct units_world *world)
{
    size_t at = world->gateways[0] == NULL ? 0 : 1;
    assert_null(world->gateways[at]);
    world->gateways[at] =
        fk_cloud_gateway_new(&world->gateway_options, &world->options, &world->clock.base, &world->random.base);
    assert_non_null(world->gateways[at]);
    assert_int_equal(fk_memory_channel_listen(world->inner.channel, fk_cloud_gateway_id(world->gateways[at])), FK_OK);
    units_settle(world);
}

struct peer *units_connect(struct units_world *world, size_t gateway, const struct fk_connect_response *session,
                           struct fk_connect_response *response)
{
    assert_true(world->peer_count < UNITS_PEERS);
    struct peer *peer = &world->peers[world->peer_count++];
    struct hello hello = {.timeout_ms = TIMEOUT_MS};
    *peer = (struct peer){.in = FK_BUF_EMPTY, .gateway = world->gateways[gateway], .arena = &world->arena};
    peer->conn = fk_gateway_open(peer->gateway, FK_BYTES_LITERAL("10.0.0.1"), 1234, peer);
    assert_non_null(peer->conn);
    if (session != NULL) {
        hello.session_id = session->session_id;
        hello.password = session->password;
    }
    peer_hello(peer, &hello);
    units_settle(world);
    *response = peer_welcome(peer);
    assert_true(response->session_id != 0);
    return peer;
}

void units_open(struct units_world *world, bool pipeline)
{
    struct fk_connect_response response;
    *world = (struct units_world){.arena = FK_ARENA_EMPTY, .options = fk_cloud_defaults()};
    fk_memory_clock_init(&world->clock, 1700000000000);
    fk_memory_clock_advance_ms(&world->clock, 100000);
    fk_memory_random_init(&world->random, 42);
    fk_meter_init(&world->meter);
    world->options.pipeline = pipeline;
    world->gateway_options = (struct fk_gateway_options){
        .tick_ms = TICK_MS, .session_timeout_min_ms = 4000, .session_timeout_max_ms = 40000};
    struct fk_ports *inner = &world->inner;
    *inner = (struct fk_ports){.table = fk_memory_table_new(),
                               .blobs = fk_memory_blobs_new(),
                               .queue = fk_memory_queue_new(&world->clock.base),
                               .distributor = fk_memory_queue_new(&world->clock.base),
                               .channel = fk_memory_channel_new(),
                               .clock = &world->clock.base,
                               .random = &world->random.base};
    world->ports = *inner;
    world->ports.table = fk_meter_table_new(&world->meter, inner->table, true);
    world->ports.blobs = fk_meter_blobs_new(&world->meter, inner->blobs);
    world->ports.queue = fk_meter_queue_new(&world->meter, inner->queue);
    world->ports.distributor = fk_meter_queue_new(&world->meter, inner->distributor);
    world->ports.channel = fk_meter_channel_new(&world->meter, inner->channel);
    units_add_gateway(world);
    (void)units_connect(world, 0, NULL, &response);
}

void units_close(struct units_world *world)
{
    for (size_t i = 0; i < world->peer_count; i++) {
        peer_hang_up(&world->peers[i]);
        fk_buf_deinit(&world->peers[i].in);
    }
    for (size_t i = 0; i < UNITS_GATEWAYS && world->gateways[i] != NULL; i++) {
        fk_gateway_free(world->gateways[i]);
    }
    fk_table_free(world->ports.table);
    fk_blobs_free(world->ports.blobs);
    fk_queue_free(world->ports.queue);
    fk_queue_free(world->ports.distributor);
    fk_channel_free(world->ports.channel);
    fk_table_free(world->inner.table);
    fk_blobs_free(world->inner.blobs);
    fk_queue_free(world->inner.queue);
    fk_queue_free(world->inner.distributor);
    fk_channel_free(world->inner.channel);
    fk_arena_deinit(&world->arena);
}

struct units_use units_now(const struct units_world *world)
{
    return (struct units_use){.units = world->meter.all, .invocations = world->invocations};
}

struct units_use units_since(const struct units_world *world, const struct units_use *start)
{
    return (struct units_use){.units = fk_units_between(&start->units, &world->meter.all),
                              .invocations = world->invocations - start->invocations};
}

void units_leave_out(struct units_world *world, const struct units_use *start)
{
    world->meter.all = start->units;
    world->invocations = start->invocations;
}
