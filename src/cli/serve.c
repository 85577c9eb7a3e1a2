// SPDX-License-Identifier: Apache-2.0
/* faaskeeper serve: the whole system on one machine. */
#include "base/log.h"
#include "cli/cli.h"
#include "cli/serve_log.h"
#include "cli/server.h"
#include "host/local.h"
#include "host/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "Usage: faaskeeper serve [options]\n"
    "Serves ZooKeeper's protocol on this machine; data is on disk, synced before it is acknowledged.\n"
    "\n"
    "  --config FILE      a zoo.cfg; options given here win over it\n"
    "  -D KEY=VALUE       a line behind that file; may be repeated\n"
    "  --data DIR         where the data is (default ./faaskeeper-data; created if missing)\n"
    "  --memory           nothing on disk: everything is gone at the end, for tests\n"
    "  --read-only        serve only clients that allow it, and change nothing, as a ZooKeeper server without a "
    "quorum\n"
    "  --listen ADDRESS   HOST:PORT, [v6]:PORT or unix:PATH, with tls: before it for TLS; may be repeated;\n"
    "                     port 0 takes a free one (default 127.0.0.1:2181)\n"
    "  --insecure         listen beyond this machine without TLS and without authentication\n"
    "  --exit-when-idle SECONDS\n"
    "                     stop after so long without a connection and a session; for socket "
    "activation\n" FK_SERVER_HELP_LOG "\n"
    "Prints one line with its address once it answers. SIGTERM and SIGINT stop it; what was acknowledged stays.\n"
    "Exit codes: 0 stopped, 1 environment (port in use, directory locked, no permission), 2 usage or configuration,\n"
    "3 damaged data, 4 the disk refused a sync.\n";

struct serve_options {
    struct fk_server_options server;
    const char *data;
    bool memory;
    bool read_only;
    int32_t idle_seconds; /* 0: it goes on */
};

static bool parse_seconds(const char *text, int32_t *seconds)
{
    enum {
        SECONDS_MAX = 86400,
    };
    char *end = NULL;
    long number = strtol(text, &end, 10);
    *seconds = (int32_t)number;
    return *text != '\0' && *end == '\0' && number >= 1 && number <= SECONDS_MAX;
}

static int take_option(void *context, int option)
{
    struct serve_options *options = (struct serve_options *)context;
    switch (option) {
    case 'd':
        options->data = optarg;
        return -1;
    case 'm':
        options->memory = true;
        return -1;
    case 'r':
        options->read_only = true;
        return -1;
    case 'x':
    default:
        if (!parse_seconds(optarg, &options->idle_seconds)) {
            return fk_server_usage_error(&options->server, optarg, "--exit-when-idle expects seconds, from 1 to 86400");
        }
        return -1;
    }
}

/* Reads the options; -1 to go on, otherwise the exit code. */
static int parse_options(int argc, char **argv, struct serve_options *options)
{
    static const struct option rows[] = {
        FK_SERVER_LONG_OPTIONS,
        {"data", required_argument, NULL, 'd'},
        {"memory", no_argument, NULL, 'm'},
        {"read-only", no_argument, NULL, 'r'},
        {"exit-when-idle", required_argument, NULL, 'x'},
        {NULL, 0, NULL, 0},
    };
    int code = fk_server_parse(&options->server, argc, argv, rows, take_option, options, help);
    if (code == -1 && options->memory && options->data != NULL) {
        return fk_server_usage_error(&options->server, "--memory", "excludes --data");
    }
    return code;
}

static int run(const struct serve_options *options, const struct fk_config *config,
               const struct fk_local_host_options *host_options)
{
    struct fk_diag diag = {.text = ""};
    struct fk_local_host *host = NULL;
    enum fk_err err = fk_local_host_new(host_options, &host, &diag);
    if (err != FK_OK) {
        return fk_server_not_started(&options->server, config, err, &diag);
    }
    fk_server_print_addresses(fk_local_host_addresses(host), fk_local_host_admin_addresses(host));
    fk_local_host_run(host);
    fk_local_host_free(host);
    fk_log_with(FK_LOG_INFO, "stopped", fk_log_number("pid", getpid()));
    return FK_EXIT_OK;
}

/* ZooKeeper takes any preAllocSize; here a segment has to hold the largest change. */
static int64_t segment_size(const struct fk_config *config)
{
    int64_t wanted = config->segment_size_kb == 0 ? FK_LOG_SEGMENT_SIZE : (int64_t)config->segment_size_kb * 1024;
    int64_t least = 4 * (int64_t)config->frame_size_max;
    return wanted < least ? least : wanted;
}

static int serve(struct serve_options *options, const struct fk_config *config, const struct fk_serve_auth *auth)
{
    struct fk_local_host_options host = {
        .front = fk_server_front(&options->server, config),
        .segment_size = segment_size(config),
        .sync = config->sync,
        .audit = config->log.audit,
        .audit_file = config->log.audit_file,
        .sweeper = config->sweeper,
    };
    if (!options->memory) {
        host.data_directory = options->data != NULL            ? options->data
                              : config->data_directory != NULL ? config->data_directory
                                                               : "./faaskeeper-data";
    }
    host.front.idle_limit_ms = (uint64_t)options->idle_seconds * 1000;
    host.gateway = fk_server_gateway(&options->server, config, auth, host.data_directory);
    host.gateway.read_only = options->read_only;
    fk_serve_log_posture(config, &host.gateway.rules, !options->memory);
    return run(options, config, &host);
}

int fk_cli_serve(int argc, char **argv)
{
    struct serve_options options = {.server = {.command = "serve"}};
    struct fk_config config;
    struct fk_diag diag = {.text = ""};
    int code = parse_options(argc, argv, &options);
    if (code != -1) {
        return code;
    }
    fk_server_prepare(1);
    struct fk_serve_auth auth = {.sasl = NULL};
    enum fk_err err = fk_server_configure(&options.server, &config, &diag);
    if (err == FK_OK) {
        err = fk_server_open(&auth, &config, &diag);
    }
    code = err == FK_OK ? serve(&options, &config, &auth) : fk_server_fail(&options.server, err, &diag);
    fk_serve_auth_close(&auth);
    fk_host_log_close();
    fk_config_deinit(&config);
    return code;
}
