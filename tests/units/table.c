// SPDX-License-Identifier: Apache-2.0
#include "units/table.h"

#include "base/assert.h"
#include "cost/units.h"
#include "function/sweep.h"
#include "units/cases.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PATH_SIZE = 64,
    WARM = 20, /* writes before: the session's record is as it usually is */
    MINUTE_MS = 60000,
};

/* --- operations that depend on an amount: of bytes, children, parts --- */

/* Of the row that is measured. */
static size_t amount;

static struct peer *client(struct units_world *world)
{
    return &world->peers[0];
}

static struct fk_bytes bytes_of(struct units_world *world, size_t size)
{
    uint8_t *bytes = (uint8_t *)fk_arena_alloc(&world->arena, size + 1);
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    return fk_bytes_of(bytes, size);
}

static void done(struct units_world *world)
{
    units_settle(world);
    (void)expect_reply(client(world), 1, FK_CODE_OK);
}

static void create_sized(struct units_world *world, const char *path, size_t size, int32_t flags)
{
    struct fk_create_request request = {
        .path = fk_bytes_text(path), .data = bytes_of(world, size), .acl = FK_ACL_OPEN, .flags = flags};
    fk_write_create_request(request_begin(1, FK_OP_CREATE), &request);
    request_end(client(world));
    done(world);
}

static void set_sized(struct units_world *world, size_t size)
{
    send_set(client(world), 1, "/app/config", bytes_of(world, size));
    done(world);
}

static void prepare(struct units_world *world)
{
    create_sized(world, "/app", 100, 0);
    create_sized(world, "/app/config", 100, 0);
    for (int i = 0; i < WARM; i++) {
        set_sized(world, 100);
    }
}

static void prepare_data(struct units_world *world)
{
    prepare(world);
    set_sized(world, amount);
}

static void prepare_children(struct units_world *world)
{
    char path[PATH_SIZE];
    prepare(world);
    for (size_t i = 1; i < amount; i++) { /* with /app/config */
        (void)snprintf(path, sizeof path, "/app/member-%04zu", i);
        create_sized(world, path, 100, 0);
    }
}

static void prepare_ephemerals(struct units_world *world)
{
    char path[PATH_SIZE];
    prepare(world);
    for (size_t i = 0; i < amount; i++) {
        (void)snprintf(path, sizeof path, "/app/member-%04zu", i);
        create_sized(world, path, 100, FK_CREATE_EPHEMERAL);
    }
}

static void get_data(struct units_world *world)
{
    send_watch(client(world), 1, FK_OP_GET_DATA, "/app/config", false);
    done(world);
}

static void set_data(struct units_world *world)
{
    set_sized(world, amount);
}

static void create_plain(struct units_world *world)
{
    create_sized(world, "/app/new", amount, 0);
}

static void create_ephemeral(struct units_world *world)
{
    create_sized(world, "/app/new", amount, FK_CREATE_EPHEMERAL);
}

static void create_sequential(struct units_world *world)
{
    create_sized(world, "/app/new-", amount, FK_CREATE_SEQUENTIAL);
}

static void get_children(struct units_world *world)
{
    send_watch(client(world), 1, FK_OP_GET_CHILDREN2, "/app", false);
    done(world);
}

static void count_children(struct units_world *world)
{
    fk_write_bytes(request_begin(1, FK_OP_GET_ALL_CHILDREN_NUMBER), FK_BYTES_LITERAL("/app"));
    request_end(client(world));
    done(world);
}

/* A part for each child. */
static void multi_of(struct units_world *world, int32_t op, int32_t part_op)
{
    char path[PATH_SIZE];
    struct fk_buf *frame = request_begin(1, op);
    for (size_t i = 0; i < amount; i++) {
        (void)snprintf(path, sizeof path, "/app/member-%04zu", i);
        struct fk_bytes name = i == 0 ? FK_BYTES_LITERAL("/app/config") : fk_bytes_text(path);
        fk_write_multi_header(frame, &(struct fk_multi_header){part_op, false, -1});
        if (part_op == FK_OP_SET_DATA) {
            fk_write_set_data_request(
                frame, &(struct fk_set_data_request){.path = name, .data = bytes_of(world, 100), .version = -1});
        } else {
            fk_write_watch_request(frame, &(struct fk_watch_request){name, false});
        }
    }
    fk_write_multi_header(frame, &(struct fk_multi_header){-1, true, -1});
    request_end(client(world));
    done(world);
}

static void multi(struct units_world *world)
{
    multi_of(world, FK_OP_MULTI, FK_OP_SET_DATA);
}

static void multi_read(struct units_world *world)
{
    multi_of(world, FK_OP_MULTI_READ, FK_OP_GET_DATA);
}

static void close_session(struct units_world *world)
{
    send_plain(client(world), 1, FK_OP_CLOSE_SESSION);
    done(world);
}

/* --- what happens by itself --- */

static void ping_all(struct units_world *world)
{
    for (size_t i = 0; i < world->peer_count; i++) {
        send_plain(&world->peers[i], FK_XID_PING, FK_OP_PING);
        units_settle(world);
        (void)expect_reply(&world->peers[i], FK_XID_PING, FK_CODE_OK);
    }
}

static void pass_period(struct units_world *world)
{
    ping_all(world);
    units_pass_ms(world, world->options.period_ms);
}

static void pass_minute(struct units_world *world)
{
    for (int64_t ms = 0; ms < MINUTE_MS; ms += world->options.period_ms) {
        pass_period(world);
    }
}

/* What was new is known; gateways: `amount`. */
static void prepare_gateways(struct units_world *world)
{
    prepare(world);
    for (size_t i = 1; i < amount; i++) {
        units_add_gateway(world);
    }
    pass_minute(world);
}

static void sweep(struct units_world *world)
{
    struct fk_sweep_result result;
    world->invocations++;
    assert_int_equal(fk_sweep_run(&world->options, &world->ports, &result), FK_OK);
    assert_int_equal(result.gateways_alive, 1);
}

/* Sessions that have written once: an answer is kept in each. */
static void prepare_sessions(struct units_world *world)
{
    struct fk_connect_response response;
    prepare(world);
    for (size_t i = 1; i < amount; i++) {
        struct peer *peer = units_connect(world, 0, NULL, &response);
        send_set(peer, 1, "/app/config", bytes_of(world, 100));
        units_settle(world);
        (void)expect_reply(peer, 1, FK_CODE_OK);
    }
    pass_minute(world);
    world->options.orphan_sweeps = INT32_MAX; /* they are a row of their own */
}

/* Heartbeats with the minutes between them; the same minutes without. */
static bool beats;

static void prepare_beats(struct units_world *world)
{
    prepare_sessions(world);
    beats = true;
}

static void prepare_minutes(struct units_world *world)
{
    prepare_sessions(world);
    beats = false;
}

static void pass_hours(struct units_world *world)
{
    for (int i = 0; i < FK_COST_HEARTBEAT_CALLS; i++) {
        pass_minute(world);
        if (beats) {
            sweep(world);
        }
    }
}

static void prepare_quiet(struct units_world *world)
{
    prepare(world);
    pass_minute(world);
    world->options.session_sweeps = INT32_MAX; /* nothing of a difference is drawn by lot */
    world->options.orphan_sweeps = INT32_MAX;
}

static void prepare_event(struct units_world *world)
{
    prepare_quiet(world);
    send_watch(client(world), 1, FK_OP_GET_DATA, "/app/config", true);
    done(world);
    send_set(client(world), 1, "/app/config", bytes_of(world, 100));
    units_settle(world);
    expect_event(client(world), FK_EVENT_DATA_CHANGED, "/app/config");
    (void)expect_reply(client(world), 1, FK_CODE_OK);
}

static void minute_and_sweep(struct units_world *world)
{
    pass_minute(world);
    sweep(world);
}

/* Nodes whose data stands elsewhere, if it is large enough. */
static void prepare_nodes(struct units_world *world)
{
    char path[PATH_SIZE];
    prepare(world);
    for (size_t i = 0; i < FK_COST_ORPHAN_NODES; i++) {
        (void)snprintf(path, sizeof path, "/app/member-%04zu", i);
        create_sized(world, path, amount, 0);
    }
    pass_minute(world);
    world->options.session_sweeps = INT32_MAX;
    world->options.orphan_sweeps = 1;
}

/* What a look for data costs besides the sweep that it is a part of. */
static void prepare_nodes_quiet(struct units_world *world)
{
    prepare_nodes(world);
    world->options.orphan_sweeps = INT32_MAX;
}

/* --- the rows --- */

/* Bytes of data: around every bound that there is, and each KB below 8 KiB, where units grow by the KB. */
static const size_t sizes[] = {100,   400,   700,        800,        900,        1000,        1024, 1700,
                               2048,  3072,  4096,       5120,       6144,       7168,        8192, 9216,
                               16384, 65536, 100 * 1024, 256 * 1024, 512 * 1024, 0xfffff - 64};
static const size_t lists[] = {1, 2, 5, 10, 20, 50, 101, 200};
static const size_t parts[] = {1, 2, 5, 10, 20, 50};
static const size_t sessions[] = {1, 2, 16, 32, 64};
static const size_t crowds[] = {1, 16, 64};
static const size_t gateways[] = {1, UNITS_GATEWAYS};
static const size_t once[] = {0};

/* An operation: a case of docs/aws-units.md, or one with its amounts. */
struct table_row {
    enum fk_cost_op op;
    const char *case_name; /* NULL: the functions say it */
    const size_t *amounts;
    size_t amount_count;
    void (*prepare)(struct units_world *world);
    void (*operate)(struct units_world *world);
    bool gateway_alone;
    void (*prepare_less)(struct units_world *world); /* what it uses after this is taken off; NULL: nothing */
};

#define CASE(id, name)                                                                                                 \
    {                                                                                                                  \
        .op = FK_COST_##id, .case_name = (name)                                                                        \
    }
#define MADE(id, list, prepare, operate, alone, less)                                                                  \
    {                                                                                                                  \
        FK_COST_##id, NULL, list, sizeof list / sizeof list[0], prepare, operate, alone, less                          \
    }

static const struct table_row rows[] = {
    MADE(GET_DATA, sizes, prepare_data, get_data, true, NULL),
    CASE(GET_DATA_WATCH, "getData with a watch, the gateway's first on the path"),
    CASE(EXISTS, "exists"),
    CASE(EXISTS_NOT, "exists, no such node"),
    CASE(EXISTS_NOT_WATCH, "exists with a watch, no such node"),
    CASE(GET_ACL, "getACL"),
    MADE(GET_CHILDREN, lists, prepare_children, get_children, true, NULL),
    CASE(GET_EPHEMERALS, "getEphemerals"),
    MADE(GET_ALL_CHILDREN_NUMBER, lists, prepare_children, count_children, true, NULL),
    MADE(MULTI_READ, parts, prepare_children, multi_read, true, NULL),
    CASE(ADD_WATCH, "addWatch, persistent"),
    CASE(ADD_WATCH_RECURSIVE, "addWatch, recursive"),
    CASE(SYNC, "sync"),
    CASE(PING, "ping"),
    CASE(AUTH, "addauth"),
    MADE(CREATE, sizes, prepare, create_plain, false, NULL),
    MADE(CREATE_EPHEMERAL, sizes, prepare, create_ephemeral, false, NULL),
    MADE(CREATE_SEQUENTIAL, sizes, prepare, create_sequential, false, NULL),
    CASE(CREATE_CONTAINER, "create, container"),
    CASE(CREATE_REFUSED, "create, refused: the node exists"),
    CASE(DELETE, "delete"),
    MADE(SET_DATA, sizes, prepare_data, set_data, false, NULL),
    CASE(SET_DATA_WATCHED, "setData of a node that the gateway watches"),
    CASE(SET_ACL, "setACL"),
    MADE(MULTI, parts, prepare_children, multi, false, NULL),
    CASE(SESSION_NEW, "session: new"),
    CASE(SESSION_MOVED, "session: taken over by another gateway"),
    CASE(SESSION_CLOSED, "session: closed"),
    MADE(SESSION_CLOSED, parts, prepare_ephemerals, close_session, false, NULL),
    CASE(SESSION_EXPIRED, "session: expired"),
    MADE(GATEWAY_PERIOD, once, prepare_gateways, pass_period, true, NULL),
    MADE(GATEWAY_MINUTE, gateways, prepare_gateways, pass_minute, true, NULL),
    MADE(HEARTBEAT, sessions, prepare_sessions, sweep, true, NULL),
    MADE(HEARTBEATS, crowds, prepare_beats, pass_hours, true, prepare_minutes),
    MADE(EVENT_TRIMMED, once, prepare_event, minute_and_sweep, true, prepare_quiet),
    MADE(ORPHAN_SWEEP, sizes, prepare_nodes, sweep, false, prepare_nodes_quiet),
};

static const char *const identifiers[] = {
#define FK_COST_OP_ROW(id, name, counted) "FK_COST_" #id,
    FK_COST_OP_TABLE(FK_COST_OP_ROW)
#undef FK_COST_OP_ROW
};

static void print_number(struct fk_buf *out, const char *name, int64_t number, bool *some)
{
    if (number != 0) {
        fk_buf_print(out, "%s.%s = %" PRId64, *some ? ", " : "", name, number);
        *some = true;
    }
}

static void print_units(struct fk_buf *out, const struct fk_units *units)
{
    bool some = false;
    print_number(out, "table_gets", units->table_gets, &some);
    print_number(out, "table_lists", units->table_lists, &some);
    print_number(out, "table_writes", units->table_writes, &some);
    print_number(out, "table_transactions", units->table_transactions, &some);
    print_number(out, "table_refused", units->table_refused, &some);
    print_number(out, "table_failed", units->table_failed, &some);
    print_number(out, "read_units", units->read_units, &some);
    print_number(out, "write_units", units->write_units, &some);
    print_number(out, "read_bytes", units->read_bytes, &some);
    print_number(out, "written_bytes", units->written_bytes, &some);
    print_number(out, "queue_sends", units->queue_sends, &some);
    print_number(out, "queue_requests", units->queue_requests, &some);
    print_number(out, "queue_bytes", units->queue_bytes, &some);
    print_number(out, "channel_sends", units->channel_sends, &some);
    print_number(out, "channel_requests", units->channel_requests, &some);
    print_number(out, "channel_bytes", units->channel_bytes, &some);
    print_number(out, "blob_puts", units->blob_puts, &some);
    print_number(out, "blob_gets", units->blob_gets, &some);
    print_number(out, "blob_lists", units->blob_lists, &some);
    print_number(out, "blob_removes", units->blob_removes, &some);
    print_number(out, "blob_put_bytes", units->blob_put_bytes, &some);
    print_number(out, "blob_get_bytes", units->blob_get_bytes, &some);
    if (!some) {
        fk_buf_print(out, "0");
    }
}

static void print_row(struct fk_buf *out, const struct table_row *row, bool pipeline)
{
    const struct units_case own = {"", NULL, row->prepare, row->operate, NULL, row->gateway_alone};
    const struct units_case *one = row->case_name == NULL ? &own : units_find(row->case_name);
    if (pipeline && one->gateway_alone) {
        return; /* the same */
    }
    const size_t *amounts = row->case_name == NULL ? row->amounts : once;
    size_t count = row->case_name == NULL ? row->amount_count : 1;
    for (size_t i = 0; i < count; i++) {
        amount = amounts[i];
        struct units_use use = units_measure(one, pipeline);
        if (row->prepare_less != NULL) {
            const struct units_case less = {"", NULL, row->prepare_less, row->operate, NULL, row->gateway_alone};
            struct units_use base = units_measure(&less, pipeline);
            use.units = fk_units_between(&base.units, &use.units);
            use.invocations -= base.invocations;
            FK_ASSERT(use.units.table_lists >= 0 && use.units.read_units >= 0 && use.units.write_units >= 0);
        }
        fk_buf_print(out, "{%s, %s, %zu, {", identifiers[row->op], pipeline ? "true" : "false", amount);
        print_units(out, &use.units);
        fk_buf_print(out, "}, %" PRId64 "},\n", use.invocations);
    }
}

void units_print_table(struct fk_buf *out)
{
    fk_buf_print(out, "// SPDX-License-Identifier: Apache-2.0\n");
    fk_buf_print(out, "/* Made by `build/tests/units/faaskeeper-units --table > src/cost/units_table.inc`; the test "
                      "units-table compares. */\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_row(out, &rows[i], false);
        print_row(out, &rows[i], true);
    }
}
