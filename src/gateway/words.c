// SPDX-License-Identifier: Apache-2.0
/* Four-letter words: what monitoring sends instead of a first frame. Formats are ZooKeeper's (server.command package).
 */
#include "gateway/gateway_internal.h"

#include "gateway/version.h"

#include <stdio.h>

static const struct {
    const char *name;
    enum fk_word word;
} words[] = {
    {"srvr", FK_WORD_SRVR}, {"ruok", FK_WORD_RUOK}, {"stat", FK_WORD_STAT},
    {"mntr", FK_WORD_MNTR}, {"isro", FK_WORD_ISRO}, {"envi", FK_WORD_ENVI},
};

unsigned fk_word_parse(struct fk_bytes name)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (fk_bytes_equal_text(name, words[i].name)) {
            return words[i].word;
        }
    }
    return 0;
}

/* Appends the average latency as Java prints a double that was rounded to four places: "0.0", "0.25", "1.3333". */
static void write_average(const struct fk_gateway_stats *stats, struct fk_buf *out)
{
    char text[32];
    double average = stats->latency_count == 0 ? 0.0 : (double)stats->latency_sum_ms / (double)stats->latency_count;
    int size = snprintf(text, sizeof text, "%.4f", average);
    while (size > 2 && text[size - 1] == '0' && text[size - 2] != '.') {
        size--;
    }
    fk_buf_append(out, fk_bytes_of(text, (size_t)size));
}

static int64_t latency_min(const struct fk_gateway_stats *stats)
{
    return stats->latency_count == 0 ? 0 : stats->latency_min_ms;
}

static void write_clients(struct fk_gateway *gateway, struct fk_buf *out)
{
    fk_buf_print(out, "Clients:\n");
    for (struct fk_list *link = gateway->conns.next; link != &gateway->conns; link = link->next) {
        const struct fk_conn *conn = FK_CONTAINER_OF(link, struct fk_conn, link);
        fk_buf_print(out, " /%.*s:%u[%d](queued=%u,recved=%lld,sent=%lld)\n", (int)conn->address->size,
                     (const char *)conn->address->text, conn->port, conn->session == NULL ? 0 : 1,
                     conn->outstanding.count, (long long)conn->received, (long long)conn->sent);
    }
    fk_buf_print(out, "\n");
}

static const char *mode(const struct fk_gateway *gateway)
{
    return gateway->options.read_only ? "read-only" : "standalone";
}

static void write_server(struct fk_gateway *gateway, struct fk_buf *out, bool clients)
{
    struct fk_store_counts counts;
    const struct fk_gateway_stats *stats = &gateway->stats;
    int64_t zxid = gateway->backend->facts(gateway, &counts);
    fk_buf_print(out, "Zookeeper version: %s\n", FK_VERSION_LINE);
    if (clients) {
        write_clients(gateway, out);
    }
    fk_buf_print(out, "Latency min/avg/max: %lld/", (long long)latency_min(stats));
    write_average(stats, out);
    fk_buf_print(out, "/%lld\n", (long long)stats->latency_max_ms);
    fk_buf_print(out, "Received: %lld\nSent: %lld\nConnections: %zu\nOutstanding: %lld\nZxid: 0x%llx\n",
                 (long long)stats->packets_received, (long long)stats->packets_sent, gateway->conn_count,
                 (long long)stats->outstanding, (unsigned long long)zxid);
    /* ZK: the node count has the internal key "" beside "/". */
    fk_buf_print(out, "Mode: %s\nNode count: %lld\n", mode(gateway), (long long)counts.nodes + 1);
}

static void write_monitor(struct fk_gateway *gateway, struct fk_buf *out)
{
    struct fk_store_counts counts;
    struct fk_process_facts facts = {.open_files = 0};
    const struct fk_gateway_stats *stats = &gateway->stats;
    (void)gateway->backend->facts(gateway, &counts);
    if (gateway->options.process_facts != NULL) {
        gateway->options.process_facts(&facts);
    }
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        {"max_latency", stats->latency_max_ms},
        {"min_latency", latency_min(stats)},
        {"packets_received", stats->packets_received},
        {"packets_sent", stats->packets_sent},
        {"num_alive_connections", (int64_t)gateway->conn_count},
        {"outstanding_requests", stats->outstanding},
        {"znode_count", counts.nodes + 1},
        {"watch_count", (int64_t)gateway->watches.count},
        {"ephemerals_count", counts.ephemerals},
        {"approximate_data_size", counts.data_size},
        {"open_file_descriptor_count", facts.open_files},
        {"max_file_descriptor_count", facts.open_files_max},
        {"uptime", gateway->now_ms - gateway->started_ms},
        {"global_sessions", counts.sessions},
        {"local_sessions", 0},
        {"auth_failed_count", stats->auth_failed},
        {"unsuccessful_handshake", stats->tls_failed},
    };
    fk_buf_print(out, "zk_version\t%s\nzk_server_state\t%s\nzk_avg_latency\t", FK_VERSION_LINE, mode(gateway));
    write_average(stats, out);
    fk_buf_print(out, "\n");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        fk_buf_print(out, "zk_%s\t%lld\n", numbers[i].key, (long long)numbers[i].value);
    }
    fk_buf_print(out, "zk_connection_drop_probability\t0.0\n");
    if (gateway->options.quota_refused != NULL) {
        fk_quota_counts_print(gateway->options.quota_refused, out);
    }
}

static void write_word(struct fk_gateway *gateway, struct fk_buf *out, enum fk_word word)
{
    switch (word) {
    case FK_WORD_SRVR:
        write_server(gateway, out, false);
        break;
    case FK_WORD_STAT:
        write_server(gateway, out, true);
        break;
    case FK_WORD_MNTR:
        write_monitor(gateway, out);
        break;
    case FK_WORD_RUOK:
        fk_buf_print(out, "imok");
        break;
    case FK_WORD_ISRO:
        fk_buf_print(out, gateway->options.read_only ? "ro" : "rw");
        break;
    case FK_WORD_ENVI:
        fk_buf_print(out, "Environment:\nzookeeper.version=%s\n%s", FK_VERSION_LINE,
                     gateway->options.environment == NULL ? "" : gateway->options.environment);
        break;
    case FK_WORD_ALL:
        break;
    }
}

bool fk_word_answer(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes name)
{
    unsigned word = fk_word_parse(name);
    if (word == 0) {
        return false; /* as a length it is far too large: the connection closes without bytes */
    }
    if ((gateway->options.words & word) == 0) {
        fk_buf_print(&conn->out, "%.*s is not executed because it is not in the whitelist.\n", (int)name.size,
                     (const char *)name.data);
    } else {
        write_word(gateway, &conn->out, (enum fk_word)word);
    }
    fk_conn_close(gateway, conn);
    return true;
}
