// SPDX-License-Identifier: Apache-2.0
/* Random records through their codecs and back, field by field. */
#include "function/record.h"
#include "support/test.h"

enum {
    ROUNDS = 200,
    ITEMS_MAX = 5,
};

static struct fk_arena arena;
static struct fk_buf buf;
static struct fk_prng prng;

static int setup(void **state)
{
    int failed = fk_test_begin(state);
    arena = FK_ARENA_EMPTY;
    buf = FK_BUF_EMPTY;
    prng = fk_test_prng();
    return failed;
}

static int teardown(void **state)
{
    fk_arena_deinit(&arena);
    fk_buf_deinit(&buf);
    return fk_test_end(state);
}

static int64_t any(void)
{
    return fk_prng_i64(&prng);
}

static size_t some(size_t bound)
{
    return (size_t)fk_prng_below(&prng, bound);
}

/* Null now and then where it may be. */
static struct fk_bytes some_bytes(bool nullable)
{
    uint8_t bytes[40];
    fk_prng_fill(&prng, bytes, sizeof bytes);
    return nullable && fk_prng_chance(&prng, 20) ? FK_BYTES_NULL
                                                 : fk_arena_copy(&arena, fk_bytes_of(bytes, some(sizeof bytes)));
}

static struct fk_bytes some_path(size_t index)
{
    struct fk_buf path = FK_BUF_EMPTY;
    fk_buf_print(&path, "/%03zu/%zu", index, some(1000));
    struct fk_bytes copy = fk_arena_copy(&arena, fk_buf_view(&path));
    fk_buf_deinit(&path);
    return copy;
}

/* Gateways ascend from a negative number on. */
static int64_t some_gateway(size_t index)
{
    return (int64_t)index * 1000 - 1500 + (int64_t)some(1000);
}

static struct fk_gateway_zxids some_zxids(void)
{
    struct fk_gateway_zxids set = {.count = some(ITEMS_MAX)};
    set.items = (struct fk_gateway_zxid *)fk_arena_alloc(&arena, ITEMS_MAX * sizeof *set.items);
    for (size_t i = 0; i < set.count; i++) {
        set.items[i] = (struct fk_gateway_zxid){some_gateway(i), any(), false};
    }
    return set;
}

static void assert_zxids(const struct fk_gateway_zxids *got, const struct fk_gateway_zxids *sent)
{
    assert_int_equal(got->count, sent->count);
    for (size_t i = 0; i < sent->count; i++) {
        assert_int_equal(got->items[i].gateway, sent->items[i].gateway);
        assert_int_equal(got->items[i].zxid, sent->items[i].zxid);
        assert_int_equal(fk_gateway_zxids_get(got, sent->items[i].gateway), sent->items[i].zxid);
    }
    assert_int_equal(fk_gateway_zxids_get(got, INT64_MIN), 0);
    assert_int_equal(fk_gateway_zxids_get(got, INT64_MAX), 0);
}

static void zx_records(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct fk_zx_record got;
        struct fk_zx_record sent = {
            .zxid = any(), .generation = any(), .recursive_version = any(), .lastev = some_zxids()};
        fk_buf_clear(&buf);
        fk_zx_record_write(&buf, &sent);
        assert_int_equal(fk_zx_record_read(fk_buf_view(&buf), &arena, &got), FK_OK);
        assert_int_equal(got.zxid, sent.zxid);
        assert_int_equal(got.generation, sent.generation);
        assert_int_equal(got.recursive_version, sent.recursive_version);
        assert_zxids(&got.lastev, &sent.lastev);
    }
}

static struct fk_node some_node(void)
{
    return (struct fk_node){.path = fk_bytes_text("/given"),
                            .data = some_bytes(true),
                            .acl = some_bytes(true),
                            .czxid = any(),
                            .mzxid = any(),
                            .pzxid = any(),
                            .ctime_ms = any(),
                            .mtime_ms = any(),
                            .ephemeral_owner = any(),
                            .version = fk_prng_i32(&prng),
                            .aversion = fk_prng_i32(&prng),
                            .created_children = fk_prng_i32(&prng),
                            .num_children = fk_prng_i32(&prng)};
}

static struct fk_node_record some_node_record(void)
{
    struct fk_node_record record = {.node = some_node(),
                                    .exists = true,
                                    .zxid = any(),
                                    .generation = any(),
                                    .counter = any(),
                                    .pend = some_zxids()};
    record.subs.count = some(ITEMS_MAX);
    record.subs.items = (struct fk_subscription *)fk_arena_alloc(&arena, ITEMS_MAX * sizeof *record.subs.items);
    for (size_t i = 0; i < record.subs.count; i++) {
        record.subs.items[i] = (struct fk_subscription){some_gateway(i), 1 + (uint32_t)some(15)};
    }
    record.place = (enum fk_data_place)some(3);
    if (record.place != FK_DATA_INLINE) {
        record.attempt = fk_arena_copy(&arena, FK_BYTES_LITERAL("0123456789abcdef"));
        record.node.data = fk_bytes_of(NULL, some(INT32_MAX));
    }
    if (fk_prng_chance(&prng, 20)) { /* only watches stand here */
        record.exists = false;
        record.node = (struct fk_node){.path = record.node.path};
        record.place = FK_DATA_INLINE;
        record.attempt = FK_BYTES_NULL;
    }
    return record;
}

static void assert_node(const struct fk_node *got, const struct fk_node *sent)
{
    fk_assert_bytes(got->path, sent->path);
    fk_assert_bytes(got->acl, sent->acl);
    assert_int_equal(got->data.size, sent->data.size);
    assert_int_equal(got->czxid, sent->czxid);
    assert_int_equal(got->mzxid, sent->mzxid);
    assert_int_equal(got->pzxid, sent->pzxid);
    assert_int_equal(got->ctime_ms, sent->ctime_ms);
    assert_int_equal(got->mtime_ms, sent->mtime_ms);
    assert_int_equal(got->ephemeral_owner, sent->ephemeral_owner);
    assert_int_equal(got->version, sent->version);
    assert_int_equal(got->aversion, sent->aversion);
    assert_int_equal(got->created_children, sent->created_children);
    assert_int_equal(got->num_children, sent->num_children);
}

static void node_records(void **state)
{
    (void)state;
    int elsewhere = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct fk_node_record got;
        struct fk_node_record sent = some_node_record();
        fk_buf_clear(&buf);
        fk_node_record_write(&buf, &sent);
        assert_int_equal(fk_node_record_read(fk_buf_view(&buf), sent.node.path, &arena, &got), FK_OK);
        assert_node(&got.node, &sent.node);
        assert_int_equal(got.exists, sent.exists);
        assert_int_equal(got.zxid, sent.zxid);
        assert_int_equal(got.generation, sent.generation);
        assert_int_equal(got.counter, sent.counter);
        assert_zxids(&got.pend, &sent.pend);
        assert_int_equal(got.subs.count, sent.subs.count);
        for (size_t i = 0; i < sent.subs.count; i++) {
            assert_int_equal(got.subs.items[i].gateway, sent.subs.items[i].gateway);
            assert_int_equal(got.subs.items[i].kinds, sent.subs.items[i].kinds);
        }
        assert_int_equal(got.place, sent.place);
        fk_assert_bytes(got.attempt, sent.attempt);
        if (sent.place == FK_DATA_INLINE) {
            fk_assert_bytes(got.node.data, sent.node.data);
        } else {
            assert_null(got.node.data.data);
            elsewhere++;
        }
    }
    assert_true(elsewhere > 0 && elsewhere < ROUNDS);
}

static struct fk_session_record some_session(void)
{
    struct fk_session_record record = {.session = {.id = any(), .timeout_ms = fk_prng_i32(&prng)},
                                       .state = fk_prng_chance(&prng, 50) ? FK_SESSION_LIVE : FK_SESSION_CLOSING,
                                       .epoch = any(),
                                       .last = any(),
                                       .owner = any(),
                                       .nonce = any(),
                                       .attach_zxid = any(),
                                       .count = some(FK_RING_SIZE + 1)};
    fk_prng_fill(&prng, record.session.password, sizeof record.session.password);
    for (size_t i = 0; i < record.count; i++) {
        record.results[i] = (struct fk_result){.epoch = any(),
                                               .number = any(),
                                               .zxid = any(),
                                               .need = any(),
                                               .generation = any(),
                                               .code = fk_prng_i32(&prng),
                                               .body = some_bytes(true)};
    }
    return record;
}

static void assert_result(const struct fk_result *got, const struct fk_result *sent)
{
    assert_int_equal(got->epoch, sent->epoch);
    assert_int_equal(got->number, sent->number);
    assert_int_equal(got->zxid, sent->zxid);
    assert_int_equal(got->need, sent->need);
    assert_int_equal(got->generation, sent->generation);
    assert_int_equal(got->code, sent->code);
    fk_assert_bytes(got->body, sent->body);
}

static void session_records(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct fk_session_record got;
        struct fk_session_record sent = some_session();
        fk_buf_clear(&buf);
        fk_session_record_write(&buf, &sent);
        assert_int_equal(fk_session_record_read(fk_buf_view(&buf), &arena, &got), FK_OK);
        assert_int_equal(got.session.id, sent.session.id);
        assert_int_equal(got.session.timeout_ms, sent.session.timeout_ms);
        assert_memory_equal(got.session.password, sent.session.password, sizeof sent.session.password);
        assert_int_equal(got.state, sent.state);
        assert_int_equal(got.epoch, sent.epoch);
        assert_int_equal(got.last, sent.last);
        assert_int_equal(got.owner, sent.owner);
        assert_int_equal(got.nonce, sent.nonce);
        assert_int_equal(got.attach_zxid, sent.attach_zxid);
        assert_int_equal(got.count, sent.count);
        for (size_t i = 0; i < sent.count; i++) {
            assert_result(&got.results[i], &sent.results[i]);
        }
    }
}

static void results_are_found_by_epoch_and_number(void **state)
{
    (void)state;
    struct fk_session_record record = {.count = 3,
                                       .results = {{.epoch = 1, .number = 2, .zxid = 10},
                                                   {.epoch = 2, .number = 1, .zxid = 11},
                                                   {.epoch = 2, .number = 2, .zxid = 12},
                                                   {.epoch = 2, .number = 3, .zxid = 13}}};
    assert_int_equal(fk_session_record_result(&record, 1, 2)->zxid, 10);
    assert_int_equal(fk_session_record_result(&record, 2, 1)->zxid, 11);
    assert_int_equal(fk_session_record_result(&record, 2, 2)->zxid, 12);
    assert_null(fk_session_record_result(&record, 1, 1));
    assert_null(fk_session_record_result(&record, 2, 3)); /* beyond the count */
}

static void ephemerals_records(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct fk_ephemerals_record got;
        struct fk_bytes paths[ITEMS_MAX];
        struct fk_ephemerals_record sent = {.paths = paths, .count = some(ITEMS_MAX + 1)};
        for (size_t i = 0; i < sent.count; i++) {
            paths[i] = some_path(i);
        }
        fk_buf_clear(&buf);
        fk_ephemerals_record_write(&buf, &sent);
        assert_int_equal(fk_ephemerals_record_read(fk_buf_view(&buf), &arena, &got), FK_OK);
        assert_int_equal(got.count, sent.count);
        for (size_t i = 0; i < sent.count; i++) {
            fk_assert_bytes(got.paths[i], sent.paths[i]);
        }
    }
}

static void gateway_and_observation_records(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct fk_gateway_record gateway;
        struct fk_gateway_record sent = {.counter = any(),
                                         .acked = any(),
                                         .alive = fk_prng_chance(&prng, 50),
                                         .wall_ms = any(),
                                         .address = some_bytes(true)};
        fk_buf_clear(&buf);
        fk_gateway_record_write(&buf, &sent);
        assert_int_equal(fk_gateway_record_read(fk_buf_view(&buf), &gateway), FK_OK);
        assert_int_equal(gateway.counter, sent.counter);
        assert_int_equal(gateway.acked, sent.acked);
        assert_int_equal(gateway.alive, sent.alive);
        assert_int_equal(gateway.wall_ms, sent.wall_ms);
        fk_assert_bytes(gateway.address, sent.address);
        struct fk_observation_record observation;
        struct fk_observation_record seen = {.counter = any(), .since_ms = any()};
        fk_buf_clear(&buf);
        fk_observation_record_write(&buf, &seen);
        assert_int_equal(fk_observation_record_read(fk_buf_view(&buf), &observation), FK_OK);
        assert_int_equal(observation.counter, seen.counter);
        assert_int_equal(observation.since_ms, seen.since_ms);
    }
}

static void recursive_records(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct fk_recursive_record got;
        struct fk_recursive_subscription items[ITEMS_MAX];
        struct fk_recursive_record sent = {.items = items, .count = some(ITEMS_MAX + 1)};
        for (size_t i = 0; i < sent.count; i++) {
            items[i] = (struct fk_recursive_subscription){any(), some_path(some(ITEMS_MAX))};
        }
        fk_buf_clear(&buf);
        fk_recursive_record_write(&buf, &sent);
        assert_int_equal(fk_recursive_record_read(fk_buf_view(&buf), &arena, &got), FK_OK);
        assert_int_equal(got.count, sent.count);
        for (size_t i = 0; i < sent.count; i++) {
            assert_int_equal(got.items[i].gateway, sent.items[i].gateway);
            fk_assert_bytes(got.items[i].path, sent.items[i].path);
        }
    }
}

static struct fk_event_entry some_entry(void)
{
    if (fk_prng_chance(&prng, 30)) {
        return (struct fk_event_entry){
            .kind = FK_ENTRY_SESSION_GONE, .session_id = any(), .epoch = any(), .gone = (enum fk_gone)(1 + some(3))};
    }
    return (struct fk_event_entry){.kind = FK_ENTRY_NODE,
                                   .type = 1 + (int32_t)some(4),
                                   .kinds = (uint32_t)some(16),
                                   .path = some_path(some(ITEMS_MAX)),
                                   .acl = some_bytes(true)};
}

static void assert_entry(const struct fk_event_entry *got, const struct fk_event_entry *sent)
{
    assert_int_equal(got->kind, sent->kind);
    assert_int_equal(got->type, sent->type);
    assert_int_equal(got->kinds, sent->kinds);
    fk_assert_bytes(got->path, sent->path);
    fk_assert_bytes(got->acl, sent->acl);
    assert_int_equal(got->session_id, sent->session_id);
    assert_int_equal(got->epoch, sent->epoch);
    assert_int_equal(got->gone, sent->gone);
}

static void events_records(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct fk_events_record got;
        struct fk_gateway_events gateways[ITEMS_MAX];
        struct fk_event_entry entries[ITEMS_MAX][ITEMS_MAX];
        struct fk_events_record sent = {.zxid = any(), .gateways = gateways, .count = some(ITEMS_MAX + 1)};
        for (size_t i = 0; i < sent.count; i++) {
            gateways[i] = (struct fk_gateway_events){
                .gateway = any(), .prev = any(), .entries = entries[i], .count = some(ITEMS_MAX + 1)};
            for (size_t j = 0; j < gateways[i].count; j++) {
                entries[i][j] = some_entry();
            }
        }
        fk_buf_clear(&buf);
        fk_events_record_write(&buf, &sent);
        assert_int_equal(fk_events_record_read(fk_buf_view(&buf), &arena, &got), FK_OK);
        assert_int_equal(got.zxid, sent.zxid);
        assert_int_equal(got.count, sent.count);
        for (size_t i = 0; i < sent.count; i++) {
            assert_int_equal(got.gateways[i].gateway, gateways[i].gateway);
            assert_int_equal(got.gateways[i].prev, gateways[i].prev);
            assert_int_equal(got.gateways[i].count, gateways[i].count);
            for (size_t j = 0; j < gateways[i].count; j++) {
                assert_entry(&got.gateways[i].entries[j], &entries[i][j]);
            }
        }
    }
}

#define RECORD_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const struct CMUnitTest tests[] = {
    RECORD_TEST(zx_records),         RECORD_TEST(node_records),
    RECORD_TEST(session_records),    RECORD_TEST(results_are_found_by_epoch_and_number),
    RECORD_TEST(ephemerals_records), RECORD_TEST(gateway_and_observation_records),
    RECORD_TEST(recursive_records),  RECORD_TEST(events_records),
};

FK_TEST_MAIN(tests)
