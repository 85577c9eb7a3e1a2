// SPDX-License-Identifier: Apache-2.0
/* The paths of an operation, before anything is known about them. */
#include "model/plan_internal.h"

#include "model/path.h"

struct visit {
    fk_path_fn callback;
    void *context;
};

static void ignore_path(void *context, struct fk_bytes path)
{
    (void)context;
    (void)path;
}

static void visit_path(const struct visit *visit, struct fk_bytes path)
{
    if (fk_path_valid(path)) {
        visit->callback(visit->context, path);
    }
}

static void visit_parent(const struct visit *visit, struct fk_bytes path)
{
    struct fk_bytes parent;
    struct fk_bytes name;
    if (fk_path_split(path, &parent, &name)) {
        visit_path(visit, parent);
    }
}

static void visit_create(const struct visit *visit, int32_t op, struct fk_reader *reader)
{
    struct fk_create_request request;
    if (op == FK_OP_CREATE_TTL) {
        fk_read_create_ttl_request(reader, &request);
    } else {
        fk_read_create_request(reader, &request);
    }
    if (reader->failed) {
        return;
    }
    visit_parent(visit, request.path);
    if (!fk_flags_sequential(request.flags)) {
        visit_path(visit, request.path);
    }
}

static void visit_version(const struct visit *visit, int32_t op, struct fk_reader *reader)
{
    struct fk_version_request request;
    fk_read_version_request(reader, &request);
    if (reader->failed) {
        return;
    }
    if (op == FK_OP_DELETE) {
        visit_parent(visit, request.path);
    }
    visit_path(visit, request.path);
}

static void visit_set(const struct visit *visit, int32_t op, struct fk_reader *reader)
{
    struct fk_set_data_request data = {.version = 0};
    struct fk_set_acl_request acl = {.version = 0};
    if (op == FK_OP_SET_DATA) {
        fk_read_set_data_request(reader, &data);
    } else {
        fk_read_set_acl_request(reader, &acl);
    }
    if (!reader->failed) {
        visit_path(visit, op == FK_OP_SET_DATA ? data.path : acl.path);
    }
}

/* Anything but a multi; fails the reader for what is not planned. */
static void visit_single(const struct visit *visit, int32_t op, struct fk_reader *reader)
{
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        visit_create(visit, op, reader);
        break;
    case FK_OP_DELETE:
    case FK_OP_CHECK:
        visit_version(visit, op, reader);
        break;
    case FK_OP_SET_DATA:
    case FK_OP_SET_ACL:
        visit_set(visit, op, reader);
        break;
    default:
        reader->failed = true;
        break;
    }
}

/* True where a create would make an ephemeral node; reads it, or what else it is. */
static bool makes_ephemeral(int32_t op, struct fk_reader *reader)
{
    static const struct visit nobody = {.callback = ignore_path};
    struct fk_create_request request;
    if (op != FK_OP_CREATE && op != FK_OP_CREATE2) {
        visit_single(&nobody, op, reader);
        return false;
    }
    fk_read_create_request(reader, &request);
    return !reader->failed && fk_flags_ephemeral(request.flags);
}

bool fk_plan_makes_ephemerals(int32_t op, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    bool found = false;
    if (op != FK_OP_MULTI) {
        return (op == FK_OP_CREATE || op == FK_OP_CREATE2) && makes_ephemeral(op, &reader);
    }
    struct fk_multi_header header;
    fk_read_multi_header(&reader, &header);
    while (!reader.failed && !header.done && !found) {
        found = makes_ephemeral(header.op, &reader);
        fk_read_multi_header(&reader, &header);
    }
    return found;
}

void fk_plan_paths(int32_t op, struct fk_bytes body, fk_path_fn callback, void *context)
{
    struct visit visit = {.callback = callback, .context = context};
    struct fk_reader reader = fk_reader_of(body);
    if (op != FK_OP_MULTI) {
        visit_single(&visit, op, &reader);
        return;
    }
    struct fk_multi_header header;
    fk_read_multi_header(&reader, &header);
    while (!reader.failed && !header.done) {
        visit_single(&visit, header.op, &reader);
        fk_read_multi_header(&reader, &header);
    }
}
