// SPDX-License-Identifier: Apache-2.0
/* Reads: what each of them replies, from the records that a store gives. */
#include "gateway/read_internal.h"

#include "model/acl.h"
#include "model/path.h"

bool fk_job_knows(int32_t op)
{
    return op == FK_OP_EXISTS || op == FK_OP_GET_DATA || op == FK_OP_GET_ACL || op == FK_OP_GET_CHILDREN ||
           op == FK_OP_GET_CHILDREN2 || op == FK_OP_SET_WATCHES || op == FK_OP_SET_WATCHES2 || op == FK_OP_ADD_WATCH ||
           op == FK_OP_MULTI_READ || op == FK_OP_GET_EPHEMERALS || op == FK_OP_GET_ALL_CHILDREN_NUMBER;
}

struct fk_caller fk_read_caller(const struct fk_job *job)
{
    return (struct fk_caller){.session_id = job->session_id, .ids = fk_buf_view(&job->ids), .rules = job->rules};
}

void fk_read_want(struct fk_job *job, unsigned kind, bool missing_too)
{
    job->wanted = kind;
    job->wanted_missing = missing_too;
}

enum fk_code fk_read_load(struct fk_job *job, struct fk_store *store, struct fk_bytes path, struct fk_node *node)
{
    if (fk_store_get(store, FK_VIEW_VISIBLE, fk_path_alias(path), &job->arena, node) != FK_OK) {
        return FK_CODE_SYSTEM_ERROR;
    }
    return node->path.data == NULL ? FK_CODE_NO_NODE : FK_CODE_OK;
}

enum fk_code fk_read_load_readable(struct fk_job *job, struct fk_store *store, struct fk_bytes path,
                                   struct fk_node *node)
{
    struct fk_caller caller = fk_read_caller(job);
    enum fk_code code = fk_read_load(job, store, path, node);
    if (code == FK_CODE_OK && !fk_acl_allows(node->acl, FK_PERM_READ, &caller)) {
        return FK_CODE_NO_AUTH;
    }
    return code;
}

static void write_stat(struct fk_job *job, const struct fk_node *node)
{
    struct fk_stat stat;
    fk_node_stat(node, &stat);
    fk_write_stat(&job->reply, &stat);
}

static void watch(struct fk_job *job, const struct fk_watch_request *request, enum fk_watch_kind kind)
{
    if (request->watch) {
        job->watch = kind;
        job->watch_path = fk_path_alias(request->path);
    }
}

/* ZK: the watch is set even where there is no node; READ is checked since 3.9.2 (ZOOKEEPER-2590). */
static enum fk_code run_exists(struct fk_job *job, struct fk_store *store, const struct fk_watch_request *request)
{
    struct fk_node node;
    if (request->path.size > 0 && memchr(request->path.data, '\0', request->path.size) != NULL) {
        return FK_CODE_BAD_ARGUMENTS;
    }
    fk_read_want(job, request->watch ? FK_WATCH_DATA : 0, true);
    enum fk_code code = fk_read_load_readable(job, store, request->path, &node);
    if (code == FK_CODE_OK) {
        write_stat(job, &node);
    }
    if (code == FK_CODE_OK || code == FK_CODE_NO_NODE) {
        watch(job, request, FK_WATCH_DATA);
    }
    return code;
}

enum fk_code fk_read_data(struct fk_job *job, struct fk_store *store, const struct fk_watch_request *request)
{
    struct fk_node node;
    job->wanted_data = true;
    fk_read_want(job, request->watch ? FK_WATCH_DATA : 0, false);
    enum fk_code code = fk_read_load_readable(job, store, request->path, &node);
    job->wanted_data = false;
    if (code == FK_CODE_OK) {
        fk_write_bytes(&job->reply, node.data);
        write_stat(job, &node);
        watch(job, request, FK_WATCH_DATA);
    }
    return code;
}

/* One pass over the pages of a list; false where the store failed. */
static bool write_names(struct fk_job *job, struct fk_store *store, struct fk_bytes path)
{
    struct fk_list_key key = {.kind = FK_LIST_CHILDREN, .path = path};
    struct fk_page page = {.more = true};
    size_t count_offset = job->reply.size;
    size_t count = 0;
    fk_write_i32(&job->reply, 0);
    while (page.more) {
        if (fk_store_list(store, FK_VIEW_VISIBLE, &key, &job->arena, &page) != FK_OK) {
            return false;
        }
        for (size_t i = 0; i < page.count; i++) {
            fk_write_bytes(&job->reply, page.names[i]);
        }
        count += page.count;
    }
    fk_patch_i32(&job->reply, count_offset, (int32_t)count);
    return true;
}

enum fk_code fk_read_children(struct fk_job *job, struct fk_store *store, const struct fk_watch_request *request)
{
    struct fk_node node;
    fk_read_want(job, request->watch ? FK_WATCH_CHILD : 0, false);
    enum fk_code code = fk_read_load_readable(job, store, request->path, &node);
    if (code != FK_CODE_OK) {
        return code;
    }
    if (!write_names(job, store, node.path)) {
        return FK_CODE_SYSTEM_ERROR;
    }
    if (job->op == FK_OP_GET_CHILDREN2) {
        write_stat(job, &node);
    }
    watch(job, request, FK_WATCH_CHILD);
    return FK_CODE_OK;
}

/* ZK: needs READ or ADMIN; without ADMIN the hashes of digest ids are hidden. */
static enum fk_code run_get_acl(struct fk_job *job, struct fk_store *store, struct fk_bytes path)
{
    struct fk_node node;
    struct fk_caller caller = fk_read_caller(job);
    enum fk_code code = fk_read_load(job, store, path, &node);
    if (code != FK_CODE_OK) {
        return code;
    }
    bool admin = fk_acl_allows(node.acl, FK_PERM_ADMIN, &caller);
    if (!admin && !fk_acl_allows(node.acl, FK_PERM_READ, &caller)) {
        return FK_CODE_NO_AUTH;
    }
    if (admin) {
        fk_write_vector(&job->reply, node.acl);
    } else {
        fk_acl_write_redacted(&job->reply, node.acl);
    }
    write_stat(job, &node);
    return FK_CODE_OK;
}

/* Reads of one path: all but exists, getData and getChildren have no flag for a watch. */
static enum fk_code run_path(struct fk_job *job, struct fk_store *store)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->request));
    struct fk_watch_request request = {.watch = false};
    if (job->op == FK_OP_GET_ACL || job->op == FK_OP_GET_ALL_CHILDREN_NUMBER) {
        request.path = fk_read_bytes(&reader);
    } else {
        fk_read_watch_request(&reader, &request);
    }
    if (reader.failed || request.path.data == NULL) { /* ZK: a null path counts as unparsable */
        return FK_CODE_MARSHALLING_ERROR;
    }
    switch (job->op) {
    case FK_OP_EXISTS:
        return run_exists(job, store, &request);
    case FK_OP_GET_DATA:
        return fk_read_data(job, store, &request);
    case FK_OP_GET_ACL:
        return run_get_acl(job, store, request.path);
    case FK_OP_GET_ALL_CHILDREN_NUMBER:
        return fk_read_all_children(job, store, request.path);
    default:
        return fk_read_children(job, store, &request);
    }
}

static enum fk_code run(struct fk_job *job, struct fk_store *store)
{
    switch (job->op) {
    case FK_OP_SET_WATCHES:
    case FK_OP_SET_WATCHES2:
        return fk_read_set_watches(job, store);
    case FK_OP_ADD_WATCH:
        return fk_read_add_watch(job, store);
    case FK_OP_MULTI_READ:
        return fk_read_multi(job, store);
    case FK_OP_GET_EPHEMERALS:
        return fk_read_ephemerals(job, store);
    default:
        return run_path(job, store);
    }
}

void fk_job_run(struct fk_job *job, struct fk_store *store)
{
    job->zxid = fk_store_zxid(store, FK_VIEW_VISIBLE);
    enum fk_code code = run(job, store);
    if (job->reply.failed || job->actions.failed) {
        code = FK_CODE_SYSTEM_ERROR;
    }
    job->code = (int32_t)code;
    if (code != FK_CODE_OK) {
        fk_buf_clear(&job->reply);
        fk_buf_clear(&job->actions);
    }
}
