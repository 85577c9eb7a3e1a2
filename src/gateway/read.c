// SPDX-License-Identifier: Apache-2.0
/* Reads: what each of them replies, from the records that a store gives. */
#include "gateway/read.h"

#include "model/acl.h"
#include "model/path.h"

bool fk_job_knows(int32_t op)
{
    return op == FK_OP_EXISTS || op == FK_OP_GET_DATA || op == FK_OP_GET_ACL || op == FK_OP_GET_CHILDREN ||
           op == FK_OP_GET_CHILDREN2 || op == FK_OP_SET_WATCHES;
}

static struct fk_caller caller_of(const struct fk_job *job)
{
    return (struct fk_caller){.session_id = job->session_id, .ids = fk_buf_view(&job->ids)};
}

/* Says what the next record is read for. */
static void want(struct fk_job *job, unsigned kind, bool missing_too)
{
    job->wanted = kind;
    job->wanted_missing = missing_too;
}

/* Reads the record of a path; the code says whether there is one. */
static enum fk_code load(struct fk_job *job, struct fk_store *store, struct fk_bytes path, struct fk_node *node)
{
    if (fk_store_get(store, FK_VIEW_VISIBLE, fk_path_alias(path), &job->arena, node) != FK_OK) {
        return FK_CODE_SYSTEM_ERROR;
    }
    return node->path.data == NULL ? FK_CODE_NO_NODE : FK_CODE_OK;
}

static enum fk_code load_readable(struct fk_job *job, struct fk_store *store, struct fk_bytes path,
                                  struct fk_node *node)
{
    struct fk_caller caller = caller_of(job);
    enum fk_code code = load(job, store, path, node);
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
    want(job, request->watch ? FK_WATCH_DATA : 0, true);
    enum fk_code code = load_readable(job, store, request->path, &node);
    if (code == FK_CODE_OK) {
        write_stat(job, &node);
    }
    if (code == FK_CODE_OK || code == FK_CODE_NO_NODE) {
        watch(job, request, FK_WATCH_DATA);
    }
    return code;
}

static enum fk_code run_get_data(struct fk_job *job, struct fk_store *store, const struct fk_watch_request *request)
{
    struct fk_node node;
    want(job, request->watch ? FK_WATCH_DATA : 0, false);
    enum fk_code code = load_readable(job, store, request->path, &node);
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

static enum fk_code run_get_children(struct fk_job *job, struct fk_store *store, const struct fk_watch_request *request)
{
    struct fk_node node;
    want(job, request->watch ? FK_WATCH_CHILD : 0, false);
    enum fk_code code = load_readable(job, store, request->path, &node);
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
    struct fk_caller caller = caller_of(job);
    enum fk_code code = load(job, store, path, &node);
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

static void act(struct fk_job *job, enum fk_action action, int32_t value, struct fk_bytes path)
{
    uint8_t byte = (uint8_t)action;
    fk_buf_append(&job->actions, fk_bytes_of(&byte, 1));
    fk_write_i32(&job->actions, value);
    fk_write_i64(&job->actions, job->node_zxid);
    fk_write_bytes(&job->actions, fk_path_alias(path));
}

/* What one path of setWatches needs: the event that the client missed, or 0 for a watch to be set
 * (DataTree.setWatches). */
static int32_t missed_event(unsigned list, const struct fk_node *node, int64_t relative_zxid)
{
    bool present = node->path.data != NULL;
    switch (list) {
    case 0: /* data */
        return !present ? FK_EVENT_DELETED : node->mzxid > relative_zxid ? FK_EVENT_DATA_CHANGED : 0;
    case 1: /* exist */
        return present ? FK_EVENT_CREATED : 0;
    default: /* child */
        return !present ? FK_EVENT_DELETED : node->pzxid > relative_zxid ? FK_EVENT_CHILDREN_CHANGED : 0;
    }
}

static enum fk_code set_watch(struct fk_job *job, struct fk_store *store, unsigned list, struct fk_bytes path,
                              int64_t relative_zxid)
{
    struct fk_node node;
    struct fk_caller caller = caller_of(job);
    if (path.data == NULL) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    want(job, list == 2 ? FK_WATCH_CHILD : FK_WATCH_DATA, list == 1);
    enum fk_code code = load(job, store, path, &node);
    if (code == FK_CODE_SYSTEM_ERROR) {
        return code;
    }
    /* An event may not tell of a node that the caller can't read (CVE-2024-23944). */
    bool readable = code == FK_CODE_NO_NODE || fk_acl_allows(node.acl, FK_PERM_READ, &caller);
    int32_t event = readable ? missed_event(list, &node, relative_zxid) : 0;
    if (event != 0) {
        act(job, FK_ACTION_EVENT, event, path);
    } else {
        act(job, FK_ACTION_WATCH, list == 2 ? FK_WATCH_CHILD : FK_WATCH_DATA, path);
    }
    return FK_CODE_OK;
}

static enum fk_code run_set_watches(struct fk_job *job, struct fk_store *store,
                                    const struct fk_set_watches_request *request)
{
    const struct fk_bytes lists[] = {request->data, request->exist, request->child};
    enum fk_code code = FK_CODE_OK;
    for (unsigned list = 0; list < 3 && code == FK_CODE_OK; list++) {
        struct fk_reader reader = fk_reader_of(lists[list]);
        int32_t count = fk_read_count(&reader, 4);
        for (int32_t i = 0; i < count && code == FK_CODE_OK; i++) {
            code = set_watch(job, store, list, fk_read_bytes(&reader), request->relative_zxid);
        }
    }
    return code;
}

static enum fk_code run(struct fk_job *job, struct fk_store *store)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->request));
    struct fk_watch_request request = {.watch = false};
    if (job->op == FK_OP_SET_WATCHES) {
        struct fk_set_watches_request watches;
        fk_read_set_watches_request(&reader, &watches);
        bool whole =
            !reader.failed && watches.data.data != NULL && watches.exist.data != NULL && watches.child.data != NULL;
        return whole ? run_set_watches(job, store, &watches) : FK_CODE_MARSHALLING_ERROR;
    }
    if (job->op == FK_OP_GET_ACL) {
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
        return run_get_data(job, store, &request);
    case FK_OP_GET_ACL:
        return run_get_acl(job, store, request.path);
    default:
        return run_get_children(job, store, &request);
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
