// SPDX-License-Identifier: Apache-2.0
#include "function/record_codec.h"

#include "base/assert.h"

enum {
    GATEWAY_ZXID_SIZE = 8 + 8,
    SUBSCRIPTION_SIZE = 8 + 4,
    RESULT_SIZE_MIN = 5 * 8 + 4 + 4,
    PATH_SIZE_MIN = 4 + 1,
    RECURSIVE_SIZE_MIN = 8 + PATH_SIZE_MIN,
};

int64_t fk_gateway_zxids_get(const struct fk_gateway_zxids *set, int64_t gateway)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->items[middle].gateway == gateway) {
            return set->items[middle].zxid;
        }
        if (set->items[middle].gateway < gateway) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 0;
}

static enum fk_err read_gateway_zxids(struct fk_reader *reader, struct fk_arena *arena, struct fk_gateway_zxids *set)
{
    enum fk_err err = FK_OK;
    set->count = fk_record_read_length(reader, GATEWAY_ZXID_SIZE);
    set->items = (struct fk_gateway_zxid *)fk_record_items(arena, set->count, sizeof *set->items, &err);
    for (size_t i = 0; err == FK_OK && i < set->count; i++) {
        set->items[i].gateway = fk_read_i64(reader);
        set->items[i].zxid = fk_read_i64(reader);
        reader->failed |= i > 0 && set->items[i - 1].gateway >= set->items[i].gateway;
    }
    return err;
}

static void write_gateway_zxids(struct fk_buf *buf, const struct fk_gateway_zxids *set)
{
    fk_record_write_length(buf, set->count);
    for (size_t i = 0; i < set->count; i++) {
        FK_ASSERT(i == 0 || set->items[i - 1].gateway < set->items[i].gateway);
        fk_write_i64(buf, set->items[i].gateway);
        fk_write_i64(buf, set->items[i].zxid);
    }
}

static enum fk_err read_subscriptions(struct fk_reader *reader, struct fk_arena *arena, struct fk_subscriptions *subs)
{
    enum fk_err err = FK_OK;
    subs->count = fk_record_read_length(reader, SUBSCRIPTION_SIZE);
    subs->items = (struct fk_subscription *)fk_record_items(arena, subs->count, sizeof *subs->items, &err);
    for (size_t i = 0; err == FK_OK && i < subs->count; i++) {
        subs->items[i].gateway = fk_read_i64(reader);
        subs->items[i].kinds = (uint32_t)fk_read_i32(reader);
        reader->failed |= i > 0 && subs->items[i - 1].gateway >= subs->items[i].gateway;
        reader->failed |= subs->items[i].kinds == 0 || subs->items[i].kinds > FK_RECORD_WATCH_KINDS;
    }
    return err;
}

static void write_subscriptions(struct fk_buf *buf, const struct fk_subscriptions *subs)
{
    fk_record_write_length(buf, subs->count);
    for (size_t i = 0; i < subs->count; i++) {
        FK_ASSERT(i == 0 || subs->items[i - 1].gateway < subs->items[i].gateway);
        FK_ASSERT(subs->items[i].kinds != 0 && subs->items[i].kinds <= FK_RECORD_WATCH_KINDS);
        fk_write_i64(buf, subs->items[i].gateway);
        fk_write_i32(buf, (int32_t)subs->items[i].kinds);
    }
}

enum fk_err fk_zx_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_zx_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_zx_record){.zxid = 0};
    enum fk_err err = fk_record_open(value, &reader);
    if (err != FK_OK) {
        return err;
    }
    record->zxid = fk_read_i64(&reader);
    record->generation = fk_read_i64(&reader);
    record->recursive_version = fk_read_i64(&reader);
    err = read_gateway_zxids(&reader, arena, &record->lastev);
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_zx_record_write(struct fk_buf *buf, const struct fk_zx_record *record)
{
    fk_record_begin(buf);
    fk_write_i64(buf, record->zxid);
    fk_write_i64(buf, record->generation);
    fk_write_i64(buf, record->recursive_version);
    write_gateway_zxids(buf, &record->lastev);
}

/* The node's data: its bytes, or its size and where it is. */
static void read_place(struct fk_reader *reader, struct fk_node_record *record)
{
    record->place = (enum fk_data_place)fk_record_read_byte(reader, FK_DATA_BLOB);
    if (record->place == FK_DATA_INLINE) {
        record->node.data = fk_read_bytes(reader);
        return;
    }
    int32_t size = fk_read_i32(reader);
    record->attempt = fk_record_read_some(reader);
    reader->failed |= size < 0 || record->attempt.size == 0;
    record->node.data = (struct fk_bytes){NULL, reader->failed ? 0 : (size_t)size};
}

static void write_place(struct fk_buf *buf, const struct fk_node_record *record)
{
    fk_record_write_byte(buf, (uint8_t)record->place);
    if (record->place == FK_DATA_INLINE) {
        FK_ASSERT(record->node.data.data != NULL || record->node.data.size == 0);
        fk_write_bytes(buf, record->node.data);
        return;
    }
    FK_ASSERT(record->attempt.size > 0);
    fk_write_i32(buf, (int32_t)record->node.data.size);
    fk_write_bytes(buf, record->attempt);
}

static void read_node(struct fk_reader *reader, struct fk_node *node)
{
    node->acl = fk_read_bytes(reader);
    node->czxid = fk_read_i64(reader);
    node->mzxid = fk_read_i64(reader);
    node->pzxid = fk_read_i64(reader);
    node->ctime_ms = fk_read_i64(reader);
    node->mtime_ms = fk_read_i64(reader);
    node->ephemeral_owner = fk_read_i64(reader);
    node->version = fk_read_i32(reader);
    node->aversion = fk_read_i32(reader);
    node->created_children = fk_read_i32(reader);
    node->num_children = fk_read_i32(reader);
}

static void write_node(struct fk_buf *buf, const struct fk_node *node)
{
    fk_write_bytes(buf, node->acl);
    fk_write_i64(buf, node->czxid);
    fk_write_i64(buf, node->mzxid);
    fk_write_i64(buf, node->pzxid);
    fk_write_i64(buf, node->ctime_ms);
    fk_write_i64(buf, node->mtime_ms);
    fk_write_i64(buf, node->ephemeral_owner);
    fk_write_i32(buf, node->version);
    fk_write_i32(buf, node->aversion);
    fk_write_i32(buf, node->created_children);
    fk_write_i32(buf, node->num_children);
}

enum fk_err fk_node_record_read(struct fk_bytes value, struct fk_bytes path, struct fk_arena *arena,
                                struct fk_node_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_node_record){.node = {.path = path}};
    enum fk_err err = fk_record_open(value, &reader);
    if (err != FK_OK) {
        return err;
    }
    record->zxid = fk_read_i64(&reader);
    record->generation = fk_read_i64(&reader);
    record->counter = fk_read_i64(&reader);
    err = read_gateway_zxids(&reader, arena, &record->pend);
    if (err == FK_OK) {
        err = read_subscriptions(&reader, arena, &record->subs);
    }
    record->exists = fk_record_read_byte(&reader, 1) == 1;
    if (record->exists) {
        read_node(&reader, &record->node);
        read_place(&reader, record);
    }
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_node_record_write(struct fk_buf *buf, const struct fk_node_record *record)
{
    fk_record_begin(buf);
    fk_write_i64(buf, record->zxid);
    fk_write_i64(buf, record->generation);
    fk_write_i64(buf, record->counter);
    write_gateway_zxids(buf, &record->pend);
    write_subscriptions(buf, &record->subs);
    fk_record_write_byte(buf, record->exists ? 1 : 0);
    if (record->exists) {
        write_node(buf, &record->node);
        write_place(buf, record);
    }
}

static void read_result(struct fk_reader *reader, struct fk_result *result)
{
    result->epoch = fk_read_i64(reader);
    result->number = fk_read_i64(reader);
    result->zxid = fk_read_i64(reader);
    result->need = fk_read_i64(reader);
    result->generation = fk_read_i64(reader);
    result->code = fk_read_i32(reader);
    result->body = fk_read_bytes(reader);
}

static void write_result(struct fk_buf *buf, const struct fk_result *result)
{
    fk_write_i64(buf, result->epoch);
    fk_write_i64(buf, result->number);
    fk_write_i64(buf, result->zxid);
    fk_write_i64(buf, result->need);
    fk_write_i64(buf, result->generation);
    fk_write_i32(buf, result->code);
    fk_write_bytes(buf, result->body);
}

static void read_session(struct fk_reader *reader, struct fk_session *session)
{
    session->id = fk_read_i64(reader);
    session->timeout_ms = fk_read_i32(reader);
    const uint8_t *password = fk_read_raw(reader, sizeof session->password);
    if (password != NULL) {
        memcpy(session->password, password, sizeof session->password);
    }
}

enum fk_err fk_session_record_read(struct fk_bytes value, struct fk_session_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_session_record){.epoch = 0};
    enum fk_err err = fk_record_open(value, &reader);
    if (err != FK_OK) {
        return err;
    }
    read_session(&reader, &record->session);
    record->state = (enum fk_session_state)fk_record_read_byte(&reader, FK_SESSION_CLOSING);
    reader.failed |= record->state < FK_SESSION_LIVE;
    record->epoch = fk_read_i64(&reader);
    record->last = fk_read_i64(&reader);
    record->owner = fk_read_i64(&reader);
    record->nonce = fk_read_i64(&reader);
    record->attach_zxid = fk_read_i64(&reader);
    size_t count = fk_record_read_length(&reader, RESULT_SIZE_MIN);
    if (count > FK_RING_SIZE) {
        return FK_ERR_DAMAGED;
    }
    for (record->count = 0; record->count < count; record->count++) {
        read_result(&reader, &record->results[record->count]);
    }
    return fk_record_close(&reader);
}

void fk_session_record_write(struct fk_buf *buf, const struct fk_session_record *record)
{
    FK_ASSERT(record->state == FK_SESSION_LIVE || record->state == FK_SESSION_CLOSING);
    FK_ASSERT(record->count <= FK_RING_SIZE);
    fk_record_begin(buf);
    fk_write_i64(buf, record->session.id);
    fk_write_i32(buf, record->session.timeout_ms);
    fk_buf_append(buf, fk_bytes_of(record->session.password, sizeof record->session.password));
    fk_record_write_byte(buf, (uint8_t)record->state);
    fk_write_i64(buf, record->epoch);
    fk_write_i64(buf, record->last);
    fk_write_i64(buf, record->owner);
    fk_write_i64(buf, record->nonce);
    fk_write_i64(buf, record->attach_zxid);
    fk_record_write_length(buf, record->count);
    for (size_t i = 0; i < record->count; i++) {
        write_result(buf, &record->results[i]);
    }
}

const struct fk_result *fk_session_record_result(const struct fk_session_record *record, int64_t epoch, int64_t number)
{
    for (size_t i = 0; i < record->count; i++) {
        if (record->results[i].epoch == epoch && record->results[i].number == number) {
            return &record->results[i];
        }
    }
    return NULL;
}

/* True where `a` stands before `b`, bytewise. */
static bool path_before(struct fk_bytes a, struct fk_bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = memcmp(a.data, b.data, size);
    return order != 0 ? order < 0 : a.size < b.size;
}

static struct fk_bytes read_path(struct fk_reader *reader)
{
    struct fk_bytes path = fk_record_read_some(reader);
    reader->failed |= path.size == 0;
    return path;
}

enum fk_err fk_ephemerals_record_read(struct fk_bytes value, struct fk_arena *arena,
                                      struct fk_ephemerals_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_ephemerals_record){.count = 0};
    enum fk_err err = fk_record_open(value, &reader);
    if (err != FK_OK) {
        return err;
    }
    size_t count = fk_record_read_length(&reader, PATH_SIZE_MIN);
    record->paths = (struct fk_bytes *)fk_record_items(arena, count, sizeof *record->paths, &err);
    for (size_t i = 0; err == FK_OK && i < count && !reader.failed; i++) {
        record->paths[i] = read_path(&reader);
        reader.failed |= i > 0 && !reader.failed && !path_before(record->paths[i - 1], record->paths[i]);
    }
    record->count = err == FK_OK ? count : 0;
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_ephemerals_record_write(struct fk_buf *buf, const struct fk_ephemerals_record *record)
{
    fk_record_begin(buf);
    fk_record_write_length(buf, record->count);
    for (size_t i = 0; i < record->count; i++) {
        FK_ASSERT(i == 0 || path_before(record->paths[i - 1], record->paths[i]));
        fk_write_bytes(buf, record->paths[i]);
    }
}

enum fk_err fk_gateway_record_read(struct fk_bytes value, struct fk_gateway_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_gateway_record){.counter = 0};
    enum fk_err err = fk_record_open(value, &reader);
    if (err != FK_OK) {
        return err;
    }
    record->counter = fk_read_i64(&reader);
    record->acked = fk_read_i64(&reader);
    record->alive = fk_record_read_byte(&reader, 1) == 1;
    record->dead_ms = fk_read_i64(&reader);
    record->address = fk_read_bytes(&reader);
    return fk_record_close(&reader);
}

void fk_gateway_record_write(struct fk_buf *buf, const struct fk_gateway_record *record)
{
    fk_record_begin(buf);
    fk_write_i64(buf, record->counter);
    fk_write_i64(buf, record->acked);
    fk_record_write_byte(buf, record->alive ? 1 : 0);
    fk_write_i64(buf, record->dead_ms);
    fk_write_bytes(buf, record->address);
}

enum fk_err fk_observation_record_read(struct fk_bytes value, struct fk_observation_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_observation_record){.counter = 0};
    enum fk_err err = fk_record_open(value, &reader);
    if (err != FK_OK) {
        return err;
    }
    record->counter = fk_read_i64(&reader);
    record->since_ms = fk_read_i64(&reader);
    return fk_record_close(&reader);
}

void fk_observation_record_write(struct fk_buf *buf, const struct fk_observation_record *record)
{
    fk_record_begin(buf);
    fk_write_i64(buf, record->counter);
    fk_write_i64(buf, record->since_ms);
}

enum fk_err fk_recursive_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_recursive_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_recursive_record){.count = 0};
    enum fk_err err = fk_record_open(value, &reader);
    if (err != FK_OK) {
        return err;
    }
    size_t count = fk_record_read_length(&reader, RECURSIVE_SIZE_MIN);
    record->items = (struct fk_recursive_subscription *)fk_record_items(arena, count, sizeof *record->items, &err);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        record->items[i].gateway = fk_read_i64(&reader);
        record->items[i].path = read_path(&reader);
    }
    record->count = err == FK_OK ? count : 0;
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_recursive_record_write(struct fk_buf *buf, const struct fk_recursive_record *record)
{
    fk_record_begin(buf);
    fk_record_write_length(buf, record->count);
    for (size_t i = 0; i < record->count; i++) {
        fk_write_i64(buf, record->items[i].gateway);
        fk_write_bytes(buf, record->items[i].path);
    }
}
