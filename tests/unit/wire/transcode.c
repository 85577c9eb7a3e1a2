// SPDX-License-Identifier: Apache-2.0
#include "wire/transcode.h"

/* A record of type `name`, read and written. */
#define COPY(name)                                                                                                     \
    static void copy_##name(struct fk_reader *reader, struct fk_buf *out)                                              \
    {                                                                                                                  \
        struct fk_##name record;                                                                                       \
        fk_read_##name(reader, &record);                                                                               \
        fk_write_##name(out, &record);                                                                                 \
    }

COPY(connect_request)
COPY(connect_response)
COPY(create_request)
COPY(version_request)
COPY(set_data_request)
COPY(set_acl_request)
COPY(watch_request)
COPY(auth_request)
COPY(set_watches_request)
COPY(watcher_request)
COPY(watcher_event)
COPY(stat)

static void copy_set_watches2_request(struct fk_reader *reader, struct fk_buf *out)
{
    struct fk_set_watches_request request;
    fk_read_set_watches2_request(reader, &request);
    fk_write_set_watches2_request(out, &request);
}

static void copy_bytes(struct fk_reader *reader, struct fk_buf *out)
{
    fk_write_bytes(out, fk_read_bytes(reader));
}

static void copy_strings(struct fk_reader *reader, struct fk_buf *out)
{
    fk_write_vector(out, fk_read_strings(reader));
}

static void copy_acl(struct fk_reader *reader, struct fk_buf *out)
{
    fk_write_vector(out, fk_read_acl(reader));
}

static void copy_multi_request_entry(struct fk_reader *reader, int32_t op, struct fk_buf *out)
{
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
        copy_create_request(reader, out);
        break;
    case FK_OP_DELETE:
    case FK_OP_CHECK:
        copy_version_request(reader, out);
        break;
    case FK_OP_SET_DATA:
        copy_set_data_request(reader, out);
        break;
    case FK_OP_GET_DATA:
    case FK_OP_GET_CHILDREN:
        copy_watch_request(reader, out);
        break;
    default:
        reader->failed = true;
        break;
    }
}

static void copy_multi_reply_entry(struct fk_reader *reader, int32_t op, struct fk_buf *out)
{
    switch (op) {
    case FK_OP_CREATE:
        copy_bytes(reader, out);
        break;
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
        copy_bytes(reader, out);
        copy_stat(reader, out);
        break;
    case FK_OP_DELETE:
    case FK_OP_CHECK:
        break;
    case FK_OP_SET_DATA:
        copy_stat(reader, out);
        break;
    case FK_OP_GET_DATA:
        copy_bytes(reader, out);
        copy_stat(reader, out);
        break;
    case FK_OP_GET_CHILDREN:
        copy_strings(reader, out);
        break;
    case FK_OP_ERROR:
        fk_write_i32(out, fk_read_i32(reader));
        break;
    default:
        reader->failed = true;
        break;
    }
}

typedef void (*entry_fn)(struct fk_reader *reader, int32_t op, struct fk_buf *out);

static void copy_multi(struct fk_reader *reader, entry_fn copy_entry, struct fk_buf *out)
{
    for (;;) {
        struct fk_multi_header header;
        fk_read_multi_header(reader, &header);
        fk_write_multi_header(out, &header);
        if (reader->failed || header.done) {
            return;
        }
        copy_entry(reader, header.op, out);
    }
}

static void copy_request_body(struct fk_reader *reader, int32_t op, struct fk_buf *out)
{
    switch (op) {
    case FK_OP_EXISTS:
    case FK_OP_GET_DATA:
    case FK_OP_GET_CHILDREN:
    case FK_OP_GET_CHILDREN2:
        copy_watch_request(reader, out);
        break;
    case FK_OP_SET_ACL:
        copy_set_acl_request(reader, out);
        break;
    case FK_OP_GET_ACL:
    case FK_OP_SYNC:
    case FK_OP_GET_EPHEMERALS:
    case FK_OP_GET_ALL_CHILDREN_NUMBER:
        copy_bytes(reader, out);
        break;
    case FK_OP_ADD_WATCH:
    case FK_OP_REMOVE_WATCHES:
    case FK_OP_CHECK_WATCHES:
        copy_watcher_request(reader, out);
        break;
    case FK_OP_MULTI:
    case FK_OP_MULTI_READ:
        copy_multi(reader, copy_multi_request_entry, out);
        break;
    case FK_OP_AUTH:
        copy_auth_request(reader, out);
        break;
    case FK_OP_SET_WATCHES:
        copy_set_watches_request(reader, out);
        break;
    case FK_OP_SET_WATCHES2:
        copy_set_watches2_request(reader, out);
        break;
    case FK_OP_PING:
    case FK_OP_WHO_AM_I:
    case FK_OP_CLOSE_SESSION:
        break;
    default:
        copy_multi_request_entry(reader, op, out);
        break;
    }
}

static void copy_ids(struct fk_reader *reader, struct fk_buf *out)
{
    int32_t count = fk_read_count(reader, 8);
    fk_write_i32(out, count);
    for (int32_t i = 0; i < 2 * count; i++) {
        copy_bytes(reader, out);
    }
}

static void copy_reply_body(struct fk_reader *reader, int32_t op, struct fk_buf *out)
{
    switch (op) {
    case FK_OP_EXISTS:
    case FK_OP_SET_ACL:
        copy_stat(reader, out);
        break;
    case FK_OP_GET_DATA:
        copy_bytes(reader, out);
        copy_stat(reader, out);
        break;
    case FK_OP_GET_ACL:
        copy_acl(reader, out);
        copy_stat(reader, out);
        break;
    case FK_OP_GET_CHILDREN:
    case FK_OP_GET_EPHEMERALS:
        copy_strings(reader, out);
        break;
    case FK_OP_ADD_WATCH:
    case FK_OP_GET_ALL_CHILDREN_NUMBER:
        fk_write_i32(out, fk_read_i32(reader));
        break;
    case FK_OP_WHO_AM_I:
        copy_ids(reader, out);
        break;
    case FK_OP_GET_CHILDREN2:
        copy_strings(reader, out);
        copy_stat(reader, out);
        break;
    case FK_OP_SYNC:
        copy_bytes(reader, out);
        break;
    case FK_OP_MULTI:
    case FK_OP_MULTI_READ:
        copy_multi(reader, copy_multi_reply_entry, out);
        break;
    case FK_OP_AUTH:
    case FK_OP_SET_WATCHES:
    case FK_OP_SET_WATCHES2:
    case FK_OP_REMOVE_WATCHES:
    case FK_OP_CHECK_WATCHES:
    case FK_OP_PING:
    case FK_OP_CLOSE_SESSION:
        break;
    default:
        copy_multi_reply_entry(reader, op, out);
        break;
    }
}

static void copy_request(struct fk_reader *reader, struct fk_buf *out)
{
    struct fk_request_header header;
    fk_read_request_header(reader, &header);
    fk_write_request_header(out, &header);
    if (!reader->failed) {
        copy_request_body(reader, header.op, out);
    }
}

/* A header with an error has no body after it; a refused multi is no such error, its entries carry the codes. */
static void copy_reply(struct fk_reader *reader, int32_t op, struct fk_buf *out)
{
    struct fk_reply_header header;
    fk_read_reply_header(reader, &header);
    fk_write_reply_header(out, &header);
    if (!reader->failed && header.code == FK_CODE_OK) {
        copy_reply_body(reader, op, out);
    }
}

static void copy_event(struct fk_reader *reader, struct fk_buf *out)
{
    struct fk_reply_header header;
    fk_read_reply_header(reader, &header);
    fk_write_reply_header(out, &header);
    copy_watcher_event(reader, out);
}

void transcode(struct fk_reader *reader, enum frame_kind kind, int32_t op, struct fk_buf *out)
{
    switch (kind) {
    case FRAME_CONNECT_REQUEST:
        copy_connect_request(reader, out);
        break;
    case FRAME_CONNECT_REPLY:
        copy_connect_response(reader, out);
        break;
    case FRAME_REQUEST:
        copy_request(reader, out);
        break;
    case FRAME_REPLY:
        copy_reply(reader, op, out);
        break;
    case FRAME_EVENT:
        copy_event(reader, out);
        break;
    case FRAME_KINDS:
        reader->failed = true;
        break;
    }
}
