// SPDX-License-Identifier: Apache-2.0
#include "wire/records.h"

#define ACL_ANYONE(perms)                                                                                              \
    "\0\0\0\1"                                                                                                         \
    "\0\0\0" perms "\0\0\0\5world"                                                                                     \
    "\0\0\0\6"                                                                                                         \
    "anyone"

const struct fk_bytes FK_ACL_OPEN = {(const uint8_t *)ACL_ANYONE("\37"), sizeof ACL_ANYONE("\37") - 1};
const struct fk_bytes FK_ACL_READ = {(const uint8_t *)ACL_ANYONE("\1"), sizeof ACL_ANYONE("\1") - 1};

void fk_read_connect_request(struct fk_reader *reader, struct fk_connect_request *request)
{
    request->protocol_version = fk_read_i32(reader);
    request->last_zxid_seen = fk_read_i64(reader);
    request->timeout_ms = fk_read_i32(reader);
    request->session_id = fk_read_i64(reader);
    request->password = fk_read_bytes(reader);
    request->has_read_only = !reader->failed && reader->left > 0;
    request->read_only = request->has_read_only && fk_read_bool(reader);
}

void fk_write_connect_request(struct fk_buf *buf, const struct fk_connect_request *request)
{
    fk_write_i32(buf, request->protocol_version);
    fk_write_i64(buf, request->last_zxid_seen);
    fk_write_i32(buf, request->timeout_ms);
    fk_write_i64(buf, request->session_id);
    fk_write_bytes(buf, request->password);
    if (request->has_read_only) {
        fk_write_bool(buf, request->read_only);
    }
}

void fk_read_connect_response(struct fk_reader *reader, struct fk_connect_response *response)
{
    response->protocol_version = fk_read_i32(reader);
    response->timeout_ms = fk_read_i32(reader);
    response->session_id = fk_read_i64(reader);
    response->password = fk_read_bytes(reader);
    response->has_read_only = !reader->failed && reader->left > 0;
    response->read_only = response->has_read_only && fk_read_bool(reader);
}

void fk_write_connect_response(struct fk_buf *buf, const struct fk_connect_response *response)
{
    fk_write_i32(buf, response->protocol_version);
    fk_write_i32(buf, response->timeout_ms);
    fk_write_i64(buf, response->session_id);
    fk_write_bytes(buf, response->password);
    if (response->has_read_only) {
        fk_write_bool(buf, response->read_only);
    }
}

void fk_read_request_header(struct fk_reader *reader, struct fk_request_header *header)
{
    header->xid = fk_read_i32(reader);
    header->op = fk_read_i32(reader);
}

void fk_write_request_header(struct fk_buf *buf, const struct fk_request_header *header)
{
    fk_write_i32(buf, header->xid);
    fk_write_i32(buf, header->op);
}

void fk_read_reply_header(struct fk_reader *reader, struct fk_reply_header *header)
{
    header->xid = fk_read_i32(reader);
    header->zxid = fk_read_i64(reader);
    header->code = fk_read_i32(reader);
}

void fk_write_reply_header(struct fk_buf *buf, const struct fk_reply_header *header)
{
    uint8_t *room = fk_buf_reserve(buf, FK_REPLY_HEADER_SIZE);
    if (room == NULL) {
        return;
    }
    fk_store_u32(room, (uint32_t)header->xid);
    fk_store_u64(room + 4, (uint64_t)header->zxid);
    fk_store_u32(room + 12, (uint32_t)header->code);
    buf->size += FK_REPLY_HEADER_SIZE;
}

void fk_read_stat(struct fk_reader *reader, struct fk_stat *stat)
{
    stat->czxid = fk_read_i64(reader);
    stat->mzxid = fk_read_i64(reader);
    stat->ctime_ms = fk_read_i64(reader);
    stat->mtime_ms = fk_read_i64(reader);
    stat->version = fk_read_i32(reader);
    stat->cversion = fk_read_i32(reader);
    stat->aversion = fk_read_i32(reader);
    stat->ephemeral_owner = fk_read_i64(reader);
    stat->data_length = fk_read_i32(reader);
    stat->num_children = fk_read_i32(reader);
    stat->pzxid = fk_read_i64(reader);
}

void fk_write_stat(struct fk_buf *buf, const struct fk_stat *stat)
{
    uint8_t *room = fk_buf_reserve(buf, FK_STAT_SIZE);
    if (room == NULL) {
        return;
    }
    fk_store_u64(room, (uint64_t)stat->czxid);
    fk_store_u64(room + 8, (uint64_t)stat->mzxid);
    fk_store_u64(room + 16, (uint64_t)stat->ctime_ms);
    fk_store_u64(room + 24, (uint64_t)stat->mtime_ms);
    fk_store_u32(room + 32, (uint32_t)stat->version);
    fk_store_u32(room + 36, (uint32_t)stat->cversion);
    fk_store_u32(room + 40, (uint32_t)stat->aversion);
    fk_store_u64(room + 44, (uint64_t)stat->ephemeral_owner);
    fk_store_u32(room + 52, (uint32_t)stat->data_length);
    fk_store_u32(room + 56, (uint32_t)stat->num_children);
    fk_store_u64(room + 60, (uint64_t)stat->pzxid);
    buf->size += FK_STAT_SIZE;
}

void fk_read_create_request(struct fk_reader *reader, struct fk_create_request *request)
{
    request->path = fk_read_bytes(reader);
    request->data = fk_read_bytes(reader);
    request->acl = fk_read_acl(reader);
    request->flags = fk_read_i32(reader);
    request->ttl_ms = 0;
}

void fk_write_create_request(struct fk_buf *buf, const struct fk_create_request *request)
{
    fk_write_bytes(buf, request->path);
    fk_write_bytes(buf, request->data);
    fk_write_vector(buf, request->acl);
    fk_write_i32(buf, request->flags);
}

void fk_read_create_ttl_request(struct fk_reader *reader, struct fk_create_request *request)
{
    fk_read_create_request(reader, request);
    request->ttl_ms = fk_read_i64(reader);
}

void fk_write_create_ttl_request(struct fk_buf *buf, const struct fk_create_request *request)
{
    fk_write_create_request(buf, request);
    fk_write_i64(buf, request->ttl_ms);
}

void fk_read_version_request(struct fk_reader *reader, struct fk_version_request *request)
{
    request->path = fk_read_bytes(reader);
    request->version = fk_read_i32(reader);
}

void fk_write_version_request(struct fk_buf *buf, const struct fk_version_request *request)
{
    fk_write_bytes(buf, request->path);
    fk_write_i32(buf, request->version);
}

void fk_read_set_data_request(struct fk_reader *reader, struct fk_set_data_request *request)
{
    request->path = fk_read_bytes(reader);
    request->data = fk_read_bytes(reader);
    request->version = fk_read_i32(reader);
}

void fk_write_set_data_request(struct fk_buf *buf, const struct fk_set_data_request *request)
{
    fk_write_bytes(buf, request->path);
    fk_write_bytes(buf, request->data);
    fk_write_i32(buf, request->version);
}

void fk_read_set_acl_request(struct fk_reader *reader, struct fk_set_acl_request *request)
{
    request->path = fk_read_bytes(reader);
    request->acl = fk_read_acl(reader);
    request->version = fk_read_i32(reader);
}

void fk_write_set_acl_request(struct fk_buf *buf, const struct fk_set_acl_request *request)
{
    fk_write_bytes(buf, request->path);
    fk_write_vector(buf, request->acl);
    fk_write_i32(buf, request->version);
}

void fk_read_watch_request(struct fk_reader *reader, struct fk_watch_request *request)
{
    request->path = fk_read_bytes(reader);
    request->watch = fk_read_bool(reader);
}

void fk_write_watch_request(struct fk_buf *buf, const struct fk_watch_request *request)
{
    fk_write_bytes(buf, request->path);
    fk_write_bool(buf, request->watch);
}

void fk_read_multi_header(struct fk_reader *reader, struct fk_multi_header *header)
{
    header->op = fk_read_i32(reader);
    header->done = fk_read_bool(reader);
    header->code = fk_read_i32(reader);
}

void fk_write_multi_header(struct fk_buf *buf, const struct fk_multi_header *header)
{
    fk_write_i32(buf, header->op);
    fk_write_bool(buf, header->done);
    fk_write_i32(buf, header->code);
}

void fk_read_auth_request(struct fk_reader *reader, struct fk_auth_request *request)
{
    request->type = fk_read_i32(reader);
    request->scheme = fk_read_bytes(reader);
    request->auth = fk_read_bytes(reader);
}

void fk_write_auth_request(struct fk_buf *buf, const struct fk_auth_request *request)
{
    fk_write_i32(buf, request->type);
    fk_write_bytes(buf, request->scheme);
    fk_write_bytes(buf, request->auth);
}

void fk_read_set_watches_request(struct fk_reader *reader, struct fk_set_watches_request *request)
{
    request->relative_zxid = fk_read_i64(reader);
    request->data = fk_read_strings(reader);
    request->exist = fk_read_strings(reader);
    request->child = fk_read_strings(reader);
    request->persistent = FK_BYTES_NULL;
    request->recursive = FK_BYTES_NULL;
}

void fk_read_set_watches2_request(struct fk_reader *reader, struct fk_set_watches_request *request)
{
    fk_read_set_watches_request(reader, request);
    request->persistent = fk_read_strings(reader);
    request->recursive = fk_read_strings(reader);
}

void fk_write_set_watches_request(struct fk_buf *buf, const struct fk_set_watches_request *request)
{
    fk_write_i64(buf, request->relative_zxid);
    fk_write_vector(buf, request->data);
    fk_write_vector(buf, request->exist);
    fk_write_vector(buf, request->child);
}

void fk_write_set_watches2_request(struct fk_buf *buf, const struct fk_set_watches_request *request)
{
    fk_write_set_watches_request(buf, request);
    fk_write_vector(buf, request->persistent);
    fk_write_vector(buf, request->recursive);
}

void fk_read_watcher_request(struct fk_reader *reader, struct fk_watcher_request *request)
{
    request->path = fk_read_bytes(reader);
    request->kind = fk_read_i32(reader);
}

void fk_write_watcher_request(struct fk_buf *buf, const struct fk_watcher_request *request)
{
    fk_write_bytes(buf, request->path);
    fk_write_i32(buf, request->kind);
}

void fk_read_watcher_event(struct fk_reader *reader, struct fk_watcher_event *event)
{
    event->type = fk_read_i32(reader);
    event->state = fk_read_i32(reader);
    event->path = fk_read_bytes(reader);
}

void fk_write_watcher_event(struct fk_buf *buf, const struct fk_watcher_event *event)
{
    fk_write_i32(buf, event->type);
    fk_write_i32(buf, event->state);
    fk_write_bytes(buf, event->path);
}

void fk_read_acl_entry(struct fk_reader *reader, struct fk_acl_entry *entry)
{
    entry->perms = fk_read_i32(reader);
    entry->scheme = fk_read_bytes(reader);
    entry->id = fk_read_bytes(reader);
}

void fk_write_acl_entry(struct fk_buf *buf, const struct fk_acl_entry *entry)
{
    fk_write_i32(buf, entry->perms);
    fk_write_bytes(buf, entry->scheme);
    fk_write_bytes(buf, entry->id);
}

struct fk_bytes fk_read_acl(struct fk_reader *reader)
{
    enum {
        SMALLEST_ENTRY = 12, /* perms and two lengths */
    };
    const uint8_t *start = reader->at;
    size_t before = reader->left;
    int32_t count = fk_read_count(reader, SMALLEST_ENTRY);
    for (int32_t i = 0; i < count && !reader->failed; i++) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(reader, &entry);
    }
    if (reader->failed || count < 0) {
        return FK_BYTES_NULL;
    }
    return fk_bytes_of(start, before - reader->left);
}

void fk_write_vector(struct fk_buf *buf, struct fk_bytes encoded)
{
    if (encoded.data == NULL) {
        fk_write_i32(buf, -1);
    } else {
        fk_buf_append(buf, encoded);
    }
}
