// SPDX-License-Identifier: Apache-2.0
#include "gateway/inspect.h"

#include "gateway/cloud_internal.h"

static const char *mode(const struct fk_gateway *gateway)
{
    return gateway->options.read_only ? "read-only" : "standalone";
}

/* ZK: with the internal key "" beside "/". -1: not known. */
static int64_t node_count(const struct fk_store_counts *counts)
{
    return counts->nodes < 0 ? -1 : counts->nodes + 1;
}

static int64_t watching_connections(const struct fk_gateway *gateway)
{
    int64_t count = 0;
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        count += FK_CONTAINER_OF(link, struct fk_conn, link)->watcher.count > 0 ? 1 : 0;
    }
    return count;
}

void fk_inspect_server(struct fk_gateway *gateway, struct fk_server_facts *facts)
{
    struct fk_store_counts counts;
    const struct fk_gateway_stats *stats = &gateway->stats;
    fk_gateway_touch_clock(gateway);
    int64_t zxid = gateway->backend->facts(gateway, &counts);
    *facts = (struct fk_server_facts){
        .mode = mode(gateway),
        .packets_received = stats->packets_received,
        .packets_sent = stats->packets_sent,
        .outstanding = stats->outstanding,
        .connections = (int64_t)gateway->conn_count,
        .latency_min_ms = stats->latency.min,
        .latency_max_ms = stats->latency.max,
        .latency_avg_ms = fk_summary_average(&stats->latency),
        .zxid = zxid,
        .nodes = node_count(&counts),
        .sessions = counts.sessions,
        .data_size = counts.data_size,
        .uptime_ms = gateway->now_ms - gateway->started_ms,
        .auth_failed = stats->auth_failed,
        .watch_connections = watching_connections(gateway),
        .watch_paths = (int64_t)fk_watch_paths(&gateway->watches),
        .watches = (int64_t)gateway->watches.count,
    };
}

void fk_inspect_reset(struct fk_gateway *gateway)
{
    struct fk_gateway_stats *stats = &gateway->stats;
    stats->packets_received = 0;
    stats->packets_sent = 0;
    stats->latency = stats->reads_latency = stats->writes_latency = (struct fk_summary){.count = 0};
}

void fk_inspect_reset_connections(struct fk_gateway *gateway)
{
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        struct fk_conn *conn = FK_CONTAINER_OF(link, struct fk_conn, link);
        conn->received = 0;
        conn->sent = 0;
        conn->stats = (struct fk_conn_stats){.established_ms = conn->stats.established_ms, .last_op = FK_OP_NONE};
    }
}

int64_t fk_inspect_trace_mask(const struct fk_gateway *gateway)
{
    return gateway->trace_mask;
}

void fk_inspect_set_trace_mask(struct fk_gateway *gateway, int64_t mask)
{
    gateway->trace_mask = mask;
}

/* --- metrics --- */

/* The one table of numbers: where each comes from, and what it means. */
struct numbers {
    struct fk_store_counts store;
    struct fk_process_facts process;
};

static void tell_process(const struct fk_process_facts *facts, const struct fk_metrics_sink *sink)
{
    void *to = sink->context;
    sink->number(to, "open_file_descriptor_count", "descriptors in use", false, facts->open_files);
    sink->number(to, "max_file_descriptor_count", "descriptors that the system allows", false, facts->open_files_max);
    if (facts->syncs != NULL) {
        sink->summary(to, "fsynctime", "milliseconds of a sync of the log", facts->syncs);
    }
}

static void tell_gauges(struct fk_gateway *gateway, const struct numbers *numbers, const struct fk_metrics_sink *sink)
{
    void *to = sink->context;
    const struct {
        const char *name;
        const char *help;
        int64_t value;
    } gauges[] = {
        {"num_alive_connections", "connections of clients", (int64_t)gateway->conn_count},
        {"outstanding_requests", "writes that are not answered yet", gateway->stats.outstanding},
        {"znode_count", "nodes, with the internal key beside the root", node_count(&numbers->store)},
        {"watch_count", "watches, each kind counted apart", (int64_t)gateway->watches.count},
        {"watch_bytes", "bytes of the paths that are watched", (int64_t)gateway->watches.paths_size},
        {"ephemerals_count", "ephemeral nodes", numbers->store.ephemerals},
        {"approximate_data_size", "bytes of paths and data", numbers->store.data_size},
        {"global_sessions", "sessions", numbers->store.sessions},
        {"local_sessions", "sessions that other servers do not know; there are none here", 0},
        {"quorum_size", "servers that have to agree", 1},
        {"uptime", "milliseconds since the start", gateway->now_ms - gateway->started_ms},
        {"outstanding_tls_handshake", "TLS handshakes that are not over", gateway->stats.tls_handshaking},
    };
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) {
        if (gauges[i].value >= 0) {
            sink->number(to, gauges[i].name, gauges[i].help, false, gauges[i].value);
        }
    }
    sink->real(to, "connection_drop_probability", "share of new connections that are dropped", 0.0);
}

static void tell_counters(const struct fk_gateway_stats *stats, const struct fk_metrics_sink *sink)
{
    const struct {
        const char *name;
        const char *help;
        int64_t value;
    } counters[] = {
        {"packets_received", "requests", stats->packets_received},
        {"packets_sent", "replies and events", stats->packets_sent},
        {"bytes_received_count", "bytes that clients sent", stats->bytes_received},
        {"connection_request_count", "handshakes", stats->handshakes},
        {"connection_rejected", "connections refused because there are too many", stats->connections_refused},
        {"auth_failed_count", "attempts to authenticate that failed", stats->auth_failed},
        {"stale_sessions_expired", "sessions that expired", stats->sessions_expired},
        {"unsuccessful_handshake", "TLS handshakes that failed", stats->tls_failed},
        {"tls_handshake_exceeded", "TLS handshakes refused because there are too many", stats->tls_refused},
    };
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        sink->number(sink->context, counters[i].name, counters[i].help, true, counters[i].value);
    }
}

void fk_inspect_metrics(struct fk_gateway *gateway, const struct fk_metrics_sink *sink)
{
    struct numbers numbers = {.process = {.open_files = 0}};
    const struct fk_gateway_stats *stats = &gateway->stats;
    fk_gateway_touch_clock(gateway);
    (void)gateway->backend->facts(gateway, &numbers.store);
    if (gateway->options.process_facts != NULL) {
        gateway->options.process_facts(&numbers.process);
    }
    sink->real(sink->context, "avg_latency", "milliseconds from a request to its answer",
               fk_summary_average(&stats->latency));
    sink->number(sink->context, "max_latency", "likewise", false, stats->latency.max);
    sink->number(sink->context, "min_latency", "likewise", false, stats->latency.min);
    tell_gauges(gateway, &numbers, sink);
    tell_counters(stats, sink);
    sink->summary(sink->context, "readlatency", "milliseconds from a read to its answer", &stats->reads_latency);
    sink->summary(sink->context, "updatelatency", "milliseconds from a write to its answer", &stats->writes_latency);
    tell_process(&numbers.process, sink);
}

/* --- connections --- */

/* FinalRequestProcessor's names. */
static const char *operation_name(int32_t op)
{
    static const struct {
        int32_t op;
        const char *name;
    } names[] = {
        {FK_OP_PING, "PING"},          {FK_OP_CREATE_SESSION, "SESS"},
        {FK_OP_CLOSE_SESSION, "CLOS"}, {FK_OP_MULTI, "MULT"},
        {FK_OP_MULTI_READ, "MLTR"},    {FK_OP_CREATE, "CREA"},
        {FK_OP_CREATE2, "CREA"},       {FK_OP_CREATE_CONTAINER, "CREA"},
        {FK_OP_CREATE_TTL, "CREA"},    {FK_OP_DELETE, "DELE"},
        {FK_OP_SET_DATA, "SETD"},      {FK_OP_RECONFIG, "RECO"},
        {FK_OP_SET_ACL, "SETA"},       {FK_OP_SYNC, "SYNC"},
        {FK_OP_CHECK, "CHEC"},         {FK_OP_EXISTS, "EXIS"},
        {FK_OP_GET_DATA, "GETD"},      {FK_OP_SET_WATCHES, "SETW"},
        {FK_OP_SET_WATCHES2, "STW2"},  {FK_OP_ADD_WATCH, "ADDW"},
        {FK_OP_GET_ACL, "GETA"},       {FK_OP_GET_CHILDREN, "GETC"},
        {FK_OP_GET_CHILDREN2, "GETC"}, {FK_OP_GET_ALL_CHILDREN_NUMBER, "GETACN"},
        {FK_OP_CHECK_WATCHES, "CHKW"}, {FK_OP_REMOVE_WATCHES, "REMW"},
        {FK_OP_WHO_AM_I, "HOMI"},      {FK_OP_GET_EPHEMERALS, "GETE"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].op == op) {
            return names[i].name;
        }
    }
    return "NA";
}

static struct fk_connection_facts facts_of(const struct fk_conn *conn)
{
    const struct fk_conn_stats *stats = &conn->stats;
    return (struct fk_connection_facts){
        .address = fk_bytes_of(conn->address->text, conn->address->size),
        .port = conn->port,
        .has_session = conn->session != NULL,
        .secure = conn->secure,
        .session_id = conn->session == NULL ? 0 : conn->session->id,
        .timeout_ms = conn->session == NULL ? 0 : conn->session->timeout_ms,
        .outstanding = conn->outstanding.count,
        .received = conn->received,
        .sent = conn->sent,
        .established_ms = stats->established_ms,
        .last_operation = operation_name(stats->last_op),
        .last_cxid = stats->last_cxid,
        .last_zxid = stats->last_zxid,
        .last_response_ms = stats->last_response_ms,
        .last_latency_ms = stats->last_latency_ms,
        .latency_min_ms = stats->latency_min_ms,
        .latency_avg_ms = stats->count == 0 ? 0 : stats->latency_sum_ms / stats->count,
        .latency_max_ms = stats->latency_max_ms,
    };
}

void fk_inspect_connections(struct fk_gateway *gateway,
                            bool (*each)(void *context, const struct fk_connection_facts *facts), void *context)
{
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        struct fk_connection_facts facts = facts_of(FK_CONTAINER_OF(link, struct fk_conn, link));
        if (!each(context, &facts)) {
            return;
        }
    }
}

/* --- sessions --- */

void fk_inspect_sessions(struct fk_gateway *gateway, bool (*each)(void *context, int64_t id, int64_t expires_ms),
                         void *context)
{
    fk_gateway_touch_clock(gateway);
    for (struct fk_map_entry *entry = fk_map_next(&gateway->sessions, NULL); entry != NULL;
         entry = fk_map_next(&gateway->sessions, entry)) {
        const struct fk_gateway_session *session = FK_CONTAINER_OF(entry, struct fk_gateway_session, entry);
        int64_t expires_ms = session->last_packet_ms + session->timeout_ms - gateway->now_ms;
        if (session->live && !each(context, session->id, expires_ms < 0 ? 0 : expires_ms)) {
            return;
        }
    }
}

bool fk_inspect_ephemerals(struct fk_gateway *gateway, int64_t session_id,
                           bool (*each)(void *context, struct fk_bytes path), void *context)
{
    struct fk_list_key key = {.kind = FK_LIST_EPHEMERALS, .session_id = session_id};
    struct fk_page page = {.names = NULL};
    bool wanted = true;
    if (gateway->store == NULL) {
        return false;
    }
    do {
        struct fk_arena arena = FK_ARENA_EMPTY;
        bool ok = fk_store_list(gateway->store, FK_VIEW_VISIBLE, &key, &arena, &page) == FK_OK;
        for (size_t i = 0; ok && wanted && i < page.count; i++) {
            wanted = each(context, page.names[i]);
        }
        fk_arena_deinit(&arena);
        if (!ok) {
            return false;
        }
    } while (wanted && page.more);
    return true;
}

/* --- what clients asked for --- */

const struct fk_tally *fk_inspect_tally(const struct fk_gateway *gateway)
{
    return &gateway->tally;
}

bool fk_inspect_pipeline(const struct fk_gateway *gateway)
{
    return gateway->cloud != NULL && gateway->cloud->options.pipeline;
}

int64_t fk_inspect_tally_running_ms(struct fk_gateway *gateway)
{
    fk_gateway_touch_clock(gateway);
    return fk_tally_running_ms(&gateway->tally, gateway->now_ms);
}

void fk_inspect_session_tallies(struct fk_gateway *gateway,
                                bool (*each)(void *context, int64_t id, const struct fk_tally_session *tally),
                                void *context)
{
    for (struct fk_map_entry *entry = fk_map_next(&gateway->sessions, NULL); entry != NULL;
         entry = fk_map_next(&gateway->sessions, entry)) {
        const struct fk_gateway_session *session = FK_CONTAINER_OF(entry, struct fk_gateway_session, entry);
        if (!each(context, session->id, &session->tally)) {
            return;
        }
    }
}

const struct fk_meter *fk_inspect_meter(const struct fk_gateway *gateway)
{
    return gateway->cloud == NULL ? NULL : &gateway->cloud->meter;
}

void fk_inspect_channel(const struct fk_gateway *gateway, int64_t *receives, int64_t *deletes)
{
    *receives = gateway->cloud == NULL ? 0 : gateway->cloud->channel_receives;
    *deletes = gateway->cloud == NULL ? 0 : gateway->cloud->channel_deletes;
}

/* --- watches --- */

struct watch_walk {
    bool (*each)(void *context, int64_t session_id, struct fk_bytes path);
    void *context;
};

static bool tell_watch(void *context, const struct fk_watcher *watcher, struct fk_bytes path)
{
    const struct watch_walk *walk = (const struct watch_walk *)context;
    const struct fk_conn *conn = FK_CONTAINER_OF(watcher, struct fk_conn, watcher);
    return walk->each(walk->context, conn->session == NULL ? 0 : conn->session->id, path);
}

void fk_inspect_watches(struct fk_gateway *gateway, bool by_path,
                        bool (*each)(void *context, int64_t session_id, struct fk_bytes path), void *context)
{
    struct watch_walk walk = {.each = each, .context = context};
    if (by_path) {
        fk_watch_each(&gateway->watches, tell_watch, &walk);
        return;
    }
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        if (!fk_watcher_each(&FK_CONTAINER_OF(link, struct fk_conn, link)->watcher, tell_watch, &walk)) {
            return;
        }
    }
}
