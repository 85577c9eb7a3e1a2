// SPDX-License-Identifier: Apache-2.0
/* The two messages between gateways and functions, with a format version in front (design.md section 8).
 *
 * Request message (queue): what one session asks, in order, numbered densely from `first_number`. The operations carry
 * the body of the client's own frame; the gateway is inside the trust boundary, it says who the caller is. Answer
 * message (channel): the fate of one request. */
#ifndef FK_FUNCTION_MESSAGE_H
#define FK_FUNCTION_MESSAGE_H

#include "base/err.h"
#include "wire/jute.h"

enum {
    FK_MESSAGE_FORMAT = 1,
    FK_MESSAGE_OPERATION_MIN = 8, /* smallest operation: op and the length of its body */
};

struct fk_request_message {
    int64_t gateway; /* who gets the answers */
    int64_t session_id;
    int64_t epoch;
    int64_t first_number;
    struct fk_bytes ids; /* of the caller, encoded vector<Id> */
    int32_t count;       /* operations that follow */
};

struct fk_request_operation {
    int32_t op;
    struct fk_bytes body;
};

struct fk_answer_message {
    int64_t session_id;
    int64_t epoch;
    int64_t number;
    int64_t zxid; /* 0: the request took none, because nothing could be decided (disk full) */
    int32_t code; /* enum fk_code */
    struct fk_bytes body;
};

/* Starts a message with no operations; the count is corrected by each fk_request_message_add. */
void fk_request_message_begin(struct fk_buf *buf, const struct fk_request_message *message);
void fk_request_message_add(struct fk_buf *buf, const struct fk_request_operation *operation);

/* Reads the front of a message; operations follow with fk_request_message_next. VERSION for a newer format, MALFORMED.
 */
enum fk_err fk_request_message_read(struct fk_reader *reader, struct fk_request_message *message);
enum fk_err fk_request_message_next(struct fk_reader *reader, struct fk_request_operation *operation);

void fk_answer_message_write(struct fk_buf *buf, const struct fk_answer_message *message);
enum fk_err fk_answer_message_read(struct fk_bytes bytes, struct fk_answer_message *message);

/* Body of FK_OP_CREATE_SESSION: the record of the session asked for. */
struct fk_session_request {
    int32_t timeout_ms;
    struct fk_bytes password;
};

void fk_read_session_request(struct fk_reader *reader, struct fk_session_request *request);
void fk_write_session_request(struct fk_buf *buf, const struct fk_session_request *request);

#endif
