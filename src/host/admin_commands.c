// SPDX-License-Identifier: Apache-2.0
/* ZooKeeper's commands (server.admin.Commands): names, aliases and members are its own. */
#include "host/admin_internal.h"

#include "gateway/version.h"

#include <errno.h>
#include <stdlib.h>

static void nothing(struct fk_admin_call *call)
{
    (void)call; /* the answer is that there is one */
}

static void set_number(struct fk_admin_call *call, const char *name, int64_t value)
{
    fk_admin_set(call->answer, name, json_integer(value));
}

static void fail(struct fk_admin_call *call, int status, const char *error)
{
    call->status = status;
    fk_admin_set(call->answer, "error", json_string(error));
}

static int64_t data_size(const struct fk_server_settings *settings)
{
    return settings->data_size == NULL ? 0 : settings->data_size();
}

static void configuration(struct fk_admin_call *call)
{
    const struct fk_gateway_options *options = fk_gateway_get_options(call->gateway);
    const struct fk_server_settings *settings = &options->settings;
    json_t *directory = settings->data_directory == NULL ? json_string("") : json_string(settings->data_directory);
    set_number(call, "client_port", settings->client_port);
    if (settings->secure_port >= 0) {
        set_number(call, "secure_client_port", settings->secure_port);
    }
    (void)json_object_set(call->answer, "data_dir", directory);
    fk_admin_set(call->answer, "data_log_dir", directory);
    set_number(call, "tick_time", options->tick_ms);
    set_number(call, "max_client_cnxns", options->connections_per_address);
    set_number(call, "min_session_timeout", options->session_timeout_min_ms);
    set_number(call, "max_session_timeout", options->session_timeout_max_ms);
    set_number(call, "server_id", 0);
    set_number(call, "client_port_listen_backlog", settings->backlog);
}

static void connection_stat_reset(struct fk_admin_call *call)
{
    fk_inspect_reset_connections(call->gateway);
}

static void dirs(struct fk_admin_call *call)
{
    int64_t size = data_size(&fk_gateway_get_options(call->gateway)->settings);
    set_number(call, "datadir_size", size);
    set_number(call, "logdir_size", size);
}

static void environment(struct fk_admin_call *call)
{
    const char *line = fk_gateway_get_options(call->gateway)->environment;
    fk_admin_set(call->answer, "zookeeper.version", json_string(FK_VERSION_LINE));
    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');
        const char *equals = strchr(line, '=');
        char name[64];
        size_t size = equals == NULL ? 0 : (size_t)(equals - line);
        if (end == NULL || equals == NULL || equals > end || size >= sizeof name) {
            return;
        }
        memcpy(name, line, size);
        name[size] = '\0';
        fk_admin_set(call->answer, name, json_stringn(equals + 1, (size_t)(end - equals - 1)));
        line = end + 1;
    }
}

static void get_trace_mask(struct fk_admin_call *call)
{
    set_number(call, "tracemask", fk_inspect_trace_mask(call->gateway));
}

static void set_trace_mask(struct fk_admin_call *call)
{
    char text[32];
    char *end = NULL;
    errno = 0;
    bool given = fk_http_query(call->request, "traceMask", text, sizeof text) && text[0] != '\0';
    long long mask = given ? strtoll(text, &end, 10) : 0;
    if (!given || *end != '\0' || errno != 0) {
        fail(call, FK_HTTP_OK, "setTraceMask requires long traceMask argument");
        return;
    }
    fk_inspect_set_trace_mask(call->gateway, mask);
    set_number(call, "tracemask", mask);
}

static void hash(struct fk_admin_call *call)
{
    fk_admin_set(call->answer, "digests", json_array()); /* frames and rows carry checksums of their own */
}

static void initial_configuration(struct fk_admin_call *call)
{
    const char *text = call->options->configuration;
    fk_admin_set(call->answer, "initial_configuration", text == NULL ? json_null() : json_string(text));
}

static void is_read_only(struct fk_admin_call *call)
{
    fk_admin_set(call->answer, "read_only", json_boolean(fk_gateway_get_options(call->gateway)->read_only));
}

/* The checkpoint follows the log: what is visible is in one of both. */
static void last_snapshot(struct fk_admin_call *call)
{
    fk_admin_set(call->answer, "zxid", json_string("0"));
    set_number(call, "timestamp", 0);
}

static void leader(struct fk_admin_call *call)
{
    fail(call, FK_HTTP_OK, "server is not initialized"); /* ZK: of one server, too */
}

static void observers(struct fk_admin_call *call)
{
    set_number(call, "synced_observers", 0);
    fk_admin_set(call->answer, "observers", json_array());
}

/* ZK: sizes of answers, which nobody measures here. */
static json_t *response_sizes(void)
{
    json_t *sizes = json_object();
    fk_admin_set(sizes, "last_buffer_size", json_integer(-1));
    fk_admin_set(sizes, "min_buffer_size", json_integer(-1));
    fk_admin_set(sizes, "max_buffer_size", json_integer(-1));
    return sizes;
}

static void server_stats(struct fk_admin_call *call)
{
    struct fk_server_facts facts;
    int64_t size = data_size(&fk_gateway_get_options(call->gateway)->settings);
    json_t *stats = json_object();
    fk_inspect_server(call->gateway, &facts);
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {
        {"packets_sent", facts.packets_sent},
        {"packets_received", facts.packets_received},
        {"fsync_threshold_exceed_count", 0},
        {"data_dir_size", size},
        {"log_dir_size", size},
        {"last_processed_zxid", facts.zxid},
        {"outstanding_requests", facts.outstanding},
        {"max_latency", facts.latency_max_ms},
        {"min_latency", facts.latency_min_ms},
        {"num_alive_client_connections", facts.connections},
        {"uptime", facts.uptime_ms},
        {"auth_failed_count", facts.auth_failed},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        fk_admin_set(stats, numbers[i].name, json_integer(numbers[i].value));
    }
    fk_admin_set(stats, "avg_latency", json_real(facts.latency_avg_ms));
    fk_admin_set(stats, "server_state", json_string(facts.mode));
    fk_admin_set(stats, "provider_null", json_false());
    fk_admin_set(stats, "client_response_stats", response_sizes());
    fk_admin_set(call->answer, "version", json_string(FK_VERSION_LINE));
    is_read_only(call);
    fk_admin_set(call->answer, "server_stats", stats);
    fk_admin_set(call->answer, "client_response", response_sizes());
    set_number(call, "node_count", facts.nodes);
}

static void stats(struct fk_admin_call *call)
{
    server_stats(call);
    fk_admin_stats_connections(call);
}

static void stat_reset(struct fk_admin_call *call)
{
    fk_inspect_reset(call->gateway);
}

/* Java's properties; the values that are the same here are those of `environment`. */
static void system_properties(struct fk_admin_call *call)
{
    environment(call);
}

static void voting_view(struct fk_admin_call *call)
{
    fk_admin_set(call->answer, "current_config", json_object());
}

static void watch_summary(struct fk_admin_call *call)
{
    struct fk_server_facts facts;
    fk_inspect_server(call->gateway, &facts);
    set_number(call, "num_connections", facts.watch_connections);
    set_number(call, "num_paths", facts.watch_paths);
    set_number(call, "num_total_watches", facts.watches);
}

static void zabstate(struct fk_admin_call *call)
{
    fk_admin_set(call->answer, "voting", json_false());
    fk_admin_set(call->answer, "zabstate", json_string(""));
}

/* ZK: snapshot and restore stream the whole tree to who has all rights on the root. A copy of the data directory is
 * made and used here with a command, while the server runs, by who may read its files. */
static void elsewhere(struct fk_admin_call *call, const char *error)
{
    if (fk_http_header(call->request, "Authorization").data == NULL) {
        call->more = "WWW-Authenticate: digest\r\n";
        fail(call, 401, "Auth info is missing for the command");
        return;
    }
    fail(call, FK_HTTP_NOT_IMPLEMENTED, error);
}

static void snapshot(struct fk_admin_call *call)
{
    elsewhere(call,
              "not done by this port: 'faaskeeper data backup DIR TO' copies the data directory of a server that runs");
}

static void restore(struct fk_admin_call *call)
{
    elsewhere(call, "not done by this port: start a server on a copy that 'faaskeeper data backup DIR TO' made");
}

const struct fk_admin_command fk_admin_commands[] = {
    {"configuration", "conf", configuration},
    {"connection_stat_reset", "crst", connection_stat_reset},
    {"connections", "cons", fk_admin_connections},
    {"cost", NULL, fk_admin_cost}, /* ours: what it would cost on AWS */
    {"dirs", NULL, dirs},
    {"dump", NULL, fk_admin_dump},
    {"environment", "envi", environment},
    {"get_trace_mask", "gtmk", get_trace_mask},
    {"hash", NULL, hash},
    {"initial_configuration", "icfg", initial_configuration},
    {"is_read_only", "isro", is_read_only},
    {"last_snapshot", "lsnp", last_snapshot},
    {"leader", "lead", leader},
    {"monitor", "mntr", fk_admin_monitor},
    {"observer_connection_stat_reset", "orst", nothing},
    {"observers", "obsr", observers},
    {"restore", "rest", restore},
    {"ruok", NULL, nothing},
    {"server_stats", "srvr", server_stats},
    {"set_trace_mask", "stmk", set_trace_mask},
    {"snapshot", "snap", snapshot},
    {"stat_reset", "srst", stat_reset},
    {"stats", "stat", stats},
    {"system_properties", "sysp", system_properties},
    {"voting_view", NULL, voting_view},
    {"watch_summary", "wchs", watch_summary},
    {"watches", "wchc", fk_admin_watches},
    {"watches_by_path", "wchp", fk_admin_watches_by_path},
    {"zabstate", NULL, zabstate},
};
const size_t fk_admin_command_count = sizeof fk_admin_commands / sizeof fk_admin_commands[0];
