// SPDX-License-Identifier: Apache-2.0
/* The Stats in planned replies, which show zxids and times that only the distributor knows. */
#include "function/pipeline_entry.h"

#include "wire/codes.h"
#include "wire/records.h"

enum {
    /* Where they stand in an encoded Stat. */
    CZXID_AT = 0,
    MZXID_AT = 8,
    CTIME_AT = 16,
    MTIME_AT = 24,
    PZXID_AT = FK_STAT_SIZE - 8,
    STATS_FIRST = 4,
};

/* Two readers side by side: what was asked, and what will be answered. */
struct walk {
    struct fk_entry *entry;
    struct fk_arena *arena;
    struct fk_reader request;
    struct fk_reader reply;
    enum fk_err err;
};

/* The reply's next bytes are a Stat of `path`. */
static void found(struct walk *walk, struct fk_bytes path)
{
    struct fk_entry *entry = walk->entry;
    size_t offset = entry->reply.size - walk->reply.left;
    if (fk_read_raw(&walk->reply, FK_STAT_SIZE) == NULL) {
        return;
    }
    size_t count = entry->stat_count;
    if (count == 0 || (count >= STATS_FIRST && (count & (count - 1)) == 0)) { /* full */
        size_t capacity = count == 0 ? STATS_FIRST : 2 * count;
        struct fk_entry_stat *stats = (struct fk_entry_stat *)fk_arena_alloc(walk->arena, capacity * sizeof *stats);
        if (stats == NULL) {
            walk->err = FK_ERR_NOMEM;
            return;
        }
        if (count > 0) {
            memcpy(stats, entry->stats, count * sizeof *stats);
        }
        entry->stats = stats;
    }
    entry->stats[entry->stat_count++] = (struct fk_entry_stat){.offset = (int32_t)offset, .path = path};
}

/* Takes one request apart, as far as its path. */
static struct fk_bytes request_path(struct walk *walk, int32_t op)
{
    struct fk_create_request create = {.path = FK_BYTES_NULL};
    struct fk_version_request version = {.path = FK_BYTES_NULL};
    struct fk_set_data_request data = {.path = FK_BYTES_NULL};
    struct fk_set_acl_request acl = {.path = FK_BYTES_NULL};
    switch (op) {
    case FK_OP_CREATE_TTL:
        fk_read_create_ttl_request(&walk->request, &create);
        return create.path;
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
        fk_read_create_request(&walk->request, &create);
        return create.path;
    case FK_OP_SET_DATA:
        fk_read_set_data_request(&walk->request, &data);
        return data.path;
    case FK_OP_SET_ACL:
        fk_read_set_acl_request(&walk->request, &acl);
        return acl.path;
    default:
        fk_read_version_request(&walk->request, &version);
        return version.path;
    }
}

/* `answered` is the operation that the reply is one of. */
static void single(struct walk *walk, int32_t op, int32_t answered)
{
    struct fk_bytes path = request_path(walk, op);
    switch (answered) {
    case FK_OP_CREATE:
        (void)fk_read_bytes(&walk->reply);
        break;
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        path = fk_read_bytes(&walk->reply); /* of a sequential node */
        found(walk, path);
        break;
    case FK_OP_SET_DATA:
    case FK_OP_SET_ACL:
        found(walk, path);
        break;
    default:
        break;
    }
}

static void multi(struct walk *walk)
{
    struct fk_multi_header asked;
    struct fk_multi_header answered;
    fk_read_multi_header(&walk->request, &asked);
    fk_read_multi_header(&walk->reply, &answered);
    while (!walk->request.failed && !walk->reply.failed && !asked.done && answered.op != FK_OP_ERROR) {
        single(walk, asked.op, answered.op);
        fk_read_multi_header(&walk->request, &asked);
        fk_read_multi_header(&walk->reply, &answered);
    }
}

enum fk_err fk_entry_find_stats(struct fk_entry *entry, int32_t op, struct fk_bytes body, struct fk_arena *arena)
{
    struct walk walk = {.entry = entry,
                        .arena = arena,
                        .request = fk_reader_of(body),
                        .reply = fk_reader_of(entry->reply),
                        .err = FK_OK};
    if (op == FK_OP_MULTI) {
        multi(&walk);
    } else {
        single(&walk, op, op);
    }
    return walk.err;
}

static int64_t get(const uint8_t *stat, size_t at)
{
    return (int64_t)fk_load_u64(stat + at);
}

static void set(uint8_t *stat, size_t at, int64_t value)
{
    fk_store_u64(stat + at, (uint64_t)value);
}

void fk_entry_fill_stat(uint8_t *stat, const struct fk_node *before, int64_t zxid, int64_t time_ms)
{
    struct fk_node node = {.czxid = get(stat, CZXID_AT), .mzxid = get(stat, MZXID_AT), .pzxid = get(stat, PZXID_AT)};
    fk_entry_fill_node(&node, before, zxid, time_ms);
    set(stat, CZXID_AT, node.czxid);
    set(stat, MZXID_AT, node.mzxid);
    set(stat, CTIME_AT, node.ctime_ms);
    set(stat, MTIME_AT, node.mtime_ms);
    set(stat, PZXID_AT, node.pzxid);
}
