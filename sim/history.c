// SPDX-License-Identifier: Apache-2.0
#include "sim/history.h"

#include "base/assert.h"

void sim_history_init(struct sim_history *history)
{
    *history = (struct sim_history){.bump = SIM_BUMP_EMPTY};
}

void sim_history_reset(struct sim_history *history)
{
    struct sim_bump bump = history->bump;
    sim_bump_reset(&bump);
    *history = (struct sim_history){.bump = bump};
}

void sim_history_deinit(struct sim_history *history)
{
    sim_bump_deinit(&history->bump);
    sim_history_init(history);
}

static struct sim_connection *connection_at(struct sim_history *history, uint32_t connection)
{
    FK_ASSERT(connection >= 1 && connection <= history->connection_count);
    return &history->connections[connection - 1];
}

static void append(struct sim_history *history, int64_t time_ns, enum sim_record_kind kind, uint32_t connection,
                   struct fk_bytes frame)
{
    history->records = sim_bump_grow(&history->bump, history->records, history->record_count, &history->record_capacity,
                                     sizeof *history->records);
    history->records[history->record_count++] = (struct sim_record){
        .time_ns = time_ns,
        .kind = kind,
        .client = connection_at(history, connection)->client,
        .connection = connection,
        .frame = sim_bump_copy(&history->bump, frame),
    };
}

uint32_t sim_history_connect(struct sim_history *history, int64_t time_ns, uint32_t client, int64_t gateway,
                             struct fk_bytes frame)
{
    history->connections = sim_bump_grow(&history->bump, history->connections, history->connection_count,
                                         &history->connection_capacity, sizeof *history->connections);
    history->connections[history->connection_count++] = (struct sim_connection){.client = client, .gateway = gateway};
    uint32_t connection = (uint32_t)history->connection_count;
    append(history, time_ns, SIM_RECORD_CONNECT, connection, frame);
    return connection;
}

void sim_history_accepted(struct sim_history *history, int64_t time_ns, uint32_t connection, struct fk_bytes frame)
{
    append(history, time_ns, SIM_RECORD_ACCEPTED, connection, frame);
}

void sim_history_sent(struct sim_history *history, int64_t time_ns, uint32_t connection, struct fk_bytes frame)
{
    append(history, time_ns, SIM_RECORD_SENT, connection, frame);
}

void sim_history_received(struct sim_history *history, int64_t time_ns, uint32_t connection, struct fk_bytes frame)
{
    append(history, time_ns, SIM_RECORD_RECEIVED, connection, frame);
}

void sim_history_lost(struct sim_history *history, int64_t time_ns, uint32_t connection)
{
    struct sim_connection *lost = connection_at(history, connection);
    if (!lost->lost) {
        lost->lost = true;
        append(history, time_ns, SIM_RECORD_LOST, connection, FK_BYTES_NULL);
    }
}

void sim_history_epoch(struct sim_history *history, uint32_t connection, int64_t session_id, int64_t epoch)
{
    struct sim_connection *at = connection_at(history, connection);
    at->session_id = session_id;
    at->epoch = epoch;
}

void sim_history_ground(struct sim_history *history, const struct sim_ground *entry)
{
    history->ground = sim_bump_grow(&history->bump, history->ground, history->ground_count, &history->ground_capacity,
                                    sizeof *history->ground);
    struct sim_ground *added = &history->ground[history->ground_count++];
    *added = *entry;
    added->body = sim_bump_copy(&history->bump, entry->body);
    struct fk_bytes *paths = sim_bump_alloc(&history->bump, entry->path_count * sizeof *paths);
    for (size_t i = 0; i < entry->path_count; i++) {
        paths[i] = sim_bump_copy(&history->bump, entry->paths[i]);
    }
    added->paths = paths;
    history->has_ground = true;
}

static struct sim_final_node copy_node(struct sim_history *history, const struct sim_final_node *node)
{
    return (struct sim_final_node){
        .path = sim_bump_copy(&history->bump, node->path),
        .data = sim_bump_copy(&history->bump, node->data),
        .acl = sim_bump_copy(&history->bump, node->acl),
        .stat = sim_bump_copy(&history->bump, node->stat),
    };
}

void sim_history_first_node(struct sim_history *history, const struct sim_final_node *node)
{
    history->first_nodes = sim_bump_grow(&history->bump, history->first_nodes, history->first_count,
                                         &history->first_capacity, sizeof *history->first_nodes);
    history->first_nodes[history->first_count++] = copy_node(history, node);
}

void sim_history_final_node(struct sim_history *history, const struct sim_final_node *node)
{
    history->nodes = sim_bump_grow(&history->bump, history->nodes, history->node_count, &history->node_capacity,
                                   sizeof *history->nodes);
    history->nodes[history->node_count++] = copy_node(history, node);
    history->has_nodes = true;
}

void sim_history_final_session(struct sim_history *history, int64_t session_id)
{
    history->sessions = sim_bump_grow(&history->bump, history->sessions, history->session_count,
                                      &history->session_capacity, sizeof *history->sessions);
    history->sessions[history->session_count++] = session_id;
    history->has_sessions = true;
}
