// SPDX-License-Identifier: Apache-2.0
#include "sim/net.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    SIZE = 200000, /* more than the window */
};

/* One end: what it got, and what it still wants to send. */
struct end {
    struct sim_link *link;
    enum sim_end which;
    size_t got;
    size_t arrivals;
    size_t sent;
    size_t wanted;
    bool wrong; /* a byte that is not the one of its place */
    bool gone;
};

struct bench {
    struct sim_world *world;
    struct sim_process *process[2];
    struct sim_net *net;
    struct end ends[2];
    bool refuse;
};

static uint8_t byte_at(size_t place)
{
    return (uint8_t)(place * 7 + place / 256);
}

static void send_more(struct end *end)
{
    uint8_t bytes[5000];
    while (end->sent < end->wanted) {
        size_t size = end->wanted - end->sent < sizeof bytes ? end->wanted - end->sent : sizeof bytes;
        for (size_t i = 0; i < size; i++) {
            bytes[i] = byte_at(end->sent + i);
        }
        size_t taken = sim_link_send(end->link, end->which, fk_bytes_of(bytes, size));
        end->sent += taken;
        if (taken < size) {
            return;
        }
    }
}

static void on_bytes(void *owner, struct sim_link *link, struct fk_bytes bytes)
{
    struct end *end = (struct end *)owner;
    assert_ptr_equal(link, end->link);
    for (size_t i = 0; i < bytes.size; i++) {
        end->wrong = end->wrong || bytes.data[i] != byte_at(end->got + i);
    }
    end->got += bytes.size;
    end->arrivals++;
}

static void on_room(void *owner, struct sim_link *link)
{
    (void)link;
    send_more((struct end *)owner);
}

static void on_gone(void *owner, struct sim_link *link)
{
    (void)link;
    ((struct end *)owner)->gone = true;
}

static bool on_accept(void *owner, struct sim_link *link, struct sim_endpoint *end)
{
    struct bench *bench = (struct bench *)owner;
    struct end *server = &bench->ends[SIM_SERVER];
    server->link = link;
    *end = (struct sim_endpoint){
        .process = bench->process[SIM_SERVER], .owner = server, .bytes = on_bytes, .room = on_room, .gone = on_gone};
    return !bench->refuse;
}

static void begin(struct bench *bench, uint32_t split, uint32_t tiny)
{
    *bench = (struct bench){.world = sim_world_new(7)};
    struct sim_net_options options = {
        .latency_min_ns = 1000, .latency_max_ns = 2 * SIM_MS, .split_per_million = split, .tiny_per_million = tiny};
    bench->process[SIM_CLIENT] = sim_process_new(bench->world, "client");
    bench->process[SIM_SERVER] = sim_process_new(bench->world, "server");
    bench->net = sim_net_new(bench->world, &options);
    bench->ends[SIM_SERVER].which = SIM_SERVER;
    sim_net_listen(bench->net, 0, bench->process[SIM_SERVER], 17, on_accept, bench);
}

static void dial(struct bench *bench)
{
    struct end *client = &bench->ends[SIM_CLIENT];
    struct sim_endpoint end = {
        .process = bench->process[SIM_CLIENT], .owner = client, .bytes = on_bytes, .room = on_room, .gone = on_gone};
    client->link = sim_net_connect(bench->net, 0, &end);
}

static void run(struct bench *bench, int64_t ms)
{
    assert_true(sim_world_run(bench->world, sim_now_ns(bench->world) + ms * SIM_MS));
}

static void finish(struct bench *bench)
{
    sim_net_free(bench->net);
    sim_world_free(bench->world);
}

static void bytes_keep_their_order(void **state)
{
    (void)state;
    static const uint32_t SPLITS[][2] = {{0, 0}, {500000, 0}, {0, 1000000}, {500000, 200000}};
    for (size_t i = 0; i < sizeof SPLITS / sizeof *SPLITS; i++) {
        struct bench bench;
        begin(&bench, SPLITS[i][0], SPLITS[i][1]);
        dial(&bench);
        run(&bench, 10);
        for (int end = SIM_CLIENT; end <= SIM_SERVER; end++) {
            bench.ends[end].wanted = SIZE;
            send_more(&bench.ends[end]);
            assert_true(bench.ends[end].sent < SIZE); /* the window is full */
        }
        run(&bench, 1000);
        for (int end = SIM_CLIENT; end <= SIM_SERVER; end++) {
            assert_int_equal(bench.ends[end].got, SIZE);
            assert_false(bench.ends[end].wrong);
        }
        finish(&bench);
    }
}

/* Sends a little from both ends, breaks the link, and says who heard what. */
static void break_link(struct bench *bench, enum sim_fault_kind kind, int64_t argument)
{
    begin(bench, 0, 0);
    dial(bench);
    run(bench, 10);
    for (int end = SIM_CLIENT; end <= SIM_SERVER; end++) {
        bench->ends[end].wanted = 100;
        send_more(&bench->ends[end]);
    }
    sim_link_break(bench->ends[SIM_CLIENT].link, kind, argument);
    run(bench, 50);
}

static void a_reset_is_heard_at_both_ends(void **state)
{
    (void)state;
    struct bench bench;
    break_link(&bench, SIM_FAULT_RESET, 0);
    assert_true(bench.ends[SIM_CLIENT].gone);
    assert_true(bench.ends[SIM_SERVER].gone);
    assert_int_equal(bench.ends[SIM_CLIENT].got + bench.ends[SIM_SERVER].got, 0);
    finish(&bench);
}

static void half_open_is_heard_at_one_end(void **state)
{
    (void)state;
    struct bench bench;
    break_link(&bench, SIM_FAULT_HALF_CLIENT, 0);
    assert_true(bench.ends[SIM_CLIENT].gone);
    assert_false(bench.ends[SIM_SERVER].gone);
    finish(&bench);
    break_link(&bench, SIM_FAULT_HALF_SERVER, 0);
    assert_false(bench.ends[SIM_CLIENT].gone);
    assert_true(bench.ends[SIM_SERVER].gone);
    finish(&bench);
}

static void a_blackhole_says_nothing(void **state)
{
    (void)state;
    struct bench bench;
    break_link(&bench, SIM_FAULT_BLACKHOLE, 0);
    assert_false(bench.ends[SIM_CLIENT].gone || bench.ends[SIM_SERVER].gone);
    assert_int_equal(bench.ends[SIM_CLIENT].got + bench.ends[SIM_SERVER].got, 0);
    finish(&bench);
}

static void the_deaf_are_heard(void **state)
{
    (void)state;
    struct bench bench;
    break_link(&bench, SIM_FAULT_DEAF, 0);
    assert_int_equal(bench.ends[SIM_CLIENT].got, 0);
    assert_int_equal(bench.ends[SIM_SERVER].got, 100);
    finish(&bench);
}

static void a_stall_delays(void **state)
{
    (void)state;
    struct bench bench;
    break_link(&bench, SIM_FAULT_STALL, 1000);
    assert_int_equal(bench.ends[SIM_CLIENT].got + bench.ends[SIM_SERVER].got, 0);
    sim_link_pause(bench.ends[SIM_SERVER].link, SIM_SERVER, false); /* the receiver cannot end it */
    run(&bench, 50);
    assert_int_equal(bench.ends[SIM_SERVER].got, 0);
    run(&bench, 1000);
    assert_int_equal(bench.ends[SIM_CLIENT].got, 100);
    assert_int_equal(bench.ends[SIM_SERVER].got, 100);
    finish(&bench);
}

static void tiny_segments_have_one_byte(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 0, 0);
    dial(&bench);
    run(&bench, 10);
    sim_link_break(bench.ends[SIM_CLIENT].link, SIM_FAULT_TINY, 0);
    bench.ends[SIM_CLIENT].wanted = 60;
    send_more(&bench.ends[SIM_CLIENT]);
    run(&bench, 50);
    assert_int_equal(bench.ends[SIM_SERVER].got, 60);
    assert_int_equal(bench.ends[SIM_SERVER].arrivals, 60);
    assert_false(bench.ends[SIM_SERVER].wrong);
    finish(&bench);
}

static void a_close_comes_behind_the_bytes(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 500000, 0);
    dial(&bench);
    run(&bench, 10);
    bench.ends[SIM_SERVER].wanted = 1000;
    send_more(&bench.ends[SIM_SERVER]);
    sim_link_close(bench.ends[SIM_SERVER].link, SIM_SERVER);
    run(&bench, 50);
    assert_int_equal(bench.ends[SIM_CLIENT].got, 1000);
    assert_true(bench.ends[SIM_CLIENT].gone);
    assert_false(bench.ends[SIM_SERVER].gone);
    finish(&bench);
}

static void a_paused_end_gets_nothing(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 0, 0);
    dial(&bench);
    run(&bench, 10);
    sim_link_pause(bench.ends[SIM_CLIENT].link, SIM_SERVER, true);
    bench.ends[SIM_CLIENT].wanted = 10;
    send_more(&bench.ends[SIM_CLIENT]);
    run(&bench, 50);
    assert_int_equal(bench.ends[SIM_SERVER].got, 0);
    sim_link_pause(bench.ends[SIM_CLIENT].link, SIM_SERVER, false);
    run(&bench, 50);
    assert_int_equal(bench.ends[SIM_SERVER].got, 10);
    finish(&bench);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 0, 0);
    bench.refuse = true;
    dial(&bench);
    run(&bench, 50);
    assert_true(bench.ends[SIM_CLIENT].gone);
    finish(&bench);
    begin(&bench, 0, 0);
    assert_int_equal(sim_net_listener(bench.net, 0), 17);
    sim_net_unlisten(bench.net, 0, false);
    assert_int_equal(sim_net_listener(bench.net, 0), 0);
    dial(&bench);
    run(&bench, 50);
    assert_true(bench.ends[SIM_CLIENT].gone);
    finish(&bench);
}

static void a_server_dies(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct bench bench;
        begin(&bench, 0, 0);
        dial(&bench);
        run(&bench, 10);
        sim_net_unlisten(bench.net, 0, silent == 1);
        bench.ends[SIM_CLIENT].wanted = 10;
        send_more(&bench.ends[SIM_CLIENT]);
        run(&bench, 50);
        assert_int_equal(bench.ends[SIM_CLIENT].gone, silent == 0);
        assert_int_equal(bench.ends[SIM_SERVER].got, 0);
        finish(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_keep_their_order),
        cmocka_unit_test(a_reset_is_heard_at_both_ends),
        cmocka_unit_test(half_open_is_heard_at_one_end),
        cmocka_unit_test(a_blackhole_says_nothing),
        cmocka_unit_test(the_deaf_are_heard),
        cmocka_unit_test(a_stall_delays),
        cmocka_unit_test(tiny_segments_have_one_byte),
        cmocka_unit_test(a_close_comes_behind_the_bytes),
        cmocka_unit_test(a_paused_end_gets_nothing),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(a_server_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
