// SPDX-License-Identifier: Apache-2.0
#include "function/message.h"

enum {
    COUNT_OFFSET = 4 + 4 * 8, /* format and four longs stand before the count */
};

void fk_request_message_begin(struct fk_buf *buf, const struct fk_request_message *message)
{
    fk_write_i32(buf, FK_MESSAGE_FORMAT_TAKEN);
    fk_write_i64(buf, message->gateway);
    fk_write_i64(buf, message->session_id);
    fk_write_i64(buf, message->epoch);
    fk_write_i64(buf, message->first_number);
    fk_write_i32(buf, 0);
    fk_write_bytes(buf, message->ids);
    fk_write_i64(buf, message->taken);
}

void fk_request_message_add(struct fk_buf *buf, const struct fk_request_operation *operation)
{
    fk_write_i32(buf, operation->op);
    fk_write_bytes(buf, operation->body);
    if (!buf->failed) {
        fk_patch_i32(buf, COUNT_OFFSET, (int32_t)fk_load_u32(buf->data + COUNT_OFFSET) + 1);
    }
}

enum fk_err fk_request_message_read(struct fk_reader *reader, struct fk_request_message *message)
{
    int32_t format = fk_read_i32(reader);
    if (!reader->failed && format != FK_MESSAGE_FORMAT && format != FK_MESSAGE_FORMAT_TAKEN) {
        return FK_ERR_VERSION;
    }
    message->gateway = fk_read_i64(reader);
    message->session_id = fk_read_i64(reader);
    message->epoch = fk_read_i64(reader);
    message->first_number = fk_read_i64(reader);
    message->count = fk_read_count(reader, FK_MESSAGE_OPERATION_MIN);
    message->ids = fk_read_bytes(reader);
    message->taken = format == FK_MESSAGE_FORMAT ? 0 : fk_read_i64(reader);
    return reader->failed || message->count < 0 ? FK_ERR_MALFORMED : FK_OK;
}

enum fk_err fk_request_message_next(struct fk_reader *reader, struct fk_request_operation *operation)
{
    operation->op = fk_read_i32(reader);
    operation->body = fk_read_bytes(reader);
    return reader->failed ? FK_ERR_MALFORMED : FK_OK;
}

/* Format and kind of a channel message. */
static enum fk_err read_front(struct fk_reader *reader, enum fk_notice kind)
{
    int32_t format = fk_read_i32(reader);
    if (!reader->failed && format != FK_MESSAGE_FORMAT) {
        return FK_ERR_VERSION;
    }
    int32_t found = fk_read_i32(reader);
    return reader->failed || found != (int32_t)kind ? FK_ERR_MALFORMED : FK_OK;
}

void fk_answer_message_write(struct fk_buf *buf, const struct fk_answer_message *message)
{
    fk_write_i32(buf, FK_MESSAGE_FORMAT);
    fk_write_i32(buf, FK_NOTICE_ANSWER);
    fk_write_i64(buf, message->session_id);
    fk_write_i64(buf, message->epoch);
    fk_write_i64(buf, message->number);
    fk_write_i64(buf, message->zxid);
    fk_write_i32(buf, message->code);
    fk_write_bytes(buf, message->body);
    fk_write_i64(buf, message->need);
    fk_write_i64(buf, message->generation);
}

int32_t fk_notice_kind(struct fk_bytes message)
{
    struct fk_reader reader = fk_reader_of(message);
    int32_t format = fk_read_i32(&reader);
    int32_t kind = fk_read_i32(&reader);
    bool known = kind >= FK_NOTICE_ANSWER && kind <= FK_NOTICE_MANY;
    return reader.failed || format != FK_MESSAGE_FORMAT || !known ? 0 : kind;
}

void fk_events_message_write(struct fk_buf *buf, struct fk_bytes events)
{
    fk_write_i32(buf, FK_MESSAGE_FORMAT);
    fk_write_i32(buf, FK_NOTICE_EVENTS);
    fk_write_bytes(buf, events);
}

enum fk_err fk_events_message_read(struct fk_bytes message, struct fk_bytes *events)
{
    struct fk_reader reader = fk_reader_of(message);
    enum fk_err err = read_front(&reader, FK_NOTICE_EVENTS);
    if (err != FK_OK) {
        return err;
    }
    *events = fk_read_bytes(&reader);
    return reader.failed || events->data == NULL ? FK_ERR_MALFORMED : FK_OK;
}

void fk_many_message_begin(struct fk_buf *buf)
{
    fk_write_i32(buf, FK_MESSAGE_FORMAT);
    fk_write_i32(buf, FK_NOTICE_MANY);
}

void fk_many_message_add(struct fk_buf *buf, struct fk_bytes message)
{
    fk_write_bytes(buf, message);
}

enum fk_err fk_many_message_read(struct fk_bytes message, struct fk_reader *reader)
{
    *reader = fk_reader_of(message);
    return read_front(reader, FK_NOTICE_MANY);
}

bool fk_many_message_next(struct fk_reader *reader, struct fk_bytes *message)
{
    if (reader->left == 0) {
        return false;
    }
    *message = fk_read_bytes(reader);
    return !reader->failed && message->data != NULL;
}

enum fk_err fk_answer_message_read(struct fk_bytes bytes, struct fk_answer_message *message)
{
    struct fk_reader reader = fk_reader_of(bytes);
    enum fk_err err = read_front(&reader, FK_NOTICE_ANSWER);
    if (err != FK_OK) {
        return err;
    }
    message->session_id = fk_read_i64(&reader);
    message->epoch = fk_read_i64(&reader);
    message->number = fk_read_i64(&reader);
    message->zxid = fk_read_i64(&reader);
    message->code = fk_read_i32(&reader);
    message->body = fk_read_bytes(&reader);
    message->need = fk_read_i64(&reader);
    message->generation = fk_read_i64(&reader);
    return reader.failed ? FK_ERR_MALFORMED : FK_OK;
}

void fk_read_session_request(struct fk_reader *reader, struct fk_session_request *request)
{
    request->timeout_ms = fk_read_i32(reader);
    request->password = fk_read_bytes(reader);
}

void fk_write_session_request(struct fk_buf *buf, const struct fk_session_request *request)
{
    fk_write_i32(buf, request->timeout_ms);
    fk_write_bytes(buf, request->password);
}

void fk_read_attach_request(struct fk_reader *reader, struct fk_attach_request *request)
{
    request->nonce = fk_read_i64(reader);
    request->timeout_ms = reader->left == 0 ? 0 : fk_read_i32(reader);
}

void fk_write_attach_request(struct fk_buf *buf, const struct fk_attach_request *request)
{
    fk_write_i64(buf, request->nonce);
    fk_write_i32(buf, request->timeout_ms);
}

void fk_read_sweep_request(struct fk_reader *reader, struct fk_sweep_request *request)
{
    request->path = fk_read_bytes(reader);
    request->version = fk_read_i32(reader);
    request->cversion = fk_read_i32(reader);
}

void fk_write_sweep_request(struct fk_buf *buf, const struct fk_sweep_request *request)
{
    fk_write_bytes(buf, request->path);
    fk_write_i32(buf, request->version);
    fk_write_i32(buf, request->cversion);
}
