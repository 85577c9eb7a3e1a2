// SPDX-License-Identifier: Apache-2.0
#include "cost/history.h"

#include "base/alloc.h"
#include "wire/codes.h"
#include "wire/records.h"

#include <math.h>
#include <stdlib.h>

#define FORMAT    "faaskeeper-history"
#define NS_A_S    1e9
#define NODE_SIZE 234.0 /* a record without data (docs/aws.md), and what DynamoDB adds to an item at rest */

enum {
    CONNECTIONS_MAX = 1000000,
    GATEWAYS_MAX = 1024,
    SMALL_SIZE = 100, /* of rows that the table has for one size only */
};

/* A request whose answer has not come. */
struct asked {
    int32_t xid;
    int32_t opcode;
    enum fk_cost_op op;
    size_t amount;
    bool watch;
};

/* ZooKeeper answers in order: a ring. */
struct connection {
    struct asked *asked;
    size_t capacity;
    size_t first;
    size_t count;
    size_t gateway; /* its place among those that were seen */
    bool open;
};

struct input {
    struct fk_recorded *recorded;
    struct connection *connections; /* by the number in the file */
    size_t connection_count;
    int64_t gateways[GATEWAYS_MAX]; /* one that starts again has another id */
    size_t served[GATEWAYS_MAX];    /* connections that are open at each */
    size_t gateway_count;
    size_t serving; /* gateways with one at least */
    size_t serving_max;
    size_t open;
    size_t open_max;
    int64_t first_ns;
    int64_t last_ns;
    bool timed;
    struct fk_buf frame; /* of the line */
    size_t lines;
    bool no_memory;
};

bool fk_history_is(const char *text)
{
    return strstr(text, "\"" FORMAT "\"") != NULL;
}

/* --- what is counted --- */

static void count(struct input *input, enum fk_cost_op op, size_t amount, double times)
{
    struct fk_recorded *recorded = input->recorded;
    size_t measured = fk_cost_amount(op, amount);
    size_t at = 0;
    while (at < recorded->count && (recorded->ops[at].op != op || recorded->ops[at].amount != measured)) {
        at++;
    }
    if (at == FK_RECORDED_OPS_MAX) {
        at--; /* lists of many lengths beyond the measured ones: the last class takes them */
    }
    if (at == recorded->count) {
        recorded->ops[recorded->count++] = (struct fk_recorded_op){.op = op, .amount = measured};
    }
    recorded->ops[at].count += times;
}

/* A write whose answer is an error, or a read of what is not there. */
static enum fk_cost_op failed_op(const struct asked *asked)
{
    if (fk_cost_op_writes(asked->op)) {
        return FK_COST_CREATE_REFUSED;
    }
    return asked->watch ? FK_COST_EXISTS_NOT_WATCH : FK_COST_EXISTS_NOT;
}

/* The first watch of a gateway on a path writes; whether it is the first is not known, so each counts. */
static void count_answered(struct input *input, const struct asked *asked, int32_t code, size_t amount)
{
    if (code != FK_CODE_OK) {
        count(input, failed_op(asked), 0, 1);
        return;
    }
    bool small = asked->op == FK_COST_EXISTS || amount <= SMALL_SIZE;
    if (asked->watch && small && (asked->op == FK_COST_EXISTS || asked->op == FK_COST_GET_DATA)) {
        count(input, FK_COST_GET_DATA_WATCH, 0, 1);
        return;
    }
    count(input, asked->op, amount, 1);
    if (asked->watch) {
        count(input, FK_COST_ADD_WATCH, 0, 1);
    }
}

/* --- frames --- */

/* Parts of a multi, of the writing or the reading kind. */
static size_t parts_of(struct fk_reader *reader, bool reading)
{
    struct fk_multi_header header;
    size_t parts = 0;
    fk_read_multi_header(reader, &header);
    while (!reader->failed && !header.done) {
        (void)fk_read_bytes(reader); /* each begins with a path */
        if (reading) {
            (void)fk_read_bool(reader);
        } else if (header.op == FK_OP_SET_DATA) {
            (void)fk_read_bytes(reader);
            (void)fk_read_i32(reader);
        } else if (header.op == FK_OP_DELETE || header.op == FK_OP_CHECK) {
            (void)fk_read_i32(reader);
        } else {
            (void)fk_read_bytes(reader);
            (void)fk_read_acl(reader);
            (void)fk_read_i32(reader);
            if (header.op == FK_OP_CREATE_TTL) {
                (void)fk_read_i64(reader);
            }
        }
        parts++;
        fk_read_multi_header(reader, &header);
    }
    return parts;
}

/* What a request says of itself, behind its header. */
static void read_body(struct fk_reader *reader, struct asked *asked)
{
    struct fk_create_request create = {.flags = 0};
    struct fk_set_data_request set;
    struct fk_watch_request watch;
    switch (asked->opcode) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
        fk_read_create_request(reader, &create);
        break;
    case FK_OP_CREATE_TTL:
        fk_read_create_ttl_request(reader, &create);
        break;
    case FK_OP_SET_DATA:
        fk_read_set_data_request(reader, &set);
        asked->amount = set.data.size;
        break;
    case FK_OP_GET_DATA:
    case FK_OP_EXISTS:
    case FK_OP_GET_CHILDREN:
    case FK_OP_GET_CHILDREN2:
        fk_read_watch_request(reader, &watch);
        asked->watch = watch.watch;
        break;
    case FK_OP_MULTI:
    case FK_OP_MULTI_READ:
        asked->amount = parts_of(reader, asked->opcode == FK_OP_MULTI_READ);
        break;
    default:
        break;
    }
    asked->op = fk_cost_op_of(asked->opcode, create.flags);
    asked->amount = create.data.size > 0 ? create.data.size : asked->amount;
}

static bool remember(struct connection *connection, const struct asked *asked)
{
    if (connection->count == connection->capacity) {
        size_t capacity = 2 * connection->capacity + 8;
        struct asked *grown = (struct asked *)fk_alloc(capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        for (size_t i = 0; i < connection->count; i++) {
            grown[i] = connection->asked[(connection->first + i) % connection->capacity];
        }
        fk_free(connection->asked);
        connection->asked = grown;
        connection->capacity = capacity;
        connection->first = 0;
    }
    connection->asked[(connection->first + connection->count++) % connection->capacity] = *asked;
    return true;
}

static void sent(struct input *input, struct connection *connection, struct fk_reader *reader)
{
    struct fk_request_header header;
    fk_read_request_header(reader, &header);
    struct asked asked = {.xid = header.xid, .opcode = header.op, .op = FK_COST_OP_COUNT};
    if (header.xid >= 0) {
        read_body(reader, &asked); /* one that does not parse is refused, and counts with what was read of it */
        input->no_memory = !remember(connection, &asked) || input->no_memory;
    }
}

/* What a read found: the size of the data, or how many there are. */
static size_t found(enum fk_cost_op op, struct fk_reader reader)
{
    bool counted = op == FK_COST_GET_DATA || op == FK_COST_GET_CHILDREN || op == FK_COST_GET_ALL_CHILDREN_NUMBER;
    int32_t number = counted ? fk_read_i32(&reader) : 0;
    return number < 0 ? 0 : (size_t)number;
}

static bool received(struct input *input, struct connection *connection, struct fk_reader *reader)
{
    struct fk_reply_header header;
    fk_read_reply_header(reader, &header);
    if (reader->failed) {
        return false;
    }
    if (header.xid == FK_XID_NOTIFICATION) {
        count(input, FK_COST_EVENT, 0, 1);
        count(input, FK_COST_EVENT_TRIMMED, 0, 1);
    }
    if (header.xid < 0) {
        return true;
    }
    if (connection->count == 0 || connection->asked[connection->first].xid != header.xid) {
        return false;
    }
    struct asked asked = connection->asked[connection->first];
    connection->first = (connection->first + 1) % connection->capacity;
    connection->count--;
    if (asked.op != FK_COST_OP_COUNT) {
        size_t more = header.code == FK_CODE_OK ? found(asked.op, *reader) : 0;
        count_answered(input, &asked, header.code, more > 0 ? more : asked.amount);
    }
    return true;
}

/* --- lines --- */

static int64_t number_of(const json_t *line, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(line, name));
}

/* The frame of a line, into input->frame; false where it is no hexadecimal text. */
static bool read_frame(struct input *input, const json_t *line)
{
    const char *text = json_string_value(json_object_get(line, "f"));
    size_t size = json_string_length(json_object_get(line, "f"));
    fk_buf_clear(&input->frame);
    if (text == NULL || size % 2 != 0 || strspn(text, "0123456789abcdef") != size) {
        return false;
    }
    uint8_t *bytes = fk_buf_reserve(&input->frame, size / 2);
    input->no_memory = input->no_memory || bytes == NULL;
    for (size_t i = 0; bytes != NULL && i < size / 2; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    input->frame.size += bytes == NULL ? 0 : size / 2;
    return bytes != NULL;
}

/* The connection is open, or is not any more. */
static void set_open(struct input *input, struct connection *connection, bool open)
{
    size_t *served = &input->served[connection->gateway];
    if (open && !connection->open) {
        input->serving += (*served)++ == 0 ? 1 : 0;
        input->open++;
    } else if (!open && connection->open) {
        input->serving -= --(*served) == 0 ? 1 : 0;
        input->open--;
    }
    connection->open = open;
    input->open_max = input->open > input->open_max ? input->open : input->open_max;
    input->serving_max = input->serving > input->serving_max ? input->serving : input->serving_max;
}

static size_t gateway_of(struct input *input, int64_t gateway)
{
    size_t at = 0;
    while (at < input->gateway_count && input->gateways[at] != gateway) {
        at++;
    }
    if (at == input->gateway_count && at < GATEWAYS_MAX) {
        input->gateways[input->gateway_count++] = gateway;
    }
    return at < GATEWAYS_MAX ? at : GATEWAYS_MAX - 1;
}

static bool make_room(struct input *input, size_t number)
{
    if (number < input->connection_count) {
        return true;
    }
    size_t wanted = 2 * number + 64;
    struct connection *grown = (struct connection *)fk_realloc(input->connections, wanted * sizeof *input->connections);
    if (grown == NULL) {
        input->no_memory = true;
        return false;
    }
    memset(grown + input->connection_count, 0, (wanted - input->connection_count) * sizeof *grown);
    input->connections = grown;
    input->connection_count = wanted;
    return true;
}

static bool connected(struct input *input, const json_t *line)
{
    struct fk_connect_request request;
    struct fk_reader reader = fk_reader_of(fk_buf_view(&input->frame));
    int64_t number = number_of(line, "n");
    if (number < 1 || number > CONNECTIONS_MAX || !make_room(input, (size_t)number)) {
        return false;
    }
    struct connection *connection = &input->connections[number];
    set_open(input, connection, false); /* a number stands for the newest connection under it */
    connection->count = 0;
    connection->gateway = gateway_of(input, number_of(line, "g"));
    set_open(input, connection, true);
    fk_read_connect_request(&reader, &request);
    count(input, !reader.failed && request.session_id != 0 ? FK_COST_SESSION_MOVED : FK_COST_SESSION_NEW, 0, 1);
    return true;
}

static void take_time(struct input *input, const json_t *line)
{
    int64_t ns = number_of(line, "t");
    input->first_ns = input->timed && input->first_ns < ns ? input->first_ns : ns;
    input->last_ns = input->timed && input->last_ns > ns ? input->last_ns : ns;
    input->timed = true;
}

/* A line of a connection. */
static bool read_record(struct input *input, const json_t *line, const char *kind)
{
    take_time(input, line);
    bool framed = strcmp(kind, "lost") != 0;
    if (framed && !read_frame(input, line)) {
        return false;
    }
    if (strcmp(kind, "connect") == 0) {
        return connected(input, line);
    }
    int64_t number = number_of(line, "n");
    if (number < 1 || (size_t)number >= input->connection_count) {
        return false;
    }
    struct connection *connection = &input->connections[number];
    struct fk_reader reader = fk_reader_of(fk_buf_view(&input->frame));
    if (!framed) {
        set_open(input, connection, false);
        connection->count = 0;
        return true;
    }
    if (strcmp(kind, "sent") == 0) {
        sent(input, connection, &reader);
        return true;
    }
    return strcmp(kind, "received") != 0 || received(input, connection, &reader);
}

/* Data at rest: nodes of the final state. */
static void read_node(struct input *input, const json_t *line)
{
    input->recorded->data_bytes += NODE_SIZE + (double)json_string_length(json_object_get(line, "data")) / 2 +
                                   (double)json_string_length(json_object_get(line, "path")) / 2;
}

static bool read_line(struct input *input, const json_t *line)
{
    const char *kind = json_string_value(json_object_get(line, "k"));
    const char *ground = json_string_value(json_object_get(line, "kind"));
    if (kind == NULL) {
        return json_object_get(line, "format") != NULL; /* a header that comes again */
    }
    if (strcmp(kind, "node") == 0) {
        read_node(input, line);
    } else if (strcmp(kind, "ground") == 0) {
        bool expired = ground != NULL && strcmp(ground, "close") == 0 && number_of(line, "number") == 0;
        count(input, FK_COST_SESSION_EXPIRED, 0, expired ? 1 : 0);
    } else if (strcmp(kind, "connect") == 0 || strcmp(kind, "accepted") == 0 || strcmp(kind, "sent") == 0 ||
               strcmp(kind, "received") == 0 || strcmp(kind, "lost") == 0) {
        return read_record(input, line, kind);
    }
    return true;
}

static enum fk_err read_text(struct input *input, struct fk_bytes text, struct fk_diag *diag)
{
    json_error_t error;
    json_t *line = json_loadb((const char *)text.data, text.size, 0, &error);
    const char *format = json_string_value(json_object_get(line, "format"));
    bool header = input->lines == 1;
    bool ok = json_is_object(line) && (header ? format != NULL && strcmp(format, FORMAT) == 0 : read_line(input, line));
    json_decref(line);
    if (input->no_memory) {
        return FK_ERR_NOMEM;
    }
    if (!ok) {
        fk_diag_set(diag, "line %zu: %s is expected", input->lines,
                    header ? "the header of a history" : "a line of a history");
    }
    return ok ? FK_OK : FK_ERR_USAGE;
}

/* What went on by itself meanwhile. */
static void conclude(struct input *input)
{
    struct fk_recorded *recorded = input->recorded;
    recorded->seconds = (double)(input->last_ns - input->first_ns) / NS_A_S;
    recorded->gateways = fmax(1, (double)input->serving_max);
    count(input, FK_COST_GATEWAY_MINUTE, (size_t)recorded->gateways, recorded->seconds / 60);
    count(input, FK_COST_HEARTBEAT, input->open_max, recorded->seconds / 60);
}

/* The next line of the file, without its end; false behind the last, or without memory. */
static bool next_line(FILE *file, struct fk_buf *line)
{
    char chunk[4096];
    fk_buf_clear(line);
    while (fgets(chunk, sizeof chunk, file) != NULL) {
        size_t size = strcspn(chunk, "\n");
        fk_buf_append(line, fk_bytes_of((const uint8_t *)chunk, size));
        if (chunk[size] == '\n' || line->failed) {
            return !line->failed;
        }
    }
    return line->size > 0;
}

static enum fk_err read_lines(struct input *input, FILE *file, struct fk_diag *diag)
{
    struct fk_buf line = FK_BUF_EMPTY;
    enum fk_err err = FK_OK;
    while (err == FK_OK && next_line(file, &line)) {
        input->lines++;
        err = read_text(input, fk_buf_view(&line), diag);
    }
    if (err == FK_OK && line.failed) {
        err = FK_ERR_NOMEM;
    } else if (err == FK_OK && ferror(file) != 0) {
        fk_diag_set(diag, "it does not read");
        err = FK_ERR_IO;
    } else if (err == FK_OK && input->lines == 0) {
        fk_diag_set(diag, "it is empty");
        err = FK_ERR_USAGE;
    }
    fk_buf_deinit(&line);
    return err;
}

enum fk_err fk_history_read(FILE *file, struct fk_recorded *recorded, struct fk_diag *diag)
{
    struct input *input = (struct input *)fk_alloc_zero(sizeof *input);
    *recorded = (struct fk_recorded){.count = 0};
    if (input == NULL) {
        return FK_ERR_NOMEM;
    }
    input->recorded = recorded;
    enum fk_err err = read_lines(input, file, diag);
    if (err == FK_OK) {
        conclude(input);
    }
    for (size_t i = 0; i < input->connection_count; i++) {
        fk_free(input->connections[i].asked);
    }
    fk_free(input->connections);
    fk_buf_deinit(&input->frame);
    fk_free(input);
    return err;
}
