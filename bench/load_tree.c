// SPDX-License-Identifier: Apache-2.0
/*
 * The nodes of a run. Under --root: n/NNNNNN with data for get, exists, set and mix; c/child-NNNNNN for getChildren;
 * x for create-delete; s for sequential nodes. Removing them is a check too: a node that should be gone makes the
 * delete of its parent fail. Fill makes ROOT/dNNNN/nNNNNNN and leaves it there.
 */
#include "load.h"

#include <stdio.h>

enum {
    WINDOW = 128, /* requests in flight; their replies fit into any socket buffer, so this cannot deadlock */
    FILL_READS = 1000,
};

/* Pipelines requests over a blocking client; every reply must be error-free. */
struct pipeline {
    struct zkraw_client *client;
    int32_t first_xid; /* of the oldest unanswered request */
    unsigned pending;
    const char *what; /* for messages */
};

static void pipeline_flush(struct pipeline *pipeline)
{
    struct zkraw_reply reply;
    if (zkraw_client_send(pipeline->client) != 0) {
        load_fail("%s: %s", pipeline->what, pipeline->client->error);
    }
    for (; pipeline->pending > 0; pipeline->pending--) {
        if (zkraw_client_receive(pipeline->client, &reply) != 0) {
            load_fail("%s: %s", pipeline->what, pipeline->client->error);
        }
        if (reply.xid != pipeline->first_xid) {
            load_fail("%s: reply of xid %d, %d expected", pipeline->what, reply.xid, pipeline->first_xid);
        }
        if (reply.err != 0) {
            load_fail("%s: error %d%s", pipeline->what, reply.err,
                      reply.err == ZKRAW_ERR_NODEEXISTS ? " (nodes of another run? use --root)" : "");
        }
        pipeline->first_xid++;
    }
}

/* Returns the xid for the request that the caller now appends to client->out. */
static int32_t pipeline_next(struct pipeline *pipeline)
{
    if (pipeline->pending == WINDOW) {
        pipeline_flush(pipeline);
    }
    int32_t xid = ++pipeline->client->xid;
    if (pipeline->pending++ == 0) {
        pipeline->first_xid = xid;
    }
    return xid;
}

static void pipeline_create(struct pipeline *pipeline, const char *path, const void *data, size_t size)
{
    int32_t xid = pipeline_next(pipeline);
    zkraw_put_create(&pipeline->client->out, xid, path, data, size, 0);
}

static void pipeline_delete(struct pipeline *pipeline, const char *path)
{
    int32_t xid = pipeline_next(pipeline);
    zkraw_put_delete(&pipeline->client->out, xid, path, -1);
}

void load_client_open(const struct load_run *run, struct zkraw_client *client)
{
    struct zkraw_connect request = {.timeout_ms = run->options.session_timeout_ms};
    if (zkraw_client_connect(client, run->options.target, &request, LOAD_IO_TIMEOUT_MS) != 0) {
        load_fail("opening a session: %s", client->error);
    }
}

static void client_close(struct zkraw_client *client)
{
    if (zkraw_client_close(client) != 0) {
        load_fail("closing a session: %s", client->error);
    }
}

static void path_make(const struct load_run *run, const char *name, char *path)
{
    snprintf(path, LOAD_PATH_SIZE, "%s/%s", run->options.root, name);
}

static void child_path_make(const struct load_run *run, unsigned index, char *path)
{
    snprintf(path, LOAD_PATH_SIZE, "%s/c/child-%06u", run->options.root, index);
}

static const char *const directories[] = {"n", "c", "x", "s"};

enum {
    DIRECTORY_COUNT = sizeof directories / sizeof directories[0]
};

static bool has_data_nodes(const struct load_run *run)
{
    return run->options.op == LOAD_GET || run->options.op == LOAD_EXISTS || run->options.op == LOAD_SET ||
           run->options.op == LOAD_MIX;
}

static void data_nodes_create(struct load_run *run, struct pipeline *pipeline)
{
    for (uint32_t i = 0; i < run->options.nodes; i++) {
        struct load_node *node = &run->nodes[i];
        snprintf(node->path, sizeof node->path, "%s/n/%06u", run->options.root, i);
        node->stamp = run->stamp_next++;
        node->has_stamp = true;
        load_payload_make(run, i, node->stamp);
        pipeline_create(pipeline, node->path, run->payload, run->options.size);
    }
}

void load_tree_prepare(struct load_run *run)
{
    struct zkraw_client client;
    struct pipeline pipeline = {.client = &client, .what = "making the nodes"};
    char path[LOAD_PATH_SIZE];
    load_client_open(run, &client);
    pipeline_create(&pipeline, run->options.root, "", 0);
    for (unsigned i = 0; i < DIRECTORY_COUNT; i++) {
        path_make(run, directories[i], path);
        pipeline_create(&pipeline, path, "", 0);
    }
    if (has_data_nodes(run)) {
        data_nodes_create(run, &pipeline);
    }
    for (unsigned i = 0; i < LOAD_CHILDREN_COUNT && run->options.op == LOAD_CHILDREN; i++) {
        child_path_make(run, i, path);
        pipeline_create(&pipeline, path, "", 0);
    }
    path_make(run, "c", run->children_path);
    path_make(run, "s/q-", run->sequence_prefix);
    run->sequence_prefix_size = strlen(run->sequence_prefix);
    pipeline_flush(&pipeline);
    client_close(&client);
}

void load_tree_remove(struct load_run *run)
{
    struct zkraw_client client;
    struct pipeline pipeline = {.client = &client, .what = "removing the nodes"};
    char path[LOAD_PATH_SIZE];
    load_client_open(run, &client);
    for (uint32_t i = 0; i < run->options.nodes && has_data_nodes(run); i++) {
        pipeline_delete(&pipeline, run->nodes[i].path);
    }
    for (unsigned i = 0; i < LOAD_CHILDREN_COUNT && run->options.op == LOAD_CHILDREN; i++) {
        child_path_make(run, i, path);
        pipeline_delete(&pipeline, path);
    }
    for (unsigned i = 0; i < DIRECTORY_COUNT; i++) {
        path_make(run, directories[i], path);
        pipeline_delete(&pipeline, path);
    }
    pipeline_delete(&pipeline, run->options.root);
    pipeline_flush(&pipeline);
    client_close(&client);
}

/* ---- fill ---- */

static void fill_directory_path(const struct load_run *run, uint32_t index, char *path)
{
    snprintf(path, LOAD_PATH_SIZE, "%s/d%04u", run->options.root, index);
}

/* The stamp of a filled node is its number, so that fill-check needs no memory of the run that filled. */
static void fill_node_path(const struct load_run *run, uint32_t index, char *path)
{
    snprintf(path, LOAD_PATH_SIZE, "%s/d%04u/n%06u", run->options.root, index / LOAD_FILL_DIRECTORY, index);
}

void load_tree_fill(struct load_run *run)
{
    struct zkraw_client client;
    struct pipeline pipeline = {.client = &client, .what = "filling"};
    char path[LOAD_PATH_SIZE];
    load_client_open(run, &client);
    pipeline_create(&pipeline, run->options.root, "", 0);
    for (uint32_t i = 0; i < run->options.nodes; i++) {
        if (i % LOAD_FILL_DIRECTORY == 0) {
            fill_directory_path(run, i / LOAD_FILL_DIRECTORY, path);
            pipeline_create(&pipeline, path, "", 0);
        }
        fill_node_path(run, i, path);
        load_payload_make(run, i, i);
        pipeline_create(&pipeline, path, run->payload, run->options.size);
    }
    pipeline_flush(&pipeline);
    client_close(&client);
}

static void fill_call(struct zkraw_client *client, enum zkraw_op op, const char *path, struct zkraw_reply *reply)
{
    zkraw_put_read(&client->out, op, ++client->xid, path, false);
    if (zkraw_client_call(client, reply) != 0) {
        load_fail("fill-check: %s: %s", path, client->error);
    }
    if (reply->err != 0) {
        load_fail("fill-check: %s: error %d", path, reply->err);
    }
}

static void fill_check_directories(const struct load_run *run, struct zkraw_client *client)
{
    char path[LOAD_PATH_SIZE];
    struct zkraw_reply reply;
    struct zkraw_stat stat;
    for (uint32_t first = 0; first < run->options.nodes; first += LOAD_FILL_DIRECTORY) {
        uint32_t left = run->options.nodes - first;
        uint32_t expected = left < LOAD_FILL_DIRECTORY ? left : LOAD_FILL_DIRECTORY;
        fill_directory_path(run, first / LOAD_FILL_DIRECTORY, path);
        fill_call(client, ZKRAW_OP_EXISTS, path, &reply);
        zkraw_read_stat(&reply.body, &stat);
        if (stat.num_children != (int32_t)expected || stat.cversion != (int32_t)expected) {
            load_fail("fill-check: %s: numChildren %d, cversion %d, both %u expected", path, stat.num_children,
                      stat.cversion, expected);
        }
    }
}

void load_tree_fill_check(struct load_run *run)
{
    struct zkraw_client client;
    struct zkraw_reply reply;
    load_client_open(run, &client);
    fill_check_directories(run, &client);
    for (unsigned i = 0; i < FILL_READS; i++) {
        size_t size = 0;
        uint32_t index = load_random_below(run, run->options.nodes);
        struct load_node *node = &run->nodes[index];
        fill_node_path(run, index, node->path);
        fill_call(&client, ZKRAW_OP_GET_DATA, node->path, &reply);
        const uint8_t *data = zkraw_read_buffer(&reply.body, &size);
        uint32_t stamp = load_payload_check(run, index, data, size);
        if (stamp != index) {
            load_fail("fill-check: %s: stamp %u, %u expected", node->path, stamp, index);
        }
        run->verified++;
    }
    client_close(&client);
}
