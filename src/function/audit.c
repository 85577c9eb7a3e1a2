// SPDX-License-Identifier: Apache-2.0
#include "function/audit.h"

#include "wire/records.h"

/* ZK: CreateMode.fromFlag; NULL: there is none, and no line either. */
static const char *mode_text(int32_t flags)
{
    static const char *const texts[] = {
        "persistent", "ephemeral",           "persistent_sequential",         "ephemeral_sequential",
        "container",  "persistent_with_ttl", "persistent_sequential_with_ttl"};
    return flags < 0 || flags >= (int32_t)(sizeof texts / sizeof texts[0]) ? NULL : texts[flags];
}

/* Fills in what the request says. False where it is not audited or can't be read. */
static bool read_request(struct fk_audit_event *event, int32_t op, struct fk_reader *reader)
{
    struct fk_create_request create = {.flags = 0};
    struct fk_version_request version = {.version = 0};
    struct fk_set_data_request data = {.version = 0};
    struct fk_set_acl_request acl = {.version = 0};
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        (op == FK_OP_CREATE_TTL ? fk_read_create_ttl_request : fk_read_create_request)(reader, &create);
        event->operation = "create";
        event->path = create.path;
        event->mode = mode_text(create.flags);
        return !reader->failed && event->mode != NULL;
    case FK_OP_DELETE:
    case FK_OP_CHECK:
        fk_read_version_request(reader, &version);
        event->operation = "delete";
        event->path = version.path;
        return !reader->failed;
    case FK_OP_SET_DATA:
        fk_read_set_data_request(reader, &data);
        event->operation = "setData";
        event->path = data.path;
        return !reader->failed;
    case FK_OP_SET_ACL:
        fk_read_set_acl_request(reader, &acl);
        event->operation = "setAcl";
        event->path = acl.path;
        event->acl = acl.acl;
        return !reader->failed;
    default:
        return false;
    }
}

static bool creates(int32_t op)
{
    return op == FK_OP_CREATE || op == FK_OP_CREATE2 || op == FK_OP_CREATE_CONTAINER || op == FK_OP_CREATE_TTL;
}

/* Result of one operation of a multi; *path is that of a created node. */
static int32_t read_result(struct fk_reader *reader, struct fk_bytes *path)
{
    struct fk_multi_header header;
    struct fk_stat stat;
    fk_read_multi_header(reader, &header);
    if (creates(header.op)) {
        *path = fk_read_bytes(reader);
    }
    if (header.op == FK_OP_SET_DATA || (creates(header.op) && header.op != FK_OP_CREATE)) {
        fk_read_stat(reader, &stat);
    } else if (header.op == FK_OP_ERROR) {
        (void)fk_read_i32(reader);
    }
    return reader->failed || header.done ? FK_OP_ERROR : header.op;
}

/* ZK: AuditHelper.logMultiOperation, a line for each part. A node whose name got a number has no mode there, and
 * neither has one with a TTL. */
static void audit_multi(const struct fk_audit *audit, struct fk_audit_event event, struct fk_bytes body,
                        struct fk_bytes reply)
{
    struct fk_reader requests = fk_reader_of(body);
    struct fk_reader results = fk_reader_of(reply);
    struct fk_multi_header header;
    fk_read_multi_header(&requests, &header);
    while (!requests.failed && !header.done) {
        struct fk_audit_event part = event;
        struct fk_bytes path = FK_BYTES_NULL;
        bool known = read_request(&part, header.op, &requests);
        if (read_result(&results, &path) == FK_OP_ERROR) {
            event.operation = "multiOperation";
            event.success = false;
            audit->event(audit->context, &event);
            return;
        }
        if (creates(header.op)) {
            part.mode = fk_bytes_equal(path, part.path) && header.op != FK_OP_CREATE_TTL ? part.mode : NULL;
            part.path = path;
        }
        if (known && header.op != FK_OP_CHECK) {
            audit->event(audit->context, &part);
        }
        fk_read_multi_header(&requests, &header);
    }
}

void fk_audit_request(const struct fk_audit *audit, int64_t after_zxid, const struct fk_request_message *message,
                      const struct fk_request_operation *operation, enum fk_code code, struct fk_bytes reply)
{
    struct fk_audit_event event = {.after_zxid = after_zxid,
                                   .session_id = message->session_id,
                                   .ids = message->ids,
                                   .success = code == FK_CODE_OK};
    struct fk_reader reader = fk_reader_of(operation->body);
    if (operation->op == FK_OP_MULTI && event.success) {
        audit_multi(audit, event, operation->body, reply);
        return;
    }
    if (operation->op == FK_OP_MULTI || operation->op == FK_OP_RECONFIG) {
        event.operation = operation->op == FK_OP_MULTI ? "multiOperation" : "reconfig";
    } else if (operation->op == FK_OP_CHECK || !read_request(&event, operation->op, &reader)) {
        return;
    }
    if (event.success && creates(operation->op)) {
        struct fk_reader created = fk_reader_of(reply);
        event.path = fk_read_bytes(&created); /* with the number of a sequential node */
    }
    audit->event(audit->context, &event);
}

void fk_audit_session_end(const struct fk_audit *audit, int64_t session_id, const struct fk_change *change)
{
    for (size_t i = 0; i < change->count; i++) {
        if (change->puts[i].kind == FK_PUT_DELETE) {
            audit->event(audit->context,
                         &(struct fk_audit_event){.after_zxid = change->zxid,
                                                  .session_id = session_id,
                                                  .operation = "ephemeralZNodeDeletionOnSessionCloseOrExpire",
                                                  .path = change->puts[i].node.path,
                                                  .success = true});
        }
    }
}
