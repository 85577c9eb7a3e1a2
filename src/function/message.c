// SPDX-License-Identifier: Apache-2.0
#include "function/message.h"

enum {
    COUNT_OFFSET = 4 + 4 * 8, /* format and four longs stand before the count */
};

void fk_request_message_begin(struct fk_buf *buf, const struct fk_request_message *message)
{
    fk_write_i32(buf, FK_MESSAGE_FORMAT);
    fk_write_i64(buf, message->gateway);
    fk_write_i64(buf, message->session_id);
    fk_write_i64(buf, message->epoch);
    fk_write_i64(buf, message->first_number);
    fk_write_i32(buf, 0);
    fk_write_bytes(buf, message->ids);
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
    if (!reader->failed && format != FK_MESSAGE_FORMAT) {
        return FK_ERR_VERSION;
    }
    message->gateway = fk_read_i64(reader);
    message->session_id = fk_read_i64(reader);
    message->epoch = fk_read_i64(reader);
    message->first_number = fk_read_i64(reader);
    message->count = fk_read_count(reader, FK_MESSAGE_OPERATION_MIN);
    message->ids = fk_read_bytes(reader);
    return reader->failed || message->count < 0 ? FK_ERR_MALFORMED : FK_OK;
}

enum fk_err fk_request_message_next(struct fk_reader *reader, struct fk_request_operation *operation)
{
    operation->op = fk_read_i32(reader);
    operation->body = fk_read_bytes(reader);
    return reader->failed ? FK_ERR_MALFORMED : FK_OK;
}

void fk_answer_message_write(struct fk_buf *buf, const struct fk_answer_message *message)
{
    fk_write_i32(buf, FK_MESSAGE_FORMAT);
    fk_write_i64(buf, message->session_id);
    fk_write_i64(buf, message->epoch);
    fk_write_i64(buf, message->number);
    fk_write_i64(buf, message->zxid);
    fk_write_i32(buf, message->code);
    fk_write_bytes(buf, message->body);
}

enum fk_err fk_answer_message_read(struct fk_bytes bytes, struct fk_answer_message *message)
{
    struct fk_reader reader = fk_reader_of(bytes);
    int32_t format = fk_read_i32(&reader);
    if (!reader.failed && format != FK_MESSAGE_FORMAT) {
        return FK_ERR_VERSION;
    }
    message->session_id = fk_read_i64(&reader);
    message->epoch = fk_read_i64(&reader);
    message->number = fk_read_i64(&reader);
    message->zxid = fk_read_i64(&reader);
    message->code = fk_read_i32(&reader);
    message->body = fk_read_bytes(&reader);
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
