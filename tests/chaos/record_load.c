// SPDX-License-Identifier: Apache-2.0
#include "record.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    OP_MULTI = 14,
    OP_CHECK = 13,
    REQUEST_HEADER_SIZE = ZKRAW_FRAME_PREFIX_SIZE + 8,
    NODES = 6,      /* own nodes that come and go */
    EPHEMERALS = 3, /* the same, of the session */
    TEXT_SIZE = 512,
    CLOSE_ONE_IN = 1500,
};

/* One operation as bytes and as text; a multi collects several. */
struct request {
    struct zkraw_buf bytes; /* a frame of its own, or a multi's sections */
    char text[TEXT_SIZE];
    bool multi;
    struct record *record;
    struct record_client *client;
};

uint64_t record_below(struct record *record, uint64_t bound)
{
    uint64_t value = record->random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (value ^ (value >> 31)) % bound;
}

static bool chance(struct record *record, uint64_t percent)
{
    return record_below(record, 100) < percent;
}

/* A value says who wrote it: `client.run.number ` over and over, so that a torn one shows. */
static uint8_t *new_value(struct request *request, char id[RECORD_NAME_SIZE], size_t *size)
{
    struct record *record = request->record;
    int id_size =
        snprintf(id, RECORD_NAME_SIZE, "%d.%ld.%d", request->client->index, record->run, request->client->number);
    *size = RECORD_VALUE_MIN + (size_t)record_below(record, (uint64_t)(record->value_size - RECORD_VALUE_MIN + 1));
    uint8_t *value = malloc(*size);
    if (value == NULL) {
        abort();
    }
    for (size_t i = 0; i < *size; i++) {
        size_t at = i % ((size_t)id_size + 1);
        value[i] = at == (size_t)id_size ? ' ' : (uint8_t)id[at];
    }
    return value;
}

/* The id of a value, or CORRUPT. */
static void read_value(const uint8_t *value, size_t size, char id[RECORD_NAME_SIZE])
{
    size_t length = 0;
    while (length < size && length < RECORD_NAME_SIZE - 1 && value[length] != ' ') {
        id[length] = (char)value[length];
        length++;
    }
    id[length] = '\0';
    for (size_t i = 0; i < size; i++) {
        size_t at = i % (length + 1);
        if (value[i] != (at == length ? ' ' : (uint8_t)id[at])) {
            (void)snprintf(id, RECORD_NAME_SIZE, "CORRUPT");
            return;
        }
    }
}

static void put_i32(struct zkraw_buf *buf, int32_t value)
{
    uint32_t swapped = __builtin_bswap32((uint32_t)value);
    zkraw_buf_reserve(buf, sizeof swapped);
    memcpy(buf->data + buf->size, &swapped, sizeof swapped);
    buf->size += sizeof swapped;
}

static void put_multi_header(struct zkraw_buf *buf, int32_t type, bool done)
{
    put_i32(buf, type);
    zkraw_buf_reserve(buf, 1);
    buf->data[buf->size++] = done ? 1 : 0;
    put_i32(buf, -1);
}

/* Takes the frame of one operation: as it is, or without its header as a section of the multi. */
static void add(struct request *request, int32_t type, struct zkraw_buf *frame, const char *text)
{
    size_t used = strlen(request->text);
    (void)snprintf(request->text + used, TEXT_SIZE - used, "%s%s", used == 0 ? "" : "|", text);
    size_t skip = 0;
    if (request->multi) {
        put_multi_header(&request->bytes, type, false);
        skip = REQUEST_HEADER_SIZE;
    }
    zkraw_buf_reserve(&request->bytes, frame->size);
    memcpy(request->bytes.data + request->bytes.size, frame->data + skip, frame->size - skip);
    request->bytes.size += frame->size - skip;
    zkraw_buf_deinit(frame);
}

static void add_set(struct request *request, const char *path, int32_t version)
{
    char id[RECORD_NAME_SIZE];
    char text[TEXT_SIZE];
    size_t size = 0;
    struct zkraw_buf frame = {0};
    uint8_t *value = new_value(request, id, &size);
    zkraw_put_set_data(&frame, request->client->number, path, value, size, version);
    (void)snprintf(text, sizeof text, "set:%s:%d:%s:%zu", path, version, id, size);
    add(request, ZKRAW_OP_SET_DATA, &frame, text);
    free(value);
}

static void add_create(struct request *request, const char *path, int32_t flags)
{
    char id[RECORD_NAME_SIZE];
    char text[TEXT_SIZE];
    size_t size = 0;
    struct zkraw_buf frame = {0};
    uint8_t *value = new_value(request, id, &size);
    zkraw_put_create(&frame, request->client->number, path, value, size, flags);
    (void)snprintf(text, sizeof text, "create:%s:%d:%s:%zu", path, flags, id, size);
    add(request, ZKRAW_OP_CREATE, &frame, text);
    free(value);
}

static void add_delete(struct request *request, const char *path)
{
    char text[TEXT_SIZE];
    struct zkraw_buf frame = {0};
    zkraw_put_delete(&frame, request->client->number, path, -1);
    (void)snprintf(text, sizeof text, "delete:%s:-1", path);
    add(request, ZKRAW_OP_DELETE, &frame, text);
}

/* check has the same record as delete. Only in a multi. */
static void add_check(struct request *request, const char *path, int32_t version)
{
    char text[TEXT_SIZE];
    struct zkraw_buf frame = {0};
    zkraw_put_delete(&frame, request->client->number, path, version);
    (void)snprintf(text, sizeof text, "check:%s:%d", path, version);
    add(request, OP_CHECK, &frame, text);
}

static void add_get(struct request *request, const char *path)
{
    char text[TEXT_SIZE];
    struct zkraw_buf frame = {0};
    zkraw_put_read(&frame, ZKRAW_OP_GET_DATA, request->client->number, path, false);
    (void)snprintf(text, sizeof text, "get:%s", path);
    add(request, ZKRAW_OP_GET_DATA, &frame, text);
}

static const char *own(const struct request *request, char *path, const char *name, uint64_t number)
{
    (void)snprintf(path, RECORD_NAME_SIZE, "/w/%02d/%s%" PRIu64, request->client->index, name, number);
    return path;
}

static int32_t guess(struct request *request, int32_t heard)
{
    return chance(request->record, 40) ? -1 : heard;
}

static void load_set(struct request *request, struct record_pending *pending)
{
    char path[RECORD_NAME_SIZE];
    uint64_t i = record_below(request->record, RECORD_REGISTERS);
    add_set(request, own(request, path, "r", i), guess(request, request->client->registers[i]));
    pending->version = &request->client->registers[i];
}

static void load_node(struct request *request, struct record_pending *pending, bool ephemeral)
{
    char path[RECORD_NAME_SIZE];
    uint64_t i = record_below(request->record, ephemeral ? EPHEMERALS : NODES);
    own(request, path, ephemeral ? "e" : "n", i);
    if (chance(request->record, 55)) {
        add_create(request, path, ephemeral ? ZKRAW_CREATE_EPHEMERAL : 0);
        pending->kind = RECORD_CREATE;
    } else {
        add_delete(request, path);
        pending->kind = RECORD_DELETE;
    }
}

static void load_sequence(struct request *request, struct record_pending *pending)
{
    struct record_client *client = request->client;
    char path[RECORD_NAME_SIZE];
    if (client->name_count < RECORD_NAMES && chance(request->record, 60)) {
        (void)snprintf(path, sizeof path, "/w/%02d/q/s-", client->index);
        bool ephemeral = chance(request->record, 30);
        add_create(request, path, ZKRAW_CREATE_SEQUENTIAL | (ephemeral ? ZKRAW_CREATE_EPHEMERAL : 0));
        pending->kind = RECORD_CREATE;
        pending->own_sequence = true;
    } else if (client->name_count > 0) {
        add_delete(request, client->names[0]);
        client->name_count--;
        memmove(client->names[0], client->names[1], client->name_count * sizeof client->names[0]);
        pending->kind = RECORD_DELETE;
    } else {
        load_set(request, pending);
    }
}

/* Two nodes that change together; one in five has a check that is likely to fail, then neither may. */
static void load_multi(struct request *request, struct record_pending *pending)
{
    char path[RECORD_NAME_SIZE];
    struct record *record = request->record;
    pending->kind = RECORD_MULTI;
    request->multi = true;
    add_set(request, own(request, path, "m", 0), -1);
    if (chance(record, 30)) {
        add_create(request, own(request, path, "n", record_below(record, NODES)), 0);
    } else if (chance(record, 30)) {
        add_delete(request, own(request, path, "n", record_below(record, NODES)));
    }
    if (chance(record, 20)) {
        uint64_t i = record_below(record, RECORD_REGISTERS);
        add_check(request, own(request, path, "r", i), request->client->registers[i]);
    }
    add_set(request, own(request, path, "m", 1), -1);
    put_multi_header(&request->bytes, -1, true);
}

static void load_shared_set(struct request *request, struct record_pending *pending)
{
    char path[RECORD_NAME_SIZE];
    uint64_t i = record_below(request->record, RECORD_SHARED);
    (void)snprintf(path, sizeof path, "/shared/s%" PRIu64, i);
    add_set(request, path, guess(request, request->client->shared[i]));
    pending->version = &request->client->shared[i];
}

static void load_shared_other(struct request *request, struct record_pending *pending)
{
    if (chance(request->record, 40)) {
        add_create(request, "/shared/q/x-", ZKRAW_CREATE_SEQUENTIAL);
        pending->kind = RECORD_CREATE;
        return;
    }
    pending->kind = RECORD_MULTI;
    request->multi = true;
    add_set(request, "/shared/a", -1);
    add_set(request, "/shared/b", -1);
    put_multi_header(&request->bytes, -1, true);
}

static void load_get(struct request *request, struct record_pending *pending)
{
    char path[RECORD_NAME_SIZE];
    uint64_t i = record_below(request->record, RECORD_SHARED);
    pending->kind = RECORD_GET;
    if (chance(request->record, 50)) {
        (void)snprintf(path, sizeof path, "/shared/s%" PRIu64, i);
        pending->version = &request->client->shared[i];
    } else {
        own(request, path, chance(request->record, 50) ? "n" : "r", i);
    }
    add_get(request, path);
}

static void choose(struct request *request, struct record_pending *pending)
{
    struct record *record = request->record;
    if (chance(record, (uint64_t)record->read_percent)) {
        load_get(request, pending);
        return;
    }
    uint64_t dice = record_below(record, 100);
    if (dice < 34) {
        load_set(request, pending);
    } else if (dice < 54) {
        load_node(request, pending, false);
    } else if (dice < 64) {
        load_node(request, pending, true);
    } else if (dice < 74) {
        load_sequence(request, pending);
    } else if (dice < 84) {
        load_multi(request, pending);
    } else if (dice < 93) {
        load_shared_set(request, pending);
    } else {
        load_shared_other(request, pending);
    }
}

static void close_session(struct request *request, struct record_pending *pending)
{
    pending->kind = RECORD_CLOSE;
    (void)snprintf(request->text, TEXT_SIZE, "close");
    zkraw_put_close_session(&request->bytes, request->client->number);
    request->client->state = RECORD_CLOSING;
    request->client->name_count = 0;
}

/* A multi's sections get their frame here. */
static void send_request(struct request *request)
{
    struct zkraw_buf *out = &request->client->out;
    if (request->multi) {
        put_i32(out, (int32_t)(request->bytes.size + 8));
        put_i32(out, request->client->number);
        put_i32(out, OP_MULTI);
    }
    zkraw_buf_reserve(out, request->bytes.size);
    memcpy(out->data + out->size, request->bytes.data, request->bytes.size);
    out->size += request->bytes.size;
    zkraw_buf_deinit(&request->bytes);
    (void)fprintf(request->record->log, "S %d %d %s\n", request->client->index, request->client->number, request->text);
}

void record_send_next(struct record *record, struct record_client *client)
{
    struct request request = {.record = record, .client = client};
    struct record_pending pending = {.number = ++client->number, .kind = RECORD_SET};
    if (record_below(record, CLOSE_ONE_IN) == 0) {
        close_session(&request, &pending);
    } else {
        choose(&request, &pending);
    }
    client->pending[client->pending_count++] = pending;
    send_request(&request);
}

static void take_stat(struct record *record, struct zkraw_reader *reader, int32_t *version)
{
    struct zkraw_stat stat;
    zkraw_read_stat(reader, &stat);
    (void)fprintf(record->log, " %d:%" PRId64, stat.version, stat.mzxid);
    if (version != NULL) {
        *version = stat.version;
    }
}

static void take_path(struct record *record, struct record_client *client, struct zkraw_reader *reader, bool keep)
{
    size_t size = 0;
    const uint8_t *path = zkraw_read_buffer(reader, &size);
    int shown = size < RECORD_NAME_SIZE ? (int)size : RECORD_NAME_SIZE - 1;
    const char *text = path == NULL ? "" : (const char *)path;
    (void)fprintf(record->log, " %.*s", shown, text);
    if (keep && client->name_count < RECORD_NAMES && client->state == RECORD_READY) {
        (void)snprintf(client->names[client->name_count++], RECORD_NAME_SIZE, "%.*s", shown, text);
    }
}

static void take_value(struct record *record, struct zkraw_reader *reader, int32_t *version)
{
    char id[RECORD_NAME_SIZE] = "";
    size_t size = 0;
    const uint8_t *value = zkraw_read_buffer(reader, &size);
    if (value != NULL) {
        read_value(value, size, id);
    }
    (void)fprintf(record->log, " %s:%zu", id[0] == '\0' ? "-" : id, size);
    take_stat(record, reader, version);
}

static void take_results(struct record *record, struct record_client *client, struct zkraw_reader *reader)
{
    for (;;) {
        int32_t type = zkraw_read_i32(reader);
        const uint8_t *done = zkraw_read_bytes(reader, 1);
        int32_t err = zkraw_read_i32(reader);
        if (done == NULL || reader->failed || *done != 0) {
            return;
        }
        if (type == -1) {
            (void)fprintf(record->log, " error:%d", zkraw_read_i32(reader));
        } else if (type == ZKRAW_OP_SET_DATA) {
            take_stat(record, reader, NULL);
        } else if (type == ZKRAW_OP_CREATE) {
            take_path(record, client, reader, false);
        } else {
            (void)fprintf(record->log, " done:%d:%d", type, err);
        }
    }
}

void record_take_reply(struct record *record, struct record_client *client, const struct record_pending *pending,
                       struct zkraw_reply *reply)
{
    struct zkraw_reader *body = &reply->body;
    if (reply->zxid > client->last_zxid) {
        client->last_zxid = reply->zxid;
    }
    (void)fprintf(record->log, "R %d %d %d %" PRId64, client->index, pending->number, reply->err, reply->zxid);
    if (reply->err == 0 && pending->kind == RECORD_SET) {
        take_stat(record, body, pending->version);
    } else if (reply->err == 0 && pending->kind == RECORD_CREATE) {
        take_path(record, client, body, pending->own_sequence);
    } else if (reply->err == 0 && pending->kind == RECORD_GET) {
        take_value(record, body, pending->version);
    } else if (reply->err == 0 && pending->kind == RECORD_MULTI) {
        take_results(record, client, body);
    }
    (void)fprintf(record->log, "\n");
    if (body->failed || (body->cursor != body->end && reply->err == 0)) {
        (void)fprintf(record->log, "E %d the body of reply %d is not what its request asks for\n", client->index,
                      pending->number);
        record->broken = true;
    }
}
