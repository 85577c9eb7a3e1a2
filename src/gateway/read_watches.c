// SPDX-License-Identifier: Apache-2.0
/* setWatches and setWatches2, which a client sends when it has reconnected, and addWatch. */
#include "gateway/read_internal.h"

#include "model/path.h"

static void act(struct fk_job *job, enum fk_action action, int32_t value, struct fk_bytes path)
{
    uint8_t byte = (uint8_t)action;
    fk_buf_append(&job->actions, fk_bytes_of(&byte, 1));
    fk_write_i32(&job->actions, value);
    fk_write_i64(&job->actions, job->node_zxid);
    fk_write_bytes(&job->actions, path);
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
    struct fk_caller caller = fk_read_caller(job);
    if (path.data == NULL) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    fk_read_want(job, list == 2 ? FK_WATCH_CHILD : FK_WATCH_DATA, list == 1);
    enum fk_code code = fk_read_load(job, store, path, &node);
    if (code == FK_CODE_SYSTEM_ERROR) {
        return code;
    }
    bool readable = code == FK_CODE_NO_NODE || fk_acl_allows(node.acl, FK_PERM_READ, &caller);
    int32_t event = missed_event(list, &node, relative_zxid);
    if (event == 0) {
        act(job, FK_ACTION_WATCH, list == 2 ? FK_WATCH_CHILD : FK_WATCH_DATA, fk_path_alias(path));
    } else if (readable) {
        act(job, FK_ACTION_EVENT, event, fk_path_alias(path));
    }
    /* Else the watch is used up, as by any event that may not be told (CVE-2024-23944). */
    return FK_CODE_OK;
}

/* A watch that stays: it tells of no event that the client missed, and any path will do (DataTree.addWatch). False
 * where the store failed. */
static bool stay(struct fk_job *job, struct fk_store *store, unsigned kind, struct fk_bytes path)
{
    struct fk_node node;
    job->node_zxid = 0;
    if (!fk_path_valid(path)) {
        return true; /* no event has such a path */
    }
    fk_read_want(job, kind, true);
    return fk_read_load(job, store, path, &node) != FK_CODE_SYSTEM_ERROR;
}

static enum fk_code set_list(struct fk_job *job, struct fk_store *store, unsigned list, struct fk_bytes paths,
                             int64_t relative_zxid)
{
    static const unsigned staying[] = {FK_WATCH_PERSISTENT, FK_WATCH_RECURSIVE};
    struct fk_reader reader = fk_reader_of(paths);
    enum fk_code code = FK_CODE_OK;
    int32_t count = fk_read_count(&reader, 4);
    for (int32_t i = 0; i < count && code == FK_CODE_OK; i++) {
        struct fk_bytes path = fk_read_bytes(&reader);
        if (list < 3) {
            code = set_watch(job, store, list, path, relative_zxid);
        } else if (path.data != NULL) { /* ZK: nothing can happen to a null path */
            code = stay(job, store, staying[list - 3], path) ? FK_CODE_OK : FK_CODE_SYSTEM_ERROR;
            act(job, FK_ACTION_WATCH, (int32_t)staying[list - 3], path);
        }
    }
    return code;
}

enum fk_code fk_read_set_watches(struct fk_job *job, struct fk_store *store)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->request));
    struct fk_set_watches_request request;
    unsigned count = job->op == FK_OP_SET_WATCHES2 ? 5 : 3;
    if (job->op == FK_OP_SET_WATCHES2) {
        fk_read_set_watches2_request(&reader, &request);
    } else {
        fk_read_set_watches_request(&reader, &request);
    }
    const struct fk_bytes lists[] = {request.data, request.exist, request.child, request.persistent, request.recursive};
    enum fk_code code = reader.failed ? FK_CODE_MARSHALLING_ERROR : FK_CODE_OK;
    for (unsigned list = 0; list < count; list++) {
        code = lists[list].data == NULL ? FK_CODE_MARSHALLING_ERROR : code;
    }
    for (unsigned list = 0; list < count && code == FK_CODE_OK; list++) {
        code = set_list(job, store, list, lists[list], request.relative_zxid);
    }
    return code;
}

/* ZK: the reply has a body, an ErrorResponse of 0; the path need be no node's, and nobody's permission. */
enum fk_code fk_read_add_watch(struct fk_job *job, struct fk_store *store)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->request));
    struct fk_watcher_request request;
    fk_read_watcher_request(&reader, &request);
    bool recursive = request.kind == FK_WATCH_MODE_RECURSIVE;
    if (reader.failed || (request.kind != FK_WATCH_MODE_PERSISTENT && !recursive)) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    fk_write_i32(&job->reply, FK_CODE_OK);
    if (request.path.data == NULL) {
        return FK_CODE_OK;
    }
    job->watch = recursive ? FK_WATCH_RECURSIVE : FK_WATCH_PERSISTENT;
    job->watch_path = request.path;
    return stay(job, store, job->watch, request.path) ? FK_CODE_OK : FK_CODE_SYSTEM_ERROR;
}
