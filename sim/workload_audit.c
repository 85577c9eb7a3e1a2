// SPDX-License-Identifier: Apache-2.0
/* The final state as a client of a new session reads it: everything at one zxid, or read again. */
#include "sim/workload_internal.h"

#include "sim/own.h"

#include <stdio.h>

/* Paths that are still to be read, and nodes that were: encoded one behind the other. */
struct pass {
    struct sim_client *client;
    struct sim_world *world;
    struct fk_buf paths; /* ustrings, consumed from the front */
    struct fk_buf nodes; /* path, data, acl, stat: buffers */
    struct fk_buf body;
};

enum {
    ASK_MS = 10000,
};

static struct sim_request *ask(struct pass *pass, int32_t op)
{
    struct sim_request *request = sim_client_send(pass->client, op, fk_buf_view(&pass->body));
    int64_t deadline = sim_now_ns(pass->world) + ASK_MS * SIM_MS;
    if (sim_request_wait(pass->client, request, deadline) && !request->lost && request->code == FK_CODE_OK) {
        return request;
    }
    sim_request_done(request);
    return NULL;
}

/* The zxid of a sync; -1: no answer. */
static int64_t sync_zxid(struct pass *pass)
{
    fk_buf_clear(&pass->body);
    sim_body_path(&pass->body, "/");
    struct sim_request *request = ask(pass, FK_OP_SYNC);
    int64_t zxid = request == NULL ? -1 : request->zxid;
    if (request != NULL) {
        sim_request_done(request);
    }
    return zxid;
}

static struct sim_request *ask_path(struct pass *pass, int32_t op, struct fk_bytes path)
{
    fk_buf_clear(&pass->body);
    fk_write_bytes(&pass->body, path);
    if (op != FK_OP_GET_ACL) {
        fk_write_bool(&pass->body, false);
    }
    return ask(pass, op);
}

/* The encoded vector of ACLs at the front of a reply to getACL. */
static struct fk_bytes acl_of(const struct sim_request *request)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&request->reply));
    return fk_read_acl(&reader);
}

static void add_children(struct pass *pass, struct fk_bytes parent, const struct sim_request *request)
{
    char path[SIM_PATH_MAX * 2];
    struct fk_reader reader = fk_reader_of(fk_buf_view(&request->reply));
    int32_t count = fk_read_count(&reader, 4);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes name = fk_read_bytes(&reader);
        (void)snprintf(path, sizeof path, "%.*s/%.*s", parent.size == 1 ? 0 : (int)parent.size,
                       (const char *)parent.data, (int)name.size, (const char *)name.data);
        sim_body_path(&pass->paths, path);
    }
}

static bool read_node(struct pass *pass, struct fk_bytes path)
{
    struct sim_request *data = ask_path(pass, FK_OP_GET_DATA, path);
    struct sim_request *acl = data == NULL ? NULL : ask_path(pass, FK_OP_GET_ACL, path);
    struct sim_request *children = acl == NULL ? NULL : ask_path(pass, FK_OP_GET_CHILDREN2, path);
    if (children != NULL) {
        struct fk_reader reader = fk_reader_of(fk_buf_view(&data->reply));
        fk_write_bytes(&pass->nodes, path);
        fk_write_bytes(&pass->nodes, fk_read_bytes(&reader));
        fk_write_bytes(&pass->nodes, acl_of(acl));
        fk_write_bytes(&pass->nodes, fk_bytes_of(reader.at, reader.left));
        add_children(pass, path, children);
    }
    struct sim_request *const requests[] = {data, acl, children};
    for (size_t i = 0; i < 3; i++) {
        if (requests[i] != NULL) {
            sim_request_done(requests[i]);
        }
    }
    return children != NULL;
}

/* Reads all; false where an answer was missing, or something changed meanwhile. */
static bool pass_run(struct pass *pass, int64_t *zxid)
{
    fk_buf_clear(&pass->paths);
    fk_buf_clear(&pass->nodes);
    *zxid = sync_zxid(pass);
    sim_body_path(&pass->paths, "/");
    while (*zxid >= 0 && fk_buf_left(&pass->paths) > 0) {
        char path[SIM_PATH_MAX * 2];
        struct fk_reader reader = fk_reader_of(fk_buf_view(&pass->paths));
        struct fk_bytes view = fk_read_bytes(&reader);
        (void)snprintf(path, sizeof path, "%.*s", (int)view.size, (const char *)view.data);
        fk_buf_consume(&pass->paths, 4 + view.size);
        if (!read_node(pass, fk_bytes_text(path))) {
            return false;
        }
    }
    return *zxid >= 0 && sync_zxid(pass) == *zxid;
}

static void record(const struct pass *pass, struct sim_history *history)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&pass->nodes));
    while (reader.left > 0) {
        struct sim_final_node node;
        node.path = fk_read_bytes(&reader);
        node.data = fk_read_bytes(&reader);
        node.acl = fk_read_bytes(&reader);
        node.stat = fk_read_bytes(&reader);
        sim_history_final_node(history, &node);
    }
}

void sim_audit_run(void *context)
{
    struct sim_workload *workload = (struct sim_workload *)context;
    struct pass pass = {.client = workload->auditor, .world = workload->world};
    int64_t zxid = 0;
    bool whole = false;
    for (size_t i = 0; sim_identity(i) != NULL; i++) {
        sim_client_auth(pass.client, sim_identity(i));
    }
    sim_client_start(pass.client, -1);
    while (!whole) {
        if (sim_client_wait_usable(pass.client, sim_now_ns(pass.world) + SIM_S)) {
            whole = pass_run(&pass, &zxid);
        } else {
            sim_sleep_ns(SIM_S);
        }
    }
    record(&pass, workload->history);
    workload->history->final_zxid = zxid;
    fk_buf_deinit(&pass.paths);
    fk_buf_deinit(&pass.nodes);
    fk_buf_deinit(&pass.body);
    workload->audited = true;
}
