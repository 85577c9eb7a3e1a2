// SPDX-License-Identifier: Apache-2.0
#include "function/record_codec.h"

#include "base/assert.h"

enum {
    GATEWAY_ZXID_SIZE_MIN = 8 + 1,
    SUBSCRIPTION_SIZE_MIN = 8 + 1,
    PATH_SIZE_MIN = 4 + 1,
    RECURSIVE_SIZE_MIN = 8 + PATH_SIZE_MIN,
};

/* What a node's record has, in its second byte; bits 5 and 6: enum fk_data_place. */
enum {
    NODE_EXISTS = 1 << 0,
    NODE_PEND = 1 << 1,
    NODE_SUBS = 1 << 2,
    NODE_OPEN = 1 << 3,  /* its list is FK_ACL_OPEN, and not written */
    NODE_OWNED = 1 << 4, /* its owner is not 0 */
    NODE_PLACE_SHIFT = 5,
    NODE_PLACE_MAX = 3,
    NODE_FLAGS_MAX = (1 << 7) - 1,
};

/* How the body of a result is written. */
enum {
    BODY_NULL = 0,
    BODY_PLAIN = 1,
    BODY_STAT = 2, /* it ends with what may be a Stat, written in small numbers */
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

/* --- sets of gateways --- */

static enum fk_err read_gateway_zxids(struct fk_reader *reader, struct fk_arena *arena, int64_t zxid,
                                      struct fk_gateway_zxids *set)
{
    enum fk_err err = FK_OK;
    set->count = fk_record_read_number_length(reader, GATEWAY_ZXID_SIZE_MIN);
    set->items = (struct fk_gateway_zxid *)fk_record_items(arena, set->count, sizeof *set->items, &err);
    for (size_t i = 0; err == FK_OK && i < set->count; i++) {
        set->items[i] = (struct fk_gateway_zxid){.gateway = fk_read_i64(reader)};
        set->items[i].zxid = fk_record_read_near(reader, zxid);
        reader->failed |= i > 0 && set->items[i - 1].gateway >= set->items[i].gateway;
    }
    return err;
}

static void write_gateway_zxids(struct fk_buf *buf, int64_t zxid, const struct fk_gateway_zxids *set)
{
    fk_record_write_number(buf, set->count);
    for (size_t i = 0; i < set->count; i++) {
        FK_ASSERT(i == 0 || set->items[i - 1].gateway < set->items[i].gateway);
        fk_write_i64(buf, set->items[i].gateway);
        fk_record_write_near(buf, set->items[i].zxid, zxid);
    }
}

static enum fk_err read_subscriptions(struct fk_reader *reader, struct fk_arena *arena, struct fk_subscriptions *subs)
{
    enum fk_err err = FK_OK;
    subs->count = fk_record_read_number_length(reader, SUBSCRIPTION_SIZE_MIN);
    subs->items = (struct fk_subscription *)fk_record_items(arena, subs->count, sizeof *subs->items, &err);
    for (size_t i = 0; err == FK_OK && i < subs->count; i++) {
        subs->items[i].gateway = fk_read_i64(reader);
        subs->items[i].kinds = fk_record_read_byte(reader, FK_RECORD_WATCH_KINDS);
        reader->failed |= i > 0 && subs->items[i - 1].gateway >= subs->items[i].gateway;
        reader->failed |= subs->items[i].kinds == 0;
    }
    return err;
}

static void write_subscriptions(struct fk_buf *buf, const struct fk_subscriptions *subs)
{
    fk_record_write_number(buf, subs->count);
    for (size_t i = 0; i < subs->count; i++) {
        FK_ASSERT(i == 0 || subs->items[i - 1].gateway < subs->items[i].gateway);
        FK_ASSERT(subs->items[i].kinds != 0 && subs->items[i].kinds <= FK_RECORD_WATCH_KINDS);
        fk_write_i64(buf, subs->items[i].gateway);
        fk_record_write_byte(buf, (uint8_t)subs->items[i].kinds);
    }
}

/* --- the zxid record --- */

enum fk_err fk_zx_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_zx_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_zx_record){.zxid = 0};
    enum fk_err err = fk_record_open(value, FK_RECORD_SMALL, &reader);
    if (err != FK_OK || value.data[0] < FK_RECORD_SMALL) {
        return err != FK_OK ? err : fk_zx_record_read_old(&reader, arena, record);
    }
    record->zxid = (int64_t)fk_record_read_number(&reader);
    record->generation = (int64_t)fk_record_read_number(&reader);
    record->recursive_version = (int64_t)fk_record_read_number(&reader);
    record->limits = (int64_t)fk_record_read_number(&reader);
    err = read_gateway_zxids(&reader, arena, record->zxid, &record->lastev);
    for (size_t i = 0; err == FK_OK && i < record->lastev.count; i++) {
        record->lastev.items[i].settled = fk_record_read_byte(&reader, 1) == 1;
    }
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_zx_record_write(struct fk_buf *buf, const struct fk_zx_record *record)
{
    fk_record_write_byte(buf, FK_RECORD_SMALL);
    fk_record_write_number(buf, (uint64_t)record->zxid);
    fk_record_write_number(buf, (uint64_t)record->generation);
    fk_record_write_number(buf, (uint64_t)record->recursive_version);
    fk_record_write_number(buf, (uint64_t)record->limits);
    write_gateway_zxids(buf, record->zxid, &record->lastev);
    for (size_t i = 0; i < record->lastev.count; i++) {
        fk_record_write_byte(buf, record->lastev.items[i].settled ? 1 : 0);
    }
}

/* --- nodes --- */

/* The node's data: its bytes, or its size and where it is. */
static void read_place(struct fk_reader *reader, unsigned flags, struct fk_node_record *record)
{
    record->place = (enum fk_data_place)(flags >> NODE_PLACE_SHIFT);
    reader->failed |= record->place > FK_DATA_BLOB;
    if (record->place == FK_DATA_INLINE) {
        record->node.data = fk_record_read_blob(reader);
        return;
    }
    uint64_t size = fk_record_read_number(reader);
    record->attempt = fk_record_read_blob(reader);
    reader->failed |= size > INT32_MAX || record->attempt.size == 0;
    record->node.data = (struct fk_bytes){NULL, reader->failed ? 0 : (size_t)size};
}

static void write_place(struct fk_buf *buf, const struct fk_node_record *record)
{
    if (record->place == FK_DATA_INLINE) {
        FK_ASSERT(record->node.data.data != NULL || record->node.data.size == 0);
        fk_record_write_blob(buf, record->node.data);
        return;
    }
    FK_ASSERT(record->attempt.size > 0);
    fk_record_write_number(buf, record->node.data.size);
    fk_record_write_blob(buf, record->attempt);
}

static void read_node(struct fk_reader *reader, unsigned flags, int64_t zxid, struct fk_node *node)
{
    node->acl = (flags & NODE_OPEN) != 0 ? FK_ACL_OPEN : fk_record_read_blob(reader);
    node->czxid = fk_record_read_near(reader, zxid);
    node->mzxid = fk_record_read_near(reader, zxid);
    node->pzxid = fk_record_read_near(reader, zxid);
    node->ctime_ms = fk_record_read_near(reader, 0);
    node->mtime_ms = fk_record_read_near(reader, node->ctime_ms);
    node->ephemeral_owner = (flags & NODE_OWNED) != 0 ? fk_read_i64(reader) : 0;
    node->version = fk_record_read_small(reader);
    node->aversion = fk_record_read_small(reader);
    node->created_children = fk_record_read_small(reader);
    node->num_children = fk_record_read_small(reader);
}

static void write_node(struct fk_buf *buf, unsigned flags, int64_t zxid, const struct fk_node *node)
{
    if ((flags & NODE_OPEN) == 0) {
        fk_record_write_blob(buf, node->acl);
    }
    fk_record_write_near(buf, node->czxid, zxid);
    fk_record_write_near(buf, node->mzxid, zxid);
    fk_record_write_near(buf, node->pzxid, zxid);
    fk_record_write_near(buf, node->ctime_ms, 0);
    fk_record_write_near(buf, node->mtime_ms, node->ctime_ms);
    if ((flags & NODE_OWNED) != 0) {
        fk_write_i64(buf, node->ephemeral_owner);
    }
    fk_record_write_near(buf, node->version, 0);
    fk_record_write_near(buf, node->aversion, 0);
    fk_record_write_near(buf, node->created_children, 0);
    fk_record_write_near(buf, node->num_children, 0);
}

enum fk_err fk_node_record_read(struct fk_bytes value, struct fk_bytes path, struct fk_arena *arena,
                                struct fk_node_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_node_record){.node = {.path = path}};
    enum fk_err err = fk_record_open(value, FK_RECORD_SMALL, &reader);
    if (err != FK_OK || value.data[0] < FK_RECORD_SMALL) {
        return err != FK_OK ? err : fk_node_record_read_old(&reader, arena, record);
    }
    unsigned flags = fk_record_read_byte(&reader, NODE_FLAGS_MAX);
    record->zxid = (int64_t)fk_record_read_number(&reader);
    record->generation = (int64_t)fk_record_read_number(&reader);
    record->counter = (int64_t)fk_record_read_number(&reader);
    if ((flags & NODE_PEND) != 0) {
        err = read_gateway_zxids(&reader, arena, record->zxid, &record->pend);
    }
    if (err == FK_OK && (flags & NODE_SUBS) != 0) {
        err = read_subscriptions(&reader, arena, &record->subs);
    }
    record->exists = (flags & NODE_EXISTS) != 0;
    if (record->exists) {
        read_node(&reader, flags, record->zxid, &record->node);
        read_place(&reader, flags, record);
    } else {
        reader.failed |= (flags & ~(unsigned)(NODE_PEND | NODE_SUBS)) != 0;
    }
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_node_record_write(struct fk_buf *buf, const struct fk_node_record *record)
{
    unsigned flags = (record->pend.count > 0 ? NODE_PEND : 0U) | (record->subs.count > 0 ? NODE_SUBS : 0U);
    if (record->exists) {
        flags |= NODE_EXISTS | (fk_bytes_equal(record->node.acl, FK_ACL_OPEN) ? NODE_OPEN : 0U) |
                 (record->node.ephemeral_owner != 0 ? NODE_OWNED : 0U) | (unsigned)record->place << NODE_PLACE_SHIFT;
    }
    fk_record_write_byte(buf, FK_RECORD_SMALL);
    fk_record_write_byte(buf, (uint8_t)flags);
    fk_record_write_number(buf, (uint64_t)record->zxid);
    fk_record_write_number(buf, (uint64_t)record->generation);
    fk_record_write_number(buf, (uint64_t)record->counter);
    if (record->pend.count > 0) {
        write_gateway_zxids(buf, record->zxid, &record->pend);
    }
    if (record->subs.count > 0) {
        write_subscriptions(buf, &record->subs);
    }
    if (record->exists) {
        write_node(buf, flags, record->zxid, &record->node);
        write_place(buf, record);
    }
}

/* --- sessions --- */

/* The end of most replies. It is written so that whatever its bytes are, they come back. */
static void read_stat(struct fk_reader *reader, int64_t zxid, struct fk_stat *stat)
{
    stat->czxid = fk_record_read_near(reader, zxid);
    stat->mzxid = fk_record_read_near(reader, zxid);
    stat->pzxid = fk_record_read_near(reader, zxid);
    stat->ctime_ms = fk_record_read_near(reader, 0);
    stat->mtime_ms = fk_record_read_near(reader, stat->ctime_ms);
    stat->ephemeral_owner = fk_record_read_near(reader, 0);
    stat->version = fk_record_read_small(reader);
    stat->cversion = fk_record_read_small(reader);
    stat->aversion = fk_record_read_small(reader);
    stat->data_length = fk_record_read_small(reader);
    stat->num_children = fk_record_read_small(reader);
}

static void write_stat(struct fk_buf *buf, int64_t zxid, const struct fk_stat *stat)
{
    fk_record_write_near(buf, stat->czxid, zxid);
    fk_record_write_near(buf, stat->mzxid, zxid);
    fk_record_write_near(buf, stat->pzxid, zxid);
    fk_record_write_near(buf, stat->ctime_ms, 0);
    fk_record_write_near(buf, stat->mtime_ms, stat->ctime_ms);
    fk_record_write_near(buf, stat->ephemeral_owner, 0);
    fk_record_write_near(buf, stat->version, 0);
    fk_record_write_near(buf, stat->cversion, 0);
    fk_record_write_near(buf, stat->aversion, 0);
    fk_record_write_near(buf, stat->data_length, 0);
    fk_record_write_near(buf, stat->num_children, 0);
}

/* A body with its Stat, made anew in the arena. */
static struct fk_bytes read_body_stat(struct fk_reader *reader, int64_t zxid, struct fk_arena *arena, enum fk_err *err)
{
    struct fk_buf whole = FK_BUF_EMPTY;
    struct fk_bytes body = FK_BYTES_NULL;
    struct fk_stat stat;
    struct fk_bytes front = fk_record_read_some_blob(reader);
    read_stat(reader, zxid, &stat);
    if (reader->failed) {
        return body;
    }
    fk_buf_append(&whole, front);
    fk_write_stat(&whole, &stat);
    body = whole.failed ? FK_BYTES_NULL : fk_arena_copy(arena, fk_buf_view(&whole));
    fk_buf_deinit(&whole);
    if (body.data == NULL) {
        *err = FK_ERR_NOMEM;
    }
    return body;
}

static enum fk_err read_result(struct fk_reader *reader, const struct fk_session_record *record, struct fk_arena *arena,
                               struct fk_result *result)
{
    enum fk_err err = FK_OK;
    result->epoch = fk_record_read_near(reader, record->epoch);
    result->number = fk_record_read_near(reader, record->last);
    result->zxid = (int64_t)fk_record_read_number(reader);
    result->need = fk_record_read_near(reader, result->zxid);
    result->generation = (int64_t)fk_record_read_number(reader);
    result->code = fk_record_read_small(reader);
    result->body = FK_BYTES_NULL;
    switch (fk_record_read_byte(reader, BODY_STAT)) {
    case BODY_PLAIN:
        result->body = fk_record_read_some_blob(reader);
        break;
    case BODY_STAT:
        result->body = read_body_stat(reader, result->zxid, arena, &err);
        break;
    default:
        break;
    }
    return err;
}

static void write_body(struct fk_buf *buf, const struct fk_result *result)
{
    struct fk_bytes body = result->body;
    if (body.data == NULL || body.size < FK_STAT_SIZE) {
        fk_record_write_byte(buf, body.data == NULL ? BODY_NULL : BODY_PLAIN);
        if (body.data != NULL) {
            fk_record_write_blob(buf, body);
        }
        return;
    }
    struct fk_stat stat;
    struct fk_reader reader = fk_reader_of(fk_bytes_tail(body, body.size - FK_STAT_SIZE));
    fk_read_stat(&reader, &stat);
    fk_record_write_byte(buf, BODY_STAT);
    fk_record_write_blob(buf, fk_bytes_head(body, body.size - FK_STAT_SIZE));
    write_stat(buf, result->zxid, &stat);
}

static void write_result(struct fk_buf *buf, const struct fk_session_record *record, const struct fk_result *result)
{
    fk_record_write_near(buf, result->epoch, record->epoch);
    fk_record_write_near(buf, result->number, record->last);
    fk_record_write_number(buf, (uint64_t)result->zxid);
    fk_record_write_near(buf, result->need, result->zxid);
    fk_record_write_number(buf, (uint64_t)result->generation);
    fk_record_write_near(buf, result->code, 0);
    write_body(buf, result);
}

enum fk_err fk_session_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_session_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_session_record){.epoch = 0};
    enum fk_err err = fk_record_open(value, FK_RECORD_SMALL, &reader);
    if (err != FK_OK || value.data[0] < FK_RECORD_SMALL) {
        return err != FK_OK ? err : fk_session_record_read_old(&reader, record);
    }
    fk_record_read_session(&reader, record);
    record->epoch = (int64_t)fk_record_read_number(&reader);
    record->last = (int64_t)fk_record_read_number(&reader);
    record->owner = fk_read_i64(&reader);
    record->nonce = fk_read_i64(&reader);
    record->attach_zxid = (int64_t)fk_record_read_number(&reader);
    size_t count = fk_record_read_byte(&reader, FK_RING_SIZE);
    for (record->count = 0; record->count < count && err == FK_OK; record->count++) {
        err = read_result(&reader, record, arena, &record->results[record->count]);
    }
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_session_record_write(struct fk_buf *buf, const struct fk_session_record *record)
{
    FK_ASSERT(record->state == FK_SESSION_LIVE || record->state == FK_SESSION_CLOSING);
    FK_ASSERT(record->count <= FK_RING_SIZE);
    fk_record_write_byte(buf, FK_RECORD_SMALL);
    fk_write_i64(buf, record->session.id);
    fk_write_i32(buf, record->session.timeout_ms);
    fk_buf_append(buf, fk_bytes_of(record->session.password, sizeof record->session.password));
    fk_record_write_byte(buf, (uint8_t)record->state);
    fk_record_write_number(buf, (uint64_t)record->epoch);
    fk_record_write_number(buf, (uint64_t)record->last);
    fk_write_i64(buf, record->owner);
    fk_write_i64(buf, record->nonce);
    fk_record_write_number(buf, (uint64_t)record->attach_zxid);
    fk_record_write_byte(buf, (uint8_t)record->count);
    for (size_t i = 0; i < record->count; i++) {
        write_result(buf, record, &record->results[i]);
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

/* --- the others --- */

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
    enum fk_err err = fk_record_open(value, FK_RECORD_FIRST, &reader);
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
    enum fk_err err = fk_record_open(value, FK_RECORD_FIRST, &reader);
    if (err != FK_OK) {
        return err;
    }
    record->counter = fk_read_i64(&reader);
    record->acked = fk_read_i64(&reader);
    record->alive = fk_record_read_byte(&reader, 1) == 1;
    record->wall_ms = fk_read_i64(&reader);
    record->address = fk_read_bytes(&reader);
    return fk_record_close(&reader);
}

void fk_gateway_record_write(struct fk_buf *buf, const struct fk_gateway_record *record)
{
    fk_record_begin(buf);
    fk_write_i64(buf, record->counter);
    fk_write_i64(buf, record->acked);
    fk_record_write_byte(buf, record->alive ? 1 : 0);
    fk_write_i64(buf, record->wall_ms);
    fk_write_bytes(buf, record->address);
}

enum fk_err fk_observation_record_read(struct fk_bytes value, struct fk_observation_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_observation_record){.counter = 0};
    enum fk_err err = fk_record_open(value, FK_RECORD_FIRST, &reader);
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
    enum fk_err err = fk_record_open(value, FK_RECORD_FIRST, &reader);
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
