// SPDX-License-Identifier: Apache-2.0
/* Records of format 1, whose numbers are all of fixed size: nobody writes them any more. */
#include "function/record_codec.h"

enum {
    GATEWAY_ZXID_SIZE = 8 + 8,
    SUBSCRIPTION_SIZE = 8 + 4,
    RESULT_SIZE_MIN = 5 * 8 + 4 + 4,
};

static enum fk_err read_gateway_zxids(struct fk_reader *reader, struct fk_arena *arena, struct fk_gateway_zxids *set)
{
    enum fk_err err = FK_OK;
    set->count = fk_record_read_length(reader, GATEWAY_ZXID_SIZE);
    set->items = (struct fk_gateway_zxid *)fk_record_items(arena, set->count, sizeof *set->items, &err);
    for (size_t i = 0; err == FK_OK && i < set->count; i++) {
        set->items[i] = (struct fk_gateway_zxid){.gateway = fk_read_i64(reader)};
        set->items[i].zxid = fk_read_i64(reader);
        reader->failed |= i > 0 && set->items[i - 1].gateway >= set->items[i].gateway;
    }
    return err;
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

enum fk_err fk_zx_record_read_old(struct fk_reader *reader, struct fk_arena *arena, struct fk_zx_record *record)
{
    record->zxid = fk_read_i64(reader);
    record->generation = fk_read_i64(reader);
    record->recursive_version = fk_read_i64(reader);
    enum fk_err err = read_gateway_zxids(reader, arena, &record->lastev);
    return err != FK_OK ? err : fk_record_close(reader);
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

enum fk_err fk_node_record_read_old(struct fk_reader *reader, struct fk_arena *arena, struct fk_node_record *record)
{
    record->zxid = fk_read_i64(reader);
    record->generation = fk_read_i64(reader);
    record->counter = fk_read_i64(reader);
    enum fk_err err = read_gateway_zxids(reader, arena, &record->pend);
    if (err == FK_OK) {
        err = read_subscriptions(reader, arena, &record->subs);
    }
    record->exists = fk_record_read_byte(reader, 1) == 1;
    if (record->exists) {
        read_node(reader, &record->node);
        read_place(reader, record);
    }
    return err != FK_OK ? err : fk_record_close(reader);
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

enum fk_err fk_session_record_read_old(struct fk_reader *reader, struct fk_session_record *record)
{
    fk_record_read_session(reader, record);
    record->epoch = fk_read_i64(reader);
    record->last = fk_read_i64(reader);
    record->owner = fk_read_i64(reader);
    record->nonce = fk_read_i64(reader);
    record->attach_zxid = fk_read_i64(reader);
    size_t count = fk_record_read_length(reader, RESULT_SIZE_MIN);
    if (count > FK_RING_SIZE) {
        return FK_ERR_DAMAGED;
    }
    for (record->count = 0; record->count < count; record->count++) {
        read_result(reader, &record->results[record->count]);
    }
    return fk_record_close(reader);
}
