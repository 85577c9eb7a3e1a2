// SPDX-License-Identifier: Apache-2.0
#include "function/message.h"
#include "sim/golden_internal.h"
#include "wire/records.h"

#include <inttypes.h>

enum {
    TEXT_MAX = 40, /* of data that is shown */
};

const char *sim_golden_code(int32_t code)
{
    static const struct {
        int32_t code;
        const char *text;
    } TEXTS[] = {
        {FK_CODE_OK, "ok"},
        {FK_CODE_RUNTIME_INCONSISTENCY, "not done"},
        {FK_CODE_OPERATION_TIMEOUT, "OperationTimeout"},
        {FK_CODE_NO_NODE, "NoNode"},
        {FK_CODE_NO_AUTH, "NoAuth"},
        {FK_CODE_BAD_VERSION, "BadVersion"},
        {FK_CODE_NO_CHILDREN_FOR_EPHEMERALS, "NoChildrenForEphemerals"},
        {FK_CODE_NODE_EXISTS, "NodeExists"},
        {FK_CODE_NOT_EMPTY, "NotEmpty"},
        {FK_CODE_SESSION_EXPIRED, "SessionExpired"},
        {FK_CODE_INVALID_ACL, "InvalidACL"},
        {FK_CODE_AUTH_FAILED, "AuthFailed"},
    };
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (TEXTS[i].code == code) {
            return TEXTS[i].text;
        }
    }
    return "another error";
}

static const char *op_name(int32_t op)
{
    static const struct {
        int32_t op;
        const char *name;
    } NAMES[] = {
        {FK_OP_CREATE, "create"},
        {FK_OP_CREATE2, "create2"},
        {FK_OP_CREATE_CONTAINER, "createContainer"},
        {FK_OP_CREATE_TTL, "createTTL"},
        {FK_OP_DELETE, "delete"},
        {FK_OP_EXISTS, "exists"},
        {FK_OP_GET_DATA, "getData"},
        {FK_OP_SET_DATA, "setData"},
        {FK_OP_GET_ACL, "getACL"},
        {FK_OP_SET_ACL, "setACL"},
        {FK_OP_GET_CHILDREN, "getChildren"},
        {FK_OP_GET_CHILDREN2, "getChildren2"},
        {FK_OP_SYNC, "sync"},
        {FK_OP_CHECK, "check"},
        {FK_OP_MULTI, "multi"},
        {FK_OP_CLOSE_SESSION, "closeSession"},
        {FK_OP_AUTH, "addauth"},
        {FK_OP_SET_WATCHES, "setWatches"},
        {FK_OP_SET_WATCHES2, "setWatches2"},
        {FK_OP_ADD_WATCH, "addWatch"},
        {FK_OP_PING, "ping"},
        {FK_OP_ATTACH, "attach"},
        {FK_OP_EXPIRE, "expire"},
        {FK_OP_GATEWAY_DEAD, "gateway-dead"},
        {FK_OP_SWEEP_NODE, "sweep-node"},
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (NAMES[i].op == op) {
            return NAMES[i].name;
        }
    }
    return "?";
}

static void print_data(FILE *out, struct fk_bytes data)
{
    if (data.size > TEXT_MAX) {
        (void)fprintf(out, "(%zu bytes)", data.size);
    } else {
        (void)fprintf(out, "\"%.*s\"", (int)data.size, data.data == NULL ? "" : (const char *)data.data);
    }
}

static void print_text(FILE *out, struct fk_bytes text)
{
    (void)fprintf(out, "%.*s", (int)text.size, text.data == NULL ? "" : (const char *)text.data);
}

/* --- requests --- */

static void print_create(FILE *out, struct fk_reader *reader)
{
    struct fk_create_request request;
    fk_read_create_request(reader, &request);
    print_text(out, request.path);
    (void)fputc(' ', out);
    print_data(out, request.data);
    (void)fputs((request.flags & FK_CREATE_EPHEMERAL) != 0 && request.flags < 4 ? ", ephemeral" : "", out);
    (void)fputs((request.flags & FK_CREATE_SEQUENTIAL) != 0 && request.flags < 4 ? ", sequential" : "", out);
}

/* The path, and what stands behind it where it matters. */
static void print_operands(FILE *out, int32_t op, struct fk_reader *reader)
{
    if (op == FK_OP_CREATE || op == FK_OP_CREATE2 || op == FK_OP_CREATE_CONTAINER || op == FK_OP_CREATE_TTL) {
        print_create(out, reader);
        if (op == FK_OP_CREATE_TTL) {
            (void)fk_read_i64(reader);
        }
        return;
    }
    print_text(out, fk_read_bytes(reader));
    if (op == FK_OP_SET_DATA) {
        (void)fputc(' ', out);
        print_data(out, fk_read_bytes(reader));
    }
    if (op == FK_OP_SET_ACL) {
        (void)fk_read_acl(reader);
    }
    if (op == FK_OP_SET_DATA || op == FK_OP_SET_ACL || op == FK_OP_DELETE || op == FK_OP_CHECK) {
        int32_t version = fk_read_i32(reader);
        if (version != -1) {
            (void)fprintf(out, " if version %d", version);
        }
    } else if (op == FK_OP_ADD_WATCH) {
        (void)fputs(fk_read_i32(reader) == 0 ? ", persistent" : ", recursive", out);
    } else if (op == FK_OP_EXISTS || op == FK_OP_GET_DATA || op == FK_OP_GET_CHILDREN || op == FK_OP_GET_CHILDREN2) {
        (void)fputs(fk_read_bool(reader) ? ", watch" : "", out);
    }
}

static void print_multi(FILE *out, struct fk_reader *reader)
{
    struct fk_multi_header header;
    (void)fputc('{', out);
    for (const char *comma = "";; comma = "; ") {
        fk_read_multi_header(reader, &header);
        if (header.done || reader->failed) {
            break;
        }
        (void)fprintf(out, "%s%s ", comma, op_name(header.op));
        print_operands(out, header.op, reader);
    }
    (void)fputc('}', out);
}

static void print_set_watches(FILE *out, struct fk_reader *reader)
{
    static const char *const KINDS[] = {"data", "exist", "child", "persistent", "recursive"};
    (void)fprintf(out, "since zxid %" PRId64, fk_read_i64(reader));
    for (size_t kind = 0; kind < 5 && reader->left > 0; kind++) {
        int32_t count = fk_read_count(reader, 4);
        for (int32_t i = 0; i < count; i++) {
            (void)fprintf(out, "%s %s ", i == 0 ? "," : "", i == 0 ? KINDS[kind] : "");
            print_text(out, fk_read_bytes(reader));
        }
    }
}

void sim_golden_request(struct sim_golden *golden, int32_t op, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    (void)fputs(op_name(op), golden->out);
    bool words = op >= 0 || op == FK_OP_SWEEP_NODE;
    if (body.size == 0 || op == FK_OP_AUTH || !words) {
        return;
    }
    (void)fputc(' ', golden->out);
    if (op == FK_OP_MULTI) {
        print_multi(golden->out, &reader);
    } else if (op == FK_OP_SET_WATCHES || op == FK_OP_SET_WATCHES2) {
        print_set_watches(golden->out, &reader);
    } else {
        print_operands(golden->out, op, &reader);
    }
}

/* --- replies --- */

static void print_version(FILE *out, struct fk_reader *reader)
{
    struct fk_stat stat;
    fk_read_stat(reader, &stat);
    (void)fprintf(out, ", version %d", stat.version);
}

static void print_children(FILE *out, struct fk_reader *reader)
{
    int32_t count = fk_read_count(reader, 4);
    (void)fputs(", [", out);
    for (int32_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "" : " ", out);
        print_text(out, fk_read_bytes(reader));
    }
    (void)fputc(']', out);
}

void sim_golden_reply(struct sim_golden *golden, int32_t op, int32_t code, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    FILE *out = golden->out;
    (void)fputs(sim_golden_code(code), out);
    if (code != FK_CODE_OK || body.size == 0) {
        return;
    }
    if (op == FK_OP_CREATE || op == FK_OP_CREATE2) {
        (void)fputs(", ", out);
        print_text(out, fk_read_bytes(&reader));
    } else if (op == FK_OP_GET_DATA) {
        (void)fputs(", ", out);
        print_data(out, fk_read_bytes(&reader));
        print_version(out, &reader);
    } else if (op == FK_OP_EXISTS || op == FK_OP_SET_DATA) {
        print_version(out, &reader);
    } else if (op == FK_OP_GET_CHILDREN || op == FK_OP_GET_CHILDREN2) {
        print_children(out, &reader);
    }
}

static const char *event_name(int32_t type)
{
    static const char *const NAMES[] = {"?", "created", "deleted", "data changed", "children changed"};
    return type > 0 && type <= FK_EVENT_CHILDREN_CHANGED ? NAMES[type] : NAMES[0];
}

void sim_golden_event(struct sim_golden *golden, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_watcher_event event;
    fk_read_watcher_event(&reader, &event);
    (void)fprintf(golden->out, "event: %.*s %s", (int)event.path.size, (const char *)event.path.data,
                  event_name(event.type));
}

/* --- records --- */

static void print_marks(struct sim_golden *golden, const char *name, const struct fk_gateway_zxids *set)
{
    for (size_t i = 0; i < set->count; i++) {
        (void)fprintf(golden->out, "%s gateway %d: %" PRId64, i == 0 ? name : ",",
                      sim_golden_number(&golden->gateways, set->items[i].gateway), set->items[i].zxid);
    }
}

static void print_zx(struct sim_golden *golden, struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_zx_record record;
    if (fk_zx_record_read(value, arena, &record) == FK_OK) {
        (void)fprintf(golden->out, "zxid %" PRId64 ", generation %" PRId64, record.zxid, record.generation);
        print_marks(golden, ", last event of", &record.lastev);
    }
}

static void print_node(struct sim_golden *golden, struct fk_bytes value, struct fk_arena *arena)
{
    static const char *const PLACES[] = {"", ", in an item", ", in a blob"};
    struct fk_node_record record;
    if (fk_node_record_read(value, FK_BYTES_LITERAL("/"), arena, &record) != FK_OK) {
        return;
    }
    if (!record.exists) {
        (void)fputs("no node", golden->out);
    } else {
        (void)fprintf(golden->out, "version %d, %d children%s", record.node.version, record.node.num_children,
                      PLACES[record.place]);
    }
    for (size_t i = 0; i < record.subs.count; i++) {
        (void)fprintf(golden->out, "%s gateway %d", i == 0 ? ", watched at" : ",",
                      sim_golden_number(&golden->gateways, record.subs.items[i].gateway));
    }
    print_marks(golden, ", undelivered at", &record.pend);
}

static void print_session(struct sim_golden *golden, struct fk_bytes value)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_session_record record;
    if (fk_session_record_read(value, &arena, &record) == FK_OK) {
        (void)fprintf(golden->out, "epoch %" PRId64 " at gateway %d, %" PRId64 " decided%s", record.epoch,
                      sim_golden_number(&golden->gateways, record.owner), record.last,
                      record.state == FK_SESSION_CLOSING ? ", closing" : "");
    }
    fk_arena_deinit(&arena);
}

static void print_gateway(struct sim_golden *golden, struct fk_bytes value)
{
    struct fk_gateway_record record;
    if (fk_gateway_record_read(value, &record) == FK_OK) {
        (void)fprintf(golden->out, "renewal %" PRId64 ", events up to %" PRId64 " applied%s", record.counter,
                      record.acked, record.alive ? "" : ", DEAD");
    }
}

void sim_golden_events_record(struct sim_golden *golden, const struct fk_events_record *record)
{
    for (size_t g = 0; g < record->count; g++) {
        const struct fk_gateway_events *events = &record->gateways[g];
        (void)fprintf(golden->out, "%sgateway %d, after %" PRId64 ":", g == 0 ? "" : "; ",
                      sim_golden_number(&golden->gateways, events->gateway), events->prev);
        for (size_t i = 0; i < events->count; i++) {
            const struct fk_event_entry *entry = &events->entries[i];
            if (entry->kind == FK_ENTRY_SESSION_GONE) {
                (void)fprintf(golden->out, "%s session %d is gone up to epoch %" PRId64, i == 0 ? "" : ",",
                              sim_golden_number(&golden->sessions, entry->session_id), entry->epoch);
            } else {
                (void)fprintf(golden->out, "%s %.*s %s", i == 0 ? "" : ",", (int)entry->path.size,
                              (const char *)entry->path.data, event_name(entry->type));
            }
        }
    }
}

static void print_events(struct sim_golden *golden, struct fk_bytes value, struct fk_arena *arena)
{
    struct fk_events_record record;
    if (fk_events_record_read(value, arena, &record) == FK_OK) {
        sim_golden_events_record(golden, &record);
    }
}

/* "session 1", "node /a": what the key names. */
static void print_key(struct sim_golden *golden, const struct fk_key *key)
{
    FILE *out = golden->out;
    int64_t id = key->name.size == 16 ? fk_key_number(key->name) : 0;
    switch (key->partition.data[0]) {
    case 'n':
        (void)fprintf(out, "node %.*s%s%.*s", (int)key->partition.size - 1, (const char *)key->partition.data + 1,
                      key->partition.size <= 2 ? "" : "/", (int)key->name.size, (const char *)key->name.data);
        break;
    case 's':
        (void)fprintf(out, "session %d", sim_golden_number(&golden->sessions, id));
        break;
    case 'g':
        (void)fprintf(out, "gateway %d", sim_golden_number(&golden->gateways, id));
        break;
    case 'd':
        (void)fputs("data item", out);
        break;
    case 'e':
        if (key->partition.size == 2) {
            (void)fprintf(out, "events of %" PRId64, id);
        } else {
            (void)fprintf(out, "ephemerals of session %d", sim_golden_number(&golden->sessions, id));
        }
        break;
    case 'r':
        (void)fputs("recursive watches", out);
        break;
    default:
        print_text(out, key->partition);
        break;
    }
}

static void print_value(struct sim_golden *golden, const struct fk_write *write, struct fk_arena *arena)
{
    const struct fk_bytes partition = write->key.partition;
    (void)fputs(" (", golden->out);
    if (partition.data[0] == 'z') {
        print_zx(golden, write->value, arena);
    } else if (partition.data[0] == 'n') {
        print_node(golden, write->value, arena);
    } else if (partition.data[0] == 's') {
        print_session(golden, write->value);
    } else if (partition.data[0] == 'g') {
        print_gateway(golden, write->value);
    } else if (partition.data[0] == 'e' && partition.size == 2) {
        print_events(golden, write->value, arena);
    } else {
        (void)fprintf(golden->out, "%zu bytes", write->value.size);
    }
    (void)fputc(')', golden->out);
}

void sim_golden_write(struct sim_golden *golden, const struct fk_write *write)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    static const char *const KINDS[] = {"", "put", "delete", "check"};
    (void)fprintf(golden->out, "%s ", KINDS[write->kind]);
    print_key(golden, &write->key);
    if (write->kind == FK_WRITE_PUT) {
        print_value(golden, write, &arena);
    }
    fk_arena_deinit(&arena);
}

bool sim_golden_dull(const struct fk_write *write)
{
    struct fk_gateway_record record;
    if (fk_bytes_equal_text(write->key.partition, "h")) {
        return true;
    }
    return fk_bytes_equal_text(write->key.partition, "g") &&
           (write->kind == FK_WRITE_CHECK ||
            (write->kind == FK_WRITE_PUT && fk_gateway_record_read(write->value, &record) == FK_OK && record.alive));
}
