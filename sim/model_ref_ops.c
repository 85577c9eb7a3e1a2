// SPDX-License-Identifier: Apache-2.0
/* What each operation does and which error comes first: PrepRequestProcessor.pRequest2Txn, and for a multi
 * pRequestHelper and FinalRequestProcessor. */
#include "sim/model_ref_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    ANY = -1,
    FLAGS_CONTAINER = 4,
    FLAGS_TTL = 5,
    FLAGS_TTL_SEQUENTIAL = 6,
    MULTI_MAX = 4096,
};

#define TTL_MAX_MS INT64_C(0xffffffffff)

/* The character at `at` of a path, up to three bytes of UTF-8; 0 for what can't stand in one. */
static uint32_t character_at(struct fk_bytes path, size_t at, size_t *size)
{
    const uint8_t *text = path.data + at;
    size_t left = path.size - at;
    *size = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : 3;
    if (text[0] < 0x80) {
        return text[0];
    }
    if (text[0] < 0xc2 || text[0] >= 0xf0 || left < *size) {
        return 0;
    }
    uint32_t character = text[0] & (*size == 2 ? 0x1fU : 0x0fU);
    for (size_t i = 1; i < *size; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        character = (character << 6) | (text[i] & 0x3fU);
    }
    return *size == 3 && character < 0x800 ? 0 : character;
}

static bool forbidden(uint32_t character)
{
    return character <= 0x1f || (character >= 0x7f && character <= 0x9f) ||
           (character >= 0xd800 && character <= 0xf8ff) || (character >= 0xfff0 && character <= 0xffff);
}

static bool name_valid(struct fk_bytes name)
{
    return name.size > 0 && !fk_bytes_equal_text(name, ".") && !fk_bytes_equal_text(name, "..");
}

/* ZK: PathUtils.validatePath. */
bool sim_ref_path_valid(struct fk_bytes path)
{
    if (path.size == 0 || path.data[0] != '/') {
        return false;
    }
    size_t start = 1;
    size_t size = 1;
    for (size_t at = 1; at < path.size; at += size) {
        uint32_t character = character_at(path, at, &size);
        if (forbidden(character)) {
            return false;
        }
        if (character == '/') {
            if (!name_valid(fk_bytes_of(path.data + start, at - start))) {
                return false;
            }
            start = at + 1;
        }
    }
    return path.size == 1 || name_valid(fk_bytes_tail(path, start));
}

static bool special(struct fk_bytes path)
{
    return fk_bytes_equal_text(path, "/") || fk_bytes_equal_text(path, "/zookeeper") ||
           fk_bytes_equal_text(path, "/zookeeper/quota") || fk_bytes_equal_text(path, "/zookeeper/config");
}

/* ZK: checkAndIncVersion; -1 is left out, because it means any. */
static int32_t next_version(int32_t version)
{
    return version == -2 ? 0 : (int32_t)((uint32_t)version + 1);
}

/* What a create asks for. */
struct create {
    struct fk_create_request request;
    int64_t ttl_ms;
    bool ephemeral;
    bool sequential;
    bool container;
};

/* ZK: validateCreateRequest; flag 4 by op 1 makes a plain node. */
static int32_t read_create(const struct sim_ref_tree *tree, int32_t op, struct fk_reader *reader, struct create *create)
{
    *create = (struct create){.ttl_ms = 0};
    fk_read_create_request(reader, &create->request);
    int32_t flags = create->request.flags;
    bool ttl = flags == FLAGS_TTL || flags == FLAGS_TTL_SEQUENTIAL;
    int64_t ttl_ms = op == FK_OP_CREATE_TTL ? fk_read_i64(reader) : -1;
    if (reader->failed || create->request.path.data == NULL) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    if (flags < 0 || flags > FLAGS_TTL_SEQUENTIAL) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    if (ttl && !tree->extended_types) {
        return FK_CODE_UNIMPLEMENTED;
    }
    if ((ttl && (ttl_ms < 1 || ttl_ms > TTL_MAX_MS)) || (!ttl && op == FK_OP_CREATE_TTL)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    create->container = op == FK_OP_CREATE_CONTAINER;
    bool plain = create->container || flags == FLAGS_CONTAINER;
    create->ttl_ms = ttl ? ttl_ms : 0;
    create->ephemeral = !plain && !ttl && (flags & FK_CREATE_EPHEMERAL) != 0;
    create->sequential = flags == FLAGS_TTL_SEQUENTIAL || (!plain && !ttl && (flags & FK_CREATE_SEQUENTIAL) != 0);
    return FK_CODE_OK;
}

static struct fk_bytes numbered(struct sim_ref_tree *tree, struct fk_bytes prefix, int32_t number)
{
    char suffix[16];
    int size = snprintf(suffix, sizeof suffix, "%010" PRId32, number);
    uint8_t *path = sim_bump_alloc(tree->bump, prefix.size + (size_t)size);
    memcpy(path, prefix.data, prefix.size);
    memcpy(path + prefix.size, suffix, (size_t)size);
    return fk_bytes_of(path, prefix.size + (size_t)size);
}

static void put_node(struct sim_ref_tree *tree, const struct sim_ref_caller *caller, const struct create *create,
                     struct sim_ref_path *path, struct fk_bytes acl)
{
    struct sim_ref_state *state = sim_ref_touch(tree, path);
    *state = (struct sim_ref_state){
        .zxid = tree->zxid,
        .exists = true,
        .container = create->container,
        .ttl_ms = create->ttl_ms,
        .data = create->request.data,
        .acl = acl,
        .czxid = tree->zxid,
        .mzxid = tree->zxid,
        .pzxid = tree->zxid,
        .owner = create->ephemeral ? caller->session_id : 0,
    };
    struct sim_ref_state *parent = sim_ref_touch(tree, path->parent);
    parent->creates = (int32_t)((uint32_t)parent->creates + 1);
    parent->children++;
    parent->names += path->name_hash;
    parent->pzxid = tree->zxid;
    if (create->ephemeral) {
        struct sim_ref_session *session = sim_ref_session_of(tree, caller->session_id);
        session->paths =
            sim_bump_grow(tree->bump, session->paths, session->count, &session->capacity, sizeof *session->paths);
        session->paths[session->count++] = path;
    }
    sim_ref_fire(tree, FK_EVENT_CREATED, SIM_REF_WATCH_DATA, path, acl);
    sim_ref_fire(tree, FK_EVENT_CHILDREN_CHANGED, SIM_REF_WATCH_CHILD, path->parent, parent->acl);
}

static int32_t run_create(struct sim_ref_tree *tree, const struct sim_ref_caller *caller, int32_t op,
                          struct fk_reader *reader, struct sim_ref_result *result)
{
    struct create create;
    struct fk_bytes parent_path;
    struct fk_bytes name;
    struct fk_bytes acl;
    int32_t code = read_create(tree, op, reader, &create);
    if (code != FK_CODE_OK) {
        return code;
    }
    if (!sim_ref_split(create.request.path, &parent_path, &name)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    code = sim_ref_fix_acl(tree->bump, create.request.acl, caller->ids, &acl);
    if (code != FK_CODE_OK) {
        return code;
    }
    const struct sim_ref_state *parent = sim_ref_now(sim_ref_find(tree, parent_path));
    if (!parent->exists) {
        return FK_CODE_NO_NODE;
    }
    if (!sim_ref_allows(parent->acl, FK_PERM_CREATE, caller->ids)) {
        return FK_CODE_NO_AUTH;
    }
    struct fk_bytes path =
        create.sequential ? numbered(tree, create.request.path, parent->creates) : create.request.path;
    if (!sim_ref_path_valid(path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    struct sim_ref_path *node = sim_ref_path_of(tree, path);
    if (sim_ref_now(node)->exists) {
        return FK_CODE_NODE_EXISTS;
    }
    if (parent->owner != 0) {
        return FK_CODE_NO_CHILDREN_FOR_EPHEMERALS;
    }
    int64_t bytes = (int64_t)create.request.data.size;
    if (!sim_ref_quota_allows(tree, node->path, 1, bytes)) {
        return FK_CODE_QUOTA_EXCEEDED;
    }
    put_node(tree, caller, &create, node, acl);
    result->path = node->path;
    result->state = *sim_ref_now(node);
    sim_ref_quota_created(tree, node); /* the reply shows the data asked for */
    sim_ref_quota_count(tree, node->path, 1, bytes);
    return FK_CODE_OK;
}

static int32_t run_delete(struct sim_ref_tree *tree, const struct sim_ref_caller *caller, struct fk_reader *reader)
{
    struct fk_version_request request;
    struct fk_bytes parent_path;
    struct fk_bytes name;
    fk_read_version_request(reader, &request);
    if (reader->failed || request.path.data == NULL) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    if (!sim_ref_split(request.path, &parent_path, &name) || special(request.path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    const struct sim_ref_state *parent = sim_ref_now(sim_ref_find(tree, parent_path));
    if (!parent->exists) {
        return FK_CODE_NO_NODE;
    }
    if (!sim_ref_allows(parent->acl, FK_PERM_DELETE, caller->ids)) {
        return FK_CODE_NO_AUTH;
    }
    struct sim_ref_path *path = sim_ref_find(tree, request.path);
    const struct sim_ref_state *state = sim_ref_now(path);
    if (!state->exists) {
        return FK_CODE_NO_NODE;
    }
    if (request.version != ANY && request.version != state->version) {
        return FK_CODE_BAD_VERSION;
    }
    if (state->children > 0) {
        return FK_CODE_NOT_EMPTY;
    }
    sim_ref_remove(tree, path);
    return FK_CODE_OK;
}

static int32_t run_set_data(struct sim_ref_tree *tree, const struct sim_ref_caller *caller, struct fk_reader *reader,
                            struct sim_ref_result *result)
{
    struct fk_set_data_request request;
    fk_read_set_data_request(reader, &request);
    if (reader->failed || request.path.data == NULL) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    if (!sim_ref_path_valid(request.path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    struct sim_ref_path *path = sim_ref_find(tree, request.path);
    const struct sim_ref_state *state = sim_ref_now(path);
    if (!state->exists) {
        return FK_CODE_NO_NODE;
    }
    if (!sim_ref_allows(state->acl, FK_PERM_WRITE, caller->ids)) {
        return FK_CODE_NO_AUTH;
    }
    int64_t bytes = (int64_t)request.data.size - (int64_t)state->data.size;
    if (!sim_ref_quota_allows(tree, path->path, 0, bytes)) {
        return FK_CODE_QUOTA_EXCEEDED;
    }
    if (request.version != ANY && request.version != state->version) {
        return FK_CODE_BAD_VERSION;
    }
    struct sim_ref_state *changed = sim_ref_touch(tree, path);
    changed->data = request.data;
    changed->version = next_version(changed->version);
    changed->mzxid = tree->zxid;
    sim_ref_fire(tree, FK_EVENT_DATA_CHANGED, SIM_REF_WATCH_DATA, path, changed->acl);
    result->state = *changed;
    sim_ref_quota_count(tree, path->path, 0, bytes);
    return FK_CODE_OK;
}

static int32_t run_set_acl(struct sim_ref_tree *tree, const struct sim_ref_caller *caller, struct fk_reader *reader,
                           struct sim_ref_result *result)
{
    struct fk_set_acl_request request;
    struct fk_bytes acl;
    fk_read_set_acl_request(reader, &request);
    if (reader->failed || request.path.data == NULL) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    if (!sim_ref_path_valid(request.path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    int32_t code = sim_ref_fix_acl(tree->bump, request.acl, caller->ids, &acl);
    if (code != FK_CODE_OK) {
        return code;
    }
    struct sim_ref_path *path = sim_ref_find(tree, request.path);
    const struct sim_ref_state *state = sim_ref_now(path);
    if (!state->exists) {
        return FK_CODE_NO_NODE;
    }
    if (!sim_ref_allows(state->acl, FK_PERM_ADMIN, caller->ids)) {
        return FK_CODE_NO_AUTH;
    }
    if (request.version != ANY && request.version != state->aversion) {
        return FK_CODE_BAD_VERSION;
    }
    struct sim_ref_state *changed = sim_ref_touch(tree, path); /* no watch fires, mzxid stays */
    changed->acl = acl;
    changed->aversion = next_version(changed->aversion);
    result->state = *changed;
    return FK_CODE_OK;
}

static int32_t run_check(struct sim_ref_tree *tree, const struct sim_ref_caller *caller, struct fk_reader *reader)
{
    struct fk_version_request request;
    fk_read_version_request(reader, &request);
    if (reader->failed || request.path.data == NULL) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    if (!sim_ref_path_valid(request.path)) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    const struct sim_ref_state *state = sim_ref_now(sim_ref_find(tree, request.path));
    if (!state->exists) {
        return FK_CODE_NO_NODE;
    }
    if (!sim_ref_allows(state->acl, FK_PERM_READ, caller->ids)) {
        return FK_CODE_NO_AUTH;
    }
    return request.version == ANY || request.version == state->version ? FK_CODE_OK : FK_CODE_BAD_VERSION;
}

static int32_t run_one(struct sim_ref_tree *tree, const struct sim_ref_caller *caller, int32_t op,
                       struct fk_reader *reader, struct sim_ref_result *result)
{
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        return run_create(tree, caller, op, reader, result);
    case FK_OP_DELETE:
        return run_delete(tree, caller, reader);
    case FK_OP_SET_DATA:
        return run_set_data(tree, caller, reader, result);
    case FK_OP_SET_ACL:
        return run_set_acl(tree, caller, reader, result);
    case FK_OP_CHECK:
        return run_check(tree, caller, reader);
    default:
        return FK_CODE_UNIMPLEMENTED;
    }
}

static bool fits_multi(int32_t op)
{
    return op == FK_OP_CREATE || op == FK_OP_CREATE2 || op == FK_OP_CREATE_CONTAINER || op == FK_OP_CREATE_TTL ||
           op == FK_OP_DELETE || op == FK_OP_SET_DATA || op == FK_OP_CHECK;
}

/* Steps over the body of one operation of a multi; false where ZooKeeper can't read it. */
static bool skip_one(int32_t op, struct fk_reader *reader)
{
    struct fk_create_request create;
    struct fk_version_request version;
    struct fk_set_data_request set;
    if (op == FK_OP_SET_DATA) {
        fk_read_set_data_request(reader, &set);
    } else if (op == FK_OP_DELETE || op == FK_OP_CHECK) {
        fk_read_version_request(reader, &version);
    } else {
        fk_read_create_request(reader, &create);
        if (op == FK_OP_CREATE_TTL) {
            (void)fk_read_i64(reader);
        } else if (create.flags < 0 || create.flags > FLAGS_CONTAINER || create.acl.data == NULL) {
            return false; /* CreateOptions takes neither */
        }
    }
    return !reader->failed;
}

/* A multi that does not parse to its end fails as a whole; gives the number of operations, or -1. */
static int32_t count_multi(struct fk_reader reader)
{
    for (int32_t count = 0; count <= MULTI_MAX; count++) {
        struct fk_multi_header header;
        fk_read_multi_header(&reader, &header);
        if (reader.failed || (!header.done && !fits_multi(header.op))) {
            return -1;
        }
        if (header.done) {
            return count;
        }
        if (!skip_one(header.op, &reader)) {
            return -1;
        }
    }
    return -1;
}

/* ZK: before the failed operation 0, behind it -2, and the header's code is 0. */
static void fail_multi(struct sim_ref_tree *tree, struct sim_ref_outcome *outcome, size_t failed, int32_t code)
{
    sim_ref_rollback(tree);
    outcome->failed = true;
    for (size_t i = 0; i < outcome->count; i++) {
        outcome->results[i].code = i < failed ? 0 : FK_CODE_RUNTIME_INCONSISTENCY;
    }
    outcome->results[failed].code = code;
}

static struct sim_ref_outcome run_multi(struct sim_ref_tree *tree, const struct sim_ref_caller *caller,
                                        struct fk_reader reader)
{
    int32_t count = count_multi(reader);
    if (count < 0) {
        return (struct sim_ref_outcome){.code = FK_CODE_MARSHALLING_ERROR};
    }
    struct sim_ref_outcome outcome = {.multi = true, .count = (size_t)count};
    outcome.results = sim_bump_alloc(tree->bump, outcome.count * sizeof *outcome.results);
    for (size_t i = 0; i < outcome.count && !outcome.failed; i++) {
        struct fk_multi_header header;
        fk_read_multi_header(&reader, &header);
        struct sim_ref_result *result = &outcome.results[i];
        struct fk_reader rest = reader;
        result->op = header.op;
        result->code = run_one(tree, caller, header.op, &reader, result);
        if (result->code != FK_CODE_OK) {
            fail_multi(tree, &outcome, i, result->code);
        }
        (void)skip_one(header.op, &rest);
        reader = rest;
    }
    return outcome;
}

struct sim_ref_outcome sim_ref_apply(struct sim_ref_tree *tree, int64_t zxid, const struct sim_ref_caller *caller,
                                     int32_t op, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    sim_ref_begin(tree, zxid);
    if (op == FK_OP_MULTI) {
        return run_multi(tree, caller, reader);
    }
    struct sim_ref_outcome outcome = {.count = 1};
    outcome.results = sim_bump_alloc(tree->bump, sizeof *outcome.results);
    outcome.results[0].op = op;
    outcome.code = run_one(tree, caller, op, &reader, outcome.results);
    outcome.results[0].code = outcome.code;
    if (outcome.code != FK_CODE_OK) {
        sim_ref_rollback(tree);
    }
    return outcome;
}
