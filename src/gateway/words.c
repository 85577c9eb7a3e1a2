// SPDX-License-Identifier: Apache-2.0
/* Four-letter words: what monitoring sends instead of a first frame. Formats are ZooKeeper's (server.command package).
 */
#include "gateway/words_internal.h"

#include "gateway/version.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    WORD_SIZE = 4,
    MASK_SIZE = 8, /* behind stmk */
};

static const struct {
    const char *name;
    enum fk_word word;
} words[] = {
    {"srvr", FK_WORD_SRVR}, {"ruok", FK_WORD_RUOK}, {"stat", FK_WORD_STAT}, {"mntr", FK_WORD_MNTR},
    {"isro", FK_WORD_ISRO}, {"envi", FK_WORD_ENVI}, {"conf", FK_WORD_CONF}, {"cons", FK_WORD_CONS},
    {"crst", FK_WORD_CRST}, {"dirs", FK_WORD_DIRS}, {"dump", FK_WORD_DUMP}, {"gtmk", FK_WORD_GTMK},
    {"stmk", FK_WORD_STMK}, {"srst", FK_WORD_SRST}, {"wchc", FK_WORD_WCHC}, {"wchp", FK_WORD_WCHP},
    {"wchs", FK_WORD_WCHS}, {"hash", FK_WORD_HASH},
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

/* As Java prints a double that was rounded to four places: "0.0", "0.25", "1.3333". */
static void write_real(struct fk_buf *out, double value)
{
    char text[64];
    int size = snprintf(text, sizeof text, "%.4f", value);
    while (size > 2 && text[size - 1] == '0' && text[size - 2] != '.') {
        size--;
    }
    fk_buf_append(out, fk_bytes_of(text, (size_t)size));
}

static void write_server(struct fk_gateway *gateway, struct fk_buf *out, bool clients)
{
    struct fk_server_facts facts;
    fk_inspect_server(gateway, &facts);
    fk_buf_print(out, "Zookeeper version: %s\n", FK_VERSION_LINE);
    if (clients) {
        fk_buf_print(out, "Clients:\n");
        fk_word_write_connections(gateway, out, false);
    }
    fk_buf_print(out, "Latency min/avg/max: %" PRId64 "/", facts.latency_min_ms);
    write_real(out, facts.latency_avg_ms);
    fk_buf_print(out,
                 "/%" PRId64 "\nReceived: %" PRId64 "\nSent: %" PRId64 "\nConnections: %" PRId64
                 "\nOutstanding: %" PRId64 "\nZxid: 0x%" PRIx64 "\nMode: %s\nNode count: %" PRId64 "\n",
                 facts.latency_max_ms, facts.packets_received, facts.packets_sent, facts.connections, facts.outstanding,
                 (uint64_t)facts.zxid, facts.mode, facts.nodes < 0 ? 0 : facts.nodes); /* monitors read digits */
}

/* --- mntr --- */

static void monitor_number(void *context, const char *name, const char *help, bool counter, int64_t value)
{
    (void)help;
    (void)counter;
    fk_buf_print((struct fk_buf *)context, "zk_%s\t%" PRId64 "\n", name, value);
}

static void monitor_real(void *context, const char *name, const char *help, double value)
{
    struct fk_buf *out = (struct fk_buf *)context;
    (void)help;
    fk_buf_print(out, "zk_%s\t", name);
    write_real(out, value);
    fk_buf_print(out, "\n");
}

static void monitor_summary(void *context, const char *name, const char *help, const struct fk_summary *summary)
{
    struct fk_buf *out = (struct fk_buf *)context;
    (void)help;
    fk_buf_print(out, "zk_avg_%s\t", name);
    write_real(out, fk_summary_average(summary));
    fk_buf_print(out,
                 "\nzk_min_%s\t%" PRId64 "\nzk_max_%s\t%" PRId64 "\nzk_cnt_%s\t%" PRId64 "\nzk_sum_%s\t%" PRId64 "\n",
                 name, summary->min, name, summary->max, name, summary->count, name, summary->sum);
    static const struct {
        const char *name;
        int64_t per_mille;
    } quantiles[] = {{"p50", 500}, {"p95", 950}, {"p99", 990}, {"p999", 999}};
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        fk_buf_print(out, "zk_%s_%s\t%" PRId64 "\n", quantiles[i].name, name,
                     fk_summary_quantile(summary, quantiles[i].per_mille));
    }
}

static void write_monitor(struct fk_gateway *gateway, struct fk_buf *out)
{
    const struct fk_metrics_sink sink = {
        .context = out, .number = monitor_number, .real = monitor_real, .summary = monitor_summary};
    fk_buf_print(out, "zk_version\t%s\nzk_server_state\t%s\n", FK_VERSION_LINE,
                 gateway->options.read_only ? "read-only" : "standalone");
    fk_inspect_metrics(gateway, &sink);
    if (gateway->options.quota_refused != NULL) {
        fk_quota_counts_print(gateway->options.quota_refused, out);
    }
}

/* --- the others --- */

static int64_t data_size(const struct fk_gateway *gateway)
{
    const struct fk_server_settings *settings = &gateway->options.settings;
    return settings->data_size == NULL ? 0 : settings->data_size();
}

/* One directory has the log and the checkpoint. */
static void write_configuration(struct fk_gateway *gateway, struct fk_buf *out)
{
    const struct fk_gateway_options *options = &gateway->options;
    const struct fk_server_settings *settings = &options->settings;
    const char *directory = settings->data_directory == NULL ? "" : settings->data_directory;
    int64_t size = data_size(gateway);
    fk_buf_print(out,
                 "clientPort=%d\nsecureClientPort=%d\ndataDir=%s\ndataDirSize=%" PRId64
                 "\ndataLogDir=%s\ndataLogSize=%" PRId64
                 "\ntickTime=%d\nmaxClientCnxns=%d\nminSessionTimeout=%d\nmaxSessionTimeout=%d\n"
                 "clientPortListenBacklog=%d\nserverId=0\n",
                 settings->client_port, settings->secure_port, directory, size, directory, size, options->tick_ms,
                 options->connections_per_address, options->session_timeout_min_ms, options->session_timeout_max_ms,
                 settings->backlog);
}

static void write_watch_summary(struct fk_gateway *gateway, struct fk_buf *out)
{
    struct fk_server_facts facts;
    fk_inspect_server(gateway, &facts);
    fk_buf_print(out, "%" PRId64 " connections watching %" PRId64 " paths\nTotal watches:%" PRId64 "\n",
                 facts.watch_connections, facts.watch_paths, facts.watches);
}

/* Those whose answer does not grow. */
static void write_short_word(struct fk_gateway *gateway, struct fk_buf *out, enum fk_word word)
{
    if (word == FK_WORD_RUOK) {
        fk_buf_print(out, "imok");
    } else if (word == FK_WORD_ISRO) {
        fk_buf_print(out, gateway->options.read_only ? "ro" : "rw");
    } else if (word == FK_WORD_ENVI) {
        fk_buf_print(out, "Environment:\nzookeeper.version=%s\n%s", FK_VERSION_LINE,
                     gateway->options.environment == NULL ? "" : gateway->options.environment);
    } else if (word == FK_WORD_DIRS) {
        fk_buf_print(out, "datadir_size: %" PRId64 "\nlogdir_size: %" PRId64 "\n", data_size(gateway),
                     data_size(gateway));
    } else if (word == FK_WORD_CRST) {
        fk_inspect_reset_connections(gateway);
        fk_buf_print(out, "Connection stats reset.\n");
    } else if (word == FK_WORD_SRST) {
        fk_inspect_reset(gateway);
        fk_buf_print(out, "Server stats reset.\n");
    } else if (word == FK_WORD_GTMK) {
        fk_buf_print(out, "%" PRId64, gateway->trace_mask);
    } else if (word == FK_WORD_WCHS) {
        write_watch_summary(gateway, out);
    } /* hash: ZooKeeper's digests of the tree; the frames and rows here have checksums of their own, the list is empty
       */
}

static void write_word(struct fk_gateway *gateway, struct fk_buf *out, enum fk_word word)
{
    if (word == FK_WORD_SRVR || word == FK_WORD_STAT) {
        write_server(gateway, out, word == FK_WORD_STAT);
    } else if (word == FK_WORD_MNTR) {
        write_monitor(gateway, out);
    } else if (word == FK_WORD_CONF) {
        write_configuration(gateway, out);
    } else if (word == FK_WORD_CONS) {
        fk_word_write_connections(gateway, out, true);
    } else if (word == FK_WORD_DUMP) {
        fk_word_write_dump(gateway, out);
    } else if (word == FK_WORD_WCHC || word == FK_WORD_WCHP) {
        fk_word_write_watches(gateway, out, word == FK_WORD_WCHP);
    } else {
        write_short_word(gateway, out, word);
    }
}

/* ZK: the mask is that of its trace log; here it is kept and has no effect. */
static void set_trace_mask(struct fk_gateway *gateway, struct fk_buf *out, struct fk_bytes mask)
{
    gateway->trace_mask = (int64_t)fk_load_u64(mask.data);
    fk_buf_print(out, "%" PRId64, gateway->trace_mask);
}

enum fk_word_state fk_word_answer(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes input)
{
    struct fk_bytes name = fk_bytes_head(input, WORD_SIZE);
    unsigned word = name.size < WORD_SIZE ? 0 : fk_word_parse(name);
    if (word == 0) {
        return FK_WORD_NONE; /* as a length it is far too large: the connection closes without bytes */
    }
    if ((gateway->options.words & word) == 0) {
        fk_buf_print(&conn->out, "%.*s is not executed because it is not in the whitelist.\n", (int)name.size,
                     (const char *)name.data);
    } else if (word != FK_WORD_STMK) {
        write_word(gateway, &conn->out, (enum fk_word)word);
    } else if (input.size < WORD_SIZE + MASK_SIZE) {
        return FK_WORD_INCOMPLETE;
    } else {
        set_trace_mask(gateway, &conn->out, fk_bytes_tail(input, WORD_SIZE));
    }
    if (conn->out.failed) {
        fk_conn_kill(gateway, conn);
    } else {
        fk_conn_close(gateway, conn);
    }
    return FK_WORD_ANSWERED;
}
