// SPDX-License-Identifier: Apache-2.0
/* The final state as clients of new sessions read it: everything at one zxid, or read again. */
#include "sim/workload_internal.h"

#include "sim/own.h"

#include <stdio.h>

enum {
    ASK_MS = 20000,
    POLL_NS = 2 * 1000000,
    REQUESTS = 3, /* of one node: data, ACL, children */
};

/* One of the sessions that read at the same time: a pass has to be over before the next session expires. */
struct reader {
    struct sim_client *client;
    char path[SIM_PATH_MAX * 2]; /* "": none at work */
    struct sim_request *requests[REQUESTS];
};

/* Paths that are still to be read, and nodes that were: encoded one behind the other. */
struct pass {
    struct sim_world *world;
    struct reader readers[SIM_AUDITORS];
    struct fk_buf paths; /* ustrings, consumed from the front */
    struct fk_buf nodes; /* path, data, acl, stat: buffers */
    struct fk_buf body;
    int64_t deadline_ns; /* of what is asked now */
    bool failed;
};

static void release(struct reader *reader)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        if (reader->requests[i] != NULL) {
            sim_request_done(reader->requests[i]);
            reader->requests[i] = NULL;
        }
    }
    reader->path[0] = '\0';
}

/* --- one zxid for all --- */

/* All readers sync; gives the zxid that they agree on, -1 where they do not. */
static int64_t sync_all(struct pass *pass)
{
    int64_t zxid = 0;
    fk_buf_clear(&pass->body);
    sim_body_path(&pass->body, "/");
    for (size_t i = 0; i < SIM_AUDITORS; i++) {
        pass->readers[i].requests[0] = sim_client_send(pass->readers[i].client, FK_OP_SYNC, fk_buf_view(&pass->body));
    }
    for (size_t i = 0; i < SIM_AUDITORS; i++) {
        struct reader *reader = &pass->readers[i];
        struct sim_request *request = reader->requests[0];
        bool ok = sim_request_wait(reader->client, request, pass->deadline_ns) && !request->lost;
        zxid = ok && (i == 0 || zxid == request->zxid) ? request->zxid : -1;
        release(reader);
    }
    return zxid;
}

/* --- nodes --- */

static void ask_node(struct pass *pass, struct reader *reader, struct fk_bytes path)
{
    static const int32_t OPS[REQUESTS] = {FK_OP_GET_DATA, FK_OP_GET_ACL, FK_OP_GET_CHILDREN2};
    (void)snprintf(reader->path, sizeof reader->path, "%.*s", (int)path.size, (const char *)path.data);
    for (size_t i = 0; i < REQUESTS; i++) {
        fk_buf_clear(&pass->body);
        sim_body_path(&pass->body, reader->path);
        if (OPS[i] != FK_OP_GET_ACL) {
            fk_write_bool(&pass->body, false);
        }
        reader->requests[i] = sim_client_send(reader->client, OPS[i], fk_buf_view(&pass->body));
    }
}

/* The encoded vector of ACLs at the front of a reply to getACL. */
static struct fk_bytes acl_of(const struct sim_request *request)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&request->reply));
    return fk_read_acl(&reader);
}

static void add_children(struct pass *pass, const struct reader *from)
{
    char path[SIM_PATH_MAX * 4];
    struct fk_reader reader = fk_reader_of(fk_buf_view(&from->requests[2]->reply));
    int32_t count = fk_read_count(&reader, 4);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes name = fk_read_bytes(&reader);
        (void)snprintf(path, sizeof path, "%s/%.*s", strcmp(from->path, "/") == 0 ? "" : from->path, (int)name.size,
                       (const char *)name.data);
        sim_body_path(&pass->paths, path);
    }
}

static void take_node(struct pass *pass, struct reader *from)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        pass->failed = pass->failed || from->requests[i]->lost || from->requests[i]->code != FK_CODE_OK;
    }
    if (!pass->failed) {
        struct fk_reader reader = fk_reader_of(fk_buf_view(&from->requests[0]->reply));
        fk_write_bytes(&pass->nodes, fk_bytes_text(from->path));
        fk_write_bytes(&pass->nodes, fk_read_bytes(&reader));
        fk_write_bytes(&pass->nodes, acl_of(from->requests[1]));
        fk_write_bytes(&pass->nodes, fk_bytes_of(reader.at, reader.left));
        add_children(pass, from);
    }
    release(from);
}

/* Takes what a reader has, gives it the next path; true where it has something to do. */
static bool reader_step(struct pass *pass, struct reader *reader)
{
    bool done = true;
    for (size_t i = 0; i < REQUESTS; i++) {
        done = done && (reader->requests[i] == NULL || reader->requests[i]->done);
    }
    if (!done) {
        return true;
    }
    if (reader->path[0] != '\0') {
        take_node(pass, reader);
    }
    if (pass->failed || fk_buf_left(&pass->paths) == 0) {
        return false;
    }
    struct fk_reader paths = fk_reader_of(fk_buf_view(&pass->paths));
    struct fk_bytes path = fk_read_bytes(&paths);
    ask_node(pass, reader, path);
    fk_buf_consume(&pass->paths, 4 + path.size);
    return true;
}

/* Reads all; false where an answer was missing, or something changed meanwhile. */
static bool pass_run(struct pass *pass, int64_t *zxid)
{
    fk_buf_clear(&pass->paths);
    fk_buf_clear(&pass->nodes);
    pass->failed = false;
    pass->deadline_ns = sim_now_ns(pass->world) + ASK_MS * SIM_MS;
    *zxid = sync_all(pass);
    if (*zxid < 0) {
        return false;
    }
    sim_body_path(&pass->paths, "/");
    bool busy = true;
    while (busy && sim_now_ns(pass->world) < pass->deadline_ns) {
        busy = false;
        for (size_t i = 0; i < SIM_AUDITORS; i++) {
            busy = reader_step(pass, &pass->readers[i]) || busy;
        }
        sim_sleep_ns(POLL_NS);
    }
    for (size_t i = 0; i < SIM_AUDITORS; i++) {
        release(&pass->readers[i]);
    }
    return !busy && !pass->failed && sync_all(pass) == *zxid;
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

static void start_client(struct sim_client *client)
{
    for (size_t i = 0; sim_identity(i) != NULL; i++) {
        sim_client_auth(client, sim_identity(i));
    }
    sim_client_start(client, -1);
}

/* A session that is over is followed by a new one. */
static bool all_usable(const struct pass *pass)
{
    bool usable = true;
    for (size_t i = 0; i < SIM_AUDITORS; i++) {
        struct sim_client *client = pass->readers[i].client;
        if (sim_client_state(client) == SIM_CLIENT_EXPIRED) {
            sim_client_forget(client);
            start_client(client);
        }
        usable = usable && sim_client_wait_usable(client, sim_now_ns(pass->world) + SIM_S);
    }
    return usable;
}

void sim_audit_run(void *context)
{
    struct sim_workload *workload = (struct sim_workload *)context;
    struct pass *pass = SIM_OWN_NEW(struct pass);
    int64_t zxid = 0;
    pass->world = workload->world;
    for (size_t i = 0; i < SIM_AUDITORS; i++) {
        pass->readers[i].client = workload->auditors[i];
        start_client(workload->auditors[i]);
    }
    while (!all_usable(pass) || !pass_run(pass, &zxid)) {
        sim_sleep_ns(100 * SIM_MS);
    }
    record(pass, workload->history);
    workload->history->final_zxid = zxid;
    fk_buf_deinit(&pass->paths);
    fk_buf_deinit(&pass->nodes);
    fk_buf_deinit(&pass->body);
    sim_own_free(pass);
    workload->audited = true;
}
