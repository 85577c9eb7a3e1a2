// SPDX-License-Identifier: Apache-2.0
/* faaskeeper gateway: ZooKeeper's protocol beside an application, over a deployment in the cloud. */
#include "cli/gateway.h"

#include "base/limits.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/serve_log.h"
#include "cli/server.h"
#include "host/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char help[] =
    "Usage: faaskeeper gateway --deployment NAME [options]\n"
    "Serves ZooKeeper's protocol over a deployment on AWS. It keeps nothing: any number of gateways serve one tree.\n"
    "\n"
    "  --deployment NAME  the deployment ('faaskeeper deploy aws' makes one)\n"
    "  --region REGION    where it is (default AWS_REGION, or the profile's)\n"
    "  --channel CHANNEL  how answers come: sqs (default), which works from everywhere, or tcp[:HOST[:PORT]],\n"
    "                     which is faster and needs the functions to reach this machine there\n"
    "  --threads N        calls to AWS that are under way at once, from 2 to 256 (default 32)\n"
    "  --config FILE      a zoo.cfg; options given here win over it\n"
    "  -D KEY=VALUE       a line behind that file; may be repeated\n"
    "  --listen ADDRESS   HOST:PORT, [v6]:PORT or unix:PATH, with tls: before it for TLS; may be repeated;\n"
    "                     port 0 takes a free one (default 127.0.0.1:2181)\n"
    "  --insecure         listen beyond this machine without TLS and without authentication\n" FK_SERVER_HELP_LOG "\n"
    "Prints one line with its address once it serves. Credentials are found as by AWS's own tools (environment, "
    "files,\n"
    "container, instance). SIGTERM and SIGINT end it: what is under way ends, then clients go to another gateway with\n"
    "their sessions. Keys of the file about data on disk, audit logs and sweeps have no effect; what writes mean is "
    "the\n"
    "deployment's (docs/aws.md).\n"
    "Exit codes: 0 stopped, 1 environment (no credentials, no such deployment, declared dead by others, port in use),\n"
    "2 usage or configuration.\n";

enum {
    THREADS_MIN = 2, /* a sweep takes one for long */
};

struct gateway_options {
    struct fk_server_options server;
    struct fk_gateway_place place;
    long threads; /* 0: default */
};

static bool parse_threads(const char *text, long *threads)
{
    char *end = NULL;
    *threads = strtol(text, &end, 10);
    return *text != '\0' && *end == '\0' && *threads >= THREADS_MIN && *threads <= FK_CLOUD_THREADS_MAX;
}

static bool knows_channel(const char *text)
{
    return strcmp(text, "sqs") == 0 || strcmp(text, "tcp") == 0 || (strncmp(text, "tcp:", 4) == 0 && text[4] != '\0');
}

static int take_option(void *context, int option)
{
    struct gateway_options *options = (struct gateway_options *)context;
    switch (option) {
    case 'n':
        options->place.deployment = optarg;
        return -1;
    case 'r':
        options->place.region = optarg;
        return -1;
    case 'a':
        options->place.channel = optarg;
        return -1;
    case 't':
    default:
        if (!parse_threads(optarg, &options->threads)) {
            return fk_server_usage_error(&options->server, optarg, "--threads expects a number from 2 to 256");
        }
        return -1;
    }
}

/* Reads the options; -1 to go on, otherwise the exit code. */
static int parse_options(int argc, char **argv, struct gateway_options *options)
{
    static const struct option rows[] = {
        FK_SERVER_LONG_OPTIONS,
        {"deployment", required_argument, NULL, 'n'},
        {"region", required_argument, NULL, 'r'},
        {"channel", required_argument, NULL, 'a'},
        {"threads", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    struct fk_server_options *server = &options->server;
    int code = fk_server_parse(server, argc, argv, rows, take_option, options, help);
    if (code == -1 && !knows_channel(options->place.channel)) {
        return fk_server_usage_error(server, options->place.channel, "--channel expects sqs or tcp[:HOST[:PORT]]");
    }
    if (code == -1 && options->place.deployment == NULL) {
        return fk_server_usage_error(server, "--deployment", "which deployment is missing");
    }
    return code;
}

/* *ended: nothing of the host is at work any more. */
static int run(const struct gateway_options *options, const struct fk_config *config,
               const struct fk_cloud_host_options *host_options, bool *ended)
{
    struct fk_diag diag = {.text = ""};
    struct fk_cloud_host *host = NULL;
    enum fk_err err = fk_cloud_host_new(host_options, &host, &diag);
    if (err != FK_OK) {
        return fk_server_not_started(&options->server, config, err, &diag);
    }
    fk_server_print_addresses(fk_cloud_host_addresses(host), fk_cloud_host_admin_addresses(host));
    err = fk_cloud_host_run(host, &diag);
    *ended = fk_cloud_host_free(host);
    if (err != FK_OK) {
        (void)fk_server_fail(&options->server, err, &diag);
        return FK_EXIT_ENVIRONMENT;
    }
    fk_log_with(FK_LOG_INFO, "stopped", fk_log_number("pid", getpid()));
    return FK_EXIT_OK;
}

static void tell_keys_without_effect(const struct fk_config *config)
{
    if (config->log.audit) {
        fk_log(FK_LOG_WARN, "audit.enable has no effect: the functions make the changes");
    }
}

static int serve(struct gateway_options *options, const struct fk_config *config, const struct fk_serve_auth *auth,
                 const struct fk_gateway_cloud *cloud)
{
    struct fk_diag diag = {.text = ""};
    void *opened = NULL;
    struct fk_cloud_host_options host = {.front = fk_server_front(&options->server, config),
                                         .cloud = fk_cloud_defaults(),
                                         .deployment = options->place.deployment,
                                         .threads = (size_t)options->threads};
    host.gateway = fk_server_gateway(&options->server, config, auth, NULL);
    host.cloud.rules = host.gateway.rules;
    tell_keys_without_effect(config);
    enum fk_err err = cloud->open(&options->place, &host, &opened, &diag);
    if (err != FK_OK) {
        return fk_server_not_started(&options->server, config, err, &diag);
    }
    fk_serve_log_posture(config, &host.gateway.rules, false);
    bool ended = true;
    int code = run(options, config, &host, &ended);
    if (ended) {
        cloud->close(opened);
    }
    return code;
}

int fk_cli_gateway_over(int argc, char **argv, const struct fk_gateway_cloud *cloud)
{
    struct gateway_options options = {.server = {.command = "gateway"}, .place = {.channel = "sqs"}};
    struct fk_config config;
    struct fk_diag diag = {.text = ""};
    int code = parse_options(argc, argv, &options);
    if (code != -1) {
        return code;
    }
    fk_server_prepare(4);
    struct fk_serve_auth auth = {.sasl = NULL};
    enum fk_err err = fk_server_configure(&options.server, &config, &diag);
    if (err == FK_OK) {
        err = fk_server_open(&auth, &config, &diag);
    }
    code = err == FK_OK ? serve(&options, &config, &auth, cloud) : fk_server_fail(&options.server, err, &diag);
    fk_serve_auth_close(&auth);
    fk_host_log_close();
    fk_config_deinit(&config);
    return code;
}
