// SPDX-License-Identifier: Apache-2.0
#include "load.h"

#include <stdio.h>

enum {
    PAYLOAD_HEADER_SIZE = 8,
    MIX_SET_PERCENT = 10,
    CHILD_NAME_SIZE = 12, /* "child-000000" */
    SEQUENCE_DIGITS = 10,
    AGE_MS_MAX = 86400000,
};

/* ---- contents ---- */

uint32_t load_random_below(struct load_run *run, uint32_t bound)
{
    uint64_t state = run->random_state; /* xorshift64 */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    run->random_state = state;
    return (uint32_t)(((state >> 32) * bound) >> 32);
}

void load_payload_make(struct load_run *run, uint32_t node, uint32_t stamp)
{
    uint32_t header[2] = {node, stamp};
    memcpy(run->payload, header, sizeof header);
    memcpy(run->payload + PAYLOAD_HEADER_SIZE, run->pattern + (stamp & (LOAD_PATTERN_OFFSETS - 1)),
           run->options.size - PAYLOAD_HEADER_SIZE);
}

uint32_t load_payload_check(const struct load_run *run, uint32_t node, const uint8_t *data, size_t size)
{
    uint32_t header[2];
    if (data == NULL || size != run->options.size) {
        load_fail("%s: %zu bytes of data, %u expected", run->nodes[node].path, size, run->options.size);
    }
    memcpy(header, data, sizeof header);
    if (header[0] != node) {
        load_fail("%s: data of node %u, %u expected", run->nodes[node].path, header[0], node);
    }
    const uint8_t *expected = run->pattern + (header[1] & (LOAD_PATTERN_OFFSETS - 1));
    if (memcmp(data + PAYLOAD_HEADER_SIZE, expected, size - PAYLOAD_HEADER_SIZE) != 0) {
        load_fail("%s: wrong contents behind the stamp %u", run->nodes[node].path, header[1]);
    }
    return header[1];
}

/* ---- requests ---- */

static void get_put(struct load_run *run, struct load_conn *conn, struct load_slot *slot)
{
    slot->op = ZKRAW_OP_GET_DATA;
    slot->node = load_random_below(run, run->options.nodes);
    zkraw_put_read(&conn->out, slot->op, slot->xid, run->nodes[slot->node].path, false);
}

static void exists_put(struct load_run *run, struct load_conn *conn, struct load_slot *slot)
{
    slot->op = ZKRAW_OP_EXISTS;
    slot->node = load_random_below(run, run->options.nodes);
    zkraw_put_read(&conn->out, slot->op, slot->xid, run->nodes[slot->node].path, false);
}

static void set_put(struct load_run *run, struct load_conn *conn, struct load_slot *slot)
{
    slot->op = ZKRAW_OP_SET_DATA;
    slot->node = load_random_below(run, run->options.nodes);
    slot->stamp = run->stamp_next++;
    load_payload_make(run, slot->node, slot->stamp);
    zkraw_put_set_data(&conn->out, slot->xid, run->nodes[slot->node].path, run->payload, run->options.size, -1);
}

/* Names of create-delete are unique: connection and a counter. */
static void create_delete_path(const struct load_run *run, const struct load_conn *conn, uint32_t number, char *path)
{
    snprintf(path, LOAD_PATH_SIZE, "%s/x/%u-%u", run->options.root, conn->index, number);
}

static void create_delete_put(struct load_run *run, struct load_conn *conn, struct load_slot *slot)
{
    char path[LOAD_PATH_SIZE];
    slot->op = conn->delete_is_next ? ZKRAW_OP_DELETE : ZKRAW_OP_CREATE;
    if (!conn->delete_is_next) {
        conn->created++;
    }
    slot->node = conn->created;
    create_delete_path(run, conn, slot->node, path);
    if (conn->delete_is_next) {
        zkraw_put_delete(&conn->out, slot->xid, path, 0);
    } else {
        load_payload_make(run, conn->index, slot->node);
        zkraw_put_create(&conn->out, slot->xid, path, run->payload, run->options.size, 0);
    }
    conn->delete_is_next = !conn->delete_is_next;
}

static void sequential_put(struct load_run *run, struct load_conn *conn, struct load_slot *slot)
{
    slot->op = ZKRAW_OP_CREATE;
    conn->created++;
    zkraw_put_create(&conn->out, slot->xid, run->sequence_prefix, run->pattern, LOAD_SEQ_SIZE,
                     ZKRAW_CREATE_EPHEMERAL | ZKRAW_CREATE_SEQUENTIAL);
}

void load_request_put(struct load_run *run, struct load_conn *conn, struct load_slot *slot)
{
    slot->xid = ++conn->xid;
    switch (run->options.op) {
    case LOAD_GET:
        get_put(run, conn, slot);
        return;
    case LOAD_EXISTS:
        exists_put(run, conn, slot);
        return;
    case LOAD_SET:
        set_put(run, conn, slot);
        return;
    case LOAD_MIX:
        if (load_random_below(run, 100) < MIX_SET_PERCENT) {
            set_put(run, conn, slot);
        } else {
            get_put(run, conn, slot);
        }
        return;
    case LOAD_CHILDREN:
        slot->op = ZKRAW_OP_GET_CHILDREN;
        zkraw_put_read(&conn->out, slot->op, slot->xid, run->children_path, false);
        return;
    case LOAD_CREATE_DELETE:
        create_delete_put(run, conn, slot);
        return;
    case LOAD_SEQ:
        sequential_put(run, conn, slot);
        return;
    case LOAD_IDLE_SESSIONS:
    case LOAD_FILL:
    case LOAD_FILL_CHECK:
        break;
    }
    load_fail("no request belongs to this operation");
}

/* ---- replies ---- */

/* A node keeps its birth, and all sessions see the same time, zxid and contents (NULL: not read) for one version. */
static void identity_check(struct load_node *node, const struct zkraw_stat *stat, const uint32_t *stamp)
{
    if (node->czxid == 0) {
        node->czxid = stat->czxid;
        node->ctime_ms = stat->ctime_ms;
    }
    if (stat->version > node->version) {
        node->version = stat->version;
        node->mzxid = 0;
        node->has_stamp = false;
    }
    if (stat->version == node->version && node->mzxid == 0) {
        node->mzxid = stat->mzxid;
        node->mtime_ms = stat->mtime_ms;
    }
    bool is_latest = stat->version == node->version;
    if (stat->czxid != node->czxid || stat->ctime_ms != node->ctime_ms ||
        (is_latest && (stat->mzxid != node->mzxid || stat->mtime_ms != node->mtime_ms))) {
        load_fail("%s: czxid %jd, ctime %jd; version %d with mzxid %jd, mtime %jd; before %jd, %jd; %d with %jd, %jd",
                  node->path, (intmax_t)stat->czxid, (intmax_t)stat->ctime_ms, stat->version, (intmax_t)stat->mzxid,
                  (intmax_t)stat->mtime_ms, (intmax_t)node->czxid, (intmax_t)node->ctime_ms, node->version,
                  (intmax_t)node->mzxid, (intmax_t)node->mtime_ms);
    }
    if (!is_latest || stamp == NULL) {
        return;
    }
    if (node->has_stamp && *stamp != node->stamp) {
        load_fail("%s: version %d has the contents %u and %u", node->path, stat->version, node->stamp, *stamp);
    }
    node->stamp = *stamp;
    node->has_stamp = true;
}

/* A version may not go back within a session. */
static void version_check(struct load_run *run, struct load_conn *conn, uint32_t index, const struct zkraw_stat *stat,
                          const uint32_t *stamp)
{
    struct load_node *node = &run->nodes[index];
    if (stat->version < conn->versions[index]) {
        load_fail("%s: version went back from %d to %d on connection %u", node->path, conn->versions[index],
                  stat->version, conn->index);
    }
    conn->versions[index] = stat->version;
    identity_check(node, stat, stamp);
}

static void stat_check(const struct load_run *run, uint32_t node, const struct zkraw_stat *stat, int64_t reply_zxid)
{
    const char *path = run->nodes[node].path;
    if (stat->data_length != (int32_t)run->options.size) {
        load_fail("%s: dataLength %d, %u expected", path, stat->data_length, run->options.size);
    }
    if (stat->num_children != 0 || stat->ephemeral_owner != 0 || stat->cversion != 0 || stat->aversion != 0) {
        load_fail("%s: numChildren %d, ephemeralOwner %#jx, cversion %d, aversion %d; all 0 expected", path,
                  stat->num_children, (uintmax_t)stat->ephemeral_owner, stat->cversion, stat->aversion);
    }
    int64_t age_ms = stat->mtime_ms - stat->ctime_ms; /* by a wall clock, which may be set in the middle of a run */
    if (age_ms < -AGE_MS_MAX || age_ms > AGE_MS_MAX) {
        load_fail("%s: ctime %jd, mtime %jd", path, (intmax_t)stat->ctime_ms, (intmax_t)stat->mtime_ms);
    }
    if (stat->czxid <= 0 || stat->pzxid != stat->czxid || stat->mzxid < stat->czxid || stat->mzxid > reply_zxid) {
        load_fail("%s: czxid %jd, mzxid %jd, pzxid %jd in a reply of zxid %jd", path, (intmax_t)stat->czxid,
                  (intmax_t)stat->mzxid, (intmax_t)stat->pzxid, (intmax_t)reply_zxid);
    }
}

static void get_check(struct load_run *run, struct load_conn *conn, const struct load_slot *slot,
                      struct zkraw_reply *reply)
{
    size_t size = 0;
    struct zkraw_stat stat;
    const uint8_t *data = zkraw_read_buffer(&reply->body, &size);
    uint32_t stamp = load_payload_check(run, slot->node, data, size);
    zkraw_read_stat(&reply->body, &stat);
    stat_check(run, slot->node, &stat, reply->zxid);
    version_check(run, conn, slot->node, &stat, &stamp);
}

static void exists_check(struct load_run *run, struct load_conn *conn, const struct load_slot *slot,
                         struct zkraw_reply *reply)
{
    struct zkraw_stat stat;
    zkraw_read_stat(&reply->body, &stat);
    stat_check(run, slot->node, &stat, reply->zxid);
    version_check(run, conn, slot->node, &stat, NULL);
}

static void set_check(struct load_run *run, struct load_conn *conn, const struct load_slot *slot,
                      struct zkraw_reply *reply)
{
    struct zkraw_stat stat;
    zkraw_read_stat(&reply->body, &stat);
    stat_check(run, slot->node, &stat, reply->zxid);
    if (stat.mzxid != reply->zxid || stat.version == conn->versions[slot->node]) {
        load_fail("%s: set gave mzxid %jd in a reply of zxid %jd, version %d after %d", run->nodes[slot->node].path,
                  (intmax_t)stat.mzxid, (intmax_t)reply->zxid, stat.version, conn->versions[slot->node]);
    }
    version_check(run, conn, slot->node, &stat, &slot->stamp);
}

/* Checks one name of a getChildren reply and marks it in found. */
static void child_check(struct zkraw_reader *body, bool *found)
{
    size_t size = 0;
    uint32_t number = 0;
    const uint8_t *name = zkraw_read_buffer(body, &size);
    if (name == NULL || size != CHILD_NAME_SIZE || memcmp(name, "child-", 6) != 0) {
        load_fail("getChildren: a name of %zu bytes that is no child-NNNNNN", size);
    }
    for (size_t i = 6; i < CHILD_NAME_SIZE; i++) {
        if (name[i] < '0' || name[i] > '9') {
            load_fail("getChildren: wrong name %.*s", CHILD_NAME_SIZE, (const char *)name);
        }
        number = number * 10 + (uint32_t)(name[i] - '0');
    }
    if (number >= LOAD_CHILDREN_COUNT || found[number]) {
        load_fail("getChildren: %.*s is unexpected or there twice", CHILD_NAME_SIZE, (const char *)name);
    }
    found[number] = true;
}

/* A reply with the same bytes as one that passed is right too: servers answer in a stable order, so this is cheap. */
static void children_check(struct load_run *run, struct zkraw_reply *reply)
{
    bool found[LOAD_CHILDREN_COUNT] = {false};
    struct zkraw_buf *verified = &run->children_verified;
    const uint8_t *start = reply->body.cursor;
    size_t size = (size_t)(reply->body.end - start);
    if (size > 0 && size == verified->size && memcmp(start, verified->data, size) == 0) {
        reply->body.cursor = reply->body.end;
        return;
    }
    int32_t count = zkraw_read_i32(&reply->body);
    if (count != LOAD_CHILDREN_COUNT) {
        load_fail("getChildren: %d names, %d expected", count, LOAD_CHILDREN_COUNT);
    }
    for (int32_t i = 0; i < count; i++) {
        child_check(&reply->body, found);
    }
    verified->size = 0;
    zkraw_buf_reserve(verified, size);
    memcpy(verified->data, start, size);
    verified->size = size;
}

/* Sequence numbers rise on a connection and are never given twice. */
static void sequence_check(struct load_run *run, struct load_conn *conn, struct zkraw_reply *reply)
{
    size_t size = 0;
    int64_t number = 0;
    const uint8_t *path = zkraw_read_buffer(&reply->body, &size);
    if (path == NULL || size != run->sequence_prefix_size + SEQUENCE_DIGITS ||
        memcmp(path, run->sequence_prefix, run->sequence_prefix_size) != 0) {
        load_fail("sequential create: path '%.*s' is not %s and %d digits", (int)size,
                  path == NULL ? "" : (const char *)path, run->sequence_prefix, SEQUENCE_DIGITS);
    }
    for (size_t i = run->sequence_prefix_size; i < size; i++) {
        if (path[i] < '0' || path[i] > '9') {
            load_fail("sequential create: no number in '%.*s'", (int)size, (const char *)path);
        }
        number = number * 10 + (path[i] - '0');
    }
    if (number <= conn->last_sequence) {
        load_fail("sequential create: number %jd after %jd", (intmax_t)number, (intmax_t)conn->last_sequence);
    }
    conn->last_sequence = number;
    if (number < LOAD_SEEN_BITS) {
        uint64_t bit = UINT64_C(1) << (number & 63);
        if ((run->sequences_seen[number / 64] & bit) != 0) {
            load_fail("sequential create: number %jd was given twice", (intmax_t)number);
        }
        run->sequences_seen[number / 64] |= bit;
    }
}

static void create_check(struct load_run *run, struct load_conn *conn, const struct load_slot *slot,
                         struct zkraw_reply *reply)
{
    char expected[LOAD_PATH_SIZE];
    size_t size = 0;
    if (run->options.op == LOAD_SEQ) {
        sequence_check(run, conn, reply);
        return;
    }
    create_delete_path(run, conn, slot->node, expected);
    const uint8_t *path = zkraw_read_buffer(&reply->body, &size);
    if (path == NULL || size != strlen(expected) || memcmp(path, expected, size) != 0) {
        load_fail("create: path '%.*s', '%s' expected", (int)size, path == NULL ? "" : (const char *)path, expected);
    }
}

void load_reply_check(struct load_run *run, struct load_conn *conn, const struct load_slot *slot,
                      struct zkraw_reply *reply)
{
    if (reply->xid != slot->xid) {
        load_fail("connection %u: reply of xid %d, %d expected", conn->index, reply->xid, slot->xid);
    }
    if (reply->err != 0) {
        load_fail("connection %u: error %d for operation %d (xid %d)", conn->index, reply->err, (int)slot->op,
                  slot->xid);
    }
    if (reply->zxid < conn->zxid) {
        load_fail("connection %u: zxid went back from %jd to %jd (xid %d)", conn->index, (intmax_t)conn->zxid,
                  (intmax_t)reply->zxid, slot->xid);
    }
    conn->zxid = reply->zxid;
    if (slot->op == ZKRAW_OP_GET_DATA) {
        get_check(run, conn, slot, reply);
    } else if (slot->op == ZKRAW_OP_EXISTS) {
        exists_check(run, conn, slot, reply);
    } else if (slot->op == ZKRAW_OP_SET_DATA) {
        set_check(run, conn, slot, reply);
    } else if (slot->op == ZKRAW_OP_GET_CHILDREN) {
        children_check(run, reply);
    } else if (slot->op == ZKRAW_OP_CREATE) {
        create_check(run, conn, slot, reply);
    }
    if (reply->body.failed || reply->body.cursor != reply->body.end) {
        load_fail("connection %u: the reply of operation %d (xid %d) is too %s", conn->index, (int)slot->op, slot->xid,
                  reply->body.failed ? "short" : "long");
    }
}
