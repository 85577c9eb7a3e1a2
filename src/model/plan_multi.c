// SPDX-License-Identifier: Apache-2.0
/* multi: several operations under one zxid, all or none. Source: MultiOperationRecord,
 * PrepRequestProcessor.pRequestHelper, MultiResponse. */
#include "model/plan_internal.h"

/* The operations of a multi while they are read: how many, and which failed first. */
struct multi {
    struct fk_plan *plan;
    const struct fk_caller *caller;
    struct fk_buf *reply;
    int32_t count;
    int32_t failed_index; /* -1: none */
    enum fk_code failed_code;
};

static void write_result_header(struct fk_buf *reply, int32_t op)
{
    fk_write_multi_header(reply, &(struct fk_multi_header){.op = op, .done = false, .code = 0});
}

/* ZK: inside of a multi the flags have a say in what is created: those of a container make one, and createTTL with
 * flags of other nodes is a create. What is no plain create is answered as create2 (MultiOperationRecord, Op.create).
 */
static int32_t create_of_flags(int32_t op, int32_t flags)
{
    if (flags == FK_FLAGS_CONTAINER) {
        return FK_OP_CREATE_CONTAINER;
    }
    bool plain = flags >= 0 && flags < FK_FLAGS_CONTAINER;
    return op == FK_OP_CREATE_TTL && plain ? FK_OP_CREATE : op;
}

/* ZK: what CreateOptions refuses while the multi is read. Flags that are none of the operation's make it unparsable;
 * without an ACL it does not come so far as to take a zxid. */
static bool refuse_options(struct multi *multi, int32_t op, const struct fk_create_request *request)
{
    if (op == FK_OP_CREATE_TTL) {
        return false;
    }
    if (request->flags < 0 || request->flags > FK_FLAGS_MAX) {
        return true;
    }
    multi->plan->unread = request->acl.data == NULL;
    return multi->plan->unread || fk_flags_ttl(request->flags);
}

static enum fk_code multi_create(struct multi *multi, int32_t op, struct fk_reader *reader)
{
    struct fk_create_request request;
    struct fk_node created;
    if (op == FK_OP_CREATE_TTL) {
        fk_read_create_ttl_request(reader, &request);
    } else {
        fk_read_create_request(reader, &request);
    }
    reader->failed = reader->failed || refuse_options(multi, op, &request);
    if (reader->failed || multi->failed_index >= 0) {
        return FK_CODE_OK;
    }
    int32_t kind = create_of_flags(op, request.flags);
    enum fk_code code = fk_plan_create(multi->plan, multi->caller, kind, &request, &created);
    if (code == FK_CODE_OK) {
        int32_t answer = kind == FK_OP_CREATE ? FK_OP_CREATE : FK_OP_CREATE2;
        write_result_header(multi->reply, answer);
        fk_plan_write_created(multi->reply, answer, &created);
    }
    return code;
}

static enum fk_code multi_version(struct multi *multi, int32_t op, struct fk_reader *reader)
{
    struct fk_version_request request;
    fk_read_version_request(reader, &request);
    if (reader->failed || multi->failed_index >= 0) {
        return FK_CODE_OK;
    }
    enum fk_code code = op == FK_OP_DELETE ? fk_plan_delete(multi->plan, multi->caller, &request)
                                           : fk_plan_check(multi->plan, multi->caller, &request);
    if (code == FK_CODE_OK) {
        write_result_header(multi->reply, op);
    }
    return code;
}

static enum fk_code multi_set_data(struct multi *multi, int32_t op, struct fk_reader *reader)
{
    struct fk_set_data_request request;
    struct fk_node node;
    fk_read_set_data_request(reader, &request);
    if (reader->failed || multi->failed_index >= 0) {
        return FK_CODE_OK;
    }
    enum fk_code code = fk_plan_set_data(multi->plan, multi->caller, &request, &node);
    if (code == FK_CODE_OK) {
        struct fk_stat stat;
        write_result_header(multi->reply, op);
        fk_node_stat(&node, &stat);
        fk_write_stat(multi->reply, &stat);
    }
    return code;
}

/* Reads one operation and plans it, unless an earlier one has failed. ZK: an operation that a multi can't hold makes
 * the whole request unparsable. */
static void multi_operation(struct multi *multi, int32_t op, struct fk_reader *reader)
{
    enum fk_code code = FK_CODE_OK;
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        code = multi_create(multi, op, reader);
        break;
    case FK_OP_DELETE:
    case FK_OP_CHECK:
        code = multi_version(multi, op, reader);
        break;
    case FK_OP_SET_DATA:
        code = multi_set_data(multi, op, reader);
        break;
    default:
        reader->failed = true;
        break;
    }
    if (code != FK_CODE_OK) {
        multi->failed_index = multi->count;
        multi->failed_code = code;
    }
    multi->count++;
}

static void write_end(struct fk_buf *reply)
{
    fk_write_multi_header(reply, &(struct fk_multi_header){.op = -1, .done = true, .code = -1});
}

/* ZK: operations before the failed one have 0, those after it RUNTIME_INCONSISTENCY. */
static void write_failure(const struct multi *multi)
{
    for (int32_t i = 0; i < multi->count; i++) {
        int32_t code = i < multi->failed_index    ? FK_CODE_OK
                       : i == multi->failed_index ? (int32_t)multi->failed_code
                                                  : FK_CODE_RUNTIME_INCONSISTENCY;
        fk_write_multi_header(multi->reply, &(struct fk_multi_header){.op = FK_OP_ERROR, .done = false, .code = code});
        fk_write_i32(multi->reply, code);
    }
    write_end(multi->reply);
}

enum fk_code fk_plan_multi(struct fk_plan *plan, const struct fk_caller *caller, struct fk_reader *reader,
                           struct fk_buf *reply)
{
    struct multi multi = {.plan = plan, .caller = caller, .reply = reply, .failed_index = -1};
    size_t reply_start = reply->size;
    struct fk_multi_header header;
    fk_read_multi_header(reader, &header);
    while (!reader->failed && !header.done) {
        multi_operation(&multi, header.op, reader);
        fk_read_multi_header(reader, &header);
    }
    if (reader->failed) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    if (multi.failed_index >= 0) {
        fk_plan_rollback(plan);
        reply->size = reply_start;
        write_failure(&multi);
        return FK_CODE_OK;
    }
    write_end(reply);
    return FK_CODE_OK;
}
