// SPDX-License-Identifier: Apache-2.0
#include "gateway/tally.h"

#include "gateway/read.h"
#include "wire/records.h"

enum {
    SMALL = 900,        /* data that leaves its node's record within one unit of writing */
    INLINE = 1700,      /* data that stands there (FK_INLINE_ITEM_SIZE_MAX) with a path of usual length */
    MODE_RECURSIVE = 1, /* of addWatch */
};

/* Sizes of data: one for each unit of writing as long as data stands in an item, then by where it stands. */
static const size_t sizes[FK_TALLY_CLASSES] = {SMALL, INLINE, 2048, 3072,  4096,  5120,
                                               6144,  7168,   8192, 16384, 65536, 1048511};
/* Children, nodes, parts of a multi. */
static const size_t lengths[FK_TALLY_CLASSES] = {0, 1, 2, 5, 10, 20, 50, 101, 200, 500, 1000, 10000};

/* NULL: the table has one amount only. */
static const size_t *classes_of(enum fk_cost_op op)
{
    switch ((int)op) {
    case FK_COST_GET_DATA:
    case FK_COST_SET_DATA:
    case FK_COST_CREATE:
    case FK_COST_CREATE_EPHEMERAL:
    case FK_COST_CREATE_SEQUENTIAL:
        return sizes;
    case FK_COST_GET_CHILDREN:
    case FK_COST_GET_ALL_CHILDREN_NUMBER:
    case FK_COST_MULTI_READ:
    case FK_COST_MULTI:
    case FK_COST_SESSION_CLOSED:
        return lengths;
    default:
        return NULL;
    }
}

static size_t class_of(enum fk_cost_op op, size_t amount)
{
    const size_t *classes = classes_of(op);
    size_t at = 0;
    while (classes != NULL && at < FK_TALLY_CLASSES - 1 && amount > classes[at]) {
        at++;
    }
    return at;
}

size_t fk_tally_amount(enum fk_cost_op op, size_t size_class)
{
    const size_t *classes = classes_of(op);
    return classes == NULL ? 0 : classes[size_class];
}

void fk_tally_init(struct fk_tally *tally, const struct fk_tally_session *weights, int64_t now_ms)
{
    tally->weights = weights;
    tally->minute_ms = now_ms;
}

void fk_tally_weigh(struct fk_tally_session weights[FK_TALLY_CELLS], bool pipeline)
{
    for (size_t i = 0; i < FK_TALLY_CELLS; i++) {
        enum fk_cost_op op = (enum fk_cost_op)(i / FK_TALLY_CLASSES);
        const struct fk_cost_use use = fk_cost_units(op, fk_tally_amount(op, i % FK_TALLY_CLASSES), pipeline);
        weights[i] = (struct fk_tally_session){.requests = 1,
                                               .read_units = use.units.read_units,
                                               .write_units = use.units.write_units,
                                               .queue_requests = use.units.queue_requests,
                                               .channel_requests = use.units.channel_requests,
                                               .invocations = use.invocations,
                                               .blob_puts = use.units.blob_puts + use.units.blob_lists,
                                               .blob_gets = use.units.blob_gets};
    }
}

static void add_weight(struct fk_tally_session *sum, const struct fk_tally_session *weight, int64_t times)
{
    sum->requests += times * weight->requests;
    sum->read_units += times * weight->read_units;
    sum->write_units += times * weight->write_units;
    sum->queue_requests += times * weight->queue_requests;
    sum->channel_requests += times * weight->channel_requests;
    sum->invocations += times * weight->invocations;
    sum->blob_puts += times * weight->blob_puts;
    sum->blob_gets += times * weight->blob_gets;
}

void fk_tally_add(struct fk_tally *tally, struct fk_tally_session *session, enum fk_cost_op op, size_t amount)
{
    size_t cell = (size_t)op * FK_TALLY_CLASSES + class_of(op, amount);
    tally->counts[cell]++;
    if (session != NULL && tally->weights != NULL) {
        add_weight(session, &tally->weights[cell], 1);
    }
}

struct fk_tally_session fk_tally_total(const struct fk_tally *tally)
{
    struct fk_tally_session sum = {.requests = 0};
    for (size_t cell = 0; tally->weights != NULL && cell < FK_TALLY_CELLS; cell++) {
        add_weight(&sum, &tally->weights[cell], tally->counts[cell]);
    }
    return sum;
}

/* --- writes --- */

/* Path and data, as setData and the creates begin; what does not parse counts as small: it is refused. */
static uint32_t data_size(struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    (void)fk_read_bytes(&reader);
    struct fk_bytes data = fk_read_bytes(&reader);
    return reader.failed ? 0 : (uint32_t)data.size;
}

/* The flags of a create stand at its end. */
static int32_t flags_of(int32_t opcode, struct fk_bytes body)
{
    bool has = (opcode == FK_OP_CREATE || opcode == FK_OP_CREATE2) && body.size >= 4;
    return has ? (int32_t)fk_load_u32(body.data + body.size - 4) : 0;
}

struct fk_tally_write fk_tally_write_of(int32_t opcode, struct fk_bytes body, int32_t ephemerals)
{
    enum fk_cost_op op = fk_cost_op_of(opcode, flags_of(opcode, body));
    struct fk_tally_write write = {.op = (uint8_t)(op == FK_COST_OP_COUNT ? FK_COST_CREATE_REFUSED : op)};
    if (op == FK_COST_SESSION_CLOSED) {
        write.amount = ephemerals > 0 ? (uint32_t)ephemerals : 0;
    } else if (classes_of(op) == sizes) {
        write.amount = data_size(body);
    }
    return write;
}

/* One result of a multi; false at the end, or where it is an error: then all are. */
static bool skip_result(struct fk_reader *reader, bool *refused)
{
    struct fk_multi_header header;
    fk_read_multi_header(reader, &header);
    if (reader->failed || header.done) {
        return false;
    }
    switch (header.op) {
    case FK_OP_CREATE:
        (void)fk_read_bytes(reader);
        return true;
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        (void)fk_read_bytes(reader);
        (void)fk_read_raw(reader, FK_STAT_SIZE);
        return true;
    case FK_OP_SET_DATA:
        (void)fk_read_raw(reader, FK_STAT_SIZE);
        return true;
    case FK_OP_DELETE:
    case FK_OP_CHECK:
        return true;
    default:
        *refused = true;
        return false;
    }
}

static size_t parts_written(struct fk_bytes reply, bool *refused)
{
    struct fk_reader reader = fk_reader_of(reply);
    size_t count = 0;
    while (skip_result(&reader, refused)) {
        count++;
    }
    return count;
}

void fk_tally_wrote(struct fk_tally *tally, struct fk_tally_session *session, const struct fk_tally_write *write,
                    int32_t code, struct fk_bytes reply)
{
    bool refused = code != FK_CODE_OK;
    size_t amount = write->amount;
    if (!refused && write->op == FK_COST_MULTI) {
        amount = parts_written(reply, &refused);
    }
    fk_tally_add(tally, session, refused ? FK_COST_CREATE_REFUSED : (enum fk_cost_op)write->op, refused ? 0 : amount);
}

void fk_tally_watched(struct fk_tally *tally)
{
    fk_tally_add(tally, NULL, FK_COST_EVENT, 0);
    fk_tally_add(tally, NULL, FK_COST_EVENT_TRIMMED, 0);
}

void fk_tally_expired(struct fk_tally *tally, int32_t ephemerals)
{
    if (ephemerals > 0) {
        fk_tally_add(tally, NULL, FK_COST_SESSION_CLOSED, (size_t)ephemerals);
    } else {
        fk_tally_add(tally, NULL, FK_COST_SESSION_EXPIRED, 0);
    }
}

/* --- reads --- */

/* What stands first: the size of data, how many children, how many nodes; no data is -1. */
static size_t number_in(struct fk_bytes reply)
{
    int32_t number = reply.size < 4 ? 0 : (int32_t)fk_load_u32(reply.data);
    return number < 0 ? 0 : (size_t)number;
}

static size_t parts_read(struct fk_bytes request)
{
    struct fk_reader reader = fk_reader_of(request);
    struct fk_multi_header header;
    struct fk_watch_request part;
    size_t count = 0;
    fk_read_multi_header(&reader, &header);
    while (!reader.failed && !header.done) {
        fk_read_watch_request(&reader, &part);
        fk_read_multi_header(&reader, &header);
        count++;
    }
    return count;
}

/* setWatches: each watch that it sets is registered like one of addWatch. */
static void count_watches(struct fk_tally *tally, struct fk_tally_session *session, struct fk_bytes actions)
{
    struct fk_reader reader = fk_reader_of(actions);
    while (reader.left > 0 && !reader.failed) {
        const uint8_t *action = fk_read_raw(&reader, 1);
        int32_t kinds = fk_read_i32(&reader);
        (void)fk_read_i64(&reader);
        (void)fk_read_bytes(&reader);
        if (action != NULL && *action == FK_ACTION_WATCH) {
            bool recursive = ((unsigned)kinds & FK_WATCH_RECURSIVE) != 0;
            fk_tally_add(tally, session, recursive ? FK_COST_ADD_WATCH_RECURSIVE : FK_COST_ADD_WATCH, 0);
        }
    }
}

static bool is_recursive(struct fk_bytes request)
{
    return request.size >= 4 && fk_load_u32(request.data + request.size - 4) == MODE_RECURSIVE;
}

static size_t read_amount(const struct fk_tally_read *read, enum fk_cost_op op)
{
    if (op == FK_COST_MULTI_READ) {
        return parts_read(read->request);
    }
    return classes_of(op) == NULL ? 0 : number_in(read->reply);
}

/* Of one path; whoever reads a path without a node reads more than its record. */
static void count_missing(struct fk_tally *tally, struct fk_tally_session *session, const struct fk_tally_read *read)
{
    fk_tally_add(tally, session, read->watch ? FK_COST_EXISTS_NOT_WATCH : FK_COST_EXISTS_NOT, 0);
}

static void count_watched(struct fk_tally *tally, struct fk_tally_session *session, enum fk_cost_op op, size_t amount)
{
    if (op == FK_COST_EXISTS || (op == FK_COST_GET_DATA && amount <= SMALL)) {
        fk_tally_add(tally, session, FK_COST_GET_DATA_WATCH, 0);
        return;
    }
    fk_tally_add(tally, session, op, amount);
    fk_tally_add(tally, session, FK_COST_ADD_WATCH, 0);
}

void fk_tally_read(struct fk_tally *tally, struct fk_tally_session *session, const struct fk_tally_read *read)
{
    enum fk_cost_op op = fk_cost_op_of(read->opcode, 0);
    if (op == FK_COST_OP_COUNT) { /* setWatches */
        count_watches(tally, session, read->actions);
    } else if (op == FK_COST_ADD_WATCH) {
        fk_tally_add(tally, session, is_recursive(read->request) ? FK_COST_ADD_WATCH_RECURSIVE : op, 0);
    } else if (read->code == FK_CODE_NO_NODE) {
        count_missing(tally, session, read);
    } else if (read->code != FK_CODE_OK) {
        fk_tally_add(tally, session, FK_COST_EXISTS, 0); /* a record was read, and nothing of it shown */
    } else if (read->watch) {
        count_watched(tally, session, op, read_amount(read, op));
    } else {
        fk_tally_add(tally, session, op, read_amount(read, op));
    }
}

/* --- minutes --- */

static void end_minute(struct fk_tally *tally)
{
    uint32_t *minute = tally->minutes[tally->next];
    for (size_t i = 0; i < FK_TALLY_CELLS; i++) {
        minute[i] = (uint32_t)(tally->counts[i] - tally->begun[i]);
        tally->begun[i] = tally->counts[i];
    }
    tally->next = (tally->next + 1) % FK_TALLY_MINUTES;
    tally->count += tally->count < FK_TALLY_MINUTES ? 1 : 0;
    tally->minute_ms += FK_TALLY_MINUTE_MS;
}

void fk_tally_tick(struct fk_tally *tally, int64_t now_ms)
{
    int64_t behind = (now_ms - tally->minute_ms) / FK_TALLY_MINUTE_MS;
    if (behind > FK_TALLY_MINUTES) { /* asleep for longer than anything is kept */
        tally->minute_ms += (behind - FK_TALLY_MINUTES) * FK_TALLY_MINUTE_MS;
        memcpy(tally->begun, tally->counts, sizeof tally->begun);
    }
    while (now_ms - tally->minute_ms >= FK_TALLY_MINUTE_MS) {
        end_minute(tally);
    }
}

bool fk_tally_minute(const struct fk_tally *tally, uint32_t ago, int64_t counts[FK_TALLY_CELLS])
{
    if (ago > tally->count) {
        return false;
    }
    const uint32_t *minute = tally->minutes[(tally->next + FK_TALLY_MINUTES - ago) % FK_TALLY_MINUTES];
    for (size_t i = 0; i < FK_TALLY_CELLS; i++) {
        counts[i] = ago == 0 ? tally->counts[i] - tally->begun[i] : (int64_t)minute[i];
    }
    return true;
}

int64_t fk_tally_running_ms(const struct fk_tally *tally, int64_t now_ms)
{
    return now_ms - tally->minute_ms;
}
