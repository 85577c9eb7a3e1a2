// SPDX-License-Identifier: Apache-2.0
/* The bytes of each record, written down: a change of them is a new format. And what readers refuse. */
#include "function/record.h"
#include "support/test.h"

/* Each sample writes itself, and reads any bytes as a record of its kind. */
struct sample {
    const char *hex;
    void (*write)(struct fk_buf *buf);
    enum fk_err (*read)(struct fk_bytes value, struct fk_arena *arena);
    bool vectors; /* reading takes memory */
};

static void write_zx(struct fk_buf *buf)
{
    struct fk_gateway_zxid items[] = {{1, 16, true}, {2, 17, false}};
    fk_zx_record_write(
        buf,
        &(struct fk_zx_record){.zxid = 17, .generation = 2, .recursive_version = 3, .limits = 4, .lastev = {items, 2}});
}

static enum fk_err read_zx(struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_zx_record record;
    return fk_zx_record_read(value, arena, &record);
}

static void write_node(struct fk_buf *buf, bool exists, enum fk_data_place place)
{
    struct fk_gateway_zxid pend[] = {{1, 16, false}};
    struct fk_subscription subs[] = {{1, FK_WATCH_DATA | FK_WATCH_CHILD},
                                     {2, FK_WATCH_PERSISTENT | FK_WATCH_RECURSIVE}};
    struct fk_node_record record = {.node = {.acl = FK_BYTES_LITERAL("ACL"),
                                             .data = FK_BYTES_LITERAL("data"),
                                             .czxid = 1,
                                             .mzxid = 2,
                                             .pzxid = 3,
                                             .ctime_ms = 4,
                                             .mtime_ms = 5,
                                             .ephemeral_owner = 6,
                                             .version = 7,
                                             .aversion = 8,
                                             .created_children = 9,
                                             .num_children = 10},
                                    .exists = exists,
                                    .zxid = 17,
                                    .generation = 2,
                                    .counter = 11,
                                    .pend = {pend, 1},
                                    .subs = {subs, 2},
                                    .place = place};
    if (place != FK_DATA_INLINE) {
        record.node.data = fk_bytes_of(NULL, 10000);
        record.attempt = FK_BYTES_LITERAL("try");
    }
    fk_node_record_write(buf, &record);
}

static void write_inline_node(struct fk_buf *buf)
{
    write_node(buf, true, FK_DATA_INLINE);
}

static void write_blob_node(struct fk_buf *buf)
{
    write_node(buf, true, FK_DATA_BLOB);
}

/* The list that nearly all nodes have, no owner, no data. */
static void write_open_node(struct fk_buf *buf)
{
    struct fk_node_record record = {.node = {.acl = FK_ACL_OPEN,
                                             .czxid = 10,
                                             .mzxid = 17,
                                             .pzxid = 0,
                                             .ctime_ms = 1700000000000,
                                             .mtime_ms = 1700000001000,
                                             .version = 1},
                                    .exists = true,
                                    .zxid = 17};
    fk_node_record_write(buf, &record);
}

static void write_absent_node(struct fk_buf *buf)
{
    write_node(buf, false, FK_DATA_INLINE);
}

static enum fk_err read_node(struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_node_record record;
    return fk_node_record_read(value, FK_BYTES_LITERAL("/a"), arena, &record);
}

/* Three answers: bytes in front of a Stat, a Stat, an error. */
static void write_session(struct fk_buf *buf)
{
    struct fk_stat stat = {.czxid = 17, .mzxid = 18, .version = 7, .cversion = 3};
    struct fk_buf bodies[2] = {FK_BUF_EMPTY, FK_BUF_EMPTY};
    fk_buf_append(&bodies[0], FK_BYTES_LITERAL("123"));
    fk_write_stat(&bodies[0], &(struct fk_stat){.czxid = 15});
    fk_write_stat(&bodies[1], &stat);
    struct fk_session_record record = {
        .session = {.id = 5, .timeout_ms = 4000},
        .state = FK_SESSION_LIVE,
        .epoch = 2,
        .last = 3,
        .owner = 4,
        .nonce = 5,
        .attach_zxid = 6,
        .count = 3,
        .results = {{.epoch = 2, .number = 1, .zxid = 16, .need = 17, .generation = 6, .body = fk_buf_view(&bodies[0])},
                    {.epoch = 2, .number = 2, .zxid = 17, .need = 17, .generation = 7, .body = fk_buf_view(&bodies[1])},
                    {.epoch = 2, .number = 3, .zxid = 17, .need = 16, .generation = 7, .code = -101}}};
    memcpy(record.session.password, "0123456789abcdef", sizeof record.session.password);
    fk_session_record_write(buf, &record);
    fk_buf_deinit(&bodies[0]);
    fk_buf_deinit(&bodies[1]);
}

static enum fk_err read_session(struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_session_record record;
    return fk_session_record_read(value, arena, &record);
}

static void write_ephemerals(struct fk_buf *buf)
{
    struct fk_bytes paths[] = {FK_BYTES_LITERAL("/a"), FK_BYTES_LITERAL("/b")};
    fk_ephemerals_record_write(buf, &(struct fk_ephemerals_record){paths, 2});
}

static enum fk_err read_ephemerals(struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_ephemerals_record record;
    return fk_ephemerals_record_read(value, arena, &record);
}

static void write_gateway(struct fk_buf *buf)
{
    fk_gateway_record_write(
        buf, &(struct fk_gateway_record){
                 .counter = 9, .acked = 16, .alive = true, .wall_ms = 8, .address = FK_BYTES_LITERAL("host")});
}

static enum fk_err read_gateway(struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_gateway_record record;
    (void)arena;
    return fk_gateway_record_read(value, &record);
}

static void write_observation(struct fk_buf *buf)
{
    fk_observation_record_write(buf, &(struct fk_observation_record){.counter = 9, .since_ms = 8});
}

static enum fk_err read_observation(struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_observation_record record;
    (void)arena;
    return fk_observation_record_read(value, &record);
}

static void write_recursive(struct fk_buf *buf)
{
    struct fk_recursive_subscription items[] = {{1, FK_BYTES_LITERAL("/a")}};
    fk_recursive_record_write(buf, &(struct fk_recursive_record){items, 1});
}

static enum fk_err read_recursive(struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_recursive_record record;
    return fk_recursive_record_read(value, arena, &record);
}

static void write_events(struct fk_buf *buf)
{
    struct fk_event_entry entries[] = {
        {.kind = FK_ENTRY_NODE, .type = FK_EVENT_DATA_CHANGED, .kinds = FK_WATCH_DATA, .path = FK_BYTES_LITERAL("/a")},
        {.kind = FK_ENTRY_SESSION_GONE, .session_id = 5, .epoch = 2, .gone = FK_GONE_ENDED}};
    struct fk_gateway_events gateway = {.gateway = 1, .prev = 16, .entries = entries, .count = 2};
    fk_events_record_write(buf, &(struct fk_events_record){.zxid = 17, .gateways = &gateway, .count = 1});
}

static enum fk_err read_events(struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_events_record record;
    return fk_events_record_read(value, arena, &record);
}

enum kind {
    ZX,
    NODE,
    NODE_BLOB,
    NODE_ABSENT,
    NODE_OPEN, /* what most nodes are like */
    SESSION,
    EPHEMERALS,
    GATEWAY,
    OBSERVATION,
    RECURSIVE,
    EVENTS,
    KINDS,
};

static const struct sample samples[KINDS] = {
    [ZX] = {"02 11 02 03 04 02 0000000000000001 01 0000000000000002 00 01 00", write_zx, read_zx, true},
    [NODE] = {"02 17 11 02 0b 01 0000000000000001 01 02 0000000000000001 03 0000000000000002 0c"
              "04 41434c 1f 1d 1b 08 02 0000000000000006 0e 10 12 14 05 64617461",
              write_inline_node, read_node, true},
    [NODE_BLOB] = {"02 57 11 02 0b 01 0000000000000001 01 02 0000000000000001 03 0000000000000002 0c"
                   "04 41434c 1f 1d 1b 08 02 0000000000000006 0e 10 12 14 904e 04 747279",
                   write_blob_node, read_node, true},
    [NODE_ABSENT] = {"02 06 11 02 0b 01 0000000000000001 01 02 0000000000000001 03 0000000000000002 0c",
                     write_absent_node, read_node, true},
    [NODE_OPEN] = {"02 09 11 00 00 0d 00 21 80a0abfef962 d00f 02 00 00 00 00", write_open_node, read_node, false},
    [SESSION] =
        {"02 0000000000000005 00000fa0 30313233343536373839616263646566 01 02 03 0000000000000004"
         "0000000000000005 06 03 00 03 10 02 06 00 02 04 313233 01 1f 1f 0000000000000000 00 01 11 00 07 00 02 01"
         "00 02 21 000000 0e 06 000000 00 00 11 01 07 c901 00",
         write_session, read_session, true},
    [EPHEMERALS] = {"01 00000002 000000022f61 000000022f62", write_ephemerals, read_ephemerals, true},
    [GATEWAY] = {"01 0000000000000009 0000000000000010 01 0000000000000008 00000004686f7374", write_gateway,
                 read_gateway, false},
    [OBSERVATION] = {"01 0000000000000009 0000000000000008", write_observation, read_observation, false},
    [RECURSIVE] = {"01 00000001 0000000000000001 000000022f61", write_recursive, read_recursive, true},
    [EVENTS] = {"01 0000000000000011 00000001 0000000000000001 0000000000000010 00000002 01 00000003 00000001"
                "000000022f61 ffffffff 02 0000000000000005 0000000000000002 02",
                write_events, read_events, true},
};

static enum fk_err read_once(const struct sample *sample, struct fk_bytes value)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    enum fk_err err = sample->read(value, &arena);
    fk_arena_deinit(&arena);
    return err;
}

static void the_bytes_of_each_record(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct fk_buf written = FK_BUF_EMPTY;
        struct fk_buf golden = FK_BUF_EMPTY;
        samples[i].write(&written);
        fk_test_unhex(&golden, samples[i].hex);
        fk_assert_bytes(fk_buf_view(&written), fk_buf_view(&golden));
        assert_int_equal(read_once(&samples[i], fk_buf_view(&golden)), FK_OK);
        fk_buf_deinit(&written);
        fk_buf_deinit(&golden);
    }
}

static void each_truncation_and_each_surplus_is_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        struct fk_guard guard;
        samples[i].write(&buf);
        fk_guard_init(&guard, buf.size);
        for (size_t size = 0; size < buf.size; size++) {
            struct fk_bytes head = fk_guard_copy(&guard, fk_bytes_head(fk_buf_view(&buf), size));
            assert_int_equal(read_once(&samples[i], head), FK_ERR_DAMAGED);
        }
        assert_int_equal(read_once(&samples[i], FK_BYTES_NULL), FK_ERR_DAMAGED);
        assert_int_equal(read_once(&samples[i], fk_guard_copy(&guard, fk_buf_view(&buf))), FK_OK);
        fk_buf_append(&buf, FK_BYTES_LITERAL("\0"));
        assert_int_equal(read_once(&samples[i], fk_buf_view(&buf)), FK_ERR_DAMAGED);
        fk_guard_deinit(&guard);
        fk_buf_deinit(&buf);
    }
}

static void each_other_format_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        samples[i].write(&buf);
        unsigned newest = buf.data[0];
        buf.data[0] = 0;
        assert_int_equal(read_once(&samples[i], fk_buf_view(&buf)), FK_ERR_DAMAGED);
        for (unsigned format = newest + 1; format < 256; format++) {
            buf.data[0] = (uint8_t)format;
            assert_int_equal(read_once(&samples[i], fk_buf_view(&buf)), FK_ERR_VERSION);
        }
        fk_buf_deinit(&buf);
    }
}

/* Records as the first format had them, and what is written of them now. */
static const struct {
    const char *old;
    enum kind kind;
} old_samples[] = {
    {"01 0000000000000011 0000000000000002 000000000000000b 00000001 0000000000000001 0000000000000010 00000002"
     "0000000000000001 00000003 0000000000000002 0000000c 01 0000000341434c 0000000000000001"
     "0000000000000002 0000000000000003 0000000000000004 0000000000000005 0000000000000006 00000007"
     "00000008 00000009 0000000a 00 0000000464617461",
     NODE},
    {"01 0000000000000011 0000000000000002 000000000000000b 00000001 0000000000000001 0000000000000010 00000002"
     "0000000000000001 00000003 0000000000000002 0000000c 01 0000000341434c 0000000000000001"
     "0000000000000002 0000000000000003 0000000000000004 0000000000000005 0000000000000006 00000007"
     "00000008 00000009 0000000a 02 00002710 00000003747279",
     NODE_BLOB},
    {"01 0000000000000011 0000000000000002 000000000000000b 00000001 0000000000000001 0000000000000010 00000002"
     "0000000000000001 00000003 0000000000000002 0000000c 00",
     NODE_ABSENT},
};

static void nodes_of_the_first_format_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof old_samples / sizeof old_samples[0]; i++) {
        struct fk_arena arena = FK_ARENA_EMPTY;
        struct fk_buf old = FK_BUF_EMPTY;
        struct fk_buf again = FK_BUF_EMPTY;
        struct fk_buf expected = FK_BUF_EMPTY;
        struct fk_node_record record;
        fk_test_unhex(&old, old_samples[i].old);
        assert_int_equal(fk_node_record_read(fk_buf_view(&old), FK_BYTES_LITERAL("/a"), &arena, &record), FK_OK);
        fk_node_record_write(&again, &record);
        samples[old_samples[i].kind].write(&expected);
        fk_assert_bytes(fk_buf_view(&again), fk_buf_view(&expected));
        for (size_t size = 1; size < old.size; size++) {
            struct fk_bytes head = fk_bytes_head(fk_buf_view(&old), size);
            assert_int_equal(fk_node_record_read(head, FK_BYTES_LITERAL("/a"), &arena, &record), FK_ERR_DAMAGED);
        }
        fk_buf_deinit(&old);
        fk_buf_deinit(&again);
        fk_buf_deinit(&expected);
        fk_arena_deinit(&arena);
    }
}

static void other_records_of_the_first_format_are_read(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf zx_bytes = FK_BUF_EMPTY;
    struct fk_buf session_bytes = FK_BUF_EMPTY;
    struct fk_zx_record zx;
    struct fk_session_record session;
    fk_test_unhex(&zx_bytes, "01 0000000000000011 0000000000000002 0000000000000003 00000002 0000000000000001"
                             "0000000000000010 0000000000000002 0000000000000011");
    fk_test_unhex(&session_bytes, "01 0000000000000005 00000fa0 30313233343536373839616263646566 01 0000000000000002"
                                  "0000000000000003 0000000000000004 0000000000000005 0000000000000006 00000001"
                                  "0000000000000002 0000000000000003 0000000000000011 0000000000000010"
                                  "0000000000000007 ffffff9b ffffffff");
    assert_int_equal(fk_zx_record_read(fk_buf_view(&zx_bytes), &arena, &zx), FK_OK);
    assert_int_equal(zx.zxid, 17);
    assert_int_equal(zx.generation, 2);
    assert_int_equal(zx.recursive_version, 3);
    assert_int_equal(zx.limits, 0);
    assert_int_equal(zx.lastev.count, 2);
    assert_int_equal(zx.lastev.items[1].gateway, 2);
    assert_int_equal(zx.lastev.items[1].zxid, 17);
    assert_false(zx.lastev.items[1].settled); /* nobody knows */
    assert_int_equal(fk_session_record_read(fk_buf_view(&session_bytes), &arena, &session), FK_OK);
    assert_int_equal(session.session.id, 5);
    assert_int_equal(session.owner, 4);
    assert_int_equal(session.count, 1);
    assert_int_equal(session.results[0].need, 16);
    assert_int_equal(session.results[0].code, -101);
    assert_null(session.results[0].body.data);
    session_bytes.data[29] = 0;
    assert_int_equal(fk_session_record_read(fk_buf_view(&session_bytes), &arena, &session), FK_ERR_DAMAGED);
    fk_buf_deinit(&zx_bytes);
    fk_buf_deinit(&session_bytes);
    fk_arena_deinit(&arena);
}

static void without_memory_vectors_are_not_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        samples[i].write(&buf);
        fk_test_fail_alloc(1);
        assert_int_equal(read_once(&samples[i], fk_buf_view(&buf)), samples[i].vectors ? FK_ERR_NOMEM : FK_OK);
        fk_test_fail_alloc(0);
        fk_buf_deinit(&buf);
    }
}

static void malformed_records(void **state)
{
    (void)state;
    static const struct {
        enum kind kind;
        size_t offset;
        const char *hex; /* stands there instead */
        size_t cut;      /* bytes that are missing at the end: what is left has no other fault */
    } rows[] = {
        {ZX, 5, "03", 0},                                                      /* more gateways than there are */
        {ZX, 5, "ffffffffffffffffff7f", 0},                                    /* a number of more than 64 bits */
        {ZX, 15, "0000000000000001", 0},                                       /* a gateway twice */
        {ZX, 15, "0000000000000000", 0},                                       /* not sorted */
        {ZX, 15, "ffffffffffffffff", 0},                                       /* sorted as signed numbers */
        {ZX, 25, "02", 0},                                                     /* neither settled nor not */
        {NODE, 1, "97", 0},                                                    /* an unknown flag */
        {NODE, 1, "77", 0},                                                    /* an unknown place */
        {NODE, 1, "16", 0},                                                    /* not there, but with a node */
        {NODE, 5, "7f", 0},                                                    /* pend */
        {NODE, 15, "7f", 0},                                                   /* subs */
        {NODE, 24, "00", 0},                                                   /* a subscription to nothing */
        {NODE, 24, "10", 0},                                                   /* an unknown kind of watch */
        {NODE, 25, "0000000000000001", 0},                                     /* a subscriber twice */
        {NODE, 51, "ff", 1},                                                   /* a number without an end */
        {NODE_BLOB, 56, "00", 3},                                              /* no attempt */
        {NODE_BLOB, 56, "01", 3},                                              /* an empty attempt */
        {NODE_ABSENT, 1, "07", 0},                                             /* there, but without a node */
        {SESSION, 29, "00", 0},                                                /* no state */
        {SESSION, 29, "03", 0},                                                /* an unknown state */
        {SESSION, 49, "02", 0},                                                /* fewer results than there are */
        {SESSION, 49, "09", 0},                                                /* more than fit */
        {SESSION, 56, "03", 0},                                                /* an unknown kind of body */
        {SESSION, 57, "00", 0},                                                /* no bytes in front of a Stat */
        {EPHEMERALS, 1, "ffffffff", 12},                                       /* null paths */
        {EPHEMERALS, 1, "00000001", 0},                                        /* fewer than there are */
        {EPHEMERALS, 5, "000000022f62", 0},                                    /* a path twice */
        {EPHEMERALS, 5, "000000022f63", 0},                                    /* not sorted */
        {EPHEMERALS, 5, "ffffffff000000022f62", 2},                            /* a null path */
        {EPHEMERALS, 5, "00000000000000042f626262", 0},                        /* an empty path */
        {GATEWAY, 17, "02", 0},                                                /* neither alive nor dead */
        {GATEWAY, 26, "00000005", 0},                                          /* an address beyond the end */
        {RECURSIVE, 1, "ffffffff", 14},                                        /* null items */
        {RECURSIVE, 1, "00000002", 0},                                         /* more than there are */
        {RECURSIVE, 13, "00000000", 2},                                        /* an empty path */
        {EVENTS, 9, "ffffffff", 56},                                           /* null gateways */
        {EVENTS, 29, "ffffffff", 36},                                          /* null entries */
        {EVENTS, 29, "7fffffff", 0},                                           /* more than fit */
        {EVENTS, 33, "00", 0},                                                 /* no kind of entry */
        {EVENTS, 33, "03", 0},                                                 /* an unknown one */
        {EVENTS, 34, "00000000", 0},                                           /* no type of event */
        {EVENTS, 34, "00000005", 0},                                           /* an unknown one */
        {EVENTS, 38, "00000010", 0},                                           /* an unknown kind of watch */
        {EVENTS, 42, "ffffffffffffffff0200000000000000050000000000000002", 2}, /* a null path */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        struct fk_buf patch = FK_BUF_EMPTY;
        samples[rows[i].kind].write(&buf);
        fk_test_unhex(&patch, rows[i].hex);
        assert_true(rows[i].offset + patch.size <= buf.size);
        assert_memory_not_equal(buf.data + rows[i].offset, patch.data, patch.size);
        memcpy(buf.data + rows[i].offset, patch.data, patch.size);
        buf.size -= rows[i].cut;
        if (read_once(&samples[rows[i].kind], fk_buf_view(&buf)) != FK_ERR_DAMAGED) {
            fail_msg("row %zu was read", i);
        }
        fk_buf_deinit(&buf);
        fk_buf_deinit(&patch);
    }
}

/* Whatever bytes stand there, a reader keeps inside of them and gives an answer. */
static void random_damage(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    for (size_t i = 0; i < KINDS; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        struct fk_guard guard;
        samples[i].write(&buf);
        fk_guard_init(&guard, buf.size);
        for (int round = 0; round < 2000; round++) {
            struct fk_bytes copy = fk_guard_copy(&guard, fk_buf_view(&buf));
            uint8_t *bytes = guard.map + (size_t)(copy.data - guard.map);
            for (uint64_t flips = 1 + fk_prng_below(&prng, 3); flips > 0; flips--) {
                bytes[1 + fk_prng_below(&prng, buf.size - 1)] = (uint8_t)fk_prng_next(&prng);
            }
            enum fk_err err = read_once(&samples[i], copy);
            assert_true(err == FK_OK || err == FK_ERR_DAMAGED);
        }
        fk_guard_deinit(&guard);
        fk_buf_deinit(&buf);
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(the_bytes_of_each_record),
    FK_TEST(each_truncation_and_each_surplus_is_damage),
    FK_TEST(each_other_format_is_refused),
    FK_TEST(nodes_of_the_first_format_are_read),
    FK_TEST(other_records_of_the_first_format_are_read),
    FK_TEST(without_memory_vectors_are_not_read),
    FK_TEST(malformed_records),
    FK_TEST(random_damage),
};

FK_TEST_MAIN(tests)
