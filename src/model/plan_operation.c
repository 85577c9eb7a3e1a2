// SPDX-License-Identifier: Apache-2.0
/* The operations of a client, each in the order of checks of PrepRequestProcessor.pRequest2Txn, which tests of other
 * people notice. */
#include "model/plan_internal.h"

#include "model/path.h"
#include "model/tree.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    VERSION_ANY = -1,
    SUFFIX_SIZE = 10,
};

/* ZK: checkAndIncVersion; the new version skips -1, which means "any" in requests (ZOOKEEPER-4743). */
static bool version_matches(int32_t current, int32_t expected)
{
    return expected == VERSION_ANY || expected == current;
}

static int32_t version_next(int32_t current)
{
    int32_t next = (int32_t)((uint32_t)current + 1);
    return next == VERSION_ANY ? 0 : next;
}

/* ZK: the number has ten digits, and a sign once it has overflowed. */
static struct fk_bytes sequential_path(struct fk_plan *plan, struct fk_bytes prefix, int32_t number)
{
    char suffix[SUFFIX_SIZE + 2];
    int size = snprintf(suffix, sizeof suffix, "%010" PRId32, number);
    uint8_t *path = (uint8_t *)fk_arena_alloc(plan->arena, prefix.size + (size_t)size);
    if (path == NULL) {
        plan->err = FK_ERR_NOMEM;
        return FK_BYTES_NULL;
    }
    memcpy(path, prefix.data, prefix.size);
    memcpy(path + prefix.size, suffix, (size_t)size);
    return fk_bytes_of(path, prefix.size + (size_t)size);
}

static enum fk_code check_flags(const struct fk_plan *plan, int32_t op, const struct fk_create_request *request)
{
    if (request->flags < 0 || request->flags > FK_FLAGS_MAX) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    if (fk_flags_ttl(request->flags) && !plan->rules->extended_types) {
        return FK_CODE_UNIMPLEMENTED;
    }
    if (op == FK_OP_CREATE_TTL) { /* ZK: dies of flags without a TTL and the TTL -1 */
        bool valid = fk_flags_ttl(request->flags) && request->ttl_ms >= 1 && request->ttl_ms <= FK_TTL_MS_MAX;
        return valid ? FK_CODE_OK : FK_CODE_BAD_ARGUMENTS;
    }
    return fk_flags_ttl(request->flags) ? FK_CODE_BAD_ARGUMENTS : FK_CODE_OK; /* without a TTL */
}

/* ZK: the operation makes a container, whatever its flags; flags of a container through create make a plain node. */
static int64_t owner_of_created(const struct fk_caller *caller, int32_t op, const struct fk_create_request *request)
{
    if (op == FK_OP_CREATE_CONTAINER) {
        return FK_OWNER_CONTAINER;
    }
    if (op == FK_OP_CREATE_TTL) {
        return fk_owner_of_ttl(request->ttl_ms);
    }
    bool ephemeral = request->flags != FK_FLAGS_CONTAINER && (request->flags & FK_CREATE_EPHEMERAL) != 0;
    return ephemeral ? caller->session_id : 0;
}

/* The checks of create behind its parent's; sets the final path. */
static enum fk_code check_created(struct fk_plan *plan, const struct fk_create_request *request,
                                  const struct fk_node *parent, struct fk_bytes *path)
{
    struct fk_node existing;
    *path = fk_flags_sequential(request->flags) ? sequential_path(plan, request->path, parent->created_children)
                                                : request->path;
    if (!fk_path_valid(*path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    if (fk_plan_get(plan, *path, &existing)) {
        return FK_CODE_NODE_EXISTS;
    }
    return fk_owner_session(parent->ephemeral_owner) != 0 ? FK_CODE_NO_CHILDREN_FOR_EPHEMERALS : FK_CODE_OK;
}

static void put_created(struct fk_plan *plan, const struct fk_node *created, struct fk_node *parent)
{
    struct fk_node node = *created; /* ZK: the reply shows the data asked for */
    fk_plan_quota_created(plan, &node);
    fk_plan_put(plan, FK_PUT_CREATE, &node);
    parent->created_children = (int32_t)((uint32_t)parent->created_children + 1);
    parent->num_children++;
    parent->pzxid = plan->zxid;
    fk_plan_put(plan, FK_PUT_CHILDREN, parent);
}

enum fk_code fk_plan_create(struct fk_plan *plan, const struct fk_caller *caller, int32_t op,
                            const struct fk_create_request *request, struct fk_node *created)
{
    struct fk_node parent;
    struct fk_bytes parent_path;
    struct fk_bytes name;
    struct fk_bytes acl;
    struct fk_bytes path;
    struct fk_plan_quota quota;
    enum fk_code code = check_flags(plan, op, request);
    if (code != FK_CODE_OK) {
        return code;
    }
    if (!fk_path_split(request->path, &parent_path, &name)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    code = fk_acl_fix(request->acl, caller, plan->arena, &acl);
    if (code != FK_CODE_OK) {
        return code;
    }
    if (!fk_plan_get(plan, parent_path, &parent)) {
        return FK_CODE_NO_NODE;
    }
    if (!fk_acl_allows(parent.acl, FK_PERM_CREATE, caller)) {
        return FK_CODE_NO_AUTH;
    }
    code = check_created(plan, request, &parent, &path);
    if (code != FK_CODE_OK) {
        return code;
    }
    struct fk_extent more = {.count = 1, .bytes = (int64_t)request->data.size};
    fk_plan_quota_find(plan, path, &quota);
    code = fk_plan_quota_check(plan, &quota, more);
    if (code != FK_CODE_OK) {
        return code;
    }
    *created = (struct fk_node){
        .path = path,
        .data = request->data,
        .acl = acl,
        .czxid = plan->zxid,
        .mzxid = plan->zxid,
        .pzxid = plan->zxid,
        .ctime_ms = plan->time_ms,
        .mtime_ms = plan->time_ms,
        .ephemeral_owner = owner_of_created(caller, op, request),
    };
    put_created(plan, created, &parent);
    fk_plan_quota_count(plan, &quota, more);
    return FK_CODE_OK;
}

void fk_plan_remove(struct fk_plan *plan, const struct fk_node *node, struct fk_node *parent)
{
    fk_plan_put(plan, FK_PUT_DELETE, node);
    parent->num_children--;
    parent->pzxid = plan->zxid;
    fk_plan_put(plan, FK_PUT_CHILDREN, parent);
    struct fk_plan_quota quota;
    fk_plan_quota_find(plan, node->path, &quota);
    fk_plan_quota_count(plan, &quota, (struct fk_extent){.count = -1, .bytes = -(int64_t)node->data.size});
}

enum fk_code fk_plan_delete(struct fk_plan *plan, const struct fk_caller *caller,
                            const struct fk_version_request *request)
{
    struct fk_node parent;
    struct fk_node node;
    struct fk_bytes parent_path;
    struct fk_bytes name;
    if (!fk_path_split(request->path, &parent_path, &name) || fk_tree_is_special(request->path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    if (!fk_plan_get(plan, parent_path, &parent)) {
        return FK_CODE_NO_NODE;
    }
    if (!fk_acl_allows(parent.acl, FK_PERM_DELETE, caller)) {
        return FK_CODE_NO_AUTH;
    }
    if (!fk_plan_get(plan, request->path, &node)) {
        return FK_CODE_NO_NODE;
    }
    if (!version_matches(node.version, request->version)) {
        return FK_CODE_BAD_VERSION;
    }
    if (node.num_children > 0) {
        return FK_CODE_NOT_EMPTY;
    }
    fk_plan_remove(plan, &node, &parent);
    return FK_CODE_OK;
}

enum fk_code fk_plan_set_data(struct fk_plan *plan, const struct fk_caller *caller,
                              const struct fk_set_data_request *request, struct fk_node *node)
{
    if (!fk_path_valid(request->path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    if (!fk_plan_get(plan, request->path, node)) {
        return FK_CODE_NO_NODE;
    }
    if (!fk_acl_allows(node->acl, FK_PERM_WRITE, caller)) {
        return FK_CODE_NO_AUTH;
    }
    struct fk_plan_quota quota;
    struct fk_extent more = {.bytes = (int64_t)request->data.size - (int64_t)node->data.size};
    fk_plan_quota_find(plan, request->path, &quota);
    enum fk_code code = fk_plan_quota_check(plan, &quota, more);
    if (code != FK_CODE_OK) {
        return code;
    }
    if (!version_matches(node->version, request->version)) {
        return FK_CODE_BAD_VERSION;
    }
    node->data = request->data;
    node->version = version_next(node->version);
    node->mzxid = plan->zxid;
    node->mtime_ms = plan->time_ms;
    fk_plan_put(plan, FK_PUT_DATA, node);
    fk_plan_quota_count(plan, &quota, more);
    return FK_CODE_OK;
}

static enum fk_code plan_set_acl(struct fk_plan *plan, const struct fk_caller *caller,
                                 const struct fk_set_acl_request *request, struct fk_node *node)
{
    struct fk_bytes acl;
    if (!fk_path_valid(request->path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    enum fk_code code = fk_acl_fix(request->acl, caller, plan->arena, &acl);
    if (code != FK_CODE_OK) {
        return code;
    }
    if (!fk_plan_get(plan, request->path, node)) {
        return FK_CODE_NO_NODE;
    }
    if (!fk_acl_allows(node->acl, FK_PERM_ADMIN, caller)) {
        return FK_CODE_NO_AUTH;
    }
    if (!version_matches(node->aversion, request->version)) {
        return FK_CODE_BAD_VERSION;
    }
    /* ZK: mzxid and mtime stay as they are. */
    node->acl = acl;
    node->aversion = version_next(node->aversion);
    fk_plan_put(plan, FK_PUT_ACL, node);
    return FK_CODE_OK;
}

enum fk_code fk_plan_check(struct fk_plan *plan, const struct fk_caller *caller,
                           const struct fk_version_request *request)
{
    struct fk_node node;
    if (!fk_path_valid(request->path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    if (!fk_plan_get(plan, request->path, &node)) {
        return FK_CODE_NO_NODE;
    }
    if (!fk_acl_allows(node.acl, FK_PERM_READ, caller)) {
        return FK_CODE_NO_AUTH;
    }
    return version_matches(node.version, request->version) ? FK_CODE_OK : FK_CODE_BAD_VERSION;
}

void fk_plan_write_created(struct fk_buf *reply, int32_t op, const struct fk_node *created)
{
    fk_write_bytes(reply, created->path);
    if (op != FK_OP_CREATE) {
        struct fk_stat stat;
        fk_node_stat(created, &stat);
        fk_write_stat(reply, &stat);
    }
}

/* ZK: a null path is found out while the request is taken apart, as if it did not parse. */
static bool malformed(const struct fk_reader *reader, struct fk_bytes path)
{
    return reader->failed || path.data == NULL;
}

static enum fk_code operation_create(struct fk_plan *plan, const struct fk_caller *caller, int32_t op,
                                     struct fk_reader *reader, struct fk_buf *reply)
{
    struct fk_create_request request;
    struct fk_node created;
    if (op == FK_OP_CREATE_TTL) {
        fk_read_create_ttl_request(reader, &request);
    } else {
        fk_read_create_request(reader, &request);
    }
    if (malformed(reader, request.path)) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    enum fk_code code = fk_plan_create(plan, caller, op, &request, &created);
    if (code == FK_CODE_OK) {
        fk_plan_write_created(reply, op, &created);
    }
    return code;
}

static enum fk_code operation_delete(struct fk_plan *plan, const struct fk_caller *caller, struct fk_reader *reader)
{
    struct fk_version_request request;
    fk_read_version_request(reader, &request);
    return malformed(reader, request.path) ? FK_CODE_MARSHALLING_ERROR : fk_plan_delete(plan, caller, &request);
}

static enum fk_code operation_set_data(struct fk_plan *plan, const struct fk_caller *caller, struct fk_reader *reader,
                                       struct fk_node *node)
{
    struct fk_set_data_request request;
    fk_read_set_data_request(reader, &request);
    if (malformed(reader, request.path)) { /* ZK: here a null path gets as far as its validation */
        return reader->failed ? FK_CODE_MARSHALLING_ERROR : FK_CODE_BAD_ARGUMENTS;
    }
    return fk_plan_set_data(plan, caller, &request, node);
}

static enum fk_code operation_set_acl(struct fk_plan *plan, const struct fk_caller *caller, struct fk_reader *reader,
                                      struct fk_node *node)
{
    struct fk_set_acl_request request;
    fk_read_set_acl_request(reader, &request);
    return malformed(reader, request.path) ? FK_CODE_MARSHALLING_ERROR : plan_set_acl(plan, caller, &request, node);
}

/* ZK: one server alone has no members to change. */
static enum fk_code operation_reconfig(const struct fk_plan *plan, struct fk_reader *reader)
{
    for (int i = 0; i < 3; i++) { /* joining, leaving, new members */
        (void)fk_read_bytes(reader);
    }
    (void)fk_read_i64(reader); /* configuration id */
    if (reader->failed) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    return plan->rules->reconfig_enabled ? FK_CODE_UNIMPLEMENTED : FK_CODE_RECONFIG_DISABLED;
}

bool fk_plan_knows(int32_t op)
{
    return op == FK_OP_CREATE || op == FK_OP_CREATE2 || op == FK_OP_CREATE_CONTAINER || op == FK_OP_CREATE_TTL ||
           op == FK_OP_DELETE || op == FK_OP_SET_DATA || op == FK_OP_SET_ACL || op == FK_OP_MULTI ||
           op == FK_OP_RECONFIG;
}

static enum fk_code dispatch(struct fk_plan *plan, const struct fk_caller *caller, int32_t op, struct fk_reader *reader,
                             struct fk_buf *reply)
{
    struct fk_node node;
    enum fk_code code = FK_CODE_UNIMPLEMENTED;
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        return operation_create(plan, caller, op, reader, reply);
    case FK_OP_DELETE:
        return operation_delete(plan, caller, reader);
    case FK_OP_RECONFIG:
        return operation_reconfig(plan, reader);
    case FK_OP_MULTI:
        return fk_plan_multi(plan, caller, reader, reply);
    case FK_OP_SET_DATA:
        code = operation_set_data(plan, caller, reader, &node);
        break;
    case FK_OP_SET_ACL:
        code = operation_set_acl(plan, caller, reader, &node);
        break;
    default:
        break;
    }
    if (code == FK_CODE_OK) {
        struct fk_stat stat;
        fk_node_stat(&node, &stat);
        fk_write_stat(reply, &stat);
    }
    return code;
}

enum fk_code fk_plan_operation(struct fk_plan *plan, const struct fk_caller *caller, int32_t op, struct fk_bytes body,
                               struct fk_buf *reply)
{
    size_t reply_start = reply->size;
    struct fk_reader reader = fk_reader_of(body);
    enum fk_code code = dispatch(plan, caller, op, &reader, reply);
    if (code != FK_CODE_OK) {
        fk_plan_rollback(plan);
        reply->size = reply_start;
    }
    /* ZK: a multi takes its zxid before it finds out. */
    plan->unread = plan->unread || (reader.failed && op != FK_OP_MULTI);
    return code;
}
