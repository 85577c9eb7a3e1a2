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

/* Operations that gateways and sweeps send for the cloud topologies besides those of clients; each stands alone in its
 * message, whose first_number is 0, and is answered to nobody in the order of requests. */
enum fk_internal_op {
    FK_OP_ATTACH = -101,       /* session, epoch expected, gateway: the new owner; body: fk_attach_request */
    FK_OP_EXPIRE = -102,       /* session, epoch: end it, if it is still of this epoch or closing already */
    FK_OP_GATEWAY_DEAD = -103, /* gateway: the one to declare dead; body: int64 counter it was seen at */
    FK_OP_SWEEP_NODE = -104,   /* body: fk_sweep_request */
};

enum {
    FK_MESSAGE_FORMAT = 1,
    FK_MESSAGE_FORMAT_STORED = 2, /* of a request message: the name of the blob that holds it follows (stored.h) */
    FK_MESSAGE_FORMAT_TAKEN = 3,  /* of a request message: with `taken` */
    FK_MESSAGE_FORMAT_BUNDLE = 4, /* request messages of several sessions follow, each as a buffer (bundle.h) */
    FK_MESSAGE_FORMAT_NEWEST = FK_MESSAGE_FORMAT_BUNDLE,
    FK_MESSAGE_OPERATION_MIN = 8, /* smallest operation: op and the length of its body */
};

struct fk_request_message {
    int64_t gateway; /* who gets the answers */
    int64_t session_id;
    int64_t epoch;
    int64_t first_number;
    struct fk_bytes ids; /* of the caller, encoded vector<Id> */
    int64_t taken;       /* cloud: the answers to requests of this epoch up to this number are no longer needed */
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
    int64_t need;       /* cloud: the gateway's newest event up to this commit; the answer waits for it. 0: none */
    int64_t generation; /* cloud: of the zxid record at this commit */
};

/* The first int after the format of a channel message: what it is. */
enum fk_notice {
    FK_NOTICE_ANSWER = 1,
    FK_NOTICE_EVENTS = 2, /* cloud: an encoded fk_events_record (record.h) with one gateway follows as a buffer */
    FK_NOTICE_MANY = 3,   /* cloud: messages of the other kinds follow, each as a buffer, in their order */
};

/* What a channel message is: FK_NOTICE_...; 0 where it is none that this version knows. */
int32_t fk_notice_kind(struct fk_bytes message);
void fk_events_message_write(struct fk_buf *buf, struct fk_bytes events);
enum fk_err fk_events_message_read(struct fk_bytes message, struct fk_bytes *events);

/* Starts a message of many with none. */
void fk_many_message_begin(struct fk_buf *buf);
void fk_many_message_add(struct fk_buf *buf, struct fk_bytes message);
/* Reads the front of one; its messages follow with fk_many_message_next, which is false behind the last. */
enum fk_err fk_many_message_read(struct fk_bytes message, struct fk_reader *reader);
bool fk_many_message_next(struct fk_reader *reader, struct fk_bytes *message);

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

/* Body of FK_OP_ATTACH. */
struct fk_attach_request {
    int64_t nonce;
    int32_t timeout_ms; /* as the gateway agreed on it with the client; 0: it stays as it is, as in older messages */
};

void fk_read_attach_request(struct fk_reader *reader, struct fk_attach_request *request);
void fk_write_attach_request(struct fk_buf *buf, const struct fk_attach_request *request);

/* Body of FK_OP_SWEEP_NODE: a container or TTL node to delete if it is due (fk_plan_sweep_node), and its versions as
 * the sweep saw them. */
struct fk_sweep_request {
    struct fk_bytes path;
    int32_t version;
    int32_t cversion;
};

void fk_read_sweep_request(struct fk_reader *reader, struct fk_sweep_request *request);
void fk_write_sweep_request(struct fk_buf *buf, const struct fk_sweep_request *request);

#endif
