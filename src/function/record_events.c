// SPDX-License-Identifier: Apache-2.0
/* The codec of the events record. */
#include "function/record_codec.h"

#include "base/assert.h"

enum {
    ENTRY_SIZE_MIN = 1 + 8 + 8, /* both kinds */
    GATEWAY_SIZE_MIN = 8 + 8 + 4,
};

static void read_entry(struct fk_reader *reader, struct fk_event_entry *entry)
{
    *entry = (struct fk_event_entry){.kind = (enum fk_entry_kind)fk_record_read_byte(reader, FK_ENTRY_SESSION_GONE)};
    if (entry->kind == FK_ENTRY_NODE) {
        entry->type = fk_read_i32(reader);
        entry->kinds = (uint32_t)fk_read_i32(reader);
        entry->path = fk_record_read_some(reader);
        entry->acl = fk_read_bytes(reader);
        reader->failed |= entry->type < FK_EVENT_CREATED || entry->type > FK_EVENT_CHILDREN_CHANGED;
        reader->failed |= entry->kinds > FK_RECORD_WATCH_KINDS;
    } else if (entry->kind == FK_ENTRY_SESSION_GONE) {
        entry->session_id = fk_read_i64(reader);
        entry->epoch = fk_read_i64(reader);
        entry->gone = (enum fk_gone)fk_record_read_byte(reader, FK_GONE_CLOSED);
        reader->failed |= entry->gone < FK_GONE_MOVED;
    } else {
        reader->failed = true;
    }
}

static void write_entry(struct fk_buf *buf, const struct fk_event_entry *entry)
{
    fk_record_write_byte(buf, (uint8_t)entry->kind);
    if (entry->kind == FK_ENTRY_NODE) {
        FK_ASSERT(entry->path.data != NULL && entry->kinds <= FK_RECORD_WATCH_KINDS);
        fk_write_i32(buf, entry->type);
        fk_write_i32(buf, (int32_t)entry->kinds);
        fk_write_bytes(buf, entry->path);
        fk_write_bytes(buf, entry->acl);
    } else {
        FK_ASSERT(entry->kind == FK_ENTRY_SESSION_GONE);
        fk_write_i64(buf, entry->session_id);
        fk_write_i64(buf, entry->epoch);
        fk_record_write_byte(buf, (uint8_t)entry->gone);
    }
}

static enum fk_err read_gateway(struct fk_reader *reader, struct fk_arena *arena, struct fk_gateway_events *events)
{
    enum fk_err err = FK_OK;
    events->gateway = fk_read_i64(reader);
    events->prev = fk_read_i64(reader);
    events->count = fk_record_read_length(reader, ENTRY_SIZE_MIN);
    events->entries = (struct fk_event_entry *)fk_record_items(arena, events->count, sizeof *events->entries, &err);
    for (size_t i = 0; err == FK_OK && i < events->count; i++) {
        read_entry(reader, &events->entries[i]);
    }
    return err;
}

enum fk_err fk_events_record_read(struct fk_bytes value, struct fk_arena *arena, struct fk_events_record *record)
{
    struct fk_reader reader;
    *record = (struct fk_events_record){.zxid = 0};
    enum fk_err err = fk_record_open(value, FK_RECORD_FIRST, &reader);
    if (err != FK_OK) {
        return err;
    }
    record->zxid = fk_read_i64(&reader);
    size_t count = fk_record_read_length(&reader, GATEWAY_SIZE_MIN);
    record->gateways = (struct fk_gateway_events *)fk_record_items(arena, count, sizeof *record->gateways, &err);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        err = read_gateway(&reader, arena, &record->gateways[i]);
    }
    record->count = err == FK_OK ? count : 0;
    return err != FK_OK ? err : fk_record_close(&reader);
}

void fk_events_record_write(struct fk_buf *buf, const struct fk_events_record *record)
{
    fk_record_begin(buf);
    fk_write_i64(buf, record->zxid);
    fk_record_write_length(buf, record->count);
    for (size_t i = 0; i < record->count; i++) {
        const struct fk_gateway_events *events = &record->gateways[i];
        fk_write_i64(buf, events->gateway);
        fk_write_i64(buf, events->prev);
        fk_record_write_length(buf, events->count);
        for (size_t j = 0; j < events->count; j++) {
            write_entry(buf, &events->entries[j]);
        }
    }
}
